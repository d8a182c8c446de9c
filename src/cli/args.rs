//! What was typed: the options of `run`, as clap reads them. What they mean is `plan`'s business.
//!
//! The same options can stand in a campaign file and some in the environment; [`layers`](super::layers) turns those
//! into arguments too, so nothing here reads either.
#![expect(clippy::doc_markdown, reason = "these comments are what --help prints")]

use std::path::PathBuf;
use std::time::Duration;

use super::names::completer;
use super::notify::NotifyArgs;
use super::values::{self, Assumption, Color, InDoubt, Slots, Until};
use super::webhook::WebhookArgs;
use crate::campaign::plan::Rate;
use crate::leads::options::{Allow, Column, Region, Zone, ZoneFrom};

/// `dialer run`.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    /// The list: CSV or XLSX files, or - for stdin
    #[arg(required = true, value_name = "LEADS")]
    pub leads: Vec<PathBuf>,
    /// What calls, and where it is remembered.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// How the list is read.
    #[command(flatten)]
    pub list: ListArgs,
    /// How many calls.
    #[command(flatten)]
    pub pool: PoolArgs,
    /// How fast.
    #[command(flatten)]
    pub pace: PaceArgs,
    /// Who and when.
    #[command(flatten)]
    pub calling: CallingArgs,
    /// How often.
    #[command(flatten)]
    pub retry: RetryArgs,
    /// Until when.
    #[command(flatten)]
    pub stop: StopArgs,
    /// Without calling anybody.
    #[command(flatten)]
    pub rehearse: RehearseArgs,
    /// What others are told.
    #[command(flatten)]
    pub told: NotifyArgs,
    /// What the provider tells.
    #[command(flatten)]
    pub webhook: WebhookArgs,
    /// What is shown.
    #[command(flatten)]
    pub shown: ShownArgs,
}

/// `dialer check`: the options of `run` that say who is on the list and when they may be called.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArgs {
    /// The list: CSV or XLSX files, or - for stdin
    #[arg(required = true, value_name = "LEADS")]
    pub leads: Vec<PathBuf>,
    /// A campaign file: its options for the list and the hours hold here too
    #[arg(long, value_name = "FILE", help_heading = "The list")]
    pub config: Option<PathBuf>,
    /// Where campaigns are remembered, and who is never to be called again [env: DIALER_STATE]
    #[arg(long, value_name = "DIR|URL", help_heading = "Who, when, how often")]
    pub state: Option<PathBuf>,
    /// How the list is read.
    #[command(flatten)]
    pub list: ListArgs,
    /// Who and when.
    #[command(flatten)]
    pub calling: CallingArgs,
    /// Looks at the account, too: key, assistant, lines, clock, the calls of the last hour; calls nobody
    #[arg(long, help_heading = "What and where")]
    pub online: bool,
    /// The account that --online looks at.
    #[command(flatten)]
    pub account: AccountArgs,
    /// The findings as one object on stdout
    #[arg(long, help_heading = "What is shown")]
    pub json: bool,
}

