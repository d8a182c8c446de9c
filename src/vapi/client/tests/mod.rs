//! The client against servers that misbehave: raw sockets on loopback that count what reaches them.

mod place;
mod read;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::leads::lead::Phone;

const ATTEMPT: &str = "dabcdefgh-abcdefghijklmnopqrstuv";
const KEY: &str = "sk-very-secret";
const DATE: &str = "Thu, 26 Mar 2026 15:43:16 GMT";

/// What the server does with a request that has arrived whole.
#[derive(Clone)]
enum Reaction {
    /// Writes this and waits for the next request.
    Answer(String),
    /// Writes this and closes.
    AnswerThenClose(String),
    /// Closes.
    Close,
    /// Does nothing until the client goes away.
    Silence,
}

/// A server that answers requests one after the other, whatever connection they come on.
struct Server {
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn new(reactions: impl IntoIterator<Item = Reaction>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let reactions = Arc::new(Mutex::new(reactions.into_iter().collect::<VecDeque<_>>()));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (seen, counted) = (Arc::clone(&requests), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(converse(stream, Arc::clone(&reactions), Arc::clone(&seen)));
            }
        });
        Self { address, requests, connections }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn converse(mut stream: TcpStream, reactions: Arc<Mutex<VecDeque<Reaction>>>, seen: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_request(&mut stream).await {
        seen.lock().unwrap().push(request);
        let reaction = reactions.lock().unwrap().pop_front().unwrap_or(Reaction::Close);
        let (text, stay) = match reaction {
            Reaction::Answer(text) => (text, true),
            Reaction::AnswerThenClose(text) => (text, false),
            Reaction::Close => return,
            Reaction::Silence => (String::new(), true),
        };
        if stream.write_all(text.as_bytes()).await.is_err() || !stay {
            return;
        }
    }
}

/// One request with its body, or `None` once the client has closed.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A whole answer with this status and body.
fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nDate: {DATE}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn call_body(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","orgId":"o1","createdAt":"2026-03-26T15:43:16.145Z","status":"queued","name":"{ATTEMPT}",
            "subscriptionLimits":{{"concurrencyBlocked":false,"concurrencyLimit":10,"remainingConcurrentCalls":9}}}}"#
    )
}

fn options(base_url: &str) -> ClientOptions {
    let ticks = AtomicI64::new(0);
    ClientOptions {
        base_url: base_url.to_owned(),
        key: KEY.to_owned().into(),
        target: Target::Assistant("a1".to_owned()),
        lines: vec!["p1".to_owned(), "p2".to_owned()],
        post_timeout: Duration::from_secs(30),
        silence: Duration::from_secs(15),
        opt_out_field: None,
        server: None,
        clock: Arc::new(move || Instant::from_micros(ticks.fetch_add(1, Ordering::SeqCst))),
        scale: 1.0,
        stale_before: Arc::new(|_| Instant::from_micros(i64::MIN)),
    }
}

fn client(base_url: &str) -> Client {
    Client::new(options(base_url)).unwrap()
}

/// A client whose clock goes so fast that half a minute is over at once.
fn hasty_client(base_url: &str) -> Client {
    Client::new(ClientOptions { scale: 200.0, ..options(base_url) }).unwrap()
}

fn lead() -> Lead {
    Lead::of(Phone::from_e164("+14155551234").unwrap())
}

async fn place(client: &Client) -> News {
    client.send(&AttemptId::parse(ATTEMPT).unwrap(), &lead(), Line(1), Box::new(|| true)).await
}

#[test]
fn a_client_is_refused_without_a_usable_key_or_address() {
    let with = |base_url: &str, key: &str| {
        Client::new(ClientOptions { key: key.to_owned().into(), ..options(base_url) }).map(drop).unwrap_err()
    };
    assert_eq!(with("https://api.vapi.ai", " \n"), ClientError::NoKey);
    assert_eq!(with("https://api.vapi.ai", "sk-\u{7}very"), ClientError::OddKey);
    let unprotected = with("http://api.vapi.ai", KEY);
    assert!(matches!(unprotected, ClientError::BaseUrl(BaseUrlError::Unprotected(_))), "{unprotected}");
}

#[test]
fn the_key_is_in_no_debug_print() {
    for base_url in ["https://api.vapi.ai", "https://api.eu.vapi.ai/", "http://[::1]:9/x"] {
        let shown = format!("{:?}", client(base_url));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
