//! Whole campaigns in virtual time, against a pretended provider: one story a test.

use std::time::Duration;

use crate::fresh::{journal, stage};
use crate::stage::{self, START, plan, steady};
use dialer::campaign::event::{Event, ReadFailure, ReadId, ReadTrouble, Stop};
use dialer::campaign::notice::{Notice, StopReason};
use dialer::campaign::plan::Plan;
use dialer::journal::Journal;
use dialer::journal::imported::Listed;
use dialer::journal::memory::Memory;
use dialer::leads::lead::{Lead, Phone};
use dialer::rehearsal::rehearse::{Setup, Simulation};
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::call::{FakeCall, Kind};
use dialer::rehearsal::world::config::ProviderConfig;
use dialer::rehearsal::world::fault::{Fault, Faults};
use dialer::rehearsal::world::mix::{Durations, Ending, Shape};
use dialer::time::Stamp;

pub(super) const DAY: Duration = Duration::from_hours(24);
const NO_CREDIT: &str = "call.start.error-subscription-insufficient-credits";
const DAILY_LIMIT: &str = "call.start.error-vapi-number-outbound-daily-limit";
const POST_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn after(seconds: u64) -> Stamp {
    START + Duration::from_secs(seconds)
}

pub(super) fn why(stage: &Simulation<Memory>, place: usize) -> Option<StopReason> {
    stage.runs[place].as_ref()?.outcome.as_ref().map(|outcome| outcome.why.clone())
}

pub(super) fn settled(stage: &mut Simulation<Memory>, place: usize) -> (u64, u64) {
    let now = stage.now();
    let totals = stage.runs[place].as_mut().unwrap().journal.totals(now).unwrap();
    (totals.settled, totals.total)
}

/// Sets up another run on the same provider, with this journal.
fn again(stage: &mut Simulation<Memory>, plan: &Plan, journal: Memory) -> usize {
    stage.start(Setup { plan: plan.clone(), journal, org: 0, post_timeout: POST_TIMEOUT }).unwrap()
}

#[test]
fn a_list_is_called_to_its_end_and_nobody_twice() {
    let mut stage = stage(&plan(), ProviderConfig::default(), 120, 1, 0);
    stage.play(START + DAY, None).unwrap();
    assert_eq!(why(&stage, 0), Some(StopReason::Complete));
    assert_eq!(settled(&mut stage, 0), (120, 120));
    assert!(stage.world.rung().values().all(|times| *times == 1));
}

#[test]
fn a_lost_journal_is_noticed_before_anybody_is_called() {
    let mut stage = stage(&plan(), steady(), 60, 2, 0);
    stage.play(after(120), None).unwrap();
    let known = stage.world.calls().len();
    drop(stage.kill(0));
    stage.play(after(300), None).unwrap();
    let now = stage.now();
    let other = Plan { seed: 99, ..plan() };
    let fresh = again(&mut stage, &other, journal(&other, 60, now));
    stage.play(START + DAY, None).unwrap();
    let Some(StopReason::Strangers(calls, _)) = why(&stage, fresh) else { panic!("{:?}", why(&stage, fresh)) };
    assert!(calls > 0 && calls <= known as u64);
    assert!(stage.world.rung().values().all(|times| *times == 1));
}

#[test]
fn a_lost_journal_is_taken_back_from_the_listing_on_demand() {
    let mut stage = stage(&plan(), steady(), 60, 3, 0);
    stage.play(after(120), None).unwrap();
    drop(stage.kill(0));
    // Another seed: two journals do not mint the same ids.
    let adopting = Plan { adopt: true, seed: 99, ..plan() };
    let now = stage.now();
    let place = again(&mut stage, &adopting, journal(&adopting, 60, now));
    stage.play(START + DAY, None).unwrap();
    assert_eq!(why(&stage, place), Some(StopReason::Complete));
    assert_eq!(settled(&mut stage, place), (60, 60));
    assert!(stage.world.rung().values().all(|times| *times == 1));
    let notices = &stage.runs[place].as_ref().unwrap().notices;
    assert!(notices.iter().any(|notice| matches!(notice, Notice::Adopted(calls) if *calls > 0)));
}

#[test]
fn calls_without_a_number_are_not_taken_back() {
    let config = ProviderConfig { faults: Faults::default().with(Fault::NoNumber, 0.2), ..steady() };
    let mut stage = stage(&plan(), config, 60, 3, 0);
    stage.play(after(120), None).unwrap();
    drop(stage.kill(0));
    let adopting = Plan { adopt: true, seed: 99, ..plan() };
    let now = stage.now();
    let place = again(&mut stage, &adopting, journal(&adopting, 60, now));
    stage.play(START + DAY, None).unwrap();
    let why = why(&stage, place);
    assert!(matches!(why, Some(StopReason::Numberless(calls)) if calls > 0), "{why:?}");
    assert!(stage.world.rung().values().all(|times| *times == 1));
}

