//! Opens a journal on a server.

use std::path::PathBuf;
use std::time::Duration;

use super::super::{Chance, Error};
use super::Disk;
use super::db::remote::Target;
use super::db::{Db, Postgres, values};
use super::open::PATIENCE;
use super::waiting::Patience;

impl Disk {
    /// Opens the journal of a database; the schema is made where it is not there. One that is away is waited for at most
    /// so long, then and until that is taken back.
    pub(super) fn open_remote(
        url: &str,
        chance: &mut Chance,
        patience: Patience,
        away: Duration,
    ) -> Result<Self, Error> {
        let target = Target::parse(url)?;
        let db = match patience.keep.clone().filter(|_| !away.is_zero()) {
            None => Postgres::new(target),
            keep => Postgres::waiting_for(target, keep, away),
        };
        let place = PathBuf::from(db.target().shown());
        let refused = |why: &str| Error::Database { place: db.target().shown().to_owned(), why: why.to_owned() };
        if db.persist(|| db.may_forget()).map_err(|error| error.within(&place))? {
            return Err(refused("the server runs with fsync = off, and may forget calls that it was told of"));
        }
        let salt = format!("{:032x}{:032x}", chance(), chance());
        db.persist(|| db.make(&salt)).map_err(|error| error.within(&place))?;
        Self::on(db, place, patience)
    }

    /// Opens the journal of a database only to look; one of an earlier version is brought forward. None where there is
    /// none.
    pub(super) fn look_remote(url: &str) -> Result<Option<Self>, Error> {
        let db = Postgres::new(Target::parse(url)?);
        let place = PathBuf::from(db.target().shown());
        if db.version().map_err(|error| error.within(&place))?.is_none() {
            return Ok(None);
        }
        db.make("").map_err(|error| error.within(&place))?;
        Self::on(db, place, Patience { most: PATIENCE, keep: None }).map(Some)
    }

    fn on(db: Postgres, place: PathBuf, patience: Patience) -> Result<Self, Error> {
        let db = Db::Postgres(Box::new(db));
        let salt: Vec<u8> = db
            .look(|db| db.get("SELECT value FROM settings WHERE name = 'salt'", values![]))
            .map_err(|error| error.within(&place))?;
        if let Db::Postgres(server) = &db {
            server.set_salt(&salt);
        }
        Ok(Self { dir: place.clone(), file: place, db, identity: [None; 3], patience, salt })
    }
}
