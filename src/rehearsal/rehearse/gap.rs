//! A machine that stands still: stopped, suspended, or held up. What its runs had decided before is old on waking.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Due, Simulation};
use crate::campaign::event::{Action, Event, News};
use crate::journal::{Error, Journal};
use crate::time::{Instant, Now};

/// What a run remembers of the last time at which its machine stood still.
#[derive(Default)]
pub(super) struct Gap {
    /// Its end.
    end: Option<Instant>,
    /// A claim that was decided before it may be waiting to be carried out.
    pub(super) claims: bool,
}

impl<J: Journal> Simulation<J> {
    /// The machine stands still for so long, while the world goes on. What came meanwhile is heard on waking, orders
    /// first, as the loop that drives a run in real time does.
    pub fn stand_still(&mut self, time: Duration) -> Result<(), Error> {
        let until = self.world.now() + time;
        let (mut orders, mut others) = (Vec::new(), Vec::new());
        while let Some(at) = self.agenda.next_at().filter(|at| *at <= until) {
            self.world.advance(at);
            match self.agenda.take(at) {
                Some(Due::Read(place, of, query, sent)) => self.read(place, of, &query, sent),
                Some(order @ Due::Order(..)) => orders.push(order),
                other => others.extend(other),
            }
        }
        self.world.advance(until);
        let now = self.now();
        for run in self.runs.iter_mut().flatten().filter(|run| run.outcome.is_none()) {
            run.gap = Gap { end: Some(now.at), claims: true };
            run.campaign.handle(now, Event::StoodStill);
        }
        orders.into_iter().chain(others).try_for_each(|due| self.happen(due))?;
        while let Some(reply) = self.world.next_reply() {
            self.reply(reply)?;
        }
        Ok(())
    }

    /// An action, unless it was decided before a gap and would place a call: then it is decided again.
    pub(super) fn still_to_do(&mut self, place: usize, action: Action, now: Now) -> Result<Option<Action>, Error> {
        let Some(run) = self.runs[place].as_mut() else { return Ok(None) };
        match &action {
            Action::Claim(_) if std::mem::take(&mut run.gap.claims) => {
                run.campaign.handle(now, Event::ClaimsHeld);
                Ok(None)
            }
            Action::Place(attempt, _)
                if run
                    .gap
                    .end
                    .is_some_and(|end| run.claims.get(attempt).is_some_and(|claim| !claim.may_go(now.at, end))) =>
            {
                run.claims.remove(attempt);
                if let Some(trace) = &mut self.trace {
                    let _ = writeln!(trace, "{} {place} Withdrawn({attempt})", now.at);
                }
                self.tell(place, News::Withdrawn(attempt.clone()))?;
                Ok(None)
            }
            _ => Ok(Some(action)),
        }
    }
}
