//! The journal of one run of one campaign, on disk.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use jiff::Timestamp;

use super::super::claim::Claim;
use super::super::granting::{Maker, grant, put_off_all};
use super::super::people::{Told, Wanted};
use super::super::recording::{adopt, look_at_all, record, stranger, strangers};
use super::super::store::Store;
use super::super::{Chance, Control, Dnc, Error, Journal, Totals, opening};
use super::accounts::Account;
use super::attempts;
use super::budget::{keep, ledger};
use super::leads::Zones;
use super::lock::Lock;
use super::others::{Followed, asks, gather, leaves_one, share};
use super::runs::{LIVE, begin, over, pool, reap_dead_runs};
use super::table::Table;
use super::waiting::Patience;
use super::{Disk, results, transact};
use crate::campaign::event::{Ask, Booking, LeadId, News};
use crate::campaign::plan::Plan;
use crate::campaign::reply::{Booked, Change, Claimed, Open, Opened, Recorded, ResumeState};
use crate::leads::lead::{Only, Phone};
use crate::pool::Pool;
use crate::pool::attempt_id::Mark;
use crate::pool::offset::latest_possible;
use crate::time::{Instant, Now, Stamp};

/// The journal of one run.
pub struct Run {
    disk: Disk,
    /// Held until the run is over.
    lock: Lock,
    plan: Plan,
    account: i64,
    rehearsal: bool,
    campaign: i64,
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
    /// The one lead that is called, where only one is.
    pub(super) only: Option<Only>,
}

/// Who runs what.
pub struct Start {
    /// The account.
    pub account: Account,
    /// The campaign's lock.
    pub lock: Lock,
    /// What to do.
    pub plan: Plan,
    /// The pool's name: the account's, unless it was named.
    pub pool: String,
    /// This process.
    pub pid: u32,
    /// Where attempt ids come from.
    pub chance: Chance,
    /// The do-not-call lists outside the journal.
    pub dnc: Dnc,
}

impl Disk {
    /// Begins a run of a campaign whose list was imported, and says how many settled leads are open again because the
    /// plan is another.
    pub fn begin(mut self, now: Now, start: Start) -> Result<(Run, u64), Error> {
        let Start { account, mut lock, plan, pool: pool_name, pid, chance, dnc } = start;
        lock.alone_here(&self.id()?)?;
        let campaign = self.campaign(&account, &plan.campaign)?;
        let dir = self.dir.clone();
        let (pool, number) = self.within(|tx| {
            reap_dead_runs(tx, &dir, campaign, None, now)?;
            let pool = pool(tx, &pool_name)?;
            let in_doubt = plan.in_doubt.map_or(-1, |held| i64::try_from(held.as_micros()).unwrap_or(i64::MAX));
            tx.execute("UPDATE campaigns SET in_doubt = ?2 WHERE id = ?1", params![campaign, in_doubt])?;
            Ok((pool, begin(tx, campaign, pool, pid, now)?))
        })?;
        let mark = Mark::of(&plan.campaign);
        let (zones, told, opted_out, followed) = Default::default();
        let (account, rehearsal) = (account.id, account.is_rehearsal());
        let disk = self;
        let mut run = Run {
            disk,
            lock,
            plan,
            account,
            rehearsal,
            campaign,
            mark,
            pool,
            number,
            chance,
            dnc,
            zones,
            told,
            opted_out,
            followed,
            only: None,
        };
        let reopened = run.look_at_everybody(now)?;
        Ok((run, reopened))
    }

    /// A campaign's number.
    pub(super) fn campaign(&self, account: &Account, name: &str) -> Result<i64, Error> {
        let find = "SELECT id FROM campaigns WHERE account = ?1 AND name = ?2";
        let found =
            self.read(|db| Ok(db.query_row(find, params![account.id, name], |row| row.get(0)).optional()?))?;
        found.ok_or_else(|| Error::NoCampaign(name.to_owned()))
    }
}

impl Run {
    /// Ends the run: from now on its campaign is free. Requests that have no answer yet are in doubt. Says how the leads
    /// stand then.
    pub fn end(mut self, now: Now) -> Result<(Disk, Totals), Error> {
        let run = self.number;
        self.step(|table, _| over(table.db, table.campaign, run, "its run ended before an answer came", now))?;
        let totals = self.disk.totals(self.campaign)?;
        drop(self.lock);
        Ok((self.disk, totals))
    }

    /// How long another process that holds the file is waited for, before [`Error::Busy`]; a minute unless told otherwise.
    pub fn wait_at_most(&mut self, most: Duration) {
        self.disk.patience = Patience { most, keep: None };
    }

    /// Its campaign's number.
    pub(super) fn campaign(&self) -> i64 {
        self.campaign
    }

