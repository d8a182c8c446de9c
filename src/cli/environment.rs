//! What a command finds around it: the environment, the time, the machine's zone. Handed over, so that a plan can be
//! tested with any of them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The environment, the time and the zone of one command.
pub struct Environment<'a> {
    /// Reads an environment variable; none for one that is not set or not text.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// When the command was given.
    pub now: Timestamp,
    /// The machine's zone: of times of day in options, and of `{date}`.
    pub zone: TimeZone,
}

impl Environment<'_> {
    /// Those of this process, now.
    pub fn of_process() -> Self {
        Self { env: &process_env, now: crate::drive::clock::Clock::real().now().wall, zone: TimeZone::system() }
    }

    /// The same now.
    #[must_use]
    pub fn later(&self) -> Self {
        Self { env: self.env, zone: self.zone.clone(), now: crate::drive::clock::Clock::real().now().wall }
    }

    /// A variable that is set to something.
    pub fn var(&self, name: &str) -> Option<String> {
        (self.env)(name).filter(|value| !value.trim().is_empty())
    }
}

/// A variable of this process.
pub fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
