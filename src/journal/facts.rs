//! What is known of an attempt, and what news adds to it.
//!
//! Every function here only ever adds: telling the same twice changes nothing, and the order of an answer and a
//! listing does not matter.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::campaign::attempt::{CallEnd, Cause, Facts, State};
use crate::campaign::event::LeadId;
use crate::campaign::reply::Open;
use crate::campaign::retry::Contact;
use crate::campaign::seen::SeenCall;
use crate::leads::lead::Phone;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::{Call, CallId, Post};
use crate::pool::news::{Limits, RequestTiming};
use crate::pool::offset::FARTHEST;
use crate::time::{Instant, Now, Stamp, micros};

/// How an attempt came into the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A claim of this journal made it.
    Claimed,
    /// A listing showed a call with a mark, and no attempt of this journal has made it. It says nothing of any lead.
    Found,
    /// It was found, and then taken in.
    Adopted,
}

/// One attempt: where it came from, and every fact that is known of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Attempt {
    /// The id that it carries to the provider.
    pub id: AttemptId,
    /// How it came into the journal.
    pub origin: Origin,
    /// The campaign's number in the journal.
    pub campaign: i64,
    /// The lead; none where it cannot be told which one of several it rang, or nobody was found to match.
    pub lead: Option<LeadId>,
    /// The number; none where it was not shown, or the person is forgotten.
    pub phone: Option<Phone>,
    /// The run that claimed it.
    pub run: Option<i64>,
    /// The line that it was called from (a phone number id).
    pub line: Option<Arc<str>>,
    /// When it was claimed, or when its call was created where no claim is known.
    pub claimed: Instant,
    /// The same on the wall clock.
    pub began: Timestamp,
    /// The provider's time then, at the least.
    pub provider_time: Stamp,
    /// How its request went.
    pub post: Option<Post>,
    /// What is known of its life.
    pub facts: Facts,
    /// Its call.
    pub call: Option<CallId>,
    /// When the call was created.
    pub created: Option<Stamp>,
    /// When this journal first knew that there is a call.
    pub shown: Option<Instant>,
    /// The newest change of the call that was seen.
    pub updated: Option<Stamp>,
    /// What the call has cost, in US dollars, as of its newest change.
    pub cost: Option<f64>,
    /// The person does not want to be called again.
    pub opt_out: bool,
    /// The refusal was taken back as one that said nothing of the lead.
    pub reopened: bool,
    /// A second call that carries the same attempt id.
    pub twin: Option<CallId>,
    /// Why it was refused or failed, in the provider's words.
    pub message: Option<Arc<str>>,
}

impl Attempt {
    /// What the facts mean.
    pub fn state(&self) -> State {
        self.facts.state()
    }

    /// One of which nothing is known but where it comes from.
    pub(crate) fn new(id: AttemptId, origin: Origin, campaign: i64, claimed: Now, provider_time: Stamp) -> Self {
        Self {
            id,
            origin,
            campaign,
            lead: None,
            phone: None,
            run: None,
            line: None,
            claimed: claimed.at,
            began: claimed.wall,
            provider_time,
            post: None,
            facts: Facts::default(),
            call: None,
            created: None,
            shown: None,
            updated: None,
            cost: None,
            opt_out: false,
            reopened: false,
            twin: None,
            message: None,
        }
    }

    /// A call that nobody here has claimed.
    pub(super) fn found(id: AttemptId, campaign: i64, seen: &SeenCall, now: Now) -> Self {
        let created = Now { at: Instant::from_micros(seen.created.as_micros()), wall: seen.created.timestamp() };
        let mut attempt = Self { phone: seen.phone, ..Self::new(id, Origin::Found, campaign, created, seen.created) };
        attempt.sight(seen, now.at);
        attempt
    }

    /// Takes in what a listing or an answer shows of its call.
    pub(super) fn sight(&mut self, seen: &SeenCall, at: Instant) {
        if self.call.as_ref().is_some_and(|call| *call != seen.id) {
            self.twin.get_or_insert_with(|| seen.id.clone());
            return;
        }
        if self.call.is_none() {
            self.call = Some(seen.id.clone());
        }
        self.created = Some(self.created.map_or(seen.created, |known| known.min(seen.created)));
        self.shown.get_or_insert(at);
        if self.updated.is_none_or(|known| known <= seen.updated) {
            self.updated = Some(seen.updated);
            self.cost = seen.cost.filter(|cost| cost.is_finite() && *cost >= 0.0).or(self.cost);
        }
        self.opt_out |= seen.opt_out;
        let facts = &mut self.facts;
        facts.created = true;
        // A blocked call that was proven absent and is shown all the same was not refused.
        facts.blocked &= facts.absent.is_none() || seen.end().is_some();
        facts.rung |= seen.has_rung();
        // Nobody is answered before he is called, whatever a stamp says.
        let answered = seen.answered().map(|at| at.max(self.provider_time - FARTHEST));
        facts.started = match (facts.started, answered) {
            (Some(known), Some(shown)) => Some(known.min(shown)),
            (known, shown) => known.or(shown),
        };
        facts.spoke |= seen.spoke;
        if let Some(ended) = seen.end() {
            end(facts, ended, seen.reason.as_deref().unwrap_or_default());
        }
    }

