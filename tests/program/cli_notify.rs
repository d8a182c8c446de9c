//! What others are told of a run: the command of `--alert-exec`, and the dead man's switch of `--ping-file`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

const LIST: &str = "number,name\n+12025550101,Ada\n+12025550102,Ben\n+12025550103,Cleo\n+12025550104,Dan\n";

/// Somebody on loopback who notes which paths were asked for.
struct Switch {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Switch {
    fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hush-hush", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut first = String::new();
                BufReader::new(&stream).read_line(&mut first).unwrap();
                noted.lock().unwrap().push(first.split(' ').nth(1).unwrap().to_owned());
                let _ = write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        });
        Self { url, asked }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// `dialer run` of four leads against the built-in stand-in.
fn rehearsal(folder: &Path, options: &[&str]) -> Command {
    let list = folder.join("leads.csv");
    std::fs::write(&list, LIST).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer"));
    command.arg("run").arg(&list).args(["--sandbox", "--rate", "50/s", "--json"]).args(options);
    command.env_clear().env("TZ", "UTC").env("PATH", std::env::var_os("PATH").unwrap()).stdin(Stdio::null());
    command
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_dead_mans_switch_hears_of_the_start_and_of_each_end() {
    let (folder, switch) = (tempfile::tempdir().unwrap(), Switch::start("200 OK"));
    let file = folder.path().join("ping");
    std::fs::write(&file, format!("{}\n", switch.url)).unwrap();
    let file = file.to_str().unwrap();
    let success = ["/hush-hush/start", "/hush-hush"];
    let failure = ["/hush-hush/start", "/hush-hush/fail"];
    let cases: [(&[&str], i32, [&str; 2]); 6] = [
        (&["--ping-file", file], 0, success),
        (&["--ping-file", file, "--limit", "1"], 4, success),
        (&["--ping-file", file, "--limit", "1", "--later-is-ok"], 0, success),
        (&["--ping-file", file, "--reserve", "10", "--slots", "10"], 2, failure),
        (&["--ping-file", file, "--rate", "0/s"], 2, failure),
        (&["--ping-file", file, "--config", "/nowhere"], 2, failure),
    ];
    for (options, exit, asked) in cases {
        let output = rehearsal(folder.path(), options).output().unwrap();
        assert_eq!(code(&output), Some(exit), "{options:?}: {output:?}");
        assert_eq!(switch.take(), asked, "{options:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("hush-hush") && !said.contains("dead man"), "{said}");
        assert_eq!(said.contains("with 0 instead of 4"), options.contains(&"--later-is-ok"), "{said}");
    }
    let output = rehearsal(folder.path(), &[]).env("DIALER_PING", &switch.url).output().unwrap();
    assert_eq!((code(&output), switch.take()), (Some(0), success.map(str::to_owned).to_vec()));
    let output = rehearsal(folder.path(), &["--dry-run"]).env("DIALER_PING", &switch.url).output().unwrap();
    assert_eq!((code(&output), switch.take()), (Some(0), Vec::new()), "a dry run is no run: {output:?}");
}

#[test]
fn an_account_that_refuses_is_told_to_both() {
    let (folder, switch) = (tempfile::tempdir().unwrap(), Switch::start("200 OK"));
    let mut sandbox = Command::new(env!("CARGO_BIN_EXE_dialer"));
    sandbox.args(["sandbox", "--listen", "127.0.0.1:0", "--key", "right"]).env_clear().stdout(Stdio::piped());
    let mut sandbox = sandbox.stderr(Stdio::null()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(sandbox.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    let (list, told) = (folder.path().join("leads.csv"), folder.path().join("told"));
    std::fs::write(&list, LIST).unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_dialer"));
    run.arg("run").arg(&list).arg("--state").arg(folder.path().join("state"));
    run.arg("--alert-exec").arg(format!("cat >> {}; env >&2; exit 3", told.display())).env_clear();
    run.env("VAPI_BASE_URL", first.trim().split_once('=').unwrap().1).env("VAPI_API_KEY", "sk-wrong-key");
    run.env("VAPI_ASSISTANT_ID", "assistant").env("VAPI_PHONE_NUMBER_ID", "line").env("DIALER_PING", &switch.url);
    let output = run.env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap();
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    assert_eq!(code(&output), Some(5), "{output:?}");
    assert_eq!(switch.take(), ["/hush-hush/start", "/hush-hush/fail"]);
    let mut told = lines(&told);
    told.sort_by_key(|alert| alert["alert"].to_string());
    assert_eq!((told[0]["alert"].as_str(), told[1]["alert"].as_str()), (Some("account"), Some("end")));
    assert_eq!((&told[0]["exit"], &told[1]["exit"], &told[1]["campaign"]), (&Value::Null, &5.into(), &"leads".into()));
    assert!(told[1]["text"].as_str().unwrap().contains("refused the key"), "{told:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("ended with code 3").count(), 1, "told once: {said}");
    assert!(!said.contains("sk-wrong-key") && !said.contains("hush-hush"), "the command knows no secret: {said}");
}

#[test]
fn a_switch_that_is_away_is_told_once_and_changes_no_exit_code() {
    let (folder, switch) = (tempfile::tempdir().unwrap(), Switch::start("404 Not Found"));
    let output = rehearsal(folder.path(), &[]).env("DIALER_PING", &switch.url).output().unwrap();
    assert_eq!(code(&output), Some(0), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("dead man's switch at ***").count(), 1, "{said}");
    assert!(said.contains("it answered 404") && !said.contains("hush-hush"), "{said}");
    let output = rehearsal(folder.path(), &["--ping-file", "/nowhere"]).output().unwrap();
    assert_eq!(code(&output), Some(2), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--ping-file") && said.contains("/nowhere"), "{said}");
}

#[test]
fn a_command_hears_of_few_free_slots_and_of_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let command = format!("cat >> {}", told.display());
    let output = rehearsal(folder.path(), &["--alert-free", "10", "--alert-exec", &command]).output().unwrap();
    assert_eq!(code(&output), Some(0), "{output:?}");
    let told = lines(&told);
    let kinds: Vec<_> = told.iter().map(|alert| alert["alert"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["free", "end"], "{told:?}");
    for alert in &told {
        assert_eq!(alert["campaign"], "leads");
        assert_eq!((&alert["pool"]["limit"], &alert["pool"]["reserve"]), (&10.into(), &3.into()), "{alert}");
        assert!(alert["at"].as_str().unwrap().ends_with('Z') && !alert["text"].as_str().unwrap().is_empty());
    }
    assert_eq!((&told[0]["exit"], &told[1]["exit"]), (&Value::Null, &0.into()));
}

#[test]
fn a_command_that_hangs_holds_no_dial_up() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--alert-free", "10", "--alert-exec", "exec sleep 31"];
    let mut child = rehearsal(folder.path(), &options).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let object: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&object["exit"], &object["calls"]["placed"]), (&0.into(), &4.into()), "{object}");
    assert!(child.try_wait().unwrap().is_none(), "the end is waited for, with a bound");
    child.kill().unwrap();
    let mut rest = String::new();
    child.stdout.as_mut().unwrap().read_to_string(&mut rest).unwrap();
    child.wait().unwrap();
}
