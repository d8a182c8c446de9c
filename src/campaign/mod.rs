//! Decides: a state machine without clock, socket, task or chance of its own.
//!
//! [`Campaign::handle`] takes in what happened, [`Campaign::next_action`] says what to do about it, and
//! [`Campaign::next_wakeup`] when to come back if nothing happens. A wake-up that comes early changes nothing.
//!
//! The files beside this one each hold one concern of the same machine: `start` (searching before dialing), `dial`
//! (who is claimed next), `news` (what answers and listings mean), `watch` (when the listing is read), `doubt` (proof of
//! absence), `finish` (when it is over).

pub mod attempt;
pub mod breaker;
mod dial;
pub mod disposition;
mod doubt;
pub mod event;
mod finish;
pub mod hours;
mod lines;
mod news;
mod pace;
pub mod plan;
pub mod retry;
mod search;
mod start;
pub mod tally;
mod watch;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::pool::Pool;
use crate::pool::headroom::Slots;
use crate::time::{Instant, Now, Stamp};
use attempt::{AttemptId, State};
use breaker::{Backoff, Breaker, Refusals};
use event::{Action, BatchLead, Event, History, LeadId, Line, Notice, ReadId, Stop, Why};
use lines::Lines;
use pace::Pace;
use plan::Plan;
use start::Phase;
use tally::Tally;
use watch::{Reading, Watch};

/// No sleep is longer, so that a suspended machine is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// How long answers on their way are waited for when the run has to end at once.
const GRACE: Duration = Duration::from_secs(5);

/// One run of one campaign.
pub struct Campaign {
    plan: Plan,
    pool: Pool,
    phase: Phase,
    batch: Batch,
    live: BTreeMap<AttemptId, Live>,
    watch: Watch,
    reading: Option<(ReadId, Reading)>,
    reads: u64,
    proof: Option<search::Search>,
    pace: Pace,
    lines: Lines,
    breaker: Breaker,
    refusals: Refusals<(AttemptId, LeadId)>,
    backoff: Backoff,
    /// Nothing can be sent before then.
    unreachable_until: Option<Instant>,
    first: First,
    claiming: bool,
    paused: bool,
    stopping: Option<Why>,
    /// Out by then, whatever is still on its way.
    leave_by: Option<Instant>,
    interrupted: bool,
    others_reserve: u32,
    asked_again_at: Option<Instant>,
    began: Stamp,
    known_limit: Option<u32>,
    limits_missing: bool,
    date_missing: bool,
    org_confirmed: bool,
    orphans_due: Instant,
    spent_usd: f64,
    calls_ended: u64,
    answered_leads: u64,
    doubts: BTreeMap<LeadId, doubt::Count>,
    tally: Tally,
    actions: VecDeque<Action>,
    last_decided: Instant,
}

/// The open batch.
#[derive(Debug, Default)]
struct Batch {
    state: BatchState,
    number: u64,
    size: usize,
    /// Who is left to dial now, the most urgent first.
    queue: VecDeque<BatchLead>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum BatchState {
    /// None is open; one is to be asked for.
    #[default]
    Wanted,
    /// Asked for.
    Asked,
    /// Open.
    Open,
    /// Nobody may be dialed now.
    Nobody(event::Rest),
}

/// An attempt that is not over.
#[derive(Debug)]
struct Live {
    /// Its lead, where it is this run's own.
    lead: Option<BatchLead>,
    /// The batch that it belongs to; none for one of the past.
    batch: Option<u64>,
    line: Line,
    state: State,
    call: Option<crate::pool::calls::CallId>,
    failed: Option<Instant>,
    provider_time: Stamp,
    since: Instant,
    cost: f64,
    /// It is this campaign's, rather than an orphan's of another.
    ours: bool,
    /// It is the breaker's test call.
    test: bool,
}

/// How far the first dial of the run is: the listing is read between its answer and the second one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum First {
    NotYet,
    OnItsWay,
    Over(Instant),
    Checked,
}

