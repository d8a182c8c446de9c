//! `dialer check`: what a run would call, what not and why, without calling anybody. The same eyes as `run` has.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::campaign::hours::Calling;
use crate::exit::Exit;
use crate::leads::lead::{Lead, Phone};
use crate::leads::list::{List, ListError, Row, Wrong};
use crate::leads::options::{Column, ListOptions, Source};
use crate::leads::rejects::{Rejects, overwritten};
use crate::leads::shown::{file, typed};
use crate::leads::suppress::{Suppression, Told};
use crate::report::failure::Failure;
pub use crate::report::findings::Mending;
use crate::report::findings::{Checked, DoNotCallList, Hour, Looked};

/// Rows between two signs of progress.
const STEP: u64 = 4_096;
/// Hours looked ahead.
const HOURS: u32 = 24;

/// What to look at.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The lists; a lead on several is called once.
    pub sources: &'a [Source],
    /// How to read them.
    pub options: &'a ListOptions,
    /// When leads may be called.
    pub calling: &'a Calling,
    /// The do-not-call lists.
    pub suppression: Option<&'a Suppression>,
    /// Whom the state directory suppresses.
    pub suppressed: &'a dyn Fn(Phone) -> bool,
    /// Where to write what cannot be called.
    pub rejects: Option<&'a Path>,
    /// Any finding is an error.
    pub strict: bool,
    /// The time of day.
    pub now: Timestamp,
}

impl Request<'_> {
    /// Whether a number is never called.
    pub fn suppresses(&self, phone: Phone) -> bool {
        self.suppression.is_some_and(|lists| lists.contains(phone)) || (self.suppressed)(phone)
    }
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A list cannot be used.
    #[error(transparent)]
    List(#[from] ListError),
    /// The rejects file would overwrite a list.
    #[error("--rejects names {}, which is one of the lists: it is never written to", file(.0))]
    Overwritten(PathBuf),
    /// The rejects file cannot be written.
    #[error("{} cannot be written: {}", file(.0), .1)]
    Rejects(PathBuf, std::io::Error),
}

impl CheckError {
    /// What the process exits with.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::List(_) | Self::Overwritten(_) => Exit::Usage,
            Self::Rejects(..) => Exit::Machine,
        }
    }
}

/// How far it has come, over all lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Bytes read.
    pub bytes: u64,
    /// Of how many, where that is known.
    pub of: Option<u64>,
    /// Rows read.
    pub rows: u64,
}

