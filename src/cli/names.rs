//! Names of campaigns, for shells that complete what is typed.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::environment::Environment;
use super::place::state_dir;
use crate::journal::disk::Disk;

/// Offers the campaigns of the state directory that the line names, else the usual one.
pub(super) fn completer() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let words: Vec<_> = std::env::args().collect();
        let typed = typed.to_string_lossy();
        let known = campaigns(named_state(&words), &Environment::of_process());
        known.into_iter().filter(|name| name.starts_with(&*typed)).map(CompletionCandidate::new).collect()
    })
}

/// The campaigns of a state directory, each once; none where it cannot be read, since nobody sees an error here.
fn campaigns(state: Option<PathBuf>, around: &Environment<'_>) -> Vec<String> {
    let state = state.or_else(|| around.var("DIALER_STATE").map(PathBuf::from));
    let disk = state_dir(state.as_deref(), around).ok().and_then(|dir| Disk::look(&dir).ok().flatten());
    let known = disk.and_then(|disk| disk.campaigns().ok()).unwrap_or_default();
    let mut names: Vec<_> = known.into_iter().map(|campaign| campaign.name).collect();
    names.sort();
    names.dedup();
    names
}

fn named_state(words: &[String]) -> Option<PathBuf> {
    let next = words.windows(2).find(|pair| pair[0] == "--state").map(|pair| pair[1].as_str());
    next.or_else(|| words.iter().find_map(|word| word.strip_prefix("--state="))).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_directory_is_the_one_on_the_line() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(named_state(&words("dialer -- dialer status --state /x le")), Some("/x".into()));
        assert_eq!(named_state(&words("dialer -- dialer status --state=/x le")), Some("/x".into()));
        assert_eq!(named_state(&words("dialer -- dialer status le")), None);
    }
}