    /// The database, to look things up in.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    fn step<T>(&mut self, work: impl FnOnce(&mut Table<'_>, &Plan) -> Result<T, Error>) -> Result<T, Error> {
        self.step_with(|table, rest| work(table, rest.plan))
    }

    /// One transaction: with the campaign's rows, and with what claims are made with.
    fn step_with<T>(&mut self, work: impl FnOnce(&mut Table<'_>, Rest<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let Self { disk, zones, told, opted_out, dnc, plan, account, campaign, pool, rehearsal, .. } = self;
        let Disk { db, salt, file, dir, patience, .. } = disk;
        let (account, campaign, pool, rehearsal) = (*account, *campaign, *pool, *rehearsal);
        let rest = Rest { dir, plan, followed: &mut self.followed, mark: &self.mark, chance: &mut self.chance };
        let done = transact(db, file, patience, |tx| {
            let mut table = Table { db: tx, account, campaign, pool, rehearsal, salt, zones, told, opted_out, dnc };
            work(&mut table, rest)
        });
        done.map_err(|error| error.within(file))
    }

    /// Works out anew how leads stand: all that were called, if the plan is another, else those that other runs or
    /// commands had a hand in. Returns how many settled ones are open again. So many at a time, that others are let in.
    fn look_at_everybody(&mut self, now: Now) -> Result<u64, Error> {
        let plan_hash = fingerprint(&self.plan);
        let known = "SELECT plan_hash FROM campaigns WHERE id = ?1";
        let known: Option<Vec<u8>> =
            self.disk.read(|db| Ok(db.query_row(known, [self.campaign], |row| row.get(0))?))?;
        let mut reopened = self.look_at_those("stale = 1", now)?;
        if known.is_some_and(|known| known != plan_hash) {
            reopened += self.look_at_those("later = 1", now)?;
        }
        self.step(|table, _| {
            let renew = "UPDATE campaigns SET plan_hash = ?2 WHERE id = ?1 AND plan_hash IS NOT ?2";
            table.db.execute(renew, params![table.campaign, plan_hash])?;
            Ok(reopened)
        })
    }

    fn look_at_those(&mut self, which: &str, now: Now) -> Result<u64, Error> {
        const AT_ONCE: i64 = 2000;
        let next =
            format!("SELECT id FROM leads WHERE campaign = ?1 AND {which} AND id > ?2 ORDER BY id LIMIT {AT_ONCE}");
        let (mut last, mut reopened) = (0, 0);
        loop {
            let done = self.step(|table, plan| {
                let mut statement = table.db.prepare_cached(&next)?;
                let ids = statement.query_map([table.campaign, last], |row| row.get(0).map(LeadId))?;
                let ids: Vec<LeadId> = ids.collect::<Result<_, _>>()?;
                let Some(newest) = ids.last() else { return Ok(None) };
                let reopened = look_at_all(table, plan, now, &ids)?;
                let fresh = "UPDATE leads SET stale = 0 WHERE campaign = ?1 AND stale = 1 AND id BETWEEN ?2 AND ?3";
                table.db.prepare_cached(fresh)?.execute([table.campaign, ids[0].0, newest.0])?;
                Ok(Some((newest.0, reopened)))
            })?;
            let Some((newest, some)) = done else { return Ok(reopened) };
            (last, reopened) = (newest, reopened + some);
        }
    }

    /// Attempts that this run is to follow and does not follow yet.
    fn open_attempts(&mut self, now: Now, ours_too: bool) -> Result<Vec<Open>, Error> {
        let (run, dir) = (self.number, self.disk.dir.clone());
        self.step(|table, _| {
            reap_dead_runs(table.db, &dir, table.campaign, Some(run), now)?;
            let of_the_dead = format!(
                "{LIVE} AND campaign IN (SELECT id FROM campaigns WHERE account = ?1) AND campaign NOT IN \
                 (SELECT campaign FROM runs WHERE ended IS NULL AND id <> ?2) AND origin <> 'found' \
                 AND (campaign <> ?3 OR ?4) ORDER BY claimed, attempt"
            );
            let params = params![table.account, run, table.campaign, ours_too];
            let mut open = Vec::new();
            for attempt in attempts::select(table.db, &of_the_dead, params)? {
                if table.told.state(&attempt.id).is_none() {
                    table.told.tell(&attempt.id, attempt.state());
                    let held = "SELECT in_doubt FROM campaigns WHERE id = ?1";
                    let held: Option<i64> =
                        table.db.prepare_cached(held)?.query_row([attempt.campaign], |row| row.get(0))?;
                    let held = u64::try_from(held.unwrap_or(0)).ok().map(Duration::from_micros);
                    open.push(attempt.open(attempt.campaign == table.campaign, held));
                }
            }
            Ok(open)
        })
    }
}

/// What of a run a step may need besides the campaign's rows.
struct Rest<'a> {
    dir: &'a Path,
    plan: &'a Plan,
    followed: &'a mut Followed,
    mark: &'a Mark,
    chance: &'a mut Chance,
}

/// What the standing of leads is worked out with, apart from the facts.
fn fingerprint(plan: &Plan) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let text = format!("{} {:?}", plan.retries.fingerprint(), plan.not_if_called_within);
    Sha256::digest(text.as_bytes()).to_vec()
}

