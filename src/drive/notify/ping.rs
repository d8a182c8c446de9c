//! The dead man's switch of `--ping-file`: somebody who is told that a run began and how it ended, and who raises the
//! alarm where neither comes. Its URL is a secret: whoever has it can say that all is well.

use std::fmt;
use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::exit::Exit;
use crate::vapi::base::is_loopback;
use crate::vapi::{tls, transport};

/// Longest time that one request may take.
const LONGEST: Duration = Duration::from_secs(5);
/// Requests that are made before it is given up, and the pause between two.
const TRIES: u32 = 2;
const PAUSE: Duration = Duration::from_secs(1);

/// The address of a dead man's switch: `https`, or `http` to this machine. Shown as `***`.
#[derive(Clone)]
pub struct PingUrl(SecretString);

impl fmt::Debug for PingUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PingUrl {
    /// Reads one. What is wrong is said without showing it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let url = Url::parse(text).map_err(|_| "is not a URL; it should look like https://hc-ping.com/...")?;
        match url.scheme() {
            "https" => Ok(Self(text.into())),
            "http" if is_loopback(&url) => Ok(Self(text.into())),
            "http" => Err("would be told unprotected; use https:// (http:// is for this machine)"),
            _ => Err("is neither https:// nor http://"),
        }
    }

    /// The address for one word: the URL itself, or a word below its path.
    fn at(&self, word: Option<&str>) -> Option<Url> {
        let mut url = Url::parse(self.0.expose_secret()).ok()?;
        if let Some(word) = word {
            url.path_segments_mut().ok()?.pop_if_empty().push(word);
        }
        Some(url)
    }
}

/// One run's pings.
pub(super) struct Ping {
    url: PingUrl,
    client: Client,
    start: JoinHandle<Result<(), String>>,
}

impl Ping {
    /// Says that the run began. Nobody waits for that.
    pub(super) fn start(url: PingUrl) -> Result<Self, String> {
        let client = client(&url).map_err(|why| told("anything", &why))?;
        let start = tokio::spawn(send(client.clone(), url.at(Some("start"))));
        Ok(Self { url, client, start })
    }

    /// Says how it ended. Returns what could not be told, in words.
    pub(super) async fn end(&mut self, exit: Exit) -> Option<String> {
        // A start that came after the end would look like another run.
        let started = timeout(LONGEST, &mut self.start).await.ok().and_then(Result::ok);
        self.start.abort();
        let (word, what) = if went_well(exit) { (None, "success") } else { (Some("fail"), "failure") };
        let ended = send(self.client.clone(), self.url.at(word)).await;
        match (started, ended) {
            (_, Err(why)) => Some(told(&format!("this run's {what}"), &why)),
            (Some(Err(why)), Ok(())) => Some(told("this run's start", &why)),
            (_, Ok(())) => None,
        }
    }
}

/// More to do later is no failure: the next run is another one.
fn went_well(exit: Exit) -> bool {
    matches!(exit, Exit::Settled | Exit::Later)
}

fn told(what: &str, why: &str) -> String {
    format!("the dead man's switch at *** (--ping-file) was not told of {what}: {why}")
}

fn client(url: &PingUrl) -> Result<Client, String> {
    let is_tls = url.at(None).is_some_and(|url| url.scheme() == "https");
    let config = if is_tls { tls::system() } else { tls::nobody() }.map_err(|error| error.to_string())?;
    let client = Client::builder()
        .tls_backend_preconfigured(config)
        .user_agent(concat!("dialer/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .timeout(LONGEST)
        .build();
    client.map_err(transport::reason)
}

async fn send(client: Client, url: Option<Url>) -> Result<(), String> {
    let Some(url) = url else { return Err("its URL has no path".to_owned()) };
    let mut tries = 1;
    loop {
        let answer = client.get(url.clone()).send().await;
        let why = match answer.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => return Ok(()),
            Ok(status) => answered(status),
            Err(error) => transport::reason(error),
        };
        if tries == TRIES {
            return Err(why);
        }
        tries += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

fn answered(status: StatusCode) -> String {
    format!("it answered {}", status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_url_is_protected_and_never_shown() {
        for text in ["https://hc-ping.com/secret", " http://127.0.0.1:1/secret\n", "http://localhost/secret?x=1"] {
            let url = PingUrl::parse(text).unwrap();
            assert_eq!(format!("{url:?}"), "***");
        }
        for text in ["http://hc-ping.com/secret", "ftp://127.0.0.1/secret", "secret", ""] {
            let why = PingUrl::parse(text).unwrap_err();
            assert!(!why.contains("secret"), "{why}");
        }
    }

    #[test]
    fn words_stand_below_the_path_and_before_the_query() {
        let at = |text: &str, word| PingUrl::parse(text).unwrap().at(word).unwrap().to_string();
        assert_eq!(at("https://h/id", Some("start")), "https://h/id/start");
        assert_eq!(at("https://h/id/", Some("fail")), "https://h/id/fail");
        assert_eq!(at("https://h/id?key=1", Some("fail")), "https://h/id/fail?key=1");
        assert_eq!(at("https://h/id", None), "https://h/id");
    }

    #[test]
    fn only_a_settled_list_and_one_that_is_to_go_on_are_success() {
        let well: Vec<_> = Exit::ALL.into_iter().filter(|exit| went_well(*exit)).collect();
        assert_eq!(well, [Exit::Settled, Exit::Later]);
    }
}
