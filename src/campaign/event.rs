//! The whole seam between deciding and doing: what the campaign is told, and what it wants done. Plain data.
//!
//! Whoever carries out an [`Action`] writes down every [`News`] in the journal before the campaign hears of it, and
//! hands over what the journal made of it ([`Change`]) together with it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::attempt::{Cause, State};
use super::disposition::Class;
use crate::leads::lead::{Lead, Phone};
use crate::pool::Pool;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;
use crate::pool::news::{Limits, Others, Wire};
use crate::time::{Instant, Stamp};

/// A lead's number in the journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LeadId(pub i64);

/// A line's number in the plan's list of phone numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Line(pub usize);

/// Which read an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReadId(pub u64);

/// What the campaign wants done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Cut the next batch. Answered by [`Event::BatchOpened`].
    OpenBatch,
    /// The open batch has nobody left to dial now: write down that it is closed. No answer.
    CloseBatch(u64),
    /// Put attempts on disk, as many of these as the pool still allows. Answered by [`Event::Claimed`].
    Claim(Ask),
    /// Send the one request of an attempt that was granted, from this line. Answered by [`Event::News`].
    Place(AttemptId, Line),
    /// Read a listing. Answered by [`Event::News`] with [`News::Listed`], or [`Event::ReadFailed`].
    Read(ReadId, Query),
    /// Write down a fact that the campaign itself found. Answered by [`Event::News`] at once.
    Record(News),
    /// Write down that the account's listing is known up to here.
    Watermark(Stamp),
    /// Take this campaign's calls that the journal does not know into it. Answered by [`Event::Adopted`].
    Adopt,
    /// The second search after an adoption has found nothing new: write that down.
    AdoptionDone,
    /// Look for attempts whose run is dead. Answered by [`Event::Orphans`].
    FindOrphans,
    /// Something that a person should know.
    Tell(Notice),
    /// Everything is over; nothing follows.
    Finish(Outcome),
}

/// Who may be dialed now, in order, and what this run knows of the pool.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The leads, the most urgent first, each with the line that it is to be rung from.
    pub leads: Vec<(LeadId, Line)>,
    /// This run's picture of the pool; the journal merges what other runs know before it grants.
    pub pool: Pool,
    /// The provider's time now, at the least: written down with the claim, for the proof of absence.
    pub provider_time: Stamp,
}

/// What to read of the provider's listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// All calls changed since then, the bounds included; at most `limit` rows.
    Updated {
        /// Earliest change.
        from: Stamp,
        /// Latest change; none is "now".
        to: Option<Stamp>,
        /// Rows asked for.
        limit: u16,
    },
    /// All calls created in between, the bounds included; at most `limit` rows.
    Created {
        /// Earliest creation.
        from: Stamp,
        /// Latest creation; none is "now".
        to: Option<Stamp>,
        /// Rows asked for.
        limit: u16,
    },
    /// One call by its id. A call that is not found is an empty listing.
    One(CallId),
}

/// What the campaign is told.
#[derive(Clone, Debug)]
pub enum Event {
    /// Time has come, as [`next_wakeup`](super::Campaign::next_wakeup) asked. One that comes early changes nothing.
    Wake,
    /// The next batch, or nobody.
    BatchOpened(Opened),
    /// What was granted.
    Claimed(Claimed),
    /// Nobody may be claimed for now, such as when a do-not-call list cannot be read.
    ClaimsHeld,
    /// News, written down, with what it changed.
    News(News, Recorded),
    /// A read brought nothing.
    ReadFailed(ReadId, ReadFailure),
    /// What adopting brought in: the number of calls.
    Adopted(Vec<Change>),
    /// Attempts of dead runs on this account, to be followed as if our own.
    Orphans(Vec<Open>),
    /// A line cannot be rung from: found out before the first dial. Its id, and why.
    LineDown(String, String),
    /// A person or the system wants it to end or to pause.
    Stop(Stop),
}

