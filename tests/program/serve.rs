//! `dialer run --serve`: what is shown of a run, to whom, and until when.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// `dialer run` of so many leads against the built-in stand-in.
fn rehearsal(folder: &Path, leads: usize, options: &[&str]) -> Command {
    let list = folder.join("leads.csv");
    let rows: Vec<_> = (0..leads).map(|n| format!("+120255501{n:02}")).collect();
    std::fs::write(&list, format!("number\n{}\n", rows.join("\n"))).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.arg("run").arg(&list).args(["--sandbox", "--json"]).args(options);
    command.env_clear().env("TZ", "UTC").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A run that is shown: where, and what it goes on to say.
struct Shown {
    process: Child,
    addr: SocketAddr,
    said: BufReader<ChildStderr>,
}

impl Shown {
    fn start(folder: &Path, leads: usize, options: &[&str]) -> Self {
        let mut process = rehearsal(folder, leads, &["--serve", "127.0.0.1:0"]).args(options).spawn().unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap());
        // What is said of the options comes before.
        let line = said.by_ref().lines().map(Result::unwrap).find(|line| line.starts_with("shown at"));
        let url = line.as_deref().and_then(|line| line.strip_prefix("shown at http://")).unwrap();
        Self { addr: url.trim_end_matches('/').parse().unwrap(), process, said }
    }

    /// Asks for something, under the name of that host.
    fn asked(&self, request: &str, host: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        stream
    }

    /// The answer: its status, its head, its body.
    fn answer(&self, request: &str, host: &str) -> (u16, String, String) {
        let mut text = String::new();
        self.asked(request, host).read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
    }

    fn get(&self, path: &str) -> String {
        let (status, _, body) = self.answer(&format!("GET {path}"), &self.addr.to_string());
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn end(mut self) -> (Output, String) {
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        (self.process.wait_with_output().unwrap(), said)
    }
}

#[test]
fn a_run_is_shown_to_this_machine_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let shown = Shown::start(folder.path(), 30, &[]);
    let mut events = BufReader::new(shown.asked("GET /events", "localhost")).lines().map(Result::unwrap);
    // Until the run begins the picture is empty.
    assert!(events.any(|line| line.starts_with("data: [{")), "the run does not begin");
    let status: Value = serde_json::from_str(&shown.get("/status")).unwrap();
    let status = &status[0];
    assert_eq!((&status["campaign"], &status["leads"]["total"]), (&"leads".into(), &30.into()), "{status}");
    assert_eq!(status["running"]["pid"], shown.process.id(), "{status}");
    for key in ["paused", "batch", "pool", "calls_per_minute", "done_at", "next_at", "cost_usd"] {
        assert!(status.get(key).is_some(), "{key}: {status}");
    }
    let metrics = shown.get("/metrics");
    let series: Vec<_> = metrics.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(series.iter().all(|line| line.starts_with("dialer_")), "{metrics}");
    assert!(series.contains(&r#"dialer_running{account="sandbox",campaign="leads"} 1"#), "{metrics}");
    assert!(!metrics.contains("2025550"), "a person's number: {metrics}");

    let (status, head, page) = shown.answer("GET /", "localhost");
    assert!(status == 200 && page.starts_with("<!doctype html>"), "{page}");
    assert!(head.contains("content-security-policy: default-src 'none'; style-src 'sha256-"), "{head}");
    for host in ["evil.example", "10.0.0.1"] {
        assert_eq!(shown.answer("GET /status", host).0, 403, "{host}");
    }
    assert_eq!(shown.answer("POST /status", "localhost").0, 405);
    assert_eq!(shown.answer("GET /elsewhere", "localhost").0, 404);

    let told: Vec<_> = events.collect();
    let addr = shown.addr;
    let (output, said) = shown.end();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let pictures: Vec<_> = told.iter().filter_map(|line| line.strip_prefix("data: ")).collect();
    let last: Value = serde_json::from_str(pictures.last().unwrap()).unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(pictures.len() > 1 && last[0]["running"].is_null() && last[0]["ended"]["exit"] == 0, "{last}");
    for key in ["total", "settled", "open", "in_doubt"] {
        assert_eq!(last[0]["leads"][key], summary["leads"][key], "{key}: {last} {summary}");
    }
    assert!(TcpStream::connect(addr).is_err(), "it is served on");
}

/// `promtool` (Debian's package prometheus), where it is installed.
fn promtool(words: &[&str], input: &str) -> Option<Output> {
    let mut command = Command::new("promtool");
    let child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: promtool is not installed");
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

#[test]
fn prometheus_takes_the_metrics_and_the_alert_rules() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/alert-rules.yml");
    if let Some(output) = promtool(&["check", "rules", rules], "") {
        assert!(output.status.success(), "{output:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let shown = Shown::start(folder.path(), 3, &[]);
    let mut events = BufReader::new(shown.asked("GET /events", "localhost")).lines().map(Result::unwrap);
    assert!(events.any(|line| line.starts_with("data: [{")), "the run does not begin");
    if let Some(output) = promtool(&["check", "metrics"], &shown.get("/metrics")) {
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
    shown.end();
}

#[test]
fn readers_who_stand_still_do_not_hold_the_run_up() {
    let folder = tempfile::tempdir().unwrap();
    let shown = Shown::start(folder.path(), 3, &["--rate", "50/s"]);
    let _still: Vec<_> = (0..70)
        .map(|n| match n % 2 {
            0 => shown.asked("GET /events", "localhost"),
            _ => TcpStream::connect(shown.addr).unwrap(),
        })
        .collect();
    let (output, said) = shown.end();
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn what_cannot_be_served_is_told_before_anybody_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let cases: [(&[&str], i32, &str); 5] = [
        (&["--serve", &taken], 2, "cannot be listened on"),
        (&["--serve", "0.0.0.0:0"], 2, "--serve-anyone"),
        (&["--serve", "example.com:80"], 2, "127.0.0.1:9464"),
        (&["--serve-anyone"], 2, "--serve <ADDR>"),
        (&["--serve", &taken, "--dry-run"], 0, "warning: --serve shows a run, and a dry run is none"),
    ];
    for (options, exit, why) in cases {
        let output = rehearsal(folder.path(), 3, options).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(exit) && said.contains(why), "{options:?}: {said}");
        assert!(!said.contains("settled"), "{options:?} called somebody: {said}");
    }
}
