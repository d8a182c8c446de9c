//! Whole campaigns in virtual time, against a pretended provider: one story a test.

use std::sync::Arc;
use std::time::Duration;

use crate::fresh::{journal, stage};
use crate::stage::{self, START, plan, steady};
use dialer::campaign::disposition::Class;
use dialer::campaign::event::{AccountFact, Event, News, ReadFailure, ReadId, ReadTrouble, Stop};
use dialer::campaign::notice::{Notice, StopReason};
use dialer::campaign::plan::Plan;
use dialer::campaign::seen::{SeenCall, Status};
use dialer::journal::memory::Memory;
use dialer::journal::{Journal, Listed};
use dialer::leads::lead::{Lead, Phone};
use dialer::pool::calls::CallId;
use dialer::pool::news::RequestTiming;
use dialer::rehearsal::rehearse::{Setup, Simulation};
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::call::{FakeCall, Kind};
use dialer::rehearsal::world::config::{ProviderConfig, Traffic};
use dialer::rehearsal::world::fault::{Fault, Faults};
use dialer::rehearsal::world::mix::{Durations, Ending, Shape};
use dialer::time::{Now, Stamp};

const DAY: Duration = Duration::from_hours(24);
const NO_CREDIT: &str = "call.start.error-subscription-insufficient-credits";
const DAILY_LIMIT: &str = "call.start.error-vapi-number-outbound-daily-limit";
const POST_TIMEOUT: Duration = Duration::from_secs(30);

fn after(seconds: u64) -> Stamp {
    START + Duration::from_secs(seconds)
}

fn why(stage: &Simulation<Memory>, place: usize) -> Option<StopReason> {
    stage.runs[place].as_ref()?.outcome.as_ref().map(|outcome| outcome.why.clone())
}

