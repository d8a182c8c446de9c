//! What only a live run knows of how its campaign stands, as it tells other shells through the journal.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::happening::Snapshot;
use super::style::{Glyphs, moment};
use crate::journal::disk::story::Campaign;
use crate::leads::shown::plain;

/// How a run stands.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LiveStatus {
    /// It has taken the order to pause.
    pub paused: bool,
    /// It places no more calls: it was told to stop, or has to.
    pub stopping: bool,
    /// How it ended.
    pub ended: Option<EndedStatus>,
    /// The batch that is open.
    pub batch: Option<BatchStatus>,
    /// The pool.
    pub pool: Option<PoolStatus>,
    /// Calls placed a minute.
    pub calls_per_minute: Option<f64>,
    /// When every lead would be settled, at this pace.
    pub done_at: Option<Timestamp>,
    /// When the next lead may be called, where none may be called now.
    pub next_at: Option<Timestamp>,
    /// Why nobody is dialed at the moment, where that is not the pool's doing.
    pub held_up: Option<String>,
    /// What a page shows besides.
    pub page: PageStatus,
    /// Its metrics, as Prometheus reads them.
    pub metrics: String,
}

/// What a page shows of a run besides.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PageStatus {
    /// The list, as a person would name it.
    pub list: String,
    /// Slots reserved, as the option has them.
    pub reserve: String,
    /// It calls nobody: the stand-in answers.
    pub sandbox: bool,
    /// Leads settled a minute.
    pub settled_per_minute: Option<f64>,
    /// Calls placed by this run.
    pub placed: u64,
    /// What happened last, the newest first.
    pub notices: Vec<Line>,
    /// Calls that ended last, the newest first.
    pub calls: Vec<Line>,
}

/// Something that happened, in words; numbers are masked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// Somebody should look.
    pub trouble: bool,
    /// What.
    pub text: String,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EndedStatus {
    /// Its exit code.
    pub exit: u8,
    /// What that means.
    pub meaning: String,
    /// What a person was told at the end.
    pub report: String,
}

/// An open batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchStatus {
    /// Its number.
    pub number: u64,
    /// Leads of it that need no dialing any more for now.
    pub done: usize,
    /// Leads it was cut with.
    pub size: usize,
}

/// The pool: `free` are all free slots, of which the reserve may keep some.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolStatus {
    /// Slots of the pool.
    pub limit: u32,
    /// Calls of this campaign's run.
    pub ours: u32,
    /// Other calls.
    pub others: u32,
    /// Free slots.
    pub free: u32,
    /// Slots to be reserved at this hour.
    pub reserve: u32,
}

impl Campaign {
    /// What its newest run last told of itself.
    pub fn live_status(&self) -> Option<LiveStatus> {
        serde_json::from_str(&self.published.as_ref()?.status).ok()
    }
}

impl LiveStatus {
    /// What a snapshot says of it.
    pub fn of(snapshot: &Snapshot) -> Self {
        let gauges = &snapshot.gauges;
        Self {
            paused: gauges.paused,
            stopping: gauges.stopping,
            batch: snapshot.batch.map(|batch| BatchStatus { number: batch.number, done: batch.done, size: batch.size }),
            pool: Some(PoolStatus::of(snapshot)),
            next_at: gauges.next_at,
            held_up: snapshot.held_up.clone(),
            ..Self::default()
        }
    }

    /// What programs are told of it.
    pub fn json(&self) -> Value {
        json!({
            "batch": self.batch,
            "pool": self.pool,
            "calls_per_minute": self.calls_per_minute,
            "done_at": self.done_at.map(second),
            "next_at": self.next_at.map(|at| at.to_string()),
            "held_up": self.held_up,
        })
    }

    /// What a page shows of it, besides what programs are told.
    pub fn page_json(&self) -> Value {
        let mut page = serde_json::to_value(&self.page).expect("plain data with text for keys");
        page["ended"] = json!(self.ended);
        page
    }

    /// The same in a line for people; nothing where nothing is known.
    pub fn line(&self, now: Timestamp, zone: &TimeZone, glyphs: Glyphs) -> Option<String> {
        let mut parts = Vec::new();
        parts.extend(self.batch.map(|batch| format!("batch {}: {} of {}", batch.number, batch.done, batch.size)));
        parts.extend(self.pool.map(PoolStatus::words));
        parts.extend(self.calls_per_minute.map(|pace| format!("{pace:.1} calls a minute")));
        parts.extend(self.done_at.map(|at| format!("done about {}", moment(at, now, zone))));
        parts.extend(self.held_up.as_deref().map(plain));
        parts.extend(self.next_at.map(|at| format!("next call at {}", moment(at, now, zone))));
        (!parts.is_empty()).then(|| parts.join(&format!(" {} ", glyphs.dot)))
    }
}

impl PoolStatus {
    /// What a snapshot says of it.
    pub fn of(snapshot: &Snapshot) -> Self {
        let slots = snapshot.slots;
        Self {
            limit: slots.limit,
            ours: slots.ours,
            others: slots.others,
            free: slots.free + slots.kept,
            reserve: snapshot.gauges.reserve,
        }
    }

    fn words(self) -> String {
        let kept = self.free.min(self.reserve);
        let Self { limit, ours, others, free, .. } = self;
        format!("pool of {limit}: {ours} campaign, {others} other, {} available, {kept} reserved", free - kept)
    }
}

/// A time to the second: it is a forecast.
fn second(at: Timestamp) -> String {
    format!("{at:.0}")
}
