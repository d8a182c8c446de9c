//! `dialer run`: from a plan to an exit code.

use std::io::IsTerminal;

use super::args::RunArgs;
use super::display::looks;
use super::environment::Environment;
use super::{dry, ending};
use crate::drive::talk::{detach, say, wait_until_written};
use crate::exit::Exit;
use crate::report::failure::Failure;
use crate::run::confirm::AskPerson;
use crate::run::plan::RunPlan;

/// What was said before stands above the question.
fn ask_person(question: &str) -> Result<bool, Failure> {
    wait_until_written();
    super::release::ask(question)
}

/// Calls the list, or shows what that would be.
pub fn run(planned: &RunPlan, args: &RunArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    for warning in &planned.warnings {
        say(&format!("warning: {warning}"));
    }
    if planned.dry_run {
        return dry::dry_run(planned, around);
    }
    detach();
    let display = looks(planned.quiet, args.shown.color, around);
    let is_attended = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let ask = (is_attended && !planned.sandbox && !args.shown.yes).then_some(ask_person as AskPerson);
    let runtime = super::runtime()?;
    let ended = runtime.block_on(crate::run::run(planned, &display, ask));
    // Whoever still waits for stdin or for an answer waits for nothing.
    runtime.shutdown_background();
    match ending::say_how(planned, &display, &ended?)? {
        Exit::Later if args.stop.later_is_ok => Ok(Exit::Settled),
        exit => Ok(exit),
    }
}
