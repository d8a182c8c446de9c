//! One run of the command of `--alert-exec`: the object on its stdin, and what came of it.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use crate::text;

/// A command that takes longer is killed, with all that it started.
const LONGEST: Duration = Duration::from_secs(30);
/// What a command that has ended wrote to stderr is waited for so long: something that it left behind may hold it open.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// So much of it is kept, and so much shown.
const KEPT: usize = 1024;
const SHOWN: usize = 160;
/// What no command needs to know.
const SECRETS: [&str; 2] = ["VAPI_API_KEY", "DIALER_PING"];

/// Runs it. What went wrong is told as what the command did.
pub(super) async fn run(command: Arc<str>, object: String) -> Result<(), String> {
    run_for(LONGEST, &command, object).await
}

async fn run_for(longest: Duration, command: &str, object: String) -> Result<(), String> {
    let mut child = start(command).map_err(|error| format!("cannot be started: {error}"))?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let Ok(done) = timeout(longest, see_out(&mut child, object)).await else {
        if let Some(group) = group {
            // It may have ended this very moment.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = timeout(LAST_WORDS, child.wait()).await;
        return Err(format!("was killed: it took longer than {} s", longest.as_secs()));
    };
    let (status, said) = done.map_err(|error| format!("cannot be waited for: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let said = text::clean(&said, SHOWN);
    let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
    Err(match status.code() {
        Some(code) => format!("ended with code {code}{said}"),
        None => format!("was ended by a signal{said}"),
    })
}

/// In a process group of its own: Ctrl-C is for the run, and whatever the command starts can be killed with it.
fn start(command: &str) -> std::io::Result<Child> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).process_group(0).kill_on_drop(true);
    for name in SECRETS {
        shell.env_remove(name);
    }
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
}

async fn see_out(child: &mut Child, object: String) -> std::io::Result<(ExitStatus, String)> {
    let said = child.stderr.take().map(|stderr| tokio::spawn(beginning(stderr)));
    if let Some(mut stdin) = child.stdin.take() {
        // A command need not read it.
        let _ = stdin.write_all(format!("{object}\n").as_bytes()).await;
    }
    let status = child.wait().await?;
    let said = match said {
        Some(said) => timeout(LAST_WORDS, said).await.ok().and_then(Result::ok),
        None => None,
    };
    Ok((status, said.unwrap_or_default()))
}

/// The beginning of what is written there; the rest is read and forgotten, so that nobody waits for a reader.
async fn beginning(mut stderr: ChildStderr) -> String {
    let (mut kept, mut piece) = (Vec::new(), [0; KEPT]);
    while let Ok(read @ 1..) = stderr.read(&mut piece).await {
        let room = KEPT - kept.len();
        kept.extend_from_slice(&piece[..read.min(room)]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_reads_the_object_and_its_failure_has_words() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("seen");
        let took = run_for(LONGEST, &format!("cat > {}", path.display()), "{}".into()).await;
        assert_eq!((took, std::fs::read_to_string(path).unwrap()), (Ok(()), "{}\n".to_owned()));
        let failed = run_for(LONGEST, "echo no such host >&2; exit 6", "{}".into()).await;
        assert_eq!(failed, Err("ended with code 6 (no such host)".to_owned()));
        let unread = "x".repeat(1 << 20);
        assert_eq!(run_for(LONGEST, "true", unread).await, Ok(()), "nobody has to read it");
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_killed_with_what_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("late");
        let line = format!("(sleep 0.6; touch {}) & sleep 60", path.display());
        let killed = run_for(Duration::from_millis(200), &line, "{}".into()).await.unwrap_err();
        assert!(killed.starts_with("was killed"), "{killed}");
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert!(!path.exists(), "what it started lives on");
    }
}
