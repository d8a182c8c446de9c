//! `dialer prune`: drops campaigns that were over long ago.

use std::time::Duration;

use super::environment::Environment;
use super::journal::{StateArgs, look, open};
use super::print;
use super::values::span;
use crate::drive::clock::Clock;
use crate::exit::Exit;
use crate::report::failure::Failure;
use crate::report::style::count;

/// `dialer prune`.
#[derive(Clone, Debug, clap::Args)]
pub struct PruneArgs {
    /// Only campaigns to which nothing has happened for so long, as in 180d
    #[arg(long, value_name = "D", value_parser = span)]
    pub older_than: Duration,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Drops them, and says which.
pub fn prune(args: &PruneArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let now = Clock::real().now();
    let before = now.wall.checked_sub(args.older_than);
    let before = before.map_err(|_| Failure::usage("--older-than is longer than time goes back"))?;
    let pruned = match look(&args.state, around)? {
        Some(_) => open(&args.state, around)?.prune(before, std::process::id(), now)?,
        None => Vec::new(),
    };
    if pruned.is_empty() {
        return print("no settled campaign is that old\n").map(|()| Exit::Settled);
    }
    let line = |it: &crate::journal::disk::prune::Pruned| {
        format!("campaign {} is dropped: {}\n", it.campaign, count(it.leads, "lead", "leads"))
    };
    let lines: String = pruned.iter().map(line).collect();
    print(&format!("{lines}suppressed numbers stay\n")).map(|()| Exit::Settled)
}
