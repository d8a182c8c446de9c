//! What the pretended provider promises to those who test against it.

use std::time::Duration;

use proptest::prelude::*;

use super::answer::{Answer, Reply};
use super::call::{Kind, NewCall, POOL_REASON};
use super::config::{BlockedAs, Traffic, WorldConfig};
use super::fault::{Fault, Faults};
use super::mix::{Ending, Shape};
use super::{Filter, World};
use crate::campaign::event::Status;
use crate::pool::news::Limits;
use crate::time::Stamp;

const START: Stamp = Stamp::from_micros(1_790_000_000_000_000);
const MINUTE: Duration = Duration::from_mins(1);

fn quiet() -> WorldConfig {
    WorldConfig { traffic: Vec::new(), ..WorldConfig::default() }
}

fn talks() -> Vec<Ending> {
    vec![Ending::new(1, "customer-ended-call", Shape::Talk)]
}

fn faulty(fault: Fault) -> WorldConfig {
    WorldConfig { faults: Faults::default().with(fault, 1.0), ..quiet() }
}

fn to(number: u32) -> NewCall {
    NewCall { number: format!("+1415{:07}", 5_550_000 + number), ..NewCall::default() }
}

fn at(seconds: u64) -> Stamp {
    START + Duration::from_secs(seconds)
}

/// Sends one request and waits for what comes of it.
fn place(world: &mut World, number: u32) -> Reply {
    world.post(world.now(), 0, to(number));
    reply(world)
}

fn reply(world: &mut World) -> Reply {
    loop {
        if let Some(reply) = world.next_reply() {
            return reply;
        }
        let next = world.next_change().expect("a request is on its way");
        world.advance(next);
    }
}

fn limits(reply: &Reply) -> Limits {
    match &reply.answer {
        Answer::Created(_, Some(limits)) => *limits,
        answer => panic!("{answer:?}"),
    }
}

#[test]
fn the_first_call_on_a_pool_of_ten_leaves_nine() {
    let mut world = World::new(quiet(), 1, START);
    let reply = place(&mut world, 1);
    assert_eq!(limits(&reply), Limits { blocked: false, limit: Some(10), remaining: Some(9) });
    let Answer::Created(call, _) = reply.answer else { panic!() };
    assert_eq!((call.status, call.cost()), (Status::Queued, 0.0));
    assert_eq!(call.id.as_str().as_bytes()[14], b'7', "a version 7 UUID");
    assert!(
        call.created <= call.counted.unwrap() && call.counted.unwrap() <= reply.left && reply.left < reply.received
    );
}

#[test]
fn a_call_lives_and_is_settled_after_its_end() {
    let mut world = World::new(WorldConfig { mix: talks(), ..quiet() }, 1, START);
    place(&mut world, 1);
    let mut seen = Vec::new();
    while let Some(next) = world.next_change() {
        world.advance(next);
        let call = &world.calls()[0];
        seen.push((call.status, call.settled, call.spoke(), call.cost() > 0.0));
        assert_eq!(call.updated, Stamp::from_micros(next.as_micros() / 1000 * 1000).max(call.created));
    }
    seen.dedup();
    assert_eq!(
        seen,
        [
            (Status::Ringing, false, false, false),
            (Status::InProgress, false, false, false),
            (Status::Ended, false, false, false),
            (Status::Ended, true, true, true)
        ]
    );
    assert_eq!((world.slots().up(), world.rung()[to(1).number.as_str()]), (0, 1));
}

