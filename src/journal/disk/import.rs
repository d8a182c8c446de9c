//! Brings a list in: whole, under a new generation, in one transaction.
//!
//! The rows are first put aside in a temporary table, which keeps nobody waiting and costs no memory; only what differs
//! from the journal is written.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::super::{DUPLICATES_SHOWN, Error, ImportError, Imported, Listed, place, placed};
use super::accounts::{Account, phone_hash};
use super::attempts::digits;
use super::lock::Lock;
use super::{Disk, renamed};
use crate::leads::lead::{Lead, Phone};
use crate::pool::attempt_id::Mark;
use crate::time::Now;

/// The list and the target of a campaign, as they were given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// The account.
    pub account: Account,
    /// The campaign's name.
    pub campaign: String,
    /// The name was given, so another list or target is meant.
    pub explicit: bool,
    /// The lists' canonical paths.
    pub lists: Vec<String>,
    /// Which of them cannot be read again: their leads stay as they are.
    pub kept: Vec<usize>,
    /// The assistant, squad or workflow.
    pub target: String,
    /// More than half of the open leads may be dropped.
    pub replace: bool,
    /// It is looked whether another campaign has just called the same people.
    pub ask_others: bool,
}

impl Disk {
    /// Brings a whole list in, or nothing of it.
    pub fn import<E>(
        &mut self,
        lock: &Lock,
        head: &Head,
        now: Now,
        rows: &mut dyn Iterator<Item = Result<Listed, E>>,
    ) -> Result<Imported, ImportError<E>> {
        assert!(lock.campaign() == head.campaign && lock.account() == head.account.name, "the lock is another's");
        self.read(|db| check_head(db, head).map(drop))?;
        // A larger cache while it lasts: the indexes of a long list fit.
        self.read(|db| Ok(db.execute_batch("PRAGMA main.cache_size = -20000; PRAGMA temp.cache_size = -36000")?))?;
        let forgotten = self.forgotten()?;
        let mut staged = self.stage(&mut rows.map(|row| row.map(|listed| forgotten.without_person(listed))))?;
        staged.hash.extend(head.kept.iter().flat_map(|kept| kept.to_le_bytes()));
        let imported = self.within(|tx| merge(tx, head, now, &staged));
        self.read(|db| Ok(db.execute_batch("PRAGMA main.cache_size = -16000")?))?;
        // The temporary table is in nobody's way, but it may be large.
        let dropped = self.read(|db| {
            Ok(db.execute_batch("DROP TABLE temp.staged; DROP TABLE temp.staged_zones; DROP TABLE temp.fresh")?)
        });
        let imported = imported?;
        dropped?;
        self.read(|db| Ok(db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?))?;
        Ok(imported)
    }

    /// The lists that a campaign has called somebody on.
    pub fn lists(&self, account: &Account, campaign: &str) -> Result<Vec<String>, Error> {
        let find = "SELECT lists FROM campaigns WHERE account = ?1 AND mark = ?2 AND EXISTS \
                    (SELECT 1 FROM attempt_counts WHERE campaign = campaigns.id AND attempts > 0)";
        let mark = Mark::of(campaign);
        let lists = self.read(|db| {
            let params = params![account.id, mark.as_str()];
            Ok(db.query_row(find, params, |row| row.get(0)).optional()?)
        })?;
        Ok(named(lists.flatten()))
    }

    fn forgotten(&self) -> Result<Forgotten, Error> {
        let hashes = self.read(|db| {
            let mut statement = db.prepare("SELECT hash FROM suppressions WHERE phone IS NULL")?;
            let hashes = statement.query_map([], |row| row.get(0))?;
            Ok(hashes.collect::<Result<_, _>>()?)
        })?;
        Ok(Forgotten { salt: self.salt.clone(), hashes })
    }

