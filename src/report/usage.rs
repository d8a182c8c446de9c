//! What an account used: the pool's peaks, and calls, minutes and cost, on one time line; and what follows from it.

use std::fmt::Write as _;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{RoundMode, Timestamp, ToSpan, Unit, Zoned, ZonedRound};
use serde::Serialize;

use super::advice::{Advice, advise};
use super::chart::Chart;
use super::style::{count, dollars, minutes, moment};
use crate::vapi::analytics::{Row, Step};

/// Days of the longest stretch over which minutes are added up.
const MONTH_DAYS: usize = 30;
/// More steps than this are nothing that anybody reads, and no answer holds them.
pub const MOST_STEPS: usize = 20_000;
/// Rows of the chart of peaks, and of that of minutes.
const PEAKS_HIGH: usize = 8;
const MINUTES_HIGH: usize = 4;

/// A stretch of time in steps of a zone's hours, days or weeks.
#[derive(Clone, Debug)]
pub struct Range {
    /// From here on.
    pub from: Timestamp,
    /// Up to here.
    pub to: Timestamp,
    /// The length of a step.
    pub step: Step,
    /// Whose hours, days and weeks.
    pub zone: TimeZone,
}

/// The most calls that were up in a step.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Peak {
    /// Where the step begins.
    pub at: Timestamp,
    /// Calls that were up at once.
    pub max: u32,
}

/// The calls that began in a step.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct CallSum {
    /// Where the step begins.
    pub at: Timestamp,
    /// Calls.
    pub calls: u64,
    /// Their minutes.
    pub minutes: f64,
    /// What they cost, in US dollars.
    pub cost_usd: f64,
}

/// What was used.
#[derive(Clone, Debug)]
pub struct Usage {
    range: Range,
    limit: Option<u32>,
    peaks: Vec<Peak>,
    /// The same by hour, for what comes again at certain hours; empty where it was not asked for.
    hours: Vec<Peak>,
    calls: Vec<CallSum>,
    /// Minutes by day of the zone.
    minutes_a_day: Vec<f64>,
}

/// What came back, before it stands on one time line.
#[derive(Clone, Debug, Default)]
pub struct Came {
    /// Peaks by step: one column.
    pub peaks: Vec<Row>,
    /// Peaks by hour: one column.
    pub hours: Vec<Row>,
    /// Calls by step, or by day where that is a week, of every organisation: count, duration, cost.
    pub calls: Vec<Row>,
    /// Seconds of one unit of `duration`.
    pub unit_s: f64,
}

impl Range {
    /// Where each step begins: the first at `from`, the others where an hour, a day or a week of the zone does.
    pub fn steps(&self) -> Vec<Timestamp> {
        let mut steps = Vec::new();
        let mut at = self.from;
        while at < self.to && steps.len() < MOST_STEPS {
            steps.push(at);
            at = self.after(at);
        }
        steps
    }

    /// Where the step begins that holds this instant.
    pub fn floor(&self, at: Timestamp) -> Timestamp {
        start_of(&at.to_zoned(self.zone.clone()), self.step).timestamp()
    }

    fn after(&self, at: Timestamp) -> Timestamp {
        let start = start_of(&at.to_zoned(self.zone.clone()), self.step);
        let next = match self.step {
            Step::Hour => start.checked_add(1.hour()),
            Step::Day => start.checked_add(1.day()),
            Step::Week => start.checked_add(7.days()),
        };
        next.map_or(self.to, |next| next.timestamp()).max(at + jiff::SignedDuration::from_secs(1))
    }
}

fn start_of(at: &Zoned, step: Step) -> Zoned {
    // Hours of the zone: one that is half an hour off UTC has its own.
    let hour = || at.round(ZonedRound::new().smallest(Unit::Hour).mode(RoundMode::Trunc));
    let day = || at.start_of_day();
    match step {
        Step::Hour => hour(),
        Step::Day => day(),
        Step::Week => day().and_then(|day| day.checked_sub(i64::from(day.weekday().since(Weekday::Monday)).days())),
    }
    .unwrap_or_else(|_| at.clone())
}

