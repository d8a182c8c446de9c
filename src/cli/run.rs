//! `dialer run`: from a plan to an exit code.

use super::args::RunArgs;
use super::display::looks;
use super::environment::Environment;
use super::{dry, ending};
use crate::drive::talk::{detach, say};
use crate::exit::Exit;
use crate::report::failure::Failure;
use crate::run::plan::RunPlan;

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
    let runtime = super::runtime()?;
    let ended = runtime.block_on(crate::run::run(planned, &display));
    // Whoever still waits for stdin or for an answer waits for nothing.
    runtime.shutdown_background();
    match ending::say_how(planned, &display, &ended?)? {
        Exit::Later if args.stop.later_is_ok => Ok(Exit::Settled),
        exit => Ok(exit),
    }
}