    /// Takes in the 2xx to its request.
    pub(super) fn answer(&mut self, wire: RequestTiming, seen: &SeenCall, limits: Option<Limits>, at: Instant) {
        let taken = limits.and_then(Limits::taken);
        self.post.get_or_insert(Post { sent: wire.sent, received: wire.received, taken });
        if self.call.as_ref().is_none_or(|call| *call == seen.id) {
            self.facts.blocked |= limits.is_some_and(|limits| limits.blocked);
        }
        self.sight(seen, at);
    }

    /// Takes in that it was surely not created.
    pub(super) fn refuse(&mut self, cause: Cause, message: &str) {
        if self.facts.refused.is_none() {
            self.facts.refused = Some(cause);
            self.explain(message);
        }
    }

    /// Takes in that nobody knows whether it was created, since then.
    pub(super) fn fail(&mut self, since: Instant, message: &str) {
        self.facts.failed = self.facts.failed.max(Some(since));
        self.explain(message);
    }

    fn explain(&mut self, message: &str) {
        const LONGEST: usize = 300;
        if self.message.is_none() && !message.is_empty() {
            self.message = Some(message.chars().take(LONGEST).collect::<String>().into());
        }
    }

    /// Whether it is a live claim, which alone may hold its number: one that was never refused or parked, and is not
    /// over. A call that comes to light after that holds none.
    pub(super) fn holds_number(&self) -> bool {
        let facts = &self.facts;
        let written_off = facts.refused.is_some() || facts.absent.is_some() || facts.parked.is_some();
        self.origin == Origin::Claimed && !written_off && facts.ended.is_none() && !facts.given_up
    }

    /// The attempt for the run that is to follow it.
    pub(super) fn open(&self, ours: bool, in_doubt: Option<Duration>) -> Open {
        Open {
            attempt: self.id.clone(),
            call: self.call.clone(),
            phone: self.phone,
            ours,
            line: self.line.clone(),
            in_doubt,
            state: self.state(),
            failed: self.facts.failed,
            provider_time: self.provider_time.min(Stamp::from_micros(self.claimed.as_micros())),
            created: self.created,
        }
    }

    /// Its place among the contacts of its lead, once it is over and counts.
    pub(super) fn contact(&self, state: State) -> Option<Contact> {
        let State::Ended(class) = state else { return None };
        let end = self.facts.ended.as_ref().map_or(self.began, |end| self.on_our_wall(end.at));
        let answered = self.facts.started.is_some() || self.facts.spoke;
        Some(Contact { began: self.began, ended: end.max(self.began), class, answered })
    }

    /// A time of the provider's on the wall clock of this machine, as far as the two are known to be apart: how far they
    /// were at the claim.
    pub fn on_our_wall(&self, at: Stamp) -> Timestamp {
        /// What is less than this may be nothing but a `Date` that is cut to the second.
        const KNOWN: i64 = 2_000_000;
        let ahead = Stamp::from(self.began).as_micros() - self.provider_time.as_micros();
        let ours = if ahead.abs() > KNOWN && ahead.abs() <= micros(FARTHEST) {
            at.as_micros().saturating_add(ahead)
        } else {
            at.as_micros()
        };
        Stamp::from_micros(ours).timestamp()
    }

    /// The call as the pool sees it, where there is one.
    pub(super) fn pool_call(&self) -> Option<(CallId, Call)> {
        let (id, from) = (self.call.clone()?, self.created?);
        let ended = self.facts.ended.as_ref().map(|end| end.at);
        let full = matches!(self.state(), State::Refused(Cause::Pool));
        let (rung, shut_out) = (self.facts.rung, self.facts.blocked || full);
        Some((id, Call { from, ended, ours: true, post: self.post, rung, shut_out }))
    }
}

/// An end is for ever; one that came without a reason takes the reason when that comes.
fn end(facts: &mut Facts, at: Stamp, reason: &str) {
    const LONGEST: usize = 200;
    let reason = || reason.chars().take(LONGEST).collect::<String>();
    match &mut facts.ended {
        None => facts.ended = Some(CallEnd { at, reason: reason() }),
        Some(known) if known.reason.is_empty() => known.reason = reason(),
        Some(_) => {}
    }
}
