//! Whole campaigns in virtual time, against a pretended provider: one story a test.

mod stage;

use std::time::Duration;

use dialer::campaign::event::{Notice, Stop, Why};
use dialer::campaign::plan::Plan;
use dialer::journal::Journal;
use dialer::journal::memory::Memory;
use dialer::rehearsal::rehearse::{Setup, Stage};
use dialer::rehearsal::world::config::WorldConfig;
use dialer::time::Stamp;
use stage::{START, journal, plan, stage, steady};

const DAY: Duration = Duration::from_hours(24);
const POST_TIMEOUT: Duration = Duration::from_secs(30);

fn after(seconds: u64) -> Stamp {
    START + Duration::from_secs(seconds)
}

fn why(stage: &Stage<Memory>, place: usize) -> Option<Why> {
    stage.runs[place].as_ref()?.outcome.as_ref().map(|outcome| outcome.why.clone())
}

fn settled(stage: &mut Stage<Memory>, place: usize) -> (u64, u64) {
    let now = stage.now();
    let totals = stage.runs[place].as_mut().unwrap().journal.totals(now).unwrap();
    (totals.settled, totals.total)
}

/// Sets up another run on the same provider, with this journal.
fn again(stage: &mut Stage<Memory>, plan: &Plan, journal: Memory) -> usize {
    stage.start(Setup { plan: plan.clone(), journal, org: 0, post_timeout: POST_TIMEOUT }).unwrap()
}

#[test]
fn a_list_is_rung_to_its_end_and_nobody_twice() {
    let mut stage = stage(&plan(), WorldConfig::default(), 120, 1, 0);
    stage.play(START + DAY, None).unwrap();
    assert_eq!(why(&stage, 0), Some(Why::Complete));
    assert_eq!(settled(&mut stage, 0), (120, 120));
    assert!(stage.world.rung().values().all(|times| *times == 1));
}

#[test]
fn a_lost_journal_is_noticed_before_anybody_is_rung() {
    let mut stage = stage(&plan(), steady(), 60, 2, 0);
    stage.play(after(120), None).unwrap();
    let known = stage.world.calls().len();
    drop(stage.kill(0));
    stage.play(after(300), None).unwrap();
    let now = stage.now();
    let other = Plan { seed: 99, ..plan() };
    let fresh = again(&mut stage, &other, journal(&other, 60, now));
    stage.play(START + DAY, None).unwrap();
    let Some(Why::Strangers(calls, _)) = why(&stage, fresh) else { panic!("{:?}", why(&stage, fresh)) };
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
    assert_eq!(why(&stage, place), Some(Why::Complete));
    assert_eq!(settled(&mut stage, place), (60, 60));
    assert!(stage.world.rung().values().all(|times| *times == 1));
    let notices = &stage.runs[place].as_ref().unwrap().notices;
    assert!(notices.iter().any(|notice| matches!(notice, Notice::Adopted(calls) if *calls > 0)));
}

#[test]
fn a_pause_holds_the_dials_and_a_resume_lets_them_go_on() {
    let mut stage = stage(&plan(), WorldConfig::default(), 60, 4, 0);
    stage.order(0, after(60), Stop::Pause);
    stage.order(0, after(1200), Stop::Resume);
    stage.play(after(1100), None).unwrap();
    let ours = |stage: &Stage<Memory>| stage.world.calls().iter().filter(|call| call.name.is_some()).count();
    let before = ours(&stage);
    stage.play(after(1199), None).unwrap();
    assert_eq!(ours(&stage), before, "dialed during a pause");
    stage.play(START + DAY, None).unwrap();
    assert_eq!(why(&stage, 0), Some(Why::Complete));
    assert_eq!(settled(&mut stage, 0), (60, 60));
}

#[test]
fn a_run_started_on_a_pause_rings_nobody() {
    let mut stage = stage(&plan(), WorldConfig::default(), 60, 5, 0);
    let mut paused = journal(&plan(), 60, stage.now());
    paused.ask(dialer::journal::Control { paused: true, stop: false });
    drop(stage.kill(0));
    let place = again(&mut stage, &plan(), paused);
    stage.play(START + DAY, None).unwrap();
    assert_eq!(why(&stage, place), Some(Why::Paused));
    assert!(stage.world.rung().is_empty());
}

#[test]
fn the_first_interrupt_follows_calls_to_their_end_and_the_second_leaves_them() {
    for (second, settles) in [(false, true), (true, false)] {
        let mut stage = stage(&plan(), WorldConfig::default(), 200, 6, 0);
        stage.order(0, after(300), Stop::Drain);
        if second {
            stage.order(0, after(301), Stop::Now);
        }
        stage.play(START + DAY, None).unwrap();
        let outcome = stage.runs[0].as_ref().unwrap().outcome.clone().unwrap();
        assert_eq!((outcome.why, outcome.interrupted), (Why::Stopped, second));
        let placed = stage.world.calls().iter().filter(|call| call.name.is_some()).count() as u64;
        assert_eq!(settled(&mut stage, 0).0 == placed, settles, "second interrupt: {second}");
        let latest = stage.world.calls().iter().filter(|call| call.name.is_some()).map(|call| call.created).max();
        assert!(latest.unwrap() < after(302), "dialed after the stop");
    }
}

#[test]
fn a_reserve_that_the_limit_cannot_carry_stops_the_dialing() {
    let mut stage = stage(&plan(), WorldConfig { slots: 3, ..WorldConfig::default() }, 60, 7, 0);
    stage.play(START + DAY, None).unwrap();
    assert_eq!(why(&stage, 0), Some(Why::Reserve(3, 3)));
    assert_eq!(stage.world.calls().iter().filter(|call| call.name.is_some()).count(), 1);
}

#[test]
fn a_clock_that_is_wrong_dials_nobody() {
    let mut stage = stage(&plan(), WorldConfig::default(), 60, 8, 0);
    let mut wrong = Stage::new(dialer::rehearsal::world::World::new(WorldConfig::default(), 8, START), 600_000_000);
    let memory = journal(&plan(), 60, wrong.now());
    drop(stage.kill(0));
    wrong.start(Setup { plan: plan(), journal: memory, org: 0, post_timeout: POST_TIMEOUT }).unwrap();
    wrong.play(START + DAY, None).unwrap();
    assert!(matches!(why(&wrong, 0), Some(Why::Clock(off)) if off > Duration::from_secs(590)));
    assert!(wrong.world.calls().iter().all(|call| call.name.is_none()));
}

#[test]
fn no_credit_in_the_middle_stops_and_the_next_run_goes_on() {
    let broke = WorldConfig { fail_after: Some(20), ..WorldConfig::default() };
    let mut stage = stage(&plan(), broke, 60, 9, 0);
    stage.play(START + DAY, None).unwrap();
    assert!(matches!(why(&stage, 0), Some(Why::Account(_))), "{:?}", why(&stage, 0));
    assert_eq!(settled(&mut stage, 0), (20, 60));
}
