//! From news to facts, from facts to what changed: the same for every journal.

use std::sync::Arc;
use std::time::Duration;

use super::Error;
use super::facts::{Attempt, Origin};
use super::lead_status::{LeadState, Person, rang_twice, too_many_doubts};
use super::people::{People, Told, Wanted, is_stranger};
use super::store::Store;
use crate::campaign::attempt::{Cause, State};
use crate::campaign::event::{LeadId, News};
use crate::campaign::plan::Plan;
use crate::campaign::reply::{Change, LeadNow, Recorded, UnknownCall};
use crate::campaign::seen::SeenCall;
use crate::campaign::trouble::SHORTEST_PAUSE;
use crate::pool::attempt_id::AttemptId;
use crate::pool::news::RequestTiming;
use crate::time::{Instant, Now};

/// The minute that a rate limit is counted in, where the provider names no other wait.
const MINUTE: i64 = 60_000_000;

/// Writes news down.
pub(super) fn record(store: &mut impl Store, plan: &Plan, now: Now, news: &News) -> Result<Recorded, Error> {
    match news {
        News::Listed { calls, .. } => {
            let rows = store.told().unseen(calls);
            if rows.is_empty() { Ok(Recorded::default()) } else { sight_all(store, plan, now, &rows) }
        }
        News::Reopened(attempts) => {
            let mut people = store.load(Wanted { attempts, ..Wanted::default() })?;
            let mut step = Step { people: &mut people, told: store.told(), plan, now };
            let reopen = |id| step.touch(id, |attempt| attempt.reopened = true);
            let changes = attempts.iter().filter_map(reopen).collect();
            store.save(people, now)?;
            Ok(Recorded { changes, ..Recorded::default() })
        }
        _ => attempt_of(news).map_or_else(|| Ok(Recorded::default()), |id| record_one(store, plan, now, news, id)),
    }
}

/// News of one attempt.
fn record_one(store: &mut impl Store, plan: &Plan, now: Now, news: &News, id: &AttemptId) -> Result<Recorded, Error> {
    let mut people = store.load(Wanted { attempts: std::slice::from_ref(id), ..Wanted::default() })?;
    if let News::Refused { wire, cause: Cause::Rate, retry_after, .. } = news {
        people.pause_posts(rate_limited_until(now, *wire, *retry_after));
    }
    let mut changes = Vec::new();
    let mut step = Step { people: &mut people, told: store.told(), plan, now };
    changes.extend(step.touch(id, |attempt| apply(attempt, news, now)));
    if matches!(news, News::Absent(..)) && is_hopeless(store, &people, id)? {
        let mut step = Step { people: &mut people, told: store.told(), plan, now };
        changes.extend(step.touch(id, |attempt| attempt.facts.parked = Some(now.at)));
        merge_changes(&mut changes);
    }
    store.save(people, now)?;
    Ok(Recorded { changes, ..Recorded::default() })
}

/// Rows of a listing.
fn sight_all(
    store: &mut impl Store,
    plan: &Plan,
    now: Now,
    rows: &[(&AttemptId, &Arc<SeenCall>)],
) -> Result<Recorded, Error> {
    let ids: Vec<AttemptId> = rows.iter().map(|(id, _)| (*id).clone()).collect();
    let mut people = store.load(Wanted { attempts: &ids, ..Wanted::default() })?;
    let mut recorded = Recorded::default();
    let mut step = Step { people: &mut people, told: store.told(), plan, now };
    for (id, seen) in rows {
        step.sight(id, seen, &mut recorded);
        if let Some(analysis) = &seen.analysis {
            step.people.analysed(id, analysis);
        }
    }
    store.save(people, now)?;
    store.told().saw(rows);
    Ok(recorded)
}

fn attempt_of(news: &News) -> Option<&AttemptId> {
    match news {
        News::Answered { attempt, .. }
        | News::Refused { attempt, .. }
        | News::Failed { attempt, .. }
        | News::Absent(attempt, _)
        | News::Parked(attempt, _)
        | News::Lost(attempt, _)
        | News::GivenUp(attempt)
        | News::Withdrawn(attempt) => Some(attempt),
        News::Listed { .. } | News::Reopened(_) => None,
    }
}

/// What one piece of news says of the one attempt that it is about.
fn apply(attempt: &mut Attempt, news: &News, now: Now) {
    match news {
        News::Answered { wire, call, limits, .. } => attempt.answer(*wire, call, *limits, now.at),
        News::Refused { cause, message, .. } => attempt.refuse(*cause, message),
        News::Failed { wire, message, .. } => attempt.fail(now.for_others(wire.received), message),
        News::Absent(_, at) => attempt.facts.absent = attempt.facts.absent.max(Some(*at)),
        News::Parked(_, at) => attempt.facts.parked = attempt.facts.parked.max(Some(*at)),
        News::Lost(_, at) => {
            attempt.facts.given_up = true;
            attempt.facts.parked = attempt.facts.parked.max(Some(*at));
        }
        News::GivenUp(_) => attempt.facts.given_up = true,
        News::Withdrawn(_) => attempt.refuse(Cause::Withdrawn, ""),
        News::Listed { .. } | News::Reopened(_) => {}
    }
}

