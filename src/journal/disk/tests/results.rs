//! What the provider made of calls, and what a results file is told.

use std::sync::Arc;
use std::time::Duration;

use super::super::outcomes::LeadOutcome;
use super::super::results::{ResultsBook, ResultsPlace};
use super::*;
use crate::campaign::disposition::Class;
use crate::campaign::seen::{Analysis, SeenCall};
use crate::pool::attempt_id::AttemptId;

fn booked() -> Analysis {
    Analysis {
        success: Some("true".to_owned()),
        summary: Some("Booked.".to_owned()),
        structured: Some(r#"{"booked":true}"#.to_owned()),
        recording_url: Some("https://x/r.wav".to_owned()),
        transcript_chars: Some(7),
    }
}

/// The same call, with what the provider made of it.
fn analysed(call: SeenCall, seconds: i64) -> SeenCall {
    SeenCall { updated: stamp(seconds), analysed: true, analysis: Some(Arc::new(booked())), ..call }
}

/// A call that was answered and is over.
fn talked(attempt: &AttemptId, seconds: i64) -> SeenCall {
    SeenCall { started: Some(stamp(seconds - 10)), spoke: true, ..ended(attempt, "customer-ended-call", seconds) }
}

fn placed(run: &mut Run, lead: LeadId, seconds: i64) -> AttemptId {
    let attempt = claim(run, &[lead], roomy(9, at(seconds)), seconds).granted[0].attempt.clone();
    run.record(at(seconds), &answered(&attempt, seconds)).unwrap();
    attempt
}

#[test]
fn an_analysis_is_kept_for_reports_until_its_person_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let mut run = cast.run(0..60, 0);
    let lead = batch(&mut run, 1)[0];
    let attempt = placed(&mut run, lead, 2);
    run.record(at(30), &listed(vec![talked(&attempt, 30)], 30)).unwrap();
    run.record(at(40), &listed(vec![analysed(talked(&attempt, 30), 40)], 40)).unwrap();
    let (mut disk, _) = run.end(at(41)).unwrap();
    let account = disk.accounts().unwrap().remove(0);
    let kept = |disk: &Disk| {
        let attempts = disk.attempts_of(&account, "leads").unwrap();
        let mut kept = Vec::new();
        let each = |lead: LeadOutcome<'_>| kept.extend(lead.analysis.cloned());
        let campaign = disk.campaign(&account, "leads").unwrap();
        disk.each_lead(campaign, 0..=i64::MAX, &attempts, each).unwrap();
        kept
    };
    assert_eq!(kept(&disk), [booked()]);
    disk.forget(person(0).phone, at(50)).unwrap();
    drop(disk);
    let mut run = cast.run(0..60, 60);
    run.record(at(61), &listed(vec![analysed(talked(&attempt, 30), 61)], 61)).unwrap();
    let (disk, _) = run.end(at(62)).unwrap();
    let left: i64 = disk.db.get("SELECT count(*) FROM analyses", &[]).unwrap();
    assert_eq!((kept(&disk), left), (Vec::new(), 0));
}

#[test]
fn the_parts_of_a_long_list_are_handed_over_in_its_order() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let people = list((0..35_000).map(person));
    cast.import(&people, |head| head).unwrap();
    let disk = Disk::look(dir.path()).unwrap().unwrap();
    let account = disk.accounts().unwrap().remove(0);
    let attempts = disk.attempts_of(&account, "leads").unwrap();
    let (mut phones, mut parts) = (Vec::new(), 0);
    let open = || Disk::look(dir.path())?.ok_or(Error::Empty);
    let make = |part: &mut Vec<_>, lead: LeadOutcome<'_>| part.push(lead.lead.phone);
    let hand_over = |part: Vec<_>| {
        phones.extend(part);
        parts += 1;
        Ok::<(), Error>(())
    };
    disk.each_part(&account, "leads", &attempts, open, make, hand_over).unwrap();
    assert_eq!((parts, phones.len()), (4, 35_000));
    assert!((0..35_000).map(|nth| person(nth).phone).eq(phones));
    let fails = |_: Vec<_>| Err::<(), Error>(Error::Empty);
    assert!(disk.each_part(&account, "leads", &attempts, open, make, fails).is_err());
    let gone = || Err(Error::Empty);
    assert!(disk.each_part(&account, "leads", &attempts, gone, make, |_: Vec<_>| Ok::<(), Error>(())).is_err());
}

