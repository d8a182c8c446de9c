//! Feeds a pool with the news that a run would hear of a pretended provider, which knows the truth.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use dialer::pool::Pool;
use dialer::pool::attempt_id::{AttemptId, Mark};
use dialer::pool::calls::{Call, CallId};
use dialer::pool::news::{Limits, RequestTiming};
use dialer::rehearsal::world::answer::{Answer, PostId, Reply};
use dialer::rehearsal::world::call::{FakeCall, NewCall, POOL_REASON};
use dialer::rehearsal::world::config::ProviderConfig;
use dialer::rehearsal::world::{FakeProvider, Filter};
use dialer::time::{Instant, Stamp};

pub(crate) const START: Stamp = Stamp::from_micros(1_790_000_000_000_000);
pub(crate) const POLL: Duration = Duration::from_secs(1);
pub(crate) const PROBE_AFTER: Duration = Duration::from_mins(1);
const HALF_WAY: Duration = Duration::from_millis(20);
const POST_TIMEOUT: Duration = Duration::from_secs(30);
const IN_DOUBT: Duration = Duration::from_mins(10);

/// What a pool is told.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Claimed(AttemptId, Instant),
    Date(Stamp, Instant, Instant),
    Answered(CallId, Call, AttemptId, RequestTiming, Option<Limits>),
    Refused(AttemptId, RequestTiming, Option<Limits>),
    Failed(AttemptId, Instant),
    Settled(AttemptId),
    Saw(CallId, Call, Option<AttemptId>),
    EndedFull(Stamp, Instant),
}

impl Told {
    pub(crate) fn tell(&self, pool: &mut Pool) {
        match self.clone() {
            Self::Claimed(attempt, at) => pool.claimed(attempt, at),
            Self::Date(date, sent, received) => {
                pool.hear_times(RequestTiming { sent, received, date: Some(date) }, None);
            }
            Self::Answered(id, call, attempt, wire, limits) => {
                pool.hear_times(RequestTiming { date: None, ..wire }, Some(call.from));
                pool.answered(&id, &call, &attempt, wire, limits);
            }
            Self::Refused(attempt, wire, limits) => {
                pool.settled(&attempt);
                pool.refused(wire, limits);
            }
            Self::Failed(attempt, at) => pool.failed(&attempt, at),
            Self::Settled(attempt) => pool.settled(&attempt),
            Self::Saw(id, call, attempt) => pool.saw(&id, &call, attempt.as_ref()),
            Self::EndedFull(at, heard) => pool.ended_full(at, heard),
        }
    }
}

/// What the pool was shown of its own state: when, the limit, and what remained.
#[derive(Clone, Copy, Debug)]
struct Shown {
    at: Stamp,
    limit: Option<u32>,
    remaining: u32,
    /// Calls that really were up.
    up: u32,
}

/// A pool and the world that it is a picture of.
pub(crate) struct Feeder {
    pub(crate) world: FakeProvider,
    pub(crate) pool: Pool,
    pub(crate) told: Vec<Told>,
    skew: i64,
    posts: BTreeMap<PostId, (AttemptId, Instant)>,
    doubts: BTreeMap<AttemptId, Instant>,
    minted: u128,
    newest: Stamp,
    shown: Vec<Shown>,
    pub(crate) assumed: u32,
}

