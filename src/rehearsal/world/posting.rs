//! A request to place a call, from its sending to its answer.

use std::sync::Arc;
use std::time::Duration;

use super::answer::{Answer, NOT_E164, PostId, Refusal, Reply};
use super::call::{Kind, NewCall, Shown};
use super::chance::Chance;
use super::config::BlockedAs;
use super::fault::{FaultDraw, Way, WrongStamps};
use super::life::CallStart;
use super::mix::Script;
use super::{FakeProvider, Place, ProviderEvent, stamped, uuid_v7};
use crate::pool::news::Limits;
use crate::time::Stamp;

/// Outbound calls that a line of the provider's own may place in a day (UTC).
const OWN_LINE_A_DAY: u32 = 10;
const OVER_LIMIT: &str = "Over Concurrency Limit";

/// A request on its way, or the answer on its way back.
pub(super) struct Post {
    org: usize,
    request: Arc<NewCall>,
    fate: FaultDraw,
    chance: Chance,
    /// `createdAt` of its call, once it has arrived.
    created: Stamp,
    back: Duration,
    left: Stamp,
    answer: Option<Answer>,
    /// Whoever asked is gone, or no longer listens.
    abandoned: bool,
}

impl Post {
    pub(super) const fn is_open(&self) -> bool {
        self.answer.is_none()
    }
}

impl FakeProvider {
    /// Hands in a request to place a call, sent now by one organisation. What becomes of it comes out of
    /// [`FakeProvider::next_reply`], unless it is abandoned.
    pub fn post(&mut self, now: Stamp, org: usize, request: NewCall) -> PostId {
        self.advance(now);
        let asked = &mut self.asked(&request.number).0;
        *asked += 1;
        let nth = *asked;
        let mut chance = Chance::of(self.seed, "post", &request.number, nth);
        let (there, back) = (chance.between(self.config.travel), chance.between(self.config.travel));
        let mut fate = FaultDraw::draw(&self.config.faults, self.config.speed, &mut chance);
        fate.stamps =
            WrongStamps::draw(&self.config.faults, &mut Chance::of(self.seed, "stamps", &request.number, nth));
        let id = PostId(self.next_post);
        self.next_post += 1;
        let org = org.min(self.config.orgs - 1);
        let (request, arrives) = (Arc::new(request), self.now + there);
        let post =
            Post { org, request, fate, chance, created: arrives, back, left: arrives, answer: None, abandoned: false };
        self.posts.insert(id, Box::new(post));
        self.later(arrives, ProviderEvent::Arrive(id));
        id
    }

    /// Whoever sent that request is gone, or no longer listens: its answer will not come out.
    pub fn abandon(&mut self, id: PostId) {
        if let Some(post) = self.posts.get_mut(&id) {
            post.abandoned = true;
        }
    }

    pub(super) fn arrive(&mut self, id: PostId) {
        let Some(post) = self.posts.get_mut(&id) else { return };
        post.created = stamped(self.now);
        let (way, request) = (post.fate.way, Arc::clone(&post.request));
        let lag = post.chance.between((Duration::ZERO, self.config.count_lag));
        match way {
            Way::TooMany(retry_after) => {
                let refusal = Refusal { retry_after, ..Refusal::new(429, "Rate limit exceeded") };
                self.answer(id, Answer::Refused(refusal));
            }
            Way::Error { created: false } => self.answer(id, Answer::Error(500)),
            Way::Drop { created: false } => self.answer(id, Answer::Dropped),
            Way::Html { created: false } => self.answer(id, Answer::Html(522)),
            Way::Late(after) => {
                // After the answer, whatever the speed.
                let late = self.now + post.back + after;
                self.later(late, ProviderEvent::ArriveLate(id));
                self.answer(id, Answer::Dropped);
            }
            Way::Plain | Way::Slow(_) | Way::Error { .. } | Way::Drop { .. } | Way::Html { .. } => {
                match self.refusal(&request) {
                    Some(refusal) => self.answer(id, Answer::Refused(refusal)),
                    None => self.later(self.now + lag, ProviderEvent::Count(id)),
                }
            }
        }
    }

