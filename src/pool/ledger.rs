//! Every call that is known, with the sums that the rule asks for kept up to date, so that asking costs nothing.

use std::collections::{HashMap, HashSet};

use super::attempt_id::AttemptId;
use super::calls::{Call, CallId};
use super::observation::Observation;
use crate::time::Stamp;

/// Calls by their id.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    calls: HashMap<CallId, Entry>,
    /// Attempts whose call is known: they are no mere claims any more, whatever other runs still think.
    named: HashSet<AttemptId>,
    sums: Sums,
    /// No call that is known ended before then.
    oldest_end: Option<Stamp>,
}

#[derive(Clone, Debug)]
struct Entry {
    call: Call,
    attempt: Option<AttemptId>,
}

/// What the calls add up to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Sums {
    /// Calls that are up.
    pub(super) up: u32,
    /// Those of them that a run on this machine made.
    pub(super) ours_up: u32,
    /// Calls that the observation surely counted.
    pub(super) counted: u32,
}

impl Sums {
    fn of(id: &CallId, call: &Call, seen: Option<&Observation>) -> Self {
        let counted = seen.is_some_and(|seen| seen.counted(id, call));
        Self { up: u32::from(call.is_up()), ours_up: u32::from(call.ours && call.is_up()), counted: u32::from(counted) }
    }

    fn put(&mut self, more: Self) {
        self.up += more.up;
        self.ours_up += more.ours_up;
        self.counted += more.counted;
    }

    fn take(&mut self, less: Self) {
        self.up -= less.up;
        self.ours_up -= less.ours_up;
        self.counted -= less.counted;
    }
}

impl Ledger {
    pub(super) const fn sums(&self) -> Sums {
        self.sums
    }

    pub(super) fn get(&self, id: &CallId) -> Option<&Call> {
        self.calls.get(id).map(|entry| &entry.call)
    }

    /// Whether the call of that attempt is known.
    pub(super) fn knows(&self, attempt: &AttemptId) -> bool {
        self.named.contains(attempt)
    }

    /// Takes in what is known of a call.
    pub(super) fn merge(&mut self, id: &CallId, call: &Call, attempt: Option<&AttemptId>, seen: Option<&Observation>) {
        if let Some(attempt) = attempt {
            self.named.insert(attempt.clone());
        }
        if let Some(ended) = call.ended {
            self.oldest_end = Some(self.oldest_end.map_or(ended, |oldest| oldest.min(ended)));
        }
        if let Some(entry) = self.calls.get_mut(id) {
            self.sums.take(Sums::of(id, &entry.call, seen));
            entry.call.merge(call);
            entry.attempt = entry.attempt.take().or_else(|| attempt.cloned());
            self.sums.put(Sums::of(id, &entry.call, seen));
        } else {
            self.sums.put(Sums::of(id, call, seen));
            self.calls.insert(id.clone(), Entry { call: call.clone(), attempt: attempt.cloned() });
        }
    }

    /// There is another observation: what it counted is worked out anew.
    pub(super) fn recount(&mut self, seen: &Observation) {
        let counted = self.calls.iter().filter(|(id, entry)| seen.counted(id, &entry.call)).count();
        self.sums.counted = u32::try_from(counted).unwrap_or(u32::MAX);
    }

    /// Whether a call that is known ended before then.
    pub(super) fn has_ended_before(&self, then: Stamp) -> bool {
        self.oldest_end.is_some_and(|ended| ended < then)
    }

    /// Forgets calls that ended before then, which no observation may count any more, and names them.
    pub(super) fn forget(&mut self, before: Stamp) -> Vec<CallId> {
        let over = |entry: &Entry| entry.call.ended.is_some_and(|ended| ended < before);
        let gone: Vec<CallId> = self.calls.iter().filter(|(_, entry)| over(entry)).map(|(id, _)| id.clone()).collect();
        for id in &gone {
            if let Some(attempt) = self.calls.remove(id).and_then(|entry| entry.attempt) {
                self.named.remove(&attempt);
            }
        }
        self.oldest_end = self.calls.values().filter_map(|entry| entry.call.ended).min();
        gone
    }
}
