//! One request and its answer on the wire: bounded in time and size, sent once, with the key in one header.

use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Proxy, RequestBuilder, Response, Url};
use secrecy::{ExposeSecret, SecretString};

use super::client::{ClientError, Clock};
use super::last_word::{self, MayGo};
use super::{error_body, failure, tls};
use crate::pool::news::RequestTiming;

/// Most of an answer to a `POST`, or of a refusal, that is read.
const LARGEST_ANSWER: usize = 1 << 20;
/// Most of a listing that is read: a thousand calls with their transcripts are some 50 MiB.
const LARGEST_LISTING: usize = 64 << 20;
/// An idle connection is not used again after this. Many servers close one after five seconds, and a close that
/// crosses a request leaves its attempt in doubt, where a new connection would have cost a tenth of a second.
const POST_IDLE: Duration = Duration::from_secs(4);
/// The same for reads, which can be repeated.
const READ_IDLE: Duration = Duration::from_secs(30);
/// Longest time that a listing may take as a whole.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// Longest wait for a connection; shorter than any request may take, so that its failure is known as such.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// However fast the clock goes, a machine needs this long to read a listing from itself.
const SHORTEST_READ_TIMEOUT: Duration = Duration::from_secs(5);

/// Words of the libraries below, and what they mean.
const COMMON: &[(&str, &str)] = &[
    ("InvalidContentType", "no TLS is spoken there: is it the port of http://?"),
    ("invalid HTTP version parsed", "no HTTP is spoken there: is it the port of https://?"),
    ("connection closed before message completed", "the connection was closed before an answer came"),
    ("Connection reset by peer", "the connection was broken off"),
    ("Connection refused", "the connection was refused: nothing listens there"),
    ("Network is unreachable", "no network"),
    ("proxy authorization required", "the proxy wants a user and a password (HTTPS_PROXY)"),
    ("tunnel error", "the proxy lets nobody through (HTTPS_PROXY)"),
    ("dns error", "its name cannot be looked up"),
];

/// What the transport needs to know.
pub(super) struct Settings<'a> {
    pub(super) key: &'a SecretString,
    pub(super) tls: bool,
    /// What requests go through, if anything.
    pub(super) proxy: Option<Proxy>,
    pub(super) post_timeout: Duration,
    /// Longest silence before a read, or in the middle of it, is given up: the next one may be answered.
    pub(super) silence: Duration,
    pub(super) scale: f64,
    pub(super) clock: Clock,
}

/// Two pools of connections, one for dials and one for reads, so that neither waits for the other.
pub(super) struct Transport {
    posts: reqwest::Client,
    reads: reqwest::Client,
    key: SecretString,
    clock: Clock,
}

/// What came of one request, and when.
pub(super) struct Exchange {
    pub(super) wire: RequestTiming,
    pub(super) reply: Result<Reply, TransportError>,
}

/// An answer, as far as it came.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    pub(super) body: String,
    pub(super) cut: Option<CutShort>,
}

/// Why a body is not whole.
pub(super) enum CutShort {
    /// Larger than anybody should read.
    TooLarge,
    /// It broke off.
    Broken(String),
}

/// Why there is no answer.
pub(super) enum TransportError {
    /// No connection came about: nothing was sent.
    NotSent(String),
    /// Something may have been sent.
    Lost(String),
}

impl Reply {
    /// How long the provider asks us to wait.
    pub(super) fn wait(&self, wire: RequestTiming) -> Option<Duration> {
        failure::retry_after(self.retry_after.as_deref()?, wire.date)
    }
}

impl CutShort {
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::TooLarge => "it is too large",
            Self::Broken(reason) => reason,
        }
    }
}

impl TransportError {
    pub(super) fn into_message(self) -> String {
        match self {
            Self::NotSent(message) | Self::Lost(message) => message,
        }
    }
}

