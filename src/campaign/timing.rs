//! What every answer says besides its words: that the provider is reached, and what time it is there.

use std::sync::Arc;
use std::time::Duration;

use super::Campaign;
use super::event::{Action, News};
use super::notice::{Notice, StopReason};
use super::seen::SeenCall;
use crate::pool::news::RequestTiming;
use crate::pool::offset::{FARTHEST, latest_possible};
use crate::time::{Now, Stamp};

/// What is wrong by less than this may be a clock that drifts.
const DRIFT: Duration = Duration::from_secs(1);

impl Campaign {
    /// Has news recorded, before anything else is done: what they say of the time is taken in and put right, and each
    /// call is named by its attempt. They are acted on once they are written down.
    pub(super) fn take_in(&mut self, news: News, now: Now) {
        let checked = self.check_times(news, now);
        let named = self.identify(checked);
        self.actions.push_front(Action::Record(Box::new(named)));
    }

    /// Takes in what news say of the time, and puts right what cannot be: nothing that an answer tells of lies after it.
    pub(super) fn check_times(&mut self, mut news: News, now: Now) -> News {
        let (wire, created) = match &news {
            News::Answered { wire, call, .. } => (*wire, Some(call.created)),
            News::Refused { wire, .. } | News::Failed { wire, .. } | News::Listed { wire, .. } => (*wire, None),
            _ => return news,
        };
        self.hear_time(wire, created, now);
        let (first, last) = self.pool.offset.span(wire);
        // Where the first reading of its clock is the wrong one, the wall clock still knows what is no time to come.
        let last = last.min(latest_possible(now));
        let first = first.min(last);
        let mut wrong = false;
        match &mut news {
            News::Answered { call, .. } => {
                wrong = is_ahead(call, last + DRIFT);
                no_later_than(call, last);
                call.created = call.created.max(first);
                call.updated = call.updated.max(call.created);
            }
            News::Listed { calls, .. } if calls.iter().any(|row| is_ahead(row, last)) => {
                wrong = calls.iter().any(|row| is_ahead(row, last + DRIFT));
                let checked = calls.iter().map(|row| {
                    let mut row = Arc::clone(row);
                    if is_ahead(&row, last) {
                        no_later_than(Arc::make_mut(&mut row), last);
                    }
                    row
                });
                *calls = checked.collect();
            }
            _ => {}
        }
        self.tell_of_wrong_times(wrong);
        news
    }

    /// Takes in the times of one answer, and looks at the wall clock by them.
    pub(super) fn hear_time(&mut self, wire: RequestTiming, created: Option<Stamp>, now: Now) {
        let wrong = self.pool.hear_times(wire, created);
        self.tell_of_wrong_times(wrong);
        self.check_clock(now);
    }

    fn tell_of_wrong_times(&mut self, wrong: bool) {
        if wrong && !std::mem::replace(&mut self.wrong_times_told, true) {
            self.tell(Notice::WrongTimes);
        }
    }

    /// Dials nobody by a wall clock that is wrong. One answer that says so may itself be wrong: until another says the
    /// same, or not, nobody is dialed either.
    fn check_clock(&mut self, now: Now) {
        let Some((off, sure)) = self.pool.offset.off(now.at, Stamp::from(now.wall)) else { return };
        self.clock_in_doubt = off > FARTHEST;
        if self.clock_in_doubt && sure {
            self.stop(StopReason::Clock(off));
        }
    }

    /// An answer with a `Date` came from the provider, whatever it said.
    pub(super) fn hear_wire(&mut self, wire: RequestTiming) {
        if wire.date.is_some() {
            self.reached();
        }
    }

    /// The provider answered, whatever it said.
    pub(super) fn reached(&mut self) {
        self.backoff.worked();
        self.silence.answered();
        if std::mem::take(&mut self.told_away) {
            self.tell(Notice::Reachable);
        }
    }

    /// Two minutes without any answer: out, since nothing can be followed either.
    pub(super) fn check_reachable(&mut self, message: &str, now: Now) {
        if self.silence.failed(now.at) {
            self.stop(StopReason::Unreachable(message.to_owned()));
        }
    }
}

fn is_ahead(call: &SeenCall, last: Stamp) -> bool {
    call.created > last || call.updated > last || call.started > Some(last) || call.ended > Some(last)
}

fn no_later_than(call: &mut SeenCall, last: Stamp) {
    call.created = call.created.min(last);
    call.updated = call.updated.min(last);
    call.started = call.started.map(|at| at.min(last));
    call.ended = call.ended.map(|at| at.min(last));
}
