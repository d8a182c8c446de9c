//! Acts in real time: one loop that carries out what the campaign decides and tells it what came of it.
//!
//! Every fact goes through the journal before the campaign hears of it. A request that places a call is one task that
//! consumes its claim; dropping this loop leaves such attempts as a crash would, in doubt.

pub mod chance;
pub mod clock;
pub mod preflight;
pub mod progress;
pub mod signals;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::campaign::Campaign;

use crate::campaign::disposition::Class;
use crate::campaign::event::{AccountFact, Action, Event, LeadId, News, Query, ReadFailure, ReadId, Stop};
use crate::campaign::notice::{Notice, Outcome};
use crate::campaign::reply::{Claimed, Denied, LeadNow, Opened};
use crate::exit::Exit;
use crate::journal::answer::{Answer, Claims, answer, write_down};
use crate::journal::{Control, Error, Journal};
use crate::leads::lead::Phone;
use crate::report::failure::Failure;
use crate::report::notice::Severity;
use crate::report::screen::{OpenBatch, Snapshot};
use crate::time::{Instant, Now};
use crate::vapi::client::Client;
use clock::Clock;
use preflight::Account;
use progress::ProgressUi;
use signals::{Order, Signals};

/// Answers that may wait to be heard.
const WAITING: usize = 1024;
/// Numbers kept for the lines about them.
const MOST_PHONES: usize = 10_000;
/// How often the screen is drawn, and other shells are listened to, in real time.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What a run is driven with.
pub struct Drive<'a, J> {
    /// Decides.
    pub campaign: Campaign,
    /// Remembers.
    pub journal: &'a mut J,
    /// Speaks to the provider.
    pub client: Arc<Client>,
    /// Tells the time.
    pub clock: Clock,
    /// Shows.
    pub face: &'a mut ProgressUi,
    /// Listens to signals.
    pub signals: &'a mut Signals,
    /// The lines to be read before the first dial.
    pub lines: Vec<String>,
    /// What was read of the account before; none yet if the account was known.
    pub account: Option<Account>,
    /// Whether the journal takes the account for that organisation's.
    pub org_is_known: &'a dyn Fn(&str) -> bool,
    /// Leads on the list, and those settled.
    pub standing: (u64, u64),
    /// Whether the list was read without looking for variables that the assistant needs.
    pub lacks: &'a dyn Fn(&Account) -> bool,
    /// Looked at before every claim: what it says keeps anybody from being claimed.
    pub before_claims: &'a dyn Fn() -> Result<(), String>,
}

/// How it ended.
#[derive(Debug)]
pub struct RunEnd {
    /// What the campaign says.
    pub outcome: Outcome,
    /// The signal that has its own exit code, where one came.
    pub signal: Option<Exit>,
    /// The campaign as it was then.
    pub tally: crate::campaign::counts::RunCounts,
}

/// Why it could not go on.
#[derive(Debug)]
pub enum Broken {
    /// The journal cannot be written: nothing may be dialed.
    Journal(Error),
    /// Nobody may be called on this account, or not now.
    Refused(Failure),
    /// The list has to be read again first, for variables that the assistant needs.
    Lacks(Box<Account>),
    /// A signal came before anybody was called.
    Signal(Order),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Journal(error)
    }
}

/// What tasks bring back.
enum Incoming {
    News(Box<News>),
    ReadFailed(ReadId, ReadFailure),
}

/// Drives a run to its end.
pub async fn drive<J: Journal>(drive: Drive<'_, J>) -> Result<RunEnd, Broken> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let looked = drive.clock.now().at;
    Loop {
        drive,
        sender,
        receiver,
        claims: Claims::new(),
        phones: HashMap::new(),
        stop_asked: false,
        connected: false,
        held: None,
        paused: None,
        signal: None,
        looked,
    }
    .run()
    .await
}

struct Loop<'a, J> {
    drive: Drive<'a, J>,
    sender: mpsc::Sender<Incoming>,
    receiver: mpsc::Receiver<Incoming>,
    claims: Claims,
    /// Whose number each lead of the open batch has, for the lines about it.
    phones: HashMap<LeadId, Phone>,
    stop_asked: bool,
    connected: bool,
    /// What keeps anybody from being claimed, as it was said last.
    held: Option<String>,
    paused: Option<bool>,
    signal: Option<Exit>,
    looked: Instant,
}

