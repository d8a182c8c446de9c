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
      or try it without an account:   --sandbox, or --dry-run
      leads.csv cannot be read: No such file or directory (os error 2)
    ");
    let output = run(&["run", "leads.csv", "--json", "--batch-size", "7"]);
    insta::assert_snapshot!(text(&output.stdout), @r#"{"campaign":null,"exit":2,"error":"invalid value '7' for '--batch-size <N>': a batch holds 50 to 100 leads"}"#);
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
