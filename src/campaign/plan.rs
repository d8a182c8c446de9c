//! What a campaign was told to do: everything that its decisions depend on, besides the news.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::callers::AutoReserve;
use super::hours::Calling;
use super::retry::Retries;

/// The plan of one run. Every value is valid by the time it stands here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The campaign's name.
    pub campaign: String,
    /// How often the listing is read while something waits for it.
    pub poll: Duration,
    /// How old an observation may grow before one dial tries the pool again.
    pub probe_after: Duration,
    /// How long absence must hold; `None` parks what is in doubt.
    pub in_doubt: Option<Duration>,
    /// How far the first search goes back at most.
    pub look_back: Duration,
    /// Take this campaign's unknown calls in.
    pub adopt: bool,
    /// Slots kept for others, by time of day.
    pub reserve: Reserve,
    /// The limit to assume until one has been seen, where that was said.
    pub slots: Option<u32>,
    /// A cap on our own calls.
    pub max_concurrent: Option<u32>,
    /// Slots kept besides the reserve.
    pub caution: u32,
    /// Slots come free only so long after a call's end.
    #[serde(default)]
    pub release_lag: Duration,
    /// Leads of a batch: 50 to 100.
    pub batch_size: usize,
    /// A batch also waits for its calls to end.
    pub drain: bool,
    /// Requests that place calls.
    pub rate: Rate,
    /// Other organisations on the pool whose calls are seen, by what people know them as.
    #[serde(default)]
    pub watched: Vec<String>,
    /// All requests of the organisation, every live run of it together; none: nothing limits them.
    #[serde(default)]
    pub requests: Option<Budget>,
    /// When a lead may be called.
    pub calling: Calling,
    /// How often, and when again.
    pub retries: Retries,
    /// Not called if another campaign has called the number this recently.
    pub not_if_called_within: Option<Duration>,
    /// Attempts of this run, refused ones apart.
    pub limit: Option<u64>,
    /// What the campaign may cost over all its runs, in US dollars.
    pub max_cost: Option<f64>,
    /// When dialing stops.
    pub until: Option<Timestamp>,
    /// Stay until retries, hours and doubts are settled.
    pub wait: bool,
    /// How long the analysis of a call that was answered is waited for; none where nobody wants it.
    pub results_wait: Option<Duration>,
    /// The lines (phone number ids), taken in turn; never empty.
    pub lines: Vec<String>,
    /// How long a call can last: ring time and talk.
    pub longest_call: Duration,
    /// All chance comes from here.
    pub seed: u64,
}

impl Plan {
    /// Whether reserve and margin leave a single slot of so many, so that calls are made one at a time.
    pub fn leaves_one(&self, slots: u32) -> bool {
        let kept = self.reserve.least() + self.caution;
        kept > 0 && slots.checked_sub(kept) == Some(1)
    }

    /// How long absence must hold before a lead in doubt goes back, or is put aside.
    pub fn absence_must_hold(&self) -> Duration {
        self.in_doubt.unwrap_or((self.poll * 20).min(Duration::from_mins(10)))
    }

    /// How long after its claim a request may still be sent: by half the time after which its absence can be proven.
    pub fn claim_lasts(&self) -> Duration {
        self.absence_must_hold() / 2
    }
}

/// `N/s` or `N/min`: at most `count` requests in `per`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rate {
    /// Requests, more than none.
    pub count: std::num::NonZeroU32,
    /// In how long.
    pub per: Duration,
}

/// Slots kept for others: one number, or another from certain times of the day on (the machine's zone). Where it is
/// chosen by the run, the table is what holds at the moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reserve {
    /// (minute of the day from which it holds, slots), sorted by minute, the first at 0; never empty.
    pub table: Vec<(u16, u32)>,
    /// The zone whose days these are.
    #[serde(with = "jiff::fmt::serde::tz::required")]
    pub zone: jiff::tz::TimeZone,
    /// How the run chooses it, where it does.
    #[serde(default)]
    pub auto: Option<AutoReserve>,
}

impl Reserve {
    /// The same all day.
    pub fn always(slots: u32) -> Self {
        Self { table: vec![(0, slots)], zone: jiff::tz::TimeZone::UTC, auto: None }
    }

    /// Whether it changes over the day.
    pub fn is_timetable(&self) -> bool {
        self.table.len() > 1
    }

    /// The least that is kept at any time of the day.
    pub fn least(&self) -> u32 {
        if self.auto.is_some() {
            return 1;
        }
        self.table.iter().map(|(_, slots)| *slots).min().unwrap_or(0)
    }

    /// When after that time no more than so many are kept for the first time; `None` if that is never.
    pub fn falls_to(&self, most: u32, after: Timestamp) -> Option<Timestamp> {
        let today = after.to_zoned(self.zone.clone()).date();
        let days = [Some(today), today.tomorrow().ok()].into_iter().flatten();
        let begins = days.flat_map(|day| {
            self.table.iter().filter(|(_, slots)| *slots <= most).filter_map(move |(minute, _)| {
                let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
                Some(day.at(hour, minute, 0, 0).to_zoned(self.zone.clone()).ok()?.timestamp())
            })
        });
        begins.filter(|begin| *begin > after).min()
    }

    /// The same, but that no more than so many are kept from that time of the day on, until its table changes again.
    #[must_use]
    pub fn at_most(&self, most: u32, from: Timestamp) -> Self {
        let minute = self.minute(from);
        let mut table: Vec<_> = self.table.iter().copied().filter(|(at, _)| *at != minute).collect();
        table.push((minute, self.at(from).min(most)));
        table.sort_unstable();
        Self { table, zone: self.zone.clone(), auto: None }
    }

    fn minute(&self, wall: Timestamp) -> u16 {
        let time = wall.to_zoned(self.zone.clone()).time();
        u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or(0)
    }

    /// What is kept at that time.
    pub fn at(&self, wall: Timestamp) -> u32 {
        if !self.is_timetable() {
            return self.table[0].1;
        }
        let minute = self.minute(wall);
        self.table.iter().rev().find(|(from, _)| *from <= minute).map_or(self.table[0].1, |row| row.1)
    }
}

impl fmt::Display for Reserve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_timetable() {
            return write!(f, "{}", self.table[0].1);
        }
        for (nth, (minute, slots)) in self.table.iter().enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            write!(f, "{comma}{:02}:{:02}={slots}", minute / 60, minute % 60)?;
        }
        Ok(())
    }
}
