//! How many may be dialed now? Knows slots, nothing of campaigns.
//!
//! [`Pool`] takes in news in any order and answers with an [`Allowance`]. It compares no start of a call with a clock:
//! what is up now is what is known to have begun and not known to have ended.

pub mod attempt_id;
pub mod calls;
pub mod headroom;
pub mod news;
pub mod observation;
pub mod offset;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::{Instant, Stamp};
use attempt_id::AttemptId;
use calls::{Call, CallId, Post};
use news::{Limits, Others, Wire};
use observation::Observation;
use offset::Offset;

/// A claim without an answer: it may hold a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unanswered {
    /// When it was claimed.
    pub claimed: Instant,
    /// In doubt, since then; in flight otherwise.
    pub failed: Option<Instant>,
}

/// All that is known of one pool.
#[derive(Clone, Debug)]
pub struct Pool {
    poll: Duration,
    probe_after: Duration,
    calls: BTreeMap<CallId, Call>,
    unanswered: BTreeMap<AttemptId, Unanswered>,
    /// Other runs' claims without an answer, as of the last grant.
    theirs: BTreeMap<AttemptId, Unanswered>,
    observation: Option<Observation>,
    /// The newest time at which the request of any observation was sent.
    observed: Option<Instant>,
    limit: Option<(Stamp, u32)>,
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
            calls: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            theirs: BTreeMap::new(),
            observation: None,
            observed: None,
            limit: None,
            assumed,
            offset: Offset::default(),
        }
    }

    /// A claim was granted to this run.
    pub fn claimed(&mut self, attempt: AttemptId, at: Instant) {
        self.unanswered.insert(attempt, Unanswered { claimed: at, failed: None });
    }

    /// A doubt of an earlier run, or of a dead one.
    pub fn doubted(&mut self, attempt: AttemptId, failed: Instant) {
        self.unanswered.insert(attempt, Unanswered { claimed: failed, failed: Some(failed) });
    }

    /// Nobody knows whether that claim was answered.
    pub fn failed(&mut self, attempt: &AttemptId, at: Instant) {
        if let Some(unanswered) = self.unanswered.get_mut(attempt) {
            unanswered.failed.get_or_insert(at);
        }
    }

    /// That claim surely holds no slot: refused, parked, withdrawn, or its call is known.
    pub fn settled(&mut self, attempt: &AttemptId) {
        self.unanswered.remove(attempt);
        self.theirs.remove(attempt);
    }

    /// What is known of a call, from any source.
    pub fn saw(&mut self, id: &CallId, call: &Call, attempt: Option<&AttemptId>) {
        if let Some(attempt) = attempt {
            self.settled(attempt);
        }
        self.calls.entry(id.clone()).and_modify(|known| known.merge(call)).or_insert_with(|| call.clone());
    }

    /// A 2xx came for a request of ours.
    pub fn answered(&mut self, id: &CallId, call: Call, attempt: &AttemptId, wire: Wire, limits: Option<Limits>) {
        let remaining = limits.and_then(|limits| limits.remaining);
        let created = call.from;
        let post = Post { sent: wire.sent, received: wire.received, remaining };
        self.offset.hear_created(created, wire.sent, wire.received);
        self.saw(id, &Call { post: Some(post), ..call }, Some(attempt));
        let Some(limits) = limits else { return };
        if limits.blocked {
            self.refused(wire, Some(limits));
        } else if let Some(Ok(remaining)) = limits.remaining.map(u32::try_from) {
            let heard = offset::heard_at(&self.offset, wire.date, wire.received).max(created);
            let limit = sane(limits.limit);
            let call = Some(id.clone());
            let (sent, received) = (wire.sent, wire.received);
            self.observe(Observation { at: created, heard, limit, remaining, call, sent, received });
        }
    }

    /// A request was refused because the pool was full.
    pub fn refused(&mut self, wire: Wire, limits: Option<Limits>) {
        let at = offset::heard_at(&self.offset, wire.date, wire.received);
        self.full(at, wire.sent, wire.received, limits.and_then(|limits| sane(limits.limit)));
    }

    /// A call of ours ended at that time because the pool was full.
    pub fn ended_full(&mut self, at: Stamp, heard: Instant) {
        self.full(at, heard, heard, None);
    }

    fn full(&mut self, at: Stamp, sent: Instant, received: Instant, limit: Option<u32>) {
        self.observe(Observation { at, heard: at, limit, remaining: 0, call: None, sent, received });
    }

    fn observe(&mut self, seen: Observation) {
        if let Some(limit) = seen.limit {
            self.limit = self.limit.max(Some((seen.at, limit)));
        }
        self.observed = self.observed.max(Some(seen.sent));
        if self.observation.as_ref().is_none_or(|known| seen.replaces(known)) {
            self.observation = Some(seen);
        }
    }

    /// Takes in what the other runs on this pool know and do.
    pub fn merge_others(&mut self, others: &Others) {
        self.theirs = others.unanswered.iter().cloned().collect();
        for (id, call) in &others.calls {
            self.saw(id, call, None);
        }
        self.limit = self.limit.max(others.limit);
        if let Some(seen) = &others.observation {
            self.observe(seen.clone());
        }
    }

    /// The limit that this run, or another that is alive, has seen.
    pub fn seen_limit(&self) -> Option<u32> {
        self.limit.map(|(_, limit)| limit)
    }

    /// What is known best of the pool: the newest observation, for other runs to learn of.
    pub fn observation(&self) -> Option<&Observation> {
        self.observation.as_ref()
    }

    /// The newest limit seen, and when.
    pub fn limit_seen(&self) -> Option<(Stamp, u32)> {
        self.limit
    }

    /// Whether a claim of this run is on its way.
    pub fn is_in_flight(&self, attempt: &AttemptId) -> bool {
        self.unanswered.get(attempt).is_some_and(|it| it.failed.is_none())
    }

    /// Calls that are up, ours or anybody's.
    pub fn calls_up(&self) -> impl Iterator<Item = (&CallId, &Call)> {
        self.calls.iter().filter(|(_, call)| call.is_up())
    }

    /// What is known of one call.
    pub fn call(&self, id: &CallId) -> Option<&Call> {
        self.calls.get(id)
    }

    /// Whether an end lies before anything that can still matter.
    pub fn is_past(&self, ended: Stamp) -> bool {
        self.observation.as_ref().is_some_and(|seen| ended < seen.heard)
    }

    /// Forgets calls that ended before anything that can still matter, and names them.
    pub fn forget_ended(&mut self) -> Vec<CallId> {
        let over = |call: &Call| call.ended.is_some_and(|ended| self.is_past(ended));
        let ids: Vec<CallId> = self.calls.iter().filter(|(_, call)| over(call)).map(|(id, _)| id.clone()).collect();
        for id in &ids {
            self.calls.remove(id);
        }
        ids
    }
}

/// A limit that can be one.
fn sane(limit: Option<i64>) -> Option<u32> {
    limit.and_then(|limit| u32::try_from(limit).ok()).filter(|limit| *limit > 0)
}
