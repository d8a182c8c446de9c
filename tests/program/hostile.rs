//! Texts from outside that steer a terminal, mislead a reader or hold the key, in everything that a provider and a list
//! can say: whatever is printed of them is clean, wherever it is printed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use dialer::text::is_harmless;
use proptest::prelude::*;
use serde_json::{Value, json};

const KEY: &str = "sk-0123456789-abcdef";

/// A provider that puts the same text wherever it may say something.
struct Provider {
    text: String,
    /// Calls are refused with it; else they end with it.
    refuses: bool,
    calls: Mutex<Vec<Value>>,
}

impl Provider {
    fn start(text: &str, refuses: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = Arc::new(Self { text: text.to_owned(), refuses, calls: Mutex::default() });
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let provider = Arc::clone(&provider);
                std::thread::spawn(move || provider.serve(&stream));
            }
        });
        url
    }

    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).ok()?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (status, answer) = self.answer(&first, &serde_json::from_slice(&body).unwrap_or_default());
        let answer = answer.to_string();
        let mut stream = stream;
        let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", answer.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(answer.as_bytes())).ok()
    }

    #[expect(clippy::disallowed_methods, reason = "a provider has a clock")]
    fn answer(&self, first: &str, body: &Value) -> (u16, Value) {
        let text = &self.text;
        if first.starts_with("GET /assistant") {
            return (200, json!({ "id": "a", "orgId": "o", "name": text, "firstMessage": "hello" }));
        }
        if first.starts_with("GET /phone-number") {
            return (200, json!({ "id": "p", "orgId": "o", "number": text, "provider": text, "status": text }));
        }
        if first.starts_with("POST /call") {
            if self.refuses {
                return (400, json!({ "message": [text], "error": text, "statusCode": 400 }));
            }
            let now = jiff::Timestamp::now().to_string();
            let mut calls = self.calls.lock().unwrap();
            let mut call = json!({
                "id": format!("call-{}", calls.len()), "orgId": "o", "type": "outboundPhoneCall", "status": "queued",
                "createdAt": now, "updatedAt": now, "name": body["name"], "customer": body["customer"],
            });
            let answered = call.clone();
            let said = json!({ "status": "ended", "endedAt": now, "endedReason": text, "endedMessage": text });
            call.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
            calls.push(call);
            return (201, answered);
        }
        (200, json!(*self.calls.lock().unwrap()))
    }
}

fn dialer(words: &[&str], dir: &Path, url: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.args(words).current_dir(dir).env_clear().env("TZ", "UTC").env("DIALER_STATE", dir.join("state"));
    command.env("VAPI_BASE_URL", url).env("VAPI_API_KEY", KEY).env("VAPI_ASSISTANT_ID", "a");
    command.env("VAPI_PHONE_NUMBER_ID", "p").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command.output().unwrap()
}

/// What of a text a terminal would obey or a reader would not see; its lines are ours.
fn unclean(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let steers = |letter: &char| !matches!(letter, '\n' | '\t') && !is_harmless(*letter);
    let odd = text.chars().find(steers).map(|letter| format!("{letter:?} in {text:?}"));
    odd.or_else(|| text.contains(KEY).then(|| format!("the key in {text:?}")))
}

fn nothing_unclean_is_printed(text: &str, refuses: bool) {
    let dir = tempfile::tempdir().unwrap();
    let url = Provider::start(text, refuses);
    // Nobody but the provider is given the key; a list that holds it is its owner's.
    let own = text.replace(KEY, "");
    let name: String = own.chars().filter(|letter| !matches!(letter, '/' | '\0')).collect();
    let name = format!("list{name}.csv");
    let quoted = own.replace('"', "\"\"");
    let list = format!(
        "number,\"{quoted}\",name,time_zone\n+12025550101,\"{quoted}\",\"{quoted}\",\n\"{quoted}\",x,y,\n\
         +12025550102,a,b,\"{quoted}\"\n"
    );
    std::fs::write(dir.path().join(&name), list).unwrap();
    let run = [
        "run",
        &name,
        "--campaign",
        "leads",
        "--hours",
        "any",
        "--json",
        "--log",
        "log",
        "--poll",
        "20ms",
        "--rate",
        "50/s",
        "--in-doubt",
        "1s",
        "--limit",
        "2",
    ];
    let commands: [&[&str]; 7] = [
        &run,
        &["check", &name],
        &["run", &name, "--campaign", "leads", "--dry-run", "--hours", "any"],
        &["status"],
        &["explain", "+12025550101"],
        &["report", "leads"],
        &["usage"],
    ];
    for words in commands {
        let Output { stdout, stderr, .. } = dialer(words, dir.path(), &url);
        for (stream, bytes) in [("stdout", stdout), ("stderr", stderr)] {
            assert_eq!(unclean(&bytes), None, "{words:?}, {stream}");
        }
    }
    assert_eq!(unclean(&std::fs::read(dir.path().join("log")).unwrap()), None, "--log");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 20, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_said_outside_comes_out_clean(
        parts in prop::collection::vec(
            prop_oneof![
                Just("\u{1b}[2J".to_owned()), Just("\u{9b}31m".to_owned()), Just("\r\n".to_owned()),
                Just("\u{202e}".to_owned()), Just("\u{200b}".to_owned()), Just("\u{7}".to_owned()),
                Just("\u{2028}".to_owned()), Just(KEY.to_owned()), "[a-z ]{1,6}", "\\PC{0,3}",
            ],
            1..9,
        ),
        refuses: bool,
    ) {
        nothing_unclean_is_printed(&parts.concat(), refuses);
    }
}

#[test]
fn each_way_to_mislead_at_once() {
    let text = format!("a\u{1b}]0;x\u{7}\r\nb\u{202e}{KEY}\u{9b}2J\u{2028}\u{feff}c");
    for refuses in [true, false] {
        nothing_unclean_is_printed(&text, refuses);
    }
}

#[test]
fn what_was_typed_and_cannot_be_read_comes_out_clean() {
    let dir = tempfile::tempdir().unwrap();
    let text = "a\u{1b}]0;x\u{7}b\u{202e}\u{9b}2J\u{2028}c";
    std::fs::write(dir.path().join("key"), KEY).unwrap();
    for words in [
        &["status", "x", text][..],
        &["run", "x.csv", "--poll", text, "--log", "log", "--json"],
        &["run", "x.csv", "--config", text, "--holidays", text, "--dnc", text, "--log", "log", "--json"],
        &["run", "x.csv", "--assistant-id", KEY, "--api-key-file", "key", "--log", "log", "--json"],
        &["run", "x.csv", "--phone-number-id", KEY, "--log", "log", "--json"],
        &["run", "x.csv", "--api-key-file", KEY, "--log", "log", "--json"],
        &["run", "x.csv", "--webhook", "127.0.0.1:0", "--webhook-secret-file", KEY, "--log", "log", "--json"],
        &["run", "x.csv", "--ping-file", KEY, "--log", "log", "--json"],
    ] {
        let Output { stdout, stderr, status } = dialer(words, dir.path(), "http://127.0.0.1:9");
        assert_eq!(status.code(), Some(2), "{words:?}: {}", String::from_utf8_lossy(&stderr));
        let log = std::fs::read(dir.path().join("log")).unwrap_or_default();
        for (place, bytes) in [("stdout", stdout), ("stderr", stderr), ("--log", log)] {
            assert_eq!(unclean(&bytes), None, "{words:?}, {place}");
        }
    }
}