#[test]
fn a_pause_holds_the_dials_and_a_resume_lets_them_go_on() {
    let mut stage = stage(&plan(), ProviderConfig::default(), 60, 4, 0);
    stage.order(0, after(60), Stop::Pause);
    stage.order(0, after(1200), Stop::Resume);
    stage.play(after(1100), None).unwrap();
    let ours = |stage: &Simulation<Memory>| stage.world.calls().iter().filter(|call| call.name.is_some()).count();
    let before = ours(&stage);
    stage.play(after(1199), None).unwrap();
    assert_eq!(ours(&stage), before, "dialed during a pause");
    stage.play(START + DAY, None).unwrap();
    assert_eq!(why(&stage, 0), Some(StopReason::Complete));
    assert_eq!(settled(&mut stage, 0), (60, 60));
}

#[test]
fn a_run_started_on_a_pause_calls_nobody() {
    let mut stage = stage(&plan(), ProviderConfig::default(), 60, 5, 0);
    let mut paused = journal(&plan(), 60, stage.now());
    paused.ask(dialer::journal::Control { paused: true, stop: false });
    drop(stage.kill(0));
    let place = again(&mut stage, &plan(), paused);
    stage.play(START + DAY, None).unwrap();
    assert_eq!(why(&stage, place), Some(StopReason::Paused));
    assert!(stage.world.rung().is_empty());
}

#[test]
fn the_first_interrupt_follows_calls_to_their_end_and_the_second_leaves_them() {
    for (second, settles) in [(false, true), (true, false)] {
        let mut stage = stage(&plan(), ProviderConfig::default(), 200, 6, 0);
        stage.order(0, after(300), Stop::Drain);
        if second {
            stage.order(0, after(301), Stop::Now);
        }
        stage.play(START + DAY, None).unwrap();
        let outcome = stage.runs[0].as_ref().unwrap().outcome.clone().unwrap();
        assert_eq!((outcome.why, outcome.interrupted), (StopReason::Stopped, second));
        let placed = stage.world.calls().iter().filter(|call| call.name.is_some()).count() as u64;
        assert_eq!(settled(&mut stage, 0).0 == placed, settles, "second interrupt: {second}");
        let latest = stage.world.calls().iter().filter(|call| call.name.is_some()).map(|call| call.created).max();
        assert!(latest.unwrap() < after(302), "dialed after the stop");
    }
}

#[test]
fn a_reserve_that_the_limit_cannot_carry_stops_the_dialing() {
    let mut stage = stage(&plan(), ProviderConfig { slots: 3, ..ProviderConfig::default() }, 60, 7, 0);
    stage.play(START + DAY, None).unwrap();
    assert_eq!(why(&stage, 0), Some(StopReason::Reserve(3, 3)));
    assert_eq!(stage.world.calls().iter().filter(|call| call.name.is_some()).count(), 1);
}

#[test]
fn a_clock_that_is_wrong_dials_nobody() {
    let mut stage = stage(&plan(), ProviderConfig::default(), 60, 8, 0);
    let mut wrong =
        Simulation::new(dialer::rehearsal::world::FakeProvider::new(ProviderConfig::default(), 8, START), 600_000_000);
    let memory = journal(&plan(), 60, wrong.now());
    drop(stage.kill(0));
    wrong.start(Setup { plan: plan(), journal: memory, org: 0, post_timeout: POST_TIMEOUT }).unwrap();
    wrong.play(START + DAY, None).unwrap();
    assert!(matches!(why(&wrong, 0), Some(StopReason::Clock(off)) if off > Duration::from_secs(590)));
    assert!(wrong.world.calls().iter().all(|call| call.name.is_none()));
}

#[test]
fn no_credit_in_the_middle_stops_and_the_next_run_goes_on() {
    let broke = ProviderConfig { fail_after: Some(20), ..ProviderConfig::default() };
    let mut stage = stage(&plan(), broke, 60, 9, 0);
    stage.play(START + DAY, None).unwrap();
    assert!(matches!(why(&stage, 0), Some(StopReason::Account(_))), "{:?}", why(&stage, 0));
    assert_eq!(settled(&mut stage, 0), (20, 60));
}

