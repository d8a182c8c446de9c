//! Where a run takes place: the real API by the real clock, or the built-in stand-in by a quicker one.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

use super::plan::{RunPlan, State};
use crate::campaign::DEFAULT_SLOTS;
use crate::drive::clock::Clock;
use crate::drive::pulse::Pulse;
use crate::journal::disk::accounts::REHEARSAL;
use crate::leads::shown::file;
use crate::rehearsal::sandbox::{Running, SandboxConfig, start};
use crate::rehearsal::world::config::ProviderConfig;
use crate::report::failure::Failure;
use crate::time::Stamp;
use crate::vapi::base::BaseUrl;
use crate::vapi::client::{Client, ClientOptions};

/// How many times faster the built-in stand-in lives: a call of a minute takes a second.
const QUICK: f64 = 60.0;
/// Polls that a listing may keep silent for.
const SILENT_POLLS: u32 = 15;

/// However quick the polls are, a machine that has much to do pauses this long, in real time.
const SHORTEST_GAP: Duration = Duration::from_secs(1);

/// Makes a directory that only its owner can look into, if it is not there.
fn private_directory(dir: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| Failure::machine(format!("{} cannot be made: {error}", file(dir))))
}

/// Where a run takes place.
pub(super) struct RunTarget {
    /// The run's clock.
    pub(super) clock: Clock,
    /// Notices when the process stood still.
    pub(super) pulse: Arc<Pulse>,
    /// Where the API is.
    base_url: String,
    key: SecretString,
    /// The stand-in, if that is where.
    sandbox: Option<Running>,
    /// Where it is remembered.
    pub(super) journal: PathBuf,
    /// Where its files are.
    pub(super) dir: PathBuf,
    /// Goes with the run.
    _thrown_away: Option<TempDir>,
}

impl RunTarget {
    /// Sets it up. Opens no connection to the outside.
    pub(super) async fn open(planned: &RunPlan) -> Result<Self, Failure> {
        let (clock, sandbox) = if planned.sandbox {
            let clock = Clock::quick(QUICK);
            let running = stand_in(planned, clock.clone()).await?;
            (clock, Some(running))
        } else {
            (Clock::real(), None)
        };
        let base_url = sandbox.as_ref().map_or_else(|| planned.account.base_url.clone(), Running::base_url);
        let key = planned.account.key.clone().unwrap_or_else(|| SecretString::from(REHEARSAL));
        let (journal, dir, thrown_away) = match &planned.state {
            State::Kept(dir) => (dir.clone(), dir.clone(), None),
            State::Shared { url, files } => {
                private_directory(files)?;
                (url.clone(), files.clone(), None)
            }
            State::ThrownAway => throw_away().map(|dir| (dir.path().to_owned(), dir.path().to_owned(), Some(dir)))?,
        };
        let longest = (planned.plan.poll * 2).max(SHORTEST_GAP.mul_f64(clock.rate()));
        let pulse = Arc::new(Pulse::new(clock.now().at, longest));
        Ok(Self { clock, pulse, base_url, key, sandbox, journal, dir, _thrown_away: thrown_away })
    }

    /// The client for it.
    pub(super) fn client(&self, planned: &RunPlan) -> Result<Arc<Client>, Failure> {
        self.client_with(planned, &self.key)
    }

    /// Clients that read the calls of other organisations.
    pub(super) fn watchers(&self, planned: &RunPlan) -> Result<Vec<Arc<Client>>, Failure> {
        planned.watched.iter().map(|watched| self.client_with(planned, &watched.key)).collect()
    }

    fn client_with(&self, planned: &RunPlan, key: &SecretString) -> Result<Arc<Client>, Failure> {
        let (clock, pulse) = (self.clock.clone(), Arc::clone(&self.pulse));
        let options = ClientOptions {
            base_url: self.base_url.clone(),
            key: key.clone(),
            target: planned.account.target.clone(),
            lines: planned.account.lines.clone(),
            post_timeout: planned.post_timeout,
            silence: planned.plan.poll * SILENT_POLLS,
            opt_out_field: planned.opt_out_field.clone(),
            server: planned.server.clone(),
            clock: Arc::new(move || clock.now().at),
            scale: self.clock.rate(),
            stale_before: Arc::new(move |now| pulse.stale_before(now)),
        };
        Client::new(options).map(Arc::new).map_err(|error| Failure::usage(error.to_string()))
    }

    /// What the key is remembered under: where it is good, and the key.
    pub(super) fn credentials(&self) -> (&str, &str) {
        (if self.sandbox.is_some() { REHEARSAL } else { &self.base_url }, self.key.expose_secret())
    }

    /// What the journal calls the account of an organisation here. On loopback any stand-in may claim to be anybody.
    pub(super) fn account_name(&self, org: Option<&str>) -> String {
        if self.sandbox.is_some() {
            return REHEARSAL.to_owned();
        }
        let org = org.unwrap_or("unknown");
        let on_loopback = BaseUrl::parse(&self.base_url).is_ok_and(|base| base.is_loopback());
        if on_loopback { format!("{org} at {}", self.base_url) } else { org.to_owned() }
    }

    /// Whether this is the stand-in.
    pub(super) fn is_sandbox(&self) -> bool {
        self.sandbox.is_some()
    }

    /// Callers of the stand-in, and those of them that were turned away.
    pub(super) fn callers(&self) -> Option<(u64, u64)> {
        let sandbox = self.sandbox.as_ref()?;
        Some(sandbox.world(|world, _| (world.counts().offered, world.counts().denied)))
    }
}

async fn stand_in(planned: &RunPlan, clock: Clock) -> Result<Running, Failure> {
    let slots = planned.plan.slots.unwrap_or(DEFAULT_SLOTS);
    let world = ProviderConfig { slots, ..ProviderConfig::default() };
    let config = SandboxConfig { world, seed: planned.plan.seed, ..SandboxConfig::default() };
    let rate = clock.rate();
    start(config, Arc::new(move || Stamp::from(clock.now().at.timestamp())), rate)
        .await
        .map_err(|error| Failure::machine(format!("the built-in stand-in cannot listen on loopback: {error}")))
}

/// A directory that nobody else has, in the system's place for such.
fn throw_away() -> Result<TempDir, Failure> {
    let made = tempfile::Builder::new().prefix("dialer-sandbox-").tempdir();
    made.map_err(|error| {
        Failure::machine(format!("cannot make a directory in {}: {error}", file(&std::env::temp_dir())))
            .advise("give the sandbox a directory:   --state DIR")
    })
}
