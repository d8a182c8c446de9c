//! Several runs at the same time.

use std::time::Duration;

use super::super::accounts::REHEARSAL;
use super::*;
use crate::campaign::attempt::{Cause, State};
use crate::campaign::disposition::Class;
use crate::campaign::plan::{Plan, Reserve};
use crate::campaign::reply::{Denied, LeadNow};
use crate::campaign::seen::SeenCall;
use crate::pool::attempt_id::{AttemptId, Mark};

/// One test for each kind of journal from each of these functions.
macro_rules! every_place {
    ($($test:ident)*) => {
        mod in_a_directory {
            $(#[test] fn $test() { super::$test::<tempfile::TempDir>(); })*
        }
        #[cfg(feature = "postgres")]
        mod in_a_database {
            use crate::journal::suite::place::{Database, is_there};
            $(#[test] fn $test() {
                if is_there() {
                    super::$test::<Database>();
                }
            })*
        }
    };
}

every_place! {
    the_second_run_of_a_campaign_is_told_who_has_it
    claims_of_another_run_take_up_the_room
    calls_observations_and_waits_of_another_run_are_known_until_they_are_over
    the_largest_reserve_of_the_live_runs_counts
    a_number_is_called_by_one_campaign_at_a_time
    what_a_journal_holds_from_the_future_counts_for_nothing_and_is_replaced
    a_number_that_another_campaign_called_lately_is_put_off
    the_calls_of_a_rehearsal_are_nothing_to_a_campaign_that_calls_people
    a_freed_slot_is_left_for_two_polls_to_the_run_with_fewer_calls
    of_two_runs_with_as_many_calls_the_one_that_waits_for_longer_is_first
    what_a_run_has_seen_of_the_pool_is_known_to_others_at_once_and_to_the_next
    whoever_is_alive_follows_what_the_dead_left_behind
    accounts_are_nothing_to_each_other
    what_one_campaign_finds_of_another_waits_for_it
    runs_that_claim_at_the_same_moment_stay_within_the_pool_together
    runs_that_begin_together_on_a_new_directory_all_open_it
}

fn the_second_run_of_a_campaign_is_told_who_has_it<P: Place>() {
    let dir = P::fresh();
    let cast = Cast::new(dir.path(), "leads");
    let first = cast.run(0..3, 0);
    let Err(error) = cast.start(cast.plan(), &list([person(0)]), 5) else { panic!("two runs at once") };
    assert!(matches!(&error, Error::Held { pid: Some(4711), since: Some(_), .. }), "{error:?}");
    assert!(error.to_string().contains("by process 4711"), "{error}");
    drop(first);
    cast.run(0..3, 10);
}

fn claims_of_another_run_take_up_the_room<P: Place>() {
    let dir = P::fresh();
    let (mut a, mut b) = (Cast::new(dir.path(), "a").run(0..9, 0), Cast::new(dir.path(), "bb").run(10..19, 0));
    let (ours, theirs) = (batch(&mut a, 1), batch(&mut b, 1));
    let pool = roomy(4, at(1));
    assert_eq!(claim(&mut a, &ours, pool.clone(), 1).granted.len(), 4);
    let claimed = claim(&mut b, &theirs, pool, 1);
    assert!(claimed.granted.is_empty());
    assert_eq!(claimed.others.unanswered.len(), 4);
    assert!(claimed.others.unanswered.iter().all(|(_, it)| it.claimed == at(1).at && it.failed.is_none()));
}

