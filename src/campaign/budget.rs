//! The organisation's budget of requests: how it is divided, and what of it may be made now.
//!
//! The provider counts all requests of an organisation together, in minutes of UTC. A fifth of the budget is divided
//! evenly among the live runs, for reading what changes. The rest is shared: each request out of it is booked in the
//! journal, where dials go first.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::plan::Rate;
use crate::time::{Instant, Now};

/// One request of so many is for reading what changes.
const WATCH: u32 = 5;
/// What was not used of the rest may be made up for to so long.
const BURST: Duration = Duration::from_secs(5);
const MINUTE: Duration = Duration::from_mins(1);

/// So many requests a minute, of all runs of the organisation together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Budget {
    per_minute: u32,
}

/// What was made of the shared part, as the journal remembers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Made {
    /// The minute of UTC that is counted, since 1970.
    minute: i64,
    /// Requests made in it.
    requests: u32,
    /// When everything is made up for.
    full_at: Instant,
}

/// Who asks for requests of the shared part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Urgency {
    /// Dials, and whatever has waited for a minute.
    First,
    /// Everything else: it leaves half of the burst to dials.
    After,
}

/// What is left of the shared part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RequestsLeft {
    /// Live runs that the watch's part is divided among, at least one.
    pub runs: u32,
    /// Requests of the shared part in this minute of UTC.
    pub shared: u32,
    /// When to ask again; none where everything that was asked for was granted.
    pub again: Option<Instant>,
}

impl Made {
    /// The same on another line of time.
    #[must_use]
    pub fn at(self, line: impl Fn(Instant) -> Instant) -> Self {
        Self { full_at: line(self.full_at), ..self }
    }

    /// Nothing was made yet.
    pub const NOTHING: Self = Self { minute: 0, requests: 0, full_at: Instant::from_micros(i64::MIN) };

    /// When everything is made up for. A time that lies too far ahead was written by a clock that was wrong.
    fn up_at(&self, now: Now) -> Instant {
        self.full_at.clamp(now.at, now.at + MINUTE)
    }
}

impl Budget {
    /// The budget of that rate.
    pub fn of(rate: Rate) -> Self {
        let seconds = rate.per.as_secs().max(1);
        let per_minute = u64::from(rate.count.get()).saturating_mul(60) / seconds;
        Self { per_minute: u32::try_from(per_minute).unwrap_or(u32::MAX).max(WATCH) }
    }

    /// All requests of a minute.
    pub fn per_minute(self) -> u32 {
        self.per_minute
    }

    /// Of each minute, what reading what changes is sure of, all runs together.
    fn watch(self) -> u32 {
        self.per_minute / WATCH
    }

    /// Of each minute, what is shared.
    pub fn shared(self) -> u32 {
        self.per_minute - self.watch()
    }

    /// Of each minute, the reads of what changes that each of so many runs is sure of; one at the least.
    pub fn watch_of_each(self, runs: u32) -> u32 {
        (self.watch() / runs.max(1)).max(1)
    }

    /// How far these are apart.
    pub fn watch_gap(self, runs: u32) -> Duration {
        MINUTE / self.watch_of_each(runs)
    }

    fn burst(self) -> u32 {
        (self.shared() / (60 / u32::try_from(BURST.as_secs()).unwrap_or(1))).max(2)
    }

    /// How many requests of the shared part may be made now.
    pub fn free(self, made: &Made, now: Now, urgency: Urgency) -> u32 {
        let kept = self.kept(urgency);
        let open = self.gap() * self.burst();
        let open = open.saturating_sub(made.up_at(now).since(now.at));
        let in_burst = open.as_nanos() / self.gap().as_nanos().max(1);
        let in_burst = u32::try_from(in_burst).unwrap_or(u32::MAX);
        in_burst.min(self.left(made, now)).saturating_sub(kept)
    }

    /// When one more may be made, where none may now.
    pub fn again(self, made: &Made, now: Now, urgency: Urgency) -> Instant {
        let kept = self.kept(urgency);
        let refilled = made.up_at(now) - self.gap() * (self.burst() - kept - 1);
        let at = if self.left(made, now) > kept { refilled } else { refilled.max(next_minute(now)) };
        at.max(now.at + Duration::from_millis(1))
    }

