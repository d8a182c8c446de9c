use super::super::preflight::LineStatus;
use super::*;
use crate::campaign::event::Query;
use crate::campaign::seen::Listing;
use crate::pool::calls::CallId;
use crate::time::Stamp;

fn updated(limit: u16) -> Query {
    Query::Updated { from: Stamp::from_micros(1_774_539_796_145_000), to: None, limit }
}

async fn read(server: &Server, query: &Query) -> Result<(Listing, bool), ReadFailure> {
    match client(&server.url()).read(ReadId(7), query).await? {
        News::Listed { read: ReadId(7), calls, full, .. } => Ok((calls, full)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_listing_is_asked_for_as_the_api_has_it() {
    let server = Server::new([Reaction::Answer(http("200 OK", "[]"))]).await;
    let (from, to) = (Stamp::from_micros(0), Some(Stamp::from_micros(1_774_539_796_145_000)));
    let (calls, full) = read(&server, &Query::Created { from, to, limit: 100 }).await.unwrap();
    assert_eq!((calls.len(), full), (0, false));
    let request = server.requests().remove(0);
    let expected = "GET /call?createdAtGe=1970-01-01T00%3A00%3A00.000Z&createdAtLe=2026-03-26T15%3A43%3A16.145Z&limit=100 HTTP/1.1\r\n";
    assert!(request.starts_with(expected), "{request}");
    assert!(request.to_lowercase().contains("authorization: bearer"), "{request}");
}

#[tokio::test]
async fn a_page_is_full_where_there_may_be_more() {
    for (body, limit, rows, expected) in [
        (format!("[{},{}]", call_body("c1"), call_body("c2")), 2, 2, true),
        (format!("[{},{}]", call_body("c1"), call_body("c2")), 3, 2, false),
        (format!("[{},{{}}]", call_body("c1")), 100, 1, false),
        (format!("[{},{{}}]", call_body("c1")), 2, 1, true),
        ("[]".to_owned(), 0, 0, true),
    ] {
        let server = Server::new([Reaction::Answer(http("200 OK", &body))]).await;
        let (calls, full) = read(&server, &updated(limit)).await.unwrap();
        assert_eq!((calls.len(), full), (rows, expected), "{body}");
    }
}

#[tokio::test]
async fn one_call_is_read_by_its_id() {
    let one = Query::One(CallId::new("c1"));
    let server = Server::new([
        Reaction::Answer(http("200 OK", &call_body("c1"))),
        Reaction::Answer(http("404 Not Found", "{}")),
    ])
    .await;
    let (calls, full) = read(&server, &one).await.unwrap();
    assert_eq!((calls[0].id.as_str(), full), ("c1", false));
    assert_eq!(read(&server, &one).await.unwrap(), (Listing::from([]), false));
    assert!(server.requests()[0].starts_with("GET /call/c1 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn failed_reads_say_what_kind() {
    let seven = Some(Duration::from_secs(7));
    for (reaction, kind) in [
        (Reaction::Answer(http("401 Unauthorized", "")), ReadTrouble::Key),
        (Reaction::Answer(http("403 Forbidden", "error code: 1010")), ReadTrouble::Forbidden),
        (Reaction::Answer(http("429 X", "").replace("Date", "Retry-After: 7\r\nDate")), ReadTrouble::Rate(seven)),
        (Reaction::Answer(http("429 X", "{}")), ReadTrouble::Rate(None)),
        (Reaction::Answer(http("500 X", "<html>")), ReadTrouble::Fault),
        (Reaction::Answer(http("404 X", "{}")), ReadTrouble::Fault),
        (Reaction::Answer(http("302 X", "")), ReadTrouble::Fault),
        (Reaction::Answer(http("200 OK", "{}")), ReadTrouble::Fault),
        (Reaction::AnswerThenClose(http("200 OK", "[{}]").replace("}]", "")), ReadTrouble::Fault),
        (Reaction::Close, ReadTrouble::Fault),
    ] {
        let server = Server::new([reaction]).await;
        let failure = read(&server, &updated(100)).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{failure:?}");
    }
}

#[tokio::test]
async fn a_listing_beyond_all_bounds_is_too_large() {
    let server = Server::new([Reaction::AnswerThenClose(http("200 OK", &" ".repeat((64 << 20) + 1)))]).await;
    let failure = read(&server, &updated(1000)).await.unwrap_err();
    assert_eq!(failure.kind, ReadTrouble::TooLarge, "{failure:?}");
}

#[tokio::test]
async fn the_target_is_read_with_what_its_prompt_needs() {
    let assistant = r#"{"id":"a1","orgId":"o1","name":"Front desk","firstMessage":"Hi {{name}}, it is {{ now | date: \"%H\" }}",
        "model":{"messages":[{"content":"{{ issue }} {{-plan-}} {{title | default: \"you\"}} {{customer.number}} {{\"now\"}}
            {% assign greeting = 1 %}{{greeting}} {{dialer_attempt_id}} {{given}} {{ not closed"}],
            "tools":[{"server":{"url":"https://x/{{order_id}}"}}]},
        "assistantOverrides":{"variableValues":{"given":"x"}}}"#
        .replace('\n', " ");
    let server = Server::new([Reaction::Answer(http("200 OK", &assistant))]).await;
    let info = client(&server.url()).target().await.unwrap();
    assert_eq!((info.org.as_deref(), info.name.as_deref()), (Some("o1"), Some("Front desk")));
    assert_eq!(info.variables, ["issue", "name", "plan"]);
    assert_eq!(
        info.longest_call,
        Some(Duration::from_mins(20)),
        "ten minutes where nothing is said, and ten of ringing"
    );
    assert!(server.requests()[0].starts_with("GET /assistant/a1 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_workflow_that_is_not_shown_is_not_missing() {
    for (target, missing) in [(Target::Workflow("w".to_owned()), false), (Target::Squad("s".to_owned()), true)] {
        let server =
            Server::new([Reaction::Answer(http("404 Not Found", r#"{"message":"Cannot GET /workflow/w"}"#))]).await;
        let client = Client::new(ClientOptions { target, ..options(&server.url()) }).unwrap();
        assert_eq!(client.target().await.is_err(), missing);
    }
}

#[tokio::test]
async fn a_line_is_read_with_its_status() {
    for (status, expected) in [
        (r#""active""#, LineStatus::Active),
        (r#""activating""#, LineStatus::Activating),
        (r#""blocked""#, LineStatus::Blocked),
        (r#""new""#, LineStatus::Unknown),
        ("null", LineStatus::Unknown),
        ("7", LineStatus::Unknown),
    ] {
        let body =
            format!(r#"{{"id":"p 1","orgId":"o1","provider":"vapi","number":"+14155550100","status":{status}}}"#);
        let server = Server::new([Reaction::Answer(http("200 OK", &body))]).await;
        let line = client(&server.url()).line("p 1").await.unwrap();
        assert_eq!((line.status, line.provider.as_deref()), (expected, Some("vapi")));
        assert_eq!((line.number.as_deref(), line.org.as_deref()), (Some("+14155550100"), Some("o1")));
        assert!(server.requests()[0].starts_with("GET /phone-number/p%201 HTTP/1.1\r\n"));
    }
}

#[tokio::test]
async fn trouble_before_the_first_dial_is_told_apart() {
    for (answer, expected) in [
        (http("401 X", r#"{"message":"Invalid Key."}"#), PreflightTrouble::Key),
        (http("402 X", ""), PreflightTrouble::Refused),
        (http("403 X", "error code: 1010"), PreflightTrouble::Refused),
        (http("301 X", ""), PreflightTrouble::Refused),
        (http("404 X", "{}"), PreflightTrouble::Missing),
        (http("400 X", r#"{"message":"id must be a UUID"}"#), PreflightTrouble::Missing),
        (http("429 X", ""), PreflightTrouble::Rate(None)),
        (http("500 X", ""), PreflightTrouble::Fault),
        (http("200 OK", "[]"), PreflightTrouble::Fault),
        (http("200 OK", "<html>"), PreflightTrouble::Fault),
        (String::new(), PreflightTrouble::Fault),
    ] {
        let server = Server::new([Reaction::AnswerThenClose(answer)]).await;
        let failure = client(&server.url()).target().await.unwrap_err();
        assert_eq!(failure.trouble, expected, "{failure}");
        assert!(failure.to_string().starts_with("cannot read assistant a1: "), "{failure}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let failure = client(&format!("http://{address}")).line("p1").await.unwrap_err();
    assert_eq!(failure.trouble, PreflightTrouble::Unreachable, "{failure}");
}
