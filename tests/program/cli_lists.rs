//! The lists of a campaign over several runs, as a shell sees them: mended rows, lists that are gone, renamed ones.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A stand-in for the account, and the folder of a person who calls from it; both are gone when this is dropped.
struct Desk {
    process: Child,
    url: String,
    dir: TempDir,
}

impl Desk {
    fn new() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--speed", "600", "--inbound-per-hour", "0"]);
        let mut process = command.env_clear().stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        let url = first.trim().split_once('=').unwrap().1.to_owned();
        Self { process, url, dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A list with a header and these rows.
    fn list(&self, name: &str, rows: &[&str]) {
        fs::write(self.path().join(name), format!("number,name\n{}\n", rows.join("\n"))).unwrap();
    }

    /// `dialer run` with these words, in that folder.
    fn run(&self, words: &[&str]) -> Ran {
        Ran::of(&self.command(words).output().unwrap())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
        command.arg("run").args(words).args(["--hours", "any", "--rate", "50/s", "--poll", "50ms", "--json"]);
        command.env_clear().env("TZ", "UTC").env("DIALER_STATE", self.path().join("state"));
        command.env("VAPI_BASE_URL", &self.url).env("VAPI_API_KEY", "right").env("VAPI_ASSISTANT_ID", "assistant");
        command.env("VAPI_PHONE_NUMBER_ID", "line").current_dir(self.path()).stdin(Stdio::null());
        command
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What came of a run.
struct Ran {
    exit: Option<i32>,
    object: Value,
    said: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let object = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        Self { exit: output.status.code(), object, said }
    }

    fn placed(&self) -> u64 {
        self.object["calls"]["placed"].as_u64().unwrap_or_else(|| panic!("{} {}", self.object, self.said))
    }

    fn list(&self, what: &str) -> u64 {
        self.object["list"][what].as_u64().unwrap()
    }
}

#[test]
fn a_list_goes_on_with_what_was_mended_beside_it() {
    let desk = Desk::new();
    desk.list("leads.csv", &["+12025550101,Ada", "+12025550102,Ben", "12,Cleo", "13,Dan"]);
    let ran = desk.run(&["leads.csv"]);
    assert_eq!((ran.exit, ran.placed(), ran.list("rejected")), (Some(0), 2, 2), "{}", ran.said);
    let advised = "dialer run leads.csv mended.csv --campaign leads\n";
    assert!(ran.said.contains("a copy, mended.csv,") && ran.said.contains(advised), "{}", ran.said);
    // One of the two rows is mended in a copy of the rejects file.
    let rejects = desk.path().join("state/leads.rejects.csv");
    let copy = fs::read_to_string(&rejects).unwrap().replace("12,Cleo", "+12025550103,Cleo");
    fs::write(desk.path().join("mended.csv"), copy).unwrap();
    let ran = desk.run(&["leads.csv", "mended.csv", "--campaign", "leads"]);
    assert_eq!((ran.exit, ran.placed()), (Some(0), 1), "{}", ran.said);
    let counts = ["rows", "leads", "rejected", "duplicates"].map(|what| ran.list(what));
    assert_eq!(counts, [6, 3, 2, 1], "{}", ran.said);
    assert!(ran.said.contains("leads.csv mended.csv mended-2.csv --campaign leads\n"), "{}", ran.said);
    let rejected = fs::read_to_string(&rejects).unwrap();
    assert_eq!(rejected.matches("Dan").count(), 1, "{rejected}");
    // The command of every day goes on with both.
    let ran = desk.run(&["leads.csv"]);
    assert_eq!((ran.exit, ran.placed(), &ran.object["leads"]["total"]), (Some(0), 0, &3.into()), "{}", ran.said);
    assert!(ran.said.contains("another list, too: mended.csv"), "{}", ran.said);
    let before = "as before: 2 rows rejected, 1 duplicate; see them:   dialer check leads.csv ";
    assert!(ran.said.contains(before) && !ran.said.contains("not a phone number"), "{}", ran.said);
    let rejected = fs::read_to_string(&rejects).unwrap();
    assert_eq!(rejected.matches("Dan").count(), 1, "{rejected}");
    desk.list("mended.csv", &["+12025550103,Cleo", "+12025550104,Dan"]);
    let ran = desk.run(&["leads.csv"]);
    assert_eq!((ran.exit, ran.placed(), &ran.object["leads"]["total"]), (Some(0), 1, &4.into()), "{}", ran.said);
    assert_eq!(desk.run(&["leads.csv", "--dry-run"]).object["to_ring"], 0);
}

#[test]
fn a_list_that_is_gone_keeps_its_leads_until_it_is_replaced() {
    let desk = Desk::new();
    desk.list("leads.csv", &["+12025550101,Ada", "+12025550102,Ben"]);
    desk.list("more.csv", &["+12025550103,Cleo", "+12025550104,Dan"]);
    let ran = desk.run(&["leads.csv", "more.csv", "--campaign", "leads", "--limit", "2"]);
    assert_eq!((ran.exit, ran.placed()), (Some(4), 2), "{}", ran.said);
    fs::remove_file(desk.path().join("more.csv")).unwrap();
    let ran = desk.run(&["leads.csv", "--limit", "1"]);
    assert_eq!((ran.exit, ran.placed(), &ran.object["leads"]["total"]), (Some(4), 1, &4.into()), "{}", ran.said);
    assert!(ran.said.contains("more.csv cannot be read again"), "{}", ran.said);
    // A further list goes in beside those that are known, gone or not.
    desk.list("third.csv", &["+12025550105,Eve"]);
    let ran = desk.run(&["leads.csv", "third.csv", "--campaign", "leads", "--limit", "1"]);
    assert_eq!((ran.exit, ran.placed(), &ran.object["leads"]["total"]), (Some(4), 1, &5.into()), "{}", ran.said);
    let ran = desk.run(&["leads.csv", "--replace"]);
    assert_eq!((ran.exit, ran.placed(), &ran.object["leads"]["total"]), (Some(0), 0, &2.into()), "{}", ran.said);
    assert!(!ran.said.contains("more.csv"), "{}", ran.said);
}

#[test]
fn a_renamed_list_is_not_called_again_unasked() {
    let desk = Desk::new();
    let people = ["+12025550101,Ada", "+12025550102,Ben", "+12025550103,Cleo"];
    desk.list("leads.csv", &people);
    assert_eq!(desk.run(&["leads.csv", "--limit", "2"]).exit, Some(4));
    desk.list("leads (1).csv", &people);
    let ran = desk.run(&["leads (1).csv"]);
    assert_eq!(ran.exit, Some(2), "{}", ran.said);
    assert!(ran.object["error"].as_str().unwrap().contains("2 of the 3 leads were called by campaign leads"));
    for campaign in ["--campaign leads\n", "--campaign 'leads (1)'\n"] {
        assert!(ran.said.lines().any(|line| format!("{line}\n").contains(campaign)), "{}", ran.said);
        assert!(ran.said.contains("run 'leads (1).csv' --hours any"), "{}", ran.said);
    }
    assert_eq!(desk.run(&["leads (1).csv", "--only", "+12025550101"]).exit, Some(2), "a test call is one, too");
    let dry = desk.run(&["leads (1).csv", "--dry-run"]);
    let without = dry.object["error"].as_str().unwrap().replace("--dry-run ", "");
    assert_eq!((dry.exit, &*without), (Some(2), ran.object["error"].as_str().unwrap()), "{}", dry.said);
    let ran = desk.run(&["leads (1).csv", "--campaign", "leads"]);
    assert_eq!((ran.exit, ran.placed()), (Some(0), 1), "{}", ran.said);
    let ran = desk.run(&["leads (1).csv", "--campaign", "again", "--limit", "1"]);
    assert_eq!((ran.exit, ran.placed()), (Some(4), 1), "{}", ran.said);
    assert!(ran.said.contains("3 leads were called by campaign leads within the last 20 hours"), "{}", ran.said);
    // What goes on under its own name is never refused.
    fs::rename(desk.path().join("leads (1).csv"), desk.path().join("again.csv")).unwrap();
    let ran = desk.run(&["again.csv", "--replace", "--campaign", "again", "--limit", "1"]);
    assert_eq!((ran.exit, ran.placed()), (Some(4), 1), "{}", ran.said);
    let ran = desk.run(&["again.csv"]);
    assert_eq!((ran.exit, ran.placed()), (Some(0), 1), "{}", ran.said);
    // Half of a list is not most of it, and who is put off is not called.
    desk.list("half.csv", &["+12025550101,Ada", "+12025550109,Ida"]);
    assert_eq!(desk.run(&["half.csv"]).placed(), 2);
    desk.list("third.csv", &people);
    let ran = desk.run(&["third.csv", "--not-if-called-within", "1d"]);
    assert_eq!((ran.exit, ran.placed()), (Some(4), 0), "{}", ran.said);
}

#[test]
fn all_that_cannot_be_read_is_told_at_once() {
    let desk = Desk::new();
    desk.list("leads.csv", &["+12025550101,Ada"]);
    let missing = ["no.csv", "no.dnc", "no.days", "no.toml"];
    let files = ["leads.csv", "no.csv", "--dnc", "no.dnc", "--holidays", "no.days", "--config", "no.toml"];
    for command in ["run", "check"] {
        let mut dialer = Command::new(env!("CARGO_BIN_EXE_dialer"));
        let output = dialer.arg(command).args(files).env_clear().current_dir(desk.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        let times = missing.map(|name| said.matches(name).count());
        assert_eq!(times, [1; 4], "{command}: {said}");
    }
    // Nothing but the lists is wrong: they are looked at where the account is known.
    let ran = desk.run(&["leads.csv", "no.csv", "--dnc", "no.dnc", "--campaign", "x"]);
    assert!(ran.exit == Some(2) && ran.said.contains("no.csv") && ran.said.contains("no.dnc"), "{}", ran.said);
    std::fs::write(desk.path().join("campaign.toml"), "reserve = 3\ndnc = \"no.dnc\"\n").unwrap();
    let ran = desk.run(&["leads.csv", "--config", "campaign.toml"]);
    assert!(ran.exit == Some(2) && ran.said.contains("campaign.toml line 2"), "{}", ran.said);
}

#[test]
fn the_command_that_goes_on_is_the_one_that_was_typed() {
    let desk = Desk::new();
    desk.list("my leads.csv", &["+12025550101,Ada", "+12025550102,Ben", "+12025550103,Cleo"]);
    let ran = desk.run(&["my leads.csv", "--limit", "1"]);
    assert_eq!(ran.exit, Some(4), "{}", ran.said);
    let folder = desk.path().display();
    let line =
        ran.said.lines().find_map(|line| line.strip_prefix("go on:   ")).unwrap_or_else(|| panic!("{}", ran.said));
    assert!(line.starts_with(&format!("cd {folder} && ")) && line.contains("run 'my leads.csv' --limit 1"), "{line}");
    let quiet = desk.run(&["my leads.csv", "--limit", "1", "--quiet"]);
    assert!(quiet.exit == Some(4) && quiet.said.contains("run 'my leads.csv'"), "{}", quiet.said);
    // With a time that has passed the same command calls nobody.
    let passed = desk.run(&["my leads.csv", "--until", "2001-01-01T00:00:00Z"]);
    assert!(passed.exit == Some(4) && passed.said.contains("with a later one"), "{}", passed.said);
    assert!(!passed.said.contains("run 'my leads.csv'"), "{}", passed.said);
}

#[test]
fn an_interruption_before_anybody_is_called_tells_how_the_leads_stand() {
    let desk = Desk::new();
    desk.list("leads.csv", &["+12025550101,Ada", "+12025550102,Ben"]);
    assert_eq!(desk.run(&["leads.csv", "--limit", "1"]).exit, Some(4));
    // An API that takes requests and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut command = desk.command(&["leads.csv"]);
    command.env("VAPI_BASE_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = command.spawn().unwrap();
    let _open = silent.accept().unwrap();
    let pid = run.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ran = Ran::of(&run.wait_with_output().unwrap());
    assert_eq!((ran.exit, &ran.object["reason"]), (Some(4), &"stopped".into()), "{} {}", ran.object, ran.said);
    assert_eq!((ran.placed(), &ran.object["leads"]["settled"]), (0, &1.into()), "{}", ran.object);
    assert!(ran.said.contains("go on:   cd ") && ran.said.contains(" run leads.csv --hours any"), "{}", ran.said);
}
