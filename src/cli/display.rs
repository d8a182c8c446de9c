//! How the face of a run looks here: bars, signs and colours, as the terminal and the options have them.

use std::io::IsTerminal;

use super::environment::Environment;
use super::values::Color;
use crate::drive::progress::DisplayOptions;
use crate::report::style::{Colors, Glyphs};

/// Columns of stdout, where a terminal does not tell them.
const USUAL_WIDTH: usize = 80;

/// How wide a text on stdout may be.
pub fn stdout_width() -> usize {
    console::Term::stdout().size_checked().map_or(USUAL_WIDTH, |(_, columns)| columns.into())
}

/// Rows and columns of stdout, where that is a terminal that can be drawn on.
pub fn stdout_screen(around: &Environment<'_>) -> Option<(usize, usize)> {
    let term = console::Term::stdout();
    let draws = term.is_term() && around.var("TERM").is_some_and(|kind| kind != "dumb");
    let (rows, columns) = term.size_checked().filter(|_| draws)?;
    Some((rows.into(), columns.into()))
}

/// The looks that go with `--quiet`, `--color`, `NO_COLOR`, the locale, and what stderr is.
pub fn looks(quiet: bool, color: Color, around: &Environment<'_>) -> DisplayOptions {
    of(quiet, color, std::io::stderr().is_terminal(), around)
}

fn of(quiet: bool, color: Color, is_terminal: bool, around: &Environment<'_>) -> DisplayOptions {
    let terminal = is_terminal && around.var("TERM").as_deref() != Some("dumb");
    let painted = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && around.var("NO_COLOR").is_none(),
    };
    let glyphs = Glyphs::of_locale(|name| around.var(name));
    DisplayOptions { terminal, quiet, glyphs, paint: Colors(painted), zone: around.zone.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_colours_are_for_terminals_that_want_them() {
        let looks = |color, is_terminal, set: &'static [(&'static str, &'static str)]| {
            let env = move |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            let around = Environment { env: &env, now: jiff::Timestamp::UNIX_EPOCH, zone: jiff::tz::TimeZone::UTC };
            let looks = of(false, color, is_terminal, &around);
            (looks.terminal, looks.paint.0)
        };
        assert_eq!(looks(Color::Auto, true, &[]), (true, true));
        assert_eq!(looks(Color::Auto, true, &[("NO_COLOR", "1")]), (true, false));
        assert_eq!(looks(Color::Auto, true, &[("TERM", "dumb")]), (false, false));
        assert_eq!(looks(Color::Auto, false, &[]), (false, false));
        assert_eq!(looks(Color::Always, false, &[("NO_COLOR", "1")]), (false, true));
        assert_eq!(looks(Color::Never, true, &[]), (true, false));
    }
}
