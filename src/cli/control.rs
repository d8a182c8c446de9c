//! `dialer pause`, `resume` and `stop`: orders to a campaign, from another shell. Its run hears of them within a poll.

use super::environment::Environment;
use super::journal::{StateArgs, failed, open_for};
use super::print;
use crate::exit::Exit;
use crate::report::failure::Failure;

/// To which campaign.
#[derive(Clone, Debug, clap::Args)]
pub struct CampaignArgs {
    /// The campaign's name
    #[arg(value_name = "CAMPAIGN")]
    pub campaign: String,
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
    let (mut disk, accounts) = open_for(&args.state, &args.campaign, around)?;
    let mut heard = false;
    for account in &accounts {
        heard |= match order {
            Order::Pause => disk.pause(account, &args.campaign, true),
            Order::Resume => disk.pause(account, &args.campaign, false),
            Order::Stop => disk.stop(account, &args.campaign),
        }
        .map_err(failed)?;
    }
    let campaign = &args.campaign;
    let said = match (order, heard) {
        (Order::Pause, true) => format!("campaign {campaign} pauses: no more calls until dialer resume {campaign}"),
        (Order::Pause, false) => format!("campaign {campaign} is paused; no run of it is alive, and the pause is kept"),
        (Order::Resume, true) => format!("campaign {campaign} goes on"),
        (Order::Resume, false) => {
            format!("the pause of campaign {campaign} is lifted; no run of it is alive, so start one")
        }
        (Order::Stop, true) => format!("campaign {campaign} stops: no more calls; those that are up are followed"),
        (Order::Stop, false) => format!("no run of campaign {campaign} is alive, so there is nothing to stop"),
    };
    print(&format!("{said}\n")).map(|()| Exit::Settled)
}
