//! How many may be dialed now? Knows slots, nothing of campaigns.
//!
//! [`Pool`] takes in news in any order and answers with an [`Allowance`](headroom::Allowance). It compares no start of
//! a call with a clock: what is up now is what is known to have begun and not known to have ended.

pub mod attempt_id;
pub mod calls;
pub mod headroom;
mod ledger;
mod limits;
pub mod name;
pub mod news;
pub mod observation;
pub mod offset;
pub mod saturated;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::{Instant, Stamp};
use attempt_id::AttemptId;
use calls::{Call, CallId, Post};
use ledger::Ledger;
use limits::SeenLimits;
use news::{Limits, Others, RequestTiming};
use observation::Observation;
use offset::{Heard, Offset};

/// Calls that are over are kept for that long before the last observation: an answer that was slow may still speak of
/// them as if they were up.
const KEPT: Duration = Duration::from_mins(2);

/// A claim without an answer: it may hold a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unanswered {
    /// When it was claimed.
    pub claimed: Instant,
    /// In doubt, since then; in flight otherwise.
    pub failed: Option<Instant>,
}

/// All that is known of one pool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pool {
    poll: Duration,
    probe_after: Duration,
    /// A call holds its slot for so long after its end.
    release_lag: Duration,
    /// Shared with the copy that goes along with an ask, so that asking costs nothing.
    ledger: Arc<Ledger>,
    unanswered: BTreeMap<AttemptId, Unanswered>,
    /// Other runs' claims without an answer, as of the last grant.
    theirs: BTreeMap<AttemptId, Unanswered>,
    observation: Option<Observation>,
    /// The newest time at which the request of any observation was sent.
    observed: Option<Instant>,
    limits: SeenLimits,
    assumed: u32,
    /// How far the provider's clock is from ours.
    pub offset: Offset,
}

impl Pool {
    /// A pool of which nothing is known but what limit to assume.
    pub fn new(poll: Duration, probe_after: Duration, assumed: u32) -> Self {
        Self {
            poll,
            probe_after,
            release_lag: Duration::ZERO,
            ledger: Arc::default(),
            unanswered: BTreeMap::new(),
            theirs: BTreeMap::new(),
            observation: None,
            observed: None,
            limits: SeenLimits::default(),
            assumed,
            offset: Offset::default(),
        }
    }

    /// The same where slots come free only so long after a call's end.
    #[must_use]
    pub fn with_release_lag(self, release_lag: Duration) -> Self {
        Self { release_lag, ..self }
    }

    /// Takes in what an answer says of the time. True if that contradicts what others said.
    pub fn hear_times(&mut self, wire: RequestTiming, created: Option<Stamp>) -> bool {
        let (sent, received) = (wire.sent, wire.received);
        let date = wire.date.map(|date| self.offset.hear_date(date, sent, received));
        let created = created.map(|created| self.offset.hear_created(created, sent, received));
        let heard = [date, created];
        if heard.contains(&Some(Heard::Anew)) {
            self.restamp(received);
        }
        heard.into_iter().flatten().any(|heard| heard != Heard::Agrees)
    }

    /// The provider's clock is another than was believed: what was seen by then is put where it can have been.
    fn restamp(&mut self, now: Instant) {
        self.limits.no_later_than(self.offset.latest(now));
        let Some(seen) = &mut self.observation else { return };
        let (first, last) = (self.offset.earliest(seen.sent), self.offset.latest(seen.received));
        (seen.at, seen.heard) = (seen.at.clamp(first, last), seen.heard.clamp(first, last));
        Arc::make_mut(&mut self.ledger).recount_all(seen);
    }

    /// A claim was granted to this run.
    pub fn claimed(&mut self, attempt: AttemptId, at: Instant) {
        self.unanswered.insert(attempt, Unanswered { claimed: at, failed: None });
    }

    /// A doubt of an earlier run, or of a dead one; for the latter since its death was noticed.
    pub fn doubted(&mut self, attempt: AttemptId, failed: Instant) {
        self.unanswered.insert(attempt, Unanswered { claimed: failed, failed: Some(failed) });
    }

    /// Nobody knows whether that claim was answered.
    pub fn failed(&mut self, attempt: &AttemptId, at: Instant) {
        if let Some(unanswered) = self.unanswered.get_mut(attempt) {
            unanswered.failed = unanswered.failed.max(Some(at));
        }
    }

    /// That claim surely holds no slot: refused, parked, withdrawn, or its call is known.
    pub fn settled(&mut self, attempt: &AttemptId) {
        self.unanswered.remove(attempt);
        self.theirs.remove(attempt);
    }

    /// Where no answer has shown a limit yet, more calls up at a time than the one that is assumed prove that it is
    /// larger: from now on it is assumed to be that many. Says whether that is news.
    pub fn assume_what_is_up(&mut self) -> bool {
        let up = self.ledger.sums().up;
        let more = self.seen_limit().is_none() && up > self.assumed;
        if more {
            self.assumed = up;
        }
        more
    }

