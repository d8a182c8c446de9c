//! How long a claim takes on PostgreSQL, as a table: from 1 to 50 runs on one pool, each a thread with connections of its own,
//! while 100 calls are up. Each claim is followed by another transaction, as its answer would be.
//!
//! `DIALER_TEST_POSTGRES=postgres://ROLE@HOST/postgres cargo bench --bench claims`

use std::convert::Infallible;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant as Clock};

use dialer::campaign::event::{Ask, LeadId, Line, News};
use dialer::campaign::plan::Plan;
use dialer::campaign::reply::Opened;
use dialer::journal::disk::Disk;
use dialer::journal::disk::run::Run;
use dialer::journal::disk::run::begin::Start;
use dialer::journal::imported::Listed;
use dialer::journal::{Chance, Journal};
use dialer::leads::lead::{Lead, Phone};
use dialer::pool::Pool;
use dialer::pool::news::Others;
use dialer::pool::observation::Observation;
use dialer::time::{Instant, Now, Stamp};
use place::{Database, Place, is_there};

#[path = "../tests/stage/head.rs"]
mod head;
#[expect(dead_code, reason = "no property is tried on many cases here")]
#[path = "../src/journal/suite/place.rs"]
mod place;
#[path = "../tests/stage/plan.rs"]
mod plan;

/// Calls that are up on the pool, of all runs together.
const UP: usize = 100;
/// Leads of a batch.
const BATCH: usize = 150;
/// Claims of all runs together, with each number of runs.
const CLAIMS: usize = 300;
/// What a pool of 1,000 slots asks for, with calls of two minutes.
const A_SECOND: u32 = 9;

fn main() {
    if !is_there() {
        return;
    }
    println!(
        "| runs | median at {A_SECOND} claims a second | slowest in 20 | median, as fast as they can | claims a second |"
    );
    println!("|--:|--:|--:|--:|--:|");
    for runs in [1, 2, 5, 10, 20, 50] {
        let paced = measure(runs, Some(Duration::from_secs(1) / A_SECOND));
        let full = measure(runs, None);
        println!(
            "| {runs} | {:.1} ms | {:.1} ms | {:.1} ms | {:.0} |",
            paced.at(0.5),
            paced.at(0.95),
            full.at(0.5),
            full.a_second
        );
    }
}

struct Measured {
    sorted: Vec<Duration>,
    a_second: f64,
}

impl Measured {
    /// What that share of the claims took at the most, in milliseconds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
    fn at(&self, share: f64) -> f64 {
        self.sorted[(self.sorted.len() as f64 * share) as usize].as_secs_f64() * 1e3
    }
}

/// So many runs that claim together, a claim each so often or without a pause.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads a clock")]
fn measure(runs: usize, apart: Option<Duration>) -> Measured {
    let database = Database::fresh();
    let (path, ready) = (database.path(), &Barrier::new(runs + 1));
    let each = CLAIMS / runs;
    thread::scope(|scope| {
        let start = |nth: usize| {
            move || {
                let (mut run, waiting) = prepared(path, nth, UP / runs);
                ready.wait();
                let pace = apart.map(|apart| (apart * to_u32(nth), apart * to_u32(runs)));
                claims(&mut run, &waiting, each, pace)
            }
        };
        let threads: Vec<_> = (0..runs).map(|nth| scope.spawn(start(nth))).collect();
        ready.wait();
        let began = Clock::now();
        let mut sorted: Vec<_> =
            threads.into_iter().flat_map(|thread| thread.join().expect("a run that claims")).collect();
        let a_second = f64::from(to_u32(sorted.len())) / began.elapsed().as_secs_f64();
        sorted.sort_unstable();
        Measured { sorted, a_second }
    })
}

fn to_u32(count: usize) -> u32 {
    u32::try_from(count).expect("a small number")
}

/// A run with so many calls up, and who of its batch is left.
fn prepared(place: &Path, nth: usize, up: usize) -> (Run, Vec<LeadId>) {
    let mut run = begin(place, nth);
    let Opened::Batch { leads, .. } = run.open_batch(now()).expect("a batch") else { panic!("nobody to dial") };
    let mut waiting: Vec<LeadId> = leads.iter().map(|lead| lead.id).collect();
    for lead in waiting.split_off(waiting.len() - up) {
        let (claimed, _) = run.claim(now(), ask(lead)).expect("a claim");
        assert_eq!(claimed.granted.len(), 1, "{:?}", claimed.denied);
    }
    (run, waiting)
}

/// How long each of so many claims took.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads a clock, and waits")]
fn claims(run: &mut Run, waiting: &[LeadId], count: usize, pace: Option<(Duration, Duration)>) -> Vec<Duration> {
    let began = Clock::now();
    let claim = |nth: usize| {
        if let Some((first, apart)) = pace {
            thread::sleep((first + apart * to_u32(nth)).saturating_sub(began.elapsed()));
        }
        let asked = Clock::now();
        let (mut claimed, _) = run.claim(now(), ask(waiting[nth % waiting.len()])).expect("a claim");
        let took = asked.elapsed();
        let attempt = claimed.granted.pop().expect("room in the pool").attempt;
        run.record(now(), &News::Withdrawn(attempt)).expect("a journal");
        took
    };
    (0..count).map(claim).collect()
}

/// With a pool that was just seen to have room for all.
fn ask(lead: LeadId) -> Ask {
    let now = now();
    let (provider_time, slots) = (Stamp::from(now.wall), 1_000);
    let seen = Observation {
        at: provider_time,
        heard: provider_time,
        limit: Some(slots),
        remaining: slots,
        call: None,
        sent: now.at,
        received: now.at,
    };
    let mut pool = Pool::new(Duration::from_secs(1), Duration::from_mins(1), slots);
    pool.merge_others(&Others { observation: Some(seen), ..Others::default() });
    Ask { leads: vec![(lead, Line(0))], pool, reserve: 0, margin: 0, provider_time }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads a clock")]
fn now() -> Now {
    let wall = jiff::Timestamp::now();
    Now { at: Instant::from_micros(wall.as_microsecond()), wall }
}

fn begin(place: &Path, nth: usize) -> Run {
    let plan = Plan { campaign: format!("campaign {nth}"), batch_size: BATCH, ..plan::plan() };
    let mut disk = Disk::open(place, &mut chance(nth)).expect("a database");
    let account = disk.remember_account("org", "https://api.example", "key").expect("an account");
    let lock = disk.hold(&account, &plan.campaign, 1, now()).expect("a campaign that nobody runs");
    let head = head::head(&account, &plan.campaign);
    let first = 12_120_000_000 + u64::from(to_u32(nth)) * 1000;
    let listed = |n: u64| {
        let lead = Lead { zones: vec!["UTC".to_owned()], ..Lead::of(Phone::from_digits(first + n).expect("a number")) };
        Ok::<_, Infallible>(Listed { file_index: 0, line: n + 2, lead })
    };
    disk.import(&lock, &head, now(), &mut (0..BATCH as u64).map(listed)).expect("a list without faults");
    let (pool, chance) = (account.name.clone(), chance(nth));
    let start = Start { account, lock, plan, pool, pid: 1, chance, dnc: Box::new(|_| false) };
    disk.begin(now(), start).expect("a run begins").0
}

fn chance(seed: usize) -> Chance {
    let mut state = u128::from(to_u32(seed)) << 64;
    Box::new(move || {
        state = state.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(0x5851_f42d_4c95_7f2d);
        state ^ (state >> 61)
    })
}
