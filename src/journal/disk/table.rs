//! One run's campaign in the database, as the shared steps load and store it.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::people::{LeadRow, People, Told, Wanted};
use super::super::store::{OpenBatch, Round, Store, Waiting, ZoneSet};
use super::super::{Dnc, Error};
use super::accounts::phone_hash;
use super::attempts::digits;
use super::db::{Db, Value, values};
use super::leads::Zones;
use super::{attempts, leads, results};
use crate::campaign::event::LeadId;
use crate::leads::lead::Phone;
use crate::pool::attempt_id::{AttemptId, Mark};
use crate::time::{Instant, Now};

/// A campaign's leads with any of these ids.
pub(super) const WITH_IDS: &str = "id IN (SELECT value FROM json_each(?2)) AND +campaign = ?1";
/// A campaign's leads with any of these numbers.
const WITH_NUMBERS: &str = "campaign = ?1 AND phone IN (SELECT value FROM json_each(?2))";
/// The attempts that any of these numbers went through.
const ON_NUMBERS: &str =
    "WHERE phone IN (SELECT value FROM json_each(?1)) AND rehearsal = ?2 ORDER BY claimed, attempt";
/// Whether a number is on the do-not-call list of the state directory.
const SUPPRESSED: &str = "SELECT 1 FROM suppressions WHERE hash = ?1";

/// One run's campaign, within a transaction.
pub(super) struct Table<'a> {
    pub(super) db: &'a Db,
    pub(super) account: i64,
    pub(super) campaign: i64,
    pub(super) pool: i64,
    /// The account is that of the built-in stand-in.
    pub(super) rehearsal: bool,
    pub(super) salt: &'a [u8],
    pub(super) zones: &'a mut Zones,
    pub(super) told: &'a mut Told,
    /// Who asked a rehearsal's calls not to be called: nobody did, so it is kept for no longer than the run lasts.
    pub(super) opted_out: &'a mut HashSet<Phone>,
    pub(super) dnc: &'a Dnc,
}

/// The number of a campaign by its mark, made up where there is none.
pub(super) fn campaign_of(db: &Db, account: i64, mark: &Mark) -> Result<i64, Error> {
    let find = "SELECT id FROM campaigns WHERE account = ?1 AND mark = ?2";
    if let Some(id) = db.maybe(find, values![account, mark.as_str()], |row| row.get(0))? {
        return Ok(id);
    }
    db.get("INSERT INTO campaigns (account, mark) VALUES (?1, ?2) RETURNING id", values![account, mark.as_str()])
}

/// Puts a number on the state directory's own do-not-call list.
pub(super) fn suppress(db: &Db, salt: &[u8], phone: Phone, reason: &str, now: Now) -> Result<bool, Error> {
    let added = db.execute(
        "INSERT INTO suppressions (phone, hash, reason, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        values![digits(phone), &phone_hash(salt, phone), reason, now.wall.as_microsecond()],
    )?;
    Ok(added > 0)
}

