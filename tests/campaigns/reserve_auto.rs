//! `--reserve auto` against fixed reserves, in virtual time: a day with a morning peak, busier or quieter than usual.
//!
//! `DIALER_SEEDS=20 DIALER_PICTURE=docs/reserve.svg cargo test --test campaigns reserve_auto -- --nocapture` makes the
//! figures and the picture of docs/reserve.md.

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::fresh::stage;
use crate::plot;
use crate::stage::{START, plan};
use dialer::campaign::callers::{AutoReserve, InboundHistory};
use dialer::campaign::notice::Notice;
use dialer::campaign::plan::{Plan, Rate, Reserve};
use dialer::rehearsal::world::config::{ProviderConfig, Traffic};
use jiff::tz::TimeZone;

const TARGET: f64 = 0.01;
/// The campaign begins at six in the morning, where it is six hours later than in UTC, and lasts so long.
const LONG: Duration = Duration::from_hours(8);
const AHEAD: usize = 6;
/// More leads than anybody can call in that time.
const LEADS: u64 = 6_000;
/// Days that are gone through at once.
const WORKERS: u32 = 4;
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
    let sums = Mutex::new([0; 3]);
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds() {
                return;
            }
            let day = day(reserve.clone(), seed);
            let mut sums = sums.lock().unwrap();
            *sums = [0, 1, 2].map(|of| sums[of] + day[of]);
        }
    };
    std::thread::scope(|scope| (0..WORKERS).for_each(|_| drop(scope.spawn(work))));
    let [came, refused, calls] = sums.into_inner().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "counts of callers")]
    let share = refused as f64 / came.max(1) as f64;
    (share, calls)
}

#[test]
fn a_reserve_that_is_learnt_meets_the_target_at_the_pace_of_the_best_fixed_one() {
    let mut told = Told::default();
    let (refused, calls) = days(&auto(true));
    told.row("auto", refused, calls, "#2a7d2a");
    assert!(refused <= TARGET, "{refused}");
    for slots in 1..10 {
        let (share, fixed) = days(&Reserve::always(slots));
        told.row(&slots.to_string(), share, fixed, "#1f6fb2");
        if share <= TARGET {
            assert!(calls >= fixed, "auto makes {calls} calls, a fixed reserve of {slots} makes {fixed}");
            break;
        }
    }
    told.draw();
}

/// The table and the picture.
#[derive(Default)]
struct Told {
    shapes: String,
}

impl Told {
    /// Where a share refused (by its logarithm, from 0.1% to 100%) and a pace (from 250 an hour) lie.
    fn place(refused: f64, per_hour: f64) -> (f64, f64) {
        (60.0 + (per_hour - 250.0) * 3.5, 340.0 - (refused.max(0.001).log10() + 3.0) * 100.0)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of calls")]
    fn row(&mut self, reserve: &str, refused: f64, calls: u64, color: &str) {
        let per_hour = calls as f64 / seeds() as f64 / (LONG.as_secs_f64() / 3600.0);
        println!("| {reserve} | {:.2}% | {per_hour:.0} |", refused * 100.0);
        let (x, y) = Self::place(refused, per_hour);
        plot::dot(&mut self.shapes, (x, y), color);
        plot::text(&mut self.shapes, (x + 9.0, y + 4.0), "start", reserve);
    }

    fn draw(mut self) {
        for share in [0.001, 0.01, 0.1, 1.0] {
            let (left, right) = (Self::place(share, 250.0), Self::place(share, 410.0));
            let color = if (share - TARGET).abs() < 1e-9 { "#c0392b" } else { "#ccc" };
            plot::line(&mut self.shapes, left, right, color, 1.0);
            plot::text(&mut self.shapes, (left.0 - 6.0, left.1 + 4.0), "end", &format!("{}%", share * 100.0));
        }
        for per_hour in [250.0, 300.0, 350.0, 400.0] {
            let (x, y) = Self::place(0.001, per_hour);
            plot::text(&mut self.shapes, (x, y + 18.0), "middle", &format!("{per_hour}"));
        }
        plot::text(
            &mut self.shapes,
            (60.0, 385.0),
            "start",
            "across: calls an hour; up: inbound callers refused; red: the target",
        );
        plot::picture(660, 400, "What a reserve buys", &self.shapes);
    }
}
