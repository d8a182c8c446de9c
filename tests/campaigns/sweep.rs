//! Whole campaigns in virtual time, over many seeds and with every fault on: what must be true of each of them.
//!
//! `DIALER_SEEDS=1000 cargo test --release --test campaigns sweep::` tries that many; without it a few dozen.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::stage::{START, leads, plan, steady};
use crate::stores::{InMemory, OnDisk, Stage, Store};
use dialer::campaign::event::Stop;
use dialer::campaign::notice::StopReason;
use dialer::campaign::plan::{Plan, Rate, Reserve};
use dialer::campaign::retry::Retries;
use dialer::journal::{Journal, Totals};
use dialer::rehearsal::rehearse::Run;
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::config::{BlockedAs, ProviderConfig, Traffic};
use dialer::rehearsal::world::fault::{Fault, Faults};
use dialer::time::Stamp;
use dialer::trace::replay::replay;
use jiff::tz::TimeZone;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const DAY: Duration = Duration::from_hours(24);
/// A campaign that is run again and again comes to its end within so many runs.
const RUNS: usize = 60;

/// One campaign, drawn from a seed.
struct Case {
    seed: u64,
    plan: Plan,
    config: ProviderConfig,
    leads: u64,
    attempts: u32,
    skew: i64,
    orders: Vec<(Stamp, Stop)>,
    /// Before which actions of a run its machine stands still, and for how long.
    gaps: Vec<(u64, Duration)>,
}

struct Draw(StdRng);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

impl Case {
    fn of(seed: u64) -> Self {
        let mut draw = Draw(StdRng::seed_from_u64(seed));
        let slots = 2 + u32::try_from(draw.below(12)).unwrap();
        let reserve = u32::try_from(draw.below(u64::from(slots).min(4))).unwrap();
        let attempts = draw.one_of(&[1, 1, 2, 3]);
        let rate = Rate { count: NonZeroU32::new(draw.one_of(&[1, 2, 7])).unwrap(), per: Duration::from_secs(1) };
        let retry: Vec<String> = ["no-answer=10m,1h", "busy=5m", "voicemail=20m", "fault=5m"].map(str::to_owned).into();
        let plan = Plan {
            reserve: Reserve::always(reserve),
            rate,
            in_doubt: draw.one_of(&[Some(Duration::from_mins(10)), Some(Duration::from_mins(10)), None]),
            drain: draw.one_of(&[false, false, true]),
            wait: draw.one_of(&[false, true]),
            caution: draw.one_of(&[0, 0, 0, 1]).min(slots - reserve - 1),
            limit: draw.one_of(&[None, None, None, Some(40)]),
            max_concurrent: draw.one_of(&[None, None, Some(2)]),
            retries: Retries::parse(attempts, &retry, 20, seed, TimeZone::UTC).unwrap(),
            seed,
            ..plan()
        };
        let likely = draw.one_of(&[0.005, 0.02, 0.05]);
        let apart = [Fault::LateCreate, Fault::NoMark, Fault::NoNumber];
        let faults: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| !apart.contains(fault)).collect();
        let mut config = ProviderConfig {
            slots,
            orgs: 2,
            traffic: vec![Traffic::inbound(draw.one_of(&[0.0, 20.0, 60.0]), Duration::from_mins(2))],
            blocked_as: draw.one_of(&BlockedAs::ALL),
            faults: Faults::all_of(&faults, likely),
            ..steady()
        };
        let skew = i64::try_from(draw.below(200_000)).unwrap() * 1_000 - 100_000_000;
        let orders = orders(&mut draw);
        if draw.below(8) == 0 {
            config.faults = Faults::all_of(&faults, 0.15);
        }
        // Listings of some accounts show no marks, or not those of every call.
        let stripped = [0.0, 0.0, 0.0, 0.2, 1.0][usize::try_from(seed % 5).unwrap()];
        config.faults = config.faults.with(Fault::NoMark, stripped);
        let leads = 60 + draw.below(70);
        let gaps = if seed % 3 == 2 { gaps(&mut draw) } else { Vec::new() };
        Self { seed, plan, config, leads, attempts, skew, orders, gaps }
    }
}

