//! Forecast against fact: 20 campaigns of different shapes, each foreseen from the calls of a campaign before it, then
//! run in the same world. The end has to lie between p10 and p90 for at least 15 of them, and for at most 19.
//!
//! `cargo test --test campaigns forecast_fact -- --ignored --nocapture` prints the table of `docs/forecast.md`, and
//! with `DIALER_PICTURE=docs/forecast.svg` draws its picture.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::plot;
use crate::stage::{self, START, plan};
use dialer::campaign::disposition::{Class, Verdict, classify};
use dialer::campaign::hours::Calling;
use dialer::campaign::plan::{Plan, Rate};
use dialer::campaign::retry::Retries;
use dialer::leads::lead::Lead;
use dialer::rehearsal::forecast::Question;
use dialer::rehearsal::forecast::belief::{Belief, Beliefs, Past, PastCall};
use dialer::rehearsal::rehearse::Simulation;
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::call::{FakeCall, Kind};
use dialer::rehearsal::world::config::{ProviderConfig, Traffic};
use dialer::rehearsal::world::mix::{Durations, Shape, usual_mix};
use jiff::tz::TimeZone;

/// Leads of the campaign that is learnt from.
const BEFORE: u64 = 150;

/// A campaign, and the world that it is in.
struct Case {
    name: &'static str,
    leads: u64,
    plan: Plan,
    world: ProviderConfig,
}

/// The usual world, but that so many of ten answer, talk so long and call in so often.
fn world(slots: u32, answered: u32, talk_s: u64, per_hour: f64) -> ProviderConfig {
    let persons = |shape: Shape| matches!(shape, Shape::Talk | Shape::Forwarded);
    let mix = usual_mix().into_iter().map(|mut ending| {
        // Of the usual mix 380 of 1,000 are persons.
        ending.weight *= if persons(ending.shape) { answered * 620 } else { (10 - answered) * 380 };
        ending
    });
    let talk = (Duration::from_secs(5), Duration::from_secs(talk_s - 5));
    ProviderConfig {
        slots,
        traffic: vec![Traffic::inbound(per_hour, Duration::from_mins(3))],
        mix: mix.collect(),
        lengths: Durations { talk, ..Durations::default() },
        ..ProviderConfig::default()
    }
}

fn cases() -> Vec<Case> {
    let case = |name, leads, plan, world| Case { name, leads, plan, world };
    // All are called from 00:00 UTC.
    let hours = |text: &str| Calling::parse(text, None, None, Duration::from_mins(5)).expect("hours");
    let retries = |delays: &str| Retries::parse(3, &[delays.to_owned()], 3, 1, TimeZone::UTC).expect("delays");
    let rate = |count| Rate { count: NonZeroU32::new(count).expect("some"), per: Duration::from_secs(1) };
    let mut all = Vec::new();
    for (nth, (answered, talk, per_hour)) in
        [(2, 60, 20.0), (4, 90, 40.0), (5, 120, 10.0), (3, 150, 30.0)].iter().enumerate()
    {
        let there = |slots| world(slots, *answered, *talk, *per_hour);
        let more = 20 * nth as u64;
        all.push(case("short", 40 + more, plan(), there(10)));
        all.push(case("long", 400 + more, plan(), there(10)));
        all.push(case("hours close", 300, Plan { calling: hours("00:00-00:40"), ..plan() }, there(10)));
        let again = Plan { retries: retries("no-answer=20m,30m"), wait: true, ..plan() };
        all.push(case("retries", 80 + more, again, there(10)));
        all.push(case("30 slots, 3 dials a second", 300 + more, Plan { rate: rate(3), ..plan() }, there(30)));
    }
    all
}

fn run(case: &Case, leads: u64, plan: &Plan, seed: u64) -> Simulation<dialer::journal::memory::Memory> {
    let mut stage = Simulation::new(FakeProvider::new(case.world.clone(), seed, START), 0);
    let zoned = stage::leads(leads).map(|mut listed| {
        listed.lead = there(listed.lead);
        listed
    });
    let journal = stage::journal_of(plan, zoned, stage.now());
    stage::start(&mut stage, plan, journal);
    stage.play(START + Duration::from_hours(240), None).expect("a journal in memory");
    stage
}

fn there(lead: Lead) -> Lead {
    Lead { zones: vec!["UTC".to_owned()], ..lead }
}

