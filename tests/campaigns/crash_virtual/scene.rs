//! A campaign in virtual time whose journal lies on disk, so that it can be killed, lose its journal, and be gone on
//! with. The provider's own ledger is the judge.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use crate::stage;
use dialer::campaign::budget::Budget;
use dialer::campaign::notice::{Notice, Outcome, StopReason};
use dialer::campaign::plan::{Plan, Rate};
use dialer::campaign::retry::Retries;
use dialer::journal::disk::Disk;
use dialer::journal::disk::run::Run;
use dialer::journal::disk::run::begin::Start;
use dialer::journal::imported::{ImportError, Listed};
use dialer::journal::{Error, Journal, Totals};
use dialer::leads::lead::{Lead, Phone};
use dialer::rehearsal::rehearse::{Setup, Simulation};
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::call::{Kind, POOL_REASON};
use dialer::rehearsal::world::config::{BlockedAs, ProviderConfig};
use dialer::rehearsal::world::fault::{Fault, Faults};
use dialer::time::{Now, Stamp};
use jiff::tz::TimeZone;
use tempfile::TempDir;

use super::place::{Database, Place};

pub(crate) const START: Stamp = Stamp::from_micros(1_767_225_600_000_000);
/// Nothing takes longer: whatever is not over by then hangs.
const END: Duration = Duration::from_hours(48);
/// Starts that a campaign may need, crashes apart, before it counts as one that never ends.
const MOST_STARTS: u32 = 60;

/// Randomness of a test, from its seed.
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// splitmix64.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.bits() % most.max(1)
    }

    pub(crate) fn chance(mut self) -> Box<dyn FnMut() -> u128 + Send> {
        Box::new(move || u128::from(self.bits()) << 64 | u128::from(self.bits()))
    }
}

/// Every fault of a request, and of reads, but a call that is created long after its request was lost: that one is
/// not promised.
///
/// Marks are always listed here: without them a lost journal knows nobody's calls (`stalls` and `sweep` leave them out).
pub(crate) fn every_fault(likely: f64) -> Faults {
    let apart = [Fault::LateCreate, Fault::NoMark, Fault::NoNumber];
    let all: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| !apart.contains(fault)).collect();
    Faults::all_of(&all, likely)
}

/// A world that differs with the seed: the shape of a refusal, how likely faults are, how soon slots are counted.
pub(crate) fn world(seed: u64, slots: u32) -> FakeProvider {
    let mut dice = Dice::new(seed ^ 0xabcd);
    let config = ProviderConfig {
        slots,
        blocked_as: BlockedAs::ALL[usize::try_from(dice.below(5)).unwrap()],
        faults: every_fault([0.03, 0.08, 0.15][usize::try_from(dice.below(3)).unwrap()]),
        release_lag: Duration::from_millis(dice.below(1500)),
        ..ProviderConfig::default()
    };
    FakeProvider::new(config, seed, START)
}

/// How far this machine's clock is off the provider's, in microseconds: at most a minute and a half.
pub(crate) fn skew(seed: u64) -> i64 {
    i64::try_from(Dice::new(seed ^ 0x77).below(180_000_000)).unwrap() - 90_000_000
}

pub(crate) fn plan(campaign: &str, seed: u64) -> Plan {
    let requests = Rate { count: NonZeroU32::new(150).unwrap(), per: Duration::from_mins(1) };
    let requests = (seed % 3 == 1).then(|| Budget::of(requests));
    Plan { campaign: campaign.to_owned(), wait: seed.is_multiple_of(2), requests, seed, ..stage::plan() }
}

/// The same with another way to treat doubts and ends, by the seed: a person decides doubts, or people are called up to
/// three times.
pub(crate) fn varied(plan: Plan) -> (Plan, u32) {
    match plan.seed % 5 {
        3 => (Plan { in_doubt: None, ..plan }, 1),
        4 => {
            let delays = ["no-answer=5m", "busy=1m", "voicemail=10m", "rejected=1m", "fault=1m"].map(str::to_owned);
            let retries = Retries::parse(3, &delays, 20, plan.seed, TimeZone::UTC).unwrap();
            (Plan { retries, ..plan }, 3)
        }
        _ => (plan, 1),
    }
}

/// So many leads, their numbers from that one on.
pub(crate) fn leads(first: u64, count: u64) -> Vec<Listed> {
    let lead = |n: u64| Lead::of(Phone::from_digits(14_155_550_000 + first + n).unwrap());
    (0..count).map(|n| Listed { file_index: 0, line: n + 2, lead: lead(n) }).collect()
}

/// What keeps a journal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    InFile,
    OnServer,
}

/// Where a journal lies, until its test is over.
pub(crate) enum Home {
    Directory(TempDir),
    Database(Database),
}