impl Feeder {
    /// `skew`: how far the dialing machine's clock is ahead of the provider's, in milliseconds.
    pub(crate) fn new(config: ProviderConfig, seed: u64, skew: i64) -> Self {
        let (assumed, release_lag) = (config.slots, config.release_lag);
        Self {
            world: FakeProvider::new(config, seed, START),
            pool: Pool::new(POLL, PROBE_AFTER, assumed).with_release_lag(release_lag),
            told: Vec::new(),
            skew: skew * 1000,
            posts: BTreeMap::new(),
            doubts: BTreeMap::new(),
            minted: 0,
            newest: START,
            shown: Vec::new(),
            assumed,
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.ours(self.world.now())
    }

    fn ours(&self, stamp: Stamp) -> Instant {
        Instant::from_micros(stamp.as_micros() + self.skew)
    }

    fn tell(&mut self, told: Told) {
        told.tell(&mut self.pool);
        self.told.push(told);
    }

    /// Places a call, whatever the pool allows.
    pub(crate) fn post(&mut self) {
        self.minted += 1;
        let attempt = AttemptId::mint(&Mark::of("headroom"), self.minted);
        let now = self.now();
        self.tell(Told::Claimed(attempt.clone(), now));
        let number = format!("+1{}", 2_000_000_000 + self.minted % 500);
        let request = NewCall { number, name: Some(attempt.as_str().into()), ..NewCall::default() };
        let post = self.world.post(self.world.now(), 0, request);
        self.posts.insert(post, (attempt, now));
    }

    /// Lets time go on, and hears what comes meanwhile.
    pub(crate) fn wait(&mut self, wait: Duration) {
        let until = self.world.now() + wait;
        while let Some(next) = self.world.next_change().filter(|next| *next <= until) {
            self.world.advance(next);
            self.hear();
        }
        self.world.advance(until);
        self.hear();
    }

    fn hear(&mut self) {
        while let Some(reply) = self.world.next_reply() {
            self.reply(reply);
        }
        let now = self.now();
        let late: Vec<PostId> =
            self.posts.iter().filter(|(_, sent)| now.since(sent.1) >= POST_TIMEOUT).map(|(post, _)| *post).collect();
        for post in late {
            self.world.abandon(post);
            let (attempt, _) = self.posts.remove(&post).unwrap();
            self.fail(attempt);
        }
        let proven: Vec<AttemptId> = self
            .doubts
            .iter()
            .filter(|(_, failed)| now.since(**failed) >= IN_DOUBT)
            .map(|(attempt, _)| attempt.clone())
            .collect();
        for attempt in proven {
            self.doubts.remove(&attempt);
            let named = |call: &&FakeCall| call.name.as_deref() == Some(attempt.as_str());
            match self.world.calls().iter().find(named).cloned() {
                Some(call) => self.row(&call, now),
                None => self.tell(Told::Settled(attempt)),
            }
        }
    }

    fn fail(&mut self, attempt: AttemptId) {
        let now = self.now();
        self.doubts.insert(attempt.clone(), now);
        self.tell(Told::Failed(attempt, now));
    }

    fn reply(&mut self, reply: Reply) {
        let Some((attempt, sent)) = self.posts.remove(&reply.post) else { return };
        let date = Stamp::from_micros(reply.left.as_micros().div_euclid(1_000_000) * 1_000_000);
        let wire = RequestTiming { sent, received: self.now(), date: Some(date) };
        if !matches!(reply.answer, Answer::Dropped) {
            self.tell(Told::Date(date, wire.sent, wire.received));
        }
        match reply.answer {
            Answer::Created(call, limits) => {
                let blocked = limits.is_some_and(|limits| limits.blocked);
                if let Some(limits) = limits {
                    let at = if blocked { reply.left } else { call.created };
                    self.note_shown(at, reply.left, limits);
                }
                let slot = slot(&call, true, blocked);
                self.tell(Told::Answered(call.id, slot, attempt, wire, limits));
            }
            Answer::Refused(refusal) if refusal.message == "Over Concurrency Limit" => {
                let full = refusal.limits.unwrap_or(Limits { blocked: true, limit: None, remaining: Some(0) });
                self.note_shown(reply.left, reply.left, full);
                self.tell(Told::Refused(attempt, wire, refusal.limits));
            }
            Answer::Refused(_) => self.tell(Told::Settled(attempt)),
            Answer::Error(_) | Answer::Html(_) | Answer::Dropped => self.fail(attempt),
        }
    }

    fn note_shown(&mut self, at: Stamp, left: Stamp, limits: Limits) {
        let limit = limits.limit.and_then(|limit| u32::try_from(limit).ok());
        let Some(remaining) = limits.remaining.and_then(|left| u32::try_from(left).ok()) else { return };
        let up = self.holding_at(left);
        self.shown.push(Shown { at, limit, remaining, up });
    }

    /// Calls that are up as far as the pool knows.
    pub(crate) fn calls_seen_up(&self) -> u32 {
        let up = |call: &&FakeCall| self.pool.call(&call.id).is_some_and(Call::is_up);
        u32::try_from(self.world.calls().iter().filter(up).count()).unwrap()
    }

    fn holding_at(&self, at: Stamp) -> u32 {
        let held = |call: &&FakeCall| {
            call.counted.is_some_and(|counted| counted <= at) && call.released.is_none_or(|released| released > at)
        };
        u32::try_from(self.world.calls().iter().filter(held).count()).unwrap()
    }

    /// Reads what has changed of the calls that the first organisation can see.
    pub(crate) fn read(&mut self) {
        let from = self.newest - POLL * 10;
        self.wait(HALF_WAY);
        let sent = self.ours(self.world.now() - HALF_WAY);
        let now = self.world.now();
        let date = Stamp::from_micros(now.as_micros().div_euclid(1_000_000) * 1_000_000);
        let until = Stamp::from_micros(i64::MAX);
        let filter = Filter { updated: (from, until), limit: 1000, ..Filter::default() };
        let rows: Vec<FakeCall> = self.world.list(now, 0, &filter).into_iter().cloned().collect();
        self.wait(HALF_WAY);
        let received = self.now();
        self.tell(Told::Date(date, sent, received));
        for row in rows {
            self.row(&row, received);
        }
        self.pool.forget_ended();
    }

    fn row(&mut self, row: &FakeCall, received: Instant) {
        self.newest = self.newest.max(row.updated);
        let attempt = row.name.as_deref().and_then(AttemptId::parse);
        if let Some(attempt) = &attempt {
            self.doubts.remove(attempt);
        }
        let full = row.reason.as_deref() == Some(POOL_REASON);
        let known = self.pool.call(&row.id).cloned();
        if row.ended.is_some_and(|ended| self.pool.is_past(ended)) && known.is_none() && attempt.is_none() {
            return;
        }
        let ours = attempt.is_some();
        self.tell(Told::Saw(row.id.clone(), slot(row, ours, full), attempt));
        if let Some(ended) = row.ended.filter(|_| ours && full && known.is_none_or(|known| known.ended.is_none())) {
            let up = self.holding_at(ended);
            self.shown.push(Shown { at: ended, limit: None, remaining: 0, up });
            self.tell(Told::EndedFull(ended, received));
        }
    }

    /// The most that may be thought to be free: what really is (by the limit that is known, where it
    /// has been lowered since), and the calls that were
    /// counted after the observation and that no news has shown yet.
    pub(crate) fn most_free(&self) -> i64 {
        let seen = self.shown.iter().max_by_key(|shown| shown.at);
        let unanswered = |call: &FakeCall| {
            let named = |attempt: &AttemptId| call.name.as_deref() == Some(attempt.as_str());
            self.posts.values().any(|(attempt, _)| named(attempt))
        };
        let unseen = |call: &&FakeCall| {
            let after = seen.is_none_or(|seen| call.counted >= Some(seen.at));
            let known = self.pool.call(&call.id).is_some_and(Call::is_up);
            call.counted.is_some() && call.released.is_none() && after && !known && !unanswered(call)
        };
        let unseen = self.world.calls().iter().filter(unseen).count();
        let up = self.world.slots().up();
        let limit = self.pool.limit().max(self.world.slots().limit());
        i64::from(limit) - i64::from(up) + i64::try_from(unseen).unwrap() + self.beyond_any_limit_seen()
    }

    /// Calls that were up when nothing was free, beyond any limit that was ever shown since something was.
    fn beyond_any_limit_seen(&self) -> i64 {
        let Some(seen) = self.shown.iter().max_by_key(|shown| shown.at).filter(|shown| shown.remaining == 0) else {
            return 0;
        };
        let free_at = self.shown.iter().filter(|shown| shown.remaining > 0).map(|shown| shown.at).max();
        let since = self.shown.iter().filter(|shown| Some(shown.at) >= free_at);
        let most = since.filter_map(|shown| shown.limit).max().unwrap_or(self.pool.limit());
        i64::from(seen.up.saturating_sub(most))
    }
}

fn slot(call: &FakeCall, ours: bool, shut_out: bool) -> Call {
    let rung = call.rang.is_some() || call.started.is_some();
    Call { from: call.created, ended: call.ended, ours, post: None, rung, shut_out }
}

impl Feeder {
    pub(crate) fn truth(&self) -> String {
        let mut text =
            format!("now {:?} shown {:?}\n", self.world.now(), self.shown.iter().rev().take(3).collect::<Vec<_>>());
        for call in self.world.calls() {
            let _infallible = writeln!(
                text,
                "  {} org {} {:?} created {:?} counted {:?} ended {:?} released {:?}",
                call.id, call.org, call.kind, call.created, call.counted, call.ended, call.released
            );
        }
        text
    }
}
