//! A journal at work: its list, its runs one after another, and news as the provider would send them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::claim::Claim;
use super::super::disk::Disk;
use super::super::disk::import::Head;
use super::super::disk::lock::Lock;
use super::super::disk::run::Run;
use super::super::disk::run::begin::Start;
use super::super::imported::{ImportError, Imported, Listed};
use super::super::memory::Memory;
use super::super::{Chance, Error, Journal, Totals};
use super::news::{answered, ended, listed};
use super::place::Place;
use crate::campaign::disposition::Class;
use crate::campaign::event::{Ask, LeadId, Line, News};
use crate::campaign::hours::Calling;
use crate::campaign::plan::{Plan, Rate, Reserve};
use crate::campaign::reply::{BatchLead, Change, Claimed, Denied, Granted, Opened, Recorded};
use crate::campaign::retry::Retries;
use crate::leads::lead::{Lead, Phone};
use crate::pool::Pool;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::{Call, CallId};
use crate::pool::news::{Limits, RequestTiming};
use crate::time::{Instant, Now, Stamp};

/// Numbers on the do-not-call list outside the journal.
pub(crate) const NOT_TO_BE_CALLED: u64 = 14_155_559_999;

/// A journal of some kind, and what becomes of it.
pub(crate) trait Bench: Sized {
    type Journal: Journal;
    /// Cases that a property is tried on.
    const CASES: u32;
    /// A journal new to everything.
    fn fresh(plan: &Plan) -> Self;
    /// The run dies without a word, if one is alive, and another begins with this list. Says how many leads reopened.
    fn run(&mut self, plan: Plan, list: &[Listed], replace: bool, now: Now) -> Result<(Imported, u64), Error>;
    /// Between two runs: a list that cannot be read to its end. Says what the import says.
    fn import_broken(&mut self, plan: &Plan, list: &[Listed], now: Now) -> String;
    fn journal(&mut self) -> &mut Self::Journal;
}

pub(crate) struct MemoryBench(Memory);

impl Bench for MemoryBench {
    type Journal = Memory;
    const CASES: u32 = 256;

    fn fresh(plan: &Plan) -> Self {
        Self(Memory::new(plan.clone(), chance(1), dnc()))
    }

    fn run(&mut self, plan: Plan, list: &[Listed], replace: bool, now: Now) -> Result<(Imported, u64), Error> {
        let imported = self.0.import(now, &mut rows(list), replace).map_err(journal_error)?;
        let reopened = self.0.replan(plan, now)?;
        Ok((imported, reopened))
    }

    fn import_broken(&mut self, _plan: &Plan, list: &[Listed], now: Now) -> String {
        self.0.import(now, &mut broken(list), true).unwrap_err().to_string()
    }

    fn journal(&mut self) -> &mut Memory {
        &mut self.0
    }
}

pub(crate) struct DiskBench<P> {
    run: Option<Run>,
    place: P,
}

impl<P: Place> Bench for DiskBench<P> {
    type Journal = Run;
    const CASES: u32 = P::CASES;

    fn fresh(_plan: &Plan) -> Self {
        Self { run: None, place: P::fresh() }
    }

    fn run(&mut self, plan: Plan, list: &[Listed], replace: bool, now: Now) -> Result<(Imported, u64), Error> {
        let (mut disk, head, lock) = self.open(&plan, replace, now)?;
        let imported = disk.import(&lock, &head, now, &mut rows(list)).map_err(journal_error)?;
        let (account, chance) = (head.account, chance(now.at.as_micros().unsigned_abs()));
        let start = Start { account, lock, plan, pool: "org-1".to_owned(), pid: 4711, chance, dnc: dnc() };
        let (run, reopened) = disk.begin(now, start)?;
        self.run = Some(run);
        Ok((imported, reopened))
    }

    fn import_broken(&mut self, plan: &Plan, list: &[Listed], now: Now) -> String {
        let (mut disk, head, lock) = self.open(plan, true, now).unwrap();
        disk.import(&lock, &head, now, &mut broken(list)).unwrap_err().to_string()
    }

    fn journal(&mut self) -> &mut Run {
        self.run.as_mut().unwrap()
    }
}

impl<P: Place> DiskBench<P> {
    /// The run that was alive dies.
    fn open(&mut self, plan: &Plan, replace: bool, now: Now) -> Result<(Disk, Head, Lock), Error> {
        drop(self.run.take());
        let mut disk = Disk::open(self.place.path(), &mut chance(7))?;
        let account = disk.remember_account("org-1", "https://api.vapi.ai", "key")?;
        let lock = disk.hold(&account, &plan.campaign, 4711, now)?;
        let head = Head {
            account,
            campaign: plan.campaign.clone(),
            explicit: false,
            lists: vec!["/leads.csv".to_owned()],
            kept: Vec::new(),
            target: "assistant a".to_owned(),
            replace,
            ask_others: true,
        };
        Ok((disk, head, lock))
    }
}

