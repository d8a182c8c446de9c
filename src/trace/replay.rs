//! Steps a recorded run again: the campaign is told what it was told then, and has to decide what it decided then.

use std::io::{self, BufRead, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::mask::{blank_words, number_again};
use super::{FORMAT, Header, as_json, now_of};
use crate::campaign::Campaign;
use crate::campaign::event::Event;

/// The longest line that is read: a page of a listing is a tenth of it.
const LONGEST_LINE: u64 = 64 << 20;

/// A trace that was stepped to its end, and decided the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// Its campaign.
    pub campaign: String,
    /// The version that wrote it.
    pub version: String,
    /// Events that were heard.
    pub events: u64,
    /// Actions that were decided on.
    pub actions: u64,
    /// Whether the run was recorded to its end.
    pub whole: bool,
}

/// Why a trace could not be stepped to its end. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This version decides otherwise.
    #[error("line {line}: this version decides otherwise")]
    Otherwise {
        /// The line.
        line: u64,
        /// What was decided then.
        then: String,
        /// What is decided now, or `nothing`.
        now: String,
    },
    /// This version fails over it.
    #[error("line {0}: this version fails over it, as said above")]
    Fails(u64),
    /// Lines are missing.
    #[error("line {line}: {lost} lines were lost here, since the disk was too slow: it cannot be stepped further")]
    Lost {
        /// The line.
        line: u64,
        /// How many.
        lost: u64,
    },
    /// It is no trace, or a line of it is torn.
    #[error("line {line}: {why}")]
    Unreadable {
        /// The line.
        line: u64,
        /// Why.
        why: String,
    },
    /// A newer version wrote it.
    #[error("it is a trace of format {0}, and this version reads up to {FORMAT}: use a newer dialer")]
    Newer(u32),
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Every line but the first.
#[derive(Deserialize)]
struct Step {
    n: u64,
    at: Timestamp,
    wall: Option<Timestamp>,
    event: Option<Value>,
    action: Option<Value>,
    lost: Option<u64>,
}

/// Steps a trace.
pub fn replay(trace: impl BufRead) -> Result<Replayed, Error> {
    let mut lines = Lines { trace, line: 0, text: Vec::new() };
    let header = header(lines.next()?.map_or(&[][..], |(_, text)| text))?;
    let mut replayed = Replayed {
        campaign: header.plan.campaign.clone(),
        version: header.version,
        events: 0,
        actions: 0,
        whole: false,
    };
    let now = now_of(header.at, Some(header.wall));
    let mut campaign = guarded(1, || Campaign::new(header.plan, header.history, now))?;
    let mut before = 0;
    while let Some((line, text)) = lines.next()? {
        let unreadable = |why: String| Error::Unreadable { line, why };
        let step: Step = match serde_json::from_slice(text) {
            Ok(step) => step,
            // What a run that was killed had not written whole.
            Err(_) if !text.ends_with(b"\n") => return Ok(replayed),
            Err(error) => return Err(unreadable(format!("it is no line of a trace: {error}"))),
        };
        if let Some(lost) = step.lost {
            return Err(Error::Lost { line, lost });
        }
        if step.n != before + 1 {
            return Err(unreadable(format!("its n is {}, and {} was to come: a line is missing", step.n, before + 1)));
        }
        before = step.n;
        let now = now_of(step.at, step.wall);
        match (step.event, step.action) {
            (Some(mut event), None) => {
                number_again(&mut event);
                let event: Event =
                    serde_json::from_value(event).map_err(|error| unreadable(format!("it is no event: {error}")))?;
                guarded(line, || campaign.handle(now, event))?;
                replayed.events += 1;
            }
            (None, Some(then)) => {
                replayed.whole |= then.get("Finish").is_some();
                compare(line, then, &mut campaign)?;
                replayed.actions += 1;
            }
            _ => return Err(unreadable("it is neither an event nor an action".to_owned())),
        }
    }
    Ok(replayed)
}

/// Reads the first line.
fn header(text: &[u8]) -> Result<Header, Error> {
    let unreadable = |why: String| Error::Unreadable { line: 1, why };
    let no_trace = |error: serde_json::Error| unreadable(format!("it does not begin as a trace does: {error}"));
    let mut header: Value = serde_json::from_slice(text).map_err(no_trace)?;
    let format = header.get("trace").and_then(Value::as_u64).and_then(|format| u32::try_from(format).ok());
    match format {
        None => return Err(unreadable("it does not begin as a trace does".to_owned())),
        Some(format) if format > FORMAT => return Err(Error::Newer(format)),
        Some(_) => number_again(&mut header),
    }
    serde_json::from_value(header).map_err(no_trace)
}

/// Whether the campaign decides now what it decided then.
fn compare(line: u64, mut then: Value, campaign: &mut Campaign) -> Result<(), Error> {
    let action = guarded(line, || campaign.next_action())?;
    let now = action.map(|action| as_json(&action)).transpose();
    let now = now.map_err(|error| Error::Unreadable { line, why: error.to_string() })?;
    number_again(&mut then);
    let blank = |mut value: Value| {
        blank_words(&mut value);
        value
    };
    if now.clone().map(blank) == Some(blank(then.clone())) {
        return Ok(());
    }
    Err(Error::Otherwise { line, then: then.to_string(), now: now.map_or("nothing".to_owned(), |now| now.to_string()) })
}

/// What another version wrote down may break what this one takes for certain.
fn guarded<T>(line: u64, step: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(step)).map_err(|_| Error::Fails(line))
}

/// Lines of a file, none of them longer than they may be.
struct Lines<R> {
    trace: R,
    line: u64,
    text: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<(u64, &[u8])>, Error> {
        self.text.clear();
        let read = (&mut self.trace).take(LONGEST_LINE).read_until(b'\n', &mut self.text)?;
        self.line += 1;
        if read as u64 == LONGEST_LINE {
            let why = format!("it is longer than {LONGEST_LINE} bytes");
            return Err(Error::Unreadable { line: self.line, why });
        }
        Ok((read > 0).then_some((self.line, &self.text[..])))
    }
}
