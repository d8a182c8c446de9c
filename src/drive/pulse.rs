//! Notices that the process stood still: stopped, suspended, or held up. What was decided before is decided again.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::time::{Instant, micros};

/// The beats of a run's loop.
#[derive(Debug)]
pub struct Pulse {
    /// Longest time between two beats that is no gap.
    longest: Duration,
    /// The last beat.
    beat: AtomicI64,
    /// The end of the last gap.
    gap: AtomicI64,
}

impl Pulse {
    /// A pulse that begins now, and stands still when nothing was heard of it for so long.
    pub fn new(now: Instant, longest: Duration) -> Self {
        Self { longest, beat: AtomicI64::new(now.as_micros()), gap: AtomicI64::new(i64::MIN) }
    }

    /// One beat. Says whether there was a gap before it.
    pub fn beat(&self, now: Instant) -> bool {
        let last = Instant::from_micros(self.beat.load(Ordering::SeqCst));
        let gap = now.since(last) > self.longest;
        if gap {
            self.gap(now);
        }
        // Written after the gap: whoever sees this beat sees that gap.
        self.beat.store(now.as_micros(), Ordering::SeqCst);
        gap
    }

    /// Something that was decided took from then until now to be done. Says whether that was long: then it is old.
    pub fn slow(&self, since: Instant, now: Instant) -> bool {
        let slow = now.since(since) > self.longest;
        if slow {
            self.gap(now);
        }
        slow
    }

    /// What was decided before is old.
    fn gap(&self, now: Instant) {
        self.gap.fetch_max(now.as_micros(), Ordering::SeqCst);
    }

    /// What was decided before this instant is not to be carried out any more.
    pub fn stale_before(&self, now: Instant) -> Instant {
        let last = self.beat.load(Ordering::SeqCst);
        let still = now.as_micros().saturating_sub(last) > micros(self.longest);
        let gap = self.gap.load(Ordering::SeqCst);
        if still { now } else { Instant::from_micros(gap) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_decided_before_a_gap_is_stale_whoever_asks_first() {
        let at = |seconds: i64| Instant::from_micros(1_000_000 * seconds);
        let pulse = Pulse::new(at(0), Duration::from_secs(4));
        assert!(!pulse.beat(at(4)));
        assert!(pulse.stale_before(at(5)) < at(0), "nothing is stale yet");
        assert_eq!(pulse.stale_before(at(20)), at(20), "a request asks before the loop does");
        assert!(pulse.beat(at(20)));
        assert_eq!(pulse.stale_before(at(21)), at(20), "and after it");
        assert!(!pulse.beat(at(21)));
    }
}
