//! What the campaign has cost, and what the next call is likely to.

use std::collections::VecDeque;
use std::time::Duration;

use crate::campaign::seen::SeenCall;
use crate::pool::calls::CallId;
use crate::pool::name::ById;
use crate::time::Instant;

/// How long after its end a talk that has cost nothing yet is taken to be still reckoned up.
const RECKONED: Duration = Duration::from_mins(1);

/// Calls whose figure may still change: a cost is settled soon after the end, and older ones are only added up.
const OPEN: usize = 1_000;

/// What a call is taken to cost that costs anything, in US dollars, and the calls that this counts for beside the
/// campaign's own.
const LIKELY: f64 = 0.10;
const LIKELY_COUNTS: f64 = 5.0;
/// How many times as much a call costs that is up: it is likelier to be a talk, and a long one.
const OUTLIVED: f64 = 3.0;

/// What the campaign has cost over all its runs, in US dollars. The provider settles a cost after the call has ended,
/// so the newest figure of each call counts.
#[derive(Debug)]
pub(super) struct Money {
    before: f64,
    ended_before: u64,
    calls: ById<CallId, f64>,
    /// The calls, in the order in which they were first heard of.
    order: VecDeque<CallId>,
    sum: f64,
    /// Calls of this run that cost something, and what.
    paid: u32,
    paid_usd: f64,
    /// Talks that are over and have cost nothing yet, and since when that is known.
    unsettled: ById<CallId, Instant>,
}

impl Money {
    pub(super) fn new(before: f64, ended_before: u64) -> Self {
        Self {
            before,
            ended_before,
            calls: ById::default(),
            order: VecDeque::new(),
            sum: 0.0,
            paid: 0,
            paid_usd: 0.0,
            unsettled: ById::default(),
        }
    }

    /// The newest figure for one of our calls that is over. A call that is up says that it costs nothing.
    pub(super) fn hear(&mut self, call: &SeenCall, at: Instant) {
        if call.end().is_none() {
            return;
        }
        let cost = call.cost.filter(|cost| cost.is_finite() && *cost >= 0.0);
        if call.started.is_some() && cost.unwrap_or(0.0) <= 0.0 && !self.knows(&call.id) {
            self.unsettled.insert(call.id.clone(), at);
        }
        if let Some(cost) = cost {
            let before = self.calls.insert(call.id.clone(), cost);
            let was = before.unwrap_or(0.0);
            self.sum += cost - was;
            self.paid_usd += cost - was;
            self.paid = (self.paid + u32::from(cost > 0.0)).saturating_sub(u32::from(was > 0.0));
            if before.is_none() {
                self.order.push_back(call.id.clone());
                self.close_oldest();
            }
            if cost > 0.0 {
                self.unsettled.remove(&call.id);
            }
        }
    }

    /// Adds up for good what is beyond those that may still change.
    fn close_oldest(&mut self) {
        while self.order.len() > OPEN {
            let Some(cost) = self.order.pop_front().and_then(|oldest| self.calls.remove(&oldest)) else { continue };
            self.before += cost;
            self.sum -= cost;
            self.ended_before += 1;
        }
    }

    /// All that it has cost.
    pub(super) fn spent(&self) -> f64 {
        self.before + self.sum
    }

    /// How many talks are over whose cost is not known yet, and when the oldest of them is given up on.
    pub(super) fn unsettled(&mut self, now: Instant) -> (usize, Option<Instant>) {
        self.unsettled.retain(|_, since| now < *since + RECKONED);
        (self.unsettled.len(), self.unsettled.values().min().map(|since| *since + RECKONED))
    }

    /// Whether it is one of those heard of.
    pub(super) fn knows(&self, call: &CallId) -> bool {
        self.calls.contains_key(call) || self.unsettled.contains_key(call)
    }

