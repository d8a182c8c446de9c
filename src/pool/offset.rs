//! How far the provider's clock is from ours: bounds, never a guess.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::{Instant, Stamp};

/// Bounds of "provider minus ours", in microseconds. Without news both clocks are taken to agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Offset {
    bounds: Option<(i64, i64)>,
}

/// A `Date` header is cut to the second.
const DATE_CUT: Duration = Duration::from_secs(1);
/// A `createdAt` is cut to the millisecond.
const CREATED_CUT: Duration = Duration::from_millis(1);

impl Offset {
    /// From the `Date` of an answer whose request was sent and that was received at these times.
    pub fn hear_date(&mut self, date: Stamp, sent: Instant, received: Instant) {
        self.narrow(apart(date, received), apart(date + DATE_CUT, sent));
    }

    /// From a `createdAt` stamped while a request was on its way.
    pub fn hear_created(&mut self, created: Stamp, sent: Instant, received: Instant) {
        self.narrow(apart(created, received), apart(created + CREATED_CUT, sent));
    }

    fn narrow(&mut self, low: i64, high: i64) {
        let (old_low, old_high) = self.bounds.unwrap_or((low, high));
        let (both_low, both_high) = (low.max(old_low), high.min(old_high));
        // Nothing left: one of the clocks was set. The newest news is all there is.
        self.bounds = Some(if both_low <= both_high { (both_low, both_high) } else { (low, high) });
    }

    /// The latest time that it may have been for the provider.
    pub fn latest(&self, at: Instant) -> Stamp {
        Stamp::from_micros(at.as_micros().saturating_add(self.bounds.map_or(0, |bounds| bounds.1)))
    }

    /// The earliest time that it may have been for the provider.
    pub fn earliest(&self, at: Instant) -> Stamp {
        Stamp::from_micros(at.as_micros().saturating_add(self.bounds.map_or(0, |bounds| bounds.0)))
    }

    /// The latest time of ours at which it may have been that time for the provider.
    pub fn latest_ours(&self, stamp: Stamp) -> Instant {
        Instant::from_micros(stamp.as_micros().saturating_sub(self.bounds.map_or(0, |bounds| bounds.0)))
    }

    /// The latest time that an answer can speak of: its `Date`, cut to the second, or when it was received, whichever
    /// is earlier.
    pub(super) fn heard_at(&self, date: Option<Stamp>, received: Instant) -> Stamp {
        let latest = self.latest(received);
        date.map_or(latest, |date| latest.min(date + DATE_CUT))
    }

    /// How far apart the clocks are at the least; `None` before any news.
    pub fn at_least(&self) -> Option<Duration> {
        self.bounds.map(|(low, high)| Duration::from_micros(low.max(-high).max(0).unsigned_abs()))
    }
}

fn apart(theirs: Stamp, ours: Instant) -> i64 {
    theirs.as_micros().saturating_sub(ours.as_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ours(seconds: i64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }
    const fn theirs(seconds: i64) -> Stamp {
        Stamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn bounds_are_intersected_and_begun_anew() {
        let mut offset = Offset::default();
        offset.hear_date(theirs(110), ours(100), ours(101));
        assert_eq!((offset.earliest(ours(0)), offset.latest(ours(0))), (theirs(9), theirs(11)));
        offset.hear_created(theirs(210), ours(200), ours(200));
        let cut = Duration::from_millis(1);
        assert_eq!((offset.earliest(ours(0)), offset.latest(ours(0))), (theirs(10), theirs(10) + cut));
        offset.hear_date(theirs(300), ours(300), ours(301));
        assert_eq!((offset.earliest(ours(0)), offset.latest(ours(0))), (theirs(-1), theirs(1)));
    }

    #[test]
    fn clocks_are_as_far_apart_as_the_nearer_bound_says() {
        let mut offset = Offset::default();
        assert_eq!(offset.at_least(), None);
        offset.hear_date(theirs(1000), ours(800), ours(801));
        assert_eq!(offset.at_least(), Some(Duration::from_secs(199)));
        offset.hear_date(theirs(1000), ours(1000), ours(1001));
        assert_eq!(offset.at_least(), Some(Duration::ZERO));
    }
}
