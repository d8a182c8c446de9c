//! Sorts what came of one `POST /call` into placed, surely not created, or in doubt. One pure function.
//!
//! A lead that is sorted wrongly is called twice or forgotten, so whatever does not say for sure that no call was
//! created is in doubt. The order of the tests matters: a full pool may come with any other words, and words tell
//! more than a status.

use std::time::{Duration, UNIX_EPOCH};

use super::call;
use super::error_body::ErrorBody;
use crate::campaign::attempt::Cause;
use crate::campaign::event::News;
use crate::campaign::seen::SeenCall;
use crate::pool::attempt_id::AttemptId;
use crate::pool::news::{Limits, RequestTiming};
use crate::time::Stamp;

/// Words of an account that may not dial: no credit, a frozen subscription, fraud.
const ACCOUNT_WORDS: &[&str] = &["credit", "billing", "frozen", "subscription", "payment", "wallet", "fraud"];
/// The provider's own numbers have a daily limit of calls; it ends at midnight UTC.
const DAILY_LIMIT: &[&str] = &["daily outbound call limit"];
/// A number that was bought just now.
const ACTIVATING: &[&str] = &["is activating"];
/// How long a number that is being activated is left alone.
const ACTIVATION: Duration = Duration::from_mins(1);
/// Longest wait that a `Retry-After` is believed.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// What came of one request.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// No connection came about: nothing was sent.
    NotSent(&'a str),
    /// Something may have been sent, and no answer came.
    Lost(&'a str),
    /// An answer came.
    HttpAnswer(HttpAnswer<'a>),
}

/// An answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpAnswer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body, as far as it came.
    pub body: &'a str,
    /// Why it is not whole, if it broke off or was longer than anybody should read.
    pub cut: Option<&'a str>,
    /// `Retry-After` as it came.
    pub retry_after: Option<&'a str>,
    /// `Date`.
    pub date: Option<Stamp>,
}

/// What an outcome means.
#[derive(Debug)]
pub enum FailureKind {
    /// The call exists, or came back blocked.
    Placed(Box<SeenCall>, Option<Limits>),
    /// Surely not created.
    Refused(Refusal),
    /// Nobody knows; with what went wrong, for people.
    InDoubt(String),
}

impl FailureKind {
    /// The news of an attempt; `tidy` makes the provider's words fit to be kept and shown.
    pub fn news(self, attempt: AttemptId, wire: RequestTiming, tidy: impl Fn(&str) -> String) -> News {
        match self {
            Self::Placed(call, limits) => News::Answered { attempt, wire, call, limits },
            Self::Refused(refusal) => News::Refused {
                attempt,
                wire,
                cause: refusal.cause,
                limits: refusal.limits,
                retry_after: refusal.retry_after,
                message: tidy(&refusal.message),
                key: refusal.key,
            },
            Self::InDoubt(message) => News::Failed { attempt, wire, message: tidy(&message) },
        }
    }
}

/// A call that was surely not created.
#[derive(Clone, PartialEq, Debug)]
pub struct Refusal {
    /// Why.
    pub cause: Cause,
    /// `subscriptionLimits` of the body.
    pub limits: Option<Limits>,
    /// How long to wait: the provider's `Retry-After`; for a line that is being activated a minute, for one at its
    /// daily limit the time to midnight UTC.
    pub retry_after: Option<Duration>,
    /// Status and words, for people; not bounded yet.
    pub message: String,
    /// The key itself was refused.
    pub key: bool,
}

/// Parts of the request that the lead's own row asked for: a refusal of these is the row's fault, not the account's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Own {
    /// The row names an assistant.
    pub assistant: bool,
    /// The row names a line that the rotation does not have.
    pub line: bool,
}

/// Sorts what came of one `POST /call`.
pub fn sort(outcome: Outcome<'_>, own: Own, opt_out_field: Option<&str>) -> FailureKind {
    match outcome {
        Outcome::NotSent(message) => FailureKind::Refused(Refusal {
            cause: Cause::Connect,
            limits: None,
            retry_after: None,
            message: message.to_owned(),
            key: false,
        }),
        Outcome::Lost(message) => FailureKind::InDoubt(message.to_owned()),
        Outcome::HttpAnswer(answer) => sort_answer(answer, own, opt_out_field),
    }
}

