//! One run per campaign among several machines: a row with a holder, a term that only grows, and an end by the database's
//! clock. It is renewed on a connection of its own; whoever holds it asks the clock of its own machine how long it may
//! still place calls.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::super::Error;
use super::db::remote::{Target, spawn, wait};
use super::db::{Db, Fence, Postgres, Row, values};
use super::lock::told_since;
use crate::pool::attempt_id::Mark;
use crate::steady;
use crate::time::Now;

/// How long a lease lasts that nobody renews.
const LASTS: Duration = Duration::from_secs(15);
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(5);
/// For how long after its renewal was begun people are called: it ends a second later at the earliest.
const CALLS: Duration = LASTS.saturating_sub(Duration::from_secs(1));
/// After a renewal that failed the next one is tried.
const PAUSE: Duration = Duration::from_secs(1);
/// A run whose lease ended so long ago is given up by the runs of other campaigns, too. Until then a database that was
/// away may have been all that kept it from renewing.
const ABANDONED: Duration = Duration::from_mins(2);
/// The database's clock, in microseconds.
const CLOCK: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT";

/// A lease that is held for as long as this lives.
#[derive(Debug)]
pub(super) struct Lease {
    shared: Arc<Shared>,
    /// Its end ends the renewals, and with them the lease.
    stop: Option<oneshot::Sender<()>>,
}

#[derive(Debug)]
struct Shared {
    fence: Fence,
    /// Until then it is held, in time since this machine was started.
    until: Mutex<Duration>,
    /// Another run has it.
    lost: AtomicBool,
    /// It was given back.
    over: AtomicBool,
}

impl Shared {
    fn until(&self) -> MutexGuard<'_, Duration> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Takes a campaign for this process, or says who has it.
    pub(super) fn take(db: &Postgres, account: &str, campaign: &str, pid: u32, now: Now) -> Result<Self, Error> {
        let mark = Mark::of(campaign).as_str().to_owned();
        let (began, term) = won(db, (account, campaign, &mark), pid, now)?;
        let fence = Fence { account: account.to_owned(), campaign: campaign.to_owned(), mark, term };
        let until = Mutex::new(began + CALLS);
        let shared = Arc::new(Shared { fence, until, lost: AtomicBool::new(false), over: AtomicBool::new(false) });
        let (stop, stopped) = oneshot::channel();
        spawn(keep(Arc::clone(&shared), db.target().clone(), stopped));
        Ok(Self { shared, stop: Some(stop) })
    }

    /// What every transaction of its run has to find unchanged.
    pub(super) fn fence(&self) -> Fence {
        self.shared.fence.clone()
    }

    /// For how long calls may still be placed.
    pub(super) fn left(&self) -> Duration {
        self.shared.until().saturating_sub(steady::now())
    }

