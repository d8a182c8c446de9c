//! The schema of a journal on a server: whether it is there, and of which version.

use super::super::super::Error;
use super::VERSION;
use super::postgres::{Access, Postgres, WRITERS};

/// The oldest version that is brought forward.
const OLDEST: i64 = 7;

impl Postgres {
    /// Whether the server may forget what it has said was written.
    pub(in super::super) fn may_forget(&self) -> Result<bool, Error> {
        self.transact(Access::Look, || self.first("SELECT current_setting('fsync') = 'off'"))
            .map(Option::unwrap_or_default)
    }

    /// The version of the schema; none where there is none.
    pub(in super::super) fn version(&self) -> Result<Option<i64>, Error> {
        // What is asked of the catalog by name may have been remembered from before a wait.
        let is_there = "SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
                        WHERE nspname = 'dialer' AND relname = 'schema_version'";
        match self.first(is_there)? {
            Some(true) => self.first("SELECT version FROM dialer.schema_version"),
            _ => Ok(None),
        }
    }

    /// Makes the tables where there are none, or brings those of an earlier version forward, while nobody else does.
    pub(in super::super) fn make(&self, salt: &str) -> Result<(), Error> {
        if self.version()? == Some(VERSION) {
            return Ok(());
        }
        self.transact(Access::Long, || {
            self.batch(&format!("SELECT pg_advisory_xact_lock({WRITERS})"))?;
            match self.version()? {
                Some(VERSION) => return Ok(()),
                Some(OLDEST..VERSION) => {}
                Some(found) => {
                    return Err(Error::Version { file: self.target().shown().into(), found, known: VERSION });
                }
                None => self.make_oldest(salt)?,
            }
            self.batch(include_str!("../from_7.postgres.sql"))?;
            self.batch(&format!("UPDATE schema_version SET version = {VERSION}"))
        })
    }

    /// Makes the tables of the oldest version.
    fn make_oldest(&self, salt: &str) -> Result<(), Error> {
        if self.first("SELECT count(*) FROM pg_namespace WHERE nspname = 'dialer'")? != Some(true) {
            self.batch("CREATE SCHEMA dialer")?;
        }
        self.batch(include_str!("../schema.postgres.sql"))?;
        self.batch(&format!(
            "INSERT INTO schema_version VALUES ({OLDEST}); INSERT INTO settings VALUES ('salt', '\\x{salt}')"
        ))
    }
}
