//! `dialer explain`: when and why a person was called, or was not.

use super::environment::Environment;
use super::journal::{NumberArgs, StateArgs, look};
use super::print;
use crate::exit::Exit;
use crate::report::failure::Failure;
use crate::report::story::{Known, Looking, json, text};

/// `dialer explain`.
#[derive(Clone, Debug, clap::Args)]
pub struct ExplainArgs {
    /// Whom.
    #[command(flatten)]
    pub phone: NumberArgs,
    /// As one object on stdout
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Tells what the journal knows.
pub fn explain(args: &ExplainArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let phone = args.phone.phone()?;
    let (stories, suppressed, campaigns) = match look(&args.state, around)? {
        Some(disk) => (disk.explain(phone)?, disk.suppressed(phone)?, disk.campaigns()?),
        None => (Vec::new(), None, Vec::new()),
    };
    let suppressed = suppressed.as_ref();
    let shown = if args.json {
        json(phone, &stories, suppressed)
    } else {
        let known = Known { phone, stories: &stories, suppressed, campaigns: &campaigns };
        text(known, Looking { now: around.now, zone: &around.zone })
    };
    print(&shown).map(|()| Exit::Settled)
}
