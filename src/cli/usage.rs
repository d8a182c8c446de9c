//! `dialer usage`: what the account used, over time. Reads only.
#![expect(clippy::doc_markdown, reason = "these comments are what --help prints")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use secrecy::SecretString;

use super::account::{KEY_VARIABLE, base_url, key};
use super::display::stdout_width;
use super::environment::Environment;
use super::journal::{StateArgs, look};
use super::{print, runtime, values};
use crate::campaign::event::{News, Query as Listing, ReadId};
use crate::drive::clock::Clock;
use crate::drive::past::{asked, unit};
use crate::drive::talk::say;
use crate::exit::Exit;
use crate::leads::options::Zone;
use crate::leads::shown::file;
use crate::report::failure::Failure;
use crate::report::style::Glyphs;
use crate::report::usage::{Came, MOST_STEPS, Range, Usage};
use crate::time::{Instant, Stamp};
use crate::vapi::analytics::{Query, Step};
use crate::vapi::client::{Client, ClientOptions};
use crate::vapi::request::Target;

/// How far back is looked where nobody says.
const USUAL_DAYS: i64 = 30;
/// No range longer than this is asked for hour by hour besides its own steps.
const HOURLY_DAYS: i64 = 92;

/// `dialer usage`.
#[derive(Clone, Debug, clap::Args)]
pub struct UsageArgs {
    /// From when on: a date, an instant, or -30d [default: -30d]
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Up to when: a date (that day is left out), an instant, or -1d [default: now]
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// By hour, day or week
    #[arg(long, value_enum, default_value = "day")]
    pub step: Step,
    /// Whose hours and days, as in Europe/Lisbon [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<Zone>,
    /// The pool's limit [default: the last known]
    #[arg(long, value_name = "N", value_parser = values::some_slots)]
    pub slots: Option<u32>,
    /// The key of another organisation on the subscription, whose minutes count too; repeatable
    #[arg(long, value_name = "FILE")]
    pub watch_key_file: Vec<PathBuf>,
    /// As one object on stdout
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// As a table with commas on stdout
    #[arg(long)]
    pub csv: bool,
    /// A file with the private key, where VAPI_API_KEY does not hold it
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Where the API is; http:// only on this machine [env: VAPI_BASE_URL]
    #[arg(long, value_name = "URL", default_value = "https://api.vapi.ai")]
    pub base_url: String,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Shows what was used.
pub fn usage(args: &UsageArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let range = range(args, around)?;
    let limit = match args.slots {
        Some(slots) => Some(slots),
        None => last_limit(&args.state, around)?,
    };
    let base = base_url(&args.base_url)?;
    let first = reader(&base, key(args.api_key_file.as_deref(), around, &mut Vec::new())?.ok_or_else(no_key)?)?;
    let others = args
        .watch_key_file
        .iter()
        .map(|path| Ok((path.as_path(), reader(&base, super::account::key_from(path, "--watch-key-file")?)?)));
    let others = others.collect::<Result<Vec<_>, Failure>>()?;
    let came = runtime()?.block_on(read(&first, &others, &range))?;
    let usage = Usage::new(range, limit, &came);
    print(&if args.json {
        usage.json()
    } else if args.csv {
        usage.csv()
    } else {
        let width = stdout_width();
        usage.text(width, Glyphs::of_locale(|name| around.var(name)) == Glyphs::UNICODE)
    })
    .map(|()| Exit::Settled)
}

pub(super) fn no_key() -> Failure {
    Failure::usage("no key")
        .advise(format!("set {KEY_VARIABLE} to the organisation's private key, or name a file:   --api-key-file FILE"))
}

/// A pool that no journal knows yet has no limit that could be told; a state directory is not asked for.
pub(super) fn last_limit(state: &StateArgs, around: &Environment<'_>) -> Result<Option<u32>, Failure> {
    if super::place::known_state_dir(state.state.as_deref(), around)?.is_none() {
        return Ok(None);
    }
    Ok(look(state, around)?.map_or(Ok(None), |disk| disk.last_limit())?)
}

/// A client that only reads.
pub(super) fn reader(base_url: &str, key: SecretString) -> Result<Client, Failure> {
    // Nobody is called.
    reader_for(base_url, key, Target::Assistant(String::new()))
}

/// The same, for somebody who may talk later.
pub(super) fn reader_for(base_url: &str, key: SecretString, target: Target) -> Result<Client, Failure> {
    let clock = Clock::real();
    let options = ClientOptions {
        base_url: base_url.to_owned(),
        key,
        target,
        lines: Vec::new(),
        post_timeout: Duration::from_secs(30),
        silence: Duration::from_secs(30),
        opt_out_field: None,
        server: None,
        clock: Arc::new(move || clock.now().at),
        scale: 1.0,
        stale_before: Arc::new(|_| Instant::from_micros(i64::MIN)),
    };
    Client::new(options).map_err(|error| Failure::usage(error.to_string()))
}

fn range(args: &UsageArgs, around: &Environment<'_>) -> Result<Range, Failure> {
    let zone = match &args.zone {
        Some(zone) => TimeZone::get(zone.as_str()).map_err(|error| Failure::usage(format!("--zone: {error}")))?,
        None => TimeZone::UTC,
    };
    let step = args.step;
    let whole = Range { from: around.now, to: around.now, step, zone };
    let usual = format!("-{USUAL_DAYS}d");
    let from = instant(args.from.as_deref().unwrap_or(&usual), "--from", &whole)?;
    let now = around.now.round(jiff::Unit::Second).unwrap_or(around.now);
    let to = args.to.as_deref().map_or(Ok(now), |to| instant(to, "--to", &whole))?;
    if to <= from {
        return Err(Failure::usage(format!("--to ({to}) is not after --from ({from})")));
    }
    let range = Range { from, to, ..whole };
    if range.steps().len() >= MOST_STEPS {
        let what = format!("from {from} to {to} are {MOST_STEPS} steps of a {} and more", step.name());
        return Err(Failure::usage(what).advise("take a longer --step, or a shorter range"));
    }
    Ok(range)
}

/// A date, an instant, or a time before now; the latter from the beginning of its step.
fn instant(text: &str, flag: &str, range: &Range) -> Result<Timestamp, Failure> {
    let wrong =
        || Failure::usage(format!("{flag}: {text:?} is no time; write it as 2026-11-01, 2026-11-01T09:00:00Z or -30d"));
    if let Some(ago) = text.trim().strip_prefix('-') {
        let ago = values::span(ago).map_err(|why| Failure::usage(format!("{flag}: {text:?} is {why}")))?;
        return Ok(range.floor(range.to.checked_sub(ago).map_err(|_| wrong())?));
    }
    if let Ok(at) = text.trim().parse::<Timestamp>() {
        return Ok(at);
    }
    // A time without an offset is the zone's.
    let zone = range.zone.clone();
    let zoned = if text.trim().contains(['T', 't', ' ', ':']) {
        text.trim().parse::<DateTime>().and_then(|at| at.to_zoned(zone))
    } else {
        text.trim().parse::<Date>().and_then(|day| day.to_zoned(zone))
    };
    zoned.map(|at| at.timestamp()).map_err(|_| wrong())
}

/// Reads peaks of the first key's pool, and calls of every key's organisation.
async fn read(first: &Client, others: &[(&Path, Client)], range: &Range) -> Result<Came, Failure> {
    // Weeks begin on whatever day the provider likes: days are asked for, and added up here.
    let step = if range.step == Step::Week { Step::Day } else { range.step };
    let query = |name, table, columns, step| Query {
        name,
        table,
        columns,
        groups: &[],
        from: range.from,
        to: range.to,
        step,
        zone: &range.zone,
    };
    let peak = &[("max", "concurrency", "concurrency")];
    let sums = &[("count", "id", "calls"), ("sum", "duration", "duration"), ("sum", "cost", "cost")];
    let mut queries = vec![query("concurrency", "subscription", peak, step), query("calls", "call", sums, step)];
    let hourly = jiff::SignedDuration::from_hours(24 * HOURLY_DAYS);
    if step != Step::Hour && range.to.duration_since(range.from) <= hourly {
        queries.push(query("hours", "subscription", peak, Step::Hour));
    }
    let clock = Clock::real();
    let mut came = asked(first, &clock, &queries).await?.into_iter();
    let mut next = || came.next().unwrap_or_default();
    let mut came = Came { peaks: next(), calls: next(), hours: next(), unit_s: 1.0 };
    if step == Step::Hour {
        came.hours.clone_from(&came.peaks);
    }
    came.unit_s = unit(first, (range.from, range.to), &came.calls).await;
    let mut known = if others.is_empty() { Vec::new() } else { vec![organisation(first, range).await] };
    for (path, other) in others {
        let organisation = organisation(other, range).await;
        if organisation.is_some() && known.contains(&organisation) {
            let path = file(path);
            say(&format!("--watch-key-file {path}: its organisation's calls are counted already, with another key"));
            continue;
        }
        let asked = asked(other, &clock, &queries[1..2]).await;
        let rows = asked.map_err(|failure| Failure { advice: Vec::new(), ..failure }.advise(of_key(path)))?;
        came.calls.extend(rows.into_iter().flatten());
        known.push(organisation);
    }
    Ok(came)
}

fn of_key(path: &Path) -> String {
    format!("that is the key in {}, named by --watch-key-file", file(path))
}

/// Whose calls a key shows, where it shows any.
async fn organisation(client: &Client, range: &Range) -> Option<Arc<str>> {
    let any = Listing::Created { from: Stamp::from(range.from), to: Some(Stamp::from(range.to)), limit: 1 };
    let Ok(News::Listed { calls, .. }) = client.read(ReadId(0), &any).await else { return None };
    calls.iter().find_map(|call| call.org.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_instants_and_ages() {
        let now = "2026-11-27T10:30:00Z".parse().unwrap();
        let range = |step| Range { from: now, to: now, step, zone: TimeZone::UTC };
        let read = |text, step| instant(text, "--from", &range(step)).map(|at| at.to_string());
        assert_eq!(read("2026-11-01", Step::Day).unwrap(), "2026-11-01T00:00:00Z");
        assert_eq!(read("-30d", Step::Day).unwrap(), "2026-10-28T00:00:00Z");
        assert_eq!(read("-24h", Step::Hour).unwrap(), "2026-11-26T10:00:00Z");
        assert_eq!(read("2026-11-01T09:00:00Z", Step::Day).unwrap(), "2026-11-01T09:00:00Z");
        assert_eq!(read("2026-11-01T09:30", Step::Hour).unwrap(), "2026-11-01T09:30:00Z");
        let fast = Range { to: "2026-11-27T10:30:00.7Z".parse().unwrap(), ..range(Step::Hour) };
        assert_eq!(instant("-3h", "--from", &fast).unwrap().to_string(), "2026-11-27T07:00:00Z");
        assert!(read("-400d", Step::Day).unwrap_err().what.contains("longer than a year"));
        let told = read("soon", Step::Day).unwrap_err();
        assert_eq!(told.what, "--from: \"soon\" is no time; write it as 2026-11-01, 2026-11-01T09:00:00Z or -30d");
    }
}
