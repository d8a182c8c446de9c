//! Who calls in, and how many slots that asks for: `--reserve auto`.
//!
//! History says how many callers an hour are usual at each hour. Whether today is busier than usual is a factor, believed to
//! be gamma distributed with mean 1; callers are a Poisson stream, so after `n` of them where `e` were usual the factor
//! is `(w + n) / (w + e)`, `w` being the callers that history counts for. Both `n` and `e` fade by half in three hours, so
//! that a morning does not decide over an evening. The smallest reserve that keeps the share refused at the target then
//! follows from [`Saturated`].

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::plan::{Plan, Reserve};
use super::seen::SeenCall;
use crate::pool::calls::CallId;
use crate::pool::saturated::Saturated;
use crate::time::{Instant, Now, Stamp};

/// What is reserved at first where nothing is known of the callers.
const UNKNOWN: u32 = 3;
/// Mean lengths where nothing is known, in seconds: of an inbound call, and of a call of a mixed list with its ringing.
pub const USUAL_INBOUND_S: f64 = 180.0;
/// See [`USUAL_INBOUND_S`].
pub const USUAL_CALL_S: f64 = 60.0;
/// Callers that history counts for at most: days differ.
const WEIGHT: f64 = 20.0;
/// And calls that it counts for, for their length.
const WEIGHT_LENGTH: f64 = 50.0;
/// What a guess counts for.
const GUESS: f64 = 4.0;
/// What was seen counts half after so long.
const HALF: Duration = Duration::from_hours(3);
/// Calls that a mean length rests on at most, so that it follows a change.
const MOST_LENGTHS: f64 = 500.0;
/// Callers that are remembered, so that none is counted twice.
const MOST_COUNTED: usize = 20_000;
/// Where nothing is known, fewer than at first are reserved only after so long.
const WATCHED: Duration = Duration::from_hours(1);
/// How often the reserve is thought over.
const EVERY: Duration = Duration::from_mins(1);
/// So long before an hour with more callers its reserve holds: the campaign's calls have to end first.
const AHEAD: Duration = Duration::from_mins(5);
/// Fewer slots are reserved only where they would do for that many more callers, so that one more does not change it.
const CALM: f64 = 1.15;
/// A mean is worked with to so many parts, so that what was worked out holds again.
const PARTS: f64 = 50.0;

/// How the reserve is chosen.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AutoReserve {
    /// The share of inbound callers that may be refused.
    pub target: f64,
    /// What the past shows of them, if it does.
    pub history: Option<InboundHistory>,
}

/// What the past shows of inbound callers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct InboundHistory {
    /// Callers an hour: of each hour of the week from Monday on (168), of each hour of the day (24), or of any (1).
    pub per_hour: Vec<f64>,
    /// How long they stay, in seconds.
    pub mean_s: f64,
    /// How long a call of the campaign holds its slot, in seconds.
    pub call_s: f64,
    /// The callers that this rests on.
    pub callers: f64,
    /// Where it is from, for people.
    pub from: String,
}

impl InboundHistory {
    /// Callers an hour at that time.
    pub fn at(&self, wall: Timestamp, zone: &TimeZone) -> f64 {
        let zoned = wall.to_zoned(zone.clone());
        let hour = i32::from(zoned.weekday().to_monday_zero_offset()) * 24 + i32::from(zoned.hour());
        let hours = self.per_hour.len().max(1);
        self.per_hour.get(usize::try_from(hour).unwrap_or(0) % hours).copied().unwrap_or(0.0)
    }

    /// Callers an hour on the average.
    #[expect(clippy::cast_precision_loss, reason = "168 hours at most")]
    pub fn mean_per_hour(&self) -> f64 {
        self.per_hour.iter().sum::<f64>() / self.per_hour.len().max(1) as f64
    }

    fn pool(&self, slots: u32, per_hour: f64) -> Saturated {
        let (inbound_mean_s, call_mean_s) = (self.mean_s, self.call_s);
        Saturated { slots, reserve: 0, inbound_per_hour: per_hour, inbound_mean_s, call_mean_s }
    }

    /// The reserve of each hour of a day, from its changes; the first holds from midnight.
    pub fn timetable(&self, day: Date, zone: &TimeZone, slots: u32, margin: u32, target: f64) -> Reserve {
        let mut table: Vec<(u16, u32)> = Vec::new();
        for hour in 0..24 {
            let Ok(begins) = day.at(hour, 0, 0, 0).to_zoned(zone.clone()) else { continue };
            let asked = self.pool(slots, self.at(begins.timestamp(), zone)).smallest_reserve(target);
            let slots = within(asked, slots, margin);
            if table.last().is_none_or(|(_, last)| *last != slots) {
                table.push((u16::try_from(hour).unwrap_or(0) * 60, slots));
            }
        }
        Reserve { table, zone: zone.clone(), auto: None }
    }