fn rate_limited_until(now: Now, wire: RequestTiming, retry_after: Option<Duration>) -> Instant {
    const LONGEST: Duration = Duration::from_hours(1);
    let to_next_minute = MINUTE - now.wall.as_microsecond().rem_euclid(MINUTE);
    let pause = retry_after.unwrap_or(Duration::from_micros(to_next_minute.unsigned_abs()));
    now.for_others(wire.received) + pause.clamp(SHORTEST_PAUSE, LONGEST)
}

/// A call that was found, for the campaign to judge.
pub(super) fn stranger(attempt: &Attempt) -> Option<UnknownCall> {
    let (call, created) = (attempt.call.clone()?, attempt.created?);
    Some(UnknownCall { attempt: attempt.id.clone(), call, created, phone: attempt.phone })
}

/// One step of a run: the people that it is about, and what the run was told of them.
pub(super) struct Step<'a> {
    pub(super) people: &'a mut People,
    pub(super) told: &'a mut Told,
    pub(super) plan: &'a Plan,
    pub(super) now: Now,
}

impl Step<'_> {
    /// One row of a listing.
    fn sight(&mut self, id: &AttemptId, seen: &SeenCall, recorded: &mut Recorded) {
        let campaign = self.people.campaign;
        let found = match self.people.attempt(id) {
            Some(known) if known.origin != Origin::Found => {
                let at = self.now.at;
                recorded.changes.extend(self.touch(id, |attempt| attempt.sight(seen, at)));
                return;
            }
            Some(known) => {
                let mut attempt = Attempt::clone(known);
                attempt.sight(seen, self.now.at);
                attempt
            }
            None => Attempt::found(id.clone(), self.people.campaigns[&id.mark()], seen, self.now),
        };
        // Another campaign's run may have seen it first.
        if is_stranger(&found, campaign) && self.told.meet(id) {
            recorded.strangers.extend(stranger(&found));
        }
        if self.people.attempt(id).is_none_or(|known| **known != found) {
            self.people.put(Arc::new(found));
        }
    }

    /// Adds facts to an attempt, and says what that changed, if anything.
    fn touch(&mut self, id: &AttemptId, add: impl FnOnce(&mut Attempt)) -> Option<Change> {
        let before = Arc::clone(self.people.attempt(id)?);
        let mut attempt = Attempt::clone(&before);
        add(&mut attempt);
        let told = self.told.state(id);
        let was = told.unwrap_or_else(|| before.state());
        let state = attempt.state();
        let same = attempt == *before;
        if same && was == state {
            return None;
        }
        let attempt = Arc::new(attempt);
        if !same {
            self.people.put(Arc::clone(&attempt));
        }
        if let Some(phone) = attempt.phone.filter(|_| attempt.opt_out && !before.opt_out) {
            self.people.opt_out(phone);
        }
        if attempt.campaign != self.people.campaign {
            self.people.look_again(&attempt);
            told?;
        }
        self.told.tell(id, state);
        let twin = attempt.twin.is_some() && before.twin.is_none();
        let reopened = attempt.reopened && !before.reopened;
        let worth_telling = was != state || twin || reopened;
        // A ring, a cost: how the lead stands depends on states and contacts alone.
        if !worth_telling && before.contact(was) == attempt.contact(state) {
            return None;
        }
        let mut change = self.change(&attempt, (was != state).then_some(was));
        change.double |= twin;
        worth_telling.then_some(change)
    }

    /// What an attempt means for the lead that it is told of with, that lead being looked at again.
    fn change(&mut self, attempt: &Attempt, was: Option<State>) -> Change {
        let (mut lead, mut lead_now, mut double) = (None, LeadNow::Elsewhere, false);
        if attempt.campaign == self.people.campaign {
            let leads = match (attempt.lead, attempt.phone) {
                (Some(lead), _) => vec![lead],
                (None, Some(phone)) => self.people.leads_with(phone),
                (None, None) => Vec::new(),
            };
            for (place, id) in leads.iter().enumerate() {
                let (now_is, rang_twice) = self.look_at(*id, Some(attempt));
                if place == 0 {
                    (lead, lead_now, double) = (Some(*id), now_is, rang_twice);
                }
            }
            if was.is_some_and(State::is_live) && !attempt.state().is_live() {
                self.free_number(attempt, &leads);
            }
        }
        Change {
            attempt: attempt.id.clone(),
            call: attempt.call.clone(),
            lead,
            was,
            now: attempt.state(),
            lead_now,
            double,
            reason: attempt.facts.ended.as_ref().map(|end| end.reason.clone()).filter(|reason| !reason.is_empty()),
        }
    }

    /// Leads that share the number, each with an extension of its own, were put off while this attempt held it.
    fn free_number(&mut self, attempt: &Attempt, looked_at: &[LeadId]) {
        let leads = attempt.phone.map(|phone| self.people.leads_with(phone)).unwrap_or_default();
        for id in leads.into_iter().filter(|id| !looked_at.contains(id)) {
            self.look_at(id, None);
        }
    }

    /// Works out how a lead stands, writes that down, and says whether this attempt and another called it twice.
    pub(super) fn look_at(&mut self, id: LeadId, attempt: Option<&Attempt>) -> (LeadNow, bool) {
        let Some(row) = self.people.lead(id) else { return (LeadNow::Elsewhere, false) };
        let (person, listed) = (row.person(), row.listed);
        let its = concerning(&person, &self.people.attempts_on(row.lead.phone));
        let stand = person.stand(&its, self.plan);
        let double = attempt.is_some_and(|one| its.iter().any(|other| rang_twice(one, other)));
        self.people.stand(id, stand);
        (stand.lead_now(listed, self.now.wall), double)
    }
}

