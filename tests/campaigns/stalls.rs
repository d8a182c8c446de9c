//! Campaigns that could go on for ever, or burn what they need not: each comes to an end, and says why.

use std::time::Duration;

use crate::stage::{START, leads, plan, steady};
use crate::stores::{InMemory, OnDisk, Stage, Store};
use dialer::campaign::event::{AccountFact, Event, ReadFailure, ReadId, ReadTrouble};
use dialer::campaign::hours::Calling;
use dialer::campaign::notice::{Notice, StopReason};
use dialer::campaign::plan::{Plan, Reserve};
use dialer::campaign::retry::Retries;
use dialer::journal::Journal;
use dialer::journal::imported::Listed;
use dialer::leads::lead::Lead;
use dialer::pool::attempt_id::{AttemptId, Mark};
use dialer::rehearsal::world::call::NewCall;
use dialer::rehearsal::world::config::{BlockedAs, ProviderConfig, Traffic};
use dialer::rehearsal::world::fault::{Fault, Faults};
use dialer::rehearsal::world::mix::{Durations, Ending, Shape};

fn stage<S: Store>(plan: &Plan, config: ProviderConfig, count: u64, seed: u64, skew: i64) -> Stage<S> {
    Stage::of(plan, config, leads(count).collect(), seed, skew)
}

fn why<S: Store>(stage: &Stage<S>) -> Option<StopReason> {
    stage.runs[0].as_ref()?.outcome.as_ref().map(|outcome| outcome.why.clone())
}

fn settled<S: Store>(stage: &mut Stage<S>) -> (u64, u64) {
    let now = stage.now();
    let totals = stage.runs[0].as_mut().unwrap().journal.totals(now).unwrap();
    (totals.settled, totals.total)
}

/// A world where nobody ever hangs up.
fn endless() -> ProviderConfig {
    let talk = (Duration::from_hours(40), Duration::ZERO);
    let lengths = Durations { talk, longest_talk: talk.0, ..Durations::default() };
    let mix = vec![Ending::new(1, "assistant-ended-call", Shape::Talk)];
    ProviderConfig { traffic: Vec::new(), lengths, mix, ..ProviderConfig::default() }
}

/// A pool that callers hold almost whole, for hours.
fn crowded() -> ProviderConfig {
    ProviderConfig { traffic: vec![Traffic::inbound(3_000.0, Duration::from_hours(5))], ..ProviderConfig::default() }
}

fn a_call_that_no_listing_shows_is_asked_for_however_slow_listings_are<S: Store>() {
    let faults = Faults::default().with(Fault::Forgotten, 1.0);
    let mut stage = stage::<S>(&plan(), ProviderConfig { faults, traffic: Vec::new(), ..steady() }, 5, 3, 0);
    stage.read_travel = Duration::from_millis(1_100);
    stage.play(START + Duration::from_hours(2), None).unwrap();
    assert_eq!(why(&stage), Some(StopReason::Complete));
}

fn a_call_that_is_stuck_is_given_up_though_listings_go_on_showing_it<S: Store>() {
    let mut stage = stage::<S>(&plan(), endless(), 1, 3, 0);
    stage.play(START + Duration::from_mins(20), None).unwrap();
    assert_eq!(why(&stage), Some(StopReason::Complete), "11 minutes and 5 are longer than it can last");
    let notices = &stage.runs[0].as_ref().unwrap().notices;
    assert!(notices.iter().any(|notice| matches!(notice, Notice::GaveUp(_))), "{notices:?}");
}

fn a_call_cannot_outlast_what_the_assistant_allows<S: Store>() {
    let plan = Plan { longest_call: Duration::from_hours(12), ..plan() };
    let mut stage = stage::<S>(&plan, endless(), 1, 3, 0);
    let (now, fact) = (stage.now(), AccountFact::CallsLast(Duration::from_mins(20)));
    stage.runs[0].as_mut().unwrap().campaign.handle(now, Event::Account(fact));
    stage.play(START + Duration::from_mins(30), None).unwrap();
    assert_eq!(why(&stage), Some(StopReason::Complete));
    assert!(stage.world.now().since(START) > Duration::from_mins(25));
}

