//! Whether a lead is called again, and when. Works from what is over and the plan of the day; remembers nothing, so a
//! changed plan changes the answer for leads of long ago too.

mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::disposition::Class;
use super::hours::{Calling, zone_named};
use super::plan_error::PlanError;
use super::reply::LeadNow;

/// Attempts a lead gets in a day unless told otherwise.
pub const PER_DAY: u32 = 2;

/// How often a lead is called, and how long after which end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Retries {
    attempts: u32,
    /// What a class of end waits for, the first time, the second, ...; the last one from then on. Never empty.
    delays: BTreeMap<Class, Vec<Duration>>,
    per_day: u32,
    seed: u64,
    #[serde(with = "jiff::fmt::serde::tz::required")]
    machine: TimeZone,
}

/// One contact attempt that is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contact {
    /// When it was claimed, on the wall clock.
    pub began: Timestamp,
    /// When it ended, on the wall clock.
    pub ended: Timestamp,
    /// How.
    pub class: Class,
    /// The phone was answered, or somebody spoke.
    pub answered: bool,
}

impl Contact {
    /// Whether a person was reached, however it ended. What was heard of a voicemail is no person. A call that broke
    /// after the phone was answered may have reached one: what was said is known late, or never (an account without
    /// transcripts).
    fn reached_a_person(&self) -> bool {
        match self.class {
            Class::Answered | Class::HungUp => true,
            Class::Fault | Class::Config | Class::Cancelled | Class::Unknown => self.answered,
            _ => false,
        }
    }
}

impl Retries {
    /// Contact attempts a lead gets at most.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// One attempt a lead, none again.
    pub fn never() -> Self {
        Self { attempts: 1, delays: BTreeMap::new(), per_day: PER_DAY, seed: 0, machine: TimeZone::UTC }
    }

    /// From `--attempts`, every `--retry` (a later one of the same class counts), `--per-day`, the seed of the plan,
    /// and the machine's zone, whose days a lead without a zone has.
    pub fn parse(
        attempts: u32,
        retry: &[String],
        per_day: u32,
        seed: u64,
        machine: TimeZone,
    ) -> Result<Self, PlanError> {
        if attempts == 0 {
            return Err(PlanError::new("--attempts", "a lead gets one attempt at least"));
        }
        if per_day == 0 {
            return Err(PlanError::new("--per-day", "nobody would be called; one attempt a day at least"));
        }
        Ok(Self { attempts, delays: parse::delays(retry)?, per_day, seed, machine })
    }

    /// What a lead is after these contacts (in order, at least one): settled, or due again. `lead` seeds the jitter.
    pub fn verdict(&self, contacts: &[Contact], zones: &[String], calling: &Calling, lead: u64) -> LeadNow {
        let Some(last) = contacts.last() else { return LeadNow::Open };
        let again = self.again(contacts, last, zones, calling, lead);
        again.map_or(LeadNow::Settled(last.class), LeadNow::Due)
    }

    fn again(
        &self,
        contacts: &[Contact],
        last: &Contact,
        zones: &[String],
        calling: &Calling,
        lead: u64,
    ) -> Option<Timestamp> {
        if contacts.len() >= usize::try_from(self.attempts).unwrap_or(usize::MAX) {
            return None;
        }
        let delays = self.delays.get(&last.class)?;
        // A person who was reached is called again only where the plan says so for that very class: not after a fault,
        // nor because a call that came to light late went unanswered.
        let asked_for = |contact: &Contact| contact.class.is_answered() && self.delays.contains_key(&contact.class);
        if contacts.iter().any(|contact| contact.reached_a_person() && !asked_for(contact)) {
            return None;
        }
        let nth = contacts.iter().filter(|contact| contact.class == last.class).count();
        let delay = *delays.get(nth - 1).or(delays.last())?;
        let due = last.ended.checked_add(self.jittered(delay, lead, contacts.len())).ok()?;
        let began: Vec<Timestamp> = contacts.iter().map(|contact| contact.began).collect();
        self.allowed(&began, zones, calling, calling.next_open(zones, due)?)
    }

    /// When the lead may be called again as far as `--per-day` goes, given when its contacts began; `None`: now.
    pub fn not_before(
        &self,
        began: &[Timestamp],
        zones: &[String],
        calling: &Calling,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let zone = self.days_of(zones);
        if !self.is_full(began, &zone, now) {
            return None;
        }
        let tomorrow = tomorrow(&zone, now);
        Some(self.allowed(began, zones, calling, tomorrow).unwrap_or(tomorrow))
    }

    /// The first open time, at `at` or later, of a day that has room for one more attempt.
    fn allowed(&self, began: &[Timestamp], zones: &[String], calling: &Calling, at: Timestamp) -> Option<Timestamp> {
        let zone = self.days_of(zones);
        let mut at = calling.next_open(zones, at)?;
        // Each turn leaves a day behind that holds an attempt at least, so there are no more turns than attempts.
        for _ in began {
            if !self.is_full(began, &zone, at) {
                break;
            }
            at = calling.next_open(zones, tomorrow(&zone, at))?;
        }
        Some(at)
    }

    fn is_full(&self, began: &[Timestamp], zone: &TimeZone, at: Timestamp) -> bool {
        let per_day = usize::try_from(self.per_day).unwrap_or(usize::MAX);
        if began.len() < per_day {
            return false;
        }
        let day = |instant: Timestamp| -> Date { zone.to_datetime(instant).date() };
        let today = day(at);
        began.iter().filter(|began| day(**began) == today).count() >= per_day
    }

    /// The zone whose days count for a lead: its first, else the machine's.
    fn days_of(&self, zones: &[String]) -> TimeZone {
        zones.iter().find_map(|name| zone_named(name)).unwrap_or_else(|| self.machine.clone())
    }

    /// The delay and up to a tenth more, always the same for one attempt of one lead.
    fn jittered(&self, delay: Duration, lead: u64, attempt: usize) -> Duration {
        let chance = scramble(scramble(self.seed ^ scramble(lead)) ^ attempt as u64);
        let tenth = delay.as_nanos() / 10;
        let more = tenth.saturating_mul(u128::from(chance)) >> 64;
        delay.saturating_add(Duration::from_nanos(u64::try_from(more).unwrap_or(0)))
    }

    /// The part of the plan that says what settles a lead, as text that can be read: where it is another, every lead
    /// is to be judged anew.
    pub fn fingerprint(&self) -> String {
        let mut text = format!("attempts={} per-day={}", self.attempts, self.per_day);
        for (class, delays) in &self.delays {
            let delays: Vec<String> =
                delays.iter().map(|delay| humantime::format_duration(*delay).to_string().replace(' ', "")).collect();
            let _ = write!(text, " {class}={}", delays.join(","));
        }
        text
    }
}

/// Midnight, or the first moment of the next day where a clock skips that.
fn tomorrow(zone: &TimeZone, now: Timestamp) -> Timestamp {
    let next = now.to_zoned(zone.clone()).tomorrow().and_then(|next| next.start_of_day());
    next.map_or(Timestamp::MAX, |next| next.timestamp())
}

/// Spreads the bits of a number over all of them (the finalizer of `SplitMix64`).
fn scramble(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
