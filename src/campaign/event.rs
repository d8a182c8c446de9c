//! The whole seam between deciding and doing: what the campaign is told, and what it wants done. Plain data.
//!
//! [`News`] come in as [`Event::Came`], are put into the journal by [`Action::Record`], and come back as [`Event::News`]
//! together with what the journal made of them ([`Change`]). What the journal replies is in
//! [`reply`](super::reply), what people are told in [`notice`](super::notice), one call as the provider shows it in
//! [`seen`](super::seen).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attempt::Cause;
use super::budget::Urgency;
use super::notice::{Notice, Outcome};
use super::reply::{Booked, Change, Claimed, Open, Opened, Recorded};
use super::seen::{Listing, SeenCall};
use crate::pool::Pool;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;
use crate::pool::news::{Limits, RequestTiming};
use crate::time::{Instant, Stamp};

/// A lead's number in the journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct LeadId(pub i64);

/// A line's number in the plan's list of phone numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Line(pub usize);

/// Which read an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ReadId(pub u64);

/// What the campaign wants done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Action {
    /// Cut the next batch. Answered by [`Event::BatchOpened`].
    OpenBatch,
    /// The open batch has nobody left to dial now: write down that it is closed. No answer.
    CloseBatch(u64),
    /// These leads cannot be called before then, and it is not their doing. The next start looks at them anew. No answer.
    PutOff(Vec<LeadId>, Timestamp),
    /// Put attempts on disk, as many of these as the pool still allows. Answered by [`Event::Claimed`].
    Claim(Box<Ask>),
    /// Send the one request of an attempt that was granted, from this line. Answered by [`Event::News`].
    Place(AttemptId, Line),
    /// Book requests of the organisation's budget. Answered by [`Event::Booked`].
    Book(Booking),
    /// Read a listing. Answered by [`Event::News`] with [`News::Listed`], or [`Event::ReadFailed`].
    Read(ReadId, Query),
    /// Read the listing of a watched organisation. Answered by [`Event::Watched`] or [`Event::WatchFailed`].
    Watch(usize, ReadId, Query),
    /// Write down a fact, from the provider or found by the campaign itself. Answered by [`Event::News`] at once.
    Record(Box<News>),
    /// Write down what this run has seen of the pool and how many slots it reserves, for other runs and for later ones.
    /// No answer.
    Share(Box<Pool>, u32),
    /// Write down that the account's listing is known from the first to the second.
    Watermark(Stamp, Stamp),
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ask {
    /// The leads, the most urgent first, each with the line that it is to be called from.
    pub leads: Vec<(LeadId, Line)>,
    /// This run's picture of the pool; the journal merges what other runs know before it grants.
    pub pool: Pool,
    /// Slots that this run reserves now. Another run on the pool may reserve more: the larger holds.
    pub reserve: u32,
    /// Slots that this run reserves besides.
    pub margin: u32,
    /// The provider's time now, at the least: written down with the claim, for the proof of absence.
    pub provider_time: Stamp,
}

/// Requests of the organisation's budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Booking {
    /// So many were made without asking.
    pub made: u32,
    /// So many are to be made.
    pub wanted: u32,
    /// Who asks for them.
    pub urgency: Urgency,
}

/// What to read of the provider's listing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// Time has come, as [`next_wakeup`](super::Campaign::next_wakeup) asked. One that comes early changes nothing.
    Wake,
    /// The next batch, or nobody.
    BatchOpened(Opened),
    /// What was granted.
    Claimed(Claimed),
    /// What of a booking may be made now.
    Booked(Booked),
    /// Nobody may be claimed for now, such as when a do-not-call list cannot be read.
    ClaimsHeld,
    /// The process, or the journal, stood still until now: whatever was asked for before is too old to dial on.
    StoodStill,
    /// News, as they came: the campaign puts right what cannot be, tells whose calls they show, and has them recorded.
    Came(Box<News>),
    /// News, written down, with what it changed.
    News(News, Recorded),
    /// A read brought nothing.
    ReadFailed(ReadId, ReadFailure),
    /// The listing of a watched organisation: its calls concern the pool alone, so nothing is written down.
    Watched(usize, Box<News>),
    /// A read of it brought nothing.
    WatchFailed(usize, ReadId, ReadFailure),
    /// What adopting brought in: the number of calls.
    Adopted(Vec<Change>),
    /// Attempts of dead runs on this account, to be followed as if our own.
    Orphans(Vec<Open>),
    /// A line cannot be called from: found out before the first dial. Its id, and why.
    LineDown(String, String),
    /// A message from outside says that this call is over. It is believed in nothing: the listing is looked at.
    SaidOver(CallId),
    /// A person or the system wants it to end or to pause.
    Stop(Stop),
    /// Something that was read of the account before the first dial.
    Account(AccountFact),
}

