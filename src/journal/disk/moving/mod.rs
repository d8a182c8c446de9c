//! Moves a journal between a state directory and a database: whole or not at all, and never so that both can be dialed
//! from.
//!
//! The rows are copied in one transaction of the target. Before that is committed, the source is marked as moved: from
//! then on nothing opens it, and whoever had it open before is refused in the next transaction. A move that is killed
//! between the two leaves a marked source beside an empty target; the same move, given again, sees that and goes on.

pub(super) mod rows;

use std::path::Path;
use std::time::Duration;

use super::super::{Chance, Error};
use super::Disk;
use super::accounts::Account;
use super::db::Db;
use super::lock::Lock;
use super::runs::over;
use super::settings;
use super::waiting::KeepWaiting;
use crate::time::Now;

/// Whether a journal was moved, and which it is: looked at in every transaction.
const CHECK: &str = "SELECT (SELECT value FROM settings WHERE name = 'moved'), \
    (SELECT value FROM settings WHERE name = 'salt')";

/// What has been moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moved {
    /// Campaigns.
    pub campaigns: u64,
    /// Leads on their lists and gone from them.
    pub leads: u64,
    /// Attempts.
    pub attempts: u64,
    /// An earlier move had done it.
    pub already: bool,
}

/// Moves the journal of one place to another. None where there is no journal to move.
pub fn move_journal(
    (from, to): (&Path, &Path),
    pid: u32,
    clock: &dyn Fn() -> Now,
    chance: &mut Chance,
    keep: &KeepWaiting,
) -> Result<Option<Moved>, Error> {
    if Disk::look_anyway(from)?.is_none() {
        return Ok(None);
    }
    let source = Disk::open_anyway(from, chance, Some(keep.clone()), Duration::ZERO)?;
    let target = Disk::open_anyway(to, chance, Some(keep.clone()), Duration::ZERO)?;
    let id = source.read(id)?.unwrap_or_else(|| chance().to_le_bytes().to_vec());
    if let Some(place) = source.read(mark)? {
        if place != target.place() {
            return Err(Error::Moved { file: source.file, to: place });
        }
        if target.has(&id)? {
            return counted(&target).map(|moved| Some(Moved { already: true, ..moved }));
        }
    }
    source.synchronize(&|| clock().at)?;
    target.synchronize(&|| clock().at)?;
    let now = clock();
    let _held = [source.hold_all(pid, now)?, target.hold_all(pid, now)?];
    let done = target.alone(now, |into| {
        source.alone(now, |out| {
            let moves = moves(out)?;
            takes(into, &id, moves).map_err(|error| error.within(&target.file))?;
            for (run, campaign) in alive(out)? {
                over(out, campaign, run, "its run died before an answer came", now)?;
            }
            settings::put(out, "journal", &id)?;
            rows::copy(out, into, &|error| error.within(&target.file))?;
            settings::put(into, "moves", (moves + 1).to_string().as_bytes())?;
            settings::put(out, "moved", target.place().as_bytes())
        })
    });
    match done {
        Ok(()) => {}
        // Whether both were committed is not known, or only the mark was.
        Err(error) if source.read(mark)?.is_some() => {
            if !target.has(&id)? {
                source.alone(now, |db| db.execute("DELETE FROM settings WHERE name = 'moved'", &[]))?;
                return Err(error);
            }
        }
        Err(error) => return Err(error),
    }
    counted(&target).map(Some)
}

