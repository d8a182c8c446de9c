//! A lead as a row, and back.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::Error;
use super::super::lead_status::{LeadState, LeadStatus};
use super::super::people::LeadRow;
use super::super::store::ZoneSet;
use super::Disk;
use super::accounts::Account;
use super::attempts::{class_named, wall};
use super::db::{Db, Value, values};
use crate::campaign::event::LeadId;
use crate::leads::lead::Lead;
use crate::time::Now;

/// The sets of zones that were read already: they never change.
pub(super) type Zones = HashMap<i64, Arc<[String]>>;

/// A lead as a row has it, but for its zones.
pub(super) fn read(text: &str) -> Result<Lead, Error> {
    serde_json::from_str(text).map_err(|error| Error::damaged(format!("a lead: {error}")))
}

/// Hands over the leads of a campaign that a condition selects; the campaign is its first parameter.
pub(super) fn each(
    db: &Db,
    zones: &mut Zones,
    condition: &str,
    values: &[Value<'_>],
    mut each: impl FnMut(LeadRow),
) -> Result<(), Error> {
    db.each(&statement(condition), values, |row| {
        let mut lead = read(row.text(2)?)?;
        lead.zones = zone_set(db, zones, row.get(3)?)?.to_vec();
        let due: i64 = row.get(9)?;
        let stand = LeadStatus {
            standing: standing_named(&row.get::<String>(7)?, row.get(8)?)?,
            due: (due != 0).then(|| wall(due)),
            later: row.get(10)?,
            doubts: row.get(11)?,
        };
        each(LeadRow {
            id: LeadId(row.get(0)?),
            place: row.get(1)?,
            lead: Arc::new(lead),
            listed: row.get(4)?,
            suppressed: row.get(5)?,
            added: db.line().instant(row.get(6)?),
            stand,
        });
        Ok(())
    })
}

/// The statement that finds them.
pub(super) fn statement(condition: &str) -> String {
    format!(
        "SELECT id, place, lead, zone_set, listed, suppressed, added, standing, class, due, later, doubts FROM leads \
         WHERE {condition}"
    )
}

fn zone_set(db: &Db, known: &mut Zones, id: i64) -> Result<Arc<[String]>, Error> {
    if let Some(zones) = known.get(&id) {
        return Ok(zones.clone());
    }
    let text: Option<String> = db.maybe("SELECT zones FROM zone_sets WHERE id = ?1", values![id], |row| row.get(0))?;
    let zones: Vec<String> = text
        .and_then(|text| serde_json::from_str(&text).ok())
        .ok_or_else(|| Error::damaged(format!("no zones under the number {id}")))?;
    let zones: Arc<[String]> = zones.into();
    known.insert(id, zones.clone());
    Ok(zones)
}

/// The zone sets of a campaign's leads that wait for something.
pub(super) fn zone_sets(db: &Db, known: &mut Zones, campaign: i64) -> Result<Vec<ZoneSet>, Error> {
    // One step of each index for each set, however many leads it has.
    let next = |later: u8| {
        format!(
            "SELECT min(zone_set) FROM leads WHERE campaign = ?1 AND zone_set > ?2 AND standing = 'open' AND listed = 1 \
             AND later = {later}"
        )
    };
    let next = format!("SELECT min(first) FROM (SELECT ({}) AS first UNION ALL SELECT ({})) AS step", next(0), next(1));
    let waits = "SELECT EXISTS (SELECT 1 FROM leads WHERE campaign = ?1 AND zone_set = ?2 AND standing = 'open' AND listed = 1 \
         AND later = 0), (SELECT min(due) FROM leads WHERE campaign = ?1 AND zone_set = ?2 AND standing = 'open' \
         AND listed = 1 AND later = 1)";
    let (mut sets, mut last) = (Vec::new(), 0);
    while let Some(id) = db.get::<Option<i64>>(&next, values![campaign, last])? {
        let (first, due): (bool, Option<i64>) =
            db.one(waits, values![campaign, id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        sets.push(ZoneSet { id, zones: zone_set(db, known, id)?.to_vec(), first, due: due.map(wall) });
        last = id;
    }
    Ok(sets)
}

impl Disk {
    /// Leads of a campaign that wait to be called, in list order: of each set of zones as many, so many at most.
    pub fn waiting_leads(&self, account: &Account, campaign: &str, most: usize) -> Result<Vec<Lead>, Error> {
        let id = self.campaign(account, campaign)?;
        self.read(|db| {
            let sets = zone_sets(db, &mut Zones::new(), id)?;
            let each = most / sets.len().max(1) + 1;
            let mut found = Vec::new();
            for set in &sets {
                for round in ["later = 0 ORDER BY place", "later = 1 ORDER BY due, place"] {
                    let some = format!(
                        "SELECT place, lead FROM leads WHERE campaign = ?1 AND zone_set = ?2 AND standing = 'open' \
                         AND listed = 1 AND {round} LIMIT ?3"
                    );
                    db.each(&some, values![id, set.id, each], |row| {
                        let lead = Lead { zones: set.zones.clone(), ..read(row.text(1)?)? };
                        found.push((row.get::<i64>(0)?, lead));
                        Ok(())
                    })?;
                }
            }
            found.sort_by_key(|(place, _)| *place);
            Ok(found.into_iter().map(|(_, lead)| lead).take(most).collect())
        })
    }
}

/// Writes down how a lead stands, and whether it is suppressed.
pub(super) fn stand(db: &Db, id: LeadId, stand: LeadStatus, suppressed: bool, now: Now) -> Result<(), Error> {
    let (standing, class) = standing_name(stand.standing);
    let settled = class.is_some().then(|| now.wall.as_microsecond());
    let put = "UPDATE leads SET standing = ?2, class = ?3, due = ?4, later = ?5, doubts = ?6, \
         suppressed = CASE WHEN suppressed > ?8 THEN suppressed ELSE ?8 END, \
         settled = CASE WHEN ?7 IS NULL THEN NULL ELSE coalesce(settled, ?7) END, stale = 0 WHERE id = ?1";
    let due = stand.due.map_or(0, |due| due.as_microsecond().max(1));
    db.write(put, values![id.0, standing, class, due, stand.later, stand.doubts, settled, suppressed])?;
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
