//! The routes, their bodies, and what is refused.

use std::time::Duration;

use dialer::rehearsal::sandbox::{SandboxConfig, start};
use dialer::rehearsal::world::config::ProviderConfig;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HOST, USER_AGENT};
use serde_json::{Value, json};

use super::{LeadStatus, quiet, read, request};

const LONG: Duration = Duration::from_mins(20);

#[tokio::test]
async fn a_call_is_created_listed_read_and_ends() {
    let stand = LeadStatus::with(quiet()).await;
    let (status, created) = read(stand.place(1).await.unwrap()).await;
    assert_eq!((status, &created["status"], &created["cost"]), (201, &json!("queued"), &json!(0.0)));
    assert_eq!(
        created["subscriptionLimits"],
        json!({ "concurrencyBlocked": false, "concurrencyLimit": 10, "remainingConcurrentCalls": 9 })
    );
    for key in ["customer", "assistantId", "phoneNumberId", "name", "assistantOverrides"] {
        assert_eq!(created[key], request(1)[key], "{key}");
    }
    let id = created["id"].as_str().unwrap();
    assert_eq!((id.len(), &id[14..15], created["createdAt"].as_str().unwrap().len()), (36, "7", 24));

    stand.pass(LONG);
    let (status, read) = stand.get(&format!("/call/{id}")).await;
    assert_eq!((status, &read["status"], &read["type"]), (200, &json!("ended"), &json!("outboundPhoneCall")));
    assert_eq!(read["endedReason"], "customer-ended-call");
    assert!(read["startedAt"].is_string() && read["cost"].as_f64().unwrap() > 0.0);
    assert_eq!(read["artifact"]["messages"][1]["role"], "user");
    assert!(read.get("subscriptionLimits").is_none() && read.get("monitor").is_none());
    let (_, listed) = stand.get("/call").await;
    assert_eq!(listed, json!([read]));
}

#[tokio::test]
async fn listings_are_filtered_and_the_newest_comes_first() {
    let stand = LeadStatus::with(quiet()).await;
    let mut created = Vec::new();
    for number in 0..5 {
        created.push(read(stand.place(number).await.unwrap()).await.1);
        stand.pass(Duration::from_mins(1));
    }
    let names = |(_, rows): (u16, Value)| {
        let name = |row: &Value| row["name"].as_str().unwrap()[8..].to_owned();
        rows.as_array().unwrap().iter().map(name).collect::<String>()
    };
    let second = created[1]["createdAt"].as_str().unwrap().replace(':', "%3A");
    assert_eq!(names(stand.get("/call?limit=2").await), "43");
    assert_eq!(names(stand.get("/call?limit=0").await), "");
    assert_eq!(names(stand.get(&format!("/call?createdAtGt={second}")).await), "432");
    assert_eq!(names(stand.get(&format!("/call?createdAtGe={second}")).await), "4321");
    assert_eq!(names(stand.get(&format!("/call?createdAtLt={second}")).await), "0");
    assert_eq!(names(stand.get("/call?updatedAtLt=2020-01-01T00:00:00Z").await), "");
    assert_eq!(names(stand.get("/call?assistantId=bob").await), "");
    assert_eq!(names(stand.get(&format!("/call?id={}", created[2]["id"].as_str().unwrap())).await), "2");
    let (status, refused) = stand.get("/call?limit=1001").await;
    assert_eq!((status, &refused["message"]), (400, &json!(["limit must not be greater than 1000"])));
}

