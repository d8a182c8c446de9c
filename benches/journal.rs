//! How long a journal on disk with 1,000,000 leads, 300,000 attempts and 20,000 batches takes to start, to claim, and to
//! say how it stands.
//!
//! `cargo bench --bench journal`; a number after `--` divides the sizes.

use std::convert::Infallible;
use std::time::{Duration, Instant as Clock};

use dialer::campaign::event::{Ask, LeadId, Line};
use dialer::campaign::plan::Plan;
use dialer::campaign::reply::Opened;
use dialer::campaign::retry::Retries;
use dialer::journal::disk::Disk;
use dialer::journal::disk::lock::Lock;
use dialer::journal::disk::run::Run;
use dialer::journal::disk::run::begin::Start;
use dialer::journal::imported::Listed;
use dialer::journal::{Chance, Journal};
use dialer::leads::lead::{Lead, Phone};
use dialer::pool::Pool;
use dialer::time::{Instant, Now, Stamp};
use jiff::tz::TimeZone;
use rusqlite::Connection;

#[path = "../tests/stage/head.rs"]
mod head;
#[path = "../tests/stage/plan.rs"]
mod plan;

/// Claims whose times are told.
const CLAIMS: i64 = 200;

fn main() {
    let divisor = std::env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(1_u64);
    let leads = 1_000_000 / divisor;
    let dir = tempfile::tempdir().expect("a directory");
    let list = || (0..leads).map(|n| Ok::<_, Infallible>(listed(n)));
    let (run, _) = timed("import and first start", || begin(dir.path(), list(), 0, 1));
    run.end(at(1)).expect("a run ends");
    fill(dir.path(), 300_000 / divisor, 20_000 / divisor);
    let (mut run, _) = timed("start, list unchanged", || begin(dir.path(), list(), 10_000_000, 1));
    timed("history", || run.history(at(10_000_001)).expect("a journal"));
    claims(&mut run);
    timed("totals", || run.totals(at(10_001_000)).expect("totals"));
    run.end(at(10_002_000)).expect("a run ends");
    let (run, reopened) = timed("start, another plan", || begin(dir.path(), list(), 10_003_000, 2));
    println!("{reopened} leads reopened");
    run.end(at(10_004_000)).expect("a run ends");
    let disk = timed("open to look", || Disk::look(dir.path()).expect("a journal").expect("a journal"));
    timed("status", || disk.campaigns().expect("campaigns"));
    timed("explain", || disk.explain(phone(7)).expect("a story"));
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads a clock")]
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let began = Clock::now();
    let done = work();
    println!("{what}: {:.3} s", began.elapsed().as_secs_f64());
    done
}

fn at(seconds: i64) -> Now {
    let at = Instant::from_micros(1_790_000_000_000_000 + seconds * 1_000_000);
    Now { at, wall: at.timestamp() }
}

fn phone(n: u64) -> Phone {
    Phone::from_digits(12_120_000_000 + n).expect("a number")
}

fn listed(n: u64) -> Listed {
    let lead = Lead { zones: vec!["UTC".to_owned()], ..Lead::of(phone(n)) };
    Listed { file_index: 0, line: n + 2, lead }
}

fn begin(
    dir: &std::path::Path,
    mut list: impl Iterator<Item = Result<Listed, Infallible>>,
    seconds: i64,
    attempts: u32,
) -> (Run, u64) {
    let retries = Retries::parse(attempts, &[], 2, 1, TimeZone::UTC).expect("retries");
    let plan = Plan { retries, ..plan::plan() };
    let mut disk = Disk::open(dir, &mut chance(1)).expect("a state directory");
    let account = disk.remember_account("org", "https://api.example", "key").expect("an account");
    let lock = Lock::take(dir, &account.name, &plan.campaign, 1, at(seconds)).expect("a campaign that nobody runs");
    let head = head::head(&account, &plan.campaign);
    disk.import(&lock, &head, at(seconds), &mut list).expect("a list without faults");
    let pool = account.name.clone();
    let chance = chance(seconds.unsigned_abs());
    disk.begin(at(seconds), Start { account, lock, plan, pool, pid: 1, chance, dnc: Box::new(|_| false) })
        .expect("a run begins")
}

fn chance(seed: u64) -> Chance {
    let mut state = u128::from(seed) << 64;
    Box::new(move || {
        state = state.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(0x5851_f42d_4c95_7f2d);
        state ^ (state >> 61)
    })
}

/// What earlier runs left: attempts that ended, their leads settled, batches that are closed.
fn fill(dir: &std::path::Path, attempts: u64, batches: u64) {
    let db = Connection::open(dir.join("journal.db")).expect("the database");
    let numbers = |most| format!("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {most})");
    let began = at(0).wall.as_microsecond();
    db.execute_batch(&format!(
        "BEGIN;
         {} INSERT INTO attempts (attempt, origin, campaign, lead, phone, claimed, began, provider_time, sent, received,
             blocked, rung, started, spoke, ended, reason, given_up, released, call, created, cost, opt_out, reopened,
             rehearsal, state, outcome)
         SELECT printf('d%08x-%022d', 0, n), 'claimed', 1, n, 12120000000 + n - 1, {began} + n * 1000000,
             {began} + n * 1000000, {began} + n * 1000000, {began} + n * 1000000, {began} + n * 1000000 + 200000, 0, 1,
             {began} + n * 1000000, 1, {began} + n * 1000000 + 60000000, 'customer-ended-call', 0, 0, 'call-' || n,
             {began} + n * 1000000, 0.07, 0, 0, 0, 'ended', 'answered' FROM n;
         UPDATE leads SET standing = 'settled', class = 'answered', later = 1, settled = {began} WHERE id <= {attempts};
         {} INSERT INTO batches SELECT 1, n, '[' || n || ']', 50, {began}, {began} FROM n;
         COMMIT;",
        numbers(attempts),
        numbers(batches),
    ))
    .expect("earlier runs");
}

fn claims(run: &mut Run) {
    let mut took = Vec::new();
    let mut waiting: Vec<LeadId> = Vec::new();
    for n in 0..CLAIMS {
        let now = at(10_000_010 + n);
        if waiting.is_empty() {
            run.close_batch(now, 20_000 + u64::try_from(n).expect("a number")).expect("closed");
            match timed("a batch", || run.open_batch(now).expect("a batch")) {
                Opened::Batch { leads, .. } => waiting = leads.iter().map(|lead| lead.id).collect(),
                Opened::Nobody(rest) => panic!("nobody to dial: {rest:?}"),
            }
        }
        let lead = waiting.remove(0);
        let pool = Pool::new(Duration::from_secs(1), Duration::from_mins(1), 100_000);
        let ask =
            Ask { leads: vec![(lead, Line(0))], pool, reserve: 0, margin: 0, provider_time: Stamp::from(now.wall) };
        #[expect(clippy::disallowed_methods, reason = "a benchmark reads a clock")]
        let began = Clock::now();
        let (claimed, _) = run.claim(now, ask).expect("a claim");
        took.push(began.elapsed());
        assert_eq!(claimed.granted.len(), 1, "{:?}", claimed.denied);
    }
    took.sort_unstable();
    println!(
        "a claim: {:.3} ms (median), {:.3} ms (slowest)",
        millis(took[took.len() / 2]),
        millis(took[took.len() - 1])
    );
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}
