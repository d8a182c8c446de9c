//! How a campaign will go: the campaign itself, rehearsed against a pretended provider, many times over.
//!
//! Each rehearsal has a seed of its own, and a world of its own drawn from what is believed ([`belief`]), so the spread
//! of a forecast comes from chance and from not knowing exactly. A list that is too long is rehearsed with its first
//! leads, and their pace is laid on the calendar (`calendar.rs`) where those few do not last.

pub mod belief;
mod calendar;
mod rehearsal;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use self::belief::Beliefs;
use self::calendar::{Calendar, first_call};
use self::rehearsal::{HORIZON, Rehearsal, Script, Span};
use crate::campaign::notice::StopReason;
use crate::campaign::plan::Plan;
use crate::journal::Error;
use crate::leads::lead::Lead;
use crate::time::Stamp;

/// Calls that are rehearsed at most, over all rehearsals: some seconds of work.
const WORK: u64 = 300_000;
/// And leads of one rehearsal.
const SAMPLE: u64 = 20_000;
/// A rehearsal that ends so many seconds before the hours do is ended by them.
const NEARLY: f64 = 1_800.0;
/// Rehearsals that tell of their slots over time.
const DRAWN: u32 = 50;
/// Points of the pool over time.
const POINTS: usize = 96;

/// What is to be foreseen.
pub struct Question<'a> {
    /// The plan of the run.
    pub plan: &'a Plan,
    /// Whom it calls; of a long list the first [`sample`].
    pub leads: &'a [Lead],
    /// How many there are.
    pub total: u64,
    /// The different sets of zones of all of them.
    pub zones: Vec<Vec<String>>,
    /// Slots of the pool.
    pub slots: u32,
    /// When the run is started.
    pub now: Timestamp,
    /// Rehearsals.
    pub runs: u32,
    /// What is assumed.
    pub beliefs: &'a Beliefs,
    /// What the campaign has cost before.
    pub spent_usd: f64,
}

/// Three values that 10, 50 and 90 of 100 rehearsals stay below.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Quantiles {
    /// 10 of 100.
    pub p10: f64,
    /// 50 of 100.
    pub p50: f64,
    /// 90 of 100.
    pub p90: f64,
}

/// The pool at one time, on the average over rehearsals.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct PoolPoint {
    /// The campaign's calls.
    pub ours: f64,
    /// Other calls.
    pub others: f64,
}

/// How it will go.
#[derive(Clone, PartialEq, Debug)]
pub struct Forecast {
    /// Rehearsals.
    pub runs: u32,
    /// When the first lead may be called: now, or when hours open.
    pub starts: Timestamp,
    /// How long the run takes from now, in seconds.
    pub seconds: Quantiles,
    /// Why it ends, in most rehearsals; none where it goes on for longer than is looked at.
    pub why: Option<StopReason>,
    /// How long the list takes where the run is begun again whenever there is more to do, in seconds from now; none
    /// where that cannot be told.
    pub list_seconds: Option<Quantiles>,
    /// Calls.
    pub calls: f64,
    /// Calls an hour while it calls.
    pub calls_per_hour: f64,
    /// Minutes.
    pub minutes: f64,
    /// Cost, in US dollars.
    pub cost_usd: Quantiles,
    /// Leads that are not settled when the run ends.
    pub open_at_end: f64,
    /// The share of inbound callers that are refused with the campaign, and without it.
    pub inbound_refused: [f64; 2],
    /// How long a call holds its slot on the average, in seconds.
    pub call_s: f64,
    /// The share of calls that a person answers.
    pub answered: f64,
    /// The pool over time, from the start of the calls to [`Self::shown_s`] later.
    pub pool: Vec<PoolPoint>,
    /// How long that is, in seconds.
    pub shown_s: f64,
    /// Leads rehearsed, if those were not all.
    pub sample: Option<u64>,
}

/// Why a plan cannot work.
#[derive(Clone, PartialEq, Debug)]
pub enum Impossible {
    /// Nobody may be called before `--until`: when the first may.
    Until(Timestamp),
    /// The reserve keeps every slot whenever somebody may be called: when that is for the first time.
    Reserve(Timestamp),
    /// `--max-cost` has been spent.
    Spent,
    /// Hours and days never let anybody be called.
    Hours,
}

/// Leads that are rehearsed of a list, when it is rehearsed so often and each lead is called so often at most.
pub fn sample(runs: u32, attempts: u32) -> u64 {
    (WORK / u64::from(runs.max(1)) / u64::from(attempts.clamp(1, 4))).clamp(50, SAMPLE)
}