fn calls_observations_and_waits_of_another_run_are_known_until_they_are_over<P: Place>() {
    let dir = P::fresh();
    let (mut a, mut b) = (Cast::new(dir.path(), "a").run(0..9, 0), Cast::new(dir.path(), "bb").run(10..19, 0));
    let (ours, theirs) = (batch(&mut a, 1), batch(&mut b, 1));
    let attempt = claim(&mut a, &ours[..1], roomy(4, at(1)), 1).granted[0].attempt.clone();
    a.record(at(2), &answered(&attempt, 2)).unwrap();
    let nothing = Pool::new(Duration::from_secs(1), Duration::from_mins(1), 10);
    let claimed = claim(&mut b, &theirs[..1], nothing.clone(), 3);
    assert!(claimed.others.unanswered.is_empty());
    let (call, known) = &claimed.others.calls[0];
    assert_eq!(*call, queued(&attempt, 2).id);
    assert!(known.ours && known.is_up() && known.post.is_some());
    assert_eq!(claimed.others.limit.map(|(_, limit)| limit), Some(8));
    assert_eq!(claimed.others.observation.as_ref().map(|seen| seen.remaining), Some(7));
    assert_eq!(claimed.granted.len(), 1, "what the other has seen is enough to go on");
    a.record(at(30), &listed(vec![ended(&attempt, "customer-busy", 29)], 30)).unwrap();
    let claimed = claim(&mut b, &theirs[1..2], nothing.clone(), 31);
    assert!(claimed.others.calls[0].1.ended.is_some(), "the end is told once");
    assert!(claim(&mut b, &theirs[1..2], nothing.clone(), 32).others.calls.is_empty());
    let other = claim(&mut a, &ours[1..2], roomy(4, at(40)), 40).granted[0].attempt.clone();
    a.record(at(41), &refused(&other, Cause::Rate, 41)).unwrap();
    let claimed = claim(&mut b, &theirs[2..3], nothing, 42);
    assert_eq!((claimed.others.rate_until, claimed.granted.len()), (Some(at(60).at), 0));
}

fn the_largest_reserve_of_the_live_runs_counts<P: Place>() {
    let dir = P::fresh();
    let (careful, hasty) = (Cast::new(dir.path(), "careful"), Cast::new(dir.path(), "hasty"));
    let plan = Plan { reserve: Reserve::always(6), ..careful.plan() };
    let mut run = careful.start(plan, &list([person(50)]), 0).unwrap().0;
    run.share(at(0), &roomy(4, at(0)), 6).unwrap();
    let mut other = hasty.run(0..9, 0);
    let leads = batch(&mut other, 1);
    let claimed = claim(&mut other, &leads, roomy(4, at(1)), 1);
    assert_eq!((claimed.others.reserve, claimed.granted.len()), (6, 1), "3 of the room of 4 are kept besides");
    drop(run);
    let claimed = claim(&mut other, &leads[1..], roomy(4, at(2)), 2);
    assert_eq!(
        (claimed.others.reserve, claimed.granted.len()),
        (0, 4),
        "the dead reserve nothing, and its own is no other's"
    );
}

fn a_number_is_called_by_one_campaign_at_a_time<P: Place>() {
    let dir = P::fresh();
    let (mut a, mut b) = (Cast::new(dir.path(), "a").run(0..1, 0), Cast::new(dir.path(), "bb").run(0..1, 0));
    let (ours, theirs) = (batch(&mut a, 1), batch(&mut b, 1));
    let attempt = claim(&mut a, &ours, roomy(4, at(1)), 1).granted[0].attempt.clone();
    assert_eq!(claim(&mut b, &theirs, roomy(4, at(1)), 1).denied, [(theirs[0], Denied::Later)]);
    a.record(at(2), &answered(&attempt, 2)).unwrap();
    assert_eq!(claim(&mut b, &theirs, roomy(4, at(62)), 62).denied, [(theirs[0], Denied::Later)]);
    a.record(at(80), &listed(vec![ended(&attempt, "customer-busy", 79)], 80)).unwrap();
    assert_eq!(claim(&mut b, &theirs, roomy(4, at(130)), 130).granted.len(), 1);
}

