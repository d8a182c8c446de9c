//! Lists: what an import keeps, brings in, and refuses.

use super::super::{Error, Journal};
use super::bench::*;
use super::news::*;
use crate::campaign::disposition::Class;
use crate::campaign::reply::{LeadNow, Opened};
use crate::campaign::seen::SeenCall;
use crate::leads::lead::Lead;
use crate::pool::attempt_id::{AttemptId, Mark};

pub(super) fn a_repeated_row_is_called_once<B: Bench>() {
    let mut bench = B::fresh(&plan());
    let rows = list([person(0), person(1), person(0), Lead { name: None, ..person(1) }, person(2)]);
    let (imported, _) = bench.run(plan(), &rows, false, at(0)).unwrap();
    assert_eq!((imported.rows, imported.leads, imported.duplicates, imported.added), (5, 3, 2, 3));
    assert_eq!(imported.duplicate_lines, [(0, 4), (0, 5)]);
    let (again, _) = bench.run(plan(), &rows, false, at(9)).unwrap();
    assert_eq!((again.rows, again.leads, again.duplicates, again.added), (5, 3, 2, 0));
    bench.journal().history(at(9)).unwrap();
    match bench.journal().open_batch(at(10)).unwrap() {
        Opened::Batch { leads, .. } => assert_eq!(leads[1].lead, person(1), "of duplicates the first counts"),
        Opened::Nobody(rest) => panic!("{rest:?}"),
    }
}

pub(super) fn a_settled_lead_stays_settled_whatever_its_row_says<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 3);
    let lead = story.batch(0).1[1].id;
    story.dial(lead, "customer-did-not-answer", 1);
    let changed = Lead { name: Some("renamed".to_owned()), variables: Vec::new(), zones: Vec::new(), ..person(1) };
    story.rerun(plan(), list([person(2), changed, person(0)]), false, 60).unwrap();
    assert_eq!(story.totals().settled, 1);
    let order: Vec<_> = story.batch(61).1.into_iter().map(|lead| lead.lead).collect();
    assert_eq!(order, [person(2), person(0)], "in the order of the newest list");
}

pub(super) fn an_open_lead_takes_its_variables_from_the_newest_list<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 2);
    let changed = Lead {
        variables: vec![("n".to_owned(), "new".to_owned())],
        zones: vec!["Europe/Lisbon".to_owned(), "Europe/Paris".to_owned()],
        ..person(1)
    };
    story.rerun(plan(), list([person(0), changed.clone()]), false, 60).unwrap();
    assert_eq!(story.batch(61).1[1].lead, changed);
}

pub(super) fn a_row_that_is_gone_is_not_called_and_one_that_is_back_is<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 4);
    let (imported, _) = story.rerun(plan(), list((0..3).map(person)), false, 60).unwrap();
    assert_eq!((imported.removed, imported.added, imported.leads), (1, 0, 3));
    assert_eq!((story.totals().total, story.totals().removed), (3, 1));
    assert_eq!(story.batch(61).1.len(), 3);
    let (imported, _) = story.rerun(plan(), list((0..5).map(person)), false, 90).unwrap();
    assert_eq!((imported.removed, imported.back, imported.added), (0, 1, 1));
    assert_eq!((story.totals().total, story.totals().removed), (5, 0));
}

pub(super) fn a_list_that_lacks_most_open_leads_is_refused<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 10);
    let ids: Vec<_> = story.batch(0).1.iter().map(|lead| lead.id).collect();
    story.dial(ids[9], "customer-did-not-answer", 1);
    let refused = story.rerun(plan(), list((0..4).map(person)), false, 60);
    assert!(matches!(refused, Err(Error::Drops { dropped: 5, open: 9, .. })), "{refused:?}");
    story.restart(70);
    assert_eq!(story.totals().open, 9, "nothing of it was brought in");
    story.rerun(plan(), list((0..5).map(person)), false, 80).unwrap();
    assert_eq!(story.totals().open, 5, "four of nine may go");
    story.rerun(plan(), list([person(77)]), true, 90).unwrap();
    assert_eq!((story.totals().total, story.totals().removed), (1, 10));
}

pub(super) fn a_list_that_breaks_off_changes_nothing<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 3);
    assert_eq!(story.import_broken(&list([person(0), person(7)]), 60), "line 4 cannot be read");
    story.restart(70);
    assert_eq!((story.batch(71).1.len(), story.totals().total, story.totals().removed), (3, 3, 0));
}

pub(super) fn a_list_without_leads_is_refused<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 3);
    assert!(matches!(story.rerun(plan(), Vec::new(), true, 60), Err(Error::Empty)));
    story.restart(70);
    assert_eq!(story.batch(71).1.len(), 3);
}

pub(super) fn an_extension_added_afterwards_does_not_call_again<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 3);
    let lead = story.batch(0).1[1].id;
    story.dial(lead, "customer-did-not-answer", 1);
    let extended = Lead { extension: Some("12".to_owned()), ..person(1) };
    let (imported, _) = story.rerun(plan(), list([person(0), extended, person(2)]), false, 60).unwrap();
    assert_eq!((imported.added, imported.removed), (1, 1));
    assert_eq!(story.batch(61).1.len(), 2);
    assert_eq!((story.totals().settled, story.settled_as(Class::NoAnswer)), (1, 1));
}

pub(super) fn calls_taken_in_settle_leads_that_come_later<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 2);
    let attempt = AttemptId::mint(&Mark::of("leads"), 5);
    let over = SeenCall { phone: Some(person(7).phone), ..ended(&attempt, "customer-busy", 0) };
    story.tell(&listed(vec![over], 1), 1);
    let changes = story.journal().adopt(at(2)).unwrap();
    assert_eq!((changes[0].lead, changes[0].lead_now), (None, LeadNow::Elsewhere));
    story.rerun(plan(), list([person(0), person(1), person(7)]), false, 60).unwrap();
    assert_eq!(story.batch(61).1.len(), 2);
    assert_eq!(story.settled_as(Class::Busy), 1);
}

pub(super) fn more_attempts_reopen_settled_leads<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 3);
    let ids: Vec<_> = story.batch(0).1.iter().map(|lead| lead.id).collect();
    story.dial(ids[0], "customer-did-not-answer", 1);
    story.dial(ids[1], "customer-ended-call", 2);
    assert_eq!(story.totals().settled, 2);
    let (_, reopened) = story.rerun(retrying(3, 9), list((0..3).map(person)), false, 9000).unwrap();
    assert_eq!(reopened, 1);
    assert_eq!((story.totals().settled, story.totals().open), (1, 2));
    let (_, reopened) = story.rerun(retrying(3, 9), list((0..3).map(person)), false, 9001).unwrap();
    assert_eq!(reopened, 0);
}