/// Why a read brought nothing.
#[derive(Clone, Debug)]
pub struct ReadFailure {
    /// What kind of failure.
    pub kind: ReadTrouble,
    /// When the failure was received.
    pub received: Instant,
    /// `Date` of the answer, if there was one.
    pub date: Option<Stamp>,
    /// What went wrong, for people.
    pub message: String,
}

/// Kinds of failed reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadTrouble {
    /// No connection, no answer in time, 5xx, an unreadable body.
    Fault,
    /// 429, and how long the provider asks us to wait.
    Rate(Option<Duration>),
    /// The answer is larger than anybody should read: ask for less.
    TooLarge,
    /// 401 and 403: the key.
    Key,
}

/// Orders from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// First Ctrl-C, or `dialer stop`: no more dials, follow what is up.
    Drain,
    /// Second Ctrl-C, SIGTERM, SIGHUP: out, as soon as the answers on their way are in.
    Now,
    /// `dialer pause`.
    Pause,
    /// `dialer resume`.
    Resume,
}

/// A fact, from the provider or found by the campaign. All but its times is what the provider said.
#[derive(Clone, Debug)]
pub enum News {
    /// A 2xx that could be read.
    Answered {
        /// Which attempt it answers.
        attempt: AttemptId,
        /// When, on the wire.
        wire: Wire,
        /// The call it tells of.
        call: SeenCall,
        /// `subscriptionLimits`, where they came.
        limits: Option<Limits>,
    },
    /// Surely not created.
    Refused {
        /// Which attempt it answers.
        attempt: AttemptId,
        /// When, on the wire.
        wire: Wire,
        /// Why.
        cause: Cause,
        /// `subscriptionLimits`, where they came.
        limits: Option<Limits>,
        /// How long the provider asks us to wait; for a line, until it may be tried again (none: not in this run).
        retry_after: Option<Duration>,
        /// Status and message, for people.
        message: String,
        /// The key itself was refused (401).
        key: bool,
    },
    /// Nobody knows whether it was created.
    Failed {
        /// Which attempt.
        attempt: AttemptId,
        /// When, on the wire.
        wire: Wire,
        /// What went wrong, for people.
        message: String,
    },
    /// A listing, or one call.
    Listed {
        /// Which read it answers.
        read: ReadId,
        /// When, on the wire.
        wire: Wire,
        /// The rows.
        calls: Vec<Arc<SeenCall>>,
        /// There may be more: as many rows came as were asked for, or one of them could not be read.
        full: bool,
    },
    /// One complete listing, asked for at that time, does not show this attempt.
    Absent(AttemptId, Instant),
    /// Put aside for a person.
    Parked(AttemptId, Instant),
    /// Followed for longer than a call can last.
    GivenUp(AttemptId),
    /// Taken back before it was sent.
    Withdrawn(AttemptId),
    /// The three attempts before were refused for what looked like the lead and is the configuration: their leads are
    /// open again.
    Reopened(Vec<AttemptId>),
}

/// `status` of a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Status {
    /// `scheduled`: holds no slot yet.
    Scheduled,
    /// `queued`.
    Queued,
    /// `ringing`.
    Ringing,
    /// `in-progress`.
    InProgress,
    /// `forwarding`: still holds its slot.
    Forwarding,
    /// `ended`.
    Ended,
    /// Anything else (`not-found`, `deletion-failed`, new ones).
    Other,
}