/// In their order: seconds to minutes.
fn gaps(draw: &mut Draw) -> Vec<(u64, Duration)> {
    let some = 1 + draw.below(4);
    let mut gaps: Vec<_> =
        (0..some).map(|_| (draw.below(400), Duration::from_millis(1 << (10 + draw.below(11))))).collect();
    gaps.sort_unstable();
    gaps
}

/// Orders from another shell: each pause is followed by a resume.
fn orders(draw: &mut Draw) -> Vec<(Stamp, Stop)> {
    let mut at = START;
    let mut orders = Vec::new();
    for _ in 0..draw.below(4) {
        at = at + Duration::from_micros(draw.below(600_000) * 1_000);
        match draw.below(4) {
            0 => orders.push((at, Stop::Drain)),
            1 => orders.push((at, Stop::Now)),
            _ => {
                orders.push((at, Stop::Pause));
                at = at + Duration::from_micros(draw.below(300_000) * 1_000);
                orders.push((at, Stop::Resume));
            }
        }
    }
    orders
}

/// Runs the campaign, again and again, until there is nothing more to do.
fn sweep<S: Store>(seed: u64) {
    let case = Case::of(seed);
    let list = leads(case.leads).collect();
    let mut stage = Stage::<S>::of(&case.plan, case.config.clone(), list, seed, case.skew);
    for place in 0..RUNS {
        let began = stage.world.now();
        stage.trace = Some(String::new());
        for (at, stop) in case.orders.iter().filter(|(at, _)| *at >= began) {
            stage.order(place, *at, *stop);
        }
        let mut woke = Vec::new();
        for (action, time) in &case.gaps {
            if stage.play(began + DAY * 3, Some(*action)).unwrap().is_some() {
                stage.stand_still(*time).unwrap();
                woke.push(stage.trace.as_ref().map_or(0, String::len));
            }
        }
        stage.play(began + DAY * 3, None).unwrap();
        let (trace, now) = (stage.trace.take().unwrap(), stage.now());
        let simulation = &mut *stage;
        let over = simulation.runs[place].as_mut().unwrap();
        let totals = over.journal.totals(now).unwrap();
        check(&case, over, &totals, &trace, began);
        for woke in woke {
            nobody_was_dialed_on_old_news(seed, &trace[woke..]);
        }
        nobody_was_called_too_often(&case, &simulation.world);
        for trace in simulation.traces.iter_mut().flat_map(|traces| traces.drain(..)) {
            decides_the_same_again(seed, &trace.bytes());
        }
        if totals.settled + totals.parked == totals.total {
            return;
        }
        let again = over.outcome.as_ref().and_then(|outcome| outcome.next_at).map(Stamp::from);
        let again = again.unwrap_or(simulation.world.now() + Duration::from_secs(5));
        simulation.world.advance(again + Duration::from_secs(200));
        stage.again(&case.plan, place);
    }
    panic!("seed {seed}: not over after {RUNS} runs");
}

/// Replays the trace of a run that is over.
fn decides_the_same_again(seed: u64, trace: &[u8]) {
    let replayed = replay(trace).unwrap_or_else(|error| panic!("seed {seed}: {error}: {error:?}"));
    assert!(replayed.whole && replayed.actions > 0, "seed {seed}: {replayed:?}");
}

fn nobody_was_called_too_often(case: &Case, world: &FakeProvider) {
    for (number, times) in world.rung() {
        assert!(times <= case.attempts, "seed {}: {number} was called {times} times", case.seed);
    }
}

