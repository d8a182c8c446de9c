//! What is to happen on a stage, in the order of time, and of what was put down first.

use std::collections::VecDeque;

use super::Due;
use crate::time::{Stamp, sooner};

/// What is to happen. Most waits are as long as the one before, so that each queue grows at its end.
#[derive(Default)]
pub(super) struct EventQueue {
    soon: VecDeque<QueuedEvent>,
    timeouts: VecDeque<QueuedEvent>,
    turns: u64,
}

/// Something that is to happen.
struct QueuedEvent {
    at: Stamp,
    number: u64,
    due: Due,
}

impl QueuedEvent {
    const fn order(&self) -> (Stamp, u64) {
        (self.at, self.number)
    }
}

impl EventQueue {
    pub(super) fn put(&mut self, at: Stamp, due: Due) {
        self.turns += 1;
        let turn = QueuedEvent { at, number: self.turns, due };
        let queue = if matches!(turn.due, Due::Timeout(_)) { &mut self.timeouts } else { &mut self.soon };
        if queue.back().is_none_or(|last| last.at <= at) {
            return queue.push_back(turn);
        }
        let place = queue.iter().rposition(|known| known.at <= at).map_or(0, |place| place + 1);
        queue.insert(place, turn);
    }

    /// When something happens next.
    pub(super) fn next_at(&self) -> Option<Stamp> {
        sooner(self.soon.front().map(|turn| turn.at), self.timeouts.front().map(|turn| turn.at))
    }

    /// What happens next, if that is no later than then.
    pub(super) fn take(&mut self, until: Stamp) -> Option<Due> {
        let order = |queue: &VecDeque<QueuedEvent>| queue.front().map(QueuedEvent::order);
        let queue = match (order(&self.soon), order(&self.timeouts)) {
            (Some(soon), Some(timeout)) if timeout < soon => &mut self.timeouts,
            (None, Some(_)) => &mut self.timeouts,
            _ => &mut self.soon,
        };
        queue.pop_front_if(|turn| turn.at <= until).map(|turn| turn.due)
    }

    /// Keeps only what is still to happen.
    pub(super) fn keep(&mut self, still: impl Fn(&Due) -> bool) {
        self.soon.retain(|turn| still(&turn.due));
        self.timeouts.retain(|turn| still(&turn.due));
    }
}
