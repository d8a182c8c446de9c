//! The open times of one set of zones over a few weeks: worked out once, looked up often.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::timetable::{DAY, Span, Timetable, both};
use crate::time::micros;

const SECOND: i64 = 1_000_000;
/// Days worked out at a time: the horizon, and room for what is asked about a delay ahead of now.
const DAYS: i64 = 33;

/// When a call may be started, in microseconds since 1970. Says nothing about times outside of `from..to`.
#[derive(Debug)]
pub(super) struct Spans {
    from: i64,
    to: i64,
    open: Vec<Span>,
}

impl Spans {
    pub(super) fn always() -> Self {
        Self { from: i64::MIN, to: i64::MAX, open: vec![(i64::MIN, i64::MAX)] }
    }

    pub(super) fn never() -> Self {
        Self { from: i64::MIN, to: i64::MAX, open: Vec::new() }
    }

    /// From the day before `now` to more than [`super::HORIZON`] after it, for zones of which all must be open, and
    /// stay open for the guard time.
    pub(super) fn around(now: i64, zones: &[TimeZone], timetable: &Timetable, guard: Duration) -> Self {
        let today = now.div_euclid(SECOND * DAY);
        let (from, to) = ((today - 1) * DAY, (today - 1 + DAYS) * DAY);
        let guard = micros(guard);
        // What is open when the guard time after `to` ends may be open for longer: nothing before `to` depends on it.
        let known = (clamp(from), clamp(to + guard / SECOND + 1));
        let mut zones = zones.iter().map(|zone| timetable.open(zone, known.0, known.1));
        let first = zones.next().unwrap_or_default();
        let common = zones.fold(first, |common, zone| both(&common, &zone));
        let guarded = common.into_iter().map(|(start, end)| (start * SECOND, end * SECOND - guard));
        let open = guarded.filter(|(start, end)| start < end).collect();
        Self { from: from * SECOND, to: to * SECOND, open }
    }

    /// Whether it knows about that time.
    pub(super) fn covers(&self, at: i64) -> bool {
        self.from <= at && at < self.to
    }

    /// The first open time from then on, as far as it knows.
    pub(super) fn next(&self, from: i64) -> Option<i64> {
        let (start, _) = self.open.get(self.open.partition_point(|(_, end)| *end <= from))?;
        Some((*start).max(from))
    }
}

/// To what a calendar can show.
fn clamp(second: i64) -> i64 {
    second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second())
}
