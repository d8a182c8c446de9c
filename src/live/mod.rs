//! Shows a run, or the campaigns of a state directory, over HTTP: a page, its events, a status for programs, metrics.
//!
//! It only shows: nothing that is asked of it changes anything. It has a thread of its own, a bound on its connections,
//! and drops whoever does not read, so that no reader holds the dialing up.

mod connection;
pub mod directory;
mod events;
mod gate;
mod routes;
pub mod run;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::report::failure::Failure;
use crate::report::pool_history::Seen;
use connection::Listening;
use gate::Gate;
use routes::Routes;

/// How long readers may take over the last picture.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What is served. Asked from the server's thread, so it must not wait.
pub trait Shown: Send + Sync + 'static {
    /// The campaigns, for programs: an array.
    fn status(&self) -> Value;
    /// The same with all that the page shows; of each pool's history what that reader lacks.
    fn page(&self, seen: &mut Vec<Seen>) -> Value;
    /// Prometheus metrics.
    fn metrics(&self) -> String;
    /// Another number whenever something has changed.
    fn version(&self) -> u64;
}

/// Where it is served, and to whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address {
    /// Where it listens; port 0 takes any.
    pub listen: SocketAddr,
    /// Whoever reaches it may read it.
    pub anyone: bool,
}

impl Address {
    /// The address of these options.
    pub fn parse(text: &str, anyone: bool) -> Result<Self, Failure> {
        let local = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        let listen = local.as_deref().unwrap_or(text).parse::<SocketAddr>().map_err(|_| {
            Failure::usage(format!("--serve {text} is not an address and a port; write it as 127.0.0.1:9464"))
        })?;
        if listen.ip().is_loopback() || anyone {
            return Ok(Self { listen, anyone });
        }
        let local = SocketAddr::new(IpAddr::from([127, 0, 0, 1]), listen.port());
        Err(Failure::usage(format!("--serve {text} would show the campaign to whoever reaches that address"))
            .advise(format!("to this machine alone:   --serve {local}"))
            .advise("to anyone, as you mean it:   --serve-anyone"))
    }
}

/// A server that is running; it ends when this is finished.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    over: watch::Sender<bool>,
    ended: Receiver<()>,
}

impl Server {
    /// Serves it from now on, on a thread of its own.
    pub fn start(address: Address, shown: Arc<dyn Shown>) -> Result<Self, Failure> {
        let refused = |error: &std::io::Error| {
            Failure::usage(format!("--serve: {} cannot be listened on: {error}", address.listen))
                .advise("take another port, or port 0 for any that is free")
        };
        let listener = TcpListener::bind(address.listen).map_err(|error| refused(&error))?;
        listener.set_nonblocking(true).map_err(|error| refused(&error))?;
        let addr = listener.local_addr().map_err(|error| refused(&error))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::machine(format!("cannot serve: {error}")))?;
        let (over, is_over) = watch::channel(false);
        let (done, ended) = mpsc::sync_channel(1);
        std::thread::spawn(move || {
            runtime.block_on(serve(listener, Gate { anyone: address.anyone }, Routes { shown, over: is_over }));
            // At the end nobody may be waiting any more.
            let _ = done.try_send(());
        });
        Ok(Self { addr, over, ended })
    }

    /// Where a browser finds it.
    pub fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// Lets readers have the last picture, and ends.
    pub fn finish(self) {
        self.over.send_replace(true);
        let _ = self.ended.recv_timeout(LAST_WORDS * 2);
    }
}

async fn serve(listener: TcpListener, gate: Gate, routes: Routes) {
    // The socket is one that listens, and this is a runtime with IO: there is nothing to fail.
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let (mut over, mut soon) = (routes.over.clone(), routes.over.clone());
    let app = routes::router(routes, gate);
    let served = axum::serve(Listening::new(listener), app).with_graceful_shutdown(async move {
        let _ = over.wait_for(|over| *over).await;
    });
    let late = async {
        let _ = soon.wait_for(|over| *over).await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        _ = served.into_future() => {}
        () = late => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_served_to_this_machine_alone_unless_that_is_said() {
        for text in ["127.0.0.1:9464", "[::1]:0", "localhost:9464"] {
            assert!(Address::parse(text, false).is_ok(), "{text}");
        }
        for text in ["0.0.0.0:9464", "192.168.1.2:80", "[::]:9464"] {
            assert!(Address::parse(text, true).is_ok(), "{text}");
            let refused = Address::parse(text, false).unwrap_err();
            assert!(refused.to_string().contains("--serve-anyone") && refused.exit.code() == 2, "{refused}");
        }
        for text in ["", "9464", ":9464", "localhost", "example.com:80", "127.0.0.1"] {
            assert!(Address::parse(text, true).unwrap_err().to_string().contains("127.0.0.1:9464"), "{text}");
        }
    }
}
