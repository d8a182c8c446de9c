//! What a run remembers for those who are shown it: how many leads are settled, whose numbers they are, and how each
//! call ended.

use std::collections::HashMap;

use crate::campaign::attempt::State;
use crate::campaign::disposition::Class;
use crate::campaign::event::{Event, LeadId, Line, News};
use crate::campaign::notice::Notice;
use crate::campaign::reply::{Change, Claimed, Denied, LeadNow, Opened};
use crate::campaign::seen::SeenCall;
use crate::journal::Totals;
use crate::leads::lead::Phone;
use crate::pool::attempt_id::AttemptId;
use crate::report::happening::{AttemptChange, EndedCall, Happening};
use crate::time::Now;

/// Numbers kept for the lines about them.
const MOST_PHONES: usize = 10_000;

/// What is remembered.
pub(super) struct Notes {
    /// How the campaign stands: as the journal said at the start, and what has changed since.
    pub(super) totals: Totals,
    lines: Vec<String>,
    /// Whose number each lead of the open batch has.
    phones: HashMap<LeadId, Phone>,
    /// Which line each attempt of this run is made from, until its call is over.
    made_from: HashMap<AttemptId, Line>,
}

impl Notes {
    pub(super) fn new(totals: Totals, lines: Vec<String>) -> Self {
        Self { totals, lines, phones: HashMap::new(), made_from: HashMap::new() }
    }

    /// Takes a note of what the campaign is about to hear. Returns what observers are to be told of it.
    pub(super) fn take(&mut self, now: Now, event: &Event) -> Vec<Happening> {
        match event {
            Event::BatchOpened(Opened::Batch { leads, .. }) => {
                if self.phones.len() > MOST_PHONES {
                    self.phones.clear();
                }
                self.phones.extend(leads.iter().map(|lead| (lead.id, lead.lead.phone)));
            }
            Event::Claimed(Claimed { granted, denied, .. }) => {
                self.made_from.extend(granted.iter().map(|granted| (granted.attempt.clone(), granted.line)));
                for _ in denied.iter().filter(|(_, away)| *away == Denied::Suppressed) {
                    self.totals.suppressed += 1;
                    self.settled(Class::Suppressed);
                }
            }
            Event::News(news, recorded) => {
                recorded.changes.iter().for_each(|change| self.count(change));
                let ours = recorded.changes.iter().filter(|change| change.lead.is_some());
                let changed: Vec<_> = ours.map(|change| attempt_change(news, change)).collect();
                let changed = (!changed.is_empty()).then_some(Happening::AttemptsChanged(now, changed));
                let ended = recorded.changes.iter().filter_map(|change| self.ended(news, change));
                return ended.map(|call| Happening::CallEnded(now, call)).chain(changed).collect();
            }
            _ => {}
        }
        Vec::new()
    }

    /// Moves the lead of an attempt from where it was counted to where it is now.
    fn count(&mut self, change: &Change) {
        let was_over = change.was.is_some_and(|was| !was.is_live() && was != State::Parked);
        if change.lead.is_none() || was_over {
            return;
        }
        let doubted = |state| matches!(state, State::InDoubt | State::Parked);
        if change.was.is_some_and(doubted) {
            self.totals.in_doubt = self.totals.in_doubt.saturating_sub(1);
            self.totals.open += 1;
        }
        match change.lead_now {
            LeadNow::Settled(class) if class != Class::Suppressed => self.settled(class),
            LeadNow::Busy | LeadNow::Parked if doubted(change.now) => {
                self.totals.open = self.totals.open.saturating_sub(1);
                self.totals.in_doubt += 1;
            }
            _ => {}
        }
    }

    /// An open lead is settled.
    fn settled(&mut self, class: Class) {
        self.totals.open = self.totals.open.saturating_sub(1);
        self.totals.settled += 1;
        *self.totals.dispositions.entry(class).or_default() += 1;
    }

