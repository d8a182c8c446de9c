//! What became of every lead of a campaign, for reports: one walk over its attempts, one over its leads.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use jiff::Timestamp;

use super::super::Error;
use super::super::facts::Attempt;
use super::super::lead_status::LeadState;
use super::Disk;
use super::accounts::Account;
use super::db::{Db, values};
use super::leads::standing_named;
use super::{attempts, leads, results};
use crate::campaign::attempt::{Cause, State};
use crate::campaign::event::LeadId;
use crate::campaign::seen::Analysis;
use crate::leads::lead::Lead;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;

/// One attempt, as far as reports want it.
#[derive(Clone, PartialEq, Debug)]
pub struct AttemptOutcome {
    /// Its id.
    pub attempt: AttemptId,
    /// The run that claimed it.
    pub run: Option<i64>,
    /// When it was claimed, on the wall clock.
    pub began: Timestamp,
    /// What is true of it.
    pub state: State,
    /// The provider's call.
    pub call: Option<CallId>,
    /// Why the call ended, in the provider's words, or why there was none.
    pub reason: Option<String>,
    /// How long the phone was answered for, in minutes; none where it was not.
    pub minutes: Option<f64>,
    /// What it cost, in US dollars.
    pub cost_usd: Option<f64>,
    /// It was in doubt at some time.
    pub doubted: bool,
}

/// One lead, and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct LeadOutcome<'a> {
    /// Who.
    pub lead: &'a Lead,
    /// How it stands.
    pub state: LeadState,
    /// Its attempts, in order.
    pub attempts: &'a [AttemptOutcome],
    /// What the provider made of the last of those that count.
    pub analysis: Option<&'a Analysis>,
}

/// The attempts of a campaign by their leads.
pub type Attempts = HashMap<Option<LeadId>, Vec<AttemptOutcome>>;

impl Disk {
    /// The attempts of a campaign, each lead's in order. Calls that nobody has taken in are left out.
    pub fn attempts_of(&self, account: &Account, campaign: &str) -> Result<Attempts, Error> {
        let id = self.campaign(account, campaign)?;
        self.read(|db| {
            let mut found = Attempts::new();
            let all = "WHERE campaign = ?1 AND origin <> 'found' ORDER BY claimed, attempt";
            // Most leads have one attempt.
            let one = || Vec::with_capacity(1);
            attempts::each(db, all, values![id], |attempt| {
                found.entry(attempt.lead).or_insert_with(one).push(outcome(attempt));
            })?;
            Ok(found)
        })
    }

    /// The newest attempts of a campaign, so many at most.
    pub fn newest_attempts(
        &self,
        account: &Account,
        campaign: &str,
        most: usize,
    ) -> Result<Vec<AttemptOutcome>, Error> {
        let id = self.campaign(account, campaign)?;
        self.read(|db| {
            let mut found = Vec::new();
            let newest = "WHERE campaign = ?1 AND origin <> 'found' ORDER BY began DESC LIMIT ?2";
            attempts::each(db, newest, values![id, most], |attempt| found.push(outcome(attempt)))?;
            Ok(found)
        })
    }

