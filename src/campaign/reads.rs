//! What the campaign needs of the account's listing, and what follows from what was read.

use super::Campaign;
use super::batch::BatchState;
use super::event::{Action, ReadFailure, ReadId, Unread};
use super::listing::found::{Failed, Found, Haste, Needs, Purpose, Wanted};
use super::notice::{Notice, StopReason};
use crate::pool::calls::CallId;
use crate::pool::news::RequestTiming;
use crate::time::Now;

/// Polls after which the calls that are followed are asked whether one is older than a call can be.
const OVERDUE_EVERY: u32 = 60;

impl Campaign {
    /// Asks for the most urgent read of each listing, unless one is under way.
    pub(super) fn want_read(&mut self, now: Now) {
        let no_use = self.stopping.as_ref().is_some_and(StopReason::cannot_follow);
        if self.leave_by.is_some() || no_use {
            return;
        }
        let watch = self.watch_haste(now);
        self.want_watched(watch, now);
        if self.listing.is_reading() {
            return;
        }
        self.look_for_overdue(now);
        self.look_for_analyses(now);
        let needs = Needs {
            search: self.start.is_searching() && self.stopping.is_none(),
            watch,
            provider_now: self.pool.offset.earliest(now.at),
            may_watch: self.requests.may_watch(now),
            may_read: self.requests.may_read(),
        };
        let Wanted { read, watch, wake, short } = self.listing.want(now.at, &needs);
        if let Some(at) = wake {
            self.wake(at);
        }
        match read {
            Some((id, query)) => {
                self.requests.reads(watch, now);
                self.actions.push_back(Action::Read(id, query));
            }
            None if short => self.want_request(now),
            None => {}
        }
    }

    /// How soon what changes is to be read again.
    fn watch_haste(&self, now: Now) -> Haste {
        let follows = self.follows_calls();
        let waits = self.batch.state == BatchState::Open && !self.batch.queue.is_empty();
        let dials = self.start.may_dial() && waits && !self.paused && self.stopping.is_none();
        match (follows, dials) {
            (false, false) if self.awaited.any() => Haste::Eager,
            (false, false) => Haste::None,
            _ if self.fresh_wanted => Haste::Urgent,
            // Only the last calls are left to follow, and messages tell of their ends.
            (true, false) if self.listing.is_told(now.at) => Haste::Slow,
            // Only the last calls are left to follow.
            (true, false) => Haste::Eager,
            _ if self.no_room => Haste::Eager,
            _ => Haste::Slow,
        }
    }

    /// A message says that a call is over. Where it is one of ours that is up, as far as known, the listing is read
    /// soon: only what the provider answers us is a fact, and only the listing shows who has called in meanwhile.
    pub(super) fn said_over(&mut self, id: &CallId, now: Now) {
        if self.heeds(id) {
            self.listing.said_over(id, now.at);
        }
    }

    /// Whether a message that this call is over would bring a read forward.
    pub fn heeds(&self, id: &CallId) -> bool {
        self.pool.call(id).is_some_and(|call| call.ours && call.ended.is_none()) && self.listing.heeds(id)
    }

    /// Of the calls that are followed, one that has lasted for longer than a call can, though listings go on showing it.
    fn look_for_overdue(&mut self, now: Now) {
        if now.at < self.overdue_due {
            return;
        }
        self.overdue_due = now.at + self.plan.poll * OVERDUE_EVERY;
        let mut overdue = self.live.values().filter(|live| self.is_overdue(live, now.at));
        if let Some(id) = overdue.find_map(|live| live.call.clone()) {
            self.listing.ask_for(id);
        }
    }

    /// A listing came, and all of its rows have been taken in.
    pub(super) fn read_done(&mut self, read: ReadId, full: bool, unread: Option<&Unread>, found: bool, now: Now) {
        let latest = self.pool.offset.latest(now.at);
        if let Some(unread) = unread.filter(|unread| self.listing.is_new(unread)) {
            self.tell(Notice::ReadFailed(unread.to_string()));
        }
        match self.listing.heard(read, full, unread, now.at, latest) {
            Found::One(id, had_failed) => {
                if had_failed {
                    self.tell(Notice::ReadAgain);
                }
                self.one_done(&id, found, now);
            }
            other => self.found(other, now),
        }
    }

    fn found(&mut self, found: Found, now: Now) {
        match found {
            Found::Part | Found::One(..) => {}
            Found::SearchPart => self.tell_progress(now),
            Found::Search(began) => self.search_complete(now, began),
            Found::Proof(proof) => self.proof_done(proof, now),
            Found::Watch => {
                self.look_for_other_pools();
                self.tally.said(None);
                if self.pool.assume_what_is_up() {
                    self.tell(Notice::LimitAssumed(self.pool.limit()));
                }
            }
            Found::GivenUp(purpose, message) => self.give_up(&purpose, message, now),
            Found::Unread(message) => self.stop(StopReason::Unread(message)),
            Found::Unproven(message) => {
                self.proofs.unread = Some(message);
                self.proof_given_up(now);
            }
            Found::WatchFailed(message) => self.tell(Notice::ReadFailed(message)),
        }
    }

    fn give_up(&mut self, purpose: &Purpose, message: String, now: Now) {
        match purpose {
            Purpose::Search => self.stop(StopReason::SearchFailed(message)),
            Purpose::Proof => self.proof_given_up(now),
            Purpose::Watch | Purpose::One(_) => {}
        }
    }

    /// A read brought nothing.
    pub(super) fn read_failed(&mut self, read: ReadId, failure: &ReadFailure, now: Now) {
        let failed = self.listing.failed(read, failure, now.at, self.pool.offset.latest(now.at));
        if failed == Failed::NotAsked {
            return;
        }
        if let Some(date) = failure.date {
            self.reached();
            let wire = RequestTiming { sent: failure.sent, received: failure.received, date: Some(date) };
            self.hear_time(wire, None, now);
        }
        match failed {
            Failed::NotAsked => {}
            Failed::Refused => self.stop(StopReason::Key(failure.message.clone())),
            Failed::Smaller(found) => self.found(found, now),
            Failed::Again { one, tell, given_up } => {
                // Others wait to be asked for, too.
                if let Some(id) = &one {
                    self.one_done(id, true, now);
                }
                if tell {
                    self.told_away |= failure.date.is_none();
                    self.tell(Notice::ReadFailed(failure.message.clone()));
                }
                if let Some(purpose) = given_up {
                    self.give_up(&purpose, failure.message.clone(), now);
                }
                self.check_reachable(&failure.message, now);
            }
        }
    }
}
