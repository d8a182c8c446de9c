//! What a live run tells other shells of itself: one row a campaign, on a connection of its own. Its commits are not
//! waited for (`synchronous = NORMAL` writes no log to disk at a commit, <https://sqlite.org/pragma.html#pragma_synchronous>):
//! a power cut may lose the newest of them, and nothing rests on them.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::super::Error;
use super::Disk;
use super::attempts::wall;
use super::db::{Db, values};
use super::open::settle;
use super::run::Run;
use super::story::Campaign;
use super::waiting::patiently;

/// How long another process that holds the file is waited for; what is told next is newer anyway.
const PATIENCE: Duration = Duration::from_millis(500);

/// Tells other shells how a run stands.
#[derive(Debug)]
pub struct Publisher {
    pub(super) db: Db,
    pub(super) campaign: i64,
    pub(super) run: i64,
}

/// What a run has told of itself, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    /// When, by the wall clock.
    pub at: Timestamp,
    /// JSON, as that run wrote it.
    pub status: String,
}

impl Run {
    /// What makes this run's publisher, on whatever thread that is to be.
    pub fn publisher(&self) -> impl FnOnce() -> Result<Publisher, Error> + Send + use<> {
        let (file, campaign, run) = (self.disk().file.clone(), self.campaign, self.number);
        #[cfg(feature = "postgres")]
        let (remote, fence) = (self.disk().db.target(), self.fence());
        move || {
            #[cfg(feature = "postgres")]
            if let Some(target) = remote {
                let db = Db::Postgres(Box::new(super::db::Postgres::new(target)));
                db.set_fence(fence);
                return Ok(Publisher { db, campaign, run });
            }
            let open = || -> Result<Connection, Error> {
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let db = Connection::open_with_flags(&file, flags)?;
                settle(&db)?;
                db.busy_timeout(PATIENCE)?;
                db.pragma_update(None, "synchronous", "normal")?;
                Ok(db)
            };
            let db = open().map_err(|error| error.within(&file))?;
            Ok(Publisher { db: Db::Sqlite(db), campaign, run })
        }
    }
}

impl Publisher {
    /// Tells it from now on.
    pub fn publish(&self, at: Timestamp, status: &str) -> Result<(), Error> {
        let put = "INSERT INTO live_status (campaign, run, at, status) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (campaign) \
                   DO UPDATE SET run = excluded.run, at = excluded.at, status = excluded.status \
                   WHERE excluded.run >= live_status.run";
        let told = values![self.campaign, self.run, at.as_microsecond(), status];
        self.db.note(|db| db.execute(put, told).map(drop))
    }
}

impl Disk {
    /// Looks at the campaigns again and again until they are as is asked for, but not for longer than that. Says how they
    /// stand then, and whether it came to that.
    pub fn campaigns_once(
        &self,
        most: Duration,
        is_so: impl Fn(&[Campaign]) -> bool,
    ) -> Result<(Vec<Campaign>, bool), Error> {
        let found = patiently(most, || match self.campaigns() {
            Ok(campaigns) if !is_so(&campaigns) => None,
            done => Some(done),
        });
        match found {
            Some(campaigns) => campaigns.map(|campaigns| (campaigns, true)),
            None => self.campaigns().map(|campaigns| (campaigns, false)),
        }
    }

    /// What that run of a campaign last told of itself.
    pub(super) fn published(&self, campaign: i64, run: i64) -> Result<Option<Published>, Error> {
        let find = "SELECT at, status FROM live_status WHERE campaign = ?1 AND run = ?2";
        self.read(|db| {
            db.maybe(find, values![campaign, run], |row| Ok(Published { at: wall(row.get(0)?), status: row.get(1)? }))
        })
    }
}
