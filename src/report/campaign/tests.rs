use super::*;
use crate::campaign::disposition::Class;
use crate::pool::attempt_id::{AttemptId, Mark};
use crate::pool::calls::CallId;

fn attempt(began: &str, state: State, minutes: Option<f64>) -> AttemptOutcome {
    AttemptOutcome {
        attempt: AttemptId::mint(&Mark::of("leads"), 1),
        run: Some(1),
        began: began.parse().unwrap(),
        state,
        call: Some(CallId::new("c1")),
        reason: Some("customer-ended-call".into()),
        minutes,
        cost_usd: minutes.map(|minutes| minutes / 10.0),
        doubted: state == State::Refused(Cause::Absent),
    }
}

fn report() -> Report {
    let totals = Totals {
        total: 3,
        settled: 2,
        open: 1,
        dispositions: [(Class::Answered, 1), (Class::NoAnswer, 1)].into(),
        ..Totals::default()
    };
    let mut report = Report { campaign: "leads <1>".into(), totals, ..Report::default() };
    for attempt in [
        attempt("2026-11-23T09:10:00Z", State::Ended(Class::Answered), Some(2.0)),
        attempt("2026-11-23T09:20:00Z", State::Ended(Class::NoAnswer), None),
        attempt("2026-11-23T09:30:00Z", State::Refused(Cause::Pool), None),
        attempt("2026-11-23T09:40:00Z", State::Refused(Cause::Absent), None),
    ] {
        report.add(&attempt, &TimeZone::UTC);
    }
    report
}

#[test]
fn a_campaign_is_told_in_short_sentences() {
    let now = "2026-11-23T14:05:00Z".parse().unwrap();
    let text = report().text(now, &TimeZone::UTC, Glyphs::ASCII, 80);
    let (told, chart) = text.split_once("\n\n").unwrap();
    insta::assert_snapshot!(told, @r"
    campaign leads <1>
      3 leads: 2 settled, 1 open, 0 in doubt
      2 calls, 1 answered (50%), 2 minutes, $0.20
      first call 09:10, last 09:20
      1 refusal by a full pool
      1 unconfirmed call: 0 found, 1 proven never made, 0 for a person, 0 still open
      answered 1 - no answer 1
    ");
    assert_eq!(chart.lines().filter(|line| line.contains('#')).count(), 5, "only one hour has calls: {chart}");
    assert!(chart.ends_with("Mon    50% of 2 calls\n"), "{chart}");
}

#[test]
fn changes_of_the_reserve_are_told() {
    let now = "2026-11-23T14:05:00Z".parse().unwrap();
    let points = |reserves: &[i64]| {
        let at = |nth: usize| 1_795_424_400_000 + 600_000 * i64::try_from(nth).unwrap();
        let points = reserves.iter().enumerate().map(|(nth, reserve)| [at(nth), 4, 2, 10, *reserve]);
        PoolPast { lowest_free: Some(1), points: points.collect(), ..PoolPast::default() }
    };
    let mut report = report();
    report.add_pool(points(&[3, 3]));
    assert!(report.reserve_changes(now, &TimeZone::UTC).is_none());
    report.add_pool(points(&[3, 3, 5, 5, 4]));
    let told = report.reserve_changes(now, &TimeZone::UTC).unwrap();
    insta::assert_snapshot!(told, @"reserved: 3 at first, 5 from 09:20, 4 from 09:40");
    let object: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(object["pool"]["reserves"][1], json!({ "at": "2026-11-23T09:20:00Z", "reserve": 5 }), "{object}");
    report.add_pool(points(&[1, 2, 1, 2, 1, 2, 1]));
    let told = report.reserve_changes(now, &TimeZone::UTC).unwrap();
    insta::assert_snapshot!(told, @"reserved: 1 to 5, changed 9 times (--format json has them)");
}

#[test]
fn a_forecast_stands_beside_what_came_of_it() {
    let now = "2026-11-23T14:05:00Z".parse().unwrap();
    let mut report = report();
    let forecast = r#"{"done_at":{"p10":"2026-11-23T09:20:00Z","p50":"2026-11-23T09:30:00Z","p90":"2026-11-23T09:40:00Z"},
        "calls":3,"cost_usd":{"p10":0.1,"p50":0.25,"p90":0.4}}"#;
    let began = "2026-11-23T09:00:00Z".parse().unwrap();
    let ended = "2026-11-23T09:35:00Z".parse().ok();
    report.add_forecasts(vec![PastForecast { run: 1, began, ended, forecast: forecast.to_owned() }]);
    let line = report.forecast_line(&report.forecasts[0], now, &TimeZone::UTC).unwrap();
    insta::assert_snapshot!(line, @"run of 09:00: forecast to end 09:30 (09:20 to 09:40) with 3 calls for $0.25; ended 09:35 with 2 calls for $0.20");
    let object: Value = serde_json::from_str(&report.json()).unwrap();
    let told = &object["forecasts"][0];
    assert_eq!((&told["calls"], &told["fact"]["calls"]), (&json!(3), &json!(2)), "{told}");
    assert_eq!(told["fact"]["ended_at"], "2026-11-23T09:35:00Z", "{told}");
}

#[test]
fn programs_get_the_keys_of_the_contract() {
    let object: serde_json::Value = serde_json::from_str(&report().json()).unwrap();
    assert_eq!(object["calls"], 2);
    assert_eq!(object["attempts"], 2);
    assert_eq!(object["answered_by_hour"][9], 1);
    assert_eq!(object["pool"]["refused"], 1);
    assert_eq!(object["first_at"], "2026-11-23T09:10:00Z");
    assert_eq!(object["leads"]["total"], 3);
}

#[test]
fn the_page_holds_nothing_that_is_not_its_own() {
    let page = report().html("2026-11-23T14:05:00Z".parse().unwrap(), &TimeZone::UTC);
    assert!(page.contains("leads &lt;1&gt;") && !page.contains("leads <1>"));
    assert!(!page.contains("http") && !page.contains("<script"), "{page}");
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
}
