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
    since: Stamp,
    time_at: BTreeMap<u32, Duration>,
}

impl Slots {
    pub(super) fn new(limit: u32, start: Stamp) -> Self {
        Self { limit, held: 0, peak: 0, since: start, time_at: BTreeMap::new() }
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

    /// How long fewer than that many slots were free, until the last change.
    pub fn time_below(&self, free: u32) -> Duration {
        self.time_at.range(..free).map(|(_, time)| *time).sum()
    }

    /// How long each number of slots was free, until the last change.
    pub const fn time_at(&self) -> &BTreeMap<u32, Duration> {
        &self.time_at
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

    /// Writes down the time since the last change.
    pub(super) fn book(&mut self, now: Stamp) {
        *self.time_at.entry(self.free()).or_default() += now.since(self.since);
        self.since = self.since.max(now);
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
        slots.book(at(100));
        assert_eq!(slots.time_below(1), Duration::from_secs(20 + 60));
        assert_eq!(slots.time_below(2), Duration::from_secs(20 + 60 + 5 + 5));
        assert_eq!((slots.free(), slots.peak()), (0, 2));
    }
}
