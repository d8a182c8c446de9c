//! Who is claimed next: every condition for a dial, in the order in which it is cheapest to ask.

use std::time::Duration;

use super::attempt::State;
use super::batch::BatchState;
use super::breaker::Leave;
use super::event::{Action, Ask, LeadId, Line};
use super::notice::{Notice, StopReason};
use super::reply::{BatchLead, Claimed, Denied, Opened};
use super::{ActiveAttempt, Campaign, First};
use crate::pool::news::Others;
use crate::time::{Instant, Now, Stamp};

/// Polls after which the journal is asked again what other runs do.
const ASK_AGAIN: u32 = 2;
/// One dial of so many slots that are free goes on the same news, at a fast rate: each answer tells how many are left.
const ROOM_FOR_ONE: usize = 20;
/// But so many always do.
const FEW: usize = 2;
/// How often the hours of those who wait in the open batch are looked at. A claim looks at them in any case.
const LOOK_AT_HOURS: Duration = Duration::from_secs(30);
/// Leads whose line is not known to come back wait for another run: longer than any run lasts.
const FOR_THIS_RUN: Duration = Duration::from_hours(24 * 365);
/// And those whose line comes back, this long at the least.
const PUT_OFF_LEAST: Duration = Duration::from_hours(1);

/// What everything allows at one time.
#[derive(Clone, Copy)]
struct Allowed {
    /// Dials.
    dials: usize,
    /// Those that may go on the same news.
    at_once: usize,
}

impl Campaign {
    /// Closes a batch that has nobody left to dial now, and asks for the next.
    pub(super) fn want_batch(&mut self, now: Now) {
        if self.claiming || self.stopping.is_some() {
            return;
        }
        self.leave_closed(now);
        if self.batch.state == BatchState::Open && self.batch.queue.is_empty() && !self.batch_drains() {
            self.actions.push_back(Action::CloseBatch(self.batch.number));
            self.batch.state = BatchState::Wanted;
        }
        if let BatchState::Nobody(rest) = self.batch.state
            && let Some(next_at) = rest.next_at
        {
            if next_at <= now.wall {
                self.batch.state = BatchState::Wanted;
            } else {
                let wait = next_at.duration_since(now.wall).unsigned_abs();
                self.wake(now.at + wait);
            }
        }
        if self.batch.state == BatchState::Wanted {
            self.batch.state = BatchState::Asked;
            self.actions.push_back(Action::OpenBatch);
        }
    }

    /// While nobody can be dialed, hours close: leads whose hours have, wait for a later round, and hold nothing up.
    fn leave_closed(&mut self, now: Now) {
        if now.at < self.hours_looked_at + LOOK_AT_HOURS || self.batch.state != BatchState::Open {
            return;
        }
        self.hours_looked_at = now.at;
        self.batch.queue.retain(|lead| self.plan.calling.is_open(&lead.lead.zones, now.wall));
    }

    fn batch_drains(&self) -> bool {
        let mine = |live: &ActiveAttempt| live.batch == Some(self.batch.number) && live.state.is_live();
        self.plan.drain && self.live.values().any(|live| mine(live) && live.state != State::InDoubt)
    }

    pub(super) fn batch_opened(&mut self, opened: Opened, now: Now) {
        match opened {
            Opened::Batch { number, size, leads } => {
                self.tell(Notice::Batch(number, size));
                self.batch = super::Batch { state: BatchState::Open, number, size, queue: leads.into() };
            }
            Opened::Nobody(rest) => self.batch.state = BatchState::Nobody(rest),
        }
        self.begin_search(now);
    }

    /// Asks for as many claims as everything allows.
    pub(super) fn want_claims(&mut self, now: Now) {
        self.fresh_wanted = false;
        self.no_room = false;
        let idle = self.claiming || self.paused || self.stopping.is_some() || !self.start.may_dial();
        if idle || self.batch.state != BatchState::Open || self.batch.queue.is_empty() {
            return;
        }
        if self.clock_in_doubt {
            self.fresh_wanted = true;
            return;
        }
        if let Some(until) = self.held_until(now.at) {
            self.no_room = self.turned_down;
            return self.wake(until);
        }
        let allowed = self.allowed_now(now);
        if allowed.dials == 0 || !self.has_fresh_news(now.at) {
            return;
        }
        let leads = self.pick(allowed, now.at);
        if leads.is_empty() {
            return;
        }
        self.claiming = true;
        self.asked = leads.len();
        let provider_time = self.pool.offset.earliest(now.at);
        let (pool, reserve) = (self.pool.clone(), self.plan.reserve.at(now.wall));
        let ask = Ask { leads, pool, reserve, margin: self.plan.caution, provider_time };
        self.actions.push_back(Action::Claim(Box::new(ask)));
    }

