//! What the campaign has cost, and what the next call is likely to.

use std::collections::HashMap;

use crate::pool::calls::CallId;

/// What a call is taken to cost until one of the campaign's own has ended, in US dollars.
const LIKELY: f64 = 0.10;

/// What the campaign has cost over all its runs, in US dollars. The provider settles a cost after the call has ended,
/// so the newest figure of each call counts.
#[derive(Debug)]
pub(super) struct Money {
    before: f64,
    ended_before: u64,
    calls: HashMap<CallId, f64>,
    sum: f64,
}

impl Money {
    pub(super) fn new(before: f64, ended_before: u64) -> Self {
        Self { before, ended_before, calls: HashMap::new(), sum: 0.0 }
    }

    /// The newest figure for one of our calls.
    pub(super) fn hear(&mut self, call: &CallId, cost: f64) {
        if cost.is_finite() && cost >= 0.0 {
            let before = self.calls.insert(call.clone(), cost).unwrap_or(0.0);
            self.sum += cost - before;
        }
    }

    /// Whether it is one of those heard of.
    pub(super) fn knows(&self, call: &CallId) -> bool {
        self.calls.contains_key(call)
    }

    /// Whether one more call may take it beyond that, with so many up whose cost is not known yet.
    pub(super) fn would_pass(&self, most: f64, up: usize) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a mean of costs needs no more than 52 bits")]
        let (up, calls) = (up as f64, self.ended_before as f64 + self.calls.len() as f64);
        let spent = self.before + self.sum;
        let likely = if calls > 0.0 && spent > 0.0 { spent / calls } else { LIKELY };
        spent + likely * (up + 1.0) > most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_figure_counts_once() {
        let mut money = Money::new(1.0, 10);
        let call = CallId::new("a");
        for cost in [0.0, 0.3, 0.2, f64::NAN, -1.0] {
            money.hear(&call, cost);
        }
        assert!((money.before + money.sum - 1.2).abs() < 1e-9);
        assert!(!money.would_pass(1.4, 0));
        assert!(money.would_pass(1.4, 1));
    }
}
