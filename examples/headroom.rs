//! What looking ahead is worth: ways to dial the same list beside the same inbound callers, one row each.
//!
//! `cargo run --release --example headroom`

#[path = "../tests/stage/mod.rs"]
mod stage;

use std::collections::VecDeque;
use std::time::Duration;

use dialer::campaign::notice::StopReason;
use dialer::rehearsal::rehearse::Simulation;
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::answer::Answer;
use dialer::rehearsal::world::call::{Kind, NewCall};
use dialer::rehearsal::world::config::ProviderConfig;
use dialer::time::Stamp;
use stage::{START, leads, plan, steady};

const SEEDS: u64 = 20;
const LEADS: u64 = 1_000;
const RESERVE: u32 = 3;
/// Requests are this far apart, and this long after a refusal it is tried again.
const GAP: Duration = Duration::from_secs(1);
const BATCH: usize = 50;
/// A message of a call's end comes this long after it.
const MESSAGES_AFTER: Duration = Duration::from_millis(200);

/// A way to dial that is not ours.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Sees the pool as it is, at every instant.
    Oracle,
    /// As long as the last answer, and the ends of its own calls since, leave more than the reserve; else again after
    /// a minute.
    LastAnswer,
    /// So many of its own calls at once, whatever the pool is like.
    Cap(usize),
    /// Whole batches, as fast as ten at once allow; the next when the last call of this one has ended.
    Barriers,
}

/// What came of it.
#[derive(Default)]
struct Came {
    seconds: f64,
    dials: u64,
    near: u64,
    refused: u64,
    offered: u64,
    denied: u64,
}

impl Came {
    fn of(world: &FakeProvider, last_dial: Stamp) -> Self {
        let counts = world.counts();
        Self {
            seconds: last_dial.since(START).as_secs_f64(),
            dials: counts.dials_at_free.values().sum(),
            near: counts.dials_at_most(RESERVE),
            refused: counts.dials_at_most(0),
            offered: counts.offered,
            denied: counts.denied,
        }
    }

    fn add(&mut self, more: &Self) {
        self.seconds += more.seconds;
        self.dials += more.dials;
        self.near += more.near;
        self.refused += more.refused;
        self.offered += more.offered;
        self.denied += more.denied;
    }
}

/// Our own campaign, in virtual time; with messages of ends that come so long after them, or without any.
fn ours(config: ProviderConfig, seed: u64, messages_after: Option<Duration>) -> Came {
    let mut stage = Simulation::new(FakeProvider::new(config, seed, START), 0);
    stage.messages_after = messages_after;
    let journal = stage::journal_of(&plan(), stage::leads(LEADS), stage.now());
    stage::start(&mut stage, &plan(), journal);
    stage.play(START + Duration::from_hours(720), None).expect("a journal in memory");
    let run = stage.runs[0].as_ref().expect("nobody killed it");
    assert_eq!(run.outcome.as_ref().map(|outcome| &outcome.why), Some(&StopReason::Complete));
    assert!(stage.world.rung().values().all(|times| *times == 1), "somebody was called twice");
    Came::of(&stage.world, last_dial(&stage.world))
}

fn last_dial(world: &FakeProvider) -> Stamp {
    let ours = world.calls().iter().filter(|call| call.kind == Kind::Outbound);
    ours.map(|call| call.created).max().unwrap_or(START)
}

/// Dials the list in another way. It knows of the ends of its own calls at once, which is more than anybody does.
struct Dialer {
    world: FakeProvider,
    way: Way,
    queue: VecDeque<String>,
    on_their_way: VecDeque<String>,
    up: Vec<String>,
    left_in_batch: usize,
    left_by_answer: i64,
    not_before: Stamp,
}

impl Dialer {
    fn new(config: ProviderConfig, seed: u64, way: Way) -> Self {
        Self {
            world: FakeProvider::new(config, seed, START),
            way,
            queue: leads(LEADS).map(|listed| listed.lead.phone.to_string()).collect(),
            on_their_way: VecDeque::new(),
            up: Vec::new(),
            left_in_batch: BATCH,
            left_by_answer: i64::from(RESERVE) + 1,
            not_before: START,
        }
    }

