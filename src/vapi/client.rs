//! The client: one request for one claim, and the reads that tell what became of it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;

use super::base::{BaseUrl, BaseUrlError};
use super::call::{Page, ReadRows};
use super::error_body::ErrorBody;
use super::failure::{self, HttpAnswer, Outcome, Own};
use super::last_word::MayGo;
use super::preflight::{LineInfo, PreflightFailure, PreflightTrouble, TargetInfo};
use super::request::{MessageServer, Target, call_body, listing_query};
use super::transport::{CutShort, Exchange, Reply, Settings, Transport, TransportError};
use super::{analysis, call, preflight, proxy};
use crate::campaign::event::{Line, News, Query, ReadFailure, ReadId, ReadTrouble};
use crate::journal::claim::Claim;
use crate::leads::lead::Lead;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;
use crate::pool::news::RequestTiming;
use crate::time::Instant;

/// Tells what time it is on the run's clock.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Asked with what time it is: since when decisions hold.
pub type StaleBefore = Arc<dyn Fn(Instant) -> Instant + Send + Sync>;

/// Rows of a page that may be the most that a server gives whatever it is asked for: there may be more behind it.
const LIKELY_CAPS: [usize; 5] = [50, 100, 200, 250, 500];

/// What a client is made of.
pub struct ClientOptions {
    /// Where the provider is.
    pub base_url: String,
    /// The private key of the organisation.
    pub key: SecretString,
    /// Who talks to the leads.
    pub target: Target,
    /// The lines (phone number ids), in the plan's order.
    pub lines: Vec<String>,
    /// How long an answer to a dial is waited for, on the run's clock.
    pub post_timeout: Duration,
    /// How long a listing may keep silent before it is asked for again, on the run's clock.
    pub silence: Duration,
    /// The field of `analysis.structuredData` that says that a person wants no further calls.
    pub opt_out_field: Option<String>,
    /// Where the messages of its calls are to be sent, where that is said.
    pub server: Option<MessageServer>,
    /// Tells the time.
    pub clock: Clock,
    /// How many times faster than real time that clock goes.
    pub scale: f64,
    /// What was decided before this instant is old: the process stood still since.
    pub stale_before: StaleBefore,
}

/// Why there is no client.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The base URL is not one.
    #[error(transparent)]
    BaseUrl(#[from] BaseUrlError),
    /// No key.
    #[error("the key is empty; set VAPI_API_KEY, or name a file with --api-key-file")]
    NoKey,
    /// A key that no header can carry.
    #[error("the key holds characters that no key has, such as a line break; look at VAPI_API_KEY or --api-key-file")]
    OddKey,
    /// A proxy that cannot be used; which variable names it.
    #[error("{0} names no proxy that can be used: it must be http:// or https://, a host and a port")]
    Proxy(&'static str),
    /// TLS cannot be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// Speaks to one account of the provider. Shared between tasks behind an `Arc`.
pub struct Client {
    transport: Transport,
    base: BaseUrl,
    target: Target,
    lines: Vec<String>,
    opt_out_field: Option<String>,
    read_rows: Mutex<ReadRows>,
    server: Option<MessageServer>,
    clock: Clock,
    stale_before: StaleBefore,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base).field("target", &self.target).finish_non_exhaustive()
    }
}

impl Client {
    /// Sets a client up. Opens no connection.
    pub fn new(options: ClientOptions) -> Result<Self, ClientError> {
        let ClientOptions {
            base_url,
            key,
            target,
            lines,
            post_timeout,
            silence,
            opt_out_field,
            server,
            clock,
            scale,
            stale_before,
        } = options;
        assert!(scale.is_finite() && scale > 0.0, "a clock that goes {scale} times as fast");
        let base = BaseUrl::parse(&base_url)?;
        let transport = Transport::new(Settings {
            key: &key,
            tls: base.is_tls(),
            proxy: proxy::of(&base, &|name| std::env::var(name).ok())?,
            post_timeout,
            silence,
            scale,
            clock: Arc::clone(&clock),
        })?;
        Ok(Self {
            transport,
            base,
            target,
            lines,
            opt_out_field,
            read_rows: Mutex::default(),
            server,
            clock,
            stale_before,
        })
    }

