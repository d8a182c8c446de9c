//! The pool: larger than is assumed, with slots that come free late, with calls of other organisations on it.

use std::sync::Arc;
use std::time::Duration;

use dialer::campaign::event::{Event, News, ReadId};
use dialer::campaign::notice::{Notice, StopReason};
use dialer::campaign::plan::Plan;
use dialer::campaign::seen::{SeenCall, Status};
use dialer::pool::calls::CallId;
use dialer::pool::news::RequestTiming;
use dialer::rehearsal::rehearse::Simulation;
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::config::{ProviderConfig, Traffic};
use dialer::time::{Now, Stamp};

use crate::fresh::{journal, stage};
use crate::rehearsal::{DAY, after, why};
use crate::stage::{self, START, plan, steady};

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
        bare: true,
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
    let news = News::Listed { read: ReadId(u64::MAX), wire, calls, full: false, unread: None, no_offset: false };
    stage.runs[0].as_mut().unwrap().campaign.handle(now, Event::Watched(0, Box::new(news)));
    stage.play(after(600), None).unwrap();
    let told = &stage.runs[0].as_ref().unwrap().notices;
    assert!(told.iter().any(|notice| matches!(notice, Notice::AnotherPool(_))), "{told:?}");
}
