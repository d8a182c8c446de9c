//! `dialer status`: how the campaigns of a state directory stand.

use super::environment::Environment;
use super::journal::{StateArgs, look, no_campaign};
use super::names::completer;
use super::place::{self, dated, state_dir};
use super::print;
use super::serving::serve;
use super::watching::watch;
use crate::exit::Exit;
use crate::journal::disk::story::Campaign;
use crate::live::Address;
use crate::report::failure::Failure;
use crate::report::status::{json, text};
use crate::report::style::Glyphs;

/// `dialer status`.
#[derive(Clone, Debug, clap::Args)]
pub struct StatusArgs {
    /// Only this campaign
    #[arg(value_name = "CAMPAIGN", add = completer())]
    pub campaign: Option<String>,
    /// Show them again and again, until no run of theirs is alive
    #[arg(long)]
    pub watch: bool,
    /// As one array on stdout; with --watch one whenever something has changed
    #[arg(long)]
    pub json: bool,
    /// Show them at this address until Ctrl-C: / a live page, /metrics for Prometheus, /status JSON, /events
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["watch", "json"])]
    pub serve: Option<String>,
    /// ADDR may be reached from other machines, by whoever reaches it
    #[arg(long, requires = "serve")]
    pub serve_anyone: bool,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Shows them.
pub fn status(args: &StatusArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    if let Some(address) = &args.serve {
        return serve(args, Address::parse(address, args.serve_anyone)?, around);
    }
    if args.watch {
        return watch(args, around);
    }
    let shown = shown(args, &chosen(args, around)?, around)?;
    print(&shown).map(|()| Exit::Settled)
}

/// The campaigns that are asked for.
pub(super) fn chosen(args: &StatusArgs, around: &Environment<'_>) -> Result<Vec<Campaign>, Failure> {
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
    Ok(campaigns)
}

/// They as they are shown once.
pub(super) fn shown(args: &StatusArgs, campaigns: &[Campaign], around: &Environment<'_>) -> Result<String, Failure> {
    if args.json {
        return Ok(json(campaigns, around.now, &crate::host::name()));
    }
    let place = place::shown(&state_dir(args.state.state.as_deref(), around)?);
    let glyphs = Glyphs::of_locale(|name| around.var(name));
    Ok(text(campaigns, &place, around.now, &around.zone, glyphs))
}
