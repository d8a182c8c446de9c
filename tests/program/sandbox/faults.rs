//! Faults and full pools, as they look on the wire.

use std::time::Duration;

use dialer::rehearsal::world::config::{BlockedAs, ProviderConfig, Traffic};
use dialer::rehearsal::world::fault::{Fault, Faults};
use reqwest::Response;
use serde_json::{Value, json};

use super::{LeadStatus, quiet, read};

async fn faulty(fault: Fault) -> LeadStatus {
    LeadStatus::with(ProviderConfig { faults: Faults::default().with(fault, 1.0), ..quiet() }).await
}

fn created(stand: &LeadStatus) -> usize {
    stand.running.world(|world, _| world.calls().len())
}

#[tokio::test]
async fn a_lost_answer_is_a_closed_connection() {
    for (fault, calls) in [(Fault::DropBefore, 0), (Fault::DropAfter, 1), (Fault::LateCreate, 0)] {
        let stand = faulty(fault).await;
        let error = stand.place(1).await.unwrap_err();
        assert!(!error.is_connect() && !error.is_timeout() && error.is_request(), "{error:?}");
        assert_eq!(created(&stand), calls, "{fault:?}");
        assert_eq!(stand.get("/call").await.0, 200, "the next connection is as good as any");
    }
}

#[tokio::test]
async fn late_calls_are_created_all_the_same() {
    let stand = faulty(Fault::LateCreate).await;
    stand.place(1).await.unwrap_err();
    stand.pass(Duration::from_mins(21));
    assert_eq!(created(&stand), 1);
}

#[tokio::test]
async fn errors_come_before_and_after_the_creation() {
    for (fault, calls) in [(Fault::ErrorBefore, 0), (Fault::ErrorAfter, 1)] {
        let stand = faulty(fault).await;
        let (status, body) = read(stand.place(1).await.unwrap()).await;
        assert_eq!((status, &body["statusCode"], created(&stand)), (500, &json!(500), calls));
    }
}

#[tokio::test]
async fn a_page_of_html_comes_from_the_edge() {
    let stand = faulty(Fault::Html).await;
    let response = stand.place(1).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (522, &"text/html; charset=UTF-8".parse().unwrap())
    );
    assert!(response.text().await.unwrap().starts_with("<!DOCTYPE html>"));
}

#[tokio::test]
async fn too_many_requests_with_and_without_a_time_to_wait() {
    let wait =
        |response: &Response| response.headers().get("retry-after").map(|wait| wait.to_str().unwrap().parse::<u64>());
    for (fault, said) in [(Fault::TooMany, false), (Fault::TooManyRetryAfter, true)] {
        let stand = faulty(fault).await;
        let response = stand.place(1).await.unwrap();
        assert_eq!(wait(&response).map(|wait| wait.is_ok()), said.then_some(true));
        assert_eq!(
            read(response).await,
            (429, json!({ "message": "Rate limit exceeded", "error": "Too Many Requests", "statusCode": 429 }))
        );
        assert_eq!(created(&stand), 0);
    }
}

#[tokio::test]
async fn limits_are_left_out_or_minus_one() {
    let (_, body) = read(faulty(Fault::NoLimits).await.place(1).await.unwrap()).await;
    assert_eq!(body.get("subscriptionLimits"), None);
    let (_, body) = read(faulty(Fault::MinusOne).await.place(1).await.unwrap()).await;
    assert_eq!(body["subscriptionLimits"]["remainingConcurrentCalls"], -1);
}

#[tokio::test]
async fn a_slow_answer_is_given_up_and_the_call_lives_on() {
    let stand = faulty(Fault::Slow).await;
    let request = stand.ask(reqwest::Method::POST, "/call").body(super::request(1).to_string());
    assert!(request.timeout(Duration::from_millis(120)).send().await.unwrap_err().is_timeout());
    assert_eq!(created(&stand), 1);
    let (status, body) = read(stand.place(2).await.unwrap()).await;
    assert_eq!((status, &body["status"]), (201, &json!("queued")), "as it was when the answer left");
}