impl Transport {
    pub(super) fn new(settings: Settings<'_>) -> Result<Self, ClientError> {
        let Settings { key, tls, proxy, post_timeout, silence, scale, clock } = settings;
        let config =
            if tls { tls::system() } else { tls::nobody() }.map_err(|error| ClientError::Tls(error.to_string()))?;
        let headers = headers(key)?;
        let client = |timeout: Duration, silence: Duration, idle: Duration| {
            let direct = reqwest::Client::builder().no_proxy();
            let builder = match &proxy {
                Some(proxy) => direct.proxy(proxy.clone()),
                None => direct,
            };
            builder
                .tls_backend_preconfigured(config.clone())
                .user_agent(concat!("dialer/", env!("CARGO_PKG_VERSION")))
                .default_headers(headers.clone())
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .http1_only()
                .referer(false)
                .connect_timeout(CONNECT_TIMEOUT.min(timeout / 2))
                .timeout(timeout)
                .read_timeout(silence)
                .pool_idle_timeout(idle)
                .build()
                .map_err(|error| ClientError::Tls(chain(&error)))
        };
        let post = scaled(post_timeout, scale);
        let read = |timeout: Duration| scaled(timeout, scale).max(SHORTEST_READ_TIMEOUT);
        Ok(Self {
            posts: client(post, post, POST_IDLE)?,
            reads: client(read(READ_TIMEOUT), read(silence.min(READ_TIMEOUT)), READ_IDLE)?,
            key: key.clone(),
            clock,
        })
    }

    /// Sends a request once, if it may still go when its body is about to leave; none where it may not.
    pub(super) async fn post(&self, url: Url, body: String, may_go: MayGo) -> Option<Exchange> {
        let (body, withdrawn) = last_word::body(body, may_go);
        let request = self.posts.post(url).header(CONTENT_TYPE, "application/json").body(body);
        let exchange = self.exchange(request, LARGEST_ANSWER).await;
        (!withdrawn.load(Ordering::SeqCst)).then_some(exchange)
    }

    pub(super) async fn get(&self, url: Url) -> Exchange {
        self.exchange(self.reads.get(url), LARGEST_LISTING).await
    }

    /// A `POST` that reads: it has the patience and the bounds of a listing, and never waits behind a dial.
    pub(super) async fn ask(&self, url: Url, body: String) -> Exchange {
        self.exchange(self.reads.post(url).header(CONTENT_TYPE, "application/json").body(body), LARGEST_LISTING).await
    }

    /// A text for people: short, on one line, without the key.
    pub(super) fn tidy(&self, text: &str) -> String {
        error_body::tidy(text, self.key.expose_secret().trim())
    }

    async fn exchange(&self, request: RequestBuilder, largest: usize) -> Exchange {
        let sent = (self.clock)();
        let (date, reply) = match request.send().await {
            Ok(mut response) => {
                let date = header(&response, &DATE).and_then(failure::http_date);
                let retry_after = header(&response, &RETRY_AFTER).map(str::to_owned);
                let status = response.status().as_u16();
                let largest = if response.status().is_success() { largest } else { LARGEST_ANSWER };
                let (body, cut) = read_body(&mut response, largest).await;
                let body = error_body::without_key(body, self.key.expose_secret().trim());
                (date, Ok(Reply { status, retry_after, body, cut }))
            }
            Err(error) if error.is_connect() || error.is_builder() => {
                (None, Err(TransportError::NotSent(reason(error))))
            }
            Err(error) => (None, Err(TransportError::Lost(reason(error)))),
        };
        Exchange { wire: RequestTiming { sent, received: (self.clock)(), date }, reply }
    }
}

/// The key goes in here and is marked as sensitive, so that nothing that prints headers shows it.
fn headers(key: &SecretString) -> Result<HeaderMap, ClientError> {
    let key = key.expose_secret().trim();
    if key.is_empty() {
        return Err(ClientError::NoKey);
    }
    let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| ClientError::OddKey)?;
    bearer.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, bearer), (ACCEPT, HeaderValue::from_static("application/json"))]))
}

fn header<'a>(response: &'a Response, name: &HeaderName) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// Reads a body piece by piece, and stops where it grows too large: its announced length is not believed.
async fn read_body(response: &mut Response, largest: usize) -> (String, Option<CutShort>) {
    let mut body = Vec::new();
    let cut = loop {
        match response.chunk().await {
            Ok(Some(piece)) if body.len() + piece.len() > largest => break Some(CutShort::TooLarge),
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Ok(None) => break None,
            Err(error) => break Some(CutShort::Broken(reason(error))),
        }
    };
    let mut body = String::from_utf8(body).unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned());
    // JSON begins with no byte order mark; whoever writes one means nothing by it.
    if body.starts_with('\u{feff}') {
        body.remove(0);
    }
    (body, cut)
}