    /// Sends the one request of a claim, and says what came of it: answered, surely not created, or in doubt.
    ///
    /// Whether it may still go is asked last, when its body is about to leave: a process that was stopped meanwhile must
    /// not send on waking what another run has proven absent. One that may not is withdrawn: its request is never whole.
    ///
    /// Dropping the future before it is done leaves the attempt as a dead run's: claimed, and perhaps placed.
    pub async fn place(&self, claim: Claim) -> News {
        let (attempt, lead, line) = (claim.attempt().clone(), claim.lead().clone(), claim.line());
        let (clock, stale_before) = (Arc::clone(&self.clock), Arc::clone(&self.stale_before));
        let may_go = move || {
            let now = clock();
            claim.may_go(now, stale_before(now))
        };
        self.send(&attempt, &lead, line, Box::new(may_go)).await
    }

    /// What placing a claim does; nobody else sends a `POST`.
    async fn send(&self, attempt: &AttemptId, lead: &Lead, line: Line, may_go: MayGo) -> News {
        let line = &self.lines[line.0];
        let body = call_body(&self.target, line, attempt.as_str(), lead, self.server.as_ref()).to_string();
        match self.transport.post(self.base.join(&["call"]), body, may_go).await {
            Some(exchange) => self.sorted(attempt.clone(), self.own(lead), &exchange),
            None => News::Withdrawn(attempt.clone()),
        }
    }

    /// Reads a listing, or one call. What could not be read of a listing is told with it.
    pub async fn read(&self, id: ReadId, query: &Query) -> Result<News, ReadFailure> {
        let url = match query {
            Query::One(call) => self.base.join(&["call", call.as_str()]),
            listing => {
                let mut url = self.base.join(&["call"]);
                url.query_pairs_mut().extend_pairs(listing_query(listing));
                url
            }
        };
        let Exchange { wire, reply } = self.transport.get(url).await;
        match reply
            .map_err(|none| (ReadTrouble::Fault, none.into_message()))
            .and_then(|reply| self.listed(&reply, wire, query))
        {
            Ok((page, full)) => {
                let Page { calls, unread, no_offset, .. } = page;
                Ok(News::Listed { read: id, wire, calls: calls.into(), full, unread, no_offset })
            }
            Err((kind, message)) => {
                let message = self.transport.tidy(&message);
                Err(ReadFailure { kind, sent: wire.sent, received: wire.received, date: wire.date, message })
            }
        }
    }

    /// Reads the assistant, squad or workflow that is to talk, before anybody is called.
    pub async fn target(&self) -> Result<TargetInfo, PreflightFailure> {
        let path = [self.target.kind(), self.target.id()];
        let read = self.describe(&path).await.map(|(wire, json)| match &self.target {
            Target::Assistant(_) => TargetInfo::read_assistant(wire, &json),
            Target::Squad(_) | Target::Workflow(_) => TargetInfo::read(wire, &json),
        });
        match (read, &self.target) {
            // The API shows no workflows any more, so that a 404 says nothing about this one.
            (Err(failure), Target::Workflow(_)) if failure.trouble == PreflightTrouble::Missing => {
                Ok(TargetInfo::unknown(failure.wire))
            }
            (read, _) => read,
        }
    }

    /// What talks, in words.
    pub fn target_words(&self) -> String {
        format!("{} {}", self.target.kind(), self.target.id())
    }

    /// Reads one line (phone number id), before anybody is called from it.
    pub async fn line(&self, id: &str) -> Result<LineInfo, PreflightFailure> {
        self.describe(&["phone-number", id]).await.map(|(wire, json)| LineInfo::read(wire, &json))
    }

