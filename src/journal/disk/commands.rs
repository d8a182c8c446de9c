//! What other shells do to campaigns and to people: every one a transaction of its own, beside whatever run is alive.

use std::collections::HashSet;

use jiff::Timestamp;

use super::super::Error;
use super::super::lead_status::{LeadState, LeadStatus};
use super::accounts::{Account, phone_hash};
use super::attempts::{self, digits, wall};
use super::db::{Db, values};
use super::table::suppress;
use super::{Disk, leads};
use crate::campaign::attempt::State;
use crate::campaign::event::LeadId;
use crate::leads::lead::Phone;
use crate::pool::attempt_id::Mark;
use crate::time::Now;

/// What a person left behind who is to be forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Forgotten {
    /// Rows of lists.
    pub leads: u64,
    /// Attempts, whose number and messages are erased.
    pub attempts: u64,
    /// The journal's log still holds the erased text: another process was reading it.
    pub in_log: bool,
}

impl Disk {
    /// Pauses a campaign, or lets it go on; kept until told otherwise. Says whether a run is alive to hear it.
    pub fn pause(&mut self, account: &Account, campaign: &str, paused: bool) -> Result<bool, Error> {
        self.order(account, campaign, "UPDATE campaigns SET paused = ?2 WHERE id = ?1", paused)
    }

    /// Asks the run of a campaign to end as at the first Ctrl-C. Says whether there is one.
    pub fn stop(&mut self, account: &Account, campaign: &str) -> Result<bool, Error> {
        self.order(account, campaign, "UPDATE campaigns SET stop = ?2 WHERE id = ?1", true)
    }

    fn order(&mut self, account: &Account, name: &str, order: &str, to: bool) -> Result<bool, Error> {
        let campaign = self.campaign(account, name)?;
        self.within(|tx| tx.execute(order, values![campaign, to]))?;
        self.is_held(&account.name, &Mark::of(name))
    }

    /// Leads of a campaign that are parked: their numbers, or only that one.
    pub fn parked(&self, account: &Account, campaign: &str, phone: Option<Phone>) -> Result<Vec<Phone>, Error> {
        let campaign = self.campaign(account, campaign)?;
        self.read(|db| {
            let find = "SELECT phone FROM leads WHERE campaign = ?1 AND standing = 'parked' \
                        AND phone = coalesce(?2, phone) ORDER BY place";
            db.all(find, values![campaign, phone.map(digits)], |row| attempts::phone(row.get(0)?))
        })
    }

    /// Gives parked leads back to the list, all or that one. Returns how many.
    pub fn release(&mut self, account: &Account, campaign: &str, phone: Option<Phone>, now: Now) -> Result<u64, Error> {
        let campaign = self.campaign(account, campaign)?;
        self.within(|tx| {
            let parked = "SELECT id FROM leads WHERE campaign = ?1 AND standing = 'parked' \
                          AND phone = coalesce(?2, phone)";
            let ids: Vec<i64> = tx.all(parked, values![campaign, phone.map(digits)], |row| row.get(0))?;
            for id in &ids {
                release(tx, campaign, *id, now)?;
            }
            Ok(ids.len() as u64)
        })
    }

    /// Puts a number on the state directory's do-not-call list. Says whether it was not there yet.
    pub fn suppress(&mut self, phone: Phone, reason: &str, now: Now) -> Result<bool, Error> {
        let salt = self.salt.clone();
        self.within(|tx| suppress(tx, &salt, phone, reason, now))
    }

    /// Takes a number off that list, and has its leads looked at again when their campaigns start next. False where it is
    /// not on it. Whoever was erased stays.
    pub fn unsuppress(&mut self, phone: Phone) -> Result<bool, Error> {
        let hash = phone_hash(&self.salt, phone);
        self.within(|tx| {
            let gone = tx.execute("DELETE FROM suppressions WHERE hash = ?1 AND phone IS NOT NULL", values![&hash])?;
            if gone > 0 {
                let again = "UPDATE leads SET suppressed = 0, stale = 1 \
                             WHERE campaign IN (SELECT id FROM campaigns) AND phone = ?1 AND suppressed = 1";
                tx.write(again, values![digits(phone)])?;
            }
            Ok(gone > 0)
        })
    }

    /// That list, in the order in which it grew: the number (none of a person who was erased), why, and since when.
    pub fn suppressed_numbers(&self) -> Result<Vec<(Option<Phone>, String, Timestamp)>, Error> {
        self.read(|db| {
            db.all("SELECT phone, reason, at FROM suppressions ORDER BY id", &[], |row| {
                let phone = row.get::<Option<i64>>(0)?.map(attempts::phone).transpose()?;
                Ok((phone, row.get(1)?, wall(row.get(2)?)))
            })
        })
    }

