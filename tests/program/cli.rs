//! The binary as a shell sees it: exit codes, which stream says what, and streams that nobody reads.

use std::io::Read;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// `dialer` with these words, on a machine that knows nothing.
fn dialer(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.args(words).env_clear().env("COLUMNS", "100").stdin(Stdio::null());
    command
}

fn run(words: &[&str]) -> Output {
    dialer(words).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn help_and_version_are_data_and_no_failure() {
    for words in [&["--help"][..], &["run", "--help"], &["--version"], &["help", "check"]] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{words:?}: {output:?}");
    }
    assert_eq!(text(&run(&["--version"]).stdout), format!("dialer {}\n", env!("CARGO_PKG_VERSION")));
}

#[path = "../../build.rs"]
#[expect(dead_code, reason = "its main is cargo's")]
mod build;

#[test]
fn a_tree_that_is_no_repository_of_its_own_has_no_commit() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(build::commit(dir.path()), None);
    let git = |words: &[&str]| {
        let identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
        Command::new("git")
            .arg("-C")
            .arg(dir.path())
            .args(identity)
            .args(words)
            .output()
            .is_ok_and(|it| it.status.success())
    };
    if !git(&["init", "-q"]) || !git(&["commit", "-q", "--allow-empty", "-m", "x"]) {
        return;
    }
    let (commit, changes_with) = build::commit(dir.path()).unwrap();
    assert!(commit.len() >= 10 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{commit}");
    let before = std::fs::read(&changes_with).unwrap();
    git(&["commit", "-q", "--allow-empty", "-m", "y"]);
    assert_ne!(std::fs::read(changes_with).unwrap(), before);
    let inner = dir.path().join("dialer-0.1.0");
    std::fs::create_dir(&inner).unwrap();
    assert_eq!(build::commit(&inner), None, "unpacked in somebody's repository");
}

#[test]
fn short_help_is_short_and_long_help_has_examples() {
    for command in ["run", "check"] {
        let (short, long) = (run(&[command, "-h"]).stdout, run(&[command, "--help"]).stdout);
        let (short, long) = (text(&short), text(&long));
        assert!(short.lines().count() < 60, "{short}");
        for part in ["--guard", "Examples:", &format!("dialer {command} leads.csv")] {
            assert!(long.contains(part) && !short.contains(part), "{part}: {long}");
        }
    }
    assert!(text(&run(&["run", "--help"]).stdout).contains("Exit codes:"));
}

#[test]
fn the_manual_has_what_manuals_have() {
    let manual = run(&["man"]).stdout;
    let manual = text(&manual);
    for title in ["EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"] {
        assert_eq!(
            manual.matches(&format!(".SH \"{title}\"")).count() + manual.matches(&format!(".SH {title}\n")).count(),
            1,
            "{title}"
        );
    }
    for part in ["VAPI_API_KEY", "DIALER_STATE", "rejects.csv", "another run, machine or journal"] {
        assert!(manual.contains(part), "{part}");
    }
}

/// What the program offers a shell where the last of these words is being typed.
fn offered(state: &std::path::Path, words: &[&str]) -> Vec<String> {
    let mut command = dialer(&["--", "dialer"]);
    command.args(words).env("DIALER_COMPLETE", "bash").env("_CLAP_IFS", "\n");
    command.env("_CLAP_COMPLETE_INDEX", words.len().to_string()).env("DIALER_STATE", state);
    text(&command.output().unwrap().stdout).lines().map(str::to_owned).collect()
}

#[test]
fn names_of_campaigns_are_completed() {
    let dir = tempfile::tempdir().unwrap();
    let (state, list) = (dir.path().join("state"), dir.path().join("spring.csv"));
    std::fs::write(&list, "number\n+12025550101\n").unwrap();
    assert!(!offered(&state, &["status", ""]).contains(&"spring".to_owned()), "there is none yet");
    assert!(!state.exists(), "completing makes no journal");
    let ran = dialer(&["run", "--sandbox", "--state"]).args([&state, &list]).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    for command in ["status", "pause", "resume", "stop", "release", "report"] {
        assert_eq!(offered(&state, &[command, "s"]), ["spring"], "{command}");
        assert!(!offered(&state, &[command, ""]).contains(&"-".to_owned()));
    }
    assert_eq!(offered(&state, &["run", "x.csv", "--campaign", ""]), ["spring"]);
    let elsewhere = dir.path().join("elsewhere");
    assert_eq!(offered(&elsewhere, &["status", "--state", state.to_str().unwrap(), "s"]), ["spring"]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(text(&run(&["completions", shell]).stdout).contains("DIALER_COMPLETE"), "{shell}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_talks_on_stderr() {
    for words in
        [&[][..], &["dance"], &["run"], &["run", "leads.csv", "--rate", "0/s"], &["run", "leads.csv"], &["run", "-"]]
    {
        let output = run(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{words:?}: {output:?}");
    }
}

#[test]
fn json_says_why_nothing_was_dialed() {
    let output = run(&["run", "leads.csv", "--state", "/tmp", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((object["campaign"].as_str(), object["exit"].as_u64()), (Some("leads"), Some(2)));
    assert!(
        object["error"]
            .as_str()
            .unwrap()
            .starts_with("no key, no assistant, no phone number to call from; set VAPI_API_KEY")
    );
    insta::assert_snapshot!(text(&output.stderr), @r"
    error: no key, no assistant, no phone number to call from
      set VAPI_API_KEY to the organisation's private key, or name a file:   --api-key-file FILE
      name what talks:   --assistant-id ID (or VAPI_ASSISTANT_ID), --squad-id or --workflow-id
      name the line to call from:   --phone-number-id ID (or VAPI_PHONE_NUMBER_ID)
      leads.csv cannot be read: No such file or directory (os error 2)
      or try it without an account:   --sandbox, or --dry-run
    ");
    let output = run(&["run", "leads.csv", "--json", "--batch-size", "7"]);
    insta::assert_snapshot!(text(&output.stdout), @r#"{"campaign":null,"exit":2,"error":"invalid value '7' for '--batch-size <N>': a batch holds 50 to 100 leads"}"#);
    let output = run(&["run", "leads.csv", "--json", "--campaign=spring", "--batch-size", "7"]);
    assert!(text(&output.stdout).starts_with(r#"{"campaign":"spring","exit":2,"#), "{output:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = dialer(&["run", "--help"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 1]).unwrap();
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long a person waits is what is measured")]
fn help_is_there_at_once() {
    let quickest = (0..5)
        .map(|_| {
            let start = Instant::now();
            run(&["--help"]);
            start.elapsed()
        })
        .min()
        .unwrap();
    // A release build takes a few milliseconds; this one is not optimised, on a machine that may be busy.
    assert!(quickest < Duration::from_millis(200), "{quickest:?}");
}