/// Refuses a journal that is not the one that was opened, by its salt: it was moved away, or another was moved here.
pub(super) fn check(db: &Db, salt: &[u8]) -> Result<(), Error> {
    let (moved, found): (Option<Vec<u8>>, Option<Vec<u8>>) =
        db.one(CHECK, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if let Some(to) = moved {
        return Err(Error::Moved { file: Path::new("").to_owned(), to: shown(&to) });
    }
    if found.as_deref() == Some(salt) { Ok(()) } else { Err(Error::Gone(Path::new("").to_owned())) }
}

/// Where a journal was moved to, if it was.
fn mark(db: &Db) -> Result<Option<String>, Error> {
    Ok(settings::get(db, "moved")?.map(|place| shown(&place)))
}

fn shown(place: &[u8]) -> String {
    crate::text::clean(&String::from_utf8_lossy(place), 1000)
}

/// What a journal and every copy of it are known by.
fn id(db: &Db) -> Result<Option<Vec<u8>>, Error> {
    settings::get(db, "journal")
}

/// How many moves a journal has behind it.
fn moves(db: &Db) -> Result<u64, Error> {
    let moves = settings::get(db, "moves")?.map(|moves| String::from_utf8_lossy(&moves).parse());
    moves.transpose().map(Option::unwrap_or_default).map_err(|_| Error::damaged("the count of its moves"))
}

/// Refuses to write over anything but an empty journal, or an older state of the one that comes, which was moved away
/// from there.
fn takes(db: &Db, came: &[u8], moves_of_it: u64) -> Result<(), Error> {
    if let Some(to) = mark(db)?
        && id(db)?.as_deref() == Some(came)
    {
        let is_older = moves(db)? <= moves_of_it;
        return if is_older { Ok(()) } else { Err(Error::Moved { file: Path::new("").to_owned(), to }) };
    }
    let any = "SELECT 1 FROM campaigns UNION ALL SELECT 1 FROM suppressions";
    if db.exists(any, &[])? { Err(Error::NotEmpty(Path::new("").to_owned())) } else { Ok(()) }
}

/// Runs that have not said that they ended, and their campaigns. None of them is alive.
fn alive(db: &Db) -> Result<Vec<(i64, i64)>, Error> {
    db.all("SELECT id, campaign FROM runs WHERE ended IS NULL", &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn counted(disk: &Disk) -> Result<Moved, Error> {
    let count = |what: &str| disk.read(|db| db.get::<u64>(&format!("SELECT count(*) FROM {what}"), &[]));
    let campaigns = count("campaigns WHERE name IS NOT NULL")?;
    Ok(Moved { campaigns, leads: count("leads")?, attempts: count("attempts")?, already: false })
}

impl Disk {
    /// What this place is called in the mark of a journal that was moved here.
    fn place(&self) -> String {
        if self.db.is_remote() {
            return self.file.display().to_string();
        }
        let full = self.dir.canonicalize().unwrap_or_else(|_| self.dir.clone());
        format!("{} on {}", full.display(), crate::host::name())
    }

    /// Whether that journal is here, and alive.
    fn has(&self, journal: &[u8]) -> Result<bool, Error> {
        self.read(|db| Ok(mark(db)?.is_none() && id(db)?.as_deref() == Some(journal)))
    }

    /// Takes every campaign that could be run from this directory, or says who has one. Leases are looked at later.
    fn hold_all(&self, pid: u32, now: Now) -> Result<Vec<Lock>, Error> {
        if self.db.is_remote() {
            return Ok(Vec::new());
        }
        let all = "SELECT accounts.id, accounts.name, campaigns.name FROM campaigns \
                   JOIN accounts ON accounts.id = account WHERE campaigns.name IS NOT NULL";
        let campaigns = self.read(|db| {
            db.all(all, &[], |row| Ok((Account { id: row.get(0)?, name: row.get(1)? }, row.get::<String>(2)?)))
        })?;
        let journal = self.read(id)?;
        let hold = |(account, name): (Account, String)| {
            let mut lock = self.hold(&account, &name, pid, now)?;
            journal.as_ref().map_or(Ok(()), |journal| lock.alone_here(journal))?;
            Ok(lock)
        };
        campaigns.into_iter().map(hold).collect()
    }

    /// One transaction that keeps everybody else from writing, and new runs from beginning.
    fn alone<T>(&self, now: Now, work: impl FnOnce(&Db) -> Result<T, Error>) -> Result<T, Error> {
        let done = self.db.alone(&self.file, &self.patience, |db| {
            #[cfg(feature = "postgres")]
            if db.is_remote() {
                super::lease::end_all(db, now)?;
            }
            let _ = now;
            work(db)
        });
        done.map_err(|error| error.within(&self.file))
    }
}
