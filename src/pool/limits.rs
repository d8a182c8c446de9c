//! The limits that were seen: which one holds, and how many calls may be up under it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::Stamp;

/// More limits than a provider that is in its right mind shows between two free slots.
const MOST: usize = 16;

/// The limits that were seen, in any order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct SeenLimits {
    newest: Option<(Stamp, Reverse<u32>)>,
    /// When each was last seen, as long as calls from its time may be up.
    last_seen: BTreeMap<u32, Stamp>,
    /// When a slot was last seen free.
    free_at: Option<Stamp>,
}

impl SeenLimits {
    /// A limit was seen at that time. Of two at the same time the smaller holds.
    pub(super) fn saw(&mut self, at: Stamp, limit: u32) {
        self.newest = self.newest.max(Some((at, Reverse(limit))));
        let seen = self.last_seen.entry(limit).or_insert(at);
        *seen = at.max(*seen);
        self.prune();
    }

    /// A slot was free at that time: no more calls were up than the limit of then.
    pub(super) fn saw_free(&mut self, at: Stamp) {
        self.free_at = self.free_at.max(Some(at));
        self.prune();
    }

    /// It is no later than that: what was seen later was stamped wrongly.
    pub(super) fn no_later_than(&mut self, now: Stamp) {
        self.newest = self.newest.map(|(at, limit)| (at.min(now), limit));
        self.free_at = self.free_at.map(|at| at.min(now));
        self.last_seen.values_mut().for_each(|at| *at = (*at).min(now));
    }

    /// The newest, and when it was seen.
    pub(super) fn newest(&self) -> Option<(Stamp, u32)> {
        self.newest.map(|(at, Reverse(limit))| (at, limit))
    }

    /// The most calls that may be up while nothing is free. The number of free slots is floored at zero, so after a
    /// limit has been lowered there may be more than it allows, until a slot is seen free again.
    pub(super) fn most_up(&self) -> Option<u32> {
        self.last_seen.keys().next_back().copied()
    }

    fn prune(&mut self) {
        let since = self.free_at;
        self.last_seen.retain(|_, seen| Some(*seen) >= since);
        while self.last_seen.len() > MOST {
            self.last_seen.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lowered_limit_leaves_more_up_until_a_slot_is_free() {
        let at = Stamp::from_micros;
        let mut limits = SeenLimits::default();
        assert_eq!((limits.newest(), limits.most_up()), (None, None));
        limits.saw(at(1), 20);
        limits.saw_free(at(1));
        limits.saw(at(9), 5);
        limits.saw(at(7), 10);
        limits.saw(at(9), 6);
        assert_eq!((limits.newest(), limits.most_up()), (Some((at(9), 5)), Some(20)));
        limits.saw_free(at(8));
        assert_eq!((limits.newest(), limits.most_up()), (Some((at(9), 5)), Some(6)));
        for limit in 100..200 {
            limits.saw(at(20), limit);
        }
        assert_eq!((limits.last_seen.len(), limits.most_up()), (MOST, Some(199)));
    }
}
