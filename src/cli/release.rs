//! `dialer release`: gives leads that were put aside back to the list. They may have been called, so it asks.

use std::io::{BufRead, IsTerminal, Read, Write};

use super::control::CampaignArgs;
use super::environment::Environment;
use super::journal::{NumberArgs, open_for};
use super::place::dated;
use super::print;
use crate::drive::clock::Clock;
use crate::exit::Exit;
use crate::leads::lead::Phone;
use crate::report::failure::Failure;
use crate::report::style::{count, thousands};

/// Numbers that are named before it asks.
const NAMED: usize = 5;
/// No answer is longer.
const LONGEST_ANSWER: u64 = 100;

/// `dialer release`.
#[derive(Clone, Debug, clap::Args)]
pub struct ReleaseArgs {
    /// Which campaign.
    #[command(flatten)]
    pub of: CampaignArgs,
    /// Only the lead with this number.
    #[command(flatten)]
    pub only: NumberArgs,
    /// Does not ask
    #[arg(long)]
    pub yes: bool,
}

/// Gives them back, after asking.
pub fn release(args: &ReleaseArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let campaign = &dated(&args.of.campaign, around);
    let only = if args.only.is_given() { Some(args.only.phone()?) } else { None };
    let (mut disk, accounts) = open_for(&args.of.state, campaign, around)?;
    let mut parked = Vec::new();
    for account in &accounts {
        parked.extend(disk.parked(account, campaign, only)?);
    }
    if parked.is_empty() {
        let whom = only.map_or_else(|| "no lead".to_owned(), |phone| format!("no lead with {phone}"));
        return print(&format!("{whom} of campaign {campaign} is put aside\n")).map(|()| Exit::Settled);
    }
    if !args.yes && !agreed(campaign, &parked)? {
        return print("nothing was changed\n").map(|()| Exit::Settled);
    }
    let mut released = 0;
    for account in &accounts {
        released += disk.release(account, campaign, only, Clock::real().now())?;
    }
    let leads = count(released, "lead is", "leads are");
    print(&format!("{leads} back on the list of campaign {campaign}\n")).map(|()| Exit::Settled)
}

fn agreed(campaign: &str, parked: &[Phone]) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!("{} would be called again", count(parked.len() as u64, "lead", "leads")))
            .advise("nobody is here to be asked; if that is meant, add --yes"));
    }
    ask(&question(campaign, parked))
}

/// Asks whoever sits at the terminal; everything but a yes is a no.
pub fn ask(question: &str) -> Result<bool, Failure> {
    // Not held while the answer is waited for: whoever else has something to say would wait for it, too.
    let mut err = std::io::stderr();
    let _ = write!(err, "{question} [y/N] ");
    let _ = err.flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().take(LONGEST_ANSWER).read_line(&mut answer);
    read.map_err(|error| Failure::machine(format!("cannot read the answer: {error}")))?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn question(campaign: &str, parked: &[Phone]) -> String {
    let mut named: Vec<_> = parked.iter().take(NAMED).map(ToString::to_string).collect();
    if parked.len() > NAMED {
        named.push(format!("and {} more", thousands((parked.len() - NAMED) as u64)));
    }
    format!(
        "of campaign {campaign}, {} put aside: {}\nnobody knows whether they were called; released, they are called again. Release?",
        count(parked.len() as u64, "lead is", "leads are"),
        named.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_says_who_and_what_it_means() {
        let parked: Vec<_> = (0..1007).filter_map(|last| Phone::from_digits(14_155_550_000 + last)).collect();
        insta::assert_snapshot!(question("leads", &parked), @r"
        of campaign leads, 1,007 leads are put aside: +14155550000, +14155550001, +14155550002, +14155550003, +14155550004, and 1,002 more
        nobody knows whether they were called; released, they are called again. Release?
        ");
        insta::assert_snapshot!(question("leads", &parked[..1]), @r"
        of campaign leads, 1 lead is put aside: +14155550000
        nobody knows whether they were called; released, they are called again. Release?
        ");
    }
}
