//! The pictures of a run one after the other, as server-sent events (the HTML standard, section 9.2).
//!
//! Nothing is kept for a reader: it is sent the newest picture when it has taken the one before.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::routes::Routes;
use crate::report::pool_history::Seen;

/// No reader is sent more pictures than one in this time.
const EVERY: Duration = Duration::from_millis(500);
/// Ticks without a change after which a reader is told that the connection stands.
const QUIET_TICKS: u32 = 10;

struct Reader {
    routes: Routes,
    ticks: Interval,
    /// What it was sent of each pool's history.
    seen: Vec<Seen>,
    version: Option<u64>,
    quiet: u32,
    last: bool,
}

pub(super) async fn events(State(routes): State<Routes>) -> Response {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let reader = Reader { routes, ticks, seen: Vec::new(), version: None, quiet: 0, last: false };
    let pictures = unfold(reader, |mut reader| async move {
        let text = reader.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), reader))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(pictures)).into_response()
}

impl Reader {
    /// What it is sent next; none once it has had the last picture.
    async fn next(&mut self) -> Option<String> {
        while !self.last {
            tokio::select! {
                biased;
                _ = self.routes.over.wait_for(|over| *over) => self.last = true,
                _ = self.ticks.tick() => {}
            }
            let version = self.routes.shown.version();
            if self.last || self.version != Some(version) {
                (self.version, self.quiet) = (Some(version), 0);
                return Some(format!("data: {}\n\n", self.routes.shown.page(&mut self.seen)));
            }
            self.quiet += 1;
            if self.quiet >= QUIET_TICKS {
                self.quiet = 0;
                return Some(":\n\n".to_owned());
            }
        }
        None
    }
}
