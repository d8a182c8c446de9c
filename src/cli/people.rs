//! `dialer suppress` and `dialer forget`: who is never to be called again, and who is to be erased besides.

use std::io::IsTerminal;

use super::environment::Environment;
use super::journal::{StateArgs, failed, open, phone};
use super::print;
use super::release::ask;
use crate::drive::clock::Clock;
use crate::exit::Exit;
use crate::leads::lead::Phone;
use crate::report::failure::Failure;
use crate::report::style::count;

/// No reason is longer, in characters.
const LONGEST_REASON: usize = 500;

/// `dialer suppress`.
#[derive(Clone, Debug, clap::Args)]
pub struct SuppressArgs {
    /// The number, with its country code
    #[arg(value_name = "PHONE", value_parser = phone)]
    pub phone: Phone,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT", default_value = "by hand", value_parser = reason)]
    pub reason: String,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// `dialer forget`.
#[derive(Clone, Debug, clap::Args)]
pub struct ForgetArgs {
    /// The number, with its country code
    #[arg(value_name = "PHONE", value_parser = phone)]
    pub phone: Phone,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Puts a number on the state directory's own do-not-call list, which every campaign honours.
pub fn suppress(args: &SuppressArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let mut disk = open(&args.state, around)?;
    let new = disk.suppress(args.phone, &args.reason, Clock::real().now()).map_err(failed)?;
    let phone = args.phone;
    let said = if new {
        format!("{phone} is not called any more by any campaign here")
    } else {
        format!("{phone} was on the do-not-call list already")
    };
    print(&format!("{said}\n")).map(|()| Exit::Settled)
}

/// Erases a person from the journal, but for a keyed hash that keeps them from being called.
pub fn forget(args: &ForgetArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let mut disk = open(&args.state, around)?;
    // A script that forgets whom it is asked to forget has nobody to ask.
    if std::io::stdin().is_terminal() && !ask(&question(args.phone))? {
        return print("nothing was changed\n").map(|()| Exit::Settled);
    }
    let forgotten = disk.forget(args.phone, Clock::real().now()).map_err(failed)?;
    let leads = count(forgotten.leads, "row", "rows");
    let attempts = count(forgotten.attempts, "attempt", "attempts");
    print(&format!(
        "erased: {leads} of lists, the number in {attempts}; a keyed hash stays, so that they are never called again\n\
         their calls are still in the provider's records, and they are still in your own files\n"
    ))
    .map(|()| Exit::Settled)
}

fn question(phone: Phone) -> String {
    format!(
        "{phone} would be erased from every campaign here, and never be called again; this cannot be undone. Erase?"
    )
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty".into());
    }
    if text.chars().count() > LONGEST_REASON || text.chars().any(char::is_control) {
        return Err(format!("must be one line of at most {LONGEST_REASON} characters"));
    }
    Ok(text.to_owned())
}
