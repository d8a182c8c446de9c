//! What was typed becomes a plan, or an error that names the flag and the cure. Nobody is called on half a plan.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::account;
use super::args::{CallingArgs, ListArgs, PoolArgs, RetryArgs, RunArgs};
use super::environment::Environment;
use super::guard::{guard_forecast, guard_rejects};
use super::layers::{Layer, Sources};
use super::values::Until;
use super::{place, trace};
use crate::campaign::budget::Budget;
use crate::campaign::callers::AutoReserve;
use crate::campaign::hours::Calling;
use crate::campaign::plan::{Plan, Reserve};
use crate::campaign::plan_error::PlanError;
use crate::campaign::retry::Retries;
use crate::drive::results::ResultsPlan;
use crate::leads::lead::Only;
use crate::leads::options::{ListOptions, Source, Zone, ZoneFrom};
use crate::leads::shown::shown;
use crate::live::Address;
use crate::private_file::read_whole;
use crate::report::failure::Failure;
use crate::run::check::with_unreadable;
use crate::run::plan::{Account, RunPlan, TypedCommand, reserve_fits};
use crate::vapi::base::BaseUrl;

/// Polls after which one call tries a pool of which there is no news.
const PROBE_POLLS: u32 = 60;
/// Ring time, the longest talk that an assistant can be given, and a margin.
const LONGEST_CALL: Duration = Duration::from_mins(1 + 12 * 60 + 1);
/// No list of holidays is larger.
const LARGEST_HOLIDAYS: u64 = 4 << 20;
/// The share of inbound callers that may be refused, unless it is said.
const USUAL_TARGET: f64 = 0.01;
/// For who has no account yet.
const WITHOUT_ACCOUNT: &str = "or try it without an account:   --sandbox, or --dry-run";
/// What a date in the campaign's name implies: a restart after midnight is another campaign.
const DATED_REST: Duration = Duration::from_hours(20);

/// Works out the plan. Whatever is missing or wrong is told at once.
pub fn plan(args: &RunArgs, sources: &Sources, around: &Environment<'_>) -> Result<RunPlan, Failure> {
    let inputs = place::inputs(&args.leads)?;
    let mut wrong = Wrong { sources, found: None, lacks_account: false };
    let planned = planned(args, &inputs, &mut wrong, around);
    match (wrong.found, planned) {
        (None, Some(planned)) => Ok(planned),
        (found, _) => {
            let failure = found.expect("what is no plan has a reason");
            let zone = (args.calling.zone.as_ref(), args.calling.zone_from);
            let list = list(&args.list, zone, &Calling::any(), around);
            let failure = with_unreadable(failure, &inputs, &list, &args.calling.dnc);
            Err(if wrong.lacks_account { failure.advise(WITHOUT_ACCOUNT) } else { failure })
        }
    }
}

/// All that is missing or wrong: the first is the error, the others stand below it.
struct Wrong<'a> {
    sources: &'a Sources,
    found: Option<Failure>,
    lacks_account: bool,
}

impl Wrong<'_> {
    fn add(&mut self, failure: Failure) {
        let failure = self.sources.placed(failure);
        self.found = Some(match self.found.take() {
            Some(first) => first.and(failure),
            None => failure,
        });
    }

    fn take<T>(&mut self, result: Result<T, Failure>) -> Option<T> {
        result.map_err(|failure| self.add(failure)).ok()
    }
}

