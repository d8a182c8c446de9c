//! One rehearsal of a campaign, and what it came to.

use std::collections::HashSet;
use std::time::Duration;

use super::super::rehearse::{Setup, Simulation};
use super::super::world::FakeProvider;
use super::super::world::call::{FakeCall, Kind, USD_MINUTE};
use super::super::world::config::ProviderConfig;
use crate::campaign::disposition::{Verdict, classify};
use crate::campaign::notice::StopReason;
use crate::campaign::plan::Plan;
use crate::journal::imported::Listed;
use crate::journal::memory::Memory;
use crate::journal::{Error, Journal};
use crate::leads::lead::Lead;
use crate::time::Stamp;

/// A rehearsal that goes on for longer is cut off.
pub(super) const HORIZON: Duration = Duration::from_hours(24 * 400);
/// The wait for an answer, as a run has it.
const POST_TIMEOUT: Duration = Duration::from_secs(30);
/// Where nobody was called for so long, the campaign waited: that is no part of its pace.
const IDLE_S: f64 = 1_800.0;

/// What one rehearsal came to when the run ended.
#[derive(Clone, Debug)]
pub(super) struct Rehearsal {
    /// How long the run took.
    pub(super) seconds: f64,
    /// Why it ended; none where it was cut off.
    pub(super) why: Option<StopReason>,
    /// How long the whole list takes where the run is begun again whenever there is more to do.
    pub(super) list_seconds: Option<f64>,
    pub(super) calls: u64,
    pub(super) minutes: f64,
    pub(super) cost_usd: f64,
    /// Leads that are not settled.
    pub(super) open: u64,
    /// Leads that were never called.
    pub(super) untouched: u64,
    /// Calls a second while it called.
    pub(super) pace: f64,
    /// How long a call held its slot on the average, in seconds.
    pub(super) call_s: f64,
    /// Calls that a person answered.
    pub(super) answered: u64,
    /// Inbound callers, and those of them that were refused with and without the campaign.
    pub(super) callers: u64,
    pub(super) refused: u64,
    pub(super) refused_without: u64,
    /// When slots were taken, where that was asked for.
    pub(super) spans: Vec<Span>,
}

/// A slot that was taken, in seconds from the start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) ours: bool,
}

/// What is rehearsed.
#[derive(Clone, Copy)]
pub(super) struct Script<'a> {
    pub(super) plan: &'a Plan,
    pub(super) leads: &'a [Lead],
    pub(super) start: Stamp,
    /// Whether it goes on to the end of the list.
    pub(super) to_the_end: bool,
    /// Whether slots are to be told of.
    pub(super) spans: bool,
}

