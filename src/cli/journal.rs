//! How commands get at the journal of a state directory, and how its errors are told.

use std::path::PathBuf;

use super::environment::Environment;
use super::layers::LIKELY;
use super::place::state_dir;
use crate::drive::chance::chance;
use crate::journal::Error;
use crate::journal::disk::Disk;
use crate::journal::disk::accounts::Account;
use crate::leads::lead::Phone;
use crate::report::failure::Failure;

/// Where a command finds the journal.
#[derive(Clone, Debug, clap::Args)]
pub struct StateArgs {
    /// Where campaigns are remembered [env: DIALER_STATE]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// Opens the journal only to look. None where there is none yet.
pub fn look(args: &StateArgs, around: &Environment<'_>) -> Result<Option<Disk>, Failure> {
    Disk::look(&state_dir(args.state.as_deref(), around)?).map_err(failed)
}

/// Opens the journal, and makes it where there is none.
pub fn open(args: &StateArgs, around: &Environment<'_>) -> Result<Disk, Failure> {
    Disk::open(&state_dir(args.state.as_deref(), around)?, &mut chance()).map_err(failed)
}

/// Opens the journal for an order to a campaign, and finds the accounts that have one of that name; there may be
/// several, since a state directory serves them all.
pub fn open_for(args: &StateArgs, campaign: &str, around: &Environment<'_>) -> Result<(Disk, Vec<Account>), Failure> {
    let nowhere = || no_campaign(campaign, &[]);
    // An order to a campaign that there is not must not leave an empty journal behind.
    look(args, around)?.ok_or_else(nowhere)?;
    let disk = open(args, around)?;
    let campaigns = disk.campaigns().map_err(failed)?;
    let names: Vec<_> = campaigns.iter().map(|known| known.name.clone()).collect();
    let accounts: Vec<_> =
        campaigns.into_iter().filter(|known| known.name == campaign).map(|known| known.account).collect();
    if accounts.is_empty() { Err(no_campaign(campaign, &names)) } else { Ok((disk, accounts)) }
}

/// There is no campaign of that name; one of these may have been meant.
pub fn no_campaign(name: &str, known: &[String]) -> Failure {
    let failure = failed(Error::NoCampaign(name.to_owned()));
    let near = known.iter().map(|known| (strsim::jaro_winkler(known, name), known));
    match near.filter(|(near, _)| *near > LIKELY).max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, known)) => failure.advise(format!("did you mean {known}?")),
        None => failure,
    }
}

/// A number as people type one: `+` and digits, whatever stands between them.
pub fn phone(text: &str) -> Result<Phone, String> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && !"-.()/\u{a0}".contains(*c)).collect();
    Phone::from_e164(&plain).ok_or_else(|| "not a number with its country code, as in +14155550100".to_owned())
}

/// What went wrong with the journal, for people.
pub fn failed(error: Error) -> Failure {
    error.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_as_people_type_them() {
        for text in ["+14155550100", "+1 (415) 555-0100", "+1.415.555/0100"] {
            assert_eq!(phone(text).unwrap().to_string(), "+14155550100", "{text}");
        }
        for text in ["4155550100", "", "+", "+1", "+1415555O100", "14155550100"] {
            assert!(phone(text).is_err(), "{text}");
        }
    }
}
