//! What is read once before the first dial, so that a wrong key or a missing assistant is told before anybody is called.

use std::time::Duration;

use crate::exit::Exit;
use crate::report::failure::Failure;
use crate::vapi::client::Client;
use crate::vapi::preflight::{LineInfo, LineStatus, PreflightFailure, PreflightTrouble};

use super::clock::Clock;

/// Reads are tried this often before the API counts as unreachable.
const TRIES: u32 = 5;
/// The first wait between two tries, on the run's clock; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest wait between two tries, on the run's clock.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A free line of the provider's may call about this often a day.
pub(crate) const FREE_LINE_A_DAY: u64 = 10;

/// What the account says of what is to be called with.
#[derive(Debug, Default)]
pub struct Account {
    /// The organisation.
    pub org: Option<String>,
    /// Variables that the assistant's prompt uses and nothing fills by itself.
    pub variables: Vec<String>,
    /// How long one of the assistant's calls can last, ringing included, where that is said.
    pub longest_call: Option<Duration>,
    /// Lines that cannot be called from, and why.
    pub down: Vec<(String, String)>,
    /// Free lines of the provider's: they call about ten people a day, and no other countries.
    pub free: Vec<String>,
    /// What has, or may have, a server of its own for messages.
    pub servers: Vec<String>,
    activating: Vec<String>,
    /// The lines as people know them.
    numbers: Vec<String>,
}

/// Reads who is to talk, and the lines to call from.
pub async fn read(client: &Client, lines: &[String], clock: &Clock) -> Result<Account, Failure> {
    let target = again(clock, async || client.target().await).await.map_err(|failure| told(&failure))?;
    let mut account = Account {
        org: target.org,
        variables: target.variables,
        longest_call: target.longest_call,
        servers: target.has_server.then(|| client.target_words()).into_iter().collect(),
        ..Account::default()
    };
    for id in lines {
        match again(clock, async || client.line(id).await).await {
            Ok(info) => account.take(id, &info),
            Err(failure) if failure.trouble == PreflightTrouble::Missing => {
                account.down.push((id.clone(), failure.message));
            }
            Err(failure) => return Err(told(&failure)),
        }
    }
    Ok(account)
}

impl Account {
    fn take(&mut self, id: &str, info: &LineInfo) {
        if self.org.is_none() {
            self.org.clone_from(&info.org);
        }
        if info.has_server {
            self.servers.push(format!("phone number {id}"));
        }
        self.numbers.push(info.number.clone().unwrap_or_else(|| id.to_owned()));
        match info.status {
            LineStatus::Blocked => self.down.push((id.to_owned(), "it is blocked".to_owned())),
            LineStatus::Activating => self.activating.push(id.to_owned()),
            LineStatus::Active | LineStatus::Unknown => {}
        }
        if info.provider.as_deref() == Some("vapi") {
            self.free.push(id.to_owned());
        }
    }

    /// The numbers of the lines, or their ids where those are not shown.
    pub fn numbers(&self) -> &[String] {
        &self.numbers
    }

    /// A server that messages go to already is not taken away from anybody.
    pub fn leaves_servers(&self) -> Result<(), Failure> {
        let Some(first) = self.servers.first() else { return Ok(()) };
        let what = format!("--webhook-url would take the messages of {first} away from the server that gets them now");
        Err(Failure::usage(what)
            .advise("let that server pass them on, and leave --webhook-url out; docs/webhooks.md says how")
            .advise("or take them away for the calls of this campaign:   --webhook-replace"))
    }

    /// What deserves a word when so many leads are to be called.
    pub fn warnings(&self, to_call: u64) -> Vec<String> {
        let activating = self.activating.iter();
        let mut warnings: Vec<String> = activating
            .map(|id| format!("phone number {id} is still being activated; that takes a few minutes"))
            .collect();
        let free = self.free.iter().filter(|_| to_call > FREE_LINE_A_DAY);
        warnings.extend(free.map(|id| {
            format!(
                "phone number {id} is a free one of the provider's: it calls about {FREE_LINE_A_DAY} people a day, and no \
                 other countries; for {to_call} leads, import a number of your own"
            )
        }));
        warnings
    }
}

/// Tries a read again while that may help. It calls nobody.
pub(crate) async fn again<T>(
    clock: &Clock,
    mut read: impl AsyncFnMut() -> Result<T, PreflightFailure>,
) -> Result<T, PreflightFailure> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match read().await {
            Err(failure) if failure.trouble.may_pass() => {
                let asked = if let PreflightTrouble::Rate(wait) = failure.trouble { wait } else { None };
                let wait = asked.unwrap_or(pause).min(LONGEST_PAUSE);
                tokio::time::sleep(wait.div_f64(clock.rate())).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            done => return done,
        }
    }
    read().await
}

/// What a person is told of it.
pub(crate) fn told(failure: &PreflightFailure) -> Failure {
    let what = failure.to_string();
    match failure.trouble {
        PreflightTrouble::Key => {
            Failure::new(Exit::Account, format!("the account refused the key ({})", failure.message))
                .advise("VAPI_API_KEY must be the private key of the organisation; nobody was called")
        }
        PreflightTrouble::Refused => Failure::new(Exit::Account, what).advise("nobody was called"),
        PreflightTrouble::Missing => Failure::new(Exit::Account, what)
            .advise("look it up in the dashboard; an id belongs to one organisation and one region")
            .advise("nobody was called"),
        PreflightTrouble::Unreachable => Failure::new(Exit::Machine, format!("the API cannot be reached: {what}"))
            .advise("nobody was called; run the same command when the network is back"),
        PreflightTrouble::Rate(_) | PreflightTrouble::Fault => {
            Failure::new(Exit::Machine, what).advise("nobody was called; run the same command later")
        }
    }
}
