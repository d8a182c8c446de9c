//! One run, from the import to its end.

use std::sync::Arc;
use std::time::Duration;

use super::confirm::{self, AskPerson};
use super::do_not_call::DoNotCall;
use super::ended::{Ended, told_of};
use super::lists::{self, ImportedLists, Lists};
use super::plan::RunPlan;
use super::served::Served;
use super::target::RunTarget;
use super::{reserve_fits, unless_interrupted};
use crate::campaign::plan::Plan;
use crate::drive::chance::chance;
use crate::drive::notify::Notifier;
use crate::drive::observers::Observers;
use crate::drive::past;
use crate::drive::preflight::Account as Read;
use crate::drive::progress::{DisplayOptions, Log, ProgressUi};
use crate::drive::results::ResultsWriter;
use crate::drive::signals::Signals;
use crate::drive::talk::{open_log, say};
use crate::drive::trace_file::TraceFile;
use crate::drive::webhook::Messages;
use crate::drive::{Drive, drive};
use crate::journal::disk::Disk;
use crate::journal::disk::accounts::Account;
use crate::journal::disk::lock::Lock;
use crate::journal::disk::run::Run;
use crate::journal::disk::run::begin::Start;
use crate::journal::disk::story::CampaignOutlook;
use crate::journal::{Error, Journal};
use crate::report::failure::Failure;
use crate::report::happening::Happening;
use crate::report::json::Rows;
use crate::report::screen::Headline;
use crate::time::Now;
use crate::trace::Traced;
use crate::vapi::client::Client;

/// A number that another campaign has called this recently is worth a word at the start.
const THIS_WEEK: Duration = Duration::from_hours(168);
/// How often a run that stands by looks whether the campaign is free.
const STANDBY: Duration = Duration::from_secs(1);
/// How long one request to the journal waits for another process that holds it, before that is told and it is asked again.
const BUSY: Duration = Duration::from_secs(2);

/// One run, from the import to its end.
#[derive(Clone, Copy)]
pub(super) struct Session<'a> {
    pub(super) planned: &'a RunPlan,
    pub(super) venue: &'a RunTarget,
    pub(super) client: &'a Arc<Client>,
    pub(super) account: &'a Account,
    pub(super) lists: &'a Lists<'a>,
    pub(super) dnc: &'a DoNotCall,
    pub(super) display: &'a DisplayOptions,
    pub(super) notifier: &'a Notifier,
    pub(super) ask: Option<AskPerson>,
    /// What others are shown of it, where that was asked for.
    pub(super) served: Option<&'a Served>,
    /// The lists were imported already, without what the prompt needs.
    pub(super) is_again: bool,
}

/// What came of it.
pub(super) enum Ran {
    Ended(Box<Ended>),
    Again(Box<Disk>, Read),
}

