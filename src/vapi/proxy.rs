//! The way to the provider through a proxy, as the environment names one. Only requests under TLS take it, through a
//! tunnel (`CONNECT`), so that a proxy sees neither the key nor whom is called; what stays on this machine never does.

use reqwest::{NoProxy, Proxy, Url};

use super::base::BaseUrl;
use super::client::ClientError;

/// The variables that name a proxy, the first that is set wins, as with `curl`.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// The variables that name what is reached without one.
const EXCEPT: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The proxy for a provider, if one is to be used. What is wrong with it is told without its address, which may hold a
/// password.
pub(super) fn of(base: &BaseUrl, env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Proxy>, ClientError> {
    if !base.is_tls() || base.is_loopback() {
        return Ok(None);
    }
    let set = |name: &&'static str| Some((*name, env(name).filter(|value| !value.trim().is_empty())?));
    let Some((variable, value)) = VARIABLES.iter().find_map(set) else { return Ok(None) };
    let value = value.trim();
    let url = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let proxy = url.and_then(|url| Proxy::https(url).ok()).ok_or(ClientError::Proxy(variable))?;
    let except = EXCEPT.iter().find_map(set).and_then(|(_, hosts)| NoProxy::from_string(&hosts));
    Ok(Some(proxy.no_proxy(except)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(base: &str, env: &'static [(&str, &str)]) -> Result<bool, ClientError> {
        let env = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        of(&BaseUrl::parse(base).unwrap(), &env).map(|proxy| proxy.is_some())
    }

    #[test]
    fn a_proxy_is_for_what_is_under_tls_and_not_on_this_machine() {
        let api = "https://api.vapi.ai";
        for variable in
            [&[("HTTPS_PROXY", "http://p:3128")], &[("https_proxy", "p:3128")], &[("ALL_PROXY", "https://p")]]
        {
            assert_eq!(found(api, variable), Ok(true), "{variable:?}");
            assert_eq!(found("http://127.0.0.1:8790", variable), Ok(false));
            assert_eq!(found("https://localhost:8790", variable), Ok(false));
        }
        assert_eq!(found(api, &[("HTTP_PROXY", "http://p:3128")]), Ok(false), "it is for plain http");
        assert_eq!(found(api, &[("HTTPS_PROXY", " ")]), Ok(false));
    }

    #[test]
    fn what_is_wrong_with_a_proxy_is_told_without_its_password() {
        for value in [&[("HTTPS_PROXY", "socks5://me:hidden@p:1080")], &[("HTTPS_PROXY", "http://me:hidden@:x")]] {
            let said = found("https://api.vapi.ai", value).unwrap_err().to_string();
            assert!(said.contains("HTTPS_PROXY") && !said.contains("hidden"), "{said}");
        }
    }
}
