//! From an ask to claims: who of those asked for may be dialed at this instant. The same for every journal.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::claim::Claim;
use super::facts::{Attempt, Origin};
use super::lead_status::LeadState;
use super::people::{LeadRow, People, Wanted};
use super::recording::concerning;
use super::store::Store;
use super::{Chance, Error};
use crate::campaign::attempt::State;
use crate::campaign::event::{Ask, LeadId, Line};
use crate::campaign::plan::Plan;
use crate::campaign::reply::{Denied, Granted};
use crate::leads::lead::Lead;
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
    Open,
    Denied(Denied),
}

/// Grants up to `most` of the leads of an ask, in its order: as many are loaded as may still be granted.
pub(super) fn grant(
    store: &mut impl Store,
    maker: &mut Maker<'_>,
    now: Now,
    ask: &Ask,
    most: u32,
) -> Result<Grant, Error> {
    let mut grant = Grant::default();
    let mut rest = ask.leads.as_slice();
    while !rest.is_empty() && grant.granted.len() < most as usize {
        let (next, later) = rest.split_at(rest.len().min(most as usize - grant.granted.len()));
        let ids: Vec<LeadId> = next.iter().map(|(id, _)| *id).collect();
        let mut people = store.load(Wanted { leads: &ids, suppressed: true, ..Wanted::default() })?;
        let before = grant.granted.len();
        for &(id, line) in next {
            grant.one(&mut people, maker, now, ask, id, line);
        }
        for granted in &grant.granted[before..] {
            store.told().tell(&granted.attempt, State::Claimed);
        }
        store.save(people, now)?;
        rest = later;
    }
    Ok(grant)
}

impl Grant {
    fn one(&mut self, people: &mut People, maker: &mut Maker<'_>, now: Now, ask: &Ask, id: LeadId, line: Line) {
        match gate(people, maker.plan, now, id) {
            Gate::Denied(denied) => self.denied.push((id, denied)),
            Gate::Open => {
                let row = people.lead(id).expect("a lead that may be dialed").clone();
                let attempt = Arc::new(maker.attempt(people.campaign, &row, line, now, ask));
                people.put(Arc::clone(&attempt));
                people.stand(id, row.stand.claimed());
                self.granted.push(Granted { attempt: attempt.id.clone(), lead: id, line });
                let until = now.at + maker.plan.claim_lasts();
                self.claims.push(Claim::granted(attempt.id.clone(), Lead::clone(&row.lead), line, now.at, until));
            }
        }
    }
}

/// Puts leads off until then that cannot be called for now.
pub(super) fn put_off_all(store: &mut impl Store, now: Now, leads: &[LeadId], until: Timestamp) -> Result<(), Error> {
    let mut people = store.load(Wanted { leads, ..Wanted::default() })?;
    for id in leads {
        if let Some(stand) = people.lead(*id).map(|row| row.stand).filter(|stand| stand.standing == LeadState::Open) {
            people.stand(*id, stand.put_off(until));
        }
    }
    store.save(people, now)
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
fn gate(people: &mut People, plan: &Plan, now: Now, id: LeadId) -> Gate {
    let Some(row) = people.lead(id) else { return Gate::Denied(Denied::Gone) };
    if !row.listed || row.stand.standing != LeadState::Open {
        return Gate::Denied(Denied::Gone);
    }
    if people.suppressed.contains(&row.lead.phone) {
        people.settle_suppressed(id);
        return Gate::Denied(Denied::Suppressed);
    }
    if row.stand.due.is_some_and(|due| due > now.wall) || !plan.calling.is_open(&row.lead.zones, now.wall) {
        return Gate::Denied(Denied::Later);
    }
    if let Some(until) = put_off(people, plan, now, row) {
        let stand = row.stand.put_off(until);
        people.stand(id, stand);
        return Gate::Denied(Denied::Later);
    }
    Gate::Open
}

/// Until when a lead has to wait for what its number went through.
fn put_off(people: &People, plan: &Plan, now: Now, row: &LeadRow) -> Option<Timestamp> {
    let phone = row.lead.phone;
    if people.is_taken(phone) {
        return Some(later(now.wall, plan.poll * TAKEN));
    }
    let person = row.person();
    let day = person.day_is_full(&concerning(&person, &people.attempts_on(phone)), plan, now.wall);
    if let Some(day) = day.filter(|day| *day > now.wall) {
        return Some(day);
    }
    let again = people.called_elsewhere(phone).zip(plan.not_if_called_within);
    again.map(|(called, within)| later(called, within)).filter(|again| *again > now.wall)
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}