/// What was read of the account before the first dial.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AccountFact {
    /// The provider names the organisation that the journal takes the account for: its listings prove absence.
    OrgConfirmed,
    /// The campaign's assistant ends its calls after so long, ringing included.
    CallsLast(Duration),
    /// That line is a free one of the provider's, which calls no other countries.
    FreeLine(String),
    /// So many requests were made for it.
    Read(u32),
}

/// Rows of a listing that could not be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unread {
    /// How many.
    pub rows: usize,
    /// The first of them, by what of it could be read, and the field that could not.
    pub first: String,
    /// One of them may be a call that somebody placed, and so one of ours.
    #[serde(default = "always", skip_serializing_if = "Clone::clone")]
    pub outbound: bool,
}

/// What older traces meant, and newer ones leave out.
const fn always() -> bool {
    true
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rows, first, .. } = self;
        match rows {
            1 => write!(f, "a call in the listing cannot be read: {first}"),
            _ => write!(f, "{rows} calls in the listing cannot be read, the first of them: {first}"),
        }
    }
}

/// Why a read brought nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadFailure {
    /// What kind of failure.
    pub kind: ReadTrouble,
    /// When the request was sent.
    pub sent: Instant,
    /// When the failure was received.
    pub received: Instant,
    /// `Date` of the answer, if there was one.
    pub date: Option<Stamp>,
    /// What went wrong, for people.
    pub message: String,
}

/// Kinds of failed reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ReadTrouble {
    /// No connection, no answer in time, 5xx, an unreadable body.
    Fault,
    /// 429, and how long the provider asks us to wait.
    Rate(Option<Duration>),
    /// The answer is larger than anybody should read: ask for less.
    TooLarge,
    /// 403: somebody on the way, or the account. It may pass.
    Forbidden,
    /// 401: the key.
    Key,
}

/// Orders from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum News {
    /// A 2xx that could be read.
    Answered {
        /// Which attempt it answers.
        attempt: AttemptId,
        /// When, on the wire.
        wire: RequestTiming,
        /// The call it tells of.
        call: Box<SeenCall>,
        /// `subscriptionLimits`, where they came.
        limits: Option<Limits>,
    },
    /// Surely not created.
    Refused {
        /// Which attempt it answers.
        attempt: AttemptId,
        /// When, on the wire.
        wire: RequestTiming,
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
        wire: RequestTiming,
        /// What went wrong, for people.
        message: String,
    },
    /// A listing, or one call.
    Listed {
        /// Which read it answers.
        read: ReadId,
        /// When, on the wire.
        wire: RequestTiming,
        /// The rows.
        calls: Listing,
        /// There may be more: as many rows came as were asked for.
        full: bool,
        /// Rows that came and could not be read.
        #[serde(default)]
        unread: Option<Unread>,
        /// Times stand there without an offset.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        no_offset: bool,
    },
    /// One complete listing, asked for at that time, does not show this attempt.
    Absent(AttemptId, Instant),
    /// Put aside for a person.
    Parked(AttemptId, Instant),
    /// Followed for longer than a call can last.
    GivenUp(AttemptId),
    /// Its call was placed, and the provider does not know it any more: put aside for a person.
    Lost(AttemptId, Instant),
    /// Taken back before it was sent.
    Withdrawn(AttemptId),
    /// The three attempts before were refused for what looked like the lead and is the configuration: their leads are
    /// open again.
    Reopened(Vec<AttemptId>),
}