fn a_listing_that_asks_for_a_long_wait_is_read_again_before_that<S: Store>() {
    let mut stage = stage::<S>(&plan(), ProviderConfig { traffic: Vec::new(), ..steady() }, 20, 3, 0);
    stage.play(START + Duration::from_secs(5), None).unwrap();
    let now = stage.now();
    let kind = ReadTrouble::Rate(Some(Duration::from_hours(1)));
    let failure = ReadFailure { kind, sent: now.at, received: now.at, date: None, message: "429".to_owned() };
    let run = stage.runs[0].as_mut().unwrap();
    (0..100).for_each(|id| run.campaign.handle(now, Event::ReadFailed(ReadId(id), failure.clone())));
    stage.play(START + Duration::from_mins(30), None).unwrap();
    assert_eq!(why(&stage), Some(StopReason::Complete));
}

fn a_call_that_the_pool_ended_in_its_own_answer_is_a_refusal<S: Store>() {
    let faults = Faults::default().with(Fault::NoLimits, 1.0);
    let config = ProviderConfig { blocked_as: BlockedAs::Ended, faults, ..crowded() };
    let mut stage = stage::<S>(&plan(), config, 30, 5, 0);
    stage.play(START + Duration::from_mins(10), None).unwrap();
    // The pool is full after a few seconds: one call looks, and after a minute another.
    let blocked = stage.world.counts().dials_at_most(0);
    assert!(blocked <= 11, "{blocked} dials into a full pool within 10 minutes");
}

fn hours_that_close_while_there_is_no_room_end_the_run<S: Store>() {
    let calling = Calling::parse("00:00-01:00", None, None, Duration::from_mins(5)).unwrap();
    let plan = Plan { calling, ..plan() };
    let in_london =
        |listed: Listed| Listed { lead: Lead { zones: vec!["Europe/London".to_owned()], ..listed.lead }, ..listed };
    let mut stage = Stage::<S>::of(&plan, crowded(), leads(30).map(in_london).collect(), 5, 0);
    stage.play(START + Duration::from_mins(70), None).unwrap();
    assert_eq!(why(&stage), Some(StopReason::Later));
    assert_eq!(stage.world.now().since(START).as_secs() / 60, 55, "the guard is five minutes");
}

fn a_timetable_that_leaves_no_slot_of_the_limit_ends_the_run<S: Store>() {
    let reserve = Reserve { table: vec![(0, 0), (720, 1)], zone: jiff::tz::TimeZone::UTC, auto: None };
    let plan = Plan { reserve, caution: 10, slots: Some(12), ..plan() };
    let mut stage = stage::<S>(&plan, ProviderConfig { traffic: Vec::new(), ..ProviderConfig::default() }, 30, 5, 0);
    stage.play(START + Duration::from_hours(2), None).unwrap();
    assert_eq!(why(&stage), Some(StopReason::Reserve(10, 10)));
}

fn an_end_for_the_accounts_own_reason_stops_the_campaign_though_the_phone_rang<S: Store>() {
    let reason = "call.in-progress.error-providerfault-outbound-sip-407-proxy-authentication-required";
    let mix = vec![Ending::new(1, reason, Shape::Breaks)];
    let mut stage = stage::<S>(&plan(), ProviderConfig { mix, traffic: Vec::new(), ..steady() }, 60, 5, 0);
    stage.play(START + Duration::from_hours(2), None).unwrap();
    assert_eq!(why(&stage), Some(StopReason::Account(reason.to_owned())));
    let (settled, total) = settled(&mut stage);
    assert!(settled < 20 && total == 60, "only who was being called is settled: {settled}");
}

