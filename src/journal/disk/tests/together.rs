//! Several things in one transaction.

use super::super::db::Db;
use super::*;
use crate::campaign::attempt::State;
use crate::journal::facts::Attempt;

fn states(disk: &Disk, leads: std::ops::Range<u64>) -> Vec<State> {
    let stories = leads.map(|lead| disk.explain(person(lead).phone).unwrap());
    stories.flat_map(|story| story[0].attempts.iter().map(Attempt::state).collect::<Vec<_>>()).collect()
}

#[test]
fn what_is_written_together_stays_together_or_goes_together() {
    let place = tempfile::tempdir().unwrap();
    let cast = Cast::new(place.path(), "leads");
    let mut run = cast.run(0..2, 0);
    let leads = batch(&mut run, 1);
    let claimed = claim(&mut run, &leads, roomy(5, at(1)), 1);
    let ids: Vec<_> = claimed.granted.into_iter().map(|granted| granted.attempt).collect();
    let outside = Disk::open(place.path(), &mut chance(7)).unwrap();
    let news: Vec<_> = ids.iter().map(|id| answered(id, 2)).collect();
    run.together(|run| {
        run.record(at(2), &news[0])?;
        assert_eq!(states(&outside, 0..2), [State::Claimed; 2], "not yet");
        run.record(at(2), &news[1])
    })
    .unwrap();
    assert!(states(&outside, 0..2).iter().all(|state| matches!(state, State::Placed { .. })));
    let over: Vec<_> = ids.iter().map(|id| listed(vec![ended(id, "customer-busy", 30)], 31)).collect();
    let failed = run.together(|run| {
        run.record(at(31), &over[0])?;
        run.record(at(31), &over[1])?;
        Err::<(), _>(Error::Empty)
    });
    assert!(matches!(failed, Err(Error::Empty)));
    assert!(states(&outside, 0..2).iter().all(|state| matches!(state, State::Placed { .. })));
}

/// A start that works out anew how all the leads of a long list stand writes so many at a time, and whoever waits to
/// write gets in between.
#[test]
fn a_start_that_looks_at_many_leads_lets_others_in_between() {
    const MANY: u64 = 40_000;
    let place = tempfile::tempdir().unwrap();
    let cast = Cast::new(place.path(), "leads");
    let people = list((0..MANY).map(person));
    cast.import(&people, |head| head).unwrap();
    let mut outside = Disk::open(place.path(), &mut chance(7)).unwrap();
    outside.db.batch("UPDATE leads SET stale = 1").unwrap();
    let stale = |db: &Db| db.get::<u64>("SELECT count(*) FROM leads WHERE stale = 1", &[]);
    let (mut last, mut wrote) = (MANY, 0);
    std::thread::scope(|scope| {
        let start = scope.spawn(|| cast.start(cast.plan(), &people, 9).unwrap());
        while !start.is_finished() {
            if stale(&outside.db).unwrap() != last {
                last = outside.within(|db| stale(db)).unwrap();
                wrote += u32::from(last > 0 && last < MANY);
            }
        }
    });
    assert_eq!(stale(&outside.db).unwrap(), 0);
    assert!(wrote > 1, "{wrote}");
}
