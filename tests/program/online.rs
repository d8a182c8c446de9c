//! What is learnt from an account that has a past: `--dry-run --online`, `--reserve auto`, `advise`.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::Uri;
use axum::routing::{get, post};
use dialer::rehearsal::sandbox::{Clock, Running, SandboxConfig, real_clock, start};
use dialer::rehearsal::world::call::Kind;
use dialer::rehearsal::world::config::{ProviderConfig, Traffic};
use dialer::rehearsal::world::mix::{Ending, Shape};
use dialer::time::Stamp;
use serde_json::{Value, json};

const PAST: Duration = Duration::from_hours(48);

/// An account with two days of inbound callers behind it, 20 an hour of 4 minutes; whom it calls is never reached.
async fn account() -> Running {
    let traffic = vec![Traffic::inbound(20.0, Duration::from_mins(4))];
    let mix = vec![Ending::new(1, "twilio-failed-to-connect-call", Shape::NeverRings)];
    let world = ProviderConfig { traffic, mix, ..ProviderConfig::default() };
    let back = Arc::new(AtomicI64::new(i64::try_from(PAST.as_micros()).unwrap()));
    let (real, by) = (real_clock(), Arc::clone(&back));
    let clock: Clock = Arc::new(move || Stamp::from_micros(real().as_micros() - by.load(Ordering::SeqCst)));
    let running = start(SandboxConfig { world, ..SandboxConfig::default() }, clock, 1.0).await.unwrap();
    back.store(0, Ordering::SeqCst);
    running
}

async fn dialer(account: &Running, dir: &Path, words: &[&str], key: bool) -> Output {
    asking(&account.base_url(), dir, words, key).await
}

async fn asking(base_url: &str, dir: &Path, words: &[&str], key: bool) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.args(words).env_clear().env("TZ", "UTC").env("DIALER_STATE", dir.join("state")).stdin(Stdio::null());
    command.env("VAPI_BASE_URL", base_url).env("VAPI_ASSISTANT_ID", "ada").env("VAPI_PHONE_NUMBER_ID", "line");
    if key {
        command.env("VAPI_API_KEY", "right");
    }
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn object(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn outbound(account: &Running) -> usize {
    account.world(|world, _| world.calls().iter().filter(|call| call.kind == Kind::Outbound).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_may_read_the_account_and_calls_nobody() {
    let (account, dir) = (account().await, tempfile::tempdir().unwrap());
    let list = dir.path().join("leads.csv");
    std::fs::write(&list, "number,name\n+12025550101,Ada\n+12025550102,Ben\n").unwrap();
    let run =
        ["run", list.to_str().unwrap(), "--hours", "any", "--dry-run", "--runs", "5", "--json", "--reserve", "auto"];
    let online = dialer(&account, dir.path(), &[&run[..], &["--online"]].concat(), true).await;
    assert_eq!(online.status.code(), Some(0), "{online:?}");
    let told = object(&online)["forecast"]["assumed"].to_string();
    assert!(told.contains("inbound calls of 2 days, by hour of the day"), "{told}");
    let said = String::from_utf8_lossy(&online.stderr).into_owned();
    assert!(said.contains("calls go out from") && said.contains("reserved at first (auto; callers from"), "{said}");
    let offline = dialer(&account, dir.path(), &run, true).await;
    let said = String::from_utf8_lossy(&offline.stderr).into_owned();
    assert!(said.contains("3 slots reserved at first (auto): nothing is known yet"), "{said}");
    assert!(!object(&offline).to_string().contains("inbound calls"), "{offline:?}");
    let keyless = dialer(&account, dir.path(), &[&run[..], &["--online"]].concat(), false).await;
    assert_eq!(keyless.status.code(), Some(2), "{keyless:?}");
    assert!(String::from_utf8_lossy(&keyless.stderr).contains("VAPI_API_KEY"), "{keyless:?}");
    assert_eq!(outbound(&account), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserve_that_the_run_chooses_is_learnt_from_the_account() {
    let (account, dir) = (account().await, tempfile::tempdir().unwrap());
    let list = dir.path().join("leads.csv");
    std::fs::write(&list, "number\n+12025550101\n").unwrap();
    let run = ["run", list.to_str().unwrap(), "--hours", "any", "--json", "--reserve", "auto", "--target", "2%"];
    let ran = dialer(&account, dir.path(), &run, true).await;
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(said.contains("reserved at first (auto; callers from"), "{said}");
    let reserve = object(&ran)["pool"]["reserve"].as_u64().unwrap();
    assert!(said.contains(&format!("{reserve} slot")), "{said}");
    assert_eq!(outbound(&account), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_is_learnt_from_the_account() {
    let (account, dir) = (account().await, tempfile::tempdir().unwrap());
    let advice = dialer(&account, dir.path(), &["advise", "--slots", "5", "--json"], true).await;
    let advice = object(&advice);
    let inbound = &advice["inbound"];
    let per_hour = inbound["per_hour"].as_f64().unwrap();
    assert!((17.0..23.0).contains(&per_hour), "{inbound}");
    assert!((200.0..280.0).contains(&inbound["mean_s"].as_f64().unwrap()), "{inbound}");
    assert!(advice["timetable"].as_str().is_some(), "{advice}");
}

/// The calls that were created in the hour that is asked for: five callers of 2 minutes and one call of the campaign's kind.
async fn an_hour_of_calls(asked: Uri) -> String {
    let from = asked.query().unwrap_or_default().split('&').find_map(|part| part.strip_prefix("createdAtGe=")).unwrap();
    let from: jiff::Timestamp = from.replace("%3A", ":").parse().unwrap();
    let minute = |nth: i64| from.checked_add(jiff::SignedDuration::from_mins(nth)).unwrap().to_string();
    let call = |nth: i64| {
        let kind = if nth == 0 { "outboundPhoneCall" } else { "inboundPhoneCall" };
        json!({
            "id": format!("{from}-{nth}"), "orgId": "org-1", "type": kind, "status": "ended", "createdAt": minute(nth),
            "updatedAt": minute(nth + 2), "startedAt": minute(nth), "endedAt": minute(nth + 2),
            "endedReason": "customer-ended-call",
        })
    };
    (0..6).map(call).collect::<Value>().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_analytics_show_nothing_a_few_hours_of_the_listing_are_looked_at() {
    let nothing = post(|| async { json!([{ "name": "calls", "result": [] }]).to_string() });
    let account = Router::new().route("/analytics", nothing).route("/call", get(an_hour_of_calls));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, account).await });
    let dir = tempfile::tempdir().unwrap();
    let advice = object(&asking(&base_url, dir.path(), &["advise", "--slots", "5", "--json"], true).await);
    let inbound = &advice["inbound"];
    assert_eq!(inbound["from"], "from 60 inbound calls in 12 sampled hours of the last 14 days", "{inbound}");
    assert_eq!((&inbound["per_hour"], &inbound["mean_s"]), (&json!(5.0), &json!(120.0)), "{inbound}");
    assert_eq!(advice["call_mean_s"], 120.0, "{advice}");
}
