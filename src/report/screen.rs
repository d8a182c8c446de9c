//! What is seen while a campaign runs, as text: the headline, the rows of bars, and the one line a minute where there
//! is no terminal.

use std::fmt::Write as _;

use console::measure_text_width;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::happening::{EndedCall, Gauges, Snapshot};
use super::pace::Pace;
use super::style::{Colors, Glyphs, clip, count, dollars, moment, percent, second, thousands, wrap};
use super::summary::class_words;
use crate::leads::lead::Phone;
use crate::pool::headroom::Slots;

/// Above this many slots the pool is one bar with four parts.
const MOST_GLYPHS: u32 = 60;
/// Cells of that bar.
const POOL_CELLS: u32 = 30;
/// Cells of the other bars, at least and at most.
const CELLS: std::ops::RangeInclusive<usize> = 6..=34;
/// Columns that are left to what stands beside a bar, so that bars do not jump with every word.
const LEAST_BESIDE: usize = 66;

/// How a campaign stands at its start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Headline {
    /// The list, as a person would name it.
    pub list: String,
    /// The campaign's name.
    pub campaign: String,
    /// Slots reserved, as the option has them.
    pub reserve: String,
    /// Leads on the list.
    pub leads: u64,
    /// Leads settled by earlier runs.
    pub settled_earlier: u64,
    /// When the last of them was.
    pub last_settled: Option<Timestamp>,
    /// Leads that another campaign has called within a week.
    pub called_elsewhere: u64,
    /// Leads that earlier runs had settled and that the plan of the day reopens.
    pub reopened: u64,
    /// Leads to call.
    pub to_call: u64,
    /// Whom alone it calls, where it calls one lead.
    pub only: Option<String>,
    /// It calls nobody: the stand-in answers.
    pub sandbox: bool,
}

impl Headline {
    /// One line: what is being done.
    pub fn line(&self, glyphs: Glyphs, now: Timestamp, zone: &TimeZone) -> String {
        self.items(now, zone).join(&format!(" {} ", glyphs.dot))
    }

    /// The same in lines of so many columns, cut between its items where that is possible.
    pub fn lines(&self, glyphs: Glyphs, now: Timestamp, zone: &TimeZone, width: usize) -> Vec<String> {
        flowed(self.items(now, zone), glyphs, width, 2)
    }

    fn items(&self, now: Timestamp, zone: &TimeZone) -> Vec<String> {
        let mut items = vec!["dialer".to_owned(), self.list.clone()];
        if self.sandbox {
            items.push("sandbox: nobody is called, time x60".to_owned());
        }
        items.push(format!("reserve {}", self.reserve));
        items.push(format!("campaign {}", self.campaign));
        items.push(self.leads(now, zone));
        items.extend(self.only.as_ref().map(|only| format!("only {only}")));
        items
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
        if self.called_elsewhere > 0 {
            parts.push(format!("{} called by another campaign within 7 days", thousands(self.called_elsewhere)));
        }
        parts.push(format!("{} to call", thousands(self.to_call)));
        parts.join(", ")
    }
}

/// How rows are drawn.
#[derive(Clone, Copy, Debug)]
pub struct TextLayout<'a> {
    /// Signs.
    pub glyphs: Glyphs,
    /// Colour.
    pub paint: Colors,
    /// Columns of the terminal.
    pub width: usize,
    /// The zone of the person who looks.
    pub zone: &'a TimeZone,
}

