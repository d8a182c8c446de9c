//! `dialer suppress`, `unsuppress` and `forget`: who is never to be called again, and who is to be erased besides.

use std::io::IsTerminal;

use jiff::Timestamp;

use super::environment::Environment;
use super::journal::{NumberArgs, StateArgs, look, open};
use super::place::files;
use super::print;
use super::release::ask;
use crate::drive::clock::Clock;
use crate::exit::Exit;
use crate::journal::disk::open::url;
use crate::leads::erasing::erase;
use crate::leads::lead::Phone;
use crate::leads::shown::file;
use crate::report::failure::Failure;
use crate::report::style::count;

/// No reason is longer, in characters.
const LONGEST_REASON: usize = 500;

/// `dialer suppress`.
#[derive(Clone, Debug, clap::Args)]
pub struct SuppressArgs {
    /// Whom.
    #[command(flatten)]
    pub phone: NumberArgs,
    /// Shows the do-not-call list of the state directory instead
    #[arg(long, conflicts_with = "number")]
    pub list: bool,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT", default_value = "by hand", value_parser = reason)]
    pub reason: String,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// `dialer forget` and `dialer unsuppress`.
#[derive(Clone, Debug, clap::Args)]
pub struct PhoneArgs {
    /// Whom.
    #[command(flatten)]
    pub phone: NumberArgs,
    /// Does not ask
    #[arg(long)]
    pub yes: bool,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Puts a number on the state directory's own do-not-call list, which every campaign honours.
pub fn suppress(args: &SuppressArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    if args.list {
        return list(&args.state, around);
    }
    let phone = args.phone.phone()?;
    let mut disk = open(&args.state, around)?;
    let new = disk.suppress(phone, &args.reason, Clock::real().now())?;
    let said = if new {
        format!("{phone} is not called any more by any campaign here")
    } else {
        format!("{phone} was on the do-not-call list already")
    };
    print(&format!("{said}\n")).map(|()| Exit::Settled)
}

/// Shows the list: a line for each number, with why and since when.
fn list(state: &StateArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let numbers = look(state, around)?.map_or(Ok(Vec::new()), |disk| disk.suppressed_numbers())?;
    let line = |(phone, reason, at): &(Option<Phone>, String, Timestamp)| {
        let phone = phone.map_or_else(|| "(erased)".to_owned(), |phone| phone.to_string());
        format!("{phone}\t{}\t{reason}\n", at.to_zoned(around.zone.clone()).strftime("%Y-%m-%d %H:%M %Z"))
    };
    print(&numbers.iter().map(line).collect::<String>()).map(|()| Exit::Settled)
}

/// Takes a number off the list, after asking.
pub fn unsuppress(args: &PhoneArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let phone = args.phone.phone()?;
    let reason = look(&args.state, around)?.map_or(Ok(None), |disk| disk.suppressed(phone))?;
    let Some((reason, _)) = reason else {
        return print(&format!("{phone} is not on the do-not-call list here; nothing was changed\n"))
            .map(|()| Exit::Settled);
    };
    let question = format!("{phone} is on the do-not-call list ({reason}). May campaigns call it again?");
    if !agreed(args.yes, &question, &format!("{phone} would be called again"))? {
        return print("nothing was changed\n").map(|()| Exit::Settled);
    }
    if !open(&args.state, around)?.unsuppress(phone)? {
        return Err(Failure::usage(format!("{phone} was erased with dialer forget, and stays on the list")));
    }
    print(&format!("{phone} may be called again; a run that is started from now on takes that in\n"))
        .map(|()| Exit::Settled)
}

/// Whether a person agrees: said with `--yes`, else asked; without a terminal there is nobody to ask.
fn agreed(yes: bool, question: &str, what: &str) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(what).advise("nobody is here to be asked; if that is meant, add --yes"));
    }
    ask(question)
}

/// Erases a person from the journal, but for a keyed hash that keeps them from being called.
pub fn forget(args: &PhoneArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let phone = args.phone.phone()?;
    let what = format!("{phone} would be erased, which cannot be undone");
    if !agreed(args.yes, &question(phone), &what)? {
        return print("nothing was changed\n").map(|()| Exit::Settled);
    }
    let mut disk = open(&args.state, around)?;
    let forgotten = disk.forget(phone, Clock::real().now())?;
    let leads = count(forgotten.leads, "row", "rows");
    let attempts = count(forgotten.attempts, "attempt", "attempts");
    let is_shared = url(disk.dir()).is_some();
    let dir = if is_shared { files(around) } else { disk.dir().to_owned() };
    // On this machine there may be no files of a journal that is in a database.
    let erased = if is_shared && !dir.exists() { Ok(0) } else { erase(&dir, phone) };
    let rejects = erased.map_err(|error| {
        Failure::machine(format!("{phone} may still stand in a rejects file in {}: {error}", file(&dir)))
            .advise("erased from the tables of the journal; remove the rejects files, or run the same command again")
    })?;
    if forgotten.in_log {
        return Err(Failure::machine(format!(
            "{phone} is not wholly erased: the text still stands in the journal's log, until the other process that \
             reads the journal ends"
        ))
        .advise("they are not called again; run the same command again when that process has ended"));
    }
    let rejects = if rejects > 0 {
        format!("taken out of {} in {}\n", count(rejects, "rejects file", "rejects files"), file(&dir))
    } else {
        String::new()
    };
    let elsewhere = if is_shared { "rejects files on other machines are not looked into\n" } else { "" };
    print(&format!(
        "erased: {leads} of lists, the number in {attempts}; a keyed hash stays, so that they are never called again\n\
         their calls are still in the provider's records, and they are still in your own files\n{rejects}{elsewhere}"
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