/// What and where.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What and where")]
pub struct PlaceArgs {
    /// The campaign's name, under which it is remembered; {date} becomes today's date [default: the file's stem]
    #[arg(long, value_name = "NAME", add = completer())]
    pub campaign: Option<String>,
    /// Where campaigns are remembered: a directory, or a PostgreSQL that several machines share, as in
    /// postgres://dialer@db/dialer [env: DIALER_STATE] [default: $XDG_STATE_HOME/dialer, ~/.local/state/dialer]
    #[arg(long, value_name = "DIR|URL")]
    pub state: Option<PathBuf>,
    /// How long a PostgreSQL that is away is waited for, calling nobody
    #[arg(long, value_name = "D", default_value = "2m", value_parser = values::wait)]
    pub journal_patience: Duration,
    /// Where another run holds the campaign: waits, and takes over when that ends or dies
    #[arg(long)]
    pub standby: bool,
    /// The account.
    #[command(flatten)]
    pub account: AccountArgs,
    /// A campaign file (TOML): any of these options by its long name
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Which account is called from.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What and where")]
pub struct AccountArgs {
    /// The assistant that talks [env: VAPI_ASSISTANT_ID]
    #[arg(long, value_name = "ID")]
    pub assistant_id: Option<String>,
    /// Or the squad [env: VAPI_SQUAD_ID]
    #[arg(long, value_name = "ID")]
    pub squad_id: Option<String>,
    /// Or the workflow [env: VAPI_WORKFLOW_ID]
    #[arg(long, value_name = "ID")]
    pub workflow_id: Option<String>,
    /// The phone number to call from; repeatable, taken in turn [env: VAPI_PHONE_NUMBER_ID, with commas]
    #[arg(long, value_name = "ID")]
    pub phone_number_id: Vec<String>,
    /// A file with the private key, where VAPI_API_KEY does not hold it
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Where the API is; http:// only on this machine [env: VAPI_BASE_URL]
    #[arg(long, value_name = "URL", default_value = "https://api.vapi.ai")]
    pub base_url: String,
}

/// The list.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "The list")]
pub struct ListArgs {
    /// Which column holds what; repeatable; number (several: tried in turn), name, time_zone, country, state,
    /// do_not_call, extension, assistant_id, phone_number_id; FIELD=none: no column
    #[arg(long, value_name = "FIELD=HEADER")]
    pub column: Vec<Column>,
    /// The country of numbers without a country code, as in US
    #[arg(long, value_name = "CC")]
    pub region: Option<Region>,
    /// The sheet of an XLSX file [default: the first]
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// A column that must not be empty; repeatable
    #[arg(long, value_name = "VAR")]
    pub require: Vec<String>,
    /// Calls these too: premium, shared-cost, possible, international; repeatable
    #[arg(long, value_name = "KIND")]
    pub allow: Vec<Allow>,
    /// Where rows go that cannot be called [default: NAME.rejects.csv in the state directory]
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Any finding in the list ends it, and nobody is called
    #[arg(long)]
    pub strict: bool,
}

/// The pool.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "The pool")]
pub struct PoolArgs {
    /// Slots reserved for inbound callers: a number, a timetable as in 08:00=4,18:00=2, or auto
    #[arg(long, value_name = "N", default_value = "3", value_parser = values::slots)]
    pub reserve: Slots,
    /// With --reserve auto: the share of inbound callers that may be refused [default: 1%]
    #[arg(long, value_name = "P", value_parser = values::target)]
    pub target: Option<f64>,
    /// The pool's limit to assume until an answer shows it [default: the last known, else 10]
    #[arg(long, value_name = "N", value_parser = values::some_slots)]
    pub slots: Option<u32>,
    /// At most so many calls of the campaign at once
    #[arg(long, value_name = "N", value_parser = values::some_slots)]
    pub max_concurrent: Option<u32>,
    /// Slots reserved besides, against calls of other organisations that nobody shows us
    #[arg(long, alias = "caution", value_name = "N", default_value = "0", value_parser = values::count_of_slots)]
    pub margin: u32,
    /// A file with the key of another organisation on the subscription, whose calls are then seen; repeatable. It is
    /// used to read them and for nothing else
    #[arg(long, value_name = "FILE")]
    pub watch_key_file: Vec<PathBuf>,
    /// Slots count as taken for so long after a call's end, where the account frees them late
    #[arg(long, value_name = "D", default_value = "0", value_parser = values::span)]
    pub release_lag: Duration,
    /// Joins organisations of one subscription to one pool [default: the account's own]
    #[arg(long, value_name = "NAME")]
    pub pool: Option<String>,
}

/// The pace.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "The pace")]
pub struct PaceArgs {
    /// Leads of a batch, 50 to 100
    #[arg(long, value_name = "N", default_value = "50", value_parser = values::batch_size)]
    pub batch_size: usize,
    /// Requests that place calls: N/s or N/min
    #[arg(long, value_name = "R", default_value = "1/s", value_parser = values::rate)]
    pub rate: Rate,
    /// All requests of the organisation, dials and reads, of every live run in this state directory together, dials
    /// first: N/s or N/min. A stand-in on this machine has no such limit unless it is given
    #[arg(long, value_name = "R", default_value = "150/min", value_parser = values::requests, verbatim_doc_comment)]
    pub requests: Rate,
    /// How often the calls are looked at while leads wait for room or the last calls are followed; else 15 times that
    #[arg(long, value_name = "D", default_value = "1s", value_parser = values::poll)]
    pub poll: Duration,
    /// How long a request may go unanswered before it is in doubt
    #[arg(long, value_name = "D", default_value = "30s", value_parser = values::wait)]
    pub post_timeout: Duration,
    /// How old the last news of the pool grows before one call tries it again [default: 60 polls]
    #[arg(long, value_name = "D", value_parser = values::wait)]
    pub probe_after: Option<Duration>,
    /// How long a call must stay away before its lead goes back on the list; never: a person decides
    #[arg(long, value_name = "never|D", default_value = "10m", value_parser = values::in_doubt)]
    pub in_doubt: InDoubt,
    /// How far back a new journal searches the account for calls; 0: not at all
    #[arg(long, value_name = "D", default_value = "7d", value_parser = values::span)]
    pub look_back: Duration,
    /// Takes this campaign's calls found there into the journal
    #[arg(long)]
    pub adopt: bool,
    /// The lists are these alone: leads of others are dropped, also more than half of those still open
    #[arg(long)]
    pub replace: bool,
    /// A batch also waits for its calls to end
    #[arg(long)]
    pub drain: bool,
}

/// Who and when.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Who, when, how often")]
pub struct CallingArgs {
    /// When people may be called, in their own zone: windows with commas between, or any
    #[arg(long, value_name = "HH:MM-HH:MM", default_value = "08:00-21:00")]
    pub hours: String,
    /// The hours may go through the night, as in 21:00-08:00
    #[arg(long)]
    pub night: bool,
    /// On which days, as in mon-fri,sun [default: all]
    #[arg(long, value_name = "DAYS")]
    pub days: Option<String>,
    /// The zone of leads whose zone is not known, as in Europe/Lisbon
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<Zone>,
    /// Where a lead's zone is taken from: both, the number and the list's columns; or column, the list's columns alone
    #[arg(long, value_name = "both|column", default_value = "both")]
    pub zone_from: ZoneFrom,
    /// Days on which nobody is called: dates, or an .ics file
    #[arg(long, value_name = "FILE")]
    pub holidays: Option<PathBuf>,
    /// No call this close to the end of the hours
    #[arg(long, value_name = "D", default_value = "5m", value_parser = values::span)]
    pub guard: Duration,
    /// A do-not-call list: numbers or prefixes; repeatable
    #[arg(long, value_name = "FILE")]
    pub dnc: Vec<PathBuf>,
}

/// How often.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Who, when, how often")]
pub struct RetryArgs {
    /// Puts off whom another campaign has called this recently
    #[arg(long, value_name = "D", value_parser = values::wait)]
    pub not_if_called_within: Option<Duration>,
    /// The field of a call's analysis that says: never call me again
    #[arg(long, value_name = "NAME")]
    pub opt_out_field: Option<String>,
    /// Contact attempts a lead
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::times, allow_hyphen_values = true)]
    pub attempts: u32,
    /// When to call again after which end, as in no-answer=2h,1d or voicemail=never; repeatable
    /// [default with --attempts: no-answer=4h busy=30m voicemail=1d rejected=1d fault=1h]
    #[arg(long, value_name = "CLASS=D[,D..]|never", verbatim_doc_comment)]
    pub retry: Vec<String>,
    /// Attempts a lead in one day of its own zone
    #[arg(long, value_name = "N", default_value = "2", value_parser = values::times, allow_hyphen_values = true)]
    pub per_day: u32,
}

