//! What a reserve buys and what more lines would: the tables of `dialer advise`, worked out and shown.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::advice::{Advice, LINE_USD};
use super::style::{count, dollars, span, thousands};
use crate::campaign::callers::InboundHistory;
use crate::pool::saturated::Saturated;
use crate::rehearsal::blocking::{Length, Simulated};

/// How long each of the stretches of a simulation goes on, but for the next.
const CALLERS: u32 = 5_000;
/// Events of each stretch, over the simulations of all reserves: some seconds of work.
const EVENTS: u32 = 3_000_000;
/// The provider's startup tier has so many slots (its guide to concurrency).
const STARTUP_SLOTS: u32 = 100;
/// Columns of a bar.
const BAR: usize = 20;

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Question {
    /// Slots of the pool.
    pub slots: u32,
    /// The share of inbound callers that may be refused.
    pub target: f64,
    /// Who calls in.
    pub inbound: InboundHistory,
    /// Whose hours those are.
    pub zone: TimeZone,
    /// The day whose timetable is told where weekdays differ.
    pub today: Date,
    /// Leads to call.
    pub leads: Option<u64>,
    /// Until they are to be called.
    pub within: Option<Duration>,
}

/// A reserve, and what it buys.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Choice {
    reserve: u32,
    refused: f64,
    simulated: Simulated,
    calls_per_hour: f64,
}

/// A number of slots, at the smallest reserve that meets the target.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Capacity {
    slots: u32,
    reserve: Option<u32>,
    hours: Option<f64>,
    lines_to_add: u32,
}

/// The answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    question: Question,
    choices: Vec<Choice>,
    choose: Option<u32>,
    timetable: Option<String>,
    capacity: Vec<Capacity>,
    cheapest: Option<u32>,
}

impl Question {
    fn pool(&self, slots: u32, reserve: u32) -> Saturated {
        Saturated {
            slots,
            reserve,
            inbound_per_hour: self.inbound.mean_per_hour(),
            inbound_mean_s: self.inbound.mean_s,
            call_mean_s: self.inbound.call_s,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "hours need no more than 52 bits")]
    fn hours(&self, calls_per_hour: f64) -> Option<f64> {
        self.leads.filter(|_| calls_per_hour > 0.0).map(|leads| leads as f64 / calls_per_hour)
    }

    /// Works it out. The same question has the same answer.
    pub fn answer(self) -> Answer {
        let choices: Vec<_> = (0..self.slots).map(|reserve| self.choice(reserve)).collect();
        let choose = choices.iter().find(|choice| choice.refused <= self.target).map(|choice| choice.reserve);
        let timetable = self.timetable();
        let mut capacity: Vec<_> = self.sizes().into_iter().map(|slots| self.capacity(slots)).collect();
        let cheapest = self.cheapest(&capacity);
        if let Some(size) = cheapest
            && let Err(place) = capacity.binary_search_by_key(&size.slots, |known| known.slots)
        {
            capacity.insert(place, size);
        }
        let cheapest = cheapest.map(|size| size.slots);
        Answer { question: self, choices, choose, timetable, capacity, cheapest }
    }

    fn choice(&self, reserve: u32) -> Choice {
        let pool = self.pool(self.slots, reserve);
        let simulated = pool.simulate(Length { callers: CALLERS, events: EVENTS / self.slots.max(1) }, 1);
        let outcome = pool.outcome();
        // Of nobody nobody is refused.
        let refused = if pool.inbound_per_hour > 0.0 { outcome.refused } else { 0.0 };
        Choice { reserve, refused, simulated, calls_per_hour: outcome.calls_per_hour }
    }

    /// The fewest slots that are done in time: between the first of those sizes that is and the one before it.
    fn cheapest(&self, sizes: &[Capacity]) -> Option<Capacity> {
        let within = self.within?.as_secs_f64() / 3600.0;
        let makes_it = |size: &Capacity| size.hours.is_some_and(|hours| hours <= within);
        let first = sizes.iter().position(makes_it)?;
        let mut found = sizes[first];
        let mut too_few = first.checked_sub(1).map_or(found.slots.saturating_sub(1), |before| sizes[before].slots);
        while too_few + 1 < found.slots {
            let size = self.capacity(u32::midpoint(too_few, found.slots));
            if makes_it(&size) { found = size } else { too_few = size.slots }
        }
        Some(found)
    }

