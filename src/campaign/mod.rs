//! Decides: a state machine without clock, socket, task or chance of its own.
//!
//! [`Campaign::handle`] takes in what happened, [`Campaign::next_action`] says what to do about it, and
//! [`Campaign::next_wakeup`] when to come back if nothing happens. A wake-up that comes early changes nothing.
//!
//! The files beside this one each hold one concern of the same machine: `start` (searching before dialing), `dial`
//! (who is claimed next), `news` (what answers and listings mean), `listing` and `reads` (what is read of the listing, and why), `doubt` (proof of
//! absence), `finish` (when it is over).

mod active;
pub mod attempt;
mod awaited;
mod batch;
pub mod breaker;
pub mod budget;
pub mod callers;
pub mod counts;
mod dial;
pub mod disposition;
mod doubt;
pub mod event;
mod finish;
pub mod hours;
mod identify;
mod late_slots;
mod line_down;
mod lines;
mod listing;
mod money;
mod news;
pub mod notice;
mod pace;
pub mod plan;
pub mod plan_error;
mod reads;
pub mod reply;
mod requests;
mod reserve;
pub mod retry;
mod rows;
pub mod seen;
mod shown;
mod start;
mod timing;
pub mod trouble;
mod watched;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::pool::Pool;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;
use crate::pool::headroom::Slots;
use crate::time::{Instant, Now};
use active::{ActiveAttempt, ActiveAttempts};
use attempt::State;
use awaited::Awaited;
use batch::Batch;
use breaker::Breaker;
use callers::Callers;
use counts::RunCounts;
use doubt::{Marks, Proofs};
use event::{AccountFact, Action, Event, LeadId, Stop};
use late_slots::LateSlots;
use lines::Lines;
use listing::ListingReader;
use notice::{Notice, StopReason};
use pace::Pace;
use plan::Plan;
use reply::ResumeState;
use requests::Requests;
use start::{Start, Step};
use trouble::{ConfigRefusals, ConnectBackoff, UnreachableTimer};
use watched::Watched;

/// No sleep is longer, so that a suspended machine is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// How long answers on their way are waited for when the run has to end at once: a little less than the five seconds
/// within which it is gone.
const GRACE: Duration = Duration::from_millis(4_700);

