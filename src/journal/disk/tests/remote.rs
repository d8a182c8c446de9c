//! What only a journal on a server has to do: leases, take-overs, connections that break.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::super::db::remote::Target;
use super::super::db::{Db, Postgres};
use super::super::histories::PoolPast;
use super::super::lease::Lease;
use super::*;
use crate::campaign::attempt::State;
use crate::journal::facts::Attempt;
use crate::journal::suite::place::{Database, is_there};
use crate::pool::attempt_id::{AttemptId, Mark};

/// A database of its own, where there is a server.
fn place() -> Option<Database> {
    is_there().then(Database::fresh)
}

/// The leads of a first batch, and the attempt that was claimed on the first of them.
fn claimed(run: &mut Run) -> (Vec<LeadId>, AttemptId) {
    let leads = batch(run, 1);
    let claimed = claim(run, &leads[..1], roomy(5, at(1)), 1);
    (leads, claimed.granted[0].attempt.clone())
}

/// A claim of one lead.
fn asked(lead: LeadId, seconds: i64) -> Ask {
    let (pool, provider_time) = (roomy(5, at(seconds)), stamp(seconds));
    Ask { leads: vec![(lead, Line(0))], pool, reserve: 3, margin: 0, provider_time }
}

/// Says something to the database from outside.
fn tell(disk: &Disk, sql: &str) {
    disk.db.look(|_| Ok(())).unwrap();
    disk.db.batch(sql).unwrap();
}

/// The lease of that campaign ended long ago, and whoever held it renews it no more.
fn end_lease(disk: &Disk, campaign: &str) {
    let mark = Mark::of(campaign);
    tell(disk, &format!("UPDATE dialer.leases SET expires = 0, term = term + 1 WHERE mark = '{}'", mark.as_str()));
}

#[test]
fn a_campaign_is_held_by_one_machine_and_the_second_is_told_which() {
    let Some(place) = place() else { return };
    let cast = Cast::new(place.path(), "leads");
    let run = cast.run(0..3, 0);
    let Err(error) = cast.start(cast.plan(), &list([person(0)]), 5) else { panic!("two runs at once") };
    assert!(matches!(&error, Error::Held { pid: Some(4711), host: Some(_), since: Some(_), .. }), "{error:?}");
    assert!(error.to_string().contains(" by process 4711 on "), "{error}");
    let shown = || run.disk().campaigns().unwrap().remove(0).running.unwrap();
    assert_eq!((shown().pid, shown().host), (4711, None), "it is this machine");
    tell(run.disk(), "UPDATE dialer.runs SET host = 'far'");
    assert_eq!(shown().process(), "process 4711 on far");
    run.end(at(6)).unwrap();
    cast.run(0..3, 10);
}

#[test]
fn a_run_that_was_taken_over_writes_nothing_more() {
    let Some(place) = place() else { return };
    let cast = Cast::new(place.path(), "leads");
    let mut slow = cast.run(0..3, 0);
    let (leads, attempt) = claimed(&mut slow);
    let publisher = slow.publisher()().unwrap();
    let mut book = slow.results_book(place.path())(&mut chance(9)).unwrap();
    publisher.publish(at(2).wall, "{}").unwrap();
    book.wrote(&[(leads[0], 1)], None).unwrap();
    end_lease(slow.disk(), "leads");
    let mut next = cast.run(0..3, 5);
    let lost = slow.record(at(6), &answered(&attempt, 6)).unwrap_err();
    assert!(matches!(&lost, Error::TakenOver { pid: Some(4711), host: Some(_), .. }), "{lost:?}");
    assert!(matches!(slow.claim(at(6), asked(leads[1], 6)), Err(Error::TakenOver { .. })));
    assert!(matches!(publisher.publish(at(6).wall, "late"), Err(Error::TakenOver { .. })));
    assert!(matches!(publisher.keep_pool(&PoolPast::default()), Err(Error::TakenOver { .. })));
    assert!(matches!(book.still_ours(), Err(Error::TakenOver { .. })), "before a row goes into the file");
    assert!(matches!(book.wrote(&[(leads[0], 1)], None), Err(Error::TakenOver { .. })));
    drop(slow);
    let open = next.history(at(7)).unwrap().open;
    assert_eq!(open.len(), 0, "it was told of them at its start");
    let stories = next.disk().explain(person(0).phone).unwrap();
    assert_eq!(stories[0].attempts[0].state(), State::InDoubt);
    assert!(next.control(at(8)).is_ok());
}

