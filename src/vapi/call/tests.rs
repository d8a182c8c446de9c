use serde_json::{Value, json};

use super::*;
use crate::time::Stamp;

const ATTEMPT: &str = "dabcdefgh-abcdefghijklmnopqrstuv";
const CREATED: i64 = 1_774_539_796_145_000;

/// The answer that was captured from the real API, its values replaced.
const CAPTURED: &str = r#"{ "subscriptionLimits": { "concurrencyBlocked": false, "concurrencyLimit": 10, "remainingConcurrentCalls": 8 },
  "id": "019d2ad0-6eb1-7aac-9377-000000000001", "assistantId": "22222222-2222-4222-8222-222222222222",
  "phoneNumberId": "33333333-3333-4333-8333-333333333333", "type": "outboundPhoneCall",
  "createdAt": "2026-03-26T15:43:16.145Z", "updatedAt": "2026-03-26T15:43:16.145Z",
  "orgId": "11111111-1111-4111-8111-111111111111", "cost": 0,
  "customer": { "name": "Ada", "number": "+14155551234" }, "status": "queued", "phoneCallProvider": "twilio",
  "assistantOverrides": { "variableValues": { } },
  "monitor": { "listenUrl": "wss://x/listen", "controlUrl": "https://x/control" },
  "transport": { "conversationType": "voice", "provider": "twilio", "accountSid": "AC00000000000000000000000000000000" } }"#;

const BATCH: &str = r#"{ "subscriptionLimits": { "concurrencyBlocked": false, "concurrencyLimit": 10, "remainingConcurrentCalls": 8 },
  "results": [ { "id": "019d2ad0-6eb1-7aac-9377-000000000001", "orgId": "11111111-1111-4111-8111-111111111111", "createdAt": "2026-03-26T15:43:16.145Z",
                 "updatedAt": "2026-03-26T15:43:16.145Z", "type": "outboundPhoneCall", "status": "queued",
                 "customer": { "number": "+14155551234" } } ],
  "errors": [ { "customer": { "number": "+1415" }, "error": "customer.number must be a valid phone number in the E.164 format." } ] }"#;

/// A row with these fields besides the ones that every call has.
fn row(fields: Value) -> String {
    let mut row = json!({ "id": "c1", "orgId": "o1", "createdAt": "2026-03-26T15:43:16.145Z", "status": "ended" });
    if let (Some(row), Value::Object(fields)) = (row.as_object_mut(), fields) {
        row.extend(fields);
    }
    row.to_string()
}

fn seen(fields: Value) -> SeenCall {
    read_call(&row(fields), Some("stop")).expect("a readable row")
}

#[test]
fn the_captured_answer_is_read() {
    for body in [CAPTURED, BATCH] {
        let (call, limits) = read_answer(body, None).unwrap();
        assert_eq!(limits, Some(Limits { blocked: false, limit: Some(10), remaining: Some(8) }));
        assert_eq!(call.id.as_str(), "019d2ad0-6eb1-7aac-9377-000000000001");
        assert_eq!(call.org.as_deref(), Some("11111111-1111-4111-8111-111111111111"));
        assert_eq!(
            (call.status, call.created, call.updated),
            (Status::Queued, Stamp::from_micros(CREATED), Stamp::from_micros(CREATED))
        );
        assert_eq!(call.phone, Phone::from_e164("+14155551234"));
        assert_eq!((call.started, call.ended, call.reason, call.attempt), (None, None, None, None));
        assert!(!call.spoke && !call.opt_out);
    }
}

#[test]
fn an_answer_without_a_call_is_no_answer() {
    for body in [
        "",
        "{}",
        "null",
        "[]",
        "7",
        "<html></html>",
        r#"{"results":[],"errors":[]}"#,
        r#"{"results":{}}"#,
        r#"{"id":"c1"}"#,
        r#"{"id":7,"createdAt":"2026-03-26T15:43:16.145Z"}"#,
        r#"{"id":"","createdAt":"2026-03-26T15:43:16.145Z"}"#,
        &CAPTURED[..CAPTURED.len() - 1],
    ] {
        assert!(read_answer(body, None).is_none(), "{body}");
    }
}

