//! Puts the rows of a list aside in a temporary table, which keeps nobody waiting and costs no memory.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::super::Error;
use super::super::imported::{ImportError, Listed, place};
use super::accounts::phone_hash;
use super::attempts::digits;
use crate::leads::lead::{Lead, Phone};

/// People who were erased, as keyed hashes of their numbers. A list may go on naming them; the journal does not.
pub(super) struct Forgotten {
    pub(super) salt: Vec<u8>,
    pub(super) hashes: HashSet<Vec<u8>>,
}

impl Forgotten {
    /// What is staged of a row: of a person who was erased, nothing but a number that stands for the hash.
    pub(super) fn without_person(&self, listed: Listed) -> Row {
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
pub(super) struct Row {
    phone: i64,
    listed: Listed,
}

/// A list that lies in the temporary table.
pub(super) struct Staged {
    pub(super) rows: u64,
    pub(super) hash: Vec<u8>,
}

impl Staged {
    /// The list together with those that are gone from disk, whose leads stay: what is the same is known by the hash.
    pub(super) fn with_kept(mut self, kept: &[usize]) -> Self {
        self.hash.extend(kept.iter().flat_map(|kept| kept.to_le_bytes()));
        self
    }
}

/// A row as the temporary table has it.
struct Line<'a> {
    place: i64,
    phone: i64,
    extension: &'a str,
    lead: &'a str,
    zone_set: i64,
}

/// The zone sets of a list, and the numbers that they have in it.
type Sets = HashMap<Vec<String>, i64>;

fn stage<E>(
    rows: &mut dyn Iterator<Item = Result<Row, E>>,
    mut put: impl FnMut(&Line<'_>) -> Result<(), Error>,
) -> Result<(Staged, Sets), ImportError<E>> {
    let mut sets = Sets::new();
    let mut hash = Sha256::new();
    let mut count = 0;
    for row in rows {
        let Row { phone, listed: Listed { file_index, line, mut lead } } = row.map_err(ImportError::List)?;
        let zones = std::mem::take(&mut lead.zones);
        let extension = lead.extension.clone().unwrap_or_default();
        let text = serde_json::to_string(&lead).expect("a lead is plain data");
        let place = place(file_index, line);
        hash.update(place.to_le_bytes());
        for part in zones.iter().chain([&text]) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let next = i64::try_from(sets.len()).unwrap_or(i64::MAX) + 1;
        let zone_set = if let Some(set) = sets.get(&zones) { *set } else { *sets.entry(zones).or_insert(next) };
        put(&Line { place, phone, extension: &extension, lead: &text, zone_set })?;
        count += 1;
    }
    Ok((Staged { rows: count, hash: hash.finalize().to_vec() }, sets))
}

const BESIDE_A_FILE: &str = "
    DROP TABLE IF EXISTS temp.staged;
    DROP TABLE IF EXISTS temp.staged_zones;
    DROP TABLE IF EXISTS temp.fresh;
    CREATE TABLE temp.fresh (id INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE temp.staged (
        id INTEGER PRIMARY KEY, place INTEGER NOT NULL, phone INTEGER NOT NULL, extension TEXT NOT NULL,
        lead TEXT NOT NULL, zone_set INTEGER NOT NULL) STRICT;
    CREATE TABLE temp.staged_zones (id INTEGER PRIMARY KEY, zones TEXT NOT NULL, real INTEGER) STRICT;";

/// Puts a list aside, beside the file of the journal.
pub(super) fn stage_beside<E>(
    file: &Connection,
    rows: &mut dyn Iterator<Item = Result<Row, E>>,
    told: impl Fn(Error) -> Error,
) -> Result<Staged, ImportError<E>> {
    let wrong = |error: rusqlite::Error| told(error.into());
    let tx = file.unchecked_transaction().map_err(wrong)?;
    tx.execute_batch(BESIDE_A_FILE).map_err(wrong)?;
    let put = "INSERT INTO temp.staged (place, phone, extension, lead, zone_set) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut put = tx.prepare(put).map_err(wrong)?;
    let (staged, sets) = stage(rows, |line| {
        put.execute(params![line.place, line.phone, line.extension, line.lead, line.zone_set]).map_err(wrong)?;
        Ok(())
    })?;
    drop(put);
    for (zones, set) in sets {
        let zones = serde_json::to_string(&zones).unwrap_or_default();
        tx.execute("INSERT INTO temp.staged_zones (id, zones) VALUES (?1, ?2)", params![set, zones]).map_err(wrong)?;
    }
    tx.commit().map_err(wrong)?;
    Ok(staged)
}

#[cfg(feature = "postgres")]
const WITHIN: &str = "
    CREATE TEMP TABLE fresh (id BIGINT PRIMARY KEY) ON COMMIT DROP;
    CREATE TEMP TABLE staged (
        id BIGINT PRIMARY KEY, place BIGINT NOT NULL, phone BIGINT NOT NULL, extension TEXT COLLATE \"C\" NOT NULL,
        lead TEXT COLLATE \"C\" NOT NULL, zone_set BIGINT NOT NULL) ON COMMIT DROP;
    CREATE TEMP TABLE staged_zones (
        id BIGINT PRIMARY KEY, zones TEXT COLLATE \"C\" NOT NULL, real BIGINT) ON COMMIT DROP;";

/// Puts a list aside within the transaction that is open, whose end is the end of the temporary tables, too.
#[cfg(feature = "postgres")]
pub(super) fn copy<E>(
    server: &super::db::Postgres,
    rows: &mut dyn Iterator<Item = Result<Row, E>>,
) -> Result<Staged, ImportError<E>> {
    server.batch(WITHIN)?;
    let mut copying =
        server.copy_into("COPY pg_temp.staged (id, place, phone, extension, lead, zone_set) FROM STDIN")?;
    let mut id: u64 = 0;
    let (staged, sets) = stage(rows, |line| {
        id += 1;
        copying.row(super::db::values![id, line.place, line.phone, line.extension, line.lead, line.zone_set])
    })?;
    copying.finish()?;
    for (zones, set) in sets {
        let zones = serde_json::to_string(&zones).unwrap_or_default();
        let put = "INSERT INTO temp.staged_zones (id, zones) VALUES (?1, ?2)";
        server.write(put, super::db::values![set, &zones])?;
    }
    Ok(staged)
}
