//! Calls that come by themselves. When they come, whose they are and how long they last is settled by the seed alone;
//! what a campaign does only decides whether they find a slot.

use std::sync::Arc;
use std::time::Duration;

use super::call::{Kind, NewCall, Shown};
use super::chance::Chance;
use super::fault::Stripped;
use super::life::CallStart;
use super::mix::Script;
use super::{FakeProvider, ProviderEvent, stamped, uuid_v7};
use crate::time::Stamp;

/// One stream of callers.
pub(super) struct Callers {
    gaps: Chance,
    came: u64,
}

impl Callers {
    pub(super) fn new(seed: u64, which: usize) -> Self {
        Self { gaps: Chance::of(seed, "gaps", "", which as u64), came: 0 }
    }
}

impl FakeProvider {
    /// Writes down when the next of these callers comes.
    pub(super) fn expect_caller(&mut self, which: usize) {
        if let Some(mean) = self.config.traffic[which].gap() {
            let gap = self.callers[which].gaps.exponential(mean);
            let gap = self.config.quickened(gap).max(Duration::from_micros(1));
            self.later(self.now + gap, ProviderEvent::Call(which));
        }
    }

    /// A caller comes: the call is stamped now, and counted a moment later.
    pub(super) fn caller(&mut self, which: usize) {
        let nth = self.callers[which].came;
        self.callers[which].came += 1;
        self.expect_caller(which);
        let share = self.config.traffic[which].share(self.now);
        if share < 1.0 && !Chance::of(self.seed, "hour", &which.to_string(), nth).happens(share) {
            return;
        }
        let lag = self.particulars(which, nth).between((Duration::ZERO, self.config.count_lag));
        self.later(self.now + lag, ProviderEvent::Admit(which, nth, stamped(self.now)));
    }

    /// A caller's call is counted, or turned away.
    pub(super) fn admit(&mut self, which: usize, nth: u64, created: Stamp) {
        let mut chance = self.particulars(which, nth);
        chance.bits();
        let traffic = self.config.traffic[which];
        let talk = chance.exponential(traffic.mean);
        let script = Script::of_a_caller(talk, &self.config.lengths, &mut chance);
        let any = chance.below(self.config.orgs);
        let org = traffic.org.unwrap_or(any).min(self.config.orgs - 1);
        let kind = if chance.happens(traffic.web) { Kind::Web } else { Kind::Inbound };
        let number = format!("+1{}", 2_000_000_000 + chance.bits() % 8_000_000_000);
        let number = if kind == Kind::Web { String::new() } else { number };
        let request = Arc::new(NewCall { number, ..NewCall::default() });
        let id = uuid_v7(created, &mut chance);
        self.counts.offered += 1;
        self.counts.denied += u64::from(self.slots.free() == 0);
        self.bear(
            CallStart { id, org, kind, created, request, script, shown: Shown::Always, stripped: Stripped::default() },
            Duration::ZERO,
        );
    }

    fn particulars(&self, which: usize, nth: u64) -> Chance {
        Chance::of(self.seed, "caller", &which.to_string(), nth)
    }
}
