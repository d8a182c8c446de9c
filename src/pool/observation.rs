//! What one answer said about the pool.

use super::calls::CallId;
use crate::time::{Instant, Stamp};

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
