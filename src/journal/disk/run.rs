//! The journal of one run of one campaign, on disk.

pub mod begin;

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::super::claim::Claim;
use super::super::granting::{Maker, grant, put_off_all};
use super::super::people::{Told, Wanted};
use super::super::recording::{adopt, record, stranger, strangers};
use super::super::store::Store;
use super::super::{Chance, Control, Dnc, Error, Journal, Totals, opening};
use super::attempts;
use super::budget::{keep, ledger};
use super::db::{Fence, Value, values};
use super::leads::{self, Zones};
use super::lock::Lock;
use super::others::{Followed, asks, gather, gather_ahead, leaves_one, note_left, share};
use super::runs::{LIVE, over, reap_ahead, reap_dead_runs};
use super::table::{Table, WITH_IDS};
use super::waiting::Patience;
use super::{Disk, results};
use crate::campaign::event::{Ask, Booking, LeadId, News};
use crate::campaign::plan::Plan;
use crate::campaign::reply::{Booked, Change, Claimed, Open, Opened, Recorded, ResumeState};
use crate::leads::lead::{Only, Phone};
use crate::pool::Pool;
use crate::pool::attempt_id::{AttemptId, Mark};
use crate::pool::news::Others;
use crate::pool::offset::latest_possible;
use crate::time::{Now, Stamp};

/// How long a limit that leaves no slot beside the reserve is believed.
const NO_SLOT_BELIEVED: Duration = Duration::from_mins(10);

/// The journal of one run.
pub struct Run {
    pub(super) disk: Disk,
    /// Held until the run is over.
    lock: Lock,
    pub(super) plan: Plan,
    account: i64,
    rehearsal: bool,
    pub(super) campaign: i64,
    mark: Mark,
    pool: i64,
    /// Its number.
    pub(super) number: i64,
    chance: Chance,
    dnc: Dnc,
    zones: Zones,
    told: Told,
    /// Who asked not to be called in a rehearsal.
    opted_out: HashSet<Phone>,
    followed: Followed,
    /// Attempts of claims that were not answered: they may have been committed, and were not sent.
    unsure: Vec<AttemptId>,
    /// The one lead that is called, where only one is.
    pub(super) only: Option<Only>,
}

impl Run {
    /// Ends the run: from now on its campaign is free. Requests that have no answer yet are in doubt. Says how the leads
    /// stand then.
    pub fn end(mut self, now: Now) -> Result<(Disk, Totals), Error> {
        let run = self.number;
        self.step(|table, _| over(table.db, table.campaign, run, "its run ended before an answer came", now))?;
        let totals = self.disk.totals(self.campaign)?;
        self.disk.db.set_fence(None);
        drop(self.lock);
        Ok((self.disk, totals))
    }

    /// How long another process that holds the file is waited for, before [`Error::Busy`]; a minute unless told otherwise.
    /// A server that is away is not waited for any more: [`Error::Away`].
    pub fn wait_at_most(&mut self, most: Duration) {
        self.disk.db.wait_while_away(false);
        self.disk.patience = Patience { most, keep: None };
    }

    /// The same for the end of the run, when a server that is away is waited for once more.
    pub fn wait_to_the_end(&mut self, most: Duration) {
        self.wait_at_most(most);
        self.disk.db.wait_while_away(true);
    }

    /// What every transaction of this run has to find unchanged.
    pub(super) fn fence(&self) -> Option<Fence> {
        self.lock.fence()
    }

    /// The database, to look things up in.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    pub(super) fn step<T>(
        &mut self,
        mut work: impl FnMut(&mut Table<'_>, &Plan) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.step_with(|table, rest| work(table, rest.plan))
    }

