//! What the estimate of free slots promises, held against a world that knows the truth.

use std::time::Duration;

use crate::feeder::{Feeder, POLL, PROBE_AFTER, Told};
use dialer::pool::Pool;
use dialer::pool::attempt_id::{AttemptId, Mark};
use dialer::rehearsal::world::config::{BlockedAs, ProviderConfig, Traffic};
use dialer::rehearsal::world::fault::{Fault, Faults};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Post(u8),
    Read,
    Limit(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..400_u64).prop_map(Step::Wait),
        3 => (400..20_000_u64).prop_map(Step::Wait),
        1 => (20_000..90_000_u64).prop_map(Step::Wait),
        4 => (1..5_u8).prop_map(Step::Post),
        5 => Just(Step::Read),
        1 => (1..16_u32).prop_map(Step::Limit),
    ];
    prop::collection::vec(step, 1..120)
}

/// Faults that change what is known of the pool.
const FAULTS: [Fault; 8] = [
    Fault::ErrorBefore,
    Fault::ErrorAfter,
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::Slow,
    Fault::Html,
    Fault::NoLimits,
    Fault::MinusOne,
];

prop_compose! {
    fn worlds()(
        slots in 1..14_u32,
        per_hour in 0.0..300.0_f64,
        hidden in 0.0..150.0_f64,
        shape in 0..5_usize,
        fault in prop_oneof![Just(0.0), 0.0..0.15_f64],
        lag in 0..190_u64,
        travel in 1..400_u64,
    ) -> ProviderConfig {
        let theirs = Traffic { org: Some(1), ..Traffic::inbound(hidden, Duration::from_mins(2)) };
        let ours = Traffic { org: Some(0), ..Traffic::inbound(per_hour, Duration::from_mins(2)) };
        ProviderConfig {
            slots,
            orgs: 2,
            traffic: vec![ours, theirs],
            blocked_as: BlockedAs::ALL[shape],
            faults: Faults::all_of(&FAULTS, fault),
            count_lag: Duration::from_millis(lag),
            travel: (Duration::from_millis(1), Duration::from_millis(travel)),
            ..ProviderConfig::default()
        }
    }
}

fn play(config: ProviderConfig, seed: u64, skew: i64, steps: &[Step], mut check: impl FnMut(&Feeder)) -> Feeder {
    let mut feeder = Feeder::new(config, seed, skew);
    for step in steps {
        match step {
            Step::Wait(milliseconds) => feeder.wait(Duration::from_millis(*milliseconds)),
            Step::Post(calls) => (0..*calls).for_each(|_| feeder.post()),
            Step::Read => feeder.read(),
            Step::Limit(limit) => {
                feeder.world.set_limit(feeder.world.now(), *limit);
                feeder.wait(Duration::from_secs(2));
            }
        }
        check(&feeder);
    }
    feeder
}

