//! The provider's server messages: what they are worth in virtual time, and that a run with the door open stands what
//! comes through it.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::stage::{self, START, plan, steady};
use dialer::campaign::notice::StopReason;
use dialer::rehearsal::rehearse::Simulation;
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::call::Kind;
use serde_json::Value;

/// A campaign of 150 leads that looks at the listing every 20 s: how long it takes, and its dials into the reserve.
fn campaign(seed: u64, messages_after: Option<Duration>) -> (Duration, u64) {
    let mut stage = Simulation::new(FakeProvider::new(steady(), seed, START), 0);
    stage.messages_after = messages_after;
    let plan = dialer::campaign::plan::Plan { poll: Duration::from_secs(20), ..plan() };
    let journal = stage::journal_of(&plan, stage::leads(150), stage.now());
    stage::start(&mut stage, &plan, journal);
    stage.play(START + Duration::from_hours(72), None).unwrap();
    let run = stage.runs[0].as_ref().unwrap();
    assert_eq!(run.outcome.as_ref().map(|outcome| &outcome.why), Some(&StopReason::Complete));
    assert!(stage.world.rung().values().all(|times| *times == 1), "somebody was called twice");
    let ours = stage.world.calls().iter().filter(|call| call.kind == Kind::Outbound);
    let last = ours.map(|call| call.created).max().unwrap();
    (last.since(START), stage.world.counts().dials_at_most(3))
}

#[test]
fn messages_make_ends_known_sooner_and_take_nothing_of_the_reserve() {
    let (mut without, mut with) = ((Duration::ZERO, 0), (Duration::ZERO, 0));
    for seed in 1..=3 {
        for (sum, after) in [(&mut without, None), (&mut with, Some(Duration::from_millis(200)))] {
            let came = campaign(seed, after);
            *sum = (sum.0 + came.0, sum.1 + came.1);
        }
    }
    assert!(with.0 < without.0.mul_f64(0.97), "{with:?} {without:?}");
    assert!(with.1 <= without.1, "dials into the reserve: {with:?} {without:?}");
}

/// A sandbox of its own, gone when this is dropped.
struct Sandbox(Child, String);

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sandbox() -> Sandbox {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--speed", "20", "--inbound-per-hour", "0"]).env_clear();
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    Sandbox(process, first.trim().split_once('=').unwrap().1.to_owned())
}

