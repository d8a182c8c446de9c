//! An attempt as a row, and back. What cannot be read back is damage, never a guess.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::Error;
use super::super::facts::{Attempt, Origin};
use super::accounts::REHEARSAL;
use super::db::line::Line;
use super::db::{Db, Row, Value, values};
use crate::campaign::attempt::{CallEnd, Cause, Facts, State};
use crate::campaign::disposition::Class;
use crate::campaign::event::LeadId;
use crate::leads::lead::Phone;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::{CallId, Post};
use crate::time::{Instant, Stamp};

const COLUMNS: &str = "attempt, origin, campaign, lead, phone, run, line, claimed, began, provider_time, sent, received, \
    taken, refused, blocked, failed, rung, started, spoke, ended, reason, given_up, absent, parked, released, call, created, \
    shown, updated, cost, opt_out, reopened, twin, message";

/// The attempts that a condition selects.
pub(super) fn select(db: &Db, condition: &str, values: &[Value<'_>]) -> Result<Vec<Attempt>, Error> {
    let mut attempts = Vec::new();
    each(db, condition, values, |attempt| attempts.push(attempt))?;
    Ok(attempts)
}

/// Hands over the attempts that a condition selects, one by one.
pub(super) fn each(db: &Db, condition: &str, values: &[Value<'_>], mut each: impl FnMut(Attempt)) -> Result<(), Error> {
    let line = db.line();
    db.each(&statement(condition), values, |row| {
        each(read(row, line)?);
        Ok(())
    })
}

/// The statement that finds them.
pub(super) fn statement(condition: &str) -> String {
    format!("SELECT {COLUMNS} FROM attempts {condition}")
}

fn read(row: &Row<'_>, line: Line) -> Result<Attempt, Error> {
    let id: String = row.get(0)?;
    let id = AttemptId::parse(&id).ok_or_else(|| Error::damaged(format!("{id:?} is not an attempt's id")))?;
    let sent: Option<i64> = row.get(10)?;
    let received: Option<i64> = row.get(11)?;
    let post = match sent.zip(received) {
        Some((sent, received)) => {
            let (sent, received) = (line.instant(sent), line.instant(received));
            Some(Post { sent, received, taken: row.get(12)? })
        }
        None => None,
    };
    Ok(Attempt {
        id,
        origin: origin_named(&row.get::<String>(1)?)?,
        campaign: row.get(2)?,
        lead: row.get::<Option<i64>>(3)?.map(LeadId),
        phone: row.get::<Option<i64>>(4)?.map(phone).transpose()?,
        run: row.get(5)?,
        line: row.get::<Option<String>>(6)?.map(Arc::from),
        claimed: line.instant(row.get(7)?),
        began: wall(row.get(8)?),
        provider_time: Stamp::from_micros(row.get(9)?),
        post,
        facts: read_facts(row, line)?,
        call: row.get::<Option<String>>(25)?.map(|call| CallId::new(&call)),
        created: row.get::<Option<i64>>(26)?.map(Stamp::from_micros),
        shown: row.get::<Option<i64>>(27)?.map(|at| line.instant(at)),
        updated: row.get::<Option<i64>>(28)?.map(Stamp::from_micros),
        cost: row.get(29)?,
        opt_out: row.get(30)?,
        reopened: row.get(31)?,
        twin: row.get::<Option<String>>(32)?.map(|call| CallId::new(&call)),
        message: row.get::<Option<String>>(33)?.map(Arc::from),
    })
}

fn read_facts(row: &Row<'_>, line: Line) -> Result<Facts, Error> {
    let refused = row
        .get::<Option<String>>(13)?
        .map(|name| Cause::named(&name).ok_or_else(|| Error::damaged(format!("{name:?} is not a cause of a refusal"))));
    let ended: Option<i64> = row.get(19)?;
    let reason = row.get::<Option<String>>(20)?.unwrap_or_default();
    let instant =
        |column| -> Result<Option<Instant>, Error> { Ok(row.get::<Option<i64>>(column)?.map(|at| line.instant(at))) };
    Ok(Facts {
        refused: refused.transpose()?,
        created: row.get::<Option<i64>>(26)?.is_some(),
        blocked: row.get(14)?,
        failed: instant(15)?,
        rung: row.get(16)?,
        started: row.get::<Option<i64>>(17)?.map(Stamp::from_micros),
        spoke: row.get(18)?,
        ended: ended.map(|at| CallEnd { at: Stamp::from_micros(at), reason }),
        given_up: row.get(21)?,
        absent: instant(22)?,
        parked: instant(23)?,
        released: row.get(24)?,
    })
}

/// Writes an attempt down, or what is newly known of it.
pub(super) fn put(db: &Db, attempt: &Attempt) -> Result<(), Error> {
    const PUT: &str = "INSERT INTO attempts (attempt, origin, campaign, lead, phone, run, line, claimed, began, \
        provider_time, sent, received, taken, refused, blocked, failed, rung, started, spoke, ended, reason, given_up, absent, \
        parked, released, call, created, shown, updated, cost, opt_out, reopened, twin, message, rehearsal, state, outcome) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
        ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, \
        ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, \
        (SELECT count(*) FROM campaigns JOIN accounts ON accounts.id = account \
        WHERE campaigns.id = ?3 AND accounts.name = ?35), \
        ?36, ?37) \
        ON CONFLICT (attempt) DO UPDATE SET sent = excluded.sent, received = excluded.received, \
        taken = excluded.taken, refused = excluded.refused, blocked = excluded.blocked, failed = excluded.failed, rung = excluded.rung, started = excluded.started, \
        spoke = excluded.spoke, \
        ended = excluded.ended, reason = excluded.reason, given_up = excluded.given_up, absent = excluded.absent, \
        parked = excluded.parked, released = excluded.released, call = excluded.call, created = excluded.created, \
        shown = excluded.shown, updated = excluded.updated, cost = excluded.cost, opt_out = excluded.opt_out, \
        reopened = excluded.reopened, twin = excluded.twin, message = excluded.message, state = excluded.state, \
        outcome = excluded.outcome";
    // Whom an attempt is about never changes where it was claimed here, and what is set anew costs every index that has it.
    const FOUND: &str = "origin = excluded.origin, lead = excluded.lead, phone = excluded.phone";
    let found = (attempt.origin != Origin::Claimed).then(|| format!("{PUT}, {FOUND}"));
    let facts = &attempt.facts;
    let post = attempt.post;
    let (state, outcome) = state_named(attempt.state());
    let line = db.line();
    let instant = |at: Option<Instant>| at.map(|at| line.micros(at));
    let stamp = |at: Option<Stamp>| at.map(Stamp::as_micros);
    db.write(
        found.as_deref().unwrap_or(PUT),
        values![
            attempt.id.as_str(),
            origin_name(attempt.origin),
            attempt.campaign,
            attempt.lead.map(|lead| lead.0),
            attempt.phone.map(digits),
            attempt.run,
            attempt.line.as_deref(),
            line.micros(attempt.claimed),
            attempt.began.as_microsecond(),
            attempt.provider_time.as_micros(),
            post.map(|post| line.micros(post.sent)),
            post.map(|post| line.micros(post.received)),
            post.and_then(|post| post.taken),
            facts.refused.map(Cause::name),
            facts.blocked,
            instant(facts.failed),
            facts.rung,
            stamp(facts.started),
            facts.spoke,
            facts.ended.as_ref().map(|end| end.at.as_micros()),
            facts.ended.as_ref().map(|end| end.reason.as_str()),
            facts.given_up,
            instant(facts.absent),
            instant(facts.parked),
            facts.released,
            attempt.call.as_ref().map(CallId::as_str),
            stamp(attempt.created),
            instant(attempt.shown),
            stamp(attempt.updated),
            attempt.cost,
            attempt.opt_out,
            attempt.reopened,
            attempt.twin.as_ref().map(CallId::as_str),
            attempt.message.as_deref(),
            REHEARSAL,
            state,
            outcome,
        ],
    )?;
    Ok(())
}

/// A state in words, as it stands beside the facts for people and for indexes.
fn state_named(state: State) -> (&'static str, Option<&'static str>) {
    match state {
        State::Claimed => ("claimed", None),
        State::Refused(cause) => ("refused", Some(cause.name())),
        State::InDoubt => ("in-doubt", None),
        State::Parked => ("parked", None),
        State::Placed { blocked } => ("placed", blocked.then_some("blocked")),
        State::Ended(class) => ("ended", Some(class.name())),
    }
}

fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Claimed => "claimed",
        Origin::Found => "found",
        Origin::Adopted => "adopted",
    }
}

fn origin_named(name: &str) -> Result<Origin, Error> {
    match name {
        "claimed" => Ok(Origin::Claimed),
        "found" => Ok(Origin::Found),
        "adopted" => Ok(Origin::Adopted),
        _ => Err(Error::damaged(format!("{name:?} is not an origin of an attempt"))),
    }
}

/// A class by its name.
pub(super) fn class_named(name: &str) -> Result<Class, Error> {
    Class::named(name).ok_or_else(|| Error::damaged(format!("{name:?} is not a class")))
}

/// A number as the database keeps it.
pub(super) fn digits(phone: Phone) -> i64 {
    i64::try_from(phone.digits()).unwrap_or(i64::MAX)
}

/// A number from the database.
pub(super) fn phone(digits: i64) -> Result<Phone, Error> {
    let phone = u64::try_from(digits).ok().and_then(Phone::from_digits);
    phone.ok_or_else(|| Error::damaged(format!("{digits} is not a phone number")))
}

/// A wall-clock time from the database.
pub(super) fn wall(micros: i64) -> Timestamp {
    Instant::from_micros(micros).timestamp()
}
