use super::*;
use crate::campaign::attempt::Cause;

fn cause(news: &News) -> Option<Cause> {
    match news {
        News::Refused { cause, .. } => Some(*cause),
        _ => None,
    }
}

#[tokio::test]
async fn one_request_calls_one_lead() {
    let server = Server::new([Reaction::Answer(http("201 Created", &call_body("c1")))]).await;
    let News::Answered { attempt, wire, call, limits } = place(&client(&format!("{}/vapi/", server.url()))).await
    else {
        panic!("answered")
    };
    assert_eq!((attempt.as_str(), call.id.as_str(), call.attempt.as_ref()), (ATTEMPT, "c1", Some(&attempt)));
    assert_eq!(limits.unwrap().remaining, Some(9));
    assert!(wire.sent < wire.received);
    assert_eq!(wire.date, failure::http_date(DATE));

    let [request] = server.requests().try_into().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert!(head.starts_with("post /vapi/call http/1.1\r\n"), "{head}");
    for line in [
        concat!("user-agent: dialer/", env!("CARGO_PKG_VERSION")),
        "authorization: bearer sk-very-secret",
        "content-type: application/json",
    ] {
        assert!(head.lines().any(|have| have == line), "{line} in {head}");
    }
    let target = Target::Assistant("a1".to_owned());
    let expected = crate::vapi::request::call_body(&target, "p2", ATTEMPT, &lead(), None);
    assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap(), expected);
}

/// Answers after which nobody knows: each reaches the client in one request, and is not asked for again.
#[tokio::test]
async fn what_is_uncertain_is_in_doubt_and_sent_once() {
    let truncated = http("201 Created", &call_body("c1")).replace("orgId", "or");
    let endless =
        format!("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}", 1 << 22, "x".repeat(1 << 22));
    for reaction in [
        Reaction::Close,
        Reaction::AnswerThenClose("garbage\r\n\r\n".to_owned()),
        Reaction::AnswerThenClose("HTTP/1.1 201 Cre".to_owned()),
        Reaction::AnswerThenClose(truncated),
        Reaction::AnswerThenClose(endless),
        Reaction::Answer(http("201 Created", "")),
        Reaction::Answer(http("201 Created", "<html>welcome</html>")),
        Reaction::Answer(http("204 No Content", "").replace("Content-Length: 0\r\n", "")),
        Reaction::Answer(http("500 Internal Server Error", "{}")),
        Reaction::Answer(http("503 Service Unavailable", "{\"message\":\"Over Concurrency Limit\"}")),
        Reaction::Answer(http("522 <none>", "<html><title>522: Connection timed out</title></html>")),
        Reaction::AnswerThenClose(http("408 Request Timeout", "")),
        Reaction::Answer(http("409 Conflict", "{}")),
        Reaction::Answer(http("425 Too Early", "{}")),
    ] {
        let server = Server::new([reaction.clone(), Reaction::Answer(http("201 Created", &call_body("twice")))]).await;
        let news = place(&client(&server.url())).await;
        assert!(matches!(news, News::Failed { .. }), "{news:?}");
        assert_eq!(server.requests().len(), 1, "{news:?}");
    }
}

#[tokio::test]
async fn silence_is_in_doubt_after_the_timeout_on_the_runs_clock() {
    let slow_head = "HTTP/1.1 201 Created\r\nContent-Le".to_owned();
    let slow_body = http("201 Created", &call_body("c1")).replace("}}", "");
    for reaction in [Reaction::Silence, Reaction::Answer(slow_head), Reaction::Answer(slow_body)] {
        let server = Server::new([reaction]).await;
        let News::Failed { message, .. } = place(&hasty_client(&server.url())).await else { panic!("in doubt") };
        assert!(message.ends_with("no answer in time"), "{message}");
        assert_eq!((server.requests().len(), server.connections()), (1, 1));
    }
}

#[tokio::test]
async fn a_connection_that_is_closed_unread_is_in_doubt() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    let news = place(&client(&url)).await;
    assert!(matches!(news, News::Failed { .. }), "{news:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn redirects_are_refused_and_not_followed() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let server = Server::new([]).await;
        let elsewhere = http(status, "").replace("Date:", &format!("Location: {}/call\r\nDate:", server.url()));
        let first = Server::new([Reaction::Answer(elsewhere)]).await;
        let news = place(&client(&first.url())).await;
        assert_eq!(cause(&news), Some(Cause::Account), "{news:?}");
        assert_eq!((first.requests().len(), server.requests().len()), (1, 0), "{status}");
    }
}

