//! The start of a run: leads that may stand otherwise by now are looked at again.

use super::super::Error;
use super::super::recording::look_at_all;
use super::db::values;
use super::run::Run;
use crate::campaign::event::LeadId;
use crate::campaign::plan::Plan;
use crate::time::Now;

impl Run {
    /// Works out anew how leads stand: all that were called, if the plan is another, else those that other runs or
    /// commands had a hand in. Returns how many settled ones are open again. So many at a time, that others are let in.
    pub(super) fn look_at_everybody(&mut self, now: Now) -> Result<u64, Error> {
        let plan_hash = fingerprint(&self.plan);
        let known = "SELECT plan_hash FROM campaigns WHERE id = ?1";
        let known: Option<Vec<u8>> = self.disk.read(|db| db.get(known, values![self.campaign]))?;
        let mut reopened = self.look_at_those("stale = 1", now)?;
        if known.is_some_and(|known| known != plan_hash) {
            reopened += self.look_at_those("later = 1", now)?;
        }
        self.step(|table, _| {
            let renew = "UPDATE campaigns SET plan_hash = ?2 WHERE id = ?1 AND plan_hash IS DISTINCT FROM ?2";
            table.db.write(renew, values![table.campaign, &plan_hash])?;
            Ok(reopened)
        })
    }

    fn look_at_those(&mut self, which: &str, now: Now) -> Result<u64, Error> {
        const AT_ONCE: usize = 5_000;
        let next =
            format!("SELECT id FROM leads WHERE campaign = ?1 AND {which} AND id > ?2 ORDER BY id LIMIT {AT_ONCE}");
        let (mut last, mut reopened) = (0, 0);
        loop {
            let looked_at = self.step(|table, plan| {
                let ids = table.db.all(&next, values![table.campaign, last], |row| row.get(0).map(LeadId))?;
                let (Some(first), Some(newest)) = (ids.first(), ids.last()) else { return Ok(0) };
                reopened += look_at_all(table, plan, now, &ids)?;
                let fresh = "UPDATE leads SET stale = 0 WHERE campaign = ?1 AND stale = 1 AND id BETWEEN ?2 AND ?3";
                table.db.write(fresh, values![table.campaign, first.0, newest.0])?;
                last = newest.0;
                Ok(ids.len())
            })?;
            if looked_at < AT_ONCE {
                return Ok(reopened);
            }
            self.disk.let_others_in();
        }
    }
}

/// What the standing of leads is worked out with, apart from the facts.
fn fingerprint(plan: &Plan) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let text = format!("{} {:?}", plan.retries.fingerprint(), plan.not_if_called_within);
    Sha256::digest(text.as_bytes()).to_vec()
}
