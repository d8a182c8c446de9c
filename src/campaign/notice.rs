//! What a person should know while a run goes on, and how it ended. The words are for the face to find.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attempt::State;
use super::event::LeadId;
use crate::pool::calls::CallId;
use crate::time::{Instant, Stamp};

/// Something that a person should know; the words are for the face to find.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Notice {
    /// The pool refused, though there was thought to be room.
    PoolRefused,
    /// The limit is another than before.
    LimitIs(u32),
    /// No answer has shown the limit yet: so many slots are assumed.
    LimitAssumed(u32),
    /// Answers carry no `Date`: whether the clock is right cannot be told.
    NoDate,
    /// Listings say no offset with their times: they are taken for UTC.
    NoOffset,
    /// Answers carry times that cannot be: they are left out.
    WrongTimes,
    /// The account shows no limits: the reserve is kept only against what can be seen.
    NoLimits,
    /// Nobody knows whether this lead's call was created.
    InDoubt(Option<LeadId>, String),
    /// A doubt was resolved: found, or proven absent.
    Resolved(Option<LeadId>, State),
    /// Too many doubts, or `--in-doubt never`: put aside for a person.
    Parked(Option<LeadId>),
    /// A lead was called twice.
    CalledTwice(Option<LeadId>, CallId),
    /// A line left the rotation, and why.
    LineDropped(String, String),
    /// A line is left alone for a while, and why.
    LineRests(String, String),
    /// Requests come too fast; none before then.
    RateLimited(Instant),
    /// Nothing could be sent; tried again then.
    Unreachable(Instant, String),
    /// The provider answers again.
    Reachable,
    /// The listing could not be read.
    ReadFailed(String),
    /// Calls can be read again by their ids.
    ReadAgain,
    /// The breaker tripped, on what.
    BreakerTripped(String),
    /// The breaker's test call went well.
    BreakerClosed,
    /// A call of ours is listed without its mark: nothing can be proven absent.
    MarksMissing(CallId),
    /// Calls are listed with nothing in the places of a mark, and no mark was listed yet: nothing can be proven absent.
    NoMarks,
    /// A call of ours that is up is in no listing: listings are late, and prove nobody absent.
    ListedLate(CallId),
    /// The provider does not know a call of ours any more: put aside for a person.
    Lost(CallId),
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
    Stopping(StopReason),
    /// A batch was opened or closed: its number and size.
    Batch(u64, usize),
    /// The first reserve of a run that chooses it, and what it is learnt from: in words, and by the hour.
    ReserveBegins(u32, Option<(String, String)>),
    /// The reserve that the run chose for so many callers an hour.
    ReserveNow {
        /// The one before.
        was: u32,
        /// From now on.
        reserve: u32,
        /// Callers an hour that are expected.
        per_hour: f64,
    },
    /// Reserve and margin, so many in all, leave one slot of the pool's limit.
    OneAtATime(u32, u32),
    /// Answers count calls that ended up to so long before.
    SlotsComeFreeLate(Duration),
    /// The calls of a watched organisation cannot be read just now: which, and why.
    WatchFailed(String, String),
    /// A watched organisation is not read any more: which, and why.
    WatchLeft(String, String),
    /// Calls of a watched organisation are not counted in this pool: which.
    AnotherPool(String),
}

/// How a run ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// Why it ended.
    pub why: StopReason,
    /// When there is more to do.
    pub next_at: Option<Timestamp>,
    /// A signal that has its own exit code ended it.
    pub interrupted: bool,
}

/// Why dialing ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum StopReason {
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
    /// `--only`: the one lead is not to be called any more, or not now.
    Only,
    /// `--max-cost`.
    Cost,
    /// `--until`.
    Until,
    /// The reserve of this hour keeps the whole pool.
    Kept,
    /// `dialer pause`.
    Paused,
    /// `dialer stop`, or Ctrl-C.
    Stopped,
    /// The account refused, with its own words.
    Account(String),
    /// The key was refused.
    Key(String),
    /// No line is left to call from; until when, if it is known.
    Lines(String),
    /// The breaker's test call failed too.
    Breaker(String),
    /// Several requests in a row were refused as malformed.
    Config(String),
    /// The reserve leaves nothing of the limit: reserve with caution, and limit.
    Reserve(u32, u32),
    /// Calls of this campaign that the journal does not know: how many, and when the newest was made.
    Strangers(u64, Stamp),
    /// Calls of this campaign that the journal does not know and that show no number: how many.
    Numberless(u64),
    /// Another machine runs this campaign.
    AnotherMachine(CallId),
    /// Two minutes without any answer.
    Unreachable(String),
    /// The listing could not be searched, so nothing may be dialed.
    SearchFailed(String),
    /// A call in the listing cannot be read, so nothing may be dialed.
    Unread(String),
    /// The wall clock is this far off the provider's.
    Clock(Duration),
}
