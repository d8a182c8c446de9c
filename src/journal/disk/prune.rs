//! Campaigns that were over long ago, dropped: their lists and calls are forgotten, suppressions stay.

use jiff::Timestamp;

use super::super::Error;
use super::Disk;
use super::accounts::Account;
use super::db::values;
use super::story::Campaign;
use crate::time::Now;

/// Rows of one transaction, so that others are let in.
const PORTION: i64 = 5_000;

/// A campaign that was dropped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pruned {
    /// Its name.
    pub campaign: String,
    /// Leads that were on its lists.
    pub leads: u64,
}

impl Disk {
    /// Drops the campaigns that have no run, whose leads are all settled, and to which nothing has happened since
    /// `before`. What of one is gone when this is cut short is gone; the next time the rest goes.
    pub fn prune(&mut self, before: Timestamp, pid: u32, now: Now) -> Result<Vec<Pruned>, Error> {
        let mut pruned = Vec::new();
        for Campaign { account, name, totals, running, .. } in self.campaigns()? {
            let is_over = totals.settled == totals.total && running.is_none();
            if !is_over || self.newest(&account, &name)? >= before || self.is_followed(&account, &name)? {
                continue;
            }
            // Nobody may start it while it goes; whoever has it keeps it.
            let held = match self.hold(&account, &name, pid, now) {
                Err(Error::Held { .. }) => continue,
                held => held?,
            };
            self.db.set_fence(held.fence());
            let dropped = self.drop_campaign(&account, &name);
            self.db.set_fence(None);
            dropped?;
            pruned.push(Pruned { campaign: name, leads: totals.total + totals.removed });
        }
        Ok(pruned)
    }

    /// When something has happened to a campaign last.
    fn newest(&self, account: &Account, name: &str) -> Result<Timestamp, Error> {
        let campaign = self.campaign(account, name)?;
        let times = [
            "SELECT created FROM campaigns WHERE id = ?1",
            "SELECT max(coalesce(ended, started)) FROM runs WHERE campaign = ?1",
            "SELECT max(began) FROM attempts WHERE campaign = ?1",
        ];
        let mut newest = i64::MIN;
        for time in times {
            newest = newest.max(self.read(|db| db.get::<Option<i64>>(time, values![campaign]))?.unwrap_or(i64::MIN));
        }
        Ok(super::attempts::wall(newest))
    }

    /// Whether a call of a campaign is up or in doubt, its lead on the list or not.
    fn is_followed(&self, account: &Account, name: &str) -> Result<bool, Error> {
        let campaign = self.campaign(account, name)?;
        let live = "SELECT 1 FROM attempts WHERE campaign = ?1 AND state IN ('claimed', 'in-doubt', 'placed') LIMIT 1";
        Ok(self.read(|db| db.maybe(live, values![campaign], |row| row.get::<i64>(0)))?.is_some())
    }

    fn drop_campaign(&mut self, account: &Account, name: &str) -> Result<(), Error> {
        let campaign = self.campaign(account, name)?;
        // The leads first: attempts without leads call nobody, and leads without attempts would look new.
        for of in ["leads", "attempts"] {
            let some =
                format!("DELETE FROM {of} WHERE id IN (SELECT id FROM {of} WHERE campaign = ?1 LIMIT {PORTION})");
            while self.within(|tx| tx.execute(&some, values![campaign]))? > 0 {}
        }
        self.within(|tx| {
            for of in
                ["batches", "runs", "live_status", "pool_histories", "results_files", "lead_counts", "attempt_counts"]
            {
                tx.execute(&format!("DELETE FROM {of} WHERE campaign = ?1"), values![campaign])?;
            }
            tx.execute("DELETE FROM campaigns WHERE id = ?1", values![campaign])
        })?;
        Ok(())
    }
}
