//! What the program says: on stderr, and in the file of `--log`, which has it under `--quiet` too. The file is the
//! process's, as stderr is, so that whoever has something to say does not carry it about.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use jiff::Timestamp;

use crate::drive::clock::Clock;
use crate::exit::Exit;
use crate::leads::shown::file;
use crate::private_file;
use crate::report::failure::Failure;

static LOG: OnceLock<File> = OnceLock::new();

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

/// Writes a line of talk to stderr and into the log; nobody being there to read it is no failure.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    note(text);
}

/// The same, but only into the log where quiet was asked for.
pub fn say_unless(quiet: bool, text: &str) {
    if quiet { note(text) } else { say(text) }
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
