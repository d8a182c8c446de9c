//! What is seen while a campaign runs, as text: the headline, the rows of bars, and the one line a minute where there
//! is no terminal.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::pace::Pace;
use super::style::{Glyphs, Paint, count, moment, percent, second, thousands};
use crate::pool::headroom::Slots;
use crate::time::Now;

/// Above this many slots the pool is one bar with four parts.
const MOST_GLYPHS: u32 = 60;
/// Cells of that bar.
const POOL_CELLS: u32 = 40;
/// Cells of the other bars, at least and at most.
const CELLS: std::ops::RangeInclusive<usize> = 8..=34;

/// How a campaign stands at its start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Headline {
    /// The list, as a person would name it.
    pub list: String,
    /// The campaign's name.
    pub campaign: String,
    /// Slots kept, as the option has them.
    pub reserve: String,
    /// Leads on the list.
    pub leads: u64,
    /// Leads settled by earlier runs.
    pub settled_earlier: u64,
    /// When the last of them was.
    pub last_settled: Option<Timestamp>,
    /// Leads that another campaign has rung within a week.
    pub rung_elsewhere: u64,
    /// Leads that earlier runs had settled and that the plan of the day reopens.
    pub reopened: u64,
    /// Leads to ring.
    pub to_ring: u64,
    /// It rings nobody: the stand-in answers.
    pub sandbox: bool,
}

/// How things stand at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    /// When.
    pub now: Now,
    /// Leads on the list.
    pub total: u64,
    /// Leads with nothing more to do.
    pub settled: u64,
    /// The batch that is open.
    pub batch: Option<OpenBatch>,
    /// The pool.
    pub slots: Slots,
    /// Dialing is held up, and by what: a pause, closed hours, an adoption to be confirmed.
    pub held_up: Option<String>,
}

/// The batch that is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenBatch {
    /// Its number.
    pub number: u64,
    /// Leads of it that need no dialing any more for now.
    pub done: usize,
    /// Leads it was cut with.
    pub size: usize,
}

impl Headline {
    /// One line: what is being done.
    pub fn line(&self, glyphs: Glyphs, now: Timestamp, zone: &TimeZone) -> String {
        let mut items = vec!["dialer".to_owned(), self.list.clone()];
        if self.sandbox {
            items.push("sandbox: nobody is rung".to_owned());
        }
        items.push(format!("reserve {}", self.reserve));
        items.push(format!("campaign {}", self.campaign));
        items.push(self.leads(now, zone));
        items.join(&format!(" {} ", glyphs.dot))
    }

    fn leads(&self, now: Timestamp, zone: &TimeZone) -> String {
        let mut parts = vec![count(self.leads, "lead", "leads")];
        if self.settled_earlier > 0 {
            let last = self.last_settled.map_or(String::new(), |at| format!(" (last at {})", moment(at, now, zone)));
            parts.push(format!("{} settled earlier{last}", thousands(self.settled_earlier)));
        }
        if self.reopened > 0 {
            parts.push(format!("{} reopened", thousands(self.reopened)));
        }
        if self.rung_elsewhere > 0 {
            parts.push(format!("{} rung by another campaign within 7 days", thousands(self.rung_elsewhere)));
        }
        parts.push(format!("{} to ring", thousands(self.to_ring)));
        parts.join(", ")
    }
}

/// How rows are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Canvas<'a> {
    /// Signs.
    pub glyphs: Glyphs,
    /// Colour.
    pub paint: Paint,
    /// Columns of the terminal.
    pub width: usize,
    /// The zone of the person who looks.
    pub zone: &'a TimeZone,
}