fn what_a_journal_holds_from_the_future_counts_for_nothing_and_is_replaced<P: Place>() {
    let dir = P::fresh();
    let (mut a, mut b) = (Cast::new(dir.path(), "a").run(0..9, 0), Cast::new(dir.path(), "bb").run(10..19, 0));
    let (ours, theirs) = (batch(&mut a, 1), batch(&mut b, 1));
    let mut call = |lead: usize, seconds: i64| {
        let attempt = claim(&mut a, &ours[lead..=lead], roomy(4, at(seconds)), seconds).granted[0].attempt.clone();
        a.record(at(seconds), &answered(&attempt, seconds)).unwrap();
        a.share(at(seconds), &roomy(4, at(seconds)), 3).unwrap();
    };
    call(0, 2);
    let nothing = Pool::new(Duration::from_secs(1), Duration::from_mins(1), 10);
    let known = claim(&mut b, &theirs[..1], nothing.clone(), 3).others;
    assert!(known.limit.is_some() && known.observation.is_some());
    let shell = Disk::open(dir.path(), &mut chance(1)).unwrap();
    let in_2099 = "UPDATE pools SET at = 4102444800000000, last_limit = 3, last_limit_at = 4102444800000000; \
                   UPDATE runs SET seen_limit = 3, seen_limit_at = 4102444800000000; \
                   UPDATE accounts SET watermark = 4102444800000000, known_from = 0";
    shell.db.transact(&shell.file, &shell.patience, &shell.salt, |db| db.batch(in_2099)).unwrap();
    let known = claim(&mut b, &theirs[1..2], nothing.clone(), 4).others;
    assert!(known.limit.is_none() && known.observation.is_none(), "{known:?}");
    assert_eq!(b.history(at(4)).unwrap().last_limit, None);
    call(1, 5);
    let known = claim(&mut b, &theirs[2..3], nothing, 6).others;
    assert!(known.limit.is_some_and(|(_, limit)| limit != 3) && known.observation.is_some(), "{known:?}");
    b.watermark(at(7), stamp(1), stamp(6)).unwrap();
    assert_eq!(b.history(at(7)).unwrap().watermark, Some(stamp(6)));
}

fn a_number_that_another_campaign_called_lately_is_put_off<P: Place>() {
    let dir = P::fresh();
    let (first, second) = (Cast::new(dir.path(), "a"), Cast::new(dir.path(), "bb"));
    let mut a = first.run(0..1, 0);
    let ours = batch(&mut a, 1);
    let attempt = claim(&mut a, &ours, roomy(4, at(1)), 1).granted[0].attempt.clone();
    a.record(at(2), &answered(&attempt, 2)).unwrap();
    a.record(at(80), &listed(vec![ended(&attempt, "customer-busy", 79)], 80)).unwrap();
    let plan = Plan { not_if_called_within: Some(Duration::from_hours(20)), ..second.plan() };
    let mut b = second.start(plan, &list([person(0)]), 100).unwrap().0;
    let account = Account { id: 1, name: "org-1".to_owned() };
    let outlook = b.disk().outlook(&account, "bb", at(0).wall - Duration::from_hours(7 * 24)).unwrap();
    assert_eq!((outlook.to_call, outlook.called_elsewhere), (1, 1));
    let theirs = batch(&mut b, 101);
    assert_eq!(claim(&mut b, &theirs, roomy(4, at(101)), 101).denied, [(theirs[0], Denied::Later)]);
    let Opened::Nobody(rest) = b.open_batch(at(102)).unwrap() else { panic!("somebody") };
    assert_eq!(rest.next_at, Some(at(1 + 20 * 3600).wall));
    let later = 2 + 20 * 3600;
    let theirs = batch(&mut b, later);
    assert_eq!(claim(&mut b, &theirs, roomy(4, at(later)), later).granted.len(), 1);
}

fn the_calls_of_a_rehearsal_are_nothing_to_a_campaign_that_calls_people<P: Place>() {
    let dir = P::fresh();
    let stand_in = Cast { account: REHEARSAL, ..Cast::new(dir.path(), "leads") };
    let mut rehearsal = stand_in.run(0..3, 0);
    let pretended = batch(&mut rehearsal, 1);
    let granted = claim(&mut rehearsal, &pretended, roomy(4, at(1)), 1).granted;
    // The third is on its way for good.
    let [called, opted_out, _] = granted.as_slice() else { panic!("{granted:?}") };
    for it in [called, opted_out] {
        rehearsal.record(at(2), &answered(&it.attempt, 2)).unwrap();
        let end = SeenCall { opt_out: it == opted_out, ..ended(&it.attempt, "customer-ended-call", 79) };
        rehearsal.record(at(80), &listed(vec![end], 80)).unwrap();
    }
    let cast = Cast::new(dir.path(), "leads");
    let plan = Plan { not_if_called_within: Some(Duration::from_hours(20)), ..cast.plan() };
    let mut run = cast.start(plan, &list((0..3).map(person)), 100).unwrap().0;
    let account = Account { id: 2, name: "org-1".to_owned() };
    let outlook = run.disk().outlook(&account, "leads", at(0).wall - Duration::from_hours(7 * 24)).unwrap();
    assert_eq!((outlook.to_call, outlook.called_elsewhere), (3, 0));
    let people = batch(&mut run, 101);
    let claimed = claim(&mut run, &people, roomy(4, at(101)), 101);
    assert_eq!((claimed.granted.len(), claimed.denied.len()), (3, 0), "{:?}", claimed.denied);
    let look = |rehearsal| Disk::look(dir.path()).unwrap().unwrap().known("leads", rehearsal).unwrap().0.len();
    assert_eq!([look(true), look(false)], [2, 0]);
}