fn planned(args: &RunArgs, inputs: &[Source], wrong: &mut Wrong<'_>, around: &Environment<'_>) -> Option<RunPlan> {
    let sources = wrong.sources;
    let (sandbox, dry_run) = (args.rehearse.sandbox, args.rehearse.dry_run);
    let found = wrong.take(account(args, sources, around));
    if let Some(failure) = found.as_ref().and_then(|found| found.lacking.clone()) {
        wrong.lacks_account = true;
        wrong.add(failure);
    }
    if let Some(failure) = sources.wrong() {
        wrong.add(failure.clone());
    }
    let name = wrong.take(place::name(args.place.campaign.as_deref(), inputs, around));
    wrong.take(guard_forecast(args, sources));
    wrong.take(guard_target(args, sources));
    let state = wrong.take(place::state(args.place.state.as_deref(), sources, sandbox, dry_run, around));
    if let Some(slots) = args.pool.slots {
        wrong.take(reserve_fits(&reserve(&args.pool, around), args.pool.margin, slots));
    }
    let (config, key) = (args.place.config.as_deref(), args.place.account.api_key_file.as_deref());
    wrong.take(guard_rejects(&args.list, &args.calling, [("--config", config), ("--api-key-file", key)]));
    let trace = wrong.take(trace::plan(args));
    let calling = wrong.take(calling(&args.calling, hours_hold(args, sources), around));
    let until = wrong.take(args.stop.until.map(|until| instant(until, "--until", around)).transpose());
    let only = wrong.take(only(args));
    let pool = wrong.take(pool_name(args.pool.pool.as_deref()));
    let serve = args.shown.serve.as_deref().map(|text| Address::parse(text, args.shown.serve_anyone));
    let serve = wrong.take(serve.transpose());
    let retries = wrong.take(retries(&args.retry, name.as_ref().map_or(0, |name| seed(&name.text)), around));
    let FoundAccount { account, missing, warnings: mut said, .. } = found?;
    let webhook = wrong.take(args.webhook.plan(&account.target));
    let (name, calling, (webhook, server)) = (name?, calling?, webhook?);
    said.extend(warnings(args, sources, around));
    let requests = requests(args, sources, &account.base_url);
    said.extend(requests.and_then(|budget| too_fast(args, budget)));
    said.extend(state.as_ref().and_then(place::seen_by_others));
    let watched = wrong.take(account::watched(&args.pool.watch_key_file, &account, sandbox, &mut said))?;
    let list = list(&args.list, (args.calling.zone.as_ref(), args.calling.zone_from), &calling, around);
    let not_if_called_within = args.retry.not_if_called_within.or(name.dated.then_some(DATED_REST));
    let plan = Plan {
        seed: seed(&name.text),
        campaign: name.text.clone(),
        poll: args.pace.poll,
        probe_after: args.pace.probe_after.unwrap_or(args.pace.poll.saturating_mul(PROBE_POLLS)),
        in_doubt: args.pace.in_doubt.0,
        look_back: args.pace.look_back,
        adopt: args.pace.adopt,
        reserve: reserve(&args.pool, around),
        slots: args.pool.slots,
        max_concurrent: args.pool.max_concurrent,
        caution: args.pool.margin,
        release_lag: args.pool.release_lag,
        batch_size: args.pace.batch_size,
        drain: args.pace.drain,
        rate: args.pace.rate,
        watched: watched.iter().map(|key| key.name.clone()).collect(),
        requests,
        calling,
        retries: retries?,
        not_if_called_within,
        limit: args.stop.limit,
        max_cost: args.stop.max_cost,
        results_wait: args.shown.results.is_some().then_some(args.shown.results_wait),
        until: until?,
        wait: args.stop.wait,
        lines: account.lines.clone(),
        longest_call: LONGEST_CALL,
    };
    Some(RunPlan {
        plan,
        name_given: name.given,
        reserve: args.pool.reserve.typed.clone(),
        inputs: inputs.to_vec(),
        list,
        only: only?,
        rejects: args.list.rejects.clone(),
        strict: args.list.strict,
        replace: args.pace.replace,
        dnc: args.calling.dnc.clone(),
        watched,
        pool: pool?,
        account,
        missing,
        state: state?,
        journal_patience: args.place.journal_patience,
        standby: args.place.standby,
        post_timeout: args.pace.post_timeout,
        opt_out_field: args.retry.opt_out_field.clone(),
        dry_run,
        sandbox,
        json: args.shown.json,
        quiet: args.shown.quiet,
        log: args.shown.log.clone(),
        results: args.shown.results.clone().map(|path| ResultsPlan { path, wait: args.shown.results_wait }),
        trace: trace?,
        webhook,
        server,
        serve: serve?,
        warnings: said,
        command: TypedCommand::default(),
    })
}

