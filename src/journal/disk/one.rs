//! A run that calls one lead of its list alone (`--only`): instead of batches it is given that lead, whenever it may be
//! dialed. All else is as in any run.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::Error;
use super::super::imported::placed;
use super::super::lead_status::LeadState;
use super::super::people::LeadRow;
use super::attempts::{digits, wall};
use super::db::values;
use super::leads::{self, Zones};
use super::run::Run;
use crate::campaign::event::LeadId;
use crate::campaign::plan::Plan;
use crate::campaign::reply::{BatchLead, Opened, Rest};
use crate::leads::lead::{Lead, Only};
use crate::time::Now;

/// The batch of that lead. The journal's own begin at 1, so that none of them is closed in its stead.
const BATCH: u64 = 0;

/// A lead of the list, and how it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct OneLead {
    id: LeadId,
    lead: Lead,
    doubts: u32,
    due: Option<Timestamp>,
    /// How it stands.
    pub state: LeadState,
    /// Since when it is settled.
    pub settled: Option<Timestamp>,
    /// Which list, from 0, and its line there.
    pub place: (usize, u64),
}

impl Run {
    /// From now on only this lead is called. It as it stands, if it is on the list.
    pub fn call_only(&mut self, only: Only) -> Result<Option<OneLead>, Error> {
        let lead = self.find(&only)?;
        self.only = Some(only);
        Ok(lead)
    }

    /// The one lead, if it may be dialed now.
    pub(super) fn open_only(&self, only: &Only, plan: &Plan, now: Now) -> Result<Opened, Error> {
        let open = self.find(only)?.filter(|one| one.state == LeadState::Open);
        let Some(one) = open else { return Ok(Opened::Nobody(Rest { later: 0, next_at: None })) };
        let from = one.due.map_or(now.wall, |due| due.max(now.wall));
        let next_at = plan.calling.next_open(&one.lead.zones, from);
        if next_at.is_none_or(|at| at > now.wall) {
            return Ok(Opened::Nobody(Rest { later: 1, next_at }));
        }
        let lead = BatchLead { id: one.id, lead: one.lead, doubts: one.doubts };
        Ok(Opened::Batch { number: BATCH, size: 1, leads: vec![lead] })
    }

    /// The first lead of the list that is meant.
    fn find(&self, only: &Only) -> Result<Option<OneLead>, Error> {
        self.disk().read(|db| {
            let mut first = None;
            let by_number = "campaign = ?1 AND phone = ?2 AND listed = 1 ORDER BY place";
            leads::each(db, &mut Zones::new(), by_number, values![self.campaign, digits(only.phone)], |row| {
                if first.is_none() && only.is(&row.lead) {
                    first = Some(row);
                }
            })?;
            let Some(LeadRow { id, place, lead, stand, .. }) = first else { return Ok(None) };
            let settled: Option<i64> = db.get("SELECT settled FROM leads WHERE id = ?1", values![id.0])?;
            Ok(Some(OneLead {
                id,
                lead: Arc::unwrap_or_clone(lead),
                doubts: stand.doubts,
                due: stand.due,
                state: stand.standing,
                settled: settled.map(wall),
                place: placed(place),
            }))
        })
    }
}
