//! Before dialing: searching the account's listing for calls that the journal may not know.

use super::Campaign;
use super::batch::BatchState;
use super::event::Action;
use super::notice::{Notice, StopReason};
use super::reply::{Change, ResumeState, UnknownCall};
use super::seen::SeenCall;
use crate::pool::attempt_id::{AttemptId, Mark};
use crate::pool::offset::FARTHEST;
use crate::time::{Instant, Now, Stamp};
use std::time::Duration;

/// Searches begin that much earlier than they would have to.
pub(super) const MARGIN: Duration = Duration::from_mins(1);

/// How far a run is on its way to dialing.
#[derive(Debug)]
pub(super) enum Step {
    /// Nobody to dial, nothing to follow so far: no connection yet.
    Fresh,
    /// From the watermark to now.
    Searching,
    /// Further back, as long as calls of the campaign are found: where the stretch begins and ends, and whether one was
    /// found there.
    FurtherBack(Stamp, Stamp, bool),
    /// Adopting what was found.
    Adopting,
    /// After an adoption: until something that was on its way must have shown up.
    Waiting(Instant),
    /// The second search.
    Again,
    /// May dial.
    Dialing,
    /// Everything is over.
    Over,
}

/// The step, and what the start has learnt.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) step: Step,
    watermark: Option<Stamp>,
    known_from: Option<Stamp>,
    /// Where the search that is under way began.
    from: Option<Stamp>,
    has_attempts: bool,
    adopted_at: Option<Instant>,
    strangers: u64,
    /// Those of them that show no number.
    numberless: u64,
    newest: Option<Stamp>,
    /// When the run began.
    pub(super) began: Instant,
    mark: Mark,
    /// How far the search was when that was last told.
    pub(super) told: f64,
}

impl Start {
    pub(super) fn new(history: &ResumeState, campaign: &str, now: Instant) -> Self {
        // What is to be known up to a time that lies ahead is not known: a stamp was wrong.
        let watermark = history.watermark.filter(|mark| *mark <= Stamp::from_micros(now.as_micros()) + FARTHEST);
        Self {
            step: Step::Fresh,
            watermark,
            known_from: history.known_from.filter(|_| watermark.is_some()),
            from: None,
            has_attempts: history.has_attempts,
            adopted_at: history.adopted_at,
            strangers: history.strangers.len() as u64,
            numberless: history.strangers.iter().filter(|stranger| stranger.phone.is_none()).count() as u64,
            newest: history.strangers.iter().map(|stranger| stranger.created).max(),
            began: now,
            mark: Mark::of(campaign),
            told: 0.0,
        }
    }

    pub(super) fn may_dial(&self) -> bool {
        matches!(self.step, Step::Dialing)
    }

    /// Whether a search is under way.
    pub(super) fn is_searching(&self) -> bool {
        matches!(self.step, Step::Searching | Step::FurtherBack(..) | Step::Again)
    }

    /// Takes note of a row: whether it is a call of this campaign, and lies in the stretch that was asked for.
    pub(super) fn saw_marked(&mut self, attempt: &AttemptId, created: Stamp) {
        if let Step::FurtherBack(from, to, found) = &mut self.step
            && (*from..=*to).contains(&created)
            && attempt.is_of(&self.mark)
        {
            *found = true;
        }
    }

    /// Whether a row shows a call of this campaign that the journal knows, when these are new to it.
    pub(super) fn knows(&self, call: &SeenCall, strangers: &[UnknownCall]) -> bool {
        let is_strange = |attempt: &AttemptId| strangers.iter().any(|stranger| stranger.attempt == *attempt);
        let known = |attempt: &AttemptId| attempt.is_of(&self.mark) && !is_strange(attempt);
        self.strangers == 0 && call.attempt.as_ref().is_some_and(known)
    }
}

impl Campaign {
    /// Leaves the fresh state once there is a reason to connect.
    pub(super) fn begin_search(&mut self, now: Now) {
        if let Step::Waiting(until) = self.start.step {
            if now.at < until {
                return self.wake(until);
            }
            // What was on its way when the journal was lost may be listed late: the search reaches back before the
            // adoption by as long as absence must hold.
            let adopted = self.start.adopted_at.map_or(self.start.began, |at| at.min(self.start.began));
            let late = self.pool.offset.surely_after(adopted) - self.absence_must_hold();
            let from = self.start.watermark.map_or(late, |mark| mark.min(late));
            self.start.from = Some(from - MARGIN);
            self.listing.search_between(from - MARGIN, None);
            self.start.step = Step::Again;
        }
        if !matches!(self.start.step, Step::Fresh) || self.stopping.is_some() {
            return;
        }
        let someone = self.batch.state == BatchState::Open && !self.paused;
        if !someone && !self.follows_calls() && !self.has_due_doubt(now.at) {
            return;
        }
        if !self.limit_known {
            self.tell(Notice::LimitAssumed(self.pool.limit()));
        }
        let horizon = self.pool.offset.earliest(now.at) - self.plan.look_back;
        let from = match self.start.watermark {
            Some(mark) if mark < horizon => {
                self.tell(Notice::StoppedShort(horizon));
                horizon
            }
            // Whoever looked last looked less far back than this run is to.
            Some(_) if self.start.known_from.is_none_or(|known| known > horizon) => horizon,
            Some(mark) => mark,
            None if self.plan.look_back.is_zero() => return self.searched(now, None),
            None => horizon,
        };
        self.listing.search_between(from, None);
        self.start.step = Step::Searching;
        self.start.watermark = Some(from);
        self.start.from = Some(from);
    }

