//! Facts only ever add: neither their order nor their number may matter.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::super::Totals;
use super::bench::*;
use super::news::*;
use crate::campaign::attempt::Cause;
use crate::campaign::event::{LeadNow, News, SeenCall, Status};
use crate::pool::attempt_id::AttemptId;

/// Everything that may be told of one attempt.
fn everything(attempt: &AttemptId) -> Vec<News> {
    let call = queued(attempt, 2);
    let ringing = SeenCall { status: Status::Ringing, started: Some(stamp(4)), updated: stamp(4), ..call.clone() };
    let over = SeenCall { created: stamp(2), ..ended(attempt, "customer-did-not-answer", 30) };
    let analysed = SeenCall { updated: stamp(60), cost: Some(0.2), spoke: true, ..over.clone() };
    vec![
        answered(attempt, 2),
        failed(attempt, 31),
        listed(vec![call], 3),
        listed(vec![ringing], 5),
        listed(vec![over], 31),
        listed(vec![analysed], 61),
        News::Absent(attempt.clone(), at(700).at),
        News::Parked(attempt.clone(), at(701).at),
        refused(attempt, Cause::Pool, 3),
    ]
}

/// How it stands after these news, by their places in [`everything`].
fn told<B: Bench>(places: &[usize]) -> (Totals, Option<LeadNow>) {
    let mut story = Story::<B>::of(plan(), 1);
    let lead = story.batch(0).1[0].id;
    let attempt = story.claim(lead, 1);
    let news = everything(&attempt);
    let mut last = None;
    for place in places {
        for change in story.tell(&news[*place], 800).changes {
            last = Some(change.lead_now);
        }
    }
    (story.totals(), last)
}

fn some_news() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0..9_usize, 1..7)
}

fn check<B: Bench>(strategy: impl Strategy<Value = Vec<usize>>, property: impl Fn(Vec<usize>)) {
    let config = Config { cases: B::CASES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    runner
        .run(&strategy, |news| {
            property(news);
            Ok(())
        })
        .unwrap();
}

pub(super) fn the_order_of_news_does_not_matter<B: Bench>() {
    check::<B>(some_news(), |news| {
        let mut sorted = news.clone();
        sorted.sort_unstable();
        let mut backwards = sorted.clone();
        backwards.reverse();
        let (there, back, as_it_came) = (told::<B>(&sorted).0, told::<B>(&backwards).0, told::<B>(&news).0);
        assert_eq!(there, back);
        assert_eq!(there, as_it_came);
    });
}

pub(super) fn telling_everything_twice_changes_nothing<B: Bench>() {
    check::<B>(some_news(), |news| {
        let twice: Vec<usize> = news.iter().flat_map(|place| [*place, *place]).collect();
        assert_eq!(told::<B>(&news), told::<B>(&twice));
    });
}

pub(super) fn every_lead_is_in_exactly_one_state<B: Bench>() {
    check::<B>(some_news(), |news| {
        let (totals, _) = told::<B>(&news);
        assert_eq!(totals.total, 1);
        assert_eq!(totals.settled + totals.open + totals.in_doubt, 1);
        assert_eq!(totals.dispositions.values().sum::<u64>(), totals.settled);
    });
}
