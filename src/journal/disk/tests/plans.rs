//! How the database goes about each statement: none goes through a table that grows.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::super::histories::PoolPast;
use super::*;
use crate::campaign::attempt::Cause;
use crate::campaign::event::News;
use crate::pool::attempt_id::{AttemptId, Mark};

/// Tables with a row for each lead, dial, batch or run.
const GROWING: [&str; 6] = ["leads", "attempts", "batches", "runs", "analyses", "settlements"];
/// Indexes of what is open, which is little however much there was.
const SMALL: [&str; 9] = [
    "settlements_unwritten",
    "leads_first",
    "leads_later",
    "leads_stale",
    "leads_parked",
    "attempts_live",
    "attempts_found",
    "batches_open",
    "runs_alive",
];
/// What a statement has in it that stops at the first row, or after so many as were asked for.
const FIRST_ROW: [&str; 5] = [
    "ORDER BY began DESC LIMIT",
    "SELECT 1 FROM attempts WHERE campaign = ?1",
    "SELECT 1 FROM leads WHERE campaign = ?1",
    "max(number)",
    "max(id) FROM runs",
];
/// What a statement that goes through a whole list has in it: it hands that list over, or is told that all of it changed.
const WHOLE_LIST: [&str; 6] = [
    "origin <> 'found' ORDER BY claimed",
    "temp.staged",
    "SELECT phone FROM leads WHERE standing = 'settled'",
    "SELECT id, lead, standing, class FROM leads",
    "phone < 0 AND standing = 'open'",
    "generation = ?2 AND phone IN",
];

/// It reads a whole list, and of the attempts the newest alone.
const OF_OTHERS: &str = "INDEXED BY attempts_of";

/// The statements that a connection is given from now on.
fn listen(db: &mut Connection) -> Arc<Mutex<BTreeSet<String>>> {
    let heard = Arc::new(Mutex::new(BTreeSet::new()));
    let keep = Arc::clone(&heard);
    db.trace_v2(
        TraceEventCodes::SQLITE_TRACE_STMT,
        Some(move |event: TraceEvent<'_>| {
            if let TraceEvent::Stmt(statement, _) = event {
                keep.lock().unwrap().insert(statement.sql().into_owned());
            }
        }),
    )
    .unwrap();
    heard
}

/// Steps of a plan that go through a table that grows.
fn scans(db: &Connection, statement: &str) -> Vec<String> {
    let Ok(mut plan) = db.prepare(&format!("EXPLAIN QUERY PLAN {statement}")) else { return Vec::new() };
    let mut rows = plan.raw_query();
    let mut scans = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let step: String = row.get(3).unwrap();
        let words: Vec<&str> = step.split_whitespace().collect();
        let [how, table, ..] = words[..] else { continue };
        let small = SMALL.iter().any(|index| words.contains(index));
        // All of one campaign is as good as all there is.
        let through = how == "SCAN" || step.ends_with("(campaign=?)");
        if GROWING.contains(&table) && through && !small {
            scans.push(step);
        }
    }
    scans
}

