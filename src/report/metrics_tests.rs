//! Metrics keep the conventions of Prometheus, and what `docs/` says of them is there.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::campaign::disposition::Class;
use crate::pool::headroom::Slots;
use crate::report::happening::Gauges;
use crate::time::Now;

fn at(seconds: u64) -> Now {
    let at = Instant::from_micros(0) + Duration::from_secs(seconds);
    Now { at, wall: at.timestamp() }
}

/// A run in which everything has happened once.
fn eventful() -> RunMetrics {
    let totals = Totals {
        total: 9,
        settled: 4,
        open: 3,
        in_doubt: 2,
        dispositions: [(Class::Answered, 3), (Class::Busy, 1)].into(),
        ..Totals::default()
    };
    let mut metrics = RunMetrics::new("leads \"1\"", "org-1", &totals);
    let gauges = Gauges {
        totals,
        reserve: 3,
        observed: Some(at(5).at),
        cost_usd: 1.25,
        requests_left: Some(97),
        ..Gauges::default()
    };
    metrics.hear(&Happening::Stands(Snapshot {
        now: at(6),
        total: 9,
        settled: 4,
        batch: None,
        slots: Slots { ours: 4, others: 2, free: 1, kept: 3, limit: 10 },
        held_up: None,
        gauges,
    }));
    for (kind, outcome) in [
        (RequestKind::Dial, RequestOutcome::Answered),
        (RequestKind::Dial, RequestOutcome::Refused),
        (RequestKind::Read, RequestOutcome::Failed),
    ] {
        metrics.hear(&Happening::Requested(at(6), Request { kind, outcome, took: Duration::from_millis(80) }));
    }
    let (claimed, placed, blocked) =
        (Some(State::Claimed), State::Placed { blocked: false }, State::Placed { blocked: true });
    let pool = State::Refused(Cause::Pool);
    let changes = [
        (claimed, placed, None),
        (Some(placed), State::Ended(Class::Answered), None),
        // More is learnt of the same call.
        (Some(State::Ended(Class::Answered)), State::Ended(Class::HungUp), None),
        (claimed, pool, Some(400)),
        (claimed, blocked, None),
        (Some(blocked), pool, None),
        (Some(placed), pool, None),
        (claimed, State::Refused(Cause::Connect), None),
        (claimed, State::InDoubt, None),
        (Some(State::InDoubt), State::Refused(Cause::Absent), None),
        (claimed, State::Refused(Cause::Withdrawn), None),
    ];
    let told = changes.map(|(was, now, status)| AttemptChange { was, now, status });
    metrics.hear(&Happening::AttemptsChanged(at(7), told.into()));
    metrics.lost(2);
    metrics
}

#[test]
fn what_happened_is_counted_once_and_by_its_shape() {
    let text = text(eventful().gather(at(9).at));
    for (name, more, value) in [
        ("pool_slots", r#"kind="ours""#, 4),
        ("pool_slots", r#"kind="reserved""#, 3),
        ("pool_limit_slots", "", 10),
        ("observation_age_seconds", "", 4),
        ("leads", r#"state="in_doubt""#, 2),
        ("settled_leads", r#"disposition="answered""#, 3),
        ("dials_total", "", 2),
        ("calls_ended_total", r#"disposition="answered""#, 1),
        ("refusals_total", r#"cause="connect",shape="none""#, 1),
        ("refusals_total", r#"cause="pool",shape="400""#, 1),
        ("refusals_total", r#"cause="pool",shape="blocked""#, 1),
        ("refusals_total", r#"cause="pool",shape="ended""#, 1),
        ("doubts_total", "", 1),
        ("doubts_resolved_total", r#"outcome="absent""#, 1),
        ("requests_total", r#"kind="read",outcome="failed""#, 1),
        ("request_duration_seconds_count", r#"kind="dial""#, 2),
        ("lost_events_total", "", 2),
    ] {
        // The order of labels means nothing.
        let its = text.lines().filter(|line| line.starts_with(&format!("dialer_{name}{{")));
        let mut its = its.filter(|line| more.split(',').all(|label| line.contains(label)));
        let line = its.next().unwrap_or_else(|| panic!("{name} {more}\n{text}"));
        assert!(line.ends_with(&format!("}} {value}")), "{line}");
        assert!(line.contains(r#"campaign="leads \"1\"""#) && line.contains(r#"account="org-1""#), "{line}");
    }
    assert_eq!(text.matches("\ndialer_refusals_total{").count(), 4, "{text}");
    assert_eq!(text.matches("\ndialer_calls_ended_total{").count(), 1, "{text}");
}

/// The names of all series.
fn names(text: &str) -> BTreeSet<String> {
    let series = text.lines().filter(|line| !line.starts_with('#'));
    series.filter_map(|line| line.split(['{', ' ']).next()).map(str::to_owned).collect()
}

#[test]
fn the_conventions_of_prometheus_are_kept() {
    let text = joined(&[text(eventful().gather(at(9).at)), text(CampaignMetrics::new("b", "org-1").gather())]);
    let mut families = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with('#')) {
        let mut words = line.splitn(4, ' ').skip(1);
        let (what, name, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        assert!(name.starts_with("dialer_") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{line}");
        match (what, rest) {
            ("HELP", help) => assert!(help.ends_with('.') && families.insert(name.to_owned()), "{line}"),
            ("TYPE", kind) => {
                assert!(families.contains(name), "no help: {line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                assert_eq!(kind == "histogram", name.ends_with("_duration_seconds"), "{line}");
            }
            other => panic!("{other:?}"),
        }
    }
    for name in names(&text) {
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
        assert!(families.contains(family) || families.contains(&name), "{name}");
    }
}

#[test]
fn the_dashboard_and_the_alert_rules_ask_for_what_there_is() {
    let text = text(eventful().gather(at(9).at));
    let names = names(&text);
    let dashboard = include_str!("../../docs/grafana.json");
    let parsed: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    assert!(parsed["panels"].as_array().unwrap().len() > 10);
    let metric = regex::Regex::new("dialer_[a-z_]+").unwrap();
    let label = regex::Regex::new(r#"\b(kind|state|cause|outcome)=~?"([a-z_|]+)""#).unwrap();
    for asks in [dashboard.replace("\\\"", "\""), include_str!("../../docs/alert-rules.yml").to_owned()] {
        let asked: BTreeSet<_> = metric.find_iter(&asks).map(|found| found.as_str()).collect();
        assert!(asked.len() > 7, "{asked:?}");
        for name in asked {
            assert!(names.contains(name), "{name} is not among {names:?}");
        }
        for [label, values] in label.captures_iter(&asks).map(|found| found.extract().1) {
            for value in values.split('|') {
                let is_told = text.contains(&format!("{label}=\"{value}\""));
                let is_cause = label == "cause" && Cause::named(value).is_some();
                assert!(is_told || is_cause, "{label}={value}");
            }
        }
    }
}
