//! What is said at the end of a run.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ending::WaitsFor;
use super::notice;
use super::screen::TextLayout;
use super::style::{Colors, Glyphs, count, dollars, minutes, moment, span, thousands, wrap};
use crate::campaign::counts::RunCounts;
use crate::campaign::disposition::Class;
use crate::campaign::notice::{Outcome, StopReason};
use crate::exit::Exit;
use crate::journal::Totals;

/// Everything that the end is told from.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// The campaign's name.
    pub campaign: &'a str,
    /// How it ended.
    pub outcome: &'a Outcome,
    /// With which code.
    pub exit: Exit,
    /// How the campaign stands.
    pub totals: &'a Totals,
    /// What this run did.
    pub tally: &'a RunCounts,
    /// How long it took, by the campaign's clock.
    pub took: Duration,
    /// When.
    pub now: Timestamp,
    /// What the next lead waits for until `next_at`, where that is known.
    pub waits_for: Option<&'a WaitsFor>,
    /// The journal is kept, so that the same command goes on.
    pub kept: bool,
    /// The command that goes on with it, for those who can type it.
    pub command: Option<&'a str>,
}

/// Columns that the summary takes at most where a line has its second half on the right.
const WIDEST: usize = 98;

/// The summary. Its lines say of the campaign how it stands and of the run what it did.
pub fn text(end: &End<'_>, canvas: &TextLayout<'_>) -> String {
    let mut lines = vec![leads(end, canvas.zone)];
    lines.extend(dispositions(end.totals, canvas.glyphs));
    lines.extend(pool(end));
    lines.extend(reserves(end, canvas.zone));
    lines.push(calls(end));
    let cut = lines.iter().flat_map(|line| wrap(line, canvas.width, 4));
    // A command is left in one piece, to be copied.
    cut.chain(command(end).map(|command| format!("go on:   {command}")))
        .chain(last(end, canvas))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The command that goes on, where the same one does.
fn command<'a>(end: &End<'a>) -> Option<&'a str> {
    let goes_on = matches!(end.exit, Exit::Later | Exit::Machine | Exit::Interrupted | Exit::Terminated | Exit::HungUp);
    let calls_nobody = matches!(end.outcome.why, StopReason::Cost | StopReason::Until | StopReason::Paused);
    end.command.filter(|_| goes_on && end.kept && !calls_nobody)
}

/// What to do next, and the exit code: on the right of it, or below where there is no room.
fn last(end: &End<'_>, canvas: &TextLayout<'_>) -> Vec<String> {
    let (what, exit) = (next(end, canvas.zone), format!("exit {}", end.exit.code()));
    let pad = canvas.width.min(WIDEST).saturating_sub(what.chars().count() + exit.len()).max(3);
    if what.chars().count() + pad + exit.len() <= canvas.width {
        return vec![format!("{}{}{exit}", tinted(&what, end.exit, canvas.paint), " ".repeat(pad))];
    }
    let lines = wrap(&what, canvas.width, 4).into_iter().map(|line| tinted(&line, end.exit, canvas.paint));
    lines.chain([exit]).collect()
}

fn tinted(what: &str, exit: Exit, paint: Colors) -> String {
    match exit {
        Exit::Settled => paint.green(what),
        Exit::Machine | Exit::Usage | Exit::Account | Exit::Held => paint.red(what),
        _ => paint.yellow(what),
    }
}

/// When there is more to do, unless that is at once.
fn ahead(end: &End<'_>) -> Option<Timestamp> {
    end.outcome.next_at.filter(|at| *at > end.now)
}

fn leads(end: &End<'_>, zone: &TimeZone) -> String {
    let totals = end.totals;
    let mut parts = vec![format!("{} settled", thousands(totals.settled))];
    if totals.open > 0 {
        let next = ahead(end).map_or(String::new(), |at| {
            let why = end.waits_for.map_or(String::new(), |waits_for| format!(", {waits_for}"));
            format!(" (next at {}{why})", moment(at, end.now, zone))
        });
        parts.push(format!("{} later{next}", thousands(totals.open)));
    }
    if totals.in_doubt > 0 {
        let parked = match totals.parked {
            0 => String::new(),
            parked => format!(" ({} put aside for a person)", thousands(parked)),
        };
        parts.push(format!("{} in doubt{parked}", thousands(totals.in_doubt)));
    }
    if totals.removed > 0 {
        parts.push(format!("{} more gone from the list", thousands(totals.removed)));
    }
    format!("{}: {}", count(totals.total, "lead", "leads"), parts.join(", "))
}