/// Everything that can be asked of a journal, once.
pub(super) fn everything(dir: &Path) -> Vec<Arc<Mutex<BTreeSet<String>>>> {
    let cast = Cast::new(dir, "leads");
    let people = list((0..120).map(person));
    let mut heard = Vec::new();
    for seconds in [0, 1000] {
        let (mut disk, account, lock) = cast.open().unwrap();
        heard.push(listen(disk.db.sqlite_mut()));
        disk.import(&lock, &cast.head(&account), at(seconds), &mut rows(&people)).unwrap();
        let attempts = u32::try_from(seconds / 1000 + 1).unwrap();
        let plan = Plan { not_if_called_within: Some(Duration::from_hours(1)), ..retrying(attempts, 2) };
        let (dnc, seed) = (Box::new(|_| false), chance(seconds.unsigned_abs() + 1));
        let start = Start { account, lock, plan, pool: "pool".to_owned(), pid: 1, chance: seed, dnc };
        let (mut run, _) = disk.begin(at(seconds), start).unwrap();
        run.history(at(seconds)).unwrap();
        let leads = batch(&mut run, seconds + 1);
        let claimed = claim(&mut run, &leads[..8], roomy(8, at(seconds + 1)), seconds + 1);
        let ids: Vec<AttemptId> = claimed.granted.into_iter().map(|granted| granted.attempt).collect();
        let mut tell = |news: &News| run.record(at(seconds + 30), news).unwrap();
        for (nth, id) in ids.iter().enumerate() {
            match nth {
                0..4 => drop(tell(&answered(id, seconds + 2))),
                4 => drop(tell(&refused(id, Cause::Rate, seconds + 2))),
                _ => drop(tell(&failed(id, seconds + 2))),
            }
        }
        tell(&listed(
            ids.iter().take(4).map(|id| ended(id, "customer-ended-call", seconds + 20)).collect(),
            seconds + 21,
        ));
        let unknown = AttemptId::mint(&Mark::of("leads"), 99);
        tell(&listed(vec![ended(&unknown, "customer-busy", seconds + 22)], seconds + 23));
        ids.iter().skip(5).for_each(|id| drop(tell(&News::Absent(id.clone(), at(seconds + 30).at))));
        run.adopt(at(seconds + 31)).unwrap();
        run.adoption_done(at(seconds + 32)).unwrap();
        run.put_off(at(seconds + 33), &leads[20..22], at(seconds + 60).wall).unwrap();
        run.orphans(at(seconds + 34)).unwrap();
        run.share(at(seconds + 35), &roomy(3, at(seconds + 35)), 2).unwrap();
        run.watermark(at(seconds + 36), stamp(0), stamp(seconds + 30)).unwrap();
        run.control(at(seconds + 37)).unwrap();
        run.totals(at(seconds + 38)).unwrap();
        let mut publisher = run.publisher()().unwrap();
        heard.push(listen(publisher.db.sqlite_mut()));
        publisher.publish(at(seconds + 38).wall, "{}").unwrap();
        publisher
            .keep_pool(&PoolPast { lowest_free: Some(3), points: vec![[1, 2, 3, 10, 3]], ..PoolPast::default() })
            .unwrap();
        publisher.keep_forecast("{}").unwrap();
        run.close_batch(at(seconds + 39), 1).unwrap();
        batch(&mut run, seconds + 40);
        run.end(at(seconds + 41)).unwrap();
    }
    let mut disk = Disk::open(dir, &mut chance(7)).unwrap();
    heard.push(listen(disk.db.sqlite_mut()));
    let account = disk.accounts().unwrap().remove(0);
    let phone = person(3).phone;
    disk.campaigns().unwrap();
    disk.explain(phone).unwrap();
    disk.outlook(&account, "leads", at(0).wall).unwrap();
    disk.zones_waiting(&account, "leads").unwrap();
    disk.known("leads", false).unwrap();
    disk.parked(&account, "leads", None).unwrap();
    disk.release(&account, "leads", Some(phone), at(2000)).unwrap();
    disk.pause(&account, "leads", true).unwrap();
    disk.suppress(phone, "asked", at(2000)).unwrap();
    disk.unsuppress(phone).unwrap();
    assert!(!disk.lists(&account, "leads").unwrap().is_empty());
    assert_eq!(disk.newest_attempts(&account, "leads", 3).unwrap().len(), 3);
    let attempts = disk.attempts_of(&account, "leads").unwrap();
    disk.each_lead(disk.campaign(&account, "leads").unwrap(), 1..=9, &attempts, |_| ()).unwrap();
    let open = || Disk::look(dir).map(Option::unwrap);
    disk.each_part(&account, "leads", &attempts, open, |(), _| (), |()| Ok::<(), Error>(())).unwrap();
    let pasts = disk.pool_pasts(&account, "leads").unwrap();
    assert_eq!(pasts.iter().map(|past| past.points.len()).collect::<Vec<_>>(), [1, 1]);
    let forecasts = disk.forecasts(&account, "leads").unwrap();
    assert!(forecasts.len() == 2 && forecasts.iter().all(|past| past.ended.is_some() && past.forecast == "{}"));
    assert_eq!(disk.waiting_leads(&account, "leads", 50).unwrap().len(), 50);
    disk.forget(phone, at(2001)).unwrap();
    heard
}

