//! The database under the journal: statements go in as text with values, rows come out. The same statements, and the same
//! code around them, serve a file of SQLite and a server of PostgreSQL.

#[cfg(feature = "postgres")]
mod copy;
#[cfg(feature = "postgres")]
mod dialect;
pub(super) mod line;
#[cfg(feature = "postgres")]
mod passfile;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
pub(super) mod remote;
#[cfg(feature = "postgres")]
mod schema;
#[cfg(feature = "postgres")]
mod sent;
mod sqlite;
#[cfg(feature = "postgres")]
mod trouble;
mod value;

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::super::Error;
use super::moving;
use super::waiting::Patience;
use crate::time::Instant;
use line::Line;
#[cfg(feature = "postgres")]
pub(super) use postgres::Postgres;
#[cfg(feature = "postgres")]
use postgres::{Access, WRITERS};
pub(super) use value::{FromRow, Row, Value, values};

/// The version of the schema that this program reads and writes.
pub(super) const VERSION: i64 = 8;

/// A connection to a database.
#[derive(Debug)]
pub(super) enum Db {
    /// The file of a state directory.
    Sqlite(Connection),
    /// A server.
    #[cfg(feature = "postgres")]
    Postgres(Box<Postgres>),
}

/// A lease that a transaction has to find unchanged.
#[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only a database on a server has leases"))]
#[derive(Clone, Debug)]
pub(super) struct Fence {
    pub(super) account: String,
    pub(super) campaign: String,
    pub(super) mark: String,
    pub(super) term: i64,
}

impl Db {
    /// Carries a statement out. Says how many rows it changed.
    pub(super) fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<u64, Error> {
        match self {
            Self::Sqlite(db) => sqlite::execute(db, sql, params),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.execute(sql, params),
        }
    }

