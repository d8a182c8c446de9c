//! The rows of one run in the database, as the shared steps ask for them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::facts::{Attempt, Origin};
use super::super::lead_status::LeadStatus;
use super::super::rows::{LeadRow, Round, Rows, Waiting, ZoneSet};
use super::super::{Dnc, Error};
use super::accounts::phone_hash;
use super::leads::Zones;
use super::{attempts, leads};
use crate::campaign::attempt::State;
use crate::campaign::event::LeadId;
use crate::campaign::seen::SeenCall;
use crate::leads::lead::Phone;
use crate::pool::attempt_id::{AttemptId, Mark};
use crate::time::{Instant, Now};

/// What a run has heard of attempts. Another run may have written more meanwhile.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What it was told last of those that it follows.
    states: HashMap<AttemptId, State>,
    /// Calls of its campaign that nobody here has claimed, and that it was told of.
    met: HashSet<AttemptId>,
    /// Who asked a rehearsal's calls not to be called: nobody did, so it is kept for no longer than the run lasts.
    opted_out: HashSet<Phone>,
}

impl Told {
    pub(super) fn follows(&self, id: &AttemptId) -> bool {
        self.states.contains_key(id)
    }
}

/// The rows of one run's campaign, within a transaction.
pub(super) struct Table<'a> {
    pub(super) db: &'a Connection,
    pub(super) account: i64,
    pub(super) campaign: i64,
    pub(super) pool: i64,
    /// The account is that of the built-in stand-in.
    pub(super) rehearsal: bool,
    pub(super) salt: &'a [u8],
    pub(super) zones: &'a mut Zones,
    /// What this run was told last of the attempts that it follows: another run may have written more meanwhile.
    pub(super) told: &'a mut Told,
    pub(super) dnc: &'a Dnc,
}

/// The number of a campaign by its mark, made up where there is none.
pub(super) fn campaign_of(db: &Connection, account: i64, mark: &Mark) -> Result<i64, Error> {
    let find = "SELECT id FROM campaigns WHERE account = ?1 AND mark = ?2";
    let found = db.prepare_cached(find)?.query_row(params![account, mark.as_str()], |row| row.get(0)).optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    db.execute("INSERT INTO campaigns (account, mark) VALUES (?1, ?2)", params![account, mark.as_str()])?;
    Ok(db.last_insert_rowid())
}

/// Puts a number on the state directory's own do-not-call list.
pub(super) fn suppress(db: &Connection, salt: &[u8], phone: Phone, reason: &str, now: Now) -> Result<bool, Error> {
    let added = db.execute(
        "INSERT INTO suppressions (phone, hash, reason, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        params![attempts::digits(phone), phone_hash(salt, phone), reason, now.wall.as_microsecond()],
    )?;
    Ok(added > 0)
}