/// A duration of the run's clock in real time.
fn scaled(duration: Duration, scale: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() / scale).unwrap_or(duration)
}

pub(crate) fn reason(error: reqwest::Error) -> String {
    if error.is_timeout() && !error.is_connect() {
        return "no answer in time".to_owned();
    }
    plainly(&chain(&error.without_url()))
}

/// What the libraries below say, in words that a person can act on where the case is a common one.
fn plainly(words: &str) -> String {
    let known = COMMON.iter().find(|(part, _)| words.contains(part));
    known.map_or_else(|| words.to_owned(), |(_, plain)| (*plain).to_owned())
}

/// An error with all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Arc;

    use super::*;
    use crate::time::Instant;
    use crate::vapi::base::BaseUrl;
    use crate::vapi::proxy;

    const KEY: &str = "sk-the-key";

    /// What a proxy hears that answers so, and what becomes of a request that goes through it.
    async fn through_a_proxy(answer: &'static str, except: &'static str) -> (String, TransportError) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(false).unwrap();
        let (told, bytes) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut piece = [0; 4096];
            let asked = stream.read(&mut piece).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            let _ = told.send(piece[..asked].to_vec());
            let next = stream.read(&mut piece).unwrap_or(0);
            let _ = told.send(piece[..next].to_vec());
        });
        let base = BaseUrl::parse("https://api.example.invalid").unwrap();
        let env = move |name: &str| match name {
            "HTTPS_PROXY" => Some(format!("http://me:hidden@127.0.0.1:{port}")),
            "NO_PROXY" => Some(except.to_owned()),
            _ => None,
        };
        let transport = Transport::new(Settings {
            key: &SecretString::from(KEY),
            tls: true,
            proxy: proxy::of(&base, &env).unwrap(),
            post_timeout: Duration::from_secs(5),
            silence: Duration::from_secs(5),
            scale: 1.0,
            clock: Arc::new(|| Instant::from_micros(0)),
        })
        .unwrap_or_else(|_| panic!("no transport"));
        let Err(error) = transport.get(base.join(&["call"])).await.reply else { panic!("nobody answers there") };
        let bytes: Vec<u8> = bytes.try_iter().flatten().collect();
        (String::from_utf8_lossy(&bytes).into_owned(), error)
    }

    #[tokio::test]
    async fn a_proxy_makes_a_tunnel_and_sees_no_key() {
        let (heard, error) = through_a_proxy("HTTP/1.1 200 OK\r\n\r\n", "").await;
        assert!(heard.starts_with("CONNECT api.example.invalid:443 "), "{heard}");
        assert!(heard.to_lowercase().contains("proxy-authorization: basic "), "{heard}");
        assert!(!heard.contains(KEY) && !heard.contains("Bearer"), "{heard}");
        assert!(matches!(error, TransportError::NotSent(_)));
    }

    #[tokio::test]
    async fn a_proxy_that_refuses_is_told_without_its_password() {
        for answer in ["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP/1.1 502 Bad Gateway\r\n\r\n"] {
            let (_, error) = through_a_proxy(answer, "").await;
            let TransportError::NotSent(said) = error else { panic!("it was not sent") };
            assert!(said.contains("the proxy") && !said.contains("hidden"), "{said}");
        }
    }

    #[tokio::test]
    async fn what_is_excepted_does_not_go_through_a_proxy() {
        let (heard, _) = through_a_proxy("", "localhost, .example.invalid").await;
        assert_eq!(heard, "");
    }

    #[test]
    fn common_failures_have_words_of_their_own() {
        let tls = "client error (Connect): received corrupt message of type InvalidContentType";
        assert_eq!(plainly(tls), "no TLS is spoken there: is it the port of http://?");
        let closed = "client error (SendRequest): connection closed before message completed";
        assert_eq!(plainly(closed), "the connection was closed before an answer came");
        assert_eq!(plainly("something else"), "something else");
    }
}
