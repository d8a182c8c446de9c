//! Plans, lists and journals for whole campaigns in virtual time.

mod plan;

use std::time::Duration;

use dialer::campaign::plan::Plan;
use dialer::journal::Journal;
use dialer::journal::imported::Listed;
use dialer::journal::memory::Memory;
use dialer::leads::lead::{Lead, Phone};
use dialer::rehearsal::rehearse::{Setup, Simulation};
use dialer::rehearsal::world::config::{ProviderConfig, Traffic};
use dialer::time::{Now, Stamp};
pub(crate) use plan::plan;

/// 2026-01-01 00:00 UTC.
pub(crate) const START: Stamp = Stamp::from_micros(1_767_225_600_000_000);

/// A pool of ten with 2.5 erlangs of inbound calls: 50 an hour of three minutes each.
pub(crate) fn steady() -> ProviderConfig {
    ProviderConfig { traffic: vec![Traffic::inbound(50.0, Duration::from_mins(3))], ..ProviderConfig::default() }
}

/// That many people.
pub(crate) fn leads(count: u64) -> impl Iterator<Item = Listed> {
    (0..count).map(|n| Listed {
        file_index: 0,
        line: n + 2,
        lead: Lead::of(Phone::from_digits(14_150_000_000 + n).expect("eleven digits")),
    })
}

/// A journal that knows nothing but the list.
pub(crate) fn journal_of(plan: &Plan, list: impl Iterator<Item = Listed>, now: Now) -> Memory {
    journal_with(plan, list, now, |_| false)
}

/// The same, with people who are not to be called.
pub(crate) fn journal_with(
    plan: &Plan,
    list: impl Iterator<Item = Listed>,
    now: Now,
    dnc: impl Fn(Phone) -> bool + Send + 'static,
) -> Memory {
    let mut state = u128::from(plan.seed) << 64 | 0x9e37_79b9_7f4a_7c15;
    let chance = move || {
        state = state.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(0x5851_f42d_4c95_7f2d);
        state ^ (state >> 61)
    };
    let mut journal = Memory::new(plan.clone(), Box::new(chance), Box::new(dnc));
    let mut rows = list.map(Ok::<_, std::convert::Infallible>);
    journal.import(now, &mut rows, false).expect("a list without faults");
    journal
}

/// Sets up a run that goes on from a journal; returns its place on the stage.
pub(crate) fn start<J: Journal>(stage: &mut Simulation<J>, plan: &Plan, journal: J) -> usize {
    let setup = Setup { plan: plan.clone(), journal, org: 0, post_timeout: Duration::from_secs(30) };
    stage.start(setup).expect("a run starts")
}
