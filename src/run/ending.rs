//! The last steps of a run: it lets go of the journal, and says what it leaves open.

use std::path::Path;
use std::time::Duration;

use super::ended::Ended;
use super::session::{Ran, Session};
use crate::campaign::counts::RunCounts;
use crate::campaign::event::Stop;
use crate::campaign::hours::place;
use crate::campaign::notice::{Outcome, StopReason};
use crate::drive::end::{Broken, RunEnd};
use crate::drive::signals::Order;
use crate::exit::Exit;
use crate::journal::Error;
use crate::journal::disk::run::Run;
use crate::report::ending::WaitsFor;
use crate::report::failure::Failure;
use crate::report::json::Rows;
use crate::time::Now;

/// The same at the end of a run, when it is not asked again.
const BUSY_AT_THE_END: Duration = Duration::from_mins(1);

impl Session<'_> {
    /// Lets go of the journal, and sums up.
    pub(super) fn ended(
        &self,
        end: Result<RunEnd, Broken>,
        journal: Option<Run>,
        rows: Rows,
        began: Now,
    ) -> Result<Ran, Failure> {
        let target = self.planned.account.target.id();
        let over = self.venue.clock.now();
        let mut end = match end {
            Ok(end) => end,
            Err(Broken::Journal(error)) => return Err(self.died(error)),
            Err(Broken::Left(exit)) => return Err(self.left(exit)),
            Err(Broken::Refused(failure)) => return Err(failure),
            Err(Broken::Signal(order)) => before_anybody(order),
            Err(Broken::Lacks(read)) => {
                let (mut disk, _) = here(journal).end(over)?;
                disk.remember_variables(self.account, target, &read.variables)?;
                return Ok(Ran::Again(Box::new(disk), *read));
            }
        };
        let mut journal = here(journal);
        journal.wait_to_the_end(BUSY_AT_THE_END);
        let waits_for = self.waits_for(&journal, &end, over)?;
        let (_, totals) = journal.end(over)?;
        if self.planned.only.is_some() && end.outcome.why == StopReason::Complete && totals.open > 0 {
            end.outcome.why = StopReason::Only;
        }
        Ok(Ran::Ended(Box::new(Ended {
            end,
            totals,
            rows,
            rejects: self.lists.rejects_kept().map(Path::to_owned),
            took: over.at.since(began.at),
            now: over,
            waits_for,
            callers: self.venue.callers(),
        })))
    }

    /// The journal cannot be written any more, in the middle of a run.
    fn died(&self, error: Error) -> Failure {
        let campaign = &self.planned.plan.campaign;
        Failure::from(error)
            .advise("nobody was dialed who is not in the journal; calls that are up live on")
            .advise(format!("when it is mended, the same command goes on with campaign {campaign}"))
    }

    /// It was told to end at once while something else had the journal.
    fn left(&self, exit: Exit) -> Failure {
        Failure::new(exit, "ended while the journal could not be written")
            .advise("what had no answer is in doubt; calls that are up live on")
            .advise(format!("the same command goes on with campaign {}", self.planned.plan.campaign))
    }

    /// What leads wait for that are within their hours. A run that placed no call retries nobody soon: its leads were put
    /// off because another campaign called their numbers.
    fn waits_without_hours(&self, end: &RunEnd) -> WaitsFor {
        match self.planned.plan.not_if_called_within {
            Some(within) if end.tally.placed == 0 => WaitsFor::OtherCampaign(within),
            _ => WaitsFor::Retry,
        }
    }

    /// What the next lead waits for.
    fn waits_for(&self, run: &Run, end: &RunEnd, now: Now) -> Result<Option<WaitsFor>, Failure> {
        let Some(next_at) = end.outcome.next_at else { return Ok(None) };
        Ok(match &end.outcome.why {
            StopReason::Later => {
                let zones = run.disk().zones_waiting(self.account, &self.planned.plan.campaign)?;
                let calling = &self.planned.plan.calling;
                let opens = zones.iter().filter_map(|zones| calling.opening(zones, now.wall));
                let zone = opens
                    .filter(|opening| opening.at.duration_since(next_at).unsigned_abs() < Duration::from_secs(1))
                    .find_map(|opening| opening.zone);
                Some(zone.map_or_else(|| self.waits_without_hours(end), |zone| WaitsFor::Hours(place(&zone))))
            }
            StopReason::DoubtsLeft => Some(WaitsFor::Doubts),
            StopReason::Kept => Some(WaitsFor::Reserve),
            StopReason::Lines(_) => Some(WaitsFor::Line),
            _ => None,
        })
    }
}

/// The journal after a run that it did not break.
fn here(journal: Option<Run>) -> Run {
    journal.expect("a journal that is well comes back")
}

/// How a run ends that a signal ended before anybody was called.
fn before_anybody(order: Order) -> RunEnd {
    let interrupted = order.stop == Stop::Now;
    let outcome = Outcome { why: StopReason::Stopped, next_at: None, interrupted };
    RunEnd { outcome, signal: interrupted.then_some(order.exit), tally: RunCounts::default() }
}