    /// One transaction: with the campaign's rows, and with what claims are made with.
    fn step_with<T>(&mut self, mut work: impl FnMut(&mut Table<'_>, Rest<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut since = None;
        loop {
            match self.step_once(&mut work) {
                Err(error) if self.disk.is_again(&error, &mut since) => {}
                done => return done,
            }
        }
    }

    fn step_once<T>(&mut self, work: impl FnOnce(&mut Table<'_>, Rest<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let before = self.before();
        let Self { disk, zones, told, opted_out, dnc, plan, account, campaign, pool, rehearsal, .. } = self;
        let Disk { db, salt, file, dir, patience, .. } = disk;
        let (account, campaign, pool, rehearsal) = (*account, *campaign, *pool, *rehearsal);
        let rest = Rest { dir, plan, followed: &mut self.followed, mark: &self.mark, chance: &mut self.chance };
        let done = db.transact(file, patience, salt, |tx| {
            let mut table = Table { db: tx, account, campaign, pool, rehearsal, salt, zones, told, opted_out, dnc };
            work(&mut table, rest)
        });
        let done = done.map_err(|error| error.within(file));
        self.unless_failed(done, before)
    }

    /// Where a transaction may fail in its middle and be done again, so is what the run was told in it; within one, whoever
    /// began it sees to that.
    fn before(&self) -> Option<Before> {
        (self.disk.db.is_remote() && !self.disk.db.is_within())
            .then(|| (self.told.kept(), self.opted_out.clone(), self.followed.clone()))
    }

    fn unless_failed<T>(&mut self, done: Result<T, Error>, before: Option<Before>) -> Result<T, Error> {
        if let (Err(_), Some(before)) = (&done, before) {
            (self.told, self.opted_out, self.followed) = before;
        }
        done
    }

    /// What a claim reads first, all of it with the beginning of its transaction.
    fn claim_ahead(&self, now: Now, ask: &Ask) -> Result<(), Error> {
        let db = &self.disk.db;
        reap_ahead(db, self.campaign)?;
        gather_ahead(db, (self.pool, self.campaign, self.number), now)?;
        let leads: Vec<i64> = ask.leads.iter().map(|(lead, _)| lead.0).collect();
        db.ahead(&[(&leads::statement(WITH_IDS), values![self.campaign, Value::Ints(&leads)])])
    }

    /// Attempts that this run is to follow and does not follow yet.
    fn open_attempts(&mut self, now: Now, ours_too: bool) -> Result<Vec<Open>, Error> {
        let (run, dir) = (self.number, self.disk.dir.clone());
        self.step(|table, _| {
            reap_dead_runs(table.db, &dir, table.campaign, Some(run), now)?;
            let of_the_dead = format!(
                "{LIVE} AND campaign IN (SELECT id FROM campaigns WHERE account = ?1) AND campaign NOT IN \
                 (SELECT campaign FROM runs WHERE ended IS NULL AND id <> ?2) AND origin <> 'found' \
                 AND (campaign <> ?3 OR ?4 = 1) ORDER BY claimed, attempt"
            );
            let values = values![table.account, run, table.campaign, ours_too];
            let mut open = Vec::new();
            for attempt in attempts::select(table.db, &of_the_dead, values)? {
                if table.told.state(&attempt.id).is_none() {
                    table.told.tell(&attempt.id, attempt.state());
                    let held = "SELECT in_doubt FROM campaigns WHERE id = ?1";
                    let held: Option<i64> = table.db.get(held, values![attempt.campaign])?;
                    let held = u64::try_from(held.unwrap_or(0)).ok().map(Duration::from_micros);
                    open.push(attempt.open(attempt.campaign == table.campaign, held));
                }
            }
            Ok(open)
        })
    }
}

/// Why nobody may be claimed while a lease was not renewed in time.
const LATE: &str = "the lease of this campaign was not renewed in time";

/// Takes claims back whose commit was not answered, where it was made after all: nothing was sent for them.
fn withdraw(table: &mut Table<'_>, plan: &Plan, now: Now, unsure: &[AttemptId]) -> Result<(), Error> {
    for id in unsure {
        if table.db.exists("SELECT 1 FROM attempts WHERE attempt = ?1", values![id.as_str()])? {
            record(table, plan, now, &News::Withdrawn(id.clone()))?;
        }
    }
    Ok(())
}

/// What a run was told before a transaction.
type Before = (Told, HashSet<Phone>, Followed);

/// What of a run a step may need besides the campaign's rows.
struct Rest<'a> {
    dir: &'a Path,
    plan: &'a Plan,
    followed: &'a mut Followed,
    mark: &'a Mark,
    chance: &'a mut Chance,
}

impl Journal for Run {
    fn together<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let before = self.before();
        let Disk { db, file, patience, salt, .. } = &self.disk;
        if !db.begin(file, patience, Some(salt)).map_err(|error| error.within(file))? {
            return work(self);
        }
        let done = work(self);
        let done = self.disk.db.end(done).map_err(|error| error.within(&self.disk.file));
        self.unless_failed(done, before)
    }

