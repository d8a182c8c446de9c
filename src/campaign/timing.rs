//! What every answer says besides its words: that the provider is reached, and what time it is there.

use std::time::Duration;

use super::Campaign;
use super::notice::StopReason;
use crate::pool::news::RequestTiming;
use crate::time::{Instant, Now, Stamp};

/// Further from the provider's time than this, the hours that leads are called in would be wrong.
const CLOCK_OFF: Duration = Duration::from_mins(2);

impl Campaign {
    pub(super) fn hear_wire(&mut self, wire: RequestTiming, now: Now) {
        if let Some(date) = wire.date {
            self.pool.offset.hear_date(date, wire.sent, wire.received);
            self.reached();
            self.check_clock(date, wire.sent, wire.received, now);
        }
    }

    /// Dials nobody by a wall clock that is wrong. The provider read its own clock between the two instants; between
    /// them, and since, the machine may have slept.
    pub(super) fn check_clock(&mut self, date: Stamp, sent: Instant, received: Instant, now: Now) {
        let wall = |at: Instant| Stamp::from(now.wall) - now.at.since(at);
        let off = wall(sent).since(date).max(date.since(wall(received)));
        if off > CLOCK_OFF + Duration::from_secs(1) {
            self.stop(StopReason::Clock(off));
        }
    }

    /// The provider answered, whatever it said.
    pub(super) fn reached(&mut self) {
        self.backoff.worked();
        self.silence.answered();
    }

    /// Two minutes without any answer: out, since nothing can be followed either.
    pub(super) fn check_reachable(&mut self, message: &str, now: Now) {
        if self.silence.failed(now.at) {
            self.stop(StopReason::Unreachable(message.to_owned()));
        }
    }
}
