//! Rows in memory, with the indexes that the shared steps ask for.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::facts::{Attempt, Origin};
use super::super::lead_status::{LeadState, LeadStatus};
use super::super::people::{LeadRow, People, Told, Wanted};
use super::super::store::{OpenBatch, Round, Store, Waiting, ZoneSet};
use super::super::{Dnc, Error};
use crate::campaign::attempt::State;
use crate::campaign::event::LeadId;
use crate::leads::lead::{Lead, Phone};
use crate::pool::attempt_id::{AttemptId, Mark};
use crate::pool::name::ById;
use crate::time::{Instant, Now};

/// This campaign's number; calls with the mark of others are kept under numbers of their own.
const CAMPAIGN: i64 = 0;

pub(super) struct Table {
    leads: Vec<Entry>,
    by_phone: ById<Phone, OnPhone>,
    zone_sets: Vec<Set>,
    attempts: Vec<Arc<Attempt>>,
    by_id: ById<AttemptId, usize>,
    told: Told,
    found: BTreeSet<usize>,
    answered: Vec<(Instant, LeadId)>,
    suppressed: BTreeSet<Phone>,
    other_marks: Vec<Mark>,
    batch: Option<Vec<LeadId>>,
    batches: u64,
    rate_until: Option<Instant>,
    mark: Mark,
    dnc: Dnc,
}

/// A lead and its zone set.
struct Entry {
    row: LeadRow,
    set: usize,
}

/// Leads that share a number, and the places of its attempts.
#[derive(Default)]
struct OnPhone {
    leads: Vec<LeadId>,
    attempts: Vec<usize>,
}

#[derive(Default)]
struct Set {
    zones: Vec<String>,
    first: BTreeSet<Waiting>,
    later: BTreeSet<(Timestamp, Waiting)>,
}

impl Table {
    pub(super) fn new(mark: Mark, dnc: Dnc) -> Self {
        Self {
            leads: Vec::new(),
            by_phone: ById::default(),
            zone_sets: Vec::new(),
            attempts: Vec::new(),
            by_id: ById::default(),
            told: Told::default(),
            found: BTreeSet::new(),
            answered: Vec::new(),
            suppressed: BTreeSet::new(),
            other_marks: Vec::new(),
            batch: None,
            batches: 0,
            rate_until: None,
            mark,
            dnc,
        }
    }

    pub(super) fn leads(&self) -> impl Iterator<Item = &LeadRow> {
        self.leads.iter().map(|entry| &entry.row)
    }

    /// Leads that are not as they came: how they stand may depend on the plan.
    pub(super) fn touched(&self) -> Vec<LeadId> {
        self.leads().filter(|row| row.stand != LeadStatus::FRESH).map(|row| row.id).collect()
    }

    /// Attempts of this campaign that are not over.
    pub(super) fn live(&self) -> Vec<Arc<Attempt>> {
        let live = |attempt: &&Arc<Attempt>| is_own(attempt) && attempt.state().is_live();
        self.attempts.iter().filter(live).cloned().collect()
    }

    pub(super) fn has_attempts(&self) -> bool {
        self.own().next().is_some()
    }

    pub(super) fn calls_ended(&self) -> u64 {
        self.own().filter(|attempt| matches!(attempt.state(), State::Ended(_))).count() as u64
    }

    pub(super) fn cost(&self) -> f64 {
        self.own().filter_map(|attempt| attempt.cost).sum()
    }

    pub(super) fn minutes(&self) -> f64 {
        let talk = |attempt: &Attempt| Some(attempt.facts.ended.as_ref()?.at.since(attempt.facts.started?));
        self.own().filter_map(talk).map(|talk| talk.as_secs_f64() / 60.0).sum()
    }

    fn own(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().map(Arc::as_ref).filter(|attempt| is_own(attempt))
    }

    pub(super) fn posts_paused_until(&self, now: Now) -> Option<Instant> {
        self.rate_until.filter(|until| *until > now.at)
    }

    /// A lead that was not known before.
    pub(super) fn add(&mut self, lead: Lead, place: i64, added: Instant) -> LeadId {
        let id = LeadId(i64::try_from(self.leads.len()).unwrap_or(i64::MAX));
        let set = self.set_of(&lead.zones);
        self.by_phone.entry(lead.phone).or_default().leads.push(id);
        let (lead, stand) = (Arc::new(lead), LeadStatus::FRESH);
        self.leads.push(Entry { row: LeadRow { id, place, lead, listed: true, suppressed: false, added, stand }, set });
        self.queue(index(id), true);
        id
    }

