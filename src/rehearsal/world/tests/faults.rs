//! Faults and refusals: each does what it says.

use std::time::Duration;

use super::{MINUTE, START, at, place, quiet, reply, talks, to};
use crate::campaign::seen::Status;
use crate::pool::news::Limits;
use crate::rehearsal::world::answer::{Answer, Refusal};
use crate::rehearsal::world::call::{NewCall, POOL_REASON};
use crate::rehearsal::world::config::{BlockedAs, ProviderConfig};
use crate::rehearsal::world::fault::{Fault, Faults};
use crate::rehearsal::world::{FakeProvider, Filter};

fn faulty(fault: Fault) -> ProviderConfig {
    ProviderConfig { faults: Faults::default().with(fault, 1.0), ..quiet() }
}

#[test]
fn a_full_pool_refuses_in_each_shape() {
    for shape in BlockedAs::ALL {
        let config = ProviderConfig { slots: 1, blocked_as: shape, mix: talks(), ..quiet() };
        let mut world = FakeProvider::new(config, 1, START);
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
        let mut world = FakeProvider::new(faulty(fault), 1, START);
        let answer = place(&mut world, 1).answer;
        (answer, world.calls().len())
    };
    let refused = |wait: bool| move |refusal: &Refusal| refusal.retry_after.is_some() == wait;
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
    assert!(FakeProvider::new(faulty(Fault::ReadError), 1, START).read_fails());
    assert!(!FakeProvider::new(quiet(), 1, START).read_fails());
}

#[test]
fn a_slow_answer_delays_the_answer_and_not_the_call() {
    let mut world = FakeProvider::new(faulty(Fault::Slow), 1, START);
    let reply = place(&mut world, 1);
    assert!(world.calls()[0].counted.unwrap() < at(1));
    assert!(reply.received > at(35) && reply.left < at(1));
    assert!(matches!(reply.answer, Answer::Created(call, _) if call.status == Status::Queued));
}

#[test]
fn a_late_creation_comes_long_after_its_answer() {
    let mut world = FakeProvider::new(faulty(Fault::LateCreate), 1, START);
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
            let mut world = FakeProvider::new(faulty(Fault::Forgotten), seed, START);
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
    let mut world = FakeProvider::new(ProviderConfig { fail_after: Some(1), ..quiet() }, 1, START);
    assert!(matches!(place(&mut world, 1).answer, Answer::Created(..)));
    assert!(
        matches!(place(&mut world, 2).answer, Answer::Refused(r) if r.status == 400 && r.message.contains("credit"))
    );
    assert_eq!(world.calls().len(), 1);
}

#[test]
fn lines_targets_and_numbers_are_refused_by_name() {
    let refused = std::iter::once(to(9).number).collect();
    let mut world = FakeProvider::new(ProviderConfig { refused, ..quiet() }, 1, START);
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
