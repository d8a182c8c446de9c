//! What there is to be read, and under which path.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::gate::{Gate, pass};
use super::{Shown, events};
use crate::report::metrics::CONTENT_TYPE;

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = concat!(include_str!("page/chart.js"), include_str!("page/page.js"));
const BODY: &str = include_str!("page/page.html");

/// The page stands alone: its style and its script are in it, and it may load nothing.
static PAGE: LazyLock<String> = LazyLock::new(|| BODY.replace("STYLE", STYLE).replace("SCRIPT", SCRIPT));
/// Only that style and that script, and events from where it came from.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    let policy = format!(
        "default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("plain text")
});

/// What is served, and whether that is over.
#[derive(Clone)]
pub(super) struct Routes {
    pub(super) shown: Arc<dyn Shown>,
    pub(super) over: watch::Receiver<bool>,
}

/// Who is answered with what.
pub(super) fn router(routes: Routes, gate: Gate) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/status", get(status))
        .route("/metrics", get(metrics))
        .route("/events", get(events::events))
        .with_state(routes)
        .layer(from_fn_with_state(gate, pass))
}

async fn page() -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY.clone())], PAGE.as_str()).into_response()
}

async fn status(State(routes): State<Routes>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], format!("{}\n", routes.shown.status())).into_response()
}

async fn metrics(State(routes): State<Routes>) -> Response {
    ([(header::CONTENT_TYPE, format!("{CONTENT_TYPE}; charset=utf-8"))], routes.shown.metrics()).into_response()
}