impl TextLayout<'_> {
    /// The three rows of a terminal. Where they do not fit, the bars go first, then what can be worked out from the rest;
    /// the counts stay.
    pub fn rows(&self, snapshot: &Snapshot, pace: &Pace) -> [String; 3] {
        let mut leads = self.leads(snapshot, pace);
        let mut batch = batch(snapshot);
        let cells = self.cells([&leads, &batch]);
        for row in [&mut leads, &mut batch] {
            row.shed(self.width, cells);
        }
        let batched = snapshot.batch.map(|batch| (batch.done as u64, batch.size as u64));
        [
            leads.drawn(&self.bar(Some((snapshot.settled, snapshot.total)), cells), self.width),
            batch.drawn(&self.bar(batched, cells), self.width),
            self.pool(snapshot),
        ]
    }

    /// How calls ended so far, and what they cost; nothing before the first end.
    pub fn outcomes(&self, snapshot: &Snapshot) -> Vec<String> {
        let Gauges { totals, cost_usd, .. } = &snapshot.gauges;
        let mut parts: Vec<_> = totals
            .dispositions
            .iter()
            .map(|(class, leads)| format!("{} {}", class_words(*class), thousands(*leads)))
            .collect();
        if parts.is_empty() {
            return Vec::new();
        }
        if *cost_usd > 0.0 {
            parts.push(dollars(*cost_usd));
        }
        parts[0].insert_str(0, " ended     ");
        flowed(parts, self.glyphs, self.width, 11)
    }

    /// What holds dialing up, for below the rows.
    pub fn held(&self, snapshot: &Snapshot) -> Vec<String> {
        let why = snapshot.standstill(self.zone);
        let lines = why.iter().flat_map(|why| wrap(&format!(" {why}"), self.width, 1));
        lines.map(|line| self.paint.yellow(&line)).collect()
    }

    fn leads(&self, snapshot: &Snapshot, pace: &Pace) -> Row {
        let of = format!("{}/{}", thousands(snapshot.settled), thousands(snapshot.total));
        let share = format!("{}%", percent(snapshot.settled, snapshot.total));
        let speed = pace.a_minute().map(speed);
        let done = done_at(snapshot, pace, self.zone);
        Row {
            label: "leads".to_owned(),
            of,
            tail: [Some(format!("{share:>4}")), speed, done],
            brief: None,
            sheds: &[1, 0, 2],
        }
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
        let row = [self.paint.green(&run(0)), self.paint.yellow(&run(1)), run(2), self.paint.dim(&run(3))].concat();
        let names = ["campaign", "other", "available", "reserved"];
        let words: Vec<_> =
            parts.iter().zip(names).map(|(part, name)| format!("{} {name}", thousands((*part).into()))).collect();
        let legend = words.join(&format!(" {} ", self.glyphs.dot));
        let ways = [
            format!(" pool      {row}   {legend}"),
            format!(" pool      {legend}"),
            format!(" pool  {ours} camp. {others} other {free} free {kept} res."),
        ];
        let fits = ways.iter().find(|way| measure_text_width(way) <= self.width);
        clip(fits.unwrap_or(&ways[2]), self.width)
    }

    /// Cells of the bars, the same for both; none where there is no room for any.
    fn cells(&self, rows: [&Row; 2]) -> usize {
        let beside = rows.iter().map(|row| row.width()).max().unwrap_or(0).max(LEAST_BESIDE);
        let cells = self.width.saturating_sub(beside).min(*CELLS.end());
        if cells < *CELLS.start() { 0 } else { cells }
    }

    fn bar(&self, part_of_whole: Option<(u64, u64)>, cells: usize) -> String {
        let Some((part, whole)) = part_of_whole else { return " ".repeat(cells) };
        let full = usize::try_from(u128::from(part) * cells as u128 / u128::from(whole.max(1))).unwrap_or(cells);
        let full = if whole == 0 { cells } else { full.min(cells) };
        let done = self.glyphs.full.to_string().repeat(full);
        format!("{}{}", self.paint.green(&done), self.glyphs.empty.to_string().repeat(cells - full))
    }
}

/// A row with a bar: what it is about, how much of it is done, and more about that.
struct Row {
    label: String,
    of: String,
    tail: [Option<String>; 3],
    /// The first part of the tail in fewer words.
    brief: Option<String>,
    /// Which parts of the tail go first where there is no room.
    sheds: &'static [usize],
}

impl Row {
    /// Columns besides a bar.
    fn width(&self) -> usize {
        let tail: usize = self.tail.iter().flatten().map(|part| part.chars().count() + 3).sum();
        1 + self.label.chars().count().max(9) + 1 + 2 + self.of.chars().count().max(11) + tail
    }

