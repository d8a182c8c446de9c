//! Reads `--holidays`: dates one a line, or an iCalendar file (RFC 5545). Refuses what it would have to guess at: a
//! holiday that is silently missing gets people called on it.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::timetable::DAY;
use crate::campaign::plan_error::PlanError;

/// Files larger than this are no lists of holidays.
const MOST_BYTES: usize = 4 << 20;
/// Days that such a file may name in all.
const MOST_DAYS: usize = 200_000;
/// The longest event, in days.
const LONGEST: i64 = 366;
/// Until when yearly events are written out.
const LAST_YEAR: i16 = 2199;

/// Days on which nobody is called, counted from 1970-01-01.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Holidays(BTreeSet<i64>);

/// What is wrong, and in which line.
type Trouble = (usize, String);

impl Holidays {
    pub(super) fn contains(&self, day: i64) -> bool {
        self.0.contains(&day)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, first: i64, length: i64) -> Result<(), String> {
        self.0.extend(first..first + length);
        if self.0.len() > MOST_DAYS { Err(format!("more than {MOST_DAYS} days in all")) } else { Ok(()) }
    }
}

/// What a holidays file says. `path` is for its ending and for errors.
pub(super) fn read(path: &Path, text: &str) -> Result<Holidays, PlanError> {
    let wrong = |problem: String| PlanError::new("--holidays", format!("{}{problem}", path.display()));
    if text.len() > MOST_BYTES {
        return Err(wrong(" is too large for a list of holidays; 4 MB at most".into()));
    }
    let text = text.trim_start_matches('\u{feff}');
    let ical = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("ics")) || text.starts_with("BEGIN:VCAL");
    let read = if ical { calendar(text) } else { dates(text) };
    let holidays = read.map_err(|(line, problem)| wrong(format!(":{line}: {problem}")))?;
    if holidays.is_empty() {
        return Err(wrong(" names no day; write dates like 2026-12-25, one a line, or leave the flag out".into()));
    }
    Ok(holidays)
}

/// One date a line; what follows it, and `#` to the end of the line, is for people. A second date, or a range, is an
/// error: people would be called on the days that were not understood.
fn dates(text: &str) -> Result<Holidays, Trouble> {
    let mut holidays = Holidays::default();
    for (line, row) in (1..).zip(text.lines()) {
        let row = row.split('#').next().unwrap_or_default().trim();
        let mut words = row.split([' ', '\t', ',', ';']).filter(|word| !word.is_empty());
        let Some(word) = words.next() else { continue };
        let day = date_of(word).and_then(day_of);
        let day = day.ok_or_else(|| (line, format!("{word:?} is not a date; write 2026-12-25")))?;
        let next = words.next();
        let range = next.is_some_and(|word| ["-", "–", "—", "to", "until", "through", ".."].contains(&word));
        if range && words.clone().next().is_some_and(|word| word.starts_with(|first: char| first.is_ascii_digit()))
            || next.into_iter().chain(words).any(|word| date_of(word.trim_matches(['(', ')', '-', '–'])).is_some())
        {
            return Err((line, format!("{row:?} names several days; write one date a line")));
        }
        holidays.add(day, 1).map_err(|problem| (line, problem))?;
    }
    Ok(holidays)
}

fn date_of(word: &str) -> Option<Date> {
    if word.len() == 10 { word.parse().ok() } else { None }
}

/// One event while it is being read.
#[derive(Default)]
struct CalendarEvent<'a> {
    start: Option<Moment>,
    end: Option<Moment>,
    days: Option<i64>,
    rule: Option<&'a str>,
    cancelled: bool,
    /// How deep inside of parts of its own, such as alarms, whose properties are not the event's.
    inside: u32,
}

/// A date, and whether a time after midnight stands with it.
#[derive(Clone, Copy)]
struct Moment {
    date: Date,
    later: bool,
}

/// The events of a calendar. A day that a timed event touches, as its times are written, is a holiday; dates taken out
/// of a series (`EXDATE`) stay holidays.
fn calendar(text: &str) -> Result<Holidays, Trouble> {
    let mut holidays = Holidays::default();
    let mut event: Option<CalendarEvent<'_>> = None;
    let unfolded = unfold(text);
    for (line, row) in &unfolded {
        let (name, value) = property(row);
        let wrong = |problem: String| (*line, problem);
        match (name.as_str(), &mut event) {
            ("BEGIN", None) if value.eq_ignore_ascii_case("VEVENT") => event = Some(CalendarEvent::default()),
            ("END", Some(done)) if done.inside == 0 && value.eq_ignore_ascii_case("VEVENT") => {
                done.add_to(&mut holidays).map_err(wrong)?;
                event = None;
            }
            ("BEGIN", Some(event)) => event.inside = event.inside.saturating_add(1),
            ("END", Some(event)) => event.inside = event.inside.saturating_sub(1),
            (_, Some(event)) if event.inside > 0 => {}
            ("DTSTART", Some(event)) => event.start = Some(moment(value).map_err(wrong)?),
            ("DTEND", Some(event)) => event.end = Some(moment(value).map_err(wrong)?),
            ("DURATION", Some(event)) => event.days = Some(whole_days(value).map_err(wrong)?),
            ("RRULE", Some(event)) => event.rule = Some(value),
            ("RDATE", Some(_)) => return Err(wrong("RDATE is not understood; list its dates in a file".into())),
            ("STATUS", Some(event)) => event.cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            _ => {}
        }
    }
    match event {
        Some(_) => Err((unfolded.last().map_or(1, |row| row.0), "the file ends in the middle of an event".into())),
        None => Ok(holidays),
    }
}

