//! The right to send one request: made by a journal once the attempt is on disk, used up by sending it.

use crate::campaign::event::Line;
use crate::leads::lead::Lead;
use crate::pool::attempt_id::AttemptId;

/// An attempt that is on disk, so may be placed, once. Only a journal makes one; it cannot be cloned.
#[derive(Debug)]
pub struct Claim {
    attempt: AttemptId,
    lead: Lead,
    line: Line,
}

impl Claim {
    /// For journals, after their commit.
    pub(super) fn granted(attempt: AttemptId, lead: Lead, line: Line) -> Self {
        Self { attempt, lead, line }
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
}
