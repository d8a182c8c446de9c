//! The words for what happens while a campaign runs. Numbers of people are masked.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ending::trouble;
use super::style::{count, moment, second, span};
use crate::campaign::attempt::{Cause, State};
use crate::campaign::notice::{Notice, StopReason};
use crate::leads::lead::Phone;

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The bars show it; worth a line only in a log.
    Detail,
    /// Worth a line.
    Event,
    /// Worth a look, even of those who asked for quiet.
    Trouble,
}

/// How much this matters.
pub fn weight(notice: &Notice) -> Severity {
    match notice {
        Notice::Batch(..) | Notice::Suppressed(_) | Notice::Searching(_) => Severity::Detail,
        Notice::PoolRefused
        | Notice::LimitIs(_)
        | Notice::LimitAssumed(_)
        | Notice::OneAtATime(..)
        | Notice::ReserveBegins(..)
        | Notice::ReserveNow { .. }
        | Notice::SlotsComeFreeLate(_)
        | Notice::InDoubt(..)
        | Notice::Resolved(..)
        | Notice::RateLimited(_)
        | Notice::Following(_)
        | Notice::BreakerClosed
        | Notice::Paused(_) => Severity::Event,
        Notice::Stopping(why) if trouble(why).is_none() => Severity::Event,
        _ => Severity::Trouble,
    }
}

/// What happened, in words. `phone` is whom it is about; `wall` and `at` are now, so that waits can be told as times.
pub fn words(notice: &Notice, phone: Option<Phone>, now: crate::time::Now, zone: &TimeZone) -> String {
    let who = phone.map_or_else(|| somebody(notice).to_owned(), Phone::masked);
    let clock = |at: crate::time::Instant| second(wall_of(at, now), zone);
    match notice {
        Notice::PoolRefused => "pool full (a refusal); the lead is called when there is room".to_owned(),
        Notice::LimitIs(limit) => format!("the pool's limit is {limit}"),
        Notice::WatchFailed(org, why) => format!("the calls of {org} cannot be read; trying again: {why}"),
        Notice::WatchLeft(org, why) => {
            format!("{org} is not read any more: {why}; slots that its calls hold are seen through answers alone")
        }
        Notice::AnotherPool(org) => {
            format!("the calls of {org} are not counted in this pool: it is on another subscription; leave it out")
        }
        Notice::OneAtATime(kept, limit) => one_at_a_time(*kept, *limit),
        Notice::ReserveBegins(reserve, known) => reserve_begins(*reserve, known.as_ref()),
        Notice::ReserveNow { was, reserve, per_hour } => {
            let slots = count((*reserve).into(), "slot", "slots");
            format!(
                "{slots} reserved from now on, {was} before: about {per_hour:.0} inbound callers an hour are expected"
            )
        }
        Notice::SlotsComeFreeLate(lag) => {
            let lag = humantime::format_duration(*lag);
            format!("the pool counts calls for about {lag} after their end; to count them too:   --release-lag {lag}")
        }
        Notice::LimitAssumed(limit) => {
            format!("the pool's limit is not known yet: {limit} are assumed until an answer shows it (--slots N)")
        }
        Notice::NoDate => {
            "the API does not say what time it is: whether this machine's clock is right cannot be told".to_owned()
        }
        Notice::NoOffset => "the API lists times without an offset: they are taken for UTC".to_owned(),
        Notice::WrongTimes => {
            "some answers of the API carry a time that contradicts the others; such times are left out".to_owned()
        }
        Notice::NoLimits => {
            "the account shows no limits: the reserve is held only against the calls that can be seen".to_owned()
        }
        Notice::InDoubt(_, why) => format!("{who} in doubt: {why}; looking for its call"),
        Notice::Resolved(_, state) => format!("{who} no longer in doubt: {}", resolution(*state)),
        Notice::Parked(_) => {
            format!("{who} put aside: nobody knows whether it was called; dialer release gives it back")
        }
        Notice::CalledTwice(_, call) => format!("{who} was called twice (call {call})"),
        Notice::LineDropped(line, why) => format!("phone number {line} is out of the rotation: {why}"),
        Notice::LineRests(line, why) => format!("phone number {line} is left alone for a while: {why}"),
        Notice::RateLimited(until) => format!("too many requests; none before {}", clock(*until)),
        Notice::Unreachable(until, why) => format!("no connection ({why}); trying again at {}", clock(*until)),
        Notice::Reachable => "the API can be reached again".to_owned(),
        Notice::ReadFailed(why) => format!("the calls could not be looked at: {why}"),
        Notice::ReadAgain => "the calls can be looked at again".to_owned(),
        Notice::BreakerTripped(why) => format!("dialing pauses: {why}"),
        Notice::BreakerClosed => "the test call went well; dialing goes on".to_owned(),
        Notice::MarksMissing(call) => format!(
            "call {call} is ours and is listed without its name: whether a call in doubt exists cannot be told, so those \
             leads wait until names are listed again (--in-doubt never puts them aside for dialer release)"
        ),
        Notice::ListedLate(call) => {
            format!("call {call} is up and not listed yet: listings come late, and calls in doubt are looked for until they do not")
        }
        Notice::NoMarks => "calls are listed without name, external id and variables, and none with a name of ours yet: \
             whether a call in doubt exists cannot be told, so those leads wait until a call of ours is listed with its \
             name (--in-doubt never puts them aside for dialer release)"
            .to_owned(),
        Notice::Lost(call) => format!(
            "call {call} was placed, and the provider does not know it any more: its lead is put aside (dialer release)"
        ),
        Notice::GaveUp(call) => format!("call {call} has gone on for longer than a call can; its end is not known"),
        Notice::Following(calls) => {
            format!("following {} left by an earlier run", count(*calls as u64, "call", "calls"))
        }
        Notice::Adopted(calls) => {
            let calls = count(*calls as u64, "call", "calls");
            format!("took {calls} of this campaign into the journal, which did not know of them")
        }
        Notice::Searching(done) => {
            format!("searching the account for calls of this campaign: {:.0}%", done.clamp(0.0, 1.0) * 100.0)
        }
        Notice::StoppedShort(from) => {
            let from = moment(from.timestamp(), now.wall, zone);
            format!("the search goes back to {from} at most (--look-back); calls before that stay unknown")
        }
        Notice::Suppressed(_) => format!("{who} is on a do-not-call list; not called"),
        Notice::UnknownReason(reason) if reason.is_empty() => {
            "how a call ended is not known; its lead is settled as unknown".to_owned()
        }
        Notice::UnknownReason(reason) => {
            format!("a call ended with {reason:?}, which is not known; its lead is settled as unknown")
        }
        Notice::LeadRefused(_, why) => format!("{who} refused for good: {why}"),
        Notice::Paused(true) => "paused: no more calls until dialer resume".to_owned(),
        Notice::Paused(false) => "going on".to_owned(),
        Notice::Stopping(why) => format!("no more calls: {}", reason(why)),
        Notice::Batch(number, size) => {
            format!("batch {number}, {}", count(*size as u64, "lead", "leads"))
        }
    }
}

