//! Campaigns in virtual time whose journal is in memory.

use dialer::campaign::plan::Plan;
use dialer::journal::memory::Memory;
use dialer::rehearsal::rehearse::Simulation;
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::config::ProviderConfig;
use dialer::time::Now;

use crate::stage::{START, journal_of, leads, start};

/// A journal that knows nothing but the list of so many people.
pub(crate) fn journal(plan: &Plan, count: u64, now: Now) -> Memory {
    journal_of(plan, leads(count), now)
}

/// A stage with one run on it, about to begin. `skew`: microseconds that its clock is ahead.
pub(crate) fn stage(plan: &Plan, config: ProviderConfig, count: u64, seed: u64, skew: i64) -> Simulation<Memory> {
    let mut stage = Simulation::new(FakeProvider::new(config, seed, START), skew);
    let journal = journal(plan, count, stage.now());
    start(&mut stage, plan, journal);
    stage
}