    /// Whether another run has it.
    pub(super) fn is_lost(&self) -> bool {
        self.shared.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.stop.take());
        // The next run need not wait for its end.
        let shared = Arc::clone(&self.shared);
        wait(PAUSE * 2, async move {
            while !shared.over.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
    }
}

/// Takes the lease, or says who has it: its term, and when that was begun.
fn won(
    db: &Postgres,
    (account, campaign, mark): (&str, &str, &str),
    pid: u32,
    now: Now,
) -> Result<(Duration, i64), Error> {
    let (mut since, mut unsure) = (None, None);
    loop {
        let (began, mut term) = (steady::now(), None);
        let done = db.bring_in(|| {
            term = taken(db, account, mark, pid)?;
            Ok(term)
        });
        let error = match done {
            Ok(Some(term)) => return Ok((began, term)),
            Ok(None) => match db.persist(|| held(db, (account, campaign, mark), now))? {
                None => continue,
                // Taken by this process in a commit whose answer was lost: nobody renews it, and it ends.
                Some((held, of)) if unsure == Some(held) && is_held_by(&of, pid) => {
                    wait(PAUSE * 2, async { tokio::time::sleep(PAUSE).await });
                    db.target().away("the lease that was taken when it broke off has to end first".to_owned())
                }
                Some((_, of)) => return Err(of),
            },
            Err(error) => error,
        };
        unsure = term.or(unsure);
        if !db.is_again(&error, &mut since) {
            return Err(error);
        }
    }
}

fn is_held_by(held: &Error, process: u32) -> bool {
    matches!(held, Error::Held { pid: Some(pid), host: Some(host), .. }
        if *pid == process && *host == crate::host::name())
}

/// Takes the lease, if it is nobody's. The new term waits for a transaction of the one before to end.
fn taken(db: &Postgres, account: &str, mark: &str, pid: u32) -> Result<Option<i64>, Error> {
    let take = format!(
        "INSERT INTO dialer.leases AS held (account, mark, term, host, pid, since, expires) \
         VALUES ($1, $2, 1, $3, $4, {CLOCK}, {CLOCK} + $5) ON CONFLICT (account, mark) DO UPDATE \
         SET term = held.term + 1, host = excluded.host, pid = excluded.pid, since = {CLOCK}, expires = {CLOCK} + $5 \
         WHERE held.expires <= {CLOCK} RETURNING term"
    );
    let host = crate::host::name();
    let mut term = None;
    db.each(&take, values![account, mark, &host, pid, micros(LASTS)], &mut |row| {
        term = Some(row.get(0)?);
        Ok(false)
    })?;
    Ok(term)
}

/// Who has a campaign, and under which term.
pub(super) fn held(
    db: &Postgres,
    (account, campaign, mark): (&str, &str, &str),
    now: Now,
) -> Result<Option<(i64, Error)>, Error> {
    let find = format!(
        "SELECT term, host, pid, since FROM dialer.leases WHERE account = $1 AND mark = $2 AND expires > {CLOCK}"
    );
    let mut held = None;
    db.each(&find, values![account, mark], &mut |row| {
        held = Some((row.get(0)?, holder(campaign.to_owned(), row, now)?));
        Ok(false)
    })?;
    Ok(held)
}

/// Whether some run holds a campaign.
pub(super) fn is_held(db: &Db, account: &str, mark: &Mark) -> Result<bool, Error> {
    let find = format!("SELECT 1 FROM leases WHERE account = ?1 AND mark = ?2 AND expires > {CLOCK}");
    db.exists(&find, values![account, mark.as_str()])
}

/// Runs of other campaigns that are dead, and their campaigns. Their terms end with them, so that they write nothing more
/// should they wake.
pub(super) fn abandoned(db: &Db, ours: i64) -> Result<Vec<(i64, i64)>, Error> {
    db.all(&give_up(), values![ours, micros(ABANDONED)], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The same will be asked for.
pub(super) fn abandoned_ahead(db: &Db, ours: i64) -> Result<(), Error> {
    db.ahead(&[(&give_up(), values![ours, micros(ABANDONED)])])
}

fn give_up() -> String {
    format!(
        "UPDATE leases SET term = term + 1 FROM runs JOIN campaigns ON campaigns.id = runs.campaign \
         JOIN accounts ON accounts.id = campaigns.account WHERE runs.ended IS NULL AND runs.campaign <> ?1 \
         AND leases.account = accounts.name AND leases.mark = campaigns.mark \
         AND leases.expires <= {CLOCK} - CASE WHEN leases.pid IS NULL THEN 0 ELSE ?2 END \
         RETURNING runs.id, runs.campaign"
    )
}

/// Ends every lease that is over, so that whoever held it writes nothing more, or says who has one that is not.
pub(super) fn end_all(db: &Db, now: Now) -> Result<(), Error> {
    let live = format!(
        "SELECT coalesce((SELECT campaigns.name FROM campaigns JOIN accounts ON accounts.id = campaigns.account \
         WHERE accounts.name = leases.account AND campaigns.mark = leases.mark), mark), host, pid, since \
         FROM leases WHERE expires > {CLOCK}"
    );
    let held = db.maybe(&live, &[], |row| holder(row.get(0)?, row, now))?;
    held.map_or(Ok(()), Err)?;
    db.execute("UPDATE leases SET term = term + 1, pid = NULL, expires = 0", &[]).map(drop)
}

/// Who has a campaign, from the columns behind the first.
fn holder(campaign: String, row: &Row<'_>, now: Now) -> Result<Error, Error> {
    let host = row.get::<Option<String>>(1)?.map(|host| crate::text::clean(&host, 100));
    let since = row.get::<Option<i64>>(3)?.map(|since| told_since(super::attempts::wall(since), now));
    Ok(Error::Held { campaign, pid: row.get(2)?, host, since })
}

/// Renews a lease until it is given back, or lost.
async fn keep(shared: Arc<Shared>, target: Target, mut stopped: oneshot::Receiver<()>) {
    let mut client: Option<Client> = None;
    let mut pause = RENEWED;
    loop {
        tokio::select! {
            biased;
            _ = &mut stopped => break,
            () = tokio::time::sleep(pause) => {}
        }
        pause = PAUSE;
        let renewal = tokio::time::timeout(RENEWED, renew(&shared, &target, &mut client));
        match renewal.await {
            Ok(Ok(true)) => pause = RENEWED,
            Ok(Ok(false)) => {
                shared.lost.store(true, Ordering::Relaxed);
                break;
            }
            Ok(Err(_)) | Err(_) => client = None,
        }
    }
    if !shared.lost.load(Ordering::Relaxed) {
        let give_back = tokio::time::timeout(PAUSE, give_back(&shared, &target, &mut client));
        drop(give_back.await);
    }
    shared.over.store(true, Ordering::Relaxed);
}

/// Renews a lease once; false if it is another run's. One that ended and that nobody took is still its holder's.
async fn renew(shared: &Shared, target: &Target, client: &mut Option<Client>) -> Result<bool, Error> {
    let began = steady::now();
    let renew =
        format!("UPDATE dialer.leases SET expires = {CLOCK} + $4 WHERE account = $1 AND mark = $2 AND term = $3");
    let renewed = change(shared, target, client, &renew, micros(LASTS)).await?;
    if renewed {
        *shared.until() = began + CALLS;
    }
    Ok(renewed)
}

/// Ends a lease whose run is over.
async fn give_back(shared: &Shared, target: &Target, client: &mut Option<Client>) -> Result<bool, Error> {
    let end = "UPDATE dialer.leases SET expires = $4, pid = NULL WHERE account = $1 AND mark = $2 AND term = $3";
    change(shared, target, client, end, 0).await
}

/// Changes the row of a lease, if it is still ours.
async fn change(
    shared: &Shared,
    target: &Target,
    client: &mut Option<Client>,
    sql: &str,
    to: i64,
) -> Result<bool, Error> {
    if client.as_ref().is_none_or(Client::is_closed) {
        *client = Some(target.connected().await?);
    }
    let Some(client) = client else { return Ok(false) };
    let Fence { account, mark, term, .. } = &shared.fence;
    let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 4] =
        [(account, Type::TEXT), (mark, Type::TEXT), (term, Type::INT8), (&to, Type::INT8)];
    let changed = client.execute_typed(sql, &values).await;
    changed.map(|rows| rows > 0).map_err(|error| target.away(error.to_string()))
}

fn micros(time: Duration) -> i64 {
    crate::time::micros(time)
}
