//! Calls that are over and that the provider may still analyse. Where a results file is to have what it makes of them,
//! that is waited for, and the run's end with it. Nothing else depends on it.

use std::collections::BTreeMap;

use super::Campaign;
use super::seen::SeenCall;
use crate::pool::calls::CallId;
use crate::time::{Instant, Now};

/// Calls whose analysis is waited for: until when, and when one is asked for by its id, since no listing has to show
/// again what it has shown.
#[derive(Debug, Default)]
pub(super) struct Awaited(BTreeMap<CallId, Wait>);

#[derive(Clone, Copy, Debug)]
struct Wait {
    until: Instant,
    ask_at: Option<Instant>,
}

impl Awaited {
    /// Those of earlier runs.
    pub(super) fn of(calls: Vec<(CallId, Instant)>, now: Instant) -> Self {
        Self(calls.into_iter().map(|(call, until)| (call, Wait { until, ask_at: Some(now) })).collect())
    }

    pub(super) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

impl Campaign {
    /// A row shows one of our calls over, for the first time or again.
    pub(super) fn note_analysis(&mut self, call: &SeenCall, has_just_ended: bool, received: Instant) {
        let Some(wait) = self.plan.results_wait else { return };
        if call.analysed {
            self.awaited.0.remove(&call.id);
        } else if has_just_ended && (call.answered().is_some() || call.spoke) {
            let wait = Wait { until: received + wait, ask_at: Some(received + wait / 2) };
            self.awaited.0.entry(call.id.clone()).or_insert(wait);
        }
    }

    /// Asks for those by their ids whose time for that has come, and waits no longer for those whose time is over.
    pub(super) fn look_for_analyses(&mut self, now: Now) {
        let mut awaited = std::mem::take(&mut self.awaited);
        awaited.0.retain(|_, wait| now.at < wait.until);
        for (call, wait) in &mut awaited.0 {
            if wait.ask_at.is_some_and(|at| at <= now.at) {
                self.listing.ask_for(call.clone());
                // Once more when little of the time is left.
                let last = now.at + wait.until.since(now.at) * 3 / 4;
                wait.ask_at = Some(last).filter(|last| wait.until.since(*last) > self.plan.poll * 2);
            }
            self.wake(wait.ask_at.unwrap_or(wait.until).min(wait.until));
        }
        self.awaited = awaited;
    }
}
