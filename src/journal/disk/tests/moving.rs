//! A journal that is moved into a database and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::moving::rows::INSTANTS;
use super::super::moving::{Moved, move_journal};
use super::plans::everything;
use super::*;
use crate::drive::clock::Clock;
use crate::journal::suite::place::{Database, is_there};

fn moved(from: &Path, to: &Path) -> Result<Moved, Error> {
    let clock = Clock::real();
    let keep = Arc::new(|_: &Error| true) as _;
    move_journal((from, to), 4711, &|| clock.now(), &mut chance(5), &keep).map(|moved| moved.expect("a journal"))
}

/// Every row of every table but the settings; instants as they lie to the first claim.
fn rows_of(dir: &Path) -> BTreeMap<String, Vec<String>> {
    let db = rusqlite::Connection::open(dir.join("journal.db")).unwrap();
    let all = |sql: &str| -> Vec<String> {
        let mut found = db.prepare(sql).unwrap();
        found.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let tables = all("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'settings'").into_iter();
    let rows = |table: String| {
        let instants = INSTANTS.iter().find(|(name, _)| *name == table).map_or(&[][..], |(_, columns)| columns);
        let columns = all(&format!("SELECT name FROM pragma_table_info('{table}')")).into_iter().map(|column| {
            let is_instant = instants.contains(&column.as_str());
            let column = if is_instant { format!("{column} - (SELECT min(claimed) FROM attempts)") } else { column };
            format!("quote({column})")
        });
        let columns = columns.collect::<Vec<_>>().join(" || '|' || ");
        let rows = all(&format!("SELECT {columns} FROM {table} ORDER BY 1"));
        (table, rows)
    };
    tables.map(rows).collect()
}

#[test]
fn every_instant_is_known_to_be_one() {
    let mut table = "";
    for line in include_str!("../schema.sqlite.sql").lines() {
        if let Some(name) = line.strip_prefix("CREATE TABLE ") {
            table = name.split(' ').next().unwrap();
        }
        if line.contains("-- instant") {
            let column = line.trim().split(' ').next().unwrap();
            let known = INSTANTS.iter().any(|(name, columns)| *name == table && columns.contains(&column));
            assert!(known, "{table}.{column}");
        }
    }
}

#[test]
fn a_journal_is_the_same_after_a_move_and_back() {
    if !is_there() {
        return;
    }
    let (dir, place, back) = (tempfile::tempdir().unwrap(), Database::fresh(), tempfile::tempdir().unwrap());
    everything(dir.path());
    let mut disk = Disk::open(dir.path(), &mut chance(7)).unwrap();
    disk.suppress(person(7).phone, "asked", at(0)).unwrap();
    let more = r#"INSERT INTO live_status VALUES (1, 1, 5, '{}'); INSERT INTO results_files VALUES (1, '/r', -1, 7, 3);
        INSERT INTO analyses (attempt, summary, structured) VALUES ('a', 'tab	, line
        and ?', '{"b\n":1}')"#;
    disk.db.batch(more).unwrap();
    drop(disk);
    let before = rows_of(dir.path());
    let there = moved(dir.path(), place.path()).unwrap();
    assert_eq!((there.campaigns, there.already), (1, false));
    assert_eq!(rows_of(dir.path()), before, "the old place keeps what it had");
    assert!(matches!(moved(dir.path(), place.path()), Ok(Moved { already: true, .. })));
    assert_eq!(moved(place.path(), back.path()).unwrap(), there);
    let after = rows_of(back.path());
    for (table, rows) in &before {
        assert!(!rows.is_empty(), "{table} is not tried");
        assert_eq!(&after[table], rows, "{table}");
    }
    let schema = |dir: &Path| super::plans::schema_of(Disk::open(dir, &mut chance(7)).unwrap().db.sqlite());
    let fresh = tempfile::tempdir().unwrap();
    assert_eq!(schema(back.path()), schema(fresh.path()));
    let disk = Disk::open(back.path(), &mut chance(7)).unwrap();
    assert!(disk.suppressed(person(7).phone).unwrap().is_some(), "the salt came with it");
}

#[test]
fn a_campaign_goes_on_where_it_was_moved_to_and_nowhere_else() {
    if !is_there() {
        return;
    }
    let (dir, place) = (tempfile::tempdir().unwrap(), Database::fresh());
    let (here, there) = (Cast::new(dir.path(), "leads"), Cast::new(place.path(), "leads"));
    let mut run = here.run(0..4, 0);
    let leads = batch(&mut run, 1);
    let granted = claim(&mut run, &leads[..2], roomy(5, at(1)), 1).granted;
    let over = ended(&granted[0].attempt, "customer-did-not-answer", 30);
    run.record(at(2), &answered(&granted[0].attempt, 2)).unwrap();
    run.record(at(31), &listed(vec![over], 31)).unwrap();
    let held = moved(dir.path(), place.path()).unwrap_err();
    assert!(matches!(&held, Error::Held { pid: Some(4711), .. }), "{held}");
    drop(run);
    let mut late = Disk::open(dir.path(), &mut chance(1)).unwrap();
    let mut early = Disk::open(place.path(), &mut chance(1)).unwrap();
    moved(dir.path(), place.path()).unwrap();
    let refused = late.suppress(person(3).phone, "asked", at(40)).unwrap_err();
    assert!(matches!(&refused, Error::Moved { to, .. } if to.starts_with("postgres://")), "{refused}");
    let refused = early.suppress(person(3).phone, "asked", at(40)).unwrap_err();
    assert!(matches!(refused, Error::Gone(_)), "its salt is another: {refused}");
    for refused in [Disk::open(dir.path(), &mut chance(1)).map(drop), Disk::look(dir.path()).map(drop)] {
        assert!(matches!(refused, Err(Error::Moved { .. })), "{refused:?}");
    }
    assert!(here.start(here.plan(), &list((0..4).map(person)), 50).is_err());

    let (mut run, history) = there.start(there.plan(), &list((0..4).map(person)), 60).unwrap();
    assert_eq!(history.open.iter().map(|open| &open.attempt).collect::<Vec<_>>(), [&granted[1].attempt]);
    let totals = run.totals(at(61)).unwrap();
    assert_eq!((totals.total, totals.settled, totals.in_doubt), (4, 1, 1));
    assert_eq!(batch(&mut run, 61), leads[2..], "the batch that was open goes on");
    let back = tempfile::tempdir().unwrap();
    let held = moved(place.path(), back.path()).unwrap_err();
    assert!(matches!(&held, Error::Held { campaign, pid: Some(4711), .. } if campaign == "leads"), "{held}");
    run.end(at(70)).unwrap();
    moved(place.path(), dir.path()).unwrap();
    assert_eq!(batch(&mut here.run(0..4, 80), 81), leads[2..], "the old place may take it back");
}

#[test]
fn nothing_is_written_over_and_nothing_moved_by_half() {
    if !is_there() {
        return;
    }
    let (dir, other, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Database::fresh());
    everything(dir.path());
    Cast::new(other.path(), "leads").run(0..3, 0).end(at(1)).unwrap();
    let unreadable = "UPDATE suppressions SET reason = CAST(x'ff' AS TEXT)";
    let change = |sql: &str| Disk::open(dir.path(), &mut chance(1)).unwrap().db.batch(sql).unwrap();
    change("INSERT INTO suppressions (hash, reason, at) VALUES (x'01', 'asked', 0)");
    change(unreadable);
    let broken = moved(dir.path(), place.path()).unwrap_err();
    assert!(matches!(&broken, Error::Damage { file, .. } if file.starts_with(dir.path())), "{broken}");
    assert!(Disk::open(place.path(), &mut chance(1)).unwrap().campaigns().unwrap().is_empty());
    change("UPDATE suppressions SET reason = 'asked'");
    // Killed when the source was marked, and the target was not committed.
    let name = place.path().display().to_string();
    change(&format!("INSERT INTO settings (name, value) VALUES ('moved', CAST('{name}' AS BLOB))"));
    assert!(Disk::open(dir.path(), &mut chance(1)).is_err());
    let nowhere = moved(dir.path(), other.path()).unwrap_err();
    assert!(matches!(nowhere, Error::Moved { .. }), "it may be there: {nowhere}");
    assert!(!moved(dir.path(), place.path()).unwrap().already);

    assert!(matches!(moved(other.path(), place.path()), Err(Error::NotEmpty(_))));
    let next = tempfile::tempdir().unwrap();
    moved(place.path(), next.path()).unwrap();
    let stale = moved(dir.path(), place.path()).unwrap_err();
    assert!(matches!(&stale, Error::Moved { file, .. } if *file == place.path()), "it went on from there: {stale}");
    assert!(matches!(moved(other.path(), place.path()), Err(Error::NotEmpty(_))));
}
