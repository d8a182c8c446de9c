//! Acts in real time: one loop that carries out what the campaign decides and tells it what came of it.
//!
//! Every fact goes through the journal before the campaign hears of it. A request that places a call is one task that
//! consumes its claim; dropping this loop leaves such attempts as a crash would, in doubt. Nothing that may wait (the
//! journal, the terminal, the network) is done by the loop itself, so that it always hears signals.

pub mod chance;
pub mod clock;
mod connect;
mod desk;
pub mod end;
mod notes;
pub mod notify;
pub mod observers;
mod orders;
pub mod past;
pub mod preflight;
pub mod progress;
pub mod pulse;
pub mod results;
pub mod signals;
pub mod talk;
mod telling;
pub mod trace_file;
pub mod webhook;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::campaign::event::{Action, Event, News, Query, ReadFailure, ReadId};
use crate::campaign::notice::Outcome;
use crate::exit::Exit;
use crate::journal::answer::Claims;
use crate::journal::{Journal, Totals};
use crate::pool::calls::CallId;
use crate::report::notice::Severity;
use crate::time::{Instant, Now};
use crate::trace::Traced;
use crate::vapi::client::Client;
use clock::Clock;
use desk::{Back, Desk, Done, Request, TOGETHER, is_record};
use end::{Broken, RunEnd};
use notes::Notes;
use observers::Observers;
use preflight::Account;
use pulse::Pulse;
use signals::Signals;
use webhook::Messages;

/// Answers that may wait to be heard.
const WAITING: usize = 1024;
/// How often the screen is drawn, and other shells are listened to, in real time.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// After a gap, signals that came meanwhile have this long to be heard before anything else is done, in real time.
const HEAR_FIRST: Duration = Duration::from_millis(20);
/// How long the journal may be away from a run that is told to end at once, in real time.
const LEAVE_AFTER: Duration = Duration::from_secs(5);

/// What a run is driven with.
pub struct Drive<'a, J> {
    /// Decides.
    pub campaign: Traced,
    /// Remembers.
    pub journal: J,
    /// Speaks to the provider.
    pub client: Arc<Client>,
    /// Read the listings of other organisations, in the plan's order.
    pub watchers: Vec<Arc<Client>>,
    /// Tells the time.
    pub clock: Clock,
    /// Notices when the process stood still; the client asks it before it sends.
    pub pulse: Arc<Pulse>,
    /// Show.
    pub observers: &'a mut Observers,
    /// Listens to signals.
    pub signals: &'a mut Signals,
    /// The lines to be read before the first dial.
    pub lines: Vec<String>,
    /// What was read of the account before; none yet if the account was known.
    pub account: Option<Account>,
    /// Whether the journal takes the account for that organisation's.
    pub org_is_known: &'a dyn Fn(&str) -> bool,
    /// How the campaign stands at the start.
    pub totals: Totals,
    /// Whether the list was read without looking for variables that the assistant needs.
    pub lacks: &'a dyn Fn(&Account) -> bool,
    /// Whether the messages of calls may be taken only where no server of the user's gets them.
    pub leaves_servers: bool,
    /// Looked at before every claim: what it says keeps anybody from being claimed.
    pub before_claims: &'a dyn Fn() -> Result<(), String>,
    /// What the user should be shown of those who are told besides.
    pub remark: &'a dyn Fn() -> Option<String>,
    /// Calls that messages from outside say are over.
    pub messages: &'a mut Messages,
}

/// What tasks bring back.
enum Incoming {
    News(Box<News>),
    ReadFailed(ReadId, ReadFailure),
    Watched(usize, Result<Box<News>, (ReadId, ReadFailure)>),
}

/// Drives a run to its end. The journal comes back, unless it is what broke.
pub async fn drive<J: Journal + Send + 'static>(drive: Drive<'_, J>) -> (Result<RunEnd, Broken>, Option<J>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let Drive { campaign, journal, client, clock, pulse, observers, signals, lines, account, org_is_known, .. } = drive;
    let mut looped = Loop {
        desk: Desk::Here(journal),
        shown: clock.now().at,
        notes: Notes::new(drive.totals, lines.clone()),
        to_connect: connect::ToConnect {
            lines,
            account,
            org_is_known,
            lacks: drive.lacks,
            leaves_servers: drive.leaves_servers,
            done: false,
        },
        before_claims: drive.before_claims,
        remark: drive.remark,
        messages: drive.messages,
        campaign,
        client,
        watchers: drive.watchers,
        clock,
        pulse,
        observers,
        signals,
        sender,
        receiver,
        claims: Claims::new(),
        stop_asked: false,
        held: None,
        paused: None,
        signal: None,
        look_due: true,
        stale: false,
        busy: false,
    };
    let end = looped.run().await;
    (end, looped.desk.into_journal())
}

