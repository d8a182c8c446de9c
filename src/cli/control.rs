//! `dialer pause`, `resume` and `stop`: orders to a campaign, from another shell. Its run hears of them within a poll.

use std::time::Duration;

use super::environment::Environment;
use super::journal::{StateArgs, look, open_for};
use super::names::completer;
use super::place::dated;
use super::print;
use crate::exit::Exit;
use crate::journal::disk::Disk;
use crate::journal::disk::story::Campaign;
use crate::report::failure::Failure;
use crate::report::live_status::LiveStatus;
use crate::report::style::{count, second, span};

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

/// How long a run is waited for to confirm an order: it listens ten times a second.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(5);

/// Gives the order to one campaign.
pub fn order(order: Order, args: &CampaignArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    give(order, &[dated(&args.campaign, around)], &args.state, around)
}

/// Gives the order to one campaign, or to all that it can mean something to.
pub fn order_all(order: Order, args: &OneOrAllArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    if let Some(campaign) = &args.campaign {
        return give(order, &[dated(campaign, around)], &args.state, around);
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
    give(order, &names, &args.state, around)
}

/// Gives the order to all of them, and then says of each what its run confirms.
fn give(order: Order, campaigns: &[String], state: &StateArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let given = campaigns.iter().map(|campaign| Given::give(order, campaign, state, around));
    let given: Vec<_> = given.collect::<Result<_, Failure>>()?;
    for given in given {
        print(&format!("{}\n", given.outcome(around)?))?;
    }
    Ok(Exit::Settled)
}

/// An order that a campaign was given.
struct Given<'a> {
    order: Order,
    campaign: &'a str,
    disk: Disk,
    was_paused: bool,
    /// A run is alive to hear it.
    heard: bool,
}

impl<'a> Given<'a> {
    fn give(order: Order, campaign: &'a str, state: &StateArgs, around: &Environment<'_>) -> Result<Self, Failure> {
        let (mut disk, accounts) = open_for(state, campaign, around)?;
        let was_paused = disk.campaigns()?.iter().any(|known| known.name == campaign && known.paused);
        let mut heard = false;
        for account in &accounts {
            heard |= match order {
                Order::Pause => disk.pause(account, campaign, true),
                Order::Resume => disk.pause(account, campaign, false),
                Order::Stop => disk.stop(account, campaign),
            }?;
        }
        Ok(Self { order, campaign, disk, was_paused, heard })
    }

    /// What came of it, in words.
    fn outcome(&self, around: &Environment<'_>) -> Result<String, Failure> {
        let campaign = self.campaign;
        Ok(match (self.order, self.heard) {
            (Order::Resume, _) if !self.was_paused => {
                format!("campaign {campaign} was not paused; nothing was changed")
            }
            (_, true) => self.confirmed(around)?,
            (Order::Pause, false) => {
                format!("campaign {campaign} is paused until dialer resume {campaign}; no run of it is alive")
            }
            (Order::Resume, false) => {
                format!("the pause of campaign {campaign} is lifted; no run of it is alive, so start one")
            }
            (Order::Stop, false) => format!("no run of campaign {campaign} is alive, so there is nothing to stop"),
        })
    }

    /// Waits until the run says that it has taken the order, and tells that, or since when it is silent.
    fn confirmed(&self, around: &Environment<'_>) -> Result<String, Failure> {
        let campaign = self.campaign;
        let ours =
            |all: &[Campaign]| all.iter().find(|known| known.name == campaign && known.running.is_some()).cloned();
        let taken = |run: &Campaign| run.live_status().is_some_and(|live| has_taken(self.order, &live));
        let (all, confirmed) =
            self.disk.campaigns_once(CONFIRMED_WITHIN, |all| ours(all).is_none_or(|run| taken(&run)))?;
        let Some(run) = ours(&all) else {
            return Ok(format!("the run of campaign {campaign} has ended"));
        };
        if confirmed {
            let up = run.live_status().and_then(|live| live.pool).map_or(0, |pool| pool.ours);
            return Ok(taken_words(self.order, campaign, up));
        }
        let process = run.running.map(|run| run.process()).unwrap_or_default();
        let silent = run.published.map_or_else(
            || "it is still starting".to_owned(),
            |told| format!("it was last heard of at {}", second(told.at, &around.zone)),
        );
        Ok(format!(
            "campaign {campaign}: the order is written down, but {process} has not confirmed it within {}: {silent}",
            span(CONFIRMED_WITHIN)
        ))
    }
}

fn has_taken(order: Order, live: &LiveStatus) -> bool {
    match order {
        Order::Pause => live.paused,
        Order::Resume => !live.paused,
        Order::Stop => live.stopping,
    }
}

fn taken_words(order: Order, campaign: &str, up: u32) -> String {
    let followed = match up {
        0 => "no call is up".to_owned(),
        up => count(up.into(), "call that is up is followed", "calls that are up are followed"),
    };
    match order {
        Order::Pause => format!("campaign {campaign} pauses: no more calls until dialer resume {campaign}; {followed}"),
        Order::Resume => format!("campaign {campaign} goes on"),
        Order::Stop => format!("campaign {campaign} stops: no more calls; {followed}"),
    }
}
