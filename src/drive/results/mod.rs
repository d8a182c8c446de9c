//! Writes a results file: a row for each lead when it is settled, exactly one for each time.
//!
//! A thread of its own looks into the journal for settled leads that no file has, adds their rows to the file, and then
//! writes down that it has them. The dialing never waits for it. What a crash leaves between the two is found in the
//! file at the next start.

mod file;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::clock::Clock;
use super::notify::Remarks;
use super::signals::Signals;
use crate::campaign::event::{LeadId, Stop};
use crate::journal::Error;
use crate::journal::disk::results::{ResultsBook, ResultsPlace, Settlement};
use crate::leads::lead::Phone;
use crate::leads::shown;
use crate::report::failure::Failure;
use crate::report::results::{RowId, row};
use crate::report::style::count;
use file::{ResultsFile, Tail, is_pipe};

/// How often the journal is looked into, in real time.
const EVERY: Duration = Duration::from_millis(250);
/// How long nothing is tried after something went wrong, in real time.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);
/// The same for a journal that cannot be had for now, while nothing else is done.
const AGAIN: Duration = Duration::from_secs(1);
/// Rows that are written at once.
const AT_ONCE: usize = 500;
/// How long the end of a run waits for the rows that are left.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where results go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResultsPlan {
    /// The file.
    pub path: PathBuf,
    /// How long the analysis of a call that was answered is waited for.
    pub wait: Duration,
}

/// Makes the file where it is not there, and says what keeps it from being written to. A pipe is left alone: whoever reads
/// it would take its being closed for the end.
pub fn check_file(path: &Path) -> Result<(), Failure> {
    if is_pipe(path) { Ok(()) } else { open(path).map(drop) }
}

fn open(path: &Path) -> Result<ResultsFile, Failure> {
    ResultsFile::open(path).map_err(|error| {
        let what = format!("--results: {} cannot be written: {error}", shown::file(path));
        Failure::usage(what).advise("name another file, or mend that; nobody was called")
    })
}

/// Writes the results of one run.
pub struct ResultsWriter {
    /// Told how the run ended: whether it has waited for the analyses.
    end: SyncSender<bool>,
    finished: oneshot::Receiver<()>,
    remarks: Remarks,
}

impl ResultsWriter {
    /// Begins. `book` opens the journal once more, on the thread that writes.
    pub fn start(
        plan: &ResultsPlan,
        campaign: &str,
        clock: Clock,
        book: impl Fn() -> Result<ResultsBook, Error> + Send + 'static,
    ) -> Result<Self, Failure> {
        let file = open(&plan.path)?;
        let (end, told) = sync_channel(1);
        let (done, finished) = oneshot::channel();
        let remarks = Remarks::default();
        let (wait, campaign, said) = (plan.wait, campaign.to_owned(), remarks.clone());
        std::thread::spawn(move || {
            match opened(&book, &told) {
                Ok(book) => Work::new(file, book, campaign, wait, clock, said).go_on(&told),
                Err(error) => said.add(format!("no results are written: {}", first_line(&error))),
            }
            // At the end nobody may be waiting any more.
            let _ = done.send(());
        });
        Ok(Self { end, finished, remarks })
    }

    /// Something that the user should be shown of this, if there is anything.
    pub fn remark(&self) -> Option<String> {
        self.remarks.take()
    }

    /// The run is over: waits until the rest is written, but not for ever, nor for a person who wants to leave. Where
    /// analyses were still to come, their rows are left for the next run. Returns what the user should be shown.
    pub async fn finish(self, analyses_came: bool, signals: &mut Signals) -> Vec<String> {
        let Self { end, mut finished, remarks } = self;
        let _ = end.try_send(analyses_came);
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                biased;
                _ = &mut finished => break,
                order = signals.next() => if order.stop != Stop::Now { continue },
                () = &mut patience => {}
            }
            remarks
                .add("results are not all written yet: the next run of this campaign writes what is left".to_owned());
            break;
        }
        std::iter::from_fn(|| remarks.take()).collect()
    }
}

/// Opens the journal, again and again while it cannot be had for now and the run is not over.
fn opened(book: &impl Fn() -> Result<ResultsBook, Error>, told: &Receiver<bool>) -> Result<ResultsBook, Error> {
    loop {
        match book() {
            Err(Error::Busy { .. } | Error::Away { .. })
                if told.recv_timeout(AGAIN) == Err(RecvTimeoutError::Timeout) => {}
            opened => return opened,
        }
    }
}

/// What the thread works with.
struct Work {
    file: ResultsFile,
    book: ResultsBook,
    campaign: String,
    wait: Duration,
    clock: Clock,
    remarks: Remarks,
    /// It has been looked what the file holds.
    is_taken_up: bool,
    /// Rows that are in the file, and not yet so in the journal.
    written: Option<Written>,
    /// Something went wrong last, and that was told.
    trouble: bool,
}

