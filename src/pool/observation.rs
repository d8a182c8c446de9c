//! What one answer said about the pool.

use std::cmp::Reverse;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::calls::{Call, CallId};
use crate::time::{Instant, Stamp};

/// The pool as one answer of the provider showed it. It speaks of some moment between `at` and `heard`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
    /// When its own request was sent; the beginning of time where that is not known.
    pub sent: Instant,
    /// When its answer was received; no later than that, where it is not known.
    pub received: Instant,
}

/// A provider may count a call a moment after stamping it.
pub(super) const COUNTED_LATE: Duration = Duration::from_millis(200);

impl Observation {
    /// Whether this one replaces that one: the newer, or at the same time the one that shows less.
    pub fn replaces(&self, other: &Self) -> bool {
        let key = |it: &Self| (it.at, Reverse(it.remaining), it.heard, it.sent, it.call.clone(), it.limit);
        key(self) > key(other)
    }

    /// Whether it surely counted that call, and the call had not ended when it was made.
    pub fn counted(&self, id: &CallId, call: &Call) -> bool {
        let still_up = call.ended.is_none_or(|ended| ended > self.heard);
        still_up && call.entered() && self.saw_begin(id, call)
    }

    /// Whether it may have counted that call: it had begun when it was made at the latest, and had not ended before.
    pub fn may_have_counted(&self, call: &Call) -> bool {
        let still_up = call.ended.is_none_or(|ended| ended >= self.at - COUNTED_LATE);
        still_up && call.entered() && call.from <= self.heard
    }

    fn taken(&self) -> Option<i64> {
        self.limit.map(|limit| i64::from(limit) - i64::from(self.remaining))
    }

    fn saw_begin(&self, id: &CallId, call: &Call) -> bool {
        if call.from < self.at - COUNTED_LATE || self.call.as_ref() == Some(id) {
            return true;
        }
        call.post.is_some_and(|post| {
            let overlapped = post.sent < self.received;
            let before = post.received <= self.sent;
            before || (overlapped && post.taken.zip(self.taken()).is_some_and(|(then, now)| then < now))
        })
    }
}