impl<J: Journal> Loop<'_, J> {
    async fn run(mut self) -> Result<RunEnd, Broken> {
        loop {
            if let Some(outcome) = self.act().await? {
                self.look()?;
                return Ok(RunEnd { outcome, signal: self.signal, tally: self.drive.campaign.tally().clone() });
            }
            let sleep = self.sleep();
            tokio::select! {
                biased;
                order = self.drive.signals.next() => self.obey(order),
                Some(incoming) = self.receiver.recv() => self.hear(incoming)?,
                () = tokio::time::sleep(sleep) => {
                    let now = self.drive.clock.now();
                    self.drive.campaign.handle(now, Event::Wake);
                }
            }
            self.look()?;
        }
    }

    /// Carries out all that the campaign wants done now. Its outcome, once it is over.
    async fn act(&mut self) -> Result<Option<Outcome>, Broken> {
        while let Some(action) = self.drive.campaign.next_action() {
            let now = self.drive.clock.now();
            if matches!(action, Action::Claim(_))
                && let Err(why) = (self.drive.before_claims)()
            {
                self.held_up(now, &why);
                continue;
            }
            match answer(self.drive.journal, now, action, &mut self.claims)? {
                Answer::Heard(event) => {
                    self.take_note(&event);
                    self.drive.campaign.handle(now, event);
                }
                Answer::Done => {}
                Answer::NotMine(Action::Tell(notice)) => self.tell(now, &notice),
                Answer::NotMine(Action::Finish(outcome)) => return Ok(Some(outcome)),
                Answer::NotMine(action) => {
                    self.connect().await?;
                    self.send(action);
                }
            }
        }
        Ok(None)
    }

    /// Before the first request: reads who is to talk and from where.
    async fn connect(&mut self) -> Result<(), Broken> {
        if self.connected {
            return Ok(());
        }
        let account = if let Some(account) = self.drive.account.take() {
            account
        } else {
            let (client, clock) = (Arc::clone(&self.drive.client), self.drive.clock.clone());
            tokio::select! {
                biased;
                order = self.drive.signals.next() => return Err(Broken::Signal(order)),
                account = preflight::read(&client, &self.drive.lines, &clock) => account.map_err(Broken::Refused)?,
            }
        };
        if let Some(org) = account.org.as_deref().filter(|org| !(self.drive.org_is_known)(org)) {
            let what = format!("the key belongs to organisation {org}, and was known as another's");
            let failure = Failure::new(Exit::Account, what).advise("keep the two apart:   --state DIR");
            return Err(Broken::Refused(failure));
        }
        if (self.drive.lacks)(&account) {
            return Err(Broken::Lacks(Box::new(account)));
        }
        let now = self.drive.clock.now();
        for warning in account.warnings(self.drive.standing.0.saturating_sub(self.drive.standing.1)) {
            self.drive.face.say(now, Severity::Trouble, &warning);
        }
        for (line, why) in account.down {
            self.drive.campaign.handle(now, Event::LineDown(line, why));
        }
        let free = account.free.into_iter().map(AccountFact::FreeLine);
        let org = account.org.map(|_| AccountFact::OrgConfirmed);
        for fact in free.chain(org).chain(account.longest_call.map(AccountFact::CallsLast)) {
            self.drive.campaign.handle(now, Event::Account(fact));
        }
        self.connected = true;
        Ok(())
    }

    /// Nobody is claimed for now; the campaign asks again.
    fn held_up(&mut self, now: Now, why: &str) {
        if self.held.as_deref() != Some(why) {
            self.drive.face.say(now, Severity::Trouble, why);
            self.held = Some(why.to_owned());
        }
        self.drive.campaign.handle(now, Event::ClaimsHeld);
    }

    fn send(&mut self, action: Action) {
        let (client, sender) = (Arc::clone(&self.drive.client), self.sender.clone());
        match action {
            Action::Place(attempt, _) => {
                let Some(claim) = self.claims.remove(&attempt) else {
                    unreachable!("attempt {attempt} was to be placed without a claim")
                };
                tokio::spawn(async move {
                    let news = client.place(claim).await;
                    // Nobody listens any more: the run is over, and the next one finds the call.
                    let _ = sender.send(Incoming::News(Box::new(news))).await;
                });
            }
            Action::Read(id, query) => {
                tokio::spawn(read(client, sender, id, query));
            }
            other => unreachable!("{other:?} is the journal's to carry out"),
        }
    }

    fn hear(&mut self, incoming: Incoming) -> Result<(), Broken> {
        let now = self.drive.clock.now();
        let event = match incoming {
            Incoming::News(news) => {
                let news = self.drive.campaign.check_times(*news, now);
                let news = self.drive.campaign.identify(news);
                write_down(self.drive.journal, now, news)?
            }
            Incoming::ReadFailed(id, failure) => Event::ReadFailed(id, failure),
        };
        self.take_note(&event);
        self.drive.campaign.handle(now, event);
        Ok(())
    }

    fn obey(&mut self, order: Order) {
        if order.stop == Stop::Now {
            self.signal = Some(order.exit);
        }
        let now = self.drive.clock.now();
        self.drive.campaign.handle(now, Event::Stop(order.stop));
    }

    /// Draws the screen, and listens to other shells, now and then.
    fn look(&mut self) -> Result<(), Broken> {
        let now = self.drive.clock.now();
        if now.at.since(self.looked).div_f64(self.drive.clock.rate()) < LOOK_EVERY && !self.drive.campaign.is_over() {
            return Ok(());
        }
        self.looked = now.at;
        let control = self.drive.journal.control(now)?;
        self.take_orders(control, now);
        let snapshot = self.snapshot(now);
        self.drive.face.show(&snapshot);
        Ok(())
    }

    fn take_orders(&mut self, control: Control, now: Now) {
        if self.paused != Some(control.paused) {
            self.paused = Some(control.paused);
            let stop = if control.paused { Stop::Pause } else { Stop::Resume };
            self.drive.campaign.handle(now, Event::Stop(stop));
        }
        if control.stop && !std::mem::replace(&mut self.stop_asked, true) {
            self.drive.campaign.handle(now, Event::Stop(Stop::Drain));
        }
    }

    fn snapshot(&self, now: Now) -> Snapshot {
        let (total, settled) = self.drive.standing;
        let batch = self.drive.campaign.batch().map(|(number, done, size)| OpenBatch { number, done, size });
        let slots = self.drive.campaign.slots(now);
        Snapshot { now, total, settled, batch, slots, held_up: self.drive.campaign.held_up() }
    }

    fn sleep(&self) -> Duration {
        let now = self.drive.clock.now();
        let wake = self.drive.campaign.next_wakeup(now);
        wake.map_or(LOOK_EVERY, |at| self.drive.clock.sleep_until(at)).min(LOOK_EVERY)
    }

    /// Keeps what the screen shows: how many leads are settled, and whose numbers they are.
    fn take_note(&mut self, event: &Event) {
        match event {
            Event::BatchOpened(Opened::Batch { leads, .. }) => {
                if self.phones.len() > MOST_PHONES {
                    self.phones.clear();
                }
                self.phones.extend(leads.iter().map(|lead| (lead.id, lead.lead.phone)));
            }
            Event::Claimed(Claimed { denied, .. }) => {
                self.drive.standing.1 += denied.iter().filter(|(_, away)| *away == Denied::Suppressed).count() as u64;
            }
            Event::News(_, recorded) => {
                for change in recorded.changes.iter().filter(|change| change.lead.is_some()) {
                    let settled = matches!(change.lead_now, LeadNow::Settled(class) if class != Class::Suppressed);
                    if settled && change.was.is_none_or(crate::campaign::attempt::State::is_live) {
                        self.drive.standing.1 += 1;
                    }
                }
            }
            _ => {}
        }
    }

    fn tell(&mut self, now: Now, notice: &Notice) {
        let lead = match notice {
            Notice::InDoubt(lead, _)
            | Notice::Resolved(lead, _)
            | Notice::Parked(lead)
            | Notice::CalledTwice(lead, _)
            | Notice::LeadRefused(lead, _) => *lead,
            Notice::Suppressed(lead) => Some(*lead),
            _ => None,
        };
        let phone = lead.and_then(|lead| self.phones.get(&lead).copied());
        self.drive.face.tell(now, notice, phone);
    }
}

async fn read(client: Arc<Client>, sender: mpsc::Sender<Incoming>, id: ReadId, query: Query) {
    let incoming = match client.read(id, &query).await {
        Ok(news) => Incoming::News(Box::new(news)),
        Err(failure) => Incoming::ReadFailed(id, failure),
    };
    // Nobody listens any more: the run is over.
    let _ = sender.send(incoming).await;
}