    /// Carries a statement out whose answer nobody waits for; what goes wrong is told at the end of the transaction at the
    /// latest.
    pub(super) fn write(&self, sql: &str, params: &[Value<'_>]) -> Result<(), Error> {
        match self {
            Self::Sqlite(db) => sqlite::execute(db, sql, params).map(drop),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.write(sql, params),
        }
    }

    /// What will be asked for, of this transaction or of the next: all of it in one round trip, where there is one to make.
    pub(super) fn ahead(&self, reads: &[(&str, &[Value<'_>])]) -> Result<(), Error> {
        let _ = reads;
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.ahead(reads),
        }
    }

    /// Hands over each row until it says no.
    fn rows(
        &self,
        sql: &str,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        match self {
            Self::Sqlite(db) => sqlite::each(db, sql, params, each),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.each(sql, params, each),
        }
    }

    /// Hands over each row.
    pub(super) fn each(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.rows(sql, params, &mut |row| each(row).map(|()| true))
    }

    /// The first row, if there is one.
    pub(super) fn maybe<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let (mut read, mut found) = (Some(read), None);
        self.rows(sql, params, &mut |row| {
            found = read.take().map(|read| read(row)).transpose()?;
            Ok(false)
        })?;
        Ok(found)
    }

    /// The first row, which there must be.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.maybe(sql, params, read)?.ok_or_else(|| Error::damaged(format!("nothing was found by {sql}")))
    }

    /// The first column of the first row, which there must be.
    pub(super) fn get<T: FromRow>(&self, sql: &str, params: &[Value<'_>]) -> Result<T, Error> {
        self.one(sql, params, |row| row.get(0))
    }

    /// Every row.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        self.each(sql, params, |row| {
            all.push(read(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Whether there is any row.
    pub(super) fn exists(&self, sql: &str, params: &[Value<'_>]) -> Result<bool, Error> {
        Ok(self.maybe(sql, params, |_| Ok(()))?.is_some())
    }

    /// Carries several statements out that take no values.
    pub(super) fn batch(&self, sql: &str) -> Result<(), Error> {
        match self {
            Self::Sqlite(db) => Ok(db.execute_batch(sql)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.batch(sql),
        }
    }

    /// Does one thing, wholly or not at all, within the transaction that is open or in one of its own. It has to be the
    /// journal of that salt still.
    pub(super) fn transact<T>(
        &self,
        file: &Path,
        patience: &Patience,
        salt: &[u8],
        work: impl FnOnce(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if !self.begin(file, patience, Some(salt))? {
            return work(self);
        }
        self.end(work(self))
    }

    /// Begins a transaction, unless one is open; who writes at the same time is waited for first. It has to be the journal
    /// of that salt still, where one is given. Says whether it did.
    pub(super) fn begin(&self, file: &Path, patience: &Patience, salt: Option<&[u8]>) -> Result<bool, Error> {
        match self {
            _ if self.is_within() => Ok(false),
            Self::Sqlite(db) => {
                let begun = patience.wait(file, || sqlite::begin(db).map(|begun| begun.then_some(true)).transpose());
                begun.ok_or_else(|| Error::busy(file))??;
                match salt.map_or(Ok(()), |salt| moving::check(self, salt)) {
                    Ok(()) => Ok(true),
                    Err(another) => self.end(Err(another)),
                }
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => {
                db.set_patience(patience.most);
                db.begin(Access::Write)
            }
        }
    }

    /// Whether a transaction is open.
    pub(super) fn is_within(&self) -> bool {
        match self {
            Self::Sqlite(db) => !db.is_autocommit(),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.is_within(),
        }
    }

    /// Ends the transaction that was begun: what was done in it stays if that went well.
    pub(super) fn end<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        match self {
            Self::Sqlite(db) => sqlite::end(db, done),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.end(done),
        }
    }

    /// Does one thing, whatever journal it is, while nobody else writes or begins a run.
    pub(super) fn alone<T>(
        &self,
        file: &Path,
        patience: &Patience,
        work: impl FnOnce(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self {
            Self::Sqlite(_) => {
                self.begin(file, patience, None)?;
                self.end(work(self))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.bring_in(|| {
                db.batch(&format!(
                    "SELECT pg_advisory_xact_lock({WRITERS}); LOCK TABLE leases IN SHARE ROW EXCLUSIVE MODE; \
                     SET LOCAL idle_in_transaction_session_timeout = '10min'"
                ))?;
                work(self)
            }),
        }
    }

    /// Puts many rows into a table.
    pub(super) fn fill(
        &self,
        table: &str,
        columns: &[String],
        rows: impl FnOnce(&mut dyn FnMut(&[Value<'_>]) -> Result<(), Error>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let listed = columns.join(", ");
        match self {
            Self::Sqlite(db) => {
                let marks: Vec<String> = (1..=columns.len()).map(|nth| format!("?{nth}")).collect();
                let put = format!("INSERT INTO {table} ({listed}) VALUES ({})", marks.join(", "));
                rows(&mut |values| sqlite::execute(db, &put, values).map(drop))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => {
                let mut copying = db.copy_into(&format!("COPY {table} ({listed}) FROM STDIN"))?;
                rows(&mut |values| copying.row(values))?;
                copying.finish().map(drop)
            }
        }
    }

    /// Hands over each row of a long table, so many at once; within a transaction.
    pub(super) fn stream(
        &self,
        sql: &str,
        at_once: u64,
        mut each: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.is_remote() {
            return self.each(sql, &[], each);
        }
        self.batch(&format!("DECLARE long NO SCROLL CURSOR FOR {sql}"))?;
        let fetch = format!("FETCH {at_once} FROM long");
        let mut more = true;
        while more {
            more = false;
            self.each(&fetch, &[], |row| {
                more = true;
                each(row)
            })?;
        }
        self.batch("CLOSE long")
    }

    /// Writes something down that nothing rests on, beside those who write, as whoever holds the lease.
    pub(super) fn note<T>(&self, work: impl FnOnce(&Self) -> Result<T, Error>) -> Result<T, Error> {
        match self {
            Self::Sqlite(_) => work(self),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.transact(Access::Beside, || work(self)),
        }
    }

    /// Looks something up.
    pub(super) fn look<T>(&self, mut work: impl FnMut(&Self) -> Result<T, Error>) -> Result<T, Error> {
        match self {
            Self::Sqlite(_) => work(self),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.persist(|| db.transact(Access::Look, || work(self))),
        }
    }

    /// Does something, and does it again, whole, for as long as it fails because the server is away and is waited for.
    pub(super) fn persist<T>(&self, mut work: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        match self {
            Self::Sqlite(_) => work(),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.persist(work),
        }
    }

    /// Whether what failed is to be done again, whole, after a pause: the server is away, and is waited for. `since` is
    /// when that was asked first.
    pub(super) fn is_again(&self, error: &Error, since: &mut Option<Duration>) -> bool {
        match self {
            Self::Sqlite(_) => {
                let _ = (error, since);
                false
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.is_again(error, since),
        }
    }

    /// How long another process that writes is waited for, before [`Error::Busy`].
    pub(super) fn wait_at_most(&self, patience: Duration) -> Result<(), Error> {
        match self {
            Self::Sqlite(db) => Ok(db.busy_timeout(patience)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => {
                db.set_patience(patience);
                Ok(())
            }
        }
    }

    /// Whether a server that is away is waited for from now on, by whoever opened it to wait.
    pub(super) fn wait_while_away(&self, waits: bool) {
        match self {
            Self::Sqlite(_) => {
                let _ = waits;
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.wait_while_away(waits),
        }
    }

    /// The line of time that instants stand on here, as this machine sees it.
    pub(super) fn line(&self) -> Line {
        match self {
            Self::Sqlite(_) => Line::default(),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.line(),
        }
    }

    /// Learns where that line lies, from a clock of this machine.
    #[cfg_attr(not(feature = "postgres"), expect(clippy::unnecessary_wraps, reason = "a file has no clock to read"))]
    pub(super) fn synchronize(&self, clock: &dyn Fn() -> Instant) -> Result<(), Error> {
        let _ = clock;
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.persist(|| db.synchronize(clock)),
        }
    }

    /// From now on every transaction that writes has to find this lease unchanged.
    pub(super) fn set_fence(&self, fence: Option<Fence>) {
        match self {
            Self::Sqlite(_) => drop(fence),
            #[cfg(feature = "postgres")]
            Self::Postgres(db) => db.set_fence(fence),
        }
    }

    /// Whether a transaction can fail in its middle, or its end be unknown, and all go on.
    pub(super) fn is_remote(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => true,
        }
    }

    /// Where the server is, to connect to it once more.
    #[cfg(feature = "postgres")]
    pub(super) fn target(&self) -> Option<remote::Target> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db) => Some(db.target().clone()),
        }
    }

    /// The file's connection.
    #[cfg(test)]
    pub(super) fn sqlite(&self) -> &Connection {
        match self {
            Self::Sqlite(db) => db,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => panic!("it is no file"),
        }
    }

    /// The same, to listen to it.
    #[cfg(test)]
    pub(super) fn sqlite_mut(&mut self) -> &mut Connection {
        match self {
            Self::Sqlite(db) => db,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => panic!("it is no file"),
        }
    }
}
