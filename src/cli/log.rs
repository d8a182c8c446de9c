//! Which log a command line names, for one that cannot be read otherwise.

use std::ffi::OsString;
use std::path::PathBuf;

/// The log that a command line names, for one that cannot be read otherwise.
pub(super) fn named_log(argv: &[OsString]) -> Option<PathBuf> {
    if argv.get(1).is_none_or(|command| command != "run") {
        return None;
    }
    let mut words = argv.iter().skip(2).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == "--log" {
            return words.next().map(PathBuf::from);
        }
        if let Some(path) = word.to_str().and_then(|word| word.strip_prefix("--log=")) {
            return Some(PathBuf::from(path));
        }
    }
    None
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
}