/// What no file has: the lead's number and the settlement's.
fn unwritten(book: &ResultsBook) -> Vec<(LeadId, u64)> {
    book.unwritten(LeadId(0), 100).unwrap().iter().map(|one| (one.id, one.number)).collect()
}

#[test]
fn each_settlement_is_told_until_a_file_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let mut run = cast.run(0..60, 0);
    let leads = batch(&mut run, 1);
    let mut book = run.results_book(dir.path())(&mut chance(9)).unwrap();
    assert_eq!(unwritten(&book), []);
    for (lead, seconds) in [(leads[0], 10), (leads[1], 20)] {
        let attempt = placed(&mut run, lead, seconds);
        run.record(at(seconds), &listed(vec![ended(&attempt, "customer-did-not-answer", seconds + 5)], seconds + 5))
            .unwrap();
    }
    assert_eq!(unwritten(&book), [(leads[0], 1), (leads[1], 1)]);
    let one = book.unwritten(leads[0], 100).unwrap().remove(0);
    assert_eq!((one.lead.phone, one.attempts.len(), one.class), (person(1).phone, 1, Class::NoAnswer));
    assert!(!one.waits(at(25).wall, Duration::from_hours(1)), "nobody answered");
    let place = ResultsPlace { path: "/r".to_owned(), file: (u64::MAX, 7), length: 3 };
    book.wrote(&[(leads[0], 1)], Some(&place)).unwrap();
    assert_eq!(
        (unwritten(&book), book.places().unwrap(), book.left().unwrap()),
        (vec![(leads[1], 1)], vec![place.clone()], 1)
    );
    let found = ResultsPlace { length: 9, ..place };
    let mut rows = [(person(1).phone, None, 2), (person(2).phone, None, 1)].into_iter();
    book.found(&mut rows, &found).unwrap();
    assert_eq!(unwritten(&book), [(leads[1], 1)], "a row of a settlement that never was is none");
    book.found(&mut [(person(1).phone, None, 1)].into_iter(), &found).unwrap();
    assert_eq!((unwritten(&book), book.places().unwrap()), (Vec::new(), vec![found]));
    run.end(at(30)).unwrap();
    let (mut run, _) = cast.start(retrying(2, 9), &list((0..60).map(person)), 8000).unwrap();
    assert_eq!(unwritten(&book), [], "both are open again");
    let attempt = placed(&mut run, leads[0], 8001);
    run.record(at(8010), &listed(vec![ended(&attempt, "customer-busy", 8010)], 8010)).unwrap();
    assert_eq!(unwritten(&book), [(leads[0], 2)]);
}

#[test]
fn a_start_waits_for_what_was_answered_lately_and_not_yet_analysed() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let mut run = cast.run(0..60, 0);
    let leads = batch(&mut run, 1);
    let ids: Vec<AttemptId> = leads[..4].iter().zip(2..).map(|(lead, at)| placed(&mut run, *lead, at)).collect();
    run.record(at(20), &listed(vec![talked(&ids[0], 20)], 20)).unwrap();
    let unanswered = ended(&ids[1], "customer-did-not-answer", 90);
    let calls = vec![talked(&ids[2], 90), analysed(talked(&ids[3], 90), 90), unanswered];
    run.record(at(90), &listed(calls, 90)).unwrap();
    run.end(at(91)).unwrap();
    let wait = Some(Duration::from_mins(1));
    let plan = Plan { results_wait: wait, ..cast.plan() };
    let (run, history) = cast.start(plan, &list((0..60).map(person)), 100).unwrap();
    assert_eq!(history.awaited, [(talked(&ids[2], 90).id, at(150).at)]);
    run.end(at(101)).unwrap();
    let (_run, history) = cast.start(cast.plan(), &list((0..60).map(person)), 102).unwrap();
    assert_eq!(history.awaited, [], "nobody wants it");
}