/// What a listing or an answer shows of one call.
#[derive(Clone, PartialEq, Debug)]
pub struct SeenCall {
    /// `id`.
    pub id: CallId,
    /// `orgId`.
    pub org: Option<String>,
    /// `status`.
    pub status: Status,
    /// `createdAt`.
    pub created: Stamp,
    /// `updatedAt`, else `createdAt`.
    pub updated: Stamp,
    /// `startedAt`.
    pub started: Option<Stamp>,
    /// `endedAt`.
    pub ended: Option<Stamp>,
    /// `endedReason`.
    pub reason: Option<String>,
    /// Our attempt id, wherever the call carries it.
    pub attempt: Option<AttemptId>,
    /// `customer.number`, where it is one.
    pub phone: Option<Phone>,
    /// `cost`, in US dollars.
    pub cost: Option<f64>,
    /// Somebody spoke: a message of the role `user`, or a transcript that is not empty.
    pub spoke: bool,
    /// The analysis says that this person does not want to be called again.
    pub opt_out: bool,
}

impl SeenCall {
    /// Whether it has rung, as far as this shows.
    pub fn has_rung(&self) -> bool {
        self.started.is_some() || matches!(self.status, Status::Ringing | Status::InProgress | Status::Forwarding)
    }

    /// Whether it is over, and since when.
    pub fn end(&self) -> Option<Stamp> {
        let over = self.status == Status::Ended || self.ended.is_some();
        over.then(|| self.ended.unwrap_or(self.updated))
    }
}

/// A batch that was opened, or why there is none.
#[derive(Clone, Debug)]
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
#[derive(Clone, PartialEq, Debug)]
pub struct BatchLead {
    /// Its number in the journal.
    pub id: LeadId,
    /// Who to ring.
    pub lead: Lead,
    /// Attempts that ended in doubt and were proven absent.
    pub doubts: u32,
}

/// What is left of the list when nobody may be dialed now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rest {
    /// Leads that may be dialed later.
    pub later: u64,
    /// When the first of them may.
    pub next_at: Option<Timestamp>,
}

/// What the journal made of an ask.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// On disk: these may be placed.
    pub granted: Vec<Granted>,
    /// Leads of the ask that may not be dialed now after all; the rest of those not granted stay where they are.
    pub turned_away: Vec<(LeadId, Away)>,
    /// What other runs on this pool know and do.
    pub others: Others,
}

/// An attempt that is on disk.
#[derive(Clone, PartialEq, Debug)]
pub struct Granted {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its lead.
    pub lead: LeadId,
    /// The line it is to be rung from.
    pub line: Line,
}

/// Why a lead may not be dialed now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Away {
    /// On a do-not-call list: settled.
    Suppressed,
    /// Its hours have closed, it was called today often enough, or another campaign has it.
    Later,
    /// Settled or removed meanwhile.
    Gone,
}

/// What a record changed, worked out by the journal.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// Attempts whose state is another now, this campaign's and orphans'.
    pub changes: Vec<Change>,
    /// Calls with this campaign's mark that no attempt of this journal has made, met for the first time.
    pub strangers: Vec<Stranger>,
}

/// An attempt whose state changed, and what that means for its lead.
#[derive(Clone, PartialEq, Debug)]
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
    /// The lead was placed twice: a double ring, to be reported.
    pub double: bool,
    /// The reason the call ended with.
    pub reason: Option<String>,
}

/// What a lead is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeadNow {
    /// To be rung now.
    Open,
    /// To be rung later, not before that.
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
#[derive(Clone, PartialEq, Debug)]
pub struct Stranger {
    /// The attempt id it carries.
    pub attempt: AttemptId,
    /// The call.
    pub call: CallId,
    /// When it was created.
    pub created: Stamp,
}