impl Table<'_> {
    /// This campaign's leads with any of these ids.
    fn add_leads(&mut self, people: &mut People, ids: &[LeadId]) -> Result<(), Error> {
        self.leads(people, WITH_IDS, &ids.iter().map(|id| id.0).collect::<Vec<_>>())
    }

    fn leads(&mut self, people: &mut People, which: &str, of: &[i64]) -> Result<(), Error> {
        let values = values![self.campaign, Value::Ints(of)];
        leads::each(self.db, self.zones, which, values, |row: LeadRow| people.add_lead(row))
    }

    /// The attempts that any of these numbers went through, in any campaign.
    fn add_attempts_on(&self, people: &mut People, phones: &[i64]) -> Result<(), Error> {
        let values = values![Value::Ints(phones), self.rehearsal];
        attempts::each(self.db, ON_NUMBERS, values, |attempt| people.add_attempt(Arc::new(attempt)))
    }

    /// These attempts, and which campaigns' the unknown ones are.
    fn add_attempts(&self, people: &mut People, ids: &[AttemptId]) -> Result<(), Error> {
        let which = "WHERE attempt IN (SELECT value FROM json_each(?1))";
        let names: Vec<&str> = ids.iter().map(AttemptId::as_str).collect();
        attempts::each(self.db, which, &[Value::Texts(&names)], |attempt| people.add_attempt(Arc::new(attempt)))?;
        for id in ids {
            let mark = id.mark();
            if people.attempt(id).is_none() && !people.campaigns.contains_key(&mark) {
                let campaign = campaign_of(self.db, self.account, &mark)?;
                people.campaigns.insert(mark, campaign);
            }
        }
        Ok(())
    }

    fn add_found(&self, people: &mut People) -> Result<(), Error> {
        let which = "WHERE campaign = ?1 AND origin = 'found'";
        attempts::each(self.db, which, values![self.campaign], |attempt| people.add_attempt(Arc::new(attempt)))
    }

    /// All that is to be known of some numbers, in one round trip.
    fn load_ahead(&self, phones: &[Phone], all: &[i64], leads: bool, suppressed: bool) -> Result<(), Error> {
        if !self.db.is_remote() {
            return Ok(());
        }
        let (attempts, with_numbers) = (attempts::statement(ON_NUMBERS), leads::statement(WITH_NUMBERS));
        let (on, with) = ([Value::Ints(all), self.rehearsal.into()], [self.campaign.into(), Value::Ints(all)]);
        let hashes: Vec<_> = phones.iter().filter(|_| suppressed).map(|phone| phone_hash(self.salt, *phone)).collect();
        let hashes: Vec<_> = hashes.iter().map(|hash| [Value::from(hash)]).collect();
        let mut reads: Vec<(&str, &[Value<'_>])> = vec![(&attempts, &on)];
        reads.extend(leads.then_some((&*with_numbers, &with[..])));
        reads.extend(hashes.iter().map(|hash| (SUPPRESSED, &hash[..])));
        self.db.ahead(&reads)
    }

    /// Those of some numbers that are on any do-not-call list.
    fn suppressed(&self, phones: &[Phone]) -> Result<Vec<Phone>, Error> {
        let mut suppressed = Vec::new();
        for phone in phones {
            let outside = self.opted_out.contains(phone) || (self.dnc)(*phone);
            if outside || self.db.exists(SUPPRESSED, values![&phone_hash(self.salt, *phone)])? {
                suppressed.push(*phone);
            }
        }
        Ok(suppressed)
    }
}

impl Store for Table<'_> {
    fn load(&mut self, wanted: Wanted<'_>) -> Result<People, Error> {
        let mut people = People::of(self.campaign);
        if !wanted.leads.is_empty() {
            self.add_leads(&mut people, wanted.leads)?;
        }
        if !wanted.attempts.is_empty() {
            self.add_attempts(&mut people, wanted.attempts)?;
        }
        if wanted.found {
            self.add_found(&mut people)?;
        }
        let phones = people.phones();
        if phones.is_empty() {
            return Ok(people);
        }
        let all: Vec<i64> = phones.iter().copied().map(digits).collect();
        let and_leads = wanted.found || !wanted.attempts.is_empty();
        self.load_ahead(&phones, &all, and_leads, wanted.suppressed)?;
        if and_leads {
            self.leads(&mut people, WITH_NUMBERS, &all)?;
        }
        self.add_attempts_on(&mut people, &all)?;
        if wanted.suppressed {
            people.suppressed.extend(self.suppressed(&phones)?);
        }
        Ok(people)
    }

    fn save(&mut self, mut people: People, now: Now) -> Result<(), Error> {
        let changed = people.take_changes();
        for attempt in changed.attempts.iter().filter_map(|id| people.attempt(id)) {
            attempts::put(self.db, attempt)?;
        }
        for row in changed.leads.iter().filter_map(|id| people.lead(*id)) {
            leads::stand(self.db, row.id, row.stand, row.suppressed, now)?;
        }
        for (id, analysis) in changed.analyses {
            results::put_analysis(self.db, &id, &analysis)?;
        }
        for (campaign, phone) in changed.stale {
            let mark = "UPDATE leads SET stale = 1 WHERE campaign = ?1 AND phone = ?2 AND stale = 0";
            self.db.write(mark, values![campaign, digits(phone)])?;
        }
        for phone in changed.opted_out {
            if self.rehearsal {
                self.opted_out.insert(phone);
            } else {
                suppress(self.db, self.salt, phone, "asked not to be called, during a call", now)?;
            }
        }
        if let Some(until) = changed.posts_paused {
            let pause = "UPDATE pools SET rate_until = ?2 WHERE id = ?1 AND (rate_until IS NULL OR rate_until < ?2)";
            self.db.write(pause, values![self.pool, self.db.line().micros(until)])?;
        }
        Ok(())
    }

    fn told(&mut self) -> &mut Told {
        self.told
    }

    fn another_answered(&mut self, lead: LeadId, after: Instant, until: Instant) -> Result<bool, Error> {
        let find = "SELECT 1 FROM attempts WHERE campaign = ?1 AND received IS NOT NULL AND received > ?2 \
                    AND received <= ?3 AND lead <> ?4";
        let line = self.db.line();
        self.db.exists(find, values![self.campaign, line.micros(after), line.micros(until), lead.0])
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
        let values = values![self.campaign, zone_set, now.as_microsecond(), most];
        self.db.all(find, values, |row| Ok((row.get(0)?, LeadId(row.get(1)?))))
    }

    fn open_leads(&mut self) -> Result<u64, Error> {
        let count =
            "SELECT leads FROM lead_counts WHERE campaign = ?1 AND listed = 1 AND standing = 'open' AND class = ''";
        Ok(self.db.maybe(count, values![self.campaign], |row| row.get(0))?.unwrap_or(0))
    }

    fn batch(&mut self) -> Result<Option<OpenBatch>, Error> {
        let find = "SELECT number, size FROM batches INDEXED BY batches_open \
                    WHERE campaign = ?1 AND closed IS NULL ORDER BY number DESC LIMIT 1";
        let open = self.db.maybe(find, values![self.campaign], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let Some((number, size)) = open else { return Ok(None) };
        let members = "SELECT leads.id FROM batches, json_each(batches.leads) AS member \
                       JOIN leads ON leads.id = member.value \
                       WHERE batches.campaign = ?1 AND batches.number = ?2 AND +leads.campaign = ?1 \
                       AND leads.listed = 1 AND leads.standing = 'open' ORDER BY leads.place";
        let leads = self.db.all(members, values![self.campaign, number], |row| row.get(0).map(LeadId))?;
        Ok(Some(OpenBatch { number, size, leads }))
    }

    fn cut(&mut self, leads: &[LeadId], now: Now) -> Result<u64, Error> {
        let last = "SELECT coalesce(max(number), 0) FROM batches WHERE campaign = ?1";
        let last: u64 = self.db.get(last, values![self.campaign])?;
        let number = last.checked_add(1).ok_or_else(|| Error::damaged("the number of a batch"))?;
        let cut = "INSERT INTO batches (campaign, number, leads, size, opened) VALUES (?1, ?2, ?3, ?4, ?5)";
        let members = serde_json::to_string(&leads.iter().map(|id| id.0).collect::<Vec<_>>()).unwrap_or_default();
        self.db.write(cut, values![self.campaign, number, &members, leads.len(), now.wall.as_microsecond()])?;
        Ok(number)
    }

    fn close(&mut self, number: u64, now: Now) -> Result<(), Error> {
        let close = "UPDATE batches SET closed = ?3 WHERE campaign = ?1 AND number = ?2 AND closed IS NULL";
        self.db.write(close, values![self.campaign, number, now.wall.as_microsecond()])?;
        Ok(())
    }
}