/// What is reserved at first where the run chooses the reserve; `known`: what that was learnt from, and by the hour.
pub fn reserve_begins(reserve: u32, known: Option<&(String, String)>) -> String {
    let slots = count(reserve.into(), "slot", "slots");
    match known {
        Some((from, by_hour)) => {
            let today = if by_hour.contains('=') { format!("; today by the hour: {by_hour}") } else { String::new() };
            format!("{slots} reserved at first (auto; callers {from}){today}")
        }
        None => format!("{slots} reserved at first (auto): nothing is known yet of who calls in"),
    }
}

/// What a reserve does to a small pool.
pub fn one_at_a_time(kept: u32, limit: u32) -> String {
    format!(
        "{kept} of {limit} slots are reserved, so one call is made at a time; plans have 4, 10 or 30 slots, and lines can be \
         added"
    )
}

/// Whom a notice is about, where their number is not at hand.
fn somebody(notice: &Notice) -> &'static str {
    match notice {
        Notice::InDoubt(None, _)
        | Notice::Resolved(None, _)
        | Notice::Parked(None)
        | Notice::CalledTwice(None, _)
        | Notice::LeadRefused(None, _) => "a lead of another campaign",
        _ => "a lead",
    }
}

fn resolution(state: State) -> &'static str {
    match state {
        State::Placed { .. } => "its call is up",
        State::Ended(_) => "its call was found, and is over",
        State::Refused(Cause::Absent) => "no call was made; back in the queue",
        State::Refused(_) => "no call was made",
        State::Parked => "put aside for a person",
        State::Claimed | State::InDoubt => "looking on",
    }
}

