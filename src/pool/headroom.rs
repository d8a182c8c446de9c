//! The rule: how many may be dialed now, and on what ground.

use std::time::Duration;

use serde::Serialize;

use super::calls::CallId;
use super::observation::COUNTED_LATE;
use super::{Pool, Unanswered};
use crate::time::{Instant, sooner};

/// Polls that an observation may be old for as many dials as there is room.
const SURE_FOR: u32 = 10;

/// What the pool allows, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// Dials that may be placed now.
    pub dials: u32,
    /// On what ground.
    pub ground: Ground,
    /// Slots that are free after everything that may hold one; below zero where more is claimed than there is.
    pub free: i64,
    /// Of those, what is left after the reserve and the caution.
    pub room: u32,
}

/// On what ground a dial is, or is not, allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ground {
    /// The observation is fresh: all the room there is.
    Sure,
    /// There is none, or it is old: one at a time.
    Asking,
    /// Only what cannot be seen stands in the way: one, to look again.
    Probe,
    /// Not now.
    Full,
}

/// The pool in slots, for people to look at. `ours + others + free + kept` is the limit, unless more is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Slots {
    /// Calls of ours, and claims that may be calls.
    pub ours: u32,
    /// Everybody else's, as far as known.
    pub others: u32,
    /// Free, and not kept.
    pub free: u32,
    /// Free and kept for inbound.
    pub kept: u32,
    /// The limit.
    pub limit: u32,
}

impl Pool {
    /// The limit: the newest seen, else the one assumed; more calls up than that prove that it has risen.
    pub fn limit(&self) -> u32 {
        self.seen_limit().unwrap_or(self.assumed).max(self.ledger.sums().up)
    }

    /// How many may be dialed now.
    pub fn allowed(&self, now: Instant, reserve: u32, caution: u32) -> Allowance {
        let free = self.free(now);
        let room = room(free, reserve, caution);
        let (dials, ground) = if room > 0 && self.age(now).is_some_and(|age| age <= self.sure_for()) {
            (room, Ground::Sure)
        } else if room > 0 {
            self.one_alone(Ground::Asking)
        } else if self.probe_at().is_some_and(|at| now > at) && self.only_unseen_in_the_way(reserve, caution) {
            self.one_alone(Ground::Probe)
        } else {
            (0, Ground::Full)
        };
        Allowance { dials, ground, free, room }
    }