#[expect(clippy::struct_excessive_bools, reason = "each is true or not, independently of the others")]
struct Loop<'a, J> {
    campaign: Traced,
    desk: Desk<J>,
    client: Arc<Client>,
    watchers: Vec<Arc<Client>>,
    clock: Clock,
    pulse: Arc<Pulse>,
    observers: &'a mut Observers,
    signals: &'a mut Signals,
    to_connect: connect::ToConnect<'a>,
    before_claims: &'a dyn Fn() -> Result<(), String>,
    remark: &'a dyn Fn() -> Option<String>,
    messages: &'a mut Messages,
    sender: mpsc::Sender<Incoming>,
    receiver: mpsc::Receiver<Incoming>,
    claims: Claims,
    notes: Notes,
    stop_asked: bool,
    /// What keeps anybody from being claimed, as it was said last.
    held: Option<String>,
    paused: Option<bool>,
    /// The signal that ends it at once, and when it came.
    signal: Option<(Exit, Instant)>,
    /// When it was shown last how things stand.
    shown: Instant,
    /// Other shells are to be listened to before anything else is done.
    look_due: bool,
    /// A claim that was decided before the last gap may be waiting to be carried out.
    stale: bool,
    /// Another process holds the journal, and that was said.
    busy: bool,
}

impl<J: Journal + Send + 'static> Loop<'_, J> {
    async fn run(&mut self) -> Result<RunEnd, Broken> {
        loop {
            if let Some(outcome) = self.act().await? {
                self.show();
                let signal = self.signal.map(|(exit, _)| exit);
                return Ok(RunEnd { outcome, signal, tally: self.campaign.tally().clone() });
            }
            let sleep = self.sleep();
            let free = self.desk.is_free();
            tokio::select! {
                biased;
                order = self.signals.next() => self.obey(order),
                back = self.desk.back() => self.take_back(back?),
                Some(incoming) = self.receiver.recv(), if free => self.hear_all(incoming),
                Some(id) = self.messages.recv() => self.hear_message(id),
                () = tokio::time::sleep(sleep) => {
                    let now = self.clock.now();
                    self.campaign.handle(now, Event::Wake);
                }
            }
            self.note_time().await?;
        }
    }

    /// Carries out all that the campaign wants done now, as far as the journal is here for it. Its outcome, once it is
    /// over.
    async fn act(&mut self) -> Result<Option<Outcome>, Broken> {
        while self.desk.is_free() {
            let now = self.clock.now();
            if std::mem::take(&mut self.look_due) {
                self.desk.begin(now, Request::Control);
                break;
            }
            let Some(action) = self.campaign.next_action() else {
                self.stale = false;
                break;
            };
            match action {
                Action::Tell(notice) => self.tell(now, notice),
                Action::Finish(outcome) => return Ok(Some(outcome)),
                Action::Place(..) | Action::Read(..) | Action::Watch(..) => {
                    self.connect().await?;
                    self.send(action);
                }
                Action::Claim(ask) => match (self.before_claims)() {
                    _ if std::mem::take(&mut self.stale) => self.campaign.handle(now, Event::ClaimsHeld),
                    Ok(()) => self.desk.begin(now, Request::Act(vec![Action::Claim(ask)])),
                    Err(why) => self.held_up(now, &why),
                },
                action => {
                    let actions = self.with_further_records(action);
                    self.desk.begin(now, Request::Act(actions));
                }
            }
        }
        Ok(None)
    }

    /// An action with those behind it that one transaction can carry out with it.
    fn with_further_records(&mut self, first: Action) -> Vec<Action> {
        let mut actions = vec![first];
        while is_record(&actions[0]) && actions.len() < TOGETHER && self.campaign.peek_action().is_some_and(is_record) {
            actions.extend(self.campaign.next_action());
        }
        actions
    }

    /// Nobody is claimed for now; the campaign asks again.
    fn held_up(&mut self, now: Now, why: &str) {
        if self.held.as_deref() != Some(why) {
            self.say(now, Severity::Trouble, why);
            self.held = Some(why.to_owned());
        }
        self.campaign.handle(now, Event::ClaimsHeld);
    }

