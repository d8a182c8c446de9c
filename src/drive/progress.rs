//! The face of a running campaign, on stderr: bars on a terminal, one plain line a minute elsewhere, and what happens
//! below or between. It is fed plain snapshots, decides nothing, and losing its reader ends no run.

mod bars;

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use console::Term;
use indicatif::ProgressDrawTarget;
use jiff::tz::TimeZone;

use super::observers::Observer;
use super::talk;
use crate::campaign::notice::{Notice, StopReason};
use crate::leads::lead::Phone;
use crate::report::happening::{Happening, Snapshot};
use crate::report::notice::{Severity, weight, words};
use crate::report::pace::Pace;
use crate::report::screen::{Headline, TextLayout, call_line, event_line, plain_line, short_call_line, standing};
use crate::report::style::{Colors, Glyphs, count};
use crate::time::{Instant, Now};
use bars::Bars;

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_mins(1);
/// Columns where a terminal does not tell.
const USUAL_WIDTH: usize = 100;

/// How the face is to look.
#[derive(Clone, Debug)]
pub struct DisplayOptions {
    /// stderr is a terminal, so there are bars.
    pub terminal: bool,
    /// Only trouble is shown.
    pub quiet: bool,
    /// Signs.
    pub glyphs: Glyphs,
    /// Colour.
    pub paint: Colors,
    /// The zone of whoever looks.
    pub zone: TimeZone,
}

impl DisplayOptions {
    /// Columns that text has to fit: those of the terminal, where there is one.
    pub fn width(&self) -> usize {
        if !self.terminal {
            return usize::MAX;
        }
        Term::stderr().size_checked().map_or(USUAL_WIDTH, |(_, columns)| columns.into())
    }

    /// To draw on.
    pub fn canvas(&self) -> TextLayout<'_> {
        TextLayout { glyphs: self.glyphs, paint: self.paint, width: self.width(), zone: &self.zone }
    }
}

/// The face.
pub struct ProgressUi {
    looks: DisplayOptions,
    bars: Option<Bars>,
    minutes: Minutes,
    on_stderr: bool,
}

impl ProgressUi {
    /// A face that has said the headline.
    pub fn open(looks: DisplayOptions, headline: &Headline, now: Now) -> Self {
        // What was said before stands above.
        talk::wait_until_written();
        let target = bars::on_stderr();
        Self { on_stderr: true, ..Self::on(looks, headline, now, target) }
    }

    fn on(looks: DisplayOptions, headline: &Headline, now: Now, target: ProgressDrawTarget) -> Self {
        let bars = (looks.terminal && !looks.quiet)
            .then(|| Bars::open(&headline.lines(looks.glyphs, now.wall, &looks.zone, looks.width()), target));
        if bars.is_none() && !looks.quiet {
            talk::write_line(&headline.line(looks.glyphs, now.wall, &looks.zone));
        }
        let minutes = Minutes::new(now, looks.zone.clone());
        Self { looks, bars, minutes, on_stderr: false }
    }

    fn show(&mut self, snapshot: &Snapshot) {
        let due = self.minutes.take(snapshot);
        if let Some(bars) = &mut self.bars {
            bars.show(snapshot, &self.minutes.pace, &self.looks.canvas());
        } else if due.is_some() {
            self.write_minute(snapshot);
        }
    }

    fn write_minute(&self, snapshot: &Snapshot) {
        if self.bars.is_none() && !self.looks.quiet {
            talk::write_line(&plain_line(snapshot, &self.minutes.pace, &self.looks.zone));
        }
    }

    fn say(&mut self, now: Now, weight: Severity, words: &str) {
        let line = event_line(now.wall, &self.looks.zone, words);
        match &mut self.bars {
            _ if weight == Severity::Detail => {}
            Some(bars) => bars.tell(line, weight, &self.looks.canvas()),
            None if self.looks.quiet && weight < Severity::Trouble => {}
            None => talk::write_line(&tinted(&line, weight, self.looks.paint)),
        }
    }
}

impl Observer for ProgressUi {
    fn hear(&mut self, happening: &Happening) {
        match happening {
            Happening::Stands(snapshot) => self.show(snapshot),
            Happening::Told(now, notice, phone) => {
                let words = self.minutes.words(notice, *phone, *now);
                self.say(*now, weight(notice), &words);
            }
            Happening::Said(now, severity, words) => self.say(*now, *severity, words),
            Happening::CallEnded(now, call) => {
                let line = event_line(now.wall, &self.looks.zone, &short_call_line(call));
                if let Some(bars) = &mut self.bars {
                    bars.call_ended(line, &self.looks.canvas());
                }
            }
            Happening::Requested(..) | Happening::AttemptsChanged(..) | Happening::Ended(..) => {}
        }
    }

