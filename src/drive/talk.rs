//! What the program says: on stderr, and in the file of `--log`, which has it under `--quiet` too. The file is the
//! process's, as stderr is, so that whoever has something to say does not carry it about.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use super::clock::Clock;
use crate::exit::Exit;
use crate::journal::disk::waiting::KeepWaiting;
use crate::leads::shown::file;
use crate::private_file;
use crate::report::failure::Failure;
use crate::report::style::count;

/// Lines that may wait to be written to stderr.
const WAITING: usize = 1024;

static LOG: OnceLock<File> = OnceLock::new();
static STDERR: OnceLock<Detached> = OnceLock::new();

/// Opens a log, to be written to at its end.
pub fn open_log(path: &Path) -> Result<File, Failure> {
    private_file::append(path)
        .map_err(|error| Failure::usage(format!("--log: {} cannot be written: {error}", file(path))))
}

/// From now on all that is said is in this file as well.
pub fn keep_log(path: &Path) -> Result<(), Failure> {
    // Where one is kept already it is the same one: a process has one command line.
    let _ = LOG.set(open_log(path)?);
    Ok(())
}

/// From now on a thread of its own writes to stderr, so that a reader who does not read holds nobody up.
pub fn detach() {
    let (queue, lines) = mpsc::sync_channel(WAITING);
    // A process has one stderr: where a thread writes to it already, that one goes on.
    if STDERR.set(Detached { queue, lost: AtomicU64::new(0) }).is_ok() {
        std::thread::spawn(move || write_all(&lines));
    }
}

/// Lines for stderr that wait for the thread that writes them.
struct Detached {
    queue: SyncSender<Line>,
    lost: AtomicU64,
}

enum Line {
    Text(String),
    /// All that came before is written.
    Written(SyncSender<()>),
}

fn write_all(lines: &Receiver<Line>) {
    for line in lines {
        let lost = STDERR.get().map_or(0, |stderr| stderr.lost.swap(0, Ordering::Relaxed));
        if lost > 0 {
            let lines = count(lost, "line was", "lines were");
            let _ = writeln!(std::io::stderr().lock(), "{lines} lost here: nobody was reading");
        }
        match line {
            Line::Text(text) => {
                let _ = writeln!(std::io::stderr().lock(), "{text}");
            }
            Line::Written(told) => {
                let _ = told.try_send(());
            }
        }
    }
}

/// Writes a line to stderr alone. Where a thread does that, one for which there is no room is lost, and counted.
pub fn write_line(text: &str) {
    let Some(stderr) = STDERR.get() else {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
        return;
    };
    if stderr.queue.try_send(Line::Text(text.to_owned())).is_err() {
        stderr.lost.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits until all that was said is written, however long that takes.
pub fn wait_until_written() {
    let Some(stderr) = STDERR.get() else { return };
    let (told, written) = mpsc::sync_channel(1);
    if stderr.queue.send(Line::Written(told)).is_ok() {
        let _ = written.recv();
    }
}

/// The same, but no longer than that: a reader who has stopped reading keeps no process alive.
pub fn flush(at_most: Duration) {
    let (told, written) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        wait_until_written();
        let _ = told.try_send(());
    });
    let _ = written.recv_timeout(at_most);
}

/// Writes a line of talk to stderr and into the log; nobody being there to read it is no failure.
pub fn say(text: &str) {
    write_line(text);
    note(text);
}

/// The same, but only into the log where quiet was asked for.
pub fn say_unless(quiet: bool, text: &str) {
    if quiet { note(text) } else { say(text) }
}

/// Says once who holds the journal, and waits on unless `given_up`.
pub fn while_waiting(quiet: bool, given_up: impl Fn() -> bool + Send + Sync + 'static) -> KeepWaiting {
    let told = AtomicBool::new(false);
    Arc::new(move |busy| {
        if !told.swap(true, Ordering::Relaxed) {
            let who = busy.to_string();
            say_unless(quiet, &format!("{}; waiting for it", who.lines().next().unwrap_or_default()));
        }
        !given_up()
    })
}

/// Writes it into the log alone.
pub fn note(text: &str) {
    if LOG.get().is_some() {
        note_at(Clock::real().now().wall, text);
    }
}

/// Writes it into the log alone, as of a time of the run's own clock.
pub fn note_at(wall: Timestamp, text: &str) {
    if let Some(mut log) = LOG.get() {
        // A log that cannot be written to is no reason to do anything else.
        let _ = log.write_all(stamped(wall, text).as_bytes());
    }
}

/// The last line of a log: how it ended.
pub fn note_exit(wall: Timestamp, exit: Exit) {
    note_at(wall, &format!("exit {}", exit.code()));
}

fn stamped(wall: Timestamp, text: &str) -> String {
    use std::fmt::Write as _;
    let mut stamped = String::new();
    for line in text.lines() {
        // Writing to a string cannot fail.
        let _ = writeln!(stamped, "{wall:.3} {line}");
    }
    stamped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_a_log_has_its_time() {
        let text = stamped(Timestamp::UNIX_EPOCH, "error: no key\n  set it");
        assert_eq!(text, "1970-01-01T00:00:00.000Z error: no key\n1970-01-01T00:00:00.000Z   set it\n");
    }
}
