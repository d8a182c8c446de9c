//! Bars on a terminal, and below them what holds dialing up and what happened last.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::tinted;
use crate::report::happening::Snapshot;
use crate::report::notice::Severity;
use crate::report::pace::Pace;
use crate::report::screen::TextLayout;
use crate::report::style::{clip, wrap};

/// Things that happened of which something stays below the bars.
const EVENTS: usize = 5;
/// Lines below the bars. The last stays empty: there the cursor rests, and there the terminal writes `^C`.
const BELOW: usize = 13;
/// Calls of which the end stays on the screen.
const CALLS: usize = 3;
/// No event takes more lines than this.
const LINES_EACH: usize = 3;
/// Where the second line of an event begins: below its words, right of its time.
const INDENT: usize = 11;
/// Redraws a second at most.
const REDRAWS: u8 = 20;

/// The bars.
pub(super) struct Bars {
    all: MultiProgress,
    headline: Vec<String>,
    width: usize,
    rows: [ProgressBar; 3],
    below: [ProgressBar; BELOW],
    held: Vec<String>,
    calls: VecDeque<String>,
    told: VecDeque<(String, Severity)>,
    used: usize,
}

/// The terminal that stderr is.
pub(super) fn on_stderr() -> ProgressDrawTarget {
    ProgressDrawTarget::term_like_with_hz(
        Box::new(Resting { term: Term::stderr(), writes: AtomicUsize::new(0) }),
        REDRAWS,
    )
}

/// Goes to a new line of it. The cursor rests in an empty one, unless the terminal wrote `^C` there.
pub(super) fn leave_stderr() {
    let _ = Term::stderr().clear_line().and_then(|()| Term::stderr().write_line(""));
}

impl Bars {
    /// Below the headline.
    pub(super) fn open(headline: &[String], target: ProgressDrawTarget) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let style = ProgressStyle::with_template("{wide_msg}").expect("a template that is known to parse");
        let line = || {
            let bar = all.add(ProgressBar::new(1).with_style(style.clone()));
            bar.set_message("");
            bar
        };
        let rows = std::array::from_fn(|_| line());
        let below = std::array::from_fn(|_| line());
        // The lines above are written last: only together with bars do they end.
        for text in headline {
            let _ = all.println(text);
        }
        let _ = all.println("");
        Self {
            all,
            headline: headline.to_vec(),
            width: 0,
            rows,
            below,
            held: Vec::new(),
            calls: VecDeque::new(),
            told: VecDeque::new(),
            used: 0,
        }
    }

    /// How things stand.
    pub(super) fn show(&mut self, snapshot: &Snapshot, pace: &Pace, canvas: &TextLayout<'_>) {
        if canvas.width < std::mem::replace(&mut self.width, canvas.width) {
            self.draw_anew();
        }
        for (row, text) in self.rows.iter().zip(canvas.rows(snapshot, pace)) {
            row.set_message(text);
        }
        self.held = canvas.outcomes(snapshot).into_iter().chain(canvas.held(snapshot)).collect();
        self.draw_below(canvas);
    }

    /// The terminal is narrower than it was: it has cut the lines that were drawn into more of them, of which some would
    /// stay behind.
    fn draw_anew(&self) {
        let term = Term::stderr();
        if term.is_term() {
            // A terminal that cannot be cleared keeps its stale lines.
            let _ = self.all.suspend(|| term.clear_screen());
            for line in self.headline.iter().flat_map(|line| wrap(line, self.width, 2)) {
                let _ = self.all.println(line);
            }
        }
    }

    /// A call is over.
    pub(super) fn call_ended(&mut self, line: String, canvas: &TextLayout<'_>) {
        self.calls.push_back(line);
        if self.calls.len() > CALLS {
            self.calls.pop_front();
        }
        self.draw_below(canvas);
    }

    /// Something happened.
    pub(super) fn tell(&mut self, line: String, weight: Severity, canvas: &TextLayout<'_>) {
        self.told.push_back((line, weight));
        if self.told.len() > EVENTS {
            self.told.pop_front();
        }
        self.draw_below(canvas);
    }

    /// How calls ended and what holds dialing up, or an empty line; the last calls; then the newest of what happened, as much of it as has room.
    fn draw_below(&mut self, canvas: &TextLayout<'_>) {
        let mut lines = if self.held.is_empty() { vec![String::new()] } else { self.held.clone() };
        lines.extend(self.calls.iter().map(|line| clip(&format!(" {line}"), canvas.width)));
        let mut events: VecDeque<String> = VecDeque::new();
        for (line, weight) in self.told.iter().rev() {
            let mut cut = wrap(&format!(" {line}"), canvas.width, INDENT);
            if cut.len() > LINES_EACH {
                cut.truncate(LINES_EACH);
                cut[LINES_EACH - 1] = clip(&format!("{}...", cut[LINES_EACH - 1]), canvas.width);
            }
            if lines.len() + events.len() + cut.len() >= BELOW {
                break;
            }
            cut.iter().rev().for_each(|line| events.push_front(tinted(line, *weight, canvas.paint)));
        }
        lines.extend(events);
        lines.truncate(BELOW - 1);
        self.used = lines.len();
        lines.resize(BELOW, String::new());
        for (bar, line) in self.below.iter().zip(lines) {
            bar.set_message(line);
        }
    }

    /// Lets go of the terminal: what is written next stands below.
    pub(super) fn close(&self) {
        for bar in self.rows.iter().chain(self.below.iter().take(self.used + 1)) {
            bar.abandon();
        }
        for bar in self.below.iter().skip(self.used + 1) {
            bar.finish_and_clear();
        }
    }
}

/// A terminal where the cursor rests behind the last line. `indicatif` fills each line up to the right edge, so that
/// the next one begins below by itself; there, whatever the terminal echoes would move everything by a line, and stale
/// lines would stay behind. Here lines are ended by a new line instead. Its writes come in pairs: a line, its filling.
#[derive(Debug)]
struct Resting {
    term: Term,
    writes: AtomicUsize,
}

impl TermLike for Resting {
    fn width(&self) -> u16 {
        TermLike::width(&self.term)
    }
    fn height(&self) -> u16 {
        TermLike::height(&self.term)
    }
    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.term.move_cursor_up(lines)
    }
    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.term.move_cursor_down(lines)
    }
    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.term.move_cursor_right(columns)
    }
    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.term.move_cursor_left(columns)
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.term.write_line(text)
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        let before = self.writes.fetch_add(1, Ordering::Relaxed);
        if !before.is_multiple_of(2) {
            return Ok(());
        }
        let end = if before == 0 { "" } else { "\n" };
        self.term.write_str(&format!("{end}{}", text.trim_end()))
    }
    fn clear_line(&self) -> io::Result<()> {
        self.term.clear_line()
    }
    fn flush(&self) -> io::Result<()> {
        self.writes.store(0, Ordering::Relaxed);
        self.term.flush()
    }
}
