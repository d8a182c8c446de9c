//! What the loop tells its observers: how things stand, what happened, and each request that is over.

use super::{Incoming, Loop};
use crate::campaign::attempt::Cause;
use crate::campaign::event::{News, ReadTrouble};
use crate::campaign::notice::Notice;
use crate::pool::news::RequestTiming;
use crate::report::happening::{Gauges, Happening, OpenBatch, Request, RequestKind, RequestOutcome, Snapshot};
use crate::report::notice::Severity;
use crate::time::Now;

impl<J> Loop<'_, J> {
    /// How things stand.
    pub(super) fn show(&mut self) {
        let now = self.clock.now();
        self.shown = now.at;
        let campaign = &self.campaign;
        let totals = self.notes.totals.clone();
        let snapshot = Snapshot {
            now,
            total: totals.total,
            settled: totals.settled,
            batch: campaign.batch().map(|(number, done, size)| OpenBatch { number, done, size }),
            slots: campaign.slots(now),
            held_up: campaign.held_up(),
            gauges: Gauges {
                totals,
                reserve: campaign.reserved(now),
                observed: campaign.observed(),
                paused: campaign.is_paused(),
                stopping: campaign.is_stopping(),
                cost_usd: campaign.cost_usd(),
                lowest_free: campaign.tally().lowest_free,
                below_reserve: campaign.tally().below_reserve,
                next_at: campaign.next_lead_at(),
                requests_left: campaign.requests_left(now),
            },
        };
        self.observers.tell(Happening::Stands(snapshot));
    }

    pub(super) fn tell(&mut self, now: Now, notice: Notice) {
        let phone = self.notes.phone_of(&notice);
        self.observers.tell(Happening::Told(now, notice, phone));
    }

    pub(super) fn say(&mut self, now: Now, severity: Severity, words: &str) {
        self.observers.tell(Happening::Said(now, severity, words.to_owned()));
    }

    /// A request has come back.
    pub(super) fn tell_request(&mut self, now: Now, incoming: &Incoming) {
        if let Some(request) = request(incoming) {
            self.observers.tell(Happening::Requested(now, request));
        }
    }
}

/// The request that this came of; none where nothing was sent.
fn request(incoming: &Incoming) -> Option<Request> {
    use {RequestKind as Kind, RequestOutcome as Outcome};
    let over = |kind, outcome, wire: &RequestTiming| Request { kind, outcome, took: wire.received.since(wire.sent) };
    Some(match incoming {
        Incoming::News(news) => match &**news {
            News::Answered { wire, .. } => over(Kind::Dial, Outcome::Answered, wire),
            News::Refused { wire, cause, .. } if *cause == Cause::Connect => over(Kind::Dial, Outcome::Failed, wire),
            News::Refused { wire, .. } => over(Kind::Dial, Outcome::Refused, wire),
            News::Failed { wire, .. } => over(Kind::Dial, Outcome::Failed, wire),
            News::Listed { wire, .. } => over(Kind::Read, Outcome::Answered, wire),
            _ => return None,
        },
        Incoming::Watched(_, Ok(news)) => match &**news {
            News::Listed { wire, .. } => over(Kind::Read, Outcome::Answered, wire),
            _ => return None,
        },
        Incoming::ReadFailed(_, failure) | Incoming::Watched(_, Err((_, failure))) => {
            let outcome = match failure.kind {
                ReadTrouble::Rate(_) | ReadTrouble::Forbidden | ReadTrouble::Key => Outcome::Refused,
                ReadTrouble::Fault | ReadTrouble::TooLarge => Outcome::Failed,
            };
            Request { kind: Kind::Read, outcome, took: failure.received.since(failure.sent) }
        }
    })
}