    fn stage<E>(&mut self, rows: &mut dyn Iterator<Item = Result<Row, E>>) -> Result<Staged, ImportError<E>> {
        let file = self.file.clone();
        let wrong = |error: rusqlite::Error| Error::from(error).within(&file);
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Deferred).map_err(wrong)?;
        tx.execute_batch(STAGING).map_err(wrong)?;
        let staged = stage(&tx, rows, wrong)?;
        tx.commit().map_err(wrong)?;
        Ok(staged)
    }
}

/// People who were erased, as keyed hashes of their numbers. A list may go on naming them; the journal does not.
struct Forgotten {
    salt: Vec<u8>,
    hashes: HashSet<Vec<u8>>,
}

impl Forgotten {
    /// What is staged of a row: of a person who was erased, nothing but a number that stands for the hash.
    fn without_person(&self, listed: Listed) -> Row {
        let phone = digits(listed.lead.phone);
        if self.hashes.is_empty() {
            return Row { phone, listed };
        }
        let hash = phone_hash(&self.salt, listed.lead.phone);
        if !self.hashes.contains(&hash) {
            return Row { phone, listed };
        }
        let start = hash.first_chunk().map_or(0, |start| i64::from_le_bytes(*start));
        let lead = Lead::of(Phone::NOBODY);
        Row { phone: start | i64::MIN, listed: Listed { lead, ..listed } }
    }
}

/// A row to be staged, and what it is known by.
struct Row {
    phone: i64,
    listed: Listed,
}

