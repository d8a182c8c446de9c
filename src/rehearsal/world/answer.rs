//! What comes back of a request to place a call.

use std::time::Duration;

use serde_json::{Value, json};

use super::call::FakeCall;
use crate::pool::news::Limits;
use crate::time::Stamp;

/// Names one request to place a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PostId(pub(super) u64);

/// What came back of a request, and when.
#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    /// Which request.
    pub post: PostId,
    /// When it left the provider: its `Date`, before that is cut to the second.
    pub left: Stamp,
    /// When it was received.
    pub received: Stamp,
    /// What it is.
    pub answer: Answer,
}

/// What came back of a request.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// 201, with the call as it was just then.
    Created(Box<FakeCall>, Option<Limits>),
    /// 4xx.
    Refused(Refusal),
    /// A 5xx with the provider's error body; whether the call was created it does not say.
    Error(u16),
    /// A 5xx with a page of HTML, from the edge; the same.
    Html(u16),
    /// The connection was closed without an answer; the same.
    Dropped,
}

/// A refusal: surely nothing was created.
#[derive(Clone, PartialEq, Debug)]
pub struct Refusal {
    /// The status of the answer.
    pub status: u16,
    /// `message`.
    pub message: String,
    /// `message` is a list of one, as validators write it.
    pub listed: bool,
    /// `subscriptionLimits`, where they are shown.
    pub limits: Option<Limits>,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal with that status and message.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), listed: false, limits: None, retry_after: None }
    }

    /// 400, from the validator of a request.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { listed: true, ..Self::new(400, message) }
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        let message = if self.listed { json!([self.message]) } else { json!(self.message) };
        let mut body = json!({ "message": message, "error": title(self.status), "statusCode": self.status });
        if let Some(limits) = &self.limits {
            body["subscriptionLimits"] = limits_json(limits);
        }
        body
    }
}

/// `subscriptionLimits` as the provider writes it.
pub fn limits_json(limits: &Limits) -> Value {
    json!({
        "concurrencyBlocked": limits.blocked,
        "concurrencyLimit": limits.limit,
        "remainingConcurrentCalls": limits.remaining,
    })
}

/// `error` of an error body.
pub const fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        413 => "Payload Too Large",
        429 => "Too Many Requests",
        _ => "Internal Server Error",
    }
}

/// What the provider says of a number that it takes for none.
pub(in crate::rehearsal) const NOT_E164: &str = "customer.number must be a valid phone number in the E.164 format. Hot tip, you may \
                                   be missing the country code (Eg. US: +1).";
