//! From an ask to claims: who of those asked for may be dialed at this instant. The same for every journal.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::claim::Claim;
use super::facts::{Attempt, Origin};
use super::lead_status::LeadState;
use super::recording::concerning;
use super::rows::{LeadRow, Rows};
use super::{Chance, Error};
use crate::campaign::attempt::State;
use crate::campaign::event::{Ask, LeadId, Line};
use crate::campaign::plan::Plan;
use crate::campaign::reply::{Denied, Granted};
use crate::leads::lead::{Lead, Phone};
use crate::pool::attempt_id::{AttemptId, Mark};
use crate::time::Now;

/// How many polls a lead is put off whose number another claim holds. Where that claim is of this campaign, its end
/// comes first.
const TAKEN: u32 = 60;

/// What a grant made, to be told once it is on disk.
#[derive(Debug, Default)]
pub(super) struct Grant {
    pub(super) granted: Vec<Granted>,
    pub(super) denied: Vec<(LeadId, Denied)>,
    pub(super) claims: Vec<Claim>,
}

/// What claims are made with.
pub(super) struct Maker<'a> {
    pub(super) plan: &'a Plan,
    pub(super) run: Option<i64>,
    pub(super) mark: &'a Mark,
    pub(super) chance: &'a mut Chance,
}

enum Gate {
    Open(Box<LeadRow>),
    Denied(Denied),
}

/// Grants up to `most` of the leads of an ask, in its order.
pub(super) fn grant(
    rows: &mut impl Rows,
    maker: &mut Maker<'_>,
    now: Now,
    ask: &Ask,
    most: u32,
) -> Result<Grant, Error> {
    let mut grant = Grant::default();
    for &(id, line) in &ask.leads {
        if grant.granted.len() >= most as usize {
            break;
        }
        match gate(rows, maker.plan, now, id)? {
            Gate::Denied(away) => grant.denied.push((id, away)),
            Gate::Open(row) => {
                let attempt = Arc::new(maker.attempt(rows.campaign(), &row, line, now, ask));
                rows.put(&attempt)?;
                rows.tell(&attempt.id, State::Claimed);
                rows.stand(&row, row.stand.claimed(), now)?;
                grant.granted.push(Granted { attempt: attempt.id.clone(), lead: id, line });
                let until = now.at + maker.plan.claim_lasts();
                grant.claims.push(Claim::granted(attempt.id.clone(), Lead::clone(&row.lead), line, now.at, until));
            }
        }
    }
    Ok(grant)
}

/// Puts leads off until then that cannot be called for now.
pub(super) fn put_off_all(rows: &mut impl Rows, now: Now, leads: &[LeadId], until: Timestamp) -> Result<(), Error> {
    for id in leads {
        let Some(row) = rows.lead(*id)? else { continue };
        if row.stand.standing == LeadState::Open {
            rows.stand(&row, row.stand.put_off(until), now)?;
        }
    }
    Ok(())
}

impl Maker<'_> {
    fn attempt(&mut self, campaign: i64, row: &LeadRow, line: Line, now: Now, ask: &Ask) -> Attempt {
        let id = AttemptId::mint(self.mark, (self.chance)());
        Attempt {
            lead: Some(row.id),
            phone: Some(row.lead.phone),
            run: self.run,
            line: row.lead.phone_number_id.as_ref().or(self.plan.lines.get(line.0)).map(|id| Arc::from(id.as_str())),
            ..Attempt::new(id, Origin::Claimed, campaign, now, ask.provider_time)
        }
    }
}

/// Whether a lead may be dialed at this instant; one that may not has been settled or put off.
fn gate(rows: &mut impl Rows, plan: &Plan, now: Now, id: LeadId) -> Result<Gate, Error> {
    let Some(row) = rows.lead(id)? else { return Ok(Gate::Denied(Denied::Gone)) };
    if !row.listed || row.stand.standing != LeadState::Open {
        return Ok(Gate::Denied(Denied::Gone));
    }
    if rows.is_suppressed(row.lead.phone)? {
        rows.settle_suppressed(&row, now)?;
        return Ok(Gate::Denied(Denied::Suppressed));
    }
    if row.stand.due.is_some_and(|due| due > now.wall) || !plan.calling.is_open(&row.lead.zones, now.wall) {
        return Ok(Gate::Denied(Denied::Later));
    }
    if let Some(until) = put_off(rows, plan, now, &row)? {
        rows.stand(&row, row.stand.put_off(until), now)?;
        return Ok(Gate::Denied(Denied::Later));
    }
    Ok(Gate::Open(Box::new(row)))
}

/// Until when a lead has to wait for what its number went through.
fn put_off(rows: &mut impl Rows, plan: &Plan, now: Now, row: &LeadRow) -> Result<Option<Timestamp>, Error> {
    let phone = row.lead.phone;
    if rows.is_taken(phone)? {
        return Ok(Some(later(now.wall, plan.poll * TAKEN)));
    }
    if let Some(day) = day_is_full(rows, plan, now, row, phone)? {
        return Ok(Some(day));
    }
    let Some(within) = plan.not_if_called_within else { return Ok(None) };
    let again = rows.called_elsewhere(phone)?.map(|called| later(called, within));
    Ok(again.filter(|again| *again > now.wall))
}

fn day_is_full(
    rows: &mut impl Rows,
    plan: &Plan,
    now: Now,
    row: &LeadRow,
    phone: Phone,
) -> Result<Option<Timestamp>, Error> {
    let on_number = rows.attempts_on(phone)?;
    let person = row.person();
    let day = person.day_is_full(&concerning(&person, &on_number), plan, now.wall);
    Ok(day.filter(|day| *day > now.wall))
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}