fn an_hour_whose_reserve_keeps_the_whole_pool_ends_the_run_until_less_is_kept<S: Store>() {
    let reserve = Reserve { table: vec![(0, 10), (9 * 60 + 30, 3)], zone: jiff::tz::TimeZone::UTC, auto: None };
    let plan = Plan { reserve, ..plan() };
    let mut stage = stage::<S>(&plan, ProviderConfig { traffic: Vec::new(), ..ProviderConfig::default() }, 30, 5, 0);
    stage.play(START + Duration::from_hours(2), None).unwrap();
    assert_eq!(why(&stage), Some(StopReason::Kept));
    let outcome = stage.runs[0].as_ref().unwrap().outcome.clone().unwrap();
    assert_eq!(outcome.next_at, Some((START + Duration::from_mins(9 * 60 + 30)).timestamp()));
    assert_eq!(stage.world.calls().len(), 0);
}

fn a_sum_that_is_less_than_a_call_is_thought_to_cost_still_buys_what_it_can<S: Store>() {
    let plan = Plan { max_cost: Some(0.05), ..plan() };
    let mix = vec![Ending::new(1, "customer-busy", Shape::RingsBriefly)];
    let mut stage =
        stage::<S>(&plan, ProviderConfig { mix, traffic: Vec::new(), ..ProviderConfig::default() }, 30, 5, 0);
    stage.play(START + Duration::from_hours(2), None).unwrap();
    assert!(stage.world.calls().len() > 1, "calls that cost nothing are not what it is kept for");
}

fn a_retry_waits_as_long_as_it_was_told_though_the_providers_clock_is_another<S: Store>() {
    for skew in [-60_000_000, 0, 60_000_000] {
        let retries = Retries::parse(2, &["no-answer=20s".to_owned()], 9, 1, jiff::tz::TimeZone::UTC).unwrap();
        let mix = vec![Ending::new(1, "customer-did-not-answer", Shape::RingsOut)];
        let plan = Plan { retries, wait: true, ..plan() };
        let mut stage = stage::<S>(&plan, ProviderConfig { mix, traffic: Vec::new(), ..steady() }, 1, 3, skew);
        stage.play(START + Duration::from_hours(1), None).unwrap();
        let calls = stage.world.calls();
        let waited = calls[1].created.since(calls[0].ended.unwrap());
        // A tenth of jitter, a poll until the end is known, and a `Date` that is cut to the second.
        assert!((20..26).contains(&waited.as_secs()), "{waited:?} with clocks {skew} apart");
    }
}

/// Slots that are reserved from certain minutes of a day on, which begins so many hours before the test does.
fn timetable(table: &[(u16, u32)], hours: i8) -> Reserve {
    Reserve { table: table.to_vec(), zone: jiff::tz::TimeZone::fixed(jiff::tz::offset(hours)), auto: None }
}

fn a_reserve_that_falls_lets_those_who_wait_be_called<S: Store>() {
    let plan = Plan { reserve: timetable(&[(0, 10), (29, 2)], 0), wait: true, ..plan() };
    let mut stage = stage::<S>(&plan, ProviderConfig { traffic: Vec::new(), ..steady() }, 20, 3, 0);
    stage.play(START + Duration::from_mins(29), None).unwrap();
    assert_eq!(stage.world.calls().len(), 0, "every slot is reserved");
    stage.play(START + Duration::from_hours(1), None).unwrap();
    assert_eq!(why(&stage), Some(StopReason::Complete));
}

fn a_reserve_that_falls_is_noticed_beside_callers_who_fill_the_pool<S: Store>() {
    let plan = Plan { reserve: timetable(&[(0, 2), (8 * 60, 8), (18 * 60, 2)], 17), ..plan() };
    let mut stage = Stage::<S>::of(&plan, endless(), leads(6).collect(), 3, 0);
    for number in ["+14155559991", "+14155559992"] {
        let now = stage.world.now();
        stage.world.post(now, 0, NewCall { number: number.to_owned(), ..NewCall::default() });
    }
    stage.play(START + Duration::from_mins(59), None).unwrap();
    // The listing that the run begins with is older than the two.
    let before = stage.world.calls().len();
    assert!(before <= 3, "nobody is dialed once the two are seen: {before} calls");
    stage.play(START + Duration::from_mins(63), None).unwrap();
    assert_eq!(stage.world.calls().len(), 8, "all six are up beside them");
}

