//! A run, or a campaign of the journal, as Prometheus metrics (text format 0.0.4). Every series carries the campaign and
//! its account; no label has a value for each lead, call or number.

use std::collections::{BTreeMap, HashMap};

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Encoder, Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};

use super::happening::{AttemptChange, Happening, Request, RequestKind, RequestOutcome, Snapshot};
use super::live_status::PoolStatus;
use crate::campaign::attempt::{Cause, State};
use crate::journal::Totals;
use crate::time::Instant;

/// What the format is called in HTTP.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;
/// Lines above a family's series: what it means, and of which type it is.
const HEAD_LINES: usize = 2;
/// Upper bounds of the latencies told apart, in seconds.
const LATENCIES: [f64; 11] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// What is known of a campaign whether it runs or not.
pub struct CampaignMetrics {
    registry: Registry,
    leads: GaugeVec,
    settled: GaugeVec,
    cost: Gauge,
    paused: Gauge,
    running: Gauge,
    slots: GaugeVec,
    limit: GaugeVec,
    reserve: GaugeVec,
}

/// What is known of a run.
pub struct RunMetrics {
    campaign: CampaignMetrics,
    dials: IntCounter,
    refusals: IntCounterVec,
    doubts: IntCounter,
    doubts_resolved: IntCounterVec,
    calls_ended: IntCounterVec,
    requests: IntCounterVec,
    latency: HistogramVec,
    requests_left: GaugeVec,
    observation_age: GaugeVec,
    lost: IntCounter,
    observed: Option<Instant>,
}

impl CampaignMetrics {
    /// Metrics of that campaign.
    pub fn new(campaign: &str, account: &str) -> Self {
        let labels = [("campaign", campaign), ("account", account)];
        let labels: HashMap<_, _> = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let registry =
            Registry::new_custom(Some("dialer".to_owned()), Some(labels)).expect("a prefix without odd signs");
        let slots = "Slots of the pool: this campaign's calls, other calls, free to dial with, free and reserved.";
        let limit = "Slots of the pool in all, as last seen or assumed.";
        let reserve = "Slots to be reserved for inbound callers at this hour.";
        Self {
            slots: gauges(&registry, "pool_slots", slots, &["kind"]),
            limit: gauges(&registry, "pool_limit_slots", limit, &[]),
            reserve: gauges(&registry, "pool_reserve_slots", reserve, &[]),
            leads: gauges(&registry, "leads", "Leads on the list by state; those put aside are in doubt.", &["state"]),
            settled: gauges(&registry, "settled_leads", "Settled leads by what settled them.", &["disposition"]),
            cost: gauge(&registry, "cost_usd", "What the campaign has cost over all its runs, in US dollars."),
            paused: gauge(&registry, "paused", "1 while dialer pause holds, else 0."),
            running: gauge(&registry, "running", "1 while a process runs the campaign, else 0."),
            registry,
        }
    }

    /// How it stands.
    pub fn set(&self, totals: &Totals, cost_usd: f64, paused: bool, running: bool) {
        for (state, leads) in [("settled", totals.settled), ("open", totals.open), ("in_doubt", totals.in_doubt)] {
            self.leads.with_label_values(&[state]).set(number(leads));
        }
        for (class, leads) in &totals.dispositions {
            self.settled.with_label_values(&[class.name()]).set(number(*leads));
        }
        self.cost.set(cost_usd);
        self.paused.set(f64::from(u8::from(paused)));
        self.running.set(f64::from(u8::from(running)));
    }

    /// How the pool stands, as its run sees it.
    pub fn set_pool(&self, pool: PoolStatus) {
        let PoolStatus { limit, ours, others, free, reserve } = pool;
        let kept = free.min(reserve);
        for (kind, slots) in [("ours", ours), ("others", others), ("free", free - kept), ("reserved", kept)] {
            self.slots.with_label_values(&[kind]).set(slots.into());
        }
        self.limit.with_label_values::<&str>(&[]).set(limit.into());
        self.reserve.with_label_values::<&str>(&[]).set(reserve.into());
    }

    /// As they are now.
    pub fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}

impl RunMetrics {
    /// Metrics of a run in which nothing has happened yet.
    pub fn new(campaign: &str, account: &str, totals: &Totals) -> Self {
        let campaign = CampaignMetrics::new(campaign, account);
        campaign.set(totals, totals.cost_usd, false, true);
        let registry = &campaign.registry;
        let age = "Seconds since the newest observation of the pool was received, on the run's clock.";
        let left = "Requests that this run may still make in this minute of UTC.";
        let refusals = "Calls that were surely not created: why, and the status of the answer; \
                        blocked and ended are a full pool's way to refuse a call that it has created.";
        let latency = HistogramOpts::new("request_duration_seconds", "How long requests took, on the run's clock.")
            .buckets(LATENCIES.to_vec());
        Self {
            dials: counter(registry, "dials_total", "Requests to place a call that this run has sent."),
            refusals: counters(registry, "refusals_total", refusals, &["cause", "shape"]),
            doubts: counter(registry, "doubts_total", "Attempts of which nobody knew whether a call was created."),
            doubts_resolved: counters(registry, "doubts_resolved_total", "Doubts that are over.", &["outcome"]),
            calls_ended: counters(registry, "calls_ended_total", "Calls that are over.", &["disposition"]),
            requests: counters(registry, "requests_total", "Requests to the provider.", &["kind", "outcome"]),
            latency: registered(registry, HistogramVec::new(latency, &["kind"])),
            requests_left: gauges(registry, "requests_left_this_minute", left, &[]),
            observation_age: gauges(registry, "observation_age_seconds", age, &[]),
            lost: counter(registry, "lost_events_total", "Events that these metrics have missed."),
            observed: None,
            campaign,
        }
    }

