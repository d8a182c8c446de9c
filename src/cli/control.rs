//! `dialer pause`, `resume` and `stop`: orders to a campaign, from another shell. Its run hears of them within a poll.

use super::environment::Environment;
use super::journal::{StateArgs, look, open_for};
use super::names::completer;
use super::place::dated;
use super::print;
use crate::exit::Exit;
use crate::journal::disk::story::Campaign;
use crate::report::failure::Failure;

/// To which campaign.
#[derive(Clone, Debug, clap::Args)]
pub struct CampaignArgs {
    /// The campaign's name
    #[arg(value_name = "CAMPAIGN", add = completer())]
    pub campaign: String,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// To which campaign, or to all.
#[derive(Clone, Debug, clap::Args)]
pub struct OneOrAllArgs {
    /// The campaign's name
    #[arg(value_name = "CAMPAIGN", add = completer(), required_unless_present = "all")]
    pub campaign: Option<String>,
    /// Every campaign of the state directory
    #[arg(long, conflicts_with = "campaign")]
    pub all: bool,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// What is ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// No more calls until [`Order::Resume`].
    Pause,
    /// Calls again.
    Resume,
    /// As the first Ctrl-C.
    Stop,
}

/// Gives the order, and says whether a run is alive to hear it.
pub fn order(order: Order, args: &CampaignArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let campaign = dated(&args.campaign, around);
    one(order, &campaign, &args.state, around).map(|()| Exit::Settled)
}

/// Gives the order to one campaign, or to all that it can mean something to.
pub fn order_all(order: Order, args: &OneOrAllArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    if let Some(campaign) = &args.campaign {
        return one(order, &dated(campaign, around), &args.state, around).map(|()| Exit::Settled);
    }
    let campaigns = look(&args.state, around)?.map_or(Ok(Vec::new()), |disk| disk.campaigns())?;
    let meant = |campaign: &Campaign| if order == Order::Stop { campaign.running.is_some() } else { campaign.paused };
    let mut names: Vec<_> = campaigns.into_iter().filter(meant).map(|campaign| campaign.name).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        let state = if order == Order::Stop { "running" } else { "paused" };
        return print(&format!("no campaign is {state}\n")).map(|()| Exit::Settled);
    }
    names.iter().try_for_each(|name| one(order, name, &args.state, around)).map(|()| Exit::Settled)
}

fn one(order: Order, campaign: &str, state: &StateArgs, around: &Environment<'_>) -> Result<(), Failure> {
    let (mut disk, accounts) = open_for(state, campaign, around)?;
    let known = disk.campaigns()?;
    let was_paused = known.iter().any(|known| known.name == campaign && known.paused);
    let mut heard = false;
    for account in &accounts {
        heard |= match order {
            Order::Pause => disk.pause(account, campaign, true),
            Order::Resume => disk.pause(account, campaign, false),
            Order::Stop => disk.stop(account, campaign),
        }?;
    }
    let said = match (order, heard) {
        (Order::Pause, true) => format!("campaign {campaign} pauses: no more calls until dialer resume {campaign}"),
        (Order::Pause, false) => {
            format!("campaign {campaign} is paused until dialer resume {campaign}; no run of it is alive")
        }
        (Order::Resume, _) if !was_paused => format!("campaign {campaign} was not paused; nothing was changed"),
        (Order::Resume, true) => format!("campaign {campaign} goes on"),
        (Order::Resume, false) => {
            format!("the pause of campaign {campaign} is lifted; no run of it is alive, so start one")
        }
        (Order::Stop, true) => format!("campaign {campaign} stops: no more calls; those that are up are followed"),
        (Order::Stop, false) => format!("no run of campaign {campaign} is alive, so there is nothing to stop"),
    };
    print(&format!("{said}\n"))
}
