//! `dialer run` against `dialer sandbox`, both as their own processes: what a shell sees of a campaign.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const LIST: &str = "number,name\n+12025550101,Ada\n+12025550102,Ben\n+12025550103,Cleo\n+12025550104,Dan\n";

/// A sandbox of its own, gone when this is dropped.
struct Sandbox {
    process: Child,
    url: String,
}

impl Sandbox {
    fn start(options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--speed", "600", "--inbound-per-hour", "0"]).args(options);
        let mut process = command.env_clear().stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        let url = first.trim().split_once('=').unwrap().1.to_owned();
        Self { process, url }
    }

    /// `dialer run` on the four leads, with the state kept in that directory.
    fn run(&self, state: &Path, options: &[&str]) -> Command {
        let list = state.with_extension("csv");
        std::fs::write(&list, LIST).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
        command
            .arg("run")
            .arg(&list)
            .args(["--hours", "any", "--rate", "50/s", "--poll", "50ms", "--json"])
            .args(options);
        command.env_clear().env("TZ", "UTC").env("DIALER_STATE", state).env("VAPI_BASE_URL", &self.url);
        command.env("VAPI_API_KEY", "right").env("VAPI_ASSISTANT_ID", "assistant").env("VAPI_PHONE_NUMBER_ID", "line");
        command.stdin(Stdio::null());
        command
    }