impl CalendarEvent<'_> {
    fn add_to(&self, holidays: &mut Holidays) -> Result<(), String> {
        if self.cancelled {
            return Ok(());
        }
        let start = self.start.ok_or("an event without DTSTART")?.date;
        let first = day_of(start).ok_or("DTSTART lies beyond the calendar")?;
        let end = match self.end {
            Some(end) => Some(day_of(end.date).ok_or("DTEND lies beyond the calendar")? + i64::from(end.later)),
            None => None,
        };
        let length = self.days.unwrap_or_else(|| end.map_or(1, |end| end - first)).max(1);
        if length > LONGEST {
            return Err(format!("an event of {length} days; {LONGEST} at most"));
        }
        let Some(rule) = self.rule else { return holidays.add(first, length) };
        for date in yearly(start, rule)? {
            holidays.add(day_of(date).unwrap_or(first), length)?;
        }
        Ok(())
    }
}

/// The dates of a plain yearly rule.
fn yearly(start: Date, rule: &str) -> Result<Vec<Date>, String> {
    let strange = || format!("RRULE:{rule} is not understood (plain FREQ=YEARLY is); list its dates in a file");
    let (mut is_yearly, mut every, mut most, mut until) = (false, 1, usize::MAX, Date::MAX);
    for part in rule.split(';').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').ok_or_else(strange)?;
        match key.to_ascii_uppercase().as_str() {
            "FREQ" => is_yearly = value.eq_ignore_ascii_case("YEARLY"),
            "INTERVAL" => every = value.parse().ok().filter(|every| (1..=1000).contains(every)).ok_or_else(strange)?,
            "COUNT" => most = value.parse().map_err(|_| strange())?,
            "UNTIL" => until = moment(value)?.date,
            "BYMONTH" if value.parse() == Ok(start.month()) => {}
            "BYMONTHDAY" if value.parse() == Ok(start.day()) => {}
            "WKST" => {}
            _ => return Err(strange()),
        }
    }
    if !is_yearly {
        return Err(strange());
    }
    let years = (start.year()..=LAST_YEAR.max(start.year())).step_by(every);
    let dates = years.filter_map(|year| Date::new(year, start.month(), start.day()).ok());
    Ok(dates.take_while(|date| *date <= until).take(most).collect())
}

/// Lines with their numbers, those folded in two put together again.
fn unfold(text: &str) -> Vec<(usize, String)> {
    let mut rows: Vec<(usize, String)> = Vec::new();
    for (line, row) in (1..).zip(text.lines()) {
        match (row.strip_prefix([' ', '\t']), rows.last_mut()) {
            (Some(rest), Some((_, whole))) => whole.push_str(rest),
            _ => rows.push((line, row.to_owned())),
        }
    }
    rows
}

/// `NAME;PARAMETER="..":value`: the name and the value.
fn property(row: &str) -> (String, &str) {
    let mut quoted = false;
    let colon = row.find(|letter| {
        quoted ^= letter == '"';
        letter == ':' && !quoted
    });
    let (head, value) = colon.map_or((row, ""), |at| (&row[..at], &row[at + 1..]));
    (head.split(';').next().unwrap_or_default().trim().to_ascii_uppercase(), value.trim())
}

/// `20261225`, or `20261225T090000` with or without `Z`.
fn moment(value: &str) -> Result<Moment, String> {
    let date = value.get(..8).filter(|date| date.bytes().all(|byte| byte.is_ascii_digit()));
    let date = date.and_then(|date| {
        let number = |range: std::ops::Range<usize>| date.get(range)?.parse::<i16>().ok();
        Date::new(number(0..4)?, i8::try_from(number(4..6)?).ok()?, i8::try_from(number(6..8)?).ok()?).ok()
    });
    let rest = value.get(8..).unwrap_or_default();
    let is_time = rest.is_empty() || rest.starts_with('T');
    let date = date.filter(|_| is_time).ok_or_else(|| format!("{value:?} is not a date (20261225)"))?;
    Ok(Moment { date, later: rest.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) })
}

/// `P1D`, `P2W`.
fn whole_days(value: &str) -> Result<i64, String> {
    let strange = || format!("DURATION:{value} is not understood (whole days are: P1D)");
    let (number, unit) =
        value.strip_prefix('P').and_then(|rest| rest.split_at_checked(rest.len().max(1) - 1)).ok_or_else(strange)?;
    let days: i64 = number.parse::<u16>().map_err(|_| strange())?.into();
    match unit {
        "D" => Ok(days),
        "W" => Ok(days * 7),
        _ => Err(strange()),
    }
}

