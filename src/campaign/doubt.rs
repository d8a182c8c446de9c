//! Attempts in doubt: found, proven absent, or put aside for a person.

use std::time::Duration;

use super::attempt::State;
use super::batch::BatchState;
use super::event::{Action, News};
use super::listing::found::Proof;
use super::notice::Notice;
use super::seen::SeenCall;
use super::start::MARGIN;
use super::{ActiveAttempt, Campaign, First};
use crate::pool::calls::CallId;
use crate::pool::offset::FARTHEST;
use crate::time::{Instant, Now, Stamp};

/// How long a call that came back blocked may stay without ringing: ring time and two minutes.
const BLOCKED_STUCK: Duration = Duration::from_mins(3);
/// Proofs that may fail before the run stops waiting for one.
const MOST_FAILURES: u32 = 3;
/// How long the provider may say that it does not know a call of ours before that is believed.
const LOST_AFTER: Duration = Duration::from_mins(2);

/// What the proofs have come to.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    /// A call that this journal knows was seen since the last one began: it is the right organisation's.
    pub(super) confirmed: bool,
    /// When the newest call was created that a proof has shown with neither a mark nor a number: it may be any doubt's.
    faceless: Option<Stamp>,
    /// The same of one that holds nothing where a mark can stand, whatever its number.
    bare: Option<Stamp>,
    /// Doubts were left over by the last proof, for want of marks.
    waits_for_marks: bool,
    /// That listings come late was told.
    told_late: bool,
    /// The last proof holds a call that cannot be read.
    pub(super) unread: Option<String>,
    not_before: Option<Instant>,
    failures: u32,
}

/// Whether listings of this run show marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Marks {
    /// No call of ours has been listed yet.
    #[default]
    Unknown,
    /// A listing has shown one.
    Shown,
    /// A call of ours was listed without: no listing of this run proves anybody absent.
    Missing,
}

/// The call of an attempt was created no earlier than that, however wrong what was known of the provider's clock.
fn created_after(live: &ActiveAttempt) -> Stamp {
    live.provider_time - FARTHEST - MARGIN
}

impl Campaign {
    /// How long absence must hold.
    pub(super) fn absence_must_hold(&self) -> Duration {
        self.plan.absence_must_hold()
    }

    /// The same for one attempt: an orphan's is not proven absent any sooner than its own campaign would.
    fn absence_of(&self, live: &ActiveAttempt) -> Duration {
        self.absence_must_hold().max(live.in_doubt.filter(|_| !live.ours).unwrap_or_default())
    }

    fn provable_at(&self, live: &ActiveAttempt) -> Option<Instant> {
        // Its call may be listed as late as others were.
        let holds = self.absence_of(live).max(self.listing.lag() * 3 / 2);
        (live.state == State::InDoubt).then(|| live.failed.unwrap_or(live.since) + holds)
    }

    /// Whether a doubt can be proven now and its proof has not failed too often.
    pub(super) fn has_due_doubt(&self, now: Instant) -> bool {
        self.proofs.failures < MOST_FAILURES && self.next_proof_at().is_some_and(|at| at <= now)
    }

    /// When the first doubt can be proven.
    pub(super) fn next_proof_at(&self) -> Option<Instant> {
        self.live.uncertain().filter_map(|(_, live)| self.provable_at(live)).min()
    }

    /// When the first doubt of this campaign can be proven: an orphan's is another run's business, too.
    pub(super) fn next_own_proof_at(&self) -> Option<Instant> {
        let own = self.live.uncertain().filter(|(_, live)| live.ours);
        own.filter_map(|(_, live)| self.provable_at(live)).min()
    }

    /// Begins a proof as soon as one can succeed.
    pub(super) fn want_proof(&mut self, now: Now) {
        self.park_stuck(now);
        if self.listing.is_proving() {
            return;
        }
        let Some(due) = self.next_proof_at() else { return };
        let due = self.proofs.not_before.map_or(due, |at| at.max(due));
        if now.at < due {
            return self.wake(due);
        }
        let doubts = self.live.uncertain().filter(|(_, live)| live.state == State::InDoubt);
        if let Some(from) = doubts.map(|(_, live)| created_after(live)).min() {
            self.listing.prove_since(from);
            self.proofs.confirmed = self.org_confirmed;
            (self.proofs.faceless, self.proofs.bare) = (None, None);
        }
    }

