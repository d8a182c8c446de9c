//! What happened in a campaign: added up over its leads and attempts, and shown as text, JSON or a page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::chart::Chart;
use super::page::{END, bars, escape, head};
use super::pool_chart::PoolChart;
use super::style::{Glyphs, count, dollars, minutes, moment, percent, rehearsed, span, thousands};
use super::summary::{class_words, dispositions};
use crate::campaign::attempt::{Cause, State};
use crate::journal::Totals;
use crate::journal::disk::histories::{PastForecast, PoolPast};
use crate::journal::disk::outcomes::AttemptOutcome;
use crate::rehearsal::forecast::PoolPoint;
use crate::time::Instant;

/// Rows of a chart.
const HIGH: usize = 5;
/// Runs whose forecast is told, the newest.
const MOST_FORECASTS: usize = 5;
/// Changes of the reserve that are told one by one.
const MOST_CHANGES: usize = 6;

/// A campaign, added up.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// Its name.
    campaign: String,
    /// It was a rehearsal, which called nobody.
    rehearsal: bool,
    /// How its leads stand.
    totals: Totals,
    attempts: u64,
    calls: u64,
    minutes: f64,
    cost_usd: f64,
    pool_refused: u64,
    doubts: Doubts,
    /// Calls, and those of them that were answered, by hour of the day and by day of the week from Monday.
    by_hour: [(u64, u64); 24],
    by_weekday: [(u64, u64); 7],
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    /// The pool as its runs knew it, one after the other.
    pool: PoolPast,
    /// What its runs expected of themselves, and what each came to.
    forecasts: Vec<PastForecast>,
    facts: BTreeMap<Option<i64>, Fact>,
}

/// What one run came to.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Fact {
    calls: u64,
    minutes: f64,
    cost_usd: f64,
}

/// The pool while the campaign ran: the largest limit, and when that begins and ends.
struct PoolOverTime {
    points: Vec<PoolPoint>,
    slots: u32,
    reserves: Vec<u32>,
    labels: [String; 2],
}

impl PoolOverTime {
    fn chart(&self) -> PoolChart<'_> {
        PoolChart { points: &self.points, slots: self.slots, reserves: &self.reserves }
    }
}

/// What became of attempts of which nobody knew whether they were made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Doubts {
    found: u64,
    absent: u64,
    parked: u64,
    open: u64,
}

impl Report {
    /// That of a campaign of which no attempt has been taken in yet.
    pub fn new(campaign: &str, rehearsal: bool, totals: Totals) -> Self {
        Self { campaign: campaign.to_owned(), rehearsal, totals, ..Self::default() }
    }

    /// Takes in what a run knew of the pool, after those before it.
    pub fn add_pool(&mut self, past: PoolPast) {
        let pool = &mut self.pool;
        pool.lowest_free = [pool.lowest_free, past.lowest_free].into_iter().flatten().min();
        pool.below_reserve += past.below_reserve;
        pool.points.extend(past.points);
    }

    /// Takes in what its runs expected of themselves.
    pub fn add_forecasts(&mut self, forecasts: Vec<PastForecast>) {
        self.forecasts.extend(forecasts);
    }

    /// Takes in an attempt; hours and days are those of the zone.
    pub fn add(&mut self, attempt: &AttemptOutcome, zone: &TimeZone) {
        self.pool_refused += u64::from(attempt.is_pool_refusal());
        if attempt.doubted {
            match attempt.state {
                State::InDoubt | State::Claimed => self.doubts.open += 1,
                State::Parked => self.doubts.parked += 1,
                State::Refused(Cause::Absent) => self.doubts.absent += 1,
                _ => self.doubts.found += 1,
            }
        }
        if !attempt.counts() {
            return;
        }
        self.attempts += 1;
        self.minutes += attempt.minutes.unwrap_or(0.0).max(0.0);
        self.cost_usd += attempt.cost_usd.unwrap_or(0.0);
        self.first_at = Some(self.first_at.map_or(attempt.began, |first| first.min(attempt.began)));
        self.last_at = self.last_at.max(Some(attempt.began));
        let fact = self.facts.entry(attempt.run).or_default();
        fact.minutes += attempt.minutes.unwrap_or(0.0).max(0.0);
        fact.cost_usd += attempt.cost_usd.unwrap_or(0.0);
        if matches!(attempt.state, State::Placed { .. } | State::Ended(_)) {
            fact.calls += 1;
            self.calls += 1;
            let began = attempt.began.to_zoned(zone.clone());
            let hour = usize::try_from(began.hour()).unwrap_or(0);
            let day = usize::try_from(began.weekday().to_monday_zero_offset()).unwrap_or(0);
            let answered = u64::from(matches!(attempt.state, State::Ended(class) if class.is_answered()));
            for slot in [&mut self.by_hour[hour], &mut self.by_weekday[day]] {
                *slot = (slot.0 + 1, slot.1 + answered);
            }
        }
    }