    /// What was said in a call, as the provider wrote it down, line by line; none where it has nothing, or no such call.
    pub async fn transcript(&self, call: &CallId) -> Result<Option<String>, PreflightFailure> {
        match self.describe(&["call", call.as_str()]).await {
            Ok((_, json)) => Ok(analysis::transcript(&json)),
            Err(failure) if failure.trouble == PreflightTrouble::Missing => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn describe(&self, path: &[&str; 2]) -> Result<(RequestTiming, serde_json::Value), PreflightFailure> {
        let Exchange { wire, reply } = self.transport.get(self.base.join(path)).await;
        preflight::sort(reply, wire, serde_json::Value::is_object).map(|json| (wire, json)).map_err(
            |(trouble, message)| {
                let message = self.transport.tidy(&message);
                PreflightFailure { trouble, what: path[0].to_owned(), id: path[1].to_owned(), message, wire }
            },
        )
    }

    /// Asks something with a body, and creates nothing by it; the answer is JSON of any kind.
    pub(super) async fn ask(
        &self,
        path: &[&str; 1],
        body: &serde_json::Value,
    ) -> Result<serde_json::Value, PreflightFailure> {
        let Exchange { wire, reply } = self.transport.ask(self.base.join(path), body.to_string()).await;
        preflight::sort(reply, wire, |_| true).map_err(|(trouble, message)| {
            let message = self.transport.tidy(&message);
            PreflightFailure { trouble, what: path[0].to_owned(), id: String::new(), message, wire }
        })
    }

    /// What of the request the lead's own row asked for, and no other lead's.
    fn own(&self, lead: &Lead) -> Own {
        let own_line = lead.phone_number_id.as_ref().is_some_and(|own| !self.lines.contains(own));
        Own { assistant: lead.assistant_id.is_some(), line: own_line }
    }

    fn sorted(&self, attempt: AttemptId, own: Own, exchange: &Exchange) -> News {
        let wire = exchange.wire;
        let outcome = match &exchange.reply {
            Ok(reply) => Outcome::HttpAnswer(HttpAnswer {
                status: reply.status,
                body: &reply.body,
                cut: reply.cut.as_ref().map(CutShort::reason),
                retry_after: reply.retry_after.as_deref(),
                date: wire.date,
            }),
            Err(TransportError::NotSent(message)) => Outcome::NotSent(message),
            Err(TransportError::Lost(message)) => Outcome::Lost(message),
        };
        let sorted = failure::sort(outcome, own, self.opt_out_field.as_deref());
        sorted.news(attempt, wire, |message| self.transport.tidy(message))
    }

    fn listed(&self, reply: &Reply, wire: RequestTiming, query: &Query) -> Result<(Page, bool), (ReadTrouble, String)> {
        let field = self.opt_out_field.as_deref();
        match (reply.status, query) {
            (200..=299, _) => {}
            (404, Query::One(_)) => return Ok((Page::default(), false)),
            (status, _) => {
                return Err((read_trouble(reply, wire), failure::message(status, &ErrorBody::in_body(&reply.body))));
            }
        }
        match &reply.cut {
            Some(cut @ CutShort::TooLarge) => return Err((ReadTrouble::TooLarge, cut.reason().to_owned())),
            Some(cut @ CutShort::Broken(_)) => return Err((ReadTrouble::Fault, cut.reason().to_owned())),
            None => {}
        }
        let read = match query {
            Query::One(_) => call::read_call(&reply.body, field)
                .map(|call| (Page { calls: vec![Arc::new(call)], rows: 1, ..Page::default() }, false)),
            Query::Updated { limit, .. } | Query::Created { limit, .. } => {
                let mut read = self.read_rows.lock().unwrap_or_else(PoisonError::into_inner);
                call::read_page(&reply.body, field, &mut read).map(|page| {
                    let full = page.rows >= usize::from(*limit) || LIKELY_CAPS.contains(&page.rows);
                    (page, full)
                })
            }
        };
        read.ok_or_else(|| (ReadTrouble::Fault, "the answer is not what was asked for".to_owned()))
    }
}

fn read_trouble(reply: &Reply, wire: RequestTiming) -> ReadTrouble {
    match reply.status {
        401 => ReadTrouble::Key,
        403 => ReadTrouble::Forbidden,
        429 => ReadTrouble::Rate(reply.wait(wire)),
        _ => ReadTrouble::Fault,
    }
}

#[cfg(test)]
mod tests;