#[tokio::test]
async fn a_name_changes_and_data_is_erased() {
    let stand = LeadStatus::with(quiet()).await;
    let (_, created) = read(stand.place(1).await.unwrap()).await;
    let path = format!("/call/{}", created["id"].as_str().unwrap());
    let (status, renamed) = stand.send(Method::PATCH, &path, &json!({ "name": "new" })).await;
    assert_eq!((status, &renamed["name"]), (200, &json!("new")));
    let (status, refused) = stand.send(Method::PATCH, &path, &json!({ "status": "ended" })).await;
    assert_eq!((status, &refused["message"]), (400, &json!(["property status should not exist"])));
    assert_eq!(stand.send(Method::DELETE, &path, &json!({})).await.0, 200);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(stand.send(method, &path, &json!({})).await.0, 404);
    }
    assert_eq!(stand.send(Method::PATCH, &path, &json!({ "name": "x" })).await.0, 404);
}

#[tokio::test]
async fn a_call_is_hung_up_at_its_control_url() {
    let stand = LeadStatus::with(quiet()).await;
    let (_, created) = read(stand.place(1).await.unwrap()).await;
    let url = created["monitor"]["controlUrl"].as_str().unwrap();
    let path = url.strip_prefix(&stand.running.base_url()).unwrap();
    assert_eq!(stand.send(Method::POST, path, &json!({ "type": "say" })).await.0, 400);
    assert_eq!(stand.send(Method::POST, path, &json!({ "type": "end-call" })).await.0, 200);
    assert_eq!(stand.send(Method::POST, path, &json!({ "type": "end-call" })).await.0, 404);
    let (_, read) = stand.get(&format!("/call/{}", created["id"].as_str().unwrap())).await;
    assert_eq!(read["endedReason"], "manually-canceled");
}

#[tokio::test]
async fn requests_are_refused_as_the_provider_refuses_them() {
    let stand = LeadStatus::with(quiet()).await;
    let with = |key: &str, value: Value| {
        let mut body = request(1);
        body[key] = value;
        body
    };
    let long = "x".repeat(41);
    let e164 = "customer.number must be a valid phone number in the E.164 format. Hot tip, you may be missing the \
                country code (Eg. US: +1).";
    let cases = [
        (with("customer", json!({ "number": "4155550100" })), json!([e164])),
        (with("customer", json!({})), json!([e164])),
        (with("name", json!(long)), json!(["name must be shorter than or equal to 40 characters"])),
        (
            with("customer", json!({ "number": "+14155550100", "externalId": long })),
            json!(["customer.externalId must be shorter than or equal to 40 characters"]),
        ),
        (
            with("phoneNumberId", Value::Null),
            json!("Couldn't Get Phone Number. Need Either `phoneNumberId` Or `phoneNumber`."),
        ),
        (with("phoneNumberId", json!("missing")), json!("`phoneNumber` `missing` does not exist.")),
        (with("assistantId", json!("missing")), json!("assistantId must reference an available published assistant")),
        (with("schedulePlan", json!({})), json!("schedulePlan: this sandbox keeps no calls for later")),
        (
            with("customers", json!("x")),
            json!("Couldn't Get Customer. Need Either `customer`, `customers` Or `customerId`."),
        ),
    ];
    for (body, message) in cases {
        let (status, refused) = stand.send(Method::POST, "/call", &body).await;
        assert_eq!(refused, json!({ "message": message, "error": "Bad Request", "statusCode": 400 }));
        assert_eq!(status, 400);
    }
    for squad in [json!("crew"), Value::Null] {
        let mut body = with("squadId", squad.clone());
        if squad.is_null() {
            body["assistantId"] = Value::Null;
        }
        let (status, refused) = stand.send(Method::POST, "/call", &body).await;
        assert!(status == 400 && refused["message"].as_str().unwrap().starts_with("Couldn't Get Assistant."));
    }
    for (body, expected) in [("[]".to_owned(), 400), ("{".to_owned(), 400), (" ".repeat(300_000), 413)] {
        let response = stand.ask(Method::POST, "/call").body(body).send().await.unwrap();
        assert_eq!(read(response).await.0, expected);
    }
    assert_eq!(stand.get("/call").await.1, json!([]), "nothing was created");
}

