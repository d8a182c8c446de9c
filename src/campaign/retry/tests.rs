//! Who is called again, and when.

use jiff::ToSpan;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse::<jiff::Zoned>().unwrap().timestamp()
}

fn retries(attempts: u32, retry: &[&str]) -> Retries {
    let retry: Vec<String> = retry.iter().map(|&rule| rule.to_owned()).collect();
    Retries::parse(attempts, &retry, 99, 7, TimeZone::UTC).unwrap()
}

fn contact(class: Class, ended: Timestamp) -> Contact {
    Contact { began: ended - 30.seconds(), ended, class, answered: false }
}

/// How long after its last contact a lead is called again, where any time will do.
fn wait(retries: &Retries, contacts: &[Contact], lead: u64) -> Option<Duration> {
    match retries.verdict(contacts, &[], &Calling::any(), lead) {
        LeadNow::Due(due) => Some(due.duration_since(contacts.last().unwrap().ended).try_into().unwrap()),
        LeadNow::Settled(class) => {
            assert_eq!(class, contacts.last().unwrap().class);
            None
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nobody_is_called_again_unless_asked_for() {
    for class in Class::ALL {
        let once = [contact(class, Timestamp::UNIX_EPOCH)];
        assert_eq!(wait(&Retries::never(), &once, 1), None);
        assert_eq!(wait(&retries(1, &["no-answer=1s"]), &once, 1), None);
        let again = matches!(class, Class::NoAnswer | Class::Busy | Class::Voicemail | Class::Rejected | Class::Fault);
        assert_eq!(wait(&retries(2, &[]), &once, 1).is_some(), again, "{class}");
        assert_eq!(wait(&retries(2, &[]), &[once[0], once[0]], 1), None);
    }
}

#[test]
fn delays_are_taken_in_turn_and_the_last_repeats() {
    let retries = retries(9, &["no-answer=2h,1d", "busy=250ms", "voicemail=never", "busy=100ms"]);
    let ended = at("2026-11-23T12:00[UTC]");
    let hours = |contacts: &[Class]| {
        let contacts: Vec<Contact> = contacts.iter().map(|class| contact(*class, ended)).collect();
        wait(&retries, &contacts, 3).map(|wait| wait.as_secs_f64() / 3600.0)
    };
    let near = |hours: Option<f64>, delay: f64| hours.is_some_and(|hours| (delay..=delay * 1.1).contains(&hours));
    assert!(near(hours(&[Class::NoAnswer]), 2.0));
    assert!(near(hours(&[Class::Busy, Class::NoAnswer]), 2.0), "each class has its own turns");
    assert!(near(hours(&[Class::NoAnswer; 2]), 24.0) && near(hours(&[Class::NoAnswer; 5]), 24.0));
    assert!(near(hours(&[Class::Busy]), 0.1 / 3600.0));
    assert_eq!(hours(&[Class::Voicemail]), None);
}

#[test]
fn a_person_who_was_reached_is_left_alone() {
    let plan = retries(9, &["config=1h", "unknown=1h"]);
    let now = at("2026-11-23T12:00[UTC]");
    let answered = |class| Contact { answered: true, ..contact(class, now) };
    for class in [Class::Fault, Class::Config, Class::Unknown] {
        assert!(wait(&plan, &[contact(class, now)], 1).is_some());
        assert_eq!(wait(&plan, &[answered(class)], 1), None);
    }
    assert!(wait(&plan, &[answered(Class::Voicemail)], 1).is_some(), "a machine answers, too");
    let late = [contact(Class::Answered, now), contact(Class::NoAnswer, now)];
    assert_eq!(wait(&plan, &late, 1), None);
    assert!(wait(&retries(9, &["answered=7d"]), &late, 1).is_some(), "asked for");
}

#[test]
fn a_retry_waits_for_open_hours_and_for_a_day_with_room() {
    let calling = Calling::parse("08:00-21:00", None, None, Duration::ZERO).unwrap();
    let zones = vec!["America/New_York".to_owned()];
    let mut plan = retries(9, &["busy=1h"]);
    plan.per_day = 2;
    let late = contact(Class::Busy, at("2026-11-23T20:30[America/New_York]"));
    let early = contact(Class::Busy, at("2026-11-23T09:00[America/New_York]"));
    let day = |text: &str| at(&format!("{text}[America/New_York]"));
    let tomorrow = LeadNow::Due(day("2026-11-24T08:00"));
    assert_eq!(plan.verdict(&[late], &zones, &calling, 1), tomorrow);
    let noon = contact(Class::Busy, day("2026-11-23T12:00"));
    assert_eq!(plan.verdict(&[early, noon], &zones, &calling, 1), tomorrow);
    assert_eq!(
        plan.not_before(&[early.began, noon.began], &zones, &calling, noon.ended),
        Some(day("2026-11-24T08:00"))
    );
    assert_eq!(plan.not_before(&[early.began], &zones, &calling, noon.ended), None);
    assert_eq!(plan.not_before(&[early.began, noon.began], &zones, &calling, day("2026-11-24T08:00")), None);
    // 23:30 in New York is the next day in UTC, which is the machine's zone here and counts for leads without one.
    let night = day("2026-11-23T23:30");
    assert_eq!(plan.not_before(&[early.began, noon.began], &[], &Calling::any(), night), None);
    assert_eq!(plan.verdict(&[late], &["Mars/Olympus".to_owned()], &calling, 1), LeadNow::Settled(Class::Busy));
}

#[test]
fn wrong_rules_say_what_to_write() {
    let error = |attempts, rule: &str, per_day| {
        Retries::parse(attempts, &[rule.to_owned()], per_day, 0, TimeZone::UTC).unwrap_err().to_string()
    };
    assert_eq!(
        error(3, "noanswer=2h", 2),
        "--retry: \"noanswer\" is not a class of calls that can be called again; those are: answered, hung-up, rejected, \
         voicemail, no-answer, busy, invalid, cancelled, fault, config, unknown"
    );
    assert!(error(3, "suppressed=1h", 2).contains("not a class"));
    assert!(error(3, "busy", 2).starts_with("--retry: \"busy\" names no delay"));
    assert!(error(3, "busy=1h,soon", 2).starts_with("--retry: busy=soon: "));
    assert!(error(3, "busy=2years", 2).contains("longer than a year"));
    assert!(error(3, &format!("busy={}", ["1s"; 33].join(",")), 2).contains("32 at most"));
    assert!(error(0, "busy=1h", 2).starts_with("--attempts: "));
    assert!(error(3, "busy=1h", 0).starts_with("--per-day: "));
}

#[test]
fn the_fingerprint_tells_plans_apart() {
    assert_eq!(
        retries(3, &["no-answer=2h,1d", "voicemail=never"]).fingerprint(),
        "attempts=3 per-day=99 rejected=1day no-answer=2h,1day busy=30m fault=1h"
    );
    let plans = [retries(3, &[]), retries(2, &[]), retries(3, &["busy=31m"]), Retries::never()];
    let prints: std::collections::BTreeSet<_> = plans.iter().map(Retries::fingerprint).collect();
    assert_eq!(prints.len(), plans.len());
}

#[test]
fn the_end_of_time_settles() {
    let end = Contact { began: Timestamp::MAX, ..contact(Class::Busy, Timestamp::MAX) };
    assert_eq!(wait(&retries(9, &[]), &[end], u64::MAX), None);
    let mut plan = retries(9, &[]);
    plan.per_day = 1;
    let _ = plan.not_before(&[Timestamp::MAX], &[], &Calling::any(), Timestamp::MAX);
}

proptest! {
    #[test]
    fn every_delay_takes_effect_with_up_to_a_tenth_more(nanos in 0_u64..30_000_000_000_000_000, lead: u64, seed: u64) {
        let mut plan = retries(5, &[&format!("busy={nanos}ns")]);
        plan.seed = seed;
        let contacts = [contact(Class::Busy, at("2026-11-23T12:00[UTC]"))];
        let delay = Duration::from_nanos(nanos);
        let waited = wait(&plan, &contacts, lead).unwrap();
        prop_assert!(delay <= waited && waited <= delay + delay / 10);
        prop_assert_eq!(wait(&plan, &contacts, lead), Some(waited));
    }

    #[test]
    fn a_retry_is_open_has_room_and_no_earlier_one_had(
        minutes in prop::collection::vec(0_i64..3000, 1..6),
        per_day in 1_u32..4,
        zone in prop::sample::select(vec!["America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
        hours in prop::sample::select(vec!["08:00-21:00", "22:00-02:00", "09:00-10:00,15:00-16:30", "any"]),
        probes in prop::collection::vec(0.0..1.0_f64, 40),
    ) {
        let calling = Calling::parse(hours, Some("mon-sat"), None, Duration::from_mins(5)).unwrap();
        let mut minutes = minutes;
        minutes.sort_unstable();
        let start = at("2026-03-06T00:00[UTC]");
        let contacts: Vec<Contact> = minutes.iter().map(|m| contact(Class::NoAnswer, start + m.minutes())).collect();
        let began: Vec<Timestamp> = contacts.iter().map(|contact| contact.began).collect();
        let zones = vec![zone.to_owned()];
        let mut plan = retries(9, &["no-answer=3h"]);
        let last = contacts.last().unwrap().ended;
        let earliest = last + jiff::SignedDuration::try_from(wait(&plan, &contacts, 5).unwrap()).unwrap();
        plan.per_day = per_day;
        let LeadNow::Due(due) = plan.verdict(&contacts, &zones, &calling, 5) else { panic!("it opens every day but Sunday") };
        let clock = TimeZone::get(zone).unwrap();
        let fits = |instant: Timestamp| {
            let day = clock.to_datetime(instant).date();
            let today = began.iter().filter(|began| clock.to_datetime(**began).date() == day).count();
            calling.is_open(&zones, instant) && today < per_day as usize
        };
        prop_assert!(due >= earliest && fits(due));
        prop_assert_eq!(plan.not_before(&began, &zones, &calling, due), None);
        for probe in probes {
            let early = earliest + due.duration_since(earliest).mul_f64(probe);
            prop_assert!(early >= due || !fits(early), "{} would have done", early);
        }
    }
}