    /// Today's slots, 5 and 10 more, twice, five and ten times as many.
    fn sizes(&self) -> Vec<u32> {
        let mut sizes: Vec<u32> = [self.slots, self.slots + 5, self.slots + 10]
            .into_iter()
            .chain([2, 5, 10].map(|times| self.slots.saturating_mul(times)))
            .collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    fn capacity(&self, slots: u32) -> Capacity {
        let reserve = self.pool(slots, 0).smallest_reserve(self.target);
        let pace = reserve.map(|reserve| self.pool(slots, reserve).outcome().calls_per_hour);
        let hours = pace.and_then(|pace| self.hours(pace));
        Capacity { slots, reserve, hours, lines_to_add: slots - self.slots }
    }

    /// The smallest reserve for each hour of the day, as `--reserve` takes it; none where hours are not told apart.
    fn timetable(&self) -> Option<String> {
        let hours = self.inbound.per_hour.len() > 1;
        hours.then(|| self.inbound.timetable(self.today, &self.zone, self.slots, 0, self.target).to_string())
    }
}

impl Answer {
    fn advice(&self) -> Vec<Advice> {
        let Question { slots, target, .. } = &self.question;
        let share = percent(*target);
        let mut advice = Vec::new();
        match self.choose {
            Some(reserve) => {
                let choice = &self.choices[reserve as usize];
                let text = format!(
                    "--reserve {reserve} refuses {} of inbound callers, within the {share} that were asked for, and leaves {} \
                     an hour to the campaign",
                    percent(choice.refused),
                    count(rounded(choice.calls_per_hour), "call", "calls"),
                );
                advice.push(Advice { code: "reserve", text });
            }
            None => advice.push(Advice {
                code: "add-lines",
                text: format!(
                    "no reserve keeps the share refused at {share} with {}: more lines are needed",
                    count((*slots).into(), "slot", "slots"),
                ),
            }),
        }
        if self.question.within.is_some() && self.question.leads.is_some() {
            advice.push(self.in_time());
        }
        advice
    }

    fn in_time(&self) -> Advice {
        let makes_it = self.cheapest.and_then(|slots| self.capacity.iter().find(|size| size.slots == slots));
        match makes_it {
            Some(Capacity { lines_to_add: 0, slots, .. }) => {
                Advice { code: "enough", text: format!("{slots} slots are enough to be done by then") }
            }
            Some(size) if size.slots >= STARTUP_SLOTS => Advice {
                code: "talk-to-sales",
                text: format!(
                    "it takes {} slots: {} lines cost {} a month; the startup tier has {STARTUP_SLOTS}, an enterprise plan as many as agreed",
                    size.slots,
                    size.lines_to_add,
                    dollars(f64::from(size.lines_to_add * LINE_USD)),
                ),
            },
            Some(size) => Advice {
                code: "add-lines",
                text: format!(
                    "{} ({} slots) is the least that is done by then, for {} a month",
                    count(size.lines_to_add.into(), "more line", "more lines"),
                    size.slots,
                    dollars(f64::from(size.lines_to_add * LINE_USD)),
                ),
            },
            None => Advice {
                code: "talk-to-sales",
                text: "even ten times the slots are not done by then: allow more time, or ask the provider about an enterprise plan"
                    .to_owned(),
            },
        }
    }

