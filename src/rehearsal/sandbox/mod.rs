//! The pretended provider behind HTTP, on loopback: a thin shell that says what time it is, carries requests in and
//! answers out, and decides nothing. It answers as the API sheet says the real one does, sections 1 to 4, 7 and 10.
//!
//! It keeps no list of assistants, squads, workflows and lines: every id is known, but those that begin with
//! `missing`. A line whose id begins with `blocked` or `activating` is so, one whose id begins with `vapi` is the
//! provider's own: ten calls a day, within North America. Of several organisations the key says which is meant:
//! `KEY` is the first's, `KEY-org-2` the second's. An assistant whose id begins with `served` has a server of its own.

mod analytics;
mod gate;
mod messages;
mod query;
mod render;
mod request;
mod routes;
mod state;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::state::ServerState;
use self::wire::{ConnectionLoss, Listening};
use crate::rehearsal::world::FakeProvider;
use crate::rehearsal::world::config::ProviderConfig;
use crate::time::Stamp;

/// What time it is at the provider.
pub type Clock = Arc<dyn Fn() -> Stamp + Send + Sync>;

/// The assistant that the sandbox shows when it is asked for all.
pub const ASSISTANT: &str = "sandbox-assistant";
/// The line that the sandbox shows when it is asked for all.
pub const LINE: &str = "sandbox-line";

/// How long answers on their way may take when it ends.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// How a sandbox is served.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where it listens: loopback only; port 0 takes any.
    pub listen: SocketAddr,
    /// The key that it takes; any if none is named.
    pub key: Option<String>,
    /// What kind of world it is.
    pub world: ProviderConfig,
    /// All chance comes from here.
    pub seed: u64,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { listen, key: None, world: ProviderConfig::default(), seed: 1 }
    }
}

/// A sandbox that is being served; dropped, it is served no longer.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    desk: Arc<ServerState>,
    stop: watch::Sender<bool>,
    served: JoinHandle<io::Result<()>>,
    kept: JoinHandle<()>,
}

impl Running {
    /// What `--base-url` is to be.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Looks at the world behind it, or changes it, at the time that it is there.
    pub fn world<R>(&self, look: impl FnOnce(&mut FakeProvider, Stamp) -> R) -> R {
        self.desk.with(look)
    }

    /// Takes no more requests, and ends once the answers on their way are out, or after half a second.
    pub async fn stop(mut self) -> io::Result<()> {
        self.stop.send_replace(true);
        tokio::select! {
            biased;
            served = &mut self.served => served.map_err(io::Error::other)?,
            () = tokio::time::sleep(LAST_ANSWERS) => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.served.abort();
        self.kept.abort();
        self.stop.send_replace(true);
        self.desk.close();
    }
}

/// Serves a world on loopback, on the runtime that calls this. `clock` says what time it is there; `scale` is how many
/// of its seconds go by in one real second.
pub async fn start(config: SandboxConfig, clock: Clock, scale: f64) -> io::Result<Running> {
    if !config.listen.ip().is_loopback() {
        let refusal = format!("the sandbox listens on loopback only, not on {}: try 127.0.0.1", config.listen.ip());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, refusal));
    }
    let listener = TcpListener::bind(config.listen).await?;
    let addr = listener.local_addr()?;
    let world = FakeProvider::new(config.world, config.seed, clock());
    let desk = Arc::new(ServerState::new(world, clock, scale));
    let house = routes::Routes { desk: Arc::clone(&desk), key: config.key, base: format!("http://{addr}") };
    let (stop, mut stopped) = watch::channel(false);
    let service = routes::router(Arc::new(house)).into_make_service_with_connect_info::<ConnectionLoss>();
    let serve = axum::serve(Listening(listener), service).with_graceful_shutdown(async move {
        let _closed = stopped.wait_for(|stop| *stop).await;
    });
    let served = tokio::spawn(async move { serve.await });
    let kept = tokio::spawn(Arc::clone(&desk).keep_time());
    Ok(Running { addr, desk, stop, served, kept })
}

/// The real time; it never goes back.
#[expect(clippy::disallowed_methods, reason = "the sandbox's shell is where its clock is read")]
pub fn real_clock() -> Clock {
    let (began, stamp) = (std::time::Instant::now(), Stamp::from(jiff::Timestamp::now()));
    Arc::new(move || stamp + began.elapsed())
}