/// What deserves a word, though nothing is wrong.
fn warnings(args: &RunArgs, sources: &Sources, around: &Environment<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(slots) = args.pool.slots
        && args.pool.max_concurrent.is_some_and(|most| most > slots)
    {
        warnings.push(format!("--max-concurrent is above --slots {slots}, so it caps nothing"));
    }
    if !args.retry.retry.is_empty() && args.retry.attempts == 1 {
        warnings.push("--retry says when to call again, and --attempts 1 that nobody is".to_owned());
    }
    warnings.extend(args.told.warnings());
    warnings.extend(passed_said(args.stop.until, around));
    if args.rehearse.dry_run && sources.of("serve") == Layer::CommandLine {
        warnings.push("--serve shows a run, and a dry run is none: nothing is served".to_owned());
    }
    warnings
}

fn only(args: &RunArgs) -> Result<Option<Only>, Failure> {
    let only = args.stop.only.as_deref().map(|text| {
        super::journal::only(text, args.list.region)
            .map_err(|problem| Failure::usage(format!("--only {}: {problem}", shown(text))))
    });
    only.transpose()
}

/// A target is for a reserve that the run chooses. One of a weaker layer than the reserve is left aside.
fn guard_target(args: &RunArgs, sources: &Sources) -> Result<(), Failure> {
    let is_meant = args.pool.target.is_some() && sources.of("target") >= sources.of("reserve");
    if is_meant && !args.pool.reserve.auto {
        let what = "--target is the share of inbound callers for which --reserve auto chooses the reserve";
        return Err(Failure::usage(what).advise("add --reserve auto, or leave --target out"));
    }
    Ok(())
}

struct FoundAccount {
    account: Account,
    /// What a dry run lacks.
    missing: Vec<(String, String)>,
    warnings: Vec<String>,
    /// What keeps a real run from anything.
    lacking: Option<Failure>,
}

fn account(args: &RunArgs, sources: &Sources, around: &Environment<'_>) -> Result<FoundAccount, Failure> {
    if args.rehearse.sandbox {
        let account = account::of_sandbox(&args.place.account, sources)?;
        return Ok(FoundAccount { account, missing: Vec::new(), warnings: Vec::new(), lacking: None });
    }
    let found = account::find(&args.place.account, around)?;
    let whats: Vec<_> = found.missing.iter().map(|(what, _)| what.as_str()).collect();
    let lacking = (!whats.is_empty() && !args.rehearse.dry_run).then(|| {
        let mut failure = Failure::usage(whats.join(", "));
        failure.advice.extend(found.missing.iter().map(|(_, cure)| cure.clone()));
        failure
    });
    Ok(FoundAccount { account: found.account, missing: found.missing, warnings: found.warnings, lacking })
}

/// The budget of requests. A stand-in on loopback has none, unless it was said.
fn requests(args: &RunArgs, sources: &Sources, base_url: &str) -> Option<Budget> {
    let on_loopback = BaseUrl::parse(base_url).is_ok_and(|base| base.is_loopback());
    let said = sources.of("requests") != Layer::Default;
    (said || !on_loopback).then(|| Budget::of(args.pace.requests))
}

fn too_fast(args: &RunArgs, budget: Budget) -> Option<String> {
    let (rate, most) = (Budget::of(args.pace.rate).per_minute(), budget.shared());
    (rate > most).then(|| {
        let all = budget.per_minute();
        format!("--requests {all}/min leaves {most} a minute to dials, and --rate would be {rate}: the smaller holds")
    })
}

fn reserve(args: &PoolArgs, around: &Environment<'_>) -> Reserve {
    let target = args.target.unwrap_or(USUAL_TARGET);
    let auto = args.reserve.auto.then_some(AutoReserve { target, history: None });
    Reserve { table: args.reserve.table.clone(), zone: around.zone.clone(), auto }
}

fn pool_name(given: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(name) = given else { return Ok(None) };
    place::check_name(name).map_err(|reason| Failure::usage(format!("--pool: {name:?} is no name: {reason}")))?;
    Ok(Some(name.to_owned()))
}