#[test]
fn a_lease_that_ended_and_that_nobody_took_is_its_holders_still() {
    let Some(place) = place() else { return };
    let (cast, other) = (Cast::new(place.path(), "leads"), Cast::new(place.path(), "other"));
    let mut run = cast.run(0..3, 0);
    let (_, attempt) = claimed(&mut run);
    tell(
        run.disk(),
        "UPDATE dialer.leases SET expires = (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT - 60000000",
    );
    let mut beside = other.run(5..8, 3);
    assert!(beside.orphans(at(4)).unwrap().is_empty(), "the database may have been away for both");
    run.record(at(5), &answered(&attempt, 5)).unwrap();
    end_lease(run.disk(), "leads");
    assert_eq!(beside.orphans(at(6)).unwrap().len(), 1, "it has been gone for long");
    assert!(matches!(run.share(at(7), &roomy(5, at(7)), 3), Err(Error::TakenOver { .. })));
}

#[test]
fn a_lease_outlives_its_first_end_and_goes_with_its_holder() {
    let Some(place) = place() else { return };
    let disk = Disk::open(place.path(), &mut chance(7)).unwrap();
    let Db::Postgres(server) = &disk.db else { panic!("no server") };
    let take = || Lease::take(server, "org-1", "leads", 1, at(0));
    let lease = take().unwrap();
    assert!(lease.left() > Duration::from_secs(13) && lease.left() <= Duration::from_secs(14));
    std::thread::park_timeout(Duration::from_secs(6));
    assert!(lease.left() > Duration::from_secs(12), "it was renewed: {:?}", lease.left());
    assert!(take().is_err());
    drop(lease);
    take().unwrap();
}

#[test]
fn what_was_claimed_when_the_answer_was_lost_is_taken_back_and_claimed_anew() {
    let Some(place) = place() else { return };
    let cast = Cast::new(place.path(), "leads");
    let mut run = cast.run(0..3, 0);
    let leads = batch(&mut run, 1);
    let Db::Postgres(server) = &run.disk().db else { panic!("no server") };
    server.lose_answer(1);
    assert!(matches!(run.claim(at(1), asked(leads[0], 1)), Err(Error::Away { .. })));
    let (claimed, claims) = run.claim(at(2), asked(leads[0], 2)).unwrap();
    assert_eq!((claimed.granted.len(), claims.len()), (1, 1), "{:?}", claimed.denied);
    let stories = run.disk().explain(person(0).phone).unwrap();
    let states: Vec<State> = stories[0].attempts.iter().map(Attempt::state).collect();
    assert_eq!(states.len(), 2, "the first was committed");
    assert!(matches!(states[0], State::Refused(_)) && states[1] == State::Claimed, "{states:?}");
}