/// A class as people read it.
pub const fn class_words(class: Class) -> &'static str {
    match class {
        Class::Answered => "answered",
        Class::HungUp => "answered, then hung up",
        Class::Rejected => "rejected",
        Class::Voicemail => "voicemail",
        Class::NoAnswer => "no answer",
        Class::Busy => "busy",
        Class::Invalid => "invalid",
        Class::Cancelled => "cancelled",
        Class::Fault => "failed",
        Class::Config => "configuration",
        Class::Unknown => "unknown",
        Class::Suppressed => "do not call",
    }
}

/// How many leads ended how, on one line.
pub fn dispositions(totals: &Totals, glyphs: Glyphs) -> Option<String> {
    let seen = totals.dispositions.iter().filter(|(_, leads)| **leads > 0);
    let parts: Vec<_> = seen.map(|(class, leads)| format!("{} {}", class_words(*class), thousands(*leads))).collect();
    (!parts.is_empty()).then(|| format!("  {}", parts.join(&format!(" {} ", glyphs.dot))))
}

fn pool(end: &End<'_>) -> Option<String> {
    let tally = end.tally;
    if tally.limit == 0 {
        return None;
    }
    let (took, below) = (span(end.took), tally.below_reserve);
    let changed = tally.reserves.len() > 1;
    let reserve = if changed { "the reserve".to_owned() } else { format!("reserve of {}", tally.reserve) };
    let held = if below.is_zero() {
        format!("{reserve} held all the time ({took})")
    } else {
        let fewest =
            tally.lowest_free.map_or(String::new(), |free| format!(" (at least {free} of {} free)", tally.limit_then));
        let held = span(end.took.saturating_sub(below));
        format!("{reserve} held for {held} of {took}; inbound callers used it for {}{fewest}", span(below))
    };
    if tally.placed == 0 && tally.refused == 0 {
        return Some(held);
    }
    let refusals = match tally.blocked {
        0 => "no call refused".to_owned(),
        blocked => format!("{} refused by a full pool, and made again", count(blocked, "call", "calls")),
    };
    Some(format!("{held}; {refusals}"))
}

/// What was reserved from when on, where it changed: the newest changes.
fn reserves(end: &End<'_>, zone: &TimeZone) -> Option<String> {
    const SHOWN: usize = 12;
    let changes = &end.tally.reserves;
    let newest = &changes[changes.len().saturating_sub(SHOWN)..];
    let earlier = match changes.len() - newest.len() {
        0 => String::new(),
        earlier => format!("{} before, ", count(earlier as u64, "change", "changes")),
    };
    let told: Vec<_> =
        newest.iter().map(|(at, slots)| format!("{slots} from {}", moment(at.timestamp(), end.now, zone))).collect();
    (changes.len() > 1).then(|| format!("reserved: {earlier}{}", told.join(", ")))
}

fn calls(end: &End<'_>) -> String {
    let tally = end.tally;
    let mut line = format!("{} placed", count(tally.placed, "call", "calls"));
    let other = tally.refused.saturating_sub(tally.blocked);
    if other > 0 {
        let _ = write!(line, ", {} refused", thousands(other));
    }
    if tally.in_doubt_resolved > 0 {
        let _ = write!(line, ", {} resolved", count(tally.in_doubt_resolved, "unconfirmed call", "unconfirmed calls"));
    }
    let talked = match end.totals.minutes {
        talked if talked < 0.5 => String::new(),
        talked => format!("{} and ", minutes(talked)),
    };
    format!("{line} in this run; {talked}{} for the campaign so far", dollars(end.totals.cost_usd))
}

