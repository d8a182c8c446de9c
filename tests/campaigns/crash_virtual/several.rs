//! Two campaigns on one pool and one journal; one campaign on two machines.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use dialer::campaign::notice::StopReason;
use dialer::campaign::plan::Plan;
use dialer::journal::disk::run::Run;
use dialer::journal::imported::Listed;
use dialer::journal::{Journal, Totals};
use dialer::rehearsal::rehearse::{Setup, Simulation};
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::call::{FakeCall, Kind, POOL_REASON};
use dialer::rehearsal::world::config::ProviderConfig;
use dialer::rehearsal::world::fault::{Fault, Faults};
use dialer::time::Stamp;

use super::place::is_there;
use super::scene::{Dice, Home, Kept, START, contacts, every_fault, leads, open, plan, skew, state_dir, world};
use super::{a_tenth, seeds};

const DAY: Duration = Duration::from_hours(24);

/// A campaign among several, and where it is.
struct Camp {
    plan: Plan,
    list: Vec<Listed>,
    place: Option<usize>,
    /// Not to be started before then.
    not_before: Stamp,
    complete: bool,
    ends: Vec<StopReason>,
}

impl Camp {
    fn new(name: &str, seed: u64, first: u64, count: u64) -> Self {
        let plan = Plan { not_if_called_within: Some(DAY), ..plan(name, seed) };
        Self { plan, list: leads(first, count), place: None, not_before: START, complete: false, ends: Vec::new() }
    }

    fn start(&mut self, stage: &mut Simulation<Run>, dir: &Home, life: u64) {
        let journal = open(dir.path(), &self.plan, &self.list, stage.now(), life);
        let setup = Setup { plan: self.plan.clone(), journal, org: 0, post_timeout: Duration::from_secs(30) };
        let place = stage.start(setup).unwrap();
        self.place = Some(place);
    }

    /// Takes note of a run that is over.
    fn collect(&mut self, stage: &mut Simulation<Run>) {
        let over = |place: &usize| stage.runs[*place].as_ref().is_some_and(|run| run.outcome.is_some());
        let Some(place) = self.place.filter(over) else { return };
        let (now, at) = (stage.now(), stage.world.now());
        let outcome = stage.runs[place].as_ref().and_then(|run| run.outcome.clone()).unwrap();
        stage.kill(place).unwrap().end(now).unwrap();
        self.place = None;
        let wait = outcome.next_at.map_or(Duration::from_mins(2), |next| next.duration_since(now.wall).unsigned_abs());
        self.not_before = at + wait + Duration::from_secs(1);
        self.complete = outcome.why == StopReason::Complete;
        self.ends.push(outcome.why);
    }

    fn totals(&self, stage: &Simulation<Run>, dir: &Home) -> Totals {
        let mut journal = open(dir.path(), &self.plan, &self.list, stage.now(), 9_999);
        journal.totals(stage.now()).unwrap()
    }
}

/// Calls two lists that share numbers, on one pool, and kills one run or the other so many times.
fn together(kept: Kept, seed: u64, mut crashes: u64, world: FakeProvider) -> (Simulation<Run>, u64) {
    let mut dice = Dice::new(seed ^ 0x2222);
    let dir = Home::new(kept);
    let mut stage = Simulation::new(world, skew(seed));
    let mut camps = [Camp::new("autumn", seed, 0, 40), Camp::new("spring", seed, 30, 40)];
    let (mut life, mut killed) = (0, 0);
    for turn in 0.. {
        assert!(turn < 5_000, "seed {seed}: it never ends: {:?}", camps.map(|camp| camp.ends));
        let now = stage.world.now();
        for camp in camps.iter_mut().filter(|camp| camp.place.is_none() && !camp.complete && camp.not_before <= now) {
            life += 1;
            camp.start(&mut stage, &dir, life);
        }
        if camps.iter().all(|camp| camp.place.is_none()) {
            let Some(next) = camps.iter().filter(|camp| !camp.complete).map(|camp| camp.not_before).min() else {
                break;
            };
            stage.world.advance(next);
            continue;
        }
        let length = 1_000 << dice.below(10);
        stage.play(stage.world.now() + Duration::from_millis(dice.below(length)), None).unwrap();
        let next = stage.world.now() + Duration::from_millis(1);
        stage.world.advance(next);
        for camp in &mut camps {
            camp.collect(&mut stage);
        }
        let victim = &mut camps[usize::try_from(dice.below(2)).unwrap()];
        if crashes > 0
            && dice.below(3) == 0
            && let Some(place) = victim.place.take()
        {
            drop(stage.kill(place));
            let pause = 1_000 << dice.below(10);
            victim.not_before = stage.world.now() + Duration::from_millis(dice.below(pause));
            (crashes, killed) = (crashes - 1, killed + 1);
        }
    }
    let mut parked = 0;
    for camp in &camps {
        let totals = camp.totals(&stage, &dir);
        assert_eq!(totals.settled + totals.parked, 40, "seed {seed}: {totals:?} {:?}", camp.ends);
        parked += totals.parked;
    }
    let contacts = contacts(&stage.world).len() as u64;
    assert!(contacts + parked >= 70 && contacts <= 70, "seed {seed}: {contacts} were called, {parked} put aside");
    (stage, killed)
}