#[test]
fn a_full_pool_refuses_in_each_shape() {
    for shape in BlockedAs::ALL {
        let config = WorldConfig { slots: 1, blocked_as: shape, mix: talks(), ..quiet() };
        let mut world = World::new(config, 1, START);
        place(&mut world, 1);
        let reply = place(&mut world, 2);
        let received = reply.received;
        let full = Limits { blocked: true, limit: Some(1), remaining: Some(0) };
        match (shape, reply.answer) {
            (BlockedAs::BadRequest, Answer::Refused(refusal)) => {
                assert_eq!((refusal.status, refusal.limits), (400, Some(full)));
                assert_eq!(refusal.body()["subscriptionLimits"]["concurrencyBlocked"], true);
            }
            (BlockedAs::BareBadRequest, Answer::Refused(refusal)) => {
                assert_eq!((refusal.status, refusal.limits), (400, None));
                assert_eq!(refusal.body()["message"], "Over Concurrency Limit");
            }
            (BlockedAs::TooMany, Answer::Refused(refusal)) => assert_eq!(refusal.status, 429),
            (BlockedAs::Created, Answer::Created(call, limits)) => {
                assert_eq!((call.status, limits), (Status::Queued, Some(full)));
            }
            (BlockedAs::Ended, Answer::Created(call, limits)) => {
                assert_eq!((call.status, limits), (Status::Queued, Some(Limits { blocked: false, ..full })));
            }
            (_, answer) => panic!("{shape:?}: {answer:?}"),
        }
        let created = matches!(shape, BlockedAs::Created | BlockedAs::Ended);
        assert_eq!(world.calls().len(), if created { 2 } else { 1 });
        world.advance(received + Duration::from_secs(2));
        if let Some(call) = world.calls().get(1) {
            assert_eq!((call.reason.as_deref(), call.rang, call.counted), (Some(POOL_REASON), None, None));
        }
        assert_eq!(world.slots().up(), 1);
    }
}

#[test]
fn each_fault_does_what_it_says() {
    let created = |fault: Fault| {
        let mut world = World::new(faulty(fault), 1, START);
        let answer = place(&mut world, 1).answer;
        (answer, world.calls().len())
    };
    let refused = |wait: bool| move |refusal: &super::answer::Refusal| refusal.retry_after.is_some() == wait;
    assert!(matches!(created(Fault::TooMany), (Answer::Refused(r), 0) if r.status == 429 && refused(false)(&r)));
    assert!(
        matches!(created(Fault::TooManyRetryAfter), (Answer::Refused(r), 0) if r.status == 429 && refused(true)(&r))
    );
    assert_eq!(created(Fault::ErrorBefore), (Answer::Error(500), 0));
    assert_eq!(created(Fault::ErrorAfter), (Answer::Error(500), 1));
    assert_eq!(created(Fault::DropBefore), (Answer::Dropped, 0));
    assert_eq!(created(Fault::DropAfter), (Answer::Dropped, 1));
    assert!(matches!(created(Fault::Html), (Answer::Html(522), 0 | 1)));
    assert!(matches!(created(Fault::NoLimits), (Answer::Created(_, None), 1)));
    assert!(
        matches!(created(Fault::MinusOne), (Answer::Created(_, Some(l)), 1) if l.remaining == Some(-1) && !l.blocked)
    );
    assert!(World::new(faulty(Fault::ReadError), 1, START).read_fails());
    assert!(!World::new(quiet(), 1, START).read_fails());
}

#[test]
fn a_slow_answer_delays_the_answer_and_not_the_call() {
    let mut world = World::new(faulty(Fault::Slow), 1, START);
    let reply = place(&mut world, 1);
    assert!(world.calls()[0].counted.unwrap() < at(1));
    assert!(reply.received > at(35) && reply.left < at(1));
    assert!(matches!(reply.answer, Answer::Created(call, _) if call.status == Status::Queued));
}

#[test]
fn a_late_creation_comes_long_after_its_answer() {
    let mut world = World::new(faulty(Fault::LateCreate), 1, START);
    let reply = place(&mut world, 1);
    assert_eq!((reply.answer, world.calls().len()), (Answer::Dropped, 0));
    world.advance(START + 21 * MINUTE);
    assert!(world.calls()[0].created >= reply.received + MINUTE);
}

