//! From news to facts, from facts to what changed: the same for every journal.

use std::sync::Arc;
use std::time::Duration;

use super::Error;
use super::facts::{Attempt, Origin};
use super::lead_status::{Person, rang_twice, too_many_doubts};
use super::rows::Rows;
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
pub(super) fn record(rows: &mut impl Rows, plan: &Plan, now: Now, news: &News) -> Result<Recorded, Error> {
    let mut recorded = Recorded::default();
    match news {
        News::Listed { calls, .. } => {
            for seen in &**calls {
                sight(rows, plan, now, seen, &mut recorded)?;
            }
            return Ok(recorded);
        }
        News::Reopened(attempts) => {
            for attempt in attempts {
                let change = touch(rows, plan, now, attempt, |attempt| attempt.reopened = true)?;
                recorded.changes.extend(change);
            }
            return Ok(recorded);
        }
        News::Refused { wire, cause: Cause::Rate, retry_after, .. } => {
            rows.pause_posts(rate_limited_until(now, *wire, *retry_after))?;
        }
        _ => {}
    }
    let Some(attempt) = attempt_of(news) else { return Ok(recorded) };
    recorded.changes.extend(touch(rows, plan, now, attempt, |attempt| apply(attempt, news, now))?);
    if matches!(news, News::Absent(..)) {
        recorded.changes.extend(park_if_hopeless(rows, plan, now, attempt)?);
        merge_changes(&mut recorded.changes);
    }
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

/// One row of a listing.
fn sight(rows: &mut impl Rows, plan: &Plan, now: Now, seen: &SeenCall, recorded: &mut Recorded) -> Result<(), Error> {
    let Some(id) = &seen.attempt else { return Ok(()) };
    if rows.knows(id, seen)? {
        return Ok(());
    }
    match rows.attempt(id)? {
        None => {
            let campaign = rows.campaign_of(&id.mark())?;
            let attempt = Arc::new(Attempt::found(id.clone(), campaign, seen, now));
            rows.put(&attempt)?;
            if campaign == rows.campaign() && rows.meet(id) {
                recorded.strangers.extend(stranger(&attempt));
            }
        }
        Some(known) if known.origin == Origin::Found => {
            let mut attempt = Attempt::clone(&known);
            attempt.sight(seen, now.at);
            let attempt = Arc::new(attempt);
            rows.put(&attempt)?;
            // Another campaign's run may have seen it first.
            if attempt.campaign == rows.campaign() && rows.meet(id) {
                recorded.strangers.extend(stranger(&attempt));
            }
        }
        Some(known) => {
            recorded.changes.extend(add_to(rows, plan, now, &known, |attempt| attempt.sight(seen, now.at))?);
        }
    }
    Ok(())
}

/// A call that was found, for the campaign to judge.
pub(super) fn stranger(attempt: &Attempt) -> Option<UnknownCall> {
    let (call, created) = (attempt.call.clone()?, attempt.created?);
    Some(UnknownCall { attempt: attempt.id.clone(), call, created, phone: attempt.phone })
}

/// Adds facts to an attempt, and says what that changed, if anything.
fn touch(
    rows: &mut impl Rows,
    plan: &Plan,
    now: Now,
    id: &AttemptId,
    add: impl FnOnce(&mut Attempt),
) -> Result<Option<Change>, Error> {
    let Some(known) = rows.attempt(id)? else { return Ok(None) };
    add_to(rows, plan, now, &known, add)
}

/// The same, of an attempt that has been looked up.
fn add_to(
    rows: &mut impl Rows,
    plan: &Plan,
    now: Now,
    before: &Attempt,
    add: impl FnOnce(&mut Attempt),
) -> Result<Option<Change>, Error> {
    let mut attempt = before.clone();
    add(&mut attempt);
    let told = rows.told(&attempt.id);
    let was = told.unwrap_or_else(|| before.state());
    let state = attempt.state();
    let same = attempt == *before;
    if same && was == state {
        return Ok(None);
    }
    let attempt = Arc::new(attempt);
    if !same {
        rows.put(&attempt)?;
    }
    if let Some(phone) = attempt.phone.filter(|_| attempt.opt_out && !before.opt_out) {
        rows.suppress(phone, "asked not to be called, during a call", now)?;
    }
    let ours = attempt.campaign == rows.campaign();
    if !ours {
        rows.look_again(&attempt)?;
        if told.is_none() {
            return Ok(None);
        }
    }
    rows.tell(&attempt.id, state);
    let twin = attempt.twin.is_some() && before.twin.is_none();
    let reopened = attempt.reopened && !before.reopened;
    let worth_telling = was != state || twin || reopened;
    // A ring, a cost: how the lead stands depends on states and contacts alone.
    if !worth_telling && before.contact(was) == attempt.contact(state) {
        return Ok(None);
    }
    let mut change = change(rows, plan, now, &attempt, (was != state).then_some(was))?;
    change.double |= twin;
    Ok(worth_telling.then_some(change))
}

/// What an attempt means for the lead that it is told of with, that lead being looked at again.
fn change(rows: &mut impl Rows, plan: &Plan, now: Now, attempt: &Attempt, was: Option<State>) -> Result<Change, Error> {
    let (mut lead, mut lead_now, mut double) = (None, LeadNow::Elsewhere, false);
    if attempt.campaign == rows.campaign() {
        let leads = leads_of(rows, attempt)?;
        for (place, id) in leads.iter().enumerate() {
            let (now_is, rang_twice) = look_at(rows, plan, now, *id, Some(attempt))?;
            if place == 0 {
                (lead, lead_now, double) = (Some(*id), now_is, rang_twice);
            }
        }
        if was.is_some_and(State::is_live) && !attempt.state().is_live() {
            free_number(rows, plan, now, attempt, &leads)?;
        }
    }
    Ok(Change {
        attempt: attempt.id.clone(),
        call: attempt.call.clone(),
        lead,
        was,
        now: attempt.state(),
        lead_now,
        double,
        reason: attempt.facts.ended.as_ref().map(|end| end.reason.clone()).filter(|reason| !reason.is_empty()),
    })
}

/// Leads that share the number, each with an extension of its own, were put off while this attempt held it.
fn free_number(
    rows: &mut impl Rows,
    plan: &Plan,
    now: Now,
    attempt: &Attempt,
    looked_at: &[LeadId],
) -> Result<(), Error> {
    let Some(phone) = attempt.phone else { return Ok(()) };
    for id in rows.leads_with(phone)? {
        if !looked_at.contains(&id) {
            look_at(rows, plan, now, id, None)?;
        }
    }
    Ok(())
}

fn leads_of(rows: &mut impl Rows, attempt: &Attempt) -> Result<Vec<LeadId>, Error> {
    match (attempt.lead, attempt.phone) {
        (Some(lead), _) => Ok(vec![lead]),
        (None, Some(phone)) => rows.leads_with(phone),
        (None, None) => Ok(Vec::new()),
    }
}

/// Works out how a lead stands, writes that down, and says whether this attempt and another called it twice.
pub(super) fn look_at(
    rows: &mut impl Rows,
    plan: &Plan,
    now: Now,
    id: LeadId,
    attempt: Option<&Attempt>,
) -> Result<(LeadNow, bool), Error> {
    let Some(row) = rows.lead(id)? else { return Ok((LeadNow::Elsewhere, false)) };
    let on_number = rows.attempts_on(row.lead.phone)?;
    let person = row.person();
    let its = concerning(&person, &on_number);
    let stand = person.stand(&its, plan);
    let double = attempt.is_some_and(|one| its.iter().any(|other| rang_twice(one, other)));
    rows.stand(&row, stand, now)?;
    Ok((stand.lead_now(row.listed, now.wall), double))
}

/// Those attempts on its number that speak of a lead.
pub(super) fn concerning<'a>(person: &Person<'_>, on_number: &'a [Arc<Attempt>]) -> Vec<&'a Attempt> {
    on_number.iter().map(Arc::as_ref).filter(|attempt| person.concerns(attempt)).collect()
}

/// Puts a lead aside whose request always breaks.
fn park_if_hopeless(rows: &mut impl Rows, plan: &Plan, now: Now, id: &AttemptId) -> Result<Option<Change>, Error> {
    let Some(attempt) = rows.attempt(id)? else { return Ok(None) };
    if attempt.state() != State::Refused(Cause::Absent) || attempt.campaign != rows.campaign() {
        return Ok(None);
    }
    let Some(row) = attempt.lead.map(|lead| rows.lead(lead)).transpose()?.flatten() else { return Ok(None) };
    let on_number = rows.attempts_on(row.lead.phone)?;
    let its = concerning(&row.person(), &on_number);
    let hopeless = too_many_doubts(&its, |after, until| rows.another_answered(row.id, after, until))?;
    if !hopeless {
        return Ok(None);
    }
    touch(rows, plan, now, id, |attempt| attempt.facts.parked = Some(now.at))
}

/// Two changes of one attempt within one record are one: from the first state to the last.
fn merge_changes(changes: &mut Vec<Change>) {
    if let [first, last] = changes.as_slice() {
        let merged = Change { was: first.was, ..last.clone() };
        *changes = vec![merged];
    }
}

/// Takes in the calls of this campaign that were found.
pub(super) fn adopt(rows: &mut impl Rows, plan: &Plan, now: Now) -> Result<Vec<Change>, Error> {
    let found = rows.found()?;
    let mut changes = Vec::with_capacity(found.len());
    for mut attempt in found {
        attempt.origin = Origin::Adopted;
        attempt.shown = Some(now.at);
        attempt.lead = match attempt.phone.map(|phone| rows.leads_with(phone)).transpose()?.as_deref() {
            Some([only]) => Some(*only),
            _ => None,
        };
        let attempt = Arc::new(attempt);
        rows.put(&attempt)?;
        if let Some(phone) = attempt.phone.filter(|_| attempt.opt_out) {
            rows.suppress(phone, "asked not to be called, during a call", now)?;
        }
        rows.tell(&attempt.id, attempt.state());
        changes.push(change(rows, plan, now, &attempt, None)?);
    }
    Ok(changes)
}
