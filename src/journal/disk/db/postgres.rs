//! Statements on PostgreSQL. Nothing outlives a transaction on the server's side, so that a pooler may lie in between:
//! no named statements, no settings of the session, no locks of the session.

mod transaction;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::super::super::Error;
use super::super::waiting::KeepWaiting;
use super::Fence;
use super::line::Line;
use super::remote::{Target, wait};
use super::sent::{Statement, in_order, read_all};
use super::value::{FromRow, Row, Value};
use crate::time::Instant;

/// Whoever writes has this lock for as long as the transaction lasts: one after another, as with a file.
pub(super) const WRITERS: i64 = 0x6469_616c_6572;
/// How long a transaction may stand still in its middle. A machine that is cut off or stopped in one lets go of its locks
/// after that, well within a lease.
const IDLE: Duration = Duration::from_secs(5);
/// How long one statement may take.
const STATEMENT: Duration = Duration::from_secs(30);
/// The same while a list is brought in.
const LONG_STATEMENT: Duration = Duration::from_mins(10);
/// How often the database's clock is read to learn where it stands.
const READINGS: usize = 5;
/// So many statements may wait for the next that somebody waits for.
const TOGETHER: usize = 256;
/// Where there is no connection, another one is tried for this often, and four times until it is given up.
const PAUSE: Duration = Duration::from_secs(1);

/// What was read before it was asked for.
type Ahead = Vec<(Statement, Vec<tokio_postgres::Row>)>;

/// A database on a server, and a connection to it whenever there is one.
pub(in super::super) struct Postgres {
    target: Target,
    client: RefCell<Option<Arc<Client>>>,
    /// A transaction is open.
    within: Cell<bool>,
    /// How long a statement may take, for now.
    longest: Cell<Duration>,
    /// How long who writes is waited for.
    patience: Cell<Duration>,
    /// For how long it may be away before that is the end.
    give_up_after: Cell<Duration>,
    /// Asked whether to wait on while it is away; where nobody is, that is told at once.
    keep_waiting: Option<KeepWaiting>,
    /// Whether it is waited for at all, now.
    waits: Cell<bool>,
    /// Since when it is away.
    away_since: Cell<Option<Duration>>,
    /// When a connection was last tried for in vain.
    failed: Cell<Option<Duration>>,
    line: Cell<Line>,
    /// Statements of the open transaction whose answers nobody waits for: they go with the next that somebody does.
    waiting: RefCell<Vec<Statement>>,
    /// Statements that the next transaction begins with, in the same round trip.
    expected: RefCell<Vec<Statement>>,
    /// What was read before it was asked for; anything that is written makes it stale.
    ahead: RefCell<Ahead>,
    /// Which of the commits to come is made, and its answer lost.
    #[cfg(test)]
    lossy: Cell<u32>,
    /// How many answers were waited for.
    #[cfg(test)]
    round_trips: Cell<u32>,
    /// Whose lease a transaction has to find unchanged.
    fence: RefCell<Option<Fence>>,
    /// The salt of the journal that was opened, in hexadecimal digits.
    salt: RefCell<Option<String>>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("target", &self.target).finish_non_exhaustive()
    }
}

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Look,
    /// To write, alone.
    Write,
    /// To write beside others.
    Beside,
    /// The same, which may take long, and looks itself whether the lease is unchanged.
    Long,
}

impl Postgres {
    /// The first statement connects. Nobody waits while it is away.
    pub(in super::super) fn new(target: Target) -> Self {
        Self::waiting_for(target, None, Duration::MAX)
    }

