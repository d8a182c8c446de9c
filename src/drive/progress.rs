//! The face of a running campaign, on stderr: bars on a terminal, one plain line a minute elsewhere, and what happens
//! below or between. It is fed plain snapshots, decides nothing, and losing its reader ends no run.

mod bars;

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use console::Term;
use indicatif::ProgressDrawTarget;
use jiff::tz::TimeZone;

use crate::campaign::notice::{Notice, StopReason};
use crate::leads::lead::Phone;
use crate::report::notice::{Severity, weight, words};
use crate::report::pace::Pace;
use crate::report::screen::{Headline, Snapshot, TextLayout, event_line, plain_line, standing};
use crate::report::style::{Colors, Glyphs};
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
    pace: Pace,
    last: Option<Snapshot>,
    written: Option<Instant>,
    line: String,
    on_stderr: bool,
    log: Option<File>,
}

impl ProgressUi {
    /// A face that has said the headline. What happens is also written to `log`.
    pub fn open(looks: DisplayOptions, headline: &Headline, now: Now, log: Option<File>) -> Self {
        let target = bars::on_stderr();
        Self { on_stderr: true, ..Self::on(looks, headline, now, log, target) }
    }

    fn on(looks: DisplayOptions, headline: &Headline, now: Now, log: Option<File>, target: ProgressDrawTarget) -> Self {
        let line = headline.line(looks.glyphs, now.wall, &looks.zone);
        let bars = (looks.terminal && !looks.quiet)
            .then(|| Bars::open(&headline.lines(looks.glyphs, now.wall, &looks.zone, looks.width()), target));
        let (pace, written) = (Pace::default(), Some(now.at));
        let mut face = Self { looks, bars, pace, last: None, written, line: String::new(), on_stderr: false, log };
        face.note(now, &line);
        if face.bars.is_none() && !face.looks.quiet {
            write_line(&line);
        }
        face
    }

    /// Shows how things stand.
    pub fn show(&mut self, snapshot: &Snapshot) {
        self.pace.observe(snapshot.now.at, snapshot.settled);
        if let Some(bars) = &mut self.bars {
            bars.show(snapshot, &self.pace, &self.looks.canvas());
        }
        let due = self.written.is_none_or(|at| snapshot.now.at.since(at) >= LINE_EVERY);
        if due {
            self.write_minute(snapshot);
        }
        self.last = Some(snapshot.clone());
    }

    fn write_minute(&mut self, snapshot: &Snapshot) {
        self.written = Some(snapshot.now.at);
        self.line = standing(snapshot, &self.pace, &self.looks.zone);
        self.note(snapshot.now, &self.line.clone());
        if self.bars.is_none() && !self.looks.quiet {
            write_line(&plain_line(snapshot, &self.pace, &self.looks.zone));
        }
    }

    /// Says what happened. `phone` is whom it is about.
    pub fn tell(&mut self, now: Now, notice: &Notice, phone: Option<Phone>) {
        let mut words = words(notice, phone, now, &self.looks.zone);
        if *notice == Notice::Stopping(StopReason::Stopped)
            && self.last.as_ref().is_some_and(|last| last.slots.ours > 0)
        {
            words.push_str("; calls that are up are followed to their end");
        }
        self.say(now, weight(notice), &words);
    }

    /// Says something else that a person should know.
    pub fn say(&mut self, now: Now, weight: Severity, words: &str) {
        self.note(now, words);
        let line = event_line(now.wall, &self.looks.zone, words);
        match &mut self.bars {
            _ if weight == Severity::Detail => {}
            Some(bars) => bars.tell(line, weight, &self.looks.canvas()),
            None if self.looks.quiet && weight < Severity::Trouble => {}
            None => write_line(&tinted(&line, weight, self.looks.paint)),
        }
    }

    /// Shows how things stood last, and lets go of the terminal: whatever is written next stands below.
    pub fn finish(mut self) {
        if let Some(last) = self.last.take()
            && self.written.is_none_or(|at| at < last.now.at)
            && self.line != standing(&last, &self.pace, &self.looks.zone)
        {
            self.write_minute(&last);
        }
        if let Some(bars) = &self.bars {
            bars.close();
            if self.on_stderr {
                bars::leave_stderr();
            }
        }
    }

    fn note(&mut self, now: Now, words: &str) {
        // A log that cannot be written to any more is no reason to stop calling; it is let go.
        if let Some(log) = &mut self.log
            && writeln!(log, "{:.3} {words}", now.wall).is_err()
        {
            self.log = None;
        }
    }
}