/// Those attempts on its number that speak of a lead.
pub(super) fn concerning<'a>(person: &Person<'_>, on_number: &[&'a Attempt]) -> Vec<&'a Attempt> {
    on_number.iter().copied().filter(|attempt| person.concerns(attempt)).collect()
}

/// Works out anew how these leads stand, and says how many that were settled are open again.
pub(super) fn look_at_all(store: &mut impl Store, plan: &Plan, now: Now, leads: &[LeadId]) -> Result<u64, Error> {
    let mut people = store.load(Wanted { leads, ..Wanted::default() })?;
    let is_settled = |people: &People, id: LeadId| {
        let row = people.lead(id).filter(|row| row.listed);
        row.is_some_and(|row| matches!(row.stand.standing, LeadState::Settled(_)))
    };
    let mut reopened = 0;
    for id in leads {
        let before = is_settled(&people, *id);
        Step { people: &mut people, told: store.told(), plan, now }.look_at(*id, None);
        reopened += u64::from(before && !is_settled(&people, *id));
    }
    store.save(people, now)?;
    Ok(reopened)
}

/// Whether a lead is to be put aside whose request always breaks.
fn is_hopeless(store: &mut impl Store, people: &People, id: &AttemptId) -> Result<bool, Error> {
    let Some(attempt) = people.attempt(id) else { return Ok(false) };
    if attempt.state() != State::Refused(Cause::Absent) || attempt.campaign != people.campaign {
        return Ok(false);
    }
    let Some(row) = attempt.lead.and_then(|lead| people.lead(lead)) else { return Ok(false) };
    let its = concerning(&row.person(), &people.attempts_on(row.lead.phone));
    too_many_doubts(&its, |after, until| store.another_answered(row.id, after, until))
}

/// Two changes of one attempt within one record are one: from the first state to the last.
fn merge_changes(changes: &mut Vec<Change>) {
    if let [first, last] = changes.as_slice() {
        let merged = Change { was: first.was, ..last.clone() };
        *changes = vec![merged];
    }
}

/// Takes in the calls of this campaign that were found.
pub(super) fn adopt(store: &mut impl Store, plan: &Plan, now: Now) -> Result<Vec<Change>, Error> {
    let mut people = store.load(Wanted { found: true, ..Wanted::default() })?;
    let mut found = strangers(&people);
    found.sort_by(|one, other| (one.claimed, &one.id).cmp(&(other.claimed, &other.id)));
    let mut step = Step { people: &mut people, told: store.told(), plan, now };
    let changes = found.into_iter().map(|call| step.adopt(call)).collect();
    store.save(people, now)?;
    Ok(changes)
}

/// The calls of this campaign that were found and not taken in.
pub(super) fn strangers(people: &People) -> Vec<Attempt> {
    people.attempts().filter(|one| is_stranger(one, people.campaign)).map(|one| Attempt::clone(one)).collect()
}

impl Step<'_> {
    fn adopt(&mut self, mut attempt: Attempt) -> Change {
        attempt.origin = Origin::Adopted;
        attempt.shown = Some(self.now.at);
        attempt.lead = match attempt.phone.map(|phone| self.people.leads_with(phone)).as_deref() {
            Some([only]) => Some(*only),
            _ => None,
        };
        let attempt = Arc::new(attempt);
        self.people.put(Arc::clone(&attempt));
        if let Some(phone) = attempt.phone.filter(|_| attempt.opt_out) {
            self.people.opt_out(phone);
        }
        self.told.tell(&attempt.id, attempt.state());
        self.change(&attempt, None)
    }
}
