//! What passes between a run and the pretended provider: requests, listings and answers, as the client would tell them.

use std::sync::Arc;
use std::time::Duration;

use super::super::world::Filter;
use super::super::world::answer::{Answer, Reply};
use super::super::world::call::NewCall;
use super::{Due, Listed, Page, Simulation};
use crate::campaign::event::{News, Query, ReadFailure, ReadTrouble};
use crate::campaign::seen::{Listing, SeenCall};
use crate::journal::claim::Claim;
use crate::journal::{Error, Journal};
use crate::pool::news::RequestTiming;
use crate::time::{Instant, Now, Stamp, sooner};
use crate::vapi::failure::{self, Own};

impl<J: Journal> Simulation<J> {
    /// Sends a read on its way.
    pub(super) fn ask(&mut self, place: usize, of: Listed, query: Query, now: Now) {
        let skipped = self.polls_to_skip(place, &query, now).filter(|_| of.watched.is_none());
        let leaves = self.world.now() + skipped.unwrap_or_default();
        self.later(leaves + self.read_travel / 2, Due::Read(place, of, query, self.ours(leaves)));
    }

    /// How long a run goes on polling before a read can show it anything new, or before it wakes for another reason.
    fn polls_to_skip(&self, place: usize, query: &Query, now: Now) -> Option<Duration> {
        let run = self.runs[place].as_ref().filter(|_| self.skips_polls && matches!(query, Query::Updated { .. }))?;
        let knows_all = run.read_at > self.asked_at.max(self.world.freed_at(run.minds_costs));
        let wakeup = run.campaign.next_wakeup(now).map(|at| self.theirs(at));
        let change = sooner(self.world.next_free(run.minds_costs), wakeup)
            .filter(|_| knows_all && run.campaign.waits_for_room())?;
        let polls = change.since(self.world.now()).as_micros().div_ceil(run.poll.as_micros().max(1));
        Some(run.poll.saturating_mul(u32::try_from(polls).ok()?))
    }

    pub(super) fn read(&mut self, place: usize, of: Listed, query: &Query, sent: Instant) {
        let Some(own) = self.runs[place].as_ref().map(|run| run.org) else { return };
        // Those that are watched are all but the run's own, in order.
        let org = of.watched.map_or(own, |other| if other < own { other } else { other + 1 });
        let at = self.world.now();
        if let Some(run) = self.runs[place].as_mut().filter(|_| of.watched.is_none()) {
            run.read_at = Some(at);
        }
        let received = self.ours(at + self.read_travel / 2);
        let wrong = self.world.read_stamps();
        let date = Some(cut(at.shifted(wrong.date)));
        let due = if self.world.read_fails() {
            let message = "500: Internal Server Error".to_owned();
            let failure = ReadFailure { kind: ReadTrouble::Fault, sent, received, date, message };
            Due::Unread(place, of, Box::new(failure))
        } else {
            let (calls, full) = self.look(org, query);
            let calls =
                if wrong.calls == 0 { calls } else { calls.iter().map(|row| shifted(row, wrong.calls)).collect() };
            Due::Listed(place, Page { of, wire: RequestTiming { sent, received, date }, calls, full })
        };
        self.later(at + self.read_travel / 2, due);
    }

    fn look(&mut self, org: usize, query: &Query) -> (Listing, bool) {
        let at = self.world.now();
        let end = Stamp::from_micros(i64::MAX);
        let filter = match query {
            Query::Updated { from, to, limit } => {
                Filter { updated: (*from, to.unwrap_or(end)), limit: usize::from(*limit), ..Filter::default() }
            }
            Query::Created { from, to, limit } => {
                Filter { created: (*from, to.unwrap_or(end)), limit: usize::from(*limit), ..Filter::default() }
            }
            Query::One(id) => {
                return (self.world.row(at, org, id.as_str()).into_iter().collect(), false);
            }
        };
        let calls = self.world.rows(at, org, &filter);
        let full = calls.len() >= filter.limit;
        (calls, full)
    }

    pub(super) fn reply(&mut self, reply: Reply) -> Result<(), Error> {
        let Some(sent) = self.posts.remove(&reply.post) else { return Ok(()) };
        let wire = RequestTiming { sent: sent.at, received: self.now().at, date: Some(cut(reply.left)) };
        let attempt = sent.attempt;
        let org = self.runs[sent.run].as_ref().map_or(0, |run| run.org);
        let news = match reply.answer {
            Answer::Created(call, limits) => {
                News::Answered { attempt, wire, call: Box::new(call.seen(&self.world.org_id(org))), limits }
            }
            Answer::Refused(refusal) => {
                let body = refusal.body().to_string();
                let retry_after = refusal.retry_after.map(|wait| wait.as_secs().to_string());
                let answer = failure::HttpAnswer {
                    status: refusal.status,
                    body: &body,
                    cut: None,
                    retry_after: retry_after.as_deref(),
                    date: wire.date,
                };
                failure::sort(failure::Outcome::HttpAnswer(answer), Own::default(), None).news(
                    attempt,
                    wire,
                    str::to_owned,
                )
            }
            Answer::Error(status) | Answer::Html(status) => News::Failed { attempt, wire, message: status.to_string() },
            Answer::Dropped => {
                let wire = RequestTiming { date: None, ..wire };
                News::Failed { attempt, wire, message: "connection closed before the answer".to_owned() }
            }
        };
        self.tell(sent.run, news)
    }
}

pub(super) fn request(claim: &Claim, line: String) -> NewCall {
    let attempt = Some(claim.attempt().text());
    NewCall {
        number: claim.lead().phone.to_string(),
        name: attempt.clone(),
        external_id: attempt,
        target: Some("assistant".to_owned()),
        line: Some(line),
        ..NewCall::default()
    }
}

/// A row as a clock would stamp it that is off by so many microseconds.
fn shifted(row: &SeenCall, by: i64) -> Arc<SeenCall> {
    let shift = |at: Option<Stamp>| at.map(|at| at.shifted(by));
    Arc::new(SeenCall {
        created: row.created.shifted(by),
        updated: row.updated.shifted(by),
        started: shift(row.started),
        ended: shift(row.ended),
        ..row.clone()
    })
}

/// A `Date` header is cut to the second.
fn cut(at: Stamp) -> Stamp {
    Stamp::from_micros(at.as_micros().div_euclid(1_000_000) * 1_000_000)
}