fn settled(stage: &mut Simulation<Memory>, place: usize) -> (u64, u64) {
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

/// A list in which every third lead names a line of its own.
fn with_own_lines(count: u64, line: &'static str) -> impl Iterator<Item = Listed> {
    stage::leads(count).map(move |row| {
        let own = (row.line % 3 == 0).then(|| line.to_owned());
        Listed { lead: Lead { phone_number_id: own, ..row.lead.clone() }, ..row }
    })
}

#[test]
fn leads_that_name_a_dead_line_hold_up_nobody_and_are_left_as_they_are() {
    let plan = Plan { lines: vec!["line".to_owned(), "other".to_owned()], ..plan() };
    let mut stage = Simulation::new(FakeProvider::new(ProviderConfig::default(), 3, START), 0);
    let journal = stage::journal_of(&plan, with_own_lines(150, "other"), stage.now());
    stage::start(&mut stage, &plan, journal);
    let now = stage.now();
    let run = stage.runs[0].as_mut().unwrap();
    run.campaign.handle(now, Event::LineDown("other".to_owned(), "404".to_owned()));
    stage.play(START + DAY, None).unwrap();
    assert!(matches!(why(&stage, 0), Some(StopReason::Lines(_))), "{:?}", why(&stage, 0));
    assert_eq!(settled(&mut stage, 0), (100, 150));
    assert_eq!(stage.world.rung().len(), stage.world.rung().values().filter(|times| **times == 1).count());
}

#[test]
fn a_daily_limit_on_a_leads_own_line_settles_nobody() {
    let plan = plan();
    let mut stage = Simulation::new(FakeProvider::new(ProviderConfig::default(), 4, START), 0);
    // The provider's own lines have a limit of ten calls a day.
    let journal = stage::journal_of(&plan, with_own_lines(90, "vapi-own"), stage.now());
    stage::start(&mut stage, &plan, journal);
    stage.play(START + DAY, None).unwrap();
    let outcome = stage.runs[0].as_ref().unwrap().outcome.clone().unwrap();
    assert!(matches!(outcome.why, StopReason::Lines(_)), "{outcome:?}");
    assert_eq!(outcome.next_at.map(|at| at.to_string()).as_deref(), Some("2026-01-02T00:00:00Z"));
    assert_eq!(settled(&mut stage, 0), (70, 90));
}

/// A list in which every third lead lives abroad, called from a free line of the provider's and these.
fn abroad(lines: &[&str], down: Option<&str>) -> (Simulation<Memory>, Option<StopReason>) {
    let plan = Plan { lines: lines.iter().map(|line| (*line).to_owned()).collect(), ..plan() };
    let mix = vec![Ending::new(1, "customer-ended-call", Shape::Talk)];
    let mut stage =
        Simulation::new(FakeProvider::new(ProviderConfig { mix, ..ProviderConfig::default() }, 4, START), 0);
    let list = stage::leads(30).map(|row| {
        let digits = if row.line % 3 == 0 { 442_079_460_000 + row.line } else { row.lead.phone.digits() };
        Listed { lead: Lead { phone: Phone::from_digits(digits).unwrap(), ..row.lead.clone() }, ..row }
    });
    let journal = stage::journal_of(&plan, list, stage.now());
    stage::start(&mut stage, &plan, journal);
    let now = stage.now();
    let run = stage.runs[0].as_mut().unwrap();
    run.campaign.handle(now, Event::Account(AccountFact::FreeLine("vapi-free".to_owned())));
    if let Some(line) = down {
        run.campaign.handle(now, Event::LineDown(line.to_owned(), "404".to_owned()));
    }
    stage.play(START + DAY, None).unwrap();
    let why = why(&stage, 0);
    (stage, why)
}

fn invalid(stage: &mut Simulation<Memory>) -> u64 {
    let now = stage.now();
    let totals = stage.runs[0].as_mut().unwrap().journal.totals(now).unwrap();
    totals.dispositions.get(&Class::Invalid).copied().unwrap_or(0)
}

#[test]
fn nobody_abroad_is_called_from_a_free_line_where_another_can() {
    let (mut stage, why) = abroad(&["vapi-free", "line"], None);
    assert_eq!((why, settled(&mut stage, 0), invalid(&mut stage)), (Some(StopReason::Complete), (30, 30), 0));
    let from_free = stage.world.calls().iter().filter(|call| call.request.line.as_deref() == Some("vapi-free")).count();
    assert!((8..=10).contains(&from_free), "{from_free}: the others are called in turn, as far as its day goes");
}

#[test]
fn who_lives_abroad_is_left_as_he_is_when_only_free_lines_are_left() {
    let (mut stage, why) = abroad(&["vapi-free", "line", "third"], Some("line"));
    assert_eq!((why, settled(&mut stage, 0), invalid(&mut stage)), (Some(StopReason::Complete), (30, 30), 0));
    let (mut stage, why) = abroad(&["vapi-free", "line"], Some("line"));
    assert!(matches!(why, Some(StopReason::Lines(_))), "{why:?}");
    assert_eq!(invalid(&mut stage), 0);
    assert!((8..=20).contains(&settled(&mut stage, 0).0));
    let (mut stage, why) = abroad(&["vapi-free"], None);
    assert!(matches!(why, Some(StopReason::Lines(_))), "{why:?}");
    assert!(invalid(&mut stage) > 0, "there is no other line: it was tried");
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
fn a_pool_that_is_larger_than_is_assumed_is_found_out() {
    let traffic = vec![Traffic::inbound(480.0, Duration::from_mins(3))];
    let config = ProviderConfig { slots: 200, traffic, ..ProviderConfig::default() };
    let mut world = FakeProvider::new(config, 6, START);
    // Some two dozen callers are on the line before anybody is dialed: more than the ten slots that are assumed.
    world.advance(after(1_800));
    let mut stage = Simulation::new(world, 0);
    let journal = journal(&plan(), 60, stage.now());
    stage::start(&mut stage, &plan(), journal);
    stage.play(after(1_800) + Duration::from_mins(15), None).unwrap();
    assert_eq!(why(&stage, 0), Some(StopReason::Complete));
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

/// Dials that were placed with no more than the reserve free, of all, and what the runs were told of late slots.
fn with_lag(config: &ProviderConfig, release_lag: Duration) -> (u64, u64, Vec<Duration>) {
    let (mut low, mut dials, mut told) = (0, 0, Vec::new());
    for seed in 0..4 {
        let plan = Plan { release_lag, seed, ..plan() };
        let mut stage = stage(&plan, config.clone(), 250, seed, 0);
        stage.play(START + DAY, None).unwrap();
        low += stage.world.counts().dials_at_most(3);
        dials += stage.world.counts().dials_at_most(u32::MAX);
        let notices = &stage.runs[0].as_ref().unwrap().notices;
        told.extend(notices.iter().filter_map(|notice| match notice {
            Notice::SlotsComeFreeLate(lag) => Some(*lag),
            _ => None,
        }));
    }
    (low, dials, told)
}

#[test]
fn slots_that_come_free_late_are_noticed_and_counted_on_demand() {
    let late = ProviderConfig { release_lag: Duration::from_secs(3), ..steady() };
    let (low, dials, told) = with_lag(&late, Duration::ZERO);
    println!("not counted: {low} of {dials} dials with 3 or fewer free; told {told:?}");
    assert!((3..=4).contains(&told.len()), "a run says so once, when it is sure: {told:?}");
    assert!(told.iter().all(|lag| (Duration::from_secs(2)..=Duration::from_secs(6)).contains(lag)), "{told:?}");
    let (counted, of, told) = with_lag(&late, Duration::from_secs(3));
    println!("counted: {counted} of {of}");
    assert!(told.is_empty() && counted * dials * 2 < low * of, "{counted} of {of}, {low} of {dials}; {told:?}");
}

#[test]
fn what_others_hold_is_not_taken_for_late_slots() {
    let hidden = Traffic { org: Some(1), ..Traffic::inbound(40.0, Duration::from_mins(2)) };
    let ours = Traffic { org: Some(0), ..Traffic::inbound(30.0, Duration::from_mins(2)) };
    let config = ProviderConfig { orgs: 2, traffic: vec![hidden, ours], ..ProviderConfig::default() };
    let (low, dials, told) = with_lag(&config, Duration::ZERO);
    println!("{low} of {dials} dials with 3 or fewer free; told {told:?}");
    assert!(told.is_empty(), "{told:?}");
}

/// With another organisation's calls on the pool, seen or not: dials with no more than the reserve free, and all.
fn beside_another(watched: &[String]) -> (u64, u64) {
    let theirs = Traffic { org: Some(1), ..Traffic::inbound(20.0, Duration::from_mins(3)) };
    let ours = Traffic { org: Some(0), ..Traffic::inbound(30.0, Duration::from_mins(3)) };
    let config = ProviderConfig { orgs: 2, traffic: vec![theirs, ours], ..ProviderConfig::default() };
    let (mut low, mut dials) = (0, 0);
    for seed in 0..8 {
        let plan = Plan { watched: watched.to_vec(), seed, ..plan() };
        let mut stage = stage(&plan, config.clone(), 250, seed, 0);
        stage.play(START + DAY, None).unwrap();
        assert_eq!(why(&stage, 0), Some(StopReason::Complete));
        let told = &stage.runs[0].as_ref().unwrap().notices;
        assert!(
            !told.iter().any(|notice| matches!(notice, Notice::WatchLeft(..) | Notice::AnotherPool(_))),
            "{told:?}"
        );
        low += stage.world.counts().dials_at_most(3);
        dials += stage.world.counts().dials_at_most(u32::MAX);
    }
    (low, dials)
}

#[test]
fn calls_of_another_organisation_that_are_seen_keep_dials_out_of_the_reserve() {
    let (unseen, of) = beside_another(&[]);
    let (seen, all) = beside_another(&["the other".to_owned()]);
    println!("unseen: {unseen} of {of} dials with 3 or fewer free; seen: {seen} of {all}");
    assert!(seen * of * 2 < unseen * all, "unseen {unseen} of {of}, seen {seen} of {all}");
}

/// A call of an organisation that is not the provider's idea of any on this pool.
fn elsewhere(nth: u64, now: Now) -> Arc<SeenCall> {
    let began = Stamp::from(now.wall) - Duration::from_secs(10);
    Arc::new(SeenCall {
        id: CallId::new(&format!("elsewhere-{nth}")),
        org: Some("elsewhere".into()),
        status: Status::InProgress,
        created: began,
        updated: began,
        started: Some(began),
        ended: None,
        reason: None,
        attempt: None,
        phone: None,
        cost: None,
        spoke: false,
        unmarked: true,
        outbound: false,
        opt_out: false,
        analysed: false,
        analysis: None,
    })
}

#[test]
fn a_watched_organisation_on_another_pool_is_told() {
    let config = ProviderConfig { slots: 30, orgs: 2, ..ProviderConfig::default() };
    let plan = Plan { watched: vec!["the other".to_owned()], seed: 3, ..plan() };
    let mut stage = stage(&plan, config, 120, 3, 0);
    stage.play(after(20), None).unwrap();
    let now = stage.now();
    let wire = RequestTiming { sent: now.at, received: now.at, date: None };
    let calls = (0..12).map(|nth| elsewhere(nth, now)).collect();
    let news = News::Listed { read: ReadId(u64::MAX), wire, calls, full: false, unread: None };
    stage.runs[0].as_mut().unwrap().campaign.handle(now, Event::Watched(0, Box::new(news)));
    stage.play(after(600), None).unwrap();
    let told = &stage.runs[0].as_ref().unwrap().notices;
    assert!(told.iter().any(|notice| matches!(notice, Notice::AnotherPool(_))), "{told:?}");
}
