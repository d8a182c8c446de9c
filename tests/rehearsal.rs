//! Whole campaigns in virtual time, against a pretended provider.

use std::num::NonZeroU32;
use std::time::Duration;

use dialer::campaign::event::Why;
use dialer::campaign::hours::Calling;
use dialer::campaign::plan::{Plan, Rate, Reserve};
use dialer::campaign::retry::Retries;
use dialer::journal::memory::Memory;
use dialer::journal::{Journal, Listed};
use dialer::leads::lead::{Lead, Phone};
use dialer::rehearsal::rehearse::{Setup, Stage};
use dialer::rehearsal::world::World;
use dialer::rehearsal::world::config::WorldConfig;
use dialer::time::Stamp;

const START: Stamp = Stamp::from_micros(1_767_225_600_000_000);

fn plan() -> Plan {
    let poll = Duration::from_secs(1);
    Plan {
        campaign: "leads".to_owned(),
        poll,
        probe_after: poll * 60,
        in_doubt: Some(Duration::from_secs(600)),
        look_back: Duration::from_secs(7 * 86_400),
        adopt: false,
        reserve: Reserve::always(3),
        slots: None,
        max_concurrent: None,
        caution: 0,
        batch_size: 50,
        drain: false,
        rate: Rate { count: NonZeroU32::MIN, per: Duration::from_secs(1) },
        calling: Calling::any(),
        retries: Retries::never(),
        not_if_called_within: None,
        limit: None,
        max_cost: None,
        until: None,
        wait: false,
        lines: vec!["line".to_owned()],
        longest_call: Duration::from_secs(660),
        seed: 1,
    }
}

fn leads(count: u64) -> Vec<Listed> {
    (0..count)
        .map(|n| Listed {
            file_index: 0,
            line: n + 2,
            lead: Lead {
                phone: Phone::from_digits(14_155_550_000 + n).unwrap(),
                extension: None,
                name: None,
                variables: Vec::new(),
                zones: Vec::new(),
                assistant_id: None,
                phone_number_id: None,
            },
        })
        .collect()
}

fn seeded(seed: u64) -> Box<dyn FnMut() -> u128 + Send> {
    let mut state = u128::from(seed) << 64 | 0x9e37_79b9_7f4a_7c15;
    Box::new(move || {
        state = state.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(0x5851_f42d_4c95_7f2d);
        state ^ (state >> 61)
    })
}

#[test]
fn a_list_is_rung_to_its_end_and_nobody_twice() {
    let mut stage = Stage::new(World::new(WorldConfig::default(), 1, START), 0);
    let mut journal = Memory::new(plan(), seeded(1), Box::new(|_| false));
    let mut rows = leads(120).into_iter().map(Ok::<_, std::convert::Infallible>);
    journal.import(stage.now(), &mut rows, false).unwrap();
    let place = stage.start(Setup { plan: plan(), journal, org: 0, post_timeout: Duration::from_secs(30) }).unwrap();
    stage.trace = Some(String::new());
    stage.play(START + Duration::from_secs(86_400), None).unwrap();
    let now = stage.now();
    let run = stage.runs[place].as_mut().unwrap();
    if std::env::var_os("SHOW_TRACE").is_some() {
        println!("{}", stage.trace.as_deref().unwrap());
    }
    assert_eq!(run.outcome.as_ref().map(|outcome| &outcome.why), Some(&Why::Complete), "{:?}", run.notices);
    let totals = run.journal.totals(now).unwrap();
    assert_eq!((totals.total, totals.settled), (120, 120));
    let rung = stage.world.rung();
    assert!(rung.values().all(|times| *times == 1), "{rung:?}");
    println!("{} {:?} {:?}", now.at, run.campaign.tally(), stage.world.counts());
}
