//! How long a campaign would take: the campaign itself, rehearsed against a pretended provider, several times over.

use std::time::Duration;

use jiff::Timestamp;

use super::rehearse::{Setup, Simulation};
use super::world::FakeProvider;
use super::world::call::{FakeCall, Kind};
use super::world::config::ProviderConfig;
use crate::campaign::disposition::{Class, Verdict, classify};
use crate::campaign::plan::Plan;
use crate::journal::memory::Memory;
use crate::journal::{Error, Listed};
use crate::leads::lead::Lead;
use crate::time::Stamp;

/// Leads that are rehearsed at most; a longer list is scaled.
pub const SAMPLE: usize = 20_000;
/// Rehearsals, each with another chance.
const TIMES: u64 = 3;
/// A rehearsal that goes on for longer is cut off.
const HORIZON: Duration = Duration::from_hours(9600);

/// What rehearsals came to, for the whole list.
#[derive(Clone, PartialEq, Debug)]
pub struct SimulatedRuns {
    /// How long it took: the shortest, the middle one, the longest.
    pub took: [Duration; 3],
    /// The mean length of a call, from its slot being taken to its being free.
    pub call: Duration,
    /// The share of calls that a person answered.
    pub answered: f64,
    /// What it cost, in US dollars.
    pub cost_usd: f64,
    /// Leads rehearsed, if those were not all.
    pub sample: Option<u64>,
}

/// Rehearses a list. `leads` are all of it, or its first [`SAMPLE`]; `total` is how many there are.
pub fn forecast(plan: &Plan, leads: &[Lead], total: u64, slots: u32, start: Timestamp) -> Result<SimulatedRuns, Error> {
    let leads = &leads[..leads.len().min(SAMPLE)];
    let plan = Plan { wait: true, slots: Some(slots), limit: None, max_cost: None, until: None, ..plan.clone() };
    let config = ProviderConfig { slots, ..ProviderConfig::default() };
    let mut runs = Vec::new();
    for seed in 0..TIMES {
        runs.push(rehearse(&plan, leads, config.clone(), plan.seed.wrapping_add(seed), start)?);
    }
    runs.sort_by_key(|run| run.took);
    #[expect(clippy::cast_precision_loss, reason = "a forecast is no more exact than that")]
    let scale = total as f64 / (leads.len().max(1)) as f64;
    let scaled =
        |run: &ForecastInput| Duration::try_from_secs_f64(run.took.as_secs_f64() * scale).unwrap_or(Duration::MAX);
    let middle = &runs[runs.len() / 2];
    Ok(SimulatedRuns {
        took: [scaled(&runs[0]), scaled(middle), scaled(&runs[runs.len() - 1])],
        call: middle.call,
        answered: middle.answered,
        cost_usd: middle.cost_usd * scale,
        sample: (total > leads.len() as u64).then_some(leads.len() as u64),
    })
}

struct ForecastInput {
    took: Duration,
    call: Duration,
    answered: f64,
    cost_usd: f64,
}

fn rehearse(
    plan: &Plan,
    leads: &[Lead],
    config: ProviderConfig,
    seed: u64,
    start: Timestamp,
) -> Result<ForecastInput, Error> {
    let start = Stamp::from(start);
    let mut stage = Simulation::new(FakeProvider::new(config, seed, start), 0);
    let mut counter = u128::from(seed);
    let chance = Box::new(move || {
        counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        counter
    });
    let mut journal = Memory::new(plan.clone(), chance, Box::new(|_| false));
    let listed = |(line, lead): (usize, &Lead)| Listed { file_index: 0, line: line as u64, lead: lead.clone() };
    let mut rows = leads.iter().enumerate().map(listed).map(Ok::<_, std::convert::Infallible>);
    journal.import(stage.now(), &mut rows, true).map_err(|error| match error {
        crate::journal::ImportError::Journal(error) => error,
        crate::journal::ImportError::List(never) => match never {},
    })?;
    let post_timeout = Duration::from_secs(30);
    stage.start(Setup { plan: plan.clone(), journal, org: 0, post_timeout })?;
    stage.play(start + HORIZON, None)?;
    let ours: Vec<&FakeCall> = stage.world.calls().iter().filter(|call| call.kind == Kind::Outbound).collect();
    let last = ours.iter().filter_map(|call| call.ended).max().unwrap_or(start);
    let lengths = ours.iter().filter_map(|call| call.ended.map(|ended| ended.since(call.created).as_secs_f64()));
    #[expect(clippy::cast_precision_loss, reason = "a mean over calls needs no more than 52 bits")]
    let calls = ours.len().max(1) as f64;
    let talked = ours.iter().filter(|call| was_answered(call)).count();
    #[expect(clippy::cast_precision_loss, reason = "a share of calls needs no more than 52 bits")]
    let answered = talked as f64 / calls;
    Ok(ForecastInput {
        took: last.since(start),
        call: Duration::from_secs_f64(lengths.sum::<f64>() / calls),
        answered,
        cost_usd: ours.iter().map(|call| call.cost()).sum(),
    })
}

fn was_answered(call: &FakeCall) -> bool {
    let verdict = classify(call.reason.as_deref().unwrap_or_default());
    matches!(verdict, Verdict::Contact(Class::Answered | Class::HungUp))
}