    /// Of the shared part, what is left in this minute of UTC.
    pub fn left(self, made: &Made, now: Now) -> u32 {
        let made = if made.minute == minute(now) { made.requests } else { 0 };
        self.shared().saturating_sub(made)
    }

    /// Takes note of requests of the shared part.
    pub fn make(self, made: &mut Made, now: Now, requests: u32) {
        let full_at = made.up_at(now) + self.gap() * requests;
        let before = if made.minute == minute(now) { made.requests } else { 0 };
        *made = Made { minute: minute(now), requests: before.saturating_add(requests), full_at };
    }

    fn gap(self) -> Duration {
        MINUTE / self.shared()
    }

    fn kept(self, urgency: Urgency) -> u32 {
        match urgency {
            Urgency::First => 0,
            Urgency::After => self.burst() / 2,
        }
    }
}

/// Which minute of UTC it is.
pub(super) fn minute(now: Now) -> i64 {
    now.wall.as_second().div_euclid(60)
}

/// When the next one begins.
pub(super) fn next_minute(now: Now) -> Instant {
    let gone = now.wall.as_microsecond().rem_euclid(60_000_000);
    now.at + MINUTE - Duration::from_micros(u64::try_from(gone).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    fn budget(per_minute: u32) -> Budget {
        Budget::of(Rate { count: NonZeroU32::new(per_minute).unwrap(), per: MINUTE })
    }

    fn at(micros: i64) -> Now {
        let at = Instant::from_micros(micros);
        Now { at, wall: at.timestamp() }
    }

    proptest! {
        #[test]
        fn no_minute_and_no_ten_seconds_have_too_many(
            per_minute in 5..2_000_u32,
            steps in prop::collection::vec((0..4_000_000_i64, 1..30_u32, any::<bool>()), 20..150),
        ) {
            let budget = budget(per_minute);
            let (mut made, mut now, mut times) = (Made::NOTHING, 1_000_000_000, Vec::new());
            let mut minutes = BTreeMap::new();
            for (step, wanted, first) in steps {
                now += step;
                let urgency = if first { Urgency::First } else { Urgency::After };
                let granted = budget.free(&made, at(now), urgency).min(wanted);
                if granted == 0 {
                    let again = budget.again(&made, at(now), urgency);
                    prop_assert!(budget.free(&made, at(again.as_micros()), urgency) > 0, "asked again in vain");
                }
                budget.make(&mut made, at(now), granted);
                *minutes.entry(minute(at(now))).or_insert(0) += granted;
                times.extend(std::iter::repeat_n(now, granted as usize));
            }
            prop_assert!(minutes.values().all(|made| *made <= budget.shared()));
            let most = (budget.burst() + budget.shared() / 6 + 1) as usize;
            prop_assert!(times.windows(most + 1).all(|some| some[most] - some[0] >= 10_000_000));
        }
    }

    #[test]
    fn dials_find_what_others_leave() {
        let (budget, now) = (budget(150), at(0));
        let mut made = Made::NOTHING;
        assert_eq!((budget.watch(), budget.shared(), budget.burst()), (30, 120, 10));
        let others = budget.free(&made, now, Urgency::After);
        budget.make(&mut made, now, others);
        assert_eq!((others, budget.free(&made, now, Urgency::After)), (5, 0));
        assert_eq!(budget.free(&made, now, Urgency::First), 5);
        assert_eq!(budget.again(&made, now, Urgency::After).since(now.at), Duration::from_millis(500));
    }

    #[test]
    fn a_clock_that_was_wrong_blocks_for_a_minute_at_most() {
        let budget = budget(150);
        let ahead = Made { minute: 0, requests: 0, full_at: Instant::from_micros(i64::MAX) };
        assert!(budget.again(&ahead, at(0), Urgency::First).since(at(0).at) <= MINUTE);
    }

    #[test]
    fn the_watch_is_divided_and_never_gone() {
        assert_eq!([1, 2, 4, 100].map(|runs| budget(150).watch_of_each(runs)), [30, 15, 7, 1]);
        assert_eq!(budget(150).watch_gap(2), Duration::from_secs(4));
    }
}
