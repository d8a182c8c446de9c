//! Transactions on a server: how one begins, what it has to find unchanged (the schema, the journal, the lease), and how
//! it ends.

use std::path::PathBuf;

use futures_util::future::join;
use tokio_postgres::SimpleQueryMessage;

use super::super::super::super::Error;
use super::super::VERSION;
use super::super::sent::read_all;
use super::{Access, Ahead, IDLE, LONG_STATEMENT, Postgres, STATEMENT, WRITERS};

impl Postgres {
    /// Does one thing in a transaction of its own, or within the one that is open.
    pub(in super::super) fn transact<T, X: From<Error>>(
        &self,
        access: Access,
        work: impl FnOnce() -> Result<T, X>,
    ) -> Result<T, X> {
        if !self.begin(access).map_err(X::from)? {
            return work();
        }
        self.end(work())
    }

    pub(in super::super) fn is_within(&self) -> bool {
        self.within.get()
    }

    /// Begins a transaction, unless one is open; says whether it did.
    pub(in super::super) fn begin(&self, access: Access) -> Result<bool, Error> {
        if self.within.get() {
            return Ok(false);
        }
        self.longest.set(if access == Access::Long { LONG_STATEMENT } else { STATEMENT });
        let (begun, read) = self.open(access)?;
        self.within.set(true);
        *self.ahead.borrow_mut() = read;
        if matches!(access, Access::Write | Access::Beside)
            && let Err(changed) = self.unchanged(&begun)
        {
            return self.end(Err(changed));
        }
        Ok(true)
    }

    /// What the statements that begin a transaction answered, and what was read with them.
    fn open(&self, access: Access) -> Result<(Vec<SimpleQueryMessage>, Ahead), Error> {
        let (expected, opening) = (self.expected.take(), self.opening(access));
        let opened = self.client().and_then(|client| {
            self.answer(async move {
                let (begun, read) = join(client.simple_query(&opening), read_all(&client, expected)).await;
                Ok((begun?, read?))
            })
        });
        opened.inspect_err(|_| {
            // It may be open all the same: what waits in it for a lock is given up.
            let is_there = self.client.borrow().as_ref().is_some_and(|client| !client.is_closed());
            if is_there && self.batch("ROLLBACK").is_err() {
                self.client.borrow_mut().take();
            }
        })
    }

    /// Ends the transaction that was begun: what was done in it stays if that went well.
    pub(in super::super) fn end<T, X: From<Error>>(&self, done: Result<T, X>) -> Result<T, X> {
        if done.is_err() {
            self.waiting.take();
        }
        self.ahead.take();
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        // Where the connection broke there is nothing to take back: the server does.
        let ended = self.batch(end);
        #[cfg(test)]
        let ended = match self.lossy.take() {
            1 => Err(self.away("lost")),
            nth => ended.inspect(|()| self.lossy.set(nth.saturating_sub(1))),
        };
        self.within.set(false);
        self.longest.set(STATEMENT);
        if done.is_err() && ended.is_err() {
            self.client.borrow_mut().take();
        }
        let done = done.and_then(|done| ended.map(|()| done).map_err(X::from))?;
        self.away_since.set(None);
        Ok(done)
    }

    /// Does one thing beside those who write, which may take long.
    pub(in super::super::super) fn bring_in<T, X: From<Error>>(
        &self,
        work: impl FnOnce() -> Result<T, X>,
    ) -> Result<T, X> {
        self.transact(Access::Long, work)
    }

    /// Whether the lease is still its holder's, and until the end of this transaction.
    pub(in super::super::super) fn still_ours(&self) -> Result<(), Error> {
        let found = self.simple(format!("SELECT 0; {}", self.checks()))?;
        self.unchanged(&found)
    }

    /// How a transaction begins: what it needs is set for its own time.
    fn opening(&self, access: Access) -> String {
        let mode = if access == Access::Look { " READ ONLY" } else { "" };
        let settings = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED{mode}; SET LOCAL search_path = dialer, pg_temp; \
             SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}; \
             SET LOCAL idle_in_transaction_session_timeout = {}",
            self.patience.get().as_millis().max(1),
            self.longest.get().as_millis(),
            IDLE.as_millis()
        );
        match access {
            // The writers' lock, then the lease's.
            Access::Write => format!("{settings}; SELECT pg_advisory_xact_lock({WRITERS}); {}", self.checks()),
            Access::Beside => format!("{settings}; SELECT 0; {}", self.checks()),
            Access::Look | Access::Long => settings,
        }
    }

    /// What must not have changed: the schema, the journal, and the lease, whose row nobody changes the term of until the
    /// end.
    fn checks(&self) -> String {
        let version = "SELECT version, (SELECT encode(value, 'hex') FROM dialer.settings WHERE name = 'salt'), \
                       (SELECT convert_from(value, 'UTF8') FROM dialer.settings WHERE name = 'moved') \
                       FROM dialer.schema_version";
        match &*self.fence.borrow() {
            Some(fence) => format!(
                "{version}; SELECT term, host, pid, since FROM dialer.leases WHERE account = {} AND mark = {} \
                 FOR KEY SHARE",
                literal(&fence.account),
                literal(&fence.mark)
            ),
            None => version.to_owned(),
        }
    }

    /// Whether schema and journal are those that are known here, and the lease still its holder's.
    fn unchanged(&self, found: &[SimpleQueryMessage]) -> Result<(), Error> {
        let rows = found.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let rows: Vec<_> = rows.collect();
        // The lock itself is a row, too.
        let version = rows.get(1).copied().and_then(|row| row.get(0)).and_then(|version| version.parse::<i64>().ok());
        let file = || PathBuf::from(self.target.shown());
        if let Some(found) = version.filter(|version| *version != VERSION) {
            return Err(Error::Version { file: file(), found, known: VERSION });
        }
        let journal = |column| rows.get(1).and_then(|row| row.get(column));
        if let Some(to) = journal(2) {
            return Err(Error::Moved { file: file(), to: crate::text::clean(to, 1000) });
        }
        if let Some(salt) = self.salt.borrow().as_deref()
            && journal(1) != Some(salt)
        {
            return Err(Error::Gone(file()));
        }
        let Some(fence) = &*self.fence.borrow() else { return Ok(()) };
        let number = |row: &tokio_postgres::SimpleQueryRow, column: usize| row.get(column)?.parse::<i64>().ok();
        match rows.get(2).copied() {
            Some(row) if number(row, 0) == Some(fence.term) => Ok(()),
            row => Err(Error::TakenOver {
                campaign: fence.campaign.clone(),
                host: row.and_then(|row| row.get(1)).map(|host| crate::text::clean(host, 100)),
                pid: row.and_then(|row| number(row, 2)).and_then(|pid| u32::try_from(pid).ok()),
            }),
        }
    }
}

/// A text as it stands in a statement that takes no values.
fn literal(text: &str) -> String {
    let text = text.replace('\0', "").replace('\'', "''").replace('\\', "\\\\");
    format!("E'{text}'")
}