    fn ran(&self, state: &Path, options: &[&str]) -> (Option<i32>, Value) {
        told(&self.run(state, options).output().unwrap())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The exit code, and the one object on stdout.
fn told(output: &Output) -> (Option<i32>, Value) {
    let object = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.status.code(), object)
}

#[test]
fn a_list_is_called_once_and_a_rerun_calls_nobody() {
    let (sandbox, dir) = (Sandbox::start(&[]), tempfile::tempdir().unwrap());
    let state = dir.path().join("state");
    let (exit, object) = sandbox.ran(&state, &[]);
    assert_eq!(exit, Some(0), "{object}");
    assert_eq!((&object["leads"]["settled"], &object["calls"]["placed"]), (&4.into(), &4.into()), "{object}");
    assert_eq!(object["list"]["rows"], 4);
    let (exit, object) = sandbox.ran(&state, &[]);
    assert_eq!((exit, &object["calls"]["placed"], &object["leads"]["settled"]), (Some(0), &0.into(), &4.into()));
}

#[test]
fn a_forecast_learns_from_the_calls_of_the_journal() {
    let (sandbox, dir) = (Sandbox::start(&[]), tempfile::tempdir().unwrap());
    let state = dir.path().join("state");
    let foreseen = || {
        let (exit, object) = sandbox.ran(&state, &["--campaign", "next", "--dry-run", "--runs", "20"]);
        assert_eq!(exit, Some(0), "{object}");
        object["forecast"]["assumed"].clone()
    };
    let guessed = foreseen();
    assert_eq!(guessed["from"]["answered"], "a guess");
    assert_eq!(sandbox.ran(&state, &[]).0, Some(0));
    let learnt = foreseen();
    assert_eq!(learnt["from"]["answered"], "from 4 calls of 1 campaign", "{learnt}");
    assert_ne!(learnt["answered"], guessed["answered"], "{learnt}");
}

#[test]
fn a_journal_that_never_ran_a_campaign_refuses_its_calls_until_told_to_adopt_them() {
    let (sandbox, dir) = (Sandbox::start(&[]), tempfile::tempdir().unwrap());
    assert_eq!(sandbox.ran(&dir.path().join("lost"), &["--campaign", "leads"]).0, Some(0));
    let other = dir.path().join("other");
    let (exit, object) = sandbox.ran(&other, &["--campaign", "leads"]);
    assert_eq!((exit, &object["exit"]), (Some(6), &6.into()), "{object}");
    let error = object["error"].as_str().unwrap();
    assert!(error.contains("4 calls of campaign leads") && error.contains("--adopt"), "{error}");
    let (exit, object) = sandbox.ran(&other, &["--campaign", "leads", "--adopt", "--in-doubt", "1s"]);
    assert_eq!((exit, &object["calls"]["placed"]), (Some(0), &0.into()), "{object}");
}

#[test]
fn a_wrong_key_burns_nobody() {
    let (sandbox, dir) = (Sandbox::start(&["--key", "right"]), tempfile::tempdir().unwrap());
    let state = dir.path().join("state");
    let output = sandbox.run(&state, &[]).env("VAPI_API_KEY", "sk-wrong-key").output().unwrap();
    let (exit, object) = told(&output);
    assert_eq!((exit, &object["exit"]), (Some(5), &5.into()), "{object}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("VAPI_API_KEY") && !stderr.contains("sk-wrong-key"), "{stderr}");
    let (exit, object) = sandbox.ran(&state, &[]);
    assert_eq!((exit, &object["calls"]["placed"]), (Some(0), &4.into()), "{object}");
}

#[test]
fn a_limit_ends_a_run_with_4_and_the_next_goes_on() {
    let (sandbox, dir) = (Sandbox::start(&[]), tempfile::tempdir().unwrap());
    let state = dir.path().join("state");
    let (exit, object) = sandbox.ran(&state, &["--limit", "1"]);
    assert_eq!((exit, &object["calls"]["placed"], &object["leads"]["open"]), (Some(4), &1.into(), &3.into()));
    let (exit, object) = sandbox.ran(&state, &["--until", "2001-01-01T00:00:00Z"]);
    assert_eq!((exit, &object["calls"]["placed"]), (Some(4), &0.into()), "it is past: {object}");
    let (exit, object) = sandbox.ran(&state, &[]);
    assert_eq!((exit, &object["calls"]["placed"]), (Some(0), &3.into()), "{object}");
}

#[test]
fn another_run_weighs_more_than_a_list_that_cannot_be_read() {
    let (sandbox, dir) = (Sandbox::start(&[]), tempfile::tempdir().unwrap());
    let state = dir.path().join("state");
    let dialer = |words: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_dialer")).args(words).arg("--state").arg(&state).output().unwrap().stdout
    };
    assert_eq!(sandbox.ran(&state, &["--limit", "1"]).0, Some(4));
    dialer(&["pause", "state"]);
    let mut waiting = sandbox.run(&state, &["--wait"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_running = || {
        let campaigns: Value = serde_json::from_slice(&dialer(&["status", "--json"])).unwrap();
        !campaigns[0]["running"].is_null()
    };
    // At its start a run may let go of the campaign once more, to read the list for what the assistant needs.
    while !(0..20).all(|_| is_running()) {
        assert!(waiting.try_wait().unwrap().is_none(), "it is to wait for the end of the pause");
        std::thread::yield_now();
    }
    let mut second = sandbox.run(&state, &[]);
    std::fs::write(state.with_extension("csv"), "").unwrap();
    let (exit, object) = told(&second.output().unwrap());
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    assert_eq!(exit, Some(6), "{object}");
    assert_eq!(told(&second.output().unwrap()).0, Some(2), "the list is still none");
}

#[test]
fn streams_that_nobody_reads_end_no_run() {
    let (sandbox, dir) = (Sandbox::start(&[]), tempfile::tempdir().unwrap());
    let state = dir.path().join("state");
    let mut child = sandbox.run(&state, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(sandbox.ran(&state, &[]).1["leads"]["settled"], 4);
}

#[test]
fn a_list_from_a_pipe_is_read_once_and_a_pipe_that_nobody_writes_to_can_be_left() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, state) = (folder.path().join("pipe.csv"), folder.path().join("state"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
        command.arg("run").arg(&pipe).args(["--campaign", "piped", "--sandbox", "--json", "--limit", "1", "--state"]);
        command.arg(&state).env_clear().env("TZ", "UTC").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let child = run();
    std::fs::write(&pipe, LIST).unwrap();
    let (exit, object) = told(&child.wait_with_output().unwrap());
    assert_eq!((exit, &object["list"]["leads"]), (Some(4), &Value::from(4)), "{object}");
    let mut kept = std::fs::read_dir(&state).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(!kept.any(|name| name.starts_with("list-")), "no numbers stay behind");
    // Nobody writes to the pipe: it has been opened by the time the signal comes, or has not; both can be left.
    let mut waiting = run();
    while waiting.try_wait().unwrap().is_none() {
        let pid = waiting.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        std::thread::yield_now();
    }
    assert!(!waiting.wait().unwrap().success());
}

#[test]
fn where_every_row_is_rejected_there_is_a_rejects_file_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (list, rejects) = (folder.path().join("leads.csv"), folder.path().join("rejects.csv"));
    std::fs::write(&list, "phone,name\nx,Ada\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.arg("run").arg(&list).args(["--sandbox", "--json", "--rejects"]).arg(&rejects).env_clear();
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        std::fs::read_to_string(&rejects).unwrap().starts_with("phone,name,dialer_line,dialer_reason\nx,Ada,2,"),
        "{output:?}"
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("mended.csv --campaign leads --sandbox"), "{said}");
}

#[test]
fn a_log_tells_a_quiet_run_whole_and_an_early_failure_too() {
    let (sandbox, dir) = (Sandbox::start(&["--key", "right"]), tempfile::tempdir().unwrap());
    let (state, log) = (dir.path().join("state"), dir.path().join("run.log"));
    let options = ["--quiet", "--log", log.to_str().unwrap()];
    let output = sandbox.run(&state, &options).output().unwrap();
    let told = std::fs::read_to_string(&log).unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    assert!(told.contains("4 leads: 4 settled") && told.ends_with(" exit 0\n"), "{told}");
    sandbox.run(&state, &options).env("VAPI_API_KEY", "sk-wrong-key").output().unwrap();
    let told = std::fs::read_to_string(&log).unwrap();
    assert!(told.contains("VAPI_API_KEY") && told.ends_with(" exit 5\n"), "{told}");
    assert!(!told.contains("sk-wrong-key"), "{told}");
    sandbox.run(&state, &options).args(["--rate", "0/s"]).output().unwrap();
    let told = std::fs::read_to_string(&log).unwrap();
    assert!(told.ends_with(" exit 2\n"), "{told}");
    let output = sandbox.run(&state, &["--log", dir.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--log"), "{output:?}");
}

#[test]
fn only_one_lead_is_called_where_one_was_named() {
    let (sandbox, dir) = (Sandbox::start(&[]), tempfile::tempdir().unwrap());
    let state = dir.path().join("state");
    let only = |number: &str, more: &[&str]| sandbox.ran(&state, &[&["--only", number], more].concat());
    for (number, why) in [("+12025550199", "not among the leads"), ("2025550103", "country code"), ("x", "not a")] {
        let (exit, object) = only(number, &[]);
        assert_eq!(exit, Some(2), "{number}: {object}");
        assert!(object["error"].as_str().unwrap().contains(why), "{number}: {object}");
    }
    let (exit, object) = only("(202) 555-0103", &["--region", "US"]);
    assert_eq!((exit, &object["reason"]), (Some(4), &"limit".into()), "{object}");
    assert_eq!((&object["calls"]["placed"], &object["leads"]["open"]), (&1.into(), &3.into()), "{object}");
    let (exit, object) = only("+12025550103", &[]);
    assert_eq!(exit, Some(2), "it is settled: {object}");
    assert!(object["error"].as_str().unwrap().contains("line 4) is settled as"), "{object}");
    Command::new(env!("CARGO_BIN_EXE_dialer"))
        .args(["suppress", "+12025550102", "--state"])
        .arg(&state)
        .output()
        .unwrap();
    let (exit, object) = only("+12025550102", &[]);
    assert_eq!(exit, Some(2), "{object}");
    assert!(object["error"].as_str().unwrap().contains("do-not-call"), "{object}");
    let (exit, object) = only("+12025550104", &["--dry-run"]);
    assert_eq!((exit, &object["to_ring"]), (Some(0), &1.into()), "{object}");
    let (exit, object) = only("+12025550199", &["--dry-run"]);
    assert_eq!(exit, Some(2), "{object}");
    let (exit, object) = sandbox.ran(&state, &[]);
    assert_eq!((exit, &object["calls"]["placed"]), (Some(0), &2.into()), "the rest, later: {object}");
}

#[test]
fn a_rejected_row_with_the_number_that_is_meant_is_named() {
    let (sandbox, dir) = (Sandbox::start(&[]), tempfile::tempdir().unwrap());
    let state = dir.path().join("state");
    let mut command = sandbox.run(&state, &["--only", "+19002345678"]);
    std::fs::write(state.with_extension("csv"), "number\n+12025550101\n+1 900 234 5678\n").unwrap();
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("line 3") && said.contains("premium"), "{said}");
}

/// A terminal: the side of whoever sits at it, and the side of the program.
fn terminal() -> (std::fs::File, std::fs::File) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).and_then(|()| unlockpt(&person)).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
    let program = std::fs::File::options().read(true).write(true).open(name).unwrap();
    (person.into(), program)
}

/// A run at a terminal where somebody answers with this whatever is asked: its exit code, and what was on the screen.
fn at_a_terminal(mut run: Command, answer: &str) -> (Option<i32>, String) {
    use std::io::{Read, Write};
    let (mut person, program) = terminal();
    run.stdin(program.try_clone().unwrap()).stderr(program).stdout(Stdio::null());
    let mut child = run.env("TERM", "xterm").spawn().unwrap();
    drop(run);
    let mut reader = person.try_clone().unwrap();
    let screen = std::thread::spawn(move || {
        let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
        // A terminal whose program has gone answers with an error.
        while let Ok(read @ 1..) = reader.read(&mut piece) {
            seen.extend_from_slice(&piece[..read]);
        }
        String::from_utf8_lossy(&seen).into_owned()
    });
    writeln!(person, "{answer}").unwrap();
    let exit = child.wait().unwrap().code();
    (exit, screen.join().unwrap())
}

#[test]
fn a_person_at_a_terminal_is_asked_once_before_the_first_call() {
    let (sandbox, dir) = (Sandbox::start(&[]), tempfile::tempdir().unwrap());
    let state = dir.path().join("state");
    let (exit, screen) = at_a_terminal(sandbox.run(&state, &[]), "n");
    assert_eq!(exit, Some(4), "{screen}");
    assert!(screen.contains("Call 4 people from +1") && screen.contains("nobody was called"), "{screen}");
    let (exit, screen) = at_a_terminal(sandbox.run(&state, &["--limit", "1"]), "y");
    assert_eq!(exit, Some(4), "{screen}");
    assert!(screen.contains("Call up to 1 of 4 people from") && screen.contains("1 call placed"), "{screen}");
    let (exit, screen) = at_a_terminal(sandbox.run(&state, &[]), "n");
    assert_eq!(exit, Some(0), "it has called before: {screen}");
    assert!(!screen.contains("[y/N]"), "{screen}");
    let (exit, screen) = at_a_terminal(sandbox.run(&dir.path().join("other"), &["--yes"]), "n");
    assert_eq!(exit, Some(0), "{screen}");
    assert!(!screen.contains("[y/N]"), "{screen}");
}

#[test]
fn a_small_pool_that_the_reserve_leaves_one_slot_of_is_told() {
    let (sandbox, dir) = (Sandbox::start(&["--slots", "4"]), tempfile::tempdir().unwrap());
    let state = dir.path().join("state");
    let told = |options: &[&str]| {
        let output = sandbox.run(&state, options).output().unwrap();
        String::from_utf8_lossy(&output.stderr).contains("3 of 4 slots are reserved, so one call is made at a time")
    };
    assert!(!told(&["--dry-run", "--runs", "1"]), "nobody has seen the limit yet");
    assert!(told(&["--limit", "1"]));
    assert!(told(&["--dry-run", "--runs", "1"]));
    assert!(!told(&["--reserve", "2", "--limit", "1"]));
}

#[test]
fn another_organisations_key_only_reads_and_is_never_shown() {
    let sandbox = Sandbox::start(&["--key", "right", "--orgs", "2"]);
    let dir = tempfile::tempdir().unwrap();
    let key_of = |name: &str, key: &str| {
        let file = dir.path().join(name);
        std::fs::write(&file, key).unwrap();
        file
    };
    let run = |state: &str, key: &Path| {
        let state = dir.path().join(state);
        let output = sandbox.run(&state, &[]).arg("--watch-key-file").arg(key).output().unwrap();
        (told(&output), String::from_utf8_lossy(&output.stderr).into_owned(), state)
    };
    let ((exit, object), stderr, state) = run("other", &key_of("other.key", "right-org-2"));
    assert_eq!((exit, &object["calls"]["placed"]), (Some(0), &4.into()), "{stderr}");
    assert!(!stderr.contains("right-org-2") && !stderr.contains("not read"), "{stderr}");
    for entry in std::fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&entry).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"right-org-2"), "{entry:?}");
    }
    let list = ["--campaign", "again"];
    let own = key_of("own.key", "right-org-1");
    let output = sandbox.run(&state, &list).arg("--watch-key-file").arg(&own).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("own.key is not read any more") && stderr.contains("the organisation that calls"),
        "{stderr}"
    );
    let ((exit, _), stderr, _) = run("refused", &key_of("wrong.key", "wrong-org-2"));
    assert_eq!(exit, Some(0), "{stderr}");
    assert!(stderr.contains("wrong.key is not read any more: it is refused"), "{stderr}");
    let ((_, _), stderr, _) = run("same", &key_of("same.key", "right"));
    assert!(stderr.contains("same.key is the one that calls"), "{stderr}");
}