    /// What is known of a call, from any source.
    pub fn saw(&mut self, id: &CallId, call: &Call, attempt: Option<&AttemptId>) {
        if let Some(attempt) = attempt {
            self.settled(attempt);
        }
        let call = Call { ended: call.ended.map(|ended| ended + self.release_lag), ..call.clone() };
        Arc::make_mut(&mut self.ledger).merge(id, &call, attempt, self.observation.as_ref());
    }

    /// A 2xx came for a request of ours.
    pub fn answered(
        &mut self,
        id: &CallId,
        call: &Call,
        attempt: &AttemptId,
        wire: RequestTiming,
        limits: Option<Limits>,
    ) {
        let (first, heard) = self.offset.span(wire);
        // A stamp at or beyond an end of what the answer can speak of says nothing: then it was at that end.
        let from = call.from.clamp(first, heard);
        let at = if call.from < heard { from } else { first };
        let post = Post { sent: wire.sent, received: wire.received, taken: limits.and_then(Limits::taken) };
        self.saw(id, &Call { from, post: Some(post), ..call.clone() }, Some(attempt));
        let Some(limits) = limits else { return };
        if limits.blocked {
            return self.refused(wire, Some(limits));
        }
        let limit = limits.sane_limit();
        if let Some(Ok(remaining)) = limits.remaining.map(u32::try_from) {
            let call = Some(id.clone());
            let (sent, received) = (wire.sent, wire.received);
            self.observe(Observation { at, heard, limit, remaining, call, sent, received });
        } else if let Some(limit) = limit {
            self.limits.saw(at, limit);
        }
    }

    /// A request was refused because the pool was full.
    pub fn refused(&mut self, wire: RequestTiming, limits: Option<Limits>) {
        let (_, at) = self.offset.span(wire);
        let limit = limits.and_then(Limits::sane_limit);
        let (sent, received) = (wire.sent, wire.received);
        self.observe(Observation { at, heard: at, limit, remaining: 0, call: None, sent, received });
    }

    /// A call of ours ended at that time because the pool was full; that was heard of later.
    pub fn ended_full(&mut self, at: Stamp, heard: Instant) {
        let at = at.min(self.offset.latest(heard));
        let received = self.offset.latest_ours(at).min(heard);
        let sent = Instant::from_micros(i64::MIN);
        self.observe(Observation { at, heard: at, limit: None, remaining: 0, call: None, sent, received });
    }

    fn observe(&mut self, seen: Observation) {
        if let Some(limit) = seen.limit {
            self.limits.saw(seen.at, limit);
        }
        if seen.remaining > 0 {
            self.limits.saw_free(seen.at);
        }
        self.observed = self.observed.max(Some(seen.sent));
        if self.observation.as_ref().is_none_or(|known| seen.replaces(known)) {
            Arc::make_mut(&mut self.ledger).recount(&seen);
            self.observation = Some(seen);
        }
    }

    /// Takes in what the other runs on this pool know and do.
    pub fn merge_others(&mut self, others: &Others) {
        let known = |attempt: &AttemptId| self.ledger.knows(attempt) || self.unanswered.contains_key(attempt);
        self.theirs = others.unanswered.iter().filter(|(attempt, _)| !known(attempt)).cloned().collect();
        for (id, call) in &others.calls {
            self.saw(id, call, None);
        }
        if let Some((at, limit)) = others.limit {
            self.limits.saw(at, limit);
        }
        if let Some(seen) = &others.observation {
            self.observe(seen.clone());
        }
    }

    /// The limit that this run, or another that is alive, has seen.
    pub fn seen_limit(&self) -> Option<u32> {
        self.limits.newest().map(|(_, limit)| limit)
    }

    /// The same, with the time that it is known from.
    pub fn limit_seen(&self) -> Option<(Stamp, u32)> {
        self.limits.newest()
    }

    /// The newest that one answer showed of the pool.
    pub fn observation(&self) -> Option<&Observation> {
        self.observation.as_ref()
    }

    /// What is known of one call; its end is when its slot comes free.
    pub fn call(&self, id: &CallId) -> Option<&Call> {
        self.ledger.get(id)
    }

    /// Whether an end lies before anything that can still matter: a call that ended then and is not known need not be.
    pub fn is_past(&self, ended: Stamp) -> bool {
        self.observation.as_ref().is_some_and(|seen| ended + self.release_lag < seen.at)
    }

    /// Forgets calls that ended before anything that can still matter, and names them.
    pub fn forget_ended(&mut self) -> Vec<CallId> {
        let Some(seen) = &self.observation else { return Vec::new() };
        let before = seen.at - KEPT;
        if !self.ledger.has_ended_before(before) {
            return Vec::new();
        }
        Arc::make_mut(&mut self.ledger).forget(before)
    }
}
