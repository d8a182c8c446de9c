//! A forecast: what a plan's own limits, hours and the length of its list make of it, and how often it is right.

use std::time::Duration;

use crate::stage::{self, START, plan};
use dialer::campaign::hours::Calling;
use dialer::campaign::notice::StopReason;
use dialer::campaign::plan::{Plan, Rate, Reserve};
use dialer::leads::lead::Lead;
use dialer::rehearsal::forecast::belief::{Belief, Beliefs, Past, PastCall};
use dialer::rehearsal::forecast::{Forecast, Impossible, Question};
use dialer::rehearsal::world::mix::Shape;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const NEW_YORK: &str = "America/New_York";

fn foresee_of(plan: &Plan, rehearsed: u64, total: u64, beliefs: &Beliefs) -> Result<Forecast, Impossible> {
    let there = |lead: Lead| Lead { zones: vec![NEW_YORK.to_owned()], ..lead };
    let leads: Vec<Lead> = stage::leads(rehearsed).map(|listed| there(listed.lead)).collect();
    let zones = vec![vec![NEW_YORK.to_owned()]];
    let (now, runs, slots) = (START.timestamp(), 20, 10);
    let question = Question { plan, leads: &leads, total, zones, slots, now, runs, beliefs, spent_usd: 0.0 };
    question.foresee().expect("a journal in memory")
}