#[test]
fn a_forgotten_call_comes_back_unless_it_was_asked_for_by_its_id() {
    let (mut back, mut gone) = (0, 0);
    for seed in 0..20 {
        for by_id in [false, true] {
            let mut world = World::new(faulty(Fault::Forgotten), seed, START);
            place(&mut world, 1);
            let id = world.calls()[0].id.clone();
            let everything = Filter::default();
            assert!(world.list(at(80), 0, &everything).is_empty());
            assert!(!by_id || world.get(at(80), 0, id.as_str()).is_some());
            let listed = world.list(at(300), 0, &everything).len();
            assert!(by_id || listed == 1, "nobody may lose a call that nobody was told of");
            (back, gone) = (back + listed, gone + 1 - listed);
            assert!(world.get(at(300), 0, id.as_str()).is_some());
        }
    }
    assert!(gone > 3 && back > 23, "{gone} {back}");
}

#[test]
fn without_credit_nothing_is_created() {
    let mut world = World::new(WorldConfig { fail_after: Some(1), ..quiet() }, 1, START);
    assert!(matches!(place(&mut world, 1).answer, Answer::Created(..)));
    assert!(
        matches!(place(&mut world, 2).answer, Answer::Refused(r) if r.status == 400 && r.message.contains("credit"))
    );
    assert_eq!(world.calls().len(), 1);
}

#[test]
fn lines_targets_and_numbers_are_refused_by_name() {
    let refused = std::iter::once(to(9).number).collect();
    let mut world = World::new(WorldConfig { refused, ..quiet() }, 1, START);
    let request = |line: &str, target: &str, number| NewCall {
        line: Some(line.into()),
        target: Some(target.into()),
        ..to(number)
    };
    let cases = [
        (request("line", "missing-one", 1), "published assistant"),
        (request("missing", "ada", 2), "does not exist"),
        (request("activating-1", "ada", 3), "is activating"),
        (request("blocked-1", "ada", 4), "is blocked"),
        (request("line", "ada", 9), "E.164"),
        (NewCall { number: "+442079460000".into(), ..request("vapi-1", "ada", 5) }, "international"),
    ];
    for (request, says) in cases {
        world.post(world.now(), 0, request);
        let answer = reply(&mut world).answer;
        assert!(matches!(&answer, Answer::Refused(r) if r.status == 400 && r.message.contains(says)), "{answer:?}");
    }
    for number in 10..=20 {
        world.post(world.now() + 5 * MINUTE, 0, request("vapi-1", "ada", number));
        let spent = matches!(reply(&mut world).answer, Answer::Refused(r) if r.message.contains("Daily Outbound"));
        assert_eq!(spent, number == 20);
    }
}

#[test]
fn nobody_hears_an_answer_that_was_abandoned() {
    let mut world = World::new(quiet(), 1, START);
    let post = world.post(START, 0, to(1));
    world.abandon(post);
    world.advance(at(5));
    assert_eq!((world.next_reply(), world.calls().len()), (None, 1));
}

#[test]
fn a_slot_is_free_again_only_after_the_release_lag() {
    let config =
        WorldConfig { release_lag: MINUTE, mix: vec![Ending::new(1, "customer-busy", Shape::RingsBriefly)], ..quiet() };
    let mut world = World::new(config, 1, START);
    place(&mut world, 1);
    world.advance(at(10));
    assert_eq!((world.calls()[0].status, world.slots().up()), (Status::Ended, 1));
    world.advance(START + 2 * MINUTE);
    let call = &world.calls()[0];
    assert!(call.released.unwrap().since(call.ended.unwrap()) >= MINUTE);
    assert_eq!(world.slots().up(), 0);
}

