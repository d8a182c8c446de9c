//! Virtual time: real campaigns, stepped against a pretended provider.
//!
//! A [`Stage`] holds one provider and any number of runs that share its pool. It moves time from one thing that
//! happens to the next, so an hour takes as long as its events. A run can be killed at any action and set up again from
//! what its journal remembers, as a crash would have it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::world::answer::{Answer, PostId, Reply};
use super::world::call::NewCall;
use super::world::{Filter, World};
use crate::campaign::Campaign;
use crate::campaign::event::{
    Action, Event, News, Notice, Outcome, Query, ReadFailure, ReadId, ReadTrouble, SeenCall, Stop,
};
use crate::campaign::plan::Plan;
use crate::journal::answer::{Answer as Mine, Claims, answer, write_down};
use crate::journal::claim::Claim;
use crate::journal::{Error, Journal};
use crate::pool::attempt_id::AttemptId;
use crate::pool::news::Wire;
use crate::time::{Instant, Now, Stamp};
use crate::vapi::failure::{self, Own, Sorted};

/// How long a read takes, there and back.
const READ_TRAVEL: Duration = Duration::from_millis(40);
/// Wake-ups in a row, a microsecond apart, of a run that can only be caught in a circle.
const RESTLESS: u32 = 1_000;

/// One run on the stage.
pub struct Run<J> {
    /// The machine.
    pub campaign: Campaign,
    /// What it remembers.
    pub journal: J,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What a person would have been told, in order.
    pub notices: Vec<Notice>,
    /// Actions carried out.
    pub actions: u64,
    lines: Vec<String>,
    org: usize,
    post_timeout: Duration,
    claims: Claims,
}

/// A provider, and the runs that dial through it.
pub struct Stage<J> {
    /// The provider.
    pub world: World,
    /// The runs; one that was killed leaves its place empty.
    pub runs: Vec<Option<Run<J>>>,
    /// Everything that was done, a line each, where it is kept.
    pub trace: Option<String>,
    skew: i64,
    due: BinaryHeap<Reverse<(Stamp, u64, Due)>>,
    turns: u64,
    posts: BTreeMap<PostId, Sent>,
    heard: BTreeMap<u64, (usize, Event)>,
    /// Steps in a row in which nothing but a clock moved on, and hardly that.
    restless: u32,
}

/// A request on its way.
struct Sent {
    run: usize,
    attempt: AttemptId,
    at: Instant,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A read arrives at the provider.
    Read(usize, u64, Question, Instant),
    /// What was read is received.
    Heard(u64),
    /// A request has waited for its answer for too long.
    Timeout(PostId),
    /// An order from outside.
    Order(usize, Order),
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Updated(Stamp, Option<Stamp>, u16),
    Created(Stamp, Option<Stamp>, u16),
    One(String),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Drain,
    Now,
    Pause,
    Resume,
}

/// What is needed to set up a run.
pub struct Setup<J> {
    /// Its plan.
    pub plan: Plan,
    /// What it remembers.
    pub journal: J,
    /// The organisation that it dials for.
    pub org: usize,
    /// How long it waits for the answer to a request.
    pub post_timeout: Duration,
}

impl<J: Journal> Stage<J> {
    /// A stage without runs. `skew`: how far the machine's clock is ahead of the provider's, in microseconds.
    pub fn new(world: World, skew: i64) -> Self {
        Self {
            world,
            runs: Vec::new(),
            trace: None,
            skew,
            due: BinaryHeap::new(),
            turns: 0,
            posts: BTreeMap::new(),
            heard: BTreeMap::new(),
            restless: 0,
        }
    }

    /// The time on the machine that dials.
    pub fn now(&self) -> Now {
        let at = self.ours(self.world.now());
        Now { at, wall: at.timestamp() }
    }