impl Journal for Run {
    fn history(&mut self, now: Now) -> Result<ResumeState, Error> {
        let open = self.open_attempts(now, true)?;
        let run = self.number;
        let others = self.step_with(|table, rest| gather(table, rest.followed, run, now))?;
        let totals = self.totals(now)?;
        self.step(|table, plan| {
            let found = strangers(&table.load(Wanted { found: true, ..Wanted::default() })?);
            for call in &found {
                table.told.meet(&call.id);
            }
            let instant = |at: Option<i64>| at.map(Instant::from_micros);
            let campaign = "SELECT adopted, paused FROM campaigns WHERE id = ?1";
            let (adopted, paused) =
                table.db.query_row(campaign, [table.campaign], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let known = "SELECT watermark, known_from FROM accounts WHERE id = ?1";
            let stamp = |at: Option<i64>| at.map(Stamp::from_micros);
            let (watermark, known_from) =
                table.db.query_row(known, [table.account], |row| Ok((stamp(row.get(0)?), stamp(row.get(1)?))))?;
            let attempts = "SELECT attempts, ended FROM attempt_counts WHERE campaign = ?1";
            let counts = table.db.query_row(attempts, [table.campaign], |row| Ok((row.get(0)?, row.get(1)?)));
            let (attempts, calls_ended): (u64, u64) = counts.optional()?.unwrap_or_default();
            let wait = plan.results_wait;
            let awaited = wait.map(|wait| results::awaited(table.db, table.campaign, wait, now)).transpose()?;
            let last_limit = "SELECT iif(last_limit_at <= ?2, last_limit, NULL) FROM pools WHERE id = ?1";
            let ahead = latest_possible(now).as_micros();
            let last_limit = table.db.query_row(last_limit, [table.pool, ahead], |row| row.get(0))?;
            Ok(ResumeState {
                open,
                others,
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
        })
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
            let mut stale = table.db.prepare_cached("UPDATE leads SET stale = 1 WHERE id = ?1")?;
            leads.iter().try_for_each(|lead| Ok(stale.execute([lead.0]).map(drop)?))
        })
    }

    fn claim(&mut self, now: Now, ask: Ask) -> Result<(Claimed, Vec<Claim>), Error> {
        self.disk.still_there()?;
        let run = self.number;
        self.step_with(|table, rest| {
            let Rest { dir, plan, followed, mark, chance } = rest;
            reap_dead_runs(table.db, dir, table.campaign, Some(run), now)?;
            let mut others = gather(table, followed, run, now)?;
            share(table.db, table.pool, run, &ask.pool, ask.reserve, now)?;
            asks(table.db, run)?;
            let mut known = ask.pool.clone();
            known.merge_others(&others);
            let mut most = known.allowed(now.at, ask.reserve.max(others.reserve), ask.margin).dials;
            if others.rate_until.is_some() {
                most = 0;
            }
            others.yield_one = most > 0 && leaves_one(table, run, plan, now)?;
            most -= u32::from(others.yield_one);
            let mut ledger = ledger(table, plan)?;
            let (most, again) = ledger.bound(now, most);
            let mut maker = Maker { plan, run: Some(run), mark, chance };
            let made = grant(table, &mut maker, now, &ask, most)?;
            let left = ledger.dialed(now, &made, again);
            keep(table, &ledger)?;
            let claimed = Claimed { granted: made.granted, denied: made.denied, others: Box::new(others), left };
            Ok((claimed, made.claims))
        })
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
            let raise = "UPDATE accounts SET watermark = iif(watermark BETWEEN ?3 AND ?4, watermark, ?3), known_from = \
                         iif(watermark BETWEEN ?2 AND ?4, min(coalesce(known_from, ?2), ?2), ?2) WHERE id = ?1";
            let ahead = latest_possible(now).as_micros();
            table.db.execute(raise, params![table.account, from.as_micros(), to.as_micros(), ahead])?;
            Ok(())
        })
    }

    fn adopt(&mut self, now: Now) -> Result<Vec<Change>, Error> {
        self.step(|table, plan| {
            let adopted = "UPDATE campaigns SET adopted = ?2 WHERE id = ?1";
            table.db.execute(adopted, params![table.campaign, now.for_others(now.at).as_micros()])?;
            adopt(table, plan, now)
        })
    }

    fn adoption_done(&mut self, _now: Now) -> Result<(), Error> {
        self.step(|table, _| {
            table.db.execute("UPDATE campaigns SET adopted = NULL WHERE id = ?1", [table.campaign])?;
            Ok(())
        })
    }

    fn orphans(&mut self, now: Now) -> Result<Vec<Open>, Error> {
        self.open_attempts(now, false)
    }

    fn control(&mut self, _now: Now) -> Result<Control, Error> {
        let campaign = self.campaign;
        self.disk.read(|db| {
            let find = "SELECT paused, stop FROM campaigns WHERE id = ?1";
            let read = |row: &rusqlite::Row<'_>| Ok(Control { paused: row.get(0)?, stop: row.get(1)? });
            Ok(db.prepare_cached(find)?.query_row([campaign], read)?)
        })
    }

    fn totals(&mut self, _now: Now) -> Result<Totals, Error> {
        self.disk.totals(self.campaign)
    }
}