/// Rows that are in a file: the leads and which of their settlements, and how long the file is with them.
struct Written {
    rows: Vec<(LeadId, u64)>,
    place: Option<ResultsPlace>,
}

/// What keeps rows from being written.
enum Trouble {
    File(std::io::Error),
    Journal(Error),
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::File(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Journal(error)
    }
}

impl Work {
    fn new(
        file: ResultsFile,
        book: ResultsBook,
        campaign: String,
        wait: Duration,
        clock: Clock,
        remarks: Remarks,
    ) -> Self {
        Self { file, book, campaign, wait, clock, remarks, is_taken_up: false, written: None, trouble: false }
    }

    fn go_on(mut self, told: &Receiver<bool>) {
        loop {
            let pause = if self.trouble { AFTER_TROUBLE } else { EVERY };
            let end = match told.recv_timeout(pause) {
                Ok(analyses_came) => Some(analyses_came),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(false),
            };
            let now = if end == Some(true) { Timestamp::MAX } else { self.clock.now().wall };
            let mut round = self.round(now);
            // The end is not held up for ever: whoever waits for it hangs up.
            while end.is_some()
                && matches!(&round, Err(Trouble::Journal(Error::Busy { .. } | Error::Away { .. })))
                && told.recv_timeout(AGAIN) == Err(RecvTimeoutError::Timeout)
            {
                round = self.round(now);
            }
            self.tell(round);
            if end.is_some() {
                return self.tell_what_is_left();
            }
        }
    }

    /// Writes every row that is due.
    fn round(&mut self, now: Timestamp) -> Result<(), Trouble> {
        if !self.is_taken_up {
            self.take_up()?;
            self.is_taken_up = true;
        }
        self.write_down()?;
        let mut after = LeadId(0);
        loop {
            let page = self.book.unwritten(after, AT_ONCE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            let due: Vec<&Settlement> = page.iter().filter(|one| !one.waits(now, self.wait)).collect();
            if due.is_empty() {
                continue;
            }
            self.book.still_ours()?;
            self.file.append(&due.iter().map(|one| row(&self.campaign, one)).collect::<String>())?;
            let rows = due.iter().map(|one| (one.id, one.number)).collect();
            self.written = Some(Written { rows, place: self.file.place().unwrap_or(None) });
            self.write_down()?;
        }
    }

    /// What the file and earlier ones hold that the journal does not know of: rows that were written before a crash.
    fn take_up(&mut self) -> Result<(), Trouble> {
        let path = self.file.path().to_string_lossy().into_owned();
        let places = self.book.places()?;
        for mut place in places.iter().filter(|place| place.path != path).cloned() {
            // One that is gone, or cannot be read, says nothing.
            let Ok(tail) = Tail::of(&place, &self.campaign) else { continue };
            if tail.whole > place.length {
                place.length = tail.whole;
                self.book.found(&mut ids(tail.rows), &place)?;
            }
        }
        let known = places.iter().find(|place| place.path == path);
        let rows = self.file.take_up(known, &self.campaign)?;
        if let Some(place) = self.file.place()? {
            self.book.found(&mut ids(rows), &place)?;
        }
        Ok(())
    }

    /// Writes down that the file has the rows that it has.
    fn write_down(&mut self) -> Result<(), Error> {
        if let Some(Written { rows, place }) = &self.written {
            self.book.wrote(rows, place.as_ref())?;
            self.written = None;
        }
        Ok(())
    }

    /// Tells of trouble once, and when it is over.
    fn tell(&mut self, round: Result<(), Trouble>) {
        let shown = shown::file(self.file.path());
        let had_trouble = std::mem::replace(&mut self.trouble, round.is_err());
        match round {
            Ok(()) if had_trouble => self.remarks.add(format!("results are written to {shown} again")),
            Err(trouble) if !had_trouble => {
                let why = match trouble {
                    Trouble::File(error) => format!("{shown} cannot be written: {error}"),
                    Trouble::Journal(error) => first_line(&error),
                };
                self.remarks.add(format!("results wait to be written, the dialing goes on: {why}"));
            }
            _ => {}
        }
    }

    fn tell_what_is_left(&self) {
        if let Ok(left @ 1..) = self.book.left() {
            let what = count(left, "result is", "results are");
            let shown = shown::file(self.file.path());
            self.remarks.add(format!("{what} not in {shown} yet: the next run of this campaign writes what is left"));
        }
    }
}

/// What the journal knows rows by.
fn ids(rows: Vec<RowId>) -> impl Iterator<Item = (Phone, Option<String>, u64)> {
    rows.into_iter().map(|row| (row.number, row.extension, row.settlement))
}

fn first_line(error: &Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
