//! Cuts batches: who may be dialed now, in list order, and when the next may. The same for every journal.

use jiff::Timestamp;

use super::Error;
use super::rows::{Round, Rows, Waiting, ZoneSet};
use crate::campaign::event::LeadId;
use crate::campaign::plan::Plan;
use crate::campaign::reply::{BatchLead, Opened, Rest};
use crate::leads::batch::{SMALLEST, cut};
use crate::leads::lead::Lead;
use crate::time::Now;

/// Of those due for a later round, how many are put back into list order: the longest due beyond that wait.
const SORTED: usize = 10_000;

/// Takes up the batch that is open, or cuts the next.
pub(super) fn open_batch(rows: &mut impl Rows, plan: &Plan, now: Now) -> Result<Opened, Error> {
    if let Some((number, size)) = rows.batch()? {
        let leads = rows.batch_leads(number)?;
        let leads = dialable(rows, plan, now.wall, &leads)?;
        if !leads.is_empty() {
            return Ok(Opened::Batch { number, size, leads });
        }
        rows.close(number, now)?;
    }
    let zone_sets = rows.zone_sets()?;
    let open: Vec<&ZoneSet> = zone_sets.iter().filter(|set| plan.calling.is_open(&set.zones, now.wall)).collect();
    for round in [Round::First, Round::Later] {
        let leads = choose(rows, &open, plan.batch_size, round, now.wall)?;
        let leads = dialable(rows, plan, now.wall, &leads)?;
        if !leads.is_empty() {
            let ids: Vec<LeadId> = leads.iter().map(|lead| lead.id).collect();
            let number = rows.cut(&ids, now)?;
            return Ok(Opened::Batch { number, size: leads.len(), leads });
        }
    }
    Ok(Opened::Nobody(rest(rows, plan, now.wall, &zone_sets)?))
}

/// The leads of the next batch of a round, in list order.
fn choose(
    rows: &mut impl Rows,
    open: &[&ZoneSet],
    size: usize,
    round: Round,
    now: Timestamp,
) -> Result<Vec<LeadId>, Error> {
    let enough = size + SMALLEST;
    let most = if round == Round::First { enough } else { SORTED };
    let mut waiting: Vec<Waiting> = Vec::new();
    for set in open {
        waiting.extend(rows.waiting(set.id, round, now, most)?);
    }
    waiting.sort_unstable();
    waiting.truncate(enough);
    waiting.truncate(cut(waiting.len(), size));
    Ok(waiting.into_iter().map(|(_, id)| id).collect())
}

fn dialable(rows: &mut impl Rows, plan: &Plan, now: Timestamp, ids: &[LeadId]) -> Result<Vec<BatchLead>, Error> {
    let mut leads = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(row) = rows.lead(*id)? else { continue };
        let due = row.stand.due.is_none_or(|due| due <= now);
        if due && plan.calling.is_open(&row.lead.zones, now) {
            leads.push(BatchLead { id: row.id, lead: Lead::clone(&row.lead), doubts: row.stand.doubts });
        }
    }
    Ok(leads)
}

/// Who is left for later, and when the first of them may be dialed.
fn rest(rows: &mut impl Rows, plan: &Plan, now: Timestamp, zone_sets: &[ZoneSet]) -> Result<Rest, Error> {
    let mut next_at: Option<Timestamp> = None;
    for set in zone_sets {
        let (fresh, due) = rows.soonest(set.id)?;
        let from = if fresh { Some(now) } else { due.map(|due| due.max(now)) };
        let open = from.and_then(|from| plan.calling.next_open(&set.zones, from));
        next_at = match (next_at, open) {
            (Some(known), Some(open)) => Some(known.min(open)),
            (known, open) => known.or(open),
        };
    }
    Ok(Rest { later: rows.open_leads()?, next_at })
}
