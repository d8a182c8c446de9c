//! The sandbox over real HTTP, as a client meets it.

mod binary;
mod faults;
mod routes;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dialer::rehearsal::sandbox::{Clock, Running, SandboxConfig, real_clock, start};
use dialer::rehearsal::world::config::ProviderConfig;
use dialer::rehearsal::world::mix::{Ending, Shape};
use dialer::time::Stamp;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

/// Seconds of the sandbox that go by in a real one.
const SCALE: u32 = 200;

/// A sandbox whose clock goes fast, and can be moved on.
struct LeadStatus {
    running: Running,
    moved: Arc<AtomicI64>,
    client: reqwest::Client,
    key: &'static str,
}

impl LeadStatus {
    async fn with(world: ProviderConfig) -> Self {
        Self::serving(SandboxConfig { world, ..SandboxConfig::default() }).await
    }

    async fn serving(config: SandboxConfig) -> Self {
        // Another test of this process may have installed it.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let moved = Arc::new(AtomicI64::new(0));
        let (real, by) = (real_clock(), Arc::clone(&moved));
        let began = real();
        let clock: Clock = Arc::new(move || {
            let quick = began + real().since(began) * SCALE;
            Stamp::from_micros(quick.as_micros() + by.load(Ordering::SeqCst))
        });
        let running = start(config, clock, f64::from(SCALE)).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().user_agent("test/1").retry(reqwest::retry::never());
        Self { running, moved, client: client.build().unwrap(), key: "any" }
    }

    /// Lets that long go by.
    fn pass(&self, time: Duration) {
        self.moved.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.running.base_url())).bearer_auth(self.key)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        read(self.ask(Method::GET, path).send().await.unwrap()).await
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        read(self.ask(method, path).body(body.to_string()).send().await.unwrap()).await
    }

    async fn place(&self, number: u32) -> reqwest::Result<Response> {
        self.ask(Method::POST, "/call").body(request(number).to_string()).send().await
    }
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
    assert!(response.headers().contains_key("date"));
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

fn request(number: u32) -> Value {
    json!({
        "assistantId": "ada", "phoneNumberId": "line", "name": format!("attempt {number}"),
        "customer": { "number": format!("+1415{:07}", 5_550_000 + number), "externalId": format!("attempt {number}") },
        "assistantOverrides": { "variableValues": { "city": "Porto" } },
    })
}

/// Nobody calls by themselves, and every call of ours is answered and talks.
fn quiet() -> ProviderConfig {
    let mix = vec![Ending::new(1, "customer-ended-call", Shape::Talk)];
    ProviderConfig { traffic: Vec::new(), mix, ..ProviderConfig::default() }
}
