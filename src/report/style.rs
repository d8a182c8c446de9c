//! How numbers, times and glyphs look, everywhere alike.

use std::time::Duration;

use console::{measure_text_width, truncate_str};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::campaign::hours::place;

/// What stands behind the name of a campaign that was a rehearsal.
pub const fn rehearsed(is_rehearsal: bool) -> &'static str {
    if is_rehearsal { " (rehearsal: nobody was called)" } else { "" }
}

/// Signs for bars and slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Glyphs {
    /// The part of a bar that is done.
    pub full: char,
    /// The part of a bar that is not.
    pub empty: char,
    /// A slot with a call of ours.
    pub ours: char,
    /// A slot with another call.
    pub others: char,
    /// A free slot.
    pub free: char,
    /// A free slot that is kept.
    pub kept: char,
    /// Between the items of a row.
    pub dot: char,
}

impl Glyphs {
    /// For terminals that show Unicode.
    pub const UNICODE: Self =
        Self { full: '█', empty: '░', ours: '●', others: '○', free: '·', kept: '▒', dot: '·' };
    /// For all others.
    pub const ASCII: Self = Self { full: '#', empty: '.', ours: '#', others: 'o', free: '.', kept: '-', dot: '-' };

    /// What the locale in these variables can show.
    pub fn of_locale(var: impl Fn(&str) -> Option<String>) -> Self {
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| var(name).filter(|text| !text.is_empty()));
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") { Self::UNICODE } else { Self::ASCII }
    }
}

/// Whether text is coloured. Colour repeats what the words say; it never says anything alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Colors(pub bool);