#[test]
fn limits_may_be_absent_or_odd() {
    let with = |limits: Value| read_answer(&row(json!({ "subscriptionLimits": limits })), None).unwrap().1;
    assert_eq!(with(Value::Null), None);
    assert_eq!(with(json!({})), None);
    assert_eq!(with(json!([1])), None);
    let minus_one = with(json!({ "concurrencyBlocked": true, "remainingConcurrentCalls": -1 }));
    assert_eq!(minus_one, Some(Limits { blocked: true, limit: None, remaining: Some(-1) }));
    assert_eq!(read_answer(&row(json!({})), None).unwrap().1, None);
}

#[test]
fn our_attempt_is_found_in_each_of_its_places() {
    let variables = json!({ "variableValues": { "dialer_attempt_id": ATTEMPT } });
    for fields in [
        json!({ "name": ATTEMPT }),
        json!({ "name": "renamed by hand", "customer": { "externalId": ATTEMPT } }),
        json!({ "name": 7, "customer": [], "assistantOverrides": variables }),
        json!({ "squadOverrides": variables, "assistantOverrides": "none" }),
        json!({ "workflowOverrides": variables }),
    ] {
        assert_eq!(seen(fields.clone()).attempt, AttemptId::parse(ATTEMPT), "{fields}");
    }
    for fields in [json!({}), json!({ "name": "d-x" }), json!({ "customer": { "externalId": "crm-17" } })] {
        assert_eq!(seen(fields.clone()).attempt, None, "{fields}");
    }
}

#[test]
fn somebody_spoke_where_a_message_or_a_transcript_says_so() {
    let user = json!([{ "role": "bot" }, { "role": "user", "message": "hi" }]);
    for fields in [
        json!({ "artifact": { "messages": user } }),
        json!({ "messages": user }),
        json!({ "artifact": { "messages": [], "transcript": "AI: Hello\nUser: Hi" } }),
        json!({ "transcript": "User: Hi" }),
    ] {
        assert!(seen(fields.clone()).spoke, "{fields}");
    }
    for fields in [
        json!({ "artifact": { "messages": [{ "role": "system" }, "user", null, { "role": ["user"] }], "transcript": "" } }),
        json!({ "artifact": null, "messages": { "role": "user" }, "transcript": ["User: Hi"] }),
        json!({}),
    ] {
        assert!(!seen(fields.clone()).spoke, "{fields}");
    }
}

#[test]
fn a_person_opts_out_by_the_field_that_was_named() {
    let says = |data: Value| seen(json!({ "analysis": { "structuredData": data } })).opt_out;
    assert!(says(json!({ "stop": true })) && says(json!({ "stop": "True" })));
    for data in [
        json!({ "stop": false }),
        json!({ "halt": true }),
        json!({ "stop": 1 }),
        json!("stop"),
        json!([true]),
        json!(null),
    ] {
        assert!(!says(data.clone()), "{data}");
    }
    let unasked = row(json!({ "analysis": { "structuredData": { "stop": true } } }));
    assert!(!read_call(&unasked, None).unwrap().opt_out);
}

#[test]
fn every_status_is_known_or_other() {
    for (text, expected) in [
        ("scheduled", Status::Scheduled),
        ("queued", Status::Queued),
        ("ringing", Status::Ringing),
        ("in-progress", Status::InProgress),
        ("forwarding", Status::Forwarding),
        ("ended", Status::Ended),
        ("not-found", Status::Other),
        ("deletion-failed", Status::Other),
        ("brand-new", Status::Other),
    ] {
        assert_eq!(seen(json!({ "status": text })).status, expected);
    }
}