#[test]
fn the_doctor_of_an_account_ends_with_ready_or_with_what_to_do() {
    let (sandbox, dir) = (Sandbox::start(&["--key", "right"]), tempfile::tempdir().unwrap());
    let list = dir.path().join("leads.csv");
    std::fs::write(&list, LIST).unwrap();
    let check = |key: &str, options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
        command.arg("check").arg(&list).args(["--online", "--hours", "any", "--assistant-id", "a"]).args(options);
        command.env_clear().env("VAPI_BASE_URL", &sandbox.url).env("HOME", dir.path());
        if !key.is_empty() {
            command.env("VAPI_API_KEY", key);
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let line = ["--phone-number-id", "line"];
    let (exit, said) = check("right", &line);
    assert!(exit == Some(0) && said.ends_with("ready\n") && said.contains("last hour     no calls"), "{exit:?} {said}");
    let (exit, said) = check("wrong", &line);
    assert!(exit == Some(5) && said.contains("not ready") && said.contains("refused the key"), "{exit:?} {said}");
    let (exit, said) = check("", &[]);
    assert!(exit == Some(2) && said.contains("no key") && said.contains("--phone-number-id ID"), "{exit:?} {said}");
    let (exit, said) = check("right", &[line[0], line[1], "--json"]);
    let object: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((exit, &object["online"]["ready"], &object["leads"]), (Some(0), &true.into(), &4.into()), "{said}");
}