impl Colors {
    /// What goes on.
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What deserves a look.
    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// What is wrong.
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// What stays in the background.
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Text cut into lines of at most so many columns, between words where there is one; lines after the first are set in.
pub fn wrap(text: &str, width: usize, indent: usize) -> Vec<String> {
    let indent = indent.min(width / 2);
    let mut lines = Vec::new();
    let mut rest = text.to_owned();
    while measure_text_width(&rest) > width.max(1) {
        let fits = rest.char_indices().nth(width.max(1)).map_or(rest.len(), |(at, _)| at);
        let start = rest.len() - rest.trim_start().len();
        let space = rest[start..fits].rfind(' ').map(|at| start + at).filter(|at| *at > start);
        let cut = if rest[fits..].starts_with(' ') { fits } else { space.unwrap_or(fits) };
        let behind = rest[cut..].trim_start().to_owned();
        rest.truncate(cut);
        lines.push(rest.trim_end().to_owned());
        rest = format!("{}{behind}", " ".repeat(indent));
    }
    lines.push(rest);
    lines
}

/// A line that may hold colours, cut to so many columns where it is longer, which three dots show.
pub fn clip(line: &str, width: usize) -> String {
    truncate_str(line, width, "...").into_owned()
}

/// `1204` as `1,204`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 lead`, `1,204 leads`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// A number of minutes, to the nearest.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nobody talks for 2^64 minutes")]
pub fn minutes(number: f64) -> String {
    count(number.round() as u64, "minute", "minutes")
}

/// A length of time in its two largest units: `4 s`, `0.4 s`, `12 min 5 s`, `2 h 10 min`, `3 d 4 h`.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let pair = |large: u64, unit: &str, small: u64, part: &str| match small {
        0 => format!("{} {unit}", thousands(large)),
        _ => format!("{} {unit} {small} {part}", thousands(large)),
    };
    match seconds {
        0 if span.is_zero() => "0 s".to_owned(),
        0 => format!("{:.1} s", span.as_secs_f64().max(0.1)),
        1..60 => format!("{seconds} s"),
        60..3600 => pair(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => pair(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// US dollars to the cent: `$1,061.20`.
pub fn dollars(amount: f64) -> String {
    let rounded = format!("{:.2}", amount.max(0.0));
    let (whole, cents) = rounded.split_once('.').unwrap_or((&rounded, "00"));
    whole.parse().map_or_else(|_| format!("${rounded}"), |whole| format!("${}.{cents}", thousands(whole)))
}

/// A share of a whole, in per cent, cut: 100 only when it is all.
pub fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 { 100 } else { u64::try_from(u128::from(part) * 100 / u128::from(whole)).unwrap_or(100) }
}

/// A time of day with seconds, in that zone.
pub fn second(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// A time of day, with the date where it is not today's.
pub fn moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let format = match (at.date() == now.date(), at.year() == now.year()) {
        (true, _) => "%H:%M",
        (false, true) => "%-d %b %H:%M",
        (false, false) => "%-d %b %Y %H:%M",
    };
    at.strftime(format).to_string()
}

/// The same with the time of day where a person is, if that is another.
pub fn moment_there(at: Timestamp, now: Timestamp, zone: &TimeZone, zones: &[String]) -> String {
    let here = at.to_zoned(zone.clone());
    let theirs = zones.iter().filter_map(|name| Some((place(name), at.to_zoned(TimeZone::get(name).ok()?))));
    let mut others = theirs.filter(|(_, there)| there.datetime() != here.datetime());
    let there = others.next().map(|(place, there)| format!(" ({} in {place})", there.strftime("%H:%M")));
    format!("{}{}", moment(at, now, zone), there.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_both_zones_where_they_differ() {
        let (at, now) = ("2026-11-23T17:00:00Z".parse().unwrap(), "2026-11-23T14:05:00Z".parse().unwrap());
        let told = |zones: &[&str]| {
            let zones: Vec<_> = zones.iter().map(|zone| (*zone).to_owned()).collect();
            moment_there(at, now, &TimeZone::UTC, &zones)
        };
        assert_eq!(told(&["America/New_York"]), "17:00 (12:00 in New York)");
        assert_eq!([told(&[]), told(&["Africa/Abidjan"]), told(&["No/Where"])], ["17:00", "17:00", "17:00"]);
    }

    #[test]
    fn large_numbers_are_grouped() {
        let shown: Vec<_> = [0, 7, 999, 1000, 1204, 1_000_000, u64::MAX].into_iter().map(thousands).collect();
        assert_eq!(shown, ["0", "7", "999", "1,000", "1,204", "1,000,000", "18,446,744,073,709,551,615"]);
        assert_eq!(
            [dollars(61.2), dollars(1061.2), dollars(0.004), dollars(f64::NAN)],
            ["$61.20", "$1,061.20", "$0.00", "$0.00"]
        );
        assert_eq!([percent(1, 3), percent(999, 1000), percent(3, 3), percent(0, 0)], [33, 99, 100, 100]);
    }

    #[test]
    fn lengths_of_time_have_two_units() {
        let shown = [0.0, 0.01, 0.44, 4.9, 60.0, 725.0, 7800.0, 7200.0, 273_600.0];
        let shown = shown.map(|seconds| span(Duration::from_secs_f64(seconds)));
        assert_eq!(shown, ["0 s", "0.1 s", "0.4 s", "4 s", "1 min", "12 min 5 s", "2 h 10 min", "2 h", "3 d 4 h"]);
    }

    #[test]
    fn a_date_stands_only_where_it_is_needed() {
        let now: Timestamp = "2026-11-23T14:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let shown = ["2026-11-23T16:00:00Z", "2026-11-23T23:30:00Z", "2027-01-02T08:00:00Z"]
            .map(|at| moment(at.parse().unwrap(), now, &zone));
        assert_eq!(shown, ["17:00", "24 Nov 00:30", "2 Jan 2027 09:00"]);
    }

    #[test]
    fn long_lines_are_cut_between_words() {
        assert_eq!(wrap("short", 10, 2), ["short"]);
        assert_eq!(wrap("14:02  the pool is full", 12, 7), ["14:02  the", "      pool", "      is", "      full"]);
        assert_eq!(wrap("abcdefgh", 4, 2), ["abcd", "  ef", "  gh"]);
        assert_eq!(wrap("abcd efgh", 4, 0), ["abcd", "efgh"]);
        assert_eq!(wrap("  · ··· ···", 5, 2), ["  ·", "  ···", "  ···"]);
        assert_eq!([clip("abcdef", 5), clip("abcde", 5)], ["ab...", "abcde"]);
    }

    #[test]
    fn glyphs_follow_the_locale() {
        let locale = |name: &'static str, value: &'static str| {
            Glyphs::of_locale(move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(locale("LANG", "de_DE.UTF-8"), Glyphs::UNICODE);
        assert_eq!(locale("LC_ALL", "C.utf8"), Glyphs::UNICODE);
        assert_eq!(locale("LANG", "C"), Glyphs::ASCII);
        assert_eq!(locale("TERM", "xterm"), Glyphs::ASCII);
    }
}
