//! The life of an attempt: the facts that are known of it, and the one pure function that says what they mean.
//!
//! Only facts are stored, never a state: so the order in which an answer and a listing arrive cannot matter, and a
//! late fact is no special case.

use serde::{Deserialize, Serialize};

use super::disposition::{Class, Verdict, classify};
use crate::time::{Instant, Stamp};

/// Why an attempt surely created no call; none of these counts as a contact attempt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The pool was full, in any of the four shapes.
    Pool,
    /// Too many requests: a 429 that does not speak of concurrency.
    Rate,
    /// Nothing was sent: no connection, no name, no TLS.
    Connect,
    /// In doubt, and proven absent.
    Absent,
    /// The account: key, credit, frozen, configuration.
    Account,
    /// The line (phone number id) that it was to be called from.
    Line,
    /// The number of the lead: never again.
    Lead,
    /// Any other 4xx: settled as `config`.
    Config,
    /// Taken back before it was sent: the lead's call came to light meanwhile, or the run stopped.
    Withdrawn,
}

impl Cause {
    /// Every cause, in a fixed order.
    pub const ALL: [Self; 9] = [
        Self::Pool,
        Self::Rate,
        Self::Connect,
        Self::Absent,
        Self::Account,
        Self::Line,
        Self::Lead,
        Self::Config,
        Self::Withdrawn,
    ];

    /// Its name in the journal and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Rate => "rate",
            Self::Connect => "connect",
            Self::Absent => "absent",
            Self::Account => "account",
            Self::Line => "line",
            Self::Lead => "lead",
            Self::Config => "config",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The cause of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// How a call ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallEnd {
    /// `endedAt`, else the newest stamp the provider gave.
    pub at: Stamp,
    /// `endedReason` as it came; empty where none was given.
    pub reason: String,
}

/// All that is known of one attempt. Every field is a fact that only ever gets added.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Facts {
    /// Surely not created, and why (never `Absent`, which is `absent`).
    pub refused: Option<Cause>,
    /// The 2xx came, or a listing showed the call.
    pub created: bool,
    /// The 2xx said `concurrencyBlocked: true`.
    pub blocked: bool,
    /// Since when nobody knows whether it was created.
    pub failed: Option<Instant>,
    /// Seen ringing or talking, or with `startedAt`.
    pub rung: bool,
    /// `startedAt`: since when the phone was answered; the first change seen of a call in progress, where none is given.
    pub started: Option<Stamp>,
    /// Somebody spoke.
    pub spoke: bool,
    /// Its end.
    pub ended: Option<CallEnd>,
    /// Followed for longer than a call can last; given up, its end unknown.
    pub given_up: bool,
    /// When one complete listing proved it absent.
    pub absent: Option<Instant>,
    /// When it was put aside for a person.
    pub parked: Option<Instant>,
    /// A person gave a parked one back.
    pub released: bool,
}

/// What the facts mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum State {
    /// On disk; may be on its way.
    Claimed,
    /// Surely not created, or never rang and does not count.
    Refused(Cause),
    /// Nobody knows whether it was created.
    InDoubt,
    /// In doubt for good, until a person or a listing says more.
    Parked,
    /// Up. `blocked`: holds no slot until it is seen ringing.
    Placed {
        /// The answer said that the pool was full.
        blocked: bool,
    },
    /// Over, with what that means for the lead.
    Ended(Class),
}

impl State {
    /// Whether this attempt may still turn out to be a call that is up or on its way.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Claimed | Self::InDoubt | Self::Placed { .. })
    }

    /// Whether it counts as a contact attempt: the phone may have rung because of it.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Ended(_) | Self::Placed { .. })
    }
}

impl Facts {
    /// What is true of an attempt of which this is known.
    pub fn state(&self) -> State {
        if let Some(end) = &self.ended {
            return self.ended_state(end);
        }
        if self.given_up {
            // Put aside as well: the provider has lost it.
            return match self.parked {
                Some(_) if self.released => State::Refused(Cause::Absent),
                Some(_) => State::Parked,
                None => State::Ended(Class::Unknown),
            };
        }
        let blocked = self.blocked && !self.rung;
        if self.created && !(blocked && self.parked.is_some()) {
            // One that was refused with an id, and that the provider does not know, was refused.
            let refused = blocked && self.absent.is_some();
            return if refused { State::Refused(Cause::Pool) } else { State::Placed { blocked } };
        }
        match (self.refused, self.absent, self.parked, self.failed) {
            (Some(cause), ..) => State::Refused(cause),
            (_, _, Some(_), _) if self.released => State::Refused(Cause::Absent),
            (_, _, Some(_), _) => State::Parked,
            (_, Some(_), ..) => State::Refused(Cause::Absent),
            (.., Some(_)) => State::InDoubt,
            _ => State::Claimed,
        }
    }

    fn ended_state(&self, end: &CallEnd) -> State {
        let verdict = classify(&end.reason);
        let rung = self.rung || verdict.implies_rung();
        match verdict {
            Verdict::Pool if !rung => State::Refused(Cause::Pool),
            Verdict::Account if !rung => State::Refused(Cause::Account),
            Verdict::Line if !rung => State::Refused(Cause::Line),
            _ if self.blocked && !rung => State::Refused(Cause::Pool),
            verdict => State::Ended(verdict.class()),
        }
    }
}
