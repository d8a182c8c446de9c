//! How a lead stands, worked out from the facts of its attempts and the plan of the day.

use jiff::Timestamp;

use super::facts::{Attempt, Origin};
use crate::campaign::attempt::{Cause, State};
use crate::campaign::disposition::Class;
use crate::campaign::event::LeadId;
use crate::campaign::plan::Plan;
use crate::campaign::reply::LeadNow;
use crate::campaign::retry::Contact;
use crate::time::Instant;

/// Doubts on one lead that put it aside: a request that always breaks must not go round for ever.
const DOUBTS_TO_PARK: u32 = 5;

/// What a lead is, apart from when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeadState {
    /// To be called, now or later.
    Open,
    /// An attempt of it is on its way or up.
    Busy,
    /// Nobody knows whether its call was created.
    InDoubt,
    /// Put aside for a person.
    Parked,
    /// Nothing more to do.
    Settled(Class),
}

/// How a lead stands: never a fact, always worked out again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeadStatus {
    /// What it is.
    pub standing: LeadState,
    /// Not to be called before then.
    pub due: Option<Timestamp>,
    /// It belongs to a later round: it was called before, or put off.
    pub later: bool,
    /// Attempts of it that ended in doubt and were proven absent.
    pub doubts: u32,
}

impl LeadStatus {
    /// That of a lead of which nothing is known yet.
    pub const FRESH: Self = Self { standing: LeadState::Open, due: None, later: false, doubts: 0 };

    /// The same for the campaign's ears.
    pub fn lead_now(&self, listed: bool, now: Timestamp) -> LeadNow {
        match (self.standing, self.due) {
            _ if !listed => LeadNow::Elsewhere,
            (LeadState::Open, Some(due)) if due > now => LeadNow::Due(due),
            (LeadState::Open, _) => LeadNow::Open,
            (LeadState::Busy | LeadState::InDoubt, _) => LeadNow::Busy,
            (LeadState::Parked, _) => LeadNow::Parked,
            (LeadState::Settled(class), _) => LeadNow::Settled(class),
        }
    }

    /// With a claim just made.
    #[must_use]
    pub fn claimed(self) -> Self {
        Self { standing: LeadState::Busy, due: None, ..self }
    }

    /// Met on a do-not-call list.
    #[must_use]
    pub fn suppressed(self) -> Self {
        Self { standing: LeadState::Settled(Class::Suppressed), due: None, ..self }
    }

    /// Put off until then.
    #[must_use]
    pub fn put_off(self, until: Timestamp) -> Self {
        Self { due: Some(self.due.map_or(until, |due| due.max(until))), later: true, ..self }
    }
}

/// What of a lead its standing depends on, besides its attempts.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// Its number in the journal: seeds the jitter of its retries.
    pub id: LeadId,
    /// The zones it may lie in.
    pub zones: &'a [String],
    /// A claim met it on a do-not-call list.
    pub suppressed: bool,
    /// When it came on the list: what its number went through before then is its past, too.
    pub added: Instant,
}

