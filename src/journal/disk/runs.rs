//! Runs: how one begins, and how the death of others is noticed.

use std::path::Path;

use super::super::Error;
use super::attempts;
use super::db::{Db, values};
use super::lock::is_held;
use crate::pool::attempt_id::Mark;
use crate::time::Now;

/// What the attempts table calls live, as its index has it.
pub(super) const LIVE: &str = "INDEXED BY attempts_live WHERE state IN ('claimed', 'in-doubt', 'placed')";

/// Writes down that runs are dead whose campaign nobody holds: what they had claimed and not heard of is in doubt from now.
/// `ours` is the campaign whose lock we hold, `run` its run that is alive.
pub(super) fn reap_dead_runs(db: &Db, dir: &Path, ours: i64, run: Option<i64>, now: Now) -> Result<(), Error> {
    for (other, campaign) in dead_runs(db, dir, ours, run)? {
        over(db, campaign, other, "its run died before an answer came", now)?;
    }
    Ok(())
}

/// A run that is alive will look for dead ones: on a server, what that reads is read with what comes before.
pub(super) fn reap_ahead(db: &Db, ours: i64) -> Result<(), Error> {
    match db {
        Db::Sqlite(_) => {
            let _ = ours;
            Ok(())
        }
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => super::lease::abandoned_ahead(db, ours),
    }
}

/// Runs that have not said that they ended, and are dead: their numbers, and their campaigns'.
fn dead_runs(db: &Db, dir: &Path, ours: i64, run: Option<i64>) -> Result<Vec<(i64, i64)>, Error> {
    let unended = "SELECT runs.id, runs.campaign, campaigns.name, accounts.name FROM runs \
         JOIN campaigns ON campaigns.id = runs.campaign JOIN accounts ON accounts.id = campaigns.account \
         WHERE runs.ended IS NULL";
    let mut dead = Vec::new();
    match db {
        Db::Sqlite(_) => db.each(unended, &[], |row| {
            let (other, campaign) = (row.get(0)?, row.get(1)?);
            let (name, account): (String, String) = (row.get(2)?, row.get(3)?);
            if Some(other) != run && (campaign == ours || !is_held(dir, &account, &Mark::of(&name))?) {
                dead.push((other, campaign));
            }
            Ok(())
        })?,
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => {
            dead = super::lease::abandoned(db, ours)?;
            if run.is_none() {
                let before = "SELECT id, campaign FROM runs WHERE campaign = ?1 AND ended IS NULL";
                db.each(before, values![ours], |row| {
                    dead.push((row.get(0)?, row.get(1)?));
                    Ok(())
                })?;
            }
        }
    }
    Ok(dead)
}

/// Writes down that a run is over. What it had claimed and not heard of is in doubt from now: nobody will hear of it.
pub(super) fn over(db: &Db, campaign: i64, run: i64, why: &str, now: Now) -> Result<(), Error> {
    db.write("UPDATE runs SET ended = ?2 WHERE id = ?1", values![run, now.wall.as_microsecond()])?;
    let claimed = format!("{LIVE} AND campaign = ?1 AND run = ?2 AND state = 'claimed'");
    for mut attempt in attempts::select(db, &claimed, values![campaign, run])? {
        attempt.fail(now.for_others(now.at), why);
        attempts::put(db, &attempt)?;
        if let Some(lead) = attempt.lead {
            db.write("UPDATE leads SET standing = 'in-doubt', stale = 1 WHERE id = ?1", values![lead.0])?;
        }
    }
    Ok(())
}

/// Writes down that a run began. What it reserves it tells before it asks for anything.
pub(super) fn begin(db: &Db, campaign: i64, pool: i64, pid: u32, now: Now) -> Result<i64, Error> {
    let run = db.get(
        "INSERT INTO runs (campaign, pool, pid, host, started, reserve) VALUES (?1, ?2, ?3, ?4, ?5, 0) RETURNING id",
        values![campaign, pool, pid, &crate::host::name(), now.wall.as_microsecond()],
    )?;
    db.write("UPDATE campaigns SET stop = 0 WHERE id = ?1", values![campaign])?;
    Ok(run)
}

/// The number of a pool by its name, made up where there is none.
pub(super) fn pool(db: &Db, name: &str) -> Result<i64, Error> {
    db.write("INSERT INTO pools (name) VALUES (?1) ON CONFLICT DO NOTHING", values![name])?;
    db.get("SELECT id FROM pools WHERE name = ?1", values![name])
}
