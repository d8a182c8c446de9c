//! When a lead may be rung.

use jiff::Timestamp;

/// Hours, days and holidays, in the lead's own zones.
#[derive(Clone, Debug)]
pub struct Calling {}

impl Calling {
    /// Any time, anywhere.
    pub fn any() -> Self {
        Self {}
    }

    /// Whether a call may be started now: every zone is open, and stays so for the guard time.
    pub fn is_open(&self, _zones: &[String], _now: Timestamp) -> bool {
        true
    }

    /// The first instant, now or later, at which a call may be started; `None` if there is none in 14 days.
    pub fn next_open(&self, _zones: &[String], now: Timestamp) -> Option<Timestamp> {
        Some(now)
    }
}