    /// A lead that the newest list has again, with its place there; one that is settled keeps what it had.
    pub(super) fn renew(&mut self, id: LeadId, lead: Lead, place: i64) {
        let at = index(id);
        self.queue(at, false);
        let set = self.set_of(&lead.zones);
        let entry = &mut self.leads[at];
        (entry.row.place, entry.row.listed) = (place, true);
        if !matches!(entry.row.stand.standing, LeadState::Settled(_)) {
            (entry.row.lead, entry.set) = (Arc::new(lead), set);
        }
        self.queue(at, true);
    }

    /// A lead that the newest list has no more.
    pub(super) fn drop_from_list(&mut self, id: LeadId) {
        self.queue(index(id), false);
        self.leads[index(id)].row.listed = false;
    }

    pub(super) fn find(&self, lead: &Lead) -> Option<LeadId> {
        let same = |id: &&LeadId| self.leads[index(**id)].row.lead.extension == lead.extension;
        self.by_phone.get(&lead.phone)?.leads.iter().find(same).copied()
    }

    fn set_of(&mut self, zones: &[String]) -> usize {
        self.zone_sets.iter().position(|set| set.zones == zones).unwrap_or_else(|| {
            self.zone_sets.push(Set { zones: zones.to_vec(), ..Set::default() });
            self.zone_sets.len() - 1
        })
    }

    /// Puts a lead in the queue that it stands in, or takes it out.
    fn queue(&mut self, at: usize, enter: bool) {
        let entry = &self.leads[at];
        let stand = entry.row.stand;
        if !entry.row.listed || stand.standing != LeadState::Open {
            return;
        }
        let waiting = (entry.row.place, entry.row.id);
        let set = &mut self.zone_sets[entry.set];
        let due = (stand.due.unwrap_or(Timestamp::MIN), waiting);
        match (stand.later, enter) {
            (false, true) => set.first.insert(waiting),
            (false, false) => set.first.remove(&waiting),
            (true, true) => set.later.insert(due),
            (true, false) => set.later.remove(&due),
        };
    }
}

impl Table {
    /// What another run is to begin with: it was told nothing yet.
    pub(super) fn forget_told(&mut self) {
        self.told = Told::default();
    }

    pub(super) fn lead(&self, id: LeadId) -> Option<&LeadRow> {
        self.leads.get(index(id)).map(|entry| &entry.row)
    }

    fn campaign_of(&mut self, mark: &Mark) -> i64 {
        if *mark == self.mark {
            return CAMPAIGN;
        }
        let place = self.other_marks.iter().position(|known| known == mark).unwrap_or_else(|| {
            self.other_marks.push(mark.clone());
            self.other_marks.len() - 1
        });
        i64::try_from(place).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// Writes an attempt down, a new one or what is newly known of it.
    pub(super) fn put(&mut self, attempt: &Arc<Attempt>) {
        let place = self.by_id.get(&attempt.id).copied().unwrap_or(self.attempts.len());
        let answered = attempt.post.filter(|_| self.attempts.get(place).is_none_or(|known| known.post.is_none()));
        if let Some(known) = self.attempts.get_mut(place) {
            *known = Arc::clone(attempt);
        } else {
            if let Some(phone) = attempt.phone {
                self.by_phone.entry(phone).or_default().attempts.push(place);
            }
            self.by_id.insert(attempt.id.clone(), place);
            self.attempts.push(Arc::clone(attempt));
        }
        if attempt.campaign == CAMPAIGN {
            if let (Some(post), Some(lead)) = (answered, attempt.lead) {
                let at = self.answered.partition_point(|known| *known <= (post.received, lead));
                self.answered.insert(at, (post.received, lead));
            }
            let found = attempt.origin == Origin::Found;
            let _ = if found { self.found.insert(place) } else { self.found.remove(&place) };
        }
    }

    fn put_lead(&mut self, row: &LeadRow) {
        let at = index(row.id);
        self.queue(at, false);
        (self.leads[at].row.stand, self.leads[at].row.suppressed) = (row.stand, row.suppressed);
        self.queue(at, true);
    }
}

impl Store for Table {
    fn load(&mut self, wanted: Wanted<'_>) -> Result<People, Error> {
        let mut people = People::of(CAMPAIGN);
        for row in wanted.leads.iter().filter_map(|id| self.leads.get(index(*id))) {
            people.add_lead(row.row.clone());
        }
        for id in wanted.attempts {
            if let Some(place) = self.by_id.get(id) {
                people.add_attempt(Arc::clone(&self.attempts[*place]));
            } else {
                let mark = id.mark();
                let campaign = self.campaign_of(&mark);
                people.campaigns.insert(mark, campaign);
            }
        }
        for place in self.found.iter().filter(|_| wanted.found) {
            people.add_attempt(Arc::clone(&self.attempts[*place]));
        }
        for phone in people.phones() {
            let Some(on_phone) = self.by_phone.get(&phone) else { continue };
            for id in &on_phone.leads {
                people.add_lead(self.leads[index(*id)].row.clone());
            }
            for place in &on_phone.attempts {
                people.add_attempt(Arc::clone(&self.attempts[*place]));
            }
            if wanted.suppressed && (self.suppressed.contains(&phone) || (self.dnc)(phone)) {
                people.suppressed.insert(phone);
            }
        }
        Ok(people)
    }

