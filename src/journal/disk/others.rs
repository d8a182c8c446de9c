//! What the other runs on a pool know and do, and whether a freed slot is theirs first.

use std::collections::HashMap;

use super::super::Error;
use super::attempts;
use super::db::{Db, Row, values};
use super::runs::LIVE;
use super::table::Table;
use crate::campaign::attempt::State;
use crate::campaign::plan::Plan;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::{Call, CallId};
use crate::pool::news::Others;
use crate::pool::observation::Observation;
use crate::pool::offset::latest_possible;
use crate::pool::{Pool, Unanswered};
use crate::time::{Now, Stamp};

/// A freed slot is left to another run for so many polls.
const KEPT_FOR: u32 = 2;

/// Calls of other runs that this one was told are up, so that it can be told of their ends.
pub(super) type Followed = HashMap<CallId, AttemptId>;

/// What the other runs that are alive on a pool reserve at the most, how many they are, and until when no call is placed.
const ALIVE: &str = "SELECT (SELECT max(reserve) FROM runs WHERE pool = ?1 AND ended IS NULL AND id <> ?2), \
    (SELECT count(*) FROM runs WHERE pool = ?1 AND ended IS NULL AND id <> ?2), \
    (SELECT rate_until FROM pools WHERE id = ?1)";
/// The newest limit that another run has seen.
const LIMIT: &str = "SELECT seen_limit_at, seen_limit FROM runs WHERE pool = ?1 AND ended IS NULL AND id <> ?2 \
    AND seen_limit_at <= ?3 ORDER BY seen_limit_at DESC, seen_limit DESC LIMIT 1";
/// The newest observation of the pool, if another run made it.
const OBSERVATION: &str = "SELECT at, heard, named_limit, remaining, call, sent, received FROM pools \
    JOIN runs ON runs.id = pools.observer AND runs.ended IS NULL WHERE pools.id = ?1 AND observer <> ?2 AND at <= ?3";

/// Attempts on a pool that this run does not follow itself. What a dead run of another account left up nobody here can
/// follow to its end: where it holds slots, answers show.
fn live() -> String {
    format!(
        "{LIVE} AND run IS DISTINCT FROM ?3 AND EXISTS (SELECT 1 FROM runs WHERE runs.id = attempts.run AND pool = ?1 AND \
         (ended IS NULL OR runs.campaign IN (SELECT id FROM campaigns WHERE account = \
         (SELECT account FROM campaigns WHERE id = ?2))))"
    )
}

/// All that a claim of this run reads of others, in one round trip.
pub(super) fn gather_ahead(db: &Db, (pool, campaign, run): (i64, i64, i64), now: Now) -> Result<(), Error> {
    let ahead = latest_possible(now).as_micros();
    db.ahead(&[
        (&attempts::statement(&live()), values![pool, campaign, run]),
        (ALIVE, values![pool, run]),
        (OBSERVATION, values![pool, run, ahead]),
        (LIMIT, values![pool, run, ahead]),
        (&others_that_wait(), values![pool, run]),
        (&ours(), values![campaign, run]),
    ])
}

