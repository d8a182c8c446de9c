//! Whoever reads stderr has stopped reading: a run goes on, and hears signals and other shells.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const DIALER: &str = env!("CARGO_BIN_EXE_dialer");

/// A process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Its exit code, within half a minute.
    fn exit(&mut self) -> Option<i32> {
        for _ in 0..300 {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            wait();
        }
        panic!("it goes on for ever");
    }
}

#[expect(clippy::disallowed_methods, reason = "another process is waited for, again and again, up to a bound")]
fn wait() {
    std::thread::sleep(Duration::from_millis(100));
}

fn sandbox() -> (Process, String) {
    let mut command = Command::new(DIALER);
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--speed", "60", "--inbound-per-hour", "0"]);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    (Process(process), first.trim().split_once('=').unwrap().1.to_owned())
}

/// A pipe that is full: not one byte more can be written to it until somebody reads.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    while rustix::io::write(&writer, b"x").is_ok() {}
    rustix::fs::fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

fn run(dir: &Path, url: &str, stderr: std::io::PipeWriter) -> Process {
    let list: Vec<String> = (0..400).map(|lead| format!("+1202555{lead:04}\n")).collect();
    let list = list.concat();
    std::fs::write(dir.join("leads.csv"), format!("number\n{list}")).unwrap();
    let mut command = Command::new(DIALER);
    command.current_dir(dir).args([
        "run",
        "leads.csv",
        "--hours",
        "any",
        "--poll",
        "100ms",
        "--rate",
        "20/s",
        "--state",
    ]);
    command.args(["state", "--log", "log"]).env("VAPI_BASE_URL", url).env("VAPI_API_KEY", "right");
    command.env("VAPI_ASSISTANT_ID", "assistant").env("VAPI_PHONE_NUMBER_ID", "line").stdin(Stdio::null());
    Process(command.stdout(Stdio::null()).stderr(stderr).spawn().unwrap())
}

/// Until a call has ended, as the log has it.
fn until_a_call_has_ended(dir: &Path) {
    for _ in 0..300 {
        if std::fs::read_to_string(dir.join("log")).unwrap_or_default().contains(" call ") {
            return;
        }
        wait();
    }
    panic!("no call has ended: {:?}", std::fs::read_to_string(dir.join("log")));
}

#[test]
fn a_run_whose_stderr_nobody_reads_calls_on_and_obeys_a_stop_from_another_shell() {
    let (_sandbox, url) = sandbox();
    let dir = tempfile::tempdir().unwrap();
    let (mut reader, writer) = full_pipe();
    let mut process = run(dir.path(), &url, writer);
    until_a_call_has_ended(dir.path());
    let stop =
        Command::new(DIALER).current_dir(dir.path()).args(["stop", "leads", "--state", "state"]).output().unwrap();
    assert!(stop.status.success(), "{stop:?}");
    let confirmed = String::from_utf8_lossy(&stop.stdout);
    assert!(
        confirmed.contains("campaign leads stops: no more calls") || confirmed.contains("has ended"),
        "{confirmed}"
    );
    assert_eq!(process.exit(), Some(4));
    let mut said = Vec::new();
    reader.read_to_end(&mut said).unwrap();
    assert!(said.iter().all(|byte| *byte == b'x'), "not a byte went through");
}

#[test]
fn a_run_whose_stderr_nobody_reads_ends_on_a_signal() {
    let (_sandbox, url) = sandbox();
    let dir = tempfile::tempdir().unwrap();
    let (_reader, writer) = full_pipe();
    let mut process = run(dir.path(), &url, writer);
    until_a_call_has_ended(dir.path());
    let pid = rustix::process::Pid::from_child(&process.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(process.exit(), Some(143));
}