impl Person<'_> {
    /// Whether an attempt on the same number speaks of this lead: its own, one that nobody can tell whose it was, and
    /// those made before this row was on the list (a number that was settled is not called again for a new extension).
    pub fn concerns(&self, attempt: &Attempt) -> bool {
        let whose = attempt.lead.is_none_or(|lead| lead == self.id || attempt.claimed < self.added);
        attempt.origin != Origin::Found && whose
    }

    /// How the lead stands after its attempts, in the order of their claims.
    pub fn stand(&self, attempts: &[&Attempt], plan: &Plan) -> LeadStatus {
        // What an end means is looked up among hundreds of reasons: once for each attempt.
        let states: Vec<State> = attempts.iter().map(|attempt| attempt.state()).collect();
        let judged = || attempts.iter().copied().zip(states.iter().copied());
        let doubts = count(states.iter().filter(|state| **state == State::Refused(Cause::Absent)));
        let contacts: Vec<Contact> = judged().filter_map(|(attempt, state)| attempt.contact(state)).collect();
        let later = doubts > 0 || !contacts.is_empty();
        let stand = |standing| LeadStatus { standing, due: None, later, doubts };
        if states.contains(&State::InDoubt) {
            stand(LeadState::InDoubt)
        } else if states.iter().any(|state| state.is_live()) {
            stand(LeadState::Busy)
        } else if states.contains(&State::Parked) {
            stand(LeadState::Parked)
        } else if self.suppressed {
            stand(LeadState::Settled(Class::Suppressed))
        } else if let Some(class) = judged().rev().find_map(|(attempt, state)| refused_for_good(attempt, state)) {
            stand(LeadState::Settled(class))
        } else if contacts.is_empty() {
            stand(LeadState::Open)
        } else {
            self.after(&contacts, plan, stand(LeadState::Open))
        }
    }

    fn after(&self, contacts: &[Contact], plan: &Plan, open: LeadStatus) -> LeadStatus {
        let seed = u64::try_from(self.id.0).unwrap_or(0);
        match plan.retries.verdict(contacts, self.zones, &plan.calling, seed) {
            LeadNow::Settled(class) => LeadStatus { standing: LeadState::Settled(class), ..open },
            LeadNow::Due(due) => {
                let began: Vec<Timestamp> = contacts.iter().map(|contact| contact.began).collect();
                let day = plan.retries.not_before(&began, self.zones, &plan.calling, due);
                LeadStatus { due: Some(day.map_or(due, |day| day.max(due))), ..open }
            }
            LeadNow::Open | LeadNow::Busy | LeadNow::Parked | LeadNow::Elsewhere => open,
        }
    }

    /// When it may be called again as far as the attempts of a day go; `None`: now.
    pub fn day_is_full(&self, attempts: &[&Attempt], plan: &Plan, now: Timestamp) -> Option<Timestamp> {
        let began: Vec<Timestamp> =
            attempts.iter().filter(|attempt| attempt.state().counts()).map(|attempt| attempt.began).collect();
        if began.is_empty() { None } else { plan.retries.not_before(&began, self.zones, &plan.calling, now) }
    }
}

/// Whether the doubts of a lead, in the order of their claims, are enough to put it aside. Doubts between which no
/// other lead was answered are one: then it was not this lead's request that broke. `answered` says whether another
/// lead was answered between two instants.
pub fn too_many_doubts<E>(
    attempts: &[&Attempt],
    mut answered: impl FnMut(Instant, Instant) -> Result<bool, E>,
) -> Result<bool, E> {
    let given_back = attempts.iter().rposition(|attempt| attempt.facts.released).map_or(0, |place| place + 1);
    let since_then = &attempts[given_back..];
    let absent = since_then.iter().filter(|attempt| attempt.state() == State::Refused(Cause::Absent));
    let failed: Vec<Instant> = absent.filter_map(|attempt| attempt.facts.failed).collect();
    if count(failed.iter()) < DOUBTS_TO_PARK {
        return Ok(false);
    }
    let mut counted = 1;
    let mut last = failed[0];
    for at in failed {
        if answered(last, at)? {
            counted += 1;
            last = at;
        }
    }
    Ok(counted >= DOUBTS_TO_PARK)
}

/// Whether two attempts of one lead called it twice by accident: one of them was not known when the other was claimed.
pub fn rang_twice(one: &Attempt, other: &Attempt) -> bool {
    if one.id == other.id || !one.state().counts() || !other.state().counts() {
        return false;
    }
    let unknown_then = |hidden: &Attempt, claimed: &Attempt| {
        let ours = claimed.origin == Origin::Claimed;
        let written_off = hidden.origin == Origin::Adopted || hidden.claimed <= claimed.claimed;
        ours && written_off && hidden.shown.is_some_and(|shown| shown > claimed.claimed)
    };
    unknown_then(one, other) || unknown_then(other, one)
}

/// What a refusal settles its lead as, if it speaks of the lead.
fn refused_for_good(attempt: &Attempt, state: State) -> Option<Class> {
    match state {
        State::Refused(Cause::Lead) => Some(Class::Invalid),
        State::Refused(Cause::Config) if !attempt.reopened => Some(Class::Config),
        _ => None,
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
