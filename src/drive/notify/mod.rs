//! Tells others of a run: the command of `--alert-exec`, and the dead man's switch of `--ping-file`.
//!
//! One thread of its own starts the commands and sends the requests. Its queue, the commands that run at once and the
//! time that each may take are bounded; a run never waits for it before its end, and then not for long.

mod command;
pub mod ping;

use std::collections::VecDeque;
use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::clock::Clock;
use super::observers::Observer;
use crate::exit::Exit;
use crate::report::alert::{Alert, AlertKind, AlertRules, PoolNow, written};
use crate::report::happening::Happening;
use crate::report::style::count;
use ping::{Ping, PingUrl};

/// Alerts that may wait to be started.
const WAITING: usize = 64;
/// Commands that run at once; the last one of a run is not counted.
const AT_ONCE: usize = 4;
/// Words that may wait to be shown; more of them say nothing new.
const REMARKS: usize = 16;
/// How long the end of a run waits for what is told of it: a little longer than a command may take.
const PATIENCE: Duration = Duration::from_secs(35);

/// Who is told, and of what.
#[derive(Clone, Debug, Default)]
pub struct NotifyOptions {
    /// The command of `--alert-exec`.
    pub command: Option<String>,
    /// The number of `--alert-free`.
    pub free: Option<u32>,
    /// The dead man's switch.
    pub ping: Option<PingUrl>,
}

/// How a run ended, for those who are told.
#[derive(Clone, Debug)]
pub struct NotifyEnd {
    /// The campaign, where its name is known.
    pub campaign: Option<String>,
    /// With which code; [`Exit::Later`] too where the process ends with 0 instead.
    pub exit: Exit,
    /// The same in words.
    pub text: String,
    /// When.
    pub wall: Timestamp,
}

/// Tells others of one run.
pub struct Notifier {
    options: NotifyOptions,
    work: Option<Work>,
    remarks: Remarks,
    seen: Arc<Mutex<Seen>>,
}

/// The thread that does it.
struct Work {
    messages: mpsc::Sender<Message>,
    finished: Receiver<()>,
}

enum Message {
    Alert(Alert),
    /// The run is over: what is told of that, the most urgent last, and its exit code.
    End(Vec<Alert>, Exit),
}

/// What the observer knows and the end has to.
#[derive(Default)]
struct Seen {
    pool: Option<PoolNow>,
    account: bool,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Notifier {
    /// From now on they are told. Where nobody is to be, this does nothing.
    pub fn start(options: NotifyOptions) -> Self {
        let remarks = Remarks::default();
        let wanted = options.command.is_some() || options.ping.is_some();
        let work = wanted.then(|| Work::start(options.clone(), remarks.clone()));
        Self { options, work, remarks, seen: Arc::default() }
    }

    /// An observer that sends alerts; none where no command is to be run.
    pub fn observer(&self, campaign: String, zone: TimeZone) -> Option<AlertObserver> {
        let work = self.work.as_ref().filter(|_| self.options.command.is_some())?;
        Some(AlertObserver {
            rules: AlertRules::new(campaign, self.options.free, zone),
            clock: Clock::real(),
            messages: work.messages.clone(),
            lost: 0,
            remarks: self.remarks.clone(),
            seen: Arc::clone(&self.seen),
        })
    }

    /// Something that the user should be shown of this, if there is anything.
    pub fn remark(&self) -> Option<String> {
        self.remarks.take()
    }

    /// The run is over: tells that, and waits until it is told, but not for long. A second end is none.
    pub fn end(&mut self, end: &NotifyEnd) {
        let Some(work) = self.work.take() else { return };
        let (pool, account) = {
            let seen = locked(&self.seen);
            (seen.pool, seen.account)
        };
        let alert = |kind: AlertKind, exit: Option<u8>| Alert {
            alert: kind,
            campaign: end.campaign.clone(),
            at: written(end.wall),
            text: end.text.clone(),
            pool,
            exit,
        };
        let refused = end.exit == Exit::Account && !account;
        let mut alerts: Vec<_> = refused.then(|| alert(AlertKind::Account, None)).into_iter().collect();
        alerts.push(alert(AlertKind::End, Some(end.exit.code())));
        work.end(alerts, end.exit);
    }
}

impl Work {
    fn start(options: NotifyOptions, remarks: Remarks) -> Self {
        let (messages, heard) = mpsc::channel(WAITING);
        let (done, finished) = sync_channel(1);
        std::thread::spawn(move || work(options, heard, &remarks, &done));
        Self { messages, finished }
    }

