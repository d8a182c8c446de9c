//! Who holds a campaign: by a lock of the system where the journal is a file, by a lease where it is on a server.

use super::super::Error;
use super::Disk;
use super::accounts::Account;
use super::db::Db;
use super::lock::{self, Lock};
use crate::pool::attempt_id::Mark;
use crate::time::Now;

impl Disk {
    /// Takes a campaign for this process, or says who has it.
    pub fn hold(&self, account: &Account, campaign: &str, pid: u32, now: Now) -> Result<Lock, Error> {
        match &self.db {
            Db::Sqlite(_) => Lock::take(&self.dir, &account.name, campaign, pid, now),
            #[cfg(feature = "postgres")]
            Db::Postgres(db) => super::lease::Lease::take(db, &account.name, campaign, pid, now)
                .map(|lease| Lock::leased(lease, &account.name, campaign)),
        }
    }

    /// Who has a campaign, as [`Error::Held`]; none where it is free.
    pub fn held_by(&self, account: &Account, campaign: &str, pid: u32, now: Now) -> Result<Option<Error>, Error> {
        match &self.db {
            Db::Sqlite(_) => match Lock::take(&self.dir, &account.name, campaign, pid, now) {
                Err(held @ Error::Held { .. }) => Ok(Some(held)),
                taken => taken.map(|_| None),
            },
            #[cfg(feature = "postgres")]
            Db::Postgres(db) => {
                let mark = Mark::of(campaign);
                let held = db.persist(|| super::lease::held(db, (&account.name, campaign, mark.as_str()), now))?;
                Ok(held.map(|(_, held)| held))
            }
        }
    }

    /// Whether some run holds a campaign.
    pub(super) fn is_held(&self, account: &str, mark: &Mark) -> Result<bool, Error> {
        match &self.db {
            Db::Sqlite(_) => lock::is_held(&self.dir, account, mark),
            #[cfg(feature = "postgres")]
            Db::Postgres(_) => self.read(|db| super::lease::is_held(db, account, mark)),
        }
    }
}