impl Question<'_> {
    /// Rehearses it on every core; or says why it cannot work.
    pub fn foresee(&self) -> Result<Result<Forecast, Impossible>, Error> {
        self.foresee_on(std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The same on so many cores.
    pub fn foresee_on(&self, cores: usize) -> Result<Result<Forecast, Impossible>, Error> {
        let plan = self.plan();
        let starts = match self.starts(&plan) {
            Ok(starts) => starts,
            Err(why) => return Ok(Err(why)),
        };
        let rehearsals = self.rehearse(&plan, starts, cores)?;
        let is_whole = self.total <= self.leads.len() as u64;
        let calendar = (!is_whole).then(|| Calendar::new(&plan, &self.zones, starts));
        let rehearsals = match &calendar {
            Some(calendar) => rehearsals.iter().map(|it| self.whole(&plan, calendar, it, starts)).collect(),
            None => rehearsals,
        };
        Ok(Ok(self.sum_up(&rehearsals, starts)))
    }

    /// The plan as a rehearsal has it: of the cost only what is left, in the world's own prices.
    fn plan(&self) -> Plan {
        let left = |most: f64| (most - self.spent_usd) / self.price();
        Plan { slots: Some(self.slots), max_cost: self.plan.max_cost.map(left), ..self.plan.clone() }
    }

    /// What a minute costs, as a multiple of the pretended provider's price.
    fn price(&self) -> f64 {
        self.beliefs.usd_minute.map_or(1.0, |usd| usd / super::world::call::USD_MINUTE)
    }

    fn starts(&self, plan: &Plan) -> Result<Timestamp, Impossible> {
        if plan.max_cost.is_some_and(|left| left <= 0.0) {
            return Err(Impossible::Spent);
        }
        let unreserved = Plan { slots: None, ..plan.clone() };
        let opens = first_call(&unreserved, &self.zones, self.now).ok_or(Impossible::Hours)?;
        if plan.until.is_some_and(|until| until <= opens) {
            return Err(Impossible::Until(opens));
        }
        let starts =
            first_call(plan, &self.zones, self.now).filter(|starts| plan.until.is_none_or(|end| *starts < end));
        starts.ok_or(Impossible::Reserve(opens))
    }

    /// All rehearsals.
    fn rehearse(&self, plan: &Plan, starts: Timestamp, cores: usize) -> Result<Vec<Rehearsal>, Error> {
        let to_the_end = !plan.wait && self.total <= self.leads.len() as u64;
        let script = Script { plan, leads: self.leads, start: Stamp::from(starts), to_the_end, spans: false };
        let (next, done) = (AtomicU32::new(0), Mutex::new(Vec::new()));
        let work = || -> Result<(), Error> {
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if nth >= self.runs {
                    return Ok(());
                }
                let seed = plan.seed.wrapping_add(u64::from(nth));
                let script = Script { spans: nth < DRAWN, ..script };
                let rehearsal = script.rehearse(&self.beliefs.draw(self.slots, seed), seed)?;
                done.lock().expect("no rehearsal panics").push((nth, rehearsal));
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("no rehearsal panics"))
        })?;
        let mut done = done.into_inner().expect("no rehearsal panics");
        done.sort_by_key(|(nth, _)| *nth);
        Ok(done.into_iter().map(|(_, rehearsal)| rehearsal).collect())
    }

    /// What a rehearsal with the first leads tells of the whole list. Where they did not last until the run ended, it
    /// would have ended in the same way; else its pace goes on for as long as it takes, whenever somebody may be called.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    fn whole(&self, plan: &Plan, calendar: &Calendar, seen: &Rehearsal, starts: Timestamp) -> Rehearsal {
        let (rehearsed, total) = (self.leads.len() as u64, self.total);
        let touched = (rehearsed - seen.untouched).max(1) as f64;
        let calls = seen.calls as f64 / touched * total as f64;
        let takes = |calls: f64| if seen.pace > 0.0 { calendar.takes(calls / seen.pace) } else { None };
        let list_seconds = takes(calls);
        let early = match seen.why {
            Some(StopReason::Limit | StopReason::Cost | StopReason::Until | StopReason::Kept) => true,
            // Before that, of the first leads nobody was left who may be called: of the whole list somebody is.
            Some(StopReason::Later) => calendar.closes().is_some_and(|at| at <= seen.seconds + NEARLY),
            _ => false,
        };
        if early && seen.untouched > 0 {
            return Rehearsal { open: seen.open + (total - rehearsed), list_seconds, ..seen.clone() };
        }
        let per_call = |sum: f64| sum / (seen.calls.max(1)) as f64;
        let limit = plan.limit.map_or(f64::MAX, |limit| limit as f64);
        let affordable = plan.max_cost.map_or(f64::MAX, |most| most / per_call(seen.cost_usd).max(1e-9));
        let ends = [
            (list_seconds, StopReason::Complete),
            (takes(limit), StopReason::Limit),
            (takes(affordable), StopReason::Cost),
            (plan.until.map(|until| until.duration_since(starts).as_secs_f64()), StopReason::Until),
            (calendar.closes().filter(|_| !plan.wait), StopReason::Later),
        ];
        let ends = ends.into_iter().filter_map(|(at, why)| Some((at?, why)));
        let end = ends.min_by(|(one, _), (other, _)| one.total_cmp(other));
        let (seconds, why) = end.map_or((HORIZON.as_secs_f64(), None), |(at, why)| (at, Some(why)));
        let made = (seen.pace * calendar.calling_until(seconds)).min(calls);
        let times = made / (seen.calls.max(1)) as f64;
        Rehearsal {
            seconds,
            why,
            list_seconds,
            calls: made.round() as u64,
            minutes: seen.minutes * times,
            cost_usd: seen.cost_usd * times,
            open: (total as f64 * (1.0 - made / calls.max(1.0))).round() as u64,
            ..seen.clone()
        }
    }

    fn sum_up(&self, rehearsals: &[Rehearsal], starts: Timestamp) -> Forecast {
        let waits = starts.duration_since(self.now).as_secs_f64().max(0.0);
        let price = self.price();
        let of = |value: &dyn Fn(&Rehearsal) -> f64| quantiles(rehearsals.iter().map(value).collect());
        let sum = |value: &dyn Fn(&Rehearsal) -> f64| rehearsals.iter().map(value).sum::<f64>();
        let seconds = of(&|it| it.seconds);
        let list: Vec<f64> = rehearsals.iter().filter_map(|it| it.list_seconds).collect();
        let whole = list.len() == rehearsals.len();
        let callers = sum(&|it| counted(it.callers)).max(1.0);
        let calls = sum(&|it| counted(it.calls)).max(1.0);
        // The pool is shown for as long as it was rehearsed.
        let longest = rehearsals.iter().flat_map(|it| &it.spans).map(|span| span.to).fold(60.0, f64::max);
        let shown_s = seconds.p90.min(longest).max(60.0);
        Forecast {
            runs: u32::try_from(rehearsals.len()).unwrap_or(u32::MAX),
            starts,
            seconds: seconds.plus(waits),
            why: usual(rehearsals),
            list_seconds: whole.then(|| quantiles(list).plus(waits)),
            calls: of(&|it| counted(it.calls)).p50,
            calls_per_hour: of(&|it| it.pace * 3600.0).p50,
            minutes: of(&|it| it.minutes).p50,
            cost_usd: of(&|it| it.cost_usd * price),
            open_at_end: of(&|it| counted(it.open)).p50,
            inbound_refused: [sum(&|it| counted(it.refused)), sum(&|it| counted(it.refused_without))]
                .map(|refused| refused / callers),
            call_s: of(&|it| it.call_s).p50,
            answered: sum(&|it| counted(it.answered)) / calls,
            pool: pool(rehearsals, shown_s),
            shown_s,
            sample: (self.total > self.leads.len() as u64).then_some(self.leads.len() as u64),
        }
    }
}

