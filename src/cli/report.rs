//! `dialer report`: what happened in a campaign, from the journal alone.
#![expect(clippy::doc_markdown, reason = "these comments are what --help prints")]

use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::display::stdout_width;
use super::environment::Environment;
use super::journal::{StateArgs, look, no_campaign};
use super::names::completer;
use super::place::{dated, state_dir};
use super::transcripts::Transcripts;
use crate::campaign::attempt::State;
use crate::campaign::seen::Analysis;
use crate::drive::talk::say;
use crate::exit::Exit;
use crate::journal::Error;
use crate::journal::disk::Disk;
use crate::journal::disk::outcomes::{AttemptOutcome, Attempts, LeadOutcome};
use crate::journal::disk::story::Campaign;
use crate::journal::lead_status::LeadState;
use crate::pool::calls::CallId;
use crate::report::campaign::Report;
use crate::report::failure::Failure;
use crate::report::style::Glyphs;
use crate::report::table::{ListColumns, as_text};

/// What stands behind the list's own columns, one row a lead.
const OURS: [&str; 11] = [
    "number",
    "state",
    "disposition",
    "attempts",
    "last_attempt_at",
    "call_id",
    "ended_reason",
    "minutes",
    "cost_usd",
    "success",
    "summary",
];
/// One row an attempt.
const EACH: [&str; 9] =
    ["number", "attempt", "at", "state", "disposition", "call_id", "ended_reason", "minutes", "cost_usd"];

/// `dialer report`.
#[derive(Clone, Debug, clap::Args)]
pub struct ReportArgs {
    /// Of which campaign
    #[arg(value_name = "CAMPAIGN", add = completer())]
    pub campaign: String,
    /// As what; in a CSV, cells that a spreadsheet would run, and phone numbers, begin with an apostrophe
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// With --format csv: one row for each attempt
    #[arg(long)]
    pub attempts: bool,
    /// With --format csv: what was said, read from the provider, which keeps it for some weeks
    #[arg(long)]
    pub transcripts: bool,
    /// With --transcripts: a file with the private key, where VAPI_API_KEY does not hold it
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// With --transcripts: where the API is; http:// only on this machine [env: VAPI_BASE_URL]
    #[arg(long, value_name = "URL", default_value = "https://api.vapi.ai")]
    pub base_url: String,
    /// Into this file, which only you can read [default: stdout]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where.
    #[command(flatten)]
    pub state: StateArgs,
}

/// The shapes of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Format {
    /// For a person at a terminal.
    Text,
    /// One row a lead, or an attempt.
    Csv,
    /// One object.
    Json,
    /// A page that stands alone.
    Html,
}

/// Tells what happened.
pub fn report(args: &ReportArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    if args.attempts && args.format != Format::Csv {
        return Err(Failure::usage("--attempts gives rows of a table").advise("add:   --format csv"));
    }
    if args.transcripts && (args.format != Format::Csv || args.attempts) {
        return Err(Failure::usage("--transcripts gives a column of the table with a row a lead")
            .advise("use it with --format csv, without --attempts"));
    }
    let name = dated(&args.campaign, around);
    let disk = look(&args.state, around)?.ok_or_else(|| no_campaign(&name, &[]))?;
    let campaigns = disk.campaigns()?;
    let names: Vec<_> = campaigns.iter().map(|known| known.name.clone()).collect();
    let mut called_so = campaigns.into_iter().filter(|known| known.name == name);
    let campaign = called_so.next().ok_or_else(|| no_campaign(&name, &names))?;
    let others = called_so.count();
    if others > 0 {
        let account = &campaign.account.name;
        say(&format!("{} accounts have a campaign {name}: this is the newest, of {account}", others + 1));
    }
    let attempts = disk.attempts_of(&campaign.account, &campaign.name)?;
    let mut transcripts = args.transcripts.then(|| Transcripts::open(args, around)).transpose()?;
    let mut out: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(std::io::BufWriter::new(create(path, &campaign)?)),
        None => Box::new(std::io::BufWriter::new(std::io::stdout().lock())),
    };
    let written = match args.format {
        Format::Csv => {
            let place = state_dir(args.state.state.as_deref(), around)?;
            let source = Source { disk: &disk, place: &place, campaign: &campaign, attempts: &attempts };
            write_csv(&source, args.attempts, transcripts.as_mut(), &mut out)
        }
        format => {
            let whole = added_up(&disk, &campaign, &attempts, around)?;
            let glyphs = Glyphs::of_locale(|name| around.var(name));
            let width = stdout_width();
            let text = match format {
                Format::Json => whole.json(),
                Format::Html => whole.html(around.now, &around.zone),
                Format::Text | Format::Csv => whole.text(around.now, &around.zone, glyphs, width),
            };
            out.write_all(text.as_bytes()).map_err(Trouble::Write)
        }
    };
    transcripts.map_or(Ok(()), Transcripts::finish)?;
    match written.and_then(|()| out.flush().map_err(Trouble::Write)) {
        Ok(()) => Ok(Exit::Settled),
        Err(Trouble::Journal(error)) => Err(error.into()),
        Err(Trouble::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::Settled),
        Err(Trouble::Write(error)) => Err(Failure::machine(format!("the report cannot be written: {error}"))),
    }
}

