//! When a lead may be called: hours, days and holidays, all read on the wall clock of each zone that the lead may lie in.
//!
//! A lead that may lie in several zones may be called only while all of them are open. What an open time is stands in
//! `timetable`; this module answers questions about it, and remembers the answers for each set of zones.

mod holidays;
mod parse;
mod spans;
#[cfg(test)]
mod tests;
mod timetable;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::plan_error::PlanError;
use crate::time::micros;
use spans::Spans;
use timetable::Timetable;

/// How far ahead an opening is looked for.
pub const HORIZON: Duration = Duration::from_hours(14 * 24);
/// Sets of zones whose openings are remembered; a list has a few hundred at most, one that has more pays for it.
const REMEMBERED: usize = 4096;
/// The longest `--guard` that is taken for meant.
const LONGEST_GUARD: Duration = Duration::from_hours(7 * 24);

/// Hours, days and holidays, in the lead's own zones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Calling {
    /// None: any time, anywhere.
    rules: Option<Arc<Rules>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Rules {
    /// Hours `any`: no zone is needed, and one that is not known binds nobody.
    any_hours: bool,
    timetable: Timetable,
    guard: Duration,
    /// Whose days a lead without a zone has, under hours `any`.
    #[serde(with = "jiff::fmt::serde::tz::optional")]
    machine: Option<TimeZone>,
    #[serde(skip)]
    spans: Mutex<HashMap<Vec<String>, Spans>>,
}

/// When a lead may be called next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// The first instant at which a call may be started.
    pub at: Timestamp,
    /// The zone that keeps it waiting until then; none if it waits for nothing.
    pub zone: Option<String>,
}

impl Calling {
    /// Any time, anywhere.
    pub fn any() -> Self {
        Self { rules: None }
    }

    /// From `--hours`, `--days`, `--holidays` (the file's path and what it holds) and `--guard`.
    ///
    /// Days and holidays bind under hours `any` too, wherever a lead's zone is known; see [`Self::machine_zone`] for
    /// the others.
    pub fn parse(
        hours: &str,
        days: Option<&str>,
        holidays: Option<(&Path, &str)>,
        guard: Duration,
    ) -> Result<Self, PlanError> {
        let windows = parse::windows(hours)?;
        let days = days.map_or(Ok(parse::EVERY_DAY), parse::days)?;
        let holidays = holidays.map_or(Ok(holidays::Holidays::default()), |(path, text)| holidays::read(path, text))?;
        if guard > LONGEST_GUARD {
            return Err(PlanError::new("--guard", "more than a week leaves no time to call in; the default is 5m"));
        }
        let any_hours = windows.is_none();
        if any_hours && days == parse::EVERY_DAY && holidays.is_empty() {
            return Ok(Self::any());
        }
        let timetable = Timetable { windows: windows.unwrap_or_else(timetable::whole_day), days, holidays };
        Ok(Self::of(Rules { any_hours, timetable, guard, machine: None, spans: Mutex::default() }))
    }

    /// Under hours `any`, gives leads without a zone the days and holidays of this one, the machine's. Without it
    /// they may be called on any day.
    #[must_use]
    pub fn machine_zone(self, zone: TimeZone) -> Self {
        let Some(rules) = &self.rules else { return self };
        Self::of(Rules {
            any_hours: rules.any_hours,
            timetable: rules.timetable.clone(),
            guard: rules.guard,
            machine: Some(zone),
            spans: Mutex::default(),
        })
    }

    fn of(rules: Rules) -> Self {
        Self { rules: Some(Arc::new(rules)) }
    }

    /// The hours of a day, as they are given to `--hours`; none under hours `any`.
    pub fn hours(&self) -> Option<String> {
        let rules = self.rules.as_ref().filter(|rules| !rules.any_hours)?;
        let time = |second: i64| format!("{:02}:{:02}", second / 3600, second % 3600 / 60);
        let end = |end: i64| if end == timetable::DAY { end } else { end % timetable::DAY };
        let windows = rules.timetable.windows.iter();
        let texts: Vec<_> = windows.map(|it| format!("{}-{}", time(it.start), time(end(it.end)))).collect();
        Some(texts.join(","))
    }

