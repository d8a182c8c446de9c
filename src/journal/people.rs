//! What one step works on: all that a journal knows of the people it is about, and what the step changed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::facts::{Attempt, Origin};
use super::lead_status::{LeadStatus, Person};
use crate::campaign::attempt::State;
use crate::campaign::event::LeadId;
use crate::campaign::seen::{Analysis, SeenCall};
use crate::leads::lead::{Lead, Phone};
use crate::pool::attempt_id::{AttemptId, Mark};
use crate::time::Instant;

/// A lead as it stands in the journal.
#[derive(Clone, Debug)]
pub(super) struct LeadRow {
    pub(super) id: LeadId,
    /// Where it stands on the list, as one number that sorts.
    pub(super) place: i64,
    pub(super) lead: Arc<Lead>,
    pub(super) listed: bool,
    pub(super) suppressed: bool,
    pub(super) added: Instant,
    pub(super) stand: LeadStatus,
}

impl LeadRow {
    pub(super) fn person(&self) -> Person<'_> {
        Person { id: self.id, zones: &self.lead.zones, suppressed: self.suppressed, added: self.added }
    }
}

/// Whom a step is about: what is loaded for it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Wanted<'a> {
    /// These leads.
    pub(super) leads: &'a [LeadId],
    /// Those that these attempts speak of.
    pub(super) attempts: &'a [AttemptId],
    /// Those that calls speak of which were found and not taken in.
    pub(super) found: bool,
    /// Whether their numbers are on a do-not-call list is asked, too.
    pub(super) suppressed: bool,
}

/// All that a journal knows of some numbers: this campaign's leads, every attempt, and what a step has changed of it.
#[derive(Debug, Default)]
pub(super) struct People {
    /// This campaign's number.
    pub(super) campaign: i64,
    /// The campaigns whose marks unknown attempts carry.
    pub(super) campaigns: BTreeMap<Mark, i64>,
    leads: BTreeMap<LeadId, LeadRow>,
    attempts: BTreeMap<AttemptId, Arc<Attempt>>,
    numbers: BTreeMap<Phone, OnNumber>,
    pub(super) suppressed: BTreeSet<Phone>,
    changed: Changed,
}

/// What a step has changed.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) leads: BTreeSet<LeadId>,
    pub(super) attempts: BTreeSet<AttemptId>,
    /// Leads of other campaigns, to be looked at again when those start.
    pub(super) stale: BTreeSet<(i64, Phone)>,
    /// Who asked not to be called.
    pub(super) opted_out: BTreeSet<Phone>,
    /// What the provider made of calls, which may be known already.
    pub(super) analyses: Vec<(AttemptId, Arc<Analysis>)>,
    /// No POST on this pool before then.
    pub(super) posts_paused: Option<Instant>,
}

#[derive(Debug, Default)]
struct OnNumber {
    leads: Vec<LeadId>,
    attempts: Vec<AttemptId>,
}

impl People {
    /// Nobody yet, for a campaign.
    pub(super) fn of(campaign: i64) -> Self {
        Self { campaign, ..Self::default() }
    }

    /// Adds a lead that was loaded.
    pub(super) fn add_lead(&mut self, row: LeadRow) {
        let on = self.numbers.entry(row.lead.phone).or_default();
        if !on.leads.contains(&row.id) {
            on.leads.push(row.id);
        }
        self.leads.insert(row.id, row);
    }

    /// Adds an attempt that was loaded.
    pub(super) fn add_attempt(&mut self, attempt: Arc<Attempt>) {
        if let Some(phone) = attempt.phone {
            let on = self.numbers.entry(phone).or_default();
            if !on.attempts.contains(&attempt.id) {
                on.attempts.push(attempt.id.clone());
            }
        }
        self.attempts.insert(attempt.id.clone(), attempt);
    }

    /// The numbers that leads and attempts were loaded with so far.
    pub(super) fn phones(&self) -> Vec<Phone> {
        self.numbers.keys().copied().collect()
    }

    /// An attempt by its id.
    pub(super) fn attempt(&self, id: &AttemptId) -> Option<&Arc<Attempt>> {
        self.attempts.get(id)
    }

    /// Every attempt that was loaded.
    pub(super) fn attempts(&self) -> impl Iterator<Item = &Arc<Attempt>> {
        self.attempts.values()
    }

    /// This campaign's attempts on a number, in the order of their claims.
    pub(super) fn attempts_on(&self, phone: Phone) -> Vec<&Attempt> {
        let mut attempts: Vec<&Attempt> = self.on(phone).filter(|attempt| attempt.campaign == self.campaign).collect();
        attempts.sort_by(|one, other| (one.claimed, &one.id).cmp(&(other.claimed, &other.id)));
        attempts
    }

    /// Every campaign's attempts on a number.
    fn on(&self, phone: Phone) -> impl Iterator<Item = &Attempt> {
        let ids = self.numbers.get(&phone).map_or(&[][..], |on| &on.attempts);
        ids.iter().filter_map(|id| self.attempts.get(id)).map(Arc::as_ref)
    }

    /// A lead of this campaign.
    pub(super) fn lead(&self, id: LeadId) -> Option<&LeadRow> {
        self.leads.get(&id)
    }

