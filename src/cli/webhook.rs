//! Where the provider's server messages are taken, and what they have to prove.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::drive::webhook::WebhookPlan;
use crate::leads::shown::file;
use crate::private_file::read_whole;
use crate::report::failure::Failure;

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
}

impl WebhookArgs {
    /// What that means. The secret is read here, and shown nowhere.
    pub(super) fn plan(&self) -> Result<Option<WebhookPlan>, Failure> {
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

fn secret_from(path: &Path) -> Result<SecretString, Failure> {
    let wrong = |why: &str| {
        Failure::usage(format!("the secret in {} {why}", file(path))).advise("named by --webhook-secret-file")
    };
    let text = read_whole(path, LONGEST_SECRET).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
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
        let args = WebhookArgs { webhook, webhook_secret_file: secret.map(Path::to_owned) };
        args.plan().map_err(|failure| failure.to_string())
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
