//! `dialer sandbox`: a stand-in for the API, on loopback, until Ctrl-C.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;

use crate::leads::lead::Phone;
use crate::rehearsal::sandbox::{ASSISTANT, LINE, Running, SandboxConfig, real_clock, start};
use crate::rehearsal::world::config::{BlockedAs, ProviderConfig, Traffic};
use crate::rehearsal::world::fault::{Fault, Faults};

/// The longest that any of its lengths may be.
const LONGEST: Duration = Duration::from_hours(24);

const AFTER: &str = "Every id of an assistant, squad, workflow or line is known, but those that begin with `missing`. A line \
                     whose id begins with `blocked` or `activating` is so; one whose id begins with `vapi` is the \
                     provider's own: ten calls a day, within North America. An assistant whose id begins with \
                     `served` has a server of its own. The end of a call, and its report, are told to the server that \
                     its request named, on this machine alone.";

/// A stand-in for the API, on loopback: nobody is called
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Where it listens; loopback only, port 0 takes any
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8790", value_parser = loopback)]
    listen: SocketAddr,
    /// Slots of the pool
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = super::values::some_slots)]
    slots: u32,
    /// Calls that come by themselves in an hour, on the average; one in ten from a web page
    #[arg(long, value_name = "N", default_value_t = 40.0, value_parser = amount)]
    inbound_per_hour: f64,
    /// How long one of them talks, on the average
    #[arg(long, value_name = "D", default_value = "3m", value_parser = span)]
    inbound_mean: Duration,
    /// Divides the lengths of rings, talks and gaps
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// All chance comes from here
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The key that it takes; any if none is named
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// How a full pool refuses: 400, 400-bare, 201, ended or 429
    #[arg(long, value_name = "SHAPE", default_value = "400", value_parser = blocked_as)]
    blocked_as: BlockedAs,
    /// How likely a request meets a fault, from 0 to 1; repeatable. 429, 429-retry-after, 5xx-before, 5xx-after,
    /// drop-before, drop-after, slow, html, no-limits, minus-one, forgotten, late-create, wrong-stamp, no-mark, no-number;
    /// read-5xx for reads
    #[arg(long, value_name = "NAME=P", value_parser = fault)]
    fault: Vec<(Fault, f64)>,
    /// A slot is free again this long after its call's end
    #[arg(long, value_name = "D", default_value = "0s", value_parser = span)]
    release_lag: Duration,
    /// Organisations that share the pool; the second's key is KEY-org-2
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    orgs: u16,
    /// No credit is left after this many calls
    #[arg(long, value_name = "N")]
    fail_after: Option<u64>,
    /// A number in E.164 that it takes for none; repeatable
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    refuse: Vec<Phone>,
}

impl Args {
    /// What they ask for.
    pub fn config(self) -> SandboxConfig {
        let faults = self.fault.iter().fold(Faults::default(), |all, (fault, likely)| all.with(*fault, *likely));
        let world = ProviderConfig {
            slots: self.slots,
            orgs: usize::from(self.orgs),
            traffic: vec![Traffic::inbound(self.inbound_per_hour, self.inbound_mean)],
            speed: self.speed,
            blocked_as: self.blocked_as,
            faults,
            release_lag: self.release_lag,
            fail_after: self.fail_after,
            refused: self.refuse.iter().map(Phone::to_string).collect(),
            ..ProviderConfig::default()
        };
        SandboxConfig { listen: self.listen, key: self.key, world, seed: self.seed }
    }
}

/// Serves it until Ctrl-C. On stdout, what to set so that `dialer` finds it; on stderr, talk.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let (listen, key) = (args.listen, args.key.clone());
    let running = start(args.config(), real_clock(), 1.0)
        .await
        .with_context(|| format!("the sandbox cannot listen on {listen} (--listen)"))?;
    point_at(&running, key.as_deref());
    tokio::signal::ctrl_c().await.context("Ctrl-C cannot be caught")?;
    let told = running.world(|world, _| {
        let (counts, rung) = (world.counts(), world.rung());
        let twice = rung.values().filter(|times| **times > 1).count();
        format!(
            "{} calls; {} numbers called, {twice} of them more than once; {} callers, {} turned away",
            world.calls().len(),
            rung.len(),
            counts.offered,
            counts.denied
        )
    });
    eprintln!("{told}");
    running.stop().await.context("the sandbox did not end cleanly")
}

