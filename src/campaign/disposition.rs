//! What a call's end means for the lead: one ordered table of rules over `endedReason`.

use serde::{Deserialize, Serialize};

/// What became of a lead, or of one call to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A conversation took place.
    Answered,
    /// A person picked up and hung up.
    HungUp,
    /// The person or the carrier refused the call.
    Rejected,
    /// A machine.
    Voicemail,
    /// It rang out.
    NoAnswer,
    /// Busy.
    Busy,
    /// Not a number that can be reached.
    Invalid,
    /// We or an operator stopped it.
    Cancelled,
    /// The provider's fault.
    Fault,
    /// Credentials, quota or configuration of a provider; or a request that was refused as malformed.
    Config,
    /// A reason that no rule knows, or no reason.
    Unknown,
    /// On a do-not-call list.
    Suppressed,
}

/// What an ended reason says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// R01: the pool was full; not an attempt unless it rang.
    Pool,
    /// A STOP rule: the account or its configuration.
    Account,
    /// R04: the line has had its calls for today.
    Line,
    /// A contact attempt of that class.
    Contact(Class),
}

impl Verdict {
    /// The class that it counts as if the phone rang all the same.
    pub const fn class(self) -> Class {
        match self {
            Self::Contact(class) => class,
            Self::Pool => Class::Fault,
            Self::Account | Self::Line => Class::Config,
        }
    }

    /// Whether such an end can only follow a phone that rang.
    pub const fn implies_rung(self) -> bool {
        matches!(
            self,
            Self::Contact(Class::Answered | Class::HungUp | Class::Voicemail | Class::NoAnswer | Class::Busy)
        )
    }
}

/// Sorts one `endedReason`; an empty one is unknown.
pub fn classify(_reason: &str) -> Verdict {
    Verdict::Contact(Class::Unknown)
}