#[test]
fn a_claim_is_three_round_trips_and_news_are_four() {
    let Some(place) = place() else { return };
    let cast = Cast::new(place.path(), "leads");
    let mut run = cast.run(0..10, 0);
    let leads = batch(&mut run, 1);
    let trips = |run: &Run| {
        let Db::Postgres(server) = &run.disk().db else { panic!("no server") };
        server.round_trips()
    };
    trips(&run);
    let made = claim(&mut run, &leads[..3], roomy(5, at(1)), 1);
    assert_eq!((made.granted.len(), trips(&run)), (3, 3));
    let other = Cast::new(place.path(), "others");
    let mut another = other.run(20..30, 1);
    let theirs = batch(&mut another, 1);
    claim(&mut another, &theirs[..2], roomy(5, at(2)), 2);
    trips(&run);
    let made = claim(&mut run, &leads[3..5], roomy(5, at(3)), 3);
    assert!(made.others.yield_one && made.others.unanswered.len() == 2, "{:?}", made.others);
    assert_eq!((made.granted.len(), trips(&run)), (2, 3));
    run.record(at(4), &answered(&made.granted[0].attempt, 4)).unwrap();
    assert_eq!(trips(&run), 4);
}

#[test]
fn news_that_a_broken_connection_lost_is_told_again() {
    let Some(place) = place() else { return };
    let cast = Cast::new(place.path(), "leads");
    let mut run = cast.run(0..3, 0);
    let (_, attempt) = claimed(&mut run);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
               AND datname = current_database()";
    let outside = Disk::open(place.path(), &mut chance(7)).unwrap();
    tell(&outside, cut);
    let tried = (0..3).find_map(|_| run.record(at(2), &answered(&attempt, 2)).ok());
    assert_eq!(tried.unwrap().changes.len(), 1);
    let Db::Postgres(server) = &run.disk().db else { panic!("no server") };
    server.lose_answer(1);
    let over = listed(vec![ended(&attempt, "customer-busy", 30)], 31);
    assert!(matches!(run.record(at(31), &over), Err(Error::Away { .. })));
    assert_eq!(run.record(at(31), &over).unwrap().changes.len(), 1, "it was written, and is told all the same");
    run.end(at(40)).unwrap();
}

/// Opened by somebody who waits while the server is away.
fn waiting(place: &Database) -> Disk {
    Disk::open_while(place.path(), &mut chance(7), Some(Arc::new(|_: &Error| true)), Duration::from_mins(1)).unwrap()
}

#[test]
fn a_start_that_the_database_broke_off_is_made_again() {
    let Some(place) = place() else { return };
    let (mut disk, outside) = (waiting(&place), waiting(&place));
    let lose = |disk: &Disk, nth| {
        let Db::Postgres(server) = &disk.db else { panic!("no server") };
        server.lose_answer(nth);
    };
    lose(&disk, 1);
    let account = disk.remember_account("org-1", "https://api.vapi.ai", "key").unwrap();
    lose(&disk, 1);
    let url = place.path().to_owned();
    std::thread::spawn(move || {
        std::thread::park_timeout(Duration::from_secs(1));
        tell(&Disk::open(&url, &mut chance(7)).unwrap(), "UPDATE dialer.leases SET expires = 0");
    });
    let lock = disk.hold(&account, "leads", 4711, at(0)).unwrap();
    let head = Cast::new(place.path(), "leads").head(&account);
    let people = list((0..3).map(person));
    lose(&disk, 3);
    let broken = disk.import(&lock, &head, at(1), &mut rows(&people)).map_err(journal_error).unwrap_err();
    assert!(disk.is_again(&broken, &mut None), "its rows are gone: whoever reads the list reads it again: {broken}");
    assert_eq!(disk.import(&lock, &head, at(1), &mut rows(&people)).unwrap().leads, 3);
    lose(&disk, 2);
    let (plan, chance) = (plan(), chance(1));
    let start = Start { account, lock, plan, pool: "org-1".to_owned(), pid: 4711, chance, dnc: Box::new(|_| false) };
    let (mut run, _) = disk.begin(at(2), start).unwrap();
    lose(run.disk(), 1);
    assert_eq!(run.history(at(2)).unwrap().unsettled, 3);
    run.wait_at_most(Duration::from_secs(1));
    lose(run.disk(), 1);
    assert!(matches!(run.totals(at(3)), Err(Error::Away { .. })), "from here on the run itself asks again");
    let alive = "SELECT count(*) FROM runs WHERE ended IS NULL";
    assert_eq!(outside.db.look(|db| db.get::<u64>(alive, &[])).unwrap(), 1);
}

