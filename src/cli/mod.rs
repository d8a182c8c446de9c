//! What was typed, and what it means: one small file per command. Nothing here decides about calls.

use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};

use crate::drive;
use crate::drive::notify::{Notifier, NotifyEnd};
use crate::drive::talk::{self, say};
use crate::exit::Exit;
use crate::report::failure::Failure;
use crate::run::plan::TypedCommand;
use args::{CheckArgs, RunArgs};
use control::Order;
use environment::Environment;
use layers::Sources;

pub mod args;
pub mod values;

pub mod layers;

pub mod environment;

pub mod notify;
mod online;

pub mod webhook;

pub mod plan;

pub mod account;

pub mod place;

mod log;

mod trace;

pub mod run;

mod assumed;
mod dry;
mod dry_online;

mod ending;

pub mod display;

pub mod sandbox;

pub mod journal;

pub mod status;
mod transcripts;

mod watching;

mod serving;

pub mod explain;

pub mod control;
pub mod move_state;

pub mod prune;
pub mod release;

pub mod people;

pub mod shell;

mod guard;
mod help;

mod names;

pub mod doctor;

pub mod advise;
pub mod replay;
pub mod report;
pub mod usage;

/// Calls a list of leads through the Vapi voice API, and keeps slots free for inbound callers
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "dialer", version, long_version = crate::VERSION, about, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Call the leads on a list (run again to resume)
    #[command(mut_args = help::shorten, after_help = help::MORE, after_long_help = help::of_run())]
    Run(Box<RunArgs>),
    /// Validate a list without calling anyone
    #[command(mut_args = help::shorten, after_help = help::MORE, after_long_help = help::examples(&help::CHECK))]
    Check(Box<CheckArgs>),
    /// Show what happened in a campaign: outcomes, hours, cost; as text, CSV, JSON or a page
    #[command(after_long_help = help::examples(&help::REPORT))]
    Report(report::ReportArgs),
    /// Show what a reserve buys, which to choose, and what more lines would cost
    Advise(Box<advise::AdviseArgs>),
    /// Show concurrency, minutes and cost of the account over time
    Usage(Box<usage::UsageArgs>),
    /// Show how campaigns are doing
    Status(status::StatusArgs),
    /// Explain when and why a number was called, or was not
    Explain(explain::ExplainArgs),
    /// Pause a campaign until `resume`, from another shell
    Pause(control::CampaignArgs),
    /// End a pause
    Resume(control::OneOrAllArgs),
    /// Stop a run as the first Ctrl-C does, from another shell
    Stop(control::OneOrAllArgs),
    /// Retry leads whose call could not be confirmed; asks first
    Release(release::ReleaseArgs),
    /// Never call a number again, in any campaign
    #[command(after_long_help = help::examples(&help::SUPPRESS))]
    Suppress(people::SuppressArgs),
    /// Take a number off that list; asks first
    Unsuppress(people::PhoneArgs),
    /// Erase a person, and never call them again; asks first
    Forget(people::PhoneArgs),
    /// Drop settled campaigns that were over long ago; suppressed numbers stay
    Prune(prune::PruneArgs),
    /// Move a state directory into PostgreSQL, or back
    MoveState(move_state::MoveStateArgs),
    /// Run a stand-in for the API on loopback: nobody is called
    Sandbox(Box<sandbox::Args>),
    /// Step a recorded run again, and show where it decides otherwise
    Replay(replay::ReplayArgs),
    /// Print completions for a shell
    #[command(after_long_help = help::examples(&help::COMPLETIONS))]
    Completions(shell::CompletionsArgs),
    /// Print the manual page
    Man,
}

/// How long whoever reads stderr may take over what is left at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// From a command line to an exit code.
pub fn main(argv: &[OsString]) -> Exit {
    let env = &environment::process_env;
    let typed = match read(argv, env) {
        Ok(typed) => typed,
        Err(refusal) => return refused(&refusal, argv),
    };
    let exit = match &typed.command {
        Command::Run(options) => run::run(options, &typed),
        _ => dispatch(&typed).unwrap_or_else(|failure| refuse(&failure, wants_json(argv), None)),
    };
    talk::flush(PATIENCE);
    exit
}

/// The command line, the campaign file or the environment cannot be read. A log that it names has the words too; where
/// that cannot be opened, what was wrong first is said all the same.
fn refused(refusal: &Refusal, argv: &[OsString]) -> Exit {
    let help = matches!(refusal, Refusal::Clap(error) if !error.use_stderr());
    if let Some(log) = log::named_log(argv).filter(|log| !help && !log::is_named_twice(log, argv)) {
        let _ = talk::keep_log(&log);
    }
    let around = Environment::of_process();
    let campaign = log::named(argv, "--campaign").and_then(|name| name.into_string().ok());
    let campaign = campaign.and_then(|name| place::name(Some(&name), &[], &around).ok()).map(|name| name.text);
    let exit = match refusal {
        Refusal::Clap(error) => clap_says(error, argv, campaign.as_deref()),
        Refusal::Wrong(failure) => refuse(failure, wants_json(argv), campaign.as_deref()),
    };
    if !help {
        let mut notifier = Notifier::start(notify::NotifyArgs::of_line(argv, &around));
        let text = "the command line, or what it names, cannot be read".to_owned();
        run::tell_end(&mut notifier, &NotifyEnd { campaign, exit, text, wall: around.now });
    }
    exit
}