#[test]
fn fields_of_the_wrong_type_count_as_absent() {
    for odd in [json!(null), json!(7), json!(true), json!([]), json!({}), json!("\u{0}?"), json!(-1e300)] {
        let mut fields = json!({});
        for name in [
            "orgId",
            "status",
            "updatedAt",
            "startedAt",
            "endedAt",
            "customer",
            "cost",
            "analysis",
            "artifact",
            "messages",
        ] {
            fields[name] = odd.clone();
        }
        let call = seen(fields);
        assert_eq!((call.started, call.ended, call.updated), (None, None, Stamp::from_micros(CREATED)), "{odd}");
        assert_eq!(call.phone, None);
        assert!(call.cost.is_none_or(|cost| (0.0..=1_000_000.0).contains(&cost)), "{odd}");
    }
}

#[test]
fn an_ended_call_is_read_whole() {
    let call = seen(json!({
        "updatedAt": "2026-03-26T15:45:00Z", "startedAt": "2026-03-26T15:43:25.000Z", "endedAt": "2026-03-26T15:44:55.000Z",
        "endedReason": "customer-ended-call", "cost": "0.1132", "customer": { "number": "sip:x" }
    }));
    assert_eq!(call.ended.unwrap().since(call.started.unwrap()), std::time::Duration::from_secs(90));
    assert_eq!((call.reason.as_deref(), call.cost, call.phone), (Some("customer-ended-call"), Some(0.1132), None));
}

#[test]
fn times_without_an_offset_are_in_utc() {
    for (text, micros) in [
        ("2026-11-27T00:11:35.163", 1_795_738_295_163_000),
        ("2026-11-27T00:11:35", 1_795_738_295_000_000),
        ("2026-11-27 00:11:35", 1_795_738_295_000_000),
    ] {
        let at = Stamp::from_micros(micros);
        let call = seen(json!({ "createdAt": text, "updatedAt": text, "startedAt": text, "endedAt": text }));
        assert_eq!((call.created, call.updated, call.started, call.ended), (at, at, Some(at), Some(at)), "{text}");
    }
}

#[test]
fn one_odd_row_does_not_spoil_a_page_but_is_counted() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let good = [
        row(json!({})),
        row(json!({ "id": "c2" })).replace("\"o1\"", "\"cut \\ud83d\""),
        row(json!({ "id": "c3" })).replace("\"o1\"", &deep),
    ];
    let odd = [
        "null".to_owned(),
        "7".to_owned(),
        "{}".to_owned(),
        row(json!({ "id": null })),
        row(json!({ "id": "../assistant" })),
        row(json!({ "createdAt": "soon" })),
        r#"{"id":"c1","id":"c2","createdAt":"2026-03-26T15:43:16.145Z"}"#.to_owned(),
    ];
    let body = format!("[{}]", good.iter().chain(&odd).cloned().collect::<Vec<_>>().join(","));
    let page = page_of(&body).unwrap();
    let ids: Vec<&str> = page.calls.iter().map(|call| call.id.as_str()).collect();
    assert_eq!(ids, ["c1", "c2", "c3"]);
    assert_eq!((page.rows, page.unread.unwrap().rows), (10, 7));
}

/// A page, read afresh.
fn page_of(body: &str) -> Option<Page> {
    read_page(body, Some("stop"), &mut ReadRows::default())
}

#[test]
fn a_row_that_stands_as_it_was_is_not_read_again() {
    let mut read = ReadRows::default();
    let mut page = |rows: [String; 2]| read_page(&format!("[{}]", rows.join(", ")), None, &mut read).unwrap().calls;
    let ringing = || row(json!({ "id": "c1", "status": "ringing" }));
    let before = page([ringing(), row(json!({ "id": "c2", "status": "ringing" }))]);
    let after = page([row(json!({ "id": "c2", "status": "in-progress" })), ringing()]);
    assert!(Arc::ptr_eq(&before[0], &after[1]));
    assert_eq!((after[0].id.as_str(), after[0].status), ("c2", Status::InProgress));
    // Another page between, as of a listing of several.
    let again = page([ringing(), row(json!({ "id": "c3" }))]);
    assert!(Arc::ptr_eq(&before[0], &again[0]));
}

