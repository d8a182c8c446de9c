//! The last words of a run: the summary, the object, the exit code.

use std::time::Duration;

use super::super::plan::Planned;
use super::super::{print, say};
use crate::campaign::event::Stop;
use crate::campaign::notice::{Outcome, Why};
use crate::campaign::tally::Tally;
use crate::drive::End;
use crate::drive::signals::Order;
use crate::exit::Exit;
use crate::journal::Totals;
use crate::report::ending::{exit_of, failure_of};
use crate::report::failure::Failure;
use crate::report::json::{self, Rows};
use crate::report::style::Paint;
use crate::report::summary;
use crate::time::Now;

/// Everything that is known at the end.
pub(super) struct Last<'a> {
    pub(super) planned: &'a Planned,
    pub(super) end: &'a End,
    pub(super) totals: &'a Totals,
    pub(super) rows: Rows,
    pub(super) took: Duration,
    pub(super) now: Now,
    pub(super) waits_for: Option<String>,
    pub(super) callers: Option<(u64, u64)>,
    pub(super) paint: Paint,
    pub(super) zone: jiff::tz::TimeZone,
}

/// How a run ends that a signal ended before anybody was rung.
pub(super) fn before_anybody(order: Order) -> End {
    let interrupted = order.stop == Stop::Now;
    let outcome = Outcome { why: Why::Stopped, next_at: None, interrupted };
    End { outcome, signal: interrupted.then_some(order.exit), tally: Tally::default() }
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
    };
    if !planned.quiet && !nothing_dialed {
        say(&summary::text(&end, &last.zone, last.paint));
        if let Some((callers, away)) = last.callers {
            say(&format!("inbound: {callers} callers, {away} of them turned away (the stand-in's own count)"));
        }
    }
    if planned.json {
        print(&json::run(campaign, last.rows, &end))?;
    }
    Ok(exit)
}