    /// The call of an attempt that is over now.
    fn ended(&mut self, news: &News, change: &Change) -> Option<EndedCall> {
        if change.now.is_live() || !change.was.is_none_or(State::is_live) {
            return None;
        }
        let line = self.made_from.remove(&change.attempt);
        let State::Ended(class) = change.now else { return None };
        let seen = seen_in(news, change);
        Some(EndedCall {
            phone: change
                .lead
                .and_then(|lead| self.phones.get(&lead).copied())
                .or_else(|| seen.and_then(|seen| seen.phone)),
            call: change.call.clone(),
            line: line.and_then(|line| self.lines.get(line.0).cloned()),
            class,
            reason: change.reason.clone(),
            cost_usd: seen.and_then(|seen| seen.cost),
        })
    }

    /// The number of whom a notice is about.
    pub(super) fn phone_of(&self, notice: &Notice) -> Option<Phone> {
        let lead = match notice {
            Notice::InDoubt(lead, _)
            | Notice::Resolved(lead, _)
            | Notice::Parked(lead)
            | Notice::CalledTwice(lead, _)
            | Notice::LeadRefused(lead, _) => *lead,
            Notice::Suppressed(lead) => Some(*lead),
            _ => None,
        };
        self.phones.get(&lead?).copied()
    }
}

fn attempt_change(news: &News, change: &Change) -> AttemptChange {
    let status = match news {
        News::Refused { message, .. } => message.split(':').next().and_then(|status| status.parse().ok()),
        _ => None,
    };
    AttemptChange { was: change.was, now: change.now, status }
}

/// What the news show of the call of an attempt.
fn seen_in<'n>(news: &'n News, change: &Change) -> Option<&'n SeenCall> {
    match news {
        News::Answered { call, .. } => Some(call),
        News::Listed { calls, .. } => {
            let its = |seen: &&SeenCall| Some(&seen.id) == change.call.as_ref();
            calls.iter().map(AsRef::as_ref).find(its)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::reply::Recorded;
    use crate::pool::attempt_id::Mark;
    use crate::time::Instant;

    fn heard(notes: &mut Notes, was: Option<State>, now: State, lead_now: LeadNow) -> Vec<Happening> {
        let attempt = AttemptId::mint(&Mark::of("leads"), 1);
        let lead = Some(LeadId(1));
        let change =
            Change { attempt: attempt.clone(), call: None, lead, was, now, lead_now, double: false, reason: None };
        let at = Instant::from_micros(0);
        let recorded = Recorded { changes: vec![change], strangers: Vec::new() };
        notes.take(Now { at, wall: at.timestamp() }, &Event::News(News::GivenUp(attempt), recorded))
    }

    #[test]
    fn a_lead_is_counted_where_it_stands_through_doubts_and_back() {
        let mut notes = Notes::new(Totals { total: 2, open: 2, ..Totals::default() }, Vec::new());
        let stands = |notes: &Notes| (notes.totals.open, notes.totals.in_doubt, notes.totals.settled);
        let (claimed, placed) = (State::Claimed, State::Placed { blocked: false });
        heard(&mut notes, Some(claimed), State::InDoubt, LeadNow::Busy);
        assert_eq!(stands(&notes), (1, 1, 0));
        heard(&mut notes, Some(State::InDoubt), State::Parked, LeadNow::Parked);
        assert_eq!(stands(&notes), (1, 1, 0));
        heard(&mut notes, Some(State::Parked), placed, LeadNow::Busy);
        assert_eq!(stands(&notes), (2, 0, 0));
        let told = heard(&mut notes, Some(placed), State::Ended(Class::Answered), LeadNow::Settled(Class::Answered));
        assert_eq!(stands(&notes), (1, 0, 1));
        assert!(
            matches!(&told[..], [Happening::CallEnded(..), Happening::AttemptsChanged(_, changed)]
            if changed[0].was == Some(placed)),
            "{told:?}"
        );
        // More is learnt of a call that is over.
        let ended = State::Ended(Class::HungUp);
        heard(&mut notes, Some(State::Ended(Class::Answered)), ended, LeadNow::Settled(Class::HungUp));
        assert_eq!(stands(&notes), (1, 0, 1));
    }
}
