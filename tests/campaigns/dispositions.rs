//! Every ended reason that the provider has ever listed, against the rules, and the rules against the sheet that
//! they were drawn up from.

use std::collections::BTreeMap;

use dialer::campaign::disposition::{Class, Verdict, classify, rule};
use proptest::prelude::*;
use regex::Regex;

const REASONS: &str = include_str!("../data/ended-reasons.csv");
const SHEET: &str = include_str!("../data/ended-rules.json");

/// Reason, rule, and class as the sheet calls it.
fn reasons() -> Vec<(&'static str, &'static str, &'static str)> {
    let row = |line: &'static str| {
        let mut cells = line.split(',');
        (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap())
    };
    REASONS.lines().skip(1).map(row).collect()
}

/// What the sheet's class is here; its refusals are told apart by who refused, its STOP by what stops.
fn expected(rule: &str, class: &str) -> Verdict {
    match (class, rule) {
        ("CONCURRENCY", _) => Verdict::Pool,
        ("STOP", "R04") => Verdict::Line,
        ("STOP", _) => Verdict::Account,
        ("ANSWERED", _) => Verdict::Contact(Class::Answered),
        ("HANGUP_REJECT", "R14") => Verdict::Contact(Class::HungUp),
        ("HANGUP_REJECT", _) => Verdict::Contact(Class::Rejected),
        ("VOICEMAIL", _) => Verdict::Contact(Class::Voicemail),
        ("NO_ANSWER", _) => Verdict::Contact(Class::NoAnswer),
        ("BUSY", _) => Verdict::Contact(Class::Busy),
        ("INVALID_NUMBER", _) => Verdict::Contact(Class::Invalid),
        ("CANCELLED", _) => Verdict::Contact(Class::Cancelled),
        ("PROVIDER_CONFIG", _) => Verdict::Contact(Class::Config),
        ("FAULT", _) => Verdict::Contact(Class::Fault),
        ("UNKNOWN", _) => Verdict::Contact(Class::Unknown),
        other => panic!("the sheet has no class {other:?}"),
    }
}

/// The sheet's own expressions, in order: the slow way that the table must agree with.
fn sheet() -> Vec<(String, Regex)> {
    let rules: Vec<serde_json::Value> = serde_json::from_str(SHEET).unwrap();
    let expression = |rule: &serde_json::Value| match (rule["match"].as_str().unwrap(), &rule["patterns"]) {
        ("exact", serde_json::Value::Array(all)) => {
            let all: Vec<_> = all.iter().map(|text| regex::escape(text.as_str().unwrap())).collect();
            format!("^({})$", all.join("|"))
        }
        ("prefix", text) => format!("^{}", regex::escape(text.as_str().unwrap())),
        (_, text) => text.as_str().unwrap().to_owned(),
    };
    let row =
        |rule: &serde_json::Value| (rule["rule"].as_str().unwrap().to_owned(), Regex::new(&expression(rule)).unwrap());
    rules.iter().map(row).collect()
}

#[test]
fn every_reason_ever_listed_is_sorted_as_the_sheet_says() {
    let reasons = reasons();
    assert_eq!(reasons.len(), 682);
    for (reason, name, class) in reasons {
        assert_eq!(rule(reason), name, "{reason}");
        assert_eq!(classify(reason), expected(name, class), "{reason}");
    }
}

#[test]
fn every_rule_of_the_sheet_has_a_reason_and_none_is_left_over() {
    let mut rows = BTreeMap::new();
    for (_, name, _) in reasons() {
        *rows.entry(name).or_insert(0_u32) += 1;
    }
    let names: Vec<String> = sheet().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 29);
    assert!(names.iter().all(|name| rows.contains_key(name.as_str())), "{rows:?}");
    assert!(!rows.contains_key("R99"), "a listed reason is never a new one");
}

#[test]
fn what_nobody_knows_is_unknown() {
    for reason in ["", " ", "hangup", "lambda-longcalls-not-accepted", "voicemail ", "Voicemail", "customer-busy\n"] {
        assert_eq!((rule(reason), classify(reason)), ("R99", Verdict::Contact(Class::Unknown)), "{reason:?}");
    }
}

#[test]
fn only_calls_that_were_put_through_imply_a_ring() {
    let rung = ["customer-busy", "voicemail", "customer-did-not-answer", "customer-ended-call", "vonage-rejected"];
    assert!(rung.iter().all(|reason| classify(reason).implies_rung()));
    let silent = [
        "call.start.error-subscription-concurrency-limit-reached",
        "call.start.error-subscription-insufficient-credits",
        "call.start.error-vapi-number-outbound-daily-limit",
        "call.start.error-get-customer",
        "manually-canceled",
        "pipeline-no-available-llm-model",
        "worker-shutdown",
        "",
    ];
    assert!(silent.iter().all(|reason| !classify(reason).implies_rung()));
}

/// Text that is nearly a reason: pieces of real ones in any order.
fn near_reason() -> impl Strategy<Value = String> {
    let pieces: Vec<String> = reasons()
        .into_iter()
        .flat_map(|(reason, ..)| {
            let cuts = reason.match_indices(['-', '.']).map(|(at, _)| at + 1);
            let whole = [reason.to_owned()];
            whole.into_iter().chain(cuts.flat_map(|at| [reason[..at].to_owned(), reason[at..].to_owned()]))
        })
        .collect();
    let piece = prop_oneof![4 => prop::sample::select(pieces), 1 => "[a-z0-9.-]{0,6}"];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_table_agrees_with_the_sheet_on_anything(reason in prop_oneof![3 => near_reason(), 1 => any::<String>()]) {
        thread_local!(static RULES: Vec<(String, Regex)> = sheet());
        RULES.with(|rules| {
            let by_sheet = rules.iter().find(|(_, any)| any.is_match(&reason)).map_or("R99", |(name, _)| name);
            prop_assert_eq!(rule(&reason), by_sheet);
            Ok(())
        })?;
    }
}