/// The instant that a flag means.
pub(super) fn instant(until: Until, flag: &str, around: &Environment<'_>) -> Result<Timestamp, Failure> {
    match until {
        Until::Instant(instant) => Ok(instant),
        Until::After(wait) => around.now.checked_add(wait).map_err(|error| Failure::usage(format!("{flag}: {error}"))),
        Until::Today(time) => {
            let today = around.now.to_zoned(around.zone.clone()).date();
            let zoned = today.to_datetime(time).to_zoned(around.zone.clone());
            zoned.map(|zoned| zoned.timestamp()).map_err(|error| Failure::usage(format!("{flag}: {error}")))
        }
    }
}

/// A time of day that has passed may have been meant for tomorrow.
fn passed_said(until: Option<Until>, around: &Environment<'_>) -> Option<String> {
    let Some(Until::Today(time)) = until else { return None };
    let now = around.now.to_zoned(around.zone.clone());
    let tomorrow = now.date().tomorrow().ok()?.to_datetime(time).to_zoned(around.zone.clone()).ok()?;
    let passed = now.time() >= time;
    passed.then(|| {
        let (time, tomorrow) = (time.strftime("%H:%M"), tomorrow.strftime("%Y-%m-%dT%H:%M:%S%:z"));
        format!("--until {time} has passed today, so nobody is called; for tomorrow:   --until {tomorrow}")
    })
}

/// The same campaign draws the same chances, whichever run of it asks.
fn seed(campaign: &str) -> u64 {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(campaign.as_bytes());
    hash.iter().rev().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}

/// Whether hours hold at all: the sandbox calls at any time, unless the command line says when.
fn hours_hold(args: &RunArgs, sources: &Sources) -> bool {
    !args.rehearse.sandbox || sources.of("hours") == Layer::CommandLine
}

/// When people may be called.
pub fn calling(args: &CallingArgs, hours_hold: bool, around: &Environment<'_>) -> Result<Calling, Failure> {
    let holidays = args.holidays.as_deref().map(|path| read_holidays(path).map(|text| (path, text))).transpose()?;
    let holidays = holidays.as_ref().map(|(path, text)| (*path, text.as_str()));
    let hours = if hours_hold { args.hours.as_str() } else { "any" };
    let calling =
        Calling::parse(hours, args.days.as_deref(), holidays, args.guard).map_err(|misuse| misused(&misuse))?;
    if !calling.outlast_the_guard() {
        let guard = humantime::format_duration(args.guard);
        let what = format!("--hours {hours} are never open for longer than --guard {guard}, so nobody could be called");
        return Err(Failure::usage(what).advise("widen the hours, or make the guard shorter"));
    }
    if calling.go_through_the_night() && !args.night {
        let what = format!("--hours {hours} go through the night, so people would be called in it");
        return Err(Failure::usage(what).advise("swap the two times, or say that you mean it:   --night"));
    }
    Ok(calling.machine_zone(around.zone.clone()))
}

/// How lists are read, given when people may be called.
pub fn list(
    args: &ListArgs,
    zone: (Option<&Zone>, ZoneFrom),
    calling: &Calling,
    around: &Environment<'_>,
) -> ListOptions {
    let (asked, now) = (calling.clone(), around.now);
    ListOptions {
        columns: args.column.clone(),
        region: args.region,
        sheet: args.sheet.clone(),
        require: args.require.clone(),
        needed: Vec::new(),
        allow: args.allow.clone(),
        zone: zone.0.cloned(),
        zone_from: zone.1,
        hours_any: !calling.needs_zone(),
        opens: Some(Arc::new(move |zones| asked.next_open(zones, now).is_some())),
    }
}

fn read_holidays(path: &Path) -> Result<String, Failure> {
    read_whole(path, LARGEST_HOLIDAYS)
        .map_err(|error| Failure::usage(format!("cannot read {}, named by --holidays: {error}", path.display())))
}

fn retries(args: &RetryArgs, seed: u64, around: &Environment<'_>) -> Result<Retries, Failure> {
    Retries::parse(args.attempts, &args.retry, args.per_day, seed, around.zone.clone())
        .map_err(|misuse| misused(&misuse))
}

fn misused(misuse: &PlanError) -> Failure {
    Failure::usage(misuse.to_string())
}
