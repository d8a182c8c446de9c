//! Server messages out: `status-update` of each call that has ended, to the server that its request named. Only to this
//! machine, whatever was asked for.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::rehearsal::world::FakeProvider;
use crate::rehearsal::world::call::FakeCall;
use crate::time::Stamp;
use crate::vapi::base::is_loopback;
use crate::vapi::tls;

/// Messages that may wait to be sent; the provider promises none either.
const WAITING: usize = 1024;
/// Longest time that a server may take over one.
const LONGEST: Duration = Duration::from_secs(20);

/// A message on its way.
pub(super) struct Message {
    url: Url,
    headers: Vec<(String, String)>,
    body: String,
}

/// Where messages are handed in to be sent.
pub(super) type Outbox = mpsc::Sender<Message>;

/// Sends what is handed in, until nobody can hand in any more.
pub(super) fn start() -> Outbox {
    let (outbox, mut waiting) = mpsc::channel::<Message>(WAITING);
    tokio::spawn(async move {
        let Some(client) = client() else { return };
        while let Some(Message { url, headers, body }) = waiting.recv().await {
            let request = client.post(url).header(CONTENT_TYPE, "application/json").body(body);
            let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
            // Nothing is sent again, as the provider does by default.
            tokio::spawn(request.send());
        }
    });
    outbox
}

fn client() -> Option<Client> {
    let client = Client::builder().tls_backend_preconfigured(tls::nobody().ok()?).no_proxy().timeout(LONGEST);
    client.redirect(reqwest::redirect::Policy::none()).build().ok()
}

/// Hands in a message for each call that has ended since this was asked last.
pub(super) fn hand_in(world: &mut FakeProvider, outbox: &Outbox, now: Stamp) {
    while let Some(id) = world.next_ended() {
        let call = world.call(&id);
        if let Some(message) = call.and_then(|call| message(call, now)) {
            // One for which there is no room is lost.
            let _ = outbox.try_send(message);
        }
    }
}

fn message(call: &FakeCall, now: Stamp) -> Option<Message> {
    let echo = &call.request.echo;
    let overrides = ["assistantOverrides", "squadOverrides"].into_iter().find_map(|field| echo.get(field));
    let server = overrides?.get("server")?;
    let url = server["url"].as_str().and_then(|url| Url::parse(url).ok()).filter(is_loopback)?;
    let pair = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    let headers = server["headers"].as_object().into_iter().flatten().filter_map(pair).collect();
    let body = json!({ "message": {
        "type": "status-update",
        "timestamp": now.as_micros() / 1000,
        "status": "ended",
        "endedReason": call.reason,
        "call": { "id": call.id.as_str(), "createdAt": call.created.to_string(), "status": "ended", "name": call.name },
    } });
    Some(Message { url, headers, body: body.to_string() })
}