/// Calls of two seconds, in an account whose listings leave something out.
fn stripped<S: Store>(faults: Faults) -> Stage<S> {
    let talk = (Duration::from_secs(2), Duration::from_secs(2));
    let lengths = Durations { talk, ..Durations::default() };
    let mix = vec![Ending::new(1, "customer-ended-call", Shape::Talk)];
    let config = ProviderConfig { faults, lengths, mix, traffic: Vec::new(), ..ProviderConfig::default() };
    stage::<S>(&Plan { wait: true, ..plan() }, config, 25, 3, 0)
}

fn called_at_most_once<S: Store>(stage: &Stage<S>) {
    for (number, times) in stage.world.rung() {
        assert!(times <= 1, "{number} was called {times} times");
    }
}

fn ended_calls_whose_ids_are_known_are_recognised_without_their_marks<S: Store>() {
    let faults = Faults::default().with(Fault::NoMark, 1.0).with(Fault::NoNumber, 1.0);
    let mut stage = stripped::<S>(faults);
    stage.play(START + Duration::from_mins(5), None).unwrap();
    assert_eq!(why(&stage), Some(StopReason::Complete));
    called_at_most_once(&stage);
}

fn nothing_is_proven_absent_by_a_listing_that_shows_no_marks<S: Store>() {
    for (number, seed) in [(0.0, 1), (0.5, 2), (1.0, 3), (1.0, 4)] {
        let faults = Faults::default().with(Fault::NoMark, 1.0).with(Fault::NoNumber, number);
        let faults = faults.with(Fault::DropAfter, 0.2).with(Fault::ErrorAfter, 0.1);
        let talk = (Duration::from_secs(2), Duration::from_secs(2));
        let lengths = Durations { talk, ..Durations::default() };
        let config = ProviderConfig { faults, lengths, traffic: Vec::new(), ..ProviderConfig::default() };
        let mut stage =
            stage::<S>(&Plan { wait: true, in_doubt: Some(Duration::from_secs(20)), ..plan() }, config, 25, seed, 0);
        stage.play(START + Duration::from_hours(1), None).unwrap();
        called_at_most_once(&stage);
        let notices = &stage.runs[0].as_ref().unwrap().notices;
        assert!(notices.iter().any(|notice| matches!(notice, Notice::MarksMissing(_))), "{notices:?}");
        if number == 0.0 {
            assert_eq!(settled(&mut stage), (25, 25), "numbers and times tell whose calls they are");
        }
    }
}

/// A run whose one request came to nothing without an answer, while somebody else's call is listed without a mark.
fn doubted_beside_another<S: Store>(plan: &Plan) -> Stage<S> {
    let faults = Faults::default().with(Fault::DropBefore, 1.0);
    let mut stage = stage::<S>(plan, ProviderConfig { faults, traffic: Vec::new(), ..steady() }, 1, 3, 0);
    stage.play(START + Duration::from_secs(10), None).unwrap();
    stage.world.set_faults(Faults::default());
    let now = stage.world.now();
    stage.world.post(now, 0, NewCall { number: "+14155559991".to_owned(), ..NewCall::default() });
    stage.play(START + Duration::from_mins(9), None).unwrap();
    assert_eq!(why(&stage), Some(StopReason::DoubtsLeft));
    let notices = &stage.runs[0].as_ref().unwrap().notices;
    assert!(notices.contains(&Notice::NoMarks), "{notices:?}");
    assert_eq!(stage.world.calls().len(), 1, "nobody is called while another's call may be the lead's");
    stage
}

fn before_a_listing_has_shown_a_mark_calls_without_keep_a_doubt_from_being_proven_absent<S: Store>() {
    let plan = Plan { wait: true, in_doubt: Some(Duration::from_secs(20)), ..plan() };
    let mut stage = doubted_beside_another::<S>(&plan);
    let name = AttemptId::mint(&Mark::of("another campaign"), 7).as_str().into();
    let marked = NewCall { number: "+14155559992".to_owned(), name: Some(name), ..NewCall::default() };
    let now = stage.world.now();
    stage.world.post(now, 0, marked);
    stage.again(&plan, 0);
    stage.play(now + Duration::from_mins(9), None).unwrap();
    assert_eq!(stage.world.rung().len(), 3, "the listing shows marks, and none of the lead's call");
}

