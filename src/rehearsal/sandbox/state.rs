//! Where requests meet the world: one lock around it, and one task that lets its time go on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use super::Clock;
use super::messages::{self, Outbox};
use crate::rehearsal::world::FakeProvider;
use crate::rehearsal::world::answer::{PostId, Reply};
use crate::rehearsal::world::call::NewCall;
use crate::time::Stamp;

/// No sleep is longer, so that a clock which jumps is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

pub(super) struct ServerState {
    inner: Mutex<Inner>,
    clock: Clock,
    scale: f64,
    sooner: Notify,
}

struct Inner {
    world: FakeProvider,
    waiting: HashMap<PostId, oneshot::Sender<Reply>>,
}

impl ServerState {
    pub(super) fn new(world: FakeProvider, clock: Clock, scale: f64) -> Self {
        let inner = Mutex::new(Inner { world, waiting: HashMap::new() });
        Self { inner, clock, scale: scale.max(1e-6), sooner: Notify::new() }
    }

    /// The world, at the time that it is there.
    pub(super) fn with<R>(&self, look: impl FnOnce(&mut FakeProvider, Stamp) -> R) -> R {
        let mut inner = self.lock();
        let now = (self.clock)();
        inner.catch_up(now);
        let looked = look(&mut inner.world, now);
        self.sooner.notify_one();
        looked
    }

    /// Sends one request in.
    pub(super) fn send(&self, org: usize, request: NewCall) -> Sent<'_> {
        let (tell, told) = oneshot::channel();
        let mut inner = self.lock();
        let now = (self.clock)();
        let post = inner.world.post(now, org, request);
        inner.waiting.insert(post, tell);
        inner.hand_out();
        self.sooner.notify_one();
        Sent { told, leaving: Leaving { desk: self, post } }
    }

    /// Lets the world's time go on, as long as anybody wants it to.
    pub(super) async fn keep_time(self: Arc<Self>) {
        let outbox: Outbox = messages::start();
        self.lock().world.tell_of_ends();
        loop {
            let sleep = {
                let mut inner = self.lock();
                let now = (self.clock)();
                inner.catch_up(now);
                messages::hand_in(&mut inner.world, &outbox, now);
                let next = inner.world.next_change();
                next.map_or(LONGEST_SLEEP, |next| self.real(next.since(now)))
            };
            tokio::select! {
                biased;
                () = self.sooner.notified() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Nobody gets an answer any more: their connections close.
    pub(super) fn close(&self) {
        self.lock().waiting.clear();
    }

    /// How long a length of the world's time really lasts.
    fn real(&self, length: Duration) -> Duration {
        let seconds = (length.as_secs_f64() / self.scale).min(LONGEST_SLEEP.as_secs_f64());
        Duration::from_secs_f64(seconds)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn catch_up(&mut self, now: Stamp) {
        self.world.advance(now);
        self.hand_out();
    }

    fn hand_out(&mut self) {
        while let Some(reply) = self.world.next_reply() {
            if let Some(tell) = self.waiting.remove(&reply.post) {
                // Whoever asked may have hung up just now.
                let _gone = tell.send(reply);
            }
        }
    }
}

/// A request that was sent in.
pub(super) struct Sent<'a> {
    told: oneshot::Receiver<Reply>,
    leaving: Leaving<'a>,
}

impl Sent<'_> {
    /// Waits for its answer; nothing, if the world lost it.
    pub(super) async fn reply(self) -> Option<Reply> {
        let reply = self.told.await.ok();
        drop(self.leaving);
        reply
    }
}

/// Whoever sent a request stops listening, with its answer or without: the connection was closed.
struct Leaving<'a> {
    desk: &'a ServerState,
    post: PostId,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut inner = self.desk.lock();
        inner.world.abandon(self.post);
        inner.waiting.remove(&self.post);
    }
}
