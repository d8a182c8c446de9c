//! The commands that look at a journal and give orders to it, as a shell sees them.

use std::convert::Infallible;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::stage;
use dialer::campaign::event::{Ask, News};
use dialer::campaign::plan::Plan;
use dialer::campaign::reply::Opened;
use dialer::drive::chance::chance;
use dialer::journal::Journal;
use dialer::journal::disk::Disk;
use dialer::journal::disk::import::Head;
use dialer::journal::disk::lock::Lock;
use dialer::journal::disk::run::Run;
use dialer::journal::disk::run::begin::Start;
use dialer::journal::imported::Listed;
use dialer::leads::lead::{Lead, Phone};
use dialer::pool::Pool;
use dialer::pool::news::RequestTiming;
use dialer::time::{Instant, Now, Stamp};

const KNOWN: &str = "+14155550100";

/// A state directory in which campaign `leads` has two leads, and the first of them is put aside.
fn kept() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    park_first(begin(dir.path())).end(at(60)).unwrap();
    dir
}

fn at(seconds: u64) -> Now {
    let began: jiff::Timestamp = "2001-02-03T14:00:00Z".parse().unwrap();
    let at = Instant::from(began) + Duration::from_secs(seconds);
    Now { at, wall: at.timestamp() }
}

fn begin(dir: &Path) -> Run {
    let mut disk = Disk::open(dir, &mut chance()).unwrap();
    let account = disk.remember_account("org-1", "https://api.vapi.ai", "key").unwrap();
    let lock = Lock::take(dir, "org-1", "leads", std::process::id(), at(0)).unwrap();
    let head = Head {
        account: account.clone(),
        campaign: "leads".into(),
        explicit: false,
        lists: vec!["/home/ada/leads.csv".into()],
        kept: Vec::new(),
        target: "assistant a".into(),
        replace: false,
        ask_others: true,
    };
    let mut rows = [KNOWN, "+14155550101"].into_iter().zip(2..).map(|(number, line)| {
        let phone = Phone::from_e164(number).unwrap();
        let lead = Lead {
            phone,
            extension: None,
            name: None,
            variables: Vec::new(),
            zones: Vec::new(),
            assistant_id: None,
            phone_number_id: None,
        };
        Ok::<_, Infallible>(Listed { file_index: 0, line, lead })
    });
    disk.import(&lock, &head, at(0), &mut rows).unwrap();
    let start = Start {
        account,
        lock,
        plan: plan(),
        pool: "org-1".into(),
        pid: std::process::id(),
        chance: chance(),
        dnc: Box::new(|_| false),
    };
    disk.begin(at(0), start).unwrap().0
}

fn plan() -> Plan {
    Plan {
        in_doubt: None,
        look_back: Duration::ZERO,
        lines: vec!["line-1".into()],
        longest_call: Duration::from_hours(12),
        ..stage::plan()
    }
}

fn park_first(mut run: Run) -> Run {
    run.history(at(1)).unwrap();
    let Opened::Batch { leads, .. } = run.open_batch(at(1)).unwrap() else { panic!("nobody to call") };
    let ask = Ask {
        leads: vec![(leads[0].id, dialer::campaign::event::Line(0))],
        pool: Pool::new(Duration::from_secs(1), Duration::from_mins(1), 10),
        reserve: 3,
        margin: 0,
        provider_time: Stamp::from(at(1).wall),
    };
    let (claimed, _) = run.claim(at(1), ask).unwrap();
    let attempt = claimed.granted[0].attempt.clone();
    let wire = RequestTiming { sent: at(1).at, received: at(31).at, date: None };
    run.record(at(31), &News::Failed { attempt: attempt.clone(), wire, message: "no answer for 30 s".into() }).unwrap();
    run.record(at(50), &News::Parked(attempt, at(50).at)).unwrap();
    run
}

fn dialer(state: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.args(words).env_clear().env("TZ", "UTC").env("DIALER_STATE", state).stdin(Stdio::null());
    command.output().unwrap()
}

