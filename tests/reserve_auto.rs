//! `--reserve auto` against fixed reserves, in virtual time: a day with a morning peak, busier or quieter than usual.
//!
//! `DIALER_SEEDS=20 cargo test --release --test reserve_auto -- --nocapture` shows the figures of docs/reserve.md.

#[path = "stage/fresh.rs"]
mod fresh;
#[expect(dead_code, reason = "whole campaigns are staged with the rest of it")]
mod stage;

use std::num::NonZeroU32;
use std::time::Duration;

use dialer::campaign::callers::{AutoReserve, InboundHistory};
use dialer::campaign::notice::Notice;
use dialer::campaign::plan::{Plan, Rate, Reserve};
use dialer::rehearsal::world::config::{ProviderConfig, Traffic};
use fresh::stage;
use jiff::tz::TimeZone;
use stage::{START, plan};

const TARGET: f64 = 0.01;
/// The campaign begins at six in the morning, where it is six hours later than in UTC, and lasts so long.
const LONG: Duration = Duration::from_hours(8);
const AHEAD: usize = 6;
/// More leads than anybody can call in that time.
const LEADS: u64 = 6_000;
const STAY: Duration = Duration::from_mins(3);

fn seeds() -> u64 {
    std::env::var("DIALER_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Callers an hour of a usual day, by its own hours: many from eight to eleven.
fn usual() -> [f64; 24] {
    let mut by_hour = [8.0; 24];
    by_hour[8..11].fill(60.0);
    by_hour
}

/// How busy a day is: usual, a fifth quieter, or a fifth busier.
fn busy(seed: u64) -> f64 {
    [1.0, 0.8, 1.2][usize::try_from(seed % 3).unwrap()]
}

fn auto(history: bool) -> Reserve {
    let history = history.then(|| InboundHistory {
        per_hour: usual().to_vec(),
        mean_s: STAY.as_secs_f64(),
        call_s: 60.0,
        callers: 4_000.0,
        from: "from 4,000 inbound calls".to_owned(),
    });
    let zone = TimeZone::fixed(jiff::tz::offset(6));
    Reserve { auto: Some(AutoReserve { target: TARGET, history }), zone, ..Reserve::always(1) }
}

/// Callers that came and that were refused, and the campaign's calls, in one day.
fn day(reserve: Reserve, seed: u64) -> [u64; 3] {
    let callers = std::array::from_fn(|utc| usual()[(utc + AHEAD) % 24] * busy(seed));
    let traffic = vec![Traffic::inbound_by_hour(callers, STAY)];
    let config = ProviderConfig { traffic, ..ProviderConfig::default() };
    let rate = Rate { count: NonZeroU32::MIN, per: Duration::from_secs(1) };
    let plan = Plan { reserve, rate, slots: Some(10), poll: Duration::from_secs(3), ..plan() };
    let mut stage = stage(&plan, config, LEADS, seed, 0);
    stage.play(START + LONG, None).unwrap();
    let counts = stage.world.counts();
    let reserves = stage.runs[0].as_ref().unwrap().notices.iter();
    let changes = reserves.filter(|notice| matches!(notice, Notice::ReserveNow { .. })).count();
    assert!(changes < 40, "{changes} changes in {LONG:?}");
    [counts.offered, counts.denied, stage.world.rung().len() as u64]
}

/// The share refused and the calls, over all seeds.
fn days(reserve: &Reserve) -> (f64, u64) {
    let [came, refused, calls] = (0..seeds()).fold([0; 3], |sums, seed| {
        let day = day(reserve.clone(), seed);
        [0, 1, 2].map(|of| sums[of] + day[of])
    });
    #[expect(clippy::cast_precision_loss, reason = "counts of callers")]
    let share = refused as f64 / came.max(1) as f64;
    (share, calls)
}

#[test]
fn a_reserve_that_is_learnt_meets_the_target_at_the_pace_of_the_best_fixed_one() {
    let (refused, calls) = days(&auto(true));
    println!("auto: {:.2}% refused, {calls} calls", refused * 100.0);
    assert!(refused <= TARGET, "{refused}");
    for slots in 1..10 {
        let (share, fixed) = days(&Reserve::always(slots));
        println!("{slots}: {:.2}% refused, {fixed} calls", share * 100.0);
        if share <= TARGET {
            assert!(calls >= fixed, "auto makes {calls} calls, a fixed reserve of {slots} makes {fixed}");
            break;
        }
    }
}
