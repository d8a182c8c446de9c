use super::*;

const DATE: &str = "Thu, 26 Mar 2026 15:43:16 GMT";

fn answer(status: u16, body: &str) -> FailureKind {
    sort(Outcome::HttpAnswer(HttpAnswer { status, body, ..HttpAnswer::default() }), Own::default(), None)
}

fn refused(status: u16, body: &str) -> Refusal {
    match answer(status, body) {
        FailureKind::Refused(refusal) => refusal,
        other => panic!("{status} {body}: {other:?}"),
    }
}

/// The body that the framework of the API makes of one message.
fn nest(message: &str) -> String {
    serde_json::json!({ "message": message, "error": "Bad Request", "statusCode": 400 }).to_string()
}

#[test]
fn a_full_pool_is_known_in_every_shape() {
    let limits = r#"{"concurrencyBlocked":true,"concurrencyLimit":10,"remainingConcurrentCalls":0}"#;
    for (status, body) in [
        (400, nest("Over Concurrency Limit")),
        (400, r#"{"error":"Over Concurrency Limit"}"#.to_owned()),
        (400, r#"{"message":["over concurrency limit"]}"#.to_owned()),
        (400, "Over Concurrency Limit".to_owned()),
        (400, format!(r#"{{"message":"Over Concurrency Limit","statusCode":400,"subscriptionLimits":{limits}}}"#)),
        (400, format!(r#"{{"error":{{"error":{{"subscriptionLimits":{limits}}}}}}}"#)),
        (400, nest("Your subscription is over its concurrency limit. Add credits or billing")),
        (403, nest("Concurrent call limit reached")),
        (429, nest("Over Concurrency Limit")),
        (429, format!(r#"{{"subscriptionLimits":{limits}}}"#)),
        (402, nest("Over Concurrency Limit")),
        (422, nest("Over Concurrency Limit")),
        (422, format!(r#"{{"subscriptionLimits":{limits}}}"#)),
    ] {
        let refusal = refused(status, &body);
        assert_eq!(refusal.cause, Cause::Pool, "{status} {body}");
        let told = body.contains("concurrencyLimit").then_some(10);
        assert_eq!(refusal.limits.and_then(|limits| limits.limit), told, "{body}");
    }
}

#[test]
fn a_limits_object_that_does_not_block_is_no_full_pool() {
    let body =
        r#"{"message":"Something else","subscriptionLimits":{"concurrencyBlocked":false,"concurrencyLimit":10}}"#;
    let refusal = refused(400, body);
    assert_eq!(refusal.cause, Cause::Config);
    assert_eq!(refusal.limits.unwrap().limit, Some(10));
}

#[test]
fn each_refusal_has_its_cause() {
    let e164 = "customer.number must be a valid phone number in the E.164 format. Hot tip, you may be missing the country code (Eg. US: +1).";
    let daily = "Couldn't Start Call. Numbers Bought On Vapi Have A Daily Outbound Call Limit. Import Your Own Twilio Numbers To Scale Without Limits.";
    let key = "Invalid Key. Hot tip, you may be using the private key instead of the public key, or vice versa.";
    for (status, message, cause) in [
        (400, e164, Cause::Lead),
        (400, "Couldn't start call. Free Vapi numbers do not support international calls.", Cause::Lead),
        (400, daily, Cause::Line),
        (400, "couldn't start call. numbers bought on vapi have a daily outbound call limit.", Cause::Line),
        (400, "`phoneNumber` `33333333-3333-4333-8333-333333333333` does not exist.", Cause::Line),
        (404, "`phoneNumber` `33333333-3333-4333-8333-333333333333` does not exist.", Cause::Line),
        (400, "`phoneNumber` is activating. Contact support@vapi.ai if not active within 5 minutes.", Cause::Line),
        (400, "Couldn't Get Phone Number. Need Either `phoneNumberId` Or `phoneNumber`.", Cause::Account),
        (400, "assistantId must reference an available published assistant", Cause::Account),
        (400, "`assistant` `22222222-2222-4222-8222-222222222222` does not exist.", Cause::Account),
        (400, "property dialer should not exist", Cause::Account),
        (400, "Insufficient Credits", Cause::Account),
        (400, "Billing Limits Exceeded", Cause::Account),
        (400, "Your subscription is frozen.", Cause::Account),
        (422, "wallet does not exist", Cause::Account),
        (400, "Fraud check failed", Cause::Account),
        (400, "anything else", Cause::Config),
        (422, "anything else", Cause::Config),
        (405, "Method Not Allowed", Cause::Config),
        (401, key, Cause::Account),
        (402, "Payment Required", Cause::Account),
        (403, "Forbidden", Cause::Account),
        (404, "Cannot POST /call", Cause::Account),
        (429, "Rate limit exceeded", Cause::Rate),
        (429, "Rate limit of your subscription exceeded", Cause::Rate),
        (301, "Moved", Cause::Account),
        (307, "", Cause::Account),
    ] {
        for body in [nest(message), format!("[{}]", nest(message)), message.to_owned()] {
            let refusal = refused(status, &body);
            assert_eq!((refusal.cause, refusal.key), (cause, status == 401), "{status} {body}");
            assert!(refusal.message.contains(message), "{refusal:?}");
        }
        let array = serde_json::json!({ "message": [message], "statusCode": status }).to_string();
        assert_eq!(refused(status, &array).cause, cause, "{array}");
    }
}

#[test]
fn a_body_of_any_shape_leaves_the_status_to_speak() {
    let huge = "x".repeat(1 << 20);
    for body in ["", "{}", "[]", "null", "<html><h1>credit card concurrency</h1></html>", "error code: 1010", &huge] {
        for (status, cause) in [
            (400, Cause::Config),
            (401, Cause::Account),
            (402, Cause::Account),
            (403, Cause::Account),
            (404, Cause::Account),
            (418, Cause::Config),
            (429, Cause::Rate),
            (302, Cause::Account),
        ] {
            assert_eq!(refused(status, body).cause, cause, "{status}");
        }
    }
}

#[test]
fn what_is_not_surely_refused_is_in_doubt() {
    let over = nest("Over Concurrency Limit");
    let html = "<html><head><title>api.vapi.ai | 522: Connection timed out</title></head></html>";
    for status in [100, 199, 408, 409, 425, 500, 502, 503, 504, 522, 599, 600, 999, 0] {
        for body in ["", "{}", html, &over] {
            assert!(matches!(answer(status, body), FailureKind::InDoubt(_)), "{status} {body}");
        }
    }
    let FailureKind::InDoubt(message) = answer(522, html) else { panic!("in doubt") };
    assert!(message.contains("522: Connection timed out"), "{message}");
    assert!(matches!(sort(Outcome::Lost("reset"), Own::default(), None), FailureKind::InDoubt(_)));
}

#[test]
fn a_connection_that_never_was_is_surely_no_call() {
    let FailureKind::Refused(refusal) = sort(Outcome::NotSent("refused"), Own::default(), None) else {
        panic!("refused")
    };
    assert_eq!((refusal.cause, refusal.message.as_str()), (Cause::Connect, "refused"));
}

#[test]
fn a_2xx_is_placed_only_if_its_call_can_be_read() {
    let call = r#"{"id":"c1","createdAt":"2026-03-26T15:43:16.145Z","status":"queued",
        "subscriptionLimits":{"concurrencyBlocked":true,"concurrencyLimit":10,"remainingConcurrentCalls":0}}"#;
    for status in [200, 201, 202] {
        let FailureKind::Placed(seen, limits) = answer(status, call) else { panic!("{status}") };
        assert_eq!((seen.id.as_str(), limits.map(|limits| limits.blocked)), ("c1", Some(true)));
    }
    for body in ["", "{}", "<html></html>", r#"{"message":"Over Concurrency Limit"}"#, r#"{"results":[],"errors":[]}"#]
    {
        assert!(matches!(answer(201, body), FailureKind::InDoubt(_)), "{body}");
    }
    let cut = HttpAnswer { status: 201, body: call, cut: Some("too large"), ..HttpAnswer::default() };
    assert!(matches!(sort(Outcome::HttpAnswer(cut), Own::default(), None), FailureKind::InDoubt(_)));
    // "Over Concurrency Limit", broken off: perhaps the pool, perhaps not. A status that says it all still does.
    let words =
        |status| HttpAnswer { status, body: r#"{"message": "Over Con"#, cut: Some("reset"), ..HttpAnswer::default() };
    assert!(matches!(sort(Outcome::HttpAnswer(words(400)), Own::default(), None), FailureKind::InDoubt(_)));
    let refused = sort(Outcome::HttpAnswer(words(401)), Own::default(), None);
    assert!(matches!(refused, FailureKind::Refused(Refusal { cause: Cause::Account, key: true, .. })), "{refused:?}");
}

#[test]
fn what_a_row_asked_for_is_the_rows_fault() {
    let cause = |message: &str, own: Own| {
        let body = nest(message);
        let answer = HttpAnswer { status: 400, body: &body, ..HttpAnswer::default() };
        match sort(Outcome::HttpAnswer(answer), own, None) {
            FailureKind::Refused(refusal) => refusal.cause,
            other => panic!("{other:?}"),
        }
    };
    let own = Own { assistant: true, line: true };
    assert_eq!(cause("assistantId must reference an available published assistant", own), Cause::Config);
    assert_eq!(cause("`phoneNumber` `x` does not exist.", own), Cause::Config);
    assert_eq!(cause("Insufficient Credits", own), Cause::Account);
    assert_eq!(cause("`phoneNumber` `x` does not exist.", Own { line: false, ..own }), Cause::Line);
}

#[test]
fn waits_are_believed_up_to_an_hour() {
    let date = http_date(DATE);
    for (header, wait) in [
        ("21", Some(21)),
        (" 0 ", Some(0)),
        ("99999999999999999999", Some(3600)),
        ("Thu, 26 Mar 2026 15:44:16 GMT", Some(60)),
        ("Thu, 26 Mar 2026 15:40:00 GMT", Some(0)),
        ("Fri, 01 Jan 2100 00:00:00 GMT", Some(3600)),
        ("-5", None),
        ("NaN", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(retry_after(header, date), wait.map(Duration::from_secs), "{header}");
    }
    assert_eq!(retry_after("Thu, 26 Mar 2026 15:44:16 GMT", None), None);
    assert_eq!(http_date("yesterday"), None);
}

#[test]
fn a_line_that_comes_back_says_when() {
    let wait = |message: &str, date: Option<&str>| {
        let body = nest(message);
        let answer = HttpAnswer { status: 400, body: &body, date: date.and_then(http_date), ..HttpAnswer::default() };
        match sort(Outcome::HttpAnswer(answer), Own::default(), None) {
            FailureKind::Refused(refusal) => refusal.retry_after,
            other => panic!("{other:?}"),
        }
    };
    let to_midnight = Duration::from_secs(24 * 3600 - (15 * 3600 + 43 * 60 + 16));
    assert_eq!(wait("Numbers have a daily outbound call limit", Some(DATE)), Some(to_midnight));
    assert_eq!(wait("Numbers have a daily outbound call limit", None), None);
    assert_eq!(wait("`phoneNumber` is activating.", Some(DATE)), Some(ACTIVATION));
    assert_eq!(wait("`phoneNumber` `x` does not exist.", Some(DATE)), None);
}

proptest::proptest! {
    #[test]
    fn every_outcome_is_sorted_and_nothing_uncertain_is_called_refused(
        status: u16, body in ".{0,120}", cut: Option<bool>, wait in ".{0,12}",
    ) {
        let answer = HttpAnswer { status, body: &body, cut: cut.map(|_| "reset"), retry_after: Some(&wait), date: http_date(DATE) };
        match sort(Outcome::HttpAnswer(answer), Own::default(), Some("stop")) {
            FailureKind::Refused(_) => {
                assert!((300..500).contains(&status) && ![408, 409, 425].contains(&status));
            }
            FailureKind::Placed(..) => assert!((200..300).contains(&status)),
            FailureKind::InDoubt(_) => {}
        }
    }
}
