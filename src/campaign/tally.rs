//! What one run did: counted as it happens, for the report at its end.

use std::time::Duration;

use super::attempt::{Cause, State};
use crate::pool::headroom::Slots;
use crate::time::Instant;

/// What this run did.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tally {
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
    /// For how long fewer than the reserve were free while we held any, as far as known.
    pub below_reserve: Duration,
    /// The limit, as last seen or assumed.
    pub limit: u32,
    /// What was kept, as last asked for.
    pub reserve: u32,
    since: Option<(Instant, bool)>,
}

impl Tally {
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

    /// Takes note of the pool as it is from now on.
    pub(super) fn note(&mut self, now: Instant, slots: Slots, reserve: u32) {
        if let Some((since, true)) = self.since {
            self.below_reserve += now.since(since);
        }
        let free = slots.free + slots.kept;
        let ours = slots.ours > 0;
        self.since = Some((now, ours && free < reserve));
        self.peak_ours = self.peak_ours.max(slots.ours);
        if ours {
            self.lowest_free = Some(self.lowest_free.map_or(free, |lowest| lowest.min(free)));
        }
        self.limit = slots.limit;
        self.reserve = reserve;
    }
}
