//! The real binary against the real sandbox, killed with SIGKILL at random moments while answers are lost, requests fail
//! after their call was created, and answers are slow: nobody is called twice, and nobody is forgotten.
//!
//! `DIALER_KILLS=50 cargo test --test program crash::` kills that often; without it a dozen times.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

const LEADS: usize = 90;
const DIALER: &str = env!("CARGO_BIN_EXE_dialer");

/// A sandbox in a process of its own, ended when dropped.
struct Sandbox {
    process: Child,
    base: String,
}

impl Sandbox {
    fn start(flags: &[&str]) -> Self {
        let mut command = Command::new(DIALER);
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--speed", "60"]).args(flags);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("export VAPI_BASE_URL=").expect(&line).to_owned();
        Self { process, base }
    }

    /// Every call that the provider knows of, as it lists them.
    fn calls(&self) -> Vec<serde_json::Value> {
        let host = self.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let request = format!(
            "GET /call?limit=1000 HTTP/1.0\r\nhost: {host}\r\nauthorization: Bearer any\r\nuser-agent: test\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// How often each number was called by a campaign.
    fn rung(&self) -> BTreeMap<String, u32> {
        let mut rung = BTreeMap::new();
        for call in self.calls().iter().filter(|call| call["type"] == "outboundPhoneCall") {
            let number = call["customer"]["number"].as_str().unwrap_or_default();
            *rung.entry(number.to_owned()).or_default() += 1;
        }
        rung
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn list(dir: &Path) {
    list_of(dir, LEADS);
}

fn list_of(dir: &Path, leads: usize) {
    let mut text = "number,name\n".to_owned();
    for lead in 0..leads {
        writeln!(text, "+1212555{:04},Person {lead}", 1000 + lead).unwrap();
    }
    std::fs::write(dir.join("leads.csv"), text).unwrap();
}

fn run(dir: &Path, sandbox: &Sandbox, flags: &[&str]) -> Command {
    let mut command = Command::new(DIALER);
    let in_doubt: &[&str] = if flags.contains(&"--in-doubt") { &[] } else { &["--in-doubt", "2s"] };
    command
        .args(["run", "leads.csv", "--state", "state", "--hours", "any", "--quiet"])
        .args(["--poll", "100ms", "--rate", "500/s", "--post-timeout", "2s"])
        .args(in_doubt)
        .args(flags)
        .current_dir(dir)
        .env_clear()
        .env("VAPI_BASE_URL", &sandbox.base)
        .env("VAPI_API_KEY", "any")
        .env("VAPI_ASSISTANT_ID", "assistant")
        .env("VAPI_PHONE_NUMBER_ID", "line")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Waits at most that long for a process to end.
#[expect(clippy::disallowed_methods, reason = "a process of its own takes real time")]
fn ended(child: &mut Child, within: Duration) -> Option<ExitStatus> {
    let step = Duration::from_millis(5);
    let steps = within.as_millis() / step.as_millis();
    for _ in 0..=steps {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(step);
    }
    None
}

/// Runs until every lead is settled, coming back as often as it says that there is more to do.
fn finish(dir: &Path, sandbox: &Sandbox, flags: &[&str]) -> i32 {
    for _ in 0..40 {
        let mut child = run(dir, sandbox, flags).spawn().unwrap();
        let status = ended(&mut child, Duration::from_mins(4)).expect("a run that ends");
        let code = status.code().unwrap_or(-1);
        if code != 4 {
            return code;
        }
        // It said when to come back: when its doubts can be proven.
        let mut pause = Command::new("sleep").arg("1").spawn().unwrap();
        pause.wait().unwrap();
    }
    4
}

#[test]
fn killed_at_random_nobody_is_called_twice_and_nobody_is_lost() {
    let kills: u32 = std::env::var("DIALER_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let dir = tempfile::tempdir().unwrap();
    list(dir.path());
    let faults = ["drop-after=0.1", "drop-before=0.05", "5xx-after=0.1", "5xx-before=0.05", "slow=0.03"];
    let flags: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
    let sandbox = Sandbox::start(&[&["--inbound-per-hour", "20"], flags.as_slice()].concat());
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    let mut killed = 0;
    while killed < kills {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let mut child = run(dir.path(), &sandbox, &[]).spawn().unwrap();
        if ended(&mut child, Duration::from_millis(40 + chance % 900)).is_some_and(|status| status.success()) {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
    }
    assert_eq!(finish(dir.path(), &sandbox, &[]), 0);
    let rung = sandbox.rung();
    let twice: Vec<_> = rung.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "called twice after {killed} kills: {twice:?}");
    assert_eq!(rung.len(), LEADS, "lost after {killed} kills");
    println!("{killed} kills, {} leads called once each", rung.len());
}

#[test]
fn a_lost_state_directory_calls_nobody_again() {
    let dir = tempfile::tempdir().unwrap();
    list(dir.path());
    let sandbox = Sandbox::start(&[]);
    let mut child = run(dir.path(), &sandbox, &["--limit", "9"]).spawn().unwrap();
    assert_eq!(ended(&mut child, Duration::from_mins(2)).and_then(|status| status.code()), Some(4));
    std::fs::remove_dir_all(dir.path().join("state")).unwrap();
    let mut child = run(dir.path(), &sandbox, &[]).spawn().unwrap();
    assert_eq!(ended(&mut child, Duration::from_mins(1)).and_then(|status| status.code()), Some(6));
    assert_eq!(sandbox.rung().len(), 9);
    assert_eq!(finish(dir.path(), &sandbox, &["--adopt"]), 0);
    let rung = sandbox.rung();
    assert!(rung.values().all(|times| *times == 1) && rung.len() == LEADS, "{rung:?}");
}

#[test]
fn without_a_way_to_prove_doubts_their_leads_are_left_to_a_person() {
    let dir = tempfile::tempdir().unwrap();
    list(dir.path());
    let sandbox = Sandbox::start(&["--fault", "drop-before=0.2"]);
    let code = finish(dir.path(), &sandbox, &["--in-doubt", "never", "--wait"]);
    assert_eq!(code, 3);
    let rung = sandbox.rung();
    assert!(rung.values().all(|times| *times == 1) && rung.len() < LEADS);
}

#[test]
fn an_account_without_credit_stops_and_burns_nobody() {
    let dir = tempfile::tempdir().unwrap();
    list(dir.path());
    let sandbox = Sandbox::start(&["--fail-after", "12"]);
    assert_eq!(finish(dir.path(), &sandbox, &[]), 5);
    assert_eq!(sandbox.rung().len(), 12);
}

#[test]
fn every_shape_of_a_full_pool_is_survived() {
    std::thread::scope(|scope| {
        for shape in ["400", "400-bare", "201", "ended", "429"] {
            scope.spawn(move || a_full_pool(shape));
        }
    });
}

/// A pool that is smaller than it is taken for, with a reserve of none, refuses now and then.
fn a_full_pool(shape: &str) {
    let dir = tempfile::tempdir().unwrap();
    list_of(dir.path(), 25);
    let sandbox = Sandbox::start(&["--blocked-as", shape, "--slots", "5", "--inbound-per-hour", "60"]);
    assert_eq!(finish(dir.path(), &sandbox, &["--reserve", "0", "--slots", "10"]), 0, "{shape}");
    let was_a_call = |call: &&serde_json::Value| {
        call["endedReason"] != "call.start.error-subscription-concurrency-limit-reached"
            && call["type"] == "outboundPhoneCall"
    };
    assert_eq!(sandbox.calls().iter().filter(was_a_call).count(), 25, "{shape}");
}
