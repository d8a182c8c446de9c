//! A journal without a disk, for rehearsals: one campaign, nothing durable, the same steps and the same answers.

mod list;
mod table;

use std::sync::Arc;

use jiff::Timestamp;

use super::booking::Ledger;
use super::claim::Claim;
use super::granting::{Maker, grant, put_off_all};
use super::people::Wanted;
use super::recording::{adopt, record, stranger, strangers};
use super::store::Store;
use super::{Chance, Control, Dnc, Error, Journal, Totals, count, opening};
use crate::campaign::attempt::State;
use crate::campaign::budget::Made;
use crate::campaign::event::{Ask, Booking, LeadId, News};
use crate::campaign::plan::Plan;
use crate::campaign::reply::{Booked, Change, Claimed, Open, Opened, Recorded, ResumeState};
use crate::pool::Pool;
use crate::pool::attempt_id::Mark;
use crate::pool::news::Others;
use crate::pool::offset::latest_possible;
use crate::time::{Instant, Now, Stamp};
use table::Table;

/// A journal in memory, for one campaign.
pub struct Memory {
    plan: Plan,
    mark: Mark,
    chance: Chance,
    table: Table,
    watermark: Option<Stamp>,
    known_from: Option<Stamp>,
    adopted_at: Option<Instant>,
    last_limit: Option<u32>,
    requests: Made,
    control: Control,
}

impl Memory {
    /// An empty journal for the campaign of this plan.
    pub fn new(plan: Plan, chance: Chance, dnc: Dnc) -> Self {
        let mark = Mark::of(&plan.campaign);
        let table = Table::new(mark.clone(), dnc);
        Self {
            plan,
            mark,
            chance,
            table,
            watermark: None,
            known_from: None,
            adopted_at: None,
            last_limit: None,
            requests: Made::NOTHING,
            control: Control::default(),
        }
    }

    /// What another shell would ask of the run.
    pub fn ask(&mut self, control: Control) {
        self.control = control;
    }

    fn open_attempts(&mut self, now: Now) -> Vec<Open> {
        let mut open = Vec::new();
        for mut attempt in self.table.live() {
            if attempt.state() == State::Claimed {
                Arc::make_mut(&mut attempt).fail(now.at, "the run died before an answer came");
                self.table.put(&attempt);
            }
            open.push(attempt.open(true, self.plan.in_doubt));
        }
        open
    }
}

impl Journal for Memory {
    fn history(&mut self, now: Now) -> Result<ResumeState, Error> {
        self.control.stop = false;
        self.table.forget_told();
        let open = self.open_attempts(now);
        self.look_at_everybody(now)?;
        let totals = self.totals(now)?;
        let found = strangers(&self.table.load(Wanted { found: true, ..Wanted::default() })?);
        for call in &found {
            self.table.told().meet(&call.id);
        }
        Ok(ResumeState {
            open,
            others: Others::default(),
            watermark: self.watermark,
            known_from: self.known_from,
            awaited: Vec::new(),
            has_attempts: self.table.has_attempts(),
            strangers: found.iter().filter_map(stranger).collect(),
            adopted_at: self.adopted_at,
            paused: self.control.paused,
            org_confirmed: false,
            unsettled: totals.open + totals.in_doubt,
            cost_usd: totals.cost_usd,
            calls_ended: self.table.calls_ended(),
            last_limit: self.last_limit,
        })
    }

    fn open_batch(&mut self, now: Now) -> Result<Opened, Error> {
        opening::open_batch(&mut self.table, &self.plan, now)
    }

    fn close_batch(&mut self, now: Now, number: u64) -> Result<(), Error> {
        self.table.close(number, now)
    }

    fn put_off(&mut self, now: Now, leads: &[LeadId], until: Timestamp) -> Result<(), Error> {
        put_off_all(&mut self.table, now, leads, until)
    }

    fn claim(&mut self, now: Now, ask: Ask) -> Result<(Claimed, Vec<Claim>), Error> {
        let rate_until = self.table.posts_paused_until(now);
        let allowed = ask.pool.allowed(now.at, ask.reserve, ask.margin).dials;
        let most = if rate_until.is_some() { 0 } else { allowed };
        let mut ledger = Ledger { budget: self.plan.requests, made: self.requests, runs: 1 };
        let (most, again) = ledger.bound(now, most);
        self.last_limit = ask.pool.seen_limit().or(self.last_limit);
        let mut maker = Maker { plan: &self.plan, run: None, mark: &self.mark, chance: &mut self.chance };
        let made = grant(&mut self.table, &mut maker, now, &ask, most)?;
        let others = Box::new(Others { rate_until, ..Others::default() });
        let left = ledger.dialed(now, &made, again);
        self.requests = ledger.made;
        Ok((Claimed { granted: made.granted, denied: made.denied, others, left }, made.claims))
    }

    fn book(&mut self, now: Now, booking: Booking) -> Result<Booked, Error> {
        let mut ledger = Ledger { budget: self.plan.requests, made: self.requests, runs: 1 };
        let booked = ledger.book(now, booking);
        self.requests = ledger.made;
        Ok(booked)
    }

    fn record(&mut self, now: Now, news: &News) -> Result<Recorded, Error> {
        record(&mut self.table, &self.plan, now, news)
    }

    fn share(&mut self, _now: Now, pool: &Pool, _reserve: u32) -> Result<(), Error> {
        self.last_limit = pool.seen_limit().or(self.last_limit);
        Ok(())
    }

    fn watermark(&mut self, now: Now, from: Stamp, to: Stamp) -> Result<(), Error> {
        self.watermark = self.watermark.filter(|mark| *mark <= latest_possible(now));
        let adjoins = self.watermark.is_some_and(|mark| from <= mark);
        self.known_from = Some(self.known_from.filter(|_| adjoins).map_or(from, |known| known.min(from)));
        self.watermark = self.watermark.max(Some(to));
        Ok(())
    }

    fn adopt(&mut self, now: Now) -> Result<Vec<Change>, Error> {
        self.adopted_at = Some(now.at);
        adopt(&mut self.table, &self.plan, now)
    }

    fn adoption_done(&mut self, _now: Now) -> Result<(), Error> {
        self.adopted_at = None;
        Ok(())
    }

    fn orphans(&mut self, _now: Now) -> Result<Vec<Open>, Error> {
        Ok(Vec::new())
    }

    fn control(&mut self, _now: Now) -> Result<Control, Error> {
        Ok(self.control)
    }

    fn totals(&mut self, _now: Now) -> Result<Totals, Error> {
        let mut totals = Totals { cost_usd: self.table.cost(), minutes: self.table.minutes(), ..Totals::default() };
        for row in self.table.leads() {
            if row.listed {
                count(&mut totals, row.stand.standing, 1);
            } else {
                totals.removed += 1;
            }
        }
        Ok(totals)
    }
}
