//! What answers, refusals and listings mean.

use std::time::Duration;

use super::attempt::{Cause, State};
use super::batch::BatchState;
use super::breaker::BreakerChange;
use super::disposition::{Class, Verdict, classify};
use super::event::{Action, News};
use super::notice::{Notice, StopReason};
use super::reply::{Change, LeadNow, Open, Recorded};
use super::rows::{is_pool_end, slot_of};
use super::seen::SeenCall;
use super::trouble::{SHORTEST_PAUSE, next_utc_minute};
use super::{ActiveAttempt, Campaign, First};
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::{Call, CallId};
use crate::pool::news::{Limits, RequestTiming};
use crate::time::{Instant, Now};

impl Campaign {
    /// News that the journal has written down, and what it changed.
    pub(super) fn hear(&mut self, news: News, recorded: Recorded, now: Now) {
        let mut listing = None;
        match news {
            News::Answered { attempt, wire, call, limits } => self.hear_answer(&attempt, wire, &call, limits, now),
            News::Refused { attempt, wire, cause, limits, retry_after, message, key } => {
                self.hear_wire(wire);
                self.pool.settled(&attempt);
                self.first_is_over(wire.received);
                self.hear_refusal(&attempt, cause, retry_after, &message, key, wire, limits, now);
            }
            News::Failed { attempt, wire, message } => {
                self.hear_wire(wire);
                self.pool.failed(&attempt, wire.received);
                self.first_is_over(wire.received);
                let lead = self.lead_of(&attempt);
                self.live.change(&attempt, |live| *live.failed.get_or_insert(wire.received));
                let turn = self.breaker.failed(now.at, &attempt, &message);
                // A listing may have shown its call before.
                if recorded.changes.iter().any(|change| change.attempt == attempt && change.now == State::InDoubt) {
                    self.tell(Notice::InDoubt(lead, message));
                }
                self.hear_turn(turn);
            }
            News::Listed { read, wire, calls, full, unread, no_offset } => {
                if no_offset && !std::mem::replace(&mut self.told_no_offset, true) {
                    self.tell(Notice::NoOffset);
                }
                self.hear_rows(wire, &calls, &recorded.strangers);
                listing = Some((read, full, unread, !calls.is_empty()));
            }
            News::Withdrawn(attempt) => {
                self.pool.settled(&attempt);
                self.first_is_over(now.at);
            }
            News::Absent(attempt, _) | News::Parked(attempt, _) | News::Lost(attempt, _) => {
                self.pool.settled(&attempt);
            }
            News::GivenUp(_) | News::Reopened(_) => {}
        }
        for change in recorded.changes {
            self.apply(change, now);
        }
        self.met_strangers(&recorded.strangers);
        // What a listing completes (a search, a proof) is judged last: by then all that it shows has been taken in.
        if let Some((read, full, unread, found)) = listing {
            self.read_done(read, full, unread.as_ref(), found, now);
        }
    }

    fn hear_answer(
        &mut self,
        attempt: &AttemptId,
        wire: RequestTiming,
        call: &SeenCall,
        limits: Option<Limits>,
        now: Now,
    ) {
        self.hear_wire(wire);
        if wire.date.is_none() && !std::mem::replace(&mut self.date_missing, true) {
            self.tell(Notice::NoDate);
        }
        self.reached();
        self.refusals.accepted(wire.sent);
        self.breaker.answered();
        self.first_is_over(wire.received);
        let blocked = limits.is_some_and(|limits| limits.blocked);
        // One that is over for the pool's own reason in its very answer is a refusal, too.
        let over = call.end().filter(|_| !blocked && !call.has_rung() && is_pool_end(call));
        self.pool.answered(&call.id, &slot_of(call, true, blocked || over.is_some()), attempt, wire, limits);
        if let Some(end) = over {
            self.pool.ended_full(end, wire.received);
        }
        self.listing.saw(&call.id, now.at);
        if !blocked {
            self.listing.answered(&call.id, now.at);
        }
        if blocked || over.is_some() {
            self.tell(Notice::PoolRefused);
        }
        // A remaining of -1 says nothing of the pool, as many as there are of them.
        let shown = limits.is_some_and(|limits| limits.remaining.is_some_and(|remaining| remaining >= 0));
        if !shown && !std::mem::replace(&mut self.limits_missing, true) {
            self.tell(Notice::NoLimits);
        }
        self.tally.said(limits.and_then(|limits| u32::try_from(limits.remaining?).ok()));
        self.look_for_late_slots(&call.id);
        self.saw_pool(now);
    }

    /// An answer of our own spoke of the pool. What one run has found out, the others and the next one need not find out
    /// by a call of their own.
    fn saw_pool(&mut self, now: Now) {
        let known = self.known_limit;
        self.note_limit();
        if self.known_limit != known || self.others_at.is_some() {
            let reserve = self.plan.reserve.at(now.wall);
            self.actions.push_back(Action::Share(Box::new(self.pool.clone()), reserve));
        }
    }

