//! The life of an attempt, as a journal keeps it.

use jiff::tz::TimeZone;

use super::super::Journal;
use super::bench::*;
use super::news::*;
use crate::campaign::attempt::{Cause, State};
use crate::campaign::disposition::Class;
use crate::campaign::event::News;
use crate::campaign::plan::Plan;
use crate::campaign::reply::{Change, Denied, LeadNow, Opened};
use crate::campaign::retry::Retries;
use crate::campaign::seen::{SeenCall, Status};
use crate::pool::attempt_id::{AttemptId, Mark};
use crate::pool::calls::CallId;
use crate::pool::news::Limits;

pub(super) fn what_is_claimed_is_taken_in_the_order_asked_for<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 5);
    let (_, leads) = story.batch(0);
    let backwards: Vec<_> = leads.iter().rev().map(|lead| lead.id).collect();
    let (claimed, claims) = story.ask(&backwards, 3, 1);
    let granted: Vec<_> = claimed.granted.iter().map(|granted| granted.lead).collect();
    assert_eq!(granted, backwards[..3]);
    for (claim, granted) in claims.iter().zip(&claimed.granted) {
        assert_eq!(claim.attempt(), &granted.attempt);
        assert_eq!(claim.attempt().mark(), Mark::of("leads"));
    }
    assert_eq!(claims[0].lead(), &person(4));
    assert_eq!(story.denied(backwards[0], 2), Denied::Gone);
    assert_eq!(story.batch(2).1.len(), 2, "those claimed have left the batch");
}

pub(super) fn no_more_is_granted_than_the_pool_allows<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 5);
    let ids: Vec<_> = story.batch(0).1.iter().map(|lead| lead.id).collect();
    assert!(story.ask(&ids, 0, 1).1.is_empty());
    assert_eq!(story.ask(&ids, 2, 1).1.len(), 2);
    assert_eq!(story.ask(&ids, 50, 2).1.len(), 3);
}

pub(super) fn an_answer_and_an_end_settle_a_lead<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 2);
    let lead = story.batch(0).1[0].id;
    let attempt = story.claim(lead, 1);
    let change = story.change(&answered(&attempt, 2), 2);
    assert_eq!((change.was, change.now), (Some(State::Claimed), State::Placed { blocked: false }));
    assert_eq!((change.lead, change.lead_now, change.double), (Some(lead), LeadNow::Busy, false));
    let over = ended(&attempt, "customer-did-not-answer", 30);
    let change = story.change(&listed(vec![over], 31), 31);
    assert_eq!(change.now, State::Ended(Class::NoAnswer));
    assert_eq!(change.lead_now, LeadNow::Settled(Class::NoAnswer));
    assert_eq!(change.reason.as_deref(), Some("customer-did-not-answer"));
    let totals = story.totals();
    assert_eq!((totals.total, totals.settled, totals.open), (2, 1, 1));
    assert_eq!(story.settled_as(Class::NoAnswer), 1);
    assert_eq!(story.denied(lead, 60), Denied::Gone);
}

pub(super) fn a_refusal_gives_the_lead_back<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 1);
    let lead = story.batch(0).1[0].id;
    let mut seconds = 1;
    for cause in [Cause::Pool, Cause::Connect, Cause::Account, Cause::Line] {
        let attempt = story.claim(lead, seconds);
        let change = story.change(&refused(&attempt, cause, seconds + 1), seconds + 1);
        assert_eq!((change.now, change.lead_now), (State::Refused(cause), LeadNow::Open));
        seconds += 2;
    }
    let attempt = story.claim(lead, seconds);
    assert_eq!(story.change(&News::Withdrawn(attempt), seconds).now, State::Refused(Cause::Withdrawn));
    assert_eq!(story.batch(seconds).1[0].doubts, 0);
}

pub(super) fn a_refused_number_settles_its_lead_and_a_reopened_one_does_not<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 2);
    let leads = story.batch(0).1;
    let dead = story.claim(leads[0].id, 1);
    let change = story.change(&refused(&dead, Cause::Lead, 2), 2);
    assert_eq!(change.lead_now, LeadNow::Settled(Class::Invalid));
    let odd = story.claim(leads[1].id, 3);
    let change = story.change(&refused(&odd, Cause::Config, 4), 4);
    assert_eq!(change.lead_now, LeadNow::Settled(Class::Config));
    let change = story.change(&News::Reopened(vec![odd]), 5);
    assert_eq!((change.lead, change.lead_now), (Some(leads[1].id), LeadNow::Open));
    story.claim(leads[1].id, 6);
}

