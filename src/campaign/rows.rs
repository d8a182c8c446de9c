//! What the rows of a listing say of the pool, and of calls that no listing shows any more.

use std::time::Duration;

use super::attempt::State;
use super::disposition::{Verdict, classify};
use super::event::{Action, News};
use super::notice::Notice;
use super::reply::UnknownCall;
use super::seen::{Listing, SeenCall, Status};
use super::watched::Whose;
use super::{ActiveAttempt, Campaign};
use crate::pool::calls::{Call, CallId};
use crate::pool::news::RequestTiming;
use crate::time::{Instant, Now, Stamp};

/// Beyond the longest that a call can last, this long, before it is given up.
const GIVE_UP_MARGIN: Duration = Duration::from_mins(5);
/// The longest that any call can last.
const ANY_CALL: Duration = Duration::from_mins(730);

impl Campaign {
    /// Takes in the rows of a listing. Those of the watch overlap from one read to the next.
    pub(super) fn hear_rows(&mut self, wire: RequestTiming, calls: &Listing, strangers: &[UnknownCall]) {
        self.reached();
        self.learn_org(calls);
        let (_, latest) = self.pool.offset.span(wire);
        if let Some(callers) = &mut self.callers {
            callers.looked(wire.received, latest.timestamp());
        }
        let known_at = self.listing.known_at(&self.pool.offset).min(latest);
        self.proofs.confirmed = self.proofs.confirmed || calls.iter().any(|call| self.start.knows(call, strangers));
        for call in &**calls {
            self.listing.changed(call.updated, latest);
            if call.outbound {
                self.listing.sees();
            }
            self.saw_call(call, wire.received, latest, known_at);
        }
        for id in self.pool.forget_ended() {
            self.listing.over(&id);
            self.watched.iter_mut().for_each(|watched| watched.listing.over(&id));
        }
    }

    fn saw_call(&mut self, call: &SeenCall, received: Instant, latest: Stamp, known_at: Stamp) {
        let live = call.attempt.as_ref().and_then(|attempt| self.live.get(attempt));
        let ours = live.is_some();
        self.proofs.confirmed |= ours;
        if live.is_some_and(|live| live.ours) || self.money.knows(&call.id) {
            self.money.hear(call, received);
        }
        if let Some(callers) = &mut self.callers {
            callers.saw(call, is_pool_end(call));
            if let Some(end) = call.end().filter(|_| live.is_some_and(|live| live.ours)) {
                callers.call_lasted(end.since(call.created));
            }
        }
        self.look_at_mark(call);
        if ours && self.listing.is_listing() {
            self.listing.listed(&call.id, received);
        }
        self.lost.remove(&call.id);
        if let Some(attempt) = &call.attempt {
            self.start.saw_marked(attempt, call.created);
        }
        self.saw_slot(Whose::Own, call, ours, received, latest, known_at);
    }

    /// Takes in what a row says of the pool. `known_at`: what the last listing of that organisation did not show had hardly
    /// begun by then, whatever its stamp says.
    pub(super) fn saw_slot(
        &mut self,
        whose: Whose,
        call: &SeenCall,
        ours: bool,
        received: Instant,
        latest: Stamp,
        known_at: Stamp,
    ) {
        let holds_none = call.status == Status::Scheduled || (call.status == Status::Other && !ours);
        if holds_none && call.end().is_none() {
            if call.status == Status::Scheduled {
                self.scheduled.insert(call.id.clone());
            }
            return;
        }
        let over = call.end();
        let pool_ended = over.is_some() && is_pool_end(call);
        if over.is_some() {
            if whose == Whose::Own {
                let live = call.attempt.as_ref().and_then(|id| self.live.get(id));
                let has_just_ended = live.is_some_and(|live| live.ours);
                self.note_analysis(call, has_just_ended, received);
            }
            self.reader(whose).over(&call.id);
        } else {
            self.reader(whose).saw(&call.id, received);
        }
        let known_from = self.pool.call(&call.id).map(|known| known.from);
        let known = self.pool.call(&call.id).map(|known| known.ended.is_none());
        // What was over before the pool was last seen cannot matter to it.
        if over.is_some_and(|end| self.pool.is_past(end)) && known.is_none() && !ours {
            return;
        }
        let mut slot = slot_of(call, ours, pool_ended);
        match known_from {
            // A start as late as the listing itself says nothing more than that the call had begun.
            Some(known) if slot.from >= latest => slot.from = known,
            None if !ours => slot.from = slot.from.max(known_at),
            _ => {}
        }
        if self.scheduled.remove(&call.id) {
            slot.from = call.updated;
        }
        let was_up = known.unwrap_or(true);
        self.pool.saw(&call.id, &slot, call.attempt.as_ref());
        if let Some(end) = over.filter(|_| ours && pool_ended && was_up && !slot.rung) {
            self.pool.ended_full(end, received);
            self.tell(Notice::PoolRefused);
        }
    }

    /// Whether a call of ours has lasted for longer than one can, whichever run placed it.
    pub(super) fn is_overdue(&self, live: &ActiveAttempt, now: Instant) -> bool {
        let age = self.pool.offset.earliest(now).since(live.provider_time);
        // Whose row names an assistant of its own, and what other campaigns call with, may last as long as any.
        let usual = live.ours && live.lead.as_ref().is_none_or(|lead| lead.lead.assistant_id.is_none());
        let longest = self.usual_call.filter(|_| usual).unwrap_or(self.plan.longest_call);
        matches!(live.state, State::Placed { .. }) && age > longest + GIVE_UP_MARGIN
    }

    /// A call was asked for by its id.
    pub(super) fn one_done(&mut self, id: &CallId, found: bool, now: Now) {
        let ours = self.live.iter().find(|(_, live)| live.call.as_ref() == Some(id));
        if let Some((attempt, overdue)) = ours.map(|(attempt, live)| (attempt.clone(), self.is_overdue(live, now.at))) {
            self.listing.saw(id, now.at);
            if !found {
                self.missed(id, now.at);
            }
            if overdue {
                self.actions.push_back(Action::Record(Box::new(News::GivenUp(attempt))));
                self.tell(Notice::GaveUp(id.clone()));
            }
            return;
        }
        self.one_seen(Whose::Own, id, found, now);
    }

    /// A call that no attempt of ours made was asked for by its id.
    pub(super) fn one_seen(&mut self, whose: Whose, id: &CallId, found: bool, now: Now) {
        let Some(call) = self.pool.call(id).filter(|call| call.is_up()) else {
            return self.reader(whose).over(id);
        };
        let latest = self.pool.offset.latest(now.at);
        if latest.since(call.from) > ANY_CALL || (!found && latest.since(call.from) > self.plan.longest_call) {
            let over = Call { ended: Some(latest), ..call.clone() };
            self.pool.saw(id, &over, None);
            self.reader(whose).over(id);
            self.tell(Notice::GaveUp(id.clone()));
        } else {
            self.reader(whose).saw(id, now.at);
        }
    }
}

pub(super) fn is_pool_end(call: &SeenCall) -> bool {
    let verdict = classify(call.reason.as_deref().unwrap_or_default());
    verdict == Verdict::Pool
}

/// A call as the pool sees it.
pub(super) fn slot_of(call: &SeenCall, ours: bool, shut_out: bool) -> Call {
    Call { from: call.created, ended: call.end(), ours, post: None, rung: call.has_rung(), shut_out }
}