fn a_run_for_nothing_but_doubts_that_no_listing_can_prove_absent_puts_them_aside<S: Store>() {
    let plan = Plan { wait: true, in_doubt: Some(Duration::from_secs(20)), ..plan() };
    let mut stage = doubted_beside_another::<S>(&plan);
    stage.again(&plan, 0);
    stage.play(START + Duration::from_mins(30), None).unwrap();
    let (over, now) = (stage.runs[1].as_ref().unwrap().outcome.clone(), stage.now());
    let totals = stage.runs[1].as_mut().unwrap().journal.totals(now).unwrap();
    assert_eq!((over.map(|over| over.why), totals.parked), (Some(StopReason::Complete), 1), "{totals:?}");
}

fn a_call_that_the_provider_has_lost_is_put_aside<S: Store>() {
    let faults = Faults::default();
    let mut stage = stage::<S>(&plan(), ProviderConfig { faults, ..endless() }, 3, 3, 0);
    stage.play(START + Duration::from_secs(10), None).unwrap();
    let lost: Vec<String> = stage.world.calls().iter().map(|call| call.id.as_str().to_owned()).collect();
    for id in &lost {
        let now = stage.world.now();
        stage.world.erase(now, 0, id);
    }
    stage.play(START + Duration::from_mins(9), None).unwrap();
    assert!(why(&stage).is_some(), "followed for no longer than it takes to be sure");
    let now = stage.now();
    let totals = stage.runs[0].as_mut().unwrap().journal.totals(now).unwrap();
    assert_eq!((totals.parked, totals.open), (3, 0), "{totals:?}");
}

fn a_list_that_is_done_leaves_nobody_to_another_run<S: Store>() {
    let plan = plan();
    let mut stage = stage::<S>(&plan, steady(), 5, 3, 0);
    stage.play(START + Duration::from_hours(2), None).unwrap();
    assert_eq!(why(&stage), Some(StopReason::Complete));
    let called = stage.world.rung().len();
    stage.again(&plan, 0);
    stage.play(START + Duration::from_hours(4), None).unwrap();
    assert_eq!(stage.world.rung().len(), called);
}

/// One test for each kind of journal from each of these functions.
macro_rules! for_each_store {
    ($($test:ident)*) => {
        mod in_memory {
            $(#[test] fn $test() { super::$test::<super::InMemory>(); })*
        }
        mod on_disk {
            $(#[test] fn $test() { super::$test::<super::OnDisk>(); })*
        }
    };
}

for_each_store! {
    a_call_that_no_listing_shows_is_asked_for_however_slow_listings_are
    a_call_that_is_stuck_is_given_up_though_listings_go_on_showing_it
    a_call_cannot_outlast_what_the_assistant_allows
    a_listing_that_asks_for_a_long_wait_is_read_again_before_that
    a_call_that_the_pool_ended_in_its_own_answer_is_a_refusal
    hours_that_close_while_there_is_no_room_end_the_run
    a_timetable_that_leaves_no_slot_of_the_limit_ends_the_run
    an_end_for_the_accounts_own_reason_stops_the_campaign_though_the_phone_rang
    an_hour_whose_reserve_keeps_the_whole_pool_ends_the_run_until_less_is_kept
    a_sum_that_is_less_than_a_call_is_thought_to_cost_still_buys_what_it_can
    a_retry_waits_as_long_as_it_was_told_though_the_providers_clock_is_another
    a_reserve_that_falls_lets_those_who_wait_be_called
    a_reserve_that_falls_is_noticed_beside_callers_who_fill_the_pool
    ended_calls_whose_ids_are_known_are_recognised_without_their_marks
    nothing_is_proven_absent_by_a_listing_that_shows_no_marks
    before_a_listing_has_shown_a_mark_calls_without_keep_a_doubt_from_being_proven_absent
    a_run_for_nothing_but_doubts_that_no_listing_can_prove_absent_puts_them_aside
    a_call_that_the_provider_has_lost_is_put_aside
    a_list_that_is_done_leaves_nobody_to_another_run
}
