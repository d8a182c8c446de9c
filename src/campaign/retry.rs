//! Whether a lead is rung again, and when.

use jiff::Timestamp;

use super::disposition::Class;
use super::event::LeadNow;
use super::hours::Calling;

/// How often a lead is rung, and how long after which end.
#[derive(Clone, Debug)]
pub struct Retries {}

/// One contact attempt that is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contact {
    /// When it was claimed, on the wall clock.
    pub began: Timestamp,
    /// When it ended, on the wall clock.
    pub ended: Timestamp,
    /// How.
    pub class: Class,
    /// A person was on the line.
    pub spoke: bool,
}

impl Retries {
    /// One attempt a lead, none again.
    pub fn never() -> Self {
        Self {}
    }

    /// What a lead is after these contacts (in order, at least one): settled, or due again. `lead` seeds the jitter.
    pub fn verdict(&self, _contacts: &[Contact], _zones: &[String], _calling: &Calling, _lead: u64) -> LeadNow {
        LeadNow::Settled(Class::Unknown)
    }

    /// When the lead may be rung again as far as `--per-day` goes, given when its contacts began; `None`: now.
    pub fn not_before(
        &self,
        _began: &[Timestamp],
        _zones: &[String],
        _calling: &Calling,
        _now: Timestamp,
    ) -> Option<Timestamp> {
        None
    }
}
