//! The only place where a run asks what time it is.

use std::time::Duration;

use jiff::Timestamp;

use crate::steady;
use crate::time::{Instant, Now};

/// A clock that only goes forward, at the rate of real time or faster.
#[derive(Clone, Debug)]
pub struct Clock {
    began: Duration,
    origin: Instant,
    rate: f64,
}

impl Clock {
    /// Real time.
    pub fn real() -> Self {
        Self::quick(1.0)
    }

    /// A clock that goes that many times as fast as real time, from now on.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn quick(rate: f64) -> Self {
        Self { began: steady::now(), origin: Timestamp::now().into(), rate }
    }

    /// What time it is. Under a quick clock the wall clock is as quick; else it is the machine's, as it is set now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Now {
        let at = self.origin + steady::now().saturating_sub(self.began).mul_f64(self.rate);
        let wall = if self.is_real() { Timestamp::now() } else { at.timestamp() };
        Now { at, wall }
    }

    /// How long to really sleep until then.
    pub fn sleep_until(&self, at: Instant) -> Duration {
        at.since(self.now().at).div_f64(self.rate)
    }

    /// How many times as fast as real time it goes.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    fn is_real(&self) -> bool {
        (self.rate - 1.0).abs() < f64::EPSILON
    }
}
