//! How fast requests may follow each other: the rate, what a 429 asks for, and the wait while nothing can be sent.

use std::time::Duration;

use governor::clock::{Clock, FakeRelativeClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::plan::Rate;
use crate::time::Instant;

/// What a rate may be behind by and catch up with: timers are no finer than this. Each answer tells how many slots are left,
/// so that fewer dials on the same news find the reserve.
const SLACK: Duration = Duration::from_millis(5);

/// The rate, on the campaign's own clock.
pub(super) struct Pace {
    limiter: RateLimiter<NotKeyed, InMemoryState, FakeRelativeClock, NoOpMiddleware<Nanos>>,
    clock: FakeRelativeClock,
    at: Instant,
    /// No request before then, as the provider asked.
    pub(super) not_before: Option<Instant>,
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
        let burst = std::num::NonZeroU32::new(burst.max(1)).unwrap_or(std::num::NonZeroU32::MIN);
        let quota =
            Quota::with_period(gap).map_or_else(|| Quota::per_second(rate.count), |quota| quota.allow_burst(burst));
        Self {
            limiter: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            at: now,
            not_before: None,
            unused: (0, now),
        }
    }

    /// Takes leave for one request; else says when to ask again.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Instant> {
        if let Some(at) = self.not_before.filter(|at| now < *at) {
            return Err(at);
        }
        if self.unused.0 > 0 && now <= self.unused.1 {
            self.unused.0 -= 1;
            return Ok(());
        }
        self.clock.advance(now.since(self.at));
        self.at = self.at.max(now);
        self.limiter
            .check()
            .map_err(|not_until| now + not_until.wait_time_from(self.clock.now()).max(Duration::from_micros(1)))
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
                while pace.take(now).is_ok() {
                    taken.push(now);
                }
            }
            let burst = usize::try_from((count / 200).max(1)).unwrap();
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
        assert_eq!(pace.take(start), Ok(()));
        let again = pace.take(start).unwrap_err();
        assert_eq!(again.since(start), Duration::from_millis(500));
        assert_eq!(pace.take(again), Ok(()));
        pace.hold_until(start + Duration::from_mins(1));
        assert_eq!(pace.take(start + Duration::from_secs(59)), Err(start + Duration::from_mins(1)));
    }
}