/// An attempt of the past that is not over.
#[derive(Clone, Debug)]
pub struct Open {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its call, once known.
    pub call: Option<CallId>,
    /// Whether it is this campaign's.
    pub ours: bool,
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
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Attempts of this account that are not over and that no other live run looks after.
    pub open: Vec<Open>,
    /// What is known of the pool, and what other runs do.
    pub others: Others,
    /// The account's listing is known up to here; none for a journal new to the account.
    pub watermark: Option<Stamp>,
    /// The journal holds an attempt of this campaign.
    pub has_attempts: bool,
    /// Calls with this campaign's mark that earlier searches found and nobody has taken in.
    pub strangers: Vec<Stranger>,
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

/// Something that a person should know; the words are for the face to find.
#[derive(Clone, PartialEq, Debug)]
pub enum Notice {
    /// The pool refused, though there was thought to be room.
    PoolRefused,
    /// The limit is another than before.
    LimitIs(u32),
    /// Answers carry no `Date`: whether the clock is right cannot be told.
    NoDate,
    /// The account shows no limits: the reserve is kept only against what can be seen.
    NoLimits,
    /// Nobody knows whether this lead's call was created.
    InDoubt(Option<LeadId>, String),
    /// A doubt was resolved: found, or proven absent.
    Resolved(Option<LeadId>, State),
    /// Too many doubts, or `--in-doubt never`: put aside for a person.
    Parked(Option<LeadId>),
    /// A lead was rung twice.
    DoubleRing(Option<LeadId>, CallId),
    /// A line left the rotation, and why.
    LineDropped(String, String),
    /// A line is left alone for a while, and why.
    LineRests(String, String),
    /// Requests come too fast; none before then.
    RateLimited(Instant),
    /// Nothing could be sent; tried again then.
    Unreachable(Instant, String),
    /// The listing could not be read.
    ReadFailed(String),
    /// The breaker tripped, on what.
    BreakerTripped(String),
    /// The breaker's test call went well.
    BreakerClosed,
    /// A call went on for longer than it can.
    GaveUp(CallId),
    /// Calls of dead runs were found and are followed.
    Following(usize),
    /// Calls with our mark were taken into the journal.
    Adopted(usize),
    /// How far the first search is, from 0 to 1.
    Searching(f64),
    /// The first search goes no further back than this, though the journal's knowledge ends earlier.
    StoppedShort(Stamp),
    /// A lead is on a do-not-call list.
    Suppressed(LeadId),
    /// An ended reason that no rule knows.
    UnknownReason(String),
    /// A lead's request was refused for good.
    LeadRefused(Option<LeadId>, String),
    /// Paused, or going on.
    Paused(bool),
    /// Dialing has stopped; why.
    Stopping(Why),
    /// A batch was opened or closed: its number and size.
    Batch(u64, usize),
}

/// How a run ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// Why it ended.
    pub why: Why,
    /// When there is more to do.
    pub next_at: Option<Timestamp>,
    /// A signal that has its own exit code ended it.
    pub interrupted: bool,
}

/// Why dialing ended.
#[derive(Clone, PartialEq, Debug)]
pub enum Why {
    /// Nobody is left to dial.
    Complete,
    /// Some leads may be dialed later.
    Later,
    /// Only doubts are left, and they can be proven later.
    DoubtsLeft,
    /// Only parked leads are left.
    ParkedLeft,
    /// `--limit`.
    Limit,
    /// `--max-cost`.
    Cost,
    /// `--until`.
    Until,
    /// `dialer pause`.
    Paused,
    /// `dialer stop`, or Ctrl-C.
    Stopped,
    /// The account refused, with its own words.
    Account(String),
    /// The key was refused.
    Key(String),
    /// No line is left to ring from; until when, if it is known.
    Lines(String),
    /// The breaker's test call failed too.
    Breaker(String),
    /// Several requests in a row were refused as malformed.
    Config(String),
    /// The reserve leaves nothing of the limit: reserve with caution, and limit.
    Reserve(u32, u32),
    /// Calls of this campaign that the journal does not know: how many, and when the newest was made.
    Strangers(u64, Stamp),
    /// Another machine rings this campaign.
    AnotherMachine(CallId),
    /// Two minutes without any answer.
    Unreachable(String),
    /// The listing could not be searched, so nothing may be dialed.
    SearchFailed(String),
    /// The wall clock is this far off the provider's.
    Clock(Duration),
}