#[test]
fn a_cap_of_ones_own_is_kept_full() {
    let plan = Plan { max_concurrent: Some(2), ..plan() };
    let mut stage = stage(&plan, ProviderConfig::default(), 100, 7, 0);
    stage.play(START + DAY, None).unwrap();
    assert_eq!(why(&stage, 0), Some(StopReason::Complete));
    let lengths = stage.world.calls().iter().filter_map(|call| Some(call.ended?.since(call.created)));
    let (took, talked) = (stage.world.now().since(START), lengths.sum::<Duration>());
    // Two at a time take half as long as all calls together, and a little for each end to be noticed.
    assert!(took < talked * 11 / 20, "{took:?} for {talked:?} of calls");
}

#[test]
fn the_extensions_of_one_switchboard_are_called_one_after_another_in_one_run() {
    let plan = plan();
    let mut stage = Simulation::new(FakeProvider::new(ProviderConfig::default(), 5, START), 0);
    let rows = stage::leads(12).map(|row| {
        let (number, extension) = (row.line % 3, Some(row.line.to_string()));
        let phone = Phone::from_digits(14_150_000_000 + number).unwrap();
        Listed { lead: Lead { phone, extension, ..row.lead.clone() }, ..row }
    });
    let journal = stage::journal_of(&plan, rows, stage.now());
    stage::start(&mut stage, &plan, journal);
    stage.play(START + DAY, None).unwrap();
    assert_eq!(why(&stage, 0), Some(StopReason::Complete));
    assert_eq!(settled(&mut stage, 0), (12, 12));
    let mut calls: Vec<_> = stage.world.calls().iter().collect();
    calls.sort_by_key(|call| (&call.request.number, call.created));
    let at_once =
        |pair: &[&FakeCall]| pair[0].request.number == pair[1].request.number && pair[0].ended > Some(pair[1].created);
    assert!(!calls.windows(2).any(at_once), "no number has two calls at a time");
}

#[test]
fn a_key_that_is_refused_in_the_middle_ends_the_run_at_once() {
    let mut stage = stage(&plan(), ProviderConfig::default(), 60, 9, 0);
    let refusal = |stage: &Simulation<Memory>| ReadFailure {
        kind: ReadTrouble::Key,
        sent: stage.now().at,
        received: stage.now().at,
        date: None,
        message: "401: Invalid Key".to_owned(),
    };
    stage.play(after(60), None).unwrap();
    let actions = stage.runs[0].as_ref().unwrap().actions;
    // Whatever is read from now on, that is the answer.
    for step in 0..1_000 {
        stage.play(after(60) + Duration::from_millis(10 * step), None).unwrap();
        let (now, failure) = (stage.now(), refusal(&stage));
        let run = stage.runs[0].as_mut().unwrap();
        (0..1_000).for_each(|id| run.campaign.handle(now, Event::ReadFailed(ReadId(id), failure.clone())));
    }
    assert!(matches!(why(&stage, 0), Some(StopReason::Key(_))), "{:?}", why(&stage, 0));
    assert!(stage.runs[0].as_ref().unwrap().actions < actions + 30, "it goes on asking");
}

#[test]
fn what_a_campaign_may_cost_is_used_and_not_passed() {
    let minute = (Duration::from_mins(1), Duration::ZERO);
    let config = ProviderConfig {
        mix: vec![Ending::new(1, "assistant-ended-call", Shape::Talk)],
        lengths: Durations { talk: minute, ..Durations::default() },
        ..ProviderConfig::default()
    };
    for (most, seed) in (0..20).flat_map(|seed| [(0.5, seed), (5.0, seed)]) {
        let plan = Plan { max_cost: Some(most), ..plan() };
        let mut stage = stage(&plan, config.clone(), 200, seed, 0);
        stage.play(START + DAY, None).unwrap();
        assert_eq!(why(&stage, 0), Some(StopReason::Cost));
        let calls = stage.world.calls().iter().filter(|call| call.kind == Kind::Outbound);
        let costs: Vec<f64> = calls.map(FakeCall::cost).collect();
        let (sum, one) = (costs.iter().sum::<f64>(), costs[0]);
        assert!(sum <= most + 1e-6 && sum > most - one, "seed {seed}: ${sum:.4} of ${most}, ${one:.4} a call");
    }
}

