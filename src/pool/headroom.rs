//! The rule: how many may be dialed now, and on what ground.

use std::time::Duration;

use super::{Pool, Unanswered};
use crate::time::Instant;

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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
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
        self.limit.map_or(self.assumed, |(_, limit)| limit).max(self.up_now())
    }

    /// How many may be dialed now.
    pub fn allowed(&self, now: Instant, reserve: u32, caution: u32) -> Allowance {
        let free = self.free();
        let room = room(free, reserve, caution);
        let (dials, ground) = match self.observed_for(now) {
            Some(age) if age <= self.poll * SURE_FOR => (room, if room > 0 { Ground::Sure } else { Ground::Full }),
            _ if room > 0 => self.one_alone(Ground::Asking),
            Some(age) if age > self.probe_after && self.only_hidden_in_the_way(reserve, caution) => {
                self.one_alone(Ground::Probe)
            }
            _ => (0, Ground::Full),
        };
        Allowance { dials, ground, free, room }
    }

    /// When an allowance may change without any news: at the latest then it is to be asked for again.
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        let received = self.observation.as_ref()?.received;
        [received + self.poll * SURE_FOR, received + self.probe_after]
            .into_iter()
            .map(|at| at + Duration::from_micros(1))
            .find(|at| *at > now)
    }

    fn one_alone(&self, ground: Ground) -> (u32, Ground) {
        if self.in_flight() == 0 { (1, ground) } else { (0, Ground::Full) }
    }

    fn only_hidden_in_the_way(&self, reserve: u32, caution: u32) -> bool {
        let seen = i64::from(self.limit()) - i64::from(self.up_now());
        let ours_up = self.calls.values().any(|call| call.ours && call.is_up());
        !ours_up && self.in_flight() == 0 && room(seen, reserve, caution) > 0
    }

    fn observed_for(&self, now: Instant) -> Option<Duration> {
        self.observation.as_ref().map(|seen| now.since(seen.received))
    }

    fn free(&self) -> i64 {
        i64::from(self.limit()) - i64::from(self.up_now()) - i64::from(self.hidden()) - self.holding().count() as i64
    }

    fn up_now(&self) -> u32 {
        count(self.calls.values().filter(|call| call.is_up()))
    }

    /// Slots that the observation counted and that no call we know explains.
    fn hidden(&self) -> u32 {
        let Some(seen) = &self.observation else { return 0 };
        let counted = count(self.calls.iter().filter(|(id, call)| seen.counted(id, call)));
        let limit = seen.limit.unwrap_or_else(|| self.limit());
        limit.saturating_sub(seen.remaining).saturating_sub(counted)
    }

    /// Claims that may hold a slot: on their way, or in doubt and not yet counted by an observation.
    fn holding(&self) -> impl Iterator<Item = &Unanswered> {
        let uncounted =
            |it: &&Unanswered| it.failed.is_none_or(|failed| self.observed.is_none_or(|sent| sent < failed));
        self.unanswered.values().chain(self.theirs.values()).filter(uncounted)
    }

    fn in_flight(&self) -> usize {
        self.unanswered.values().chain(self.theirs.values()).filter(|it| it.failed.is_none()).count()
    }

    /// The pool in slots, for people to look at.
    pub fn slots(&self, reserve: u32) -> Slots {
        let limit = self.limit();
        let ours_up = count(self.calls.values().filter(|call| call.ours && call.is_up()));
        let ours = ours_up + count(self.holding());
        let others = (self.up_now() - ours_up + self.hidden()).min(limit.saturating_sub(ours));
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
