//! What holds for every seed.

use std::time::Duration;

use proptest::prelude::*;

use super::{MINUTE, START, at, quiet, to};
use crate::rehearsal::world::answer::Reply;
use crate::rehearsal::world::call::{FakeCall, Kind, NewCall, POOL_REASON};
use crate::rehearsal::world::config::{BlockedAs, ProviderConfig, Traffic};
use crate::rehearsal::world::fault::{Fault, Faults};
use crate::rehearsal::world::{FakeProvider, Filter};
use crate::time::Stamp;

/// A clumsy campaign: a request every so often, whatever the pool says.
fn clumsy(config: ProviderConfig, seed: u64, every: Duration, posts: u32) -> FakeProvider {
    let mut world = FakeProvider::new(config, seed, START);
    for number in 0..posts {
        world.post(START + every * number, 0, to(number % 700));
    }
    world.advance(START + every * posts + 30 * MINUTE);
    world
}

fn history(world: &mut FakeProvider) -> String {
    let replies: Vec<Reply> = std::iter::from_fn(|| world.next_reply()).collect();
    format!("{replies:?} {:?} {:?} {:?}", world.calls(), world.counts(), world.slots())
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let told = |seed| {
        let config = ProviderConfig { faults: Faults::all_of(&Fault::ALL, 0.1), orgs: 2, ..ProviderConfig::default() };
        history(&mut clumsy(config, seed, Duration::from_secs(3), 800))
    };
    assert_eq!(told(5), told(5));
    assert_ne!(told(5), told(6));
}

#[test]
fn callers_come_alike_whatever_a_campaign_does() {
    let came = |every: u64| {
        let posts = u32::try_from(7200 / every).unwrap();
        let world = clumsy(ProviderConfig::default(), 9, Duration::from_secs(every), posts);
        let theirs = world.calls().iter().filter(|call| call.kind != Kind::Outbound && call.created < at(7200));
        let mut came: Vec<_> =
            theirs.map(|call| (call.created, call.id.clone(), call.kind, call.script.talk)).collect();
        came.sort();
        came
    };
    assert_eq!(came(3), came(600));
    assert!((50..115).contains(&came(600).len()), "{}", came(600).len());
}

