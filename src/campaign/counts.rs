//! What one run did: counted as it happens, for the report at its end.

use std::time::Duration;

use super::attempt::{Cause, State};
use crate::pool::headroom::Slots;
use crate::time::Instant;

/// Changes of the reserve that are remembered.
const MOST_RESERVES: usize = 500;

/// What this run did.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RunCounts {
    /// Attempts that became calls.
    pub placed: u64,
    /// Attempts that surely did not.
    pub refused: u64,
    /// Those of the refused that the pool refused.
    pub blocked: u64,
    /// Doubts that were resolved, either way.
    pub in_doubt_resolved: u64,
    /// The most calls of ours at once, those on their way among them; doubts are not.
    pub peak_ours: u32,
    /// The fewest slots that were free while we held any, as far as known; none if we never did.
    pub lowest_free: Option<u32>,
    /// The limit at that moment.
    pub limit_then: u32,
    /// For how long fewer than the reserve were free over the whole run, as far as known: what the news showed is taken
    /// to last until the next news.
    pub below_reserve: Duration,
    /// The part of that during which we held any.
    pub below_reserve_with_ours: Duration,
    /// The limit, as last seen or assumed.
    pub limit: u32,
    /// What was kept, as last asked for.
    pub reserve: u32,
    /// What was kept from when on, where it was another: the first and the newest such changes.
    pub reserves: Vec<(Instant, u32)>,
    /// Since when fewer are free, and whether we hold any.
    below_since: Option<(Instant, bool)>,
    /// Slots left, as the newest answer said.
    remaining: Option<u32>,
}

impl RunCounts {
    /// An attempt of this run went from one state to another.
    pub(super) fn count(&mut self, was: State, now: State) {
        if was == now {
            return;
        }
        let placed = |state| matches!(state, State::Placed { .. } | State::Ended(_));
        if placed(now) && !placed(was) {
            self.placed += 1;
        } else if placed(was) && !placed(now) {
            self.placed = self.placed.saturating_sub(1);
        }
        if let State::Refused(cause) = was {
            self.refused = self.refused.saturating_sub(1);
            self.blocked = self.blocked.saturating_sub(u64::from(cause == Cause::Pool));
        }
        if let State::Refused(cause) = now {
            self.refused += 1;
            self.blocked += u64::from(cause == Cause::Pool);
        }
        if was == State::InDoubt && now != State::Parked {
            self.in_doubt_resolved += 1;
        }
    }

    /// An answer said that so many slots are left; that holds until the next answer, or the next listing, says more.
    pub(super) fn said(&mut self, remaining: Option<u32>) {
        self.remaining = remaining;
    }

    /// Takes note of the pool as it is from now on.
    pub(super) fn note(&mut self, now: Instant, slots: Slots, reserve: u32) {
        if let Some((since, with_ours)) = self.below_since {
            self.below_reserve += now.since(since);
            self.below_reserve_with_ours += if with_ours { now.since(since) } else { Duration::ZERO };
        }
        let likely = slots.free + slots.kept;
        let free = self.remaining.map_or(likely, |said| likely.min(said));
        let ours = slots.ours > 0;
        self.below_since = (free < reserve).then_some((now, ours));
        self.peak_ours = self.peak_ours.max(slots.ours);
        if ours && self.lowest_free.is_none_or(|lowest| free < lowest) {
            (self.lowest_free, self.limit_then) = (Some(free), slots.limit);
        }
        self.limit = slots.limit;
        self.reserve = reserve;
        if self.reserves.last().is_none_or(|(_, last)| *last != reserve) {
            if self.reserves.len() >= MOST_RESERVES {
                self.reserves.remove(1);
            }
            self.reserves.push((now, reserve));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_said_counts_until_there_is_other_news() {
        let at = |seconds: u64| Instant::from_micros(0) + Duration::from_secs(seconds);
        let slots = Slots { ours: 1, others: 0, free: 6, kept: 3, limit: 10 };
        let mut tally = RunCounts::default();
        tally.said(Some(2));
        tally.note(at(1), slots, 3);
        tally.note(at(2), slots, 3);
        tally.said(None);
        tally.note(at(4), slots, 3);
        tally.note(at(9), slots, 3);
        assert_eq!((tally.lowest_free, tally.below_reserve), (Some(2), Duration::from_secs(3)));
    }

    #[test]
    fn the_whole_run_is_looked_at_for_the_reserve() {
        let at = |seconds: u64| Instant::from_micros(0) + Duration::from_secs(seconds);
        let slots = |ours, others, limit: u32| {
            let open = limit - ours - others;
            Slots { ours, others, free: open.saturating_sub(3), kept: open.min(3), limit }
        };
        let mut tally = RunCounts::default();
        tally.note(at(0), slots(0, 8, 10), 3);
        tally.note(at(5), slots(1, 8, 10), 3);
        tally.note(at(7), slots(1, 2, 10), 3);
        tally.note(at(100), slots(0, 0, 3), 3);
        let below = [tally.below_reserve, tally.below_reserve_with_ours].map(|time| time.as_secs());
        assert_eq!((below, tally.lowest_free, tally.limit_then), ([7, 2], Some(1), 10));
    }
}
