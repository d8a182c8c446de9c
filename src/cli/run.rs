//! `dialer run`: from a plan to an exit code.

use std::io::IsTerminal;
use std::time::Duration;

use jiff::Timestamp;

use super::args::RunArgs;
use super::display::looks;
use super::environment::Environment;
use super::{ParsedArgs, dry, ending, guard, place, plan, print, refuse};
use crate::campaign::counts::RunCounts;
use crate::campaign::notice::{Outcome, StopReason};
use crate::drive::notify::{Notifier, NotifyEnd};
use crate::drive::results::check_file;
use crate::drive::signals::leave_on_signal;
use crate::drive::talk::{self, detach, say, wait_until_written, write_line};
use crate::exit::Exit;
use crate::journal::Totals;
use crate::journal::disk::Disk;
use crate::journal::disk::story::Campaign;
use crate::report::failure::Failure;
use crate::report::json::{self, Rows};
use crate::report::summary::End;
use crate::run::confirm::AskPerson;

/// How a run ended, as those who are told hear it.
pub(super) struct RunEnding {
    /// With which code.
    pub(super) exit: Exit,
    /// The same in words.
    pub(super) text: String,
    /// When, by the run's clock.
    pub(super) wall: Timestamp,
}

/// What was said before stands above the question.
fn ask_person(question: &str) -> Result<bool, Failure> {
    wait_until_written();
    super::release::ask(question)
}

/// Calls the list, or shows what that would be; says how it ended, to whom that is to be told too.
pub(super) fn run(args: &RunArgs, typed: &ParsedArgs) -> Exit {
    let around = Environment::of_process();
    let others = if args.rehearse.dry_run { Ok(None) } else { args.told.options(&around).map(Some) };
    let mut notifier = Notifier::start(others.clone().ok().flatten().unwrap_or_default());
    let ended = match others {
        Ok(_) => planned(args, typed, &around, &notifier),
        Err(failure) => Err(plan::plan(args, &typed.sources, &around).err().into_iter().fold(failure, Failure::and)),
    };
    let campaign = typed.campaign();
    let RunEnding { exit, text, wall } = ended.unwrap_or_else(|failure| {
        let failure = typed.sources.placed(failure);
        let exit = match failure.exit {
            Exit::Usage | Exit::Account | Exit::Held | Exit::Machine => {
                refuse(&failure, args.shown.json, campaign.as_deref())
            }
            _ => interrupted(args, typed, &failure, campaign.as_deref(), &around),
        };
        if !matches!(exit, Exit::Usage | Exit::Account | Exit::Held) && !args.rehearse.dry_run {
            write_line(&format!("  go on:   {}", typed.command_line().with(&[])));
        }
        RunEnding { exit, text: failure.one_line(), wall: Environment::of_process().now }
    });
    tell_end(&mut notifier, &NotifyEnd { campaign, exit, text, wall });
    if exit == Exit::Later && args.stop.later_is_ok {
        say("the process ends with 0 instead of 4: --later-is-ok");
        return Exit::Settled;
    }
    exit
}

/// Says that it was ended before anybody was called: the object has all its keys, and the leads as they stand.
fn interrupted(
    args: &RunArgs,
    typed: &ParsedArgs,
    failure: &Failure,
    campaign: Option<&str>,
    around: &Environment<'_>,
) -> Exit {
    let exit = refuse(failure, false, None);
    if args.shown.json {
        let outcome = Outcome { why: StopReason::Stopped, next_at: None, interrupted: exit != Exit::Later };
        let totals = campaign.and_then(|campaign| totals(args, typed, campaign, around)).unwrap_or_default();
        let end = End {
            campaign: campaign.unwrap_or_default(),
            outcome: &outcome,
            exit,
            totals: &totals,
            tally: &RunCounts::default(),
            took: Duration::ZERO,
            now: around.now,
            waits_for: None,
            kept: true,
            command: None,
        };
        // The exit code says more than a stdout that nobody reads.
        let _ = print(&json::run(end.campaign, Rows::default(), &end));
    }
    exit
}

/// How a campaign stands in its journal, where there is one.
fn totals(args: &RunArgs, typed: &ParsedArgs, campaign: &str, around: &Environment<'_>) -> Option<Totals> {
    let rehearse = &args.rehearse;
    let state = args.place.state.as_deref();
    let state = place::state(state, &typed.sources, rehearse.sandbox, rehearse.dry_run, around).ok()?;
    let campaigns = Disk::look(state.journal()?).ok()??.campaigns().ok()?;
    let is_meant = |known: &Campaign| known.name == campaign && known.account.is_rehearsal() == rehearse.sandbox;
    campaigns.into_iter().find(is_meant).map(|known| known.totals)
}

/// Tells others how it ended, and the user what could not be told.
pub(super) fn tell_end(notifier: &mut Notifier, end: &NotifyEnd) {
    notifier.end(end);
    while let Some(remark) = notifier.remark() {
        say(&format!("warning: {remark}"));
    }
}

fn planned(
    args: &RunArgs,
    typed: &ParsedArgs,
    around: &Environment<'_>,
    notifier: &Notifier,
) -> Result<RunEnding, Failure> {
    guard::guard_outputs(args)?;
    if let Some(log) = args.shown.log.as_deref().filter(|_| !args.rehearse.dry_run) {
        talk::keep_log(log)?;
    }
    let mut planned = plan::plan(args, &typed.sources, around)?;
    planned.command = typed.command_line();
    for warning in &planned.warnings {
        say(&format!("warning: {warning}"));
    }
    if planned.dry_run {
        let exit = dry::dry_run(&planned, &args.rehearse, around)?;
        return Ok(RunEnding { exit, text: String::new(), wall: around.now });
    }
    if let Some(results) = &planned.results {
        check_file(&results.path)?;
    }
    detach();
    let display = looks(planned.quiet, args.shown.color, around);
    let is_attended = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let ask = (is_attended && !planned.sandbox && !args.shown.yes).then_some(ask_person as AskPerson);
    let runtime = super::runtime()?;
    let ended = runtime.block_on(crate::run::run(&planned, &display, notifier, ask));
    // Whoever still waits for stdin or for an answer waits for nothing.
    runtime.shutdown_background();
    leave_on_signal();
    ending::say_how(&planned, &display, &ended?)
}
