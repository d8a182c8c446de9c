//! A run, from its plan to its end: calls the list, or goes on calling it. The order of things is the order of this
//! file: what could be wrong is found out before anybody is called. It knows nothing of a command line.

pub mod check;
pub mod confirm;
mod do_not_call;
pub mod ended;
pub mod known;
mod lists;
pub mod only;
pub mod plan;
mod published;
pub mod served;
mod spool;
mod target;
mod told;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::campaign::DEFAULT_SLOTS;
use crate::campaign::counts::RunCounts;
use crate::campaign::event::Stop;
use crate::campaign::hours::place;
use crate::campaign::notice::{Outcome, StopReason};
use crate::campaign::plan::Plan;
use crate::drive::chance::chance;
use crate::drive::notify::Notifier;
use crate::drive::observers::Observers;
use crate::drive::past;
use crate::drive::preflight::{self, Account as Read};
use crate::drive::progress::{DisplayOptions, Log, ProgressUi};
use crate::drive::results::ResultsWriter;
use crate::drive::signals::{Order, Signals};
use crate::drive::talk::{open_log, say, while_waiting};
use crate::drive::trace_file::TraceFile;
use crate::drive::webhook::{self, Messages};
use crate::drive::{Broken, Drive, RunEnd, drive};
use crate::exit::Exit;
use crate::journal::disk::Disk;
use crate::journal::disk::accounts::Account;
use crate::journal::disk::import::Head;
use crate::journal::disk::lock::Lock;
use crate::journal::disk::run::{Run, Start};
use crate::journal::disk::story::CampaignOutlook;
use crate::journal::{Error, Journal};
use crate::report::ending::WaitsFor;
use crate::report::failure::Failure;
use crate::report::happening::Happening;
use crate::report::json::Rows;
use crate::report::screen::Headline;
use crate::time::Now;
use crate::trace::Traced;
use crate::vapi::client::Client;
use confirm::AskPerson;
use do_not_call::DoNotCall;
use ended::{Ended, told_of};
use lists::{ImportedLists, Lists, interrupted};
use plan::RunPlan;
use served::Served;
use target::RunTarget;

/// A number that another campaign has called this recently is worth a word at the start.
const THIS_WEEK: Duration = Duration::from_hours(168);

/// How often a run that stands by looks whether the campaign is free.
const STANDBY: Duration = Duration::from_secs(1);

/// How long one request to the journal waits for another process that holds it, before that is told and it is asked again.
const BUSY: Duration = Duration::from_secs(2);
/// The same at the end of a run, when it is not asked again.
const BUSY_AT_THE_END: Duration = Duration::from_mins(1);

/// Runs the plan. `ask`: how to ask a person before a campaign's first call; none where nobody is to be asked.
pub async fn run(
    planned: &RunPlan,
    display: &DisplayOptions,
    notifier: &Notifier,
    ask: Option<AskPerson>,
) -> Result<Ended, Failure> {
    let mut signals =
        Signals::listen().map_err(|error| Failure::machine(format!("cannot listen to signals: {error}")))?;
    let venue = RunTarget::open(planned).await?;
    let client = venue.client(planned)?;
    let mut messages = planned.webhook.as_ref().map_or_else(|| Ok(webhook::none()), webhook::listen)?;
    let pending = signals.pending();
    let waiting = while_waiting(display.quiet, move || pending.is_set());
    let disk = Disk::open_while(&venue.journal, &mut chance(), Some(waiting));
    let mut disk = disk.map_err(|error| unless_interrupted(error, &mut signals))?;
    disk.synchronize(&|| venue.clock.now().at)?;
    let (place, key) = venue.credentials();
    let known = disk.account_of_key(place, key)?;
    if let Some(account) = &known {
        held_by_nobody(&disk, account, &venue, planned)?;
    }
    let served = Served::start(planned, &venue.clock)?;
    let lists = Lists::open(planned, &venue.dir, display.zone.clone(), &mut signals).await?;
    let looked = match &known {
        Some(account) => lists.with_known(&disk, account)?.look(&mut signals),
        None => lists.look(&mut signals),
    };
    let dnc = match looked {
        Ok(()) => DoNotCall::open(planned, &mut signals).await,
        Err(failure) => Err(failure),
    };
    let dnc = dnc.map_err(|failure| match failure.exit {
        Exit::Usage => check::with_unreadable(failure, &planned.inputs, &planned.list, &planned.dnc),
        _ => failure,
    })?;
    let (account, mut read) = if let Some(known) = known {
        (known, None)
    } else {
        let (account, read) = account(&mut disk, &venue, &client, planned, &mut signals).await?;
        (account, Some(read))
    };
    let mut is_again = false;
    let ended = loop {
        let (venue, client, account, lists, dnc, served) = (&venue, &client, &account, &lists, &dnc, served.as_ref());
        let session = Session { planned, venue, client, account, lists, dnc, display, notifier, ask, served, is_again };
        match Box::pin(session.run(disk, read.take(), &mut signals, &mut messages)).await {
            Ok(Ran::Ended(ended)) => break Ok(*ended),
            // The assistant's prompt needs variables that nobody asked the list for: it is read again, with them.
            Ok(Ran::Again(reopened, account_read)) => {
                (disk, read, is_again) = (*reopened, Some(account_read), true);
            }
            Err(failure) => break Err(failure),
        }
    };
    served.into_iter().for_each(Served::finish);
    ended
}

