//! Which account is called from: the key, what talks, the lines, and where the API is.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::args::AccountArgs;
use super::environment::Environment;
use super::layers::{Layer, Sources};
use crate::leads::shown::shown;
use crate::private_file::read_whole;
use crate::rehearsal::sandbox::{ASSISTANT, LINE};
use crate::report::failure::Failure;
use crate::run::plan::{Account, WatchKey};
use crate::text;
use crate::vapi::base::BaseUrl;
use crate::vapi::request::Target;

/// The variable that holds the key.
pub const KEY_VARIABLE: &str = "VAPI_API_KEY";
/// No key is longer.
const LONGEST_KEY: usize = 4096;

/// The account as it was given, with a line for each thing that is missing and for each that deserves a warning.
#[derive(Clone, Debug)]
pub struct Found {
    /// The account, with placeholders for what is missing.
    pub account: Account,
    /// What is missing, first what and then the cure.
    pub missing: Vec<(String, String)>,
    /// What deserves a word.
    pub warnings: Vec<String>,
}

/// Reads the account out of the options and the environment. All that is wrong is told at once, with what is missing.
pub fn find(args: &AccountArgs, around: &Environment<'_>) -> Result<Found, Failure> {
    let (mut missing, mut warnings) = (Vec::new(), Vec::new());
    let base_url = base_url(&args.base_url);
    let key = key(args.api_key_file.as_deref(), around, &mut warnings);
    let (target, lines) = (target(args), lines(&args.phone_number_id));
    if matches!(key, Ok(None)) {
        missing.push((
            "no key".to_owned(),
            format!("set {KEY_VARIABLE} to the organisation's private key, or name a file:   --api-key-file FILE"),
        ));
    }
    if matches!(target, Ok(None)) {
        let cure = "name what talks:   --assistant-id ID (or VAPI_ASSISTANT_ID), --squad-id or --workflow-id";
        missing.push(("no assistant".to_owned(), cure.to_owned()));
    }
    if lines.as_ref().is_ok_and(Vec::is_empty) {
        let cure = "name the line to call from:   --phone-number-id ID (or VAPI_PHONE_NUMBER_ID)";
        missing.push(("no phone number to call from".to_owned(), cure.to_owned()));
    }
    let (base_url, key, target, mut lines) = match (base_url, key, target, lines) {
        (Ok(base_url), Ok(key), Ok(target), Ok(lines)) => (base_url, key, target, lines),
        (base_url, key, target, lines) => {
            let wrong = [base_url.err(), key.err(), target.err(), lines.err()].into_iter().flatten();
            let lacking = missing.into_iter().map(|(what, cure)| Failure::usage(what).advise(cure));
            return Err(wrong.chain(lacking).reduce(Failure::and).expect("one of them is wrong"));
        }
    };
    let target = target.unwrap_or_else(|| Target::Assistant("ASSISTANT_ID".into()));
    let is_key = |id: &str| key.as_ref().is_some_and(|key| key.expose_secret() == id);
    if std::iter::once(target.id()).chain(lines.iter().map(String::as_str)).any(is_key) {
        return Err(Failure::usage("the key was given as an id, too").advise(
            "--assistant-id, --squad-id, --workflow-id and --phone-number-id each name one of what the dashboard lists",
        ));
    }
    if lines.is_empty() {
        lines.push("PHONE_NUMBER_ID".into());
    }
    Ok(Found { account: Account { base_url, key, target, lines }, missing, warnings })
}

/// The account of the built-in stand-in. Nothing of a real one may reach it, so nothing of a real one is read.
pub fn of_sandbox(args: &AccountArgs, sources: &Sources) -> Result<Account, Failure> {
    if sources.of("base-url") == Layer::CommandLine {
        return Err(Failure::usage("--sandbox brings its own API, so --base-url cannot be given with it")
            .advise("leave one of the two out"));
    }
    let typed = |option: &str| sources.of(option) == Layer::CommandLine;
    let lines = if typed("phone-number-id") { lines(&args.phone_number_id)? } else { vec![LINE.into()] };
    let target = if ["assistant-id", "squad-id", "workflow-id"].into_iter().any(typed) { target(args)? } else { None };
    let target = target.unwrap_or_else(|| Target::Assistant(ASSISTANT.into()));
    Ok(Account { base_url: String::new(), key: None, target, lines })
}

fn target(args: &AccountArgs) -> Result<Option<Target>, Failure> {
    let given = |id: &Option<String>, make: fn(String) -> Target, flag: &str| match id.as_deref().map(str::trim) {
        None => Ok(None),
        Some(id) => identifier(id, flag).map(|id| Some(make(id))),
    };
    let targets = [
        given(&args.assistant_id, Target::Assistant, "--assistant-id")?,
        given(&args.squad_id, Target::Squad, "--squad-id")?,
        given(&args.workflow_id, Target::Workflow, "--workflow-id")?,
    ];
    let mut targets = targets.into_iter().flatten();
    let first = targets.next();
    if targets.next().is_some() {
        return Err(Failure::usage(
            "more than one of --assistant-id, --squad-id and --workflow-id is given, and one of them talks",
        )
        .advise("leave the others out; VAPI_ASSISTANT_ID, VAPI_SQUAD_ID and VAPI_WORKFLOW_ID count too"));
    }
    Ok(first)
}