/// What a command that goes well says on stdout.
fn said(state: &Path, words: &[&str]) -> String {
    let output = dialer(state, words);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {output:?}");
    assert!(output.stderr.is_empty(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_state_directory_without_a_journal_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let empty = said(dir.path(), &["status"]);
    assert!(empty.contains(&format!("no campaign has been run in {}", dir.path().display())), "{empty}");
    assert_eq!(said(dir.path(), &["status", "--json"]), "[]\n");
    assert!(said(dir.path(), &["explain", KNOWN]).contains("not found in any campaign"));
    for words in
        [&["pause", "leads"][..], &["resume", "leads"], &["stop", "leads"], &["release", "leads"], &["status", "leads"]]
    {
        let output = dialer(dir.path(), words);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("no campaign leads"), "{output:?}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn status_shows_how_a_campaign_stands() {
    let dir = kept();
    let told = said(dir.path(), &["status"]).replace(&dir.path().display().to_string(), "DIR");
    insta::assert_snapshot!(told, @r"
    leads: not running; first started 3 Feb 2001 14:00
      2 leads: 0 settled, 1 open, 1 in doubt, 1 of those put aside: dialer release leads; $0.00 so far
      reserve 3
      /home/ada/leads.csv
    state directory: DIR
    ");
    assert_eq!(said(dir.path(), &["status"]), said(dir.path(), &["status", "leads"]));
    let json: serde_json::Value = serde_json::from_str(&said(dir.path(), &["status", "--json"])).unwrap();
    assert_eq!(json[0]["leads"]["parked"], 1);
}

#[test]
fn a_pause_is_kept_until_it_is_resumed() {
    let dir = kept();
    assert!(
        said(dir.path(), &["pause", "leads"]).contains("is paused until dialer resume leads; no run of it is alive")
    );
    assert!(said(dir.path(), &["status"]).contains("paused: dialer resume leads"));
    let waits = said(dir.path(), &["explain", "+14155550101"]);
    let paused = "line 3. It is to be called. The campaign is paused: dialer resume leads lets it go on.";
    assert!(waits.contains(paused), "{waits}");
    assert!(said(dir.path(), &["resume", "--all"]).contains("pause of campaign leads is lifted"));
    assert!(said(dir.path(), &["resume", "leads"]).contains("was not paused; nothing was changed"));
    assert!(said(dir.path(), &["resume", "--all"]).contains("no campaign is paused"));
    assert!(said(dir.path(), &["stop", "--all"]).contains("no campaign is running"));
    assert!(said(dir.path(), &["stop", "leads"]).contains("nothing to stop"));
    assert_eq!(dialer(dir.path(), &["pause", "other"]).status.code(), Some(2));
    let slip = dialer(dir.path(), &["pause", "laeds"]);
    assert!(String::from_utf8_lossy(&slip.stderr).contains("did you mean leads?"), "{slip:?}");
    for command in ["resume", "stop", "release", "report", "status"] {
        let slip = dialer(dir.path(), &[command, "laeds"]);
        let said = String::from_utf8_lossy(&slip.stderr).into_owned();
        assert!(slip.status.code() == Some(2) && said.contains("did you mean leads?"), "{command}: {said}");
    }
}

#[test]
fn a_run_that_is_alive_hears_orders() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = begin(dir.path());
    let publisher = run.publisher()().unwrap();
    let tells = |status: &str| publisher.publish(at(1).wall, status).unwrap();
    assert!(said(dir.path(), &["status"]).contains("by process"));
    assert!(said(dir.path(), &["pause", "leads"]).contains("has not confirmed it within 5 s: it is still starting"));
    assert!(run.control(at(2)).unwrap().paused);
    tells(r#"{"paused":true}"#);
    assert!(said(dir.path(), &["pause", "leads"]).contains("campaign leads pauses"));
    tells(r#"{"paused":false}"#);
    assert!(said(dir.path(), &["resume", "leads"]).contains("campaign leads goes on"));
    tells(r#"{"stopping":true,"pool":{"limit":10,"ours":2,"others":0,"free":8,"reserve":3}}"#);
    let stops = said(dir.path(), &["stop", "leads"]);
    assert!(stops.contains("campaign leads stops: no more calls; 2 calls that are up are followed"), "{stops}");
    let control = run.control(at(3)).unwrap();
    assert!(control.stop && !control.paused);
}

#[test]
fn release_asks_and_takes_yes() {
    let dir = kept();
    let output = dialer(dir.path(), &["release", "leads"]);
    assert_eq!(output.status.code(), Some(2), "nobody is there to be asked: {output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--yes"));
    assert!(said(dir.path(), &["release", "leads", "+14155550199", "--yes"]).contains("no lead with +14155550199"));
    let no_country = dialer(dir.path(), &["release", "leads", "(415) 555-0100", "--yes"]);
    assert!(String::from_utf8_lossy(&no_country.stderr).contains("--region"), "{no_country:?}");
    assert_eq!(
        said(dir.path(), &["release", "leads", "(415) 555-0100", "--region", "US", "--yes"]),
        "1 lead is back on the list of campaign leads\n"
    );
    assert_eq!(said(dir.path(), &["release", "leads", "--yes"]), "no lead of campaign leads is put aside\n");
}

#[test]
fn explain_tells_what_a_number_went_through() {
    let dir = kept();
    let told = said(dir.path(), &["explain", "+1 415 555-0100"]);
    insta::assert_snapshot!(told, @r"
    +14155550100
      Campaign leads:
        It stands on line 2. It is put aside for a person: dialer release leads gives it back.
        On 2001-02-03 14:00:01 UTC a call from line line-1 was asked for, and nobody knows whether it was made (no answer for 30 s). It was put aside on 2001-02-03 14:00:50 UTC.
    ");
    let json: serde_json::Value = serde_json::from_str(&said(dir.path(), &["explain", KNOWN, "--json"])).unwrap();
    assert_eq!(json["campaigns"][0]["attempts"][0]["state"], "parked");
    assert_eq!(dialer(dir.path(), &["explain", "4155550100"]).status.code(), Some(2));
}

#[test]
fn who_is_suppressed_or_forgotten_is_known_as_such() {
    let dir = kept();
    let other = "+14155550101";
    assert!(
        said(dir.path(), &["suppress", other, "--reason", "asked not to be called"]).contains("not called any more")
    );
    assert!(said(dir.path(), &["suppress", other]).contains("already"));
    assert!(said(dir.path(), &["explain", other]).contains("(asked not to be called)"));
    let listed = said(dir.path(), &["suppress", "--list"]);
    assert!(listed.starts_with(other) && listed.trim_end().ends_with("asked not to be called"), "{listed}");
    for undo in ["unsuppress", "forget"] {
        let asked = dialer(dir.path(), &[undo, other]);
        let told = String::from_utf8_lossy(&asked.stderr);
        assert!(asked.status.code() == Some(2) && told.contains("--yes"), "nobody is here to be asked: {told}");
    }
    assert!(said(dir.path(), &["unsuppress", other, "--yes"]).contains("may be called again"));
    assert!(!said(dir.path(), &["explain", other]).contains("do-not-call"));
    assert!(said(dir.path(), &["unsuppress", other, "--yes"]).contains("is not on the do-not-call list"));
    assert!(
        said(dir.path(), &["forget", KNOWN, "--yes"]).starts_with("erased: 1 row of lists, the number in 1 attempt;")
    );
    assert_eq!(dialer(dir.path(), &["unsuppress", KNOWN, "--yes"]).status.code(), Some(2), "who was erased stays");
    let after = said(dir.path(), &["explain", KNOWN]);
    assert!(after.contains("(forgotten)") && !after.contains("line 2"), "{after}");
    assert!(said(dir.path(), &["status"]).contains("1 lead:"));
}

#[test]
fn a_report_has_every_lead_in_every_shape() {
    let dir = kept();
    let table = said(dir.path(), &["report", "leads", "--format", "csv"]);
    let rows: Vec<&str> = table.lines().collect();
    assert!(rows[0].starts_with("number,state,disposition,attempts,last_attempt_at,call_id,"), "{table}");
    assert_eq!(rows.len(), 3);
    assert!(
        rows[1].starts_with("'+14155550100,in_doubt,,1,") && rows[2].starts_with("'+14155550101,open,,0,"),
        "{table}"
    );
    let attempts = said(dir.path(), &["report", "leads", "--format", "csv", "--attempts"]);
    assert!(attempts.lines().nth(1).unwrap().contains(",parked,"), "{attempts}");
    let object: serde_json::Value =
        serde_json::from_str(&said(dir.path(), &["report", "leads", "--format", "json"])).unwrap();
    assert_eq!((&object["campaign"], &object["leads"]["in_doubt"]), (&"leads".into(), &1.into()));
    assert!(said(dir.path(), &["report", "leads"]).contains("1 unconfirmed call"));
    let page = dir.path().join("page.html");
    assert_eq!(said(dir.path(), &["report", "leads", "--format", "html", "--output", page.to_str().unwrap()]), "");
    assert!(std::fs::read_to_string(&page).unwrap().contains("<h1>leads</h1>"));
    let again = dialer(dir.path(), &["report", "leads", "--format", "html", "--output", page.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(2), "nothing is written over: {again:?}");
    assert_eq!(dialer(dir.path(), &["report", "others"]).status.code(), Some(2));
}

#[test]
fn advice_needs_no_account_where_all_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let given = ["--inbound-per-hour", "30", "--inbound-mean", "3m", "--call-mean", "2m", "--slots", "10", "--json"];
    let words: Vec<&str> = ["advise", "--leads", "1000"].into_iter().chain(given).collect();
    let object: serde_json::Value = serde_json::from_str(&said(dir.path(), &words)).unwrap();
    assert_eq!(object["rows"].as_array().unwrap().len(), 10);
    assert_eq!(object["capacity"][0]["slots"], 10);
    let choose = usize::try_from(object["choose"].as_u64().unwrap()).unwrap();
    assert!(object["rows"][choose]["inbound_refused"].as_f64().unwrap() <= 0.01, "{object}");
    let unknown = dialer(dir.path(), &["advise"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
}

#[test]
fn a_journal_is_moved_between_a_directory_and_a_database_and_refuses_where_it_was() {
    let (dir, empty) = (kept(), tempfile::tempdir().unwrap());
    let place = |dir: &tempfile::TempDir| dir.path().to_str().unwrap().to_owned();
    let nowhere = "postgres://me@127.0.0.1:1/d";
    let refused = |words: &[&str], exit: i32, why: &str| {
        let output = dialer(dir.path(), words);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(exit) && told.contains(why), "{words:?}: {output:?}");
    };
    refused(&["move-state", &place(&dir), &place(&empty)], 2, "from a state directory into PostgreSQL, or back");
    refused(&["move-state", &place(&empty), nowhere], 2, "there is no journal in");
    refused(&["move-state", &place(&dir), "postgres://me:hush@127.0.0.1:1/d"], 2, "no place on a command line");
    refused(&["move-state", &place(&dir), nowhere], 1, "cannot be reached");
    said(dir.path(), &["status", "leads"]);
    let db = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    db.execute("INSERT INTO settings (name, value) VALUES ('moved', CAST('postgres://me@db/d' AS BLOB))", []).unwrap();
    for words in [&["status"][..], &["suppress", KNOWN], &["pause", "leads"], &["explain", KNOWN]] {
        refused(words, 6, "was moved to postgres://me@db/d: nothing is done here any more");
    }
}
