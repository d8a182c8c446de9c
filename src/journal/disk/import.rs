//! Brings a list in: whole, under a new generation, in one transaction.
//!
//! The rows are first put aside in a temporary table, which keeps nobody waiting and costs no memory; only what differs
//! from the journal is written.

use rusqlite::Connection;

use super::super::Error;
use super::super::imported::{DUPLICATES_SHOWN, ImportError, Imported, Listed, place, placed};
use super::accounts::Account;
use super::db::{Db, values};
use super::lock::Lock;
use super::staging::{self, Forgotten, Row, Staged};
use super::{Disk, renamed};
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
        let forgotten = self.forgotten()?;
        let rows = &mut rows.map(|row| row.map(|listed| forgotten.without_person(listed)));
        match &self.db {
            Db::Sqlite(file) => self.import_into_file(file, head, now, rows),
            #[cfg(feature = "postgres")]
            Db::Postgres(server) => {
                self.db.set_fence(lock.fence());
                let imported = server.bring_in(|| {
                    let staged = staging::copy(server, rows)?.with_kept(&head.kept);
                    server.still_ours()?;
                    Ok(merge(&self.db, head, now, &staged)?)
                });
                imported.map_err(|error: ImportError<E>| match error {
                    ImportError::Journal(error) => error.within(&self.file).into(),
                    list @ ImportError::List(_) => list,
                })
            }
        }
    }

    fn import_into_file<E>(
        &self,
        file: &Connection,
        head: &Head,
        now: Now,
        rows: &mut dyn Iterator<Item = Result<Row, E>>,
    ) -> Result<Imported, ImportError<E>> {
        // A larger cache while it lasts: the indexes of a long list fit.
        self.read(|db| db.batch("PRAGMA main.cache_size = -20000; PRAGMA temp.cache_size = -36000"))?;
        let staged = staging::stage_beside(file, rows, |error| error.within(&self.file))?.with_kept(&head.kept);
        let imported = self
            .db
            .transact(&self.file, &self.patience, &self.salt, |tx| merge(tx, head, now, &staged))
            .map_err(|error| error.within(&self.file));
        self.read(|db| db.batch("PRAGMA main.cache_size = -16000"))?;
        // The temporary table is in nobody's way, but it may be large.
        let dropped =
            self.read(|db| db.batch("DROP TABLE temp.staged; DROP TABLE temp.staged_zones; DROP TABLE temp.fresh"));
        let imported = imported?;
        dropped?;
        self.read(|db| db.one("PRAGMA wal_checkpoint(PASSIVE)", &[], |_| Ok(())))?;
        Ok(imported)
    }

    /// The lists that a campaign has called somebody on.
    pub fn lists(&self, account: &Account, campaign: &str) -> Result<Vec<String>, Error> {
        let find = "SELECT lists FROM campaigns WHERE account = ?1 AND mark = ?2 AND EXISTS \
                    (SELECT 1 FROM attempt_counts WHERE campaign = campaigns.id AND attempts > 0)";
        let mark = Mark::of(campaign);
        let lists = self.read(|db| db.maybe(find, values![account.id, mark.as_str()], |row| row.get(0)))?;
        Ok(named(lists.flatten()))
    }

    fn forgotten(&self) -> Result<Forgotten, Error> {
        let hashes = self.read(|db| {
            let all = db.all("SELECT hash FROM suppressions WHERE phone IS NULL", &[], |row| row.get(0))?;
            Ok(all.into_iter().collect())
        })?;
        Ok(Forgotten { salt: self.salt.clone(), hashes })
    }
}

/// Name, lists, target, and whether it has called anybody.
type Known = (Option<String>, Option<String>, Option<String>, bool);

