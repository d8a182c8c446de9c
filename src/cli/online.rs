//! `dialer check --online`: what the account says of what is to be called with. Reads only.

use std::time::Duration;

use super::account::{self, KEY_VARIABLE};
use super::args::AccountArgs;
use super::environment::Environment;
use super::runtime;
use super::usage::reader_for;
use crate::campaign::event::{News, Query, ReadId, ReadTrouble};
use crate::drive::clock::Clock;
use crate::drive::preflight::{FREE_LINE_A_DAY, again};
use crate::exit::Exit;
use crate::pool::news::RequestTiming;
use crate::pool::offset::Offset;
use crate::report::failure::Failure;
use crate::report::online::{AccountLook, LastHour, LineLook};
use crate::run::plan::Account;
use crate::time::Stamp;
use crate::vapi::client::Client;
use crate::vapi::preflight::{LineInfo, LineStatus, PreflightFailure, PreflightTrouble};

/// Rows of the listing that are read.
const ROWS: u16 = 1000;
/// How far a clock may be off before it is worth a word.
const OFF: Duration = Duration::from_mins(1);

/// Reads the account, and says what stands in the way, with what the process exits with because of it.
pub(super) fn look(args: &AccountArgs, around: &Environment<'_>) -> Result<(AccountLook, Exit), Failure> {
    let found = account::find(args, around)?;
    let mut look = AccountLook::default();
    for (what, cure) in found.missing {
        look.lacks(what, cure);
    }
    for warning in found.warnings {
        super::say(&format!("warning: {warning}"));
    }
    if !look.problems.is_empty() {
        return Ok((look, Exit::Usage));
    }
    let Account { base_url, key, target, lines } = found.account;
    let Some(key) = key else { return Ok((look, Exit::Usage)) };
    let client = reader_for(&base_url, key, target)?;
    let exit = runtime()?.block_on(read(&client, &lines, &mut look));
    look.ready = look.problems.is_empty();
    Ok((look, exit))
}

async fn read(client: &Client, lines: &[String], look: &mut AccountLook) -> Exit {
    let (clock, mut offset) = (Clock::real(), Offset::default());
    let mut exit = Exit::Settled;
    match again(&clock, async || client.target().await).await {
        Ok(target) => {
            hear(&mut offset, target.wire);
            look.organisation = target.org;
            let name = target.name.map(|name| format!(", {name}")).unwrap_or_default();
            look.target = Some(client.target_words() + &name);
            look.variables = target.variables;
        }
        Err(failure) => {
            exit = failed(&failure, look);
            if failure.trouble != PreflightTrouble::Missing {
                return exit;
            }
        }
    }
    for id in lines {
        match again(&clock, async || client.line(id).await).await {
            Ok(info) => {
                hear(&mut offset, info.wire);
                line(id, &info, look);
            }
            Err(failure) => {
                let status = if failure.trouble == PreflightTrouble::Missing { "missing" } else { "unknown" };
                look.lines.push(LineLook { id: id.clone(), number: None, status, free: false, daily_limit: None });
                exit = failed(&failure, look);
            }
        }
    }
    if look.lines.iter().any(|line| line.status == "blocked") {
        exit = Exit::Account;
    }
    let now = clock.now();
    let from = Stamp::from(now.wall) - Duration::from_hours(1);
    match client.read(ReadId(0), &Query::Updated { from, to: None, limit: ROWS }).await {
        Ok(News::Listed { wire, calls, full, unread, .. }) => {
            hear(&mut offset, wire);
            let up = calls.iter().filter(|call| call.end().is_none()).count();
            let marked = calls.iter().filter(|call| call.attempt.is_some()).count();
            look.last_hour = Some(LastHour { calls: calls.len(), more: full, up, marked });
            if let Some(unread) = unread {
                look.lacks(unread.to_string(), "a listing with such rows proves nobody absent: ask the provider");
                exit = Exit::Account;
            }
        }
        Ok(_) => {}
        Err(failure) => {
            let account = matches!(failure.kind, ReadTrouble::Key | ReadTrouble::Forbidden);
            exit = if account { Exit::Account } else { Exit::Machine };
            look.lacks(
                format!("the listing of calls cannot be read: {}", failure.message),
                "calls are followed, and inbound callers seen, through it: nobody can be called without",
            );
        }
    }
    let now = clock.now();
    if let Some((off, true)) = offset.off(now.at, Stamp::from(now.wall)).filter(|(off, _)| *off > OFF) {
        look.clock_off_s = Some(off.as_secs_f64());
        look.lacks("this machine's clock is wrong", "set it by the network (NTP): calling hours hang on it");
        exit = Exit::Machine;
    }
    exit
}

fn hear(offset: &mut Offset, wire: RequestTiming) {
    if let Some(date) = wire.date {
        offset.hear_date(date, wire.sent, wire.received);
    }
}

fn line(id: &str, info: &LineInfo, look: &mut AccountLook) {
    let status = match info.status {
        LineStatus::Active => "active",
        LineStatus::Activating => "activating",
        LineStatus::Blocked => "blocked",
        LineStatus::Unknown => "unknown",
    };
    let free = info.provider.as_deref() == Some("vapi");
    let daily_limit = free.then_some(FREE_LINE_A_DAY);
    let name = info.number.clone().unwrap_or_else(|| id.to_owned());
    match info.status {
        LineStatus::Blocked => {
            look.lacks(format!("line {name} is blocked"), "look it up in the dashboard, or leave it out");
        }
        LineStatus::Activating => look.lacks(format!("line {name} is being activated"), "wait a few minutes"),
        LineStatus::Active | LineStatus::Unknown => {}
    }
    look.lines.push(LineLook { id: id.to_owned(), number: info.number.clone(), status, free, daily_limit });
}

fn failed(failure: &PreflightFailure, look: &mut AccountLook) -> Exit {
    let (cure, exit) = match failure.trouble {
        PreflightTrouble::Key => (
            format!("{KEY_VARIABLE}, or the file of --api-key-file, must hold the organisation's private key"),
            Exit::Account,
        ),
        PreflightTrouble::Refused => ("look at the account in the dashboard".to_owned(), Exit::Account),
        PreflightTrouble::Missing => {
            ("look it up in the dashboard; an id belongs to one organisation and one region".to_owned(), Exit::Account)
        }
        PreflightTrouble::Unreachable => ("try again when the network is back".to_owned(), Exit::Machine),
        PreflightTrouble::Rate(_) | PreflightTrouble::Fault => ("try again later".to_owned(), Exit::Machine),
    };
    let what = if failure.trouble == PreflightTrouble::Key {
        format!("the account refused the key ({})", failure.message)
    } else {
        failure.to_string()
    };
    look.lacks(what, cure);
    exit
}
