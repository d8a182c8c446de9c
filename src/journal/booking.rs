//! Requests of the organisation's budget, booked by its runs: the same for every journal.

use super::granting::Grant;
use crate::campaign::budget::{Budget, Made, RequestsLeft, Urgency};
use crate::campaign::event::Booking;
use crate::campaign::reply::Booked;
use crate::time::{Instant, Now};

/// The budget, what was made of it, and how many runs share it.
pub(super) struct Ledger {
    pub(super) budget: Option<Budget>,
    pub(super) made: Made,
    pub(super) runs: u32,
}

impl Ledger {
    /// So many dials at most, and when to ask again where these are fewer than the pool allows.
    pub(super) fn bound(&self, now: Now, most: u32) -> (u32, Option<Instant>) {
        let Some(budget) = self.budget else { return (most, None) };
        let free = budget.free(&self.made, now, Urgency::First);
        (most.min(free), (free < most).then(|| budget.again(&self.made, now, Urgency::First)))
    }

    /// Takes note of the dials that were granted.
    pub(super) fn dialed(&mut self, now: Now, grant: &Grant, again: Option<Instant>) -> Option<RequestsLeft> {
        self.make(now, u32::try_from(grant.granted.len()).unwrap_or(u32::MAX));
        self.left(now, again)
    }

    /// Grants of a booking what is free.
    pub(super) fn book(&mut self, now: Now, booking: Booking) -> Booked {
        let Some(budget) = self.budget else { return Booked { granted: booking.wanted, left: None } };
        self.make(now, booking.made);
        let granted = booking.wanted.min(budget.free(&self.made, now, booking.urgency));
        let again = (granted < booking.wanted).then(|| budget.again(&self.made, now, booking.urgency));
        self.make(now, granted);
        Booked { granted, left: self.left(now, again) }
    }

    fn make(&mut self, now: Now, requests: u32) {
        if let Some(budget) = self.budget.filter(|_| requests > 0) {
            budget.make(&mut self.made, now, requests);
        }
    }

    fn left(&self, now: Now, again: Option<Instant>) -> Option<RequestsLeft> {
        self.budget.map(|budget| RequestsLeft { runs: self.runs, shared: budget.left(&self.made, now), again })
    }
}
