//! Opens the database, for a run or only to look, and refuses one that is damaged or of another version.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::super::{Chance, Error};
use super::db::{Db, VERSION};
use super::directory::{check_place, prepare, private_file, private_folder};
use super::waiting::{KeepWaiting, Patience, holders};
use super::{Disk, beside, identity, moving};

/// The oldest version that is brought forward to it.
const OLDEST: i64 = 3;
/// Until then a race when the log is begun anew could lose commits (<https://sqlite.org/releaselog/3_51_3.html>).
const OLDEST_SQLITE: i32 = 3_051_003;
/// How long to wait for another process, which may be importing a long list.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
/// How long the database itself waits in one try.
const ONE_TRY: Duration = Duration::from_millis(100);
/// How often what looks like damage is looked at again while somebody else has the file: for about two seconds.
const TRIES: u32 = 40;
/// Up to here every page is looked at whenever the file is opened.
const SMALL: u64 = 32 << 20;
/// Up to here every page is looked at after a run that did not end well.
const LARGE: u64 = 1 << 30;

impl Disk {
    /// Opens the journal of a state directory, which is made if it is not there.
    /// A URL of PostgreSQL is a place for one, too.
    pub fn open(dir: &Path, chance: &mut Chance) -> Result<Self, Error> {
        Self::open_while(dir, chance, None, Duration::ZERO)
    }

    /// The same, asking while another process that holds it is waited for, then and from then on. A server that is away
    /// is waited for at most so long.
    pub fn open_while(
        dir: &Path,
        chance: &mut Chance,
        keep: Option<KeepWaiting>,
        away: Duration,
    ) -> Result<Self, Error> {
        Self::open_anyway(dir, chance, keep, away)?.unless_moved()
    }

    fn unless_moved(self) -> Result<Self, Error> {
        self.read(|db| moving::check(db, &self.salt))?;
        Ok(self)
    }

    /// The same, even if it was moved away.
    pub(super) fn open_anyway(
        dir: &Path,
        chance: &mut Chance,
        keep: Option<KeepWaiting>,
        away: Duration,
    ) -> Result<Self, Error> {
        let patience = Patience { most: PATIENCE, keep };
        if let Some(url) = url(dir) {
            return Self::open_remote(url, chance, patience, away);
        }
        prepare(dir)?;
        private_folder(dir, &dir.join("locks"))?;
        let file = dir.join("journal.db");
        make(dir, &file)?;
        steadily(&file, &patience, || Self::connect(dir, &file, chance, &patience)).map_err(|error| error.within(&file))
    }

    fn connect(dir: &Path, file: &Path, chance: &mut Chance, patience: &Patience) -> Result<Self, Error> {
        assert!(rusqlite::version_number() >= OLDEST_SQLITE, "the SQLite that this was built with may lose commits");
        let log = length(&beside(file, "-wal"));
        let size = length(file);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(file, flags)?;
        settle(&db)?;
        version(&db, file)?;
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "synchronous", "full")?;
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = version(&tx, file)?;
        if found == 0 {
            tx.execute_batch(include_str!("schema.sqlite.sql"))?;
            let salt = [chance().to_le_bytes(), chance().to_le_bytes()].concat();
            tx.execute("INSERT INTO settings (name, value) VALUES ('salt', ?1)", [salt])?;
        }
        // A new journal gets all that came with each version, one of an earlier version what came after it.
        if found < 4 {
            tx.execute_batch(include_str!("counts.sqlite.sql"))?;
        }
        if found == 3 {
            tx.execute_batch(include_str!("from_3.sqlite.sql"))?;
        }
        if found < 5 {
            tx.execute_batch(include_str!("results.sqlite.sql"))?;
        }
        if found < 6 {
            tx.execute_batch(include_str!("live.sqlite.sql"))?;
        }
        if found < 7 {
            tx.execute_batch(include_str!("histories.sqlite.sql"))?;
        }
        if found < VERSION {
            tx.execute_batch(include_str!("from_7.sqlite.sql"))?;
            tx.pragma_update(None, "user_version", VERSION)?;
        }
        tx.commit()?;
        if size <= SMALL || (log > 0 && size <= LARGE) {
            check(&db)?;
        }
        let salt = salt(&db)?;
        let (db, patience) = (Db::Sqlite(db), patience.clone());
        Ok(Self { dir: dir.to_owned(), file: file.to_owned(), db, identity: identity(file), patience, salt })
    }

    /// What this journal and every copy of it are known by on a machine.
    pub(super) fn id(&mut self) -> Result<Vec<u8>, Error> {
        self.within(|tx| {
            let made = "INSERT INTO settings (name, value) VALUES ('journal', randomblob(16)) ON CONFLICT DO NOTHING";
            tx.write(made, &[])?;
            tx.get("SELECT value FROM settings WHERE name = 'journal'", &[])
        })
    }

    /// Opens a journal only to look: nothing is made and nothing written, unless an earlier version has to be brought
    /// forward. `None` where there is none.
    pub fn look(dir: &Path) -> Result<Option<Self>, Error> {
        Self::look_anyway(dir)?.map(Self::unless_moved).transpose()
    }

    /// The same, even if it was moved away.
    pub(super) fn look_anyway(dir: &Path) -> Result<Option<Self>, Error> {
        if let Some(url) = url(dir) {
            return Self::look_remote(url);
        }
        let file = dir.join("journal.db");
        if length(&file) == 0 {
            return Ok(None);
        }
        check_place(dir)?;
        let patience = Patience { most: PATIENCE, keep: None };
        let opened = steadily(&file, &patience, || Self::connect_to_look(dir, &file, &patience));
        opened.map(Some).map_err(|error| error.within(&file))
    }

    fn connect_to_look(dir: &Path, file: &Path, patience: &Patience) -> Result<Self, Error> {
        let log = length(&beside(file, "-wal"));
        // With nothing in the log the file alone is the journal, and can be read without making a log beside it.
        let how = if log == 0 { "immutable=1" } else { "mode=ro" };
        let uri = format!("file:{}?{how}", percent_encoded(file));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let mut db = Connection::open_with_flags(uri, flags)?;
        settle(&db)?;
        match version(&db, file)? {
            0 => return Err(Error::damaged("it holds no journal")),
            VERSION => {}
            _ => {
                Self::connect(dir, file, &mut (Box::new(|| 0_u128) as Chance), patience)?;
                db = Connection::open_with_flags(format!("file:{}?mode=ro", percent_encoded(file)), flags)?;
                settle(&db)?;
            }
        }
        let salt = salt(&db)?;
        let (db, patience) = (Db::Sqlite(db), patience.clone());
        Ok(Self { dir: dir.to_owned(), file: file.to_owned(), db, identity: identity(file), patience, salt })
    }
}