impl Usage {
    /// Puts what came on one time line; steps of which nothing came are 0.
    pub fn new(range: Range, limit: Option<u32>, came: &Came) -> Self {
        let by = |step: Step| Range { step, ..range.clone() };
        let peaks = |range: &Range, rows: &[Row]| {
            let mut peaks: Vec<_> = range.steps().iter().map(|at| Peak { at: *at, max: 0 }).collect();
            for (nth, row) in placed(range, rows) {
                peaks[nth].max = peaks[nth].max.max(whole(row.values[0]));
            }
            peaks
        };
        let none = |at: &Timestamp| CallSum { at: *at, calls: 0, minutes: 0.0, cost_usd: 0.0 };
        let mut calls: Vec<_> = range.steps().iter().map(none).collect();
        let minutes = |row: &Row| row.values[1] * came.unit_s / 60.0;
        for (nth, row) in placed(&range, &came.calls) {
            let sum = &mut calls[nth];
            sum.calls += u64::from(whole(row.values[0]));
            sum.minutes += minutes(row);
            sum.cost_usd += row.values[2];
        }
        for sum in &mut calls {
            (sum.minutes, sum.cost_usd) = (rounded(sum.minutes), rounded(sum.cost_usd));
        }
        let starts = by(Step::Day).steps();
        let mut minutes_a_day = vec![0.0; starts.len()];
        for (_, row) in placed(&range, &came.calls) {
            minutes_a_day[step_of(&starts, row.at)] += minutes(row);
        }
        let hours = if came.hours.is_empty() { Vec::new() } else { peaks(&by(Step::Hour), &came.hours) };
        let peaks = peaks(&range, &came.peaks);
        Self { range, limit, peaks, hours, calls, minutes_a_day }
    }

    /// The largest peak, the earliest of them; none where nobody called.
    pub fn peak(&self) -> Option<Peak> {
        let most = self.peaks.iter().map(|peak| peak.max).max().filter(|max| *max > 0)?;
        self.peaks.iter().find(|peak| peak.max == most).copied()
    }

    /// The most minutes of 30 days that lie in the range.
    pub fn minutes_month(&self) -> f64 {
        let days = &self.minutes_a_day;
        let months = days.windows(MONTH_DAYS.clamp(1, days.len().max(1))).map(|month| month.iter().sum());
        rounded(months.fold(0.0, f64::max))
    }

    /// The steps in which calls came near the limit, or to it.
    pub fn near_cap(&self) -> Vec<Peak> {
        let near = self.limit.map(near);
        self.peaks.iter().filter(|peak| near.is_some_and(|near| peak.max >= near)).copied().collect()
    }

    /// What follows from it.
    pub fn advice(&self) -> Vec<Advice> {
        advise(self.limit, &self.peaks, &self.hours, self.minutes_month(), &self.range)
    }

    fn is_empty(&self) -> bool {
        self.peak().is_none() && self.calls.iter().all(|step| step.calls == 0 && step.minutes == 0.0)
    }

    /// As one object.
    pub fn json(&self) -> String {
        let object = serde_json::json!({
            "from": self.range.from,
            "to": self.range.to,
            "step": self.range.step.name(),
            "time_zone": self.range.zone.iana_name().unwrap_or("UTC"),
            "limit": self.limit,
            "concurrency": self.peaks,
            "peak": self.peak(),
            "calls": self.calls,
            "minutes_month": self.minutes_month(),
            "near_cap": self.near_cap(),
            "advice": self.advice(),
        });
        format!("{object}\n")
    }

    /// As a table with commas.
    pub fn csv(&self) -> String {
        let mut text = "at,max,calls,minutes,cost_usd\n".to_owned();
        for (peak, calls) in self.peaks.iter().zip(&self.calls) {
            let _ = writeln!(text, "{},{},{},{},{}", peak.at, peak.max, calls.calls, calls.minutes, calls.cost_usd);
        }
        text
    }

    /// As charts, sums and advice, for a terminal of this width.
    pub fn text(&self, width: usize, unicode: bool) -> String {
        if self.is_empty() {
            let (from, to) = (self.when(self.range.from), self.when(self.range.to));
            return format!("no calls are known from {from} to {to}: there is nothing to show yet\n");
        }
        let mut text = String::new();
        let peaks: Vec<f64> = self.peaks.iter().map(|peak| f64::from(peak.max)).collect();
        let top = f64::from(self.peak().map_or(1, |peak| peak.max).max(self.limit.unwrap_or(1)));
        let level = self.limit.map(f64::from);
        let chart = Chart { values: &peaks, top, level, height: PEAKS_HIGH, width, unicode };
        let each = self.range.step.name();
        let limit = self.limit.map_or("the limit is not known: --slots N".to_owned(), |limit| format!("limit {limit}"));
        let _ = writeln!(text, "most calls at once, by {each} ({limit})\n{}", chart.rows().join("\n"));
        if let Some(near) = self.limit.map(near) {
            let marks = chart.marks(|max| max >= f64::from(near));
            if !marks.trim().is_empty() {
                let _ = writeln!(text, "{marks}  {near} or more");
            }
        }
        let minutes: Vec<f64> = self.calls.iter().map(|step| step.minutes).collect();
        let top = minutes.iter().copied().fold(1.0, f64::max);
        let chart = Chart { values: &minutes, top, level: None, height: MINUTES_HIGH, ..chart };
        let _ = writeln!(text, "\nminutes, by {each}\n{}", chart.rows().join("\n"));
        let _ = writeln!(text, "       {} to {}", self.when(self.range.from), self.when(self.range.to));
        let _ = writeln!(text, "\n{}", self.sums());
        for advice in self.advice() {
            let _ = writeln!(text, "{}", super::style::wrap(&format!("* {}", advice.text), width, 2).join("\n"));
        }
        text
    }