    fn shed(&mut self, width: usize, cells: usize) {
        if cells > 0 {
            return;
        }
        if self.brief.is_some() && self.plain().chars().count() > width {
            self.tail[0] = self.brief.take();
        }
        for part in self.sheds {
            if self.plain().chars().count() > width {
                self.tail[*part] = None;
            }
        }
    }

    /// Without a bar.
    fn plain(&self) -> String {
        let parts = [&self.label, &self.of].into_iter().chain(self.tail.iter().flatten());
        let parts: Vec<_> = parts.map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
        format!(" {}", parts.join("  "))
    }

    fn drawn(&self, bar: &str, width: usize) -> String {
        if bar.is_empty() {
            return clip(&self.plain(), width);
        }
        let mut row = format!(" {:<9} {bar}  {:>11}", self.label, self.of);
        for part in self.tail.iter().flatten() {
            let _ = write!(row, "   {part}");
        }
        row
    }
}

fn batch(snapshot: &Snapshot) -> Row {
    let ours = u64::from(snapshot.slots.ours);
    let (long, short) = (count(ours, "active call", "active calls"), format!("{} up", thousands(ours)));
    let (label, of) = match snapshot.batch {
        None if snapshot.is_over() => ("batches".to_owned(), "all done".to_owned()),
        None => ("no batch".to_owned(), String::new()),
        Some(batch) => (format!("batch {}", thousands(batch.number)), format!("{}/{}", batch.done, batch.size)),
    };
    Row { label, of, tail: [Some(long), None, None], brief: Some(short), sheds: &[] }
}

impl Snapshot {
    /// Why nobody is dialed, where that is not the pool's doing.
    fn standstill(&self, zone: &TimeZone) -> Option<String> {
        if self.is_over() {
            return Some("all done".to_owned());
        }
        let until = self.gauges.next_at.filter(|at| *at > self.now.wall);
        let until = until.map_or(String::new(), |at| format!("; next call at {}", moment(at, self.now.wall, zone)));
        self.held_up.as_ref().map(|why| format!("{why}{until}"))
    }

    fn is_over(&self) -> bool {
        self.total > 0 && self.settled >= self.total && self.slots.ours == 0
    }
}

/// Items with dots between, in lines of so many columns, cut between items where that is possible.
fn flowed(items: Vec<String>, glyphs: Glyphs, width: usize, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 3 + item.chars().count() <= width => {
                let _ = write!(line, " {} {item}", glyphs.dot);
            }
            Some(_) => lines.push(format!("{:indent$}{item}", "")),
            None => lines.push(item),
        }
    }
    lines.iter().flat_map(|line| wrap(line, width, indent)).collect()
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
    let _ = write!(line, ", pool of {limit}: {ours} campaign, {others} other, {free} available, {kept} reserved");
    line.extend(snapshot.standstill(zone).map(|why| format!(", {why}")));
    line.extend(done_at(snapshot, pace, zone).map(|done| format!(", {done}")));
    line
}

/// A line about a call that is over.
pub fn call_line(call: &EndedCall) -> String {
    let EndedCall { phone, call: id, line, class, reason, cost_usd } = call;
    let who = phone.map_or_else(|| "a lead of an earlier run".to_owned(), Phone::masked);
    let id = id.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let from = line.as_ref().map_or(String::new(), |line| format!(" from {line}"));
    let why = reason.as_ref().map_or(String::new(), |reason| format!(" ({reason})"));
    let cost = cost_usd.map_or(String::new(), |cost| format!(", {}", dollars(cost)));
    format!("{who} call {id}{from}: {class}{why}{cost}")
}

/// The same for a screen: whom, how it ended, what it cost.
pub fn short_call_line(call: &EndedCall) -> String {
    let who = call.phone.map_or_else(|| "a lead of an earlier run".to_owned(), Phone::masked);
    let cost = call.cost_usd.filter(|cost| *cost > 0.0).map_or(String::new(), |cost| format!(", {}", dollars(cost)));
    format!("{who} {}{cost}", class_words(call.class))
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
    let done = pace.done_at(snapshot)?;
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