fn point_at(running: &Running, key: Option<&str>) {
    eprintln!("a stand-in for the API, on loopback: nobody is called; Ctrl-C ends it. In another shell:");
    let key = key.map_or("export VAPI_API_KEY=any", |_| "# VAPI_API_KEY: what --key says");
    let base = running.base_url();
    let lines = format!(
        "export VAPI_BASE_URL={base}\n{key}\nexport VAPI_ASSISTANT_ID={ASSISTANT}\nexport VAPI_PHONE_NUMBER_ID={LINE}\n"
    );
    let mut out = std::io::stdout().lock();
    // Nobody may be reading: it is served all the same.
    let _unread = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let listen: SocketAddr =
        text.parse().map_err(|_| "not an address and a port, such as 127.0.0.1:8790".to_owned())?;
    if listen.ip().is_loopback() { Ok(listen) } else { Err("it listens on loopback only: try 127.0.0.1".into()) }
}

fn amount(text: &str) -> Result<f64, String> {
    bounded(text, 0.0, 1e6)
}

fn speed(text: &str) -> Result<f64, String> {
    bounded(text, 0.01, 1e4)
}

fn bounded(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (least..=most).contains(&number) { Ok(number) } else { Err(format!("must be from {least} to {most}")) }
}

fn span(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(span) if span <= LONGEST => Ok(span),
        Ok(_) => Err("longer than a day".into()),
        Err(_) => Err("not a length of time; write it as 100ms, 2s or 10m".into()),
    }
}

fn blocked_as(text: &str) -> Result<BlockedAs, String> {
    BlockedAs::named(text).ok_or_else(|| format!("one of {}", BlockedAs::ALL.map(BlockedAs::name).join(", ")))
}

fn fault(text: &str) -> Result<(Fault, f64), String> {
    let (name, likely) = text.split_once('=').ok_or("write it as NAME=P, for instance slow=0.1")?;
    let fault = Fault::named(name).ok_or_else(|| format!("one of {}", Fault::ALL.map(Fault::name).join(", ")))?;
    Ok((fault, bounded(likely, 0.0, 1.0)?))
}

fn number(text: &str) -> Result<Phone, String> {
    Phone::from_e164(text).ok_or_else(|| "not a number in E.164, such as +14155550100".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct ParsedArgs {
        #[command(flatten)]
        args: Args,
    }

    fn typed(line: &str) -> Result<SandboxConfig, String> {
        let words = std::iter::once("sandbox").chain(line.split_whitespace());
        ParsedArgs::try_parse_from(words).map(|typed| typed.args.config()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let config = typed("").unwrap();
        assert_eq!((config.listen.to_string().as_str(), config.seed, config.key), ("127.0.0.1:8790", 1, None));
        assert_eq!(config.world, ProviderConfig::default());
    }

    #[test]
    fn every_flag_arrives() {
        let line = "--listen 127.0.0.1:0 --slots 4 --inbound-per-hour 10 --inbound-mean 90s --speed 20 --seed 7 --key k \
                    --blocked-as 201 --fault slow=0.25 --fault drop-after=1 --release-lag 2s --orgs 3 --fail-after 9 \
                    --refuse +14155550100";
        let config = typed(line).unwrap();
        let world = &config.world;
        assert_eq!((config.seed, config.key.as_deref(), world.slots, world.orgs), (7, Some("k"), 4, 3));
        assert_eq!((world.faults.of(Fault::Slow), world.faults.of(Fault::DropAfter)), (0.25, 1.0));
        assert_eq!((world.blocked_as, world.fail_after, world.speed), (BlockedAs::Created, Some(9), 20.0));
        assert_eq!(world.traffic, [Traffic::inbound(10.0, Duration::from_secs(90))]);
        assert!(world.refused.contains("+14155550100") && world.release_lag == Duration::from_secs(2));
    }

    #[test]
    fn wrong_values_are_told_what_is_right() {
        for (line, says) in [
            ("--listen 0.0.0.0:8790", "loopback only"),
            ("--listen 8790", "127.0.0.1:8790"),
            ("--fault slow", "NAME=P"),
            ("--fault flood=1", "429-retry-after"),
            ("--fault slow=2", "from 0 to 1"),
            ("--blocked-as 500", "400-bare"),
            ("--speed 0", "must be from"),
            ("--orgs 0", "1..=100"),
            ("--release-lag soon", "100ms"),
            ("--refuse 0171", "E.164"),
        ] {
            let error = typed(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
