//! What is learnt from an account that has a past: `--dry-run --online`, `--reserve auto`, `advise`.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dialer::rehearsal::sandbox::{Clock, Running, SandboxConfig, real_clock, start};
use dialer::rehearsal::world::call::Kind;
use dialer::rehearsal::world::config::{ProviderConfig, Traffic};
use dialer::rehearsal::world::mix::{Ending, Shape};
use dialer::time::Stamp;
use serde_json::Value;

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
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.args(words).env_clear().env("TZ", "UTC").env("DIALER_STATE", dir.join("state")).stdin(Stdio::null());
    command
        .env("VAPI_BASE_URL", account.base_url())
        .env("VAPI_ASSISTANT_ID", "ada")
        .env("VAPI_PHONE_NUMBER_ID", "line");
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
