//! How many may be dialed now? Knows slots, nothing of campaigns.

pub mod calls;
pub mod observation;

use crate::time::Instant;

/// A claim without an answer: it may hold a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unanswered {
    /// When it was claimed.
    pub claimed: Instant,
    /// In doubt, since then; in flight otherwise.
    pub failed: Option<Instant>,
}

/// All that is known of one pool.
#[derive(Clone, Debug, Default)]
pub struct Pool {}
