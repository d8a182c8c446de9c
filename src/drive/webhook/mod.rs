//! The provider's server messages in: `status-update` and `end-of-call-report`, which say that a call is over.
//!
//! A message is a hint and nothing more. It is believed in no fact: the campaign reads the account's listing sooner, and
//! what that shows is what counts. So messages that come twice, late, out of order, forged or for calls of others change
//! nothing that the listing would not. The server has a thread of its own, and takes no more connections, bytes and
//! messages at once than it can bear.

mod auth;
mod listener;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::clock::Clock;
use crate::pool::calls::CallId;
use crate::report::failure::Failure;
use crate::vapi::call::is_plain_id;
use listener::Bounded;

/// Largest body that is read; a report with its transcript is far smaller.
const LARGEST: usize = 1 << 20;
/// Longest time that a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Messages that may wait for the campaign. What does not fit is lost: the listing shows the same.
const WAITING: usize = 1024;

/// Where messages are taken, and from whom.
#[derive(Clone, Debug)]
pub struct WebhookPlan {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// What a message has to prove that its sender knows; none only on loopback.
    pub secret: Option<SecretString>,
}

/// Calls that messages say are over.
pub type Messages = mpsc::Receiver<CallId>;

/// No messages: nobody listens for any.
pub fn none() -> Messages {
    mpsc::channel(1).1
}

struct Shared {
    secret: Option<SecretString>,
    clock: Clock,
    messages: mpsc::Sender<CallId>,
}

/// Listens from now on, until the process ends.
pub fn listen(plan: &WebhookPlan) -> Result<Messages, Failure> {
    let cannot = |error: std::io::Error| {
        Failure::usage(format!("--webhook {}: cannot listen there: {error}", plan.listen))
            .advise("another port, or stop what listens there; nobody was called")
    };
    let listener = std::net::TcpListener::bind(plan.listen).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let (messages, heard) = mpsc::channel(WAITING);
    let shared = Shared { secret: plan.secret.clone(), clock: Clock::real(), messages };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            // A socket that was just bound can be registered; and where it cannot, polling goes on.
            if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                let router = Router::new().fallback(take).with_state(Arc::new(shared));
                let _ = axum::serve(Bounded::new(listener), router).await;
            }
        });
    });
    Ok(heard)
}

/// Answers one request, whatever its path.
async fn take(State(shared): State<Arc<Shared>>, request: Request<Body>) -> (StatusCode, &'static str) {
    if request.method() != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, "only POST\n");
    }
    let (head, body) = request.into_parts();
    let body = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, LARGEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return (StatusCode::PAYLOAD_TOO_LARGE, "too large, or broken off\n"),
        Err(_) => return (StatusCode::REQUEST_TIMEOUT, "too slow\n"),
    };
    if !shared.is_from_a_friend(&head.headers, &body, shared.clock.now().wall) {
        return (StatusCode::UNAUTHORIZED, "the secret is missing or wrong\n");
    }
    match over(&body) {
        Err(()) => (StatusCode::BAD_REQUEST, "not a server message\n"),
        Ok(id) => {
            if let Some(id) = id {
                // A full queue loses it.
                let _ = shared.messages.try_send(id);
            }
            (StatusCode::OK, "{}")
        }
    }
}

impl Shared {
    fn is_from_a_friend(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
        self.secret.as_ref().is_none_or(|secret| auth::knows(secret, headers, body, now))
    }
}

/// A message, as far as it is looked at.
#[derive(Deserialize)]
struct Envelope {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    call: Option<MessageCall>,
}

#[derive(Deserialize)]
struct MessageCall {
    id: String,
}

/// The call that a message says is over, if it says that of one.
fn over(body: &[u8]) -> Result<Option<CallId>, ()> {
    let Envelope { message } = serde_json::from_slice(body).map_err(|_| ())?;
    let is_over = match message.kind.as_str() {
        "status-update" => message.status.as_deref() == Some("ended"),
        "end-of-call-report" => true,
        _ => false,
    };
    let id = message.call.map(|call| call.id).filter(|id| is_over && is_plain_id(id));
    Ok(id.map(|id| CallId::new(&id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_end_is_news() {
        let over = |body: &str| over(body.as_bytes()).map(|id| id.map(|id| id.to_string()));
        let ended = r#"{"message":{"type":"status-update","status":"ended","call":{"id":"c1","orgId":1}}}"#;
        assert_eq!(over(ended), Ok(Some("c1".to_owned())));
        assert_eq!(over(r#"{"message":{"type":"end-of-call-report","call":{"id":"c1"}}}"#), Ok(Some("c1".to_owned())));
        for none in [
            r#"{"message":{"type":"status-update","status":"ringing","call":{"id":"c1"}}}"#,
            r#"{"message":{"type":"hang","call":{"id":"c1"}}}"#,
            r#"{"message":{"type":"end-of-call-report"}}"#,
            r#"{"message":{"type":"end-of-call-report","call":{"id":"../../x"}}}"#,
        ] {
            assert_eq!(over(none), Ok(None), "{none}");
        }
        for wrong in ["", "[]", "{}", r#"{"message":7}"#, r#"{"message":{"type":"hang","call":{"id":7}}}"#] {
            assert_eq!(over(wrong), Err(()), "{wrong}");
        }
    }
}