/// Reads all lists to their ends. Lists without anybody to call are findings here, with exit 2; anything else that is
/// wrong with a list as a whole is an error.
pub fn check(request: &Request<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Checked, CheckError> {
    check_with(request, progress, &mut |_| {})
}

/// The same, handing over each lead that would be called: once, and in the lists' order.
pub fn check_with(
    request: &Request<'_>,
    progress: &mut dyn FnMut(Progress),
    each: &mut dyn FnMut(Lead),
) -> Result<Checked, CheckError> {
    if let Some(path) = request.rejects
        && let Some(list) = overwritten(path, request.sources.iter().filter_map(Source::path))
    {
        return Err(CheckError::Overwritten(list.to_owned()));
    }
    let open = |source| List::open(source, request.options);
    let mut lists = request.sources.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let mut rejects = Rejects::new(request.rejects, &lists);
    let rejects_failed = |error| CheckError::Rejects(request.rejects.unwrap_or(Path::new("")).to_owned(), error);
    let mut seen = Seen::default();
    let mut error = None;
    for at in 0..lists.len() {
        while let Some(row) = lists[at].next() {
            match row {
                Ok(Row::Lead { line, lead }) => {
                    let is_refused = lists.iter().any(|list| list.refused().contains(&lead.phone));
                    let suppresses = |phone| is_refused || request.suppresses(phone);
                    if !seen.add(&lead, suppresses) {
                        lists[at].duplicate(line, lead.phone);
                    } else if !is_refused {
                        each(lead);
                    }
                }
                Ok(Row::Rejected { line, reason, cells }) => {
                    if !rejects.add(at, line, &reason, &cells).map_err(rejects_failed)? {
                        lists[at].repeat(line, &reason);
                    }
                }
                Err(nobody) if matches!(*nobody.what, Wrong::NoLead(_)) => error = Some(nobody.to_string()),
                Err(other) => return Err(other.into()),
            }
            if lists[at].counts().rows.is_multiple_of(STEP) {
                progress(so_far(&lists));
            }
        }
    }
    progress(so_far(&lists));
    let rejects = rejects.finish().map_err(rejects_failed)?;
    Ok(summed_up(request, &lists, &seen, rejects, error))
}

fn summed_up(
    request: &Request<'_>,
    lists: &[List],
    seen: &Seen,
    rejects: Option<PathBuf>,
    error: Option<String>,
) -> Checked {
    let mut checked = Checked {
        lists: lists.iter().map(looked).collect(),
        counts: lists[0].counts(),
        suppressed: seen.suppressed,
        do_not_call: request.suppression.map_or_else(Vec::new, do_not_call),
        hours: hours(&seen.zones, request.calling, request.now),
        rejects,
        mending: None,
        error,
        exit: Exit::Settled.code(),
    };
    lists[1..].iter().for_each(|list| checked.counts += list.counts());
    if checked.error.is_none() && request.strict {
        checked.error = checked.strict();
    }
    if checked.error.is_some() {
        checked.exit = Exit::Usage.code();
    }
    checked
}

/// What is wrong with a list as a whole, as an end.
pub fn list_failure(error: &ListError) -> Failure {
    let text = error.to_string();
    let mut lines = text.lines();
    let what = lines.next().unwrap_or_default();
    lines.fold(Failure::usage(what), |failure, line| failure.advise(line.trim()))
}

/// An error together with all that is wrong with the lists and the do-not-call lists, as far as that shows when they are
/// opened.
pub fn with_unreadable(failure: Failure, inputs: &[Source], options: &ListOptions, dnc: &[PathBuf]) -> Failure {
    let is_read_twice = |path: &Path| path.is_file() || !path.exists();
    let files = inputs.iter().filter(|input| input.path().is_some_and(is_read_twice));
    let wrong = files.filter_map(|input| List::open(input, options).err());
    let lists = dnc.iter().filter(|path| is_read_twice(path));
    let of_others = lists.filter_map(|path| Suppression::open(std::slice::from_ref(path), options.region).err());
    let wrong = wrong.map(|error| list_failure(&error)).chain(of_others.map(|error| list_failure(&error)));
    wrong.fold(failure, Failure::and)
}

/// The copy in which the rejected rows are mended, under a name that no file has, and the command that goes on with it.
pub fn mending(inputs: &[Source], campaign: &str, options: &ListOptions, sandbox: bool) -> Mending {
    let numbered = (2..).map(|number| format!("mended-{number}.csv"));
    let mut names = std::iter::once("mended.csv".to_owned()).chain(numbered);
    let is_free = |name: &String| {
        let is_list = |input: &Source| input.path().and_then(Path::file_name).is_some_and(|list| list == &**name);
        !Path::new(name).exists() && !inputs.iter().any(is_list)
    };
    let copy = names.find(is_free).expect("there are fewer files than names");
    let word = |input: &Source| input.path().map_or_else(|| "-".to_owned(), |path| typed(&path.to_string_lossy()));
    let lists: Vec<String> = inputs.iter().map(word).collect();
    let mut command = format!("dialer run {} {copy} --campaign {}", lists.join(" "), typed(campaign));
    command.push_str(&how_read(options));
    command.extend(sandbox.then_some(" --sandbox"));
    Mending { copy, command }
}

/// The options that say how lists are read, as they are typed.
pub fn how_read(options: &ListOptions) -> String {
    let region = options.region.map(|region| format!(" --region {region}"));
    let sheet = options.sheet.as_deref().map(|sheet| format!(" --sheet {}", typed(sheet)));
    let column =
        |column: &Column| format!(" --column {}", typed(&format!("{}={}", column.field.name(), column.header)));
    region.into_iter().chain(sheet).chain(options.columns.iter().map(column)).collect()
}

/// What was read of the do-not-call lists.
pub fn do_not_call(lists: &Suppression) -> Vec<DoNotCallList> {
    let list =
        |told: &Told| DoNotCallList { name: file(&told.path), entries: told.entries, findings: told.findings.clone() };
    lists.told().map(list).collect()
}

/// What one list holds, as far as it has been read.
pub fn looked(list: &List) -> Looked {
    Looked {
        name: list.name().to_owned(),
        format: list.format(),
        columns: list.columns().summary(),
        counts: list.counts(),
        refused: list.refusals().clone(),
        findings: list.findings().clone(),
    }
}

/// The leads met so far: a number for each, and a count for each set of zones.
#[derive(Default)]
struct Seen {
    leads: HashSet<u64>,
    zones: HashMap<Vec<String>, u64>,
    suppressed: u64,
    /// The phones of those.
    refused: HashSet<Phone>,
}

impl Seen {
    /// Whether the lead is new.
    fn add(&mut self, lead: &Lead, suppresses: impl Fn(Phone) -> bool) -> bool {
        if !self.leads.insert(identity(lead.phone, lead.extension.as_deref())) {
            self.refused_late(lead, suppresses(lead.phone));
            return false;
        }
        if suppresses(lead.phone) {
            self.suppressed += 1;
            self.refused.insert(lead.phone);
        } else if let Some(count) = self.zones.get_mut(&lead.zones) {
            *count += 1;
        } else {
            self.zones.insert(lead.zones.clone(), 1);
        }
        true
    }
}

impl Seen {
    /// An earlier row of the same person was taken for one to call; this one says that they are not to be called.
    fn refused_late(&mut self, lead: &Lead, is_suppressed: bool) {
        if is_suppressed && self.refused.insert(lead.phone) {
            self.suppressed += 1;
            if let Some(count) = self.zones.get_mut(&lead.zones) {
                *count = count.saturating_sub(1);
            }
        }
    }
}

/// A number for a lead: its phone, or a hash of phone and extension, which no phone reaches.
fn identity(phone: Phone, extension: Option<&str>) -> u64 {
    extension.map_or(phone.digits(), |extension| {
        let mut hasher = DefaultHasher::new();
        (phone, extension).hash(&mut hasher);
        hasher.finish() | 1 << 63
    })
}

/// How many leads may be called in each of the next hours: asked every quarter, for each set of zones.
fn hours(zones: &HashMap<Vec<String>, u64>, calling: &Calling, now: Timestamp) -> Vec<Hour> {
    const QUARTER: Duration = Duration::from_mins(15);
    let second = now.as_second();
    let start = Timestamp::from_second(second - second.rem_euclid(3_600)).unwrap_or(now);
    let hour_from = |hour: u32| {
        let at = start.saturating_add(4 * hour * QUARTER).unwrap_or(start);
        let quarter = |quarter: u32| at.saturating_add(quarter * QUARTER).unwrap_or(at).max(now);
        let is_open = |zones: &[String]| (0..4).any(|number| calling.is_open(zones, quarter(number)));
        Hour { at, leads: zones.iter().filter(|(zones, _)| is_open(zones)).map(|(_, count)| count).sum() }
    };
    (0..HOURS).map(hour_from).collect()
}

fn so_far(lists: &[List]) -> Progress {
    let start = Progress { bytes: 0, of: Some(0), rows: 0 };
    lists.iter().fold(start, |sum, list| {
        let (bytes, of) = list.progress();
        let of = sum.of.zip(of).map(|(sum, of)| sum + of);
        Progress { bytes: sum.bytes + bytes, of, rows: sum.rows + list.counts().rows }
    })
}