/// What a campaign before this one teaches.
fn learnt(case: &Case, seed: u64) -> Beliefs {
    let stage = run(case, BEFORE, &plan(), seed);
    let mut past = Past::default();
    for call in stage.world.calls().iter().filter(|call| call.kind == Kind::Outbound && call.ended.is_some()) {
        let (shape, reason) = (shape(call), call.reason.as_deref().unwrap_or_default().to_owned());
        let minutes = call.started.map(|_| call.minutes());
        past.add(PastCall { shape, reason, minutes, cost_usd: minutes.map(|minutes| minutes / 10.0) });
    }
    let mut beliefs = Beliefs::guessed();
    beliefs.learn(&past);
    let hours = stage.world.now().since(START).as_secs_f64() / 3600.0;
    let counts = stage.world.counts();
    // Nobody in so many hours is knowledge too: at most about one.
    #[expect(clippy::cast_precision_loss, reason = "a few callers")]
    let callers = (counts.offered as f64).max(0.5);
    beliefs.inbound_per_hour = Belief::learnt(callers / hours, callers, "the campaign before");
    beliefs
}

fn shape(call: &FakeCall) -> Shape {
    match classify(call.reason.as_deref().unwrap_or_default()) {
        Verdict::Contact(Class::Answered | Class::HungUp) => Shape::Talk,
        Verdict::Contact(Class::Voicemail) => Shape::Machine,
        Verdict::Contact(Class::NoAnswer) => Shape::RingsOut,
        Verdict::Contact(Class::Busy) => Shape::RingsBriefly,
        _ if call.started.is_some() => Shape::Breaks,
        _ if call.rang.is_some() => Shape::Rejected,
        _ => Shape::NeverRings,
    }
}

#[test]
#[ignore = "thousands of rehearsals"]
fn the_end_lies_in_the_interval_as_often_as_is_said() {
    let (mut within, mut shapes) = (0, String::new());
    println!("| campaign | leads | p10 | p50 | p90 | fact |  |\n|---|---|---|---|---|---|---|");
    for (nth, case) in (0..).zip(cases()) {
        let beliefs = learnt(&case, 1_000 + nth);
        let leads: Vec<Lead> = stage::leads(case.leads).map(|listed| there(listed.lead)).collect();
        let question = Question {
            plan: &case.plan,
            leads: &leads,
            total: case.leads,
            zones: vec![vec!["UTC".to_owned()]],
            slots: case.world.slots,
            now: START.timestamp(),
            runs: 100,
            beliefs: &beliefs,
            spent_usd: 0.0,
        };
        let seconds = question.foresee().expect("a journal in memory").expect("a plan that works").seconds;
        let fact = run(&case, case.leads, &case.plan, 2_000 + nth).world.now().since(START).as_secs_f64();
        let is_within = (seconds.p10..=seconds.p90).contains(&fact);
        within += u32::from(is_within);
        let [p10, p50, p90, fact] = [seconds.p10, seconds.p50, seconds.p90, fact].map(|seconds| seconds / 60.0);
        let sign = if is_within { "within" } else { "outside" };
        // Each as a multiple of its own middle, so that long and short ones compare.
        let (y, x) =
            (30.0 + 22.0 * f64::from(u32::try_from(nth).unwrap()), |minutes: f64| 240.0 + minutes / p50 * 200.0);
        plot::text(&mut shapes, (225.0, y + 4.0), "end", &format!("{}, {} leads", case.name, case.leads));
        plot::line(&mut shapes, (x(p10), y), (x(p90), y), "#9cc3e6", 10.0);
        plot::line(&mut shapes, (x(p50), y - 7.0), (x(p50), y + 7.0), "#1f6fb2", 2.0);
        plot::dot(&mut shapes, (x(fact), y), if is_within { "#2a7d2a" } else { "#c0392b" });
        println!("| {} | {} | {p10:.1} | {p50:.1} | {p90:.1} | {fact:.1} | {sign} |", case.name, case.leads);
    }
    let legend = "bar: 10 to 90 of 100, as a multiple of the middle; dot: what happened, green within and red outside";
    plot::text(&mut shapes, (10.0, 485.0), "start", legend);
    plot::picture(700, 500, "Forecast against fact", &shapes);
    println!("\n{within} of 20 within, in minutes.");
    assert!((15..=19).contains(&within), "{within} of 20");
}
