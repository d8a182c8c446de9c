//! A journal that is not what was written: it opens with a part of the facts, or refuses, and never panics.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::pool::attempt_id::AttemptId;

/// A state directory as a killed run leaves it: some attempts in the database, some only in its log.
fn left_by_a_killed_run() -> (tempfile::TempDir, PathBuf, Vec<AttemptId>) {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    let cast = Cast::new(&live, "leads");
    let mut attempts = Vec::new();
    cast.run(0..40, 0).end(at(1)).unwrap();
    let mut run = cast.run(0..40, 2);
    let leads = batch(&mut run, 3);
    for (lead, seconds) in leads.iter().zip(4..) {
        let granted = claim(&mut run, &[*lead], roomy(9, at(seconds)), seconds).granted;
        let attempt = granted[0].attempt.clone();
        run.record(at(seconds), &answered(&attempt, seconds)).unwrap();
        let over = ended(&attempt, "customer-did-not-answer", seconds + 9);
        run.record(at(seconds), &listed(vec![over], seconds)).unwrap();
        attempts.push(attempt);
    }
    let copy = dir.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for file in ["journal.db", "journal.db-wal"] {
        fs::copy(live.join(file), copy.join(file)).unwrap();
    }
    (dir, copy, attempts)
}

/// What a start makes of the directory: the attempts that it knows, or the refusal's words.
fn start_on(dir: &Path, bytes: &[(&str, &[u8])]) -> Result<u64, String> {
    let _ = fs::remove_dir_all(dir);
    fs::create_dir(dir).unwrap();
    for (name, bytes) in bytes {
        fs::write(dir.join(name), bytes).unwrap();
    }
    let cast = Cast::new(dir, "leads");
    let started = cast.start(cast.plan(), &list((0..40).map(person)), 1000);
    let (mut run, _) = started.map_err(|error| error.to_string())?;
    let totals = run.totals(at(1000)).map_err(|error| error.to_string())?;
    assert_eq!(totals.total, 40);
    assert_eq!(totals.settled + totals.open + totals.in_doubt, 40);
    Ok(totals.settled)
}

fn is_clear(words: &str) -> bool {
    words.contains("journal.db") && (words.contains("--adopt") || words.contains("schema version"))
}

#[test]
fn a_journal_that_is_cut_short_anywhere_opens_with_a_part_or_refuses() {
    let (dir, copy, attempts) = left_by_a_killed_run();
    let (database, log) = (fs::read(copy.join("journal.db")).unwrap(), fs::read(copy.join("journal.db-wal")).unwrap());
    let victim = dir.path().join("victim");
    let whole = start_on(&victim, &[("journal.db", &database), ("journal.db-wal", &log)]);
    assert_eq!(whole, Ok(attempts.len() as u64));
    let mut last = 0;
    for length in (0..=log.len()).step_by(16 << 10) {
        let known = start_on(&victim, &[("journal.db", &database), ("journal.db-wal", &log[..length])]).unwrap();
        assert!(known >= last, "a longer log knows more");
        last = known;
    }
    let (mut refused, mut opened) = (0, 0);
    for length in (0..database.len()).step_by(4 << 10) {
        for log in [&[][..], &log[..]] {
            match start_on(&victim, &[("journal.db", &database[..length]), ("journal.db-wal", log)]) {
                Ok(known) => {
                    assert!(known <= attempts.len() as u64);
                    opened += 1;
                }
                Err(words) => {
                    assert!(is_clear(&words), "{words}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 0 && opened > 0, "{refused} {opened}");
}

#[test]
fn a_flipped_bit_is_survived_or_refused() {
    let (dir, copy, attempts) = left_by_a_killed_run();
    let (database, log) = (fs::read(copy.join("journal.db")).unwrap(), fs::read(copy.join("journal.db-wal")).unwrap());
    let victim = dir.path().join("victim");
    let flips = 40;
    for n in 0..flips {
        let mut log = log.clone();
        let place = (log.len() / flips) * n + n;
        log[place] ^= 1 << (n % 8);
        let known = start_on(&victim, &[("journal.db", &database), ("journal.db-wal", &log)]).unwrap();
        assert!(known <= attempts.len() as u64);
        let mut database = database.clone();
        let place = (database.len() / flips) * n + n;
        database[place] ^= 1 << (n % 8);
        if let Err(words) = start_on(&victim, &[("journal.db", &database)]) {
            assert!(is_clear(&words), "{words}");
        }
    }
}

#[test]
fn what_is_no_journal_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let victim = dir.path().join("victim");
    for bytes in [&b"phone,name\n+14155550100,Ada\n"[..], &[0; 5000], &[0xff; 10]] {
        let words = start_on(&victim, &[("journal.db", bytes)]).unwrap_err();
        assert!(is_clear(&words), "{words}");
    }
}

#[test]
fn another_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    Cast::new(dir.path(), "leads").run(0..3, 0).end(at(1)).unwrap();
    let db = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let error = Disk::open(dir.path(), &mut chance(1)).unwrap_err();
    assert!(matches!(error, Error::Version { found: 99, known: 8, .. }), "{error}");
    assert!(matches!(Disk::look(dir.path()), Err(Error::Version { .. })));
}

#[test]
fn a_full_disk_grants_nothing_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let cast = Cast::new(dir.path(), "leads");
    let mut run = cast.run(0..100, 0);
    let leads = batch(&mut run, 1);
    let pages: i64 = run.disk().db.sqlite().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    run.disk().db.sqlite().pragma_update(None, "max_page_count", pages).unwrap();
    let mut granted = 0;
    let full = leads.iter().zip(2..).find_map(|(lead, seconds)| {
        let leads = vec![(*lead, Line(0))];
        let ask = Ask { leads, pool: roomy(90, at(seconds)), reserve: 3, margin: 0, provider_time: stamp(seconds) };
        match run.claim(at(seconds), ask) {
            Ok((claimed, claims)) => {
                assert_eq!(claimed.granted.len(), claims.len());
                granted += claims.len();
                None
            }
            Err(error) => Some(error),
        }
    });
    assert!(matches!(full, Some(Error::Full(_))), "{full:?}");
    drop(run);
    let (_, history) = cast.start(cast.plan(), &list((0..100).map(person)), 900).unwrap();
    assert_eq!(history.open.len(), granted, "every claim that was granted is on disk, and no other");
}

#[test]
fn a_directory_that_cannot_be_used_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [&file, &file.join("below"), &PathBuf::from("/proc/dialer-state")] {
        let error = Disk::open(path, &mut chance(1)).unwrap_err();
        assert!(matches!(error, Error::Directory { .. }), "{error:?}");
        assert!(error.to_string().contains("--state"), "{error}");
    }
}