fn a_freed_slot_is_left_for_two_polls_to_the_run_with_fewer_calls<P: Place>() {
    let dir = P::fresh();
    let (mut a, mut b) = (Cast::new(dir.path(), "a").run(0..9, 0), Cast::new(dir.path(), "bb").run(10..19, 0));
    let (ours, theirs) = (batch(&mut a, 1), batch(&mut b, 1));
    let first = claim(&mut a, &ours[..2], roomy(4, at(1)), 1);
    assert_eq!((first.granted.len(), first.others.yield_one), (2, false), "nobody has fewer calls than none");
    let claimed = claim(&mut a, &ours[2..], roomy(1, at(2)), 2);
    assert_eq!((claimed.granted.len(), claimed.others.yield_one), (0, true), "of one slot that is free");
    assert!(claim(&mut a, &ours[2..], roomy(1, at(3)), 3).others.yield_one);
    let claimed = claim(&mut a, &ours[2..3], roomy(1, at(4)), 4);
    assert_eq!((claimed.granted.len(), claimed.others.yield_one), (1, false), "it was not taken");
    assert!(!claim(&mut a, &ours[3..4], roomy(9, at(5)), 5).others.yield_one, "and is not left again");
    assert_eq!(claim(&mut b, &theirs[..1], roomy(9, at(6)), 6).granted.len(), 1);
    assert!(claim(&mut a, &ours[4..], roomy(9, at(7)), 7).others.yield_one, "until that run asks");
}

fn of_two_runs_with_as_many_calls_the_one_that_waits_for_longer_is_first<P: Place>() {
    let dir = P::fresh();
    let (mut a, mut b) = (Cast::new(dir.path(), "a").run(0..9, 0), Cast::new(dir.path(), "bb").run(10..19, 0));
    let (ours, theirs) = (batch(&mut a, 1), batch(&mut b, 1));
    let dial = |run: &mut Run, lead: LeadId, seconds: i64| {
        let claimed = claim(run, &[lead], roomy(1, at(seconds)), seconds);
        for granted in &claimed.granted {
            run.record(at(seconds), &answered(&granted.attempt, seconds)).unwrap();
            let over = listed(vec![ended(&granted.attempt, "customer-busy", seconds + 1)], seconds + 1);
            run.record(at(seconds + 1), &over).unwrap();
        }
        claimed.granted.len()
    };
    assert_eq!(dial(&mut a, ours[0], 10), 1);
    assert_eq!(dial(&mut a, ours[1], 20), 0, "the other was never served");
    assert_eq!(dial(&mut b, theirs[0], 21), 1);
    assert_eq!(dial(&mut b, theirs[1], 30), 0, "now it is this one that was served last");
    assert_eq!(dial(&mut a, ours[1], 31), 1);
}

