//! Every call that is known, with the sums that the rule asks for kept up to date, so that asking costs nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::attempt_id::AttemptId;
use super::calls::{Call, CallId};
use super::name::{ById, Names};
use super::observation::{COUNTED_LATE, Observation};
use crate::time::Stamp;

/// Calls by their id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    up: ById<CallId, Entry>,
    /// Calls that are over, and the order in which they ended.
    over: ById<CallId, Entry>,
    ends: BTreeSet<(Stamp, CallId)>,
    /// Attempts whose call is known: they are no mere claims any more, whatever other runs still think.
    named: Names<AttemptId>,
    /// Of the calls that are up, those that began too late for the observation to have surely counted them.
    recent: Vec<CallId>,
    sums: Sums,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    call: Call,
    attempt: Option<AttemptId>,
}

/// What the calls add up to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sums {
    /// Calls that are up.
    pub(super) up: u32,
    /// Those of them that a run on this machine made.
    pub(super) ours_up: u32,
    /// Calls that the observation surely counted.
    pub(super) counted: u32,
    /// Calls that it may have counted.
    pub(super) perhaps_counted: u32,
}

impl Sums {
    fn of(id: &CallId, call: &Call, seen: Option<&Observation>) -> Self {
        let counted = seen.is_some_and(|seen| seen.counted(id, call));
        let perhaps = seen.is_some_and(|seen| seen.may_have_counted(call));
        Self {
            up: u32::from(call.is_up()),
            ours_up: u32::from(call.ours && call.is_up()),
            counted: u32::from(counted),
            perhaps_counted: u32::from(perhaps),
        }
    }

    fn put(&mut self, more: Self) {
        self.up += more.up;
        self.ours_up += more.ours_up;
        self.counted += more.counted;
        self.perhaps_counted += more.perhaps_counted;
    }

    fn take(&mut self, less: Self) {
        self.up -= less.up;
        self.ours_up -= less.ours_up;
        self.counted -= less.counted;
        self.perhaps_counted -= less.perhaps_counted;
    }
}

impl Ledger {
    pub(super) const fn sums(&self) -> Sums {
        self.sums
    }

    pub(super) fn get(&self, id: &CallId) -> Option<&Call> {
        self.up.get(id).or_else(|| self.over.get(id)).map(|entry| &entry.call)
    }

    /// Whether the call of that attempt is known.
    pub(super) fn knows(&self, attempt: &AttemptId) -> bool {
        self.named.contains(attempt)
    }

    /// Takes in what is known of a call.
    pub(super) fn merge(&mut self, id: &CallId, call: &Call, attempt: Option<&AttemptId>, seen: Option<&Observation>) {
        if let Some(attempt) = attempt
            && !self.named.contains(attempt)
        {
            self.named.insert(attempt.clone());
        }
        if let Some(entry) = self.up.get_mut(id).or_else(|| self.over.get_mut(id)) {
            let (from, before) = (entry.call.from, entry.call.ended);
            self.sums.take(Sums::of(id, &entry.call, seen));
            entry.call.merge(call);
            if entry.attempt.is_none() {
                entry.attempt = attempt.cloned();
            }
            self.sums.put(Sums::of(id, &entry.call, seen));
            let after = entry.call.ended;
            if from != entry.call.from && after.is_none() && !self.recent.contains(id) {
                self.recent.push(id.clone());
            }
            if before != after {
                self.ends_otherwise(id, before, after);
            }
        } else {
            self.sums.put(Sums::of(id, call, seen));
            let entry = Entry { call: call.clone(), attempt: attempt.cloned() };
            if let Some(ended) = call.ended {
                self.ends.insert((ended, id.clone()));
                self.over.insert(id.clone(), entry);
            } else {
                self.recent.push(id.clone());
                self.up.insert(id.clone(), entry);
            }
        }
    }

    fn ends_otherwise(&mut self, id: &CallId, before: Option<Stamp>, after: Option<Stamp>) {
        if let Some((id, entry)) = self.up.remove_entry(id) {
            self.over.insert(id, entry);
        }
        if let Some(before) = before {
            self.ends.remove(&(before, id.clone()));
        }
        self.ends.extend(after.map(|after| (after, id.clone())));
    }

    /// There is another observation, no earlier than the last: what it counted is worked out anew.
    pub(super) fn recount(&mut self, seen: &Observation) {
        let Self { up, over, ends, recent, sums, .. } = self;
        // A call that is up and began before that was counted, by this observation and by all that follow.
        let sure = seen.at - COUNTED_LATE;
        recent.retain(|id| up.get(id).is_some_and(|entry| entry.call.from >= sure));
        let late: u32 = recent.iter().map(|id| u32::from(up[id].call.is_up())).sum();
        // Of those that are over, only those that ended after it, or hardly before, can have been counted.
        let since = seen.at - 2 * COUNTED_LATE;
        let ended = ends.iter().rev().take_while(|(ended, _)| *ended >= since);
        let over = ended.filter_map(|(_, id)| over.get_key_value(id));
        let (mut counted, mut perhaps) = (sums.up - late, sums.up - late);
        for (id, entry) in recent.iter().map(|id| (id, &up[id])).chain(over) {
            counted += u32::from(seen.counted(id, &entry.call));
            perhaps += u32::from(seen.may_have_counted(&entry.call));
        }
        (self.sums.counted, self.sums.perhaps_counted) = (counted, perhaps);
    }

    /// The same for one that may be earlier than the last.
    pub(super) fn recount_all(&mut self, seen: &Observation) {
        self.recent = self.up.keys().cloned().collect();
        self.recount(seen);
    }

    /// Forgets calls that ended before then, which no observation may count any more, and names them.
    pub(super) fn forget(&mut self, before: Stamp) -> Vec<CallId> {
        let mut gone = Vec::new();
        while self.has_ended_before(before)
            && let Some((_, id)) = self.ends.pop_first()
        {
            if let Some(attempt) = self.over.remove(&id).and_then(|entry| entry.attempt) {
                self.named.remove(&attempt);
            }
            gone.push(id);
        }
        gone
    }

    /// Calls that are over and hold their slots until after then.
    pub(super) fn lingering(&self, then: Stamp) -> u32 {
        let late = self.ends.iter().rev().take_while(|(ended, _)| *ended > then);
        late.map(|(_, id)| u32::from(self.over.get(id).is_some_and(|entry| entry.call.entered()))).sum()
    }

    /// When the first of those is free.
    pub(super) fn next_release(&self, then: Stamp) -> Option<Stamp> {
        self.ends.iter().rev().take_while(|(ended, _)| *ended > then).last().map(|(ended, _)| *ended)
    }

    /// How long before the second time calls that held slots ended, since the first.
    pub(super) fn ended_between(&self, since: Stamp, until: Stamp) -> Vec<Duration> {
        let ends = self.ends.iter().rev().skip_while(|(ended, _)| *ended > until);
        let ends = ends.take_while(|(ended, _)| *ended > since);
        let held = ends.filter(|(_, id)| self.over.get(id).is_some_and(|entry| entry.call.entered()));
        held.map(|(ended, _)| until.since(*ended)).collect()
    }

    /// Whether a call that is known ended before then.
    pub(super) fn has_ended_before(&self, then: Stamp) -> bool {
        self.ends.first().is_some_and(|(ended, _)| *ended < then)
    }
}
