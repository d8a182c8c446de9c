//! A run with every option on leaves much behind and is shown in many places: none of them holds a key or a secret, and
//! its trace decides the same again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const KEY: &str = "0f3b7a52-the-private-key-9d41";
const SECRET: &str = "of-the-messages-77c1e0";
const PING: &str = "5b1c-of-the-dead-mans-switch";

/// A sandbox of its own, gone when this is dropped.
struct Sandbox(Child, String);

impl Sandbox {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_dialer"))
            .args(["sandbox", "--listen", "127.0.0.1:0", "--speed", "100", "--seed", "3", "--fault", "html=0.05"])
            .args(["--fault", "5xx-after=0.05", "--inbound-per-hour", "0"])
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        let url = first.trim().split_once('=').unwrap().1.to_owned();
        Self(process, url)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn dialer(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.args(words).current_dir(folder).env_clear().env("TZ", "UTC").env("PATH", "/usr/bin:/bin");
    command.env("DIALER_STATE", folder.join("state")).stdin(Stdio::null());
    command
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn get(addr: SocketAddr, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(addr).unwrap();
    // The stream of events has no end.
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n").unwrap();
    let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        answer.extend_from_slice(&piece[..read]);
    }
    answer
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn nothing_that_is_shown_or_left_behind_holds_a_key_or_a_secret() {
    let (sandbox, dir) = (Sandbox::start(), tempfile::tempdir().unwrap());
    let folder = dir.path();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let rows: Vec<_> = (0..25).map(|n| format!("+120255501{n:02},Ann Person{n},colour{n}\n")).collect();
    write("leads.csv", &format!("number,name,favourite\n{}not a number,Zed,none\n", rows.concat()));
    write("webhook-secret", SECRET);
    write("key", KEY);
    write("ping", &format!("http://127.0.0.1:9/{PING}"));
    write("alert.sh", "cat >> alerts.jsonl\n");
    let (served, webhook) = (free_port().to_string(), free_port().to_string());
    let told = format!("http://{webhook}/");
    let mut run = dialer(folder, &["run", "leads.csv", "--hours", "any", "--rate", "20/s", "--poll", "50ms", "--json"])
        .args(["--base-url", &sandbox.1, "--assistant-id", "assistant", "--phone-number-id", "line", "--wait"])
        .args(["--api-key-file", "key", "--in-doubt", "2s", "--post-timeout", "2s", "--rejects", "rejects.csv"])
        .args(["--serve", &served, "--webhook", &webhook, "--webhook-url", &told, "--webhook-replace"])
        .args(["--webhook-secret-file", "webhook-secret", "--alert-free", "9", "--alert-exec", "sh alert.sh"])
        .args(["--ping-file", "ping", "--log", "log", "--trace", "run.trace", "--results", "results.jsonl"])
        .args(["--results-wait", "2s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown: Vec<(String, Vec<u8>)> = Vec::new();
    let served: SocketAddr = served.parse().unwrap();
    let mut said = BufReader::new(run.stderr.take().unwrap());
    let mut first = String::new();
    while !first.contains("shown at http://") {
        assert!(said.read_line(&mut first).unwrap() > 0, "{first}");
    }
    for path in ["/", "/metrics", "/status", "/events"] {
        shown.push((path.to_owned(), get(served, path)));
    }
    let mut rest = Vec::new();
    said.read_to_end(&mut rest).unwrap();
    let ended = run.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&rest));
    shown.extend([("stdout".to_owned(), ended.stdout), ("stderr".to_owned(), [first.into_bytes(), rest].concat())]);
    for words in [
        &["report", "leads"][..],
        &["report", "leads", "--format", "html"],
        &["report", "leads", "--format", "json"],
        &["report", "leads", "--format", "csv"],
        &["status", "--json"],
        &["explain", "+12025550100"],
        &["run", "leads.csv", "--dry-run", "--hours", "any", "--api-key-file", "key"],
        &["replay", "run.trace"],
    ] {
        let output = dialer(folder, words).output().unwrap();
        shown.push((words.join(" "), [output.stdout, output.stderr].concat()));
    }
    let inputs = ["key", "webhook-secret", "ping", "alert.sh", "leads.csv"].map(|name| folder.join(name));
    for path in files(folder).into_iter().filter(|path| !inputs.contains(path)) {
        shown.push((path.display().to_string(), std::fs::read(path).unwrap()));
    }
    let names: Vec<&str> = shown.iter().map(|(name, _)| name.as_str()).collect();
    for there in ["log", "run.trace", "results.jsonl", "rejects.csv", "alerts.jsonl"] {
        assert!(names.iter().any(|name| name.ends_with(there)), "{there} of {names:?}");
    }
    for (name, bytes) in &shown {
        assert!(!bytes.is_empty() || name.contains("/state/"), "{name} is empty");
        for secret in [KEY, SECRET, PING] {
            assert!(!holds(bytes, secret), "{name} holds {secret}");
        }
    }
    let trace = &shown.iter().find(|(name, _)| name.ends_with("run.trace")).unwrap().1;
    for hidden in ["Person", "colour", "favourite", "20255501"] {
        assert!(!holds(trace, hidden), "the trace holds {hidden}");
    }
    let replayed = dialer(folder, &["replay", "run.trace"]).output().unwrap();
    assert_eq!(replayed.status.code(), Some(0), "{}", String::from_utf8_lossy(&replayed.stderr));
}

#[test]
fn a_trace_is_compressed_where_its_name_says_so_and_tells_when_it_was_cut_short() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    std::fs::write(folder.join("leads.csv"), "number,name\n+12025550101,Ada\n+12025550102,Ben\n").unwrap();
    let words = ["run", "leads.csv", "--sandbox", "--trace", "a.zst", "--trace-numbers"];
    assert_eq!(dialer(folder, &words).output().unwrap().status.code(), Some(0));
    let replay = || dialer(folder, &["replay", "a.zst"]).output().unwrap();
    let replayed = replay();
    assert_eq!(replayed.status.code(), Some(0), "{replayed:?}");
    let said = String::from_utf8(replayed.stdout).unwrap();
    assert!(said.starts_with("campaign leads, traced by dialer ") && said.contains("decided the same again"), "{said}");
    let mut trace = String::new();
    let whole = std::fs::read(folder.join("a.zst")).unwrap();
    dialer::trace::frames::Decompressor::new(&whole[..]).read_to_string(&mut trace).unwrap();
    assert!(trace.contains("+12025550101") && !trace.contains("Ada"));
    std::fs::write(folder.join("a.zst"), &trace[..trace.len() - 3]).unwrap();
    let cut = replay();
    assert_eq!(cut.status.code(), Some(2), "{cut:?}");
    assert!(String::from_utf8_lossy(&cut.stderr).contains("cut short"), "{cut:?}");
    std::fs::write(folder.join("a.zst"), "phone\n").unwrap();
    let garbage = replay();
    assert_eq!(garbage.status.code(), Some(2), "{garbage:?}");
    assert!(String::from_utf8_lossy(&garbage.stderr).contains("a.zst: line 1: "), "{garbage:?}");
}
