//! A pretended provider: the pool, the calls on it, and everything that the real one does to a client. Pure: it reads
//! no clock, sleeps nowhere and opens nothing; time is what it is told, and the same seed tells the same story.
//!
//! Like the campaign it is a state machine to be stepped. [`FakeProvider::post`] hands in a request; its answer, or the loss
//! of it, comes out of [`FakeProvider::next_reply`] once [`FakeProvider::advance`] has reached its time; [`FakeProvider::next_change`] says
//! when something happens next. Reads ([`FakeProvider::list`], [`FakeProvider::get`]) answer at once.
//!
//! Chance comes in streams, one per concern: callers come at the same times, and a number's nth call goes the same
//! way, whatever a campaign does. So two ways of dialing can be compared on the same seed.

pub mod answer;
pub mod call;
pub mod config;
pub mod fault;
pub mod mix;
pub mod slots;

mod asking;
mod callers;
pub(super) mod chance;
mod life;
mod posting;
mod shelf;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use self::answer::{PostId, Reply};
use self::asking::Listed;
use self::call::{FakeCall, Kind};
use self::callers::Callers;
use self::chance::Chance;
use self::config::ProviderConfig;
use self::fault::Faults;
use self::mix::Script;
use self::posting::Post;
use self::shelf::Shelf;
use self::slots::Slots;
use crate::campaign::seen::SeenCall;
use crate::pool::calls::CallId;
use crate::pool::name::ById;
use crate::time::{Stamp, sooner};

pub use self::asking::Filter;
pub use self::posting::is_missing;

/// A call's place in the ledger.
type Place = usize;

/// What server messages tell of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// It has ended.
    Ended,
    /// Its cost and its analysis are known.
    Settled,
}

/// What happens by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum ProviderEvent {
    /// A request arrives.
    Arrive(PostId),
    /// A call of a request that was lost long ago is created after all.
    ArriveLate(PostId),
    /// A request's call is counted, or blocked.
    Count(PostId),
    /// An answer is received.
    Reply(PostId),
    /// The next of these callers comes.
    Call(usize),
    /// A caller's call is counted, or turned away.
    Admit(usize, u64, Stamp),
    /// A phone begins to ring.
    Ring(Place),
    /// Somebody answers.
    Start(Place),
    /// The call is handed on.
    Forward(Place),
    /// The call ends.
    End(Place),
    /// Its slot is free again.
    Release(Place),
    /// Cost and transcript become known.
    Settle(Place),
}

/// What the pool was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Calls that came by themselves.
    pub offered: u64,
    /// Those of them that found the pool full.
    pub denied: u64,
    /// Outbound calls that were counted, by the slots that were free just before; blocked ones are at 0.
    pub dials_at_free: BTreeMap<u32, u64>,
}

impl Counts {
    /// Outbound calls that were counted, or blocked, with that many slots free at most.
    pub fn dials_at_most(&self, free: u32) -> u64 {
        self.dials_at_free.range(..=free).map(|(_, dials)| dials).sum()
    }
}

/// A pretended provider.
pub struct FakeProvider {
    config: ProviderConfig,
    seed: u64,
    began: Stamp,
    now: Stamp,
    agenda: BinaryHeap<Reverse<(Stamp, u64, ProviderEvent)>>,
    turns: u64,
    slots: Slots,
    counts: Counts,
    calls: Vec<FakeCall>,
    /// What a client makes of each of them, as long as it does not change.
    seen: Vec<Option<Arc<SeenCall>>>,
    by_id: ById<CallId, Place>,
    org_ids: Vec<Arc<str>>,
    shelves: Vec<Shelf>,
    callers: Vec<Callers>,
    posts: BTreeMap<PostId, Box<Post>>,
    next_post: u64,
    /// How often each number was asked for, and answered.
    asked: ById<Box<str>, (u64, u64)>,
    daily: HashMap<(String, i64), u32>,
    created: u64,
    replies: VecDeque<Reply>,
    reads: Chance,
    stamps: Chance,
    /// When a call ended or gave its slot back for the last time.
    freed_at: Option<Stamp>,
    /// When the cost of a call became known for the last time.
    settled_at: Option<Stamp>,
    /// How often a call came into being, or showed otherwise than before.
    changes: u64,
    /// By then every call shows that is ever to show.
    hidden_until: Stamp,
    listed: Option<Listed>,
    /// News of outbound calls that were not told yet, where somebody wants to be told.
    told: Option<VecDeque<(CallId, News)>>,
    /// Used again for every listing.
    found: Vec<(Stamp, Place)>,
}