    /// The call of a request that was lost long ago is created after all, if it still can be.
    pub(super) fn arrive_late(&mut self, id: PostId) {
        let Some(mut post) = self.posts.remove(&id) else { return };
        post.created = stamped(self.now);
        let possible = self.slots.free() > 0 && self.refusal(&post.request).is_none() && self.has_credit();
        if possible {
            self.create(&mut post);
        }
    }

    /// A request's call is counted, or blocked, and the answer leaves.
    pub(super) fn count(&mut self, id: PostId) {
        let Some(mut post) = self.posts.remove(&id) else { return };
        let answer = if self.has_credit() {
            let free = self.slots.free();
            *self.counts.dials_at_free.entry(free).or_default() += 1;
            if free > 0 { self.created(&mut post) } else { self.blocked(&mut post) }
        } else {
            Answer::Refused(Refusal::new(400, "Insufficient credits. Please add credits to place calls."))
        };
        let created = matches!(answer, Answer::Created(..));
        let answer = match post.fate.way {
            Way::Error { .. } if created => Answer::Error(500),
            Way::Drop { .. } => Answer::Dropped,
            Way::Html { .. } if created => Answer::Html(522),
            _ => answer,
        };
        self.posts.insert(id, post);
        self.answer(id, answer);
    }

    /// Something was received: out with it, unless nobody listens.
    pub(super) fn deliver(&mut self, id: PostId) {
        let late = self.posts.get(&id).is_some_and(|post| matches!(post.fate.way, Way::Late(_)));
        let Some(post) = self.posts.get_mut(&id) else { return };
        let answer = if late { post.answer.clone() } else { post.answer.take() };
        if let (Some(mut answer), false) = (answer, post.abandoned) {
            let wrong = post.fate.stamps;
            if let Answer::Created(call, _) = &mut answer {
                **call = call.shifted(wrong.calls);
            }
            self.replies.push_back(Reply { post: id, left: post.left.shifted(wrong.date), received: self.now, answer });
        }
        if !late {
            self.posts.remove(&id);
        }
    }

    fn answer(&mut self, id: PostId, answer: Answer) {
        let Some(post) = self.posts.get_mut(&id) else { return };
        let slow = if let Way::Slow(delay) = post.fate.way { delay } else { Duration::ZERO };
        post.left = self.now;
        post.answer = Some(answer);
        let received = self.now + post.back + slow;
        self.later(received, ProviderEvent::Reply(id));
    }

    fn created(&mut self, post: &mut Post) -> Answer {
        let place = self.create(post);
        let remaining = if post.fate.minus_one { -1 } else { i64::from(self.slots.free()) };
        let limits = (!post.fate.no_limits).then(|| self.limits(false, remaining));
        Answer::Created(Box::new(self.calls[place].clone()), limits)
    }

    fn blocked(&mut self, post: &mut Post) -> Answer {
        let shown = (!post.fate.no_limits).then(|| self.limits(true, 0));
        match self.config.blocked_as {
            BlockedAs::BadRequest => Answer::Refused(Refusal { limits: shown, ..Refusal::new(400, OVER_LIMIT) }),
            BlockedAs::BareBadRequest => Answer::Refused(Refusal::new(400, OVER_LIMIT)),
            BlockedAs::TooMany => Answer::Refused(Refusal::new(429, OVER_LIMIT)),
            BlockedAs::Created => {
                let after = post.chance.between((Duration::from_millis(200), Duration::from_secs(2)));
                let place = self.bear_for(post, self.config.quickened(after));
                Answer::Created(Box::new(self.calls[place].clone()), Some(self.limits(true, 0)))
            }
            BlockedAs::Ended => {
                let place = self.bear_for(post, Duration::ZERO);
                let limits = shown.map(|limits| Limits { blocked: false, ..limits });
                Answer::Created(Box::new(self.calls[place].clone()), limits)
            }
        }
    }