fn tinted(line: &str, weight: Severity, paint: Colors) -> String {
    if weight == Severity::Trouble { paint.yellow(line) } else { line.to_owned() }
}

fn write_line(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::campaign::event::LeadId;
    use crate::pool::headroom::Slots;
    use crate::report::screen::OpenBatch;

    /// A terminal that remembers what was written to it.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl indicatif::TermLike for Paper {
        fn width(&self) -> u16 {
            100
        }
        fn height(&self) -> u16 {
            40
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)?;
            self.write_str("\n")
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn headline() -> Headline {
        Headline {
            list: "leads.csv".into(),
            campaign: "leads".into(),
            reserve: "3".into(),
            leads: 1204,
            settled_earlier: 0,
            last_settled: None,
            called_elsewhere: 0,
            reopened: 0,
            to_call: 1204,
            sandbox: false,
        }
    }

    fn at(seconds: u64) -> Now {
        let at = Instant::from_micros(0) + Duration::from_secs(seconds);
        Now { at, wall: at.timestamp() }
    }

    fn snapshot(seconds: u64) -> Snapshot {
        Snapshot {
            now: at(seconds),
            total: 1204,
            settled: 612,
            batch: Some(OpenBatch { number: 13, done: 22, size: 50 }),
            slots: Slots { ours: 4, others: 2, free: 1, kept: 3, limit: 10 },
            held_up: None,
        }
    }

    fn looks(terminal: bool) -> DisplayOptions {
        DisplayOptions { terminal, quiet: false, glyphs: Glyphs::UNICODE, paint: Colors(false), zone: TimeZone::UTC }
    }

    #[test]
    fn a_terminal_shows_the_bars_and_what_happened_last() {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
        let mut face = ProgressUi::on(looks(true), &headline(), at(0), None, target);
        face.show(&snapshot(1));
        for minute in 0..7 {
            face.tell(at(60 * minute), &Notice::LimitIs(10 + u32::try_from(minute).unwrap()), None);
        }
        let phone = Phone::from_e164("+14155550100");
        face.tell(at(500), &Notice::InDoubt(Some(LeadId(1)), "no answer for 30 s".into()), phone);
        face.finish();
        let seen = paper.0.lock().unwrap().clone();
        let last: String = seen[seen.rfind(" leads ").unwrap()..].to_owned();
        for part in ["612/1,204", "batch 13", "●●●●○○·▒▒▒", "limit is 16", "+141555501.. in doubt"] {
            assert!(last.contains(part), "{part}: {last}");
        }
        assert!(!last.contains("limit is 11"), "only the last few stay: {last}");
        assert!(!seen.contains("0100"), "{seen}");
    }

    #[test]
    fn a_stop_says_what_becomes_of_calls_only_where_some_are_up() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut face = ProgressUi::open(looks(false), &headline(), at(0), Some(File::create(&path).unwrap()));
        let idle = Snapshot { slots: Slots { ours: 0, ..snapshot(1).slots }, ..snapshot(1) };
        for standing in [idle, snapshot(2)] {
            face.show(&standing);
            face.tell(standing.now, &Notice::Stopping(StopReason::Stopped), None);
        }
        let log = std::fs::read_to_string(path).unwrap();
        let told: Vec<_> = log.lines().filter(|line| line.contains("it was stopped")).collect();
        assert!(told[0].ends_with("it was stopped") && told[1].contains("followed to their end"), "{log}");
    }

    #[test]
    fn a_log_has_every_event_and_a_line_a_minute() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut face = ProgressUi::open(looks(false), &headline(), at(0), Some(File::create(&path).unwrap()));
        for second in 0..=130 {
            face.show(&snapshot(second));
        }
        face.tell(at(131), &Notice::Batch(13, 50), None);
        face.finish();
        insta::assert_snapshot!(std::fs::read_to_string(path).unwrap(), @r"
        1970-01-01T00:00:00.000Z dialer · leads.csv · reserve 3 · campaign leads · 1,204 leads, 1,204 to call
        1970-01-01T00:01:00.000Z 612/1,204 settled, batch 13 22/50, pool of 10: 4 campaign, 2 other, 1 available, 3 reserved
        1970-01-01T00:02:00.000Z 612/1,204 settled, batch 13 22/50, pool of 10: 4 campaign, 2 other, 1 available, 3 reserved
        1970-01-01T00:02:11.000Z batch 13, 50 leads
        ");
    }
}