/// Nobody was called more than once by each campaign, nor by the second within a day of the first.
fn nobody_twice(stage: &Simulation<Run>, seed: u64) {
    let mut by_number: BTreeMap<&str, Vec<&FakeCall>> = BTreeMap::new();
    let outbound = stage.world.calls().iter().filter(|call| call.kind == Kind::Outbound);
    for call in outbound.filter(|call| call.reason.as_deref() != Some(POOL_REASON)) {
        by_number.entry(&call.request.number).or_default().push(call);
    }
    for (number, calls) in by_number {
        let mark = |call: &FakeCall| call.request.name.as_deref().map(|name| name[..9].to_owned());
        for pair in calls.windows(2) {
            let apart = pair[1].created.since(pair[0].created);
            // Only a call that was known to nobody for a while lets the other campaign come early: it was in doubt.
            assert!(mark(pair[0]) != mark(pair[1]), "seed {seed}: {number} twice by one campaign");
            assert!(apart + Duration::from_mins(1) >= DAY, "seed {seed}: {number} again after {apart:?}");
        }
    }
}

fn survive(kept: Kept, seeds: Range<u64>) {
    let mut crashes = 0;
    for seed in seeds {
        let (stage, killed) = together(kept, seed, 6, world(seed, 10));
        nobody_twice(&stage, seed);
        crashes += killed;
    }
    println!("{crashes} crashes");
}

#[test]
fn two_campaigns_on_one_pool_survive_each_others_crashes() {
    survive(Kept::InFile, seeds(10));
}

#[test]
fn two_campaigns_on_one_server_survive_each_others_crashes() {
    if is_there() {
        survive(Kept::OnServer, a_tenth(10));
    }
}

/// The share of dials that were placed with no more than the reserve free.
fn share(stages: &[Simulation<Run>]) -> f64 {
    let dials: u64 = stages.iter().map(|stage| stage.world.counts().dials_at_most(u32::MAX)).sum();
    let low: u64 = stages.iter().map(|stage| stage.world.counts().dials_at_most(3)).sum();
    println!("{low} of {dials} dials with 3 or fewer slots free");
    #[expect(clippy::cast_precision_loss, reason = "a share of dials needs no more than 52 bits")]
    let share = low as f64 / dials as f64;
    share
}

#[test]
fn two_campaigns_keep_the_reserve_as_well_as_one() {
    let calm = |seed| FakeProvider::new(ProviderConfig::default(), seed, START);
    let alone = |seed| {
        let dir = state_dir();
        let mut stage = Simulation::new(calm(seed), skew(seed));
        let mut camp = Camp::new("alone", seed, 0, 80);
        camp.start(&mut stage, &dir, 1);
        stage.play(START + DAY, None).unwrap();
        stage
    };
    let one: Vec<_> = seeds(10).map(alone).collect();
    let two: Vec<_> = seeds(10).map(|seed| together(Kept::InFile, seed, 0, calm(seed)).0).collect();
    let shaken: Vec<_> = seeds(10).map(|seed| together(Kept::InFile, seed, 4, calm(seed)).0).collect();
    let (one, two, shaken) = (share(&one), share(&two), share(&shaken));
    assert!(two <= one + 0.02 && shaken <= one + 0.02, "{one} alone, {two} together, {shaken} with crashes");
}

/// Calls the same list from two machines; the second starts that long after the first call of the first was created.
/// How often each number was called, how each machine ended, and how many calls the second made.
fn on_two_machines(seed: u64, faults: Faults, after: Duration) -> (BTreeMap<String, u32>, [Vec<StopReason>; 2], usize) {
    let world = FakeProvider::new(ProviderConfig { faults, ..ProviderConfig::default() }, seed, START);
    let mut stage = Simulation::new(world, skew(seed));
    let dirs = [state_dir(), state_dir()];
    let mut camps = [Camp::new("leads", seed, 0, 60), Camp::new("leads", seed, 0, 60)];
    camps[0].start(&mut stage, &dirs[0], 1);
    let mut until = START;
    while after > Duration::ZERO && contacts(&stage.world).is_empty() {
        until = until + Duration::from_millis(500);
        stage.play(until, None).unwrap();
    }
    stage.play(until + after, None).unwrap();
    camps[1].start(&mut stage, &dirs[1], 2);
    stage.play(START + DAY, None).unwrap();
    for camp in &mut camps {
        camp.collect(&mut stage);
    }
    let totals = camps[1].totals(&stage, &dirs[1]);
    let made = usize::try_from(totals.total - totals.open).unwrap();
    (contacts(&stage.world), camps.map(|camp| camp.ends), made)
}

#[test]
fn a_second_machine_stops_and_has_rung_nobody() {
    for seed in seeds(20) {
        let after = Duration::from_millis(1_000 + Dice::new(seed ^ 0x3333).below(1 << (4 + seed % 17)));
        let faults = every_fault(0.05).with(Fault::Forgotten, 0.0);
        let (called, ends, made) = on_two_machines(seed, faults, after);
        assert!(matches!(ends[1][..], [StopReason::Strangers(..)]), "seed {seed}: {ends:?}");
        assert_eq!((made, called.values().max()), (0, Some(&1)), "seed {seed}");
    }
}

#[test]
fn two_machines_that_start_together_part_after_one_lead() {
    for seed in seeds(20) {
        let (called, ends, _) = on_two_machines(seed, Faults::default(), Duration::ZERO);
        let stopped = |ends: &Vec<StopReason>| ends.iter().any(|why| matches!(why, StopReason::AnotherMachine(_)));
        assert!(ends.iter().any(stopped), "seed {seed}: {ends:?}");
        let twice = called.values().filter(|times| **times > 1).count();
        assert!(twice <= 1, "seed {seed}: {twice} numbers were called twice");
    }
}