pub(super) fn a_doubt_proven_absent_gives_the_lead_back<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 1);
    let lead = story.batch(0).1[0].id;
    let attempt = story.claim(lead, 1);
    let change = story.change(&failed(&attempt, 31), 31);
    assert_eq!((change.now, change.lead_now), (State::InDoubt, LeadNow::Busy));
    assert_eq!((story.totals().in_doubt, story.totals().open), (1, 0));
    assert_eq!(story.denied(lead, 32), Denied::Gone);
    let change = story.change(&News::Absent(attempt, at(700).at), 700);
    assert_eq!((change.now, change.lead_now), (State::Refused(Cause::Absent), LeadNow::Open));
    assert_eq!(story.batch(701).1[0].doubts, 1);
    story.claim(lead, 702);
}

pub(super) fn a_call_that_comes_to_light_late_is_followed_and_reported_as_a_double_call<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 1);
    let lead = story.batch(0).1[0].id;
    let first = story.claim(lead, 1);
    story.tell(&failed(&first, 31), 31);
    story.tell(&News::Absent(first.clone(), at(700).at), 700);
    let second = story.claim(lead, 701);
    story.tell(&answered(&second, 702), 702);
    let late = story.change(&listed(vec![queued(&first, 2)], 703), 703);
    assert_eq!((late.was, late.now), (Some(State::Refused(Cause::Absent)), State::Placed { blocked: false }));
    assert!(late.double, "both rang");
    assert_eq!(late.lead_now, LeadNow::Busy);
    story.tell(&listed(vec![ended(&second, "customer-did-not-answer", 720)], 721), 721);
    assert_eq!(story.totals().settled, 0, "the other call is still up");
    let over = story.change(&listed(vec![ended(&first, "customer-busy", 730)], 731), 731);
    assert!(matches!(over.lead_now, LeadNow::Settled(_)));
    assert_eq!(story.totals().settled, 1);
}

/// One lead whose request always breaks, somebody else being answered between or not.
fn doubts<B: Bench>(between: bool) -> Vec<LeadNow> {
    let mut story = Story::<B>::of(plan(), 20);
    let leads = story.batch(0).1;
    let mut seconds = 1;
    let mut seen = Vec::new();
    for other in 1..=6 {
        let attempt = story.claim(leads[0].id, seconds);
        story.tell(&failed(&attempt, seconds + 1), seconds + 1);
        let absent = News::Absent(attempt, at(seconds + 700).at);
        seen.push(story.change(&absent, seconds + 700).lead_now);
        if seen.last() == Some(&LeadNow::Parked) {
            break;
        }
        if between {
            let attempt = story.claim(leads[other].id, seconds + 701);
            story.tell(&answered(&attempt, seconds + 702), seconds + 702);
        }
        seconds += 800;
    }
    seen
}

pub(super) fn five_doubts_park_a_lead_if_others_were_answered_between<B: Bench>() {
    use LeadNow::{Open, Parked};
    assert_eq!(doubts::<B>(true), [Open, Open, Open, Open, Parked]);
}

pub(super) fn doubts_while_nobody_is_answered_park_nobody<B: Bench>() {
    assert_eq!(doubts::<B>(false), [LeadNow::Open; 6]);
}

pub(super) fn what_was_parked_and_shows_up_is_placed<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 1);
    let lead = story.batch(0).1[0].id;
    let attempt = story.claim(lead, 1);
    story.tell(&failed(&attempt, 31), 31);
    let change = story.change(&News::Parked(attempt.clone(), at(60).at), 60);
    assert_eq!((change.now, change.lead_now), (State::Parked, LeadNow::Parked));
    let totals = story.totals();
    assert_eq!((totals.in_doubt, totals.parked, totals.open), (1, 1, 0));
    story.restart(100);
    let change = story.change(&listed(vec![queued(&attempt, 2)], 101), 101);
    assert_eq!((change.now, change.lead_now, change.double), (State::Placed { blocked: false }, LeadNow::Busy, false));
}

