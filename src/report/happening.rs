//! What observers of a run are told, as plain data: how things stand, and what happened, each with its time.

use std::time::Duration;

use jiff::Timestamp;

use super::notice::Severity;
use crate::campaign::attempt::State;
use crate::campaign::disposition::Class;
use crate::campaign::notice::Notice;
use crate::exit::Exit;
use crate::journal::Totals;
use crate::leads::lead::Phone;
use crate::pool::calls::CallId;
use crate::pool::headroom::Slots;
use crate::time::{Instant, Now};

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
    /// What programs are shown besides.
    pub gauges: Gauges,
}

/// What programs are shown besides.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Gauges {
    /// How the campaign stands, as far as this run knows: its costs and minutes apart, those of the start.
    pub totals: Totals,
    /// Slots to be reserved at this hour, free or not.
    pub reserve: u32,
    /// When the newest observation of the pool was received.
    pub observed: Option<Instant>,
    /// `dialer pause`, until `dialer resume`.
    pub paused: bool,
    /// No more calls are placed: it was told to stop, or has to.
    pub stopping: bool,
    /// What the campaign has cost over all its runs, in US dollars.
    pub cost_usd: f64,
    /// The fewest slots that were free while this run held any, as far as known.
    pub lowest_free: Option<u32>,
    /// For how long fewer than the reserve were free, as far as known.
    pub below_reserve: Duration,
    /// When the next lead may be called, where none may be called now.
    pub next_at: Option<Timestamp>,
    /// Requests that this run may still make in this minute of UTC; none where nothing limits them.
    pub requests_left: Option<u32>,
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

/// A request to the provider that is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// What it was for.
    pub kind: RequestKind,
    /// What came of it.
    pub outcome: RequestOutcome,
    /// From its first byte to its answer, on the run's clock.
    pub took: Duration,
}

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RequestKind {
    /// It places a call.
    Dial,
    /// It reads a listing, or one call.
    Read,
}

/// What came of a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RequestOutcome {
    /// An answer that says what was asked for.
    Answered,
    /// An answer that refuses it.
    Refused,
    /// No answer, or none that can be read.
    Failed,
}

/// An attempt of this campaign whose state is another now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AttemptChange {
    /// What it was.
    pub was: Option<State>,
    /// What it is.
    pub now: State,
    /// The status of the answer that refused it, where one did.
    pub status: Option<u16>,
}

/// How a run ended.
#[derive(Clone, PartialEq, Debug)]
pub struct RunEnded {
    /// With which code.
    pub exit: Exit,
    /// How the campaign stands, where the journal could be asked.
    pub totals: Option<Totals>,
    /// When there is more to do.
    pub next_at: Option<Timestamp>,
    /// What a person is told at the end: the error, if it was one, and the summary.
    pub report: String,
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
    /// A request to the provider is over.
    Requested(Now, Request),
    /// Attempts of this campaign went from one state to another.
    AttemptsChanged(Now, Vec<AttemptChange>),
    /// The run is over; nothing follows.
    Ended(Now, Box<RunEnded>),
}
