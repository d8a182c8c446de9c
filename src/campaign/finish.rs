//! When it is over, and why.

use jiff::Timestamp;

use super::attempt::State;
use super::batch::BatchState;
use super::event::Action;
use super::notice::{Outcome, StopReason};
use super::start::Step;
use super::{ActiveAttempt, Campaign, GRACE};
use crate::time::{Instant, Now};

/// When a daily limit is over, for people. The provider's midnight is known to a second or two; one that is that close
/// to ours is ours.
fn at_midnight(back: Instant) -> Timestamp {
    const DAY: i64 = 86_400_000_000;
    let past = back.as_micros().rem_euclid(DAY);
    let cut = if past < 3_000_000 { past } else { 0 };
    Instant::from_micros(back.as_micros() - cut).timestamp()
}

impl StopReason {
    /// Of several reasons the weightiest is told: in the order of the exit codes 6, 5, 2, 1, 4.
    pub(super) const fn weight(&self) -> u8 {
        match self {
            Self::Strangers(..) | Self::Numberless(_) | Self::AnotherMachine(_) => 7,
            Self::Key(_) => 6,
            Self::Account(_) | Self::Lines(_) | Self::Breaker(_) | Self::Config(_) => 5,
            Self::Reserve(..) => 4,
            Self::Unreachable(_) | Self::SearchFailed(_) | Self::Unread(_) | Self::Clock(_) => 3,
            Self::Stopped => 2,
            Self::Limit | Self::Only | Self::Cost | Self::Until | Self::Kept | Self::Paused => 1,
            Self::Complete | Self::Later | Self::DoubtsLeft | Self::ParkedLeft => 0,
        }
    }

    /// Whether there is no sense in following calls any more.
    pub(super) const fn cannot_follow(&self) -> bool {
        matches!(self, Self::Key(_) | Self::Unreachable(_) | Self::SearchFailed(_) | Self::Unread(_))
    }
}

/// Whether an action that is still to be carried out is answered by an event.
const fn brings_news(action: &Action) -> bool {
    !matches!(
        action,
        Action::Tell(_)
            | Action::Share(..)
            | Action::Watermark(..)
            | Action::CloseBatch(_)
            | Action::PutOff(..)
            | Action::AdoptionDone
    )
}

impl Campaign {
    /// Whether calls of this campaign are up, or on their way.
    pub(super) fn follows_calls(&self) -> bool {
        self.live.any_followed()
    }

    /// Ends the run when nothing is left to do or to follow.
    pub(super) fn want_end(&mut self, now: Now) {
        self.want_limit();
        if self.claiming || self.actions.iter().any(brings_news) {
            return;
        }
        if let Some(by) = self.leave_by {
            let on_its_way = self.live.values().any(|live| live.state == State::Claimed && live.ours);
            return if on_its_way && now.at < by { self.wake(by) } else { self.finish_stopped(now) };
        }
        if self.stopping.as_ref().is_some_and(StopReason::cannot_follow) {
            self.leave_by = Some(now.at + GRACE);
            return self.want_end(now);
        }
        if self.follows_calls() || self.awaited.any() {
            return;
        }
        if self.stopping.is_some() {
            return self.finish_stopped(now);
        }
        if self.paused && self.started_paused && !self.plan.wait {
            return self.finish(StopReason::Paused, None);
        }
        if self.is_kept_whole(now) {
            let most = self.pool.limit().saturating_sub(self.plan.caution + 1);
            return self.finish(StopReason::Kept, self.plan.reserve.falls_to(most, now.wall));
        }
        if !self.park_what_waits_in_vain(now) {
            self.end_of_list(now);
        }
    }

    /// Whether somebody waits and nobody may be dialed at this hour, since the timetable keeps every slot.
    fn is_kept_whole(&self, now: Now) -> bool {
        let kept = self.plan.reserve.at(now.wall) + self.plan.caution;
        let waits = self.batch.state == BatchState::Open && !self.batch.queue.is_empty() && self.start.may_dial();
        waits && !self.paused && !self.plan.wait && self.plan.reserve.is_timetable() && kept >= self.pool.limit()
    }

    /// `--limit` has been used up, and none of its attempts can still turn out to have been none.
    fn want_limit(&mut self) {
        let undecided =
            |live: &ActiveAttempt| live.state == State::Claimed || live.state == (State::Placed { blocked: true });
        if self.stopping.is_none() && self.attempts_left() == Some(0) && !self.live.values().any(undecided) {
            self.stop(StopReason::Limit);
        }
    }

    fn end_of_list(&mut self, now: Now) {
        let BatchState::Nobody(rest) = self.batch.state else { return };
        let only_doubts = rest.later == 0 && self.next_own_proof_at().is_some();
        if let Some(unread) = self.proofs.unread.clone().filter(|_| only_doubts) {
            return self.finish(StopReason::Unread(unread), None);
        }
        if self.has_due_doubt(now.at) || !matches!(self.start.step, Step::Fresh | Step::Dialing) {
            return;
        }
        let provable = self.next_own_proof_at();
        let only_they_wait = rest.later <= self.without_line.len() as u64;
        if !self.without_line.is_empty() && (only_they_wait || !self.plan.wait) {
            let why = StopReason::Lines("the lines that some leads need are out of service".to_owned());
            return self.finish(why, self.lines.back_at().map(at_midnight));
        }
        if rest.later == 0 && provable.is_none() {
            return self.finish(StopReason::Complete, None);
        }
        // No waiting brings marks back that the listing of this run does not show.
        if self.plan.wait && !(rest.later == 0 && self.waits_for_marks()) {
            return;
        }
        let provable: Option<Timestamp> = provable.map(|at| at.max(now.at).timestamp());
        let next_at = match rest.next_at {
            // Those who are due later may bring calls whose marks are listed; doubts that wait for marks do not.
            Some(due) if self.waits_for_marks() => Some(due),
            due => [due, provable].into_iter().flatten().min(),
        };
        let why = if rest.later > 0 { StopReason::Later } else { StopReason::DoubtsLeft };
        self.finish(why, next_at);
    }

    fn finish_stopped(&mut self, now: Now) {
        let why = self.stopping.clone().unwrap_or(StopReason::Stopped);
        let next_at = match why {
            StopReason::Lines(_) => self.lines.back_at().map(at_midnight),
            // Whoever goes on goes on at once, or when the first of those that wait is due.
            StopReason::Stopped | StopReason::Limit => match self.batch.state {
                BatchState::Nobody(rest) => rest.next_at,
                _ => Some(now.wall),
            },
            _ => None,
        };
        self.finish(why, next_at);
    }

    fn finish(&mut self, why: StopReason, next_at: Option<Timestamp>) {
        self.start.step = Step::Over;
        let interrupted = self.interrupted;
        self.actions.push_back(Action::Finish(Outcome { why, next_at, interrupted }));
    }
}