impl Home {
    /// A new one; a directory is in memory where there is such a place, so that a commit costs little.
    pub(crate) fn new(kept: Kept) -> Self {
        let memory = Path::new("/dev/shm");
        match kept {
            Kept::OnServer => Self::Database(Database::fresh()),
            Kept::InFile if memory.is_dir() => Self::Directory(TempDir::new_in(memory).unwrap()),
            Kept::InFile => Self::Directory(TempDir::new().unwrap()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Directory(dir) => dir.path(),
            Self::Database(database) => database.path(),
        }
    }
}

/// A state directory that goes away with its test.
pub(crate) fn state_dir() -> Home {
    Home::new(Kept::InFile)
}

/// Opens a campaign in a state directory, as a start of the program does. `life` tells one start from another.
pub(crate) fn open(dir: &Path, plan: &Plan, list: &[Listed], now: Now, life: u64) -> Run {
    try_open(dir, plan, list, now, life).unwrap()
}

/// The same, where the journal may be one that is refused.
pub(crate) fn try_open(dir: &Path, plan: &Plan, list: &[Listed], now: Now, life: u64) -> Result<Run, Error> {
    let chance = || Dice::new(plan.seed ^ life << 32 ^ 0x1234).chance();
    let mut disk = Disk::open(dir, &mut chance())?;
    let account = disk.remember_account("org", "https://api.example", "key")?;
    let lock = disk.hold(&account, &plan.campaign, 4711, now)?;
    let head = crate::head::head(&account, &plan.campaign);
    let mut rows = list.iter().cloned().map(Ok::<_, Infallible>);
    disk.import(&lock, &head, now, &mut rows).map_err(|error| match error {
        ImportError::Journal(error) => error,
        ImportError::List(never) => match never {},
    })?;
    let pool = account.name.clone();
    let start =
        Start { account, lock, plan: plan.clone(), pool, pid: 4711, chance: chance(), dnc: Box::new(|_| false) };
    Ok(disk.begin(now, start)?.0)
}

/// One campaign on a stage, and what became of it so far.
pub(crate) struct Scene {
    pub(crate) stage: Simulation<Run>,
    pub(crate) plan: Plan,
    pub(crate) list: Vec<Listed>,
    pub(crate) dir: Home,
    pub(crate) place: usize,
    /// How often each number may be called.
    pub(crate) allowed: u32,
    /// Starts so far: no two mint the same attempt ids.
    pub(crate) lives: u64,
    pub(crate) crashes: u64,
    /// How the runs ended that did.
    pub(crate) outcomes: Vec<Outcome>,
    /// What people would have been told, of the runs that are over.
    pub(crate) notices: Vec<Notice>,
}

impl Scene {
    pub(crate) fn new(seed: u64, slots: u32, count: u64) -> Self {
        Self::kept(Kept::InFile, seed, slots, count)
    }