    /// Until when nothing may be sent, whatever the pool says.
    fn held_until(&self, now: Instant) -> Option<Instant> {
        let breaker = if let Leave::NotBefore(at) = self.breaker.leave(now) { Some(at) } else { None };
        self.hold_claims_until.max(self.pace.not_before).max(breaker).filter(|at| now < *at)
    }

    fn allowed_now(&mut self, now: Now) -> Allowed {
        let reserve = self.reserve(now);
        let allowance = self.pool.allowed(now.at, reserve, self.plan.caution);
        self.no_room = allowance.dials == 0;
        let mut allowed = allowance.dials;
        if allowed == 0 {
            self.pool.next_change(now.at).into_iter().for_each(|at| self.wake(at));
            allowed = u32::from(self.others_may_be_gone(now.at));
        }
        let mut dials = usize::try_from(allowed).unwrap_or(usize::MAX).min(self.batch.queue.len());
        if let Some(cap) = self.plan.max_concurrent {
            let up = self.live.ours_live();
            let left = usize::try_from(cap).unwrap_or(usize::MAX).saturating_sub(up);
            // What is waited for then is an end of ours, which only the listing shows.
            self.no_room |= left == 0;
            dials = dials.min(left);
        }
        if let Some(left) = self.attempts_left() {
            dials = dials.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        match (self.first, self.breaker.leave(now.at)) {
            (First::OnItsWay, _) | (_, Leave::None | Leave::NotBefore(_)) => dials = 0,
            (First::NotYet, _) | (_, Leave::OneTest) => dials = dials.min(1),
            _ => {}
        }
        let dials = if dials > 0 { dials.min(self.affordable(now.at)) } else { 0 };
        let room = usize::try_from(allowance.dials).unwrap_or(usize::MAX);
        Allowed { dials, at_once: (room / ROOM_FOR_ONE).max(FEW) }
    }

    /// How many more calls `--max-cost` bears. While calls are up whose cost is not known yet, their ends are waited for.
    fn affordable(&mut self, now: Instant) -> usize {
        let Some(most) = self.plan.max_cost else { return usize::MAX };
        let (unsettled, until) = self.money.unsettled(now);
        let open = self.live.ours_live() + unsettled;
        let fits = self.money.fits(most, open);
        if fits == 0 {
            self.no_room = true;
            if let Some(at) = until {
                self.wake(at);
            }
            if open == 0 {
                self.stop(StopReason::Cost);
            }
        }
        fits
    }

    /// What other runs do is learnt only with a grant: where they may be what stands in the way, one is asked for now
    /// and then, and the journal, which knows, decides.
    fn others_may_be_gone(&mut self, now: Instant) -> bool {
        let Some(at) = self.others_at.map(|at| at + self.plan.poll * ASK_AGAIN) else { return false };
        if now < at {
            self.wake(at);
        }
        now >= at
    }

    /// Takes in what other runs on the pool know and do.
    pub(super) fn hear_others(&mut self, others: &Others, now: Now) {
        self.pool.merge_others(others);
        self.others_reserve = others.reserve;
        if others.limit.is_some() {
            self.note_limit();
        }
        let none = others.calls.is_empty() && others.unanswered.is_empty() && others.observation.is_none();
        self.others_at = (!none || others.reserve > 0).then_some(now.at);
    }

    /// Attempts that `--limit` still allows.
    pub(super) fn attempts_left(&self) -> Option<u64> {
        self.plan.limit.map(|limit| limit.saturating_sub(self.attempts))
    }

    /// No dial on old news: the listing is read first, once more between the first answer and the second dial, and anew
    /// after the process stood still, since an answer that waited meanwhile tells of the time before.
    fn has_fresh_news(&mut self, now: Instant) -> bool {
        let over = if let First::Over(at) = self.first { Some(at) } else { None };
        let since = over.max(self.stood_still);
        let poll = self.requests.poll_kept(self.plan.poll, now);
        let fresh = self.listing.is_fresh(now, since, poll)
            && self.watched.iter().all(|watched| watched.is_fresh(now, since, poll));
        self.fresh_wanted = !fresh;
        if fresh && over.is_some() {
            self.first = First::Checked;
        }
        fresh
    }

    /// As many leads as the rate lets through, each with its line. A test call takes the lead with the fewest doubts.
    fn pick(&mut self, Allowed { dials, at_once }: Allowed, now: Instant) -> Vec<(LeadId, Line)> {
        let test = self.breaker.leave(now) == Leave::OneTest;
        if test && let Some(calmest) = (0..self.batch.queue.len()).min_by_key(|at| self.batch.queue[*at].doubts) {
            self.batch.queue.swap(0, calmest);
        }
        self.leave_without_line(now);
        let mut picked = Vec::new();
        let mut wake = None;
        for lead in &self.batch.queue {
            if picked.len() >= dials.min(at_once) {
                break;
            }
            let Some(line) = self.lines.pick(&lead.lead, now) else {
                wake = wake.or(self.lines.next_back(now));
                continue;
            };
            if let Err(again) = self.pace.take(now, at_once) {
                wake = Some(again);
                break;
            }
            picked.push((lead.id, line));
        }
        if let Some(at) = wake {
            self.wake(at);
        }
        picked
    }

    /// Leads that name a line which is dead wait for another run. They are put off, so that no batch is made of them.
    fn leave_without_line(&mut self, now: Instant) {
        let mut left = Vec::new();
        self.batch.queue.retain(|lead| {
            let dead = self.lines.is_dead_for(&lead.lead);
            left.extend(dead.then_some(lead.id));
            !dead
        });
        if !left.is_empty() {
            self.without_line.extend(left.iter().copied());
            // Shorter than the work on a long list, the wait would bring the first back before the last were looked at.
            let back = self.lines.back_at().map_or(now + FOR_THIS_RUN, |at| at.max(now + PUT_OFF_LEAST));
            self.actions.push_back(Action::PutOff(left, back.timestamp()));
        }
    }

    pub(super) fn claimed(&mut self, claimed: Claimed, now: Now) {
        self.claiming = false;
        self.hear_others(&claimed.others, now);
        claimed.others.rate_until.into_iter().for_each(|at| self.pace.hold_until(at));
        let no_request = self.no_dials_until(claimed.left, now);
        self.turned_down = no_request.is_none() && claimed.granted.is_empty() && claimed.denied.is_empty();
        if self.turned_down || no_request.is_some() {
            self.hold_claims_until = no_request.or(Some(now.at + self.plan.poll));
        }
        self.pace.give_back(self.asked - claimed.granted.len().min(self.asked), now.at);
        for (lead, away) in &claimed.denied {
            self.leave_queue(*lead);
            if *away == Denied::Suppressed {
                self.tell(Notice::Suppressed(*lead));
            }
        }
        for granted in claimed.granted {
            let lead = self.leave_queue(granted.lead);
            self.pool.claimed(granted.attempt.clone(), now.at);
            let provider_time = self.pool.offset.earliest(now.at).min(Stamp::from_micros(now.at.as_micros()));
            let live = ActiveAttempt {
                batch: Some(self.batch.number),
                line: granted.line,
                ..ActiveAttempt::new(lead, State::Claimed, provider_time, now.at)
            };
            self.live.insert(granted.attempt.clone(), live);
            if self.breaker.leave(now.at) == Leave::OneTest {
                self.breaker.testing(granted.attempt.clone());
            }
            self.attempts += 1;
            self.actions.push_back(Action::Place(granted.attempt, granted.line));
            if self.first == First::NotYet {
                self.first = First::OnItsWay;
            }
        }
    }

    fn leave_queue(&mut self, lead: LeadId) -> Option<BatchLead> {
        let at = self.batch.queue.iter().position(|waiting| waiting.id == lead)?;
        self.batch.queue.remove(at)
    }
}
