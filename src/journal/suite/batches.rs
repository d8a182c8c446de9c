//! Batches: who, in which order, and when again.

use std::time::Duration;

use super::super::Journal;
use super::bench::*;
use super::news::*;
use crate::campaign::hours::Calling;
use crate::campaign::plan::Plan;
use crate::campaign::reply::{BatchLead, Denied, LeadNow, Opened};
use crate::leads::lead::Lead;

fn numbers(leads: &[BatchLead]) -> Vec<u64> {
    leads.iter().map(|lead| lead.lead.phone.digits() - 14_155_550_000).collect()
}

pub(super) fn batches_are_cut_in_list_order<B: Bench>() {
    let mut people: Vec<Lead> = (0..149).rev().map(person).collect();
    people[3].zones = vec!["Europe/Lisbon".to_owned()];
    people[70].zones = Vec::new();
    let mut story = Story::<B>::begin(plan(), list(people));
    let mut sizes = Vec::new();
    let mut seen = Vec::new();
    while let Opened::Batch { number, size, leads } = story.opened(1) {
        assert_eq!(size, leads.len());
        sizes.push(size);
        seen.extend(numbers(&leads));
        for lead in &leads {
            story.dial(lead.id, "customer-did-not-answer", 1);
        }
        story.journal().close_batch(at(1), number).unwrap();
    }
    assert_eq!(sizes, [50, 99]);
    assert_eq!(seen, (0..149).rev().collect::<Vec<_>>());
}

pub(super) fn nobody_of_an_open_batch_is_lost_with_its_run<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 120);
    let (number, leads) = story.batch(0);
    for lead in &leads[..10] {
        story.dial(lead.id, "customer-did-not-answer", 1);
    }
    story.restart(100);
    match story.opened(101) {
        Opened::Batch { number: again, size, leads: left } => {
            assert_eq!((again, size, left.len()), (number, 50, 40));
            assert_eq!(left, leads[10..]);
        }
        Opened::Nobody(rest) => panic!("{rest:?}"),
    }
}

pub(super) fn batch_numbers_only_grow<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 250);
    let mut last = 0;
    for run in 1..=4 {
        let (number, _) = story.batch(run * 10);
        assert!(number > last);
        story.journal().close_batch(at(run * 10 + 1), number).unwrap();
        last = number;
        story.restart(run * 10 + 2);
    }
}

pub(super) fn new_leads_come_before_retries<B: Bench>() {
    let mut story = Story::<B>::of(retrying(2, 9), 130);
    let (number, leads) = story.batch(0);
    let due = leads.iter().map(|lead| story.dial(lead.id, "customer-did-not-answer", 1).lead_now);
    assert!(due.collect::<Vec<_>>().iter().all(|now| matches!(now, LeadNow::Due(_))));
    story.journal().close_batch(at(60), number).unwrap();
    let (number, leads) = story.batch(9000);
    assert_eq!(numbers(&leads), (50..130).collect::<Vec<_>>(), "though the first fifty are due");
    for lead in &leads {
        story.dial(lead.id, "customer-ended-call", 9001);
    }
    story.journal().close_batch(at(9060), number).unwrap();
    assert_eq!(numbers(&story.batch(9061).1), (0..50).collect::<Vec<_>>());
}

fn office_hours() -> Plan {
    Plan { calling: Calling::parse("08:00-21:00", None, None, Duration::ZERO).unwrap(), ..plan() }
}

fn in_zone(n: u64, zone: &str) -> Lead {
    Lead { zones: vec![zone.to_owned()], ..person(n) }
}

pub(super) fn leads_whose_hours_are_closed_are_left_for_later<B: Bench>() {
    // At noon in UTC it is 07:00 in New York and 01:00 of the next day in Auckland.
    let people = [in_zone(0, "America/New_York"), in_zone(1, "Europe/Lisbon"), in_zone(2, "Pacific/Auckland")];
    let mut story = Story::<B>::begin(office_hours(), list(people));
    let (number, leads) = story.batch(0);
    assert_eq!(numbers(&leads), [1]);
    story.dial(leads[0].id, "customer-did-not-answer", 1);
    story.journal().close_batch(at(30), number).unwrap();
    match story.opened(31) {
        Opened::Nobody(rest) => assert_eq!((rest.later, rest.next_at), (2, Some(at(3600).wall))),
        Opened::Batch { leads, .. } => panic!("{leads:?}"),
    }
    assert_eq!(numbers(&story.batch(3600).1), [0]);
}

pub(super) fn a_lead_whose_hours_close_before_the_claim_is_put_off<B: Bench>() {
    let mut story = Story::<B>::begin(office_hours(), list([in_zone(0, "Europe/Lisbon")]));
    let (_, leads) = story.batch(0);
    let evening = 9 * 3600;
    assert_eq!(story.denied(leads[0].id, evening), Denied::Later);
    assert!(matches!(story.opened(evening), Opened::Nobody(_)));
    assert_eq!(story.batch(20 * 3600).1.len(), 1);
}

pub(super) fn a_day_takes_no_more_attempts_than_it_may<B: Bench>() {
    let mut story = Story::<B>::of(retrying(5, 1), 1);
    let lead = story.batch(0).1[0].id;
    let LeadNow::Due(due) = story.dial(lead, "customer-did-not-answer", 1).lead_now else { panic!("not due") };
    assert_eq!(due, at(12 * 3600).wall, "midnight in UTC");
    assert!(matches!(story.opened(7200), Opened::Nobody(rest) if rest.next_at == Some(due)));
    assert_eq!(story.denied(lead, 7200), Denied::Later);
    let (number, _) = story.batch(12 * 3600);
    story.claim(lead, 12 * 3600);
    story.journal().close_batch(at(12 * 3600), number).unwrap();
}

pub(super) fn two_extensions_of_a_number_are_not_called_at_once<B: Bench>() {
    let with = |extension: &str| Lead { extension: Some(extension.to_owned()), ..person(0) };
    let mut story = Story::<B>::begin(plan(), list([with("1"), with("2")]));
    let (number, leads) = story.batch(0);
    assert_eq!(leads.len(), 2);
    let attempt = story.claim(leads[0].id, 1);
    assert_eq!(story.denied(leads[1].id, 1), Denied::Later);
    story.tell(&answered(&attempt, 2), 2);
    story.tell(&listed(vec![ended(&attempt, "customer-ended-call", 30)], 31), 31);
    story.journal().close_batch(at(31), number).unwrap();
    assert_eq!(story.batch(32).1.len(), 1, "the other is a lead of its own, and the number is free now");
    story.claim(leads[1].id, 32);
}

pub(super) fn leads_that_were_put_off_wait_and_a_new_start_looks_again<B: Bench>() {
    let mut story = Story::<B>::of(plan(), 3);
    let (number, leads) = story.batch(0);
    let ids: Vec<_> = leads.iter().map(|lead| lead.id).collect();
    story.journal().put_off(at(1), &ids, at(61).wall).unwrap();
    story.journal().close_batch(at(1), number).unwrap();
    let Opened::Nobody(rest) = story.opened(2) else { panic!("they are put off") };
    assert_eq!((rest.later, rest.next_at), (3, Some(at(61).wall)));
    assert_eq!(story.totals().open, 3);
    story.restart(5);
    assert_eq!(story.batch(6).1.len(), 3);
}
