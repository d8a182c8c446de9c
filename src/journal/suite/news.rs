//! News as the provider would send them.

use std::sync::Arc;

use super::bench::{at, stamp};
use crate::campaign::attempt::Cause;
use crate::campaign::event::{News, ReadId};
use crate::campaign::seen::{SeenCall, Status};
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;
use crate::pool::news::{Limits, RequestTiming};

pub(crate) fn wire(seconds: i64) -> RequestTiming {
    RequestTiming { sent: at(seconds - 1).at, received: at(seconds).at, date: Some(stamp(seconds)) }
}

/// The call of an attempt as it is queued.
pub(crate) fn queued(attempt: &AttemptId, seconds: i64) -> SeenCall {
    SeenCall {
        id: CallId::new(&format!("call of {attempt}")),
        org: Some("org-1".into()),
        status: Status::Queued,
        created: stamp(seconds),
        updated: stamp(seconds),
        started: None,
        ended: None,
        reason: None,
        attempt: Some(attempt.clone()),
        phone: None,
        cost: None,
        spoke: false,
        opt_out: false,
        unmarked: false,
        bare: false,
        analysed: false,
        analysis: None,
        outbound: true,
    }
}

/// The same over, for that reason.
pub(crate) fn ended(attempt: &AttemptId, reason: &str, seconds: i64) -> SeenCall {
    let call = queued(attempt, seconds - 15);
    let (updated, ended) = (stamp(seconds), Some(stamp(seconds)));
    SeenCall { status: Status::Ended, updated, ended, reason: Some(reason.to_owned()), cost: Some(0.05), ..call }
}

pub(crate) fn answered(attempt: &AttemptId, seconds: i64) -> News {
    let limits = Some(Limits { blocked: false, limit: Some(10), remaining: Some(5) });
    News::Answered { attempt: attempt.clone(), wire: wire(seconds), call: Box::new(queued(attempt, seconds)), limits }
}

pub(crate) fn refused(attempt: &AttemptId, cause: Cause, seconds: i64) -> News {
    News::Refused {
        attempt: attempt.clone(),
        wire: wire(seconds),
        cause,
        limits: None,
        retry_after: None,
        message: "400: no".to_owned(),
        key: false,
    }
}

pub(crate) fn failed(attempt: &AttemptId, seconds: i64) -> News {
    News::Failed { attempt: attempt.clone(), wire: wire(seconds), message: "no answer for 30 s".to_owned() }
}

pub(crate) fn listed(calls: Vec<SeenCall>, seconds: i64) -> News {
    let calls = calls.into_iter().map(Arc::new).collect();
    News::Listed { read: ReadId(1), wire: wire(seconds), calls, full: false, unread: None, no_offset: false }
}
