//! Two lines of time that are never mixed up, and the moment at which something is decided.
//!
//! [`Instant`] is this machine's: it only goes forward within a run, and what is written down with it means the same
//! to every run on the machine. [`Stamp`] is the provider's (`createdAt`, `endedAt`, the `Date` header). Only
//! [`crate::pool::offset`] turns one into the other, and only as bounds. Nothing here reads a clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

macro_rules! line_of_time {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// From microseconds since 1970-01-01 UTC.
            pub const fn from_micros(micros: i64) -> Self {
                Self(micros)
            }

            /// Microseconds since 1970-01-01 UTC.
            pub const fn as_micros(self) -> i64 {
                self.0
            }

            /// The time that has gone by since `earlier`; zero if it lies ahead.
            pub fn since(self, earlier: Self) -> Duration {
                Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
            }

            /// The same point as an instant that calendars understand; clamped to what they can show.
            pub fn timestamp(self) -> Timestamp {
                Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
            }
        }

        impl From<Timestamp> for $name {
            fn from(timestamp: Timestamp) -> Self {
                Self(timestamp.as_microsecond())
            }
        }

        impl Add<Duration> for $name {
            type Output = Self;
            fn add(self, by: Duration) -> Self {
                Self(self.0.saturating_add(micros(by)))
            }
        }

        impl Sub<Duration> for $name {
            type Output = Self;
            fn sub(self, by: Duration) -> Self {
                Self(self.0.saturating_sub(micros(by)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:.3}", self.timestamp())
            }
        }
    };
}

line_of_time! {
    /// A point on this machine's line of time, to the microsecond. Never goes back within a run.
    Instant
}
line_of_time! {
    /// A point on the provider's line of time, to the microsecond.
    Stamp
}

/// When something is decided: `at` for every wait, `wall` only for calling hours and for what people read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// This machine's line of time.
    pub at: Instant,
    /// The wall clock.
    pub wall: Timestamp,
}

impl Stamp {
    /// The same on a clock that is off by so many microseconds.
    #[must_use]
    pub const fn shifted(self, by: i64) -> Self {
        Self(self.0.saturating_add(by))
    }
}

impl Now {
    /// The same instant on the line of time of a run that begins now. It is `at`, unless the wall clock was set forward
    /// meanwhile: what other runs are to measure from must not look older to them than it is.
    pub fn for_others(self, at: Instant) -> Instant {
        const JITTER: Duration = Duration::from_secs(1);
        let ahead = Instant::from(self.wall).since(self.at);
        if ahead > JITTER { at + ahead } else { at }
    }
}

/// The earlier of two times that may not come.
pub(crate) fn sooner<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Microseconds of a duration, as signed as the lines of time are.
pub(crate) fn micros(duration: Duration) -> i64 {
    let whole = duration.as_secs().saturating_mul(1_000_000).saturating_add(duration.subsec_micros().into());
    i64::try_from(whole).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_never_goes_below_zero() {
        let (early, late) = (Instant::from_micros(5), Instant::from_micros(9));
        assert_eq!(late.since(early), Duration::from_micros(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[test]
    fn a_wall_clock_that_was_set_forward_makes_nothing_older_for_others() {
        let at = Instant::from_micros(1_000_000_000);
        let set = |by: Duration| Now { at, wall: (at + by).timestamp() };
        let failed = Instant::from_micros(999_000_000);
        assert_eq!(set(Duration::from_millis(3)).for_others(failed), failed);
        assert_eq!(set(Duration::from_mins(20)).for_others(failed), failed + Duration::from_mins(20));
        assert_eq!(Now { at, wall: Timestamp::UNIX_EPOCH }.for_others(failed), failed);
    }

    #[test]
    fn far_ends_saturate() {
        assert_eq!(Stamp::from_micros(i64::MAX) + Duration::MAX, Stamp::from_micros(i64::MAX));
        assert_eq!(Stamp::from_micros(i64::MAX).timestamp(), Timestamp::MAX);
    }
}
