//! Who is told of a run besides the terminal: a command that is given alerts, and a dead man's switch.
#![expect(clippy::doc_markdown, reason = "these comments are what --help prints")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::account::read_secret;
use super::environment::Environment;
use super::{log, values};
use crate::drive::notify::NotifyOptions;
use crate::drive::notify::ping::PingUrl;
use crate::leads::shown::file;
use crate::report::failure::Failure;

/// The variable that holds the URL of the dead man's switch, or names its file.
const PING_VARIABLE: &str = "DIALER_PING";
/// No URL is longer.
const LONGEST_URL: u64 = 4096;

/// What others are told.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What others are told")]
pub struct NotifyArgs {
    /// Alerts when no more slots of the pool than this are free, the reserved ones among them
    #[arg(long, value_name = "N", value_parser = values::count_of_slots)]
    pub alert_free: Option<u32>,
    /// A command that is given each alert, as one JSON object on its stdin: few free slots, a full pool, a provider that
    /// keeps failing, an account that refuses, another machine, the end
    #[arg(long, value_name = "CMD")]
    pub alert_exec: Option<String>,
    /// A file with the URL of a dead man's switch: it is told of the start (URL/start), of success (URL, exit 0 and 4)
    /// and of failure (URL/fail) [env: DIALER_PING, the URL itself]
    #[arg(long, value_name = "FILE")]
    pub ping_file: Option<PathBuf>,
}

impl NotifyArgs {
    /// Whom that means. The URL is read here, and shown nowhere.
    pub(super) fn options(&self, around: &Environment<'_>) -> Result<NotifyOptions, Failure> {
        let command = self.alert_exec.as_deref().map(str::trim).filter(|command| !command.is_empty());
        let ping = match (&self.ping_file, around.var(PING_VARIABLE)) {
            (Some(path), _) => Some(ping_from(path, "--ping-file")?),
            (None, Some(value)) if value.contains("://") => {
                let url = PingUrl::parse(&value);
                Some(url.map_err(|why| Failure::usage(format!("the URL in {PING_VARIABLE} {why}")))?)
            }
            (None, Some(value)) => Some(ping_from(Path::new(value.trim()), PING_VARIABLE)?),
            (None, None) => None,
        };
        Ok(NotifyOptions { command: command.map(str::to_owned), free: self.alert_free, ping })
    }

    /// What deserves a word.
    pub(super) fn warnings(&self) -> Option<String> {
        let idle = self.alert_free.is_some() && self.alert_exec.is_none();
        idle.then(|| "--alert-free says when there is an alert, and no --alert-exec what is to be run then".to_owned())
    }

    /// Whom a line means that cannot be read otherwise, as far as that can be told.
    pub(super) fn of_line(argv: &[OsString], around: &Environment<'_>) -> NotifyOptions {
        if !log::is_run(argv) || argv.iter().any(|word| word == "--dry-run") {
            return NotifyOptions::default();
        }
        let command = log::named(argv, "--alert-exec").and_then(|command| command.into_string().ok());
        let ping_file = log::named(argv, "--ping-file").map(PathBuf::from);
        Self { alert_free: None, alert_exec: command, ping_file }.options(around).unwrap_or_default()
    }
}

fn ping_from(path: &Path, named_by: &str) -> Result<PingUrl, Failure> {
    if path.to_string_lossy().contains("://") {
        return Err(Failure::usage("--ping-file names a file, and what it was given looks like the URL itself (***)")
            .advise(format!("put it into a file that only you can read, or into {PING_VARIABLE}")));
    }
    let text = read_secret(path, "URL", named_by, LONGEST_URL)?;
    let wrong = |why| Failure::usage(format!("the URL in {} {why}", file(path))).advise(format!("named by {named_by}"));
    PingUrl::parse(&text).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    fn options(file: Option<&str>, variable: Option<&str>) -> Result<NotifyOptions, String> {
        let env = |name: &str| variable.filter(|_| name == PING_VARIABLE).map(str::to_owned);
        let around = Environment { env: &env, now: Timestamp::UNIX_EPOCH, zone: TimeZone::UTC };
        let args = NotifyArgs { alert_free: None, alert_exec: None, ping_file: file.map(PathBuf::from) };
        args.options(&around).map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_url_comes_from_a_file_or_the_variable_and_is_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_string_lossy().into_owned()
        };
        let good = path("good", "https://hc-ping.com/secret\n");
        for (file, variable) in
            [(Some(good.as_str()), None), (None, Some("https://hc-ping.com/secret")), (None, Some(good.as_str()))]
        {
            let options = options(file, variable).unwrap();
            assert!(options.ping.is_some() && !format!("{options:?}").contains("secret"), "{options:?}");
        }
        assert!(options(None, None).unwrap().ping.is_none());
        let bad = path("bad", "http://hc-ping.com/secret");
        let missing = dir.path().join("missing").to_string_lossy().into_owned();
        for (file, variable, says) in [
            (Some(bad.as_str()), None, "unprotected"),
            (Some(missing.as_str()), None, "--ping-file"),
            (Some("https://hc-ping.com/secret"), None, "the URL itself"),
            (None, Some("ftp://hc-ping.com/secret"), "DIALER_PING"),
            (Some("/dev/zero"), None, "larger"),
        ] {
            let said = options(file, variable).unwrap_err();
            assert!(said.contains(says) && !said.contains("secret"), "{said}");
        }
    }
}