#[test]
fn rows_are_not_kept_for_ever() {
    let mut read = ReadRows::default();
    for page in 0..30 {
        let rows: Vec<String> = (0..1000).map(|n| row(json!({ "id": format!("c{page}-{n}") }))).collect();
        read_page(&format!("[{}]", rows.join(",")), None, &mut read).unwrap();
        assert!(read.lately.len() + read.before.len() <= 2 * (ROWS_KEPT + 1000));
    }
}

#[test]
fn a_row_that_cannot_be_read_is_named() {
    for (body, expected) in [
        (row(json!({ "createdAt": 7 })), "a call in the listing cannot be read: id c1, field createdAt"),
        (
            row(json!({ "id": "../x" })),
            "a call in the listing cannot be read: created 2026-03-26T15:43:16.145Z, field id",
        ),
        ("{},7".to_owned(), "2 calls in the listing cannot be read, the first of them: fields id and createdAt"),
        ("null".to_owned(), "a call in the listing cannot be read: it is not an object"),
    ] {
        let page = page_of(&format!("[{body}]")).unwrap();
        assert_eq!(page.unread.unwrap().to_string(), expected);
    }
    assert_eq!(page_of(&format!("[{}]", row(json!({})))).unwrap().unread, None);
}

#[test]
fn of_rows_that_cannot_be_read_the_one_that_may_be_ours_is_named() {
    let inbound = row(json!({ "id": null, "type": "inboundPhoneCall" }));
    let ours = row(json!({ "createdAt": null, "type": "outboundPhoneCall" }));
    let page = |rows: &[&str]| page_of(&format!("[{}]", rows.join(","))).unwrap().unread.unwrap();
    let only = page(&[&inbound, &inbound]);
    assert!(!only.outbound, "{only}");
    assert!(only.to_string().ends_with("type inboundPhoneCall, created 2026-03-26T15:43:16.145Z, field id"), "{only}");
    for rows in [[&*inbound, &*ours], [&*ours, &*inbound]] {
        let both = page(&rows);
        assert!(both.outbound && both.rows == 2, "{both}");
        assert!(both.to_string().ends_with("type outboundPhoneCall, id c1, field createdAt"), "{both}");
    }
}

#[test]
fn a_row_is_bare_that_holds_nothing_where_a_mark_can_stand() {
    for fields in [
        json!({}),
        json!({ "name": "", "customer": { "number": "+14155551234", "externalId": null } }),
        json!({ "assistantOverrides": { "variableValues": {} } }),
    ] {
        assert!(seen(fields.clone()).bare, "{fields}");
    }
    for fields in [
        json!({ "name": "of a person" }),
        json!({ "customer": { "externalId": "7" } }),
        json!({ "squadOverrides": { "variableValues": { "city": "Rome" } } }),
        json!({ "name": ATTEMPT }),
    ] {
        assert!(!seen(fields.clone()).bare, "{fields}");
    }
}

#[test]
fn a_body_that_is_no_page_proves_nothing() {
    for body in ["", "{}", r#"{"results":[]}"#, "[{]", "[{},", "null", "<html>"] {
        assert!(page_of(body).is_none(), "{body}");
    }
    assert_eq!(page_of(" [] \n").unwrap().rows, 0);
}

proptest::proptest! {
    #[test]
    fn no_body_makes_it_panic(body in ".{0,200}", cut in 0..CAPTURED.len()) {
        read_answer(&body, Some("stop"));
        page_of(&body);
        page_of(&format!("[{}]", &CAPTURED[..cut]));
    }
}
