//! How long 100,000 leads take through campaign, journal in memory and pretended provider, in virtual time.
//!
//! `cargo bench --bench rehearsal`

#[path = "../tests/stage/mod.rs"]
mod stage;

use std::num::NonZeroU32;
use std::time::Duration;

use dialer::campaign::plan::{Plan, Rate};
use dialer::rehearsal::rehearse::Simulation;
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::config::{ProviderConfig, Traffic};
use stage::{START, plan, steady};

const LEADS: u64 = 100_000;

fn main() {
    let only = std::env::args().skip(1).find_map(|text| text.parse::<u32>().ok());
    for (slots, per_second, per_hour) in [(10, 1, 50.0), (100, 5, 500.0), (1_000, 50, 5_000.0)] {
        if only.is_some_and(|only| only != slots) {
            continue;
        }
        let rate = Rate { count: NonZeroU32::new(per_second).expect("not none"), per: Duration::from_secs(1) };
        let plan = Plan { rate, ..plan() };
        let traffic = vec![Traffic::inbound(per_hour, Duration::from_mins(3))];
        let config = ProviderConfig { slots, traffic, ..steady() };
        #[expect(clippy::disallowed_methods, reason = "a benchmark reads a clock")]
        let clock = std::time::Instant::now;
        let began = clock();
        let mut stage = Simulation::new(FakeProvider::new(config, 1, START), 0);
        let journal = stage::journal_of(&plan, stage::leads(LEADS), stage.now());
        stage::start(&mut stage, &plan, journal);
        let listed = began.elapsed();
        stage.play(START + Duration::from_hours(9600), None).expect("a journal in memory");
        let run = stage.runs[0].as_ref().expect("nobody killed it");
        let (took, virtual_hours) = (began.elapsed(), stage.world.now().since(START).as_secs() / 3600);
        println!(
            "{LEADS} leads, {slots} slots: {:.2} s ({:.2} s to list them), {virtual_hours} h of virtual time, {} actions, {:?}",
            took.as_secs_f64(),
            listed.as_secs_f64(),
            run.actions,
            run.outcome.as_ref().map(|outcome| &outcome.why),
        );
    }
}