    fn dial_all(mut self) -> Came {
        while !self.queue.is_empty() || !self.on_their_way.is_empty() {
            if self.world.now() >= self.not_before && self.may_dial() {
                self.dial();
            }
            let wait = (self.not_before > self.world.now()).then_some(self.not_before);
            let next = [wait, self.world.next_change()].into_iter().flatten().min();
            self.world.advance(next.unwrap_or(self.not_before));
            self.hear();
        }
        Came::of(&self.world, last_dial(&self.world))
    }

    fn may_dial(&self) -> bool {
        let ours = self.up.len() + self.on_their_way.len();
        !self.queue.is_empty()
            && match self.way {
                Way::Oracle => self.world.slots().free() > RESERVE + self.world.on_their_way(),
                Way::LastAnswer => {
                    let again = self.world.now().since(self.not_before) > Duration::from_mins(1);
                    self.on_their_way.is_empty() && (again || self.left_by_answer > i64::from(RESERVE))
                }
                Way::Cap(cap) => ours < cap,
                Way::Barriers => self.left_in_batch > 0 && ours < 10,
            }
    }

    fn dial(&mut self) {
        let Some(number) = self.queue.pop_front() else { return };
        self.on_their_way.push_back(number.clone());
        self.left_in_batch -= usize::from(self.left_in_batch > 0);
        self.world.post(self.world.now(), 0, NewCall { number, ..NewCall::default() });
        self.not_before = self.world.now() + GAP;
    }

    fn hear(&mut self) {
        while let Some(reply) = self.world.next_reply() {
            if let Answer::Created(call, limits) = reply.answer {
                self.on_their_way.retain(|number| *number != call.request.number);
                self.up.push(call.id.as_str().to_owned());
                self.left_by_answer = limits.and_then(|limits| limits.remaining).unwrap_or(0);
            } else {
                // Requests are a second apart, so the one that was refused is the only one on its way.
                self.queue.extend(self.on_their_way.pop_front());
                self.left_in_batch += 1;
                self.left_by_answer = 0;
                self.not_before = self.not_before.max(self.world.now() + GAP);
            }
        }
        let (now, before) = (self.world.now(), self.up.len());
        let world = &mut self.world;
        self.up.retain(|id| world.get(now, 0, id).is_some_and(|call| call.ended.is_none()));
        self.left_by_answer += i64::try_from(before - self.up.len()).unwrap_or(0);
        if self.left_in_batch == 0 && self.up.is_empty() && self.on_their_way.is_empty() {
            self.left_in_batch = BATCH;
        }
    }
}

fn main() {
    let over_seeds = |way: &dyn Fn(u64) -> Came| {
        let mut sum = Came::default();
        (1..=SEEDS).for_each(|seed| sum.add(&way(seed)));
        sum
    };
    let other = |way: Way| over_seeds(&|seed| Dialer::new(steady(), seed, way).dial_all());
    let oracle = other(Way::Oracle);
    let rows = [
        ("this dialer", over_seeds(&|seed| ours(steady(), seed, None))),
        ("the same with `--webhook`", over_seeds(&|seed| ours(steady(), seed, Some(MESSAGES_AFTER)))),
        ("last answer only", other(Way::LastAnswer)),
        ("fixed cap of 7", other(Way::Cap(7))),
        ("ten at once", other(Way::Cap(10))),
        ("batches as barriers", other(Way::Barriers)),
    ];
    println!("{SEEDS} seeds, {LEADS} leads, 10 slots, {RESERVE} kept, 50 inbound calls an hour of 3 minutes\n");
    println!("| | rate, oracle = 1 | dials with {RESERVE} or fewer free | inbound refused | refused by the pool |");
    println!("|---|--:|--:|--:|--:|");
    for (name, came) in std::iter::once(("oracle", &oracle)).chain(rows.iter().map(|(name, came)| (*name, came))) {
        #[expect(clippy::cast_precision_loss, reason = "shares for people to read")]
        let share = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
        let (rate, near) = (oracle.seconds / came.seconds, share(came.near, came.dials));
        let (denied, refused) = (share(came.denied, came.offered), came.refused);
        println!("| {name} | {rate:.3} | {near:.1}% | {denied:.2}% | {refused} |");
    }
}
