//! The pool as it really is, and a record of how it was used.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Stamp;

/// The slots of one subscription.
#[derive(Clone, Debug)]
pub struct Slots {
    limit: u32,
    held: u32,
    peak: u32,
    /// Since when as many are held as now, and until when that is known.
    since: Stamp,
    until: Stamp,
    time_at: BTreeMap<u32, Duration>,
}

impl Slots {
    pub(super) fn new(limit: u32, start: Stamp) -> Self {
        Self { limit, held: 0, peak: 0, since: start, until: start, time_at: BTreeMap::new() }
    }

    /// The limit.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Slots in use.
    pub const fn up(&self) -> u32 {
        self.held
    }

    /// The most that were ever in use.
    pub const fn peak(&self) -> u32 {
        self.peak
    }

    /// Slots that are free; none where the limit has fallen below what is in use.
    pub const fn free(&self) -> u32 {
        self.limit.saturating_sub(self.held)
    }

    /// How long fewer than that many slots were free, so far.
    pub fn time_below(&self, free: u32) -> Duration {
        let now = if self.free() < free { self.until.since(self.since) } else { Duration::ZERO };
        now + self.time_at.range(..free).map(|(_, time)| *time).sum::<Duration>()
    }

    /// Takes a slot, if there is one.
    pub(super) fn take(&mut self, now: Stamp) -> bool {
        let room = self.free() > 0;
        if room {
            self.book(now);
            self.held += 1;
            self.peak = self.peak.max(self.held);
        }
        room
    }

    pub(super) fn give_back(&mut self, now: Stamp) {
        assert!(self.held > 0, "a slot was given back that nobody held");
        self.book(now);
        self.held -= 1;
    }

    pub(super) fn set_limit(&mut self, now: Stamp, limit: u32) {
        self.book(now);
        self.limit = limit;
    }

    /// Time has gone on to then, and nothing has changed.
    pub(super) fn last_until(&mut self, now: Stamp) {
        self.until = self.until.max(now);
    }

    /// Writes down the time since the last change.
    fn book(&mut self, now: Stamp) {
        self.last_until(now);
        *self.time_at.entry(self.free()).or_default() += self.until.since(self.since);
        self.since = self.until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_booked_to_what_was_free() {
        let at = |seconds: i64| Stamp::from_micros(seconds * 1_000_000);
        let mut slots = Slots::new(2, at(0));
        assert!(slots.take(at(10)) && slots.take(at(15)) && !slots.take(at(20)));
        slots.give_back(at(35));
        slots.set_limit(at(40), 1);
        slots.last_until(at(100));
        assert_eq!(slots.time_below(1), Duration::from_secs(20 + 60));
        assert_eq!(slots.time_below(2), Duration::from_secs(20 + 60 + 5 + 5));
        assert_eq!((slots.free(), slots.peak()), (0, 2));
    }
}