    /// Sets up a run, and lets it do what it can do at once. Returns its place.
    pub fn start(&mut self, setup: Setup<J>) -> Result<usize, Error> {
        let now = self.now();
        let Setup { plan, mut journal, org, post_timeout } = setup;
        let history = journal.history(now)?;
        let lines = plan.lines.clone();
        let mut campaign = Campaign::new(plan, history, now);
        // A run reads the assistant before it begins, and so knows whose listing it will read.
        campaign.confirm_org();
        self.runs.push(Some(Run {
            campaign,
            journal,
            outcome: None,
            notices: Vec::new(),
            actions: 0,
            lines,
            org,
            post_timeout,
            claims: Claims::new(),
        }));
        Ok(self.runs.len() - 1)
    }

    /// Kills a run where it stands: its requests are abandoned, and only what its journal remembers is left.
    pub fn kill(&mut self, place: usize) -> Option<J> {
        let run = self.runs.get_mut(place)?.take()?;
        for (post, sent) in &self.posts {
            if sent.run == place {
                self.world.abandon(*post);
            }
        }
        self.posts.retain(|_, sent| sent.run != place);
        self.heard.retain(|_, (run, _)| *run != place);
        Some(run.journal)
    }

    /// Gives an order to a run at a time.
    pub fn order(&mut self, place: usize, at: Stamp, stop: Stop) {
        let order = match stop {
            Stop::Drain => Order::Drain,
            Stop::Now => Order::Now,
            Stop::Pause => Order::Pause,
            Stop::Resume => Order::Resume,
        };
        self.later(at, Due::Order(place, order));
    }

    /// Steps until every run is over, or until one of them is about to carry out its action of that number (counted
    /// from its start); then returns its place. Time ends at `until`.
    pub fn play(&mut self, until: Stamp, stop_before: Option<u64>) -> Result<Option<usize>, Error> {
        loop {
            for place in 0..self.runs.len() {
                if self.act(place, stop_before)? {
                    return Ok(Some(place));
                }
            }
            if !self.runs.iter().flatten().any(|run| run.outcome.is_none()) || !self.step(until)? {
                return Ok(None);
            }
        }
    }

    /// Lets a run do all that it wants done now. True if it is about to carry out the action of that number.
    fn act(&mut self, place: usize, stop_before: Option<u64>) -> Result<bool, Error> {
        loop {
            let now = self.now();
            let Some(run) = self.runs[place].as_mut().filter(|run| run.outcome.is_none()) else { return Ok(false) };
            if stop_before == Some(run.actions) {
                return Ok(true);
            }
            let Some(action) = run.campaign.next_action() else { return Ok(false) };
            run.actions += 1;
            if let Some(trace) = &mut self.trace {
                note(trace, now, place, &action);
            }
            match answer(&mut run.journal, now, action, &mut run.claims)? {
                Mine::Heard(event) => run.campaign.handle(now, event),
                Mine::Done => {}
                Mine::NotMine(action) => self.do_outside(place, action, now),
            }
        }
    }

    fn do_outside(&mut self, place: usize, action: Action, now: Now) {
        let Some(run) = self.runs[place].as_mut() else { return };
        match action {
            Action::Place(attempt, line) => {
                let Some(claim) = run.claims.remove(&attempt) else {
                    unreachable!("{attempt} was placed without a claim")
                };
                let line = claim.lead().phone_number_id.clone().unwrap_or_else(|| run.lines[line.0].clone());
                let (org, timeout) = (run.org, run.post_timeout);
                let post = self.world.post(self.world.now(), org, request(&claim, line));
                self.posts.insert(post, Sent { run: place, attempt, at: now.at });
                self.later(self.world.now() + timeout, Due::Timeout(post));
            }
            Action::Read(id, query) => {
                let question = match query {
                    Query::Updated { from, to, limit } => Question::Updated(from, to, limit),
                    Query::Created { from, to, limit } => Question::Created(from, to, limit),
                    Query::One(id) => Question::One(id.as_str().to_owned()),
                };
                self.later(self.world.now() + READ_TRAVEL / 2, Due::Read(place, id.0, question, now.at));
            }
            Action::Tell(notice) => run.notices.push(notice),
            Action::Finish(outcome) => run.outcome = Some(outcome),
            other => unreachable!("{other:?} is the journal's"),
        }
    }