/// The cells of a row.
type Row<'a> = Vec<Cow<'a, str>>;

enum Trouble {
    Journal(Error),
    Write(std::io::Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Journal(error)
    }
}

/// A file of its own: what is there already is nobody's to overwrite.
fn create(path: &Path, campaign: &Campaign) -> Result<std::fs::File, Failure> {
    use std::os::unix::fs::OpenOptionsExt;
    let same = |list: &String| std::fs::canonicalize(path).is_ok_and(|path| path == Path::new(list));
    if campaign.lists.iter().any(same) {
        return Err(Failure::usage(format!(
            "--output names {}, which is the campaign's list: it is never written to",
            crate::leads::shown::file(path)
        )));
    }
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|error| {
        let failure = Failure::usage(format!("--output: {} cannot be made: {error}", crate::leads::shown::file(path)));
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            failure.advise("take another name, or remove it")
        } else {
            failure
        }
    })
}

fn added_up(
    disk: &Disk,
    campaign: &Campaign,
    attempts: &Attempts,
    around: &Environment<'_>,
) -> Result<Report, Failure> {
    let mut report = Report::new(&campaign.name, campaign.account.is_rehearsal(), campaign.totals.clone());
    for attempt in attempts.values().flatten() {
        report.add(attempt, &around.zone);
    }
    disk.pool_pasts(&campaign.account, &campaign.name)?.into_iter().for_each(|past| report.add_pool(past));
    report.add_forecasts(disk.forecasts(&campaign.account, &campaign.name)?);
    Ok(report)
}

/// What a table is made of.
struct Source<'a> {
    disk: &'a Disk,
    /// Where its journal is.
    place: &'a Path,
    campaign: &'a Campaign,
    attempts: &'a Attempts,
}

impl Source<'_> {
    fn each_part<T: Default + Send>(
        &self,
        make: impl Fn(&mut T, LeadOutcome<'_>) + Sync,
        hand_over: impl FnMut(T) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let Self { disk, place, campaign, attempts } = self;
        let open = || Disk::look(place)?.ok_or_else(|| Error::Gone((*place).to_owned()));
        disk.each_part(&campaign.account, &campaign.name, attempts, open, make, hand_over)
    }
}

/// The columns of a table with a row a lead, besides ours.
#[derive(Default)]
struct Columns {
    of_list: ListColumns,
    structured: ListColumns,
    recording: bool,
}

/// Some rows of a table.
struct Rows(csv::Writer<Vec<u8>>);

impl Default for Rows {
    fn default() -> Self {
        Self(csv::Writer::from_writer(Vec::new()))
    }
}

impl Rows {
    fn add(&mut self, row: &Row<'_>) {
        let into_memory = "nothing is in the way of a row in memory";
        row.iter().try_for_each(|cell| self.0.write_field(as_text(cell).as_bytes())).expect(into_memory);
        self.0.write_record(None::<&[u8]>).expect(into_memory);
    }

    fn write(self, out: &mut dyn Write) -> Result<(), Trouble> {
        let bytes = self.0.into_inner().map_err(|error| Trouble::Write(error.into_error()))?;
        out.write_all(&bytes).map_err(Trouble::Write)
    }
}

fn write_csv(
    source: &Source<'_>,
    each_attempt: bool,
    transcripts: Option<&mut Transcripts>,
    out: &mut dyn Write,
) -> Result<(), Trouble> {
    let mut columns = Columns::default();
    if !each_attempt {
        let make = |found: &mut Columns, lead: LeadOutcome<'_>| {
            found.of_list.add(lead.lead.variables.iter().map(|(name, _)| name));
            found.structured.add(structured(lead.analysis).iter().map(|(name, _)| name));
            found.recording |= lead.analysis.is_some_and(|analysis| analysis.recording_url.is_some());
        };
        source.each_part(make, |found: Columns| {
            columns.of_list.add(found.of_list.names());
            columns.structured.add(found.structured.names());
            columns.recording |= found.recording;
            Ok(())
        })?;
    }
    let mut table = Rows::default();
    table.add(&header(&columns, each_attempt, transcripts.is_some()));
    table.write(out)?;
    let transcripts = transcripts.map(Mutex::new);
    let make = |rows: &mut Rows, lead: LeadOutcome<'_>| {
        if each_attempt {
            return attempt_rows(&lead).iter().for_each(|row| rows.add(row));
        }
        let mut row = lead_row(&lead, &columns);
        if let Some(transcripts) = &transcripts {
            let mut transcripts = transcripts.lock().unwrap_or_else(PoisonError::into_inner);
            row.push(transcripts.of(&lead).into());
        }
        rows.add(&row);
    };
    source.each_part(make, |rows: Rows| rows.write(out))
}

