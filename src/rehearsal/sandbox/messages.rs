//! Server messages out: `status-update` of each call that has ended, and its `end-of-call-report` once its cost and its
//! analysis are known, to the server that its request named. Only to this machine, whatever was asked for.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::render;
use crate::rehearsal::world::call::FakeCall;
use crate::rehearsal::world::{FakeProvider, News};
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

/// Hands in a message for each call of which there is news since this was asked last.
pub(super) fn hand_in(world: &mut FakeProvider, outbox: &Outbox, now: Stamp) {
    while let Some((id, news)) = world.next_news() {
        let call = world.call(&id);
        if let Some(message) = call.and_then(|call| message(call, news, &world.org_id(call.org), now)) {
            // One for which there is no room is lost.
            let _ = outbox.try_send(message);
        }
    }
}

fn message(call: &FakeCall, news: News, org: &str, now: Stamp) -> Option<Message> {
    let echo = &call.request.echo;
    let overrides = ["assistantOverrides", "squadOverrides"].into_iter().find_map(|field| echo.get(field));
    let server = overrides?.get("server")?;
    let url = server["url"].as_str().and_then(|url| Url::parse(url).ok()).filter(is_loopback)?;
    let pair = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    let headers = server["headers"].as_object().into_iter().flatten().filter_map(pair).collect();
    let kind = match news {
        News::Ended => "status-update",
        News::Settled => "end-of-call-report",
    };
    let asked = overrides?["serverMessages"].as_array();
    if asked.is_some_and(|asked| !asked.iter().any(|name| name == kind)) {
        return None;
    }
    let whole = render::call(call, org, "", None);
    let mut message = json!({
        "type": kind,
        "timestamp": now.as_micros() / 1000,
        "endedReason": call.reason,
        "customer": whole["customer"],
        "call": part(&whole, &["id", "orgId", "createdAt", "updatedAt", "type", "status", "name"]),
    });
    let more = match news {
        News::Ended => json!({ "status": "ended" }),
        News::Settled => part(&whole, &["startedAt", "endedAt", "cost", "costs", "analysis", "artifact"]),
    };
    if let (Value::Object(message), Value::Object(more)) = (&mut message, more) {
        message.extend(more);
    }
    Some(Message { url, headers, body: json!({ "message": message }).to_string() })
}

/// The keys of an object that are wanted and there.
fn part(whole: &Value, keys: &[&str]) -> Value {
    keys.iter().filter_map(|key| Some(((*key).to_owned(), whole.get(key)?.clone()))).collect::<Map<_, _>>().into()
}