    /// Goes over the list of a campaign in parts, several at once, each on a journal of its own that `open` opens. What is
    /// made of each part is handed over in list order.
    pub fn each_part<T: Default + Send, E: From<Error>>(
        &self,
        account: &Account,
        campaign: &str,
        attempts: &Attempts,
        open: impl Fn() -> Result<Disk, Error> + Sync,
        make: impl Fn(&mut T, LeadOutcome<'_>) + Sync,
        mut hand_over: impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        let id = self.campaign(account, campaign)?;
        let parts = self.read(|db| parts(db, id))?;
        let (next, (sender, receiver)) = (AtomicUsize::new(0), sync_channel(AT_ONCE));
        let work = |sender: SyncSender<_>| {
            let disk = match open() {
                Ok(disk) => disk,
                // Nobody hears it any more: the other one has failed before.
                Err(error) => return drop(sender.send((0, Err(error)))),
            };
            while let Some((nth, part)) = take(&next, &parts) {
                let mut result = T::default();
                let done = disk.each_lead(id, part, attempts, |lead| make(&mut result, lead));
                if sender.send((nth, done.map(|()| result))).is_err() {
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                let sender = sender.clone();
                scope.spawn(|| work(sender));
            }
            drop(sender);
            let (mut waiting, mut due) = (BTreeMap::new(), 0);
            for (nth, part) in receiver {
                waiting.insert(nth, part?);
                while let Some(part) = waiting.remove(&due) {
                    hand_over(part)?;
                    due += 1;
                }
            }
            Ok(())
        })
    }

    /// Hands over the leads with these numbers that are on the list of a campaign, in list order.
    pub(super) fn each_lead(
        &self,
        campaign: i64,
        ids: RangeInclusive<i64>,
        attempts: &Attempts,
        mut each: impl FnMut(LeadOutcome<'_>),
    ) -> Result<(), Error> {
        // By the index of the campaign every part of the list would be sorted out of the whole list.
        let some = "SELECT id, lead, standing, class FROM leads WHERE +campaign = ?1 AND listed = 1 AND id >= ?2 \
                    AND id <= ?3 ORDER BY id";
        self.read(|db| {
            db.each(some, values![campaign, *ids.start(), *ids.end()], |row| {
                let lead = leads::read(row.text(1)?)?;
                let state = standing_named(&row.get::<String>(2)?, row.get(3)?)?;
                let of_lead = attempts.get(&Some(LeadId(row.get(0)?))).map_or(&[][..], Vec::as_slice);
                let analysis = results::analysis(db, last_call(of_lead))?;
                each(LeadOutcome { lead: &lead, state, attempts: of_lead, analysis: analysis.as_ref() });
                Ok(())
            })
        })
    }
}

/// Leads of one part of a list.
const PART: u16 = 10_000;
/// Parts that are gone over at once.
const AT_ONCE: usize = 2;

/// The numbers of the leads of each part of a campaign's list.
fn parts(db: &Db, campaign: i64) -> Result<Vec<RangeInclusive<i64>>, Error> {
    let end = |order| format!("SELECT id FROM leads WHERE +campaign = ?1 AND id > 0 ORDER BY id {order} LIMIT 1");
    let end = |order| db.maybe(&end(order), values![campaign], |row| row.get::<i64>(0));
    let starts =
        end("ASC")?.zip(end("DESC")?).into_iter().flat_map(|(first, last)| (first..=last).step_by(PART.into()));
    Ok(starts.map(|start| start..=start + i64::from(PART) - 1).collect())
}

fn take(next: &AtomicUsize, parts: &[RangeInclusive<i64>]) -> Option<(usize, RangeInclusive<i64>)> {
    let nth = next.fetch_add(1, Ordering::Relaxed);
    parts.get(nth).map(|part| (nth, part.clone()))
}

/// The newest of some attempts that may have been a call.
pub fn last_call(attempts: &[AttemptOutcome]) -> Option<&AttemptOutcome> {
    attempts.iter().rfind(|attempt| attempt.counts())
}

/// What reports want of an attempt.
pub(super) fn outcome(attempt: Attempt) -> AttemptOutcome {
    let facts = &attempt.facts;
    let ended = facts.ended.as_ref();
    let minutes = facts.started.zip(ended).map(|(from, end)| end.at.since(from).as_secs_f64() / 60.0);
    let said = ended.map(|end| end.reason.clone()).filter(|reason| !reason.is_empty());
    let reason = said.or_else(|| attempt.message.as_deref().map(str::to_owned));
    AttemptOutcome {
        run: attempt.run,
        began: attempt.began,
        state: attempt.state(),
        reason,
        minutes,
        cost_usd: attempt.cost,
        doubted: facts.failed.is_some(),
        call: attempt.call,
        attempt: attempt.id,
    }
}

impl AttemptOutcome {
    /// Whether a person or a machine answered the phone.
    pub fn is_answered(&self) -> bool {
        self.minutes.is_some()
    }

    /// Whether it was refused for the pool.
    pub fn is_pool_refusal(&self) -> bool {
        self.state == State::Refused(Cause::Pool)
    }

    /// Whether it counts: a phone may have rung because of it.
    pub fn counts(&self) -> bool {
        !matches!(self.state, State::Refused(_))
    }
}
