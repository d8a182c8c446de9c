//! What follows from the use of a pool, each with the figures that it rests on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Weekday;
use serde::Serialize;

use super::style::{count, dollars, thousands};
use super::usage::{Peak, Range, near};

/// What one more line costs a month, in US dollars (the provider's list price).
pub const LINE_USD: u32 = 10;
/// Past so many minutes in 30 days the provider has prices of its own.
const TALK_TO_SALES: f64 = 50_000.0;
/// Fewer steps than this say nothing of what could be given up.
const LEAST_DAYS: i64 = 7;

/// One piece of advice.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Advice {
    /// What it is, for programs.
    pub code: &'static str,
    /// What it is, for people.
    pub text: String,
}

/// What follows from peaks by step and by hour, and from the minutes of the fullest 30 days.
pub(super) fn advise(
    limit: Option<u32>,
    peaks: &[Peak],
    hours: &[Peak],
    minutes_month: f64,
    range: &Range,
) -> Vec<Advice> {
    let mut advice = Vec::new();
    if let Some(limit) = limit {
        // By the hour where the hours are known: a day that once touched the limit is no full day.
        let (seen, step) = if hours.is_empty() { (peaks, range.step.name()) } else { (hours, "hour") };
        of_the_limit(&mut advice, limit, seen, step, range);
    }
    if minutes_month > TALK_TO_SALES {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "more than 50,000 and finite")]
        let minutes = thousands(minutes_month as u64);
        advice.push(Advice {
            code: "talk-to-sales",
            text: format!(
                "{minutes} minutes in 30 days: past 50,000 a month the provider has other prices; talk to it"
            ),
        });
    }
    advice
}

fn of_the_limit(advice: &mut Vec<Advice>, limit: u32, seen: &[Peak], step: &str, range: &Range) {
    let most = seen.iter().map(|peak| peak.max).max().unwrap_or(0);
    let full: Vec<_> = seen.iter().filter(|peak| peak.max >= limit).map(|peak| peak.at).collect();
    let close: Vec<_> = seen.iter().filter(|peak| peak.max >= near(limit)).map(|peak| peak.at).collect();
    let of =
        |some: usize| format!("{} of {}", thousands(some as u64), count(seen.len() as u64, step, &format!("{step}s")));
    if !full.is_empty() {
        let when = pattern(&full, step, range);
        let text = format!(
            "calls filled {} in {}{when}: others may have been turned away",
            if limit == 1 { "the one slot".to_owned() } else { format!("all {limit} slots") },
            of(full.len())
        );
        advice.push(Advice { code: "at-cap", text });
    }
    if !close.is_empty() {
        let when = pattern(&close, step, range);
        let text = format!("{} or more of {limit} slots were taken in {}{when}", near(limit), of(close.len()));
        advice.push(Advice { code: "near-cap", text });
        let lines = limit.div_ceil(5);
        let text = format!(
            "{} (a limit of {}) would cost {} a month at {} each; look again a week later",
            count(lines.into(), "more line", "more lines"),
            limit + lines,
            dollars(f64::from(lines * LINE_USD)),
            dollars(f64::from(LINE_USD)),
        );
        advice.push(Advice { code: "add-lines", text });
    }
    let long_enough = range.to.duration_since(range.from) >= jiff::SignedDuration::from_hours(24 * LEAST_DAYS);
    let spare = limit.saturating_sub(most + most.div_ceil(4).max(1));
    if most > 0 && most * 2 <= limit && spare > 0 && long_enough {
        let text = format!(
            "at most {most} of {limit} slots were taken at once: up to {} could be given up, as far as they are add-ons ({} a \
             month)",
            count(spare.into(), "line", "lines"),
            dollars(f64::from(spare * LINE_USD)),
        );
        advice.push(Advice { code: "plenty", text });
    }
}

/// When these come: on one day, on one weekday, at certain hours; nothing where they are spread out.
fn pattern(times: &[Timestamp], step: &str, range: &Range) -> String {
    let local: Vec<_> = times.iter().map(|at| at.to_zoned(range.zone.clone())).collect();
    let mut days: BTreeMap<_, usize> = BTreeMap::new();
    let mut weekdays: BTreeMap<i8, usize> = BTreeMap::new();
    let mut hours: BTreeMap<i8, usize> = BTreeMap::new();
    for at in &local {
        *days.entry(at.date()).or_default() += 1;
        *weekdays.entry(at.weekday().to_monday_zero_offset()).or_default() += 1;
        *hours.entry(at.hour()).or_default() += 1;
    }
    let mostly = |part: usize| part * 3 >= times.len() * 2;
    let mut told = Vec::new();
    if let (1, Some((day, _))) = (days.len(), days.first_key_value()) {
        told.push(format!("all on {}", day.strftime("%-d %b")));
    } else if let Some((day, _)) = weekdays.iter().find(|(_, part)| mostly(**part) && times.len() > 2) {
        let name = Weekday::from_monday_zero_offset(*day).map_or(String::new(), |day| format!("{day:?}s"));
        told.push(format!("mostly on {name}"));
    }
    if step == "hour" && times.len() > 2 {
        let mut common: Vec<_> = hours.into_iter().collect();
        common.sort_by_key(|(hour, part)| (std::cmp::Reverse(*part), *hour));
        let mut top: Vec<_> = common.iter().take(3).map(|(hour, _)| *hour).collect();
        let share: usize = common.iter().take(3).map(|(_, part)| part).sum();
        if mostly(share) {
            top.sort_unstable();
            told.push(format!("at {}", top.iter().map(|hour| format!("{hour:02}:00")).collect::<Vec<_>>().join(", ")));
        }
    }
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}
