//! Everything that a run goes by, as plain data: whoever starts one says it once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use crate::campaign::plan::{Plan, Reserve};
use crate::drive::results::ResultsPlan;
use crate::drive::trace_file::TracePlan;
use crate::drive::webhook::WebhookPlan;
use crate::leads::lead::Only;
use crate::leads::options::{ListOptions, Source};
use crate::leads::shown::typed;
use crate::live::Address;
use crate::report::failure::Failure;
use crate::vapi::request::{MessageServer, Target};

/// Everything that a run goes by.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct RunPlan {
    /// What the campaign decides by.
    pub plan: Plan,
    /// The name was given, not taken from the list's file: another list or assistant may go under it.
    pub name_given: bool,
    /// The reserve as it was typed.
    pub reserve: String,
    /// The lists, in order.
    pub inputs: Vec<Source>,
    /// How they are read.
    pub list: ListOptions,
    /// The one lead that is called, where only one is.
    pub only: Option<Only>,
    /// Where rows go that cannot be called, if that was said.
    pub rejects: Option<PathBuf>,
    /// Any finding ends it.
    pub strict: bool,
    /// The import may drop more than half of the open leads.
    pub replace: bool,
    /// Do-not-call lists.
    pub dnc: Vec<PathBuf>,
    /// Other organisations whose calls are seen.
    pub watched: Vec<WatchKey>,
    /// Joins organisations of one subscription.
    pub pool: Option<String>,
    /// Which account is called from; in the sandbox its base URL is empty, for the stand-in to fill in.
    pub account: Account,
    /// What a dry run lacks for a real one: what, and the cure.
    pub missing: Vec<(String, String)>,
    /// Where it is remembered.
    pub state: State,
    /// How long a database that is away is waited for.
    pub journal_patience: Duration,
    /// Another run that holds the campaign is waited for.
    pub standby: bool,
    /// How long a request may go unanswered.
    pub post_timeout: Duration,
    /// The field of a call's analysis that says: never again.
    pub opt_out_field: Option<String>,
    /// Everything but the dialing.
    pub dry_run: bool,
    /// Against the built-in stand-in.
    pub sandbox: bool,
    /// One object on stdout.
    pub json: bool,
    /// Only trouble is shown.
    pub quiet: bool,
    /// What happens is written here too.
    pub log: Option<PathBuf>,
    /// What happens and what is decided is recorded here.
    pub trace: Option<TracePlan>,
    /// Where a row is written for each lead that is settled.
    pub results: Option<ResultsPlan>,
    /// Where the provider's server messages are taken.
    pub webhook: Option<WebhookPlan>,
    /// Where each call is told to send them; none leaves that as it is.
    pub server: Option<MessageServer>,
    /// Where the run is shown.
    pub serve: Option<Address>,
    /// What deserves a word before it starts.
    pub warnings: Vec<String>,
    /// The command itself, to be given again.
    pub command: TypedCommand,
}

/// A command line as it was typed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TypedCommand {
    /// Its words, the program's first.
    pub words: Vec<String>,
    /// The directory in which its paths mean something.
    pub dir: PathBuf,
}

impl TypedCommand {
    /// It for any shell in any directory, with these words at its end.
    pub fn with(&self, more: &[&str]) -> String {
        let words: Vec<_> = self.words.iter().map(String::as_str).chain(more.iter().copied()).map(typed).collect();
        let command = words.join(" ");
        let is_here = |word: &String| {
            let path = Path::new(word.split_once('=').map_or(&**word, |(_, value)| value));
            path.is_relative() && !path.as_os_str().is_empty() && self.dir.join(path).exists()
        };
        if self.words.iter().any(is_here) {
            format!("cd {} && {command}", typed(&self.dir.to_string_lossy()))
        } else {
            command
        }
    }

    /// The same without an option and its value.
    #[must_use]
    pub fn without(&self, option: &str) -> Self {
        let mut words = self.words.iter();
        let mut kept = Vec::new();
        while let Some(word) = words.next() {
            if word == option {
                words.next();
            } else if word.strip_prefix(option).is_none_or(|rest| !rest.starts_with('=')) {
                kept.push(word.clone());
            }
        }
        Self { words: kept, dir: self.dir.clone() }
    }
}

