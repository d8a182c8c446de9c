//! `dialer explain`: when and why a person was called, or was not.

use super::environment::Environment;
use super::journal::{StateArgs, failed, look, phone};
use super::print;
use crate::exit::Exit;
use crate::leads::lead::Phone;
use crate::report::failure::Failure;
use crate::report::story::{json, text};

/// `dialer explain`.
#[derive(Clone, Debug, clap::Args)]
pub struct ExplainArgs {
    /// The number, with its country code
    #[arg(value_name = "PHONE", value_parser = phone)]
    pub phone: Phone,
    /// As one object on stdout
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Tells what the journal knows.
pub fn explain(args: &ExplainArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let (stories, suppressed) = match look(&args.state, around)? {
        Some(disk) => (disk.explain(args.phone).map_err(failed)?, disk.suppressed(args.phone).map_err(failed)?),
        None => (Vec::new(), None),
    };
    let shown = if args.json {
        json(args.phone, &stories, suppressed.as_deref())
    } else {
        text(args.phone, &stories, suppressed.as_deref(), around.now, &around.zone)
    };
    print(&shown).map(|()| Exit::Settled)
}
