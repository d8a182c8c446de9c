//! `dialer move-state`: moves a journal into a database, or back.

use std::path::PathBuf;

use super::environment::Environment;
use super::place::{shown, state_dir};
use super::print;
use crate::drive::chance::chance;
use crate::drive::clock::Clock;
use crate::drive::talk::while_waiting;
use crate::exit::Exit;
use crate::journal::disk::moving::{Moved, move_journal};
use crate::journal::disk::open::url;
use crate::report::failure::Failure;
use crate::report::style::count;

/// `dialer move-state`.
#[expect(clippy::doc_markdown, reason = "these comments are what --help prints")]
#[derive(Clone, Debug, clap::Args)]
pub struct MoveStateArgs {
    /// Where the journal is: a state directory, or a PostgreSQL as in postgres://dialer@db/dialer
    #[arg(value_name = "FROM")]
    pub from: PathBuf,
    /// Where it goes: the other of the two, with no campaign in it yet
    #[arg(value_name = "TO")]
    pub to: PathBuf,
}

/// Moves it, and says what was moved.
pub fn move_state(args: &MoveStateArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let (from, to) = (state_dir(Some(&args.from), around)?, state_dir(Some(&args.to), around)?);
    if url(&from).is_some() == url(&to).is_some() {
        let failure = Failure::usage("a journal is moved from a state directory into PostgreSQL, or back");
        return Err(failure.advise("as in:   dialer move-state ~/.local/state/dialer postgres://dialer@db/dialer"));
    }
    let clock = Clock::real();
    let waiting = while_waiting(false, || false);
    let moved = move_journal((&from, &to), std::process::id(), &|| clock.now(), &mut chance(), &waiting)?;
    let (from, to) = (shown(&from), shown(&to));
    let Some(Moved { campaigns, leads, attempts, already }) = moved else {
        return Err(Failure::usage(format!("there is no journal in {from}")).advise("name where it is as FROM"));
    };
    let what = [count(campaigns, "campaign", "campaigns"), count(leads, "lead", "leads")].join(", ");
    let what = format!("{what}, {}", count(attempts, "attempt", "attempts"));
    let words = if already { "was moved before" } else { "is moved" };
    print(&format!(
        "the journal {from} {words} to {to}: {what}\n\
         go on with --state {to}; what is left at the old place is used no more, and can be deleted\n"
    ))
    .map(|()| Exit::Settled)
}