#[tokio::test]
async fn refusals_are_told_with_their_cause_and_sent_once() {
    for (status, extra, body, expected) in [
        ("400 Bad Request", "", r#"{"message":"Over Concurrency Limit"}"#, Cause::Pool),
        ("400 Bad Request", "", r#"{"message":["must be E.164 format"]}"#, Cause::Lead),
        ("401 Unauthorized", "", r#"{"message":"Invalid Key."}"#, Cause::Account),
        ("403 Forbidden", "", "error code: 1010", Cause::Account),
        ("404 Not Found", "", "<html>nginx</html>", Cause::Account),
        ("422 Unprocessable", "", "", Cause::Config),
        ("429 Too Many Requests", "Retry-After: 7\r\n", r#"{"message":"Rate limit exceeded"}"#, Cause::Rate),
    ] {
        let answer = http(status, body).replace("Date:", &format!("{extra}Date:"));
        let server = Server::new([Reaction::Answer(answer)]).await;
        let News::Refused { cause, key, retry_after, message, .. } = place(&client(&server.url())).await else {
            panic!("{status}")
        };
        assert_eq!((cause, key, server.requests().len()), (expected, status.starts_with("401"), 1), "{status}");
        assert_eq!(retry_after, (!extra.is_empty()).then_some(Duration::from_secs(7)));
        assert!(message.starts_with(&status[..3]), "{message}");
    }
}

#[tokio::test]
async fn a_refusal_whose_body_breaks_off_keeps_its_status() {
    let cut = http("400 Bad Request", "Over Concurrency Limit, and more").replace(", and more", "");
    let huge = http("429 Too Many Requests", &"x".repeat(3 << 20));
    for (answer, expected) in [(cut, Cause::Pool), (huge, Cause::Rate)] {
        let server = Server::new([Reaction::AnswerThenClose(answer)]).await;
        let news = place(&client(&server.url())).await;
        assert_eq!((cause(&news), server.requests().len()), (Some(expected), 1), "{news:?}");
    }
}

#[tokio::test]
async fn no_connection_is_surely_no_call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let news = place(&client(&format!("http://{address}"))).await;
    assert_eq!(cause(&news), Some(Cause::Connect), "{news:?}");
}

#[tokio::test]
async fn no_tls_is_surely_no_call() {
    let silent = Server::new([]).await;
    let stalled = place(&hasty_client(&format!("https://{}", silent.address))).await;
    assert_eq!(cause(&stalled), Some(Cause::Connect), "{stalled:?}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let plain = place(&client(&format!("https://{address}"))).await;
    assert_eq!(cause(&plain), Some(Cause::Connect), "{plain:?}");
    assert_eq!(silent.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_connection_is_used_again_and_its_end_is_in_doubt() {
    let answer = |id: &str| Reaction::Answer(http("201 Created", &call_body(id)));
    let server = Server::new([answer("c1"), answer("c2"), Reaction::Close, answer("twice")]).await;
    let client = client(&server.url());
    for _ in 0..2 {
        assert!(matches!(place(&client).await, News::Answered { .. }));
    }
    let news = place(&client).await;
    assert!(matches!(news, News::Failed { .. }), "{news:?}");
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
}

#[tokio::test]
async fn a_connection_that_closed_behind_an_answer_calls_nobody_twice() {
    for _ in 0..50 {
        let answer = |id: &str| Reaction::AnswerThenClose(http("201 Created", &call_body(id)));
        let server = Server::new([answer("c1"), answer("c2"), answer("twice")]).await;
        let client = client(&server.url());
        assert!(matches!(place(&client).await, News::Answered { .. }));
        let second = place(&client).await;
        let told = match &second {
            News::Answered { call, .. } => call.id.as_str() == "c2",
            other => matches!(other, News::Failed { .. }),
        };
        assert!(told && server.requests().len() <= 2, "{second:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_echoed_is_not_shown() {
    for status in ["401 Unauthorized", "500 Internal Server Error"] {
        let body = format!(r#"{{"message":"bad key {KEY}","error":"\u0073k-very-secret"}}"#);
        let server = Server::new([Reaction::Answer(http(status, &body))]).await;
        let news = place(&client(&server.url())).await;
        let shown = format!("{news:?}");
        assert!(shown.contains("***") && !shown.contains("very-secret"), "{shown}");
    }
}

#[tokio::test]
async fn a_request_that_may_not_go_any_more_never_reaches_anybody_whole() {
    let server = Server::new([Reaction::Answer(http("201 Created", &call_body("c1")))]).await;
    let client = client(&server.url());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let may_go = move || counted.fetch_add(1, Ordering::SeqCst) > 0;
    let attempt = AttemptId::parse(ATTEMPT).unwrap();
    let news = client.send(&attempt, &lead(), Line(1), Box::new(may_go)).await;
    assert!(matches!(news, News::Withdrawn(withdrawn) if withdrawn == attempt));
    assert_eq!(asked.load(Ordering::SeqCst), 1, "asked once, when the body was about to leave");
    assert_eq!(server.connections(), 1, "it was asked after the connection stood");
    assert!(server.requests().is_empty());
    let News::Answered { .. } = place(&client).await else { panic!("the next one goes") };
}