    /// When an allowance may change without any news: at the latest then it is to be asked for again.
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        let sure_until = self.observation.as_ref().map(|seen| seen.received + self.sure_for());
        let change = |at: Option<Instant>| at.map(|at| at + Duration::from_micros(1)).filter(|at| *at > now);
        let released = self.ledger.next_release(self.offset.earliest(now)).map(|at| self.offset.latest_ours(at));
        sooner(change(released), sooner(change(sure_until), change(self.probe_at())))
    }

    fn one_alone(&self, ground: Ground) -> (u32, Ground) {
        if self.in_flight() == 0 { (1, ground) } else { (0, Ground::Full) }
    }

    /// Nothing of ours is up, and the calls that we see leave room: what stands in the way cannot be seen.
    fn only_unseen_in_the_way(&self, reserve: u32, caution: u32) -> bool {
        let sums = self.ledger.sums();
        let seen = i64::from(self.limit()) - i64::from(sums.up);
        sums.ours_up == 0 && room(seen, reserve, caution) > 0
    }

    /// After that, what cannot be seen may be probed for: the observation is old, or there is none, and the newest of
    /// the doubts is.
    fn probe_at(&self) -> Option<Instant> {
        let doubted = || self.holding().filter_map(|it| it.failed).max();
        let since = self.observation.as_ref().map(|seen| seen.received).or_else(doubted);
        since.map(|since| since + self.probe_after)
    }

    fn sure_for(&self) -> Duration {
        self.poll * SURE_FOR
    }

    /// When the newest observation was received.
    pub fn observed_at(&self) -> Option<Instant> {
        self.observation.as_ref().map(|seen| seen.received)
    }

    fn age(&self, now: Instant) -> Option<Duration> {
        self.observed_at().map(|received| now.since(received))
    }

    fn free(&self, now: Instant) -> i64 {
        let up = self.ledger.sums().up + self.lingering(now);
        let taken = i64::from(up) + i64::from(self.hidden()) + i64::from(self.held());
        i64::from(self.limit()) - taken
    }

    /// Calls that are over and may hold their slots on.
    fn lingering(&self, now: Instant) -> u32 {
        if self.release_lag.is_zero() { 0 } else { self.ledger.lingering(self.offset.earliest(now)) }
    }

    /// What the answer for that call counted and no call that we know explains; and how long before it calls ended that
    /// had done so by then, within so long. None where there is a newer observation.
    pub fn after_ends(&self, id: &CallId, within: Duration) -> Option<(u32, Vec<Duration>)> {
        let seen = self.observation.as_ref().filter(|seen| seen.call.as_ref() == Some(id))?;
        Some((self.hidden(), self.ledger.ended_between(seen.at - within, seen.at - COUNTED_LATE)))
    }

    /// Whether more calls are known that the observation surely counted than it did.
    pub fn knows_too_many(&self) -> bool {
        self.observation.as_ref().is_some_and(|seen| seen.remaining > 0)
            && self.ledger.sums().counted > self.counted_slots()
    }

    /// Slots that the observation counted and that no call we know surely explains.
    fn hidden(&self) -> u32 {
        self.counted_slots().saturating_sub(self.ledger.sums().counted)
    }

    /// The same where whatever may explain one does: more likely, and never to be dialed on.
    fn likely_hidden(&self) -> u32 {
        let Some(seen) = &self.observation else { return 0 };
        let counted = self.counted_slots().saturating_sub(self.ledger.sums().perhaps_counted);
        if counted == 0 {
            return 0;
        }
        counted.saturating_sub(count(self.holding().filter(|it| it.claimed <= seen.received)))
    }

    /// Slots that were taken as of the observation.
    fn counted_slots(&self) -> u32 {
        let Some(seen) = &self.observation else { return 0 };
        let limit = seen.limit.unwrap_or_else(|| self.limit());
        match seen.remaining {
            0 => self.limits.most_up().map_or(limit, |most| most.max(limit)),
            remaining => limit.saturating_sub(remaining),
        }
    }

    /// Claims that may hold a slot: on their way, or in doubt and not yet counted by an observation.
    fn holding(&self) -> impl Iterator<Item = &Unanswered> {
        let counted = |failed: Instant| self.observed.is_some_and(|sent| sent > failed);
        self.unanswered.values().chain(self.theirs.values()).filter(move |it| !it.failed.is_some_and(counted))
    }

    /// How many claims may hold a slot.
    fn held(&self) -> u32 {
        if self.unanswered.is_empty() && self.theirs.is_empty() { 0 } else { count(self.holding()) }
    }

    fn in_flight(&self) -> usize {
        self.unanswered.values().chain(self.theirs.values()).filter(|it| it.failed.is_none()).count()
    }

    /// The pool in slots, for people to look at: what is likely, where the rule for dialing asks for what is sure.
    pub fn slots(&self, reserve: u32) -> Slots {
        self.slots_with(0, reserve)
    }

    /// The same at a time: calls that are over may hold their slots on.
    pub fn slots_at(&self, now: Instant, reserve: u32) -> Slots {
        self.slots_with(self.lingering(now), reserve)
    }

    fn slots_with(&self, lingering: u32, reserve: u32) -> Slots {
        let limit = self.limit();
        let sums = self.ledger.sums();
        let ours = sums.ours_up + self.held();
        let others = (sums.up - sums.ours_up + lingering + self.likely_hidden()).min(limit.saturating_sub(ours));
        let open = limit.saturating_sub(ours).saturating_sub(others);
        let kept = open.min(reserve);
        Slots { ours, others, free: open - kept, kept, limit }
    }
}

fn room(free: i64, reserve: u32, caution: u32) -> u32 {
    u32::try_from(free - i64::from(reserve) - i64::from(caution)).unwrap_or(0)
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
