//! The last words of a run: the summary, the object, the exit code.

use std::io::Write;
use std::time::Duration;

use super::super::place::State;
use super::super::plan::Planned;
use super::super::print;
use super::super::talk::{note_at, note_exit, say};
use crate::campaign::counts::RunCounts;
use crate::campaign::event::Stop;
use crate::campaign::notice::{Outcome, StopReason};
use crate::drive::RunEnd;
use crate::drive::progress::DisplayOptions;
use crate::drive::signals::Order;
use crate::exit::Exit;
use crate::journal::Totals;
use crate::report::ending::{exit_of, failure_of};
use crate::report::failure::Failure;
use crate::report::json::{self, Rows};
use crate::report::screen::TextLayout;
use crate::report::style::Colors;
use crate::report::summary;
use crate::time::Now;

/// Everything that is known at the end.
pub(super) struct Last<'a> {
    pub(super) planned: &'a Planned,
    pub(super) end: &'a RunEnd,
    pub(super) totals: &'a Totals,
    pub(super) rows: Rows,
    pub(super) took: Duration,
    pub(super) now: Now,
    pub(super) waits_for: Option<String>,
    pub(super) callers: Option<(u64, u64)>,
    pub(super) looks: &'a DisplayOptions,
}

/// How a run ends that a signal ended before anybody was rung.
pub(super) fn before_anybody(order: Order) -> RunEnd {
    let interrupted = order.stop == Stop::Now;
    let outcome = Outcome { why: StopReason::Stopped, next_at: None, interrupted };
    RunEnd { outcome, signal: interrupted.then_some(order.exit), tally: RunCounts::default() }
}

/// Says how it ended, and with which code.
pub(super) fn say_how(last: &Last<'_>) -> Result<Exit, Failure> {
    let Last { planned, end, totals, .. } = *last;
    let exit = exit_of(&end.outcome, totals, end.signal);
    let campaign = &planned.plan.campaign;
    let failure = failure_of(&end.outcome, campaign, end.tally.placed, last.now.wall);
    let nothing_dialed = end.tally.placed == 0 && matches!(exit, Exit::Usage | Exit::Account | Exit::Held);
    if let Some(failure) = &failure {
        say(&failure.to_string());
        if nothing_dialed && planned.json {
            note_exit(last.now.wall, exit);
            print(&json::nothing(Some(campaign), exit, &failure.one_line()))?;
            return Ok(exit);
        }
    }
    let end = summary::End {
        campaign,
        outcome: &end.outcome,
        exit,
        totals,
        tally: &end.tally,
        took: last.took,
        now: last.now.wall,
        waits_for: last.waits_for.as_deref(),
        kept: matches!(planned.state, State::Kept(_)),
    };
    if !nothing_dialed {
        summarise(last, &end);
    }
    note_exit(last.now.wall, exit);
    if planned.json {
        print(&json::run(campaign, last.rows, &end))?;
    }
    Ok(exit)
}

/// The summary, on stderr unless quiet was asked for, and in the log, as plain text.
fn summarise(last: &Last<'_>, end: &summary::End<'_>) {
    let inbound = last.callers.map_or(String::new(), |(callers, away)| {
        format!("\ninbound: {callers} callers, {away} of them turned away (the stand-in's own count)")
    });
    let canvas = last.looks.canvas();
    if !last.planned.quiet {
        let _ = writeln!(std::io::stderr().lock(), "{}{inbound}", summary::text(end, &canvas));
    }
    let plain = TextLayout { paint: Colors(false), width: usize::MAX, ..canvas };
    note_at(last.now.wall, &format!("{}{inbound}", summary::text(end, &plain)));
}
