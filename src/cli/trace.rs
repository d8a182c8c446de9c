//! `--trace`: where the trace of a run may go.

use super::args::RunArgs;
use super::guard::{guard_output, other_files};
use crate::drive::trace_file::{TracePlan, kept};
use crate::report::failure::Failure;

/// The trace must be none of the files that a run reads or writes, nor anything else but an older trace.
pub(super) fn plan(args: &RunArgs) -> Result<Option<TracePlan>, Failure> {
    let Some(path) = args.shown.trace.clone().filter(|_| !args.rehearse.dry_run) else { return Ok(None) };
    let plan = TracePlan { path, numbers: args.shown.trace_numbers };
    for path in [plan.path.clone(), kept(&plan.path)] {
        let written = [("--log", args.shown.log.as_deref()), ("--results", args.shown.results.as_deref())];
        guard_output("--trace", &path, other_files(args).chain(written))?;
    }
    plan.check()?;
    Ok(Some(plan))
}