fn check<J>(case: &Case, over: &Run<J>, totals: &Totals, trace: &str, began: Stamp) {
    let seed = case.seed;
    let outcome = over.outcome.as_ref();
    let why = outcome.unwrap_or_else(|| panic!("seed {seed}: it never ends {:?}\n{}", totals, tail(trace))).why.clone();
    assert_eq!(totals.total, case.leads, "seed {seed}");
    assert_eq!(totals.settled + totals.open + totals.in_doubt, totals.total, "seed {seed}: {totals:?}");
    assert_eq!(totals.dispositions.values().sum::<u64>(), totals.settled, "seed {seed}: {totals:?}");
    if why == StopReason::Complete {
        assert_eq!(totals.settled + totals.parked, totals.total, "seed {seed}: {totals:?}");
    }
    let dials: Vec<i64> = trace.lines().filter(|line| line.contains(" Place(")).map(micros).collect();
    let tally = over.campaign.tally();
    let decided = tally.placed + tally.refused;
    let withdrawn = trace.lines().filter(|line| line.contains(" Withdrawn(")).count();
    let placed = u64::try_from(dials.len() + withdrawn).unwrap();
    let cut_off = outcome.is_some_and(|outcome| outcome.interrupted);
    let complete = cut_off || placed <= decided + totals.in_doubt;
    assert!(decided <= placed && complete, "seed {seed}: {placed} {tally:?} {totals:?}");
    assert!(tally.blocked <= tally.refused, "seed {seed}: {tally:?}");
    let gap = i64::try_from(case.plan.rate.per.as_micros()).unwrap() / i64::from(case.plan.rate.count.get());
    for pair in dials.windows(2) {
        assert!(pair[1] - pair[0] >= gap - 5_000, "seed {seed}: faster than the rate\n{}", tail(trace));
    }
    let orders = case.orders.iter().filter(|(at, _)| *at >= began);
    let orders: Vec<(i64, Stop)> = orders.map(|(at, stop)| (at.as_micros() + case.skew, *stop)).collect();
    for dial in dials {
        // In the instant of the order itself a dial may come before it.
        let given = || orders.iter().filter(|(at, _)| *at <= dial);
        let stopped = given().any(|(at, stop)| matches!(stop, Stop::Drain | Stop::Now) && *at < dial);
        let paused = given().next_back().is_some_and(|(at, stop)| *stop == Stop::Pause && *at < dial);
        assert!(!stopped && !paused, "seed {seed}: a dial at {dial} after {orders:?}\n{}", tail(trace));
    }
}

/// What is dialed after the machine stood still is dialed on a listing that was asked for, and came, after that.
fn nobody_was_dialed_on_old_news(seed: u64, on_waking: &str) {
    let mut lines = on_waking.lines();
    let asked = lines.find(|line| line.contains(" Place(") || line.contains(" Read(") && line.contains("Updated"));
    let dial = asked.and_then(|asked| std::iter::once(asked).chain(lines).find(|line| line.contains(" Place(")));
    let soon = asked.zip(dial).filter(|(asked, dial)| micros(dial) < micros(asked) + 40_000);
    assert_eq!(soon, None, "seed {seed}: a dial on old news");
}

/// When a line of the trace was written, in microseconds of the dialing machine.
fn micros(line: &str) -> i64 {
    let at: jiff::Timestamp = line.split(' ').next().unwrap().parse().unwrap();
    at.as_microsecond()
}

fn tail(trace: &str) -> String {
    let lines: Vec<&str> = trace.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

fn seeds() -> u64 {
    std::env::var("DIALER_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(150)
}

#[test]
fn every_campaign_keeps_its_promises() {
    (0..seeds()).for_each(sweep::<InMemory>);
}

#[test]
fn a_tenth_of_them_keep_their_promises_on_the_journal_that_ships() {
    (0..seeds().div_ceil(10)).for_each(sweep::<OnDisk>);
}

#[test]
fn a_run_that_only_follows_its_last_calls_sleeps_between_its_reads() {
    sweep::<InMemory>(7);
    sweep::<OnDisk>(7);
}

#[test]
fn the_second_dial_comes_even_if_the_first_call_ends_before_its_own_answer() {
    sweep::<InMemory>(169);
    sweep::<OnDisk>(169);
}

#[test]
fn a_call_that_shows_up_after_its_attempt_was_written_off_is_counted_among_the_placed() {
    sweep::<InMemory>(198);
    sweep::<OnDisk>(198);
}
