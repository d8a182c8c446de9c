//! Which log, or other value, a command line names, for one that cannot be read otherwise.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::private_file::is_same;

/// The log that a command line names, for one that cannot be read otherwise.
pub(super) fn named_log(argv: &[OsString]) -> Option<PathBuf> {
    named(argv, "--log").map(PathBuf::from)
}

/// The value that a line of `run` gives that option, for one that cannot be read otherwise.
pub(super) fn named(argv: &[OsString], option: &str) -> Option<OsString> {
    if !is_run(argv) {
        return None;
    }
    let mut words = argv.iter().skip(2).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == option {
            return words.next().cloned();
        }
        if let Some(value) = word.to_str().and_then(|word| word.strip_prefix(option)?.strip_prefix('=')) {
            return Some(value.into());
        }
    }
    None
}

/// Whether a line is one of `run`.
pub(super) fn is_run(argv: &[OsString]) -> bool {
    argv.get(1).is_some_and(|command| command == "run")
}

/// Whether more than one word of a command line leads to the file of the log, which is then not written to.
pub(super) fn is_named_twice(log: &Path, argv: &[OsString]) -> bool {
    let leads_there = |word: &&OsString| {
        let value = word.to_str().and_then(|word| word.strip_prefix("--")?.split_once('=')).map(|(_, value)| value);
        is_same(log, value.map_or(Path::new(word), Path::new))
    };
    log.is_file() && argv.iter().skip(2).filter(leads_there).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_found_on_a_line_that_cannot_be_read() {
        let named = |line: &str| named_log(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(named("dialer run x.csv --rate 0/s --log a.log"), Some("a.log".into()));
        assert_eq!(named("dialer run --log=b.log"), Some("b.log".into()));
        for line in ["dialer run x.csv", "dialer run --log", "dialer run -- --log a", "dialer status --log a"] {
            assert_eq!(named(line), None, "{line}");
        }
    }

    #[test]
    fn a_log_that_another_option_reads_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        std::fs::write(&path, "").unwrap();
        let shown = path.display();
        let twice = |line: String| is_named_twice(&path, &line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert!(twice(format!("dialer run --config={shown} --log {shown}")));
        assert!(twice(format!("dialer run {shown} --log={shown}")));
        assert!(!twice(format!("dialer run x.csv --log {shown}")));
    }
}
