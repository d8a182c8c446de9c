//! What the journal replies: what a run goes on from, whom it may dial, and what the news have changed. Plain data.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attempt::State;
use super::budget::RequestsLeft;
use super::disposition::Class;
use super::event::{LeadId, Line};
use crate::leads::lead::Lead;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;
use crate::pool::news::Others;
use crate::time::{Instant, Stamp};

/// A batch that was opened, or why there is none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Opened {
    /// Leads that may be dialed now, in list order.
    Batch {
        /// Its number: it only grows.
        number: u64,
        /// Leads it was cut with; more than `leads` where it is taken up again.
        size: usize,
        /// Who is left to dial.
        leads: Vec<BatchLead>,
    },
    /// Nobody may be dialed now.
    Nobody(Rest),
}

/// One lead of a batch.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BatchLead {
    /// Its number in the journal.
    pub id: LeadId,
    /// Who to call.
    pub lead: Lead,
    /// Attempts that ended in doubt and were proven absent.
    pub doubts: u32,
}

/// What is left of the list when nobody may be dialed now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Rest {
    /// Leads that may be dialed later.
    pub later: u64,
    /// When the first of them may.
    pub next_at: Option<Timestamp>,
}

/// What the journal made of an ask.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Claimed {
    /// On disk: these may be placed.
    pub granted: Vec<Granted>,
    /// Leads of the ask that may not be dialed now after all; the rest of those not granted stay where they are.
    pub denied: Vec<(LeadId, Denied)>,
    /// What other runs on this pool know and do.
    pub others: Box<Others>,
    /// What is left of the budget of requests, where there is one.
    #[serde(default)]
    pub left: Option<RequestsLeft>,
}

/// What the journal made of a booking.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Booked {
    /// So many may be made now.
    pub granted: u32,
    /// What is left of the budget, where there is one.
    pub left: Option<RequestsLeft>,
}

/// An attempt that is on disk.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Granted {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its lead.
    pub lead: LeadId,
    /// The line it is to be called from.
    pub line: Line,
}

/// Why a lead may not be dialed now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Denied {
    /// On a do-not-call list: settled.
    Suppressed,
    /// Its hours have closed, it was called today often enough, or another campaign has it.
    Later,
    /// Settled or removed meanwhile.
    Gone,
}

/// What a record changed, worked out by the journal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Recorded {
    /// Attempts whose state is another now, this campaign's and orphans'.
    pub changes: Vec<Change>,
    /// Calls with this campaign's mark that no attempt of this journal has made, met for the first time.
    pub strangers: Vec<UnknownCall>,
}

/// An attempt whose state changed, and what that means for its lead.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its call, where one is known.
    pub call: Option<CallId>,
    /// Its lead, if the campaign of this run has it.
    pub lead: Option<LeadId>,
    /// What it was.
    pub was: Option<State>,
    /// What it is.
    pub now: State,
    /// What the lead is now.
    pub lead_now: LeadNow,
    /// The lead was placed twice: a double call, to be reported.
    pub double: bool,
    /// The reason the call ended with.
    pub reason: Option<String>,
}

/// What a lead is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LeadNow {
    /// To be called now.
    Open,
    /// To be called later, not before that.
    Due(Timestamp),
    /// An attempt of it is on its way, up, or in doubt.
    Busy,
    /// Put aside for a person.
    Parked,
    /// Nothing more to do.
    Settled(Class),
    /// Not of this campaign, or not on its list any more.
    Elsewhere,
}

/// A call with this campaign's mark that this journal did not make.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct UnknownCall {
    /// The attempt id it carries.
    pub attempt: AttemptId,
    /// The call.
    pub call: CallId,
    /// When it was created.
    pub created: Stamp,
    /// Whom it called, where the listing shows a number that can be read.
    #[serde(default)]
    pub phone: Option<crate::leads::lead::Phone>,
}

/// An attempt of the past that is not over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Open {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its call, once known.
    pub call: Option<CallId>,
    /// Its number, where it is known.
    pub phone: Option<crate::leads::lead::Phone>,
    /// Whether it is this campaign's.
    pub ours: bool,
    /// The id of the line that it was made from, where that is known.
    pub line: Option<Arc<str>>,
    /// How long its own campaign lets absence hold; none: a person decides (`--in-doubt never`).
    pub in_doubt: Option<Duration>,
    /// What it is; `Claimed` of a dead run is handed over as `InDoubt`.
    pub state: State,
    /// Since when it is in doubt: for a dead run's claim, when its death was noticed.
    pub failed: Option<Instant>,
    /// The provider's time at the claim, at the least.
    pub provider_time: Stamp,
    /// When its call was created, once known.
    pub created: Option<Stamp>,
}

/// Everything that a run goes on from; that of a fresh start is empty.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResumeState {
    /// Attempts of this account that are not over and that no other live run looks after.
    pub open: Vec<Open>,
    /// What is known of the pool, and what other runs do.
    pub others: Others,
    /// The account's listing is known up to here; none for a journal new to the account.
    pub watermark: Option<Stamp>,
    /// And from there on, without a gap.
    pub known_from: Option<Stamp>,
    /// The journal holds an attempt of this campaign.
    pub has_attempts: bool,
    /// Calls of earlier runs that are over and that the provider may still analyse, each with until when that is waited
    /// for.
    #[serde(default)]
    pub awaited: Vec<(CallId, Instant)>,
    /// Calls with this campaign's mark that earlier searches found and nobody has taken in.
    pub strangers: Vec<UnknownCall>,
    /// When this campaign last adopted calls without the second search having been done since.
    pub adopted_at: Option<Instant>,
    /// A pause is kept.
    pub paused: bool,
    /// The machine of this run and the provider name the same organisation as the journal.
    pub org_confirmed: bool,
    /// Leads that are not settled.
    pub unsettled: u64,
    /// What the campaign has cost so far, in US dollars.
    pub cost_usd: f64,
    /// Its calls that are over.
    pub calls_ended: u64,
    /// The limit that this pool was last known to have, by any run.
    pub last_limit: Option<u32>,
}