/// Why dialing ends, in a few words.
pub fn reason(why: &StopReason) -> String {
    match why {
        StopReason::Complete => "nobody is left to call".to_owned(),
        StopReason::Later => "the rest may be called later".to_owned(),
        StopReason::DoubtsLeft => "only calls in doubt are left".to_owned(),
        StopReason::ParkedLeft => "only leads put aside are left".to_owned(),
        StopReason::Limit => "the --limit of this run is reached".to_owned(),
        StopReason::Only => "the others were not to be called: --only".to_owned(),
        StopReason::Cost => "--max-cost is reached".to_owned(),
        StopReason::Until => "it is past --until".to_owned(),
        StopReason::Kept => "the whole pool is reserved at this hour".to_owned(),
        StopReason::Paused => "the campaign is paused".to_owned(),
        StopReason::Stopped => "it was stopped".to_owned(),
        StopReason::Account(words) => format!("the account refused ({words})"),
        StopReason::Key(words) => format!("the account refused the key ({words})"),
        StopReason::Lines(words) => format!("no phone number is left to call from ({words})"),
        StopReason::Breaker(words) => format!("the provider keeps failing ({words})"),
        StopReason::Config(words) => format!("the account refused request after request ({words})"),
        StopReason::Reserve(kept, limit) => {
            format!("--reserve and --margin, {kept} in all, leave no slot of the pool's {limit}")
        }
        StopReason::Strangers(calls, _) => {
            format!("the account shows {} that this journal does not know", count(*calls, "call", "calls"))
        }
        StopReason::Numberless(calls) => {
            format!("the account shows {} of this campaign without a number", count(*calls, "call", "calls"))
        }
        StopReason::AnotherMachine(call) => format!("another machine is running this campaign (call {call})"),
        StopReason::Unreachable(words) => format!("the API cannot be reached ({words})"),
        StopReason::SearchFailed(words) => format!("the account's calls could not be searched ({words})"),
        StopReason::Unread(words) => words.clone(),
        StopReason::Clock(off) => format!("this machine's clock is {} off", span(*off)),
    }
}

/// The wall time of an instant, given what both show now.
fn wall_of(at: crate::time::Instant, now: crate::time::Now) -> Timestamp {
    if at >= now.at {
        now.wall.checked_add(at.since(now.at)).unwrap_or(Timestamp::MAX)
    } else {
        now.wall.checked_sub(now.at.since(at)).unwrap_or(Timestamp::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::event::LeadId;
    use crate::time::{Instant, Now};

    #[test]
    fn what_happens_is_told_without_anybodys_number() {
        let now = Now { at: Instant::from_micros(0), wall: "2026-11-23T14:05:00Z".parse().unwrap() };
        let phone = Phone::from_e164("+14155550100");
        let lead = Some(LeadId(7));
        let told = [
            Notice::PoolRefused,
            Notice::LimitIs(12),
            Notice::InDoubt(lead, "no answer for 30 s".into()),
            Notice::Resolved(lead, State::Refused(Cause::Absent)),
            Notice::Parked(lead),
            Notice::LeadRefused(lead, "400: customer.number must be a valid phone number".into()),
            Notice::RateLimited(Instant::from_micros(30_000_000)),
            Notice::Following(1),
            Notice::Searching(0.456),
            Notice::Stopping(StopReason::Stopped),
        ]
        .map(|notice| words(&notice, phone, now, &TimeZone::UTC))
        .join("\n");
        assert!(!told.contains("0100"), "{told}");
        let unknown = [lead, None].map(|lead| words(&Notice::Parked(lead), None, now, &TimeZone::UTC));
        assert!(unknown[0].starts_with("a lead put aside") && unknown[1].starts_with("a lead of another campaign"));
        insta::assert_snapshot!(told, @r"
        pool full (a refusal); the lead is called when there is room
        the pool's limit is 12
        +141555501.. in doubt: no answer for 30 s; looking for its call
        +141555501.. no longer in doubt: no call was made; back in the queue
        +141555501.. put aside: nobody knows whether it was called; dialer release gives it back
        +141555501.. refused for good: 400: customer.number must be a valid phone number
        too many requests; none before 14:05:30
        following 1 call left by an earlier run
        searching the account for calls of this campaign: 46%
        no more calls: it was stopped
        ");
    }

    #[test]
    fn quiet_hides_what_is_no_trouble() {
        assert!(weight(&Notice::PoolRefused) < Severity::Trouble);
        assert!(weight(&Notice::Stopping(StopReason::Complete)) < Severity::Trouble);
        assert_eq!(weight(&Notice::Stopping(StopReason::Key("401".into()))), Severity::Trouble);
        assert_eq!(weight(&Notice::ReadFailed("500".into())), Severity::Trouble, "nobody is called without it");
        assert_eq!(weight(&Notice::CalledTwice(None, crate::pool::calls::CallId::new("x"))), Severity::Trouble);
    }
}
