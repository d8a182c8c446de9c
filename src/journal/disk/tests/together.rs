//! Several things in one transaction.

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

/// A start that works out anew how all the leads of a long list stand writes so many at a time: what it has done so far
/// is seen by others, who can write in between.
#[test]
fn a_start_that_looks_at_many_leads_lets_others_in_between() {
    let place = tempfile::tempdir().unwrap();
    let cast = Cast::new(place.path(), "leads");
    cast.import(&list((0..7_000).map(person)), |head| head).unwrap();
    let outside = Disk::open(place.path(), &mut chance(7)).unwrap();
    outside.db.batch("UPDATE leads SET stale = 1").unwrap();
    let stale = || outside.db.get::<i64>("SELECT count(*) FROM leads WHERE stale = 1", &[]).unwrap();
    assert_eq!(stale(), 7_000);
    let mut seen = std::collections::BTreeSet::new();
    std::thread::scope(|scope| {
        let start = scope.spawn(|| cast.run(0..7_000, 9));
        while !start.is_finished() {
            seen.insert(stale());
        }
    });
    assert_eq!(stale(), 0);
    assert!(seen.len() > 2, "{seen:?}");
}
