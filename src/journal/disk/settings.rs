//! Single values of a journal, by their names.

use super::super::Error;
use super::db::{Db, values};

/// The value of that name, if there is one.
pub(super) fn get(db: &Db, name: &str) -> Result<Option<Vec<u8>>, Error> {
    db.maybe("SELECT value FROM settings WHERE name = ?1", values![name], |row| row.get(0))
}

/// Sets the value of a name.
pub(super) fn put(db: &Db, name: &str, value: &[u8]) -> Result<(), Error> {
    let put =
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    db.write(put, values![name, value])
}