pub(super) fn a_dead_run_leaves_its_claims_in_doubt_and_its_calls_up<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 4);
    let leads = story.batch(0).1;
    let attempts: Vec<AttemptId> = leads.iter().map(|lead| story.claim(lead.id, 1)).collect();
    story.tell(&answered(&attempts[1], 2), 2);
    story.tell(&refused(&attempts[2], Cause::Pool, 2), 2);
    story.tell(&failed(&attempts[3], 2), 2);
    let history = story.restart(100);
    let open = |n: usize| history.open.iter().find(|open| open.attempt == attempts[n]);
    assert_eq!(history.open.len(), 3);
    assert_eq!((open(0).unwrap().state, open(0).unwrap().failed), (State::InDoubt, Some(at(100).at)));
    assert_eq!((open(1).unwrap().state, open(1).unwrap().created), (State::Placed { blocked: false }, Some(stamp(2))));
    assert_eq!((open(3).unwrap().state, open(3).unwrap().failed), (State::InDoubt, Some(at(2).at)));
    assert!(history.open.iter().all(|open| open.ours && open.provider_time == stamp(1)));
    assert!(history.has_attempts && history.unsettled == 4);
    let ids: Vec<_> = story.batch(101).1.iter().map(|lead| lead.id).collect();
    assert_eq!(ids, [leads[2].id]);
}

/// A call with this campaign's mark that no journal here has made.
fn strange(n: u64, seconds: i64) -> SeenCall {
    let attempt = AttemptId::mint(&Mark::of("leads"), u128::from(n) + 1);
    SeenCall { phone: Some(person(n).phone), ..queued(&attempt, seconds) }
}

pub(super) fn a_call_with_our_mark_is_a_stranger_once_until_it_is_taken_in<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 3);
    let ids = story.ids(0);
    let stranger = strange(1, -600);
    let recorded = story.tell(&listed(vec![stranger.clone()], 1), 1);
    assert_eq!(recorded.strangers.len(), 1);
    assert_eq!((&recorded.strangers[0].call, recorded.strangers[0].created), (&stranger.id, stranger.created));
    assert!(recorded.changes.is_empty());
    assert!(story.tell(&listed(vec![stranger.clone()], 2), 2).strangers.is_empty());
    let history = story.restart(3);
    assert_eq!((history.strangers.len(), history.has_attempts), (1, false));
    assert_eq!(story.totals().open, 3);
    let changes = story.journal().adopt(at(4)).unwrap();
    assert_eq!((changes.len(), changes[0].was, changes[0].lead), (1, None, Some(ids[&person(1).phone])));
    assert_eq!(changes[0].lead_now, LeadNow::Busy);
    let history = story.restart(5);
    assert!(history.strangers.is_empty() && history.has_attempts);
    assert_eq!(history.open.len(), 1);
    let attempt = stranger.attempt.unwrap();
    let over = SeenCall { phone: Some(person(1).phone), ..ended(&attempt, "customer-did-not-answer", 20) };
    let change = story.change(&listed(vec![over], 21), 21);
    assert_eq!(change.lead_now, LeadNow::Settled(Class::NoAnswer));
    assert!(!change.double);
}

pub(super) fn calls_of_other_campaigns_are_nobody_here<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 3);
    let attempt = AttemptId::mint(&Mark::of("another"), 9);
    let call = SeenCall { phone: Some(person(1).phone), ..queued(&attempt, 1) };
    let unmarked = SeenCall { attempt: None, id: CallId::new("inbound"), ..call.clone() };
    let recorded = story.tell(&listed(vec![call, unmarked], 2), 2);
    assert!(recorded.changes.is_empty() && recorded.strangers.is_empty());
    assert!(story.journal().adopt(at(3)).unwrap().is_empty());
    assert_eq!(story.batch(4).1.len(), 3);
    assert!(story.restart(5).open.is_empty());
}

pub(super) fn an_adopted_call_that_is_up_keeps_its_lead_from_being_claimed<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 3);
    let ids = story.ids(0);
    let lead = ids[&person(2).phone];
    let ours = story.claim(lead, 1);
    story.tell(&listed(vec![strange(2, -30)], 2), 2);
    let changes = story.journal().adopt(at(3)).unwrap();
    assert_eq!(changes[0].lead, Some(lead));
    let sent = story.change(&answered(&ours, 4), 4);
    assert!(sent.double, "an adopted call and one of ours called the lead");
    assert_eq!(story.denied(lead, 5), Denied::Gone);
}

pub(super) fn the_wait_after_an_adoption_survives_a_restart<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 3);
    story.tell(&listed(vec![strange(1, -30)], 2), 2);
    story.journal().adopt(at(3)).unwrap();
    assert_eq!(story.restart(10).adopted_at, Some(at(3).at));
    story.journal().adoption_done(at(700)).unwrap();
    assert_eq!(story.restart(710).adopted_at, None);
}

