//! What a read that came completes, and what is done about one that did not.

use std::time::Duration;

use super::super::event::{ReadFailure, ReadId, ReadTrouble, Unread};
use super::found::{Failed, Found, Proof, Purpose};
use super::search::Search;
use super::{ListingReader, MOST_FORBIDDEN, SLOW, SMALL_PAGE, TRIES, UNREAD};
use crate::time::{Instant, Stamp};

impl ListingReader {
    /// A read came, and all of its rows have been taken in. `full`: there may be more than it showed.
    /// `unread`: what of it could not be read, which the watch does without.
    pub(in super::super) fn heard(
        &mut self,
        read: ReadId,
        full: bool,
        unread: Option<&Unread>,
        now: Instant,
        provider_now: Stamp,
    ) -> Found {
        let Some((_, purpose)) = self.reading.take_if(|(id, _)| *id == read) else { return Found::Part };
        self.forbidden = 0;
        let unread = unread.filter(|unread| unread.outbound);
        let complete = matches!(purpose, Purpose::Search | Purpose::Proof);
        if let Some(unread) = unread.filter(|_| complete && !full) {
            return self.read_again(&purpose, unread, now);
        }
        if let Some(unread) = unread.filter(|_| purpose == Purpose::Watch && self.is_blind(now)) {
            return Found::Unread(unread.to_string());
        }
        match purpose {
            Purpose::One(id) => Found::One(id, std::mem::take(&mut self.one_failing)),
            _ if full => self.halve(&purpose, now, provider_now),
            Purpose::Search => match self.search.take_if(Search::is_last_part) {
                Some(search) => Found::Search(search.began()),
                None => self.more(&purpose, Found::SearchPart),
            },
            Purpose::Proof => match self.proof.take_if(Search::is_last_part) {
                Some(proof) => Found::Proof(proof.began().map(|began| Proof { from: proof.from(), began })),
                None => self.more(&purpose, Found::Part),
            },
            Purpose::Watch => match self.watch.take_if(Search::is_last_part) {
                Some(round) => {
                    self.fresh = round.began().map(|began| (began, now));
                    let late = round.began().map(|began| self.messages.looked(began));
                    self.asked_for.extend(late.into_iter().flatten());
                    self.stretch = (self.stretch / 2).max(1);
                    self.failing = false;
                    Found::Watch
                }
                None => self.more(&purpose, Found::Part),
            },
        }
    }

    /// Whether that is another row than the one that was told of last.
    pub(in super::super) fn is_new(&mut self, unread: &Unread) -> bool {
        self.unread.replace(unread.first.clone()).is_none_or(|last| last != unread.first)
    }

    /// A row of a listing was read that may be a call of ours.
    pub(in super::super) fn sees(&mut self) {
        if self.is_listing() {
            self.blind = None;
        }
    }

    /// Rows came that may be calls of ours, and not one of such rows could be read for as long as a search is given.
    fn is_blind(&mut self, now: Instant) -> bool {
        let since = *self.blind.get_or_insert(now);
        now.since(since) >= self.poll * UNREAD * (TRIES - 1)
    }

    /// What has to be complete holds a row that cannot be read: again after a while, and not for ever.
    fn read_again(&mut self, purpose: &Purpose, unread: &Unread, now: Instant) -> Found {
        let pause = self.poll * UNREAD;
        let tries = self.search_for(purpose).map_or(0, |search| search.failed(now, pause));
        if tries < TRIES || !self.give_up(purpose) {
            return Found::Part;
        }
        match purpose {
            Purpose::Search => Found::Unread(unread.to_string()),
            _ => Found::Unproven(unread.to_string()),
        }
    }

    fn more(&mut self, purpose: &Purpose, found: Found) -> Found {
        if let Some(search) = self.search_for(purpose) {
            search.part_done();
        }
        found
    }

    /// A read brought nothing.
    pub(in super::super) fn failed(
        &mut self,
        read: ReadId,
        failure: &ReadFailure,
        now: Instant,
        provider_now: Stamp,
    ) -> Failed {
        let Some((_, purpose)) = self.reading.take_if(|(id, _)| *id == read) else { return Failed::NotAsked };
        match failure.kind {
            ReadTrouble::Key => return Failed::Refused,
            ReadTrouble::TooLarge => return Failed::Smaller(self.halve(&purpose, now, provider_now)),
            ReadTrouble::Forbidden => self.forbidden += 1,
            ReadTrouble::Rate(_) | ReadTrouble::Fault => {}
        }
        if self.forbidden >= MOST_FORBIDDEN {
            return Failed::Refused;
        }
        let wait = if let ReadTrouble::Rate(wait) = failure.kind { wait } else { None };
        let pause = self.in_trouble(now, wait);
        let complete = matches!(purpose, Purpose::Search | Purpose::Proof);
        let fewer = complete && failure.kind == ReadTrouble::Fault;
        let tries = self.search_for(&purpose).map_or(0, |search| {
            if fewer {
                search.ask_for_at_most(SMALL_PAGE);
            }
            search.failed(now, pause)
        });
        let given_up = tries >= TRIES && self.give_up(&purpose);
        let one = if let Purpose::One(id) = &purpose { Some(id.clone()) } else { None };
        let tell = match one {
            Some(_) => !std::mem::replace(&mut self.one_failing, true),
            None => tries == 1 || tries.is_multiple_of(10),
        };
        Failed::Again { one, tell, given_up: given_up.then_some(purpose) }
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

    fn halve(&mut self, purpose: &Purpose, now: Instant, provider_now: Stamp) -> Found {
        let Some(search) = self.search_for(purpose) else { return Found::Part };
        let Err(dense) = search.halve(provider_now) else { return Found::Part };
        let message = format!("more calls than a page holds in the one millisecond at {}", dense.0);
        if self.give_up(purpose) {
            return Found::GivenUp(purpose.clone(), message);
        }
        self.watch = None;
        self.in_trouble(now, None);
        Found::WatchFailed(message)
    }

    /// Gives a search or a proof up; the watch never is.
    fn give_up(&mut self, purpose: &Purpose) -> bool {
        match purpose {
            Purpose::Search => self.search = None,
            Purpose::Proof => self.proof = None,
            Purpose::Watch | Purpose::One(_) => return false,
        }
        true
    }
}