fn run(sandbox: &Sandbox, folder: &std::path::Path, options: &[&str]) -> Command {
    let (list, secret) = (folder.join("leads.csv"), folder.join("secret"));
    std::fs::write(&list, "number\n+12025550101\n+12025550102\n").unwrap();
    std::fs::write(&secret, "hush-hush\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.arg("run").arg(&list).args(["--hours", "any", "--poll", "1s", "--json"]).args(options);
    command.arg("--webhook-secret-file").arg(&secret).env_clear().env("TZ", "UTC");
    command.env("DIALER_STATE", folder.join("state")).env("VAPI_BASE_URL", &sandbox.1).env("VAPI_API_KEY", "right");
    command.env("VAPI_ASSISTANT_ID", "assistant").env("VAPI_PHONE_NUMBER_ID", "line").stdin(Stdio::null());
    command
}

/// Sends one message on a connection that stays open, and returns the status of its answer.
fn send(stream: &mut BufReader<TcpStream>, secret: &str, id: &str) -> std::io::Result<String> {
    let body = format!(r#"{{"message":{{"type":"status-update","status":"ended","call":{{"id":"{id}"}}}}}}"#);
    let head =
        format!("POST / HTTP/1.1\r\nhost: x\r\nx-vapi-secret: {secret}\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.get_mut().write_all(format!("{head}{body}").as_bytes())?;
    let (mut status, mut length) = (String::new(), 0);
    stream.read_line(&mut status)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.trim().to_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    status.split(' ').nth(1).map(str::to_owned).ok_or_else(|| ErrorKind::UnexpectedEof.into())
}

#[test]
fn thousands_of_messages_and_forged_ones_change_nothing() {
    let (sandbox, folder) = (sandbox(), tempfile::tempdir().unwrap());
    let address: SocketAddr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address_text = address.to_string();
    let mut child = run(&sandbox, folder.path(), &["--webhook", &address_text]);
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(_) => std::thread::yield_now(),
        }
    };
    let mut stream = BufReader::new(stream);
    assert_eq!(send(&mut stream, "wrong", "c1").unwrap(), "401");
    // On a busy machine the run is over before all of them are sent.
    let answers =
        (0..10_000).map_while(|number| send(&mut stream, "hush-hush", &format!("call-{}", number % 100)).ok());
    let refused: Vec<String> = answers.filter(|status| status != "200").collect();
    assert!(refused.is_empty(), "{refused:?}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&object["calls"]["placed"], &object["leads"]["settled"]), (&2.into(), &2.into()), "{object}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hush-hush"), "{output:?}");
}

#[test]
fn calls_are_told_where_to_send_their_messages_and_the_stand_in_does() {
    let (sandbox, folder) = (sandbox(), tempfile::tempdir().unwrap());
    let here = TcpListener::bind("127.0.0.1:0").unwrap();
    // Somebody between the two, who notes what passes and answers as a reverse proxy would.
    let url = format!("http://{}/vapi", here.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let mut texts = Vec::new();
        while texts.len() < 2 {
            let (mut stream, _) = here.accept().unwrap();
            let (mut text, mut piece) = (String::new(), [0; 4096]);
            while !text.contains("endedReason") || !text.ends_with("}}") {
                let read = stream.read(&mut piece).unwrap();
                text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}");
            texts.push(text);
        }
        texts
    });
    let options = ["--webhook", "127.0.0.1:0", "--webhook-url", &url, "--limit", "1"];
    let output = run(&sandbox, folder.path(), &options).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let heard = heard.join().unwrap();
    for heard in &heard {
        assert!(heard.starts_with("POST /vapi") && heard.contains("x-vapi-secret: hush-hush"), "{heard}");
    }
    let message = |text: &String| serde_json::from_str::<Value>(text.split_once("\r\n\r\n").unwrap().1).unwrap();
    let (ended, report) = (message(&heard[0]), message(&heard[1]));
    assert_eq!((&ended["message"]["type"], &ended["message"]["status"]), (&"status-update".into(), &"ended".into()));
    let report = &report["message"];
    assert_eq!(
        (&report["type"], &report["call"]["id"]),
        (&"end-of-call-report".into(), &ended["message"]["call"]["id"])
    );
    assert!(report["cost"].is_number() && report["artifact"].is_object() && report["endedAt"].is_string(), "{report}");
    let options = [&options[..], &["--dry-run"]].concat();
    let shown = run(&sandbox, folder.path(), &options).output().unwrap();
    let shown = format!("{shown:?}");
    assert!(shown.contains("X-Vapi-Secret") && shown.contains("***") && !shown.contains("hush-hush"), "{shown}");
}

#[test]
fn nobodys_own_server_is_taken_away_unless_that_is_said() {
    let (sandbox, folder) = (sandbox(), tempfile::tempdir().unwrap());
    let options = ["--webhook", "127.0.0.1:0", "--webhook-url", "http://127.0.0.1:9/", "--limit", "1"];
    let with = |more: &[&str]| {
        let mut command = run(&sandbox, folder.path(), &[&options[..], more].concat());
        command.env("VAPI_ASSISTANT_ID", "served-assistant").output().unwrap()
    };
    let output = with(&[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("assistant served-assistant") && said.contains("--webhook-replace"), "{said}");
    let output = with(&["--webhook-replace"]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
}

#[test]
fn an_address_that_is_taken_and_a_secret_that_is_missing_are_told_before_anybody_is_called() {
    let (sandbox, folder) = (sandbox(), tempfile::tempdir().unwrap());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (options, says) in [(["--webhook", &taken], taken.as_str()), (["--webhook", "nowhere"], "--webhook")] {
        let output = run(&sandbox, folder.path(), &options).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(says), "{said}");
    }
    assert!(!folder.path().join("state").join("journal.db").exists(), "nothing was begun");
}