    /// As one object.
    pub fn json(&self) -> String {
        let totals = &self.totals;
        let reserves: Vec<_> = self
            .reserves()
            .iter()
            .map(|(at, reserve)| json!({ "at": format!("{at:.0}"), "reserve": reserve }))
            .collect();
        let object = json!({
            "campaign": self.campaign,
            "leads": {
                "total": totals.total, "settled": totals.settled, "open": totals.open, "in_doubt": totals.in_doubt,
                "suppressed": totals.suppressed, "removed": totals.removed,
            },
            "dispositions": totals.dispositions,
            "attempts": self.attempts,
            "minutes": places(self.minutes),
            "cost_usd": places(self.cost_usd),
            "answered_by_hour": self.by_hour.map(|(_, answered)| answered),
            "calls_by_hour": self.by_hour.map(|(calls, _)| calls),
            "pool": {
                "lowest_free": self.pool.lowest_free,
                "below_reserve_s": (!self.pool.points.is_empty()).then(|| places(self.pool.below_reserve.as_secs_f64())),
                "refused": self.pool_refused,
                "reserves": reserves,
                // Milliseconds since 1970, the campaign's calls, other calls, the limit, the reserve.
                "over_time": self.pool.points,
            },
            "doubts": {
                "found": self.doubts.found, "absent": self.doubts.absent, "parked": self.doubts.parked,
                "open": self.doubts.open,
            },
            "forecasts": self.forecasts.iter().filter_map(|past| self.held_against_fact(past)).collect::<Vec<_>>(),
            "calls": self.calls,
            "first_at": self.first_at,
            "last_at": self.last_at,
        });
        format!("{object}\n")
    }

    /// What a run expected of itself, with what it came to.
    fn held_against_fact(&self, past: &PastForecast) -> Option<Value> {
        let mut object: Value = serde_json::from_str(&past.forecast).ok()?;
        let Fact { calls, minutes, cost_usd } = self.fact(past);
        object["began_at"] = json!(past.began);
        let (minutes, cost_usd) = (places(minutes), places(cost_usd));
        object["fact"] = json!({ "ended_at": past.ended, "calls": calls, "minutes": minutes, "cost_usd": cost_usd });
        Some(object)
    }

    fn fact(&self, past: &PastForecast) -> Fact {
        self.facts.get(&Some(past.run)).copied().unwrap_or_default()
    }

    /// The same in a sentence.
    fn forecast_line(&self, past: &PastForecast, now: Timestamp, zone: &TimeZone) -> Option<String> {
        let told: Value = serde_json::from_str(&past.forecast).ok()?;
        let at = |which: &str| Some(moment(told["done_at"][which].as_str()?.parse().ok()?, now, zone));
        let Fact { calls, cost_usd, .. } = self.fact(past);
        Some(format!(
            "run of {}: forecast to end {} ({} to {}) with {} for {}; {} with {} for {}",
            moment(past.began, now, zone),
            at("p50")?,
            at("p10")?,
            at("p90")?,
            count(told["calls"].as_u64()?, "call", "calls"),
            dollars(told["cost_usd"]["p50"].as_f64()?),
            past.ended.map_or_else(|| "so far".to_owned(), |ended| format!("ended {}", moment(ended, now, zone))),
            count(calls, "call", "calls"),
            dollars(cost_usd),
        ))
    }