fn foresee(plan: &Plan) -> Result<Forecast, Impossible> {
    foresee_of(plan, 60, 60, &Beliefs::of_sandbox())
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[test]
fn options_that_end_a_run_end_its_rehearsals() {
    let whole = foresee(&plan()).unwrap();
    assert_eq!((whole.why.clone(), whole.calls, whole.open_at_end), (Some(StopReason::Complete), 60.0, 0.0));
    assert_eq!(whole.list_seconds, Some(whole.seconds));
    let limited = foresee(&Plan { limit: Some(25), ..plan() }).unwrap();
    assert_eq!((limited.why, limited.calls, limited.open_at_end), (Some(StopReason::Limit), 25.0, 35.0));
    let until = at("2026-01-01T00:03:00Z");
    let cut = foresee(&Plan { until: Some(until), ..plan() }).unwrap();
    assert!(cut.why == Some(StopReason::Until) && cut.open_at_end > 10.0 && cut.calls < 50.0, "{cut:?}");
    let cheap = foresee(&Plan { max_cost: Some(1.0), ..plan() }).unwrap();
    // Calls that are up when it is reached come on top.
    assert!(
        cheap.why == Some(StopReason::Cost)
            && cheap.cost_usd.p50 < 0.6 * whole.cost_usd.p50
            && cheap.open_at_end > 10.0,
        "{cheap:?}"
    );
    let rate = Rate { count: std::num::NonZeroU32::MIN, per: Duration::from_mins(1) };
    let slow = foresee(&Plan { rate, ..plan() }).unwrap();
    assert!(slow.seconds.p10 > 59.0 * 60.0, "a call a minute: {slow:?}");
}

#[test]
fn hours_open_before_anybody_is_called_and_close_on_those_who_are_left() {
    // 08:00 in New York is 13:00 UTC, thirteen hours after the start.
    let hours = |text: &str| Calling::parse(text, None, None, Duration::from_mins(5)).unwrap();
    let short = Plan { calling: hours("08:00-08:09"), ..plan() };
    let seen = foresee(&short).unwrap();
    assert_eq!(seen.starts, at("2026-01-01T13:00:00Z"));
    assert!(seen.why == Some(StopReason::Later) && seen.open_at_end > 5.0, "{seen:?}");
    assert!((13.0 * 3600.0..13.2 * 3600.0).contains(&seen.seconds.p50), "{seen:?}");
    let list = seen.list_seconds.unwrap();
    assert!(list.p50 > 37.0 * 3600.0, "the rest is called on the next day: {list:?}");
    let early = Plan { until: Some(at("2026-01-01T12:00:00Z")), ..short.clone() };
    assert_eq!(foresee(&early), Err(Impossible::Until(at("2026-01-01T13:00:00Z"))));
    let table = vec![(0, 3), (12 * 60, 10), (18 * 60, 3)];
    let kept = Plan { reserve: Reserve { table, zone: TimeZone::UTC, auto: None }, ..short };
    assert_eq!(foresee(&kept), Err(Impossible::Reserve(at("2026-01-01T13:00:00Z"))));
}

#[test]
fn a_list_that_is_too_long_is_foreseen_from_its_first_leads() {
    let beliefs = Beliefs::of_sandbox();
    let (whole, few) = (foresee_of(&plan(), 600, 600, &beliefs), foresee_of(&plan(), 200, 600, &beliefs));
    let (whole, few) = (whole.unwrap(), few.unwrap());
    assert_eq!((whole.sample, few.sample), (None, Some(200)));
    assert!((few.seconds.p50 / whole.seconds.p50 - 1.0).abs() < 0.12, "{few:?} {whole:?}");
    assert!((few.cost_usd.p50 / whole.cost_usd.p50 - 1.0).abs() < 0.12, "{few:?} {whole:?}");
    assert!((few.calls - 600.0).abs() < 1.0 && few.open_at_end < 1.0);
    let limited = foresee_of(&Plan { limit: Some(50), ..plan() }, 200, 600, &beliefs).unwrap();
    assert_eq!((limited.calls, limited.open_at_end), (50.0, 550.0));
}

#[test]
fn a_long_list_lasts_as_long_as_somebody_of_it_may_be_called() {
    // In New York the hours open three hours before they do in Los Angeles: by then the first leads have been called, of the
    // list many thousands are left.
    let zones = [NEW_YORK, "America/Los_Angeles"].map(|zone| vec![zone.to_owned()]);
    let there = |(nth, lead): (usize, Lead)| Lead { zones: zones[nth % 2].clone(), ..lead };
    let leads: Vec<Lead> = stage::leads(60).map(|listed| listed.lead).enumerate().map(there).collect();
    let calling = Calling::parse("08:00-12:00", None, None, Duration::from_mins(5)).unwrap();
    let (plan, beliefs) = (Plan { calling, ..plan() }, Beliefs::of_sandbox());
    let (total, zones, now) = (100_000, zones.to_vec(), START.timestamp());
    let question = Question {
        plan: &plan,
        leads: &leads,
        total,
        zones,
        slots: 10,
        now,
        runs: 20,
        beliefs: &beliefs,
        spent_usd: 0.0,
    };
    let seen = question.foresee().unwrap().unwrap();
    assert_eq!((seen.starts, seen.why.clone()), (at("2026-01-01T13:00:00Z"), Some(StopReason::Later)));
    // Until noon in Los Angeles, which is 20:00 in UTC, and from midnight on.
    assert!((19.5 * 3600.0..20.5 * 3600.0).contains(&seen.seconds.p50), "{seen:?}");
    assert!(seen.calls > 1_000.0 && seen.open_at_end < 99_000.0, "{seen:?}");
}

#[test]
fn who_knows_less_foresees_less_exactly() {
    let past = |calls: u32| {
        let mut past = Past::default();
        for nth in 0..calls {
            let shape = if nth % 5 < 2 { Shape::Talk } else { Shape::RingsOut };
            let minutes = (shape == Shape::Talk).then_some(1.5);
            past.add(PastCall { shape, reason: format!("{shape:?}"), minutes, cost_usd: minutes });
        }
        past
    };
    let width = |beliefs: &Beliefs| {
        let seconds = foresee_of(&plan(), 60, 60, beliefs).unwrap().seconds;
        seconds.p90 - seconds.p10
    };
    let learnt = |calls| {
        let mut beliefs = Beliefs::guessed();
        beliefs.learn(&past(calls));
        beliefs
    };
    let (few, many) = (learnt(20), learnt(4_000));
    assert!(few.answered.from.contains("20 calls") && (many.answered.value - 0.4).abs() < 0.001);
    assert!((many.usd_minute.unwrap() - 1.0).abs() < 1e-9);
    assert!(width(&few) > 1.3 * width(&many), "{} {}", width(&few), width(&many));
    assert!(width(&Beliefs { talk_s: Belief::said(90.0, ""), ..few.clone() }) < width(&few));
}
