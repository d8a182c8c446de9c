//! docs/cli.md says what the program says: its help, its options, its exit codes. Where they part, this test shows how,
//! and `UPDATE_README=1 cargo test --test program cli_readme` mends it.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, CommandFactory};
use dialer::cli::Cli;
use dialer::cli::layers::ENVIRONMENT;
use dialer::exit::Exit;

fn reference() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md")
}

/// Compares what stands between the two comments of that name with what the program says.
fn compare(name: &str, said: &str) {
    let text = std::fs::read_to_string(reference()).unwrap();
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let from = text.find(&open).unwrap_or_else(|| panic!("docs/cli.md has no {open}")) + open.len();
    let to = text.find(&close).unwrap_or_else(|| panic!("docs/cli.md has no {close}"));
    if &text[from..to] == said {
        return;
    }
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(reference(), format!("{}{said}{}", &text[..from], &text[to..])).unwrap();
        return;
    }
    panic!("docs/cli.md's {name} should be\n{said}\nand is\n{}", &text[from..to]);
}

#[test]
fn what_the_reference_repeats_is_what_the_program_says() {
    let mut cli = Cli::command().term_width(100);
    cli.build();
    compare("help", &format!("```text\n{}```\n", cli.render_help()));
    compare("options", &options(cli.find_subcommand("run").unwrap()));
    let codes = Exit::ALL.map(|exit| format!("| {} | {} |\n", exit.code(), exit.meaning()));
    compare("exit codes", &format!("| exit | meaning |\n|---|---|\n{}", codes.concat()));
}

/// The options of a command as a table, in groups.
fn options(command: &Command) -> String {
    let mut table = "| option | default | |\n|---|---|---|\n".to_owned();
    let mut group = None;
    for arg in command.get_arguments().filter(|arg| arg.get_long().is_some_and(|long| long != "help")) {
        if group != arg.get_help_heading() {
            group = arg.get_help_heading();
            let _ = writeln!(table, "| **{}** | | |", group.unwrap_or_default());
        }
        let (meaning, said) = split_default(&arg.get_help().map(ToString::to_string).unwrap_or_default());
        let default = if said.is_empty() { default_of(arg) } else { said };
        let _ = writeln!(table, "| `{}` | {default} | {meaning} |", shape(arg).replace('|', "\\|"));
    }
    table
}

fn shape(arg: &Arg) -> String {
    let long = arg.get_long().unwrap_or_default();
    match arg.get_action() {
        ArgAction::SetTrue => format!("--{long}"),
        _ => format!("--{long} {}", arg.get_value_names().map_or(String::new(), |names| names.join(" "))),
    }
}

fn default_of(arg: &Arg) -> String {
    let values: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    match arg.get_action() {
        ArgAction::SetTrue => String::new(),
        _ if values.is_empty() => String::new(),
        _ => format!("`{}`", values.join(" ")),
    }
}

/// A help text without the default that stands at its end, and that.
fn split_default(help: &str) -> (String, String) {
    let help = help.replace('\n', " ");
    let Some((meaning, default)) = help.split_once(" [default") else { return (help, String::new()) };
    let default = default.trim_start_matches(':').trim().trim_end_matches(']');
    (meaning.trim_end().to_owned(), default.to_owned())
}

#[test]
fn every_option_that_the_environment_gives_says_so() {
    let cli = Cli::command();
    let run = cli.find_subcommand("run").unwrap();
    for (option, variable) in ENVIRONMENT {
        let arg = run.get_arguments().find(|arg| arg.get_long() == Some(option)).unwrap();
        assert!(arg.get_help().unwrap().to_string().contains(&format!("[env: {variable}")), "--{option}");
    }
}

#[test]
fn every_option_of_the_contract_is_there_with_its_default() {
    let cli = Cli::command();
    let run = cli.find_subcommand("run").unwrap();
    let contract = [
        "campaign",
        "state",
        "assistant-id",
        "squad-id",
        "workflow-id",
        "phone-number-id",
        "api-key-file",
        "base-url=https://api.vapi.ai",
        "config",
        "column",
        "region",
        "sheet",
        "require",
        "allow",
        "rejects",
        "strict",
        "reserve=3",
        "slots",
        "max-concurrent",
        "margin=0",
        "pool",
        "batch-size=50",
        "rate=1/s",
        "poll=1s",
        "post-timeout=30s",
        "probe-after",
        "in-doubt=10m",
        "look-back=7d",
        "adopt",
        "replace",
        "drain",
        "hours=08:00-21:00",
        "days",
        "zone",
        "zone-from=both",
        "night",
        "holidays",
        "guard=5m",
        "dnc",
        "not-if-called-within",
        "attempts=1",
        "retry",
        "per-day=2",
        "only",
        "limit",
        "max-cost",
        "until",
        "wait",
        "later-is-ok",
        "dry-run",
        "sandbox",
        "yes",
        "assume",
        "runs=200",
        "html",
        "serve",
        "serve-anyone",
        "json",
        "quiet",
        "color=auto",
        "log",
        "trace",
        "trace-numbers",
        "requests=150/min",
        "results",
        "results-wait=2m",
        "target",
        "release-lag=0",
        "watch-key-file",
        "online",
        "journal-patience=2m",
        "standby",
        "opt-out-field",
        "alert-free",
        "alert-exec",
        "ping-file",
        "webhook",
        "webhook-secret-file",
        "webhook-url",
        "webhook-replace",
    ];
    for option in contract {
        let (long, default) = option.split_once('=').unwrap_or((option, ""));
        let arg = run.get_arguments().find(|arg| arg.get_long() == Some(long)).unwrap_or_else(|| panic!("--{long}"));
        let given: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        if !matches!(arg.get_action(), ArgAction::SetTrue) {
            assert_eq!(given.join(" "), default, "--{long}");
        }
    }
    assert_eq!(run.get_arguments().filter(|arg| arg.get_long().is_some()).count(), contract.len(), "no others");
}
