//! Where a campaign is remembered, and under which name.

use std::path::{Path, PathBuf};

use icu_normalizer::ComposingNormalizerBorrowed;

use super::environment::Environment;
use super::layers::{Layer, Sources};
use crate::journal::disk::open;
use crate::leads::options::Source;
use crate::leads::shown::{file, plain, typed};
use crate::report::failure::Failure;
use crate::run::plan::State;

/// No campaign's name is longer, in bytes: it becomes part of file names.
const LONGEST_NAME: usize = 100;

/// A campaign's name, and how it came about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// The name, with the date in it where it was asked for.
    pub text: String,
    /// It was given, not taken from the list's file.
    pub given: bool,
    /// It holds the date.
    pub dated: bool,
}

/// The lists, in order; stdin at most once.
pub fn inputs(leads: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let sources: Vec<_> = leads.iter().map(|path| Source::new(path)).collect();
    if sources.iter().filter(|source| **source == Source::Stdin).count() > 1 {
        return Err(Failure::usage("- stands more than once among the lists, and stdin can be read once"));
    }
    Ok(sources)
}

/// The campaign's name: as given, else the stem of the one list.
pub fn name(given: Option<&str>, inputs: &[Source], around: &Environment<'_>) -> Result<Name, Failure> {
    let Some(given) = given else {
        let text = composed(&stem(inputs)?);
        check_name(&text).map_err(|reason| {
            Failure::usage(format!("the list's name, \"{}\", makes no campaign name: {reason}", plain(&text)))
                .advise("give it one:   --campaign NAME")
        })?;
        return Ok(Name { text, given: false, dated: false });
    };
    let text = dated(given, around);
    check_name(&text).map_err(|reason| Failure::usage(format!("--campaign: {given:?} is no name: {reason}")))?;
    Ok(Name { text, given: true, dated: given.contains("{date}") })
}

/// A campaign's name with today's date in it where it asks for that, as every command has it, in composed letters.
pub fn dated(name: &str, around: &Environment<'_>) -> String {
    let today = around.now.to_zoned(around.zone.clone()).strftime("%Y-%m-%d").to_string();
    composed(&name.trim().replace("{date}", &today))
}

/// The same name whichever way its accents are encoded (NFC).
fn composed(name: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(name).into_owned()
}

fn stem(inputs: &[Source]) -> Result<String, Failure> {
    let advice = "give it one:   --campaign NAME";
    match inputs {
        [Source::File(path)] => path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .map(str::to_owned)
            .ok_or_else(|| Failure::usage(format!("{} makes no campaign name", file(path))).advise(advice)),
        [Source::Stdin | Source::Copied(_)] => {
            Err(Failure::usage("a list from stdin has no name to remember the campaign by").advise(advice))
        }
        several => {
            let failure = Failure::usage("several lists have no one name to remember the campaign by");
            let first = several.iter().find_map(|list| Some((list, list.path()?.file_stem()?.to_str()?)));
            Err(match first {
                Some((list, stem)) => failure
                    .advise(format!("to go on with what {list} was begun as:   --campaign {}", typed(stem)))
                    .advise("any other name is a new campaign, which calls everybody afresh"),
                None => failure.advise(advice),
            })
        }
    }
}

/// Why this cannot be a campaign's name, which stands in file names, on screens and in other people's shells.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("it is empty".into());
    }
    if name.len() > LONGEST_NAME {
        return Err(format!("it is longer than {LONGEST_NAME} bytes"));
    }
    if name.starts_with(['.', '-']) {
        return Err("it starts with a dot or a dash".into());
    }
    let wrong = |c: &char| c.is_control() || matches!(c, '/' | '\\' | '{' | '}');
    match name.chars().find(wrong) {
        Some('{' | '}') => Err("between braces it knows {date} alone".into()),
        Some(c) => Err(format!("it holds {c:?}")),
        None => Ok(()),
    }
}

/// The directory where this machine's campaigns are remembered.
pub fn state_dir(given: Option<&Path>, around: &Environment<'_>) -> Result<PathBuf, Failure> {
    let Some(given) = given else { return own_state_dir(around) };
    no_password(given, around)?;
    if open::url(given).is_none() {
        is_directory(given)?;
    }
    Ok(given.to_owned())
}

/// The same; none where nobody named one and there is no place for one, which is no error to those who only look.
pub fn known_state_dir(given: Option<&Path>, around: &Environment<'_>) -> Result<Option<PathBuf>, Failure> {
    match state_dir(given, around) {
        Err(_) if given.is_none() => Ok(None),
        found => found.map(Some),
    }
}

/// A slip in the name of a database is not taken for a new directory, nor a file for one.
fn is_directory(given: &Path) -> Result<(), Failure> {
    let text = given.to_string_lossy();
    let is_scheme = |before: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        before.len() > 1 && before.starts_with(|c: char| c.is_ascii_alphabetic()) && before.chars().all(plain)
    };
    if text.split_once(":/").is_some_and(|(before, _)| is_scheme(before)) {
        let what = format!("--state: {} is neither a directory nor a database that is known", shown(given));
        return Err(Failure::usage(what)
            .advise("PostgreSQL is   postgres://ROLE@HOST/DATABASE")
            .advise("a directory of that name is   ./NAME"));
    }
    if given.is_file() {
        return Err(Failure::usage(format!(
            "--state: {} is a file; campaigns are remembered in a directory",
            file(given)
        ))
        .advise("name a directory of its own, which is made where there is none"));
    }
    Ok(())
}

