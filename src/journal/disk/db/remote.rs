//! A database on a server: which one, and how it is reached.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::{Arc, OnceLock, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, NoTls, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config, Socket};

use super::super::super::Error;
use super::super::open::without_password;
use super::passfile;
use super::trouble::innermost;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// After so long without an answer to what was sent, a connection is given up.
const DEAD: Duration = Duration::from_secs(10);

/// Connections live on a thread of their own, whatever thread asks, and whether it may wait or not.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("postgres").enable_all().build().expect("a thread for the database")
    })
}

/// Waits for something to be done on that thread; none where it takes longer.
pub(in super::super) fn wait<T: Send + 'static>(
    most: Duration,
    what: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (done, answer) = mpsc::sync_channel(1);
    runtime().spawn(async move {
        let _ = done.send(tokio::time::timeout(most, what).await.ok());
    });
    answer.recv().ok().flatten()
}

/// Has something done on that thread.
pub(in super::super) fn spawn(what: impl Future<Output = ()> + Send + 'static) {
    runtime().spawn(what);
}

/// A database, and how it is reached.
#[derive(Clone)]
pub(in super::super) struct Target {
    config: Arc<Config>,
    tls: Option<Tls>,
    /// Without the password.
    shown: String,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Target {
    /// From a URL. The password may stand in it, in `PGPASSWORD` or in a passfile.
    pub(in super::super) fn parse(url: &str) -> Result<Self, Error> {
        let shown = crate::text::clean(&without_password(url), 300);
        let refused = |why: String| Error::Database { place: shown.clone(), why };
        let (rest, mode) = without_mode(url).map_err(refused)?;
        let mut config = Config::from_str(&rest).map_err(|error| refused(innermost(&error)))?;
        if config.get_hosts().is_empty() {
            return Err(refused("it names no host".to_owned()));
        }
        if config.get_user().is_none() {
            return Err(refused("it names no role: write postgres://ROLE@HOST/DATABASE".to_owned()));
        }
        if config.get_password().is_none()
            && let Some(password) = std::env::var("PGPASSWORD").ok().or_else(|| passfile::find(&config))
        {
            config.password(password);
        }
        let plain = match mode.as_deref() {
            Some("disable") => true,
            Some("allow" | "prefer" | "require" | "verify-ca" | "verify-full") => false,
            None => config.get_hosts().iter().all(is_here),
            Some(other) => return Err(refused(format!("{other} is no sslmode: disable, require or verify-full"))),
        };
        config.ssl_mode(if plain { SslMode::Disable } else { SslMode::Require });
        config.connect_timeout(CONNECT).keepalives_idle(DEAD).tcp_user_timeout(DEAD).application_name("dialer");
        let tls = if plain { None } else { Some(Tls::new().map_err(|error| refused(error.to_string()))?) };
        Ok(Self { config: Arc::new(config), tls, shown })
    }

    /// The URL, without the password.
    pub(in super::super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Connects, from a thread that may wait.
    pub(in super::super) fn connect(&self) -> Result<Client, Error> {
        let this = self.clone();
        wait(CONNECT + DEAD, async move { this.connected().await })
            .unwrap_or_else(|| Err(self.away("it does not answer".to_owned())))
    }

    /// Connects, on the thread of the connections.
    pub(in super::super) async fn connected(&self) -> Result<Client, Error> {
        let client = match &self.tls {
            None => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(|error| self.sorted(&error))?;
                tokio::spawn(async move { drop(connection.await) });
                client
            }
            Some(tls) => {
                let connected = self.config.connect(tls.clone()).await;
                let (client, connection) = connected.map_err(|error| self.sorted(&error))?;
                tokio::spawn(async move { drop(connection.await) });
                client
            }
        };
        Ok(client)
    }

    pub(in super::super) fn away(&self, what: String) -> Error {
        Error::Away { place: self.shown.clone(), what }
    }

    /// What a password or a role that is refused can mend is not waited for.
    fn sorted(&self, error: &tokio_postgres::Error) -> Error {
        let what = innermost(error);
        match error.code().map(tokio_postgres::error::SqlState::code) {
            Some(code) if code.starts_with("28") || code == "3D000" => {
                Error::Database { place: self.shown.clone(), why: what }
            }
            None if what == "password missing" => {
                let why = "it wants a password: set PGPASSWORD or PGPASSFILE".to_owned();
                Error::Database { place: self.shown.clone(), why }
            }
            _ => self.away(what),
        }
    }
}

/// Whether a host is this machine, so that nobody listens in between.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// The URL without `sslmode`, which is not looked at elsewhere, and the mode.
fn without_mode(url: &str) -> Result<(String, Option<String>), String> {
    let Some((address, query)) = url.split_once('?') else { return Ok((url.to_owned(), None)) };
    let mut mode = None;
    let mut kept = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", _)) => {
                return Err("sslrootcert is not known here: add the certificate to the system's".to_owned());
            }
            _ => kept.push(part),
        }
    }
    let rest = if kept.is_empty() { address.to_owned() } else { format!("{address}?{}", kept.join("&")) };
    Ok((rest, mode))
}

/// TLS by the system's certificates.
#[derive(Clone)]
struct Tls(Arc<rustls::ClientConfig>);

impl Tls {
    fn new() -> Result<Self, rustls::Error> {
        crate::vapi::tls::system().map(|config| Self(Arc::new(config)))
    }
}

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Encrypted;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Handshake { config: Arc::clone(&self.0), name })
    }
}

/// A connection that is about to be encrypted.
struct Handshake {
    config: Arc<rustls::ClientConfig>,
    name: ServerName<'static>,
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let connecting = tokio_rustls::TlsConnector::from(self.config).connect(self.name, socket);
        Box::pin(async move { connecting.await.map(Encrypted) })
    }
}

/// A connection that nobody can listen to.
struct Encrypted(tokio_rustls::client::TlsStream<Socket>);

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let shown = without_password;
        assert_eq!(
            shown("postgres://me:se%20cret@db:5432/d?sslmode=require"),
            "postgres://me:***@db:5432/d?sslmode=require"
        );
        assert_eq!(shown("postgres://me@db/d"), "postgres://me@db/d");
        assert_eq!(
            shown("postgres://me@db/d?password=x&sslmode=disable"),
            "postgres://me@db/d?password=***&sslmode=disable"
        );
        assert!(format!("{:?}", Target::parse("postgres://me:hush@localhost/d").unwrap()).contains("me:***@"));
    }

    #[test]
    fn plain_text_goes_to_this_machine_alone_unless_it_is_asked_for() {
        let plain = |url: &str| Target::parse(url).unwrap().tls.is_none();
        assert!(
            plain("postgres://me@localhost/d") && plain("postgres://me@127.0.0.1/d") && plain("postgres://me@[::1]/d")
        );
        assert!(plain("postgres://me@db.example/d?sslmode=disable"));
        assert!(!plain("postgres://me@db.example/d") && !plain("postgres://me@localhost/d?sslmode=verify-full"));
        assert!(!plain("postgres://me@db.example/d?sslmode=prefer"), "what may be plain is not");
        assert!(matches!(Target::parse("postgres://me@db/d?sslmode=sometimes"), Err(Error::Database { .. })));
        assert!(matches!(Target::parse("postgres://db/d"), Err(Error::Database { .. })));
    }
}
