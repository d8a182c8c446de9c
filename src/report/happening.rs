//! What observers of a run are told, as plain data: how things stand, and what happened, each with its time.

use super::notice::Severity;
use crate::campaign::disposition::Class;
use crate::campaign::notice::Notice;
use crate::leads::lead::Phone;
use crate::pool::calls::CallId;
use crate::pool::headroom::Slots;
use crate::time::Now;

/// How things stand at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    /// When.
    pub now: Now,
    /// Leads on the list.
    pub total: u64,
    /// Leads with nothing more to do.
    pub settled: u64,
    /// The batch that is open.
    pub batch: Option<OpenBatch>,
    /// The pool.
    pub slots: Slots,
    /// Dialing is held up, and by what: a pause, closed hours, an adoption to be confirmed.
    pub held_up: Option<String>,
}

/// The batch that is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenBatch {
    /// Its number.
    pub number: u64,
    /// Leads of it that need no dialing any more for now.
    pub done: usize,
    /// Leads it was cut with.
    pub size: usize,
}

/// A call that is over.
#[derive(Clone, PartialEq, Debug)]
pub struct EndedCall {
    /// Whom it was to; none for a lead of an earlier run.
    pub phone: Option<Phone>,
    /// Its id, where that is known.
    pub call: Option<CallId>,
    /// The phone number that it was made from, where this run made it.
    pub line: Option<String>,
    /// What its end means for the lead.
    pub class: Class,
    /// `endedReason`.
    pub reason: Option<String>,
    /// What it cost, in US dollars, where that is known by now.
    pub cost_usd: Option<f64>,
}

/// What an observer is told.
#[derive(Clone, PartialEq, Debug)]
pub enum Happening {
    /// How things stand now.
    Stands(Snapshot),
    /// The campaign has something to say, and whom it is about.
    Told(Now, Notice, Option<Phone>),
    /// The run itself has something to say.
    Said(Now, Severity, String),
    /// A call is over.
    CallEnded(Now, EndedCall),
}