    fn save(&mut self, mut people: People, _now: Now) -> Result<(), Error> {
        let changed = people.take_changes();
        for attempt in changed.attempts.iter().filter_map(|id| people.attempt(id)) {
            self.put(attempt);
        }
        for row in changed.leads.iter().filter_map(|id| people.lead(*id)) {
            self.put_lead(row);
        }
        self.suppressed.extend(changed.opted_out);
        self.rate_until = self.rate_until.max(changed.posts_paused);
        Ok(())
    }

    fn told(&mut self) -> &mut Told {
        &mut self.told
    }

    fn another_answered(&mut self, lead: LeadId, after: Instant, until: Instant) -> Result<bool, Error> {
        let from = self.answered.partition_point(|(at, _)| *at <= after);
        let between = self.answered[from..].iter().take_while(|(at, _)| *at <= until);
        Ok(between.map(|(_, other)| *other).any(|other| other != lead))
    }

    fn zone_sets(&mut self) -> Result<Vec<ZoneSet>, Error> {
        let set = |(set, id): (&Set, i64)| ZoneSet {
            id,
            zones: set.zones.clone(),
            first: !set.first.is_empty(),
            due: set.later.first().map(|(due, _)| *due),
        };
        Ok(self.zone_sets.iter().zip(0..).map(set).collect())
    }

    fn waiting(&mut self, set: i64, round: Round, now: Timestamp, most: usize) -> Result<Vec<Waiting>, Error> {
        let set = &self.zone_sets[usize::try_from(set).unwrap_or(usize::MAX)];
        Ok(match round {
            Round::First => set.first.iter().take(most).copied().collect(),
            Round::Later => {
                let due = set.later.iter().take_while(|(due, _)| *due <= now);
                due.take(most).map(|(_, waiting)| *waiting).collect()
            }
        })
    }

    fn open_leads(&mut self) -> Result<u64, Error> {
        Ok(self.zone_sets.iter().map(|set| set.first.len() + set.later.len()).sum::<usize>() as u64)
    }

    fn batch(&mut self) -> Result<Option<OpenBatch>, Error> {
        let Some(batch) = &self.batch else { return Ok(None) };
        let row = |id: &LeadId| &self.leads[index(*id)].row;
        let open = |id: &&LeadId| row(id).listed && row(id).stand.standing == LeadState::Open;
        let mut leads: Vec<LeadId> = batch.iter().filter(open).copied().collect();
        leads.sort_by_key(|id| row(id).place);
        Ok(Some(OpenBatch { number: self.batches, size: batch.len(), leads }))
    }

    fn cut(&mut self, leads: &[LeadId], _now: Now) -> Result<u64, Error> {
        self.batches += 1;
        self.batch = Some(leads.to_vec());
        Ok(self.batches)
    }

    fn close(&mut self, number: u64, _now: Now) -> Result<(), Error> {
        self.batch.take_if(|_| number == self.batches);
        Ok(())
    }
}

/// Whether it is this campaign's, and was claimed here or taken in.
fn is_own(attempt: &Attempt) -> bool {
    attempt.campaign == CAMPAIGN && attempt.origin != Origin::Found
}

fn index(id: LeadId) -> usize {
    usize::try_from(id.0).unwrap_or(usize::MAX)
}
