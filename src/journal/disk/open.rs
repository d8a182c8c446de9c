//! Opens the database, for a run or only to look, and refuses one that is damaged or of another version.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::super::{Chance, Error};
use super::Disk;
use super::directory::{check_place, prepare, private_file, private_folder};

/// The version of the schema that this program reads and writes.
const VERSION: i64 = 3;
/// Until then a race when the log is begun anew could lose commits (<https://sqlite.org/releaselog/3_51_3.html>).
const OLDEST_SQLITE: i32 = 3_051_003;
/// How long to wait for another process, which may be importing a long list.
const PATIENCE: Duration = Duration::from_mins(1);
/// Up to here every page is looked at whenever the file is opened.
const SMALL: u64 = 32 << 20;
/// Up to here every page is looked at after a run that did not end well.
const LARGE: u64 = 1 << 30;

impl Disk {
    /// Opens the journal of a state directory, which is made if it is not there.
    pub fn open(dir: &Path, chance: &mut Chance) -> Result<Self, Error> {
        prepare(dir)?;
        private_folder(dir, &dir.join("locks"))?;
        let file = dir.join("journal.db");
        private_file(dir, &file)?;
        Self::connect(dir, &file, chance).map_err(|error| error.within(&file))
    }

    fn connect(dir: &Path, file: &Path, chance: &mut Chance) -> Result<Self, Error> {
        assert!(rusqlite::version_number() >= OLDEST_SQLITE, "the SQLite that this was built with may lose commits");
        let log = length(&wal(file));
        let size = length(file);
        if log == 0 && is_cut_short(file) {
            return Err(Error::damaged("it is shorter than it says"));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(file, flags)?;
        settle(&db)?;
        version(&db, file)?;
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "synchronous", "full")?;
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if version(&tx, file)? == 0 {
            tx.execute_batch(include_str!("schema.sql"))?;
            let salt = [chance().to_le_bytes(), chance().to_le_bytes()].concat();
            tx.execute("INSERT INTO settings (name, value) VALUES ('salt', ?1)", [salt])?;
            tx.pragma_update(None, "user_version", VERSION)?;
        }
        tx.commit()?;
        if size <= SMALL || (log > 0 && size <= LARGE) {
            check(&db)?;
        }
        let salt = salt(&db)?;
        Ok(Self { dir: dir.to_owned(), file: file.to_owned(), db, salt })
    }

    /// Opens a journal only to look: nothing is made and nothing written. `None` where there is none.
    pub fn look(dir: &Path) -> Result<Option<Self>, Error> {
        let file = dir.join("journal.db");
        if length(&file) == 0 {
            return Ok(None);
        }
        check_place(dir)?;
        Self::connect_to_look(dir, &file).map(Some).map_err(|error| error.within(&file))
    }

    fn connect_to_look(dir: &Path, file: &Path) -> Result<Self, Error> {
        let log = length(&wal(file));
        if log == 0 && is_cut_short(file) {
            return Err(Error::damaged("it is shorter than it says"));
        }
        // With nothing in the log the file alone is the journal, and can be read without making a log beside it.
        let how = if log == 0 { "immutable=1" } else { "mode=ro" };
        let uri = format!("file:{}?{how}", percent_encoded(file));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let db = Connection::open_with_flags(uri, flags)?;
        settle(&db)?;
        if version(&db, file)? == 0 {
            return Err(Error::damaged("it holds no journal"));
        }
        let salt = salt(&db)?;
        Ok(Self { dir: dir.to_owned(), file: file.to_owned(), db, salt })
    }
}

fn settle(db: &Connection) -> Result<(), Error> {
    db.busy_timeout(PATIENCE)?;
    db.set_prepared_statement_cache_capacity(128);
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    // What is erased or written over leaves nothing behind: `forget` has to find every copy gone.
    db.pragma_update(None, "secure_delete", true)?;
    db.pragma_update(None, "cache_size", -16_000)?;
    Ok(())
}

/// The version of the schema; 0 for an empty database.
fn version(db: &Connection, file: &Path) -> Result<i64, Error> {
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (found, tables) {
        (VERSION, 1..) | (0, 0) => Ok(found),
        (0 | VERSION, _) => Err(Error::damaged("its tables and its version do not belong together")),
        _ => Err(Error::Version { file: file.to_owned(), found, known: VERSION }),
    }
}

fn check(db: &Connection) -> Result<(), Error> {
    let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Error::damaged(found)) }
}

fn salt(db: &Connection) -> Result<Vec<u8>, Error> {
    Ok(db.query_row("SELECT value FROM settings WHERE name = 'salt'", [], |row| row.get(0))?)
}

fn wal(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn length(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}

/// Whether a database without a log has fewer bytes than its header counts pages
/// (<https://sqlite.org/fileformat.html#the_database_header>). An empty one is a new one.
fn is_cut_short(file: &Path) -> bool {
    let mut header = [0_u8; 100];
    if let Err(error) = File::open(file).and_then(|mut file| file.read_exact(&mut header)) {
        return error.kind() == ErrorKind::UnexpectedEof && length(file) > 0;
    }
    let size = u64::from(u16::from_be_bytes([header[16], header[17]]));
    let size = if size == 1 { 65_536 } else { size };
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    length(file) < size * u64::from(pages)
}

/// A path as it stands in a URI: <https://sqlite.org/uri.html>.
fn percent_encoded(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let bytes = path.as_os_str().as_bytes().iter();
    bytes.map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
