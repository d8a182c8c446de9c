//! Which attempt a call belongs to: asked of all that the provider says before it is written down.
//!
//! An id that is known from an answer or an earlier listing identifies a call first, then the mark that it carries; a row
//! without a mark is told by its number and its time where one doubt alone fits.

use std::sync::Arc;
use std::time::Duration;

use super::Campaign;
use super::attempt::State;
use super::event::News;
use super::seen::SeenCall;
use super::start::MARGIN;
use crate::pool::attempt_id::AttemptId;
use crate::pool::news::RequestTiming;

/// A `createdAt` may be cut to the second.
const STAMP_CUT: Duration = Duration::from_secs(1);

impl Campaign {
    /// The news as they are to be written down: each call with the attempt that it belongs to, and an answer that tells
    /// of another attempt's call as what it is, a doubt.
    pub(super) fn identify(&self, news: News) -> News {
        match news {
            News::Answered { attempt, wire, call, .. } if self.is_anothers(&attempt, wire, &call) => {
                let message = format!("the answer tells of another call, {}", call.id);
                News::Failed { attempt, wire, message }
            }
            News::Listed { read, wire, calls, full, unread, no_offset }
                if calls.iter().any(|call| self.attempt_of(call).is_some()) =>
            {
                let told = |call: &Arc<SeenCall>| match self.attempt_of(call) {
                    Some(attempt) => {
                        let named = SeenCall {
                            attempt: Some(attempt.clone()),
                            unmarked: call.attempt.is_none(),
                            ..SeenCall::clone(call)
                        };
                        Arc::new(named)
                    }
                    None => Arc::clone(call),
                };
                News::Listed { read, wire, calls: calls.iter().map(told).collect(), full, unread, no_offset }
            }
            other => other,
        }
    }

    /// Whether the call in the answer to an attempt cannot be its own.
    fn is_anothers(&self, attempt: &AttemptId, wire: RequestTiming, call: &SeenCall) -> bool {
        let marked = call.attempt.as_ref().map_or(!call.outbound, |mark| mark != attempt);
        // An attempt that is not over has no call that is.
        let is_over = || {
            let ended = self.pool.call(&call.id).is_some_and(|known| known.ours && known.ended.is_some());
            ended && self.live.contains_key(attempt)
        };
        let held = self.live.attempt_of(&call.id).map_or_else(is_over, |holder| holder != attempt);
        let older = call.created + MARGIN < self.pool.offset.earliest(wire.sent);
        marked || held || older
    }

    /// The attempt of a row, where that is not what the row itself says.
    fn attempt_of(&self, call: &SeenCall) -> Option<&AttemptId> {
        if let Some(known) = self.live.attempt_of(&call.id) {
            return (call.attempt.as_ref() != Some(known)).then_some(known);
        }
        if call.attempt.is_some() || self.knows_as_ours(call) {
            return None;
        }
        let mut fitting = self.live.uncertain().filter(|(_, live)| {
            live.state == State::InDoubt && live.phone.is_some() && live.phone == call.phone && could_be(call, live)
        });
        let (attempt, _) = fitting.next()?;
        fitting.next().is_none().then_some(attempt)
    }

    /// Whether it is a call of an attempt that is known, or is over.
    pub(super) fn knows_as_ours(&self, call: &SeenCall) -> bool {
        self.live.attempt_of(&call.id).is_some() || self.pool.call(&call.id).is_some_and(|known| known.ours)
    }
}

/// Whether a row without a mark may show the call of that doubt, its number apart.
pub(super) fn could_be(call: &SeenCall, live: &super::ActiveAttempt) -> bool {
    call.outbound && call.created + STAMP_CUT >= live.provider_time
}
