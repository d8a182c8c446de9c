//! Where the provider's server messages are taken, and what they have to prove.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use reqwest::Url;
use secrecy::SecretString;

use super::account::read_secret;
use crate::drive::webhook::WebhookPlan;
use crate::leads::shown::file;
use crate::report::failure::Failure;
use crate::vapi::base::is_loopback;
use crate::vapi::request::{MessageServer, Target};

/// No secret is longer.
const LONGEST_SECRET: u64 = 4096;

/// Server messages.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Server messages of the provider")]
pub struct WebhookArgs {
    /// Takes the provider's server messages at this address, as in 127.0.0.1:8791: the end of a call is known at once,
    /// instead of at the next look at the calls
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub webhook: Option<SocketAddr>,
    /// A file with the secret that messages have to know; without one, ADDR must be loopback
    #[arg(long, value_name = "FILE")]
    pub webhook_secret_file: Option<PathBuf>,
    /// Tells each call to send its messages to this address, with the secret: https://, or http:// to this machine
    #[arg(long, value_name = "URL")]
    pub webhook_url: Option<String>,
    /// Takes the messages away from a server that gets them now
    #[arg(long)]
    pub webhook_replace: bool,
}

impl WebhookArgs {
    /// What that means. The secret is read here, and shown nowhere.
    pub(super) fn plan(&self, target: &Target) -> Result<(Option<WebhookPlan>, Option<MessageServer>), Failure> {
        let plan = self.listen()?;
        let Some(url) = &self.webhook_url else {
            return if self.webhook_replace {
                let what =
                    "--webhook-replace takes messages away from another server, and no --webhook-url says where to";
                Err(Failure::usage(what).advise("say it:   --webhook-url https://dialer.example.com/"))
            } else {
                Ok((plan, None))
            };
        };
        let Some(listen) = &plan else {
            return Err(Failure::usage(
                "--webhook-url says where calls send their messages, and no --webhook takes them",
            )
            .advise("listen for them:   --webhook 127.0.0.1:8791"));
        };
        if matches!(target, Target::Workflow(_)) {
            return Err(Failure::usage("--webhook-url: the API does not let a workflow's call name a server"));
        }
        let url = message_url(url).map_err(|why| Failure::usage(format!("--webhook-url {why}")))?;
        let server = MessageServer { url, secret: listen.secret.clone(), for_all: self.webhook_replace };
        Ok((plan, Some(server)))
    }

    fn listen(&self) -> Result<Option<WebhookPlan>, Failure> {
        let secret = self.webhook_secret_file.as_deref().map(secret_from).transpose()?;
        let Some(listen) = self.webhook else {
            return if secret.is_some() {
                Err(Failure::usage("--webhook-secret-file is given, and no --webhook that messages would be taken at"))
            } else {
                Ok(None)
            };
        };
        if secret.is_none() && !listen.ip().is_loopback() {
            let what = format!("--webhook {listen} would take messages from anybody");
            return Err(Failure::usage(what)
                .advise("name a file with the secret they have to know:   --webhook-secret-file FILE")
                .advise("or listen on this machine alone, behind a reverse proxy:   --webhook 127.0.0.1:8791"));
        }
        Ok(Some(WebhookPlan { listen, secret }))
    }
}

/// An address with its port.
fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().map_err(|_| "not an address with a port, as in 127.0.0.1:8791".to_owned())
}

fn message_url(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "is not a URL; it should look like https://dialer.example.com/")?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("must not hold a user, a password or a #; the secret goes into --webhook-secret-file");
    }
    match url.scheme() {
        "https" => Ok(url.into()),
        "http" if is_loopback(&url) => Ok(url.into()),
        _ => Err("would have messages sent unprotected; use https:// (http:// is for this machine)"),
    }
}

fn secret_from(path: &Path) -> Result<SecretString, Failure> {
    let wrong = |why: &str| {
        Failure::usage(format!("the secret in {} {why}", file(path))).advise("named by --webhook-secret-file")
    };
    let text = read_secret(path, "secret", "--webhook-secret-file", LONGEST_SECRET)?;
    let secret = text.trim();
    if secret.is_empty() {
        return Err(wrong("is empty"));
    }
    if !secret.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(wrong("is not one line of plain letters, digits and signs"));
    }
    Ok(secret.to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(listen: Option<&str>, secret: Option<&Path>) -> Result<Option<WebhookPlan>, String> {
        let webhook = listen.map(|text| address(text).unwrap());
        let webhook_secret_file = secret.map(Path::to_owned);
        let args = WebhookArgs { webhook, webhook_secret_file, webhook_url: None, webhook_replace: false };
        args.listen().map_err(|failure| failure.to_string())
    }

    #[test]
    fn calls_are_told_of_a_server_only_where_somebody_listens() {
        let server = |listen: Option<&str>, url: &str, target: Target| {
            let webhook = listen.map(|text| address(text).unwrap());
            let webhook_url = Some(url.to_owned());
            let args = WebhookArgs { webhook, webhook_secret_file: None, webhook_url, webhook_replace: false };
            args.plan(&target).map(|(_, server)| server.unwrap().url).map_err(|failure| failure.to_string())
        };
        let assistant = || Target::Assistant("a1".into());
        let here = Some("127.0.0.1:0");
        assert_eq!(server(here, "https://d.example.com", assistant()), Ok("https://d.example.com/".to_owned()));
        assert!(server(here, "http://127.0.0.1:8791/x", assistant()).is_ok());
        assert!(server(None, "https://d.example.com", assistant()).unwrap_err().contains("--webhook 127.0.0.1"));
        let args = WebhookArgs { webhook: None, webhook_secret_file: None, webhook_url: None, webhook_replace: true };
        assert!(args.plan(&assistant()).unwrap_err().to_string().contains("--webhook-url"));
        assert!(server(here, "https://d.example.com", Target::Workflow("w".into())).unwrap_err().contains("workflow"));
        for wrong in ["http://d.example.com", "ftp://127.0.0.1", "d.example.com", "https://u:s3cret@d.example.com"] {
            let said = server(here, wrong, assistant()).unwrap_err();
            assert!(said.contains("--webhook-url") && !said.contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn without_a_secret_only_this_machine_may_send() {
        let dir = tempfile::tempdir().unwrap();
        let (good, empty) = (dir.path().join("good"), dir.path().join("empty"));
        std::fs::write(&good, "hush-hush\n").unwrap();
        std::fs::write(&empty, "\n").unwrap();
        assert!(plan(None, None).unwrap().is_none());
        for loopback in ["127.0.0.1:0", "[::1]:0", "localhost:0"] {
            assert!(plan(Some(loopback), None).unwrap().is_some(), "{loopback}");
        }
        assert!(plan(Some("0.0.0.0:0"), None).unwrap_err().contains("--webhook-secret-file"));
        let whole = plan(Some("0.0.0.0:0"), Some(&good)).unwrap().unwrap();
        assert!(whole.secret.is_some() && !format!("{whole:?}").contains("hush"));
        for wrong in [empty, dir.path().join("missing")] {
            assert!(plan(Some("0.0.0.0:0"), Some(&wrong)).unwrap_err().contains("--webhook-secret-file"));
        }
        assert!(plan(None, Some(&good)).unwrap_err().contains("no --webhook"));
        assert!(address("8791").is_err() && address("example.com:1").is_err());
    }
}