    /// The same for somebody who waits while it is away, for as long as this says so, and no longer than that at a time.
    pub(in super::super) fn waiting_for(
        target: Target,
        keep_waiting: Option<KeepWaiting>,
        give_up_after: Duration,
    ) -> Self {
        let (client, within, away_since, failed, line, waiting) = Default::default();
        let (expected, ahead, fence, salt) = Default::default();
        let (give_up_after, waits) = (Cell::new(give_up_after), Cell::new(true));
        let (longest, patience) = (Cell::new(STATEMENT), Cell::new(Duration::from_mins(1)));
        #[cfg(test)]
        let (lossy, round_trips) = Default::default();
        Self {
            target,
            client,
            within,
            longest,
            patience,
            give_up_after,
            keep_waiting,
            waits,
            away_since,
            failed,
            line,
            waiting,
            expected,
            ahead,
            #[cfg(test)]
            lossy,
            #[cfg(test)]
            round_trips,
            fence,
            salt,
        }
    }

    pub(in super::super) fn target(&self) -> &Target {
        &self.target
    }

    /// Whether it is waited for from now on.
    pub(super) fn wait_while_away(&self, waits: bool) {
        self.waits.set(waits);
    }

    /// Does something, and does it again, whole, for as long as it fails because the server is away and is waited for.
    pub(in super::super) fn persist<T>(&self, mut work: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        let mut since = None;
        loop {
            match work() {
                Err(error) if self.is_again(&error, &mut since) => {}
                done => return done,
            }
        }
    }

    /// Whether what failed is to be done again: what is part of a transaction is so with all of it.
    pub(in super::super) fn is_again(&self, error: &Error, since: &mut Option<Duration>) -> bool {
        let now = crate::steady::now();
        let waited = now.saturating_sub(*since.get_or_insert(now));
        matches!(error, Error::Away { .. })
            && self.waits.get()
            && !self.within.get()
            && waited <= self.give_up_after.get()
            && self.keep_waiting.as_ref().is_some_and(|keep| keep(error))
    }

    pub(super) fn set_patience(&self, patience: Duration) {
        self.patience.set(patience);
    }

    pub(super) fn set_fence(&self, fence: Option<Fence>) {
        *self.fence.borrow_mut() = fence;
    }

    /// From now on every transaction that writes has to find the journal of this salt.
    pub(in super::super) fn set_salt(&self, salt: &[u8]) {
        *self.salt.borrow_mut() = Some(salt.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat());
    }

    /// The connection, or another one where it broke.
    fn client(&self) -> Result<Arc<Client>, Error> {
        if let Some(client) = self.client.borrow().as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        if self.within.get() {
            return Err(self.away("the connection broke"));
        }
        if let Some(failed) = self.failed.get() {
            let pause = PAUSE.min(self.give_up_after.get() / 4);
            let left = pause.saturating_sub(crate::steady::now().saturating_sub(failed));
            wait(PAUSE * 2, async move { tokio::time::sleep(left).await });
        }
        match self.target.connect() {
            Ok(client) => {
                let client = Arc::new(client);
                *self.client.borrow_mut() = Some(Arc::clone(&client));
                Ok(client)
            }
            Err(error) => {
                self.failed.set(Some(crate::steady::now()));
                Err(match error {
                    Error::Away { what, .. } => self.away(what),
                    error => error,
                })
            }
        }
    }

    #[cfg(test)]
    pub(in super::super) fn lose_answer(&self, nth: u32) {
        self.lossy.set(nth);
    }

    #[cfg(test)]
    pub(in super::super) fn round_trips(&self) -> u32 {
        self.round_trips.take()
    }

    pub(super) fn line(&self) -> Line {
        self.line.get()
    }

    /// Learns how far its clock is ahead of one of this machine.
    pub(super) fn synchronize(&self, clock: &dyn Fn() -> Instant) -> Result<(), Error> {
        let mut readings = Vec::new();
        for _ in 0..READINGS {
            let before = clock();
            let read =
                self.first("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT")?.unwrap_or_default();
            readings.push((before, read, clock()));
        }
        self.line.set(Line::between(readings.into_iter()));
        Ok(())
    }

    /// It is away: the same may be tried again, unless that has gone on for too long.
    pub(super) fn away(&self, what: impl Into<String>) -> Error {
        let now = crate::steady::now();
        let since = self.away_since.get().unwrap_or(now);
        self.away_since.set(Some(since));
        let away = now.saturating_sub(since);
        if away > self.give_up_after.get() {
            let what = format!("it has been away for {} s: {}", away.as_secs(), what.into());
            return Error::Trouble { file: PathBuf::new(), what };
        }
        Error::Away { place: self.target.shown().to_owned(), what: what.into() }
    }