fn next(end: &End<'_>, zone: &TimeZone) -> String {
    match end.exit {
        Exit::Settled => "done: every lead is settled".to_owned(),
        Exit::Doubts => {
            "next: look at the leads put aside (dialer status), and give them back with dialer release".to_owned()
        }
        Exit::Machine | Exit::Usage | Exit::Account | Exit::Held => {
            format!("stopped: {}", notice::reason(&end.outcome.why))
        }
        _ if !end.kept => {
            format!(
                "{}; nothing is remembered of it: give the sandbox --state DIR to go on",
                notice::reason(&end.outcome.why)
            )
        }
        Exit::Interrupted | Exit::Terminated | Exit::HungUp => {
            "next: run the same command to go on; calls that are up live on, and it picks them up".to_owned()
        }
        Exit::Later => later(end, zone),
    }
}

/// Why there is more to do later.
fn why(end: &End<'_>) -> String {
    match (&end.outcome.why, end.waits_for) {
        (StopReason::Complete, _) if end.totals.open == 0 => notice::reason(&StopReason::DoubtsLeft),
        (StopReason::Complete, _) => notice::reason(&StopReason::Later),
        (StopReason::Later, Some(WaitsFor::Hours(_))) => "the other leads are outside their calling hours".to_owned(),
        (why, _) => notice::reason(why),
    }
}

/// The one line for those who asked for quiet: why there is more to do, and when.
pub fn in_brief(end: &End<'_>, zone: &TimeZone) -> String {
    let command = command(end).map_or(String::new(), |command| format!("\n  {command}"));
    format!("exit {}: {}{command}", end.exit.code(), next(end, zone))
}

/// The same with how the leads stand, for an alert.
pub fn in_a_line(end: &End<'_>, zone: &TimeZone) -> String {
    format!("{}; {}", leads(end, zone), in_brief(end, zone))
}