/// A lead whose call came back blocked, at second 2; the attempt, and what that changed.
fn blocked<B: Bench>(story: &mut Story<B>) -> (AttemptId, Change) {
    let lead = story.batch(0).1[0].id;
    let attempt = story.claim(lead, 1);
    let limits = Some(Limits { blocked: true, limit: Some(10), remaining: Some(0) });
    let news = News::Answered { attempt: attempt.clone(), wire: wire(2), call: Box::new(queued(&attempt, 2)), limits };
    let change = story.change(&news, 2);
    (attempt, change)
}

pub(super) fn a_blocked_call_is_up_until_it_ends_and_gives_the_lead_back<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 1);
    let (attempt, change) = blocked(&mut story);
    assert_eq!((change.now, change.lead_now), (State::Placed { blocked: true }, LeadNow::Busy));
    let reason = "call.start.error-subscription-concurrency-limit-reached";
    let change = story.change(&listed(vec![ended(&attempt, reason, 5)], 6), 6);
    assert_eq!((change.now, change.lead_now), (State::Refused(Cause::Pool), LeadNow::Open));
    let rung = SeenCall { started: Some(stamp(3)), ..ended(&attempt, reason, 5) };
    let change = story.change(&listed(vec![SeenCall { updated: stamp(8), ..rung }], 9), 9);
    assert_eq!(change.now, State::Ended(Class::Fault), "it rang after all");
}

pub(super) fn a_blocked_call_that_nobody_knows_gives_the_lead_back<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 1);
    let (attempt, _) = blocked(&mut story);
    let change = story.change(&News::Absent(attempt.clone(), at(700).at), 700);
    assert_eq!((change.now, change.lead_now), (State::Refused(Cause::Pool), LeadNow::Open));
    let shown = SeenCall { updated: stamp(701), ..queued(&attempt, 2) };
    let change = story.change(&listed(vec![shown], 702), 702);
    assert_eq!(change.now, State::Placed { blocked: false }, "it was made after all");
}

pub(super) fn who_asks_not_to_be_called_is_not_called_again<B: Bench>() {
    let mut story = Story::<B>::of(retrying(3, 9), 2);
    let lead = story.batch(0).1[0].id;
    let attempt = story.claim(lead, 1);
    story.tell(&answered(&attempt, 2), 2);
    let over = SeenCall { opt_out: true, ..ended(&attempt, "customer-did-not-answer", 30) };
    let change = story.change(&listed(vec![over], 31), 31);
    assert!(matches!(change.lead_now, LeadNow::Due(_)));
    assert_eq!(story.denied(lead, 8000), Denied::Suppressed);
    assert_eq!((story.settled_as(Class::Suppressed), story.totals().suppressed), (1, 1));
}

pub(super) fn who_is_on_a_do_not_call_list_is_settled_at_the_claim<B: Bench>() {
    let mut story = Story::<B>::begin(plan(), list([person(0), person(9999)]));
    let leads = story.batch(0).1;
    assert_eq!(leads[1].lead.phone.digits(), NOT_TO_BE_CALLED);
    assert_eq!(story.denied(leads[1].id, 1), Denied::Suppressed);
    story.restart(2);
    assert_eq!((story.totals().settled, story.settled_as(Class::Suppressed)), (1, 1));
    assert_eq!(story.batch(3).1.len(), 1);
}

pub(super) fn a_second_call_under_one_attempt_is_a_double_call<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 1);
    let lead = story.batch(0).1[0].id;
    let attempt = story.claim(lead, 1);
    story.tell(&answered(&attempt, 2), 2);
    let twin = SeenCall { id: CallId::new("twin"), ..queued(&attempt, 3) };
    assert!(story.change(&listed(vec![twin.clone()], 4), 4).double);
    assert!(story.tell(&listed(vec![twin], 5), 5).changes.is_empty());
}

pub(super) fn a_rate_limit_pauses_the_posts_of_all<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 3);
    let leads = story.batch(0).1;
    let attempt = story.claim(leads[0].id, 1);
    let change = story.change(&refused(&attempt, Cause::Rate, 10), 10);
    assert_eq!(change.lead_now, LeadNow::Open);
    let (claimed, claims) = story.ask(&[leads[1].id], 5, 20);
    assert!(claims.is_empty());
    assert_eq!(claimed.others.rate_until, Some(at(60).at), "the next minute of UTC");
    assert_eq!(story.ask(&[leads[1].id], 5, 60).1.len(), 1);
}