/// Another run that has the campaign weighs more than whatever is wrong with the list, which is not even read then.
fn held_by_nobody(disk: &Disk, account: &Account, venue: &RunTarget, planned: &RunPlan) -> Result<(), Failure> {
    let now = venue.clock.now();
    if planned.standby {
        return Ok(());
    }
    match disk.hold(account, &planned.plan.campaign, std::process::id(), now) {
        Err(held @ Error::Held { .. }) => Err(held.into()),
        // It is taken for good once the list is known to be one.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The account that the key belongs to, as the provider says.
async fn account(
    disk: &mut Disk,
    venue: &RunTarget,
    client: &Client,
    planned: &RunPlan,
    signals: &mut Signals,
) -> Result<(Account, Read), Failure> {
    let (place, key) = venue.credentials();
    let read = tokio::select! {
        biased;
        order = signals.next() => return Err(Failure::new(order.exit_before_dialing(), "interrupted before anybody was called")),
        read = preflight::read(client, &planned.account.lines, &venue.clock) => read,
    };
    // A plan that cannot be carried out weighs more than a network that is down.
    let read = read.or_else(|failure| match failure.exit {
        Exit::Machine => reserve_fits(&planned.plan, None).and(Err(failure)),
        _ => Err(failure),
    })?;
    let name = venue.account_name(read.org.as_deref());
    let account = disk.remember_account(&name, place, key)?;
    disk.remember_variables(&account, planned.account.target.id(), &read.variables)?;
    Ok((account, read))
}

/// One run, from the import to its end.
#[derive(Clone, Copy)]
struct Session<'a> {
    planned: &'a RunPlan,
    venue: &'a RunTarget,
    client: &'a Arc<Client>,
    account: &'a Account,
    lists: &'a Lists<'a>,
    dnc: &'a DoNotCall,
    display: &'a DisplayOptions,
    notifier: &'a Notifier,
    ask: Option<AskPerson>,
    /// What others are shown of it, where that was asked for.
    served: Option<&'a Served>,
    /// The lists were imported already, without what the prompt needs.
    is_again: bool,
}

/// What came of it.
enum Ran {
    Ended(Box<Ended>),
    Again(Box<Disk>, Read),
}

impl Session<'_> {
    async fn run(
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
        let history = journal.history(now)?;
        journal.wait_at_most(BUSY);
        journal.give_up_after(planned.journal_patience);
        reserve_fits(plan, history.last_limit)?;
        let outlook = self.outlook(&journal, now)?;
        let totals = journal.totals(now)?;
        let missing = |read: &Read| lists::lacks(&variables, &read.variables);
        if let Some(ask) = self.ask.filter(|_| !history.has_attempts && outlook.to_call > 0) {
            let reader = (&**self.client, &self.venue.clock);
            read = Some(confirm::confirm(ask, planned, &outlook, reader, read, missing, signals).await?);
        }
        let plan = self.with_callers(plan.clone(), outlook.to_call, signals).await?;
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
                taken => return Ok(taken?),
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

    /// Lets go of the journal, and sums up.
    fn ended(&self, end: Result<RunEnd, Broken>, journal: Option<Run>, rows: Rows, began: Now) -> Result<Ran, Failure> {
        let target = self.planned.account.target.id();
        let over = self.venue.clock.now();
        let mut end = match end {
            Ok(end) => end,
            Err(Broken::Journal(error)) => return Err(self.died(error)),
            Err(Broken::Left(exit)) => return Err(self.left(exit)),
            Err(Broken::Refused(failure)) => return Err(failure),
            Err(Broken::Signal(order)) => before_anybody(order),
            Err(Broken::Lacks(read)) => {
                let (mut disk, _) = here(journal).end(over)?;
                disk.remember_variables(self.account, target, &read.variables)?;
                return Ok(Ran::Again(Box::new(disk), *read));
            }
        };
        let mut journal = here(journal);
        journal.wait_at_most(BUSY_AT_THE_END);
        let waits_for = self.waits_for(&journal, &end, over)?;
        let (_, totals) = journal.end(over)?;
        if self.planned.only.is_some() && end.outcome.why == StopReason::Complete && totals.open > 0 {
            end.outcome.why = StopReason::Only;
        }
        Ok(Ran::Ended(Box::new(Ended {
            end,
            totals,
            rows,
            rejects: self.lists.rejects_kept().map(Path::to_owned),
            took: over.at.since(began.at),
            now: over,
            waits_for,
            callers: self.venue.callers(),
        })))
    }

    fn import(
        &self,
        disk: &mut Disk,
        lock: &Lock,
        variables: &[String],
        now: Now,
        signals: &mut Signals,
    ) -> Result<ImportedLists, Failure> {
        let head = Head {
            account: self.account.clone(),
            campaign: self.planned.plan.campaign.clone(),
            explicit: self.planned.name_given,
            lists: self.lists.paths(),
            kept: self.lists.kept(),
            target: self.planned.account.target.id().to_owned(),
            replace: self.planned.replace,
            // A rehearsal calls nobody, and where it was said how long whom others called is put off, that holds.
            ask_others: !self.account.is_rehearsal() && self.planned.plan.not_if_called_within.is_none(),
        };
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

    /// The journal cannot be written any more, in the middle of a run.
    fn died(&self, error: Error) -> Failure {
        let campaign = &self.planned.plan.campaign;
        Failure::from(error)
            .advise("nobody was dialed who is not in the journal; calls that are up live on")
            .advise(format!("when it is mended, the same command goes on with campaign {campaign}"))
    }

    /// It was told to end at once while something else had the journal.
    fn left(&self, exit: Exit) -> Failure {
        Failure::new(exit, "ended while the journal could not be written")
            .advise("what had no answer is in doubt; calls that are up live on")
            .advise(format!("the same command goes on with campaign {}", self.planned.plan.campaign))
    }

    /// What leads wait for that are within their hours. A run that placed no call retries nobody soon: its leads were put
    /// off because another campaign called their numbers.
    fn waits_without_hours(&self, end: &RunEnd) -> WaitsFor {
        match self.planned.plan.not_if_called_within {
            Some(within) if end.tally.placed == 0 => WaitsFor::OtherCampaign(within),
            _ => WaitsFor::Retry,
        }
    }

    /// What the next lead waits for.
    fn waits_for(&self, run: &Run, end: &RunEnd, now: Now) -> Result<Option<WaitsFor>, Failure> {
        let Some(next_at) = end.outcome.next_at else { return Ok(None) };
        Ok(match &end.outcome.why {
            StopReason::Later => {
                let zones = run.disk().zones_waiting(self.account, &self.planned.plan.campaign)?;
                let calling = &self.planned.plan.calling;
                let opens = zones.iter().filter_map(|zones| calling.opening(zones, now.wall));
                let zone = opens
                    .filter(|opening| opening.at.duration_since(next_at).unsigned_abs() < Duration::from_secs(1))
                    .find_map(|opening| opening.zone);
                Some(zone.map_or_else(|| self.waits_without_hours(end), |zone| WaitsFor::Hours(place(&zone))))
            }
            StopReason::DoubtsLeft => Some(WaitsFor::Doubts),
            StopReason::Kept => Some(WaitsFor::Reserve),
            StopReason::Lines(_) => Some(WaitsFor::Line),
            _ => None,
        })
    }
}

/// What a journal that cannot be had means, unless a signal ended the wait for whoever holds it.
fn unless_interrupted(error: Error, signals: &mut Signals) -> Failure {
    match error {
        Error::Busy { .. } if signals.pending().is_set() => interrupted(signals),
        error => error.into(),
    }
}

/// The journal after a run that it did not break.
fn here(journal: Option<Run>) -> Run {
    journal.expect("a journal that is well comes back")
}

/// A reserve that leaves no slot of the limit that is known is told before anybody is called.
pub fn reserve_fits(campaign: &Plan, last: Option<u32>) -> Result<(), Failure> {
    let slots = campaign.slots.or(last).unwrap_or(DEFAULT_SLOTS);
    plan::reserve_fits(&campaign.reserve, campaign.caution, slots)
}

/// How a run ends that a signal ended before anybody was called.
fn before_anybody(order: Order) -> RunEnd {
    let interrupted = order.stop == Stop::Now;
    let outcome = Outcome { why: StopReason::Stopped, next_at: None, interrupted };
    RunEnd { outcome, signal: interrupted.then_some(order.exit), tally: RunCounts::default() }
}