    /// Where nothing is known: as many callers as three slots are right for.
    fn guessed(slots: u32, margin: u32, target: f64) -> Self {
        let usual = Self {
            per_hour: Vec::new(),
            mean_s: USUAL_INBOUND_S,
            call_s: USUAL_CALL_S,
            callers: 0.0,
            from: String::new(),
        };
        let reserve = within(Some(UNKNOWN), slots, margin);
        let bears = |reserve: u32| {
            let (mut low, mut high) = (0.0, f64::from(slots) * 3600.0 / usual.mean_s);
            for _ in 0..20 {
                let middle = f64::midpoint(low, high);
                let pool = Saturated { reserve, ..usual.pool(slots, middle) };
                *(if pool.outcome().refused <= target { &mut low } else { &mut high }) = middle;
            }
            low
        };
        Self { per_hour: vec![f64::midpoint(bears(reserve - 1), bears(reserve))], ..usual }
    }
}

/// What a run of that plan reserves at first, of so many slots.
pub fn first_reserve(plan: &Plan, slots: u32, wall: Timestamp) -> u32 {
    let Some(auto) = &plan.reserve.auto else { return plan.reserve.at(wall) };
    let now = Now { at: Instant::from(wall), wall };
    Callers::new(auto, &plan.reserve.zone, plan.caution, slots, now).reserve
}

/// At least one slot is left to callers, and one to the campaign.
fn within(reserve: Option<u32>, slots: u32, margin: u32) -> u32 {
    let most = slots.saturating_sub(margin.saturating_add(1)).max(1);
    reserve.unwrap_or(most).clamp(1, most)
}

/// A mean, and the values that it rests on.
#[derive(Clone, Copy, Debug)]
struct Mean {
    value: f64,
    of: f64,
}

impl Mean {
    fn learn(&mut self, length: Duration) {
        self.of = (self.of + 1.0).min(MOST_LENGTHS);
        self.value += (length.as_secs_f64() - self.value) / self.of;
    }
}

/// What a run has seen of its callers, and the reserve that follows.
#[derive(Debug)]
pub(super) struct Callers {
    target: f64,
    zone: TimeZone,
    history: InboundHistory,
    is_known: bool,
    margin: u32,
    /// Callers that history counts for.
    weight: f64,
    /// Callers that came, and that were usual, each counting less the longer ago it is.
    seen: f64,
    usual: f64,
    /// Up to when they were looked at.
    as_of: Instant,
    /// Callers that came before are not counted.
    since: Stamp,
    /// Those that were counted, and whether they are over.
    counted: BTreeMap<(Stamp, CallId), bool>,
    stay: Mean,
    ours: Mean,
    reserve: u32,
    limit: u32,
    began: Instant,
    due: Instant,
    worked_out: BTreeMap<(u32, [i64; 3]), u32>,
}

/// A reserve that was chosen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Chosen {
    pub(super) was: u32,
    pub(super) reserve: u32,
    pub(super) per_hour: f64,
}

impl Callers {
    pub(super) fn new(auto: &AutoReserve, zone: &TimeZone, margin: u32, limit: u32, now: Now) -> Self {
        let is_known = auto.history.is_some();
        let history = auto.history.clone().unwrap_or_else(|| InboundHistory::guessed(limit, margin, auto.target));
        let length =
            |value| Mean { value, of: if is_known { history.callers.clamp(1.0, WEIGHT_LENGTH) } else { GUESS } };
        let mut callers = Self {
            target: auto.target,
            zone: zone.clone(),
            is_known,
            margin,
            weight: if is_known { history.callers.clamp(1.0, WEIGHT) } else { GUESS },
            seen: 0.0,
            usual: 0.0,
            as_of: now.at,
            since: Stamp::from_micros(now.at.as_micros()),
            counted: BTreeMap::new(),
            stay: length(history.mean_s),
            ours: length(history.call_s),
            history,
            reserve: within(Some(UNKNOWN), limit, margin),
            limit,
            began: now.at,
            due: now.at + EVERY,
            worked_out: BTreeMap::new(),
        };
        if is_known {
            callers.reserve = callers.needed(callers.per_hour(now.wall), limit);
        }
        callers
    }

