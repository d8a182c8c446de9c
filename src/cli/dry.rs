//! `run --dry-run`: everything but the dialing. It opens no connection and writes nothing; what an existing journal
//! knows of the campaign is taken into account.

use std::collections::HashSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::environment::Environment;
use super::print;
use crate::campaign::DEFAULT_SLOTS;
use crate::campaign::plan::Plan;
use crate::drive::talk::{say, say_unless};
use crate::exit::Exit;
use crate::journal::disk::Disk;
use crate::leads::batch::cut;
use crate::leads::lead::{Lead, Phone};
use crate::leads::suppress::Suppression;
use crate::rehearsal::forecast::{SAMPLE, SimulatedRuns, forecast};
use crate::report::dry_run::{Forecast, batches, first_request, forecast as forecast_line};
use crate::report::failure::Failure;
use crate::report::notice::one_at_a_time;
use crate::report::style::count;
use crate::run::check::{CheckError, Request, check_with, list_failure, mending};
use crate::run::only::absent;
use crate::run::plan::{RunPlan, State};
use crate::run::reserve_fits;
use crate::vapi::request::request_body;

/// What stands where a request has the id of its attempt.
const ATTEMPT: &str = "ATTEMPT_ID";

/// Shows what a run would do.
pub(super) fn dry_run(planned: &RunPlan, around: &Environment<'_>) -> Result<Exit, Failure> {
    let suppression = Suppression::open(&planned.dnc, planned.list.region).map_err(|error| list_failure(&error))?;
    let known = known(planned)?;
    let (settled, limit) = (&known.settled, known.limit);
    reserve_fits(&planned.plan, limit)?;
    let request = Request {
        sources: &planned.inputs,
        options: &planned.list,
        calling: &planned.plan.calling,
        suppression: Some(&suppression),
        suppressed: &known.suppressed,
        rejects: planned.rejects.as_deref(),
        strict: planned.strict,
        now: around.now,
    };
    let mut left = Left { sample: Vec::new(), total: 0 };
    let checked = check_with(&request, &mut |_| {}, &mut |lead| {
        let is_meant = planned.only.as_ref().is_none_or(|only| left.total == 0 && only.is(&lead));
        if is_meant && !request.suppresses(lead.phone) && !settled.contains(&lead.phone) {
            left.take(lead);
        }
    });
    let mut checked = checked.map_err(|error| match error {
        CheckError::List(error) => list_failure(&error),
        other => Failure::new(other.exit(), other.to_string()),
    })?;
    let campaign = &planned.plan.campaign;
    checked.mending = Some(mending(&planned.inputs, campaign, &planned.list, planned.sandbox));
    let mut text = checked.text(&around.zone);
    let all = left.total;
    left.stop_at(planned, around);
    for (what, cure) in &planned.missing {
        let _infallible = writeln!(text, "{what}, which a real run needs\n  {cure}");
    }
    if !settled.is_empty() {
        let _infallible = writeln!(text, "{} settled earlier, {all} to call", settled.len());
    }
    if let Some(error) = &checked.error {
        say(text.trim_end());
        return Err(Failure::usage(error.clone()));
    }
    if let Some(only) = planned.only.as_ref().filter(|_| all == 0) {
        say(text.trim_end());
        return Err(absent(only));
    }
    if left.total < all {
        let _infallible =
            writeln!(text, "{} in this run, as --limit or --until has it", count(left.total, "lead", "leads"));
    }
    let slots = planned.plan.slots.or(limit).unwrap_or(DEFAULT_SLOTS);
    if planned.plan.leaves_one(slots) {
        let _infallible = writeln!(text, "{}", one_at_a_time(slots - 1, slots));
    }
    let seen = left.foresee(planned, limit, around)?;
    left.show(&mut text, planned, seen.as_ref(), limit, around);
    if planned.json {
        say_unless(planned.quiet, text.trim_end());
        let object = serde_json::json!({
            "campaign": planned.plan.campaign,
            "exit": Exit::Settled.code(),
            "dry_run": true,
            "list": checked,
            "to_ring": all,
            "batches": left.batches(planned).len(),
            "forecast_s": seen.map(|seen| seen.took.map(|took| took.as_secs())),
        });
        print(&format!("{object}\n"))?;
    } else if !planned.quiet {
        print(&text)?;
    }
    Ok(Exit::Settled)
}

/// What an existing journal knows.
struct Known {
    /// The numbers that are settled.
    settled: HashSet<Phone>,
    /// The pool's limit.
    limit: Option<u32>,
    /// Whom it suppresses.
    suppressed: Box<dyn Fn(Phone) -> bool>,
}

