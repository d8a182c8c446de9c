//! Cuts batches: who may be dialed now, in list order, and when the next may. The same for every journal.

use jiff::Timestamp;

use super::Error;
use super::people::Wanted;
use super::store::{OpenBatch, Round, Store, Waiting, ZoneSet};
use crate::campaign::event::LeadId;
use crate::campaign::plan::Plan;
use crate::campaign::reply::{BatchLead, Opened, Rest};
use crate::leads::batch::{SMALLEST, cut};
use crate::leads::lead::Lead;
use crate::time::Now;

/// Of those due for a later round, how many are put back into list order: the longest due beyond that wait.
const SORTED: usize = 10_000;

/// Takes up the batch that is open, or cuts the next.
pub(super) fn open_batch(store: &mut impl Store, plan: &Plan, now: Now) -> Result<Opened, Error> {
    if let Some(OpenBatch { number, size, leads }) = store.batch()? {
        let leads = dialable(store, plan, now.wall, &leads)?;
        if !leads.is_empty() {
            return Ok(Opened::Batch { number, size, leads });
        }
        store.close(number, now)?;
    }
    let zone_sets = store.zone_sets()?;
    let open: Vec<&ZoneSet> = zone_sets.iter().filter(|set| plan.calling.is_open(&set.zones, now.wall)).collect();
    for round in [Round::First, Round::Later] {
        let leads = choose(store, &open, plan.batch_size, round, now.wall)?;
        let leads = dialable(store, plan, now.wall, &leads)?;
        if !leads.is_empty() {
            let ids: Vec<LeadId> = leads.iter().map(|lead| lead.id).collect();
            let number = store.cut(&ids, now)?;
            return Ok(Opened::Batch { number, size: leads.len(), leads });
        }
    }
    Ok(Opened::Nobody(rest(store, plan, now.wall, &zone_sets)?))
}

/// The leads of the next batch of a round, in list order.
fn choose(
    store: &mut impl Store,
    open: &[&ZoneSet],
    size: usize,
    round: Round,
    now: Timestamp,
) -> Result<Vec<LeadId>, Error> {
    let enough = size + SMALLEST;
    let most = if round == Round::First { enough } else { SORTED };
    let mut waiting: Vec<Waiting> = Vec::new();
    for set in open {
        waiting.extend(store.waiting(set.id, round, now, most)?);
    }
    waiting.sort_unstable();
    waiting.truncate(enough);
    waiting.truncate(cut(waiting.len(), size));
    Ok(waiting.into_iter().map(|(_, id)| id).collect())
}

fn dialable(store: &mut impl Store, plan: &Plan, now: Timestamp, ids: &[LeadId]) -> Result<Vec<BatchLead>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let people = store.load(Wanted { leads: ids, ..Wanted::default() })?;
    let rows = ids.iter().filter_map(|id| people.lead(*id));
    let dialable =
        rows.filter(|row| row.stand.due.is_none_or(|due| due <= now) && plan.calling.is_open(&row.lead.zones, now));
    let lead =
        |row: &super::people::LeadRow| BatchLead { id: row.id, lead: Lead::clone(&row.lead), doubts: row.stand.doubts };
    Ok(dialable.map(lead).collect())
}

/// Who is left for later, and when the first of them may be dialed.
fn rest(store: &mut impl Store, plan: &Plan, now: Timestamp, zone_sets: &[ZoneSet]) -> Result<Rest, Error> {
    let next = |set: &ZoneSet| {
        let from = if set.first { Some(now) } else { set.due.map(|due| due.max(now)) };
        plan.calling.next_open(&set.zones, from?)
    };
    Ok(Rest { later: store.open_leads()?, next_at: zone_sets.iter().filter_map(next).min() })
}
