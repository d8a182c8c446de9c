//! Attempts that are not over, with what is asked of them at every turn kept up to date: whether any is followed, and
//! which of them nobody can be sure of.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::attempt::State;
use super::event::Line;
use super::reply::BatchLead;
use crate::leads::lead::Phone;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;
use crate::pool::name::ById;
use crate::time::{Instant, Stamp};

/// An attempt that is not over.
#[derive(Debug)]
pub(super) struct ActiveAttempt {
    /// Its lead, where it is this run's own.
    pub(super) lead: Option<BatchLead>,
    /// The batch that it belongs to; none for one of the past.
    pub(super) batch: Option<u64>,
    /// Its number, where it is known.
    pub(super) phone: Option<Phone>,
    pub(super) line: Line,
    /// The id of its line, of one of the past.
    pub(super) line_id: Option<Arc<str>>,
    /// How long its own campaign lets absence hold, of an orphan; none: a person decides.
    pub(super) in_doubt: Option<Duration>,
    pub(super) state: State,
    pub(super) call: Option<CallId>,
    pub(super) failed: Option<Instant>,
    pub(super) provider_time: Stamp,
    pub(super) since: Instant,
    /// It is this campaign's, rather than an orphan's of another.
    pub(super) ours: bool,
}

/// Attempts that are not over.
#[derive(Debug, Default)]
pub(super) struct ActiveAttempts {
    all: ById<AttemptId, ActiveAttempt>,
    by_call: ById<CallId, AttemptId>,
    /// In doubt, or blocked: those that may have to be proven absent or put aside.
    uncertain: BTreeSet<AttemptId>,
    followed: usize,
    ours_live: usize,
}

impl ActiveAttempts {
    pub(super) fn get(&self, attempt: &AttemptId) -> Option<&ActiveAttempt> {
        self.all.get(attempt)
    }

    /// The attempt whose call that is.
    pub(super) fn attempt_of(&self, call: &CallId) -> Option<&AttemptId> {
        self.by_call.get(call)
    }

    /// The attempt whose call that is, as it stands.
    pub(super) fn with_call(&self, call: &CallId) -> Option<(&AttemptId, &ActiveAttempt)> {
        let attempt = self.attempt_of(call)?;
        Some((attempt, self.get(attempt)?))
    }

    pub(super) fn contains_key(&self, attempt: &AttemptId) -> bool {
        self.all.contains_key(attempt)
    }

    /// All of them, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = &ActiveAttempt> {
        self.all.values()
    }

    /// All of them with their ids, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&AttemptId, &ActiveAttempt)> {
        self.all.iter()
    }

    /// Those in doubt or blocked, in the order of their ids.
    pub(super) fn uncertain(&self) -> impl Iterator<Item = (&AttemptId, &ActiveAttempt)> {
        self.uncertain.iter().filter_map(|attempt| Some((attempt, self.all.get(attempt)?)))
    }

    /// Whether the run is to see the end of any.
    pub(super) fn any_followed(&self) -> bool {
        self.followed > 0
    }

    /// This campaign's that are up or on their way.
    pub(super) fn followed(&self) -> usize {
        self.followed
    }

    /// This campaign's that are up, on their way or in doubt.
    pub(super) fn ours_live(&self) -> usize {
        self.ours_live
    }

    pub(super) fn insert(&mut self, attempt: AttemptId, live: ActiveAttempt) {
        self.remove(&attempt);
        self.count(&attempt, &live, true);
        self.all.insert(attempt, live);
    }

    pub(super) fn remove(&mut self, attempt: &AttemptId) -> Option<ActiveAttempt> {
        let live = self.all.remove(attempt)?;
        self.count(attempt, &live, false);
        Some(live)
    }

    /// Changes one, if it is there; returns what the change returns.
    pub(super) fn change<T>(&mut self, attempt: &AttemptId, change: impl FnOnce(&mut ActiveAttempt) -> T) -> Option<T> {
        let (attempt, mut live) = self.all.remove_entry(attempt)?;
        self.count(&attempt, &live, false);
        let result = change(&mut live);
        self.count(&attempt, &live, true);
        self.all.insert(attempt, live);
        Some(result)
    }

    fn count(&mut self, attempt: &AttemptId, live: &ActiveAttempt, enters: bool) {
        let step = |count: usize, counts: bool| match (counts, enters) {
            (false, _) => count,
            (true, true) => count + 1,
            (true, false) => count - 1,
        };
        if let Some(call) = &live.call {
            if enters {
                self.by_call.insert(call.clone(), attempt.clone());
            } else if self.by_call.get(call) == Some(attempt) {
                self.by_call.remove(call);
            }
        }
        self.followed = step(self.followed, live.is_followed());
        self.ours_live = step(self.ours_live, live.ours && live.state.is_live());
        if matches!(live.state, State::InDoubt | State::Placed { blocked: true }) {
            if enters {
                self.uncertain.insert(attempt.clone());
            } else {
                self.uncertain.remove(attempt);
            }
        }
    }
}

impl ActiveAttempt {
    pub(super) fn new(lead: Option<BatchLead>, state: State, provider_time: Stamp, now: Instant) -> Self {
        Self {
            phone: lead.as_ref().map(|lead| lead.lead.phone),
            lead,
            batch: None,
            line: Line(0),
            line_id: None,
            in_doubt: Some(Duration::ZERO),
            state,
            call: None,
            failed: None,
            provider_time,
            since: now,
            ours: true,
        }
    }

    /// Whether the run is to see its end: it is up or on its way, and this campaign's.
    fn is_followed(&self) -> bool {
        self.ours && matches!(self.state, State::Claimed | State::Placed { .. })
    }
}