impl Canvas<'_> {
    /// The three rows of a terminal.
    pub fn rows(&self, snapshot: &Snapshot, pace: &Pace) -> [String; 3] {
        [self.leads(snapshot, pace), self.batch(snapshot), self.pool(snapshot)]
    }

    fn leads(&self, snapshot: &Snapshot, pace: &Pace) -> String {
        let of = format!("{}/{}", thousands(snapshot.settled), thousands(snapshot.total));
        let share = percent(snapshot.settled, snapshot.total);
        let mut row = format!(" leads     {}  {of:>11}   {share:>3}%", self.bar(snapshot.settled, snapshot.total));
        if let Some(a_minute) = pace.a_minute() {
            let _ = write!(row, "   {}", speed(a_minute));
        }
        if let Some(done) = done_at(snapshot, pace, self.zone) {
            let _ = write!(row, "   {done}");
        }
        row
    }

    fn batch(&self, snapshot: &Snapshot) -> String {
        let up = match snapshot.slots.ours {
            0 => "nobody ringing or talking".to_owned(),
            ours => format!("{} ringing or talking", thousands(ours.into())),
        };
        let held_up = snapshot.held_up.as_ref().map_or(String::new(), |why| self.paint.yellow(&format!("   {why}")));
        let Some(batch) = snapshot.batch else {
            let blank = " ".repeat(self.cells());
            return format!(" no batch  {blank}  {:>11}   {up}{held_up}", "");
        };
        let of = format!("{}/{}", batch.done, batch.size);
        let (done, size) = (batch.done as u64, batch.size as u64);
        let label = format!("batch {}", thousands(batch.number));
        format!(" {label:<9} {}  {of:>11}   {up}{held_up}", self.bar(done, size))
    }

    fn pool(&self, snapshot: &Snapshot) -> String {
        let Slots { ours, others, free, kept, .. } = snapshot.slots;
        let parts = [ours, others, free, kept];
        let cells = if parts.iter().fold(0, |sum: u32, part| sum.saturating_add(*part)) > MOST_GLYPHS {
            shares(parts, POOL_CELLS)
        } else {
            parts
        };
        let glyphs = [self.glyphs.ours, self.glyphs.others, self.glyphs.free, self.glyphs.kept];
        let run = |place: usize| glyphs[place].to_string().repeat(cells[place] as usize);
        let row = [self.paint.green(&run(0)), self.paint.yellow(&run(1)), run(2), self.paint.dim(&run(3))];
        let names = ["ours", "others", "free", "kept"];
        let words: Vec<_> =
            parts.iter().zip(names).map(|(part, name)| format!("{} {name}", thousands((*part).into()))).collect();
        format!(" pool      {}   {}", row.concat(), words.join(&format!(" {} ", self.glyphs.dot)))
    }

    fn cells(&self) -> usize {
        self.width.saturating_sub(66).clamp(*CELLS.start(), *CELLS.end())
    }

    fn bar(&self, part: u64, whole: u64) -> String {
        let cells = self.cells();
        let full = usize::try_from(u128::from(part) * cells as u128 / u128::from(whole.max(1))).unwrap_or(cells);
        let full = if whole == 0 { cells } else { full.min(cells) };
        let done = self.glyphs.full.to_string().repeat(full);
        format!("{}{}", self.paint.green(&done), self.glyphs.empty.to_string().repeat(cells - full))
    }
}

/// The one line a minute where there is no terminal.
pub fn plain_line(snapshot: &Snapshot, pace: &Pace, zone: &TimeZone) -> String {
    let clock = snapshot.now.wall.to_zoned(zone.clone()).strftime("%H:%M");
    format!("{clock} {}", standing(snapshot, pace, zone))
}

/// How things stand, in one line.
pub fn standing(snapshot: &Snapshot, pace: &Pace, zone: &TimeZone) -> String {
    let mut line = format!("{}/{} settled", thousands(snapshot.settled), thousands(snapshot.total));
    if let Some(batch) = snapshot.batch {
        let _ = write!(line, ", batch {} {}/{}", thousands(batch.number), batch.done, batch.size);
    }
    let Slots { ours, others, free, kept, limit } = snapshot.slots;
    let _ = write!(line, ", pool {ours} ours {others} others {free} free {kept} kept of {limit}");
    line.extend(snapshot.held_up.iter().map(|why| format!(", {why}")));
    line.extend(done_at(snapshot, pace, zone).map(|done| format!(", {done}")));
    line
}

/// A line about something that has just happened.
pub fn event_line(wall: Timestamp, zone: &TimeZone, words: &str) -> String {
    format!("{}  {words}", second(wall, zone))
}

fn speed(a_minute: f64) -> String {
    match a_minute {
        100.0.. => format!("{a_minute:.0} a minute"),
        1.0.. => format!("{a_minute:.1} a minute"),
        _ => format!("{:.0} an hour", a_minute * 60.0),
    }
}

fn done_at(snapshot: &Snapshot, pace: &Pace, zone: &TimeZone) -> Option<String> {
    let left = snapshot.total.saturating_sub(snapshot.settled);
    let wait = pace.time_for(left).filter(|_| left > 0 && snapshot.held_up.is_none())?;
    let done = snapshot.now.wall.checked_add(wait).ok()?;
    Some(format!("done about {}", moment(done, snapshot.now.wall, zone)))
}

/// Cells of a bar by largest remainder, where whatever is there has one cell at least.
fn shares(parts: [u32; 4], cells: u32) -> [u32; 4] {
    let whole: u64 = parts.iter().map(|part| u64::from(*part)).sum();
    let cut = |part: u32| u32::try_from(u64::from(part) * u64::from(cells) / whole.max(1)).unwrap_or(cells);
    let mut shares = parts.map(|part| if part > 0 { cut(part).max(1) } else { 0 });
    while shares.iter().sum::<u32>() > cells {
        let most = (0..4).max_by_key(|place| shares[*place]).unwrap_or(0);
        shares[most] -= 1;
    }
    while shares.iter().sum::<u32>() < cells && whole > 0 {
        let owed = |place: &usize| {
            u64::from(parts[*place]) * u64::from(cells)
                - (u64::from(shares[*place]) * whole).min(u64::from(parts[*place]) * u64::from(cells))
        };
        let next = (0..4).max_by_key(owed).unwrap_or(0);
        shares[next] += 1;
    }
    shares
}

#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