    /// Waits for what a connection does, and for what was to go before it; one that does not answer is given up.
    pub(super) fn answer<T: Send + 'static>(
        &self,
        what: impl Future<Output = Result<T, tokio_postgres::Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let most = self.longest.get() + IDLE;
        #[cfg(test)]
        self.round_trips.set(self.round_trips.get() + 1);
        let before = self.waiting.take();
        let answered = if before.is_empty() {
            wait(most, what)
        } else {
            let client = self.client()?;
            wait(most, async move {
                let (written, answer) = join(in_order(before.iter().map(|one| one.execute(&client))), what).await;
                written.into_iter().collect::<Result<Vec<_>, _>>().and(answer)
            })
        };
        match answered {
            Some(Ok(done)) => Ok(done),
            Some(Err(error)) => Err(self.wrong(&error)),
            None => {
                self.client.borrow_mut().take();
                Err(self.away(format!("it has not answered for {} s", most.as_secs())))
            }
        }
    }

    pub(in super::super) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Error> {
        self.ahead.take();
        let (client, statement) = (self.client()?, Statement::new(sql, values));
        self.answer(async move { statement.execute(&client).await })
    }

    /// Carries a statement out, at the latest with the end of the transaction: what goes wrong is told then.
    pub(in super::super) fn write(&self, sql: &str, values: &[Value<'_>]) -> Result<(), Error> {
        if !self.within.get() {
            return self.execute(sql, values).map(drop);
        }
        self.ahead.take();
        self.waiting.borrow_mut().push(Statement::new(sql, values));
        if self.waiting.borrow().len() < TOGETHER { Ok(()) } else { self.answer(async { Ok(()) }) }
    }

    /// Reads all of this in one round trip, now or with the beginning of the next transaction; whoever asks for one of it
    /// then has it at once.
    pub(in super::super) fn ahead(&self, reads: &[(&str, &[Value<'_>])]) -> Result<(), Error> {
        let statements = reads.iter().map(|(sql, values)| Statement::new(sql, values));
        if !self.within.get() {
            self.expected.borrow_mut().extend(statements);
            return Ok(());
        }
        let (client, statements) = (self.client()?, statements.collect());
        let read = self.answer(async move { read_all(&client, statements).await })?;
        self.ahead.borrow_mut().extend(read);
        Ok(())
    }

    /// Hands over each row until it says no.
    pub(in super::super) fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let statement = Statement::new(sql, values);
        let known = self.ahead.borrow().iter().position(|(ahead, _)| *ahead == statement);
        let rows = if let Some(place) = known {
            self.ahead.borrow_mut().swap_remove(place).1
        } else {
            let client = self.client()?;
            self.answer(async move { statement.query(&client).await })?
        };
        for row in &rows {
            if !each(&Row::Postgres(row))? {
                break;
            }
        }
        Ok(())
    }

    /// The first column of the first row, if there is one.
    pub(super) fn first<T: FromRow>(&self, sql: &str) -> Result<Option<T>, Error> {
        let mut found = None;
        self.each(sql, &[], &mut |row| {
            found = Some(row.get(0)?);
            Ok(false)
        })?;
        Ok(found)
    }

    pub(in super::super) fn batch(&self, sql: &str) -> Result<(), Error> {
        self.ahead.take();
        self.simple(sql.to_owned()).map(drop)
    }

    /// Several statements in one round trip; the rows of all of them.
    fn simple(&self, sql: String) -> Result<Vec<SimpleQueryMessage>, Error> {
        let client = self.client()?;
        self.answer(async move { client.simple_query(&sql).await })
    }

    /// The connection, for what only this kind of database can do.
    pub(super) fn raw(&self) -> Result<Arc<Client>, Error> {
        self.answer(async { Ok(()) })?;
        self.client()
    }
}