    fn sums(&self) -> String {
        let calls: u64 = self.calls.iter().map(|step| step.calls).sum();
        let talked: f64 = self.calls.iter().map(|step| step.minutes).sum();
        let cost: f64 = self.calls.iter().map(|step| step.cost_usd).sum();
        let peak = self.peak().map_or(String::new(), |peak| {
            format!("\nat most {} at once, first {}", count(peak.max.into(), "call", "calls"), self.when(peak.at))
        });
        format!("{}, {}, {}{peak}", count(calls, "call", "calls"), minutes(talked), dollars(cost))
    }

    fn when(&self, at: Timestamp) -> String {
        moment(at, Timestamp::UNIX_EPOCH, &self.range.zone)
    }
}

/// Near the limit begins at four fifths of it.
pub(super) fn near(limit: u32) -> u32 {
    (limit * 4).div_ceil(5).max(1)
}

/// The rows that lie in the range, with their step. A row may be dated to the beginning of the provider's own step, an hour
/// or a day.
fn placed<'a>(range: &Range, rows: &'a [Row]) -> impl Iterator<Item = (usize, &'a Row)> {
    let (steps, to) = (range.steps(), range.to);
    let before = range.from - if range.step == Step::Hour { 1.hour() } else { 24.hours() };
    let inside = rows.iter().filter(move |row| row.at > before && row.at < to);
    inside.filter_map(move |row| (!steps.is_empty()).then_some((step_of(&steps, row.at), row)))
}