#[tokio::test]
async fn a_forgotten_call_is_known_by_its_id_alone() {
    let stand = faulty(Fault::Forgotten).await;
    let (_, body) = read(stand.place(1).await.unwrap()).await;
    assert_eq!(stand.get("/call").await.1, json!([]));
    assert_eq!(stand.get(&format!("/call/{}", body["id"].as_str().unwrap())).await.0, 200);
}

#[tokio::test]
async fn reads_fail_by_themselves() {
    let stand = faulty(Fault::ReadError).await;
    for path in ["/call", "/call/x", "/assistant/ada", "/phone-number/line"] {
        assert_eq!(stand.get(path).await.0, 500);
    }
    assert_eq!(read(stand.place(1).await.unwrap()).await.0, 201);
}

#[tokio::test]
async fn a_full_pool_refuses_in_its_shape() {
    let full = json!({ "concurrencyBlocked": true, "concurrencyLimit": 1, "remainingConcurrentCalls": 0 });
    let over =
        |status: u16, error: &str| json!({ "message": "Over Concurrency Limit", "error": error, "statusCode": status });
    for shape in BlockedAs::ALL {
        let stand = LeadStatus::with(ProviderConfig { slots: 1, blocked_as: shape, ..quiet() }).await;
        stand.place(1).await.unwrap();
        let (status, mut body) = read(stand.place(2).await.unwrap()).await;
        let id = body["id"].as_str().unwrap_or_default().to_owned();
        match shape {
            BlockedAs::BadRequest => {
                assert_eq!(body["subscriptionLimits"], full);
                body.as_object_mut().unwrap().remove("subscriptionLimits");
                assert_eq!((status, body), (400, over(400, "Bad Request")));
            }
            BlockedAs::BareBadRequest => assert_eq!((status, body), (400, over(400, "Bad Request"))),
            BlockedAs::TooMany => assert_eq!((status, body), (429, over(429, "Too Many Requests"))),
            BlockedAs::Created => assert_eq!((status, &body["subscriptionLimits"]), (201, &full)),
            BlockedAs::Ended => assert_eq!((status, &body["status"]), (201, &json!("queued"))),
        }
        stand.pass(Duration::from_secs(2));
        if !id.is_empty() {
            let (_, call) = stand.get(&format!("/call/{id}")).await;
            assert_eq!(call["endedReason"], "call.start.error-subscription-concurrency-limit-reached");
            assert!(call["endedAt"].is_string() && call.get("startedAt").is_none());
        }
    }
}

#[tokio::test]
async fn organisations_share_the_pool_and_see_only_their_own_calls() {
    let mut stand = LeadStatus::with(ProviderConfig { orgs: 2, slots: 2, ..quiet() }).await;
    let (_, first) = read(stand.place(1).await.unwrap()).await;
    stand.key = "any-org-2";
    let (_, second) = read(stand.place(2).await.unwrap()).await;
    assert_eq!(second["subscriptionLimits"]["remainingConcurrentCalls"], 0);
    assert_ne!(first["orgId"], second["orgId"]);
    let (_, listed) = stand.get("/call").await;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &second["id"]));
    assert_eq!(stand.get(&format!("/call/{}", first["id"].as_str().unwrap())).await.0, 404);
    stand.key = "any-org-3";
    assert_eq!(stand.get("/call").await.0, 401);
}

#[tokio::test]
async fn callers_take_slots_and_are_seen() {
    let traffic = vec![Traffic::inbound(240.0, Duration::from_mins(3))];
    let stand = LeadStatus::with(ProviderConfig { traffic, ..quiet() }).await;
    stand.pass(Duration::from_hours(1));
    let (_, listed) = stand.get("/call?limit=1000").await;
    let of = |kind: &str| listed.as_array().unwrap().iter().filter(|call| call["type"] == kind).count();
    assert!(of("inboundPhoneCall") > 100 && of("webCall") > 5, "{} {}", of("inboundPhoneCall"), of("webCall"));
    let refused: Vec<&Value> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter(|call| call.get("startedAt").is_none() && call["status"] == "ended")
        .collect();
    let counted = stand.running.world(|world, _| world.counts().denied);
    assert!(counted > 0 && refused.len() as u64 <= counted);
}
