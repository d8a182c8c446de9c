//! What an open time is, on the wall clock of one zone.
//!
//! A window belongs to the day that it starts on, also where it runs across midnight: with `--days fri`, 22:00-02:00
//! is open until two on Saturday. A moment is open if the clock on the wall reads a time in a window. So where a clock
//! is put back, an hour in a window is open twice and one outside of it closed twice; where it is put forward, what is
//! skipped is neither.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::holidays::Holidays;

pub(super) const DAY: i64 = 86_400;

/// Seconds of one day, from its midnight: `start < DAY`, `start < end <= start + DAY`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Window {
    pub(super) start: i64,
    pub(super) end: i64,
}

/// Days of the week, Monday first.
pub(super) type Days = [bool; 7];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Timetable {
    pub(super) windows: Vec<Window>,
    pub(super) days: Days,
    pub(super) holidays: Holidays,
}

/// A stretch of time, its end apart.
pub(super) type Span = (i64, i64);

pub(super) fn whole_day() -> Vec<Window> {
    vec![Window { start: 0, end: DAY }]
}

impl Timetable {
    /// Whether windows start on that day (days since 1970-01-01).
    fn is_on(&self, day: i64) -> bool {
        // 1970-01-01 was a Thursday.
        let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
        self.days[weekday] && !self.holidays.contains(day)
    }

    /// The longest open time of an ordinary fortnight, in seconds.
    pub(super) fn longest(&self) -> i64 {
        let ordinary = Self { holidays: Holidays::default(), ..self.clone() };
        let spans = ordinary.open(&TimeZone::UTC, 0, 14 * DAY);
        spans.iter().map(|(start, end)| end - start).max().unwrap_or(0)
    }

    /// When a zone is open between two instants (seconds since 1970): sorted, and none touches the next.
    pub(super) fn open(&self, zone: &TimeZone, from: i64, to: i64) -> Vec<Span> {
        let mut spans = Vec::new();
        let Ok(begin) = Timestamp::from_second(from) else { return spans };
        let (mut since, mut offset) = (from, zone.to_offset(begin).seconds());
        for change in zone.following(begin) {
            let at = change.timestamp().as_second();
            if at >= to {
                break;
            }
            self.open_at_offset(i64::from(offset), (since, at), &mut spans);
            (since, offset) = (at, change.offset().seconds());
        }
        self.open_at_offset(i64::from(offset), (since, to), &mut spans);
        merge(spans)
    }

    /// The same for a stretch without a change of the clock. Windows of the day before may reach into it.
    fn open_at_offset(&self, offset: i64, stretch: Span, into: &mut Vec<Span>) {
        let day_of = |instant: i64| (instant + offset).div_euclid(DAY);
        for day in (day_of(stretch.0) - 1)..=day_of(stretch.1) {
            if !self.is_on(day) {
                continue;
            }
            let midnight = day * DAY - offset;
            let open = self.windows.iter().map(|window| (midnight + window.start, midnight + window.end));
            let cut = open.map(|(start, end)| (start.max(stretch.0), end.min(stretch.1)));
            into.extend(cut.filter(|(start, end)| start < end));
        }
    }
}

/// Joins what overlaps or touches, so that 08:00-12:00,12:00-21:00 is one stretch.
fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for (start, end) in spans {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// When both are open.
pub(super) fn both(left: &[Span], right: &[Span]) -> Vec<Span> {
    let (mut l, mut r, mut spans) = (0, 0, Vec::new());
    while let (Some(a), Some(b)) = (left.get(l), right.get(r)) {
        let (start, end) = (a.0.max(b.0), a.1.min(b.1));
        if start < end {
            spans.push((start, end));
        }
        if a.1 <= b.1 { l += 1 } else { r += 1 }
    }
    spans
}
