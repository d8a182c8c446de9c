//! Waits and counts for requests that go wrong: refusals that look alike, connections that fail, a provider that is
//! silent, a rate that is too high. Each is a small value that is fed; none reads a clock.

use std::time::Duration;

use crate::pool::attempt_id::AttemptId;
use crate::time::{Instant, Stamp};

/// After a rate limit, however short a wait the provider names: a request at once would meet it again.
pub const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// Requests refused for what looks like their lead (the other 4xx). Three in a row, without a 2xx between, are more
/// likely the configuration's doing than that of three leads.
#[derive(Clone, Debug, Default)]
pub struct ConfigRefusals {
    /// Those in the row, and when their requests were sent: answers come in any order.
    row: Vec<(AttemptId, Instant)>,
    /// There were three in a row, the last of them sent then: those that were on their way speak of no lead either.
    tripped: Option<Instant>,
}

impl ConfigRefusals {
    const ROW: usize = 3;

    /// Another was refused. The third in a row gives all three back, each that follows them itself: their leads are to
    /// be opened again.
    pub fn refused(&mut self, attempt: AttemptId, sent: Instant) -> Option<Vec<AttemptId>> {
        self.row.push((attempt, sent));
        if self.row.len() >= Self::ROW || self.tripped.is_some() {
            self.tripped = self.tripped.max(Some(sent));
            return Some(self.row.drain(..).map(|(attempt, _)| attempt).collect());
        }
        None
    }

    /// A request that was sent then was answered with a 2xx: it stands between those before and those after it.
    pub fn accepted(&mut self, sent: Instant) {
        self.row.retain(|(_, refused)| *refused > sent);
        self.tripped = self.tripped.filter(|last| *last > sent);
    }
}

/// How long to leave a provider alone that cannot be connected to: a second, doubling to thirty.
#[derive(Clone, Debug, Default)]
pub struct ConnectBackoff {
    failures: u32,
}

impl ConnectBackoff {
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
pub struct UnreachableTimer {
    since: Option<Instant>,
    failures: u32,
}

impl UnreachableTimer {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::attempt_id::Mark;

    fn second(number: i64) -> Instant {
        Instant::from_micros(number * 1_000_000)
    }

    #[test]
    fn three_refusals_in_a_row_are_given_back() {
        let id = |number: u128| AttemptId::mint(&Mark::of("leads"), number);
        let mut refusals = ConfigRefusals::default();
        assert_eq!(refusals.refused(id(1), second(1)), None);
        assert_eq!(refusals.refused(id(2), second(2)), None);
        refusals.accepted(second(3));
        for number in [4_u8, 5] {
            assert_eq!(refusals.refused(id(number.into()), second(number.into())), None);
        }
        refusals.accepted(second(3));
        assert_eq!(
            refusals.refused(id(6), second(6)),
            Some(vec![id(4), id(5), id(6)]),
            "one sent before is not between"
        );
        assert_eq!(
            refusals.refused(id(7), second(7)),
            Some(vec![id(7)]),
            "it was on its way, and speaks of no lead either"
        );
        refusals.accepted(second(8));
        assert_eq!(refusals.refused(id(9), second(9)), None);
    }

    #[test]
    fn connects_are_tried_less_and_less_often() {
        let mut backoff = ConnectBackoff::default();
        let mut waits = |times: usize| -> Vec<u64> {
            (0..times).map(|_| backoff.failed(second(100)).since(second(100)).as_secs()).collect()
        };
        assert_eq!(waits(8), [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(waits(1000).last(), Some(&30));
        backoff.worked();
        assert_eq!(backoff.failed(second(7)), second(8));
    }

    #[test]
    fn silence_is_two_minutes_of_failures_only() {
        let mut silence = UnreachableTimer::default();
        assert!(!silence.failed(second(0)) && !silence.failed(second(119)) && silence.failed(second(120)));
        silence.answered();
        assert!(!silence.failed(second(500)), "an idle hour is no silence");
        assert!(!silence.failed(second(4100)), "nor is a lid that was closed");
        assert!(silence.failed(second(4101)));
    }

    #[test]
    fn the_next_minute_always_lies_ahead() {
        let minute = 60_000_000;
        for (now, next) in [(0, minute), (1, minute), (minute - 1, minute), (minute, 2 * minute), (-1, 0)] {
            assert_eq!(next_utc_minute(Stamp::from_micros(now)), Stamp::from_micros(next));
        }
        assert_eq!(next_utc_minute(Stamp::from_micros(i64::MAX)), Stamp::from_micros(i64::MAX));
    }
}