    /// A proof has been read to its end.
    pub(super) fn proof_done(&mut self, proof: Option<Proof>, now: Now) {
        let Some(Proof { from, began }) = proof else { return };
        let given_up = self.lost_calls(from, began);
        if let Some(late) = self.listed_late(from, began, &given_up) {
            if !std::mem::replace(&mut self.proofs.told_late, true) {
                self.tell(Notice::ListedLate(late));
            }
            self.proofs.not_before = Some(now.at + self.plan.poll * 15);
            return;
        }
        // A doubt that came to us while it was being read (an orphan's) may be older than it.
        let proven =
            |live: &ActiveAttempt| self.provable_at(live).is_some_and(|at| at <= began) && from <= created_after(live);
        let faceless = |live: &ActiveAttempt| self.proofs.faceless.is_some_and(|at| at >= created_after(live));
        // Until a listing has shown a mark, a call that is listed without may be anybody's.
        let bare = |live: &ActiveAttempt| {
            self.marks == Marks::Unknown && self.proofs.bare.is_some_and(|at| at >= created_after(live))
        };
        let mut records = Vec::new();
        let (mut waits, mut unconfirmed) = (false, false);
        for (attempt, live) in self.live.uncertain().filter(|(_, live)| proven(live)) {
            if !self.is_confirmed(live) {
                unconfirmed = true;
                continue;
            }
            let news = match attempt.clone() {
                attempt if self.is_left_to_a_person(live) => News::Parked(attempt, began),
                // A listing that shows no marks proves nobody absent: the doubt waits for one that does.
                attempt if faceless(live) && self.marks != Marks::Missing => News::Parked(attempt, began),
                _ if self.marks == Marks::Missing || bare(live) => {
                    waits = true;
                    continue;
                }
                attempt => News::Absent(attempt, began),
            };
            records.push(Action::Record(Box::new(news)));
        }
        self.actions.extend(records);
        self.proofs.unread = None;
        let waited = std::mem::replace(&mut self.proofs.waits_for_marks, waits);
        if waits && !waited && self.marks == Marks::Unknown {
            self.tell(Notice::NoMarks);
        }
        if waits || unconfirmed {
            return self.proof_given_up(now);
        }
        self.proofs.failures = 0;
    }

    /// A call that lies in what was read, was known to be up long before that, and was not shown: what such a listing does
    /// not show may exist all the same. Listings that are late by less than half of what absence must hold do no harm.
    fn listed_late(&self, from: Stamp, began: Instant, given_up: &[CallId]) -> Option<CallId> {
        self.next_proof_at().filter(|at| *at <= began)?;
        let is_up = |live: &ActiveAttempt| live.state == (State::Placed { blocked: false });
        let lies_in_it =
            |id: &&CallId| self.live.with_call(id).is_some_and(|(_, live)| is_up(live) && from <= created_after(live));
        let mut unseen = self.listing.unseen_since(began - self.absence_must_hold() / 2);
        unseen.find(|id| lies_in_it(id) && !given_up.contains(*id)).cloned()
    }

    /// Whether what was read is the listing of the organisation that the attempt was made under: this run made it with the
    /// same key, or a call that the journal knows was listed.
    fn is_confirmed(&self, live: &ActiveAttempt) -> bool {
        self.proofs.confirmed || live.batch.is_some()
    }

    /// Whether doubts wait for listings that show marks again, which this run has given up to see.
    pub(super) fn waits_for_marks(&self) -> bool {
        self.proofs.waits_for_marks && self.proofs.failures >= MOST_FAILURES
    }

    /// Doubts that wait for marks may hold what slots there are: where they alone keep the rest of the list from being
    /// called, they are put aside for a person. So are those for which alone a run came that places no call, whose mark
    /// a listing could show. Says whether there were any.
    pub(super) fn park_what_waits_in_vain(&mut self, now: Now) -> bool {
        let queued = self.batch.state == BatchState::Open && !self.batch.queue.is_empty();
        let blocks = queued && self.no_room;
        let nobody_is_left = matches!(self.batch.state, BatchState::Nobody(rest) if rest.later == 0);
        let sees_no_marks = nobody_is_left && self.first == First::NotYet && self.marks == Marks::Unknown;
        if !self.waits_for_marks() || !(blocks || sees_no_marks) {
            return false;
        }
        let due = |live: &ActiveAttempt| (blocks || live.ours) && self.provable_at(live).is_some_and(|at| at <= now.at);
        let due = self.live.uncertain().filter(|(_, live)| due(live));
        let parked = due.map(|(attempt, _)| Action::Record(Box::new(News::Parked(attempt.clone(), now.at))));
        let parked: Vec<Action> = parked.collect();
        let any = !parked.is_empty();
        self.actions.extend(parked);
        any
    }

