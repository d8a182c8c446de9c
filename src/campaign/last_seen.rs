//! When each call that is up was last seen in a listing.

use std::sync::Arc;
use std::time::Duration;

use super::repeats::Repeats;
use super::seen::{Listing, SeenCall};
use crate::pool::calls::CallId;
use crate::pool::name::ById;
use crate::time::Instant;

/// Calls that are up, as listings and answers have shown them.
#[derive(Debug, Default)]
pub(super) struct LastSeen {
    up: ById<CallId, Instant>,
    /// The last listing of the watch, and when it came. What it shows was seen then, whatever stands above.
    last: Repeats,
    last_at: Option<Instant>,
    /// Before then nobody can have been unseen for too long.
    quiet_until: Option<Instant>,
}

impl LastSeen {
    /// A listing of the watch came: those of its rows that are to be looked at.
    pub(super) fn listed(&mut self, rows: &Listing, now: Instant) -> Vec<Arc<SeenCall>> {
        let before = self.last_at.replace(now);
        let up = &mut self.up;
        self.last.take(rows, |gone| {
            if let (Some(before), Some(at)) = (before, up.get_mut(&gone.id)) {
                *at = before;
            }
        })
    }

    /// A call that is up was seen in a listing or an answer.
    pub(super) fn saw(&mut self, id: &CallId, now: Instant) {
        if let Some(at) = self.up.get_mut(id) {
            *at = now;
        } else {
            self.up.insert(id.clone(), now);
        }
    }

    /// A call is over.
    pub(super) fn over(&mut self, id: &CallId) {
        self.up.remove(id);
    }

    /// More is known of a call than when its row was looked at: the next one is to be looked at again.
    pub(super) fn look_again(&mut self, id: &CallId) {
        self.last.look_again(|row| row.id == *id);
    }

    /// Of the calls that are up, the one that was in no listing for the longest, if that is longer than this.
    pub(super) fn unseen(&mut self, now: Instant, patience: Duration) -> Option<CallId> {
        if self.quiet_until.is_some_and(|until| now < until) {
            return None;
        }
        if let Some(last_at) = self.last_at {
            for row in self.last.rows() {
                if let Some(at) = self.up.get_mut(&row.id) {
                    *at = last_at.max(*at);
                }
            }
        }
        let longest = self.up.iter().map(|(id, at)| (*at, id)).min();
        self.quiet_until = Some(longest.map_or(now, |(at, _)| at) + patience);
        longest.filter(|(at, _)| now.since(*at) > patience).map(|(_, id)| id.clone())
    }
}
