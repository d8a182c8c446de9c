//! `dialer advise`: what a reserve buys, which to choose, and what more lines would cost. Reads only.
#![expect(clippy::doc_markdown, reason = "these comments are what --help prints")]

use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use super::account::{self, base_url};
use super::args::ListArgs;
use super::display::stdout_width;
use super::environment::Environment;
use super::journal::StateArgs;
use super::usage::{last_limit, reader};
use super::values::{self, Until};
use super::{place, plan, print, runtime};
use crate::campaign::DEFAULT_SLOTS;
use crate::campaign::callers::{InboundHistory, USUAL_CALL_S, USUAL_INBOUND_S};
use crate::drive::clock::Clock;
use crate::drive::past;
use crate::exit::Exit;
use crate::leads::list::{List, Row};
use crate::leads::options::ListOptions;
use crate::report::failure::Failure;
use crate::report::reserve::Question;
use crate::report::style::{Glyphs, moment};
use crate::run::check::list_failure;

/// `dialer advise`.
#[derive(Clone, Debug, clap::Args)]
pub struct AdviseArgs {
    /// The list, to tell how long it takes
    #[arg(value_name = "LEADS")]
    pub leads: Vec<PathBuf>,
    /// Leads, instead of those on the list
    #[arg(long = "leads", value_name = "N", id = "lead_count", value_parser = values::at_least_one)]
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
    #[arg(long, value_name = "P", default_value = "1%", value_parser = values::target)]
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
    let within = within(args, around)?;
    let slots = match args.slots {
        Some(slots) => slots,
        None => last_limit(&args.state, around)?.unwrap_or(DEFAULT_SLOTS),
    };
    let leads = match args.lead_count {
        None if !args.leads.is_empty() => Some(count_leads(args)?),
        given => given,
    };
    let learnt = learn(args, around)?;
    if learnt.is_none() && args.inbound_per_hour.is_none() {
        return Err(Failure::usage("nothing is known of who calls in")
            .advise("say it:   --inbound-per-hour X --inbound-mean D")
            .advise("or let it be read from the account:   VAPI_API_KEY, or --api-key-file FILE"));
    }
    let mut inbound = learnt.unwrap_or(InboundHistory {
        per_hour: Vec::new(),
        mean_s: USUAL_INBOUND_S,
        call_s: USUAL_CALL_S,
        callers: 0.0,
        from: "as given".to_owned(),
    });
    if let Some(per_hour) = args.inbound_per_hour {
        (inbound.per_hour, inbound.from) = (vec![per_hour], "as given".to_owned());
    }
    let given =
        |given: Option<Duration>, learnt: &mut f64| *learnt = given.map_or(*learnt, |given| given.as_secs_f64());
    given(args.inbound_mean, &mut inbound.mean_s);
    given(args.call_mean, &mut inbound.call_s);
    let today = around.now.to_zoned(around.zone.clone()).date();
    let answer =
        Question { slots, target: args.target, inbound, zone: around.zone.clone(), today, leads, within }.answer();
    print(&if args.json {
        answer.json()
    } else {
        let width = stdout_width();
        answer.text(width, Glyphs::of_locale(|name| around.var(name)) == Glyphs::UNICODE)
    })
    .map(|()| Exit::Settled)
}

/// How long the list may take.
fn within(args: &AdviseArgs, around: &Environment<'_>) -> Result<Option<Duration>, Failure> {
    let Some(by) = args.by.map(|by| plan::instant(by, "--by", around)).transpose()? else { return Ok(None) };
    if args.leads.is_empty() && args.lead_count.is_none() {
        return Err(Failure::usage("--by says when a list is to be done, and there is none")
            .advise("name it, or say how many there are:   --leads N"));
    }
    match Duration::try_from(by.duration_since(around.now)) {
        Ok(within) if !within.is_zero() => Ok(Some(within)),
        _ => Err(Failure::usage(format!("--by {} has passed", moment(by, around.now, &around.zone)))
            .advise("give a time to come: +8h, or an instant as in 2026-12-01T17:00:00Z")),
    }
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

/// What the account shows of the last days, where it is needed.
fn learn(args: &AdviseArgs, around: &Environment<'_>) -> Result<Option<InboundHistory>, Failure> {
    let all_given = args.inbound_per_hour.is_some() && args.inbound_mean.is_some() && args.call_mean.is_some();
    let key = account::key(args.api_key_file.as_deref(), around, &mut Vec::new())?;
    let Some(key) = key.filter(|_| !all_given) else { return Ok(None) };
    let client = reader(&base_url(&args.base_url)?, key)?;
    if std::io::stderr().is_terminal() {
        eprintln!("reading who called in over the last 14 days ..");
    }
    match runtime()?.block_on(past::inbound(&client, &Clock::real(), around.now, &around.zone)) {
        Ok(learnt) => Ok(Some(learnt)),
        // What was said by hand is enough.
        Err(_) if args.inbound_per_hour.is_some() => Ok(None),
        Err(failure) => Err(failure.advise("or say it:   --inbound-per-hour X --inbound-mean D")),
    }
}