const STAGING: &str = "
    DROP TABLE IF EXISTS temp.staged;
    DROP TABLE IF EXISTS temp.staged_zones;
    DROP TABLE IF EXISTS temp.fresh;
    CREATE TABLE temp.fresh (id INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE temp.staged (
        id INTEGER PRIMARY KEY, place INTEGER NOT NULL, phone INTEGER NOT NULL, extension TEXT NOT NULL,
        lead TEXT NOT NULL, zone_set INTEGER NOT NULL) STRICT;
    CREATE TABLE temp.staged_zones (id INTEGER PRIMARY KEY, zones TEXT NOT NULL, real INTEGER) STRICT;";

/// A list that lies in the temporary table.
struct Staged {
    rows: u64,
    hash: Vec<u8>,
}

fn stage<E>(
    tx: &Transaction<'_>,
    rows: &mut dyn Iterator<Item = Result<Row, E>>,
    wrong: impl Fn(rusqlite::Error) -> Error,
) -> Result<Staged, ImportError<E>> {
    let put = "INSERT INTO temp.staged (place, phone, extension, lead, zone_set) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut put = tx.prepare(put).map_err(&wrong)?;
    let mut sets: HashMap<Vec<String>, i64> = HashMap::new();
    let mut hash = Sha256::new();
    let mut count = 0;
    for row in rows {
        let Row { phone, listed: Listed { file_index, line, mut lead } } = row.map_err(ImportError::List)?;
        let zones = std::mem::take(&mut lead.zones);
        let extension = lead.extension.clone().unwrap_or_default();
        let next = i64::try_from(sets.len()).unwrap_or(i64::MAX) + 1;
        let set = if let Some(set) = sets.get(&zones) {
            *set
        } else {
            let text = serde_json::to_string(&zones).unwrap_or_default();
            let put = "INSERT INTO temp.staged_zones (id, zones) VALUES (?1, ?2)";
            tx.execute(put, params![next, text]).map_err(&wrong)?;
            sets.insert(zones.clone(), next);
            next
        };
        let text = serde_json::to_string(&lead).expect("a lead is plain data");
        let place = place(file_index, line);
        hash.update(place.to_le_bytes());
        for part in zones.iter().chain([&text]) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        put.execute(params![place, phone, extension, text, set]).map_err(&wrong)?;
        count += 1;
    }
    Ok(Staged { rows: count, hash: hash.finalize().to_vec() })
}

/// Name, lists, target, and whether it has called anybody.
type Known = (Option<String>, Option<String>, Option<String>, bool);

/// Refuses another list or target under a name that was not given explicitly. A campaign that has called nobody is bound
/// to nothing: its first start may have been a mistake. Says whether it has.
fn check_head(db: &Connection, head: &Head) -> Result<bool, Error> {
    let campaign = head.campaign.clone();
    let find = "SELECT name, lists, target, EXISTS (SELECT 1 FROM attempt_counts WHERE campaign = campaigns.id \
                AND attempts > 0) FROM campaigns WHERE account = ?1 AND mark = ?2";
    let mark = Mark::of(&campaign);
    let params = params![head.account.id, mark.as_str()];
    let found = db.query_row(find, params, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
    let found: Option<Known> = found.optional()?;
    let Some((Some(name), lists, target, has_called)) = found else { return Ok(false) };
    if name != campaign {
        return Err(Error::SameMark { campaign, other: name });
    }
    if head.explicit || !has_called {
        return Ok(has_called);
    }
    let known = named(lists);
    let replaces = head.replace && head.lists.iter().all(|list| known.contains(list));
    if !known.is_empty() && known != head.lists && !replaces {
        return Err(Error::OtherList { campaign, known: known.join(", ") });
    }
    match target {
        Some(known) if known != head.target => Err(Error::OtherTarget { campaign, known }),
        _ => Ok(true),
    }
}

/// The lists of a campaign, as the journal has them.
fn named(lists: Option<String>) -> Vec<String> {
    lists.and_then(|lists| serde_json::from_str(&lists).ok()).unwrap_or_default()
}

/// Writes what the staged list changes.
fn merge(tx: &Transaction<'_>, head: &Head, now: Now, staged: &Staged) -> Result<Imported, Error> {
    // A campaign that goes on is not asked whose people they are.
    let asks_others = !check_head(tx, head)? && head.ask_others;
    let campaign = enroll(tx, head, now)?;
    let known = "SELECT imported FROM campaigns WHERE id = ?1 AND list_hash = ?2";
    let same: Option<Option<String>> =
        tx.query_row(known, params![campaign, staged.hash], |row| row.get(0)).optional()?;
    if !asks_others && let Some(counts) = same.flatten().and_then(|text| serde_json::from_str::<Imported>(&text).ok()) {
        return Ok(Imported { added: 0, back: 0, removed: 0, ..counts });
    }
    let mut imported = Imported { rows: staged.rows, ..Imported::default() };
    find_duplicates(tx, &mut imported)?;
    if imported.leads == 0 {
        return Err(Error::Empty);
    }
    if asks_others {
        renamed::look(tx, head, campaign, &mut imported, now)?;
    }
    let known: bool = tx.prepare("SELECT 1 FROM leads WHERE campaign = ?1")?.exists([campaign])?;
    let generation = "UPDATE campaigns SET generation = generation + 1 WHERE id = ?1 RETURNING generation";
    let generation: i64 = tx.query_row(generation, [campaign], |row| row.get(0))?;
    match_zones(tx)?;
    if known {
        refuse_drops(tx, head, campaign)?;
        imported.removed = tx.execute(&format!("{REMOVE} {}", outside(&head.kept)), [campaign])? as u64;
        imported.back = tx.query_row(BACK, [campaign], |row| row.get(0))?;
        tx.execute(RENEW, [campaign])?;
        tx.execute(NEW, [campaign])?;
    } else {
        tx.execute("INSERT INTO temp.fresh (id) SELECT id FROM temp.staged", [])?;
    }
    imported.added = add(tx, campaign, generation, now)?;
    // People who were erased: known by a hash, which is below nought, and never called.
    let forgotten = "UPDATE leads SET suppressed = 1, standing = 'settled', class = 'suppressed', settled = ?2 \
                     WHERE campaign = ?1 AND phone < 0 AND standing = 'open'";
    tx.execute(forgotten, params![campaign, now.wall.as_microsecond()])?;
    // Whose number was called before it came on the list (an extension added, calls taken in) is looked at once more.
    let past = "UPDATE leads SET stale = 1 WHERE campaign = ?1 AND generation = ?2 AND phone IN \
                (SELECT phone FROM attempts WHERE campaign = ?1)";
    if tx.prepare("SELECT 1 FROM attempts WHERE campaign = ?1")?.exists([campaign])? {
        tx.execute(past, [campaign, generation])?;
    }
    let counts = serde_json::to_string(&imported).unwrap_or_default();
    tx.execute(
        "UPDATE campaigns SET list_hash = ?2, imported = ?3 WHERE id = ?1",
        params![campaign, staged.hash, counts],
    )?;
    Ok(imported)
}

/// The campaign's number; it gets its name, list and target.
fn enroll(tx: &Transaction<'_>, head: &Head, now: Now) -> Result<i64, Error> {
    let lists = serde_json::to_string(&head.lists).unwrap_or_default();
    let enroll = "INSERT INTO campaigns (account, mark, name, lists, target, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                  ON CONFLICT (account, mark) DO UPDATE SET name = excluded.name, lists = excluded.lists, \
                  target = excluded.target, created = coalesce(created, excluded.created) RETURNING id";
    let mark = Mark::of(&head.campaign);
    let wall = now.wall.as_microsecond();
    let params = params![head.account.id, mark.as_str(), head.campaign, lists, head.target, wall];
    Ok(tx.query_row(enroll, params, |row| row.get(0))?)
}

/// Takes rows out that repeat an earlier one.
fn find_duplicates(tx: &Transaction<'_>, imported: &mut Imported) -> Result<(), Error> {
    tx.execute_batch(
        "CREATE UNIQUE INDEX temp.staged_order ON staged (phone, extension, id);
         CREATE TEMP TABLE repeats AS SELECT id, place FROM (SELECT id, place, \
             row_number() OVER (PARTITION BY phone, extension ORDER BY id) AS nth FROM temp.staged) WHERE nth > 1;
         DELETE FROM temp.staged WHERE id IN (SELECT id FROM temp.repeats);",
    )?;
    imported.duplicates = tx.query_row("SELECT count(*) FROM temp.repeats", [], |row| row.get(0))?;
    imported.leads = imported.rows - imported.duplicates;
    let mut first = tx.prepare("SELECT place FROM temp.repeats ORDER BY place LIMIT ?1")?;
    let places = first.query_map([DUPLICATES_SHOWN], |row| row.get(0).map(placed))?;
    imported.duplicate_lines = places.collect::<Result<_, _>>()?;
    drop(first);
    tx.execute_batch("DROP TABLE temp.repeats")?;
    Ok(())
}

/// Refuses to drop more than half of the open leads.
fn refuse_drops(tx: &Transaction<'_>, head: &Head, campaign: i64) -> Result<(), Error> {
    let open =
        "SELECT coalesce(sum(leads), 0) FROM lead_counts WHERE campaign = ?1 AND listed = 1 AND standing <> 'settled'";
    let open: u64 = tx.query_row(open, [campaign], |row| row.get(0))?;
    if open == 0 || head.replace {
        return Ok(());
    }
    let dropped = "SELECT count(*) FROM leads NOT INDEXED WHERE campaign = ?1 AND listed = 1 AND standing <> 'settled' \
                   AND NOT EXISTS (SELECT 1 FROM temp.staged AS new WHERE new.phone = leads.phone \
                   AND new.extension = leads.extension)";
    let dropped = format!("{dropped} {}", outside(&head.kept));
    let dropped: u64 = tx.query_row(&dropped, [campaign], |row| row.get(0))?;
    if dropped * 2 > open {
        return Err(Error::Drops { campaign: head.campaign.clone(), dropped, open });
    }
    Ok(())
}

/// The condition that a lead came from none of these lists.
fn outside(kept: &[usize]) -> String {
    let (first, past) = (|list: usize| place(list, 0), |list: usize| place(list + 1, 0));
    let apart = |list: &usize| format!("AND NOT (place >= {} AND place < {})", first(*list), past(*list));
    kept.iter().map(apart).collect::<Vec<_>>().join(" ")
}

/// Gives the staged zone sets the numbers that they have in the journal.
fn match_zones(tx: &Transaction<'_>) -> Result<(), Error> {
    tx.execute_batch(
        "INSERT INTO zone_sets (zones) SELECT zones FROM temp.staged_zones WHERE true ON CONFLICT DO NOTHING;
         UPDATE temp.staged_zones SET real = (SELECT id FROM zone_sets WHERE zone_sets.zones = staged_zones.zones);",
    )?;
    Ok(())
}

// The leads are gone through as they lie in the file, and looked up in the staged list, whose index fits the cache.

const REMOVE: &str = "UPDATE leads NOT INDEXED SET listed = 0 WHERE campaign = ?1 AND listed = 1 AND NOT EXISTS \
    (SELECT 1 FROM temp.staged AS new WHERE new.phone = leads.phone AND new.extension = leads.extension)";

const BACK: &str = "SELECT count(*) FROM leads WHERE campaign = ?1 AND listed = 0 AND EXISTS \
    (SELECT 1 FROM temp.staged AS new WHERE new.phone = leads.phone AND new.extension = leads.extension)";

/// What differs; one that is settled keeps what it was settled with.
const RENEW: &str = "UPDATE leads NOT INDEXED SET listed = 1, place = new.place, \
    lead = iif(standing = 'settled', leads.lead, new.lead), \
    zone_set = iif(standing = 'settled', leads.zone_set, sets.real) \
    FROM temp.staged AS new INDEXED BY staged_order CROSS JOIN temp.staged_zones AS sets ON sets.id = new.zone_set \
    WHERE leads.campaign = ?1 AND leads.phone = new.phone AND leads.extension = new.extension \
    AND (listed = 0 OR leads.place <> new.place OR (standing <> 'settled' AND \
    (leads.lead <> new.lead OR leads.zone_set <> sets.real)))";

/// Who is new, both sides gone through in the order of their numbers.
const NEW: &str = "INSERT INTO temp.fresh (id) SELECT new.id FROM temp.staged AS new INDEXED BY staged_order \
    WHERE NOT EXISTS (SELECT 1 FROM leads INDEXED BY leads_once WHERE leads.campaign = ?1 \
    AND leads.phone = new.phone AND leads.extension = new.extension)";

/// Adds who is new. Where that is the better part of the table its indexes are built afterwards, which takes a
/// third of the time.
fn add(tx: &Transaction<'_>, campaign: i64, generation: i64, now: Now) -> Result<u64, Error> {
    const ADD: &str = "INSERT INTO leads (campaign, place, phone, extension, lead, zone_set, generation, added) \
        SELECT ?1, new.place, new.phone, new.extension, new.lead, sets.real, ?2, ?3 \
        FROM temp.fresh CROSS JOIN temp.staged AS new ON new.id = fresh.id \
        CROSS JOIN temp.staged_zones AS sets ON sets.id = new.zone_set ORDER BY fresh.id";
    let new: i64 = tx.query_row("SELECT count(*) FROM temp.fresh", [], |row| row.get(0))?;
    let afterwards = new > tx.query_row("SELECT coalesce(max(id), 0) FROM leads", [], |row| row.get::<_, i64>(0))?;
    let indexes = if afterwards { drop_indexes(tx)? } else { Vec::new() };
    let added = tx.execute(ADD, params![campaign, generation, now.at.as_micros()])?;
    let counted = "INSERT INTO lead_counts VALUES (?1, 1, 'open', '', ?2) ON CONFLICT DO UPDATE SET leads = leads + ?2";
    tx.execute(counted, params![campaign, added])?;
    for index in indexes {
        tx.execute_batch(&index)?;
    }
    Ok(added as u64)
}

/// Takes the indexes of the leads away, and says how to make them again.
fn drop_indexes(tx: &Transaction<'_>) -> Result<Vec<String>, Error> {
    let mut statement = tx.prepare(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'leads' AND sql IS NOT NULL",
    )?;
    let indexes = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let indexes: Vec<(String, String)> = indexes.collect::<Result<_, _>>()?;
    drop(statement);
    for (name, _) in &indexes {
        tx.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    Ok(indexes.into_iter().map(|(_, sql)| sql).collect())
}
