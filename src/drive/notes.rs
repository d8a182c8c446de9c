//! What a run remembers for those who are shown it: how many leads are settled, whose numbers they are, and how each
//! call ended.

use std::collections::HashMap;

use crate::campaign::attempt::State;
use crate::campaign::disposition::Class;
use crate::campaign::event::{Event, LeadId, Line, News};
use crate::campaign::notice::Notice;
use crate::campaign::reply::{Change, Claimed, Denied, LeadNow, Opened};
use crate::campaign::seen::SeenCall;
use crate::leads::lead::Phone;
use crate::pool::attempt_id::AttemptId;
use crate::report::happening::EndedCall;

/// Numbers kept for the lines about them.
const MOST_PHONES: usize = 10_000;

/// What is remembered.
pub(super) struct Notes {
    /// Leads on the list, and those settled.
    pub(super) standing: (u64, u64),
    lines: Vec<String>,
    /// Whose number each lead of the open batch has.
    phones: HashMap<LeadId, Phone>,
    /// Which line each attempt of this run is made from, until its call is over.
    made_from: HashMap<AttemptId, Line>,
}

impl Notes {
    pub(super) fn new(standing: (u64, u64), lines: Vec<String>) -> Self {
        Self { standing, lines, phones: HashMap::new(), made_from: HashMap::new() }
    }

    /// Takes a note of what the campaign is about to hear. Returns the calls that are over by it.
    pub(super) fn take(&mut self, event: &Event) -> Vec<EndedCall> {
        match event {
            Event::BatchOpened(Opened::Batch { leads, .. }) => {
                if self.phones.len() > MOST_PHONES {
                    self.phones.clear();
                }
                self.phones.extend(leads.iter().map(|lead| (lead.id, lead.lead.phone)));
            }
            Event::Claimed(Claimed { granted, denied, .. }) => {
                self.made_from.extend(granted.iter().map(|granted| (granted.attempt.clone(), granted.line)));
                self.standing.1 += denied.iter().filter(|(_, away)| *away == Denied::Suppressed).count() as u64;
            }
            Event::News(news, recorded) => {
                recorded.changes.iter().for_each(|change| self.settle(change));
                return recorded.changes.iter().filter_map(|change| self.ended(news, change)).collect();
            }
            _ => {}
        }
        Vec::new()
    }

    fn settle(&mut self, change: &Change) {
        let settled = matches!(change.lead_now, LeadNow::Settled(class) if class != Class::Suppressed);
        if change.lead.is_some() && settled && change.was.is_none_or(State::is_live) {
            self.standing.1 += 1;
        }
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
