//! `dialer run`: from a plan to an exit code.

use std::io::IsTerminal;

use jiff::Timestamp;

use super::args::RunArgs;
use super::display::looks;
use super::environment::Environment;
use super::{ParsedArgs, dry, ending, plan, refuse};
use crate::drive::notify::{Notifier, NotifyEnd};
use crate::drive::talk::{self, detach, say, wait_until_written};
use crate::exit::Exit;
use crate::report::failure::Failure;
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
    let ended = others.and_then(|_| planned(args, typed, &around, &notifier));
    let campaign = typed.campaign();
    let RunEnding { exit, text, wall } = ended.unwrap_or_else(|failure| {
        let failure = typed.sources.placed(failure);
        let exit = refuse(&failure, args.shown.json, campaign.as_deref());
        RunEnding { exit, text: failure.one_line(), wall: Environment::of_process().now }
    });
    tell_end(&mut notifier, &NotifyEnd { campaign, exit, text, wall });
    if exit == Exit::Later && args.stop.later_is_ok { Exit::Settled } else { exit }
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
    plan::guard_log(args)?;
    if let Some(log) = args.shown.log.as_deref().filter(|_| !args.rehearse.dry_run) {
        talk::keep_log(log)?;
    }
    let planned = plan::plan(args, &typed.sources, around)?;
    for warning in &planned.warnings {
        say(&format!("warning: {warning}"));
    }
    if planned.dry_run {
        let exit = dry::dry_run(&planned, &args.rehearse, around)?;
        return Ok(RunEnding { exit, text: String::new(), wall: around.now });
    }
    detach();
    let display = looks(planned.quiet, args.shown.color, around);
    let is_attended = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let ask = (is_attended && !planned.sandbox && !args.shown.yes).then_some(ask_person as AskPerson);
    let runtime = super::runtime()?;
    let ended = runtime.block_on(crate::run::run(&planned, &display, notifier, ask));
    // Whoever still waits for stdin or for an answer waits for nothing.
    runtime.shutdown_background();
    ending::say_how(&planned, &display, &ended?)
}
