//! When the listing is read, and what for.

use std::time::Duration;

use super::event::{Action, Query, ReadFailure, ReadId, ReadTrouble};
use super::last_seen::LastSeen;
use super::notice::{Notice, StopReason};
use super::search::{Along, Search};
use super::start::TRIES;
use super::{BatchState, Campaign};
use crate::pool::calls::CallId;
use crate::time::{Instant, Now, Stamp};

/// Polls between reads when nothing waits for them, and the most that trouble stretches the interval to.
const SLOW: u32 = 15;
/// Polls for which news are fresh enough to dial on.
const FRESH: u32 = 2;
/// Polls that each read begins before the newest change seen.
const OVERLAP: u32 = 10;
/// Polls after which a call that is up and in no listing is asked for by its id.
const UNSEEN: u32 = 60;
/// A call can last that long: how far back the first read goes.
const LONGEST_CALL: Duration = Duration::from_hours(12);
/// Times in a row that a read is forbidden, after which the account is taken at its word.
const MOST_FORBIDDEN: u32 = 3;
/// Rows of a page.
const PAGE: u16 = 1000;

/// What a read is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Reading {
    /// The search before dialing.
    Search,
    /// Calls that come and go.
    Watch,
    /// The proof of absence.
    Proof,
    /// One call that no listing shows.
    One(CallId),
}

/// How far the listing has been followed.
#[derive(Debug)]
pub(super) struct Watch {
    poll: Duration,
    newest: Option<Stamp>,
    round: Option<Search>,
    /// When the newest complete round was begun, and when it was complete.
    fresh: Option<(Instant, Instant)>,
    begun: Option<Instant>,
    stretch: u32,
    not_before: Option<Instant>,
    /// What listings showed of each call.
    pub(super) sightings: LastSeen,
    one_at: Instant,
    /// When the calls that are followed were last asked whether one is older than a call can be.
    overdue_at: Option<Instant>,
    /// The newest read of these brought nothing.
    failing: bool,
    /// The last read was one of these: what else is due goes first now, however slow the listing is.
    was_last: bool,
    /// Times in a row that a read was forbidden.
    forbidden: u32,
}

impl Watch {
    pub(super) fn new(poll: Duration) -> Self {
        Self {
            poll,
            newest: None,
            round: None,
            fresh: None,
            begun: None,
            stretch: 1,
            not_before: None,
            sightings: LastSeen::default(),
            one_at: Instant::from_micros(0),
            overdue_at: None,
            failing: false,
            was_last: false,
            forbidden: 0,
        }
    }

    /// Whether the news are fresh enough to dial on, and no older than `since`.
    pub(super) fn is_fresh(&self, now: Instant, since: Option<Instant>) -> bool {
        let new = |(began, received): (Instant, Instant)| {
            now.since(received) <= self.poll * FRESH && since.is_none_or(|since| began >= since)
        };
        self.fresh.is_some_and(new)
    }

    /// Whether reads have failed since the last that was whole.
    pub(super) fn is_failing(&self) -> bool {
        self.failing
    }

    /// The newest change seen, no later than the provider's clock can be.
    pub(super) fn changed(&mut self, updated: Stamp, latest: Stamp) {
        self.newest = self.newest.max(Some(updated.min(latest)));
    }

    fn round_done(&mut self, round: &Search, now: Instant) {
        self.fresh = round.began().map(|began| (began, now));
        self.stretch = (self.stretch / 2).max(1);
        self.failing = false;
    }

    fn in_trouble(&mut self, now: Instant, wait: Option<Duration>) -> Duration {
        self.stretch = (self.stretch * 2).min(SLOW);
        self.failing = true;
        // A wait that is over at once is no wait; one that is longer than the interval may grow leaves calls unseen that
        // hold slots, and another read calls nobody.
        let pause = wait.unwrap_or_default().min(self.poll * SLOW).max(self.poll * self.stretch);
        self.not_before = Some(now + pause);
        pause
    }

