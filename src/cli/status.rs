//! `dialer status`: how the campaigns of a state directory stand.

use super::environment::Environment;
use super::journal::{StateArgs, look, no_campaign};
use super::names::completer;
use super::place::{dated, state_dir};
use super::print;
use crate::exit::Exit;
use crate::leads::shown::file;
use crate::report::failure::Failure;
use crate::report::status::{json, text};
use crate::report::style::Glyphs;
use crate::run::served::host;

/// `dialer status`.
#[derive(Clone, Debug, clap::Args)]
pub struct StatusArgs {
    /// Only this campaign
    #[arg(value_name = "CAMPAIGN", add = completer())]
    pub campaign: Option<String>,
    /// As one array on stdout
    #[arg(long)]
    pub json: bool,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Shows them.
pub fn status(args: &StatusArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let mut campaigns = match look(&args.state, around)? {
        Some(disk) => disk.campaigns()?,
        None => Vec::new(),
    };
    if let Some(name) = &args.campaign {
        let name = dated(name, around);
        let names: Vec<_> = campaigns.iter().map(|campaign| campaign.name.clone()).collect();
        campaigns.retain(|campaign| campaign.name == name);
        if campaigns.is_empty() {
            return Err(no_campaign(&name, &names));
        }
    }
    let dir = state_dir(args.state.state.as_deref(), around)?;
    let glyphs = Glyphs::of_locale(|name| around.var(name));
    let shown = if args.json {
        json(&campaigns, &host())
    } else {
        text(&campaigns, &file(&dir), around.now, &around.zone, glyphs)
    };
    print(&shown).map(|()| Exit::Settled)
}