#[test]
fn a_small_sum_is_hardly_passed_though_the_first_calls_to_end_cost_nothing() {
    let mut sums = Vec::new();
    for seed in 0..20 {
        let plan = Plan { max_cost: Some(1.0), seed, ..plan() };
        let mut stage = stage(&plan, ProviderConfig::default(), 200, seed, 0);
        stage.play(START + DAY, None).unwrap();
        assert_eq!(why(&stage, 0), Some(StopReason::Cost));
        let calls = stage.world.calls().iter().filter(|call| call.kind == Kind::Outbound);
        sums.push(calls.map(FakeCall::cost).sum::<f64>());
    }
    sums.sort_by(f64::total_cmp);
    // One talk can cost as much as ten others.
    assert!(sums[0] > 0.7 && sums[10] < 1.3 && sums[19] < 2.2, "{sums:.2?}");
}

#[test]
fn a_listing_that_takes_longer_than_its_news_are_fresh_holds_nobody_up() {
    for travel in [3, 15] {
        let mut stage = stage(&plan(), ProviderConfig::default(), 60, 11, 0);
        stage.read_travel = Duration::from_secs(travel);
        stage.play(START + DAY, None).unwrap();
        assert_eq!(why(&stage, 0), Some(StopReason::Complete), "{travel} s");
    }
}

#[test]
fn a_call_that_is_over_for_want_of_credit_before_its_answer_comes_stops_the_campaign() {
    for (reason, seed) in [(NO_CREDIT, 0), (NO_CREDIT, 1), (NO_CREDIT, 2), (DAILY_LIMIT, 3), (DAILY_LIMIT, 4)] {
        let lengths = Durations { setup: (Duration::ZERO, Duration::ZERO), ..Durations::default() };
        let config = ProviderConfig {
            mix: vec![Ending::new(1, reason, Shape::NeverRings)],
            faults: Faults::default().with(Fault::Slow, 0.7),
            lengths,
            ..ProviderConfig::default()
        };
        let mut stage = stage(&Plan { wait: true, ..plan() }, config, 60, seed, 0);
        stage.play(START + DAY / 4, None).unwrap();
        let end = why(&stage, 0);
        assert!(matches!(end, Some(StopReason::Account(_) | StopReason::Lines(_))), "seed {seed}: {end:?}");
        assert!(stage.world.calls().iter().filter(|call| call.kind == Kind::Outbound).count() < 10, "seed {seed}");
        assert_eq!(settled(&mut stage, 0), (0, 60), "nobody is burnt");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace_to_the_byte() {
    let trace = |seed| {
        let faults = Fault::ALL.into_iter().fold(Faults::default(), |faults, fault| faults.with(fault, 0.04));
        let mut stage =
            stage(&Plan { wait: true, ..plan() }, ProviderConfig { faults, ..steady() }, 150, seed, 7_000_000);
        stage.trace = Some(String::new());
        stage.play(START + DAY, None).unwrap();
        stage.trace.unwrap()
    };
    let (one, again, other) = (trace(21), trace(21), trace(22));
    assert!(one.lines().count() > 1_000);
    assert!(one == again, "the two differ");
    assert!(one != other);
}

#[test]
fn a_rate_limit_that_asks_for_no_wait_is_waited_for_all_the_same() {
    let mut stage = stage(&plan(), ProviderConfig::default(), 60, 9, 0);
    stage.play(after(30), None).unwrap();
    let actions = stage.runs[0].as_ref().unwrap().actions;
    for step in 0..2_000 {
        stage.play(after(30) + Duration::from_millis(10 * step), None).unwrap();
        let now = stage.now();
        let kind = ReadTrouble::Rate(Some(Duration::ZERO));
        let failure = ReadFailure { kind, sent: now.at, received: now.at, date: None, message: "429".to_owned() };
        let run = stage.runs[0].as_mut().unwrap();
        (0..1_000).for_each(|id| run.campaign.handle(now, Event::ReadFailed(ReadId(id), failure.clone())));
    }
    let more = stage.runs[0].as_ref().unwrap().actions - actions;
    assert!(more < 60, "{more} actions in 20 s");
}

#[test]
fn leads_that_are_turned_away_cost_no_time() {
    let mut stage = Simulation::new(FakeProvider::new(ProviderConfig::default(), 6, START), 0);
    let dnc = |phone: Phone| phone.digits() < 14_150_000_060;
    let journal = stage::journal_with(&plan(), stage::leads(70), stage.now(), dnc);
    stage::start(&mut stage, &plan(), journal);
    stage.play(after(30), None).unwrap();
    let outbound = stage.world.calls().iter().filter(|call| call.kind == Kind::Outbound);
    let first = outbound.map(|call| call.created.since(START)).min();
    assert!(first.is_some_and(|first| first < Duration::from_secs(8)), "{first:?}");
}