    fn create(&mut self, post: &mut Post) -> Place {
        self.created += 1;
        if let Some(day) = self.own_line_day(&post.request) {
            *self.daily.entry(day).or_default() += 1;
        }
        self.bear_for(post, Duration::ZERO)
    }

    fn bear_for(&mut self, post: &mut Post, blocked: Duration) -> Place {
        let number = &post.request.number;
        let free = self.slots.free() > 0;
        let answered = &mut self.asked(number).1;
        let nth = *answered;
        *answered += u64::from(free);
        let mut life = Chance::of(self.seed, "life", number, nth);
        let script = Script::draw(&self.config.mix, &self.config.lengths, &mut life);
        let id = uuid_v7(post.created, &mut post.chance);
        let hidden = post.chance.between((Duration::from_secs(90), Duration::from_mins(4)));
        let for_good = post.chance.happens(0.5);
        let shown = if post.fate.forgotten {
            Shown::From { then: self.now + self.config.quickened(hidden), for_good }
        } else {
            Shown::Always
        };
        let (org, created, request) = (post.org, post.created, Arc::clone(&post.request));
        self.bear(
            CallStart { id, org, kind: Kind::Outbound, created, request, script, shown, stripped: post.fate.stripped },
            blocked,
        )
    }

    fn asked(&mut self, number: &str) -> &mut (u64, u64) {
        if !self.asked.contains_key(number) {
            self.asked.insert(number.into(), (0, 0));
        }
        self.asked.get_mut(number).expect("it was put there")
    }

    fn limits(&self, blocked: bool, remaining: i64) -> Limits {
        Limits { blocked, limit: Some(i64::from(self.slots.limit())), remaining: Some(remaining) }
    }

    fn has_credit(&self) -> bool {
        self.config.fail_after.is_none_or(|most| self.created < most)
    }

    /// What the provider has against a request, whatever the pool says.
    fn refusal(&self, request: &NewCall) -> Option<Refusal> {
        let line = request.line.as_deref().unwrap_or_default();
        if is_missing(request.target.as_deref().unwrap_or_default()) {
            return Some(Refusal::new(400, "assistantId must reference an available published assistant"));
        }
        if is_missing(line) {
            return Some(Refusal::new(400, format!("`phoneNumber` `{line}` does not exist.")));
        }
        if line.starts_with("activating") {
            let advice = "`phoneNumber` is activating. Contact support@vapi.ai if not active within 5 minutes.";
            return Some(Refusal::new(400, advice));
        }
        if line.starts_with("blocked") {
            return Some(Refusal::new(400, "Couldn't start call. `phoneNumber` is blocked."));
        }
        if self.config.refused.contains(&request.number) {
            return Some(Refusal::invalid(NOT_E164));
        }
        self.own_line_refusal(request)
    }

    /// The provider's own lines are free, and for a few calls a day within North America.
    fn own_line_refusal(&self, request: &NewCall) -> Option<Refusal> {
        let day = self.own_line_day(request)?;
        if !request.number.starts_with("+1") {
            let advice = "Couldn't start call. Free Vapi numbers do not support international calls.";
            return Some(Refusal::new(400, advice));
        }
        let used = self.daily.get(&day).copied().unwrap_or(0);
        let advice = "Couldn't Start Call. Numbers Bought On Vapi Have A Daily Outbound Call Limit. Import Your Own \
                      Twilio Numbers To Scale Without Limits.";
        (used >= OWN_LINE_A_DAY).then(|| Refusal::new(400, advice))
    }

    fn own_line_day(&self, request: &NewCall) -> Option<(String, i64)> {
        let line = request.line.as_deref().filter(|line| line.starts_with("vapi"))?;
        Some((line.to_owned(), self.now.as_micros().div_euclid(86_400_000_000)))
    }
}

/// Ids that belong to nothing: those that begin with `missing`, and the UUID of zeros. Every other id is known.
pub fn is_missing(id: &str) -> bool {
    id.starts_with("missing") || id == "00000000-0000-0000-0000-000000000000"
}