    /// A part of the search came and was complete.
    pub(super) fn tell_progress(&mut self, now: Now) {
        let progress = self.listing.search_progress(self.pool.offset.latest(now.at));
        if progress - self.start.told >= 0.05 {
            self.start.told = progress;
            self.tell(Notice::Searching(progress));
        }
    }

    /// The whole of the search came.
    pub(super) fn search_complete(&mut self, now: Now, began: Option<Instant>) {
        match std::mem::replace(&mut self.start.step, Step::Fresh) {
            // Nothing is older than 1970.
            Step::FurtherBack(from, _, true) if from > Stamp::from_micros(0) => self.search_back_from(from),
            Step::FurtherBack(..) => self.adopt(),
            Step::Again => self.searched_again(began),
            _ => self.searched(now, began),
        }
    }

    fn searched(&mut self, now: Now, began: Option<Instant>) {
        if self.start.strangers > 0 && !self.start.has_attempts {
            if self.plan.adopt {
                let from = self.start.watermark.unwrap_or_else(|| self.pool.offset.earliest(now.at));
                return self.search_back_from(from);
            }
            let newest = self.start.newest.unwrap_or_else(|| self.pool.offset.earliest(now.at));
            self.start.step = Step::Dialing;
            return self.stop(StopReason::Strangers(self.start.strangers, newest));
        }
        self.keep_watermark(began);
        if self.start.strangers > 0 {
            return self.adopt();
        }
        self.start.step = match self.start.adopted_at {
            Some(at) => Step::Waiting(at + self.absence_must_hold()),
            None => Step::Dialing,
        };
    }

    fn search_back_from(&mut self, from: Stamp) {
        let length = self.plan.look_back.max(MARGIN);
        self.listing.search_between(from - length, Some(from));
        self.start.step = Step::FurtherBack(from - length, from, false);
    }

    fn adopt(&mut self) {
        if self.start.numberless > 0 {
            self.start.step = Step::Dialing;
            return self.stop(StopReason::Numberless(self.start.numberless));
        }
        self.start.step = Step::Adopting;
        self.actions.push_back(Action::Adopt);
    }

    fn searched_again(&mut self, began: Option<Instant>) {
        self.keep_watermark(began);
        if self.start.strangers > 0 {
            return self.adopt();
        }
        self.actions.push_back(Action::AdoptionDone);
        self.start.step = Step::Dialing;
    }

    fn keep_watermark(&mut self, began: Option<Instant>) {
        if let Some(began) = began {
            let mark = self.pool.offset.surely_after(began) - MARGIN;
            self.start.watermark = Some(mark);
            self.actions.push_back(Action::Watermark(self.start.from.unwrap_or(mark), mark));
        }
    }

    /// Calls with our mark that the journal did not know were taken in.
    pub(super) fn adopted(&mut self, changes: Vec<Change>, now: Now) {
        self.tell(Notice::Adopted(changes.len()));
        for change in changes {
            self.apply(change, now);
        }
        self.start.strangers = 0;
        self.start.has_attempts = true;
        self.batch = super::Batch::default();
        if matches!(self.start.step, Step::Adopting) {
            self.start.step = Step::Waiting(now.at + self.absence_must_hold());
        }
    }

    /// Calls with our mark that this journal did not make, seen for the first time.
    pub(super) fn met_strangers(&mut self, strangers: &[UnknownCall]) {
        let since = self.pool.offset.earliest(self.start.began);
        for stranger in strangers {
            self.start.strangers += 1;
            self.start.numberless += u64::from(stranger.phone.is_none());
            self.start.newest = self.start.newest.max(Some(stranger.created));
            if stranger.created >= since && (self.start.has_attempts || self.start.may_dial()) {
                self.stop(StopReason::AnotherMachine(stranger.call.clone()));
            }
        }
        if strangers.is_empty() || !self.start.may_dial() || self.stopping.is_some() {
            return;
        }
        if self.start.has_attempts || self.attempts > 0 || self.plan.adopt {
            // Whom a call without a number was made to cannot be told, so that nobody may be called.
            if self.start.numberless > 0 {
                return self.stop(StopReason::Numberless(self.start.numberless));
            }
            self.actions.push_back(Action::Adopt);
        } else if let Some(newest) = self.start.newest {
            // No search has looked for them; the first listing shows them all the same, before anybody is called.
            self.stop(StopReason::Strangers(self.start.strangers, newest));
        }
    }
}
