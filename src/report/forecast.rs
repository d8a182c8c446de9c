//! How a campaign will go, as text, as JSON and as a page.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::page::{END, escape, head};
use super::pool_chart::PoolChart;
use super::style::{count, dollars, minutes, moment, span, thousands, wrap};
use crate::campaign::notice::StopReason;
use crate::rehearsal::forecast::belief::{Belief, Beliefs};
use crate::rehearsal::forecast::{Forecast, Quantiles};

/// A forecast, and what is needed to tell of it.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    /// The campaign's name.
    pub campaign: &'a str,
    /// How it will go.
    pub forecast: &'a Forecast,
    /// What that assumes.
    pub beliefs: &'a Beliefs,
    /// Leads to call.
    pub leads: u64,
    /// Slots of the pool.
    pub slots: u32,
    /// Slots reserved when it starts.
    pub reserve: u32,
    /// When the run is started.
    pub now: Timestamp,
    /// The zone of whoever reads it.
    pub zone: &'a TimeZone,
}

impl Outlook<'_> {
    /// As one object.
    pub fn json(&self) -> Value {
        let Forecast { seconds, cost_usd, list_seconds, inbound_refused: [with, without], .. } = self.forecast;
        let at = |quantiles: &Quantiles| three(quantiles, |seconds| json!(self.at(seconds)));
        let Beliefs { answered, talk_s, inbound_per_hour, inbound_mean_s, .. } = self.beliefs;
        json!({
            "runs": self.forecast.runs,
            "starts_at": self.forecast.starts,
            "done_at": at(seconds),
            "seconds": three(seconds, |seconds| json!(whole(seconds))),
            "calls": whole(self.forecast.calls),
            "calls_per_hour": places(self.forecast.calls_per_hour, 1),
            "minutes": places(self.forecast.minutes, 1),
            "cost_usd": three(cost_usd, |usd| json!(places(usd, 2))),
            "open_at_end": whole(self.forecast.open_at_end),
            "ends": self.forecast.why.as_ref().map(reason),
            "list_done_at": list_seconds.as_ref().map(at),
            "inbound_refused": { "with": places(*with, 6), "without": places(*without, 6) },
            "sample": self.forecast.sample,
            "assumed": {
                "slots": self.slots,
                "reserve": self.reserve,
                "answered": places(answered.value, 4),
                "talk_s": places(talk_s.value, 1),
                "inbound_per_hour": places(inbound_per_hour.value, 2),
                "inbound_mean_s": places(inbound_mean_s.value, 1),
                "from": {
                    "answered": answered.from,
                    "talk_s": talk_s.from,
                    "inbound_per_hour": inbound_per_hour.from,
                    "inbound_mean_s": inbound_mean_s.from,
                },
            },
        })
    }

    /// For a terminal of this width.
    pub fn text(&self, width: usize, unicode: bool) -> String {
        let mut text = wrap(&self.headline(), width, 2).join("\n");
        text.push('\n');
        for line in self.lines() {
            let _ = writeln!(text, "  {}", wrap(&line, width.saturating_sub(2), 2).join("\n  "));
        }
        let (from, to) = (self.forecast.starts, self.shown_until());
        let [from, to] = [from, to].map(|at| moment(at, self.now, self.zone));
        let chart = PoolChart { points: &self.forecast.pool, slots: self.slots, reserves: &[self.reserve] };
        let _ = write!(text, "\n{}", chart.rows(width.min(88), unicode, &from, &to).join("\n"));
        text
    }

    /// A page that stands alone.
    pub fn html(&self) -> String {
        let title = format!("Forecast of {}", self.campaign);
        let mut page = head(&title);
        let _ = write!(page, "<h1>{}</h1><p>{}</p><ul>", escape(&title), escape(&self.headline()));
        for line in self.lines() {
            let _ = write!(page, "<li>{}</li>", escape(&line));
        }
        let labels: Vec<_> =
            (0..=4).map(|nth| moment(self.shown_at(f64::from(nth) / 4.0), self.now, self.zone)).collect();
        let chart = PoolChart { points: &self.forecast.pool, slots: self.slots, reserves: &[self.reserve] };
        let _ = write!(page, "</ul><h2>The pool over time <small>slots, mean of the rehearsals</small></h2>");
        page.push_str(&chart.svg(&labels));
        let written = moment(self.now, Timestamp::UNIX_EPOCH, self.zone);
        let _ = writeln!(page, "<p class=\"dim\">Foreseen {written}. Times are those of {}.</p>{END}", zone(self.zone));
        page
    }

    fn is_done(&self) -> bool {
        self.forecast.open_at_end < 0.5 && self.forecast.why.is_some()
    }

    fn headline(&self) -> String {
        let [quick, middle, slow] = self.forecast.seconds.spans().map(rough);
        let mut line = format!(
            "with {}, {} reserved, calls of {} answered {:.0}% of the time: {} in {middle}",
            count(self.slots.into(), "slot", "slots"),
            self.reserve,
            talk(self.forecast.call_s),
            self.beliefs.answered.value * 100.0,
            if self.is_done() { "done" } else { "this run ends" },
        );
        if quick != slow {
            let _ = write!(line, " ({quick} to {slow})");
        }
        let _ = write!(line, ", about {}", about(self.forecast.cost_usd.p50));
        line
    }

    /// What there is to say, a sentence a line.
    fn lines(&self) -> Vec<String> {
        let Forecast { runs, sample, seconds, cost_usd, .. } = self.forecast;
        let mut from = format!("from {}", count((*runs).into(), "rehearsal", "rehearsals"));
        if let Some(leads) = sample {
            let _ = write!(from, " with the first {} of {}", thousands(*leads), thousands(self.leads));
        }
        let ends = if self.is_done() { "done" } else { "it ends" };
        let mut lines = vec![format!("{from}: {ends} {} (8 of 10)", self.about_when(seconds))];
        lines.extend(self.stays_open());
        let [low, _, high] = cost_usd.all();
        lines.push(format!(
            "{}, {} an hour; {}; {} to {}",
            count(whole(self.forecast.calls), "call", "calls"),
            thousands(whole(self.forecast.calls_per_hour)),
            minutes(self.forecast.minutes),
            about(low),
            about(high),
        ));
        let [with, without] = self.forecast.inbound_refused.map(percent);
        lines.push(format!("inbound callers refused: {with}, without the campaign {without}"));
        lines.push(self.assumed());
        lines
    }

    fn stays_open(&self) -> Option<String> {
        if self.is_done() {
            return None;
        }
        let Forecast { open_at_end, why, list_seconds, .. } = self.forecast;
        let open = count(whole(*open_at_end), "lead is", "leads are");
        let mut line = match why {
            Some(StopReason::Later) => {
                format!("about {open} open then, for later hours or another attempt")
            }
            Some(why) => format!("about {open} open then: {} ends it", reason_words(why)),
            None => return Some("it goes on for longer than 400 days, which is as far as is looked".to_owned()),
        };
        if let Some(list) = list_seconds.filter(|_| matches!(why, Some(StopReason::Later | StopReason::Kept))) {
            let _ = write!(line, "; with --wait, or run again, the list is done {}", self.about_when(&list));
        }
        Some(line)
    }

    fn assumed(&self) -> String {
        let Beliefs { answered, talk_s, inbound_per_hour, inbound_mean_s, .. } = self.beliefs;
        let told = |what: String, belief: &Belief| (what, belief.from.clone());
        let parts = [
            told(format!("{:.0}% answered", answered.value * 100.0), answered),
            told(format!("talks of {}", talk(talk_s.value)), talk_s),
            told(format!("{:.0} inbound callers an hour", inbound_per_hour.value), inbound_per_hour),
            told(format!("of {}", talk(inbound_mean_s.value)), inbound_mean_s),
        ];
        // What is from the same place is told together.
        let mut line = String::from("assumed: ");
        for (nth, (what, from)) in parts.iter().enumerate() {
            let same = parts.get(nth + 1).is_some_and(|(_, next)| next == from);
            let comma = if nth + 1 == parts.len() {
                ""
            } else if nth == 2 && same {
                " "
            } else {
                ", "
            };
            let _ = if same { write!(line, "{what}{comma}") } else { write!(line, "{what} ({from}){comma}") };
        }
        line.push_str("; say better with --assume");
        line
    }

    /// `16:52 (16:20 to 17:31)`.
    fn about_when(&self, seconds: &Quantiles) -> String {
        let [low, middle, high] = seconds.all().map(|seconds| moment(self.at(seconds), self.now, self.zone));
        if low == high { format!("about {middle}") } else { format!("about {middle} ({low} to {high})") }
    }

    fn at(&self, seconds: f64) -> Timestamp {
        let ahead = SignedDuration::try_from_secs_f64(seconds.round()).unwrap_or(SignedDuration::ZERO);
        let now = self.now.round(jiff::Unit::Second).unwrap_or(self.now);
        now.checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// A point of the chart's time, from 0 to 1.
    fn shown_at(&self, share: f64) -> Timestamp {
        let ahead = SignedDuration::try_from_secs_f64((self.forecast.shown_s * share).round());
        self.forecast.starts.checked_add(ahead.unwrap_or(SignedDuration::ZERO)).unwrap_or(Timestamp::MAX)
    }

    fn shown_until(&self) -> Timestamp {
        self.shown_at(1.0)
    }
}

