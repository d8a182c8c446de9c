//! One call as the provider shows it, in a listing or in the answer to a request.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::leads::lead::Phone;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;
use crate::time::Stamp;

/// `status` of a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Status {
    /// `scheduled`: holds no slot yet.
    Scheduled,
    /// `queued`.
    Queued,
    /// `ringing`.
    Ringing,
    /// `in-progress`.
    InProgress,
    /// `forwarding`: still holds its slot.
    Forwarding,
    /// `ended`.
    Ended,
    /// Anything else (`not-found`, `deletion-failed`, new ones).
    Other,
}

/// The rows of a listing. Whoever keeps them shares them: a listing that is the same one says nothing new.
pub type Listing = Arc<[Arc<SeenCall>]>;

/// What a listing or an answer shows of one call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct SeenCall {
    /// `id`.
    pub id: CallId,
    /// `orgId`.
    pub org: Option<Arc<str>>,
    /// `status`.
    pub status: Status,
    /// `createdAt`.
    pub created: Stamp,
    /// `updatedAt`, else `createdAt`.
    pub updated: Stamp,
    /// `startedAt`.
    pub started: Option<Stamp>,
    /// `endedAt`.
    pub ended: Option<Stamp>,
    /// `endedReason`.
    pub reason: Option<String>,
    /// Our attempt id, wherever the call carries it.
    pub attempt: Option<AttemptId>,
    /// `customer.number`, where it is one.
    pub phone: Option<Phone>,
    /// `cost`, in US dollars.
    pub cost: Option<f64>,
    /// Somebody spoke: a message of the role `user`, or a transcript that is not empty.
    pub spoke: bool,
    /// The row itself carries no mark: the attempt was told by the call's id, or by its number and time.
    pub unmarked: bool,
    /// The row holds nothing in any place where a mark can stand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bare: bool,
    /// `type` is `outboundPhoneCall`, or missing.
    pub outbound: bool,
    /// The analysis says that this person does not want to be called again.
    pub opt_out: bool,
    /// The provider has analysed what was said.
    #[serde(default)]
    pub analysed: bool,
    /// What it made of the call, for people and other programs: nothing is decided by it, and no trace has it.
    #[serde(skip)]
    pub analysis: Option<Arc<Analysis>>,
}

/// What the provider made of a call that is over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Analysis {
    /// `successEvaluation`.
    pub success: Option<String>,
    /// `summary`.
    pub summary: Option<String>,
    /// The structured data: a JSON object, as text.
    pub structured: Option<String>,
    /// Where the recording can be heard.
    pub recording_url: Option<String>,
    /// Letters of the transcript.
    pub transcript_chars: Option<u64>,
}

impl Analysis {
    /// Whether it says more than that the call was recorded.
    pub fn is_complete(&self) -> bool {
        self.success.is_some() || self.summary.is_some() || self.structured.is_some()
    }
}

impl SeenCall {
    /// Whether it has rung, as far as this shows.
    pub fn has_rung(&self) -> bool {
        self.started.is_some() || matches!(self.status, Status::Ringing | Status::InProgress | Status::Forwarding)
    }

    /// Since when the phone is answered, as far as this shows.
    pub fn answered(&self) -> Option<Stamp> {
        let talks = matches!(self.status, Status::InProgress | Status::Forwarding);
        self.started.or_else(|| talks.then_some(self.updated))
    }

    /// Whether it is over, and since when.
    pub fn end(&self) -> Option<Stamp> {
        let over = self.status == Status::Ended || self.ended.is_some();
        over.then(|| self.ended.unwrap_or(self.updated))
    }
}
