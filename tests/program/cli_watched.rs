//! What other shells see of a run, and what it confirms to them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

/// A run that does not outlive its test.
struct Run(Child);

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "another process is waited for, again and again, up to a bound")]
fn wait() {
    std::thread::sleep(Duration::from_millis(100));
}

fn dialer(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.current_dir(folder).args(words).args(["--state", "state"]);
    command.env_clear().envs([("TZ", "UTC"), ("LANG", "C.UTF-8")]).stdin(Stdio::null());
    command
}

fn said(folder: &Path, words: &[&str]) -> String {
    let Output { status, stdout, stderr } = dialer(folder, words).output().unwrap();
    assert!(status.success(), "{words:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// A rehearsal of so many leads.
fn rehearsal(folder: &Path, leads: u32) -> Run {
    let rows: Vec<_> = (0..leads).map(|n| format!("+1202555{n:04}")).collect();
    std::fs::write(folder.join("leads.csv"), format!("number\n{}\n", rows.join("\n"))).unwrap();
    let mut command = dialer(folder, &["run", "leads.csv", "--sandbox"]);
    Run(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// The campaign, once its run shows what is looked for.
fn seen(folder: &Path, what: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..300 {
        last = serde_json::from_str(&said(folder, &["status", "--json"])).unwrap();
        if what(&last[0]) {
            return last[0].take();
        }
        wait();
    }
    panic!("it is never seen: {last}");
}

#[test]
fn another_shell_sees_the_batch_the_pool_and_the_pace_of_a_run_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = rehearsal(folder.path(), 200);
    let status = seen(folder.path(), |campaign| !campaign["done_at"].is_null());
    assert_eq!(status["running"]["pid"], run.0.id(), "{status}");
    assert!(!status["running"]["host"].as_str().unwrap().is_empty() && status["running"]["since"].is_string());
    assert_eq!(status["batch"]["size"], 50, "{status}");
    let pool = |key: &str| status["pool"][key].as_u64().unwrap_or_else(|| panic!("{key}: {status}"));
    assert_eq!((pool("limit"), pool("reserve")), (10, 3));
    assert!(pool("ours") + pool("others") + pool("free") >= pool("limit"), "{status}");
    assert!(status["calls_per_minute"].as_f64().unwrap() > 0.0, "{status}");

    let text = said(folder.path(), &["status"]);
    assert!(text.contains("batch ") && text.contains("pool of 10: ") && text.contains("calls a minute"), "{text}");

    run.0.kill().unwrap();
    run.0.wait().unwrap();
    let status = seen(folder.path(), |campaign| campaign["running"].is_null());
    for key in ["batch", "pool", "calls_per_minute", "done_at"] {
        assert!(status[key].is_null(), "{key}: {status}");
    }
}

/// Stops a process at a moment at which it does not hold the journal.
fn stop_between_writes(pid: rustix::process::Pid, journal: &Path) {
    let db = rusqlite::Connection::open(journal).unwrap();
    db.busy_timeout(Duration::ZERO).unwrap();
    loop {
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
        wait();
        if db.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok() {
            return;
        }
        rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
        wait();
    }
}

#[test]
fn orders_are_confirmed_by_the_run_that_took_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = rehearsal(folder.path(), 200);
    seen(folder.path(), |campaign| campaign["pool"]["ours"].as_u64() > Some(0));
    assert!(said(folder.path(), &["pause", "leads"]).contains("campaign leads pauses: no more calls until"));
    assert!(said(folder.path(), &["status"]).contains("paused; process"), "the run has taken the order");
    assert!(said(folder.path(), &["resume", "leads"]).contains("campaign leads goes on"));

    let pid = rustix::process::Pid::from_child(&run.0);
    stop_between_writes(pid, &folder.path().join("state/journal.db"));
    let silent = said(folder.path(), &["pause", "leads"]);
    let words = format!("process {} has not confirmed it within 5 s: it was last heard of at ", run.0.id());
    assert!(silent.contains(&words), "{silent}");
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    seen(folder.path(), |campaign| campaign["held_up"] == "paused");
    let stops = said(folder.path(), &["stop", "leads"]);
    assert!(stops.contains("campaign leads stops: no more calls") || stops.contains("has ended"), "{stops}");
    assert_eq!(run.0.wait().unwrap().code(), Some(4));
}

#[test]
fn a_run_is_watched_line_by_line_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = rehearsal(folder.path(), 20);
    seen(folder.path(), |campaign| !campaign["pool"].is_null());
    let json = dialer(folder.path(), &["status", "--watch", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = said(folder.path(), &["status", "leads", "--watch"]);
    let lines: Vec<_> = lines.lines().collect();
    assert!(lines.len() > 1 && lines[0].contains(" leads: ") && lines[0].contains("/20 settled"), "{lines:?}");
    let over = lines.iter().position(|line| line.ends_with("leads: 20/20 settled \u{b7} not running")).unwrap();
    assert!(lines[over + 1..].iter().any(|line| line.starts_with("20 leads: 20 settled")), "{lines:?}");
    assert!(lines.last().unwrap().ends_with("exit 0"), "the run's own report: {lines:?}");
    let objects = String::from_utf8(json.wait_with_output().unwrap().stdout).unwrap();
    let objects: Vec<Value> = objects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(objects.len() > 1 && objects.last().unwrap()[0]["running"].is_null(), "{objects:?}");
    assert_eq!(run.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_run_foresees_itself_and_its_report_holds_that_against_what_came_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = rehearsal(folder.path(), 40);
    seen(folder.path(), |campaign| campaign["pool"]["ours"].as_u64() > Some(0));
    // However long the forecast takes, the run is there until it has come.
    said(folder.path(), &["pause", "leads"]);
    let report =
        || -> Value { serde_json::from_str(&said(folder.path(), &["report", "leads", "--format", "json"])).unwrap() };
    let is_there = (0..300).any(|_| {
        wait();
        !report()["forecasts"][0].is_null()
    });
    assert!(is_there, "nothing was foreseen while the run went on");
    assert!(said(folder.path(), &["stop", "leads"]).contains("campaign leads"));
    assert_eq!(run.0.wait().unwrap().code(), Some(4));
    let report = report();
    let forecast = &report["forecasts"][0];
    assert!(forecast["done_at"]["p50"].is_string() && forecast["calls"] == 40, "{forecast}");
    assert!(forecast["fact"]["ended_at"].is_string(), "{forecast}");
    assert_eq!(forecast["fact"]["calls"], report["calls"], "{report}");
    assert!(said(folder.path(), &["report", "leads"]).contains("with 40 calls for"), "{report}");
}

/// What is answered to that path.
fn got(addr: &str, path: &str, host: &str) -> (String, String) {
    let mut stream = TcpStream::connect(addr).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn the_campaigns_of_a_state_directory_are_served_together_and_only_to_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let _run = rehearsal(folder.path(), 200);
    seen(folder.path(), |campaign| !campaign["pool"].is_null());
    let anyone = dialer(folder.path(), &["status", "--serve", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(anyone.status.code(), Some(2), "{anyone:?}");

    let mut serve = dialer(folder.path(), &["status", "--serve", "127.0.0.1:0"]);
    let mut serve = Run(serve.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let mut first = String::new();
    BufReader::new(serve.0.stderr.take().unwrap()).read_line(&mut first).unwrap();
    let addr = first.trim().strip_prefix("shown at http://").unwrap().trim_end_matches('/');
    let status: Value = serde_json::from_str(&got(addr, "/status", addr).1).unwrap();
    assert!(status[0]["campaign"] == "leads" && status[0]["pool"]["limit"] == 10, "{status}");
    assert!(got(addr, "/", "localhost").1.starts_with("<!doctype html>"));
    let metrics = got(addr, "/metrics", addr).1;
    for series in ["dialer_running", "dialer_dials_total", "dialer_pool_limit_slots"] {
        assert!(
            metrics.contains(&format!(r#"{series}{{account="sandbox",campaign="leads"}} "#)),
            "{series}: {metrics}"
        );
    }
    assert!(got(addr, "/status", "evil.example").0.contains("403"));

    rustix::process::kill_process(rustix::process::Pid::from_child(&serve.0), rustix::process::Signal::INT).unwrap();
    assert_eq!(serve.0.wait().unwrap().code(), Some(0));
}