fn zone(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("this machine").to_owned()
}

/// Why a run ends, as `run --json` has it; none where the list is through.
fn reason(why: &StopReason) -> &'static str {
    match why {
        StopReason::Complete => "done",
        StopReason::Limit => "limit",
        StopReason::Cost => "cost",
        StopReason::Until => "until",
        StopReason::Kept => "reserve",
        _ => "later",
    }
}

fn reason_words(why: &StopReason) -> &'static str {
    match why {
        StopReason::Limit => "--limit",
        StopReason::Cost => "--max-cost",
        StopReason::Until => "--until",
        StopReason::Kept => "the reserve of that hour",
        _ => "something else",
    }
}

fn three(quantiles: &Quantiles, shown: impl Fn(f64) -> Value) -> Value {
    let [p10, p50, p90] = quantiles.all().map(shown);
    json!({ "p10": p10, "p50": p50, "p90": p90 })
}

fn places(number: f64, places: i32) -> f64 {
    let unit = 10_f64.powi(places);
    (number * unit).round() / unit
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count from 0")]
fn whole(number: f64) -> u64 {
    number.round().max(0.0) as u64
}

/// Talks are told in seconds up to five minutes: people compare them.
fn talk(seconds: f64) -> String {
    let length = Duration::try_from_secs_f64(seconds.round()).unwrap_or_default();
    if length < Duration::from_mins(5) { format!("{} s", length.as_secs()) } else { span(length) }
}

/// A forecast to the second would be a lie.
fn rough(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    let step = match minutes {
        0..=20 => 1,
        21..=600 => 5,
        _ => 10,
    };
    span(Duration::from_secs(minutes.div_ceil(step) * step * 60))
}

fn about(cost: f64) -> String {
    if cost < 10.0 { dollars(cost) } else { dollars(cost.round()).trim_end_matches(".00").to_owned() }
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 10.0 || percent == 0.0 { format!("{percent:.0}%") } else { format!("{percent:.1}%") }
}
