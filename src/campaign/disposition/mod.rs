//! What a call's end means for the lead: one ordered table of rules over `endedReason`.

mod rules;

use std::fmt;
use std::sync::OnceLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::pool::name::ById;
use rules::{LAST, RULES, Rule};

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

impl Class {
    /// Every class, in the order in which reports show them.
    pub const ALL: [Self; 12] = [
        Self::Answered,
        Self::HungUp,
        Self::Rejected,
        Self::Voicemail,
        Self::NoAnswer,
        Self::Busy,
        Self::Invalid,
        Self::Cancelled,
        Self::Fault,
        Self::Config,
        Self::Unknown,
        Self::Suppressed,
    ];

    /// Its name in `--retry`, in the journal and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::HungUp => "hung-up",
            Self::Rejected => "rejected",
            Self::Voicemail => "voicemail",
            Self::NoAnswer => "no-answer",
            Self::Busy => "busy",
            Self::Invalid => "invalid",
            Self::Cancelled => "cancelled",
            Self::Fault => "fault",
            Self::Config => "config",
            Self::Unknown => "unknown",
            Self::Suppressed => "suppressed",
        }
    }

    /// The class of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Whether a person picked up: also one who hung up at once.
    pub const fn is_answered(self) -> bool {
        matches!(self, Self::Answered | Self::HungUp)
    }

    /// Whether the call got through to the network of the person: the phone rang, was busy, or was turned down.
    pub const fn reached_network(self) -> bool {
        matches!(self, Self::Answered | Self::HungUp | Self::Rejected | Self::Voicemail | Self::NoAnswer | Self::Busy)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
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

    /// Whether such an end can only follow a call that was put through to the person's network, so that their phone
    /// may have rung. A refusal by the carrier is among them: with some carriers it is the person who refuses. Faults
    /// are not: those behind an answer carry `startedAt`, which says the same for itself.
    pub const fn implies_rung(self) -> bool {
        matches!(self, Self::Contact(class) if class.reached_network())
    }
}

/// Sorts one `endedReason`; an empty one is unknown.
pub fn classify(reason: &str) -> Verdict {
    find(reason).verdict
}

/// The name of the rule that sorts this reason: `R01` to `R29`, `R99` where none does.
pub fn rule(reason: &str) -> &'static str {
    find(reason).name
}

fn find(reason: &str) -> &'static Rule {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let table = TABLE.get_or_init(Table::build);
    match table.exact.get(reason) {
        Some(rule) => rule,
        None => table.search(reason),
    }
}

/// The rules, made ready: whole reasons by hash, and what may stand anywhere as one automaton a rule.
struct Table {
    exact: ById<&'static str, &'static Rule>,
    within: Vec<(&'static str, Regex)>,
}

impl Table {
    fn build() -> Self {
        let automaton = |rule: &Rule| {
            let escaped: Vec<String> = rule.within.iter().map(|part| regex::escape(part)).collect();
            (rule.name, Regex::new(&escaped.join("|")).expect("escaped literals are a valid expression"))
        };
        let within = RULES.iter().filter(|rule| !rule.within.is_empty()).map(automaton).collect();
        let mut table = Self { exact: ById::default(), within };
        // Looked up in order all the same: an earlier rule may catch by its beginning what a later one spells out.
        let whole = RULES.iter().flat_map(|rule| rule.exact);
        table.exact = whole.map(|reason| (*reason, table.search(reason))).collect();
        table
    }

    fn search(&self, reason: &str) -> &'static Rule {
        let matches = |rule: &&Rule| {
            rule.exact.contains(&reason)
                || rule.prefix.iter().any(|start| reason.starts_with(start))
                || self.within.iter().any(|(name, any)| *name == rule.name && any.is_match(reason))
        };
        RULES.iter().find(matches).unwrap_or(&LAST)
    }
}
