//! How fast leads are being settled, smoothed, and when the rest would be.

use std::time::Duration;

use jiff::Timestamp;

use super::happening::Snapshot;
use crate::time::Instant;

/// How far back the pace looks: what was settled this long ago counts about a third.
const MEMORY: f64 = 300.0;
/// No forecast before the pace rests on this much time.
const LEAST: f64 = 20.0;

/// The pace of settling.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    last: Option<(Instant, u64)>,
    settled: f64,
    seconds: f64,
}

impl Pace {
    /// Takes in how many are settled now. A number that falls (leads reopened) begins it anew.
    #[expect(clippy::cast_precision_loss, reason = "a pace for people, from counts far below 2^52")]
    pub fn observe(&mut self, at: Instant, settled: u64) {
        let Some((then, before)) = self.last else {
            self.last = Some((at, settled));
            return;
        };
        if settled < before {
            *self = Self { last: Some((at, settled)), ..Self::default() };
            return;
        }
        let seconds = at.since(then).as_secs_f64();
        let fade = (-seconds / MEMORY).exp();
        self.settled = self.settled * fade + (settled - before) as f64;
        self.seconds = self.seconds * fade + seconds;
        self.last = Some((at, settled));
    }

    /// Leads settled a minute; none as long as there is too little to go by.
    pub fn a_minute(&self) -> Option<f64> {
        (self.seconds >= LEAST && self.settled >= 0.5).then(|| self.settled / self.seconds * 60.0)
    }

    /// When the rest would be settled; none where nothing is left, dialing is held up, or that is not to be said.
    pub fn done_at(&self, snapshot: &Snapshot) -> Option<Timestamp> {
        let left = snapshot.total.saturating_sub(snapshot.settled);
        let wait = self.time_for(left).filter(|_| left > 0 && snapshot.held_up.is_none())?;
        snapshot.now.wall.checked_add(wait).ok()
    }

    /// How long so many more would take; none where that is not to be said.
    #[expect(clippy::cast_precision_loss, reason = "a pace for people, from counts far below 2^52")]
    pub fn time_for(&self, leads: u64) -> Option<Duration> {
        let seconds = leads as f64 / self.a_minute()? * 60.0;
        // A forecast beyond a month says nothing.
        (seconds < 31.0 * 86_400.0).then(|| Duration::from_secs_f64(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_steady_pace_is_found_and_a_new_one_is_followed() {
        let mut pace = Pace::default();
        let mut settled = 310;
        for second in 0..=600 {
            settled += u64::from(second % 6 == 5);
            pace.observe(at(second), settled);
        }
        assert!((pace.a_minute().unwrap() - 10.0).abs() < 0.2, "{pace:?}");
        assert_eq!(pace.time_for(100).unwrap().as_secs() / 60, 9);
        for second in 601..=2400 {
            settled += 1;
            pace.observe(at(second), settled);
        }
        assert!((pace.a_minute().unwrap() - 60.0).abs() < 2.0, "{pace:?}");
    }

    #[test]
    fn nothing_is_foretold_from_nothing() {
        let mut pace = Pace::default();
        assert_eq!(pace.a_minute(), None);
        pace.observe(at(0), 5);
        pace.observe(at(0), 5);
        pace.observe(at(90), 5);
        assert_eq!(pace.time_for(10), None);
        pace.observe(at(95), 2);
        pace.observe(at(96), 3);
        assert_eq!(pace.a_minute(), None, "leads were reopened");
    }
}
