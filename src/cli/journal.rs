//! How commands get at the journal of a state directory, and how its errors are told.

use std::path::PathBuf;
use std::time::Duration;

use super::environment::Environment;
use super::layers::LIKELY;
use super::place::state_dir;
use crate::drive::chance::chance;
use crate::drive::talk::while_waiting;
use crate::journal::Error;
use crate::journal::disk::Disk;
use crate::journal::disk::accounts::Account;
use crate::leads::findings::Kind;
use crate::leads::lead::{Only, Phone};
use crate::leads::options::{Allow, Region};
use crate::leads::phone::{Found, Reading};
use crate::leads::shown::shown;
use crate::report::failure::Failure;

/// Where a command finds the journal.
#[expect(clippy::doc_markdown, reason = "these comments are what --help prints")]
#[derive(Clone, Debug, clap::Args)]
pub struct StateArgs {
    /// Where campaigns are remembered [env: DIALER_STATE]
    #[arg(long, value_name = "DIR|URL")]
    pub state: Option<PathBuf>,
}

/// Opens the journal only to look. None where there is none yet.
pub fn look(args: &StateArgs, around: &Environment<'_>) -> Result<Option<Disk>, Failure> {
    Ok(Disk::look(&state_dir(args.state.as_deref(), around)?)?)
}

/// Opens the journal, and makes it where there is none.
pub fn open(args: &StateArgs, around: &Environment<'_>) -> Result<Disk, Failure> {
    let waiting = while_waiting(false, || false);
    Ok(Disk::open_while(&state_dir(args.state.as_deref(), around)?, &mut chance(), Some(waiting), Duration::ZERO)?)
}

/// Opens the journal for an order to a campaign, and finds the accounts that have one of that name; there may be
/// several, since a state directory serves them all.
pub fn open_for(args: &StateArgs, campaign: &str, around: &Environment<'_>) -> Result<(Disk, Vec<Account>), Failure> {
    let nowhere = || no_campaign(campaign, &[]);
    // An order to a campaign that there is not must not leave an empty journal behind.
    look(args, around)?.ok_or_else(nowhere)?;
    let disk = open(args, around)?;
    let campaigns = disk.campaigns()?;
    let names: Vec<_> = campaigns.iter().map(|known| known.name.clone()).collect();
    let accounts: Vec<_> =
        campaigns.into_iter().filter(|known| known.name == campaign).map(|known| known.account).collect();
    if accounts.is_empty() { Err(no_campaign(campaign, &names)) } else { Ok((disk, accounts)) }
}

/// There is no campaign of that name; one of these may have been meant.
pub fn no_campaign(name: &str, known: &[String]) -> Failure {
    let failure = Failure::from(Error::NoCampaign(name.to_owned()));
    let near = known.iter().map(|known| (strsim::jaro_winkler(known, name), known));
    match near.filter(|(near, _)| *near > LIKELY).max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, known)) => failure.advise(format!("did you mean {known}?")),
        None => failure,
    }
}

/// One person's number, as the command line has it.
#[derive(Clone, Debug, clap::Args)]
pub struct NumberArgs {
    /// The number, as in +1 415 555 0100
    #[arg(value_name = "PHONE")]
    number: Option<String>,
    /// The country of a number without a country code, as in US
    #[arg(long, value_name = "CC")]
    region: Option<Region>,
}

impl NumberArgs {
    /// Whether there is a number.
    pub fn is_given(&self) -> bool {
        self.number.is_some()
    }

    /// The number, read as one of a list would be.
    pub fn phone(&self) -> Result<Phone, Failure> {
        let number = self
            .number
            .as_deref()
            .ok_or_else(|| Failure::usage("no number was given").advise("say whose, as in +14155550100"))?;
        read_phone(number, self.region).map_err(|problem| Failure::usage(format!("{}: {problem}", shown(number))))
    }
}

/// A number as people type one, with its country code.
pub fn phone(text: &str) -> Result<Phone, String> {
    read_phone(text, None)
}

/// Whatever a list could have been called with, extensions apart: kinds of numbers that have to be allowed there, too.
fn read_phone(text: &str, region: Option<Region>) -> Result<Phone, String> {
    read_found(text, region).map(|found| found.phone)
}

/// A lead as people name one: its number, and its extension where they say it.
pub fn only(text: &str, region: Option<Region>) -> Result<Only, String> {
    read_found(text, region).map(|found| Only { phone: found.phone, extension: found.extension })
}

fn read_found(text: &str, region: Option<Region>) -> Result<Found, String> {
    let allow = [Allow::Premium, Allow::SharedCost, Allow::Possible];
    let found = Reading { region, allow: &allow }.read(text).map_err(|reason| match reason.kind {
        Kind::NoCountry | Kind::NoPlus => {
            "a number without its country code; write it like +14155550100, or add --region CC".to_owned()
        }
        kind => format!("{}: {}", kind.label(), kind.hint()),
    })?;
    match found.note.as_ref().filter(|(kind, _)| *kind == Kind::SecondNumber) {
        Some(_) => Err("more than one number".to_owned()),
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_as_people_type_them() {
        for text in ["+14155550100", "+1 (415) 555-0100", "+1.415.555/0100"] {
            assert_eq!(phone(text).unwrap().to_string(), "+14155550100", "{text}");
        }
        for text in ["tel:+1-415-555-0100", " +1 415 555 0100 ", "001 415 555 0100", "+14155550100 ext. 12"] {
            assert_eq!(phone(text).unwrap().to_string(), "+14155550100", "{text}");
        }
        for text in [
            "4155550100",
            "",
            "+",
            "+1",
            "+1415555O100",
            "14155550100",
            "+1 123 123 12321",
            "+14155550100; +14155550101",
        ] {
            assert!(phone(text).is_err(), "{text}");
        }
        let us = "US".parse().ok();
        assert_eq!(read_phone("(415) 555-0100", us).unwrap().to_string(), "+14155550100");
        assert_eq!(read_phone("+44 20 7946 0958", us).unwrap().to_string(), "+442079460958");
    }
}
