//! The right to send one request: made by a journal once the attempt is on disk, used up by sending it.

use crate::campaign::event::Line;
use crate::leads::lead::Lead;
use crate::pool::attempt_id::AttemptId;
use crate::time::Instant;

/// An attempt that is on disk, so may be placed, once. Only a journal makes one; it cannot be cloned.
#[derive(Debug)]
pub struct Claim {
    attempt: AttemptId,
    lead: Lead,
    line: Line,
    claimed: Instant,
    until: Instant,
}

impl Claim {
    /// For journals, after their commit.
    pub(super) fn granted(attempt: AttemptId, lead: Lead, line: Line, claimed: Instant, until: Instant) -> Self {
        assert!(claimed <= until, "a claim that is over before it is made");
        Self { attempt, lead, line, claimed, until }
    }

    /// The same, that may not be sent later than this either.
    pub(super) fn at_most(self, until: Instant) -> Self {
        Self { until: self.until.min(until), ..self }
    }

    /// The attempt's id.
    pub fn attempt(&self) -> &AttemptId {
        &self.attempt
    }

    /// Who is to be called.
    pub fn lead(&self) -> &Lead {
        &self.lead
    }

    /// The line that it is to be called from.
    pub fn line(&self) -> Line {
        self.line
    }

    /// Whether its request may still leave now, where what was decided before `stale_before` is old: after its deadline
    /// another run may prove it absent and call its lead.
    pub fn may_go(&self, now: Instant, stale_before: Instant) -> bool {
        now <= self.until && self.claimed >= stale_before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leads::lead::Phone;
    use crate::pool::attempt_id::Mark;

    #[test]
    fn a_claim_may_be_sent_until_its_deadline_and_not_after_a_gap() {
        let at = |seconds: i64| Instant::from_micros(seconds * 1_000_000);
        let lead = Lead::of(Phone::from_e164("+14155550100").unwrap());
        let id = AttemptId::mint(&Mark::of("leads"), 1);
        let claim = Claim::granted(id, lead, Line(0), at(10), at(15));
        assert!(claim.may_go(at(15), at(10)));
        assert!(!claim.may_go(at(16), at(0)), "another run may have proven it absent by then");
        assert!(!claim.may_go(at(12), at(11)), "the process stood still since it was made");
    }
}