    /// Moves time on to the next thing that happens. False if nothing does before `until`.
    fn step(&mut self, until: Stamp) -> Result<bool, Error> {
        let wake = |run: &Run<J>, now: Now| run.campaign.next_wakeup(now).filter(|_| run.outcome.is_none());
        let now = self.now();
        let wakeup = self.runs.iter().flatten().filter_map(|run| wake(run, now)).min().map(|at| self.theirs(at));
        let due = self.due.peek().map(|due| due.0.0);
        let next = [wakeup, due, self.world.next_change()].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= until) else { return Ok(false) };
        let hardly = wakeup == Some(next) && next.since(self.world.now()) <= Duration::from_micros(1);
        self.restless = if hardly { self.restless + 1 } else { 0 };
        assert!(self.restless < RESTLESS, "a run asks to be woken again and again, at once");
        self.world.advance(next);
        while let Some(reply) = self.world.next_reply() {
            self.reply(reply)?;
        }
        while self.due.peek().is_some_and(|due| due.0.0 <= next) {
            if let Some(Reverse((_, _, due))) = self.due.pop() {
                self.happen(due)?;
            }
        }
        if wakeup.is_some_and(|at| at <= next) {
            let now = self.now();
            for run in self.runs.iter_mut().flatten() {
                if wake(run, now).is_some() {
                    run.campaign.handle(now, Event::Wake);
                }
            }
        }
        Ok(true)
    }

    fn happen(&mut self, due: Due) -> Result<(), Error> {
        match due {
            Due::Read(place, id, question, sent) => self.read(place, ReadId(id), &question, sent),
            Due::Heard(turn) => {
                let Some((place, event)) = self.heard.remove(&turn) else { return Ok(()) };
                let now = self.now();
                let Some(run) = self.runs[place].as_mut() else { return Ok(()) };
                let event = match event {
                    Event::News(news, _) => write_down(&mut run.journal, now, news)?,
                    other => other,
                };
                run.campaign.handle(now, event);
            }
            Due::Timeout(post) => {
                if let Some(sent) = self.posts.remove(&post) {
                    self.world.abandon(post);
                    let wire = Wire { sent: sent.at, received: self.now().at, date: None };
                    let message = "no answer in time".to_owned();
                    self.tell(sent.run, News::Failed { attempt: sent.attempt, wire, message })?;
                }
            }
            Due::Order(place, order) => {
                let stop = match order {
                    Order::Drain => Stop::Drain,
                    Order::Now => Stop::Now,
                    Order::Pause => Stop::Pause,
                    Order::Resume => Stop::Resume,
                };
                let now = self.now();
                if let Some(run) = self.runs[place].as_mut() {
                    run.campaign.handle(now, Event::Stop(stop));
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, place: usize, id: ReadId, question: &Question, sent: Instant) {
        let Some(org) = self.runs[place].as_ref().map(|run| run.org) else { return };
        let at = self.world.now();
        let received = self.ours(at + READ_TRAVEL / 2);
        let date = Some(cut(at));
        let event = if self.world.read_fails() {
            let message = "500: Internal Server Error".to_owned();
            Event::ReadFailed(id, ReadFailure { kind: ReadTrouble::Fault, received, date, message })
        } else {
            let (calls, full) = self.look(org, question);
            let wire = Wire { sent, received, date };
            Event::News(News::Listed { read: id, wire, calls, full }, crate::campaign::event::Recorded::default())
        };
        self.turns += 1;
        let turn = self.turns;
        self.heard.insert(turn, (place, event));
        self.later(at + READ_TRAVEL / 2, Due::Heard(turn));
    }

    fn look(&mut self, org: usize, question: &Question) -> (Vec<Arc<SeenCall>>, bool) {
        let at = self.world.now();
        let end = Stamp::from_micros(i64::MAX);
        let filter = match question {
            Question::Updated(from, to, limit) => {
                Filter { updated: (*from, to.unwrap_or(end)), limit: usize::from(*limit), ..Filter::default() }
            }
            Question::Created(from, to, limit) => {
                Filter { created: (*from, to.unwrap_or(end)), limit: usize::from(*limit), ..Filter::default() }
            }
            Question::One(id) => {
                return (self.world.row(at, org, id).into_iter().collect(), false);
            }
        };
        let calls = self.world.rows(at, org, &filter);
        let full = calls.len() >= filter.limit;
        (calls, full)
    }

    fn reply(&mut self, reply: Reply) -> Result<(), Error> {
        let Some(sent) = self.posts.remove(&reply.post) else { return Ok(()) };
        let wire = Wire { sent: sent.at, received: self.ours(reply.received), date: Some(cut(reply.left)) };
        let attempt = sent.attempt;
        let org = self.runs[sent.run].as_ref().map_or(0, |run| run.org);
        let news = match reply.answer {
            Answer::Created(call, limits) => {
                News::Answered { attempt, wire, call: call.seen(&self.world.org_id(org)), limits }
            }
            Answer::Refused(refusal) => {
                let body = refusal.body().to_string();
                let retry_after = refusal.retry_after.map(|wait| wait.as_secs().to_string());
                let answer = failure::Answer {
                    status: refusal.status,
                    body: &body,
                    cut: None,
                    retry_after: retry_after.as_deref(),
                    date: wire.date,
                };
                sorted(attempt, wire, failure::sort(failure::Outcome::Answer(answer), Own::default(), None))
            }
            Answer::Error(status) | Answer::Html(status) => News::Failed { attempt, wire, message: status.to_string() },
            Answer::Dropped => {
                let wire = Wire { date: None, ..wire };
                News::Failed { attempt, wire, message: "connection closed before the answer".to_owned() }
            }
        };
        self.tell(sent.run, news)
    }

    fn tell(&mut self, place: usize, news: News) -> Result<(), Error> {
        let now = self.now();
        let Some(run) = self.runs[place].as_mut() else { return Ok(()) };
        let event = write_down(&mut run.journal, now, news)?;
        run.campaign.handle(now, event);
        Ok(())
    }

    fn later(&mut self, at: Stamp, due: Due) {
        self.turns += 1;
        self.due.push(Reverse((at, self.turns, due)));
    }

    fn ours(&self, stamp: Stamp) -> Instant {
        Instant::from_micros(stamp.as_micros() + self.skew)
    }

    fn theirs(&self, at: Instant) -> Stamp {
        Stamp::from_micros(at.as_micros() - self.skew)
    }
}

fn request(claim: &Claim, line: String) -> NewCall {
    let attempt = Some(claim.attempt().as_str().to_owned());
    NewCall {
        number: claim.lead().phone.to_string(),
        name: attempt.clone(),
        external_id: attempt,
        target: Some("assistant".to_owned()),
        line: Some(line),
        ..NewCall::default()
    }
}

fn sorted(attempt: AttemptId, wire: Wire, sorted: Sorted) -> News {
    match sorted {
        Sorted::Placed(call, limits) => News::Answered { attempt, wire, call: *call, limits },
        Sorted::Refused(refusal) => News::Refused {
            attempt,
            wire,
            cause: refusal.cause,
            limits: refusal.limits,
            retry_after: refusal.retry_after,
            message: refusal.message,
            key: refusal.key,
        },
        Sorted::InDoubt(message) => News::Failed { attempt, wire, message },
    }
}

/// A `Date` header is cut to the second.
fn cut(at: Stamp) -> Stamp {
    Stamp::from_micros(at.as_micros().div_euclid(1_000_000) * 1_000_000)
}

fn note(trace: &mut String, now: Now, place: usize, action: &Action) {
    let _ = match action {
        Action::Claim(ask) => writeln!(trace, "{} {place} Claim({:?})", now.at, ask.leads),
        other => writeln!(trace, "{} {place} {other:?}", now.at),
    };
}