impl FakeProvider {
    /// A world in which nobody has called yet.
    pub fn new(config: ProviderConfig, seed: u64, start: Stamp) -> Self {
        let config = config.sound();
        let callers = (0..config.traffic.len()).map(|which| Callers::new(seed, which)).collect();
        let mut world = Self {
            seed,
            began: start,
            now: start,
            agenda: BinaryHeap::new(),
            turns: 0,
            slots: Slots::new(config.slots, start),
            counts: Counts::default(),
            calls: Vec::new(),
            seen: Vec::new(),
            by_id: ById::default(),
            org_ids: (0..config.orgs).map(|org| org_id(seed, org).into()).collect(),
            shelves: vec![Shelf::default(); config.orgs],
            callers,
            posts: BTreeMap::new(),
            next_post: 0,
            asked: ById::default(),
            daily: HashMap::new(),
            created: 0,
            replies: VecDeque::new(),
            reads: Chance::of(seed, "reads", "", 0),
            stamps: Chance::of(seed, "stamps of reads", "", 0),
            freed_at: None,
            settled_at: None,
            changes: 0,
            hidden_until: start,
            listed: None,
            told: None,
            found: Vec::new(),
            config,
        };
        for which in 0..world.callers.len() {
            world.expect_caller(which);
        }
        world
    }

    /// Lets time go on to then; a time gone by changes nothing.
    pub fn advance(&mut self, to: Stamp) {
        if to <= self.now && self.next_change().is_none_or(|next| next > self.now) {
            return;
        }
        while let Some(Reverse((at, _, turn))) = self.agenda.peek().copied().filter(|next| next.0.0 <= to) {
            self.agenda.pop();
            self.now = self.now.max(at);
            self.take_turn(turn);
        }
        self.now = self.now.max(to);
        self.slots.last_until(self.now);
    }

    /// When something happens next by itself.
    pub fn next_change(&self) -> Option<Stamp> {
        self.agenda.peek().map(|next| next.0.0)
    }

    /// Before this no slot comes free that is taken now, and no cost becomes known where that matters. A caller who comes
    /// meanwhile takes another, and gives that back.
    pub fn next_free(&self, costs: bool) -> Option<Stamp> {
        self.agenda.iter().fold(None, |next: Option<Stamp>, Reverse((at, _, turn))| {
            // What happens later than an end frees nothing sooner.
            let frees = || match turn {
                ProviderEvent::Settle(_) => costs.then_some(Duration::ZERO),
                turn => self.until_end(*turn),
            };
            if next.is_some_and(|next| *at >= next) { next } else { sooner(next, frees().map(|it| *at + it)) }
        })
    }

    /// From then until it ends the call of which this is the next that happens; none where no call does.
    fn until_end(&self, turn: ProviderEvent) -> Option<Duration> {
        let lasts = |place: Place, stages: fn(&Script) -> [Option<Duration>; 3]| {
            stages(&self.calls[place].script).into_iter().flatten().map(|stage| self.config.quickened(stage)).sum()
        };
        Some(match turn {
            ProviderEvent::Call(_) | ProviderEvent::Admit(..) | ProviderEvent::Settle(_) => return None,
            ProviderEvent::Ring(place) => lasts(place, |script| [script.ring, script.talk, script.forward]),
            ProviderEvent::Start(place) => lasts(place, |script| [None, script.talk, script.forward]),
            ProviderEvent::Forward(place) => lasts(place, |script| [None, None, script.forward]),
            _ => Duration::ZERO,
        })
    }

    /// When a call ended or gave its slot back for the last time, or its cost became known where that matters.
    pub fn freed_at(&self, costs: bool) -> Option<Stamp> {
        self.freed_at.max(self.settled_at.filter(|_| costs))
    }

    /// The next answer that was received by now.
    pub fn next_reply(&mut self) -> Option<Reply> {
        self.replies.pop_front()
    }

    /// From now on ends of outbound calls are told, as server messages would.
    pub fn tell_of_ends(&mut self) {
        self.told.get_or_insert_default();
    }

    /// The next outbound call of which there is news, where ends are told.
    pub fn next_news(&mut self) -> Option<(CallId, News)> {
        self.told.as_mut()?.pop_front()
    }

