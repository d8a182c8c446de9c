//! The durable journal: one SQLite database for a whole state directory, or one schema on a PostgreSQL server, with every
//! account and campaign in it.
//!
//! [`Disk`] is the open database, for whoever looks at it or changes it from outside a run; [`run::Run`] is the journal
//! of one run. A commit is on disk when it returns (`synchronous = FULL`).

pub mod accounts;
mod again;
mod attempts;
mod budget;
pub mod commands;
mod db;
mod directory;
mod held;
pub mod histories;
pub mod import;
mod leads;
#[cfg(feature = "postgres")]
mod lease;
pub mod live;
pub mod lock;
mod machine;
pub mod moving;
pub mod one;
pub mod open;
#[cfg(feature = "postgres")]
mod open_remote;
mod others;
pub mod outcomes;
pub mod prune;
pub mod renamed;
pub mod results;
pub mod run;
mod runs;
mod settings;
mod staging;
pub mod story;
mod table;
#[cfg(test)]
mod tests;
pub mod waiting;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Error;
use crate::time::Instant;
use db::Db;
use waiting::Patience;

/// The database of a state directory.
#[derive(Debug)]
pub struct Disk {
    dir: PathBuf,
    file: PathBuf,
    db: Db,
    /// Which files it lies in, whatever their names lead to later.
    identity: Identity,
    patience: Patience,
    /// What hashes of keys and of forgotten numbers are keyed with.
    salt: Vec<u8>,
}

impl Disk {
    /// The state directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Learns where the journal's line of time lies, from this machine's clock: the same, where it is a file.
    pub fn synchronize(&self, clock: &dyn Fn() -> Instant) -> Result<(), Error> {
        self.db.synchronize(clock).map_err(|error| error.within(&self.file))
    }

    /// Whether the file is still the one that was opened: what is written into a deleted one is nobody's.
    fn still_there(&self) -> Result<(), Error> {
        if identity(&self.file) == self.identity { Ok(()) } else { Err(Error::Gone(self.file.clone())) }
    }

    /// Does one thing, wholly or not at all. The file's name is put into what goes wrong.
    fn within<T>(&mut self, mut work: impl FnMut(&Db) -> Result<T, Error>) -> Result<T, Error> {
        let Self { db, file, patience, salt, .. } = self;
        let done = db.persist(|| db.transact(file, patience, salt, &mut work));
        done.map_err(|error| error.within(file))
    }

    /// Whether what failed is to be done again, whole: the database is away, and is waited for. `since` is when that was
    /// asked first.
    pub fn is_again(&self, error: &Error, since: &mut Option<Duration>) -> bool {
        self.db.is_again(error, since)
    }

    /// Whoever waits for the journal gets in before the next of many transactions. A server lets others in by itself.
    fn let_others_in(&self) {
        if !self.db.is_remote() {
            waiting::let_others_in();
        }
    }

    /// Looks something up.
    fn read<T>(&self, work: impl FnMut(&Db) -> Result<T, Error>) -> Result<T, Error> {
        self.db.look(work).map_err(|error| error.within(&self.file))
    }
}

/// Device and number of a journal's files.
type Identity = [Option<(u64, u64)>; 3];

/// Which files a journal lies in: itself, its log, and the log's index. None where nothing is in it, which no journal is.
fn identity(file: &Path) -> Identity {
    use std::os::unix::fs::MetadataExt;
    let of = |path: &Path, least: u64| {
        path.metadata().ok().filter(|stat| stat.len() >= least).map(|stat| (stat.dev(), stat.ino()))
    };
    [of(file, 1), of(&beside(file, "-wal"), 0), of(&beside(file, "-shm"), 0)]
}

/// A file that the database keeps beside its own.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

impl Error {
    /// The same with the file that it is about.
    fn within(mut self, journal: &Path) -> Self {
        match &mut self {
            Self::Damage { file, .. }
            | Self::Full(file)
            | Self::Trouble { file, .. }
            | Self::Gone(file)
            | Self::NotEmpty(file)
            | Self::Moved { file, .. }
                if *file == PathBuf::new() =>
            {
                journal.clone_into(file);
            }
            Self::Busy { file, .. } if *file == PathBuf::new() => self = Self::busy(journal),
            _ => {}
        }
        self
    }

    /// Another process holds a file of the state directory.
    fn busy(file: &Path) -> Self {
        // While a database is written to, its index is what is locked (<https://sqlite.org/walformat.html#wal_locks>).
        let holders = [waiting::holders(&beside(file, "-shm")), waiting::holders(file)].concat();
        let others = || holders.iter().filter(|holder| holder.pid != std::process::id());
        let holder = others().find(|holder| holder.alone).or_else(|| others().next()).or(holders.first());
        Self::Busy { file: file.to_owned(), holder: holder.map(|holder| holder.pid) }
    }

    /// What was read is not what was written.
    fn damaged(what: impl Into<String>) -> Self {
        Self::Damage { file: PathBuf::new(), what: what.into() }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let file = PathBuf::new();
        let what = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(file),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                Self::Busy { file, holder: None }
            }
            Some(ErrorCode::ReadOnly) => Self::Trouble { file, what: "it may not be written to".to_owned() },
            None => Self::Damage { file, what },
            Some(code) if is_damage(code) => Self::Damage { file, what },
            Some(_) => Self::Trouble { file, what },
        }
    }
}

/// Whether the database says so of what it read, rather than of the machine that it read it on.
fn is_damage(code: rusqlite::ErrorCode) -> bool {
    use rusqlite::ErrorCode as Code;
    matches!(
        code,
        Code::DatabaseCorrupt
            | Code::NotADatabase
            | Code::SchemaChanged
            | Code::ConstraintViolation
            | Code::TypeMismatch
            | Code::Unknown
    )
}