    fn lost(&mut self, count: u64) {
        if let Some(now) = self.minutes.last.as_ref().map(|last| last.now) {
            self.say(now, Severity::Trouble, &lost_line(count));
        }
    }

    /// Shows how things stood last, and lets go of the terminal: whatever is written next stands below.
    fn finish(&mut self) {
        if let Some(last) = self.minutes.unwritten() {
            self.write_minute(&last);
        }
        if let Some(bars) = &self.bars {
            bars.close();
            if self.on_stderr {
                bars::leave_stderr();
            }
        }
    }
}

/// What to remember for a line a minute.
struct Minutes {
    zone: TimeZone,
    pace: Pace,
    last: Option<Snapshot>,
    written: Instant,
    line: String,
}

impl Minutes {
    fn new(now: Now, zone: TimeZone) -> Self {
        Self { zone, pace: Pace::default(), last: None, written: now.at, line: String::new() }
    }

    /// How things stand, in one line, where a minute is over.
    fn take(&mut self, snapshot: &Snapshot) -> Option<&str> {
        self.pace.observe(snapshot.now.at, snapshot.settled);
        let due = snapshot.now.at.since(self.written) >= LINE_EVERY;
        if due {
            self.written = snapshot.now.at;
            self.line = standing(snapshot, &self.pace, &self.zone);
        }
        self.last = Some(snapshot.clone());
        due.then_some(self.line.as_str())
    }

    /// How things stood last, where no line has said that.
    fn unwritten(&mut self) -> Option<Snapshot> {
        let last = self.last.take()?;
        (self.written < last.now.at && self.line != standing(&last, &self.pace, &self.zone)).then_some(last)
    }

    fn words(&self, notice: &Notice, phone: Option<Phone>, now: Now) -> String {
        let mut words = words(notice, phone, now, &self.zone);
        let stopped = *notice == Notice::Stopping(StopReason::Stopped);
        if stopped && self.last.as_ref().is_some_and(|last| last.slots.ours > 0) {
            words.push_str(
                "; calls that are up are followed to their end (a second Ctrl-C leaves at once; they live on)",
            );
        }
        words
    }
}

/// The file of `--log`: every event, a line for each call, and a line a minute.
pub struct Log {
    /// None once it cannot be written to any more, which is no reason to stop calling.
    file: Option<File>,
    minutes: Minutes,
}

impl Log {
    /// A log that has the headline.
    pub fn open(file: File, looks: &DisplayOptions, headline: &Headline, now: Now) -> Self {
        let mut log = Self { file: Some(file), minutes: Minutes::new(now, looks.zone.clone()) };
        log.note(now, &headline.line(looks.glyphs, now.wall, &looks.zone));
        log
    }

    fn note(&mut self, now: Now, words: &str) {
        if let Some(file) = &mut self.file
            && writeln!(file, "{:.3} {words}", now.wall).is_err()
        {
            self.file = None;
        }
    }
}

impl Observer for Log {
    fn hear(&mut self, happening: &Happening) {
        match happening {
            Happening::Stands(snapshot) => {
                if let Some(line) = self.minutes.take(snapshot).map(str::to_owned) {
                    self.note(snapshot.now, &line);
                }
            }
            Happening::Told(now, notice, phone) => {
                let words = self.minutes.words(notice, *phone, *now);
                self.note(*now, &words);
            }
            Happening::Said(now, _, words) => self.note(*now, words),
            Happening::CallEnded(now, call) => self.note(*now, &call_line(call)),
            Happening::Requested(..) | Happening::AttemptsChanged(..) | Happening::Ended(..) => {}
        }
    }

    fn lost(&mut self, count: u64) {
        if let Some(now) = self.minutes.last.as_ref().map(|last| last.now) {
            self.note(now, &lost_line(count));
        }
    }

    fn finish(&mut self) {
        if let Some(last) = self.minutes.unwritten() {
            let line = standing(&last, &self.minutes.pace, &self.minutes.zone);
            self.note(last.now, &line);
        }
    }
}

fn lost_line(lost: u64) -> String {
    format!("{} not shown: this was read too slowly", count(lost, "event was", "events were"))
}

fn tinted(line: &str, weight: Severity, paint: Colors) -> String {
    if weight == Severity::Trouble { paint.yellow(line) } else { line.to_owned() }
}

#[cfg(test)]
mod tests;
