//! What only a journal on disk can do: several runs in one state directory, orders from other shells, damage.

mod damage;
#[cfg(feature = "postgres")]
mod moving;
mod orders;
mod overlap;
mod plans;
#[cfg(feature = "postgres")]
mod remote;
mod results;
mod together;

use std::path::Path;

use super::super::imported::{Imported, Listed};
use super::super::suite::bench::*;
use super::super::suite::news::*;
use super::super::suite::place::Place;
use super::super::{Error, Journal};
use super::Disk;
use super::accounts::Account;
use super::import::Head;
use super::lock::Lock;
use super::run::Run;
use super::run::begin::Start;
use crate::campaign::event::{Ask, LeadId, Line};
use crate::campaign::plan::Plan;
use crate::campaign::reply::{Claimed, Opened, ResumeState};
use crate::pool::Pool;

/// One of several campaigns in a state directory.
struct Cast<'a> {
    dir: &'a Path,
    account: &'a str,
    name: &'a str,
}

impl<'a> Cast<'a> {
    fn new(dir: &'a Path, name: &'a str) -> Self {
        Self { dir, account: "org-1", name }
    }

    fn plan(&self) -> Plan {
        Plan { campaign: self.name.to_owned(), ..plan() }
    }

    fn head(&self, account: &Account) -> Head {
        Head {
            account: account.clone(),
            campaign: self.name.to_owned(),
            explicit: false,
            lists: vec![format!("/{}.csv", self.name)],
            kept: Vec::new(),
            target: "assistant a".to_owned(),
            replace: false,
            ask_others: true,
        }
    }

    fn open(&self) -> Result<(Disk, Account, Lock), Error> {
        let mut disk = Disk::open(self.dir, &mut chance(7))?;
        let account = disk.remember_account(self.account, "https://api.vapi.ai", self.account)?;
        let lock = disk.hold(&account, self.name, 4711, at(0))?;
        Ok((disk, account, lock))
    }

    fn import(&self, list: &[Listed], head: impl FnOnce(Head) -> Head) -> Result<Imported, Error> {
        let (mut disk, account, lock) = self.open()?;
        disk.import(&lock, &head(self.head(&account)), at(0), &mut rows(list)).map_err(journal_error)
    }

    fn start(&self, plan: Plan, list: &[Listed], seconds: i64) -> Result<(Run, ResumeState), Error> {
        let (mut disk, account, lock) = self.open()?;
        let head = Head { ask_others: plan.not_if_called_within.is_none(), ..self.head(&account) };
        disk.import(&lock, &head, at(seconds), &mut rows(list)).map_err(journal_error)?;
        let seed = seconds.unsigned_abs() * 1000 + self.name.len() as u64;
        let chance = chance(seed);
        let dnc = Box::new(|_| false);
        let start = Start { account, lock, plan, pool: "pool".to_owned(), pid: 4711, chance, dnc };
        let (mut run, _) = disk.begin(at(seconds), start)?;
        let history = run.history(at(seconds))?;
        Ok((run, history))
    }

    fn run(&self, people: std::ops::Range<u64>, seconds: i64) -> Run {
        self.start(self.plan(), &list(people.map(person)), seconds).unwrap().0
    }
}

/// Opens a batch, and says who is in it.
fn batch(run: &mut Run, seconds: i64) -> Vec<LeadId> {
    match run.open_batch(at(seconds)).unwrap() {
        Opened::Batch { leads, .. } => leads.iter().map(|lead| lead.id).collect(),
        Opened::Nobody(rest) => panic!("nobody to dial: {rest:?}"),
    }
}

fn claim(run: &mut Run, leads: &[LeadId], pool: Pool, seconds: i64) -> Claimed {
    let leads = leads.iter().map(|lead| (*lead, Line(0))).collect();
    run.claim(at(seconds), Ask { leads, pool, reserve: 3, margin: 0, provider_time: stamp(seconds) }).unwrap().0
}