    /// What time it is here.
    pub const fn now(&self) -> Stamp {
        self.now
    }

    /// When it began.
    pub const fn began(&self) -> Stamp {
        self.began
    }

    /// How many organisations share the pool.
    pub const fn orgs(&self) -> usize {
        self.config.orgs
    }

    /// The pool as it really is.
    pub const fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Moves the pool's limit; calls that are up stay up.
    pub fn set_limit(&mut self, now: Stamp, limit: u32) {
        self.advance(now);
        self.slots.set_limit(self.now, limit);
    }

    /// From now on requests and reads meet other faults.
    pub fn set_faults(&mut self, faults: Faults) {
        self.config.faults = faults;
    }

    /// Requests that were handed in and whose call is neither counted nor refused yet.
    pub fn on_their_way(&self) -> u32 {
        let open = self.posts.values().filter(|post| post.is_open()).count();
        u32::try_from(open).unwrap_or(u32::MAX)
    }

    /// What the pool was asked for.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Every call that was ever created, in the order in which they were counted.
    pub fn calls(&self) -> &[FakeCall] {
        &self.calls
    }

    /// A call by its id, as it really is.
    pub fn call(&self, id: &CallId) -> Option<&FakeCall> {
        self.by_id.get(id).map(|place| &self.calls[*place])
    }

    /// How often each number was rung by outbound calls.
    pub fn rung(&self) -> BTreeMap<&str, u32> {
        let mut rung = BTreeMap::new();
        for call in self.calls.iter().filter(|call| call.kind == Kind::Outbound && call.rang.is_some()) {
            *rung.entry(call.request.number.as_str()).or_default() += 1;
        }
        rung
    }

    /// `orgId` of an organisation.
    pub fn org_id(&self, org: usize) -> Arc<str> {
        self.org_ids.get(org).cloned().unwrap_or_else(|| org_id(self.seed, org).into())
    }

    fn later(&mut self, at: Stamp, turn: ProviderEvent) {
        self.turns += 1;
        self.agenda.push(Reverse((at, self.turns, turn)));
    }

    fn take_turn(&mut self, turn: ProviderEvent) {
        match turn {
            ProviderEvent::Arrive(post) => self.arrive(post),
            ProviderEvent::ArriveLate(post) => self.arrive_late(post),
            ProviderEvent::Count(post) => self.count(post),
            ProviderEvent::Reply(post) => self.deliver(post),
            ProviderEvent::Call(which) => self.caller(which),
            ProviderEvent::Admit(which, nth, created) => self.admit(which, nth, created),
            ProviderEvent::Ring(place) => self.ring(place),
            ProviderEvent::Start(place) => self.start(place),
            ProviderEvent::Forward(place) => self.forward(place),
            ProviderEvent::End(place) => self.end(place),
            ProviderEvent::Release(place) => self.release(place),
            ProviderEvent::Settle(place) => self.settle(place),
        }
    }
}

/// A version 4 UUID.
fn org_id(seed: u64, org: usize) -> String {
    let mut chance = Chance::of(seed, "org", "", org as u64);
    let bits = u128::from(chance.bits()) << 64 | u128::from(chance.bits());
    uuid((bits & !(0xf << 76 | 0x3 << 62)) | 0x4 << 76 | 0x2 << 62)
}

/// A version 7 UUID: the time in milliseconds, then chance.
fn uuid_v7(at: Stamp, chance: &mut Chance) -> CallId {
    let millis = u128::try_from(at.as_micros().max(0) / 1000).unwrap_or(0) & 0xffff_ffff_ffff;
    let random = u128::from(chance.bits()) << 64 | u128::from(chance.bits());
    let bits = millis << 80 | 0x7 << 76 | (random >> 4 & 0xfff) << 64 | 0x2 << 62 | random >> 66;
    CallId::new(&uuid(bits))
}

fn uuid(bits: u128) -> String {
    let mut text = String::with_capacity(36);
    for place in (0..32).rev() {
        text.push(char::from(b"0123456789abcdef"[(bits >> (4 * place)) as usize & 15]));
        if matches!(place, 12 | 16 | 20 | 24) {
            text.push('-');
        }
    }
    text
}

/// A time as the provider writes it: cut to the millisecond.
const fn stamped(at: Stamp) -> Stamp {
    Stamp::from_micros(at.as_micros() - at.as_micros().rem_euclid(1000))
}
