//! What the listing is asked for, and what a read of it completes or means.

use super::super::event::{Query, ReadId};
use crate::pool::calls::CallId;
use crate::time::{Instant, Stamp};

/// What a read is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::campaign) enum Purpose {
    /// The search before dialing.
    Search,
    /// Calls that come and go.
    Watch,
    /// The proof of absence.
    Proof,
    /// One call that no listing shows.
    One(CallId),
}

/// How soon what changes is to be read again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::campaign) enum Haste {
    /// Not at all: nobody waits, and no call is followed.
    None,
    /// Now and then.
    Slow,
    /// At every poll.
    Eager,
    /// At once.
    Urgent,
}

/// What the campaign needs to know now.
#[derive(Clone, Debug)]
pub(in crate::campaign) struct Needs {
    /// Whether the search before dialing goes on.
    pub(in crate::campaign) search: bool,
    /// How soon what changes is needed.
    pub(in crate::campaign) watch: Haste,
    /// The earliest that it may be for the provider.
    pub(in crate::campaign) provider_now: Stamp,
    /// Whether a request is left for the watch.
    pub(in crate::campaign) may_watch: bool,
    /// Whether one is left for anything else.
    pub(in crate::campaign) may_read: bool,
}

/// What is to be read next.
#[derive(Clone, Debug, Default)]
pub(in crate::campaign) struct Wanted {
    /// The read.
    pub(in crate::campaign) read: Option<(ReadId, Query)>,
    /// It is one of the watch.
    pub(in crate::campaign) watch: bool,
    /// When to ask again if nothing is due.
    pub(in crate::campaign) wake: Option<Instant>,
    /// Something is due, and no request is left for it.
    pub(in crate::campaign) short: bool,
}

/// What a read that came has completed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::campaign) enum Found {
    /// Nothing yet: there is more to read, or nobody asked.
    Part,
    /// A part of the search before dialing.
    SearchPart,
    /// The search before dialing, whose first request was sent then.
    Search(Option<Instant>),
    /// Everything that changed.
    Watch,
    /// The listing from a time on, as it was when the first request was sent.
    Proof(Option<Proof>),
    /// One call was asked for by its id; whether that had failed before.
    One(CallId, bool),
    /// This search or proof cannot be read.
    GivenUp(Purpose, String),
    /// The search before dialing, or whatever the watch shows that may be ours, goes on not to be read.
    Unread(String),
    /// A proof goes on holding a row that cannot be read.
    Unproven(String),
    /// A round of the watch cannot be read; it is begun again.
    WatchFailed(String),
}

/// A complete reading of the listing: a call that was created in it and is not shown did not exist then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::campaign) struct Proof {
    /// From where on it was read.
    pub(in crate::campaign) from: Stamp,
    /// When its first request was sent.
    pub(in crate::campaign) began: Instant,
}

/// What a read that failed means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::campaign) enum Failed {
    /// Nobody asked for it.
    NotAsked,
    /// The account refuses to be read.
    Refused,
    /// It is asked for again, in smaller parts.
    Smaller(Found),
    /// It is asked for again after a while, unless it was given up. `tell`: worth a line.
    Again {
        /// The call that was asked for by its id.
        one: Option<CallId>,
        /// Worth a line.
        tell: bool,
        /// The search or proof that failed too often.
        given_up: Option<Purpose>,
    },
}