    fn history(&mut self, now: Now) -> Result<ResumeState, Error> {
        let open = self.open_attempts(now, true)?;
        let run = self.number;
        let others = self.step_with(|table, rest| gather(table, rest.followed, run, now))?;
        let totals = self.totals(now)?;
        let state = self.step(|table, plan| {
            let found = strangers(&table.load(Wanted { found: true, ..Wanted::default() })?);
            for call in &found {
                table.told.meet(&call.id);
            }
            let line = table.db.line();
            let instant = |at: Option<i64>| at.map(|at| line.instant(at));
            let campaign = "SELECT adopted, paused FROM campaigns WHERE id = ?1";
            let (adopted, paused) =
                table.db.one(campaign, values![table.campaign], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let known = "SELECT watermark, known_from FROM accounts WHERE id = ?1";
            let stamp = |at: Option<i64>| at.map(Stamp::from_micros);
            let (watermark, known_from) =
                table.db.one(known, values![table.account], |row| Ok((stamp(row.get(0)?), stamp(row.get(1)?))))?;
            let attempts = "SELECT attempts, ended FROM attempt_counts WHERE campaign = ?1";
            let counts = table.db.maybe(attempts, values![table.campaign], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let (attempts, calls_ended): (u64, u64) = counts.unwrap_or_default();
            let wait = plan.results_wait;
            let awaited = wait.map(|wait| results::awaited(table.db, table.campaign, wait, now)).transpose()?;
            // A limit that leaves no slot is not believed for long: nobody would dial, and so learn of another.
            let last_limit = "SELECT CASE WHEN last_limit_at <= ?2 AND (last_limit > ?3 OR last_limit_at >= ?4) \
                              THEN last_limit END FROM pools WHERE id = ?1";
            let recent = Stamp::from(now.wall) - NO_SLOT_BELIEVED;
            let kept = plan.reserve.least().saturating_add(plan.caution);
            let values = values![table.pool, latest_possible(now).as_micros(), kept, recent.as_micros()];
            let last_limit = table.db.get(last_limit, values)?;
            Ok(ResumeState {
                open: Vec::new(),
                others: Others::default(),
                watermark,
                known_from,
                awaited: awaited.unwrap_or_default(),
                has_attempts: attempts > 0,
                strangers: found.iter().filter_map(stranger).collect(),
                adopted_at: instant(adopted),
                paused,
                org_confirmed: false,
                unsettled: totals.open + totals.in_doubt,
                cost_usd: totals.cost_usd,
                calls_ended,
                last_limit,
            })
        })?;
        Ok(ResumeState { open, others, ..state })
    }

    fn open_batch(&mut self, now: Now) -> Result<Opened, Error> {
        if let Some(only) = &self.only {
            return self.open_only(only, &self.plan, now);
        }
        self.step(|table, plan| opening::open_batch(table, plan, now))
    }

    fn close_batch(&mut self, now: Now, number: u64) -> Result<(), Error> {
        self.step(|table, _| table.close(number, now))
    }

    fn put_off(&mut self, now: Now, leads: &[LeadId], until: Timestamp) -> Result<(), Error> {
        self.step(|table, _| {
            put_off_all(table, now, leads, until)?;
            // The next start looks at them anew: what stood in their way may be mended by then.
            let ids: Vec<i64> = leads.iter().map(|lead| lead.0).collect();
            let stale = "UPDATE leads SET stale = 1 WHERE id IN (SELECT value FROM json_each(?1))";
            table.db.write(stale, &[Value::Ints(&ids)])?;
            Ok(())
        })
    }

    fn claim(&mut self, now: Now, ask: Ask) -> Result<(Claimed, Vec<Claim>), Error> {
        self.disk.still_there()?;
        if self.lock.left().is_some_and(|left| left.is_zero()) {
            return Err(Error::Away { place: self.disk.file.display().to_string(), what: LATE.to_owned() });
        }
        let (run, unsure) = (self.number, std::mem::take(&mut self.unsure));
        let mut minted = unsure.clone();
        if unsure.is_empty() && self.disk.db.is_remote() {
            self.claim_ahead(now, &ask)?;
        }
        let done = self.step_with(|table, rest| {
            let Rest { dir, plan, followed, mark, chance } = rest;
            withdraw(table, plan, now, &unsure)?;
            reap_dead_runs(table.db, dir, table.campaign, Some(run), now)?;
            let mut others = gather(table, followed, run, now)?;
            let mut known = ask.pool.clone();
            known.merge_others(&others);
            let mut most = known.allowed(now.at, ask.reserve.max(others.reserve), ask.margin).dials;
            if others.rate_until.is_some() {
                most = 0;
            }
            let left = if most > 0 { Some(leaves_one(table, run, plan, now)?) } else { None };
            others.yield_one = left.as_ref().is_some_and(|left| left.one);
            most -= u32::from(others.yield_one);
            let mut ledger = ledger(table, plan)?;
            let (most, again) = ledger.bound(now, most);
            let mut maker = Maker { plan, run: Some(run), mark, chance };
            let made = grant(table, &mut maker, now, &ask, most)?;
            minted.extend(made.granted.iter().map(|granted| granted.attempt.clone()));
            // What is written comes last, so that it goes out with the commit.
            left.map(|left| note_left(table.db, run, &left)).transpose()?;
            share(table.db, table.pool, run, &ask.pool, ask.reserve, now)?;
            asks(table.db, run)?;
            let left = ledger.dialed(now, &made, again);
            keep(table, &ledger)?;
            let claimed = Claimed { granted: made.granted, denied: made.denied, others: Box::new(others), left };
            Ok((claimed, made.claims))
        });
        match done {
            Ok((claimed, claims)) => match self.lock.left() {
                Some(left) => Ok((claimed, claims.into_iter().map(|claim| claim.at_most(now.at + left)).collect())),
                None => Ok((claimed, claims)),
            },
            Err(error) => {
                self.unsure = minted;
                Err(error)
            }
        }
    }

    fn book(&mut self, now: Now, booking: Booking) -> Result<Booked, Error> {
        self.step(|table, plan| {
            let mut ledger = ledger(table, plan)?;
            let booked = ledger.book(now, booking);
            keep(table, &ledger)?;
            Ok(booked)
        })
    }

    fn record(&mut self, now: Now, news: &News) -> Result<Recorded, Error> {
        if let News::Listed { calls, .. } = news
            && self.told.unseen(calls).is_empty()
        {
            // Most of what a listing shows is known: then nothing is read or written, and nobody is kept waiting.
            return Ok(Recorded::default());
        }
        self.step(|table, plan| record(table, plan, now, news))
    }

    fn share(&mut self, now: Now, pool: &Pool, reserve: u32) -> Result<(), Error> {
        let run = self.number;
        self.step(|table, _| share(table.db, table.pool, run, pool, reserve, now))
    }

    fn watermark(&mut self, now: Now, from: Stamp, to: Stamp) -> Result<(), Error> {
        self.step(|table, _| {
            // One that lies ahead of any time that it can be was stamped wrongly.
            let raise = "UPDATE accounts SET \
                         watermark = CASE WHEN watermark BETWEEN ?3 AND ?4 THEN watermark ELSE ?3 END, known_from = \
                         CASE WHEN watermark BETWEEN ?2 AND ?4 AND known_from < ?2 THEN known_from ELSE ?2 END \
                         WHERE id = ?1";
            let ahead = latest_possible(now).as_micros();
            table.db.write(raise, values![table.account, from.as_micros(), to.as_micros(), ahead])?;
            Ok(())
        })
    }

    fn adopt(&mut self, now: Now) -> Result<Vec<Change>, Error> {
        self.step(|table, plan| {
            let adopted = "UPDATE campaigns SET adopted = ?2 WHERE id = ?1";
            table.db.write(adopted, values![table.campaign, table.db.line().micros(now.for_others(now.at))])?;
            adopt(table, plan, now)
        })
    }

    fn adoption_done(&mut self, _now: Now) -> Result<(), Error> {
        self.step(|table, _| {
            table.db.write("UPDATE campaigns SET adopted = NULL WHERE id = ?1", values![table.campaign])?;
            Ok(())
        })
    }

    fn orphans(&mut self, now: Now) -> Result<Vec<Open>, Error> {
        self.open_attempts(now, false)
    }

    fn control(&mut self, _now: Now) -> Result<Control, Error> {
        if self.lock.is_lost() {
            // Whoever writes is told who has it.
            self.step(|_, _| Ok(()))?;
        }
        let campaign = self.campaign;
        self.disk.read(|db| {
            let find = "SELECT paused, stop FROM campaigns WHERE id = ?1";
            db.one(find, values![campaign], |row| Ok(Control { paused: row.get(0)?, stop: row.get(1)? }))
        })
    }

    fn totals(&mut self, _now: Now) -> Result<Totals, Error> {
        self.disk.totals(self.campaign)
    }
}