fn what_a_run_has_seen_of_the_pool_is_known_to_others_at_once_and_to_the_next<P: Place>() {
    let dir = P::fresh();
    let (mut a, mut b) = (Cast::new(dir.path(), "a").run(0..9, 0), Cast::new(dir.path(), "bb").run(10..19, 0));
    let theirs = batch(&mut b, 1);
    a.share(at(5), &roomy(0, at(5)), 3).unwrap();
    let nothing = Pool::new(Duration::from_secs(1), Duration::from_mins(1), 10);
    let claimed = claim(&mut b, &theirs[..1], nothing, 6);
    assert_eq!(claimed.others.observation.as_ref().map(|seen| seen.remaining), Some(3));
    assert_eq!((claimed.others.limit.map(|(_, limit)| limit), claimed.granted.len()), (Some(4), 0));
    a.end(at(7)).unwrap();
    b.end(at(7)).unwrap();
    let again = Cast::new(dir.path(), "a");
    let last_limit = |reserve: u32, seconds: i64| {
        let plan = Plan { reserve: Reserve::always(reserve), ..again.plan() };
        let (run, history) = again.start(plan, &list((0..9).map(person)), seconds).unwrap();
        run.end(at(seconds + 1)).unwrap();
        history.last_limit
    };
    assert_eq!(last_limit(3, 100), Some(4));
    assert_eq!(last_limit(4, 200), Some(4), "it leaves no slot, and was seen just now");
    assert_eq!(last_limit(4, 1_000), None, "nobody would dial, and learn of another");
    assert_eq!(last_limit(3, 2_000), Some(4));
}

fn whoever_is_alive_follows_what_the_dead_left_behind<P: Place>() {
    let dir = P::fresh();
    let dead = Cast::new(dir.path(), "dead");
    let mut run = dead.run(0..3, 0);
    let leads = batch(&mut run, 1);
    let granted = claim(&mut run, &leads, roomy(9, at(1)), 1).granted;
    let (up, lost) = (granted[0].attempt.clone(), granted[1].attempt.clone());
    run.record(at(2), &answered(&up, 2)).unwrap();
    let mut others = [Cast::new(dir.path(), "x").run(10..12, 3), Cast::new(dir.path(), "yy").run(20..22, 3)];
    for other in &mut others {
        assert!(other.orphans(at(4)).unwrap().is_empty(), "while it lives they are its own");
    }
    drop(run);
    for other in &mut others {
        let orphans = other.orphans(at(60)).unwrap();
        assert_eq!(orphans.len(), 3);
        let states: Vec<State> = orphans.iter().map(|open| open.state).collect();
        assert!(states.contains(&State::Placed { blocked: false }) && states.contains(&State::InDoubt));
        assert!(orphans.iter().all(|open| !open.ours));
        let doubt = orphans.iter().find(|open| open.attempt == lost).unwrap();
        assert_eq!(doubt.failed, Some(at(60).at));
        assert!(other.orphans(at(61)).unwrap().is_empty(), "they are told once");
    }
    let over = listed(vec![ended(&up, "customer-did-not-answer", 70), queued(&lost, 3)], 71);
    for other in &mut others {
        let changes = other.record(at(71), &over).unwrap().changes;
        assert_eq!(changes.len(), 2, "each run hears of it, whoever wrote it down");
        assert!(changes.iter().all(|change| change.lead.is_none() && change.lead_now == LeadNow::Elsewhere));
        assert!(other.record(at(72), &over).unwrap().changes.is_empty());
    }
    let (mut run, history) = dead.start(dead.plan(), &list((0..3).map(person)), 80).unwrap();
    assert_eq!(history.open.len(), 2);
    assert_eq!(run.totals(at(80)).unwrap().dispositions[&Class::NoAnswer], 1);
}

fn accounts_are_nothing_to_each_other<P: Place>() {
    let dir = P::fresh();
    let other = Cast { account: "org-2", ..Cast::new(dir.path(), "leads") };
    let mut theirs = other.run(0..2, 0);
    let leads = batch(&mut theirs, 1);
    claim(&mut theirs, &leads, roomy(9, at(1)), 1);
    theirs.watermark(at(2), stamp(1), stamp(2)).unwrap();
    let mut ours = Cast::new(dir.path(), "leads").run(10..12, 3);
    drop(theirs);
    assert!(ours.orphans(at(4)).unwrap().is_empty());
    drop(ours);
    let cast = Cast::new(dir.path(), "leads");
    let (_, history) = cast.start(cast.plan(), &list((10..12).map(person)), 5).unwrap();
    assert_eq!(history.watermark, None);
}