/// A list that breaks off after these rows.
fn broken(list: &[Listed]) -> impl Iterator<Item = Result<Listed, String>> {
    let whole = list.iter().cloned().map(Ok);
    whole.chain([Err(format!("line {} cannot be read", list.len() + 2))])
}

pub(crate) fn rows(list: &[Listed]) -> impl Iterator<Item = Result<Listed, Infallible>> {
    list.iter().cloned().map(Ok)
}

pub(crate) fn journal_error(error: ImportError<Infallible>) -> Error {
    match error {
        ImportError::Journal(error) => error,
        ImportError::List(never) => match never {},
    }
}

pub(crate) fn chance(seed: u64) -> Chance {
    let mut state = u128::from(seed);
    Box::new(move || {
        state = state.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        state ^ (state >> 64)
    })
}

fn dnc() -> Box<dyn Fn(Phone) -> bool + Send> {
    Box::new(|phone| phone.digits() == NOT_TO_BE_CALLED)
}

/// A plan that calls everybody once, at any hour.
pub(crate) fn plan() -> Plan {
    Plan {
        campaign: "leads".to_owned(),
        poll: Duration::from_secs(1),
        probe_after: Duration::from_mins(1),
        in_doubt: Some(Duration::from_mins(10)),
        look_back: Duration::from_hours(7 * 24),
        adopt: false,
        reserve: Reserve::always(3),
        slots: None,
        max_concurrent: None,
        caution: 0,
        release_lag: Duration::ZERO,
        batch_size: 50,
        drain: false,
        rate: Rate { count: NonZeroU32::MIN, per: Duration::from_secs(1) },
        watched: Vec::new(),
        requests: None,
        calling: Calling::any(),
        retries: Retries::never(),
        not_if_called_within: None,
        limit: None,
        max_cost: None,
        results_wait: None,
        until: None,
        wait: false,
        lines: vec!["line-a".to_owned()],
        longest_call: Duration::from_mins(11),
        seed: 1,
    }
}

/// The same with so many attempts a lead, an hour after nobody answered.
pub(crate) fn retrying(attempts: u32, per_day: u32) -> Plan {
    let hourly = ["no-answer=1h".to_owned()];
    Plan { retries: Retries::parse(attempts, &hourly, per_day, 1, TimeZone::UTC).unwrap(), ..plan() }
}

/// Monday noon in UTC, and so many seconds.
pub(crate) fn at(seconds: i64) -> Now {
    let wall: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let wall = wall + Duration::from_secs(seconds.unsigned_abs());
    Now { at: Instant::from(wall), wall }
}

/// The same on the provider's line of time.
pub(crate) fn stamp(seconds: i64) -> Stamp {
    Stamp::from(at(seconds).wall)
}

/// The n-th person of every list.
pub(crate) fn person(n: u64) -> Lead {
    Lead {
        phone: Phone::from_digits(14_155_550_000 + n).unwrap(),
        extension: None,
        name: Some(format!("person {n}")),
        variables: vec![("n".to_owned(), n.to_string())],
        zones: vec!["UTC".to_owned()],
        assistant_id: None,
        phone_number_id: None,
    }
}

/// A list of these people, in this order.
pub(crate) fn list(leads: impl IntoIterator<Item = Lead>) -> Vec<Listed> {
    leads.into_iter().zip(2..).map(|(lead, line)| Listed { file_index: 0, line, lead }).collect()
}

/// A pool with room for that many dials beside the reserve of 3, as one answer just showed it.
pub(crate) fn roomy(room: u32, now: Now) -> Pool {
    let mut pool = Pool::new(Duration::from_secs(1), Duration::from_mins(1), 10);
    let limit = i64::from(room) + 4;
    let created = Stamp::from(now.wall);
    let wire = RequestTiming { sent: now.at, received: now.at, date: Some(created) };
    let limits = Limits { blocked: false, limit: Some(limit), remaining: Some(limit - 1) };
    let call = Call { from: created, ended: None, ours: false, post: None, rung: false, shut_out: false };
    let somebody = AttemptId::parse(&format!("d{}-{}", "0".repeat(8), "a".repeat(22))).unwrap();
    pool.answered(&CallId::new("somebody"), &call, &somebody, wire, Some(limits));
    pool
}

/// A journal with a run alive, and shorthand for what happens to it.
pub(crate) struct Story<B: Bench> {
    bench: B,
    plan: Plan,
    list: Vec<Listed>,
}

