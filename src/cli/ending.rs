//! The last words of a run: the summary, the object, the exit code.

use super::print;
use super::run::RunEnding;
use crate::drive::progress::DisplayOptions;
use crate::drive::talk::{note_at, note_exit, say, write_line};
use crate::exit::Exit;
use crate::leads::shown::file;
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::screen::TextLayout;
use crate::report::style::{Colors, count};
use crate::report::summary::{self, End};
use crate::run::ended::Ended;
use crate::run::plan::RunPlan;

/// Says how it ended, and with which code; returns the same for others.
pub(super) fn say_how(planned: &RunPlan, display: &DisplayOptions, ended: &Ended) -> Result<RunEnding, Failure> {
    let end = ended.summed_up(planned);
    let (exit, campaign, failure) = (end.exit, end.campaign, ended.failure(planned));
    let nothing_dialed = end.tally.placed == 0 && matches!(exit, Exit::Usage | Exit::Account | Exit::Held);
    if let Some(failure) = &failure {
        say(&failure.to_string());
        if nothing_dialed && planned.json {
            note_exit(ended.now.wall, exit);
            print(&json::nothing(Some(campaign), exit, &failure.one_line()))?;
            return Ok(RunEnding { exit, text: failure.one_line(), wall: ended.now.wall });
        }
    }
    if !nothing_dialed {
        let command = ended.command(planned);
        summarise(planned.quiet, display, ended, &End { command: Some(&command), ..end });
    }
    if exit == Exit::Settled && ended.rows.rejected > 0 {
        let at = ended.rejects.as_deref().map_or(String::new(), |path| format!(": {}", file(path)));
        say(&format!("{} not called{at}", count(ended.rows.rejected, "rejected row was", "rejected rows were")));
    }
    note_exit(ended.now.wall, exit);
    if planned.json {
        print(&json::run(campaign, ended.rows, &end))?;
    }
    let text = failure.map_or_else(|| summary::in_a_line(&end, &display.zone), |failure| failure.one_line());
    Ok(RunEnding { exit, text, wall: ended.now.wall })
}

/// The summary, on stderr unless quiet was asked for, and in the log, as plain text.
fn summarise(quiet: bool, display: &DisplayOptions, ended: &Ended, end: &End<'_>) {
    let inbound = ended.callers.map_or(String::new(), |(callers, away)| {
        format!("\ninbound: {callers} callers, {away} of them turned away (the stand-in's own count)")
    });
    let canvas = display.canvas();
    if quiet {
        if end.exit == Exit::Later {
            write_line(&summary::in_brief(end, canvas.zone));
        }
    } else {
        write_line(&format!("{}{inbound}", summary::text(end, &canvas)));
    }
    let plain = TextLayout { paint: Colors(false), width: usize::MAX, ..canvas };
    // The line may name people.
    let end = End { command: None, ..*end };
    note_at(ended.now.wall, &format!("{}{inbound}", summary::text(&end, &plain)));
}
