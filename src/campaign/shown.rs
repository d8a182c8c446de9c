//! What people are shown of a campaign while it goes on.

use jiff::Timestamp;

use super::Campaign;
use super::attempt::State;
use super::batch::BatchState;
use super::counts::RunCounts;
use super::start::Step;
use crate::pool::headroom::Slots;
use crate::time::{Instant, Now};

impl Campaign {
    /// What this run did so far.
    pub fn tally(&self) -> &RunCounts {
        &self.tally
    }

    /// The pool in slots, as far as known.
    pub fn slots(&self, now: Now) -> Slots {
        self.pool.slots_at(now.at, self.reserve(now))
    }

    /// Slots to be reserved at this hour, this run's own reserve or another's, whichever is larger.
    pub fn reserved(&self, now: Now) -> u32 {
        self.reserve(now)
    }

    /// When the newest observation of the pool was received.
    pub fn observed(&self) -> Option<Instant> {
        self.pool.observed_at()
    }

    /// Whether leads wait for nothing but room: until the listing shows a change, or the campaign wakes, it does nothing.
    pub fn waits_for_room(&self) -> bool {
        self.no_room && !self.fresh_wanted && self.stopping.is_none()
    }

    /// Whether `dialer pause` holds.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether no more calls are placed, because it was told to stop or has to.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// What the campaign has cost over all its runs, in US dollars, as far as known.
    pub fn cost_usd(&self) -> f64 {
        self.money.spent()
    }

    /// The open batch: its number, how many of it are not waiting to be dialed, and its size.
    pub fn batch(&self) -> Option<(u64, usize, usize)> {
        let open = self.batch.state == BatchState::Open;
        open.then(|| (self.batch.number, self.batch.size.saturating_sub(self.batch.queue.len()), self.batch.size))
    }

    /// Why nobody is dialed at the moment, where that is not the pool's doing.
    pub fn held_up(&self) -> Option<String> {
        Some(match self.start.step {
            _ if self.awaited.any() && self.calls_up() == 0 && self.batch.queue.is_empty() => {
                match self.awaited.count() {
                    1 => "waiting for the analysis of a call".to_owned(),
                    calls => format!("waiting for the analyses of {calls} calls"),
                }
            }
            _ if self.paused => "paused".to_owned(),
            _ if self.stopping.is_some() => {
                if self.calls_up() == 0 { "no more dials" } else { "no more dials; calls that are up are followed" }
                    .to_owned()
            }
            Step::Searching | Step::FurtherBack(..) | Step::Adopting => {
                format!("searching the account's calls, {:.0}%", self.start.told * 100.0)
            }
            Step::Waiting(_) | Step::Again => "making sure that nothing else was on its way".to_owned(),
            _ if self.listing.is_failing() => "the account's calls cannot be looked at; trying again".to_owned(),
            _ => match self.batch.state {
                BatchState::Nobody(rest) => self.waiting(rest.later),
                _ => return None,
            },
        })
    }

    /// What is waited for while nobody may be called.
    fn waiting(&self, later: u64) -> String {
        let in_doubt = self.live.values().filter(|live| live.ours && live.state == State::InDoubt).count();
        let later = match later {
            0 => None,
            1 => Some("1 lead waits for its hours or a retry".to_owned()),
            _ => Some(format!("{later} leads wait for their hours or a retry")),
        };
        let in_doubt = match in_doubt {
            0 => None,
            1 => Some("1 call in doubt is looked for".to_owned()),
            _ => Some(format!("{in_doubt} calls in doubt are looked for")),
        };
        let parts: Vec<_> = later.into_iter().chain(in_doubt).collect();
        if parts.is_empty() { "nobody is left to call now".to_owned() } else { parts.join("; ") }
    }

    /// When the next lead may be called, where none may be called now.
    pub fn next_lead_at(&self) -> Option<Timestamp> {
        if let BatchState::Nobody(rest) = self.batch.state { rest.next_at } else { None }
    }

    /// Calls of this campaign that are up or on their way.
    pub fn calls_up(&self) -> usize {
        self.live
            .values()
            .filter(|live| live.ours && matches!(live.state, State::Placed { .. } | State::Claimed))
            .count()
    }
}