/// A place, for people.
pub fn shown(place: &Path) -> String {
    open::url(place).map_or_else(|| file(place), |url| file(Path::new(&open::without_password(url))))
}

/// A password on a command line is seen by every process of the machine, and in a file by whoever reads it.
fn no_password(given: &Path, around: &Environment<'_>) -> Result<(), Failure> {
    let Some(url) = open::url(given) else { return Ok(()) };
    let from_environment = around.var("DIALER_STATE").is_some_and(|state| state == url);
    if from_environment || !open::has_password(url) {
        return Ok(());
    }
    let refused = Failure::usage("--state: a password has no place on a command line, where every process can read it");
    Err(refused.advise("leave it out of the URL, and set PGPASSWORD or PGPASSFILE, or the whole URL as DIALER_STATE"))
}

/// The same, where nobody says which.
fn own_state_dir(around: &Environment<'_>) -> Result<PathBuf, Failure> {
    let absolute = |name: &str| around.var(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(kept) = absolute("XDG_STATE_HOME") {
        return Ok(kept.join("dialer"));
    }
    absolute("HOME").map(|home| home.join(".local/state/dialer")).ok_or_else(|| {
        Failure::usage("there is no place to remember this campaign: neither HOME nor XDG_STATE_HOME is set")
            .advise("name a directory that lasts:   --state DIR (or DIALER_STATE)")
    })
}

/// A word on a state directory that others can look into. Its files are private, their names tell of campaigns.
pub fn seen_by_others(state: &State) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let State::Kept(dir) = state else { return None };
    let mode = dir.metadata().ok()?.mode();
    (mode & 0o055 != 0).then(|| format!("{} can be read by other users of this machine:   chmod 700 it", file(dir)))
}

/// Where a run keeps its state. The sandbox remembers nothing unless the command line says where.
pub fn state(
    given: Option<&Path>,
    sources: &Sources,
    sandbox: bool,
    dry_run: bool,
    around: &Environment<'_>,
) -> Result<State, Failure> {
    if sandbox && sources.of("state") != Layer::CommandLine {
        return Ok(State::ThrownAway);
    }
    let place = if dry_run { known_state_dir(given, around)? } else { Some(state_dir(given, around)?) };
    Ok(match place {
        None => State::ThrownAway,
        Some(place) if open::url(&place).is_some() => State::Shared { url: place, files: files(around) },
        Some(place) => State::Kept(place),
    })
}

/// Where the files of a run are whose journal is in a database.
pub(super) fn files(around: &Environment<'_>) -> PathBuf {
    let user = rustix::process::geteuid().as_raw();
    own_state_dir(around).unwrap_or_else(|_| std::env::temp_dir().join(format!("dialer-{user}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_in_either_encoding_make_one_campaign() {
        let around = Environment { env: &|_| None, now: jiff::Timestamp::UNIX_EPOCH, zone: jiff::tz::TimeZone::UTC };
        let inputs = inputs(&["Ma\u{308}rz.csv".into()]).unwrap();
        assert_eq!(name(None, &inputs, &around).unwrap().text, "M\u{e4}rz");
        assert_eq!(name(Some("Ma\u{308}rz"), &inputs, &around).unwrap().text, "M\u{e4}rz");
        assert_eq!(dated(" Ma\u{308}rz-{date} ", &around), "M\u{e4}rz-1970-01-01");
    }

    #[test]
    fn a_password_comes_from_the_environment_alone() {
        let url = "postgres://me:hush@db/d";
        let with = |env: &dyn Fn(&str) -> Option<String>| {
            let around = Environment { env, now: jiff::Timestamp::UNIX_EPOCH, zone: jiff::tz::TimeZone::UTC };
            state_dir(Some(Path::new(url)), &around)
        };
        let refused = with(&|_| None).unwrap_err();
        assert!(refused.exit == crate::exit::Exit::Usage && !refused.to_string().contains("hush"), "{refused}");
        assert_eq!(with(&|name| (name == "DIALER_STATE").then(|| url.to_owned())).unwrap(), Path::new(url));
        assert_eq!(shown(Path::new(url)), "postgres://me:***@db/d");
        // Neither a rehearsal nor a check does without the journal that was named.
        let around = Environment { env: &|_| None, now: jiff::Timestamp::UNIX_EPOCH, zone: jiff::tz::TimeZone::UTC };
        assert!(state(Some(Path::new(url)), &Sources::default(), false, true, &around).is_err());
    }

    #[test]
    fn a_slip_in_a_database_is_no_new_directory() {
        let around = Environment { env: &|_| None, now: jiff::Timestamp::UNIX_EPOCH, zone: jiff::tz::TimeZone::UTC };
        for slip in ["mysql://x/y", "postgress://me@db/d", "postgres:/me@db/d", "Cargo.toml"] {
            assert!(state_dir(Some(Path::new(slip)), &around).is_err(), "{slip}");
        }
        for dir in ["state", "./mysql:/x", "/tmp/a:/b", "c:/x"] {
            assert!(state_dir(Some(Path::new(dir)), &around).is_ok(), "{dir}");
        }
    }
}