    /// A row of ours without its mark means that the listing shows no marks; one that nobody can put a name to may be
    /// the call of any doubt that is older. What is asked for by its id says nothing of listings.
    pub(super) fn look_at_mark(&mut self, call: &SeenCall) {
        let unmarked = call.unmarked || (call.attempt.is_none() && self.knows_as_ours(call));
        if unmarked && std::mem::replace(&mut self.marks, Marks::Missing) != Marks::Missing {
            self.tell(Notice::MarksMissing(call.id.clone()));
        } else if self.marks == Marks::Unknown && call.attempt.is_some() && self.listing.is_listing() {
            self.marks = Marks::Shown;
        }
        if !call.outbound || call.attempt.is_some() || self.knows_as_ours(call) {
            return;
        }
        if call.phone.is_none() {
            self.proofs.faceless = self.proofs.faceless.max(Some(call.created));
        }
        if call.bare {
            self.proofs.bare = self.proofs.bare.max(Some(call.created));
        }
    }

    /// The provider says that it does not know a call of ours. It may be listed all the same, late, when the watch has
    /// gone past it: a complete listing is read.
    pub(super) fn missed(&mut self, id: &CallId, now: Instant) {
        self.lost.entry(id.clone()).or_insert(now);
        if let Some((_, live)) = self.live.with_call(id) {
            self.listing.prove_since(live.provider_time - MARGIN);
        }
    }

    /// Calls that the provider does not know by their id, and that a complete listing does not show either. Those that
    /// came back blocked were never made, once that has held as long as absence must; the others are put aside: their
    /// slots are free, and a person decides about the leads.
    fn lost_calls(&mut self, from: Stamp, began: Instant) -> Vec<CallId> {
        let mut given_up = Vec::new();
        for (id, since) in self.lost.clone() {
            let Some((attempt, live)) = self.live.with_call(&id) else {
                self.lost.remove(&id);
                continue;
            };
            let blocked = live.state == (State::Placed { blocked: true });
            let holds = if blocked { self.absence_of(live) } else { LOST_AFTER };
            let is_gone = began.since(since) >= holds && from <= live.provider_time - MARGIN;
            if !is_gone || !self.is_confirmed(live) || (blocked && self.is_left_to_a_person(live)) {
                continue;
            }
            let attempt = attempt.clone();
            let news = if blocked { News::Absent(attempt, began) } else { News::Lost(attempt, began) };
            self.actions.push_back(Action::Record(Box::new(news)));
            if !blocked {
                self.tell(Notice::Lost(id.clone()));
            }
            self.lost.remove(&id);
            given_up.push(id);
        }
        given_up
    }

    /// Where either run is to leave doubts to a person, a person decides.
    fn is_left_to_a_person(&self, live: &ActiveAttempt) -> bool {
        self.plan.in_doubt.is_none() || (!live.ours && live.in_doubt.is_none())
    }

    pub(super) fn proof_given_up(&mut self, now: Now) {
        self.proofs.failures += 1;
        self.proofs.not_before = Some(now.at + self.plan.poll * 15);
    }

    /// A call that came back blocked and neither rang nor ended.
    fn park_stuck(&mut self, now: Now) {
        let mut due = Vec::new();
        let mut next = None;
        for (attempt, live) in self.live.uncertain() {
            let lost = live.call.as_ref().is_some_and(|call| self.lost.contains_key(call));
            let is_looked_for = lost && !self.is_left_to_a_person(live);
            if live.state == (State::Placed { blocked: true }) && live.failed.is_none() && !is_looked_for {
                let at = live.since + BLOCKED_STUCK;
                if at <= now.at {
                    due.push(attempt.clone());
                } else {
                    next = Some(next.map_or(at, |next: Instant| next.min(at)));
                }
            }
        }
        if let Some(at) = next {
            self.wake(at);
        }
        for attempt in due {
            self.live.change(&attempt, |live| live.failed = Some(now.at));
            self.actions.push_back(Action::Record(Box::new(News::Parked(attempt, now.at))));
        }
    }
}
