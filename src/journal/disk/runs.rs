//! Runs: how one begins, and how the death of others is noticed.

use std::path::Path;

use rusqlite::{Connection, params};

use super::super::Error;
use super::attempts;
use super::lock::is_held;
use crate::pool::attempt_id::Mark;
use crate::time::Now;

/// What the attempts table calls live, as its index has it.
pub(super) const LIVE: &str = "INDEXED BY attempts_live WHERE state IN ('claimed', 'in-doubt', 'placed')";

/// A run that has not said that it ended.
struct UnfinishedRun {
    run: i64,
    campaign: i64,
    name: String,
    account: String,
}

/// Writes down that runs are dead whose lock nobody holds: what they had claimed and not heard of is in doubt from now.
/// `ours` is the campaign whose lock we hold, `run` its run that is alive.
pub(super) fn reap_dead_runs(db: &Connection, dir: &Path, ours: i64, run: Option<i64>, now: Now) -> Result<(), Error> {
    for other in unended(db)? {
        if Some(other.run) == run {
            continue;
        }
        let held = other.campaign != ours && is_held(dir, &other.account, &Mark::of(&other.name))?;
        if !held {
            over(db, other.campaign, other.run, "its run died before an answer came", now)?;
        }
    }
    Ok(())
}

fn unended(db: &Connection) -> Result<Vec<UnfinishedRun>, Error> {
    let mut statement = db.prepare_cached(
        "SELECT runs.id, runs.campaign, campaigns.name, accounts.name FROM runs \
         JOIN campaigns ON campaigns.id = runs.campaign JOIN accounts ON accounts.id = campaigns.account \
         WHERE runs.ended IS NULL",
    )?;
    let runs = statement.query_map([], |row| {
        Ok(UnfinishedRun { run: row.get(0)?, campaign: row.get(1)?, name: row.get(2)?, account: row.get(3)? })
    })?;
    Ok(runs.collect::<Result<_, _>>()?)
}

/// Writes down that a run is over. What it had claimed and not heard of is in doubt from now: nobody will hear of it.
pub(super) fn over(db: &Connection, campaign: i64, run: i64, why: &str, now: Now) -> Result<(), Error> {
    db.execute("UPDATE runs SET ended = ?2 WHERE id = ?1", params![run, now.wall.as_microsecond()])?;
    let claimed = format!("{LIVE} AND campaign = ?1 AND run = ?2 AND state = 'claimed'");
    for mut attempt in attempts::select(db, &claimed, [campaign, run])? {
        attempt.fail(now.for_others(now.at), why);
        attempts::put(db, &attempt)?;
        if let Some(lead) = attempt.lead {
            db.execute("UPDATE leads SET standing = 'in-doubt', stale = 1 WHERE id = ?1", [lead.0])?;
        }
    }
    Ok(())
}

/// Writes down that a run began. What it reserves it tells before it asks for anything.
pub(super) fn begin(db: &Connection, campaign: i64, pool: i64, pid: u32, now: Now) -> Result<i64, Error> {
    db.execute(
        "INSERT INTO runs (campaign, pool, pid, started, reserve) VALUES (?1, ?2, ?3, ?4, 0)",
        params![campaign, pool, pid, now.wall.as_microsecond()],
    )?;
    let run = db.last_insert_rowid();
    db.execute("UPDATE campaigns SET stop = 0 WHERE id = ?1", [campaign])?;
    Ok(run)
}

/// The number of a pool by its name, made up where there is none.
pub(super) fn pool(db: &Connection, name: &str) -> Result<i64, Error> {
    db.execute("INSERT INTO pools (name) VALUES (?1) ON CONFLICT DO NOTHING", [name])?;
    Ok(db.query_row("SELECT id FROM pools WHERE name = ?1", [name], |row| row.get(0))?)
}
