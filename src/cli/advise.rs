//! `dialer advise`: what a reserve buys, which to choose, and what more lines would cost. Reads only.
#![expect(clippy::doc_markdown, reason = "these comments are what --help prints")]

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::account::{self, base_url};
use super::args::ListArgs;
use super::display::stdout_width;
use super::environment::Environment;
use super::journal::StateArgs;
use super::usage::{asked, last_limit, reader};
use super::values::{self, Until};
use super::{place, plan, print, runtime};
use crate::campaign::DEFAULT_SLOTS;
use crate::exit::Exit;
use crate::leads::list::{List, Row};
use crate::leads::options::ListOptions;
use crate::report::failure::Failure;
use crate::report::reserve::{Inbound, Question};
use crate::report::style::{Glyphs, count};
use crate::run::check::list_failure;
use crate::vapi::analytics::{Query, Row as Sum, Step};

/// How far back calls are looked at.
const DAYS: i64 = 14;
/// Fewer inbound calls than this make no timetable.
const ENOUGH: f64 = 200.0;
/// What holds where nothing is known: calls of a mixed list with ringing, and inbound calls.
const USUAL_CALL_S: f64 = 60.0;
const USUAL_INBOUND_S: f64 = 180.0;
/// Ringing and what is lost around a call, which the provider's duration leaves out, in seconds.
const AROUND_S: f64 = 15.0;

