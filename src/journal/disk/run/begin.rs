//! How a run of a campaign begins in its journal.

use super::super::super::{Chance, Dnc, Error};
use super::super::Disk;
use super::super::accounts::Account;
use super::super::db::values;
use super::super::lock::Lock;
use super::super::runs::{begin, pool, reap_dead_runs};
use super::super::story::Terms;
use super::Run;
use crate::campaign::plan::Plan;
use crate::pool::attempt_id::Mark;
use crate::time::Now;

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
        if !self.db.is_remote() {
            lock.alone_here(&self.id()?)?;
        }
        self.db.set_fence(lock.fence());
        let campaign = self.campaign(&account, &plan.campaign)?;
        let dir = self.dir.clone();
        let terms = Terms::of(&plan).written();
        let (pool, number) = self.within(|tx| {
            reap_dead_runs(tx, &dir, campaign, None, now)?;
            let pool = pool(tx, &pool_name)?;
            let in_doubt = plan.in_doubt.map_or(-1, |held| i64::try_from(held.as_micros()).unwrap_or(i64::MAX));
            let set = "UPDATE campaigns SET in_doubt = ?2, terms = ?3 WHERE id = ?1";
            tx.write(set, values![campaign, in_doubt, terms.as_deref()])?;
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
            unsure: Vec::new(),
            only: None,
        };
        let reopened = run.look_at_everybody(now)?;
        Ok((run, reopened))
    }

    /// A campaign's number.
    pub(in super::super) fn campaign(&self, account: &Account, name: &str) -> Result<i64, Error> {
        let find = "SELECT id FROM campaigns WHERE account = ?1 AND name = ?2";
        let found = self.read(|db| db.maybe(find, values![account.id, name], |row| row.get(0)))?;
        found.ok_or_else(|| Error::NoCampaign(name.to_owned()))
    }
}
