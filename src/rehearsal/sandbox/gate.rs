//! What every request must bring before anybody looks at it, and what every answer carries.

use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HOST, RETRY_AFTER, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::routes::Routes;
use crate::rehearsal::world::answer::{Refusal, title};
use crate::time::Stamp;

pub(super) type HttpResponse = Response<Body>;

const WRONG_KEY: &str =
    "Invalid Key. Hot tip, you may be using the private key instead of the public key, or vice versa.";

/// What the edge turns away: a page on another host that was led here by a name, and a client without a name.
pub(super) fn edge(headers: &HeaderMap, now: Stamp) -> Option<HttpResponse> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
    if !["127.0.0.1", "localhost", "[::1]"].contains(&name) {
        return Some(plain(StatusCode::FORBIDDEN, "text/plain", "this host is not served here", now));
    }
    let nameless = headers.get(USER_AGENT).is_none_or(HeaderValue::is_empty);
    nameless.then(|| plain(StatusCode::FORBIDDEN, "text/plain; charset=UTF-8", "error code: 1010", now))
}

/// The organisation whose key came, counted from 0.
pub(super) fn organisation(house: &Routes, headers: &HeaderMap, orgs: usize) -> Option<usize> {
    let bearer = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?.trim();
    let numbered = bearer.rsplit_once("-org-").filter(|_| orgs > 1);
    let numbered = numbered.and_then(|(key, number)| Some((key, number.parse::<usize>().ok()?)));
    let (key, number) = numbered.unwrap_or((bearer, 1));
    let right = house.key.as_ref().map_or(!key.is_empty(), |right| right == key);
    (right && (1..=orgs).contains(&number)).then(|| number - 1)
}

/// 401, in the provider's words.
pub(super) fn wrong_key(now: Stamp) -> HttpResponse {
    refused(&Refusal::new(401, WRONG_KEY), now)
}

/// An answer with a body of JSON.
pub(super) fn answer(status: u16, body: &Value, at: Stamp) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    plain(status, "application/json; charset=utf-8", &body.to_string(), at)
}

/// A refusal, or any error, as the provider writes it.
pub(super) fn refused(refusal: &Refusal, at: Stamp) -> HttpResponse {
    let mut answer = answer(refusal.status, &refusal.body(), at);
    if let Some(wait) = refusal.retry_after {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
    answer
}

/// A 5xx, as the provider writes it.
pub(super) fn error(status: u16, at: Stamp) -> HttpResponse {
    let message = "Internal server error";
    answer(status, &json!({ "message": message, "error": title(status), "statusCode": status }), at)
}

/// A page from the edge, not from the provider.
pub(super) fn page(status: u16, at: Stamp) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let html = "<!DOCTYPE html>\n<html><head><title>api.vapi.ai | 522: Connection timed out</title></head>\n\
                <body><h1>Connection timed out</h1><p>Error code 522</p></body></html>\n";
    plain(status, "text/html; charset=UTF-8", html, at)
}

fn plain(status: StatusCode, kind: &'static str, body: &str, at: Stamp) -> HttpResponse {
    let mut answer = Response::new(Body::from(body.to_owned()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(date) = HeaderValue::from_str(&http_date(at)) {
        answer.headers_mut().insert(DATE, date);
    }
    answer
}

/// The `Date` header: cut to the second.
fn http_date(at: Stamp) -> String {
    const FAR: i64 = 4_102_444_800;
    let seconds = at.as_micros().div_euclid(1_000_000).clamp(0, FAR);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs()))
}