    /// The reserve as it is.
    pub(super) fn reserve(&self) -> u32 {
        self.reserve
    }

    /// Where what is known at the start is from; none where nothing is known.
    pub(super) fn known_from(&self) -> Option<&str> {
        self.is_known.then_some(self.history.from.as_str())
    }

    /// The reserves of a day, where they are known at the start.
    pub(super) fn timetable(&self, now: Now) -> Option<Reserve> {
        let today = now.wall.to_zoned(self.zone.clone()).date();
        self.is_known.then(|| self.history.timetable(today, &self.zone, self.limit, self.margin, self.target))
    }

    /// The listing was read: it shows who has called in up to then.
    pub(super) fn looked(&mut self, at: Instant, wall: Timestamp) {
        let gone = at.since(self.as_of).as_secs_f64() / HALF.as_secs_f64();
        let fades = 0.5_f64.powf(gone);
        // What an hour's usual callers come to while they fade.
        let hours = HALF.as_secs_f64() / 3600.0 / std::f64::consts::LN_2 * (1.0 - fades);
        self.seen *= fades;
        self.usual = self.usual * fades + self.history.at(wall, &self.zone) * hours;
        self.as_of = self.as_of.max(at);
    }

    /// A row of a listing. `refused`: it ended since the pool was full.
    pub(super) fn saw(&mut self, call: &SeenCall, refused: bool) {
        if call.outbound || call.created < self.since {
            return;
        }
        let over = call.end();
        let key = (call.created, call.id.clone());
        let is_new = !self.counted.contains_key(&key);
        let was_over = self.counted.insert(key, over.is_some()).unwrap_or(false);
        if is_new {
            self.seen += 1.0;
        }
        if let Some(end) = over.filter(|_| !was_over && !refused) {
            self.stay.learn(end.since(call.created));
        }
        while self.counted.len() > MOST_COUNTED
            && let Some(((created, _), _)) = self.counted.pop_first()
        {
            self.since = created + Duration::from_micros(1);
        }
    }

    /// A call of the campaign is over that held its slot for so long.
    pub(super) fn call_lasted(&mut self, length: Duration) {
        self.ours.learn(length);
    }

    /// Thinks the reserve over, once a minute and where the limit is another. Says what changed.
    pub(super) fn choose(&mut self, now: Now, limit: u32) -> Option<Chosen> {
        if now.at < self.due && limit == self.limit {
            return None;
        }
        (self.due, self.limit) = (now.at + EVERY, limit);
        let per_hour = self.per_hour(now.wall);
        let (needed, calmly) = (self.needed(per_hour, limit), self.needed(per_hour * CALM, limit));
        let was = self.reserve;
        let is_new = !self.is_known && now.at < self.began + WATCHED;
        let least = if is_new { UNKNOWN } else { 1 };
        self.reserve = within(Some(was.min(calmly).max(needed).max(least)), limit, self.margin);
        (self.reserve != was).then_some(Chosen { was, reserve: self.reserve, per_hour })
    }

    /// Callers an hour that are to be expected now, or soon, if those are more.
    fn per_hour(&self, wall: Timestamp) -> f64 {
        let soon = wall.checked_add(AHEAD).unwrap_or(wall);
        let usual = self.history.at(wall, &self.zone).max(self.history.at(soon, &self.zone));
        usual * (self.weight + self.seen) / (self.weight + self.usual)
    }

    fn needed(&mut self, per_hour: f64, limit: u32) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "a logarithm times 50")]
        let part = |value: f64| (value.max(1e-3).ln() * PARTS).round() as i64;
        #[expect(clippy::cast_precision_loss, reason = "a logarithm times 50")]
        let whole = |part: i64| (part as f64 / PARTS).exp();
        let parts = [per_hour, self.stay.value.max(1.0), self.ours.value.max(1.0)].map(part);
        let (target, margin) = (self.target, self.margin);
        if self.worked_out.len() > MOST_COUNTED {
            self.worked_out.clear();
        }
        *self.worked_out.entry((limit, parts)).or_insert_with(|| {
            let [inbound_per_hour, inbound_mean_s, call_mean_s] = parts.map(whole);
            let pool = Saturated { slots: limit, reserve: 0, inbound_per_hour, inbound_mean_s, call_mean_s };
            within(pool.smallest_reserve(target), limit, margin)
        })
    }
}

#[cfg(test)]
mod tests;