impl Campaign {
    /// A run that goes on from a history; that of a fresh start is empty.
    pub fn new(plan: Plan, history: History, now: Now) -> Self {
        let assumed = plan.slots.or(history.last_limit).unwrap_or(DEFAULT_SLOTS);
        let mut campaign = Self {
            pool: Pool::new(plan.poll, plan.probe_after, assumed),
            phase: Phase::begin(&history),
            batch: Batch::default(),
            live: BTreeMap::new(),
            watch: Watch::new(plan.poll),
            reading: None,
            reads: 0,
            proof: None,
            pace: Pace::new(plan.rate, now.at),
            lines: Lines::new(plan.lines.clone()),
            breaker: Breaker::new(plan.probe_after),
            refusals: Refusals::default(),
            backoff: Backoff::new(now.at),
            unreachable_until: None,
            first: First::NotYet,
            claiming: false,
            paused: history.paused,
            stopping: None,
            leave_by: None,
            interrupted: false,
            others_reserve: history.others.reserve,
            asked_again_at: None,
            began: Stamp::from(now.at.timestamp()),
            known_limit: None,
            limits_missing: false,
            date_missing: false,
            org_confirmed: history.org_confirmed,
            orphans_due: now.at + plan.poll * 60,
            spent_usd: history.cost_usd,
            calls_ended: history.calls_ended,
            answered_leads: 0,
            doubts: BTreeMap::new(),
            tally: Tally::default(),
            actions: VecDeque::new(),
            last_decided: now.at,
            plan,
        };
        campaign.pool.merge_others(&history.others);
        campaign.adopt_open(history.open, now.at);
        campaign.decide(now);
        campaign
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Now, event: Event) {
        match event {
            Event::Wake => {}
            Event::BatchOpened(opened) => self.batch_opened(opened, now),
            Event::Claimed(claimed) => self.claimed(claimed, now),
            Event::News(news, recorded) => self.hear(news, recorded, now),
            Event::ReadFailed(read, failure) => self.read_failed(read, &failure, now),
            Event::Adopted(changes) => self.adopted(changes, now),
            Event::Orphans(open) => {
                if !open.is_empty() {
                    self.tell(Notice::Following(open.len()));
                }
                self.adopt_open(open, now.at);
            }
            Event::Stop(stop) => self.told_to_stop(stop, now),
        }
        self.decide(now);
    }

    /// What to do next, in order; `None` when there is nothing until the next event or wake-up.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When to send [`Event::Wake`] if nothing else happens; `None` once it is over.
    pub fn next_wakeup(&self, now: Now) -> Option<Instant> {
        if self.is_over() {
            return None;
        }
        let soonest = self.wakeups(now).into_iter().flatten().min();
        let longest = now.at + LONGEST_SLEEP;
        Some(soonest.map_or(longest, |at| at.clamp(now.at + Duration::from_micros(1), longest)))
    }

    /// Whether [`Action::Finish`] has been given.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// What this run did so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The pool in slots, as far as known.
    pub fn slots(&self, now: Now) -> Slots {
        self.pool.slots(self.reserve(now))
    }

    /// The open batch: its number, how many of it are not waiting to be dialed, and its size.
    pub fn batch(&self) -> Option<(u64, usize, usize)> {
        let open = self.batch.state == BatchState::Open;
        open.then(|| (self.batch.number, self.batch.size.saturating_sub(self.batch.queue.len()), self.batch.size))
    }

    /// Calls of this campaign that are up or on their way.
    pub fn calls_up(&self) -> usize {
        self.live.values().filter(|live| live.ours && matches!(live.state, State::Placed { .. } | State::Claimed)).count()
    }

    /// Everything that follows from what is known now. Does nothing that it has done before.
    fn decide(&mut self, now: Now) {
        if self.is_over() {
            return;
        }
        self.last_decided = now.at;
        self.note_time(now);
        self.begin_search(now);
        self.want_orphans(now);
        self.want_batch(now);
        self.want_proof(now);
        self.want_claims(now);
        self.want_read(now);
        self.want_end(now);
        let reserve = self.reserve(now);
        self.tally.note(now.at, self.pool.slots(reserve), reserve);
    }

    fn told_to_stop(&mut self, stop: Stop, now: Now) {
        match stop {
            Stop::Drain => self.stop(Why::Stopped),
            Stop::Now => {
                self.stop(Why::Stopped);
                self.interrupted = true;
                self.leave_by.get_or_insert(now.at + GRACE);
            }
            Stop::Pause | Stop::Resume => {
                let paused = stop == Stop::Pause;
                if paused != self.paused {
                    self.paused = paused;
                    self.tell(Notice::Paused(paused));
                }
            }
        }
    }

    /// Dialing stops, for this reason unless a weightier one is known already.
    fn stop(&mut self, why: Why) {
        if self.stopping.as_ref().is_none_or(|known| why.weight() > known.weight()) {
            if self.stopping.as_ref() != Some(&why) {
                self.tell(Notice::Stopping(why.clone()));
            }
            self.stopping = Some(why);
        }
    }

    fn tell(&mut self, notice: Notice) {
        self.actions.push_back(Action::Tell(notice));
    }

    fn reserve(&self, now: Now) -> u32 {
        self.plan.reserve.at(now.wall).max(self.others_reserve)
    }

    fn want_orphans(&mut self, now: Now) {
        if now.at >= self.orphans_due && self.stopping.is_none() {
            self.orphans_due = now.at + self.plan.poll * 60;
            self.actions.push_back(Action::FindOrphans);
        }
    }

    fn note_time(&mut self, now: Now) {
        if self.plan.until.is_some_and(|until| now.wall >= until) {
            self.stop(Why::Until);
        }
    }
}

/// What an account has unless it is said or seen otherwise.
pub const DEFAULT_SLOTS: u32 = 10;
