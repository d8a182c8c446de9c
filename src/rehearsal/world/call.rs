//! One call of the pretended provider, and the request that made it.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::fault::Stripped;
use super::mix::Script;
use crate::campaign::seen::{SeenCall, Status};
use crate::leads::lead::Phone;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;
use crate::time::Stamp;

/// The pool's own ended reason (R01).
pub const POOL_REASON: &str = "call.start.error-subscription-concurrency-limit-reached";

/// What a minute from the answer to the end costs, in US dollars.
pub const USD_MINUTE: f64 = 0.0915;

/// What a request to place a call asks for.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct NewCall {
    /// `customer.number`.
    pub number: String,
    /// `name` of the call.
    pub name: Option<Arc<str>>,
    /// `customer.externalId`.
    pub external_id: Option<Arc<str>>,
    /// `assistantId`, or that of a squad or workflow.
    pub target: Option<String>,
    /// `phoneNumberId`.
    pub line: Option<String>,
    /// The parts of the request that the call gives back as they came (`customer`, `assistantOverrides`, ..).
    pub echo: Map<String, Value>,
}

/// `type` of a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// `outboundPhoneCall`.
    Outbound,
    /// `inboundPhoneCall`.
    Inbound,
    /// `webCall`.
    Web,
}

impl Kind {
    /// As the provider writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outbound => "outboundPhoneCall",
            Self::Inbound => "inboundPhoneCall",
            Self::Web => "webCall",
        }
    }
}

/// Whether listings show a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shown {
    /// Always.
    Always,
    /// Not before then; never more, if `for_good`, once it was asked for by its id.
    From { then: Stamp, for_good: bool },
    /// Never; or erased, if not even by its id.
    Never { erased: bool },
}

/// One call.
#[derive(Clone, PartialEq, Debug)]
pub struct FakeCall {
    /// `id`: a version 7 UUID.
    pub id: CallId,
    /// Whose it is, counted from 0.
    pub org: usize,
    /// `type`.
    pub kind: Kind,
    /// `status`.
    pub status: Status,
    /// What it was asked for with.
    pub request: Arc<NewCall>,
    /// `name`, which can change.
    pub name: Option<Arc<str>>,
    /// `createdAt`.
    pub created: Stamp,
    /// `updatedAt`.
    pub updated: Stamp,
    /// When a phone began to ring.
    pub rang: Option<Stamp>,
    /// `startedAt`: when somebody, or something, answered.
    pub started: Option<Stamp>,
    /// `endedAt`.
    pub ended: Option<Stamp>,
    /// `endedReason`.
    pub reason: Option<Cow<'static, str>>,
    /// When its slot was counted; none for a call that was blocked.
    pub counted: Option<Stamp>,
    /// When its slot was free again.
    pub released: Option<Stamp>,
    /// Slots that were free just before it was counted.
    pub free_before: u32,
    /// Cost, transcript and analysis are known.
    pub settled: bool,
    pub(super) script: Script,
    pub(super) shown: Shown,
    pub(super) stripped: Stripped,
    /// What a client reads in `name`, `customer.externalId` and `customer.number`.
    pub(super) attempt: Option<AttemptId>,
    pub(super) phone: Option<Phone>,
}

impl FakeCall {
    /// The attempt that a client finds in a call of that name, made by that request.
    pub(super) fn attempt_in(name: Option<&Arc<str>>, request: &NewCall) -> Option<AttemptId> {
        let named = name.and_then(AttemptId::shared);
        named.or_else(|| request.external_id.as_ref().and_then(AttemptId::shared))
    }

    /// US dollars; nothing until it is settled.
    pub fn cost(&self) -> f64 {
        if self.settled { (self.minutes() * USD_MINUTE * 10_000.0).round() / 10_000.0 } else { 0.0 }
    }

    /// Minutes from the answer to the end; none before the end.
    pub fn minutes(&self) -> f64 {
        let (Some(started), Some(ended)) = (self.started, self.ended) else { return 0.0 };
        ended.since(started).as_secs_f64() / 60.0
    }

    /// Whether a person spoke, once that is known.
    pub fn spoke(&self) -> bool {
        self.settled && self.started.is_some() && self.script.spoke
    }

    /// Whether a person asked not to be called again, once that is known.
    pub fn opted_out(&self) -> bool {
        self.spoke() && self.script.opt_out
    }

    /// Whether its data was erased.
    pub fn is_erased(&self) -> bool {
        self.shown == Shown::Never { erased: true }
    }

    pub(super) fn is_listed(&self, now: Stamp) -> bool {
        match self.shown {
            Shown::Always => true,
            Shown::From { then, .. } => then <= now,
            Shown::Never { .. } => false,
        }
    }

    /// What a client makes of its row in a listing.
    pub fn listed(&self, org: &Arc<str>) -> SeenCall {
        let mut seen = self.seen(org);
        seen.attempt = seen.attempt.filter(|_| !self.stripped.mark);
        seen.bare |= self.stripped.mark;
        seen.phone = seen.phone.filter(|_| !self.stripped.number);
        seen
    }

    /// The same as a clock would stamp it that is off by so many microseconds.
    #[must_use]
    pub fn shifted(&self, by: i64) -> Self {
        let shift = |at: Option<Stamp>| at.map(|at| at.shifted(by));
        Self {
            created: self.created.shifted(by),
            updated: self.updated.shifted(by),
            started: shift(self.started),
            ended: shift(self.ended),
            ..self.clone()
        }
    }

    /// What a client makes of it.
    pub fn seen(&self, org: &Arc<str>) -> SeenCall {
        SeenCall {
            id: self.id.clone(),
            org: Some(Arc::clone(org)),
            status: self.status,
            created: self.created,
            updated: self.updated,
            started: self.started,
            ended: self.ended,
            reason: self.reason.as_deref().map(str::to_owned),
            attempt: self.attempt.clone(),
            phone: self.phone,
            cost: Some(self.cost()),
            spoke: self.spoke(),
            opt_out: self.opted_out(),
            unmarked: false,
            bare: self.name.is_none() && self.request.external_id.is_none(),
            analysed: self.settled && self.started.is_some(),
            analysis: None,
            outbound: self.kind == Kind::Outbound,
        }
    }
}