fn lines(given: &[String]) -> Result<Vec<String>, Failure> {
    let mut lines: Vec<String> = Vec::new();
    for id in given.iter().flat_map(|ids| ids.split(',')) {
        let id = identifier(id.trim(), "--phone-number-id")?;
        if !lines.contains(&id) {
            lines.push(id);
        }
    }
    Ok(lines)
}

/// An id stands in URLs and reports, so it is plain.
fn identifier(id: &str, flag: &str) -> Result<String, Failure> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=100).contains(&id.len()) && id.bytes().all(plain) {
        return Ok(id.to_owned());
    }
    Err(Failure::usage(format!("{flag}: {id:?} is not an id of the API"))
        .advise("an id is letters, digits and dashes, as the dashboard shows it"))
}

pub(super) fn base_url(text: &str) -> Result<String, Failure> {
    BaseUrl::parse(text).map(|url| url.to_string()).map_err(|error| Failure::usage(error.to_string()))
}

pub(super) fn key(
    file: Option<&Path>,
    around: &Environment<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<SecretString>, Failure> {
    let variable = around.var(KEY_VARIABLE);
    match (file, variable) {
        (None, None) => Ok(None),
        (None, Some(text)) => {
            secret(&text).map(Some).map_err(|reason| Failure::usage(format!("{KEY_VARIABLE} {reason}")))
        }
        // A flag, and the campaign file, win over the environment.
        (Some(path), _) => {
            let key = key_from(path, "--api-key-file")?;
            if others_may_read(path) {
                warnings.push(format!("{} can be read by every user of this machine:   chmod 600 it", name_of(path)));
            }
            Ok(Some(key))
        }
    }
}

/// The keys of other organisations. The campaign's own is none of them, and the built-in stand-in has no others.
pub(super) fn watched(
    files: &[PathBuf],
    account: &Account,
    sandbox: bool,
    warnings: &mut Vec<String>,
) -> Result<Vec<WatchKey>, Failure> {
    let mut watched: Vec<WatchKey> = Vec::new();
    for path in files {
        let key = key_from(path, "--watch-key-file")?;
        let name = format!("the organisation of {}", shown(&path.display().to_string()));
        let is = |other: &SecretString| other.expose_secret() == key.expose_secret();
        if sandbox {
            warnings.push(format!("{name} is not read: the stand-in of --sandbox has one organisation"));
        } else if account.key.as_ref().is_some_and(is) {
            warnings.push(format!("{name} is the one that calls, so that its calls are seen without --watch-key-file"));
        } else if !watched.iter().any(|other| is(&other.key)) {
            watched.push(WatchKey { name, key });
        }
    }
    Ok(watched)
}

/// Reads a key from a file that a flag names.
pub(super) fn key_from(path: &Path, flag: &str) -> Result<SecretString, Failure> {
    let text = read_secret(path, "key", flag, LONGEST_KEY as u64 + 2)?;
    let wrong = |why| Failure::usage(format!("the key in {} {why}", name_of(path))).advise(format!("named by {flag}"));
    secret(&text).map_err(wrong)
}

/// The text of a file that holds a secret. What was given for its name may be the secret itself, and is not shown then.
pub(super) fn read_secret(path: &Path, what: &str, named_by: &str, most: u64) -> Result<String, Failure> {
    read_whole(path, most).map_err(|error| {
        let failure = Failure::usage(format!("the {what} in {} cannot be read: {error}", name_of(path)));
        if looks_like_a_secret(path) {
            failure.advise(format!("{named_by} names a file, and that looks like the {what} itself: put it into one"))
        } else {
            failure.advise(format!("named by {named_by}"))
        }
    })
}

/// A secret's file, as it may be shown.
fn name_of(path: &Path) -> String {
    if looks_like_a_secret(path) { "***".to_owned() } else { text::path(path) }
}

/// Whether what should name a file is probably what the file should hold.
fn looks_like_a_secret(path: &Path) -> bool {
    let Some(text) = path.to_str().map(str::trim) else { return false };
    let begins = ["sk-", "whsec_"].iter().any(|begin| text.starts_with(begin));
    begins || text.rsplit('/').next().is_some_and(is_uuid) || (text.len() >= 20 && !text.contains(['/', '.']))
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A key from its text, without the white space around it.
fn secret(text: &str) -> Result<SecretString, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty".into());
    }
    if text.len() > LONGEST_KEY || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("is not a key: a key is one line of plain letters, digits and signs".into());
    }
    Ok(text.to_owned().into())
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_given_as_the_name_of_its_file_is_not_shown() {
        for key in ["sk-live/abc.def", "0f8fad5b-d9cb-469f-a165-70867728950e", "abcdefghij0123456789"] {
            let said = key_from(Path::new(key), "--api-key-file").unwrap_err().to_string();
            assert!(!said.contains(key) && said.contains("***") && said.contains("the key itself"), "{said}");
        }
        for other in ["whsec_MfKQ9r8GKYqr/wjUPD8ILPZIo2LaLaSw", "hc-ping.com/0f8fad5b-d9cb-469f-a165-70867728950e"] {
            let said = read_secret(Path::new(other), "secret", "--webhook-secret-file", 10).unwrap_err().to_string();
            assert!(!said.contains(other) && said.contains("***") && said.contains("the secret itself"), "{said}");
        }
        for file in ["keys/production-of-acme", "production-of-acme.key", "key"] {
            let said = key_from(Path::new(file), "--api-key-file").unwrap_err().to_string();
            assert!(said.contains(file), "{said}");
        }
    }
}
