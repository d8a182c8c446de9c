//! A run, from its plan to its end: calls the list, or goes on calling it. The order of things is the order of this
//! file, then of `session`, then of `ending`: what could be wrong is found out before anybody is called. It knows nothing
//! of a command line.

pub mod check;
pub mod confirm;
mod do_not_call;
pub mod ended;
mod ending;
mod forecast;
pub mod known;
mod lists;
pub mod only;
pub mod past;
pub mod plan;
mod published;
pub mod served;
mod session;
mod spool;
mod target;
mod told;

use crate::campaign::DEFAULT_SLOTS;
use crate::campaign::plan::Plan;
use crate::drive::chance::chance;
use crate::drive::notify::Notifier;
use crate::drive::preflight::{self, Account as Read};
use crate::drive::progress::DisplayOptions;
use crate::drive::signals::Signals;
use crate::drive::talk::while_waiting;
use crate::drive::webhook;
use crate::exit::Exit;
use crate::journal::Error;
use crate::journal::disk::Disk;
use crate::journal::disk::accounts::Account;
use crate::report::failure::Failure;
use crate::vapi::client::Client;
use confirm::AskPerson;
use do_not_call::DoNotCall;
use ended::Ended;
use lists::{Lists, interrupted};
use plan::RunPlan;
use served::Served;
use session::{Ran, Session};
use target::RunTarget;

/// Runs the plan. `ask`: how to ask a person before a campaign's first call; none where nobody is to be asked.
pub async fn run(
    planned: &RunPlan,
    display: &DisplayOptions,
    notifier: &Notifier,
    ask: Option<AskPerson>,
) -> Result<Ended, Failure> {
    let mut signals =
        Signals::listen().map_err(|error| Failure::machine(format!("cannot listen to signals: {error}")))?;
    let venue = RunTarget::open(planned).await?;
    let client = venue.client(planned)?;
    let mut messages = planned.webhook.as_ref().map_or_else(|| Ok(webhook::none()), webhook::listen)?;
    let pending = signals.pending();
    let waiting = while_waiting(display.quiet, move || pending.is_set());
    let disk = Disk::open_while(&venue.journal, &mut chance(), Some(waiting), planned.journal_patience);
    let mut disk = disk.map_err(|error| unless_interrupted(error, &mut signals))?;
    disk.synchronize(&|| venue.clock.now().at)?;
    let (place, key) = venue.credentials();
    let known = disk.account_of_key(place, key)?;
    if let Some(account) = &known {
        held_by_nobody(&disk, account, &venue, planned)?;
    }
    let served = Served::start(planned, &venue.clock)?;
    let lists = Lists::open(planned, &venue.dir, display.zone.clone(), &mut signals).await?;
    let looked = match &known {
        Some(account) => lists.with_known(&disk, account)?.look(&mut signals),
        None => lists.look(&mut signals),
    };
    let dnc = match looked {
        Ok(()) => DoNotCall::open(planned, &mut signals).await,
        Err(failure) => Err(failure),
    };
    let dnc = dnc.map_err(|failure| match failure.exit {
        Exit::Usage => check::with_unreadable(failure, &planned.inputs, &planned.list, &planned.dnc),
        _ => failure,
    })?;
    let (account, mut read) = if let Some(known) = known {
        (known, None)
    } else {
        let (account, read) = account(&mut disk, &venue, &client, planned, &mut signals).await?;
        (account, Some(read))
    };
    let mut is_again = false;
    let ended = loop {
        let (venue, client, account, lists, dnc, served) = (&venue, &client, &account, &lists, &dnc, served.as_ref());
        let session = Session { planned, venue, client, account, lists, dnc, display, notifier, ask, served, is_again };
        match Box::pin(session.run(disk, read.take(), &mut signals, &mut messages)).await {
            Ok(Ran::Ended(ended)) => break Ok(*ended),
            // The assistant's prompt needs variables that nobody asked the list for: it is read again, with them.
            Ok(Ran::Again(reopened, account_read)) => {
                (disk, read, is_again) = (*reopened, Some(account_read), true);
            }
            Err(failure) => break Err(failure),
        }
    };
    served.into_iter().for_each(Served::finish);
    ended
}

/// Another run that has the campaign weighs more than whatever is wrong with the list, which is not even read then.
fn held_by_nobody(disk: &Disk, account: &Account, venue: &RunTarget, planned: &RunPlan) -> Result<(), Failure> {
    let now = venue.clock.now();
    if planned.standby {
        return Ok(());
    }
    match disk.held_by(account, &planned.plan.campaign, std::process::id(), now) {
        Ok(Some(held)) => Err(held.into()),
        // It is taken once the list is known to be one.
        Ok(None) | Err(_) => Ok(()),
    }
}

/// The account that the key belongs to, as the provider says.
async fn account(
    disk: &mut Disk,
    venue: &RunTarget,
    client: &Client,
    planned: &RunPlan,
    signals: &mut Signals,
) -> Result<(Account, Read), Failure> {
    let (place, key) = venue.credentials();
    let read = tokio::select! {
        biased;
        order = signals.next() => return Err(Failure::new(order.exit_before_dialing(), "interrupted before anybody was called")),
        read = preflight::read(client, &planned.account.lines, &venue.clock) => read,
    };
    // A plan that cannot be carried out weighs more than a network that is down.
    let read = read.or_else(|failure| match failure.exit {
        Exit::Machine => reserve_fits(&planned.plan, None).and(Err(failure)),
        _ => Err(failure),
    })?;
    let name = venue.account_name(read.org.as_deref());
    let account = disk.remember_account(&name, place, key)?;
    disk.remember_variables(&account, planned.account.target.id(), &read.variables)?;
    Ok((account, read))
}

/// What a journal that cannot be had means, unless a signal ended the wait for whoever holds it.
fn unless_interrupted(error: Error, signals: &mut Signals) -> Failure {
    match error {
        Error::Busy { .. } | Error::Away { .. } if signals.pending().is_set() => interrupted(signals),
        error => error.into(),
    }
}

/// A reserve that leaves no slot of the limit that is known is told before anybody is called.
pub fn reserve_fits(campaign: &Plan, last: Option<u32>) -> Result<(), Failure> {
    let slots = campaign.slots.or(last).unwrap_or(DEFAULT_SLOTS);
    plan::reserve_fits(&campaign.reserve, campaign.caution, slots)
}
