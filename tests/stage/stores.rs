//! Journals of both kinds, for campaigns that are put through each of them.

use std::convert::Infallible;
use std::ops::{Deref, DerefMut};
use std::path::Path;

use dialer::campaign::plan::Plan;
use dialer::journal::disk::Disk;
use dialer::journal::disk::lock::Lock;
use dialer::journal::disk::run::Run;
use dialer::journal::disk::run::begin::Start;
use dialer::journal::imported::Listed;
use dialer::journal::memory::Memory;
use dialer::journal::{Chance, Journal};
use dialer::rehearsal::rehearse::Simulation;
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::config::ProviderConfig;
use dialer::time::Now;
use tempfile::TempDir;

use crate::stage::{START, journal_of, start};

/// Of so many seeds one keeps its traces.
const TRACED: u64 = 5;

/// Where a campaign keeps its journal.
pub(crate) trait Store: Sized {
    type Journal: Journal;
    /// A journal that knows nothing but the list.
    fn fresh(plan: &Plan, list: Vec<Listed>, now: Now) -> (Self, Self::Journal);
    /// The same journal for the next run.
    fn again(&mut self, plan: &Plan, journal: Self::Journal, now: Now) -> Self::Journal;
}

pub(crate) struct InMemory;

impl Store for InMemory {
    type Journal = Memory;

    fn fresh(plan: &Plan, list: Vec<Listed>, now: Now) -> (Self, Memory) {
        (Self, journal_of(plan, list.into_iter(), now))
    }

    fn again(&mut self, _plan: &Plan, journal: Memory, _now: Now) -> Memory {
        journal
    }
}

pub(crate) struct OnDisk {
    dir: TempDir,
    list: Vec<Listed>,
    runs: u64,
}

impl Store for OnDisk {
    type Journal = Run;

    fn fresh(plan: &Plan, list: Vec<Listed>, now: Now) -> (Self, Run) {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        let mut store = Self { dir: dir.expect("a directory"), list, runs: 0 };
        let run = store.open(plan, now);
        (store, run)
    }

    fn again(&mut self, plan: &Plan, journal: Run, now: Now) -> Run {
        journal.end(now).expect("a run ends");
        self.open(plan, now)
    }
}

impl OnDisk {
    fn open(&mut self, plan: &Plan, now: Now) -> Run {
        self.runs += 1;
        let dir = self.dir.path();
        let mut disk = Disk::open(dir, &mut chance(plan.seed, 0)).expect("a state directory");
        let account = disk.remember_account("org", "https://api.example", "key").expect("an account");
        let lock = Lock::take(dir, &account.name, &plan.campaign, 4711, now).expect("a campaign that nobody runs");
        let head = crate::head::head(&account, &plan.campaign);
        let mut rows = self.list.iter().cloned().map(Ok::<_, Infallible>);
        disk.import(&lock, &head, now, &mut rows).expect("a list without faults");
        let (pool, chance) = (account.name.clone(), chance(plan.seed, self.runs));
        let plan = plan.clone();
        let start = Start { account, lock, plan, pool, pid: 4711, chance, dnc: Box::new(|_| false) };
        disk.begin(now, start).expect("a run begins").0
    }
}

fn chance(seed: u64, run: u64) -> Chance {
    let mut state = u128::from(seed) << 64 | u128::from(run) << 32 | 0x9e37_79b9;
    Box::new(move || {
        state = state.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(0x5851_f42d_4c95_7f2d);
        state ^ (state >> 61)
    })
}

/// A provider, the runs of one campaign, and where they keep their journal.
pub(crate) struct Stage<S: Store> {
    simulation: Simulation<S::Journal>,
    store: S,
}

impl<S: Store> Stage<S> {
    /// With one run about to begin. `skew`: microseconds that its clock is ahead.
    pub(crate) fn of(plan: &Plan, config: ProviderConfig, list: Vec<Listed>, seed: u64, skew: i64) -> Self {
        let mut simulation = Simulation::new(FakeProvider::new(config, seed, START), skew);
        simulation.traces = seed.is_multiple_of(TRACED).then(Vec::new);
        let (store, journal) = S::fresh(plan, list, simulation.now());
        let mut stage = Self { simulation, store };
        stage.start(plan, journal);
        stage
    }

    /// Begins another run when that one is over.
    pub(crate) fn again(&mut self, plan: &Plan, over: usize) {
        let journal = self.simulation.kill(over).expect("a run");
        let journal = self.store.again(plan, journal, self.simulation.now());
        self.start(plan, journal);
    }

    fn start(&mut self, plan: &Plan, journal: S::Journal) {
        start(&mut self.simulation, plan, journal);
    }
}

impl<S: Store> Deref for Stage<S> {
    type Target = Simulation<S::Journal>;

    fn deref(&self) -> &Self::Target {
        &self.simulation
    }
}

impl<S: Store> DerefMut for Stage<S> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.simulation
    }
}
