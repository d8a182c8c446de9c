//! A line that calls cannot be placed from, for a while or for good.

use std::time::Duration;

use super::Campaign;
use super::active::ActiveAttempt;
use super::lines::Left;
use super::notice::{Notice, StopReason};
use crate::pool::attempt_id::AttemptId;
use crate::time::Now;

impl Campaign {
    pub(super) fn drop_line(&mut self, attempt: &AttemptId, message: &str, wait: Option<Duration>, now: Now) {
        if let Some(live) = self.live.get(attempt) {
            let lead = live.lead.as_ref().map(|lead| &lead.lead);
            let id = self.lines.id(live.line, lead).cloned();
            if let Some(id) = id {
                self.line_is_down(&id, message, wait, now);
            }
        }
    }

    /// A line cannot be called from, for that long or for good.
    pub(super) fn line_is_down(&mut self, id: &str, message: &str, wait: Option<Duration>, now: Now) {
        match self.lines.refused(id, now.at, wait) {
            Left::Dropped => self.tell(Notice::LineDropped(id.to_owned(), message.to_owned())),
            Left::Rests => self.tell(Notice::LineRests(id.to_owned(), message.to_owned())),
            Left::Already => {}
        }
        if !self.lines.any_left() {
            self.stop(StopReason::Lines(message.to_owned()));
        }
    }

    pub(super) fn line_has_had_its_day(&mut self, live: &ActiveAttempt, reason: &str, now: Now) {
        let midnight = self.until_utc_midnight(now);
        let its = live.lead.as_ref().and_then(|lead| self.lines.id(live.line, Some(&lead.lead)).cloned());
        if let Some(id) = its.or_else(|| live.line_id.as_deref().map(str::to_owned)) {
            self.line_is_down(&id, reason, Some(midnight), now);
        }
    }

    /// A daily limit ends at midnight UTC, the provider's.
    pub(super) fn until_utc_midnight(&self, now: Now) -> Duration {
        const DAY: i64 = 86_400_000_000;
        let gone = self.pool.offset.earliest(now.at).as_micros().rem_euclid(DAY);
        Duration::from_micros((DAY - gone).unsigned_abs())
    }
}