impl Script<'_> {
    pub(super) fn rehearse(&self, config: &ProviderConfig, seed: u64) -> Result<Rehearsal, Error> {
        let Self { plan, start, .. } = *self;
        let mut stage = Simulation::new(FakeProvider::new(config.clone(), seed, start), 0);
        stage.skips_polls = true;
        let journal = self.journal(&stage, seed)?;
        stage.start(Setup { plan: plan.clone(), journal, org: 0, post_timeout: POST_TIMEOUT })?;
        stage.play(start + HORIZON, None)?;
        let (mut rehearsal, next_at) = self.take_stock(&mut stage)?;
        let mut alone = FakeProvider::new(config.clone(), seed, start);
        alone.advance(stage.world.now());
        rehearsal.refused_without = alone.counts().denied;
        rehearsal.list_seconds = match next_at {
            None if rehearsal.open == 0 => Some(rehearsal.seconds),
            Some(next_at) if self.to_the_end => Some(self.go_on(stage, next_at)?),
            _ => None,
        };
        Ok(rehearsal)
    }

    fn journal(&self, stage: &Simulation<Memory>, seed: u64) -> Result<Memory, Error> {
        let mut counter = u128::from(seed);
        let chance = Box::new(move || {
            counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            counter
        });
        let mut journal = Memory::new(self.plan.clone(), chance, Box::new(|_| false));
        let listed = |(line, lead): (usize, &Lead)| Listed { file_index: 0, line: line as u64, lead: lead.clone() };
        let mut rows = self.leads.iter().enumerate().map(listed).map(Ok::<_, std::convert::Infallible>);
        journal.import(stage.now(), &mut rows, true).map_err(|error| match error {
            crate::journal::imported::ImportError::Journal(error) => error,
            crate::journal::imported::ImportError::List(never) => match never {},
        })?;
        Ok(journal)
    }

    /// What it came to, and when there is more to do.
    fn take_stock(&self, stage: &mut Simulation<Memory>) -> Result<(Rehearsal, Option<Stamp>), Error> {
        let (now, end) = (stage.now(), stage.world.now());
        let run = stage.runs[0].as_mut().expect("nobody has killed it");
        let totals = run.journal.totals(now)?;
        let outcome = run.outcome.as_ref();
        let goes_on = |why: &StopReason| matches!(why, StopReason::Later | StopReason::Kept);
        let next_at = outcome.filter(|outcome| goes_on(&outcome.why)).and_then(|outcome| outcome.next_at);
        let why = outcome.map(|outcome| outcome.why.clone());
        let ours: Vec<&FakeCall> = stage.world.calls().iter().filter(|call| call.kind == Kind::Outbound).collect();
        let since = |at: Stamp| at.since(self.start).as_secs_f64();
        let mut called = HashSet::new();
        let firsts: Vec<f64> = (ours.iter())
            .filter_map(|call| called.insert(call.request.number.as_str()).then_some(since(call.created)))
            .collect();
        let lengths = ours.iter().filter_map(|call| Some(call.released?.since(call.created).as_secs_f64()));
        #[expect(clippy::cast_precision_loss, reason = "a mean over calls needs no more than 52 bits")]
        let call_s = lengths.sum::<f64>() / ours.len().max(1) as f64;
        let span = |call: &FakeCall| {
            let from = since(call.counted?);
            Some(Span { from, to: call.released.map_or(since(end), since), ours: call.kind == Kind::Outbound })
        };
        let minutes = ours.iter().map(|call| call.minutes()).sum::<f64>();
        let counts = stage.world.counts();
        let rehearsal = Rehearsal {
            seconds: since(end),
            why,
            list_seconds: None,
            calls: ours.len() as u64,
            minutes,
            // What the newest calls cost is settled after the run.
            cost_usd: minutes * USD_MINUTE,
            open: totals.open + totals.in_doubt,
            untouched: (self.leads.len() - called.len()) as u64,
            pace: pace(&ours, firsts.get(firsts.len().saturating_sub(1) * 9 / 10).copied(), since),
            call_s,
            answered: ours.iter().filter(|call| was_answered(call)).count() as u64,
            callers: counts.offered,
            refused: counts.denied,
            refused_without: 0,
            spans: if self.spans { stage.world.calls().iter().filter_map(span).collect() } else { Vec::new() },
        };
        Ok((rehearsal, next_at.map(Stamp::from)))
    }

    /// Begins again when there is more to do, and stays to the end of the list: how long that takes.
    fn go_on(&self, mut stage: Simulation<Memory>, next_at: Stamp) -> Result<f64, Error> {
        let journal = stage.kill(0).expect("nobody has killed it");
        stage.world.advance(next_at);
        let plan = Plan { wait: true, limit: None, ..self.plan.clone() };
        stage.start(Setup { plan, journal, org: 0, post_timeout: POST_TIMEOUT })?;
        stage.play(self.start + HORIZON, None)?;
        Ok(stage.world.now().since(self.start).as_secs_f64())
    }
}

/// Calls a second until `until`, the times apart in which the campaign waited.
fn pace(ours: &[&FakeCall], until: Option<f64>, since: impl Fn(Stamp) -> f64) -> f64 {
    let Some(until) = until else { return 0.0 };
    let mut made: Vec<f64> = ours.iter().map(|call| since(call.created)).filter(|at| *at <= until).collect();
    made.sort_by(f64::total_cmp);
    let gaps = made.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap < IDLE_S);
    let (calls, seconds) = gaps.fold((0.0, 0.0), |(calls, seconds), gap| (calls + 1.0, seconds + gap));
    if seconds > 0.0 { calls / seconds } else { 0.0 }
}

fn was_answered(call: &FakeCall) -> bool {
    let verdict = classify(call.reason.as_deref().unwrap_or_default());
    matches!(verdict, Verdict::Contact(class) if class.is_answered())
}