    pub(crate) fn kept(kept: Kept, seed: u64, slots: u32, count: u64) -> Self {
        let (plan, allowed) = varied(plan("leads", seed));
        Self {
            stage: Simulation::new(world(seed, slots), skew(seed)),
            plan,
            allowed,
            list: leads(0, count),
            dir: Home::new(kept),
            place: 0,
            lives: 0,
            crashes: 0,
            outcomes: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Starts a run of it that dies before it has done anything: once its list is in, or a moment later.
    pub(crate) fn start_in_vain(&mut self, listened: bool) {
        self.lives += 1;
        let now = self.stage.now();
        let mut journal = open(self.dir.path(), &self.plan, &self.list, now, self.lives);
        if listened {
            journal.history(now).unwrap();
        }
        self.crashes += 1;
    }

    /// Starts a run of it.
    pub(crate) fn start(&mut self) {
        self.try_start().unwrap();
    }

    /// The same, where the journal may be one that is refused.
    pub(crate) fn try_start(&mut self) -> Result<(), Error> {
        self.lives += 1;
        let journal = try_open(self.dir.path(), &self.plan, &self.list, self.stage.now(), self.lives)?;
        let plan = self.plan.clone();
        let setup = Setup { plan, journal, org: 0, post_timeout: Duration::from_secs(30) };
        self.place = self.stage.start(setup).unwrap();
        Ok(())
    }

    /// The process dies.
    pub(crate) fn crash(&mut self) {
        self.crashes += 1;
        let notices = self.stage.runs[self.place].as_mut().map(|run| std::mem::take(&mut run.notices));
        self.notices.extend(notices.into_iter().flatten());
        drop(self.stage.kill(self.place));
    }

    /// Steps until the run is over, or until it is about to carry out that action of its own. True if it is over.
    pub(crate) fn play(&mut self, stop_before: Option<u64>) -> bool {
        let stopped = self.stage.play(START + END, stop_before).unwrap();
        if stopped.is_some() {
            return false;
        }
        let now = self.stage.now();
        let run = self.stage.runs[self.place].as_mut().unwrap();
        if run.outcome.is_none() {
            let (slots, last) = (run.campaign.slots(now), run.notices.iter().rev().take(5).collect::<Vec<_>>());
            let (held, up) = (run.campaign.held_up(), run.campaign.calls_up());
            panic!("life {} hangs: {held:?} {up} up, {slots:?} {:?} {last:?}", self.lives, run.campaign.batch());
        }
        self.put_away();
        true
    }

    /// Steps for a while of virtual time. True if the run is over.
    pub(crate) fn play_for(&mut self, time: Duration) -> bool {
        let until = self.stage.world.now() + time;
        self.stage.play(until, None).unwrap();
        let over = self.stage.runs[self.place].as_ref().is_some_and(|run| run.outcome.is_some());
        if over {
            self.put_away();
        }
        over
    }

    /// A run that is over ends as the program does.
    fn put_away(&mut self) {
        let now = self.stage.now();
        let run = self.stage.runs[self.place].as_mut().unwrap();
        self.outcomes.extend(run.outcome.clone());
        self.notices.append(&mut run.notices);
        self.stage.kill(self.place).unwrap().end(now).unwrap();
    }

    /// The last run's end.
    pub(crate) fn why(&self) -> &StopReason {
        &self.outcomes.last().unwrap().why
    }

    /// Lets time go by with nobody running.
    pub(crate) fn wait(&mut self, time: Duration) {
        let to = self.stage.world.now() + time;
        self.stage.world.advance(to);
    }

    /// Runs it again as often as it takes, coming back when it says so.
    pub(crate) fn finish(&mut self) {
        for _ in 0..MOST_STARTS {
            self.start();
            self.play(None);
            let outcome = self.outcomes.last().unwrap().clone();
            match outcome.why {
                StopReason::Complete => return,
                StopReason::Later | StopReason::DoubtsLeft => {
                    let wall = self.stage.now().wall;
                    let wait =
                        outcome.next_at.map_or(Duration::from_mins(1), |at| at.duration_since(wall).unsigned_abs());
                    self.wait(wait + Duration::from_secs(1));
                }
                // The provider kept failing, or the dead process was taken for another machine: somebody looks at it,
                // and runs it again.
                StopReason::Breaker(_) | StopReason::SearchFailed(_) | StopReason::AnotherMachine(_) => {
                    self.wait(Duration::from_mins(2));
                }
                why => panic!("a run ended with {why:?}"),
            }
        }
        panic!("it never ends: {:?}", self.outcomes);
    }

    /// How the campaign stands.
    pub(crate) fn totals(&mut self) -> Totals {
        self.lives += 1;
        let now = self.stage.now();
        let mut journal = open(self.dir.path(), &self.plan, &self.list, now, self.lives);
        let totals = journal.totals(now).unwrap();
        journal.end(now).unwrap();
        totals
    }

    /// How many calls each number got that were more than a refusal, by the provider's ledger.
    pub(crate) fn contacts(&self) -> BTreeMap<String, u32> {
        contacts(&self.stage.world)
    }

    /// Nobody was called more often than that, and nobody was forgotten.
    pub(crate) fn judge(&mut self, whose: &str) {
        self.judge_all_but(&BTreeSet::new(), whose);
        assert!(!self.notices.iter().any(|notice| matches!(notice, Notice::CalledTwice(..))), "{whose}: a double call");
    }

    /// The same, but for numbers of which no promise can be kept.
    pub(crate) fn judge_all_but(&mut self, excused: &BTreeSet<String>, whose: &str) {
        let (totals, allowed) = (self.totals(), self.allowed);
        assert_eq!(totals.settled + totals.parked, totals.total, "{whose}: {totals:?} {:?}", self.outcomes);
        let contacts = self.contacts();
        let rung = self.stage.world.rung().into_iter().map(|(number, times)| (number.to_owned(), times));
        let often = contacts.clone().into_iter().chain(rung).find(|(_, times)| *times > allowed);
        if let Some((number, times)) = often.filter(|(number, _)| !excused.contains(number)) {
            panic!("{whose}: {number} was called {times} times: {}", self.story(&number));
        }
        let reached = self.list.iter().filter(|row| contacts.contains_key(&row.lead.phone.to_string())).count() as u64;
        assert!(reached >= totals.settled, "{whose}: {totals:?}, but {reached} were called: {:?}", self.outcomes);
    }

    /// The calls to a number, for a failure's message.
    pub(crate) fn story(&self, number: &str) -> String {
        let calls = self.stage.world.calls().iter().filter(|call| call.request.number == number);
        let line = |call: &dialer::rehearsal::world::call::FakeCall| {
            format!(
                "\n  {} {:?} {:?} rang {:?} ended {:?} {:?}",
                call.created, call.name, call.status, call.rang, call.ended, call.reason
            )
        };
        calls.map(line).collect()
    }
}

/// How many calls each number got that were more than a refusal, by a provider's ledger.
pub(crate) fn contacts(world: &FakeProvider) -> BTreeMap<String, u32> {
    let mut contacts = BTreeMap::new();
    let outbound = world.calls().iter().filter(|call| call.kind == Kind::Outbound);
    for call in outbound.filter(|call| call.reason.as_deref() != Some(POOL_REASON)) {
        *contacts.entry(call.request.number.clone()).or_default() += 1;
    }
    contacts
}