/// How much room there is, and how many dials are allowed.
fn allowed(pool: &Pool, feeder: &Feeder, reserve: u32) -> (u32, u32) {
    let allowance = pool.allowed(feeder.now(), reserve, 0);
    (allowance.room, allowance.dials)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn free_is_never_above_the_truth_where_slots_come_free_late(
        config in worlds(), seed: u64, skew in -90_000..90_000_i64, steps in steps(), lag in 1..5_000_u64,
    ) {
        let config = ProviderConfig { release_lag: Duration::from_millis(lag), ..config };
        play(config, seed, skew, &steps, |feeder| {
            let free = feeder.pool.allowed(feeder.now(), 0, 0).free;
            let most = feeder.most_free();
            assert!(free <= most, "thought to be free: {free}, at most: {most}\n{:?}\nTRUTH {:?}", feeder.pool, feeder.truth());
        });
    }

    #[test]
    fn free_is_never_above_the_truth(
        config in worlds(), seed: u64, skew in -90_000..90_000_i64, steps in steps(),
    ) {
        play(config, seed, skew, &steps, |feeder| {
            let free = feeder.pool.allowed(feeder.now(), 0, 0).free;
            let most = feeder.most_free();
            assert!(free <= most, "thought to be free: {free}, at most: {most}\n{:?}\nTRUTH {:?}", feeder.pool, feeder.truth());
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn shuffling_or_doubling_the_news_changes_nothing(
        config in worlds(), seed: u64, steps in steps(), order in any::<prop::sample::Index>(), keys: Vec<u8>,
    ) {
        let feeder = play(config, seed, 0, &steps[..steps.len().min(40)], |_| {});
        let mut shuffled = Pool::new(POLL, PROBE_AFTER, feeder.assumed);
        let mut known = shuffled.clone();
        let (claims, news): (Vec<&Told>, Vec<&Told>) =
            feeder.told.iter().partition(|told| matches!(told, Told::Claimed(..) | Told::Date(..)));
        for told in claims {
            told.tell(&mut known);
            told.tell(&mut shuffled);
        }
        // How far the clocks are apart is learnt from the same answers; here it is known from the start.
        for told in &news {
            if let Told::Answered(_, call, _, wire, _) = told {
                known.offset.hear_created(call.from, wire.sent, wire.received);
            }
        }
        shuffled.offset = known.offset.clone();
        for told in &news {
            told.tell(&mut known);
        }
        let key = |place: usize| keys.get(place % keys.len().max(1)).map_or(0, |key| usize::from(*key) * 31 + place);
        let mut turns: Vec<usize> = (0..news.len()).chain(0..news.len() / 3).collect();
        turns.sort_by_key(|place| key(*place + order.index(7)) % (news.len() + 1));
        for turn in turns {
            news[turn].tell(&mut shuffled);
        }
        for reserve in 0..4 {
            prop_assert_eq!(
                known.allowed(feeder.now(), reserve, 0), shuffled.allowed(feeder.now(), reserve, 0),
                "{:?}\n{:?}", known, shuffled
            );
            prop_assert_eq!(known.slots(reserve), shuffled.slots(reserve));
        }
    }

    #[test]
    fn more_unanswered_or_a_larger_reserve_never_gives_more(
        config in worlds(), seed: u64, steps in steps(), reserve in 0..6_u32, doubt: bool, later in 0..200_u64,
    ) {
        let mut feeder = play(config, seed, 0, &steps, |_| {});
        feeder.wait(Duration::from_secs(later));
        let (room, dials) = allowed(&feeder.pool, &feeder, reserve);
        let (less_room, fewer_dials) = allowed(&feeder.pool, &feeder, reserve + 1);
        prop_assert!(less_room <= room && fewer_dials <= dials);
        let cautious = feeder.pool.allowed(feeder.now(), reserve, 1);
        prop_assert_eq!((cautious.room, cautious.dials), (less_room, fewer_dials));
        let mut pool = feeder.pool.clone();
        let attempt = AttemptId::mint(&Mark::of("another"), 1);
        if doubt {
            pool.doubted(attempt, feeder.now());
        } else {
            pool.claimed(attempt, feeder.now());
        }
        let (less_room, fewer_dials) = allowed(&pool, &feeder, reserve);
        prop_assert!(less_room <= room && fewer_dials <= dials, "{} {}", room, dials);
    }

    #[test]
    fn where_there_is_room_all_that_is_held_fits_the_limit(
        config in worlds(), seed: u64, steps in steps(), reserve in 0..6_u32,
    ) {
        play(config, seed, 0, &steps, |feeder| {
            let (room, dials) = allowed(&feeder.pool, feeder, reserve);
            let slots = feeder.pool.slots(reserve);
            assert_eq!(slots.ours + slots.others + slots.free + slots.kept, slots.limit.max(slots.ours));
            if room > 0 {
                assert!(room + reserve + slots.ours + slots.others <= feeder.pool.limit());
                // What is shown is what is likely: no less than what is sure.
                assert!(slots.free >= room && slots.kept == reserve);
                assert!(dials <= room);
            }
        });
    }

    #[test]
    fn whoever_waits_is_dialed_in_the_end_unless_what_we_see_fills_the_pool(
        config in worlds(), seed: u64, steps in steps(), reserve in 0..4_u32,
    ) {
        let mut feeder = play(config, seed, 0, &steps, |_| {});
        let mut waited = Duration::ZERO;
        loop {
            let (_, dials) = allowed(&feeder.pool, &feeder, reserve);
            let seen_full = feeder.calls_seen_up() + reserve >= feeder.pool.limit();
            if dials > 0 || seen_full {
                break;
            }
            prop_assert!(waited < Duration::from_hours(1), "nothing in an hour: {:?}", feeder.pool);
            feeder.wait(POLL);
            feeder.read();
            waited += POLL;
        }
    }
}