fn what_one_campaign_finds_of_another_waits_for_it<P: Place>() {
    let dir = P::fresh();
    let mut run = Cast::new(dir.path(), "a").run(0..2, 0);
    let attempt = AttemptId::mint(&Mark::of("lost"), 3);
    let call = SeenCall { phone: Some(person(5).phone), ..queued(&attempt, -60) };
    assert!(run.record(at(1), &listed(vec![call], 1)).unwrap().strangers.is_empty());
    let lost = Cast::new(dir.path(), "lost");
    let (mut run, history) = lost.start(lost.plan(), &list((4..9).map(person)), 10).unwrap();
    assert_eq!((history.strangers.len(), history.has_attempts), (1, false));
    let changes = run.adopt(at(11)).unwrap();
    assert_eq!((changes.len(), changes[0].lead_now), (1, LeadNow::Busy));
    assert_eq!(batch(&mut run, 12).len(), 4);
}

/// Asks for one lead after another, as fast as it can, minding its own claims.
fn dial_everybody(mut run: Run) -> (Run, Vec<AttemptId>) {
    let leads = batch(&mut run, 1);
    let mut pool = roomy(10, at(1));
    let mut granted = Vec::new();
    for lead in leads {
        for grant in claim(&mut run, &[lead], pool.clone(), 1).granted {
            pool.claimed(grant.attempt.clone(), at(1).at);
            granted.push(grant.attempt);
        }
    }
    (run, granted)
}

fn runs_that_claim_at_the_same_moment_stay_within_the_pool_together<P: Place>() {
    let dir = P::fresh();
    let runs = ["a", "bb", "ccc"].map(|name| Cast::new(dir.path(), name).run(0..40, 0));
    let threads = runs.map(|run| std::thread::spawn(move || dial_everybody(run)));
    let done: Vec<(Run, Vec<AttemptId>)> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let granted: usize = done.iter().map(|(_, granted)| granted.len()).sum();
    assert!((1..=10).contains(&granted), "{granted}");
    let disk = Disk::open(dir.path(), &mut chance(1)).unwrap();
    for n in 0..40 {
        let stories = disk.explain(person(n).phone).unwrap();
        assert!(stories.iter().map(|story| story.attempts.len()).sum::<usize>() <= 1);
    }
}

fn runs_that_begin_together_on_a_new_directory_all_open_it<P: Place>() {
    for _ in 0..20 {
        let dir = P::fresh();
        let start = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            let open = || {
                start.wait();
                Disk::open(dir.path(), &mut chance(7)).map(|disk| disk.campaigns().unwrap().len())
            };
            let all: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            for opened in all {
                assert_eq!(opened.join().unwrap().unwrap(), 0);
            }
        });
    }
}

#[test]
fn a_run_whose_journal_was_deleted_or_replaced_claims_nobody() {
    for part in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let dir = tempfile::tempdir().unwrap();
        let mut run = Cast::new(dir.path(), "leads").run(0..3, 0);
        let leads = batch(&mut run, 1);
        let (file, copy) = (dir.path().join(part), dir.path().join("copy"));
        std::fs::copy(&file, &copy).unwrap();
        let ask = || Ask {
            leads: vec![(leads[0], Line(0))],
            pool: roomy(9, at(2)),
            reserve: 3,
            margin: 0,
            provider_time: stamp(2),
        };
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(run.claim(at(2), ask()), Err(Error::Gone(_))), "{part}");
        std::fs::rename(&copy, &file).unwrap();
        assert!(matches!(run.claim(at(2), ask()), Err(Error::Gone(_))), "{part}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_copy_of_the_directory_does_not_run_beside_the_original() {
    let dir = tempfile::tempdir().unwrap();
    let (original, copy) = (dir.path().join("a"), dir.path().join("b"));
    let run = Cast::new(&original, "leads").run(0..3, 0);
    std::fs::create_dir(&copy).unwrap();
    for file in ["journal.db", "journal.db-wal"] {
        std::fs::copy(original.join(file), copy.join(file)).unwrap();
    }
    let cast = Cast::new(&copy, "leads");
    let start = || cast.start(cast.plan(), &list((0..3).map(person)), 5);
    let refused = start().map(drop).unwrap_err();
    assert!(matches!(&refused, Error::Copied { pid, .. } if *pid == Some(std::process::id())), "{refused}");
    drop(run);
    start().unwrap();
}
