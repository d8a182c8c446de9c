//! Times of the provider's that cannot be: believed by nobody, kept by nothing.

use std::time::Duration;

use crate::fresh::{journal, stage};
use crate::stage::{START, plan, start, steady};
use dialer::campaign::notice::{Notice, StopReason};
use dialer::campaign::plan::Plan;
use dialer::campaign::retry::Retries;
use dialer::journal::Journal;
use dialer::journal::memory::Memory;
use dialer::rehearsal::rehearse::Simulation;
use dialer::rehearsal::world::config::{ProviderConfig, Traffic};
use dialer::rehearsal::world::fault::{Fault, Faults};
use dialer::time::Stamp;
use jiff::tz::TimeZone;

const DAY: Duration = Duration::from_hours(24);

fn seeds(usually: u64) -> std::ops::Range<u64> {
    0..std::env::var("DIALER_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usually)
}

fn after(milliseconds: u64) -> Stamp {
    START + Duration::from_millis(milliseconds)
}

fn wrong(likely: f64) -> Faults {
    Faults::default().with(Fault::WrongStamp, likely)
}

fn told(stage: &Simulation<Memory>) -> usize {
    let run = stage.runs[0].as_ref().unwrap();
    run.notices.iter().filter(|notice| matches!(notice, Notice::WrongTimes)).count()
}

/// Answers are lost, their calls are listed late, and half of all answers carry wrong times.
#[test]
fn nobody_is_called_twice_where_the_proof_of_absence_rests_on_wrong_times() {
    for seed in seeds(60) {
        let faults = wrong(0.5).with(Fault::DropAfter, 0.2).with(Fault::Forgotten, 0.2);
        let plan = Plan { seed, wait: true, in_doubt: Some(Duration::from_secs(250)), ..plan() };
        let skew = i64::try_from(seed).unwrap() % 7 * 20_000_000 - 60_000_000;
        let mut stage = stage(&plan, ProviderConfig { faults, ..steady() }, 40, seed, skew);
        stage.play(START + DAY, None).unwrap();
        let run = stage.runs[0].as_ref().unwrap();
        let why = run.outcome.as_ref().map(|outcome| &outcome.why);
        assert_eq!(why, Some(&StopReason::Complete), "seed {seed}: {:?}", run.campaign.held_up());
        let twice: Vec<_> = stage.world.rung().into_iter().filter(|(_, times)| *times > 1).collect();
        assert!(twice.is_empty(), "seed {seed}: {twice:?}");
        assert_eq!(told(&stage), 1, "seed {seed}");
    }
}

#[test]
fn one_wrong_date_on_the_first_listing_stops_nothing_and_is_not_written_down() {
    for seed in seeds(30) {
        let mut stage = stage(&Plan { seed, ..plan() }, steady(), 20, seed, 30_000_000);
        stage.world.set_faults(wrong(1.0));
        stage.play(after(40), None).unwrap();
        stage.world.set_faults(wrong(0.0));
        stage.play(START + DAY, None).unwrap();
        let now = stage.now();
        let run = stage.runs[0].as_mut().unwrap();
        assert_eq!(run.outcome.as_ref().map(|outcome| &outcome.why), Some(&StopReason::Complete), "seed {seed}");
        let history = run.journal.history(now).unwrap();
        assert!(history.watermark.unwrap() < START, "seed {seed}: {:?}", history.watermark);
    }
}

/// A run takes up calls that ended meanwhile, and all that it hears first is wrong, of the provider's clock, too.
#[test]
fn no_call_ends_in_a_time_to_come_where_the_first_answers_of_a_run_are_wrong() {
    for seed in seeds(60) {
        let delays = ["no-answer=1m", "busy=1m", "voicemail=1m", "rejected=1m", "fault=1m"].map(str::to_owned);
        let retries = Retries::parse(2, &delays, 20, seed, TimeZone::UTC).unwrap();
        let plan = Plan { seed, wait: true, retries, ..plan() };
        let mut stage = stage(&plan, steady(), 20, seed, 0);
        stage.play(after(20_000), None).unwrap();
        let journal = stage.kill(0).unwrap();
        stage.world.advance(after(600_000));
        stage.world.set_faults(wrong(1.0));
        start(&mut stage, &plan, journal);
        stage.play(after(600_500), None).unwrap();
        stage.world.set_faults(wrong(0.0));
        stage.play(START + DAY, None).unwrap();
        let now = stage.now();
        let run = stage.runs[1].as_mut().unwrap();
        let (why, totals) = (run.outcome.as_ref().map(|outcome| &outcome.why), run.journal.totals(now).unwrap());
        assert_eq!(why, Some(&StopReason::Complete), "seed {seed}: {totals:?}");
        assert!(totals.minutes < 20.0 * 60.0, "seed {seed}: {totals:?}");
    }
}

#[test]
fn a_watermark_that_lies_ahead_is_no_watermark() {
    let plan = plan();
    let mut stage = stage(&plan, steady(), 20, 3, 0);
    let mut journal = journal(&plan, 20, stage.now());
    journal.watermark(stage.now(), START, START + DAY * 36_500).unwrap();
    drop(stage.kill(0));
    stage.trace = Some(String::new());
    start(&mut stage, &plan, journal);
    stage.play(after(10_000), None).unwrap();
    let trace = stage.trace.take().unwrap();
    let look_back = START - plan.look_back - Duration::from_mins(5);
    let search = trace.lines().find(|line| line.contains("Created {")).unwrap();
    let from: i64 = search.split("from: Stamp(").nth(1).unwrap().split(')').next().unwrap().parse().unwrap();
    assert!((look_back.as_micros()..(START - DAY).as_micros()).contains(&from), "{search}");
    let now = stage.now();
    let history = stage.runs[1].as_mut().unwrap().journal.history(now).unwrap();
    assert!(history.watermark.unwrap() < START, "{:?}", history.watermark);
}

#[test]
fn a_limit_that_changed_is_learnt_though_an_answer_came_from_the_future() {
    for seed in seeds(20) {
        let mut stage = stage(&Plan { seed, ..plan() }, steady(), 200, seed, 0);
        stage.play(after(20_000), None).unwrap();
        stage.world.set_faults(wrong(1.0));
        stage.play(after(24_000), None).unwrap();
        stage.world.set_faults(wrong(0.0));
        stage.world.set_limit(after(24_000), 8);
        stage.play(after(400_000), None).unwrap();
        let run = stage.runs[0].as_ref().unwrap();
        assert_eq!(run.campaign.slots(stage.now()).limit, 8, "seed {seed}");
    }
}

/// Dials with no more than the reserve free, beside another organisation's calls.
fn into_the_reserve(likely: f64) -> (u64, u64) {
    let (mut low, mut dials) = (0, 0);
    for seed in seeds(40) {
        let theirs = Traffic { org: Some(1), ..Traffic::inbound(60.0, Duration::from_mins(2)) };
        let ours = Traffic { org: Some(0), ..Traffic::inbound(40.0, Duration::from_mins(3)) };
        let config = ProviderConfig { orgs: 2, traffic: vec![ours, theirs], faults: wrong(likely), ..steady() };
        let mut stage = stage(&Plan { seed, ..plan() }, config, 60, seed, 40_000_000);
        stage.play(START + DAY, None).unwrap();
        low += stage.world.counts().dials_at_most(3);
        dials += stage.world.counts().dials_at_most(u32::MAX);
    }
    (low, dials)
}

#[test]
fn wrong_times_on_half_of_the_answers_hardly_cost_the_reserve_more() {
    let ((low, dials), (wrong_low, wrong_dials)) = (into_the_reserve(0.0), into_the_reserve(0.5));
    println!("{low} of {dials} with true times, {wrong_low} of {wrong_dials} with wrong ones");
    assert!(wrong_low * dials <= 2 * low * wrong_dials + 2 * dials, "{wrong_low} of {wrong_dials}, {low} of {dials}");
}

/// What answers said is what the report tells.
#[test]
fn the_fewest_free_slots_told_are_no_more_than_any_answer_said() {
    for seed in seeds(20) {
        let config = ProviderConfig { release_lag: Duration::from_secs(5), ..steady() };
        let mut stage = stage(&Plan { seed, ..plan() }, config, 80, seed, 0);
        stage.play(START + DAY, None).unwrap();
        let said = stage.world.counts().dials_at_free.keys().next().unwrap().saturating_sub(1);
        let told = stage.runs[0].as_ref().unwrap().campaign.tally().lowest_free.unwrap();
        assert!(told <= said, "seed {seed}: told {told}, an answer said {said}");
    }
}
