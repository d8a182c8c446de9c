//! What `-h`, `--help` and the manual say beyond the options themselves: which options `-h` leaves to `--help`, examples,
//! and the manual's sections on exit codes, variables and files.

use clap::Arg;

use super::layers::ENVIRONMENT;
use crate::exit::Exit;

/// The options of `run` and `check` that `-h` shows; `--help` shows all.
const COMMON: [&str; 21] = [
    "leads",
    "campaign",
    "assistant_id",
    "phone_number_id",
    "config",
    "column",
    "region",
    "strict",
    "reserve",
    "slots",
    "hours",
    "dnc",
    "attempts",
    "limit",
    "until",
    "wait",
    "only",
    "dry_run",
    "sandbox",
    "yes",
    "json",
];

/// Variables that are no options, and what they are for.
const VARIABLES: [(&str, &str); 7] = [
    ("VAPI_API_KEY", "the private key of the organisation, where --api-key-file names no file that holds it"),
    ("XDG_STATE_HOME, HOME", "where the state directory is, unless --state names one"),
    ("TZ", "the zone of times of day on the command line and on the screen"),
    ("HTTPS_PROXY, ALL_PROXY", "a proxy to the API, http:// or https://; never used for this machine"),
    ("NO_PROXY", "hosts that are reached without it, with commas"),
    ("NO_COLOR", "where it is set, there are no colours"),
    ("LC_ALL, LC_CTYPE, LANG", "whether bars are drawn with more than ASCII: where one of them says UTF-8"),
];

const FILES: [(&str, &str); 5] = [
    ("~/.local/state/dialer", "the state directory ($XDG_STATE_HOME/dialer): the journal of all campaigns"),
    ("NAME.rejects.csv", "in the state directory: the rows of a list that cannot be called, with line and reason"),
    ("--config FILE", "a campaign file (TOML): any option of run by its long name, as in reserve = 3"),
    ("--log FILE", "what happened, line by line, with a line for each call"),
    ("--trace FILE", "every event and decision of a run, for dialer replay; the one before is kept as FILE.1"),
];

/// `-h` of a long list of options shows the common ones.
pub(super) fn shorten(arg: Arg) -> Arg {
    let is_common = COMMON.contains(&arg.get_id().as_str());
    arg.hide_short_help(!is_common)
}

/// Below `-h`.
pub(super) const MORE: &str = "All options, with examples: --help";

pub(super) fn of_run() -> String {
    format!("{}\n\n{}", examples(&RUN), exit_codes())
}

/// A heading and a line for each example.
pub(super) fn examples(examples: &[(&str, &str)]) -> String {
    let example = |(command, what): &(&str, &str)| format!("  {what}:\n      {command}");
    format!("Examples:\n{}", examples.iter().map(example).collect::<Vec<_>>().join("\n"))
}

pub(super) const RUN: [(&str, &str); 6] = [
    ("dialer run leads.csv --sandbox", "A rehearsal without an account"),
    ("dialer run leads.csv --dry-run", "What a run would do"),
    ("dialer run leads.csv --only '+1 415 555 0100'", "A test call to one lead of the list"),
    ("dialer run leads.csv --reserve 4 --hours 09:00-18:00 --days mon-fri", "Four slots for callers, in office hours"),
    (
        "dialer run leads.csv --attempts 3 --retry no-answer=2h --wait",
        "Up to three attempts, staying until all are made",
    ),
    ("dialer run leads.xlsx --region GB --column number=Mobile --later-is-ok", "For cron"),
];

pub(super) const CHECK: [(&str, &str); 3] = [
    ("dialer check leads.csv", "Who can be called, who not and why"),
    ("dialer check leads.csv --region US --rejects rejects.csv", "With the rows that cannot be called in a file"),
    ("dialer check leads.csv --strict --json", "For a script: exit code 2 where anything is odd"),
];

pub(super) const REPORT: [(&str, &str); 2] = [
    ("dialer report leads", "What happened"),
    ("dialer report leads --format csv --output leads.report.csv", "A row for each lead"),
];

pub(super) const SUPPRESS: [(&str, &str); 2] = [
    ("dialer suppress '+1 415 555 0100' --reason 'asked on the phone'", "One number"),
    ("dialer suppress --list", "All that are suppressed"),
];

pub(super) const COMPLETIONS: [(&str, &str); 3] = [
    ("echo 'source <(dialer completions bash)' >> ~/.bashrc", "bash"),
    ("echo 'source <(dialer completions zsh)' >> ~/.zshrc", "zsh"),
    ("dialer completions fish > ~/.config/fish/completions/dialer.fish", "fish"),
];

fn exit_codes() -> String {
    let line = |exit: Exit| format!("  {:>3}  {}", exit.code(), exit.meaning());
    format!("Exit codes:\n{}", Exit::ALL.map(line).join("\n"))
}

/// The sections that a manual has besides: a title, and what is said of each thing in it.
pub(super) fn manual() -> [(&'static str, Vec<(String, String)>); 4] {
    let owned = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, what)| ((*name).to_owned(), (*what).to_owned())).collect::<Vec<_>>()
    };
    let exits = Exit::ALL.map(|exit| (exit.code().to_string(), exit.meaning().to_owned()));
    let options = ENVIRONMENT.map(|(option, variable)| (variable.to_owned(), format!("stands for --{option}")));
    let examples = RUN.iter().chain(&CHECK).chain(&REPORT).map(|(command, what)| (*command, *what));
    [
        ("EXIT STATUS", exits.to_vec()),
        ("ENVIRONMENT", options.into_iter().chain(owned(&VARIABLES)).collect()),
        ("FILES", owned(&FILES)),
        ("EXAMPLES", owned(&examples.collect::<Vec<_>>())),
    ]
}