#[test]
fn hanging_up_renaming_and_erasing() {
    let mut world = World::new(WorldConfig { mix: talks(), orgs: 2, ..quiet() }, 1, START);
    place(&mut world, 1);
    let id = world.calls()[0].id.clone();
    let id = id.as_str();
    assert!(world.get(at(1), 1, id).is_none(), "another organisation's");
    assert_eq!(world.rename(at(2), 0, id, Some("new")).unwrap().name.as_deref(), Some("new"));
    assert!(world.hang_up(at(3), id) && !world.hang_up(at(4), id) && !world.hang_up(at(4), "nobody"));
    world.advance(at(60));
    let call = world.get(at(60), 0, id).unwrap();
    assert_eq!((call.status, call.reason.as_deref()), (Status::Ended, Some("manually-canceled")));
    assert!(world.erase(at(61), 0, id).is_some() && world.get(at(62), 0, id).is_none());
    assert!(world.list(at(62), 0, &Filter::default()).is_empty());
}

/// A clumsy campaign: a request every so often, whatever the pool says.
fn clumsy(config: WorldConfig, seed: u64, every: Duration, posts: u32) -> World {
    let mut world = World::new(config, seed, START);
    for number in 0..posts {
        world.post(START + every * number, 0, to(number % 700));
    }
    world.advance(START + every * posts + 30 * MINUTE);
    world
}

fn history(world: &mut World) -> String {
    let replies: Vec<Reply> = std::iter::from_fn(|| world.next_reply()).collect();
    format!("{replies:?} {:?} {:?} {:?}", world.calls(), world.counts(), world.slots())
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let told = |seed| {
        let config = WorldConfig { faults: Faults::all_of(&Fault::ALL, 0.1), orgs: 2, ..WorldConfig::default() };
        history(&mut clumsy(config, seed, Duration::from_secs(3), 800))
    };
    assert_eq!(told(5), told(5));
    assert_ne!(told(5), told(6));
}

#[test]
fn callers_come_alike_whatever_a_campaign_does() {
    let came = |every: u64| {
        let posts = u32::try_from(7200 / every).unwrap();
        let world = clumsy(WorldConfig::default(), 9, Duration::from_secs(every), posts);
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
        let config = WorldConfig {
            slots,
            blocked_as: BlockedAs::ALL[shape],
            release_lag: Duration::from_secs(lag),
            faults: Faults::all_of(&Fault::ALL, 0.05),
            traffic: vec![Traffic::inbound(120.0, 3 * MINUTE)],
            ..WorldConfig::default()
        };
        let mut world = World::new(config, seed, START);
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
    fn a_listing_is_what_a_plain_search_finds(seed: u64, from in 0u64..900, span in 0u64..900, limit in 0usize..40, which in 0u8..3) {
        let faults = Faults::default().with(Fault::Forgotten, 0.1);
        let mut world = clumsy(WorldConfig { faults, ..WorldConfig::default() }, seed, Duration::from_secs(5), 150);
        let range = (at(from), at(from + span));
        let mut filter = Filter { limit, ..Filter::default() };
        if which != 1 { filter.created = range }
        if which != 0 { filter.updated = range }
        let now = world.now();
        let listed: Vec<_> = world.list(now, 0, &filter).into_iter().map(|call| (call.created, call.id.clone())).collect();
        let inside = |stamp: Stamp, (from, to): (Stamp, Stamp)| from <= stamp && stamp <= to;
        let fits = |call: &&super::PretendCall| call.is_listed(now) && inside(call.created, filter.created) && inside(call.updated, filter.updated);
        let mut plain: Vec<_> = world.calls().iter().filter(fits).map(|call| (call.created, call.id.clone())).collect();
        plain.sort_by_key(|row| std::cmp::Reverse(row.0));
        plain.truncate(limit);
        let stamps = |rows: &[(Stamp, crate::pool::calls::CallId)]| rows.iter().map(|row| row.0).collect::<Vec<_>>();
        prop_assert_eq!(stamps(&listed), stamps(&plain));
    }
}

#[test]
fn a_hundred_thousand_calls_go_through() {
    let config =
        WorldConfig { slots: 1000, traffic: vec![Traffic::inbound(4000.0, 3 * MINUTE)], ..WorldConfig::default() };
    let mut world = World::new(config, 1, START);
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
