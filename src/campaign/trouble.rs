//! Waits and counts for requests that go wrong: refusals that look alike, connections that fail, a provider that is
//! silent, a rate that is too high. Each is a small value that is fed; none reads a clock.

use std::time::Duration;

use super::attempt::AttemptId;
use crate::time::{Instant, Stamp};

/// Requests refused for what looks like their lead (the other 4xx). Three in a row, without a 2xx between, are more
/// likely the configuration's doing than that of three leads.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    row: Vec<AttemptId>,
}

impl Refusals {
    /// Another was refused. The third in a row gives all three back: their leads are to be opened again.
    pub fn refused(&mut self, attempt: AttemptId) -> Option<[AttemptId; 3]> {
        self.row.push(attempt);
        let three: [AttemptId; 3] = std::mem::take(&mut self.row).try_into().map_err(|row| self.row = row).ok()?;
        Some(three)
    }

    /// A request was answered with a 2xx.
    pub fn accepted(&mut self) {
        self.row.clear();
    }
}

/// How long to leave a provider alone that cannot be connected to: a second, doubling to thirty.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    const MOST: Duration = Duration::from_secs(30);

    /// A connect failed: nothing is to be sent before the instant this gives.
    pub fn failed(&mut self, now: Instant) -> Instant {
        let wait = Duration::from_secs(1 << self.failures.min(5)).min(Self::MOST);
        self.failures = self.failures.saturating_add(1);
        now + wait
    }

    /// A request was answered.
    pub fn worked(&mut self) {
        self.failures = 0;
    }
}

/// Whether the provider has been silent for too long: requests failed over two minutes, and none was answered.
/// Any answer counts, a refusal's and a listing's too.
#[derive(Clone, Debug, Default)]
pub struct Silence {
    since: Option<Instant>,
    failures: u32,
}

impl Silence {
    /// How long is too long.
    pub const LONGEST: Duration = Duration::from_mins(2);
    /// Fewer failures prove nothing, however far apart: a laptop that wakes up finds no network at first.
    const LEAST_FAILURES: u32 = 3;

    /// A request brought no answer. True if that has been so for too long.
    pub fn failed(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        self.failures = self.failures.saturating_add(1);
        self.failures >= Self::LEAST_FAILURES && now.since(since) >= Self::LONGEST
    }

    /// An answer came.
    pub fn answered(&mut self) {
        *self = Self::default();
    }
}

/// The start of the next minute of the provider's time, which is when its count of requests begins anew; always after
/// `now`.
pub fn next_utc_minute(now: Stamp) -> Stamp {
    const MINUTE: i64 = 60_000_000;
    Stamp::from_micros((now.as_micros().div_euclid(MINUTE) + 1).saturating_mul(MINUTE))
}