/// Refuses another list or target under a name that was not given explicitly. A campaign that has called nobody is bound
/// to nothing: its first start may have been a mistake. Says whether it has.
pub(super) fn check_head(db: &Db, head: &Head) -> Result<bool, Error> {
    let campaign = head.campaign.clone();
    let find = "SELECT name, lists, target, EXISTS (SELECT 1 FROM attempt_counts WHERE campaign = campaigns.id \
                AND attempts > 0) FROM campaigns WHERE account = ?1 AND mark = ?2";
    let mark = Mark::of(&campaign);
    let values = values![head.account.id, mark.as_str()];
    let found: Option<Known> =
        db.maybe(find, values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
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
fn merge(tx: &Db, head: &Head, now: Now, staged: &Staged) -> Result<Imported, Error> {
    // A campaign that goes on is not asked whose people they are.
    let asks_others = !check_head(tx, head)? && head.ask_others;
    let campaign = enroll(tx, head, now)?;
    let known = "SELECT imported FROM campaigns WHERE id = ?1 AND list_hash = ?2";
    let same: Option<Option<String>> = tx.maybe(known, values![campaign, &staged.hash], |row| row.get(0))?;
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
    let known: bool = tx.exists("SELECT 1 FROM leads WHERE campaign = ?1", values![campaign])?;
    let generation = "UPDATE campaigns SET generation = generation + 1 WHERE id = ?1 RETURNING generation";
    let generation: i64 = tx.get(generation, values![campaign])?;
    match_zones(tx)?;
    if known {
        refuse_drops(tx, head, campaign)?;
        imported.removed = tx.execute(&format!("{REMOVE} {}", outside(&head.kept)), values![campaign])?;
        imported.back = tx.get(BACK, values![campaign])?;
        tx.write(RENEW, values![campaign])?;
        tx.write(NEW, values![campaign])?;
    } else {
        tx.write("INSERT INTO temp.fresh (id) SELECT id FROM temp.staged", &[])?;
    }
    imported.added = add(tx, campaign, generation, now)?;
    // People who were erased: known by a hash, which is below nought, and never called.
    let forgotten = "UPDATE leads SET suppressed = 1, standing = 'settled', class = 'suppressed', settled = ?2 \
                     WHERE campaign = ?1 AND phone < 0 AND standing = 'open'";
    tx.write(forgotten, values![campaign, now.wall.as_microsecond()])?;
    // Whose number was called before it came on the list (an extension added, calls taken in) is looked at once more.
    let past = "UPDATE leads SET stale = 1 WHERE campaign = ?1 AND generation = ?2 AND phone IN \
                (SELECT phone FROM attempts WHERE campaign = ?1)";
    if tx.exists("SELECT 1 FROM attempts WHERE campaign = ?1", values![campaign])? {
        tx.write(past, values![campaign, generation])?;
    }
    let counts = serde_json::to_string(&imported).unwrap_or_default();
    tx.write(
        "UPDATE campaigns SET list_hash = ?2, imported = ?3 WHERE id = ?1",
        values![campaign, &staged.hash, &counts],
    )?;
    Ok(imported)
}

/// The campaign's number; it gets its name, list and target.
fn enroll(tx: &Db, head: &Head, now: Now) -> Result<i64, Error> {
    let lists = serde_json::to_string(&head.lists).unwrap_or_default();
    let enroll = "INSERT INTO campaigns (account, mark, name, lists, target, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                  ON CONFLICT (account, mark) DO UPDATE SET name = excluded.name, lists = excluded.lists, \
                  target = excluded.target, created = coalesce(campaigns.created, excluded.created) RETURNING id";
    let mark = Mark::of(&head.campaign);
    let wall = now.wall.as_microsecond();
    tx.get(enroll, values![head.account.id, mark.as_str(), &head.campaign, &lists, &head.target, wall])
}

/// Takes rows out that repeat an earlier one.
fn find_duplicates(tx: &Db, imported: &mut Imported) -> Result<(), Error> {
    tx.batch(match tx {
        Db::Sqlite(_) => "CREATE UNIQUE INDEX temp.staged_order ON staged (phone, extension, id)",
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => {
            "CREATE UNIQUE INDEX staged_order ON pg_temp.staged (phone, extension, id); ANALYZE pg_temp.staged"
        }
    })?;
    // A batch stands in the words of the one it is for: these are those of both.
    tx.batch(
        "CREATE TEMP TABLE repeats AS SELECT id, place FROM (SELECT id, place, \
             row_number() OVER (PARTITION BY phone, extension ORDER BY id) AS nth FROM staged) AS numbered WHERE nth > 1;
         DELETE FROM staged WHERE id IN (SELECT id FROM repeats);",
    )?;
    imported.duplicates = tx.get("SELECT count(*) FROM repeats", &[])?;
    imported.leads = imported.rows - imported.duplicates;
    let first = "SELECT place FROM repeats ORDER BY place LIMIT ?1";
    imported.duplicate_lines = tx.all(first, values![DUPLICATES_SHOWN], |row| row.get(0).map(placed))?;
    tx.batch("DROP TABLE repeats")?;
    Ok(())
}

/// Refuses to drop more than half of the open leads.
fn refuse_drops(tx: &Db, head: &Head, campaign: i64) -> Result<(), Error> {
    let open = "SELECT CAST(coalesce(sum(leads), 0) AS BIGINT) FROM lead_counts WHERE campaign = ?1 AND listed = 1 AND standing <> 'settled'";
    let open: u64 = tx.get(open, values![campaign])?;
    if open == 0 || head.replace {
        return Ok(());
    }
    let dropped = "SELECT count(*) FROM leads NOT INDEXED WHERE campaign = ?1 AND listed = 1 AND standing <> 'settled' \
                   AND NOT EXISTS (SELECT 1 FROM temp.staged AS new WHERE new.phone = leads.phone \
                   AND new.extension = leads.extension)";
    let dropped = format!("{dropped} {}", outside(&head.kept));
    let dropped: u64 = tx.get(&dropped, values![campaign])?;
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
fn match_zones(tx: &Db) -> Result<(), Error> {
    tx.batch(
        "INSERT INTO zone_sets (zones) SELECT zones FROM staged_zones WHERE true ON CONFLICT DO NOTHING;
         UPDATE staged_zones SET real = (SELECT id FROM zone_sets WHERE zone_sets.zones = staged_zones.zones);",
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
    lead = CASE WHEN standing = 'settled' THEN leads.lead ELSE new.lead END, \
    zone_set = CASE WHEN standing = 'settled' THEN leads.zone_set ELSE sets.real END \
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
fn add(tx: &Db, campaign: i64, generation: i64, now: Now) -> Result<u64, Error> {
    const ADD: &str = "INSERT INTO leads (campaign, place, phone, extension, lead, zone_set, generation, added) \
        SELECT ?1, new.place, new.phone, new.extension, new.lead, sets.real, ?2, ?3 \
        FROM temp.fresh CROSS JOIN temp.staged AS new ON new.id = fresh.id \
        CROSS JOIN temp.staged_zones AS sets ON sets.id = new.zone_set ORDER BY fresh.id";
    let new: i64 = tx.get("SELECT count(*) FROM temp.fresh", &[])?;
    // On a server others use them meanwhile.
    let afterwards = !tx.is_remote() && new > tx.get("SELECT coalesce(max(id), 0) FROM leads", &[])?;
    let indexes = if afterwards { drop_indexes(tx)? } else { Vec::new() };
    let added = tx.execute(ADD, values![campaign, generation, tx.line().micros(now.at)])?;
    let counted = "INSERT INTO lead_counts VALUES (?1, 1, 'open', '', ?2) \
                   ON CONFLICT (campaign, listed, standing, class) DO UPDATE SET leads = lead_counts.leads + ?2";
    tx.write(counted, values![campaign, added])?;
    for index in indexes {
        tx.batch(&index)?;
    }
    Ok(added)
}

/// Takes the indexes of the leads away, and says how to make them again.
fn drop_indexes(tx: &Db) -> Result<Vec<String>, Error> {
    let all = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'leads' AND sql IS NOT NULL";
    let indexes: Vec<(String, String)> = tx.all(all, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (name, _) in &indexes {
        tx.batch(&format!("DROP INDEX {name}"))?;
    }
    Ok(indexes.into_iter().map(|(_, sql)| sql).collect())
}