impl<B: Bench> Story<B> {
    pub(crate) fn of(plan: Plan, people: u64) -> Self {
        Self::begin(plan, list((0..people).map(person)))
    }

    pub(crate) fn begin(plan: Plan, list: Vec<Listed>) -> Self {
        let mut bench = B::fresh(&plan);
        bench.run(plan.clone(), &list, false, at(0)).unwrap();
        bench.journal().history(at(0)).unwrap();
        Self { bench, plan, list }
    }

    pub(crate) fn journal(&mut self) -> &mut B::Journal {
        self.bench.journal()
    }

    /// The run dies, and the next one begins.
    pub(crate) fn restart(&mut self, seconds: i64) -> crate::campaign::reply::ResumeState {
        self.bench.run(self.plan.clone(), &self.list, false, at(seconds)).unwrap();
        self.journal().history(at(seconds)).unwrap()
    }

    /// The run dies, and the next one begins with another list or plan.
    pub(crate) fn rerun(
        &mut self,
        plan: Plan,
        list: Vec<Listed>,
        replace: bool,
        seconds: i64,
    ) -> Result<(Imported, u64), Error> {
        let done = self.bench.run(plan.clone(), &list, replace, at(seconds))?;
        (self.plan, self.list) = (plan, list);
        self.journal().history(at(seconds))?;
        Ok(done)
    }

    /// Between two runs: a list that cannot be read to its end.
    pub(crate) fn import_broken(&mut self, list: &[Listed], seconds: i64) -> String {
        self.bench.import_broken(&self.plan, list, at(seconds))
    }

    pub(crate) fn opened(&mut self, seconds: i64) -> Opened {
        self.journal().open_batch(at(seconds)).unwrap()
    }

    /// Opens a batch, in which there must be somebody.
    pub(crate) fn batch(&mut self, seconds: i64) -> (u64, Vec<BatchLead>) {
        match self.opened(seconds) {
            Opened::Batch { number, leads, .. } => (number, leads),
            Opened::Nobody(rest) => panic!("nobody to dial: {rest:?}"),
        }
    }

    /// The number of the lead with that person's phone, who must be in the open batch.
    pub(crate) fn ids(&mut self, seconds: i64) -> BTreeMap<Phone, LeadId> {
        self.batch(seconds).1.into_iter().map(|lead| (lead.lead.phone, lead.id)).collect()
    }

    pub(crate) fn ask(&mut self, leads: &[LeadId], room: u32, seconds: i64) -> (Claimed, Vec<Claim>) {
        let leads = leads.iter().map(|lead| (*lead, Line(0))).collect();
        let ask = Ask { leads, pool: roomy(room, at(seconds)), reserve: 3, margin: 0, provider_time: stamp(seconds) };
        self.journal().claim(at(seconds), ask).unwrap()
    }

    /// Claims one lead, who must be free.
    pub(crate) fn claim(&mut self, lead: LeadId, seconds: i64) -> AttemptId {
        let (claimed, _) = self.ask(&[lead], 5, seconds);
        match claimed.granted.as_slice() {
            [Granted { attempt, .. }] => attempt.clone(),
            _ => panic!("not granted: {:?}", claimed.denied),
        }
    }

    /// Claims one lead, who must be turned away.
    pub(crate) fn denied(&mut self, lead: LeadId, seconds: i64) -> Denied {
        let (claimed, _) = self.ask(&[lead], 5, seconds);
        assert!(claimed.granted.is_empty());
        claimed.denied[0].1
    }

    pub(crate) fn tell(&mut self, news: &News, seconds: i64) -> Recorded {
        self.journal().record(at(seconds), news).unwrap()
    }

    /// Tells something that must change one thing.
    pub(crate) fn change(&mut self, news: &News, seconds: i64) -> Change {
        let mut recorded = self.tell(news, seconds);
        assert_eq!(recorded.changes.len(), 1, "{recorded:?}");
        recorded.changes.remove(0)
    }

    pub(crate) fn totals(&mut self) -> Totals {
        self.journal().totals(at(0)).unwrap()
    }

    /// Calls a lead to an end.
    pub(crate) fn dial(&mut self, lead: LeadId, reason: &str, seconds: i64) -> Change {
        let attempt = self.claim(lead, seconds);
        self.tell(&answered(&attempt, seconds + 1), seconds + 1);
        let over = ended(&attempt, reason, seconds + 20);
        self.change(&listed(vec![over], seconds + 21), seconds + 21)
    }

    pub(crate) fn settled_as(&mut self, class: Class) -> u64 {
        self.totals().dispositions.get(&class).copied().unwrap_or(0)
    }
}