#[test]
fn the_same_call_goes_the_same_way_whenever_it_is_placed() {
    let lives = |every| {
        let world = clumsy(quiet(), 9, Duration::from_secs(every), 200);
        let rung = world.calls().iter().map(|call| (call.request.number.clone(), call.script.clone()));
        rung.collect::<std::collections::BTreeMap<_, _>>()
    };
    let (fast, slow) = (lives(8), lives(90));
    assert!(fast.len() > 150 && slow.len() == 200);
    assert!(fast.iter().all(|(number, script)| slow[number] == *script));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn slots_add_up(seed: u64, slots in 0u32..12, lag in 0u64..20, shape in 0usize..5, limit in 0u32..12) {
        let config = ProviderConfig {
            slots,
            blocked_as: BlockedAs::ALL[shape],
            release_lag: Duration::from_secs(lag),
            faults: Faults::all_of(&Fault::ALL, 0.05),
            traffic: vec![Traffic::inbound(120.0, 3 * MINUTE)],
            ..ProviderConfig::default()
        };
        let mut world = FakeProvider::new(config, seed, START);
        for number in 0..120 {
            if number == 60 {
                world.set_limit(at(240), limit);
            }
            world.post(at(u64::from(number) * 4), 0, to(number));
            let held = world.calls().iter().filter(|call| call.counted.is_some() && call.released.is_none()).count();
            prop_assert_eq!(held, world.slots().up() as usize);
            prop_assert!(number >= 60 || world.slots().up() <= slots);
        }
        world.advance(at(20_000));
        for call in world.calls() {
            prop_assert_eq!(call.counted.is_none(), call.free_before == 0);
            prop_assert!(call.counted.is_some() || (call.rang.is_none() && call.reason.as_deref() == Some(POOL_REASON)));
            prop_assert!(call.counted.is_none_or(|counted| counted.since(call.created) < Duration::from_millis(152)));
            prop_assert!(call.ended.is_none_or(|ended| Some(ended) >= call.started.max(call.rang)));
        }
        prop_assert_eq!(world.slots().time_below(u32::MAX), world.now().since(START));
    }

    #[test]
    fn a_listing_that_is_told_again_is_the_same_that_would_be_made_anew(seed: u64, erased in 0usize..40) {
        let faults = Faults::default().with(Fault::Forgotten, 0.1);
        let mut world = FakeProvider::new(ProviderConfig { faults, ..ProviderConfig::default() }, seed, START);
        let filter = Filter { updated: (START, at(100_000)), limit: 1000, ..Filter::default() };
        let mut again = 0;
        let mut last = world.rows(START, 0, &filter);
        for second in 0..1_200 {
            let now = at(second);
            if second % 40 == 0 {
                world.post(now, 0, to(u32::try_from(second).unwrap()));
            }
            let calls: Vec<_> = world.calls().iter().map(|call| call.id.clone()).collect();
            match second {
                500 => drop(calls.get(erased).map(|id| world.erase(now, 0, id.as_str()).is_some())),
                _ => drop(calls.get(erased).map(|id| world.get(now, 0, id.as_str()).is_some())),
            }
            let rows = world.rows(now, 0, &filter);
            let org = world.org_id(0);
            let anew: Vec<_> = world.list(now, 0, &filter).into_iter().map(|call| call.seen(&org)).collect();
            prop_assert!(rows.iter().map(AsRef::as_ref).eq(anew.iter()), "at {second} s");
            again += u32::from(std::sync::Arc::ptr_eq(&rows, &last));
            last = rows;
        }
        prop_assert!(again > 20, "{again}");
    }

    #[test]
    fn a_listing_is_what_a_plain_search_finds(seed: u64, from in 0u64..900, span in 0u64..900, limit in 0usize..40, which in 0u8..3) {
        let faults = Faults::default().with(Fault::Forgotten, 0.1);
        let mut world = clumsy(ProviderConfig { faults, ..ProviderConfig::default() }, seed, Duration::from_secs(5), 150);
        let range = (at(from), at(from + span));
        let mut filter = Filter { limit, ..Filter::default() };
        if which != 1 { filter.created = range }
        if which != 0 { filter.updated = range }
        let now = world.now();
        let listed: Vec<_> = world.list(now, 0, &filter).into_iter().map(|call| (call.created, call.id.clone())).collect();
        let inside = |stamp: Stamp, (from, to): (Stamp, Stamp)| from <= stamp && stamp <= to;
        let fits = |call: &&FakeCall| call.is_listed(now) && inside(call.created, filter.created) && inside(call.updated, filter.updated);
        let mut plain: Vec<_> = world.calls().iter().filter(fits).map(|call| (call.created, call.id.clone())).collect();
        plain.sort_by_key(|row| std::cmp::Reverse(row.0));
        plain.truncate(limit);
        let stamps = |rows: &[(Stamp, crate::pool::calls::CallId)]| rows.iter().map(|row| row.0).collect::<Vec<_>>();
        prop_assert_eq!(stamps(&listed), stamps(&plain));
    }
}

#[test]
fn a_hundred_thousand_calls_go_through() {
    let config = ProviderConfig {
        slots: 1000,
        traffic: vec![Traffic::inbound(4000.0, 3 * MINUTE)],
        ..ProviderConfig::default()
    };
    let mut world = FakeProvider::new(config, 1, START);
    let mut rows = 0;
    for number in 0..100_000u32 {
        let now = START + Duration::from_millis(100) * number;
        world.post(
            now,
            0,
            NewCall { number: format!("+1{}", 2_000_000_000u64 + u64::from(number)), ..NewCall::default() },
        );
        while world.next_reply().is_some() {}
        if number % 10 == 0 {
            let filter = Filter { updated: (now - Duration::from_secs(10), now), limit: 1000, ..Filter::default() };
            rows += world.list(now, 0, &filter).len();
        }
    }
    assert!(world.calls().len() > 90_000 && rows > 500_000, "{} {rows}", world.calls().len());
}
