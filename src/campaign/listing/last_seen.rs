//! When each call that is up was last seen in a listing.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::pool::calls::CallId;
use crate::time::Instant;

/// Calls that are up, as listings and answers have shown them.
#[derive(Debug, Default)]
pub(super) struct LastSeen {
    up: BTreeMap<CallId, Instant>,
    /// When calls were answered that no listing has shown yet.
    unlisted: BTreeMap<CallId, Instant>,
    /// Before then nobody can have been unseen for too long.
    quiet_until: Option<Instant>,
}

impl LastSeen {
    /// A call that is up was seen in a listing or an answer.
    pub(super) fn saw(&mut self, id: &CallId, now: Instant) {
        self.up.insert(id.clone(), now);
    }

    /// A call came back from its request.
    pub(super) fn answered(&mut self, id: &CallId, now: Instant) {
        self.unlisted.entry(id.clone()).or_insert(now);
    }

    /// A listing shows a call; when it was answered, if none has shown it before.
    pub(super) fn listed(&mut self, id: &CallId) -> Option<Instant> {
        self.unlisted.remove(id)
    }

    /// A call is over.
    pub(super) fn over(&mut self, id: &CallId) {
        self.up.remove(id);
        self.unlisted.remove(id);
    }

    /// The calls that are up and were last seen before then.
    pub(super) fn before(&self, then: Instant) -> impl Iterator<Item = &CallId> {
        self.up.iter().filter(move |(_, at)| **at < then).map(|(id, _)| id)
    }

    /// Of the calls that are up, the one that was in no listing for the longest, if that is longer than this.
    pub(super) fn unseen(&mut self, now: Instant, patience: Duration) -> Option<CallId> {
        if self.quiet_until.is_some_and(|until| now < until) {
            return None;
        }
        let longest = self.up.iter().map(|(id, at)| (*at, id)).min();
        self.quiet_until = Some(longest.map_or(now, |(at, _)| at) + patience);
        longest.filter(|(at, _)| now.since(*at) > patience).map(|(_, id)| id.clone())
    }
}
