//! How a run ended, as those who are told of it need to know.

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::plan::RunPlan;
use crate::campaign::notice::StopReason;
use crate::drive::end::RunEnd;
use crate::exit::Exit;
use crate::journal::Totals;
use crate::report::ending::{WaitsFor, exit_of, failure_of};
use crate::report::failure::Failure;
use crate::report::happening::RunEnded;
use crate::report::json::Rows;
use crate::report::screen::TextLayout;
use crate::report::style::{Colors, Glyphs};
use crate::report::summary::{self, End};
use crate::time::Now;

/// Everything that is known at the end of a run.
pub struct Ended {
    /// How it ended.
    pub end: RunEnd,
    /// How the campaign stands.
    pub totals: Totals,
    /// What became of the lists' rows.
    pub rows: Rows,
    /// Where the rejected rows are, where they outlast the run.
    pub rejects: Option<PathBuf>,
    /// How long it took, on the run's clock.
    pub took: Duration,
    /// When it ended.
    pub now: Now,
    /// What the next lead waits for, in words.
    pub waits_for: Option<WaitsFor>,
    /// Callers of the stand-in, and those of them that were turned away.
    pub callers: Option<(u64, u64)>,
}

impl Ended {
    /// The exit code.
    pub fn exit(&self) -> Exit {
        exit_of(&self.end.outcome, &self.totals, self.end.signal)
    }

    /// The error, if it was one.
    pub fn failure(&self, planned: &RunPlan) -> Option<Failure> {
        failure_of(&self.end.outcome, &planned.plan.campaign, self.end.tally.placed, self.now.wall)
    }

    /// What the summary is told from.
    pub fn summed_up<'a>(&'a self, planned: &'a RunPlan) -> End<'a> {
        End {
            campaign: &planned.plan.campaign,
            outcome: &self.end.outcome,
            exit: self.exit(),
            totals: &self.totals,
            tally: &self.end.tally,
            took: self.took,
            now: self.now.wall,
            waits_for: self.waits_for.as_ref(),
            kept: planned.state.journal().is_some(),
            command: None,
        }
    }

    /// The command that goes on with the campaign.
    pub fn command(&self, planned: &RunPlan) -> String {
        let typed = &planned.command;
        if self.end.outcome.why == StopReason::Only { typed.without("--only").with(&[]) } else { typed.with(&[]) }
    }

    /// What observers are told.
    pub(super) fn told(&self, planned: &RunPlan, zone: &TimeZone) -> RunEnded {
        let layout = TextLayout { glyphs: Glyphs::UNICODE, paint: Colors(false), width: usize::MAX, zone };
        let failure = self.failure(planned).map(|failure| failure.to_string());
        let summary = summary::text(&self.summed_up(planned), &layout);
        RunEnded {
            exit: self.exit(),
            totals: Some(self.totals.clone()),
            next_at: self.end.outcome.next_at,
            report: failure.into_iter().chain([summary]).collect::<Vec<_>>().join("\n"),
        }
    }
}

/// What observers are told of a run that could not go on.
pub(super) fn told_of(failure: &Failure) -> RunEnded {
    RunEnded { exit: failure.exit, totals: None, next_at: None, report: failure.to_string() }
}