fn known(planned: &RunPlan) -> Result<Known, Failure> {
    let disk = if let State::Kept(dir) = &planned.state { Disk::look(dir)? } else { None };
    let Some(disk) = disk else {
        return Ok(Known { settled: HashSet::new(), limit: None, suppressed: Box::new(|_| false) });
    };
    let (settled, limit) = disk.known(&planned.plan.campaign, planned.sandbox)?;
    let suppressed = Box::new(disk.suppressions()?);
    Ok(Known { settled: settled.into_iter().collect(), limit, suppressed })
}

/// The options that would end the run before the forecast is over.
fn stops(plan: &Plan, seen: &SimulatedRuns, now: Timestamp) -> Vec<String> {
    let cost = plan.max_cost.filter(|most| *most < seen.cost_usd).map(|most| format!("--max-cost {most}"));
    let until = plan.until.filter(|until| now.checked_add(seen.took[1]).is_ok_and(|done| done > *until));
    cost.into_iter().chain(until.map(|_| "--until".to_owned())).collect()
}

/// Who would be called.
struct Left {
    sample: Vec<Lead>,
    total: u64,
}

impl Left {
    fn take(&mut self, lead: Lead) {
        self.total += 1;
        if self.sample.len() < SAMPLE {
            self.sample.push(lead);
        }
    }

    /// Leaves only as many as this run would call: `--limit` of them, and nobody where `--until` has passed.
    fn stop_at(&mut self, planned: &RunPlan, around: &Environment<'_>) {
        if let Some(limit) = planned.plan.limit {
            self.total = self.total.min(limit);
        }
        if planned.plan.until.is_some_and(|until| until <= around.now) {
            self.total = 0;
        }
        self.sample.truncate(usize::try_from(self.total).unwrap_or(usize::MAX));
    }

    /// The sizes of the batches, if everybody could be called at once.
    fn batches(&self, planned: &RunPlan) -> Vec<usize> {
        let mut left = usize::try_from(self.total).unwrap_or(usize::MAX);
        let mut sizes = Vec::new();
        while left > 0 {
            let size = cut(left, planned.plan.batch_size);
            sizes.push(size);
            left -= size;
        }
        sizes
    }

    fn foresee(
        &self,
        planned: &RunPlan,
        limit: Option<u32>,
        around: &Environment<'_>,
    ) -> Result<Option<SimulatedRuns>, Failure> {
        if self.sample.is_empty() {
            return Ok(None);
        }
        let slots = planned.plan.slots.or(limit).unwrap_or(DEFAULT_SLOTS);
        Ok(Some(forecast(&planned.plan, &self.sample, self.total, slots, around.now)?))
    }

    fn show(
        &self,
        text: &mut String,
        planned: &RunPlan,
        seen: Option<&SimulatedRuns>,
        limit: Option<u32>,
        around: &Environment<'_>,
    ) {
        let first = self.first(planned, around);
        let first = first.as_ref().map(|(at, zone)| (*at, zone));
        let _infallible = writeln!(text, "\n{}", batches(&self.batches(planned), first, around.now));
        let (Some(lead), Some(seen)) = (self.sample.first(), seen) else { return };
        let line = &planned.account.lines[0];
        let body = request_body(&planned.account.target, line, ATTEMPT, lead);
        let base = if planned.sandbox { "http://127.0.0.1 (the sandbox)" } else { &planned.account.base_url };
        let _infallible = writeln!(text, "{}", first_request(base, &body));
        let [quick, middle, slow] = seen.took;
        let shown = Forecast {
            slots: planned.plan.slots.or(limit).unwrap_or(DEFAULT_SLOTS),
            kept: planned.plan.reserve.at(around.now),
            call: seen.call,
            answered: seen.answered,
            took: [middle, quick, slow],
            cost_usd: Some(seen.cost_usd),
            stops: stops(&planned.plan, seen, around.now),
            sample: seen.sample,
        };
        let _infallible = writeln!(text, "{}", forecast_line(&shown));
    }

    /// When the first of them may be called, and in which zone that is so.
    fn first(&self, planned: &RunPlan, around: &Environment<'_>) -> Option<(Timestamp, TimeZone)> {
        let calling = &planned.plan.calling;
        let opens = |lead: &Lead| Some((calling.next_open(&lead.zones, around.now)?, lead.zones.first().cloned()));
        let (at, zone) = self.sample.iter().filter_map(opens).min_by_key(|(at, _)| *at)?;
        let zone = zone.and_then(|name| TimeZone::get(&name).ok()).unwrap_or_else(|| around.zone.clone());
        Some((at, zone))
    }
}