fn later(end: &End<'_>, zone: &TimeZone) -> String {
    let after = ahead(end).map_or(String::new(), |at| format!(" after {}", moment(at, end.now, zone)));
    match end.outcome.why {
        StopReason::Paused => format!("it is paused; next: dialer resume {}, then the same command", end.campaign),
        StopReason::Cost => format!("{}; next: the same command with a higher one", notice::reason(&end.outcome.why)),
        StopReason::Until => format!("{}; next: the same command with a later one", notice::reason(&end.outcome.why)),
        StopReason::Only => format!("{}; next: the same command without it", notice::reason(&end.outcome.why)),
        StopReason::Limit | StopReason::Stopped => {
            format!("{}; next: run the same command to go on{after}", notice::reason(&end.outcome.why))
        }
        _ => format!("{}; next: run the same command{after}, or add --wait", why(end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals() -> Totals {
        let dispositions = [
            (Class::Answered, 402),
            (Class::HungUp, 198),
            (Class::Voicemail, 310),
            (Class::NoAnswer, 1201),
            (Class::Busy, 31),
            (Class::Invalid, 24),
        ];
        Totals {
            total: 2204,
            settled: 2166,
            open: 35,
            in_doubt: 3,
            parked: 1,
            dispositions: dispositions.into(),
            cost_usd: 1061.2,
            minutes: 1910.7,
            ..Totals::default()
        }
    }

    fn tally() -> RunCounts {
        let mut tally = RunCounts::default();
        (tally.placed, tally.refused, tally.blocked) = (1302, 5, 3);
        (tally.in_doubt_resolved, tally.lowest_free) = (1, Some(2));
        (tally.below_reserve, tally.limit, tally.reserve) = (Duration::from_secs(4), 10, 3);
        (tally.below_reserve_with_ours, tally.limit_then) = (Duration::from_secs(2), 10);
        tally
    }

    fn drawn(outcome: &Outcome, exit: Exit, totals: &Totals, tally: &RunCounts) -> String {
        within(usize::MAX, true, outcome, exit, totals, tally)
    }

    fn within(width: usize, kept: bool, outcome: &Outcome, exit: Exit, totals: &Totals, tally: &RunCounts) -> String {
        let now = "2026-11-23T14:05:00Z".parse().unwrap();
        let hours = WaitsFor::Hours("New York".into());
        let waits_for = matches!(outcome.why, StopReason::Later).then_some(&hours);
        text(
            &End {
                took: Duration::from_mins(130),
                campaign: "leads",
                outcome,
                exit,
                totals,
                tally,
                now,
                waits_for,
                kept,
                command: None,
            },
            &TextLayout { glyphs: Glyphs::UNICODE, paint: Colors(false), width, zone: &TimeZone::UTC },
        )
    }

    #[test]
    fn a_run_that_goes_on_later_says_when_and_how() {
        let next_at = "2026-11-23T17:00:00Z".parse().ok();
        let outcome = Outcome { why: StopReason::Later, next_at, interrupted: false };
        insta::assert_snapshot!(drawn(&outcome, Exit::Later, &totals(), &tally()), @r"
        2,204 leads: 2,166 settled, 35 later (next at 17:00, when hours open in New York), 3 in doubt (1 put aside for a person)
          answered 402 · answered, then hung up 198 · voicemail 310 · no answer 1,201 · busy 31 · invalid 24
        reserve of 3 held for 2 h 9 min of 2 h 10 min; inbound callers used it for 4 s (at least 2 of 10 free); 3 calls refused by a full pool, and made again
        1,302 calls placed, 2 refused, 1 unconfirmed call resolved in this run; 1,911 minutes and $1,061.20 for the campaign so far
        the other leads are outside their calling hours; next: run the same command after 17:00, or add --wait   exit 4
        ");
        let outcome = Outcome { why: StopReason::Limit, next_at: None, interrupted: false };
        insta::assert_snapshot!(drawn(&outcome, Exit::Later, &totals(), &tally()), @r"
        2,204 leads: 2,166 settled, 35 later, 3 in doubt (1 put aside for a person)
          answered 402 · answered, then hung up 198 · voicemail 310 · no answer 1,201 · busy 31 · invalid 24
        reserve of 3 held for 2 h 9 min of 2 h 10 min; inbound callers used it for 4 s (at least 2 of 10 free); 3 calls refused by a full pool, and made again
        1,302 calls placed, 2 refused, 1 unconfirmed call resolved in this run; 1,911 minutes and $1,061.20 for the campaign so far
        the --limit of this run is reached; next: run the same command to go on                     exit 4
        ");
    }

    #[test]
    fn at_every_width_lines_fit_and_the_exit_code_is_whole() {
        let outcome = Outcome { why: StopReason::Limit, next_at: None, interrupted: false };
        for width in [40, 60, 80, 90, 100, 200] {
            let text = within(width, true, &outcome, Exit::Later, &totals(), &tally());
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
            assert!(text.ends_with("exit 4"), "{width}: {text}");
        }
        let text = within(80, true, &outcome, Exit::Later, &totals(), &tally());
        assert!(text.ends_with("run the same command to go on   exit 4"), "{text}");
        let text = within(70, true, &outcome, Exit::Later, &totals(), &tally());
        assert!(text.ends_with("\nexit 4"), "{text}");
    }

    #[test]
    fn a_sandbox_that_forgets_promises_nothing() {
        let outcome = Outcome { why: StopReason::Stopped, next_at: None, interrupted: false };
        let text = within(200, false, &outcome, Exit::Later, &totals(), &tally());
        assert!(text.contains("--state DIR") && !text.contains("the same command"), "{text}");
    }

    #[test]
    fn a_finished_list_says_so_in_three_lines() {
        let totals =
            Totals { total: 1, settled: 1, dispositions: [(Class::Suppressed, 1)].into(), ..Totals::default() };
        let outcome = Outcome { why: StopReason::Complete, next_at: None, interrupted: false };
        insta::assert_snapshot!(drawn(&outcome, Exit::Settled, &totals, &RunCounts::default()), @r"
        1 lead: 1 settled
          do not call 1
        0 calls placed in this run; $0.00 for the campaign so far
        done: every lead is settled                                                                 exit 0
        ");
    }
}
