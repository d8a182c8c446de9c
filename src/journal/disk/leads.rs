//! A lead as a row, and back.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::super::Error;
use super::super::lead_status::{LeadState, LeadStatus};
use super::super::rows::{LeadRow, ZoneSet};
use super::attempts::{class_named, wall};
use crate::campaign::event::LeadId;
use crate::leads::lead::Lead;
use crate::time::{Instant, Now};

/// The sets of zones that were read already: they never change.
pub(super) type Zones = HashMap<i64, Arc<[String]>>;

/// A lead of a campaign.
pub(super) fn by_id(db: &Connection, zones: &mut Zones, campaign: i64, id: LeadId) -> Result<Option<LeadRow>, Error> {
    let mut statement = db.prepare_cached(
        "SELECT lead, zone_set, listed, suppressed, added, standing, class, due, later, doubts FROM leads \
         WHERE id = ?1 AND campaign = ?2",
    )?;
    let mut rows = statement.query(params![id.0, campaign])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let text = row.get_ref(0)?.as_str().map_err(|error| Error::damaged(error.to_string()))?;
    let mut lead: Lead = serde_json::from_str(text).map_err(|error| Error::damaged(format!("a lead: {error}")))?;
    lead.zones = zone_set(db, zones, row.get(1)?)?.to_vec();
    let due: i64 = row.get(7)?;
    let stand = LeadStatus {
        standing: standing_named(&row.get::<_, String>(5)?, row.get(6)?)?,
        due: (due != 0).then(|| wall(due)),
        later: row.get(8)?,
        doubts: row.get(9)?,
    };
    let (listed, suppressed, added) = (row.get(2)?, row.get(3)?, Instant::from_micros(row.get(4)?));
    Ok(Some(LeadRow { id, lead: Arc::new(lead), listed, suppressed, added, stand }))
}

fn zone_set(db: &Connection, known: &mut Zones, id: i64) -> Result<Arc<[String]>, Error> {
    if let Some(zones) = known.get(&id) {
        return Ok(zones.clone());
    }
    let text: Option<String> =
        db.query_row("SELECT zones FROM zone_sets WHERE id = ?1", [id], |row| row.get(0)).optional()?;
    let zones: Vec<String> = text
        .and_then(|text| serde_json::from_str(&text).ok())
        .ok_or_else(|| Error::damaged(format!("no zones under the number {id}")))?;
    let zones: Arc<[String]> = zones.into();
    known.insert(id, zones.clone());
    Ok(zones)
}

/// The zone sets of a campaign's leads that wait for something.
pub(super) fn zone_sets(db: &Connection, known: &mut Zones, campaign: i64) -> Result<Vec<ZoneSet>, Error> {
    // One step of the index for each set, however many leads it has.
    let mut next = db.prepare_cached(
        "SELECT min(first) FROM ( \
         SELECT min(zone_set) AS first FROM leads \
         WHERE campaign = ?1 AND zone_set > ?2 AND standing = 'open' AND listed = 1 AND later = 0 UNION ALL \
         SELECT min(zone_set) FROM leads \
         WHERE campaign = ?1 AND zone_set > ?2 AND standing = 'open' AND listed = 1 AND later = 1)",
    )?;
    let (mut sets, mut last) = (Vec::new(), 0);
    while let Some(id) = next.query_row([campaign, last], |row| row.get::<_, Option<i64>>(0))? {
        sets.push(ZoneSet { id, zones: zone_set(db, known, id)?.to_vec() });
        last = id;
    }
    Ok(sets)
}

/// Writes down how a lead stands.
pub(super) fn stand(db: &Connection, id: LeadId, stand: LeadStatus, now: Now) -> Result<(), Error> {
    let (standing, class) = standing_name(stand.standing);
    let settled = class.is_some().then(|| now.wall.as_microsecond());
    let mut statement = db.prepare_cached(
        "UPDATE leads SET standing = ?2, class = ?3, due = ?4, later = ?5, doubts = ?6, \
         settled = iif(?7 IS NULL, NULL, coalesce(settled, ?7)), stale = 0 WHERE id = ?1",
    )?;
    let due = stand.due.map_or(0, |due| due.as_microsecond().max(1));
    statement.execute(params![id.0, standing, class, due, stand.later, stand.doubts, settled])?;
    Ok(())
}

/// How a lead stands, in words.
pub(super) fn standing_name(standing: LeadState) -> (&'static str, Option<&'static str>) {
    match standing {
        LeadState::Open => ("open", None),
        LeadState::Busy => ("busy", None),
        LeadState::InDoubt => ("in-doubt", None),
        LeadState::Parked => ("parked", None),
        LeadState::Settled(class) => ("settled", Some(class.name())),
    }
}

/// How a lead stands, from words.
pub(super) fn standing_named(name: &str, class: Option<String>) -> Result<LeadState, Error> {
    Ok(match (name, class) {
        ("open", None) => LeadState::Open,
        ("busy", None) => LeadState::Busy,
        ("in-doubt", None) => LeadState::InDoubt,
        ("parked", None) => LeadState::Parked,
        ("settled", Some(class)) => LeadState::Settled(class_named(&class)?),
        _ => return Err(Error::damaged(format!("a lead stands as {name:?}"))),
    })
}