/// When to stop.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "When to stop")]
pub struct StopArgs {
    /// A test call: of the whole list only the lead with this number is called
    #[arg(long, value_name = "PHONE")]
    pub only: Option<String>,
    /// After so many attempts in this run, refused ones apart
    #[arg(long, value_name = "N", value_parser = values::at_least_one)]
    pub limit: Option<u64>,
    /// When the campaign has cost so much over all its runs
    #[arg(long, value_name = "USD", value_parser = values::dollars)]
    pub max_cost: Option<f64>,
    /// At 17:00, after +2h, or at an instant as in 2026-12-01T17:00:00Z
    #[arg(long, value_name = "TIME", value_parser = values::until)]
    pub until: Option<Until>,
    /// Stays until retries, hours and doubts are settled, instead of ending with 4
    #[arg(long)]
    pub wait: bool,
    /// Ends with 0 where more is to be done later, instead of 4; --json still says 4
    #[arg(long)]
    pub later_is_ok: bool,
}

/// Without calling anybody.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Without calling anybody")]
pub struct RehearseArgs {
    /// Everything but the dialing: findings, batches, the first request, and a forecast by rehearsal
    #[arg(long)]
    pub dry_run: bool,
    /// Against the built-in stand-in, quickened: no account, no phones, nothing remembered
    #[arg(long)]
    pub sandbox: bool,
    /// What the forecast assumes, as in answered=0.45,talk=110s,inbound-per-hour=30,inbound-mean=4m
    /// [default: learnt from past calls, else a guess]
    #[arg(long, value_name = "K=V,..", value_delimiter = ',', value_parser = values::assumption, verbatim_doc_comment)]
    pub assume: Vec<Assumption>,
    /// Rehearsals of the forecast
    #[arg(long, value_name = "N", default_value = "200", value_parser = values::rehearsals)]
    pub runs: u32,
    /// A dry run may read the assistant, the lines and the last days' calls, for what the forecast assumes; it never calls
    #[arg(long)]
    pub online: bool,
    /// Writes the forecast as a page that stands alone
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// What is shown.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What is shown")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct ShownArgs {
    /// Does not ask before a campaign's first call; without a terminal nobody is asked
    #[arg(long)]
    pub yes: bool,
    /// Shows the run at this address: / a live page, /metrics for Prometheus, /status JSON, /events
    #[arg(long, value_name = "ADDR")]
    pub serve: Option<String>,
    /// ADDR may be reached from other machines, by whoever reaches it
    #[arg(long, requires = "serve")]
    pub serve_anyone: bool,
    /// Adds a JSON object, one a line, for each lead when it is settled
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,
    /// How long --results waits for the analysis of a call that was answered; so does the run's end
    #[arg(long, value_name = "D", default_value = "2m", value_parser = values::span)]
    pub results_wait: Duration,
    /// One object on stdout at the end
    #[arg(long)]
    pub json: bool,
    /// No bars and no summary, only trouble
    #[arg(long)]
    pub quiet: bool,
    /// Colours: auto, always, never
    #[arg(long, value_name = "WHEN", default_value = "auto", value_enum, hide_possible_values = true)]
    pub color: Color,
    /// Writes what happens, line by line, to this file
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Records every event and decision here, for `dialer replay`; compressed if the name ends in .zst
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// The trace shows telephone numbers, which it hashes otherwise
    #[arg(long, requires = "trace")]
    pub trace_numbers: bool,
}