#[test]
fn no_statement_goes_through_a_table_that_grows() {
    let dir = tempfile::tempdir().unwrap();
    let heard = everything(dir.path());
    let statements: BTreeSet<String> = heard.iter().flat_map(|some| some.lock().unwrap().clone()).collect();
    assert!(statements.len() > 60, "{}", statements.len());
    let disk = Disk::open(dir.path(), &mut chance(7)).unwrap();
    let staged = "CREATE TEMP TABLE staged (id INTEGER PRIMARY KEY, phone INTEGER, extension TEXT); \
                  CREATE UNIQUE INDEX temp.staged_order ON staged (phone, extension, id)";
    disk.db.batch(staged).unwrap();
    let mut bad = Vec::new();
    assert!(statements.iter().any(|statement| statement.contains(OF_OTHERS)));
    for statement in statements {
        if statement.contains(OF_OTHERS) || !FIRST_ROW.iter().chain(&WHOLE_LIST).any(|part| statement.contains(part)) {
            bad.extend(scans(disk.db.sqlite(), &statement).into_iter().map(|step| format!("{step}: {statement}")));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn the_counts_are_those_of_the_tables() {
    let dir = tempfile::tempdir().unwrap();
    everything(dir.path());
    let disk = Disk::open(dir.path(), &mut chance(7)).unwrap();
    same_counts(disk.db.sqlite());
}

/// What the database has counted is what there is.
fn same_counts(db: &Connection) {
    let differ = "SELECT count(*) FROM (\
        SELECT * FROM (SELECT campaign, listed, standing, coalesce(class, ''), count(*) FROM leads GROUP BY 1, 2, 3, 4 \
        EXCEPT SELECT * FROM lead_counts) UNION ALL \
        SELECT * FROM (SELECT * FROM lead_counts WHERE leads > 0 EXCEPT \
        SELECT campaign, listed, standing, coalesce(class, ''), count(*) FROM leads GROUP BY 1, 2, 3, 4) UNION ALL \
        SELECT * FROM (SELECT campaign, count(*), sum(over), sum(cost), sum(talk) FROM attempt_worth WHERE counts \
        GROUP BY campaign EXCEPT SELECT * FROM attempt_counts))";
    assert_eq!(db.query_row(differ, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn a_journal_of_an_earlier_version_is_brought_forward() {
    let dir = tempfile::tempdir().unwrap();
    everything(dir.path());
    let to_7 = "ALTER TABLE campaigns DROP COLUMN terms; ALTER TABLE runs DROP COLUMN host; \
        ALTER TABLE pool_histories DROP COLUMN forecast; PRAGMA user_version = 7;";
    let to_6 = "DROP TABLE pool_histories; PRAGMA user_version = 6;";
    let to_5 = "DROP TABLE live_status; PRAGMA user_version = 5;";
    let to_4 = "DROP TABLE analyses; DROP TABLE settlements; DROP TABLE results_files; DROP TRIGGER lead_settled; \
        DROP TRIGGER settled_lead_gone; DROP TRIGGER attempt_gone; PRAGMA user_version = 4;";
    let to_3 = "DROP TABLE lead_counts; DROP TABLE attempt_counts; DROP VIEW attempt_worth; DROP TRIGGER lead_changed; \
        DROP TRIGGER lead_gone; DROP TRIGGER attempt_added; DROP TRIGGER attempt_leaves; DROP TRIGGER attempt_comes; \
        DROP INDEX runs_alive; DROP INDEX runs_of; DROP INDEX leads_called; DROP INDEX leads_parked; \
        DROP INDEX leads_settled; DROP INDEX attempts_of; DROP INDEX batches_open; \
        CREATE INDEX runs_alive ON runs (campaign) WHERE ended IS NULL; \
        CREATE INDEX leads_standing ON leads (campaign, listed, standing, class); PRAGMA user_version = 3;";
    for steps in 1..=5 {
        let back = &[to_7, to_6, to_5, to_4, to_3][..steps];
        let before = Disk::open(dir.path(), &mut chance(7)).unwrap();
        let mut campaigns = before.campaigns().unwrap();
        // No version before 8 has written the terms down, none before 6 has told anything of its runs.
        for campaign in &mut campaigns {
            campaign.terms = None;
            campaign.published = campaign.published.take().filter(|_| steps <= 2);
        }
        let (schema, settled) = (schema_of(before.db.sqlite()), settlements(before.db.sqlite()));
        assert!(settled > 0);
        for step in back {
            before.db.batch(step).unwrap();
        }
        drop(before);
        let looked = Disk::look(dir.path()).unwrap().unwrap();
        assert_eq!(looked.campaigns().unwrap(), campaigns);
        drop(looked);
        let after = Disk::open(dir.path(), &mut chance(7)).unwrap();
        same_counts(after.db.sqlite());
        assert_eq!((schema_of(after.db.sqlite()), settlements(after.db.sqlite())), (schema, settled));
    }
}

fn settlements(db: &Connection) -> u64 {
    db.query_row("SELECT count(*) FROM settlements", [], |row| row.get(0)).unwrap()
}

pub(super) fn schema_of(db: &Connection) -> BTreeSet<String> {
    let mut all = db.prepare("SELECT coalesce(sql, name) FROM sqlite_schema").unwrap();
    all.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}