    fn send(&mut self, action: Action) {
        let (client, sender) = (Arc::clone(&self.client), self.sender.clone());
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
            Action::Watch(org, id, query) => {
                let watcher = Arc::clone(&self.watchers[org]);
                tokio::spawn(async move {
                    let read = watcher.read(id, &query).await.map(Box::new).map_err(|failure| (id, failure));
                    let _ = sender.send(Incoming::Watched(org, read)).await;
                });
            }
            other => unreachable!("{other:?} is the journal's to carry out"),
        }
    }

    /// What has come meanwhile is heard as well, so that one transaction can write it all down.
    fn hear_all(&mut self, first: Incoming) {
        self.hear(first);
        for _ in 1..TOGETHER {
            let Ok(incoming) = self.receiver.try_recv() else { break };
            self.hear(incoming);
        }
    }

    fn hear(&mut self, incoming: Incoming) {
        let now = self.clock.now();
        self.tell_request(now, &incoming);
        match incoming {
            Incoming::News(news) => self.campaign.handle(now, Event::Came(news)),
            Incoming::ReadFailed(id, failure) => self.campaign.handle(now, Event::ReadFailed(id, failure)),
            Incoming::Watched(org, Ok(news)) => self.campaign.handle(now, Event::Watched(org, news)),
            Incoming::Watched(org, Err((id, failure))) => {
                self.campaign.handle(now, Event::WatchFailed(org, id, failure));
            }
        }
    }

    /// Of many messages few concern a call of ours that is up; the others cost nothing more.
    fn hear_message(&mut self, id: CallId) {
        if self.campaign.heeds(&id) {
            self.campaign.handle(self.clock.now(), Event::SaidOver(id));
        }
    }

    /// What the journal has done. Where that took long, what it was asked for before is old.
    fn take_back(&mut self, back: Back) {
        let now = self.clock.now();
        if self.pulse.slow(back.asked, now.at) {
            self.campaign.handle(now, Event::StoodStill);
        }
        self.claims.extend(back.claims);
        if let Done::Busy(request, who) = back.done {
            return self.ask_again(now, request, &who);
        }
        if std::mem::take(&mut self.busy) {
            self.say(now, Severity::Event, "the journal is free again");
        }
        match back.done {
            Done::Busy(..) => {}
            Done::Control(control) => self.take_orders(control, now),
            Done::Heard(events) => {
                for event in events {
                    for happening in self.notes.take(now, &event) {
                        self.observers.tell(happening);
                    }
                    self.campaign.handle(now, event);
                }
            }
        }
    }

    /// Another process holds the journal. Nobody is dialed until it is free; whatever is known is written down then.
    fn ask_again(&mut self, now: Now, request: Option<Request>, who: &str) {
        if !std::mem::replace(&mut self.busy, true) {
            let who = who.lines().next().unwrap_or_default();
            self.say(now, Severity::Trouble, &format!("{who}; nobody is dialed until it is free"));
        }
        match request {
            None => self.campaign.handle(now, Event::ClaimsHeld),
            Some(request) => self.desk.begin(now, request),
        }
    }

    /// Shows how things stand, and listens to other shells, now and then. After a gap, whatever was asked of this run
    /// meanwhile is heard before anything else is done.
    async fn note_time(&mut self) -> Result<(), Broken> {
        let now = self.clock.now();
        if self.pulse.beat(now.at) {
            (self.look_due, self.stale) = (true, true);
            self.campaign.handle(now, Event::StoodStill);
            tokio::time::sleep(HEAR_FIRST).await;
        }
        let real = |since: Instant| now.at.since(since).div_f64(self.clock.rate());
        if let (Some((exit, since)), Some(_)) = (self.signal, self.desk.away_since())
            && real(since) > LEAVE_AFTER
        {
            return Err(Broken::Left(exit));
        }
        if real(self.shown) >= LOOK_EVERY {
            self.look_due = true;
            self.show();
            while let Some(words) = (self.remark)() {
                self.say(now, Severity::Trouble, &words);
            }
        }
        Ok(())
    }

    fn sleep(&self) -> Duration {
        let now = self.clock.now();
        let wake = self.campaign.next_wakeup(now);
        wake.map_or(LOOK_EVERY, |at| self.clock.sleep_until(at)).min(LOOK_EVERY)
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
