//! Campaigns that were over long ago, dropped: their lists and calls are forgotten, suppressions stay.

use jiff::Timestamp;

use super::super::Error;
use super::Disk;
use super::attempts::wall;
use super::db::values;
use super::runs::LIVE;
use super::story::Campaign;
use crate::time::Now;

/// Rows of one transaction, so that others are let in.
const PORTION: u64 = 5_000;

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
            let campaign = self.campaign(&account, &name)?;
            let is_over = totals.settled == totals.total && running.is_none();
            if !is_over || self.newest(campaign)? >= before || self.is_followed(campaign)? {
                continue;
            }
            // Nobody may start it while it goes; whoever has it keeps it.
            let held = match self.hold(&account, &name, pid, now) {
                Err(Error::Held { .. }) => continue,
                held => held?,
            };
            self.db.set_fence(held.fence());
            let dropped = self.drop_campaign(campaign);
            self.db.set_fence(None);
            dropped?;
            pruned.push(Pruned { campaign: name, leads: totals.total + totals.removed });
        }
        Ok(pruned)
    }

    /// When something has happened to a campaign last.
    fn newest(&self, campaign: i64) -> Result<Timestamp, Error> {
        let times = [
            "SELECT created FROM campaigns WHERE id = ?1",
            "SELECT max(coalesce(ended, started)) FROM runs WHERE campaign = ?1",
            "SELECT max(began) FROM attempts WHERE campaign = ?1",
        ];
        let mut newest = i64::MIN;
        for time in times {
            newest = newest.max(self.read(|db| db.get::<Option<i64>>(time, values![campaign]))?.unwrap_or(i64::MIN));
        }
        Ok(wall(newest))
    }

    /// Whether a call of a campaign is up or in doubt, its lead on the list or not.
    fn is_followed(&self, campaign: i64) -> Result<bool, Error> {
        self.read(|db| db.exists(&format!("SELECT 1 FROM attempts {LIVE} AND campaign = ?1"), values![campaign]))
    }

    fn drop_campaign(&mut self, campaign: i64) -> Result<(), Error> {
        // The leads first: attempts without leads call nobody, and leads without attempts would look new.
        for of in ["leads", "attempts"] {
            let some =
                format!("DELETE FROM {of} WHERE id IN (SELECT id FROM {of} WHERE campaign = ?1 LIMIT {PORTION})");
            while self.within(|tx| tx.execute(&some, values![campaign]))? >= PORTION {
                self.let_others_in();
            }
        }
        self.within(|tx| {
            for of in
                ["batches", "runs", "live_status", "pool_histories", "results_files", "lead_counts", "attempt_counts"]
            {
                tx.write(&format!("DELETE FROM {of} WHERE campaign = ?1"), values![campaign])?;
            }
            tx.execute("DELETE FROM campaigns WHERE id = ?1", values![campaign])
        })?;
        Ok(())
    }
}