    /// Tells of a limit that changed, and stops where it cannot carry the reserve.
    pub(super) fn note_limit(&mut self) {
        let Some(limit) = self.pool.seen_limit() else { return };
        if self.known_limit.replace(limit) != Some(limit) {
            self.tell(Notice::LimitIs(limit));
            if self.plan.leaves_one(limit) {
                self.tell(Notice::OneAtATime(limit - 1, limit));
            }
        }
        // In a timetable some values may reach the limit: nobody is dialed in those hours.
        let kept = self.plan.reserve.least() + self.plan.caution;
        if kept >= limit {
            self.stop(StopReason::Reserve(kept, limit));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one refusal, taken apart by the caller")]
    fn hear_refusal(
        &mut self,
        attempt: &AttemptId,
        cause: Cause,
        retry_after: Option<Duration>,
        message: &str,
        key: bool,
        wire: RequestTiming,
        limits: Option<Limits>,
        now: Now,
    ) {
        let lead = self.lead_of(attempt);
        match cause {
            Cause::Pool => {
                self.pool.refused(wire, limits);
                self.tally.said(Some(0));
                self.tell(Notice::PoolRefused);
                self.saw_pool(now);
            }
            Cause::Rate => {
                let minute = self.pool.offset.latest_ours(next_utc_minute(self.pool.offset.latest(wire.received)));
                let until = retry_after.map_or(minute, |wait| wire.received + wait.max(SHORTEST_PAUSE));
                self.pace.hold_until(until);
                self.tell(Notice::RateLimited(until));
            }
            Cause::Connect => {
                let until = self.backoff.failed(now.at);
                self.hold_claims_until = self.hold_claims_until.max(Some(until));
                self.tell(Notice::Unreachable(until, message.to_owned()));
                self.told_away = true;
                self.check_reachable(message, now);
            }
            Cause::Account if key => self.stop(StopReason::Key(message.to_owned())),
            Cause::Account => self.stop(StopReason::Account(message.to_owned())),
            Cause::Line => self.drop_line(attempt, message, retry_after, now),
            Cause::Lead => self.tell(Notice::LeadRefused(lead, message.to_owned())),
            Cause::Config => {
                self.tell(Notice::LeadRefused(lead, message.to_owned()));
                if let Some(three) = self.refusals.refused(attempt.clone(), wire.sent) {
                    self.actions.push_back(Action::Record(Box::new(News::Reopened(three))));
                    self.stop(StopReason::Config(message.to_owned()));
                }
            }
            Cause::Absent | Cause::Withdrawn => {}
        }
    }

    /// Takes in what the journal says an attempt and its lead are now.
    pub(super) fn apply(&mut self, change: Change, now: Now) {
        if change.double {
            let call = change.call.clone().unwrap_or_else(|| CallId::new("unknown"));
            self.tell(Notice::CalledTwice(change.lead, call));
        }
        let take_in = |live: &mut ActiveAttempt| {
            live.call = change.call.clone().or(live.call.take());
            (std::mem::replace(&mut live.state, change.now), live.batch.is_some())
        };
        let Some((was, own)) = self.live.change(&change.attempt, take_in) else {
            return self.apply_unknown(change, now);
        };
        let lead = change.lead;
        if own {
            self.tally.count(was, change.now);
        }
        if was == State::InDoubt && change.now != State::InDoubt && change.now != State::Parked {
            self.tell(Notice::Resolved(lead, change.now));
        }
        match change.now {
            State::Claimed | State::InDoubt | State::Placed { .. } => {}
            State::Parked => {
                self.pool.settled(&change.attempt);
                self.breaker.refused(now.at, &change.attempt);
                if let Some(live) = self.live.remove(&change.attempt) {
                    self.write_off(&change, &live);
                    self.call_is_over(&live, now);
                }
                self.tell(Notice::Parked(lead));
            }
            State::Ended(class) => self.ended(&change, class, now),
            State::Refused(cause) => self.refused(&change, cause, now),
        }
        // An end may also free the number for a lead that was put off because of it.
        let waits = matches!(self.batch.state, BatchState::Nobody(rest) if rest.later > 0);
        let open = change.lead_now == LeadNow::Open || matches!(change.lead_now, LeadNow::Due(_));
        if open || (waits && !change.now.is_live()) {
            self.somebody_is_left();
        }
    }

    fn ended(&mut self, change: &Change, class: Class, now: Now) {
        self.pool.settled(&change.attempt);
        let Some(live) = self.live.remove(&change.attempt) else { return };
        if live.ours {
            if class == Class::Unknown {
                self.tell(Notice::UnknownReason(change.reason.clone().unwrap_or_default()));
            }
            let reason = change.reason.as_deref().unwrap_or_default();
            self.hear_breaker(&change.attempt, class, reason, now);
            // Whether it rang or not: every other call would end in the same way.
            match classify(reason) {
                Verdict::Account => self.stop(StopReason::Account(reason.to_owned())),
                Verdict::Line => self.line_has_had_its_day(&live, reason, now),
                Verdict::Pool | Verdict::Contact(_) => {}
            }
        }
        self.call_is_over(&live, now);
    }

    /// Its call holds no slot any more.
    fn call_is_over(&mut self, live: &ActiveAttempt, now: Now) {
        let Some(call) = &live.call else { return };
        self.listing.over(call);
        if let Some(known) = self.pool.call(call).filter(|known| known.ended.is_none()) {
            let over = Call { ended: Some(self.pool.offset.latest(now.at)), ..known.clone() };
            self.pool.saw(call, &over, None);
        }
    }

    fn hear_breaker(&mut self, attempt: &AttemptId, class: Class, reason: &str, now: Now) {
        let turn = self.breaker.ended(now.at, attempt, class, reason);
        self.hear_turn(turn);
    }

    fn hear_turn(&mut self, turn: Option<BreakerChange>) {
        match turn {
            None => {}
            Some(BreakerChange::Tripped(on)) => self.tell(Notice::BreakerTripped(on)),
            Some(BreakerChange::Closed) => self.tell(Notice::BreakerClosed),
            Some(BreakerChange::GiveUp(on)) => self.stop(StopReason::Breaker(on)),
        }
    }

    /// A refused attempt gives its lead back to the head of the queue where it is to be tried again at once.
    fn refused(&mut self, change: &Change, cause: Cause, now: Now) {
        self.pool.settled(&change.attempt);
        let Some(live) = self.live.remove(&change.attempt) else { return };
        self.breaker.refused(now.at, &change.attempt);
        let never_ended = change.call.is_some() && change.reason.is_none();
        if cause == Cause::Absent || never_ended {
            self.write_off(change, &live);
        }
        self.call_is_over(&live, now);
        if live.batch.is_some() {
            self.attempts = self.attempts.saturating_sub(1);
        }
        // A refusal of the request itself has been heard already, and has no call.
        if change.call.is_some() && live.ours {
            match cause {
                Cause::Account => self.stop(StopReason::Account(change.reason.clone().unwrap_or_default())),
                Cause::Line => self.line_has_had_its_day(&live, change.reason.as_deref().unwrap_or_default(), now),
                _ => {}
            }
        }
        let again = matches!(cause, Cause::Pool | Cause::Rate | Cause::Connect | Cause::Line | Cause::Withdrawn);
        if again && change.lead_now == LeadNow::Open && self.batch.state == BatchState::Open {
            live.lead.into_iter().for_each(|lead| self.batch.queue.push_front(lead));
        }
    }

    fn write_off(&mut self, change: &Change, live: &ActiveAttempt) {
        if let Some(batch) = live.batch {
            self.written_off.insert(change.attempt.clone(), (change.now, batch));
        }
    }

    fn somebody_is_left(&mut self) {
        if matches!(self.batch.state, BatchState::Nobody(_)) {
            self.batch.state = BatchState::Wanted;
        }
    }

    /// An attempt that is not followed yet: one that came to light.
    fn apply_unknown(&mut self, change: Change, now: Now) {
        let written_off = self.written_off.remove(&change.attempt);
        if let Some((was, _)) = written_off {
            self.tally.count(was, change.now);
            self.attempts += u64::from(matches!(was, State::Refused(_)));
        }
        if !change.now.is_live() {
            if change.lead_now == LeadNow::Open || matches!(change.lead_now, LeadNow::Due(_)) {
                self.somebody_is_left();
            }
            return;
        }
        let mut live = ActiveAttempt::new(None, change.now, self.pool.offset.earliest(now.at), now.at);
        live.ours = change.lead.is_some();
        live.batch = written_off.map(|(_, batch)| batch);
        live.call.clone_from(&change.call);
        self.live.insert(change.attempt, live);
        if let Some(lead) = change.lead {
            self.batch.queue.retain(|waiting| waiting.id != lead);
        }
    }

    /// Follows attempts of the past.
    pub(super) fn adopt_open(&mut self, open: Vec<Open>, now: Instant) {
        for attempt in open {
            if self.live.contains_key(&attempt.attempt) {
                continue;
            }
            let mut live = ActiveAttempt::new(None, attempt.state, attempt.provider_time, now);
            live.ours = attempt.ours;
            live.line_id.clone_from(&attempt.line);
            live.in_doubt = attempt.in_doubt;
            live.phone = attempt.phone;
            live.call.clone_from(&attempt.call);
            live.failed = attempt.failed;
            if let (Some(id), State::Placed { blocked }) = (&attempt.call, attempt.state) {
                let from = attempt.created.unwrap_or(attempt.provider_time);
                let call = Call { from, ended: None, ours: true, post: None, rung: false, shut_out: blocked };
                self.pool.saw(id, &call, None);
                self.listing.saw(id, now);
            } else if attempt.state == State::InDoubt {
                self.pool.doubted(attempt.attempt.clone(), attempt.failed.unwrap_or(now));
            }
            self.live.insert(attempt.attempt, live);
        }
    }

    /// The first request was answered, or failed: until then it is the only one that can be. A listing may have shown its
    /// call, and the end of it, before that.
    fn first_is_over(&mut self, received: Instant) {
        if self.first == First::OnItsWay {
            self.first = First::Over(received);
        }
    }

    fn lead_of(&self, attempt: &AttemptId) -> Option<super::event::LeadId> {
        self.live.get(attempt).and_then(|live| live.lead.as_ref()).map(|lead| lead.id)
    }
}
