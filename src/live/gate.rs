//! Who may read, and how: only `GET` and `HEAD`, and only under a name of this machine, so that no page from elsewhere
//! can read along by a name that it lets lead here.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// What every answer carries.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Who may read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    /// Under any name.
    pub(super) anyone: bool,
}

/// Lets a request through, or refuses it.
pub(super) async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let mut response = if !matches!(*request.method(), Method::GET | Method::HEAD) {
        (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")], "this only shows\n").into_response()
    } else if gate.anyone || is_for_this_machine(&request) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "only under a name of this machine: 127.0.0.1 or localhost\n").into_response()
    };
    let headers = HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value)));
    response.headers_mut().extend(headers);
    response
}

fn is_for_this_machine(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let asked = request.uri().authority().is_none_or(is_loopback);
    asked && host.to_str().is_ok_and(|host| host.parse().is_ok_and(|host| is_loopback(&host)))
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(hosts: &[&str]) -> bool {
        let request = hosts
            .iter()
            .fold(axum::http::Request::builder().uri("/status"), |request, host| request.header(header::HOST, *host));
        is_for_this_machine(&request.body(axum::body::Body::empty()).unwrap())
    }

    #[test]
    fn only_names_of_this_machine_pass() {
        for host in ["127.0.0.1", "127.0.0.1:9464", "localhost:1", "LOCALHOST", "[::1]:9464", "127.8.8.8:9"] {
            assert!(passes(&[host]), "{host}");
        }
        for host in
            ["evil.example", "127.0.0.1.evil.example", "localhost.evil:1", "10.0.0.1:9464", "", "a b", "0.0.0.0"]
        {
            assert!(!passes(&[host]), "{host}");
        }
        assert!(!passes(&[]), "none");
        assert!(!passes(&["localhost", "evil.example"]), "two");
    }
}
