//! What one answer said about the pool.

use super::calls::{Call, CallId};
use crate::time::{Instant, Stamp};
use std::time::Duration;

/// The pool as one answer of the provider showed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Observation {
    /// The earliest time, the provider's, that it can speak of.
    pub at: Stamp,
    /// The latest: when it had surely been made. For a refusal the same as `at`.
    pub heard: Stamp,
    /// The limit it named.
    pub limit: Option<u32>,
    /// Slots left, the observed call counted.
    pub remaining: u32,
    /// The call whose answer it is; none for a refusal.
    pub call: Option<CallId>,
    /// When its own request was sent.
    pub sent: Instant,
    /// When its answer was received.
    pub received: Instant,
}

/// A provider may count a call a moment after stamping it.
const COUNTED_LATE: Duration = Duration::from_millis(200);

impl Observation {
    /// Whether this one replaces that one: the newer, or at the same time the one that shows less.
    pub fn replaces(&self, other: &Self) -> bool {
        let key = |it: &Self| (it.at, std::cmp::Reverse(it.remaining), it.heard, it.sent);
        key(self) > key(other)
    }

    /// Whether it surely counted that call, and the call had not ended when it was made.
    pub fn counted(&self, id: &CallId, call: &Call) -> bool {
        let still_up = call.ended.is_none_or(|ended| ended > self.heard);
        still_up && call.entered() && self.saw_begin(id, call)
    }

    fn saw_begin(&self, id: &CallId, call: &Call) -> bool {
        if self.call.as_ref() == Some(id) {
            return true;
        }
        let Some(post) = call.post else {
            return if self.call.is_none() { call.from <= self.at } else { call.from < self.at - COUNTED_LATE };
        };
        if post.received <= self.sent {
            return true;
        }
        let overlapped = post.sent < self.received;
        overlapped && post.remaining.is_some_and(|left| left > i64::from(self.remaining))
    }
}