    /// For a terminal of this width.
    pub fn text(&self, now: Timestamp, zone: &TimeZone, glyphs: Glyphs, width: usize) -> String {
        let mut text = format!("campaign {}{}\n", self.campaign, rehearsed(self.rehearsal));
        for line in self.lines(now, zone) {
            let _ = writeln!(text, "  {line}");
        }
        if let Some(seen) = dispositions(&self.totals, glyphs) {
            let _ = writeln!(text, "{seen}");
        }
        if let Some(past) = self.pool_over_time(now, zone) {
            let (chart, [from, to]) = (past.chart(), &past.labels);
            let unicode = glyphs == Glyphs::UNICODE;
            let rows = chart.rows(width.min(80), unicode, from, to);
            let _ = writeln!(text, "\n  the pool over time, in slots\n{}", rows.join("\n"));
        }
        if self.calls > 0 {
            let rates = self.by_hour.map(rate);
            let top = rates.iter().copied().fold(1.0, f64::max);
            let unicode = glyphs == Glyphs::UNICODE;
            let chart = Chart { values: &rates, top, level: None, height: HIGH, width: width.min(80), unicode };
            let _ = writeln!(text, "\n  answered, % of calls, by hour of the day\n{}", chart.rows().join("\n"));
            let _ = writeln!(text, "       00:00 to 24:00\n\n  by day of the week");
            for (day, (calls, answered)) in self.weekdays() {
                let of = count(calls, "call", "calls");
                let _ = writeln!(text, "  {day}   {:>3}% of {of}", percent(answered, calls));
            }
        }
        text
    }

    /// What was reserved, and from when on, as far as the points of the pool show it.
    fn reserves(&self) -> Vec<(Timestamp, u32)> {
        let mut reserves: Vec<(Timestamp, u32)> = Vec::new();
        for [at, .., reserve] in &self.pool.points {
            let reserve = slots(*reserve);
            if reserves.last().is_none_or(|(_, last)| *last != reserve) {
                reserves.push((instant(*at), reserve));
            }
        }
        reserves
    }

    /// The same in words, where it changed.
    fn reserve_changes(&self, now: Timestamp, zone: &TimeZone) -> Option<String> {
        let reserves = self.reserves();
        let [(_, first), changes @ ..] = &reserves[..] else { return None };
        let parts: Vec<_> =
            changes.iter().map(|(at, reserve)| format!("{reserve} from {}", moment(*at, now, zone))).collect();
        match parts.len() {
            0 => None,
            1..=MOST_CHANGES => Some(format!("reserved: {first} at first, {}", parts.join(", "))),
            _ => {
                let least = reserves.iter().map(|(_, reserve)| reserve).min()?;
                let most = reserves.iter().map(|(_, reserve)| reserve).max()?;
                Some(format!("reserved: {least} to {most}, changed {} times (--format json has them)", parts.len()))
            }
        }
    }

    fn pool_over_time(&self, now: Timestamp, zone: &TimeZone) -> Option<PoolOverTime> {
        let points = &self.pool.points;
        let [first, .., last] = &points[..] else { return None };
        let told = |millis: i64| moment(instant(millis), now, zone);
        let slots_at_most = points.iter().map(|[_, _, _, limit, _]| slots(*limit)).max().filter(|limit| *limit > 0)?;
        let drawn = points.iter().map(|[_, ours, others, ..]| PoolPoint {
            ours: f64::from(slots(*ours)),
            others: f64::from(slots(*others)),
        });
        Some(PoolOverTime {
            points: drawn.collect(),
            slots: slots_at_most,
            reserves: points.iter().map(|[.., reserve]| slots(*reserve)).collect(),
            labels: [told(first[0]), told(last[0])],
        })
    }

    fn weekdays(&self) -> impl Iterator<Item = (String, (u64, u64))> {
        let name = |day: i8| Weekday::from_monday_zero_offset(day).map_or(String::new(), |day| format!("{day:?}"));
        let days = (0..).map(name).zip(self.by_weekday);
        days.map(|(day, sums)| (day.chars().take(3).collect(), sums)).filter(|(_, (calls, _))| *calls > 0)
    }