    fn due(&self, eager: bool, urgent: bool, now: Instant) -> Instant {
        let base = if urgent { 0 } else { (if eager { self.stretch } else { SLOW }).min(SLOW) };
        let due = self.begun.map_or(now, |begun| begun + self.poll * base);
        self.not_before.map_or(due, |at| at.max(due))
    }
}

impl Campaign {
    /// Asks for the most urgent read, unless one is under way.
    pub(super) fn want_read(&mut self, now: Now) {
        let no_use = self.stopping.as_ref().is_some_and(StopReason::cannot_follow);
        if self.reading.is_some() || self.leave_by.is_some() || no_use {
            return;
        }
        let next = self.next_search(now).or_else(|| {
            if self.watch.was_last {
                self.next_besides(now).or_else(|| self.next_watch(now))
            } else {
                self.next_watch(now).or_else(|| self.next_besides(now))
            }
        });
        if let Some((query, reading)) = next {
            self.watch.was_last = reading == Reading::Watch;
            self.reads += 1;
            let id = ReadId(self.reads);
            self.reading = Some((id, reading));
            self.actions.push_back(Action::Read(id, query));
        }
    }

    /// What a search before dialing and the watch leave to be read.
    fn next_besides(&mut self, now: Now) -> Option<(Query, Reading)> {
        self.next_proof(now).or_else(|| self.next_one(now))
    }

    fn next_search(&mut self, now: Now) -> Option<(Query, Reading)> {
        if self.stopping.is_some() {
            return None;
        }
        let search = self.start.search()?;
        let query = search.next(now.at);
        let waits = search.waits_until();
        if query.is_none()
            && let Some(at) = waits
        {
            self.wake(at);
        }
        query.map(|query| (query, Reading::Search))
    }

    fn next_watch(&mut self, now: Now) -> Option<(Query, Reading)> {
        if self.watch.round.is_none() {
            let (wanted, eager) = self.watch_mood();
            if !wanted {
                return None;
            }
            let due = self.watch.due(eager, self.fresh_wanted, now.at);
            if now.at < due {
                self.wake(due);
                return None;
            }
            let latest = self.pool.offset.earliest(now.at);
            let from = self.watch.newest.map_or(latest - LONGEST_CALL, |newest| newest - self.plan.poll * OVERLAP);
            self.watch.round = Some(Search::since(Along::Updated, from, PAGE));
            self.watch.begun = Some(now.at);
        }
        let round = self.watch.round.as_mut()?;
        let query = round.next(now.at);
        let waits = round.waits_until();
        if query.is_none()
            && let Some(at) = waits
        {
            self.wake(at);
        }
        query.map(|query| (query, Reading::Watch))
    }

    /// Whether the listing is to be followed at all, and whether something waits for it.
    fn watch_mood(&self) -> (bool, bool) {
        let follows = self.follows_calls();
        let waits = self.batch.state == BatchState::Open && !self.batch.queue.is_empty();
        let dials = self.start.may_dial() && waits && !self.paused && self.stopping.is_none();
        let last_calls = follows && !dials;
        (follows || dials, last_calls || (dials && self.no_room))
    }

    fn next_one(&mut self, now: Now) -> Option<(Query, Reading)> {
        let not_before = self.watch.not_before.filter(|at| now.at < *at);
        if now.at < self.watch.one_at || not_before.is_some() {
            return None;
        }
        let unseen = self.watch.sightings.unseen(now.at, self.plan.poll * UNSEEN);
        let id = unseen.or_else(|| self.overdue(now.at))?;
        self.watch.one_at = now.at + self.plan.poll;
        Some((Query::One(id.clone()), Reading::One(id)))
    }

    /// Of the calls that are followed, one that has lasted for longer than a call can, though listings go on showing it.
    fn overdue(&mut self, now: Instant) -> Option<CallId> {
        let every = self.plan.poll * UNSEEN;
        if self.watch.overdue_at.is_some_and(|at| now.since(at) < every) {
            return None;
        }
        self.watch.overdue_at = Some(now);
        let mut calls = self.live.values().filter(|live| self.is_overdue(live, now));
        calls.find_map(|live| live.call.clone())
    }

