//! What the pretended provider promises to those who test against it.

mod faults;
mod laws;

use std::time::Duration;

use super::answer::{Answer, Reply};
use super::call::NewCall;
use super::config::ProviderConfig;
use super::mix::{Ending, Shape};
use super::{FakeProvider, Filter};
use crate::campaign::seen::Status;
use crate::pool::news::Limits;
use crate::time::Stamp;

const START: Stamp = Stamp::from_micros(1_790_000_000_000_000);
const MINUTE: Duration = Duration::from_mins(1);

fn quiet() -> ProviderConfig {
    ProviderConfig { traffic: Vec::new(), ..ProviderConfig::default() }
}

fn talks() -> Vec<Ending> {
    vec![Ending::new(1, "customer-ended-call", Shape::Talk)]
}

fn to(number: u32) -> NewCall {
    NewCall { number: format!("+1415{:07}", 5_550_000 + number), ..NewCall::default() }
}

fn at(seconds: u64) -> Stamp {
    START + Duration::from_secs(seconds)
}

/// Sends one request and waits for what comes of it.
fn place(world: &mut FakeProvider, number: u32) -> Reply {
    world.post(world.now(), 0, to(number));
    reply(world)
}

fn reply(world: &mut FakeProvider) -> Reply {
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
    let mut world = FakeProvider::new(quiet(), 1, START);
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
    let mut world = FakeProvider::new(ProviderConfig { mix: talks(), ..quiet() }, 1, START);
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
fn nobody_hears_an_answer_that_was_abandoned() {
    let mut world = FakeProvider::new(quiet(), 1, START);
    let post = world.post(START, 0, to(1));
    world.abandon(post);
    world.advance(at(5));
    assert_eq!((world.next_reply(), world.calls().len()), (None, 1));
}

#[test]
fn a_slot_is_free_again_only_after_the_release_lag() {
    let config = ProviderConfig {
        release_lag: MINUTE,
        mix: vec![Ending::new(1, "customer-busy", Shape::RingsBriefly)],
        ..quiet()
    };
    let mut world = FakeProvider::new(config, 1, START);
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
    let mut world = FakeProvider::new(ProviderConfig { mix: talks(), orgs: 2, ..quiet() }, 1, START);
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