/// One run of one campaign.
#[expect(clippy::struct_excessive_bools, reason = "each is known or not, independently of the others")]
pub struct Campaign {
    plan: Plan,
    start: Start,
    pool: Pool,
    batch: Batch,
    live: ActiveAttempts,
    /// Attempts of this run that were proven absent or put aside, with their batch: a call may come to light all the
    /// same.
    written_off: BTreeMap<AttemptId, (State, u64)>,
    listing: ListingReader,
    awaited: Awaited,
    /// Other organisations whose calls are seen, too.
    watched: Vec<Watched>,
    /// The organisation that calls, where a listing has shown it.
    org: Option<Arc<str>>,
    proofs: Proofs,
    pace: Pace,
    requests: Requests,
    lines: Lines,
    breaker: Breaker,
    refusals: ConfigRefusals,
    backoff: ConnectBackoff,
    silence: UnreachableTimer,
    /// It was told last that no answer came.
    told_away: bool,
    /// It was told that times are listed without an offset.
    told_no_offset: bool,
    money: money::Money,
    tally: RunCounts,
    first: First,
    stopping: Option<StopReason>,
    /// Out by then, whatever is still on its way.
    leave_by: Option<Instant>,
    interrupted: bool,
    paused: bool,
    started_paused: bool,
    claiming: bool,
    /// Leads of the ask that is under way.
    asked: usize,
    /// The journal granted none of them: what other runs do leaves no room.
    turned_down: bool,
    hours_looked_at: Instant,
    /// Nothing is to be claimed before then, for a reason that is not the pool's.
    hold_claims_until: Option<Instant>,
    /// Attempts of this run, refused ones apart.
    attempts: u64,
    /// Leads that left the queue because the line that they name is dead.
    without_line: BTreeSet<LeadId>,
    fresh_wanted: bool,
    /// Until when the process stood still last.
    stood_still: Option<Instant>,
    no_room: bool,
    scheduled: BTreeSet<CallId>,
    /// Who calls in, where the reserve is chosen by that.
    callers: Option<Callers>,
    others_reserve: u32,
    /// What other runs were last told that this one reserves.
    told_reserve: Option<u32>,
    /// Other runs had a hand in what this one knows of the pool, as of then.
    others_at: Option<Instant>,
    known_limit: Option<u32>,
    /// The limit was said, or an earlier run has seen it.
    limit_known: bool,
    limits_missing: bool,
    late_slots: LateSlots,
    marks: Marks,
    /// Calls of ours that the provider does not know by their id, and since when.
    lost: BTreeMap<CallId, Instant>,
    date_missing: bool,
    /// A time that cannot be was told of.
    wrong_times_told: bool,
    /// One answer, and no other yet, says that the wall clock is wrong.
    clock_in_doubt: bool,
    org_confirmed: bool,
    /// How long a call with the campaign's own assistant can last, where that is known.
    usual_call: Option<Duration>,
    orphans_due: Instant,
    /// When calls that have lasted too long are looked for.
    overdue_due: Instant,
    actions: VecDeque<Action>,
    wake_at: Option<Instant>,
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
    pub fn new(plan: Plan, history: ResumeState, now: Now) -> Self {
        let assumed = plan.slots.or(history.last_limit).unwrap_or(DEFAULT_SLOTS);
        let mut campaign = Self {
            start: Start::new(&history, &plan.campaign, now.at),
            pool: Pool::new(plan.poll, plan.probe_after, assumed).with_release_lag(plan.release_lag),
            batch: Batch::default(),
            live: ActiveAttempts::default(),
            written_off: BTreeMap::new(),
            listing: ListingReader::new(plan.poll),
            awaited: Awaited::of(history.awaited, now.at),
            watched: plan.watched.iter().map(|name| Watched::new(name, plan.poll, now.at)).collect(),
            org: None,
            proofs: Proofs::default(),
            pace: Pace::new(plan.rate, now.at),
            requests: Requests::new(plan.requests, now.at),
            lines: Lines::new(plan.lines.clone()),
            breaker: Breaker::new(plan.probe_after),
            refusals: ConfigRefusals::default(),
            backoff: ConnectBackoff::default(),
            silence: UnreachableTimer::default(),
            told_away: false,
            told_no_offset: false,
            money: money::Money::new(history.cost_usd, history.calls_ended),
            tally: RunCounts::default(),
            first: First::NotYet,
            stopping: None,
            leave_by: None,
            interrupted: false,
            paused: history.paused,
            started_paused: history.paused,
            claiming: false,
            asked: 0,
            turned_down: false,
            hours_looked_at: now.at,
            hold_claims_until: None,
            attempts: 0,
            without_line: BTreeSet::new(),
            fresh_wanted: false,
            no_room: false,
            scheduled: BTreeSet::new(),
            callers: None,
            others_reserve: 0,
            told_reserve: None,
            stood_still: None,
            others_at: None,
            known_limit: None,
            limit_known: plan.slots.or(history.last_limit).is_some(),
            limits_missing: false,
            late_slots: LateSlots::default(),
            marks: Marks::default(),
            lost: BTreeMap::new(),
            date_missing: false,
            wrong_times_told: false,
            clock_in_doubt: false,
            org_confirmed: history.org_confirmed,
            usual_call: None,
            orphans_due: now.at + plan.poll * 60,
            overdue_due: now.at,
            actions: VecDeque::new(),
            wake_at: None,
            plan,
        };
        campaign.begin_reserve(now);
        campaign.hear_others(&history.others, now);
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
            Event::Booked(booked) => self.booked(booked, now),
            Event::ClaimsHeld => {
                self.claiming = false;
                self.hold_claims_until = Some(now.at + self.plan.poll);
            }
            Event::StoodStill => self.stood_still = Some(now.at),
            Event::Came(news) => return self.take_in(*news, now),
            Event::News(news, recorded) => self.hear(news, recorded, now),
            Event::Watched(org, news) => self.watched_came(org, *news, now),
            Event::WatchFailed(org, read, failure) => self.watch_failed(org, read, &failure, now),
            Event::ReadFailed(read, failure) => self.read_failed(read, &failure, now),
            Event::Adopted(changes) => self.adopted(changes, now),
            Event::Orphans(open) => {
                let new = open.iter().filter(|open| !self.live.contains_key(&open.attempt)).count();
                if new > 0 {
                    self.tell(Notice::Following(new));
                }
                self.adopt_open(open, now.at);
            }
            Event::LineDown(id, why) => self.line_is_down(&id, &why, None, now),
            Event::SaidOver(id) => self.said_over(&id, now),
            Event::Stop(stop) => self.told_to_stop(stop, now),
            Event::Account(fact) => self.learn(fact),
        }
        self.decide(now);
    }

    /// What to do next, in order; `None` when there is nothing until the next event or wake-up.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// What [`next_action`](Self::next_action) will be.
    pub fn peek_action(&self) -> Option<&Action> {
        self.actions.front()
    }

    /// When to send [`Event::Wake`] if nothing else happens; `None` once it is over.
    pub fn next_wakeup(&self, now: Now) -> Option<Instant> {
        if self.is_over() {
            return None;
        }
        let longest = now.at + LONGEST_SLEEP;
        Some(self.wake_at.map_or(longest, |at| at.clamp(now.at + Duration::from_micros(1), longest)))
    }

    /// Whether [`Action::Finish`] has been given.
    pub fn is_over(&self) -> bool {
        matches!(self.start.step, Step::Over)
    }

    /// What was read of the account before the first dial.
    fn learn(&mut self, fact: AccountFact) {
        match fact {
            AccountFact::OrgConfirmed => self.org_confirmed = true,
            AccountFact::CallsLast(at_most) => self.usual_call = Some(at_most.min(self.plan.longest_call)),
            AccountFact::FreeLine(id) => self.lines.set_free(&id),
            AccountFact::Read(requests) => self.requests_made(requests),
        }
    }

    /// Everything that follows from what is known now. Does nothing that it has done before.
    fn decide(&mut self, now: Now) {
        if self.is_over() {
            return;
        }
        self.wake_at = None;
        self.note_time(now);
        self.choose_reserve(now);
        self.tell_reserve(now);
        self.begin_search(now);
        self.want_orphans(now);
        self.want_batch(now);
        self.want_proof(now);
        self.want_claims(now);
        self.want_read(now);
        self.want_end(now);
        let reserve = self.reserve(now);
        // The pool's are every run's on this machine. A doubt is no call that anybody has seen.
        let ours = u32::try_from(self.live.followed()).unwrap_or(u32::MAX);
        self.tally.note(now.at, Slots { ours, ..self.pool.slots_at(now.at, reserve) }, reserve);
    }

    fn told_to_stop(&mut self, stop: Stop, now: Now) {
        match stop {
            Stop::Drain => self.stop(StopReason::Stopped),
            Stop::Now => {
                self.stop(StopReason::Stopped);
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
    fn stop(&mut self, why: StopReason) {
        if self.stopping.as_ref().is_none_or(|known| why.weight() > known.weight()) {
            if self.stopping.as_ref() != Some(&why) {
                self.tell(Notice::Stopping(why.clone()));
            }
            self.stopping = Some(why);
        }
    }

    /// Wants to be woken then, at the latest.
    fn wake(&mut self, at: Instant) {
        self.wake_at = Some(self.wake_at.map_or(at, |known| known.min(at)));
    }

    fn tell(&mut self, notice: Notice) {
        self.actions.push_back(Action::Tell(notice));
    }

    fn want_orphans(&mut self, now: Now) {
        if self.stopping.is_some() {
            return;
        }
        if now.at >= self.orphans_due {
            self.orphans_due = now.at + self.plan.poll * 60;
            self.actions.push_back(Action::FindOrphans);
        }
        self.wake(self.orphans_due);
    }

    fn note_time(&mut self, now: Now) {
        let Some(until) = self.plan.until else { return };
        if now.wall >= until {
            self.stop(StopReason::Until);
        } else {
            self.wake(now.at + until.duration_since(now.wall).unsigned_abs());
        }
    }
}

/// What an account has unless it is said or seen otherwise.
pub const DEFAULT_SLOTS: u32 = 10;