/// The key of another organisation, to read its calls with.
#[derive(Clone, Debug)]
pub struct WatchKey {
    /// What the organisation is called to people.
    pub name: String,
    /// The key.
    pub key: SecretString,
}

/// The account. Under `--dry-run` what is missing is a placeholder.
#[derive(Clone, Debug)]
pub struct Account {
    /// Where the API is, without a slash at its end.
    pub base_url: String,
    /// The key; none in a dry run without one, and in the sandbox.
    pub key: Option<SecretString>,
    /// What talks.
    pub target: Target,
    /// The lines (phone number ids), taken in turn; never empty.
    pub lines: Vec<String>,
}

/// Where state is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// In this directory, made where it is missing.
    Kept(PathBuf),
    /// In a database that other machines share; the files of a run are in this directory.
    Shared {
        /// Its URL.
        url: PathBuf,
        /// For rejected rows, and copies of lists that can be read once.
        files: PathBuf,
    },
    /// Nowhere that lasts: a directory of its own that goes with the run.
    ThrownAway,
}

impl State {
    /// Where the journal is, where that lasts.
    pub fn journal(&self) -> Option<&Path> {
        match self {
            Self::Kept(place) | Self::Shared { url: place, .. } => Some(place),
            Self::ThrownAway => None,
        }
    }
}

/// Whether the reserve and the margin leave a slot to dial with, of the limit known at the start. A timetable may take all
/// for some hours, in which nobody is dialed, but not for the whole day.
pub fn reserve_fits(reserve: &Reserve, caution: u32, slots: u32) -> Result<(), Failure> {
    let least = reserve.least();
    if least.saturating_add(caution) < slots {
        return Ok(());
    }
    let and = if caution > 0 { format!(" and a margin of {caution}") } else { String::new() };
    let all_day = if reserve.is_timetable() { "at any time of day, " } else { "" };
    let leave = if caution > 0 { "leave" } else { "leaves" };
    let what = match least {
        0 => format!("a margin of {caution} leaves no slot of the pool's {slots} to dial with"),
        least => format!("{all_day}a reserve of {least}{and} {leave} no slot of the pool's {slots} to dial with"),
    };
    let cure = match slots.saturating_sub(1) {
        0 => "reserve none:   --reserve 0 --margin 0, or say how many there are:   --slots N".to_owned(),
        most if caution > 0 => {
            format!(
                "reserve {most} or fewer with --reserve and --margin together, or say how many there are:   --slots N"
            )
        }
        most => format!("reserve {most} or fewer with --reserve, or say how many there are:   --slots N"),
    };
    Err(Failure::usage(what).advise(cure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_typed_again_in_any_directory() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("my lists");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("leads.csv"), "").unwrap();
        let command = |line: &[&str]| TypedCommand {
            words: line.iter().map(|word| (*word).to_owned()).collect(),
            dir: folder.clone(),
        };
        let here = format!("cd '{}' && dialer run", folder.display());
        let typed = command(&["dialer", "run", "leads.csv", "--hours", "9-17,18-19", "--only", "+1 415 555 0100"]);
        assert_eq!(
            typed.with(&["--campaign", "it's"]),
            format!(r"{here} leads.csv --hours 9-17,18-19 --only '+1 415 555 0100' --campaign 'it'\''s'")
        );
        assert_eq!(typed.without("--only").with(&[]), format!("{here} leads.csv --hours 9-17,18-19"));
        let typed = command(&["dialer", "run", "/x/leads.csv", "--limit=5", "--only=+14155550100"]);
        assert_eq!(typed.without("--only").with(&[]), "dialer run /x/leads.csv --limit=5");
        assert_eq!(command(&["dialer", "run", "-", "--dnc=leads.csv"]).with(&[]), format!("{here} - --dnc=leads.csv"));
    }
}
