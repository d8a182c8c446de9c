//! `--results`: one row for each lead that is settled, exactly once, whatever happens to the run or to the file.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::fresh;
use crate::stage::{START, plan, steady};
use dialer::campaign::notice::StopReason;
use dialer::campaign::plan::Plan;
use dialer::rehearsal::world::call::Kind;
use dialer::rehearsal::world::config::ProviderConfig;
use dialer::rehearsal::world::mix::Durations;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

const LEADS: usize = 40;
/// Bytes that no file of a run may have more of, where that is said.
const LARGEST: usize = 16 << 20;

/// A sandbox, a list and a state directory, gone when this is dropped.
struct Scene {
    sandbox: Child,
    url: String,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let refuses = |n| if n == 7 { "yes" } else { "" };
        let rows = (0..LEADS).map(|n| format!("+120255501{n:02},Lead {n},0{n},{}\n", refuses(n)));
        let list = format!("number,name,zip,Do Not Call\n{}", rows.collect::<String>());
        std::fs::write(folder.path().join("leads.csv"), list).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--speed", "600", "--inbound-per-hour", "0"]);
        let mut sandbox = command.env_clear().stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(sandbox.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        let url = first.trim().split_once('=').unwrap().1.to_owned();
        Self { sandbox, url, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, results: &Path, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
        command.arg("run").arg(self.path("leads.csv")).arg("--results").arg(results).args(options);
        command.args(["--hours", "any", "--poll", "50ms", "--json", "--results-wait", "20s"]);
        command.args(["--rate", "50/s"].iter().filter(|_| !options.contains(&"--rate")));
        command.env_clear().env("TZ", "UTC").env("DIALER_STATE", self.path("state")).env("VAPI_BASE_URL", &self.url);
        command.env("VAPI_API_KEY", "right").env("VAPI_ASSISTANT_ID", "assistant").env("VAPI_PHONE_NUMBER_ID", "line");
        command.stdin(Stdio::null());
        command
    }

    fn ran(&self, results: &Path, options: &[&str]) -> Output {
        self.run(results, options).output().unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.sandbox.kill();
        let _ = self.sandbox.wait();
    }
}

fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// How many rows each lead has.
fn times(rows: &[Value]) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for row in rows {
        *times.entry(row["number"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    times
}

fn each_once(rows: &[Value]) {
    let times = times(rows);
    assert!(times.len() == LEADS && times.values().all(|times| *times == 1), "{times:?}");
}

#[expect(clippy::disallowed_methods, reason = "a process of its own takes real time")]
fn sleep(pause: Duration) {
    std::thread::sleep(pause);
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_settled_lead_has_a_row_with_what_the_list_and_the_provider_say() {
    let scene = Scene::new();
    let results = scene.path("results.jsonl");
    let output = scene.ran(&results, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let rows = rows(&results);
    each_once(&rows);
    let seventh = rows.iter().find(|row| row["variables"]["zip"] == "07").unwrap();
    assert_eq!((&seventh["disposition"], &seventh["attempts"]), (&"suppressed".into(), &0.into()));
    assert_eq!((&seventh["call_id"], &seventh["analysis"]), (&Value::Null, &Value::Null));
    let mut answered = 0;
    for row in &rows {
        assert_eq!((&row["campaign"], &row["state"]), (&"leads".into(), &"settled".into()));
        assert_eq!(row["settlement"], 1);
        assert!(row["settled_at"].as_str().unwrap().ends_with('Z') && row["variables"]["name"] == row["name"], "{row}");
        assert!(row["minutes"].as_f64() == Some(0.0) || row["analysis"].is_object(), "{row}");
        if row["analysis"].is_object() {
            answered += 1;
            assert!(row["analysis"]["summary"].is_string() && row["analysis"]["structured"]["optOut"].is_boolean());
            assert!(row["call_id"].is_string() && row["cost_usd"].is_number(), "{row}");
        }
    }
    assert!(answered > 5, "{answered}");
    let mut report = Command::new(env!("CARGO_BIN_EXE_dialer"));
    report.args(["report", "leads", "--format", "csv"]).env_clear().env("DIALER_STATE", scene.path("state"));
    let table = String::from_utf8(report.output().unwrap().stdout).unwrap();
    assert!(table.lines().next().unwrap().ends_with(",success,summary,optOut"), "{table}");
    assert_eq!(table.matches("They talked.,").count() + table.matches("Nobody spoke.,").count(), answered);
    assert_eq!(scene.ran(&results, &[]).status.code(), Some(0));
    assert_eq!(self::rows(&results), rows, "nothing is told twice");
}

#[test]
fn a_report_tells_of_the_pool_and_of_what_was_said() {
    let scene = Scene::new();
    let run = scene.run(&scene.path("results.jsonl"), &["--limit", "6", "--rate", "3/s"]).output().unwrap();
    assert_eq!(run.status.code(), Some(4), "{run:?}");
    let report = |options: &[&str], key: Option<&str>| {
        let mut report = Command::new(env!("CARGO_BIN_EXE_dialer"));
        report.args(["report", "leads"]).args(options).env_clear().env("DIALER_STATE", scene.path("state"));
        report.env("VAPI_BASE_URL", &scene.url).envs(key.map(|key| ("VAPI_API_KEY", key))).output().unwrap()
    };
    let object: Value = serde_json::from_slice(&report(&["--format", "json"], None).stdout).unwrap();
    assert!(object["pool"]["lowest_free"].as_u64().unwrap() < 10 && object["pool"]["below_reserve_s"].is_number());
    let over_time = object["pool"]["over_time"].as_array().unwrap();
    assert!(over_time.iter().any(|point| point[1].as_u64() > Some(0) && point[3] == 10 && point[4] == 3), "{object}");
    let text = String::from_utf8(report(&[], None).stdout).unwrap();
    assert!(text.contains("the pool over time, in slots") && text.contains("free at the fewest"), "{text}");
    let page = String::from_utf8(report(&["--format", "html"], None).stdout).unwrap();
    assert!(page.contains("The pool over time") && !page.contains("http"), "{page}");
    let table = ["--format", "csv", "--transcripts"];
    for (options, key) in [(&["--transcripts"][..], Some("right")), (&table, None)] {
        assert_eq!(report(options, key).status.code(), Some(2));
    }
    let said = String::from_utf8(report(&table, Some("right")).stdout).unwrap();
    assert!(said.lines().next().unwrap().ends_with(",optOut,transcript") && said.contains("AI: Hello"), "{said}");
}

#[test]
fn a_killed_run_a_torn_row_and_another_file_lose_nothing_and_tell_nothing_twice() {
    let scene = Scene::new();
    let (first, second) = (scene.path("a.jsonl"), scene.path("b.jsonl"));
    // A kill between a claim and its answer leaves a doubt, which the run that comes last is to see through.
    let doubt = ["--in-doubt", "2s"];
    for pause in [700, 1100, 900] {
        let mut run = scene.run(&first, &[&doubt[..], &["--rate", "4/s"]].concat());
        let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(pause));
        run.kill().unwrap();
        run.wait().unwrap();
        let mut torn = std::fs::OpenOptions::new().append(true).create(true).open(&first).unwrap();
        torn.write_all(b"{\"campaign\":\"leads\",\"number\":\"+1202").unwrap();
    }
    let limited = scene.ran(&first, &[&doubt[..], &["--limit", "5"]].concat());
    assert_eq!(limited.status.code(), Some(4), "{limited:?}");
    let before = rows(&first);
    assert!(!before.is_empty() && before.len() < LEADS, "{}", before.len());
    let rest = scene.ran(&second, &doubt);
    assert_eq!(rest.status.code(), Some(0), "{rest:?}");
    assert_eq!(rows(&first), before, "another file has the rest");
    each_once(&[before, rows(&second)].concat());
}

#[test]
fn who_is_settled_anew_has_another_row() {
    let scene = Scene::new();
    let results = scene.path("results.jsonl");
    assert_eq!(scene.ran(&results, &[]).status.code(), Some(0));
    let never = ["voicemail", "rejected", "fault"].map(|class| format!("{class}=never"));
    let retries = ["no-answer=1s", "busy=1s"].into_iter().chain(never.iter().map(String::as_str));
    let retries: Vec<&str> = retries.flat_map(|retry| ["--retry", retry]).collect();
    let again = scene.ran(&results, &[&["--attempts", "2", "--wait"], &retries[..]].concat());
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    let rows = rows(&results);
    let anew = &rows[LEADS..];
    assert!(!anew.is_empty() && anew.iter().all(|row| row["settlement"] == 2 && row["attempts"] == 2), "{anew:?}");
    each_once(&rows[..LEADS]);
}

#[test]
fn a_path_that_cannot_be_written_is_told_before_anybody_is_called() {
    let scene = Scene::new();
    for path in ["missing/results.jsonl", "", "leads.csv"] {
        let output = scene.ran(&scene.path(path), &[]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(said(&output).contains("--results"), "{output:?}");
    }
    assert!(!scene.path("state").exists());
    let busy = scene.path("results.jsonl");
    let held = std::fs::File::create(&busy).unwrap();
    held.lock().unwrap();
    let output = scene.ran(&busy, &[]);
    assert!(output.status.code() == Some(2) && said(&output).contains("another run"), "{output:?}");
}

#[test]
fn a_full_disk_holds_nobody_up_and_is_told_once() {
    let scene = Scene::new();
    let output = scene.ran(Path::new("/dev/full"), &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = said(&output);
    assert_eq!(said.matches("results wait to be written").count(), 1, "{said}");
    assert!(said.contains("40 results are not in /dev/full yet"), "{said}");
    let results = scene.path("results.jsonl");
    assert_eq!(scene.ran(&results, &[]).status.code(), Some(0));
    each_once(&rows(&results));
}

#[test]
fn a_file_that_may_not_grow_is_a_full_disk() {
    let scene = Scene::new();
    let results = scene.path("results.jsonl");
    std::fs::write(&results, "\n".repeat(LARGEST - 2_000)).unwrap();
    let mut run = scene.run(&results, &[]);
    let run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let largest = Rlimit { current: Some(LARGEST as u64), maximum: Some(LARGEST as u64) };
    prlimit(Some(Pid::from_child(&run)), Resource::Fsize, largest).unwrap();
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = said(&output);
    assert_eq!(said.matches("results wait to be written").count(), 1, "{said}");
    assert!(said.contains("not in") && rows(&results).len() < LEADS, "{said}");
    assert_eq!(scene.ran(&results, &[]).status.code(), Some(0));
    each_once(&rows(&results));
}

#[test]
fn a_file_that_is_rotated_away_is_begun_anew() {
    let scene = Scene::new();
    let (results, moved) = (scene.path("results.jsonl"), scene.path("results.1"));
    let mut run = scene.run(&results, &["--rate", "8/s"]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while rows(&results).len() < 5 {
        sleep(Duration::from_millis(20));
    }
    std::fs::rename(&results, &moved).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert!(!rows(&results).is_empty());
    each_once(&[rows(&moved), rows(&results)].concat());
}

/// How long after the end of the last call a campaign is over, and how many of its answered calls are analysed by then.
fn waited(wait: Option<Duration>, analysed_after: Duration) -> (Duration, usize, usize) {
    let lengths = Durations { settle: (analysed_after, analysed_after), ..Durations::default() };
    let mut stage =
        fresh::stage(&Plan { results_wait: wait, ..plan() }, ProviderConfig { lengths, ..steady() }, 60, 1, 0);
    stage.play(START + Duration::from_hours(24), None).unwrap();
    let outcome = stage.runs[0].as_ref().unwrap().outcome.as_ref();
    assert_eq!(outcome.map(|outcome| &outcome.why), Some(&StopReason::Complete));
    let ours = || stage.world.calls().iter().filter(|call| call.kind == Kind::Outbound);
    let last = ours().filter(|call| call.started.is_some()).filter_map(|call| call.ended).max().unwrap();
    let answered = || ours().filter(|call| call.started.is_some());
    (stage.world.now().since(last), answered().filter(|call| call.settled).count(), answered().count())
}

#[test]
fn the_end_of_a_run_waits_for_analyses_and_not_for_ever() {
    let two = Some(Duration::from_mins(2));
    let (late, never) = (Duration::from_secs(50), Duration::from_hours(3));
    let (over, analysed, answered) = waited(two, late);
    assert!(analysed == answered && over < late + Duration::from_secs(5), "{over:?} {analysed} {answered}");
    let (over, analysed, _) = waited(two, never);
    assert!(analysed == 0 && over < Duration::from_secs(125) && over > Duration::from_secs(115), "{over:?}");
    let (over, analysed, answered) = waited(None, late);
    assert!(analysed < answered && over < late, "{over:?}");
}