    fn end(self, alerts: Vec<Alert>, exit: Exit) {
        // A full queue empties at once: its reader only starts what it is handed.
        if self.messages.blocking_send(Message::End(alerts, exit)).is_ok() {
            let _ = self.finished.recv_timeout(PATIENCE);
        }
    }
}

/// The thread: one small runtime, so that nothing here shares a worker with the dialing.
fn work(options: NotifyOptions, heard: mpsc::Receiver<Message>, remarks: &Remarks, done: &SyncSender<()>) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(serve(options, heard, remarks)),
        Err(error) => remarks.add(format!("alerts and pings cannot be sent: {error}")),
    }
    // At the end nobody may be waiting any more.
    let _ = done.try_send(());
}

async fn serve(options: NotifyOptions, mut heard: mpsc::Receiver<Message>, remarks: &Remarks) {
    let mut ping = options.ping.and_then(|url| Ping::start(url).map_err(|why| remarks.add(why)).ok());
    let command = options.command.map(Arc::<str>::from);
    let mut running: JoinSet<Result<(), String>> = JoinSet::new();
    let mut failed = false;
    let mut note = |result: Result<Result<(), String>, _>| {
        if let Ok(Err(why)) = result
            && !std::mem::replace(&mut failed, true)
        {
            remarks.add(format!("the command of --alert-exec {why}; this is told once"));
        }
    };
    let (last, exit) = loop {
        tokio::select! {
            biased;
            Some(result) = running.join_next() => note(result),
            message = heard.recv() => match (message, &command) {
                (None, _) => return,
                (Some(Message::End(alerts, exit)), _) => break (alerts, exit),
                (Some(Message::Alert(_)), _) if running.len() >= AT_ONCE => {
                    note(Ok(Err(format!("is not started again while {AT_ONCE} of it still run"))));
                }
                (Some(Message::Alert(alert)), Some(command)) => {
                    running.spawn(command::run(Arc::clone(command), alert.json()));
                }
                (Some(Message::Alert(_)), None) => {}
            }
        }
    };
    if let Some(command) = &command {
        for alert in last {
            running.spawn(command::run(Arc::clone(command), alert.json()));
        }
    }
    let commands = async {
        while let Some(result) = running.join_next().await {
            note(result);
        }
    };
    let pinged = async {
        match &mut ping {
            Some(ping) => ping.end(exit).await,
            None => None,
        }
    };
    let ((), why) = tokio::join!(commands, pinged);
    if let Some(why) = why {
        remarks.add(why);
    }
}

/// Sends alerts as things happen. What does not fit into the queue is lost, and that is said.
pub struct AlertObserver {
    rules: AlertRules,
    clock: Clock,
    messages: mpsc::Sender<Message>,
    lost: u64,
    remarks: Remarks,
    seen: Arc<Mutex<Seen>>,
}

impl Observer for AlertObserver {
    fn hear(&mut self, happening: &Happening) {
        for alert in self.rules.hear(happening, self.clock.now().at) {
            self.lost += u64::from(self.messages.try_send(Message::Alert(alert)).is_err());
        }
    }

    /// Snapshots come again, and an alert that is lost among so much else is no news.
    fn lost(&mut self, _: u64) {}

    fn finish(&mut self) {
        if self.lost > 0 {
            self.remarks.add(format!("{} not sent: too many at once", count(self.lost, "alert was", "alerts were")));
        }
        let mut seen = locked(&self.seen);
        seen.pool = self.rules.pool();
        seen.account |= self.rules.told(AlertKind::Account);
    }
}

/// What the user should be shown: the thread adds, whoever shows takes.
#[derive(Clone, Default)]
pub(super) struct Remarks(Arc<Mutex<VecDeque<String>>>);

impl Remarks {
    pub(super) fn add(&self, words: String) {
        let mut waiting = locked(&self.0);
        if waiting.len() < REMARKS {
            waiting.push_back(words);
        }
    }

    pub(super) fn take(&self) -> Option<String> {
        locked(&self.0).pop_front()
    }
}

/// What is in there is whole at any time, whoever panicked.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
