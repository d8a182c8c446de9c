//! What this run may ask of the provider now, out of the budget that it shares with the other runs of its organisation.

use std::time::Duration;

use super::Campaign;
use super::budget::{Budget, RequestsLeft, Urgency, minute, next_minute};
use super::event::{Action, Booking};
use super::reply::Booked;
use crate::time::{Instant, Now};

/// What has waited for so long for a request is as urgent as a dial.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long it is remembered that requests ran short.
const LATELY: Duration = Duration::from_mins(1);

/// This run's part of the budget.
#[derive(Debug)]
pub(super) struct Requests {
    budget: Option<Budget>,
    /// Live runs that share it.
    runs: u32,
    /// The next read of the watch out of the part that it is sure of, and how many there were in which minute.
    next_watch: Instant,
    watched: (i64, u32),
    /// One of the shared part is booked and not used yet.
    booked: bool,
    /// It was asked for.
    asked: bool,
    /// Requests that were made without asking, to be told with the next booking.
    made: u32,
    /// None is to be asked for before then.
    not_before: Option<Instant>,
    /// Since when a read waits for one.
    waits_since: Option<Instant>,
    /// When one had to wait last.
    short_at: Option<Instant>,
    /// What is left of the shared part, and in which minute that was told.
    left: (i64, u32),
}

impl Requests {
    pub(super) fn new(budget: Option<Budget>, now: Instant) -> Self {
        Self {
            budget,
            runs: 1,
            next_watch: now,
            watched: (0, 0),
            booked: false,
            asked: false,
            made: 0,
            not_before: None,
            waits_since: None,
            short_at: None,
            left: (0, 0),
        }
    }

    /// Whether the watch may read now.
    pub(super) fn may_watch(&self, now: Now) -> bool {
        self.may_read() || now.at >= self.next_watch
    }

    /// Whether anything else may be read now.
    pub(super) fn may_read(&self) -> bool {
        self.budget.is_none() || self.booked
    }

    /// How far the reads of another organisation are apart at the least: its budget is its own, of the same size.
    pub(super) fn gap_of_another(&self) -> Duration {
        self.budget.map_or(Duration::ZERO, |budget| Duration::from_mins(1) * self.runs / budget.per_minute())
    }

    /// A read is sent.
    pub(super) fn reads(&mut self, watch: bool, now: Now) {
        self.waits_since = None;
        let Some(budget) = self.budget else { return };
        if watch && now.at >= self.next_watch {
            let before = if self.watched.0 == minute(now) { self.watched.1 } else { 0 };
            self.watched = (minute(now), before + 1);
            self.next_watch = now.at + budget.watch_gap(self.runs);
            if self.watched.1 >= budget.watch_of_each(self.runs) {
                self.next_watch = self.next_watch.max(next_minute(now));
            }
        } else {
            self.booked = false;
        }
    }

    /// How often the listing can surely be read, where requests have run short lately.
    pub(super) fn poll_kept(&self, poll: Duration, now: Instant) -> Duration {
        let short = self.short_at.is_some_and(|at| now.since(at) < LATELY);
        self.budget.filter(|_| short).map_or(poll, |budget| poll.max(budget.watch_gap(self.runs)))
    }

    fn learn(&mut self, left: RequestsLeft, now: Now) {
        self.runs = left.runs;
        self.left = (minute(now), left.shared);
    }

    /// Requests that this run may still make in this minute of UTC; none where nothing limits them.
    fn left(&self, now: Now) -> Option<u32> {
        let budget = self.budget?;
        let this = minute(now);
        let shared = if self.left.0 == this { self.left.1 } else { budget.shared() };
        let watched = if self.watched.0 == this { self.watched.1 } else { 0 };
        Some(shared + budget.watch_of_each(self.runs).saturating_sub(watched))
    }
}

impl Campaign {
    /// Requests that this run may still make in this minute of UTC; none where nothing limits them.
    pub fn requests_left(&self, now: Now) -> Option<u32> {
        self.requests.left(now)
    }

    /// A read is due, and no request is left for it: one is asked for.
    pub(super) fn want_request(&mut self, now: Now) {
        let requests = &mut self.requests;
        requests.short_at = Some(now.at);
        let since = *requests.waits_since.get_or_insert(now.at);
        if requests.next_watch > now.at {
            let at = requests.next_watch;
            self.wake(at);
        }
        if let Some(at) = self.requests.not_before.filter(|at| now.at < *at) {
            return self.wake(at);
        }
        let urgency = if now.at.since(since) < PATIENCE { Urgency::After } else { Urgency::First };
        self.book(1, urgency);
    }

    /// So many requests were made without asking.
    pub(super) fn requests_made(&mut self, requests: u32) {
        self.requests.made += requests;
        self.book(0, Urgency::After);
    }

    fn book(&mut self, wanted: u32, urgency: Urgency) {
        if self.requests.budget.is_some() && !std::mem::replace(&mut self.requests.asked, true) {
            let made = std::mem::take(&mut self.requests.made);
            self.actions.push_back(Action::Book(Booking { made, wanted, urgency }));
        }
    }

    /// The journal's answer to a booking.
    pub(super) fn booked(&mut self, booked: Booked, now: Now) {
        self.requests.asked = false;
        self.requests.booked |= booked.granted > 0;
        self.requests.not_before = booked.left.and_then(|left| left.again);
        if let Some(left) = booked.left {
            self.requests.learn(left, now);
        }
    }

    /// What the journal said of the budget with its claims: until when it has no request for another dial.
    pub(super) fn no_dials_until(&mut self, left: Option<RequestsLeft>, now: Now) -> Option<Instant> {
        self.requests.learn(left?, now);
        left?.again
    }
}