pub(super) fn the_newest_cost_counts<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 2);
    let lead = story.batch(0).1[0].id;
    let attempt = story.claim(lead, 1);
    story.tell(&answered(&attempt, 2), 2);
    let call = |cost, seconds| SeenCall { cost: Some(cost), ..ended(&attempt, "customer-busy", seconds) };
    let later = SeenCall { ended: Some(stamp(30)), created: stamp(15), ..call(0.25, 90) };
    for seen in [later, call(0.1, 30), call(f64::NAN, 30)] {
        story.tell(&listed(vec![seen], 91), 91);
    }
    assert!((story.totals().cost_usd - 0.25).abs() < 1e-9);
    let history = story.restart(100);
    assert!((history.cost_usd - 0.25).abs() < 1e-9 && history.calls_ended == 1);
}

pub(super) fn minutes_are_those_of_answered_phones<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 3);
    let leads = story.batch(0).1;
    let call = |attempt: &_, started| SeenCall { started, ..ended(attempt, "silence-timed-out", 90) };
    for (lead, started) in leads.iter().zip([Some(stamp(30)), None, Some(stamp(75))]) {
        let attempt = story.claim(lead.id, 1);
        story.tell(&answered(&attempt, 2), 2);
        story.tell(&listed(vec![call(&attempt, started)], 91), 91);
    }
    assert!((story.totals().minutes - 1.25).abs() < 1e-9, "{}", story.totals().minutes);
}

pub(super) fn nobody_is_called_again_after_a_fault_once_the_phone_was_answered<B: Bench>() {
    let faults = ["fault=1s".to_owned()];
    let retries = Retries::parse(3, &faults, 20, 1, TimeZone::UTC).unwrap();
    let mut story = Story::<B>::of(Plan { retries, ..plan() }, 3);
    let leads = story.batch(0).1;
    let broken = |attempt: &_| ended(attempt, "worker-shutdown", 60);
    let up = |attempt: &_| SeenCall { status: Status::InProgress, ended: None, reason: None, ..broken(attempt) };
    let started = |attempt: &_| SeenCall { started: Some(stamp(40)), ..broken(attempt) };
    let ends = leads.iter().map(|lead| {
        let attempt = story.claim(lead.id, 1);
        story.tell(&answered(&attempt, 2), 2);
        attempt
    });
    let attempts: Vec<_> = ends.collect();
    assert!(matches!(story.change(&listed(vec![broken(&attempts[0])], 61), 61).lead_now, LeadNow::Due(_)));
    story.tell(&listed(vec![up(&attempts[1])], 50), 50);
    for seen in [broken(&attempts[1]), started(&attempts[2])] {
        assert_eq!(story.change(&listed(vec![seen], 62), 62).lead_now, LeadNow::Settled(Class::Fault));
    }
}

pub(super) fn the_watermark_never_goes_back<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 1);
    assert_eq!(story.restart(1).watermark, None);
    let mut known = |from, to, seconds| {
        story.journal().watermark(at(seconds), stamp(from), stamp(to)).unwrap();
        let history = story.restart(seconds + 1);
        (history.known_from.unwrap(), history.watermark.unwrap())
    };
    assert_eq!(known(40, 100, 2), (stamp(40), stamp(100)));
    assert_eq!(known(30, 50, 4), (stamp(30), stamp(100)), "what is known up to never goes back");
    assert_eq!(known(100, 120, 6), (stamp(30), stamp(120)));
    assert_eq!(known(130, 150, 8), (stamp(130), stamp(150)), "nobody has looked at what lies between");
}

pub(super) fn a_call_that_was_given_up_is_settled_as_unknown<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 1);
    let lead = story.batch(0).1[0].id;
    let attempt = story.claim(lead, 1);
    story.tell(&answered(&attempt, 2), 2);
    let change = story.change(&News::GivenUp(attempt.clone()), 9000);
    assert_eq!(change.lead_now, LeadNow::Settled(Class::Unknown));
    let ringing = SeenCall { status: Status::Ringing, updated: stamp(10), ..queued(&attempt, 2) };
    assert!(story.tell(&listed(vec![ringing], 9001), 9001).changes.is_empty());
    assert!(matches!(story.opened(9002), Opened::Nobody(_)));
}
