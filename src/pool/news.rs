//! What the pool is told, as it came: times on the wire, limits in an answer, and what other runs know.

use serde::{Deserialize, Serialize};

use super::Unanswered;
use super::attempt_id::AttemptId;
use super::calls::{Call, CallId};
use super::observation::Observation;
use crate::time::{Instant, Stamp};

/// When a request was sent and its answer came, and what time the provider said it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RequestTiming {
    /// When the request began to be sent.
    pub sent: Instant,
    /// When its answer, or the failure, was received.
    pub received: Instant,
    /// The `Date` header, cut to the second by whoever sent it.
    pub date: Option<Stamp>,
}

/// `subscriptionLimits` as they came: nothing in it is to be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Limits {
    /// `concurrencyBlocked`.
    pub blocked: bool,
    /// `concurrencyLimit`.
    pub limit: Option<i64>,
    /// `remainingConcurrentCalls`.
    pub remaining: Option<i64>,
}

impl Limits {
    /// The limit, if it can be one.
    pub fn sane_limit(self) -> Option<u32> {
        self.limit.and_then(|limit| u32::try_from(limit).ok()).filter(|limit| *limit > 0)
    }

    /// Slots that were taken, where both figures came and can be.
    pub fn taken(self) -> Option<i64> {
        let remaining = self.remaining.filter(|remaining| *remaining >= 0)?;
        Some(i64::from(self.sane_limit()?).saturating_sub(remaining))
    }
}

/// What the other live runs on this pool know and do: replaces what they were known to do before.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Others {
    /// Their claims without an answer.
    pub unanswered: Vec<(AttemptId, Unanswered)>,
    /// Their calls.
    pub calls: Vec<(CallId, Call)>,
    /// The newest observation of any of them.
    pub observation: Option<Observation>,
    /// The newest limit that any of them has seen, and when.
    pub limit: Option<(Stamp, u32)>,
    /// The largest reserve of any of them; none where nobody else is on the pool. This run's own is not among them.
    pub reserve: u32,
    /// No POST before then: one of them met a 429.
    pub rate_until: Option<Instant>,
    /// A slot is to be left to another run that waits and has fewer calls up.
    pub yield_one: bool,
}