/// Days since 1970-01-01.
fn day_of(date: Date) -> Option<i64> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second().div_euclid(DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(path: &str, text: &str) -> Result<Vec<String>, String> {
        let day = |day: &i64| jiff::Timestamp::from_second(day * DAY).unwrap().strftime("%F").to_string();
        read(Path::new(path), text).map(|holidays| holidays.0.iter().map(day).collect()).map_err(|e| e.to_string())
    }

    fn event(body: &str) -> Result<Vec<String>, String> {
        days("free.ics", &format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{body}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
    }

    #[test]
    fn dates_with_words_for_people() {
        let text = "\u{feff}# bank holidays\r\n2026-12-25 Christmas\n\n  2026-12-26,Boxing Day # both\n2026-12-25\n";
        assert_eq!(days("free.txt", text), Ok(vec!["2026-12-25".into(), "2026-12-26".into()]));
        let error = days("free.txt", "2026-12-25\n25.12.2026").unwrap_err();
        assert_eq!(error, "--holidays: free.txt:2: \"25.12.2026\" is not a date; write 2026-12-25");
        assert!(days("free.txt", "2026-02-29").is_err());
        let texts =
            ["2026-12-24, 2026-12-25", "2026-12-24 - 2026-12-26", "2026-12-24 to 26 Dec", "2026-12-24\t(2026-12-25)"];
        for several in texts {
            assert!(days("free.txt", several).unwrap_err().contains("one date a line"), "{several}");
        }
        assert_eq!(days("free.txt", "2026-01-01 - New Year 2026").unwrap().len(), 1);
        assert!(days("free.txt", "# none\n").unwrap_err().contains("names no day"));
        assert!(days("free.txt", &"#".repeat(MOST_BYTES + 1)).unwrap_err().contains("too large"));
    }

    #[test]
    fn whole_day_events_end_before_their_end() {
        assert_eq!(event("DTSTART;VALUE=DATE:20261225"), Ok(vec!["2026-12-25".into()]));
        assert_eq!(event("DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227").unwrap().len(), 3);
        assert_eq!(event("DTSTART:20261231\r\nDTEND:20261231"), Ok(vec!["2026-12-31".into()]));
        assert_eq!(event("DTSTART;VALUE=DATE:20261224\r\nDURATION:P1W").unwrap().len(), 7);
    }

    #[test]
    fn timed_events_take_the_days_they_touch() {
        let start = "DTSTART;TZID=\"Europe:Berlin\":20261224T140000";
        assert_eq!(event(&format!("{start}\r\nDTEND:20261225T000000")), Ok(vec!["2026-12-24".into()]));
        assert_eq!(event(&format!("{start}\r\nDTEND:20261225T003000Z")).unwrap().len(), 2);
    }

    #[test]
    fn yearly_events_come_every_year() {
        let christmas = event("DTSTART;VALUE=DATE:20201225\r\nRRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25").unwrap();
        assert_eq!((christmas.len(), christmas[0].as_str()), (180, "2020-12-25"));
        let leap = event("DTSTART:20240229\nRRULE:FREQ=YEARLY;UNTIL=20321231T000000Z").unwrap();
        assert_eq!(leap, ["2024-02-29", "2028-02-29", "2032-02-29"]);
        assert_eq!(event("DTSTART:20240229\nRRULE:FREQ=YEARLY;COUNT=2;INTERVAL=4").unwrap().len(), 2);
    }

    #[test]
    fn what_it_would_have_to_guess_at_is_an_error() {
        for (line, body) in [
            (5, "DTSTART:20261126\nRRULE:FREQ=YEARLY;BYDAY=4TH;BYMONTH=11"),
            (5, "DTSTART:20261126\nRRULE:FREQ=MONTHLY"),
            (4, "DTSTART:20261126\nRDATE:20271125"),
            (4, "SUMMARY:no start"),
            (3, "DTSTART:Christmas"),
            (4, "DTSTART:20261126\nDURATION:PT12H"),
            (5, "DTSTART:20261126\nDTEND:20301126"),
            (5, "DTSTART:20261126\nDTEND:99991231"),
        ] {
            let error = event(body).unwrap_err();
            assert!(error.starts_with(&format!("--holidays: free.ics:{line}: ")), "{body}: {error}");
        }
        let error = days("free.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225").unwrap_err();
        assert_eq!(error, "--holidays: free.ics:3: the file ends in the middle of an event");
    }

    #[test]
    fn alarms_folds_zones_and_cancelled_events_are_no_holidays() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nDTSTART:19700101T000000\nRRULE:FREQ=YEARLY;BYDAY=1SU\n\
                    END:VTIMEZONE\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:2026\n 1225\nBEGIN:VALARM\nDURATION:PT15M\n\
                    END:VALARM\nEND:VEVENT\nBEGIN:VEVENT\nSTATUS:CANCELLED\nDTSTART:20260101\nEND:VEVENT\n";
        assert_eq!(days("calendar", text), Ok(vec!["2026-12-25".into()]));
    }
}