    /// Takes in what happened.
    pub fn hear(&mut self, happening: &Happening) {
        match happening {
            Happening::Stands(snapshot) => self.stands(snapshot),
            Happening::Requested(_, request) => self.requested(request),
            Happening::AttemptsChanged(_, changed) => changed.iter().for_each(|change| self.changed(*change)),
            Happening::Ended(_, ended) => {
                if let Some(totals) = &ended.totals {
                    self.campaign.set(totals, totals.cost_usd, self.campaign.paused.get() > 0.0, false);
                }
            }
            Happening::Told(..) | Happening::Said(..) | Happening::CallEnded(..) => {}
        }
    }

    /// So many happenings did not fit into the queue.
    pub fn lost(&mut self, lost: u64) {
        self.lost.inc_by(lost);
    }

    /// As they are now.
    pub fn gather(&self, now: Instant) -> Vec<MetricFamily> {
        if let Some(observed) = self.observed {
            self.observation_age.with_label_values::<&str>(&[]).set(now.since(observed).as_secs_f64());
        }
        self.campaign.gather()
    }

    fn stands(&mut self, snapshot: &Snapshot) {
        let gauges = &snapshot.gauges;
        self.campaign.set_pool(PoolStatus::of(snapshot));
        self.observed = gauges.observed;
        if let Some(left) = gauges.requests_left {
            self.requests_left.with_label_values::<&str>(&[]).set(left.into());
        }
        self.campaign.set(&gauges.totals, gauges.cost_usd, gauges.paused, true);
    }

    fn requested(&self, request: &Request) {
        let kind = match request.kind {
            RequestKind::Dial => "dial",
            RequestKind::Read => "read",
        };
        let outcome = match request.outcome {
            RequestOutcome::Answered => "answered",
            RequestOutcome::Refused => "refused",
            RequestOutcome::Failed => "failed",
        };
        self.requests.with_label_values(&[kind, outcome]).inc();
        self.latency.with_label_values(&[kind]).observe(request.took.as_secs_f64());
        if request.kind == RequestKind::Dial {
            self.dials.inc();
        }
    }

    fn changed(&self, change: AttemptChange) {
        let AttemptChange { was, now, .. } = change;
        if was == Some(now) {
            return;
        }
        if let Some((cause, shape)) = refusal(change) {
            self.refusals.with_label_values(&[cause.name(), &shape]).inc();
        }
        match now {
            State::InDoubt => self.doubts.inc(),
            State::Ended(class) if was.is_none_or(State::is_live) => {
                self.calls_ended.with_label_values(&[class.name()]).inc();
            }
            _ => {}
        }
        if was == Some(State::InDoubt) {
            let outcome = match now {
                State::Refused(_) => "absent",
                State::Parked => "parked",
                _ => "found",
            };
            self.doubts_resolved.with_label_values(&[outcome]).inc();
        }
    }
}

/// Why the change is a refusal, and its shape: a status, or a full pool's way to refuse a call that it has created.
fn refusal(change: AttemptChange) -> Option<(Cause, String)> {
    let blocked = State::Placed { blocked: true };
    match (change.was, change.now) {
        (was, now) if now == blocked && was != Some(blocked) => Some((Cause::Pool, "blocked".to_owned())),
        // It was counted when it was blocked; a doubt that is proven absent, or a claim taken back, is no refusal.
        (Some(was), State::Refused(_)) if was == blocked => None,
        (_, State::Refused(Cause::Absent | Cause::Withdrawn)) | (Some(State::Refused(_)), _) => None,
        (_, State::Refused(Cause::Connect)) => Some((Cause::Connect, "none".to_owned())),
        (_, State::Refused(cause)) => {
            Some((cause, change.status.map_or_else(|| "ended".to_owned(), |status| status.to_string())))
        }
        _ => None,
    }
}

/// Metrics as a text.
pub fn text(mut families: Vec<MetricFamily>) -> String {
    // The registry appends its common labels in any order.
    for metric in families.iter_mut().flat_map(MetricFamily::mut_metric) {
        metric.mut_label().sort();
    }
    let mut text = Vec::new();
    // Writing to memory cannot fail, and every family here has a name and a series.
    let _ = TextEncoder::new().encode(&families, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// The metrics of several campaigns as one text: a family's series stand together, under what was first said of it.
pub fn joined(texts: &[String]) -> String {
    const HELP: &str = "# HELP ";
    let mut families: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for family in texts.iter().flat_map(|text| text.split(HELP)) {
        let Some((name, lines)) = family.split_once(' ') else { continue };
        let known = families.entry(name).or_default();
        let is_new = known.is_empty();
        known.extend(lines.lines().enumerate().filter(|(nth, _)| is_new || *nth >= HEAD_LINES).map(|(_, line)| line));
    }
    let families = families.into_iter().map(|(name, lines)| format!("{HELP}{name} {}\n", lines.join("\n")));
    families.collect()
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Gauge {
    registered(registry, Gauge::new(name, help))
}

fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
    registered(registry, GaugeVec::new(Opts::new(name, help), labels))
}

fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    registered(registry, IntCounter::new(name, help))
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    registered(registry, IntCounterVec::new(Opts::new(name, help), labels))
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let metric = made.expect("names and labels are written here");
    registry.register(Box::new(metric.clone())).expect("each name is registered once");
    metric
}

#[expect(clippy::cast_precision_loss, reason = "no list has 2^52 leads")]
fn number(leads: u64) -> f64 {
    leads as f64
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
