//! The budget of requests that all runs of an organisation share.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use dialer::campaign::budget::Budget;
use dialer::campaign::notice::StopReason;
use dialer::campaign::plan::{Plan, Rate, Reserve};
use dialer::journal::disk::run::Run;
use dialer::rehearsal::rehearse::{Setup, Simulation};
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::config::{ProviderConfig, Traffic};
use dialer::time::Stamp;
use jiff::Timestamp;

use super::scene::{Dice, START, contacts, every_fault, leads, open, plan, state_dir};
use super::seeds;

fn a_minute(count: u32) -> Rate {
    Rate { count: NonZeroU32::new(count).unwrap(), per: Duration::from_mins(1) }
}

/// Requests by the minute of UTC in which they were sent: dials and reads.
fn by_minute(trace: &str) -> BTreeMap<i64, (u32, u32)> {
    let mut minutes = BTreeMap::new();
    for line in trace.lines() {
        let mut words = line.splitn(3, ' ');
        let (at, _, action) = (words.next().unwrap(), words.next(), words.next().unwrap_or_default());
        let minute = || at.parse::<Timestamp>().unwrap().as_second().div_euclid(60);
        if action.starts_with("Place(") {
            minutes.entry(minute()).or_insert((0, 0)).0 += 1;
        } else if action.starts_with("Read(") {
            minutes.entry(minute()).or_insert((0, 0)).1 += 1;
        }
    }
    minutes
}

/// So many runs on one state directory, each with a list of its own, to their end or for as long as said.
fn together(runs: u64, plan: &Plan, count: u64, world: FakeProvider, at_most: Duration) -> Simulation<Run> {
    let dir = state_dir();
    let mut stage = Simulation::new(world, 0);
    stage.trace = Some(String::new());
    for nth in 0..runs {
        let plan = Plan { campaign: format!("campaign {nth}"), ..plan.clone() };
        let journal = open(dir.path(), &plan, &leads(nth * count, count), stage.now(), nth);
        stage.start(Setup { plan, journal, org: 0, post_timeout: Duration::from_secs(30) }).unwrap();
    }
    stage.play(START + at_most, None).unwrap();
    stage
}

#[test]
fn no_minute_has_more_requests_than_the_budget_of_all_runs() {
    for seed in seeds(12) {
        let mut dice = Dice::new(seed ^ 0x9999);
        let runs = 1 + dice.below(3);
        let most = [30, 60, 150, 400][usize::try_from(dice.below(4)).unwrap()];
        let slots = [10, 30, 100][usize::try_from(dice.below(3)).unwrap()];
        let config = ProviderConfig {
            slots,
            traffic: vec![Traffic::inbound(50.0, Duration::from_mins(3))],
            faults: every_fault([0.0, 0.05][usize::try_from(dice.below(2)).unwrap()]),
            ..ProviderConfig::default()
        };
        let plan =
            Plan { requests: Some(Budget::of(a_minute(most))), rate: a_minute(600), wait: true, ..plan("", seed) };
        let day = Duration::from_hours(48);
        let stage = together(runs, &plan, 60, FakeProvider::new(config, seed, START), day);
        for run in stage.runs.iter().flatten() {
            let why = run.outcome.as_ref().map(|outcome| &outcome.why);
            assert!(matches!(why, Some(StopReason::Complete | StopReason::DoubtsLeft)), "seed {seed}: {why:?}");
        }
        let minutes = by_minute(stage.trace.as_ref().unwrap());
        for (minute, (dials, reads)) in minutes {
            assert!(
                dials + reads <= most,
                "seed {seed}, {runs} runs: {dials} dials and {reads} reads in minute {minute}"
            );
        }
        assert!(contacts(&stage.world).values().all(|calls| *calls == 1), "seed {seed}");
    }
}

/// With room for all dials that the budget allows, almost the whole of the shared part is dials.
#[test]
fn dials_go_first() {
    for runs in [1, 2] {
        let config = ProviderConfig { slots: 1000, ..ProviderConfig::default() };
        let plan = Plan {
            requests: Some(Budget::of(a_minute(150))),
            rate: a_minute(600),
            look_back: Duration::ZERO,
            slots: Some(1000),
            ..plan("", 1)
        };
        let length = Duration::from_mins(5);
        let stage = together(runs, &plan, 600, FakeProvider::new(config, 1, START), length);
        let minutes = by_minute(stage.trace.as_ref().unwrap());
        let full = minutes.values().skip(1).take(3);
        for (dials, reads) in full {
            println!("{runs} runs: {dials} dials, {reads} reads");
            assert!(*dials >= 100 && *reads >= 4, "{runs} runs: {minutes:?}");
            assert!(dials + reads <= 150);
        }
    }
}

/// A budget that does not suffice makes the campaign slower, and loses nothing of what its calls do.
#[test]
fn a_small_budget_is_slow_and_follows_its_calls() {
    let config =
        ProviderConfig { traffic: vec![Traffic::inbound(50.0, Duration::from_mins(3))], ..ProviderConfig::default() };
    let mut took = Vec::new();
    for most in [10, 20, 150] {
        let plan = Plan { requests: Some(Budget::of(a_minute(most))), reserve: Reserve::always(3), ..plan("", 2) };
        let stage = together(2, &plan, 40, FakeProvider::new(config.clone(), 2, START), Duration::from_hours(48));
        assert!(stage.runs.iter().flatten().all(|run| run.outcome.is_some()), "{most} a minute");
        let low = stage.world.counts().dials_at_most(3);
        println!("{most} a minute: over after {:?}, {low} dials into the reserve", stage.world.now().since(START));
        took.push(stage.world.now());
    }
    let whole: fn(Stamp) -> Duration = |at| at.since(START);
    assert!(whole(took[2]) < whole(took[0]) && whole(took[1]) < whole(took[2]) * 3, "{took:?}");
}