    /// Why a number is suppressed here, and since when, if it is.
    pub fn suppressed(&self, phone: Phone) -> Result<Option<(String, Timestamp)>, Error> {
        let hash = phone_hash(&self.salt, phone);
        self.read(|db| {
            let find = "SELECT reason, at FROM suppressions WHERE hash = ?1";
            db.maybe(find, values![&hash], |row| Ok((row.get(0)?, wall(row.get(1)?))))
        })
    }

    /// Whom this directory suppresses, for as many questions as a long list has.
    pub fn suppressions(&self) -> Result<impl Fn(Phone) -> bool + use<>, Error> {
        let hashes: HashSet<Vec<u8>> =
            self.read(|db| Ok(db.all("SELECT hash FROM suppressions", &[], |row| row.get(0))?.into_iter().collect()))?;
        let salt = self.salt.clone();
        Ok(move |phone| !hashes.is_empty() && hashes.contains(&phone_hash(&salt, phone)))
    }

    /// Erases a person: every row with the number, and the number from every attempt. A keyed hash stays, and suppresses
    /// them. The attempts' ids stay, so that their calls are known for what they are.
    pub fn forget(&mut self, phone: Phone, now: Now) -> Result<Forgotten, Error> {
        let salt = self.salt.clone();
        let mut forgotten = self.within(|tx| {
            suppress(tx, &salt, phone, "forgotten", now)?;
            let hash = phone_hash(&salt, phone);
            tx.write("UPDATE suppressions SET phone = NULL, reason = 'forgotten' WHERE hash = ?1", values![&hash])?;
            // A list that is brought in again has the row again: its content must not be taken for known.
            let renew = "UPDATE campaigns SET list_hash = NULL \
                         WHERE EXISTS (SELECT 1 FROM leads WHERE campaign = campaigns.id AND phone = ?1)";
            tx.write(renew, values![digits(phone)])?;
            // What a run told last may name the person, with the number masked. One that is alive tells it anew.
            let told = "DELETE FROM live_status \
                        WHERE EXISTS (SELECT 1 FROM leads WHERE campaign = live_status.campaign AND phone = ?1)";
            tx.write(told, values![digits(phone)])?;
            let gone = "DELETE FROM leads WHERE campaign IN (SELECT id FROM campaigns) AND phone = ?1";
            let leads = tx.execute(gone, values![digits(phone)])?;
            let said = "DELETE FROM analyses WHERE attempt IN (SELECT attempt FROM attempts WHERE phone = ?1)";
            tx.write(said, values![digits(phone)])?;
            let erase = "UPDATE attempts SET phone = NULL, lead = NULL, message = NULL WHERE phone = ?1";
            let attempts = tx.execute(erase, values![digits(phone)])?;
            Ok(Forgotten { leads, attempts, in_log: false })
        })?;
        if self.db.is_remote() {
            return Ok(forgotten);
        }
        self.read(|db| db.wait_at_most(self.patience.most))?;
        // Pages that an earlier build wrote may keep what stood there before. Where the file cannot be written anew (it
        // is in use, or there is no room for two of it), what this one erased is gone all the same.
        let _ = self.read(|db| db.batch("VACUUM"));
        // What the log still holds of them goes, too, unless another process is reading it at this moment.
        forgotten.in_log = self.read(|db| db.get("PRAGMA wal_checkpoint(TRUNCATE)", &[]))?;
        Ok(forgotten)
    }
}

/// Gives one lead back. Whatever else is known of it is looked at when its campaign starts next; until then it is open.
fn release(tx: &Db, campaign: i64, lead: i64, now: Now) -> Result<(), Error> {
    let its = "WHERE phone = (SELECT phone FROM leads WHERE id = ?2) AND campaign = ?1 AND (lead = ?2 OR lead IS NULL)";
    for mut attempt in attempts::select(tx, its, values![campaign, lead])? {
        if attempt.state() == State::Parked {
            attempt.facts.released = true;
            attempts::put(tx, &attempt)?;
        }
    }
    let stand = LeadStatus { standing: LeadState::Open, later: true, ..LeadStatus::FRESH };
    leads::stand(tx, LeadId(lead), stand, false, now)?;
    tx.write("UPDATE leads SET stale = 1 WHERE id = ?1", values![lead])?;
    Ok(())
}