fn header<'a>(columns: &'a Columns, each_attempt: bool, with_transcripts: bool) -> Row<'a> {
    let ours: &[&str] = if each_attempt { &EACH } else { &OURS };
    let of_list = columns.of_list.names();
    let mut header: Row<'a> = of_list.iter().map(Cow::from).collect();
    header.extend(ours.iter().map(|name| Cow::from((*name).to_owned())));
    for name in columns.structured.names() {
        let taken = of_list.contains(name) || ours.contains(&name.as_str());
        header.push(if taken { format!("structured {name}").into() } else { name.into() });
    }
    header.extend(columns.recording.then_some(Cow::from("recording_url")));
    header.extend(with_transcripts.then_some(Cow::from("transcript")));
    header
}

/// The fields of the structured data as cells: texts as they are, everything else as JSON.
fn structured(analysis: Option<&Analysis>) -> Vec<(String, String)> {
    let object = analysis.and_then(|analysis| serde_json::from_str(analysis.structured.as_deref()?).ok());
    let fields: serde_json::Map<String, Value> = object.unwrap_or_default();
    let cell = |value| if let Value::String(text) = value { text } else { value.to_string() };
    fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, cell(value))).collect()
}

/// A cell with a text that may be missing.
fn text(text: Option<&str>) -> Cow<'_, str> {
    text.unwrap_or_default().into()
}

fn lead_row<'a>(outcome: &LeadOutcome<'a>, columns: &Columns) -> Row<'a> {
    let mut row: Row<'a> = columns.of_list.cells(&outcome.lead.variables).into_iter().map(Cow::from).collect();
    let (state, disposition) = match outcome.state {
        LeadState::Open | LeadState::Busy => ("open", ""),
        LeadState::InDoubt | LeadState::Parked => ("in_doubt", ""),
        LeadState::Settled(class) => ("settled", class.name()),
    };
    let counted = outcome.attempts.iter().filter(|attempt| attempt.counts());
    let last = counted.clone().next_back();
    row.extend([
        outcome.lead.phone.to_string().into(),
        state.into(),
        disposition.into(),
        counted.clone().count().to_string().into(),
        last.map_or_else(Cow::default, |last| last.began.to_string().into()),
        text(last.and_then(|last| last.call.as_ref()).map(CallId::as_str)),
        text(last.and_then(|last| last.reason.as_deref())),
        sum(counted.clone().filter_map(|attempt| attempt.minutes)).into(),
        cost(counted.filter_map(|attempt| attempt.cost_usd)).into(),
        text(outcome.analysis.and_then(|analysis| analysis.success.as_deref())),
        text(outcome.analysis.and_then(|analysis| analysis.summary.as_deref())),
    ]);
    let structured = structured(outcome.analysis);
    row.extend(columns.structured.cells(&structured).into_iter().map(|cell| Cow::from(cell.to_owned())));
    if columns.recording {
        row.push(text(outcome.analysis.and_then(|analysis| analysis.recording_url.as_deref())));
    }
    row
}

fn attempt_rows<'a>(outcome: &LeadOutcome<'a>) -> Vec<Row<'a>> {
    let row = |attempt: &'a AttemptOutcome| {
        let (state, disposition) = match attempt.state {
            State::Claimed => ("claimed", ""),
            State::InDoubt => ("in_doubt", ""),
            State::Parked => ("parked", ""),
            State::Placed { .. } => ("placed", ""),
            State::Refused(cause) => ("refused", cause.name()),
            State::Ended(class) => ("ended", class.name()),
        };
        vec![
            outcome.lead.phone.to_string().into(),
            attempt.attempt.as_str().into(),
            attempt.began.to_string().into(),
            state.into(),
            disposition.into(),
            text(attempt.call.as_ref().map(CallId::as_str)),
            text(attempt.reason.as_deref()),
            sum(attempt.minutes.into_iter()).into(),
            cost(attempt.cost_usd.into_iter()).into(),
        ]
    };
    outcome.attempts.iter().map(row).collect()
}

/// A sum of minutes; nothing where there is nothing to add.
fn sum(numbers: impl Iterator<Item = f64>) -> String {
    to_places(numbers, 3)
}

/// A sum of US dollars: a short call costs less than a tenth of a cent.
fn cost(numbers: impl Iterator<Item = f64>) -> String {
    to_places(numbers, 4)
}

fn to_places(numbers: impl Iterator<Item = f64>, places: usize) -> String {
    let numbers: Vec<f64> = numbers.collect();
    if numbers.is_empty() { String::new() } else { format!("{:.places$}", numbers.iter().sum::<f64>().max(0.0)) }
}