/// What the other runs on this run's pool know and do.
pub(super) fn gather(table: &mut Table<'_>, followed: &mut Followed, run: i64, now: Now) -> Result<Others, Error> {
    let mut others = Others::default();
    theirs(table, followed, run, &mut others)?;
    let db = table.db;
    let (largest, alive, until): (Option<u32>, u64, Option<i64>) =
        db.one(ALIVE, values![table.pool, run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    others.reserve = largest.unwrap_or(0);
    if alive > 0 {
        others.observation = observation(db, table.pool, run, now)?;
        let read = |row: &Row<'_>| Ok((Stamp::from_micros(row.get(0)?), row.get(1)?));
        others.limit = db.maybe(LIMIT, values![table.pool, run, latest_possible(now).as_micros()], read)?;
    }
    others.rate_until = until.map(|until| db.line().instant(until)).filter(|until| *until > now.at);
    Ok(others)
}

/// Attempts on this pool that this run does not follow itself: claims without an answer, and calls.
fn theirs(table: &mut Table<'_>, followed: &mut Followed, run: i64, others: &mut Others) -> Result<(), Error> {
    let mut up = Followed::new();
    for attempt in attempts::select(table.db, &live(), values![table.pool, table.campaign, run])? {
        if table.told.follows(&attempt.id) {
            continue;
        }
        if let State::Placed { .. } = attempt.state() {
            if let Some((call, known)) = attempt.pool_call() {
                up.insert(call.clone(), attempt.id.clone());
                others.calls.push((call, known));
            }
        } else {
            let unanswered = Unanswered { claimed: attempt.claimed, failed: attempt.facts.failed };
            others.unanswered.push((attempt.id, unanswered));
        }
    }
    for (call, attempt) in followed.drain() {
        if up.contains_key(&call) {
            continue;
        }
        for over in attempts::select(table.db, "WHERE attempt = ?1", values![attempt.as_str()])? {
            // One that is not over was a run's of another account that died: nobody here can follow it to its end.
            let over = over.pool_call();
            others.calls.extend(over.map(|(id, call)| (id, Call { ended: call.ended.or(Some(call.from)), ..call })));
        }
    }
    *followed = up;
    Ok(())
}

fn observation(db: &Db, pool: i64, run: i64, now: Now) -> Result<Option<Observation>, Error> {
    db.maybe(OBSERVATION, values![pool, run, latest_possible(now).as_micros()], |row| {
        Ok(Observation {
            at: Stamp::from_micros(row.get(0)?),
            heard: Stamp::from_micros(row.get(1)?),
            limit: row.get(2)?,
            remaining: row.get(3)?,
            call: row.get::<Option<String>>(4)?.map(|call| CallId::new(&call)),
            sent: db.line().instant(row.get(5)?),
            received: db.line().instant(row.get(6)?),
        })
    })
}

/// Writes down what this run has seen of the pool, for the others.
/// What stands there with a time that lies ahead was stamped wrongly, and is replaced.
pub(super) fn share(db: &Db, pool: i64, run: i64, seen: &Pool, reserve: u32, now: Now) -> Result<(), Error> {
    let ahead = latest_possible(now).as_micros();
    let limit = seen.limit_seen();
    let (at, limit) = (limit.map(|(at, _)| at.as_micros()), limit.map(|(_, limit)| limit));
    let mine = "UPDATE runs SET reserve = ?2, seen_limit = ?3, seen_limit_at = ?4 WHERE id = ?1 \
                AND (reserve, seen_limit, seen_limit_at) IS DISTINCT FROM (?2, ?3, ?4)";
    db.write(mine, values![run, reserve, limit, at])?;
    if at.is_some() {
        let last = "UPDATE pools SET last_limit = ?2, last_limit_at = ?3 WHERE id = ?1 \
                    AND (last_limit_at IS NULL OR last_limit_at < ?3 OR last_limit_at > ?4)";
        db.write(last, values![pool, limit, at, ahead])?;
    }
    let Some(seen) = seen.observation() else { return Ok(()) };
    let newer = "UPDATE pools SET observer = ?2, at = ?3, heard = ?4, named_limit = ?5, remaining = ?6, call = ?7, \
                 sent = ?8, received = ?9 WHERE id = ?1 AND (at IS NULL OR at > ?10 OR (?3, -?6) > (at, -remaining))";
    db.write(
        newer,
        values![
            pool,
            run,
            seen.at.as_micros(),
            seen.heard.as_micros(),
            seen.limit,
            seen.remaining,
            seen.call.as_ref().map(CallId::as_str),
            db.line().micros(seen.sent),
            db.line().micros(seen.received),
            ahead
        ],
    )?;
    Ok(())
}

/// A run asks for claims: it wants what is left to it.
pub(super) fn asks(db: &Db, run: i64) -> Result<(), Error> {
    db.write("UPDATE runs SET passed = 0 WHERE id = ?1 AND passed <> 0", values![run])?;
    Ok(())
}

/// A slot that is left to another run on this pool, and what to write down of it.
pub(super) struct Left {
    /// One is.
    pub(super) one: bool,
    /// Since when, as it was and as it is to be.
    since: (Option<i64>, Option<i64>),
    passed: Vec<i64>,
}

/// Whether one slot is to be left to another run on this pool: one that waits, has fewer calls up, or as many and was
/// answered longer ago, and has not let such a slot pass. It is left for two polls, and then no more until that run
/// has asked again.
pub(super) fn leaves_one(table: &Table<'_>, run: i64, plan: &Plan, now: Now) -> Result<Left, Error> {
    let db = table.db;
    let (up, answered, since): (u64, Option<i64>, Option<i64>) =
        db.one(&ours(), values![table.campaign, run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let waiting = waiting(db, table.pool, run)?.into_iter();
    let first: Vec<i64> =
        waiting.filter(|(_, theirs, at)| (*theirs, *at) < (up, answered)).map(|(other, ..)| other).collect();
    let nothing = Left { one: false, since: (since, None), passed: Vec::new() };
    Ok(match since.map(|since| db.line().instant(since)) {
        _ if first.is_empty() => nothing,
        None => Left { one: true, since: (since, Some(db.line().micros(now.at))), ..nothing },
        Some(at) if now.at.since(at) < plan.poll * KEPT_FOR => Left { one: true, since: (since, since), ..nothing },
        Some(_) => Left { passed: first, ..nothing },
    })
}

/// Writes down whether a slot is left to another run, and who let one pass.
pub(super) fn note_left(db: &Db, run: i64, left: &Left) -> Result<(), Error> {
    let (was, since) = left.since;
    if was != since {
        db.write("UPDATE runs SET keeps_since = ?2 WHERE id = ?1", values![run, since])?;
    }
    for other in &left.passed {
        db.write("UPDATE runs SET passed = 1 WHERE id = ?1", values![*other])?;
    }
    Ok(())
}

/// Other live runs on the pool whose open batch has somebody to dial, with what may be up and when they were answered.
fn waiting(db: &Db, pool: i64, run: i64) -> Result<Vec<(i64, u64, Option<i64>)>, Error> {
    db.all(&others_that_wait(), values![pool, run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// The first open lead of each will do: put as `EXISTS`, PostgreSQL would look at all leads of all batches.
fn others_that_wait() -> String {
    format!(
        "SELECT runs.id, (SELECT count(*) FROM attempts {LIVE} AND campaign = runs.campaign), \
                (SELECT max(received) FROM attempts WHERE campaign = runs.campaign AND received IS NOT NULL) \
                FROM runs JOIN campaigns ON campaigns.id = runs.campaign \
                WHERE runs.pool = ?1 AND runs.ended IS NULL AND runs.id <> ?2 AND runs.passed = 0 \
                AND campaigns.paused = 0 AND campaigns.stop = 0 AND ( \
                SELECT 1 FROM batches INDEXED BY batches_open, json_each(batches.leads) AS member JOIN leads ON leads.id = member.value \
                WHERE batches.campaign = runs.campaign AND batches.closed IS NULL \
                AND leads.standing = 'open' AND leads.listed = 1 LIMIT 1) = 1"
    )
}

/// Attempts of a campaign that may be calls that are up, when a request of it was last answered, and since when its run
/// leaves a free slot to another.
fn ours() -> String {
    format!(
        "SELECT (SELECT count(*) FROM attempts {LIVE} AND campaign = ?1), \
         (SELECT max(received) FROM attempts WHERE campaign = ?1 AND received IS NOT NULL), \
         (SELECT keeps_since FROM runs WHERE id = ?2)"
    )
}
