//! Calls on the pool, as far as they are known: merged by id, so that the order of the news does not matter.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::Name;
use crate::time::{Instant, Stamp};

/// The provider's name for a call.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(Name);

impl CallId {
    /// From the provider's `id`.
    pub fn new(id: &str) -> Self {
        Self(Name::new(id))
    }

    /// The id as the provider wrote it.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How our own request for a call went, on this machine's line of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Post {
    /// When the request was sent.
    pub sent: Instant,
    /// When its answer was received.
    pub received: Instant,
    /// Slots that were taken by then, this call's own included, where the answer told.
    pub taken: Option<i64>,
}

/// A call, as far as it concerns the pool.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Since when it holds its slot, in the provider's time: its creation; for one that was scheduled, when it was
    /// first seen to be so no more.
    pub from: Stamp,
    /// Since when it does not; an end is for ever.
    pub ended: Option<Stamp>,
    /// Whether a run on this machine made it.
    pub ours: bool,
    /// How it was asked for, where we asked.
    pub post: Option<Post>,
    /// It was seen ringing, talking, or with a start.
    pub rung: bool,
    /// Its answer said that the pool was full, or it ended for that reason: it holds no slot unless it rings.
    pub shut_out: bool,
}

impl Call {
    /// Whether it holds, or has held, a slot.
    pub fn entered(&self) -> bool {
        self.rung || !self.shut_out
    }

    /// Whether it holds a slot now, as far as is known.
    pub fn is_up(&self) -> bool {
        self.entered() && self.ended.is_none()
    }

    /// Takes in what else is known of the same call. Of two starts the later counts, of two ends the earlier: that is
    /// the side on which no observation explains a slot by a call that did not hold it.
    pub fn merge(&mut self, other: &Self) {
        self.from = self.from.max(other.from);
        self.ended = match (self.ended, other.ended) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.ours |= other.ours;
        self.rung |= other.rung;
        self.shut_out |= other.shut_out;
        self.post = match (self.post, other.post) {
            (Some(a), Some(b)) => Some(if (a.received, a.sent) <= (b.received, b.sent) { a } else { b }),
            (a, b) => a.or(b),
        };
    }
}