    /// Whether the read under way is one of those that follow what changes.
    pub(super) fn is_watching(&self) -> bool {
        matches!(self.reading, Some((_, Reading::Watch)))
    }

    /// A listing came, and all of its rows have been taken in.
    pub(super) fn read_done(&mut self, read: ReadId, full: bool, found: bool, now: Now) {
        let Some((_, reading)) = self.reading.take_if(|(id, _)| *id == read) else { return };
        self.watch.forbidden = 0;
        match reading {
            Reading::One(id) => self.one_done(&id, found, now),
            _ if full => self.halve(&reading, now),
            Reading::Search => self.search_part_done(now),
            Reading::Proof => self.proof_part_done(now),
            Reading::Watch => {
                let Some(mut round) = self.watch.round.take() else { return };
                round.part_done();
                if round.is_complete() {
                    self.watch.round_done(&round, now.at);
                    if self.pool.assume_what_is_up() {
                        self.tell(Notice::LimitAssumed(self.pool.limit()));
                    }
                } else {
                    self.watch.round = Some(round);
                }
            }
        }
    }

    fn halve(&mut self, reading: &Reading, now: Now) {
        let latest = self.pool.offset.latest(now.at);
        let Some(search) = self.search_for(reading) else { return };
        if let Err(dense) = search.halve(latest) {
            let message = format!("more calls than a page holds in the one millisecond at {}", dense.0);
            self.search_failed(reading, message, now);
        }
    }

    fn search_for(&mut self, reading: &Reading) -> Option<&mut Search> {
        match reading {
            Reading::Search => self.start.search(),
            Reading::Watch => self.watch.round.as_mut(),
            Reading::Proof => self.proofs.search.as_mut(),
            Reading::One(_) => None,
        }
    }

    fn search_failed(&mut self, reading: &Reading, message: String, now: Now) {
        match reading {
            Reading::Search => self.search_given_up(message),
            Reading::Proof => self.proof_given_up(now),
            Reading::Watch => {
                self.watch.round = None;
                self.watch.in_trouble(now.at, None);
                self.tell(Notice::ReadFailed(message));
            }
            Reading::One(_) => {}
        }
    }

    /// A read brought nothing.
    pub(super) fn read_failed(&mut self, read: ReadId, failure: &ReadFailure, now: Now) {
        let Some((_, reading)) = self.reading.take_if(|(id, _)| *id == read) else { return };
        if let Some(date) = failure.date {
            self.reached();
            self.check_clock(date, failure.sent, failure.received, now);
        }
        match failure.kind {
            ReadTrouble::Key => return self.stop(StopReason::Key(failure.message.clone())),
            ReadTrouble::TooLarge => return self.halve(&reading, now),
            ReadTrouble::Forbidden => {
                self.watch.forbidden += 1;
                if self.watch.forbidden >= MOST_FORBIDDEN {
                    return self.stop(StopReason::Key(failure.message.clone()));
                }
            }
            ReadTrouble::Rate(_) | ReadTrouble::Fault => {}
        }
        if let Reading::One(id) = &reading {
            // Others wait to be asked for, too.
            self.one_done(id, true, now);
        }
        let wait = if let ReadTrouble::Rate(wait) = failure.kind { wait } else { None };
        let pause = self.watch.in_trouble(now.at, wait);
        let tries = self.search_for(&reading).map_or(0, |search| search.failed(now.at, pause));
        if tries == 1 || tries.is_multiple_of(10) {
            self.tell(Notice::ReadFailed(failure.message.clone()));
        }
        if tries >= TRIES && reading != Reading::Watch {
            self.search_failed(&reading, failure.message.clone(), now);
        }
        self.check_reachable(&failure.message, now);
    }
}