fn dispatch(typed: &ParsedArgs) -> Result<Exit, Failure> {
    let around = Environment::of_process();
    match &typed.command {
        Command::Run(_) => unreachable!("a run says itself how it ended"),
        Command::Check(args) => doctor::check_lists(args, &typed.sources, &around),
        Command::Report(args) => report::report(args, &around),
        Command::Advise(args) => advise::advise(args, &around),
        Command::Usage(args) => usage::usage(args, &around),
        Command::Status(args) => status::status(args, &around),
        Command::Explain(args) => explain::explain(args, &around),
        Command::Pause(args) => control::order(Order::Pause, args, &around),
        Command::Resume(args) => control::order_all(Order::Resume, args, &around),
        Command::Stop(args) => control::order_all(Order::Stop, args, &around),
        Command::Release(args) => release::release(args, &around),
        Command::Suppress(args) => people::suppress(args, &around),
        Command::Unsuppress(args) => people::unsuppress(args, &around),
        Command::Forget(args) => people::forget(args, &around),
        Command::Prune(args) => prune::prune(args, &around),
        Command::MoveState(args) => move_state::move_state(args, &around),
        Command::Sandbox(args) => serve(sandbox::Args::clone(args)),
        Command::Replay(args) => replay::step(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man => shell::man(),
    }
}

fn serve(args: sandbox::Args) -> Result<Exit, Failure> {
    let served = runtime()?.block_on(sandbox::run(args));
    served.map(|()| Exit::Settled).map_err(|error| Failure::machine(format!("{error:#}")))
}

/// What tasks run on.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.map_err(|error| Failure::machine(format!("cannot start threads: {error}")))
}

/// What was typed, with the campaign file and the environment folded in.
#[derive(Clone, Debug)]
pub struct ParsedArgs {
    /// The command and its options.
    pub command: Command,
    /// Where each option comes from.
    pub sources: Sources,
    /// The line itself.
    pub words: Vec<String>,
}

impl ParsedArgs {
    /// The line and where it was typed, to be typed again.
    fn command_line(&self) -> TypedCommand {
        let dir = std::env::current_dir().unwrap_or_default();
        TypedCommand { words: self.words.clone(), dir }
    }

    /// The campaign that a run would be, as far as its name can be told.
    fn campaign(&self) -> Option<String> {
        let Command::Run(args) = &self.command else { return None };
        let around = Environment::of_process();
        let inputs = place::inputs(&args.leads).ok()?;
        place::name(args.place.campaign.as_deref(), &inputs, &around).ok().map(|name| name.text)
    }
}

/// Why there is nothing to do: it was help that was asked for, or something is wrong.
#[derive(Debug)]
pub enum Refusal {
    /// Help, the version, or a line that clap cannot read.
    Clap(clap::Error),
    /// A campaign file or a variable that is wrong.
    Wrong(Failure),
}

/// Reads a command line, the campaign file that it names, and the environment.
pub fn read(argv: &[OsString], env: &dyn Fn(&str) -> Option<String>) -> Result<ParsedArgs, Refusal> {
    let mut command = Cli::command();
    command.build();
    let first = command.clone().try_get_matches_from(argv).map_err(Refusal::Clap)?;
    let (name, typed) = first.subcommand().unwrap_or(("", &first));
    let sub = |name: &str| command.find_subcommand(name).expect("it is one of ours");
    let (added, sources) = layers::lower(sub(name), sub("run"), typed, env);
    // These tell it together with whatever else is wrong.
    if let Some(failure) = sources.wrong().filter(|_| !matches!(name, "run" | "check")) {
        return Err(Refusal::Wrong(failure.clone()));
    }
    let whole = argv.iter().take(2).cloned().chain(added).chain(argv.iter().skip(2).cloned());
    let matches = command.clone().try_get_matches_from(whole).map_err(Refusal::Clap)?;
    let command = Cli::from_arg_matches(&matches).map_err(Refusal::Clap)?.command;
    let words = argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    Ok(ParsedArgs { command, sources, words })
}

/// Writes to stdout; a reader that has gone away is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    print_while_read(text).map(drop)
}

/// The same; false once nobody reads it.
fn print_while_read(text: &str) -> Result<bool, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::machine(format!("cannot write to stdout: {error}"))),
    }
}

/// Says that nothing was done, and why; for a program too, where one asked for `--json`.
fn refuse(failure: &Failure, json: bool, campaign: Option<&str>) -> Exit {
    say(&failure.to_string());
    talk::note_exit(drive::clock::Clock::real().now().wall, failure.exit);
    if json {
        let object = crate::report::json::nothing(campaign, failure.exit, &failure.one_line());
        // The exit code says more than a stdout that nobody reads.
        let _ = print(&object);
    }
    failure.exit
}

/// Whether an object on stdout was asked for, on a line that may not be readable.
fn wants_json(argv: &[OsString]) -> bool {
    argv.iter().skip(1).take_while(|word| *word != "--").any(|word| word == "--json")
}

/// What the exit code is when clap has the last word.
fn clap_says(error: &clap::Error, argv: &[OsString], campaign: Option<&str>) -> Exit {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return if error.use_stderr() { Exit::Usage } else { Exit::Settled };
    }
    // Words of the line stand in it, and a terminal is not to obey them.
    let lines: Vec<_> = error.to_string().trim_end().lines().map(crate::text::plain).collect();
    say(&lines.join("\n"));
    talk::note("exit 2");
    if wants_json(argv) {
        let said = lines.first().map_or("", |line| line.trim_start_matches("error: "));
        let _ = print(&crate::report::json::nothing(campaign, Exit::Usage, said));
    }
    Exit::Usage
}
