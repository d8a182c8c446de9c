//! When anybody on a list may be called, as one line of time: for lists that are too long to be rehearsed whole.

use jiff::{SignedDuration, Timestamp};

use crate::campaign::plan::Plan;

/// How finely time is cut.
const STEP_S: i64 = 900;
/// Steps that are looked at: 400 days.
const STEPS: usize = 400 * 96;

/// Whether somebody may be called, step by step from the start.
pub(super) struct Calendar {
    open: Vec<bool>,
}

impl Calendar {
    pub(super) fn new(plan: &Plan, zones: &[Vec<String>], start: Timestamp) -> Self {
        let step = |nth: usize| {
            let ahead = SignedDuration::from_secs(STEP_S * i64::try_from(nth).unwrap_or(0));
            start.checked_add(ahead).is_ok_and(|at| is_anybody_open(plan, zones, at))
        };
        Self { open: (0..STEPS).map(step).collect() }
    }

    /// How long so many seconds of calling take, in seconds from the start; none where that is beyond the calendar.
    pub(super) fn takes(&self, calling_s: f64) -> Option<f64> {
        let mut left = calling_s;
        for (nth, _) in self.open.iter().enumerate().filter(|(_, open)| **open) {
            if left <= STEP {
                return Some(seconds(nth) + left);
            }
            left -= STEP;
        }
        None
    }

    /// The seconds of calling until then.
    pub(super) fn calling_until(&self, at_s: f64) -> f64 {
        let steps = self.open.iter().enumerate().filter(|(_, open)| **open);
        steps.map(|(nth, _)| (at_s - seconds(nth)).clamp(0.0, STEP)).sum()
    }

    /// When nobody may be called for the first time after the start.
    pub(super) fn closes(&self) -> Option<f64> {
        self.open.iter().position(|open| !open).map(seconds)
    }
}

#[expect(clippy::cast_precision_loss, reason = "900")]
const STEP: f64 = STEP_S as f64;

#[expect(clippy::cast_precision_loss, reason = "at most 400 days")]
fn seconds(nth: usize) -> f64 {
    nth as f64 * STEP
}

/// Whether somebody may be called then, with at least one slot.
pub(super) fn is_anybody_open(plan: &Plan, zones: &[Vec<String>], at: Timestamp) -> bool {
    let slots = plan.slots.unwrap_or(u32::MAX);
    plan.reserve.at(at).saturating_add(plan.caution) < slots
        && zones.iter().any(|zones| plan.calling.is_open(zones, at))
}

/// When somebody may be called for the first time.
pub(super) fn first_call(plan: &Plan, zones: &[Vec<String>], now: Timestamp) -> Option<Timestamp> {
    let opens = zones.iter().filter_map(|zones| plan.calling.next_open(zones, now)).min()?;
    if is_anybody_open(plan, zones, opens) {
        return Some(opens);
    }
    // The reserve keeps every slot then: its table changes at whole minutes.
    let minute = opens.as_second().div_euclid(60) * 60;
    let later = (1..=i64::try_from(STEPS).unwrap_or(0)).filter_map(|nth| {
        let at = Timestamp::from_second(minute + nth * 300).ok()?;
        is_anybody_open(plan, zones, at).then_some(at)
    });
    later.take(1).next()
}