    /// What there is to say, a sentence a line.
    fn lines(&self, now: Timestamp, zone: &TimeZone) -> Vec<String> {
        let totals = &self.totals;
        let mut lines = vec![format!(
            "{}: {} settled, {} open, {} in doubt",
            count(totals.total, "lead", "leads"),
            thousands(totals.settled),
            thousands(totals.open),
            thousands(totals.in_doubt),
        )];
        let answered: u64 = self.by_hour.iter().map(|(_, answered)| answered).sum();
        lines.push(format!(
            "{}, {} answered ({}%), {}, {}",
            count(self.calls, "call", "calls"),
            thousands(answered),
            percent(answered, self.calls),
            minutes(self.minutes),
            dollars(self.cost_usd),
        ));
        if let (Some(first), Some(last)) = (self.first_at, self.last_at) {
            lines.push(format!("first call {}, last {}", moment(first, now, zone), moment(last, now, zone)));
        }
        if let Some(lowest) = self.pool.lowest_free {
            let below = self.pool.below_reserve;
            let below = if below.is_zero() { "never".to_owned() } else { format!("for {}", span(below)) };
            lines.push(format!(
                "{} free at the fewest; fewer than the reserve {below}",
                count(u64::from(lowest), "slot", "slots")
            ));
        }
        lines.extend(self.reserve_changes(now, zone));
        let newest = self.forecasts.len().saturating_sub(MOST_FORECASTS);
        lines.extend(self.forecasts[newest..].iter().filter_map(|past| self.forecast_line(past, now, zone)));
        if self.pool_refused > 0 {
            lines.push(format!("{} by a full pool", count(self.pool_refused, "refusal", "refusals")));
        }
        let Doubts { found, absent, parked, open } = self.doubts;
        if found + absent + parked + open > 0 {
            lines.push(format!(
                "{}: {found} found, {absent} proven never made, {parked} for a person, {open} still open",
                count(found + absent + parked + open, "unconfirmed call", "unconfirmed calls"),
            ));
        }
        lines
    }

    /// A page that stands alone: nothing of it comes from elsewhere.
    pub fn html(&self, now: Timestamp, zone: &TimeZone) -> String {
        let mut page = head(&self.campaign);
        let _ = write!(page, "<h1>{}{}</h1><ul>", escape(&self.campaign), rehearsed(self.rehearsal));
        for line in self.lines(now, zone) {
            let _ = write!(page, "<li>{}</li>", escape(&line));
        }
        page.push_str("</ul>");
        let outcomes: Vec<_> = self
            .totals
            .dispositions
            .iter()
            .map(|(class, leads)| (class_words(*class).to_owned(), *leads, thousands(*leads)))
            .collect();
        page.push_str(&bars("Outcomes", "leads", &outcomes));
        if let Some(past) = self.pool_over_time(now, zone) {
            let _ = write!(page, "<h2>The pool over time</h2>{}", past.chart().svg(&past.labels));
        }
        let hours: Vec<_> = self
            .by_hour
            .iter()
            .enumerate()
            .filter(|(_, (calls, _))| *calls > 0)
            .map(|(hour, &(calls, answered))| labelled(format!("{hour:02}:00"), calls, answered))
            .collect();
        page.push_str(&bars("Answered, by hour of the day", "% of calls", &hours));
        let days: Vec<_> = self.weekdays().map(|(day, (calls, answered))| labelled(day, calls, answered)).collect();
        page.push_str(&bars("Answered, by day of the week", "% of calls", &days));
        let _ = writeln!(page, "<p class=\"dim\">Written {}.</p>{END}", moment(now, Timestamp::UNIX_EPOCH, zone));
        page
    }
}

/// Three places are enough.
fn places(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn slots(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn instant(millis: i64) -> Timestamp {
    Instant::from_micros(millis.saturating_mul(1000)).timestamp()
}

fn labelled(label: String, calls: u64, answered: u64) -> (String, u64, String) {
    let share = percent(answered, calls);
    (label, share, format!("{share}% of {}", thousands(calls)))
}

#[expect(clippy::cast_precision_loss, reason = "a share of calls")]
fn rate((calls, answered): (u64, u64)) -> f64 {
    if calls == 0 { 0.0 } else { percent(answered, calls) as f64 }
}

#[cfg(test)]
mod tests;
