//! Reads `--hours` and `--days`.

use super::timetable::{DAY, Days, Window};
use crate::campaign::plan_error::PlanError;

pub(super) const EVERY_DAY: Days = [true; 7];
const MOST_WINDOWS: usize = 48;
const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// `HH:MM-HH:MM[,..]`, or `None` for `any`. An end that is not after its start lies on the next day.
pub(super) fn windows(text: &str) -> Result<Option<Vec<Window>>, PlanError> {
    if text.trim() == "any" {
        return Ok(None);
    }
    let windows: Vec<Window> = text.split(',').map(|part| window(part.trim())).collect::<Result<_, _>>()?;
    if windows.len() > MOST_WINDOWS {
        return Err(hours(format!("{} windows are more than a day needs; {MOST_WINDOWS} at most", windows.len())));
    }
    Ok(Some(windows))
}

fn window(text: &str) -> Result<Window, PlanError> {
    let example = "write 08:00-21:00 or 9am-5pm, several with commas, or any";
    let (from, to) = text.split_once('-').ok_or_else(|| hours(format!("{text:?} is not a window; {example}")))?;
    let time = |text: &str| {
        let text = text.trim();
        time_of_day(text).ok_or_else(|| hours(format!("{text:?} is not a time of day; {example}")))
    };
    let (start, end) = (time(from)?, time(to)?);
    if start == DAY {
        return Err(hours(format!(
            "{text} starts at the end of the day; a window that starts at midnight is 00:00-.."
        )));
    }
    if start == end {
        return Err(hours(format!("{text} is empty; the whole day is 00:00-24:00, and any needs no time zone")));
    }
    Ok(Window { start, end: if end < start { end + DAY } else { end } })
}

/// Seconds from midnight of `9:30`, `9`, `9am` or `9:30 pm`; `24:00` is the end of the day.
fn time_of_day(text: &str) -> Option<i64> {
    let lower = text.to_ascii_lowercase();
    for (half, noon) in [("am", 0), ("pm", 12)] {
        if let Some(time) = lower.strip_suffix(half) {
            let seconds = on_the_clock(time.trim_end())?;
            let is_twelve = (12 * 3600..13 * 3600).contains(&seconds);
            let within = if is_twelve { seconds - 12 * 3600 } else { seconds };
            return (3600..13 * 3600).contains(&seconds).then_some(within + noon * 3600);
        }
    }
    on_the_clock(&lower)
}

fn on_the_clock(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':').unwrap_or((text, "00"));
    let plain = |part: &str, most: usize| part.len() <= most && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(hour, 2) || !plain(minute, 2) || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    let seconds = hour * 3600 + minute * 60;
    (minute < 60 && seconds <= DAY).then_some(seconds)
}

fn hours(problem: String) -> PlanError {
    PlanError::new("--hours", problem)
}

/// `mon-fri,sat`, or `all`. A range may run across the end of the week.
pub(super) fn days(text: &str) -> Result<Days, PlanError> {
    if text.trim().eq_ignore_ascii_case("all") {
        return Ok(EVERY_DAY);
    }
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first.trim())?, day(last.trim())?);
        let length = (last + 7 - first) % 7;
        for offset in 0..=length {
            days[(first + offset) % 7] = true;
        }
    }
    Ok(days)
}

fn day(text: &str) -> Result<usize, PlanError> {
    let lower = text.to_ascii_lowercase();
    let named = |name: &&str| lower == **name || lower == name[..3];
    NAMES.iter().position(named).ok_or_else(|| {
        PlanError::new("--days", format!("{text:?} is not a day of the week; write mon-fri, or mon,wed,sat, or all"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window_of(text: &str) -> (i64, i64) {
        let windows = windows(text).unwrap().unwrap();
        assert_eq!(windows.len(), 1);
        (windows[0].start / 60, windows[0].end / 60)
    }

    #[test]
    fn windows_are_read() {
        assert_eq!(window_of("08:00-21:00"), (480, 1260));
        assert_eq!(window_of(" 8:00 - 9:30 "), (480, 570));
        assert_eq!(window_of("22:00-02:00"), (1320, 1560));
        assert_eq!(window_of("00:00-24:00"), (0, 1440));
        assert_eq!(window_of("20:00-00:00"), window_of("20:00-24:00"));
        assert_eq!(windows("any"), Ok(None));
        assert_eq!(windows("08:00-12:00,13:00-20:00").unwrap().unwrap().len(), 2);
    }

    #[test]
    fn hours_are_read_as_people_write_them() {
        assert_eq!(window_of("9am-5pm"), (540, 1020));
        assert_eq!(window_of("9-17"), (540, 1020));
        assert_eq!(window_of("9:30 AM - 12 pm"), (570, 720));
        assert_eq!(window_of("12am-12pm"), (0, 720));
        assert_eq!(window_of("8-21:30"), (480, 1290));
        for text in ["13pm-15pm", "0am-5pm", "am-pm", "9-17h", "-"] {
            assert!(windows(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_window_says_what_to_write() {
        for text in ["", "8-", "08:00", "08:00-25:00", "08:60-09:00", "08:00-21:00,", "24:00-08:00", "any,08:00-21:00"]
        {
            let error = windows(text).unwrap_err().to_string();
            assert!(error.starts_with("--hours: ") && error.contains("00"), "{error}");
        }
        let error = windows("00:00-00:00").unwrap_err().to_string();
        assert_eq!(error, "--hours: 00:00-00:00 is empty; the whole day is 00:00-24:00, and any needs no time zone");
        assert!(windows(&vec!["08:00-09:00"; 49].join(",")).is_err());
    }

    #[test]
    fn days_are_read() {
        assert_eq!(days("mon-fri"), Ok([true, true, true, true, true, false, false]));
        assert_eq!(days("Sat-Mon, wednesday"), Ok([true, false, true, false, false, true, true]));
        assert_eq!(days("sun"), Ok([false, false, false, false, false, false, true]));
        assert_eq!(days("all"), Ok(EVERY_DAY));
        let error = days("mon-fr").unwrap_err().to_string();
        assert_eq!(error, "--days: \"fr\" is not a day of the week; write mon-fri, or mon,wed,sat, or all");
        assert!(days("").is_err());
    }
}
