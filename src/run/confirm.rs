//! Before a campaign calls anybody for the first time, whoever sits at a terminal is asked whether that is meant.

use crate::drive::clock::Clock;
use crate::drive::preflight::{self, Account as Read};
use crate::drive::signals::Signals;
use crate::exit::Exit;
use crate::journal::disk::story::CampaignOutlook;
use crate::report::failure::Failure;
use crate::report::style::{count, thousands};
use crate::run::plan::RunPlan;
use crate::vapi::client::Client;

/// Asks a person, and says whether they agree. It may wait for as long as they like.
pub type AskPerson = fn(&str) -> Result<bool, Failure>;

/// Reads the account, so that the question can name the phone number, and asks. A list that has to be read again first,
/// for variables that the assistant needs (`lacks`), is asked about then.
pub(super) async fn confirm(
    ask: AskPerson,
    planned: &RunPlan,
    outlook: &CampaignOutlook,
    (client, clock): (&Client, &Clock),
    read: Option<Read>,
    lacks: impl Fn(&Read) -> bool,
    signals: &mut Signals,
) -> Result<Read, Failure> {
    let asked = async {
        let read = match read {
            Some(read) => read,
            None => preflight::read(client, &planned.account.lines, clock).await?,
        };
        if lacks(&read) {
            return Ok(read);
        }
        let question = question(planned, outlook, &read);
        let agreed = tokio::task::spawn_blocking(move || ask(&question)).await;
        match agreed {
            Ok(Ok(true)) => Ok(read),
            Ok(Ok(false)) => Err(Failure::new(Exit::Later, "it was not agreed to, so nobody was called")),
            Ok(Err(failure)) => Err(failure),
            Err(died) => std::panic::resume_unwind(died.into_panic()),
        }
    };
    tokio::select! {
        biased;
        order = signals.next() => Err(Failure::new(order.exit_before_dialing(), "interrupted before anybody was called")),
        read = asked => read,
    }
}

/// `leads.csv is new here. Call 120 people from +1 415 555 0100?`
fn question(planned: &RunPlan, outlook: &CampaignOutlook, read: &Read) -> String {
    let whom = match (&planned.only, planned.plan.limit.filter(|limit| *limit < outlook.to_call)) {
        (Some(only), _) => only.phone.to_string(),
        (None, Some(limit)) => format!("up to {} of {} people", thousands(limit), thousands(outlook.to_call)),
        (None, None) => count(outlook.to_call, "person", "people"),
    };
    let lines = read.numbers();
    let from = match lines {
        [] => String::new(),
        [one] => format!(" from {one}"),
        [first, rest @ ..] => {
            format!(" from {first} and {}", count(rest.len() as u64, "other number", "other numbers"))
        }
    };
    format!("campaign {} has called nobody yet. Call {whom}{from}?", planned.plan.campaign)
}
