//! `dialer status --watch`: on a terminal the same text, drawn over itself; elsewhere a line whenever something has changed.
//! It ends with the last run that is watched, and with what that run told at its end; or with Ctrl-C, which it leaves to the
//! system.

use std::collections::BTreeSet;
use std::time::Duration;

use super::display::stdout_screen;
use super::environment::Environment;
use super::status::{StatusArgs, chosen, shown};
use super::{print, print_while_read};
use crate::exit::Exit;
use crate::journal::disk::story::Campaign;
use crate::report::failure::Failure;
use crate::report::status::line;
use crate::report::style::{Glyphs, clip, second};

/// A run tells of itself once a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often a run that is over is looked at for its last words, which it tells when it has let go of its journal.
const LAST_LOOKS: usize = 4;

/// Watches them until no run of theirs is alive.
pub(super) fn watch(args: &StatusArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let mut watcher = Watcher { args, drawn: 0, told: Vec::new() };
    let mut runs = BTreeSet::new();
    let mut looks = 0;
    loop {
        let around = around.later();
        let campaigns = chosen(args, &around)?;
        if !watcher.show(&campaigns, &around)? {
            return Ok(Exit::Settled);
        }
        runs.extend(campaigns.iter().filter(|campaign| campaign.running.is_some()).map(key));
        if campaigns.iter().all(|campaign| campaign.running.is_none()) {
            let ended = campaigns.iter().filter(|campaign| runs.contains(&key(campaign)));
            let reports: Vec<_> = ended.filter_map(|campaign| Some(campaign.live_status()?.ended?.report)).collect();
            looks += 1;
            if args.json || reports.len() == runs.len() || looks == LAST_LOOKS {
                let reports: String = reports.iter().flat_map(|report| ["\n", report, "\n"]).collect();
                return print(if args.json { "" } else { &reports }).map(|()| Exit::Settled);
            }
        }
        pause();
    }
}

/// A campaign's account and name.
fn key(campaign: &Campaign) -> (String, String) {
    (campaign.account.name.clone(), campaign.name.clone())
}

#[expect(clippy::disallowed_methods, reason = "a person looks, and nothing else is done meanwhile")]
fn pause() {
    std::thread::sleep(LOOK_EVERY);
}

struct Watcher<'a> {
    args: &'a StatusArgs,
    /// Rows that stand on the terminal.
    drawn: usize,
    /// What was told last where it is none, but for the time.
    told: Vec<String>,
}

impl Watcher<'_> {
    /// Shows them; no more once nobody reads it.
    fn show(&mut self, campaigns: &[Campaign], around: &Environment<'_>) -> Result<bool, Failure> {
        let text = match stdout_screen(around) {
            Some(size) if !self.args.json => self.redraw(&shown(self.args, campaigns, around)?, size),
            _ => self.changed(campaigns, around)?,
        };
        print_while_read(&text)
    }

    /// The text over what was drawn before. A row that is wider than the terminal is cut, as are rows that do not fit.
    fn redraw(&mut self, text: &str, (rows, columns): (usize, usize)) -> String {
        let back = if self.drawn > 0 { format!("\x1b[{}F", self.drawn) } else { String::new() };
        let lines: Vec<_> = text.lines().take(rows.saturating_sub(1).max(1)).collect();
        self.drawn = lines.len();
        let lines = lines.iter().map(|line| format!("{}\x1b[K\n", clip(line, columns)));
        format!("{back}{}\x1b[J", lines.collect::<String>())
    }

    /// What is to be said where it is another than what was said last: a line a campaign, or one object.
    fn changed(&mut self, campaigns: &[Campaign], around: &Environment<'_>) -> Result<String, Failure> {
        let glyphs = Glyphs::of_locale(|name| around.var(name));
        let (now, zone) = (around.now, &around.zone);
        let (lines, stamp) = if self.args.json {
            (vec![shown(self.args, campaigns, around)?.trim_end().to_owned()], String::new())
        } else {
            let stamp = format!("{} ", second(now, zone));
            (campaigns.iter().map(|campaign| line(campaign, now, zone, glyphs)).collect(), stamp)
        };
        let text = lines
            .iter()
            .filter(|line| !self.told.contains(line))
            .flat_map(|line| [stamp.as_str(), line, "\n"])
            .collect();
        self.told = lines;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::journal::StateArgs;

    #[test]
    fn what_is_drawn_anew_covers_what_was_drawn_before_and_no_more_than_the_terminal_has() {
        let args = StatusArgs {
            campaign: None,
            watch: true,
            json: false,
            serve: None,
            serve_anyone: false,
            state: StateArgs { state: None },
        };
        let mut watcher = Watcher { args: &args, drawn: 0, told: Vec::new() };
        assert_eq!(watcher.redraw("one\ntwo two\n", (24, 5)), "one\x1b[K\ntw...\x1b[K\n\x1b[J");
        assert_eq!(watcher.redraw("one\n", (24, 80)), "\x1b[2Fone\x1b[K\n\x1b[J");
        assert_eq!(watcher.redraw("1\n2\n3\n", (3, 80)), "\x1b[1F1\x1b[K\n2\x1b[K\n\x1b[J");
    }
}