/// The step that holds this instant: the last one that has begun, or the first.
fn step_of(steps: &[Timestamp], at: Timestamp) -> usize {
    steps.partition_point(|step| *step <= at).saturating_sub(1)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped; counts of calls are small")]
fn whole(number: f64) -> u32 {
    number.round().clamp(0.0, f64::from(u32::MAX)) as u32
}

/// To three places.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, to: &str, step: Step, zone: &str) -> Range {
        let zone = TimeZone::get(zone).unwrap();
        let at = |text: &str| text.parse::<jiff::civil::Date>().unwrap().to_zoned(zone.clone()).unwrap().timestamp();
        Range { from: at(from), to: at(to), step, zone: zone.clone() }
    }

    fn row(at: &str, values: &[f64]) -> Row {
        Row { at: at.parse().unwrap(), groups: Vec::new(), values: values.to_vec() }
    }

    #[test]
    fn days_have_23_or_25_hours_where_the_clock_is_changed() {
        let hours = |from, to| range(from, to, Step::Hour, "Europe/Lisbon").steps().len();
        assert_eq!(hours("2026-03-29", "2026-03-30"), 23);
        assert_eq!(hours("2026-10-25", "2026-10-26"), 25);
        assert_eq!(hours("2026-11-01", "2026-11-02"), 24);
        assert_eq!(range("2026-03-01", "2026-04-01", Step::Day, "Europe/Lisbon").steps().len(), 31);
        let weeks = range("2026-11-04", "2026-11-18", Step::Week, "UTC").steps();
        let weeks: Vec<_> = weeks.iter().map(|at| at.to_string()[..10].to_owned()).collect();
        assert_eq!(weeks, ["2026-11-04", "2026-11-09", "2026-11-16"]);
        assert_eq!(range("2026-11-04", "2026-11-05", Step::Hour, "Asia/Kolkata").steps().len(), 24);
    }

    #[test]
    fn steps_of_which_nothing_came_are_0_and_several_organisations_add_up() {
        let came = Came {
            peaks: vec![row("2026-11-02T10:00:00Z", &[8.0]), row("2026-11-03T00:00:00Z", &[10.0])],
            hours: Vec::new(),
            calls: vec![
                row("2026-11-02T00:00:00Z", &[3.0, 120.0, 0.5]),
                row("2026-11-02T00:00:00Z", &[1.0, 60.0, 0.25]),
            ],
            unit_s: 1.0,
        };
        let usage = Usage::new(range("2026-11-01", "2026-11-05", Step::Day, "UTC"), Some(10), &came);
        let object: serde_json::Value = serde_json::from_str(&usage.json()).unwrap();
        let peaks: Vec<_> = object["concurrency"].as_array().unwrap().iter().map(|step| step["max"].clone()).collect();
        assert_eq!(peaks, [0, 8, 10, 0]);
        assert_eq!(
            object["calls"][1],
            serde_json::json!({
                "at": "2026-11-02T00:00:00Z", "calls": 4, "minutes": 3.0, "cost_usd": 0.75
            })
        );
        assert_eq!(object["minutes_month"], 3.0);
        assert_eq!(object["peak"]["max"], 10);
        assert_eq!(object["near_cap"].as_array().unwrap().len(), 2);
        let codes: Vec<_> = object["advice"].as_array().unwrap().iter().map(|advice| advice["code"].clone()).collect();
        assert_eq!(codes, ["at-cap", "near-cap", "add-lines"]);
        let text = usage.text(60, true);
        insta::assert_snapshot!(text, @r"
        most calls at once, by day (limit 10)
            10 ────────────█████───────
                     ▃▃▃▃▃ █████
                     █████ █████
                     █████ █████
                     █████ █████
                     █████ █████
                     █████ █████
                     █████ █████
                       ▲     ▲  8 or more

        minutes, by day
             3       █████
                     █████
                     █████
                     █████
               1 Nov 2026 00:00 to 5 Nov 2026 00:00

        4 calls, 3 minutes, $0.75
        at most 10 calls at once, first 3 Nov 2026 00:00
        * calls filled all 10 slots in 1 of 4 days (all on 3 Nov):
          others may have been turned away
        * 8 or more of 10 slots were taken in 2 of 4 days
        * 2 more lines (a limit of 12) would cost $20.00 a month at
          $10.00 each; look again a week later
        ");
        assert_eq!(usage.csv().lines().count(), 5);
    }

    #[test]
    fn a_month_is_the_fullest_30_days() {
        let calls = (1..=60).map(|day| {
            let at = range("2026-01-01", "2026-03-02", Step::Day, "UTC").steps()[day - 1];
            Row { at, groups: Vec::new(), values: vec![1.0, if day > 30 { 120.0 } else { 60.0 }, 0.0] }
        });
        let came = Came { calls: calls.collect(), unit_s: 1.0, ..Came::default() };
        let usage = Usage::new(range("2026-01-01", "2026-03-02", Step::Day, "UTC"), None, &came);
        assert!((usage.minutes_month() - 60.0).abs() < 1e-9);
        assert!(usage.near_cap().is_empty());
    }

    #[test]
    fn a_month_of_weeks_or_with_a_change_of_the_clock_is_30_days() {
        let minutes = |from: &str, to: &str, step: Step, zone: &str| {
            let a_day = Row { at: Timestamp::UNIX_EPOCH, groups: Vec::new(), values: vec![1.0, 60_000.0, 0.0] };
            let days = range(from, to, Step::Day, zone).steps();
            let calls = days.into_iter().map(|at| Row { at, ..a_day.clone() }).collect();
            Usage::new(range(from, to, step, zone), None, &Came { calls, unit_s: 1.0, ..Came::default() })
                .minutes_month()
        };
        assert!((minutes("2026-09-07", "2026-11-16", Step::Week, "UTC") - 30_000.0).abs() < 1e-6);
        assert!((minutes("2026-03-01", "2026-04-30", Step::Day, "Europe/Lisbon") - 30_000.0).abs() < 1e-6);
    }

    #[test]
    fn what_came_before_the_range_is_not_in_it() {
        let row = |at: &str, peak: f64| Row { at: at.parse().unwrap(), groups: Vec::new(), values: vec![peak] };
        let peaks =
            vec![row("2026-10-30T00:00:00Z", 9.0), row("2026-10-31T23:00:00Z", 2.0), row("2026-11-01T00:00:00Z", 1.0)];
        let came = Came { peaks, unit_s: 1.0, ..Came::default() };
        let usage = Usage::new(range("2026-11-01", "2026-11-03", Step::Day, "UTC"), None, &came);
        assert_eq!(usage.peak().map(|peak| peak.max), Some(2));
    }
}