    /// Whether leads need a zone: under hours `any` they do not.
    pub fn needs_zone(&self) -> bool {
        self.rules.as_ref().is_some_and(|rules| !rules.any_hours)
    }

    /// Whether the hours are ever open for longer than the guard time, holidays apart.
    pub fn outlast_the_guard(&self) -> bool {
        let Some(rules) = self.rules.as_ref().filter(|rules| !rules.any_hours) else { return true };
        rules.timetable.longest() > i64::try_from(rules.guard.as_secs()).unwrap_or(i64::MAX)
    }

    /// Whether a window of the hours goes over midnight for longer than anybody means: two times that were swapped.
    pub fn go_through_the_night(&self) -> bool {
        let night =
            |window: &timetable::Window| window.end > timetable::DAY && window.end - window.start > timetable::DAY / 3;
        self.rules.as_ref().is_some_and(|rules| rules.timetable.windows.iter().any(night))
    }

    /// Whether a call may be started now: every zone is open, and stays so for the guard time.
    pub fn is_open(&self, zones: &[String], now: Timestamp) -> bool {
        let Some(rules) = &self.rules else { return true };
        let now = now.as_microsecond();
        rules.ask(zones, now, |spans| spans.covers(now).then(|| spans.next(now) == Some(now)))
    }

    /// The first instant, now or later, at which a call may be started; `None` if there is none in [`HORIZON`].
    pub fn next_open(&self, zones: &[String], now: Timestamp) -> Option<Timestamp> {
        let Some(rules) = &self.rules else { return Some(now) };
        let micro = now.as_microsecond();
        let horizon = micro.saturating_add(micros(HORIZON));
        let next = rules.ask(zones, micro, |spans| {
            let next = spans.next(micro);
            (spans.covers(micro) && (next.is_some() || spans.covers(horizon))).then_some(next)
        });
        // An open lead is answered with the very instant it asked about, not one cut to the microsecond.
        match next.filter(|at| *at <= horizon)? {
            at if at == micro => Some(now),
            at => Timestamp::from_microsecond(at).ok(),
        }
    }

    /// When a lead may be called next, and which of its zones decides.
    pub fn opening(&self, zones: &[String], now: Timestamp) -> Option<Opening> {
        let at = self.next_open(zones, now)?;
        let before = Timestamp::from_microsecond(at.as_microsecond().saturating_sub(1)).unwrap_or(at);
        let closed = |zone: &&String| !self.is_open(std::slice::from_ref(*zone), before);
        let zone = if at > now { zones.iter().find(closed).cloned() } else { None };
        Some(Opening { at, zone })
    }
}

impl Rules {
    /// Puts a question about a set of zones, after reckoning its open times anew where those at hand do not reach
    /// the answer (`None`). Those reckoned around `now` answer any question about it.
    fn ask<T: Default>(&self, zones: &[String], now: i64, question: impl Fn(&Spans) -> Option<T>) -> T {
        let mut known = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known.get(zones).and_then(&question) {
            return answer;
        }
        let spans = self.reckon(zones, now);
        let answer = question(&spans).unwrap_or_default();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(zones.to_vec(), spans);
        answer
    }

    fn reckon(&self, zones: &[String], now: i64) -> Spans {
        let found: Vec<TimeZone> = zones.iter().filter_map(|name| zone_named(name)).collect();
        if !self.any_hours {
            let known = !found.is_empty() && found.len() == zones.len();
            return if known { Spans::around(now, &found, &self.timetable, self.guard) } else { Spans::never() };
        }
        let machine = || self.machine.iter().cloned().collect();
        let binding = if found.is_empty() { machine() } else { found };
        if binding.is_empty() { Spans::always() } else { Spans::around(now, &binding, &self.timetable, self.guard) }
    }
}

/// The zone of that IANA name, from the data that is built in; not `Etc/Unknown`, which says nothing.
pub fn zone_named(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())
}

/// What people call a zone: the place in its name (`America/New_York` is New York).
pub fn place(zone: &str) -> String {
    zone.rsplit('/').next().unwrap_or(zone).replace('_', " ")
}
