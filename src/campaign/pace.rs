//! How fast requests may follow each other: the rate, what a 429 asks for, and the wait while nothing can be sent.

use std::time::Duration;

use governor::clock::{Clock, FakeRelativeClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::plan::Rate;
use crate::time::Instant;

/// What a rate may be behind by and catch up with: dials of this time may go at once.
const SLACK: Duration = Duration::from_millis(20);

/// The rate, on the campaign's own clock.
pub(super) struct Pace {
    limiter: RateLimiter<NotKeyed, InMemoryState, FakeRelativeClock, NoOpMiddleware<Nanos>>,
    clock: FakeRelativeClock,
    at: Instant,
    /// Between two requests.
    gap: Duration,
    /// Requests that may go at once.
    burst: u32,
    /// No request before then, as the provider asked.
    pub(super) not_before: Option<Instant>,
    /// None before then: several are to go at once.
    gathered_at: Option<Instant>,
    /// Leave that was taken and not used, and until when it is still good.
    unused: (usize, Instant),
}

/// How long leave that was not used is good: as long as a claim may take.
const STILL_GOOD: Duration = Duration::from_millis(100);

impl Pace {
    pub(super) fn new(rate: Rate, now: Instant) -> Self {
        let clock = FakeRelativeClock::default();
        let gap = (rate.per / rate.count.get()).max(Duration::from_nanos(1));
        let burst = u32::try_from(SLACK.as_nanos() / gap.as_nanos()).unwrap_or(u32::MAX);
        let burst = std::num::NonZeroU32::new(burst).unwrap_or(std::num::NonZeroU32::MIN);
        let quota =
            Quota::with_period(gap).map_or_else(|| Quota::per_second(rate.count), |quota| quota.allow_burst(burst));
        Self {
            limiter: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            at: now,
            gap,
            burst: burst.get(),
            not_before: None,
            gathered_at: None,
            unused: (0, now),
        }
    }

    /// Takes leave for one request; else says when to ask again: when `wanted` may go at once, or half of the burst where
    /// that is fewer.
    pub(super) fn take(&mut self, now: Instant, wanted: usize) -> Result<(), Instant> {
        if let Some(at) = self.not_before.max(self.gathered_at).filter(|at| now < *at) {
            return Err(at);
        }
        if self.unused.0 > 0 && now <= self.unused.1 {
            self.unused.0 -= 1;
            return Ok(());
        }
        self.clock.advance(now.since(self.at));
        self.at = self.at.max(now);
        self.limiter.check().map_err(|not_until| {
            // An instant is of whole microseconds; one cut short would be too early.
            let wait = not_until.wait_time_from(self.clock.now()) + Duration::from_nanos(999);
            let one = now + wait.max(Duration::from_micros(1));
            let wanted = u32::try_from(wanted).unwrap_or(u32::MAX).min(self.burst.div_ceil(2));
            let until = one + self.gap * wanted.saturating_sub(1);
            self.gathered_at = Some(until);
            until
        })
    }

    /// So many of the requests that leave was just taken for are not sent after all.
    pub(super) fn give_back(&mut self, count: usize, now: Instant) {
        self.unused = (count, now + STILL_GOOD);
    }

    /// No request before then.
    pub(super) fn hold_until(&mut self, at: Instant) {
        self.not_before = self.not_before.max(Some(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::num::NonZeroU32;

    proptest! {
        #[test]
        fn never_faster_than_told(count in 1..800_u32, steps in prop::collection::vec(0..20_000_u64, 50..400)) {
            let rate = Rate { count: NonZeroU32::new(count).unwrap(), per: Duration::from_secs(1) };
            let mut now = Instant::from_micros(0);
            let mut pace = Pace::new(rate, now);
            let mut taken = Vec::new();
            for step in steps {
                now = now + Duration::from_micros(step);
                while pace.take(now, 1).is_ok() {
                    taken.push(now);
                }
            }
            let burst = usize::try_from((count / 50).max(1)).unwrap();
            for (first, began) in taken.iter().enumerate() {
                let within = taken[first..].iter().filter(|at| at.since(*began) < Duration::from_secs(1)).count();
                prop_assert!(within <= usize::try_from(count).unwrap() + burst, "{within} in a second at {count}/s");
            }
        }
    }

    #[test]
    fn says_exactly_when_to_ask_again() {
        let rate = Rate { count: NonZeroU32::new(2).unwrap(), per: Duration::from_secs(1) };
        let start = Instant::from_micros(0);
        let mut pace = Pace::new(rate, start);
        assert_eq!(pace.take(start, 1), Ok(()));
        let again = pace.take(start, 1).unwrap_err();
        assert_eq!(again.since(start), Duration::from_millis(500));
        assert_eq!(pace.take(again, 1), Ok(()));
        pace.hold_until(start + Duration::from_mins(1));
        assert_eq!(pace.take(start + Duration::from_secs(59), 1), Err(start + Duration::from_mins(1)));
    }

    #[test]
    fn several_are_gathered_that_may_go_at_once() {
        let rate = Rate { count: NonZeroU32::new(300).unwrap(), per: Duration::from_secs(1) };
        let start = Instant::from_micros(0);
        for (at_once, gathered) in [(1, 1), (2, 2), (50, 3)] {
            let mut pace = Pace::new(rate, start);
            while pace.take(start, at_once).is_ok() {}
            let until = pace.take(start, at_once).unwrap_err();
            assert_eq!(pace.take(start + Duration::from_millis(1), at_once), Err(until));
            assert_eq!((0..9).take_while(|_| pace.take(until, at_once).is_ok()).count(), gathered);
        }
    }
}