fn sort_answer(answer: HttpAnswer<'_>, own: Own, opt_out_field: Option<&str>) -> FailureKind {
    match answer.status {
        200..=299 => {
            if let Some(cut) = answer.cut {
                return FailureKind::InDoubt(format!("{}, but the answer is not whole: {cut}", answer.status));
            }
            match call::read_answer(answer.body, opt_out_field) {
                Some((call, limits)) => FailureKind::Placed(Box::new(call), limits),
                None => FailureKind::InDoubt(format!("{}, but no call can be read in the answer", answer.status)),
            }
        }
        300..=407 | 410..=420 | 422..=424 | 426..=499 => match (refusal(answer, own), answer.cut) {
            // Of words that broke off nobody knows how they would have gone on: perhaps the pool was full.
            (Refusal { cause: Cause::Lead | Cause::Config, message, .. }, Some(cut)) => {
                FailureKind::InDoubt(format!("{message}, but the answer is not whole: {cut}"))
            }
            (refusal, _) => FailureKind::Refused(refusal),
        },
        _ => FailureKind::InDoubt(message(answer.status, &ErrorBody::in_body(answer.body))),
    }
}

fn refusal(answer: HttpAnswer<'_>, own: Own) -> Refusal {
    let said = ErrorBody::in_body(answer.body);
    let cause = match cause(answer.status, &said) {
        Cause::Account if own.assistant && is_about_the_assistant(&said) => Cause::Config,
        Cause::Line if own.line && said.has(&["does not exist"]) => Cause::Config,
        cause => cause,
    };
    let wait = match cause {
        Cause::Line if said.has(DAILY_LIMIT) => answer.date.map(until_midnight),
        Cause::Line if said.has(ACTIVATING) => Some(ACTIVATION),
        _ => None,
    };
    Refusal {
        cause,
        limits: said.limits,
        retry_after: wait.or_else(|| retry_after(answer.retry_after?, answer.date)),
        message: message(answer.status, &said),
        key: answer.status == 401,
    }
}

fn cause(status: u16, said: &ErrorBody) -> Cause {
    if is_about_the_pool(status, said) {
        Cause::Pool
    } else if status == 401 || (status != 429 && said.has(ACCOUNT_WORDS)) {
        Cause::Account
    } else if said.has(DAILY_LIMIT) || is_about_the_line(said) {
        Cause::Line
    } else if is_about_the_assistant(said) {
        Cause::Account
    } else if said.has(&["e.164", "do not support international calls"]) {
        Cause::Lead
    } else if said.has(&["should not exist", "couldn't get phone number"]) {
        Cause::Account
    } else {
        by_status(status)
    }
}

fn by_status(status: u16) -> Cause {
    match status {
        429 => Cause::Rate,
        300..=399 | 402..=404 => Cause::Account,
        _ => Cause::Config,
    }
}

/// Statuses that nobody has seen a full pool come with have to say so in its own words.
fn is_about_the_pool(status: u16, said: &ErrorBody) -> bool {
    let words = if matches!(status, 400 | 403 | 429) { "concurren" } else { "over concurrency" };
    said.limits.is_some_and(|limits| limits.blocked) || said.has(&[words])
}

fn is_about_the_line(said: &ErrorBody) -> bool {
    said.has(&["phonenumber", "phone number"]) && (said.has(&["does not exist"]) || said.has(ACTIVATING))
}

fn is_about_the_assistant(said: &ErrorBody) -> bool {
    said.has(&["must reference an available"])
        || (said.has(&["does not exist"]) && said.has(&["assistant", "squad", "workflow"]))
}

/// `Retry-After`: seconds, or a date against the answer's own; never more than an hour.
pub(super) fn retry_after(header: &str, date: Option<Stamp>) -> Option<Duration> {
    let header = header.trim();
    let wait = match header.parse::<f64>() {
        Ok(seconds) if seconds.is_nan() => return None,
        Ok(seconds) => Duration::try_from_secs_f64(seconds.min(LONGEST_WAIT.as_secs_f64())).ok()?,
        Err(_) => http_date(header)?.since(date?),
    };
    Some(wait.min(LONGEST_WAIT))
}

/// A `Date` header.
pub(super) fn http_date(header: &str) -> Option<Stamp> {
    let since = httpdate::parse_http_date(header.trim()).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Stamp::from_micros(0) + since)
}

fn until_midnight(date: Stamp) -> Duration {
    let today = Duration::from_secs(date.since(Stamp::from_micros(0)).as_secs() % DAY.as_secs());
    DAY.saturating_sub(today)
}

/// Status and words, for people.
pub(super) fn message(status: u16, said: &ErrorBody) -> String {
    if said.shown.is_empty() { status.to_string() } else { format!("{status}: {}", said.shown) }
}

#[cfg(test)]
mod tests;