#[tokio::test]
async fn the_gate_wants_a_key_a_name_and_a_loopback_host() {
    let config = SandboxConfig { key: Some("right".into()), world: quiet(), ..SandboxConfig::default() };
    let mut stand = LeadStatus::serving(config).await;
    for path in ["/call", "/assistant/ada", "/phone-number", "/nowhere-at-all"] {
        let (status, refused) = stand.get(path).await;
        assert_eq!((status, &refused["error"]), (401, &json!("Unauthorized")), "{path}");
        assert!(refused["message"].as_str().unwrap().starts_with("Invalid Key. Hot tip"));
    }
    assert_eq!(read(stand.place(1).await.unwrap()).await.0, 401);
    stand.key = "right";
    assert_eq!(stand.get("/call").await.0, 200);
    assert_eq!(stand.send(Method::GET, "/call", &json!({})).await.0, 200);

    let plain = |builder: reqwest::RequestBuilder| async move {
        let response = builder.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let nameless = stand.ask(Method::GET, "/call").header(USER_AGENT, "");
    assert_eq!(plain(nameless).await, (403, "error code: 1010".to_owned()));
    let rebound = stand.ask(Method::GET, "/call").header(HOST, "evil.example:80");
    assert_eq!(plain(rebound).await.0, 403);
    let basic = stand.client.get(format!("{}/call", stand.running.base_url())).header(AUTHORIZATION, "Basic right");
    assert_eq!(plain(basic).await.0, 401);
}

#[tokio::test]
async fn routes_that_are_none_are_not_found() {
    let stand = LeadStatus::with(quiet()).await;
    for (method, path) in [
        (Method::GET, "/x"),
        (Method::GET, "/x/y"),
        (Method::GET, "/x/y/z/w"),
        (Method::PUT, "/call"),
        (Method::DELETE, "/assistant/ada"),
        (Method::POST, "/call/ada"),
    ] {
        let (status, body) = stand.send(method.clone(), path, &json!({})).await;
        let message = format!("Cannot {method} {path}");
        assert_eq!(body, json!({ "message": message, "error": "Not Found", "statusCode": 404 }));
        assert_eq!(status, 404);
    }
}

#[tokio::test]
async fn assistants_squads_workflows_and_lines_are_known_by_any_id() {
    let stand = LeadStatus::with(quiet()).await;
    let org = stand.running.world(|world, _| world.org_id(0));
    for kind in ["assistant", "squad", "workflow", "phone-number"] {
        let (status, one) = stand.get(&format!("/{kind}/ada")).await;
        assert_eq!((status, &one["id"], &one["orgId"]), (200, &json!("ada"), &json!(org)));
        assert_eq!(stand.get(&format!("/{kind}")).await.1.as_array().unwrap().len(), 1);
        let (status, none) = stand.get(&format!("/{kind}/missing-one")).await;
        assert_eq!((status, &none["error"]), (404, &json!("Not Found")));
    }
    let line = async |id: &str| {
        let (_, line) = stand.get(&format!("/phone-number/{id}")).await;
        (line["provider"].as_str().unwrap().to_owned(), line["status"].as_str().unwrap().to_owned())
    };
    assert_eq!(line("sandbox-line").await, ("twilio".into(), "active".into()));
    assert_eq!(line("blocked-1").await, ("twilio".into(), "blocked".into()));
    assert_eq!(line("activating").await, ("twilio".into(), "activating".into()));
    assert_eq!(line("vapi-free").await, ("vapi".into(), "active".into()));
}

#[tokio::test]
async fn a_batch_answers_once_with_results_and_errors() {
    let stand = LeadStatus::with(ProviderConfig { slots: 2, ..quiet() }).await;
    let mut body = request(1);
    body["customer"] = Value::Null;
    let numbers = ["+14155550101", "+1415", "+14155550102", "+14155550103"];
    body["customers"] = numbers.iter().map(|number| json!({ "number": number })).collect();
    let (status, batch) = stand.send(Method::POST, "/call", &body).await;
    let count = |key: &str| batch[key].as_array().unwrap().len();
    assert_eq!((status, count("results"), count("errors")), (201, 2, 2));
    assert_eq!(batch["subscriptionLimits"]["concurrencyLimit"], 2);
    let says = |row: &Value| row["error"].as_str().unwrap().to_owned();
    let mut wrong: Vec<String> = batch["errors"].as_array().unwrap().iter().map(says).collect();
    wrong.sort_unstable();
    assert!(wrong[0] == "Over Concurrency Limit" && wrong[1].contains("E.164"), "{wrong:?}");
    assert!(batch["results"][0]["customer"]["number"].is_string());
}

#[tokio::test]
async fn analytics_sum_up_calls_and_the_pool() {
    let stand = LeadStatus::with(quiet()).await;
    for number in 0..3 {
        stand.place(number).await.unwrap();
    }
    stand.pass(LONG);
    let operation = |operation: &str, column: &str| json!({ "operation": operation, "column": column });
    let queries = json!({ "queries": [
        { "name": "Pool", "table": "subscription", "timeRange": { "step": "minute" },
          "operations": [{ "operation": "max", "column": "concurrency", "alias": "concurrency" }] },
        { "name": "Use", "table": "call", "groupBy": ["endedReason"], "groupByVariableValue": [{ "key": "city" }],
          "operations": [operation("sum", "duration"), operation("sum", "cost"), operation("count", "id")] },
    ] });
    let (status, answer) = stand.send(Method::POST, "/analytics", &queries).await;
    assert_eq!((status, &answer[0]["timeRange"]["timezone"]), (200, &json!("UTC")));
    let busiest = answer[0]["result"].as_array().unwrap().iter().map(|row| row["concurrency"].as_f64().unwrap());
    assert!((busiest.fold(0.0, f64::max) - 3.0).abs() < 1e-9);
    assert!(answer[0]["result"][0]["date"].as_str().unwrap().ends_with(":00.000Z"));
    let used = &answer[1]["result"][0];
    assert_eq!((&used["endedReason"], &used["countId"]), (&json!("customer-ended-call"), &json!(3.0)));
    assert_eq!(used["city"], "Porto");
    assert!(used["sumDuration"].as_f64().unwrap() > 1.0 && used["sumCost"].as_f64().unwrap() > 0.0);
    for wrong in [
        json!({}),
        json!({ "queries": [{ "name": "x" }] }),
        json!({ "queries": [{ "name": "x", "table": "call",
        "operations": [operation("sum", "shoes")] }] }),
    ] {
        assert_eq!(stand.send(Method::POST, "/analytics", &wrong).await.0, 400);
    }
}

#[tokio::test]
async fn it_listens_on_loopback_only() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let clock = dialer::rehearsal::sandbox::real_clock();
    let refused = start(SandboxConfig { listen, ..SandboxConfig::default() }, clock, 1.0).await.err().unwrap();
    assert!(refused.to_string().contains("loopback only"), "{refused}");
}

#[tokio::test]
async fn its_date_is_that_of_its_clock() {
    let stand = LeadStatus::with(quiet()).await;
    stand.pass(Duration::from_hours(24 * 400));
    let response = stand.ask(Method::GET, "/call").send().await.unwrap();
    let date = httpdate::parse_http_date(response.headers()["date"].to_str().unwrap()).unwrap();
    let there = stand.running.world(|_, now| now.as_micros() / 1_000_000);
    let date = i64::try_from(date.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap();
    assert!((date..date + 3600).contains(&there));
}

#[tokio::test]
async fn it_stops_when_it_is_told_to() {
    let stand = LeadStatus::with(quiet()).await;
    stand.place(1).await.unwrap();
    let url = format!("{}/call", stand.running.base_url());
    stand.running.stop().await.unwrap();
    assert!(stand.client.get(url).bearer_auth("any").send().await.unwrap_err().is_connect());
}