impl Session<'_> {
    pub(super) async fn run(
        &self,
        disk: Disk,
        read: Option<Read>,
        signals: &mut Signals,
        messages: &mut Messages,
    ) -> Result<Ran, Failure> {
        let lock = self.hold(&disk, signals).await?;
        // Held from here on, so that no other run changes which lists there are.
        let lists = self.lists.with_known(&disk, self.account)?;
        if !self.is_again {
            lists.say_known();
        }
        let session = Session { lists: &lists, ..*self };
        Box::pin(session.go(disk, lock, read, signals, messages)).await
    }

    async fn go(
        &self,
        mut disk: Disk,
        lock: Lock,
        mut read: Option<Read>,
        signals: &mut Signals,
        messages: &mut Messages,
    ) -> Result<Ran, Failure> {
        let (planned, now) = (self.planned, self.venue.clock.now());
        let plan = &planned.plan;
        let target = planned.account.target.id();
        let variables = disk.variables(self.account, target)?;
        let ImportedLists { imported, rejected, refused } = self.import(&mut disk, &lock, &variables, now, signals)?;
        self.dnc.add(&refused);
        let rows =
            Rows { rows: imported.rows + rejected, leads: imported.leads, rejected, duplicates: imported.duplicates };
        // What is rehearsed joins no real pool, whatever name is given.
        let named = planned.pool.clone().filter(|_| !self.account.is_rehearsal());
        let pool = named.unwrap_or_else(|| self.account.name.clone());
        let dnc = self.dnc.check();
        let start = Start {
            account: self.account.clone(),
            lock,
            plan: plan.clone(),
            pool,
            pid: std::process::id(),
            chance: chance(),
            dnc: self.dnc.check(),
        };
        let (mut journal, reopened) = disk.begin(now, start).map_err(|error| unless_interrupted(error, signals))?;
        if let Some(only) = &planned.only {
            let found = journal.call_only(only.clone())?;
            let is_suppressed = dnc(only.phone) || journal.disk().suppressed(only.phone)?.is_some();
            self.lists.may_call(only, found.as_ref(), is_suppressed, now)?;
        }
        let history = journal.history(now).map_err(|error| unless_interrupted(error, signals))?;
        reserve_fits(plan, history.last_limit)?;
        let outlook = self.outlook(&journal, now)?;
        let totals = journal.totals(now)?;
        journal.wait_at_most(BUSY);
        let missing = |read: &Read| lists::lacks(&variables, &read.variables);
        if let Some(ask) = self.ask.filter(|_| !history.has_attempts && outlook.to_call > 0) {
            let reader = (&**self.client, &self.venue.clock);
            read = Some(confirm::confirm(ask, planned, &outlook, reader, read, missing, signals).await?);
        }
        let plan = self.with_callers(plan.clone(), outlook.to_call, signals).await?;
        self.foresee(&journal, &plan, outlook.to_call, history.last_limit);
        let now = self.venue.clock.now();
        let mut observers = self.observers(&outlook, reopened, now)?;
        self.show(&mut observers, &journal, &totals, now);
        let trace = planned.trace.as_ref().map(|trace| trace.open(self.is_again)).transpose()?;
        let (sink, trace) = trace.unzip();
        let campaign = Traced::new(plan, history, now, sink);
        let results = self.results(&journal)?;
        let (end, journal) = Box::pin(drive(Drive {
            campaign,
            journal,
            client: Arc::clone(self.client),
            watchers: self.venue.watchers(planned)?,
            clock: self.venue.clock.clone(),
            pulse: Arc::clone(&self.venue.pulse),
            observers: &mut observers,
            signals,
            lines: planned.account.lines.clone(),
            account: read,
            org_is_known: &|org| self.venue.is_sandbox() || self.venue.account_name(Some(org)) == self.account.name,
            totals,
            lacks: &missing,
            leaves_servers: planned.server.as_ref().is_some_and(|server| !server.for_all),
            before_claims: &|| self.dnc.look_again(),
            remark: &|| {
                let results = || results.as_ref().and_then(ResultsWriter::remark);
                self.notifier.remark().or_else(results).or_else(|| trace.as_ref()?.remark())
            },
            messages,
        }))
        .await;
        if let Some(results) = results {
            // Before the journal is let go of: another run of the campaign would write the same rows.
            let analyses_came = end.as_ref().is_ok_and(|end| !end.outcome.interrupted && end.signal.is_none());
            results.finish(analyses_came, signals).await.iter().for_each(|words| say(&format!("warning: {words}")));
        }
        let ended = self.ended(end, journal, rows, now);
        let told = match &ended {
            Ok(Ran::Ended(ended)) => Some(ended.told(planned, &self.display.zone)),
            Ok(Ran::Again(..)) => None,
            Err(failure) => Some(told_of(failure)),
        };
        if let Some(told) = told {
            observers.tell(Happening::Ended(self.venue.clock.now(), Box::new(told)));
        }
        observers.finish();
        if let Some(remark) = trace.and_then(TraceFile::finish) {
            say(&format!("warning: {remark}"));
        }
        ended
    }

    /// A reserve that the run chooses begins with what the account shows of its callers. Where that cannot be read, it
    /// begins as if nothing were known.
    async fn with_callers(&self, mut plan: Plan, to_call: u64, signals: &mut Signals) -> Result<Plan, Failure> {
        let zone = plan.reserve.zone.clone();
        let Some(auto) = plan.reserve.auto.as_mut().filter(|_| to_call > 0) else { return Ok(plan) };
        let clock = &self.venue.clock;
        let learnt = tokio::select! {
            biased;
            order = signals.next() => return Err(Failure::new(order.exit_before_dialing(), "interrupted before anybody was called")),
            learnt = past::inbound(self.client, clock, clock.now().wall, &zone) => learnt,
        };
        match learnt {
            Ok(learnt) => auto.history = Some(learnt).filter(|learnt| learnt.callers > 0.0),
            Err(failure) => {
                say(&format!("warning: past callers cannot be read, so none are assumed: {}", failure.what));
            }
        }
        Ok(plan)
    }

    /// Takes the campaign; standing by, once nobody else has it any more.
    async fn hold(&self, disk: &Disk, signals: &mut Signals) -> Result<Lock, Failure> {
        let mut told = self.planned.quiet;
        loop {
            let now = self.venue.clock.now();
            match disk.hold(self.account, &self.planned.plan.campaign, std::process::id(), now) {
                Err(held @ Error::Held { .. }) if self.planned.standby => {
                    if !std::mem::replace(&mut told, true) {
                        let words = held.to_string();
                        say(&format!("standing by: {}", words.lines().next().unwrap_or_default()));
                    }
                }
                Err(Error::Away { .. }) if self.planned.standby => {}
                taken => return taken.map_err(|error| unless_interrupted(error, signals)),
            }
            tokio::select! {
                biased;
                order = signals.next() => {
                    return Err(Failure::new(order.exit_before_dialing(), "interrupted while standing by"));
                }
                () = tokio::time::sleep(STANDBY) => {}
            }
        }
    }

    fn import(
        &self,
        disk: &mut Disk,
        lock: &Lock,
        variables: &[String],
        now: Now,
        signals: &mut Signals,
    ) -> Result<ImportedLists, Failure> {
        let head = self.lists.head(self.account);
        self.lists.import(disk, lock, &head, variables, now, signals)
    }

    fn outlook(&self, run: &Run, now: Now) -> Result<CampaignOutlook, Failure> {
        let since = (now.at - THIS_WEEK).timestamp();
        run.disk().outlook(self.account, &self.planned.plan.campaign, since).map_err(Failure::from)
    }

    /// Writes the results, where that was asked for.
    fn results(&self, run: &Run) -> Result<Option<ResultsWriter>, Failure> {
        let Some(results) = &self.planned.results else { return Ok(None) };
        let (book, clock) = (run.results_book(&self.venue.journal), self.venue.clock.clone());
        let book = move || book(&mut chance());
        ResultsWriter::start(results, &self.planned.plan.campaign, clock, book).map(Some)
    }

    /// The terminal, and the log and the alerts, if there are any.
    fn observers(&self, outlook: &CampaignOutlook, reopened: u64, now: Now) -> Result<Observers, Failure> {
        let headline = Headline {
            list: self.lists.shown(),
            campaign: self.planned.plan.campaign.clone(),
            reserve: self.planned.reserve.clone(),
            leads: outlook.leads,
            settled_earlier: outlook.settled,
            last_settled: outlook.last_settled,
            called_elsewhere: outlook.called_elsewhere,
            reopened,
            to_call: self.planned.only.as_ref().map_or(outlook.to_call, |_| 1),
            only: self.planned.only.as_ref().map(|only| only.phone.masked()),
            sandbox: self.planned.sandbox,
        };
        let mut observers = Observers::default();
        if let Some(log) = self.planned.log.as_deref().map(open_log).transpose()? {
            let (display, headline) = (self.display.clone(), headline.clone());
            observers.add(move || Log::open(log, &display, &headline, now));
        }
        let campaign = self.planned.plan.campaign.clone();
        if let Some(alerts) = self.notifier.observer(campaign, self.display.zone.clone()) {
            observers.add(move || alerts);
        }
        let display = self.display.clone();
        observers.add(move || ProgressUi::open(display, &headline, now));
        Ok(observers)
    }
}
