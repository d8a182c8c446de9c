//! The line of time that a journal's instants stand on.

use crate::time::Instant;

/// How instants are written: on this machine's own line of time where the journal is a file, on the database's where it is
/// on a server. Only here does one become the other.
#[derive(Clone, Copy, Default, Debug)]
pub(in super::super) struct Line {
    /// How far the database's clock is ahead of this machine's, in microseconds.
    ahead: i64,
}

impl Line {
    /// As it is written.
    pub(in super::super) fn micros(self, at: Instant) -> i64 {
        at.as_micros().saturating_add(self.ahead)
    }

    /// From what was written.
    pub(in super::super) fn instant(self, micros: i64) -> Instant {
        Instant::from_micros(micros.saturating_sub(self.ahead))
    }

    /// From readings of the database's clock, each with this machine's before and after it: what is ahead lies between
    /// two bounds, and the middle of the narrowest is taken.
    #[cfg(feature = "postgres")]
    pub(super) fn between(readings: impl Iterator<Item = (Instant, i64, Instant)>) -> Self {
        let bounds = readings.map(|(before, read, after)| (read - after.as_micros(), read - before.as_micros()));
        let (least, most) = bounds.reduce(|one, other| (one.0.max(other.0), one.1.min(other.1))).unwrap_or_default();
        Self { ahead: least.midpoint(most) }
    }
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn where_the_line_lies_is_narrowed_by_every_reading() {
        let at = Instant::from_micros;
        let line = Line::between([(at(0), 1_000_100, at(200)), (at(300), 1_000_310, at(320))].into_iter());
        assert_eq!(line.micros(at(50)), 1_000_050);
        assert_eq!(line.instant(1_000_050), at(50));
    }
}
