//! Where the provider is: a base URL that keys and phone numbers may be sent to.

use std::fmt;

use reqwest::Url;

/// A base URL that is safe to send a key to: `https`, or `http` to this machine alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseUrl(Url);

/// Why a text is no base URL.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL at all.
    #[error("--base-url {0:?} is not a URL; it should look like https://api.vapi.ai")]
    NotAUrl(String),
    /// Neither `https` nor `http` to loopback.
    #[error(
        "--base-url {0} would send the key unprotected; use https:// (http:// is for 127.0.0.1, [::1] and localhost)"
    )]
    Unprotected(String),
    /// A password, a query or a fragment in it.
    #[error("--base-url must not hold a user, a password, a ? or a #; the key goes into VAPI_API_KEY")]
    Extras,
}

impl BaseUrl {
    /// Reads a base URL. It may have a path, with or without a slash at its end.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let mut url = Url::parse(text.trim()).map_err(|_| BaseUrlError::NotAUrl(shown(text)))?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Extras);
        }
        let safe = match url.scheme() {
            "https" => true,
            "http" => is_loopback(&url),
            _ => false,
        };
        if !safe {
            return Err(BaseUrlError::Unprotected(shown(text)));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Whether it leads to this machine, where every port may be another provider.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// Whether requests travel under TLS.
    pub fn is_tls(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The address below it, each segment escaped.
    pub(super) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// What of a wrong URL may be shown: whatever might be a password is left out.
fn shown(text: &str) -> String {
    let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// Whether a URL leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_machine_alone() {
        for text in ["https://api.vapi.ai", "http://127.0.0.1:8790", "http://[::1]:1", "http://localhost:80/api/"] {
            assert!(BaseUrl::parse(text).is_ok(), "{text}");
        }
        for text in
            ["http://api.vapi.ai", "http://127.0.0.1.evil.com", "http://10.0.0.1", "ftp://127.0.0.1", "file:///x"]
        {
            assert!(matches!(BaseUrl::parse(text), Err(BaseUrlError::Unprotected(_))), "{text}");
        }
        for text in ["", "api.vapi.ai", "https://"] {
            assert!(matches!(BaseUrl::parse(text), Err(BaseUrlError::NotAUrl(_))), "{text}");
        }
        let refused = BaseUrl::parse("http://api.vapi.ai").unwrap_err().to_string();
        assert!(refused.contains("--base-url"), "{refused}");
    }

    #[test]
    fn a_secret_in_the_url_is_refused_and_not_repeated() {
        for text in ["https://key:sk-secret@api.vapi.ai", "https://api.vapi.ai/?key=sk-secret", "ftp://u:sk-secret@h"] {
            let refused = BaseUrl::parse(text).unwrap_err();
            assert!(!refused.to_string().contains("sk-secret"), "{refused}");
        }
    }

    #[test]
    fn paths_are_kept_and_segments_escaped() {
        for text in ["https://proxy.example/vapi", "https://proxy.example/vapi/", "https://proxy.example/vapi//"] {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!(base.to_string(), "https://proxy.example/vapi");
            assert_eq!(base.join(&["call", "a/b ?"]).as_str(), "https://proxy.example/vapi/call/a%2Fb%20%3F");
        }
        let base = BaseUrl::parse("https://api.vapi.ai").unwrap();
        assert_eq!(base.join(&["call"]).as_str(), "https://api.vapi.ai/call");
    }
}
