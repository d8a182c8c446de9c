//! What a run expects of itself as it begins, for its report to hold against what came of it. A thread of its own works it
//! out beside the run, and nothing waits for it: a run that is over before has none.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::past::before;
use super::session::Session;
use crate::campaign::DEFAULT_SLOTS;
use crate::campaign::callers::first_reserve;
use crate::campaign::plan::Plan;
use crate::journal::disk::Disk;
use crate::journal::disk::accounts::Account;
use crate::journal::disk::run::Run;
use crate::rehearsal::forecast::Question;
use crate::rehearsal::forecast::belief::Beliefs;
use crate::report::forecast::Outlook;

/// Leads of one rehearsal: enough to fill the pool ten times, within these.
const FEWEST: usize = 300;
const MOST: usize = 1_000;
/// Leads of all rehearsals together, unless those would be too few.
const WORK: usize = 5_000;
/// Rehearsals, at least.
const RUNS: usize = 10;

/// What is to be foreseen.
struct Foresight {
    journal: PathBuf,
    account: Account,
    plan: Plan,
    to_call: u64,
    slots: u32,
    now: Timestamp,
    zone: TimeZone,
}

impl Session<'_> {
    /// Foresees a run that begins now, unless there is nothing to foresee or nobody to read it.
    pub(super) fn foresee(&self, run: &Run, plan: &Plan, to_call: u64, limit: Option<u32>) {
        let Some(journal) = self.planned.state.journal().filter(|_| self.planned.only.is_none() && to_call > 0) else {
            return;
        };
        let foresight = Foresight {
            journal: journal.to_owned(),
            account: self.account.clone(),
            plan: plan.clone(),
            to_call,
            slots: plan.slots.or(limit).unwrap_or(DEFAULT_SLOTS),
            now: self.venue.clock.now().wall,
            zone: self.display.zone.clone(),
        };
        let publisher = run.publisher();
        std::thread::spawn(move || {
            // Nothing rests on it: where the journal cannot be read or written, there is none.
            foresight.json().and_then(|json| publisher().ok()?.keep_forecast(&json).ok())
        });
    }
}

impl Foresight {
    fn json(&self) -> Option<String> {
        let Self { account, plan, now, .. } = self;
        let disk = Disk::look(&self.journal).ok()??;
        let most = (self.slots as usize).saturating_mul(10).clamp(FEWEST, MOST);
        let leads = disk.waiting_leads(account, &plan.campaign, most).ok().filter(|leads| !leads.is_empty())?;
        let before = before(&disk, &plan.campaign, account.is_rehearsal()).ok()?;
        let mut beliefs = Beliefs::from_past(&before.past, account.is_rehearsal());
        if let Some(callers) = plan.reserve.auto.as_ref().and_then(|auto| auto.history.as_ref()) {
            beliefs.learn_callers(callers, now.to_zoned(self.zone.clone()).date(), &self.zone);
        }
        let question = Question {
            plan,
            leads: &leads,
            total: self.to_call,
            zones: disk.zones_waiting(account, &plan.campaign).ok()?,
            slots: self.slots,
            now: *now,
            runs: u32::try_from(RUNS.max(WORK / most)).ok()?,
            beliefs: &beliefs,
            spent_usd: before.spent_usd,
        };
        let forecast = question.foresee_on(1).ok()?.ok()?;
        let outlook = Outlook {
            campaign: &plan.campaign,
            forecast: &forecast,
            beliefs: &beliefs,
            leads: self.to_call,
            slots: self.slots,
            reserve: first_reserve(plan, self.slots, forecast.starts),
            now: *now,
            zone: &self.zone,
        };
        Some(outlook.json().to_string())
    }
}