/// `dialer advise`.
#[derive(Clone, Debug, clap::Args)]
pub struct AdviseArgs {
    /// The list, to tell how long it takes
    #[arg(value_name = "LEADS")]
    pub leads: Vec<PathBuf>,
    /// Leads, where no list is named
    #[arg(long = "leads", value_name = "N", id = "lead_count", value_parser = values::at_least_one, conflicts_with = "leads")]
    pub lead_count: Option<u64>,
    /// Slots of the pool [default: the last known, else 10]
    #[arg(long, value_name = "N", value_parser = values::some_slots)]
    pub slots: Option<u32>,
    /// Inbound callers an hour [default: those of the last 14 days]
    #[arg(long, value_name = "X", value_parser = values::pace)]
    pub inbound_per_hour: Option<f64>,
    /// How long they stay [default: as in the last 14 days]
    #[arg(long, value_name = "D", value_parser = values::wait)]
    pub inbound_mean: Option<Duration>,
    /// How long a call of the campaign holds its slot, ringing included [default: as in the last 14 days]
    #[arg(long, value_name = "D", value_parser = values::wait)]
    pub call_mean: Option<Duration>,
    /// The share of inbound callers that may be refused
    #[arg(long, value_name = "P", default_value = "1%", value_parser = values::share)]
    pub target: f64,
    /// When the list is to be done: 17:00, or an instant
    #[arg(long, value_name = "TIME", value_parser = values::until)]
    pub by: Option<Until>,
    /// As one object on stdout
    #[arg(long)]
    pub json: bool,
    /// A file with the private key, where VAPI_API_KEY does not hold it
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Where the API is; http:// only on this machine [env: VAPI_BASE_URL]
    #[arg(long, value_name = "URL", default_value = "https://api.vapi.ai")]
    pub base_url: String,
    /// How the list is read.
    #[command(flatten)]
    pub list: ListArgs,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// Says what a reserve buys.
pub fn advise(args: &AdviseArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let slots = match args.slots {
        Some(slots) => slots,
        None => last_limit(&args.state, around)?.unwrap_or(DEFAULT_SLOTS),
    };
    let leads = if args.leads.is_empty() { args.lead_count } else { Some(count_leads(args)?) };
    let learnt = learn(args, around)?;
    let given = |given: Option<Duration>, learnt: Option<f64>, usual: f64| {
        given.map_or(learnt.unwrap_or(usual), |given| given.as_secs_f64())
    };
    let per_hour = args.inbound_per_hour.or(learnt.per_hour).ok_or_else(|| {
        Failure::usage("nothing is known of who calls in")
            .advise("say it:   --inbound-per-hour X --inbound-mean D")
            .advise("or let it be read from the account:   VAPI_API_KEY, or --api-key-file FILE")
    })?;
    let inbound = Inbound {
        per_hour,
        mean_s: given(args.inbound_mean, learnt.mean_s, USUAL_INBOUND_S),
        from: if args.inbound_per_hour.is_some() { "as given".to_owned() } else { learnt.from },
        by_hour: learnt.by_hour.filter(|_| args.inbound_per_hour.is_none()),
    };
    let by = args.by.map(|by| plan::instant(by, "--by", around)).transpose()?;
    let within = by.map(|by| Duration::try_from(by.duration_since(around.now)).unwrap_or_default());
    let call_mean_s = given(args.call_mean, learnt.call_s, USUAL_CALL_S);
    let answer = Question { slots, target: args.target, inbound, call_mean_s, leads, within }.answer();
    print(&if args.json {
        answer.json()
    } else {
        let width = stdout_width();
        answer.text(width, Glyphs::of_locale(|name| around.var(name)) == Glyphs::UNICODE)
    })
    .map(|()| Exit::Settled)
}

fn count_leads(args: &AdviseArgs) -> Result<u64, Failure> {
    let options = ListOptions {
        columns: args.list.column.clone(),
        region: args.list.region,
        sheet: args.list.sheet.clone(),
        require: args.list.require.clone(),
        allow: args.list.allow.clone(),
        hours_any: true,
        ..ListOptions::default()
    };
    let mut phones = HashSet::new();
    for source in place::inputs(&args.leads)? {
        let list = List::open(&source, &options).map_err(|error| list_failure(&error))?;
        for row in list {
            if let Row::Lead { lead, .. } = row.map_err(|error| list_failure(&error))? {
                phones.insert(lead.phone);
            }
        }
    }
    Ok(phones.len() as u64)
}

/// What the account shows of the last days.
#[derive(Default)]
struct Learnt {
    per_hour: Option<f64>,
    mean_s: Option<f64>,
    call_s: Option<f64>,
    by_hour: Option<[f64; 24]>,
    from: String,
}

/// One request: calls of the last 14 days by type and hour. A listing of as many, with their transcripts, would be
/// gigabytes.
fn learn(args: &AdviseArgs, around: &Environment<'_>) -> Result<Learnt, Failure> {
    let all_given = args.inbound_per_hour.is_some() && args.inbound_mean.is_some() && args.call_mean.is_some();
    let key = account::key(args.api_key_file.as_deref(), around, &mut Vec::new())?;
    let Some(key) = key.filter(|_| !all_given) else { return Ok(Learnt::default()) };
    let client = reader(&base_url(&args.base_url)?, key)?;
    let from = around.now.checked_sub(jiff::SignedDuration::from_hours(24 * DAYS)).unwrap_or(around.now);
    let query = Query {
        name: "calls",
        table: "call",
        columns: &[("count", "id", "calls"), ("sum", "duration", "duration")],
        group: Some("type"),
        from,
        to: around.now,
        step: Step::Hour,
        zone: &around.zone,
    };
    let rows = runtime()?.block_on(asked(&client, &[query]));
    match rows {
        Ok(rows) => Ok(from_sums(&rows.into_iter().flatten().collect::<Vec<_>>(), &around.zone)),
        // What was said by hand is enough.
        Err(_) if args.inbound_per_hour.is_some() => Ok(Learnt::default()),
        Err(failure) => Err(failure.advise("or say it:   --inbound-per-hour X --inbound-mean D")),
    }
}

fn from_sums(rows: &[Sum], zone: &TimeZone) -> Learnt {
    #[expect(clippy::cast_precision_loss, reason = "336 hours")]
    let hours = (DAYS * 24) as f64;
    let of = |kind: &str| {
        let rows = rows.iter().filter(move |row| row.group.as_deref() == Some(kind));
        rows.fold((0.0, 0.0), |(calls, seconds), row| (calls + row.values[0], seconds + row.values[1]))
    };
    let (inbound, inbound_s) = of("inboundPhoneCall");
    let (outbound, outbound_s) = of("outboundPhoneCall");
    let mut by_hour = [0.0; 24];
    for row in rows.iter().filter(|row| row.group.as_deref() == Some("inboundPhoneCall")) {
        let hour = usize::try_from(row.at.to_zoned(zone.clone()).hour()).unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "14 days")]
        let days = DAYS as f64;
        by_hour[hour] += row.values[0] / days;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of calls")]
    let calls = count(inbound as u64, "inbound call", "inbound calls");
    Learnt {
        per_hour: Some(inbound / hours),
        mean_s: (inbound > 0.0 && inbound_s > 0.0).then(|| inbound_s / inbound),
        call_s: (outbound > 0.0 && outbound_s > 0.0).then(|| outbound_s / outbound + AROUND_S),
        by_hour: (inbound >= ENOUGH).then_some(by_hour),
        from: format!("from {calls} of the last {DAYS} days"),
    }
}
