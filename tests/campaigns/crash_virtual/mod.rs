//! Crashes in virtual time: the process is dropped at an action, its journal (the real one, on disk) is opened again,
//! and the campaign goes on. The provider's own ledger shows who was called.
//!
//! Where `DIALER_TEST_POSTGRES` names a server, a tenth of the seeds have their journal there.
//!
//! `DIALER_SEEDS=1000 cargo test --test campaigns crash_virtual -- --include-ignored` runs the long sweeps, too.

mod alone;
mod lost;
#[expect(dead_code, reason = "no property is tried on many cases here")]
#[path = "../../../src/journal/suite/place.rs"]
mod place;
mod requests;
mod scene;
mod several;
mod torn;

/// How many seeds a sweep goes through: `DIALER_SEEDS`, else so many.
fn seeds(usually: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("DIALER_SEEDS").ok().and_then(|text| text.parse().ok());
    let first = std::env::var("DIALER_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    first..first + asked.unwrap_or(usually)
}

/// The same for what runs on a server, where each commit takes a thousand times as long.
fn a_tenth(usually: u64) -> std::ops::Range<u64> {
    let all = seeds(usually);
    all.start..all.start + (all.end - all.start).div_ceil(10)
}