    /// How many more calls it can bear without going beyond that, with so many up whose cost is not known yet.
    pub(super) fn fits(&self, most: f64, up: usize) -> usize {
        #[expect(clippy::cast_precision_loss, reason = "a mean of costs needs no more than 52 bits")]
        let calls = self.ended_before as f64 + self.calls.len().saturating_sub(self.unsettled.len()) as f64;
        let spent = self.spent();
        // What a call costs that costs anything. Those that are up have outlived the others, which nobody answered.
        let paid = (self.paid_usd + LIKELY * LIKELY_COUNTS) / (f64::from(self.paid) + LIKELY_COUNTS);
        let likely = if calls > 0.0 { paid.max(spent / calls) } else { paid };
        #[expect(clippy::cast_precision_loss, reason = "a number of calls")]
        let left = most - spent - up as f64 * likely * OUTLIVED;
        // A sum of cents in floating point may be a hair above what it stands for.
        let more = (left / likely + 1e-6).floor();
        // One call that nobody knows the price of tells it: else a small sum would never buy any.
        let first = usize::from(up == 0 && spent <= 0.0 && most > 0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        (more.max(0.0) as usize).max(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::seen::Status;
    use crate::time::Stamp;

    fn over(id: &str, cost: Option<f64>) -> SeenCall {
        let at = Stamp::from_micros(1);
        SeenCall {
            id: CallId::new(id),
            org: None,
            status: Status::Ended,
            created: at,
            updated: at,
            started: Some(at),
            ended: Some(at),
            reason: None,
            attempt: None,
            phone: None,
            cost,
            spoke: true,
            opt_out: false,
            unmarked: false,
            bare: false,
            analysed: false,
            analysis: None,
            outbound: true,
        }
    }

    #[test]
    fn the_newest_figure_counts_once() {
        let mut money = Money::new(1.0, 10);
        let at = Instant::from_micros(0);
        money.hear(&SeenCall { status: Status::InProgress, ended: None, ..over("b", Some(7.0)) }, at);
        for cost in [Some(0.0), None, Some(0.3), Some(0.2), Some(f64::NAN), Some(-1.0)] {
            money.hear(&over("a", cost), at);
        }
        assert!((money.before + money.sum - 1.2).abs() < 1e-9);
        assert_eq!((money.fits(1.4, 0), money.fits(1.4, 1), money.fits(1.0, 0)), (1, 0, 0));
        // About 12 cents a call, as one cost 20 and five are taken to cost 10.
        assert_eq!((money.fits(2.4, 0), money.fits(2.4, 1), money.fits(f64::MAX, 4)), (10, 7, usize::MAX));
    }

    #[test]
    fn calls_that_nobody_answered_do_not_make_the_others_look_cheap() {
        let mut money = Money::new(0.0, 0);
        let at = Instant::from_micros(0);
        let unanswered = |nth: u32| SeenCall { started: None, ..over(&format!("call-{nth}"), Some(0.0)) };
        (0..20).for_each(|nth| money.hear(&unanswered(nth), at));
        assert_eq!(money.fits(1.0, 2), 4, "ten cents each, and thirty for those that are up");
    }

    #[test]
    fn it_does_not_grow_with_the_calls_of_a_run() {
        let mut money = Money::new(0.0, 0);
        let at = Instant::from_micros(0);
        for call in 0..3 * OPEN {
            money.hear(&over(&format!("call-{call}"), Some(0.5)), at);
        }
        assert_eq!((money.calls.len(), money.order.len()), (OPEN, OPEN));
        assert!((money.before + money.sum - 1_500.0).abs() < 1e-6);
        assert_eq!(money.fits(1_600.0, 0), 200, "half a dollar a call");
    }

    #[test]
    fn a_talk_that_has_cost_nothing_yet_is_waited_for_but_not_for_ever() {
        let mut money = Money::new(1.0, 10);
        let at = Instant::from_micros(0);
        money.hear(&over("a", Some(0.0)), at);
        money.hear(&over("b", None), at + RECKONED / 2);
        assert_eq!(money.unsettled(at), (2, Some(at + RECKONED)));
        assert_eq!(money.fits(2.0, 2), 4, "it does not make the others look cheaper");
        money.hear(&over("b", Some(0.1)), at + RECKONED / 2);
        assert_eq!(money.unsettled(at), (1, Some(at + RECKONED)));
        assert_eq!(money.unsettled(at + RECKONED), (0, None));
    }
}