    /// The leads of this campaign with that number, in list order.
    pub(super) fn leads_with(&self, phone: Phone) -> Vec<LeadId> {
        let mut leads = self.numbers.get(&phone).map(|on| on.leads.clone()).unwrap_or_default();
        leads.sort_by_key(|id| self.leads[id].place);
        leads
    }

    /// Whether a live claim holds the number, whichever campaign's.
    pub(super) fn is_taken(&self, phone: Phone) -> bool {
        self.on(phone).any(Attempt::holds_number)
    }

    /// When another campaign called the number last.
    pub(super) fn called_elsewhere(&self, phone: Phone) -> Option<Timestamp> {
        let maybe_called = |state: State| state.counts() || matches!(state, State::InDoubt | State::Parked);
        let elsewhere = self.on(phone).filter(|attempt| attempt.campaign != self.campaign);
        elsewhere.filter(|attempt| maybe_called(attempt.state())).map(|attempt| attempt.began).max()
    }

    /// Writes an attempt down, a new one or what is newly known of it.
    pub(super) fn put(&mut self, attempt: Arc<Attempt>) {
        self.changed.attempts.insert(attempt.id.clone());
        self.add_attempt(attempt);
    }

    /// Writes down how a lead stands, if that is new.
    pub(super) fn stand(&mut self, id: LeadId, stand: LeadStatus) {
        if let Some(row) = self.leads.get_mut(&id)
            && row.stand != stand
        {
            row.stand = stand;
            self.changed.leads.insert(id);
        }
    }

    /// A claim met the lead on a do-not-call list.
    pub(super) fn settle_suppressed(&mut self, id: LeadId) {
        if let Some(row) = self.leads.get_mut(&id) {
            row.suppressed = true;
            row.stand = row.stand.suppressed();
            self.changed.leads.insert(id);
        }
    }

    /// The leads of another campaign that an attempt speaks of have to be looked at again when that campaign starts.
    pub(super) fn look_again(&mut self, attempt: &Attempt) {
        self.changed.stale.extend(attempt.phone.map(|phone| (attempt.campaign, phone)));
    }

    /// Puts a number on the do-not-call list, as its person asked.
    pub(super) fn opt_out(&mut self, phone: Phone) {
        self.changed.opted_out.insert(phone);
    }

    /// The provider has analysed the call of an attempt. Of a person who is forgotten nothing is kept.
    pub(super) fn analysed(&mut self, id: &AttemptId, analysis: &Arc<Analysis>) {
        if self.attempts.get(id).is_some_and(|attempt| attempt.phone.is_some()) {
            self.changed.analyses.push((id.clone(), Arc::clone(analysis)));
        }
    }

    /// No POST on this pool before then.
    pub(super) fn pause_posts(&mut self, until: Instant) {
        self.changed.posts_paused = self.changed.posts_paused.max(Some(until));
    }

    /// What the step has changed, to be stored.
    pub(super) fn take_changes(&mut self) -> Changed {
        std::mem::take(&mut self.changed)
    }
}

/// What a run has heard of attempts. Another run may have written more meanwhile.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What it was told last of those that it follows.
    states: HashMap<AttemptId, State>,
    /// Calls of its campaign that nobody here has claimed, and that it was told of.
    met: HashSet<AttemptId>,
    /// What listings showed last: what has not changed since needs no second look.
    shown: HashMap<AttemptId, Arc<SeenCall>>,
}

/// Calls whose last row is remembered: more than a pool can have, so that only those long over are looked up again.
const SHOWN: usize = 20_000;

impl Told {
    /// A copy, to go back to; rows of listings are looked up again then.
    pub(super) fn kept(&self) -> Self {
        Self { states: self.states.clone(), met: self.met.clone(), shown: HashMap::new() }
    }

    pub(super) fn follows(&self, id: &AttemptId) -> bool {
        self.states.contains_key(id)
    }

    /// What this run was last told about an attempt that it follows.
    pub(super) fn state(&self, id: &AttemptId) -> Option<State> {
        self.states.get(id).copied()
    }

    /// This run is told.
    pub(super) fn tell(&mut self, id: &AttemptId, state: State) {
        if state.is_live() || state == State::Parked {
            self.states.insert(id.clone(), state);
        } else {
            self.states.remove(id);
        }
    }

    /// Whether this run hears of that call, which nobody here has claimed, for the first time.
    pub(super) fn meet(&mut self, id: &AttemptId) -> bool {
        self.met.insert(id.clone())
    }

    /// Rows of a listing with a mark that this run has not written down as they are.
    pub(super) fn unseen<'a>(&self, calls: &'a [Arc<SeenCall>]) -> Vec<(&'a AttemptId, &'a Arc<SeenCall>)> {
        let marked = calls.iter().filter_map(|seen| Some((seen.attempt.as_ref()?, seen)));
        marked.filter(|(id, seen)| self.shown.get(*id) != Some(*seen)).collect()
    }

    /// Remembers rows that were written down.
    pub(super) fn saw(&mut self, rows: &[(&AttemptId, &Arc<SeenCall>)]) {
        if self.shown.len() + rows.len() > SHOWN {
            self.shown.clear();
        }
        self.shown.extend(rows.iter().map(|(id, seen)| ((*id).clone(), Arc::clone(seen))));
    }
}

/// Whether a call that was found is this campaign's, and nobody here has taken it in.
pub(super) fn is_stranger(attempt: &Attempt, campaign: i64) -> bool {
    attempt.origin == Origin::Found && attempt.campaign == campaign
}