    /// As one object.
    pub fn json(&self) -> String {
        let question = &self.question;
        let row = |choice: &Choice| {
            json!({
                "reserve": choice.reserve,
                "inbound_refused": places(choice.refused),
                "simulated": { "low": places(choice.simulated.low), "high": places(choice.simulated.high) },
                "calls_per_hour": places(choice.calls_per_hour),
                "hours": question.hours(choice.calls_per_hour).map(places),
            })
        };
        let size = |size: &Capacity| {
            json!({
                "slots": size.slots,
                "reserve": size.reserve,
                "hours": size.hours.map(places),
                "lines_to_add": size.lines_to_add,
                "usd_month": size.lines_to_add * LINE_USD,
            })
        };
        let object = json!({
            "slots": question.slots,
            "target": question.target,
            "inbound": {
                "per_hour": places(question.inbound.mean_per_hour()),
                "mean_s": places(question.inbound.mean_s),
                "from": question.inbound.from,
            },
            "call_mean_s": places(question.inbound.call_s),
            "rows": self.choices.iter().map(row).collect::<Vec<Value>>(),
            "choose": self.choose,
            "timetable": self.timetable,
            "capacity": self.capacity.iter().map(size).collect::<Vec<Value>>(),
            "cheapest": self.cheapest,
            "advice": self.advice(),
        });
        format!("{object}\n")
    }

    /// As tables, for people.
    pub fn text(&self, width: usize, unicode: bool) -> String {
        let Question { slots, inbound, leads, .. } = &self.question;
        let mut text = format!(
            "{}, {:.1} inbound callers an hour of {} ({}), campaign calls of {}\n\n",
            count((*slots).into(), "slot", "slots"),
            inbound.mean_per_hour(),
            seconds(inbound.mean_s),
            inbound.from,
            seconds(inbound.call_s),
        );
        let list = leads.map_or(String::new(), |leads| format!("   {} leads take", thousands(leads)));
        let _ = writeln!(text, "reserve   inbound refused   calls an hour{list}");
        let most = self.choices.iter().map(|choice| choice.calls_per_hour).fold(1.0, f64::max);
        let full = if unicode { '█' } else { '#' };
        for choice in &self.choices {
            let sign = if Some(choice.reserve) == self.choose { '>' } else { ' ' };
            let hours = self.question.hours(choice.calls_per_hour).map_or(String::new(), took);
            let line = format!(
                "{sign}{:>6}   {:>15}   {:>13}{}",
                choice.reserve,
                percent(choice.refused),
                thousands(rounded(choice.calls_per_hour)),
                if leads.is_some() {
                    format!("   {hours:>width$}", width = list.chars().count().saturating_sub(3))
                } else {
                    String::new()
                },
            );
            let bar = full.to_string().repeat(columns(choice.calls_per_hour / most));
            let bar = if line.chars().count() + BAR + 3 <= width { format!("   {bar}") } else { String::new() };
            let _ = writeln!(text, "{}", format!("{line}{bar}").trim_end());
        }
        let done = if leads.is_some() { "   done in" } else { "" };
        let _ = writeln!(text, "\nslots   lines to add   a month   reserve{done}");
        for size in &self.capacity {
            let reserve = size.reserve.map_or("-".to_owned(), |reserve| reserve.to_string());
            let line = format!(
                "{:>5}   {:>12}   {:>7}   {reserve:>7}   {}",
                size.slots,
                size.lines_to_add,
                format!("${}", thousands((size.lines_to_add * LINE_USD).into())),
                size.hours.map_or(String::new(), took),
            );
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text.push('\n');
        if let Some(timetable) = &self.timetable {
            let _ = writeln!(text, "by the hour, in this machine's zone:   --reserve {timetable}");
        }
        for advice in self.advice() {
            let _ = writeln!(text, "{}", super::style::wrap(&format!("* {}", advice.text), width, 2).join("\n"));
        }
        text
    }
}

fn took(hours: f64) -> String {
    Duration::try_from_secs_f64((hours * 60.0).ceil() * 60.0).map_or("for ever".to_owned(), span)
}

fn seconds(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds.round()).map_or(String::new(), span)
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 10.0 || percent == 0.0 { format!("{percent:.0}%") } else { format!("{percent:.2}%") }
}

fn places(number: f64) -> f64 {
    // What nothing adds up to is -0.
    (number * 1e6).round() / 1e6 + 0.0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a pace from 0")]
fn rounded(number: f64) -> u64 {
    number.round().max(0.0) as u64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "0 to 20")]
fn columns(share: f64) -> usize {
    (share.clamp(0.0, 1.0) * BAR as f64).round() as usize
}

#[cfg(test)]
mod tests;