#[test]
fn claims_have_the_end_of_the_lease() {
    let Some(place) = place() else { return };
    let cast = Cast::new(place.path(), "leads");
    let mut run = cast.run(0..3, 0);
    let leads = batch(&mut run, 1);
    let (_, claims) = run.claim(at(1), asked(leads[0], 1)).unwrap();
    assert!(claims[0].may_go(at(2).at, at(1).at));
    assert!(!claims[0].may_go(at(16).at, at(1).at), "another machine may have the campaign by then");
}

#[test]
fn a_server_that_forgets_and_a_newer_schema_are_refused() {
    let Some(place) = place() else { return };
    let disk = Disk::open(place.path(), &mut chance(7)).unwrap();
    assert!(Disk::look(place.path()).unwrap().is_some());
    tell(&disk, "UPDATE dialer.schema_version SET version = 99");
    for refused in [Disk::open(place.path(), &mut chance(7)).map(drop), Disk::look(place.path()).map(drop)] {
        assert!(matches!(refused, Err(Error::Version { found: 99, .. })), "{refused:?}");
    }
    let mut disk = disk;
    let said = disk.suppress(person(0).phone, "asked", at(0)).unwrap_err();
    assert!(matches!(said, Error::Version { found: 99, .. }), "one that was open before stops, too: {said}");
}

#[test]
fn a_database_of_the_version_before_is_brought_forward() {
    let Some(place) = place() else { return };
    let server = Postgres::new(Target::parse(place.path().to_str().unwrap()).unwrap());
    let old = include_str!("../schema.postgres.sql");
    let filled = "INSERT INTO schema_version VALUES (7); INSERT INTO settings VALUES ('salt', '\\x07')";
    server.batch(&format!("CREATE SCHEMA dialer; SET search_path = dialer; {old}; {filled}")).unwrap();
    let seen = Disk::look(place.path()).unwrap().unwrap();
    assert_eq!(seen.salt, [7]);
    let cast = Cast::new(place.path(), "leads");
    let run = cast.run(0..3, 0);
    assert_eq!(run.disk().campaigns().unwrap()[0].totals.total, 3);
    tell(run.disk(), "UPDATE dialer.schema_version SET version = 6");
    assert!(matches!(Disk::open(place.path(), &mut chance(7)), Err(Error::Version { found: 6, .. })));
}

#[test]
fn nothing_is_there_before_the_first_use() {
    let Some(place) = place() else { return };
    assert!(Disk::look(place.path()).unwrap().is_none());
    let nowhere = Path::new("postgres://me@127.0.0.1:1/d");
    let away = Disk::look(nowhere).map(drop).unwrap_err();
    assert!(matches!(&away, Error::Away { .. }), "{away}");
}

#[test]
fn a_server_that_is_away_is_waited_for_as_long_as_is_said() {
    let nowhere = Path::new("postgres://me@127.0.0.1:1/d");
    let open = |keep: bool, away| {
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let keep = Arc::new(move |_: &Error| {
            count.fetch_add(1, Ordering::Relaxed);
            keep
        });
        let error = Disk::open_while(nowhere, &mut chance(7), Some(keep), away).map(drop).unwrap_err();
        (error, asked.load(Ordering::Relaxed))
    };
    let minute = Duration::from_mins(1);
    assert!(matches!(open(true, Duration::ZERO), (Error::Away { .. }, 0)), "nobody is to wait");
    assert!(matches!(open(false, minute), (Error::Away { .. }, 1)), "whoever waits is asked");
    let (error, asked) = open(true, Duration::from_millis(1));
    assert!(matches!(&error, Error::Trouble { .. }) && asked > 0, "{error}");
}