impl Quantiles {
    fn plus(self, more: f64) -> Self {
        Self { p10: self.p10 + more, p50: self.p50 + more, p90: self.p90 + more }
    }

    /// The three, in order.
    pub const fn all(self) -> [f64; 3] {
        [self.p10, self.p50, self.p90]
    }

    /// As lengths of time, of seconds.
    pub fn spans(self) -> [Duration; 3] {
        self.all().map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(HORIZON))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of calls")]
fn counted(number: u64) -> f64 {
    number as f64
}

/// Between two values that are nearest, in proportion.
fn quantiles(mut values: Vec<f64>) -> Quantiles {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let last = values.len().saturating_sub(1);
        #[expect(clippy::cast_precision_loss, reason = "a number of rehearsals")]
        let place = share * last as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not below 0")]
        let (low, part) = (place.floor() as usize, place.fract());
        values[low] + (values[(low + 1).min(last)] - values[low]) * part
    };
    Quantiles { p10: at(0.1), p50: at(0.5), p90: at(0.9) }
}

/// Why most of them ended.
fn usual(rehearsals: &[Rehearsal]) -> Option<StopReason> {
    let as_often = |why: &Option<StopReason>| rehearsals.iter().filter(|it| it.why == *why).count();
    rehearsals.iter().map(|it| &it.why).max_by_key(|why| as_often(why)).cloned().flatten()
}

/// The pool over time, on the average. Other calls are only known while a rehearsal went on.
#[expect(clippy::cast_precision_loss, reason = "a few dozen points")]
fn pool(rehearsals: &[Rehearsal], shown_s: f64) -> Vec<PoolPoint> {
    let drawn: Vec<&Rehearsal> = rehearsals.iter().filter(|it| !it.spans.is_empty()).collect();
    let wide = shown_s / POINTS as f64;
    let overlap = |span: &Span, nth: usize| {
        let from = nth as f64 * wide;
        (span.to.min(from + wide) - span.from.max(from)).max(0.0) / wide
    };
    let mut points = vec![PoolPoint::default(); POINTS];
    for span in drawn.iter().flat_map(|it| &it.spans).filter(|span| span.from < shown_s) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places from 0")]
        let (first, last) = ((span.from / wide) as usize, (span.to / wide) as usize);
        for (nth, point) in points.iter_mut().enumerate().take(last + 1).skip(first) {
            *(if span.ours { &mut point.ours } else { &mut point.others }) += overlap(span, nth);
        }
    }
    for (nth, point) in points.iter_mut().enumerate() {
        let went_on = drawn.iter().filter(|it| it.seconds > nth as f64 * wide).count();
        point.ours /= drawn.len().max(1) as f64;
        point.others /= went_on.max(1) as f64;
    }
    points
}
