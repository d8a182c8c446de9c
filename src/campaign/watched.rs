//! Other organisations on the pool whose listings are read with keys of their own: their calls are known, and nothing else
//! of them is.

use std::time::Duration;

use super::Campaign;
use super::event::{Action, News, ReadFailure, ReadId};
use super::listing::ListingReader;
use super::listing::found::{Failed, Found, Haste, Needs, Wanted};
use super::notice::Notice;
use super::seen::Listing;
use crate::time::{Instant, Now};

/// Listings in a row that show more calls than an answer counted, after which the calls are another pool's.
const CONTRADICTED: u32 = 5;

/// One of them.
#[derive(Debug)]
pub(super) struct Watched {
    /// What it is called to people.
    name: String,
    pub(super) listing: ListingReader,
    /// The next read, as its own budget has it.
    next: Instant,
    /// It is not read any more.
    over: bool,
    contradicted: u32,
}

/// Whose listing is read: the campaign's own organisation, or one that is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whose {
    Own,
    Watched(usize),
}

impl Watched {
    pub(super) fn new(name: &str, poll: Duration, now: Instant) -> Self {
        Self { name: name.to_owned(), listing: ListingReader::new(poll), next: now, over: false, contradicted: 0 }
    }

    /// Whether what is known of its calls is as fresh as that of ours has to be; one that cannot be read holds nobody up.
    pub(super) fn is_fresh(&self, now: Instant, since: Option<Instant>, poll: Duration) -> bool {
        self.over || self.listing.is_failing() || self.listing.is_fresh(now, since, poll)
    }
}

impl Campaign {
    pub(super) fn reader(&mut self, whose: Whose) -> &mut ListingReader {
        match whose {
            Whose::Own => &mut self.listing,
            Whose::Watched(org) => &mut self.watched[org].listing,
        }
    }

    /// Asks for the reads of watched organisations that are due.
    pub(super) fn want_watched(&mut self, haste: Haste, now: Now) {
        let provider_now = self.pool.offset.earliest(now.at);
        let gap = self.requests.gap_of_another();
        for org in 0..self.watched.len() {
            let watched = &mut self.watched[org];
            if watched.over || watched.listing.is_reading() {
                continue;
            }
            let may = now.at >= watched.next;
            let needs = Needs { search: false, watch: haste, provider_now, may_watch: may, may_read: may };
            let Wanted { read, wake, short, .. } = watched.listing.want(now.at, &needs);
            let wake = wake.into_iter().chain(short.then_some(watched.next)).min();
            if let Some((id, query)) = read {
                watched.next = now.at + gap;
                self.actions.push_back(Action::Watch(org, id, query));
            } else if let Some(at) = wake {
                self.wake(at);
            }
        }
    }

    /// The listing of a watched organisation.
    pub(super) fn watched_came(&mut self, org: usize, news: News, now: Now) {
        let News::Listed { read, wire, calls, full, .. } = self.check_times(news, now) else { return };
        let latest = self.pool.offset.span(wire).1;
        if self.is_ours(&calls) {
            return self.leave_watched(org, "it belongs to the organisation that calls, whose calls are known anyway");
        }
        let known_at = self.watched[org].listing.known_at(&self.pool.offset).min(latest);
        for call in &*calls {
            self.watched[org].listing.changed(call.updated, latest);
            self.saw_slot(Whose::Watched(org), call, false, wire.received, latest, known_at);
        }
        let provider_now = self.pool.offset.latest(now.at);
        let found = self.watched[org].listing.heard(read, full, None, now.at, provider_now);
        match found {
            Found::One(id, _) => self.one_seen(Whose::Watched(org), &id, !calls.is_empty(), now),
            Found::Watch => self.look_for_other_pools(),
            Found::WatchFailed(message) => self.tell_of(org, &message),
            _ => {}
        }
    }

    /// A read of a watched organisation brought nothing.
    pub(super) fn watch_failed(&mut self, org: usize, read: ReadId, failure: &ReadFailure, now: Now) {
        let provider_now = self.pool.offset.latest(now.at);
        let was_failing = self.watched[org].listing.is_failing();
        match self.watched[org].listing.failed(read, failure, now.at, provider_now) {
            Failed::Refused => self.leave_watched(org, &format!("it is refused ({})", failure.message)),
            Failed::Again { one, .. } => {
                if let Some(id) = one {
                    self.one_seen(Whose::Watched(org), &id, true, now);
                }
                if !was_failing {
                    self.tell_of(org, &failure.message);
                }
            }
            Failed::NotAsked | Failed::Smaller(_) => {}
        }
    }

    fn tell_of(&mut self, org: usize, message: &str) {
        let name = self.watched[org].name.clone();
        self.tell(Notice::WatchFailed(name, message.to_owned()));
    }

    /// It is not read any more: its calls are as unseen as without its key.
    fn leave_watched(&mut self, org: usize, why: &str) {
        let watched = &mut self.watched[org];
        if !std::mem::replace(&mut watched.over, true) {
            let name = watched.name.clone();
            self.tell(Notice::WatchLeft(name, why.to_owned()));
        }
    }

    fn is_ours(&self, calls: &Listing) -> bool {
        let ours = self.org.as_ref();
        ours.is_some() && calls.iter().any(|call| call.org.as_ref() == ours)
    }

    /// More calls that are surely up than an answer of ours counted are not all on our pool.
    pub(super) fn look_for_other_pools(&mut self) {
        let Some(seen) = self.pool.observed_at().filter(|seen| self.listing.is_fresh_since(*seen)) else { return };
        let too_many = self.pool.knows_too_many();
        let mut others = Vec::new();
        for watched in self.watched.iter_mut().filter(|watched| watched.listing.is_fresh_since(seen)) {
            watched.contradicted = if too_many { watched.contradicted + 1 } else { 0 };
            if watched.contradicted == CONTRADICTED {
                others.push(Notice::AnotherPool(watched.name.clone()));
            }
        }
        for notice in others {
            self.tell(notice);
        }
    }

    /// Takes note of the organisation that calls, as its own listing shows it.
    pub(super) fn learn_org(&mut self, calls: &Listing) {
        if self.org.is_none() && !self.watched.is_empty() {
            self.org = calls.iter().find_map(|call| call.org.clone());
        }
    }
}