impl Rows for Table<'_> {
    fn campaign(&self) -> i64 {
        self.campaign
    }

    fn campaign_of(&mut self, mark: &Mark) -> Result<i64, Error> {
        campaign_of(self.db, self.account, mark)
    }

    fn attempt(&mut self, id: &AttemptId) -> Result<Option<Arc<Attempt>>, Error> {
        Ok(attempts::by_id(self.db, id)?.map(Arc::new))
    }

    fn knows(&mut self, id: &AttemptId, seen: &SeenCall) -> Result<bool, Error> {
        let told = self.told.states.get(id).copied();
        let known = self.attempt(id)?;
        let met = |attempt: &Attempt| {
            attempt.origin != Origin::Found || attempt.campaign != self.campaign || self.told.met.contains(id)
        };
        let same = |attempt: &Attempt| attempt.knows(seen) && told.is_none_or(|told| told == attempt.state());
        Ok(known.is_some_and(|attempt| same(&attempt) && met(&attempt)))
    }

    fn put(&mut self, attempt: &Arc<Attempt>) -> Result<(), Error> {
        attempts::put(self.db, attempt)
    }

    fn attempts_on(&mut self, phone: Phone) -> Result<Vec<Arc<Attempt>>, Error> {
        let condition = "WHERE phone = ?1 AND campaign = ?2 ORDER BY claimed, attempt";
        let attempts = attempts::select(self.db, condition, params![attempts::digits(phone), self.campaign])?;
        Ok(attempts.into_iter().map(Arc::new).collect())
    }

    fn found(&mut self) -> Result<Vec<Attempt>, Error> {
        let condition = "WHERE campaign = ?1 AND origin = 'found' ORDER BY claimed, attempt";
        attempts::select(self.db, condition, [self.campaign])
    }

    fn meet(&mut self, id: &AttemptId) -> bool {
        self.told.met.insert(id.clone())
    }

    fn told(&mut self, id: &AttemptId) -> Option<State> {
        self.told.states.get(id).copied()
    }

    fn tell(&mut self, id: &AttemptId, state: State) {
        if state.is_live() || state == State::Parked {
            self.told.states.insert(id.clone(), state);
        } else {
            self.told.states.remove(id);
        }
    }

    fn lead(&mut self, id: LeadId) -> Result<Option<LeadRow>, Error> {
        leads::by_id(self.db, self.zones, self.campaign, id)
    }

    fn leads_with(&mut self, phone: Phone) -> Result<Vec<LeadId>, Error> {
        let find = "SELECT id FROM leads WHERE campaign = ?1 AND phone = ?2 ORDER BY place";
        let mut statement = self.db.prepare_cached(find)?;
        let ids = statement.query_map(params![self.campaign, attempts::digits(phone)], |row| row.get(0).map(LeadId))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn stand(&mut self, row: &LeadRow, stand: LeadStatus, now: Now) -> Result<(), Error> {
        if row.stand == stand { Ok(()) } else { leads::stand(self.db, row.id, stand, now) }
    }

    fn look_again(&mut self, attempt: &Attempt) -> Result<(), Error> {
        if let Some(phone) = attempt.phone {
            let mark = "UPDATE leads SET stale = 1 WHERE campaign = ?1 AND phone = ?2 AND stale = 0";
            self.db.prepare_cached(mark)?.execute(params![attempt.campaign, attempts::digits(phone)])?;
        }
        Ok(())
    }

    fn settle_suppressed(&mut self, row: &LeadRow, now: Now) -> Result<(), Error> {
        self.db.prepare_cached("UPDATE leads SET suppressed = 1 WHERE id = ?1")?.execute([row.id.0])?;
        self.stand(row, row.stand.suppressed(), now)
    }

    fn another_answered(&mut self, lead: LeadId, after: Instant, until: Instant) -> Result<bool, Error> {
        let find = "SELECT 1 FROM attempts WHERE campaign = ?1 AND received IS NOT NULL AND received > ?2 \
                    AND received <= ?3 AND lead <> ?4";
        let params = params![self.campaign, after.as_micros(), until.as_micros(), lead.0];
        Ok(self.db.prepare_cached(find)?.exists(params)?)
    }

    fn suppress(&mut self, phone: Phone, reason: &str, now: Now) -> Result<(), Error> {
        if self.rehearsal {
            self.told.opted_out.insert(phone);
            return Ok(());
        }
        suppress(self.db, self.salt, phone, reason, now).map(|_| ())
    }

    fn is_suppressed(&mut self, phone: Phone) -> Result<bool, Error> {
        let find = "SELECT 1 FROM suppressions WHERE hash = ?1";
        Ok(self.told.opted_out.contains(&phone)
            || self.db.prepare_cached(find)?.exists([phone_hash(self.salt, phone)])?
            || (self.dnc)(phone))
    }

    fn is_taken(&mut self, phone: Phone) -> Result<bool, Error> {
        let find = "SELECT 1 FROM attempts WHERE phone = ?1 AND rehearsal = ?2 AND origin = 'claimed' \
                    AND refused IS NULL AND absent IS NULL AND parked IS NULL AND ended IS NULL AND given_up = 0";
        Ok(self.db.prepare_cached(find)?.exists(params![attempts::digits(phone), self.rehearsal])?)
    }

    fn called_elsewhere(&mut self, phone: Phone) -> Result<Option<Timestamp>, Error> {
        let find = "SELECT max(began) FROM attempts WHERE phone = ?1 AND campaign <> ?2 \
                    AND rehearsal = ?3 AND state IN ('placed', 'ended', 'in-doubt', 'parked')";
        let params = params![attempts::digits(phone), self.campaign, self.rehearsal];
        let began: Option<i64> = self.db.prepare_cached(find)?.query_row(params, |row| row.get(0))?;
        Ok(began.map(attempts::wall))
    }

    fn pause_posts(&mut self, until: Instant) -> Result<(), Error> {
        let pause = "UPDATE pools SET rate_until = max(coalesce(rate_until, ?2), ?2) WHERE id = ?1";
        self.db.prepare_cached(pause)?.execute(params![self.pool, until.as_micros()])?;
        Ok(())
    }

    fn zone_sets(&mut self) -> Result<Vec<ZoneSet>, Error> {
        leads::zone_sets(self.db, self.zones, self.campaign)
    }

    fn waiting(&mut self, zone_set: i64, round: Round, now: Timestamp, most: usize) -> Result<Vec<Waiting>, Error> {
        let find = match round {
            Round::First => {
                "SELECT place, id FROM leads WHERE campaign = ?1 AND zone_set = ?2 AND standing = 'open' \
                 AND listed = 1 AND later = 0 ORDER BY place LIMIT ?4"
            }
            Round::Later => {
                "SELECT place, id FROM leads WHERE campaign = ?1 AND zone_set = ?2 AND standing = 'open' \
                 AND listed = 1 AND later = 1 AND due <= ?3 ORDER BY due, place LIMIT ?4"
            }
        };
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut statement = self.db.prepare_cached(find)?;
        let params = params![self.campaign, zone_set, now.as_microsecond(), most];
        let waiting = statement.query_map(params, |row| Ok((row.get(0)?, LeadId(row.get(1)?))))?;
        Ok(waiting.collect::<Result<_, _>>()?)
    }

    fn soonest(&mut self, zone_set: i64) -> Result<(bool, Option<Timestamp>), Error> {
        let first = "SELECT 1 FROM leads WHERE campaign = ?1 AND zone_set = ?2 AND standing = 'open' AND listed = 1 \
                     AND later = 0";
        let later = "SELECT min(due) FROM leads WHERE campaign = ?1 AND zone_set = ?2 AND standing = 'open' \
                     AND listed = 1 AND later = 1";
        let params = params![self.campaign, zone_set];
        let fresh = self.db.prepare_cached(first)?.exists(params)?;
        let due: Option<i64> = self.db.prepare_cached(later)?.query_row(params, |row| row.get(0))?;
        Ok((fresh, due.map(attempts::wall)))
    }

    fn open_leads(&mut self) -> Result<u64, Error> {
        let count = "SELECT count(*) FROM leads WHERE campaign = ?1 AND listed = 1 AND standing = 'open'";
        Ok(self.db.prepare_cached(count)?.query_row([self.campaign], |row| row.get(0))?)
    }

    fn batch(&mut self) -> Result<Option<(u64, usize)>, Error> {
        let find =
            "SELECT number, size FROM batches WHERE campaign = ?1 AND closed IS NULL ORDER BY number DESC LIMIT 1";
        let mut statement = self.db.prepare_cached(find)?;
        Ok(statement.query_row([self.campaign], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    fn batch_leads(&mut self, number: u64) -> Result<Vec<LeadId>, Error> {
        let find = "SELECT leads.id FROM batches, json_each(batches.leads) AS member \
                    JOIN leads ON leads.id = member.value \
                    WHERE batches.campaign = ?1 AND batches.number = ?2 AND leads.campaign = ?1 AND leads.listed = 1 \
                    AND leads.standing = 'open' ORDER BY leads.place";
        let mut statement = self.db.prepare_cached(find)?;
        let ids = statement.query_map(params![self.campaign, number], |row| row.get(0).map(LeadId))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn cut(&mut self, leads: &[LeadId], now: Now) -> Result<u64, Error> {
        let last = "SELECT coalesce(max(number), 0) FROM batches WHERE campaign = ?1";
        let last: u64 = self.db.prepare_cached(last)?.query_row([self.campaign], |row| row.get(0))?;
        let number = last.checked_add(1).ok_or_else(|| Error::damaged("the number of a batch"))?;
        let ids: Vec<String> = leads.iter().map(|id| id.0.to_string()).collect();
        let cut = "INSERT INTO batches (campaign, number, leads, size, opened) VALUES (?1, ?2, ?3, ?4, ?5)";
        let members = format!("[{}]", ids.join(","));
        let params = params![self.campaign, number, members, leads.len(), now.wall.as_microsecond()];
        self.db.prepare_cached(cut)?.execute(params)?;
        Ok(number)
    }

    fn close(&mut self, number: u64, now: Now) -> Result<(), Error> {
        let close = "UPDATE batches SET closed = ?3 WHERE campaign = ?1 AND number = ?2 AND closed IS NULL";
        self.db.prepare_cached(close)?.execute(params![self.campaign, number, now.wall.as_microsecond()])?;
        Ok(())
    }
}