/// The URL, where a place is one of PostgreSQL.
pub fn url(place: &Path) -> Option<&str> {
    let text = place.to_str()?;
    let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    is_url.then_some(text)
}

/// Whether a password stands in a URL.
pub fn has_password(url: &str) -> bool {
    without_password(url) != url
}

/// The URL with `***` for a password.
pub fn without_password(url: &str) -> String {
    let url = match url.split_once("password=") {
        Some((before, after)) => {
            let rest = after.split_once('&').map_or(String::new(), |(_, rest)| format!("&{rest}"));
            format!("{before}password=***{rest}")
        }
        None => url.to_owned(),
    };
    let Some((scheme, rest)) = url.split_once("://") else { return url };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@').and_then(|(who, host)| Some((who.split_once(':')?.0, host))) {
        Some((role, host)) => format!("{scheme}://{role}:***@{host}{}", &rest[end..]),
        None => url,
    }
}

#[cfg(not(feature = "postgres"))]
impl Disk {
    fn open_remote(url: &str, _: &mut Chance, _: Patience, _: Duration) -> Result<Self, Error> {
        Self::look_remote(url).and_then(|none| none.ok_or_else(|| Error::damaged("nothing")))
    }

    fn look_remote(url: &str) -> Result<Option<Self>, Error> {
        let place = url.split('@').next_back().unwrap_or_default().to_owned();
        Err(Error::Database { place, why: "this dialer was built without PostgreSQL".to_owned() })
    }
}

/// Makes the file, that only its owner can read, if it is not there. One that is there is not opened here: closing it
/// would let go of the locks that another connection of this process has on it (fcntl(2)).
fn make(dir: &Path, file: &Path) -> Result<(), Error> {
    match file.symlink_metadata() {
        Ok(stat) if stat.is_file() => Ok(()),
        _ => private_file(dir, file).map(drop),
    }
}

/// Opens the file, whatever others do to it meanwhile. One who makes it, empties its log or writes the log into it is
/// waited for; what looks like damage while somebody does that is looked at again, and nobody is ever told to move away
/// a file that somebody holds.
fn steadily<T>(file: &Path, patience: &Patience, mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let state = || (length(file), length(&beside(file, "-wal")), file.metadata().and_then(|stat| stat.modified()).ok());
    let mut tries = 0;
    let opened = patience.wait(file, || {
        let before = state();
        tries += 1;
        match attempt() {
            Err(Error::Busy { .. }) => None,
            Err(Error::Damage { .. }) if tries < TRIES && (state() != before || !holders(file).is_empty()) => None,
            Err(Error::Damage { .. }) if !holders(file).is_empty() => Some(Err(Error::busy(file))),
            done => Some(done),
        }
    });
    opened.unwrap_or_else(|| Err(Error::busy(file)))
}

pub(super) fn settle(db: &Connection) -> Result<(), Error> {
    db.busy_timeout(ONE_TRY)?;
    db.set_prepared_statement_cache_capacity(128);
    // A plan that looked at the values would be made anew whenever they change: a third of what a dial cost.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    // What is erased or written over leaves nothing behind: `forget` has to find every copy gone.
    db.pragma_update(None, "secure_delete", true)?;
    db.pragma_update(None, "cache_size", -16_000)?;
    Ok(())
}

/// The version of the schema; 0 for an empty database.
fn version(db: &Connection, file: &Path) -> Result<i64, Error> {
    // One statement: between two, another process may make the tables.
    let both = "SELECT (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)";
    let (found, tables): (i64, i64) = db.query_row(both, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    match (found, tables) {
        (OLDEST..=VERSION, 1..) | (0, 0) => Ok(found),
        (0 | OLDEST..=VERSION, _) => Err(Error::damaged("its tables and its version do not belong together")),
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

fn length(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}

/// A path as it stands in a URI: <https://sqlite.org/uri.html>.
fn percent_encoded(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let bytes = path.as_os_str().as_bytes().iter();
    bytes.map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
