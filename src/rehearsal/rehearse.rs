//! Virtual time: real campaigns, stepped against a pretended provider.
//!
//! A [`Simulation`] holds one provider and any number of runs that share its pool. It moves time from one thing that
//! happens to the next, so an hour takes as long as its events. A run can be killed at any action and set up again from
//! what its journal remembers, as a crash would have it.

mod exchange;
mod gap;
mod queue;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::world::FakeProvider;
use super::world::answer::PostId;
use crate::campaign::event::{AccountFact, Action, Event, News, Query, ReadFailure, ReadId, Stop};
use crate::campaign::notice::{Notice, Outcome};
use crate::campaign::plan::Plan;
use crate::campaign::seen::Listing;
use crate::journal::answer::{Answer as Mine, Claims, answer, write_down};
use crate::journal::{Error, Journal};
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;
use crate::pool::news::RequestTiming;
use crate::time::{Instant, Now, Stamp, sooner};
use crate::trace::mask::Mask;
use crate::trace::{Kept, Sink, Traced, Writer};
use exchange::request;
use gap::Gap;
use queue::EventQueue;

/// How long a read takes, there and back, unless it is said otherwise.
const READ_TRAVEL: Duration = Duration::from_millis(40);
/// Wake-ups in a row, a microsecond apart, of a run that can only be caught in a circle.
const RESTLESS: u32 = 1_000;

/// One run on the stage.
pub struct Run<J> {
    /// The machine.
    pub campaign: Traced,
    /// What it remembers.
    pub journal: J,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What a person would have been told, in order.
    pub notices: Vec<Notice>,
    /// Actions carried out.
    pub actions: u64,
    lines: Vec<String>,
    poll: Duration,
    /// It may wait for the cost of a call.
    minds_costs: bool,
    /// When its last read arrived.
    read_at: Option<Stamp>,
    org: usize,
    post_timeout: Duration,
    claims: Claims,
    gap: Gap,
}

/// A provider, and the runs that dial through it.
pub struct Simulation<J> {
    /// The provider.
    pub world: FakeProvider,
    /// The runs; one that was killed leaves its place empty.
    pub runs: Vec<Option<Run<J>>>,
    /// Everything that was done, a line each, where it is kept.
    pub trace: Option<String>,
    /// A trace of each run that is started from now on, in their order, where they are kept.
    pub traces: Option<Vec<Kept>>,
    /// How long a read takes, there and back.
    pub read_travel: Duration,
    /// Whether reads that can show nothing new are left out: of a run that waits for room, until a slot may come free.
    pub skips_polls: bool,
    /// How long after a call's end a message tells of it, where messages are sent.
    pub messages_after: Option<Duration>,
    skew: i64,
    /// When the provider was last asked for a call.
    asked_at: Option<Stamp>,
    /// The time as it was last asked for: it is asked for far more often than it changes.
    last: Cell<Now>,
    agenda: EventQueue,
    posts: BTreeMap<PostId, Sent>,
    /// Steps in a row in which nothing but a clock moved on, and hardly that.
    restless: u32,
}

/// A request on its way.
struct Sent {
    run: usize,
    attempt: AttemptId,
    at: Instant,
}

enum Due {
    /// A read arrives at the provider.
    Read(usize, Listed, Query, Instant),
    /// What was read is received.
    Listed(usize, Page),
    /// What could not be read is known to be so.
    Unread(usize, Listed, Box<ReadFailure>),
    /// A request has waited for its answer for too long.
    Timeout(PostId),
    /// A message says that a call is over.
    Message(CallId),
    /// An order from outside.
    Order(usize, Stop),
}

/// A read: of which watched organisation, if not of the run's own.
#[derive(Clone, Copy)]
struct Listed {
    read: ReadId,
    watched: Option<usize>,
}

/// A page of a listing, on its way.
struct Page {
    of: Listed,
    wire: RequestTiming,
    calls: Listing,
    full: bool,
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

impl<J: Journal> Simulation<J> {
    /// A stage without runs. `skew`: how far the machine's clock is ahead of the provider's, in microseconds.
    pub fn new(world: FakeProvider, skew: i64) -> Self {
        let never = Instant::from_micros(i64::MIN);
        Self {
            world,
            runs: Vec::new(),
            trace: None,
            traces: None,
            read_travel: READ_TRAVEL,
            skips_polls: false,
            messages_after: None,
            skew,
            asked_at: None,
            last: Cell::new(Now { at: never, wall: never.timestamp() }),
            agenda: EventQueue::default(),
            posts: BTreeMap::new(),
            restless: 0,
        }
    }

    /// The time on the machine that dials.
    pub fn now(&self) -> Now {
        let at = self.ours(self.world.now());
        let last = self.last.get();
        if last.at == at {
            return last;
        }
        let now = Now { at, wall: at.timestamp() };
        self.last.set(now);
        now
    }

    /// Sets up a run, and lets it do what it can do at once. Returns its place.
    pub fn start(&mut self, setup: Setup<J>) -> Result<usize, Error> {
        let now = self.now();
        let Setup { plan, mut journal, org, post_timeout } = setup;
        let history = journal.history(now)?;
        let (lines, poll, minds_costs) = (plan.lines.clone(), plan.poll, plan.max_cost.is_some());
        let sink = self.traces.as_mut().map(|traces| {
            let kept = Kept::default();
            traces.push(kept.clone());
            Box::new(Writer::new(kept, Mask::new([0; 32], false))) as Box<dyn Sink>
        });
        let mut campaign = Traced::new(plan, history, now, sink);
        // A run reads the assistant before it begins, and so knows whose listing it will read.
        campaign.handle(now, Event::Account(AccountFact::OrgConfirmed));
        self.runs.push(Some(Run {
            campaign,
            journal,
            outcome: None,
            notices: Vec::new(),
            actions: 0,
            lines,
            poll,
            minds_costs,
            read_at: None,
            org,
            post_timeout,
            claims: Claims::new(),
            gap: Gap::default(),
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
        self.agenda.keep(|due| !matches!(due, Due::Listed(run, _) | Due::Unread(run, ..) if *run == place));
        Some(run.journal)
    }

    /// Gives an order to a run at a time.
    pub fn order(&mut self, place: usize, at: Stamp, stop: Stop) {
        self.later(at, Due::Order(place, stop));
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
            let Some(action) = run.campaign.next_action() else {
                run.gap.claims = false;
                return Ok(false);
            };
            run.actions += 1;
            let Some(action) = self.still_to_do(place, action, now)? else { continue };
            let Some(run) = self.runs[place].as_mut() else { return Ok(false) };
            if let Some(trace) = &mut self.trace {
                note(trace, now, place, &action);
            }
            let action = match action {
                // Most of what is done is reading, which is no journal's business.
                Action::Read(read, query) => {
                    self.ask(place, Listed { read, watched: None }, query, now);
                    continue;
                }
                Action::Watch(org, read, query) => {
                    self.ask(place, Listed { read, watched: Some(org) }, query, now);
                    continue;
                }
                other => other,
            };
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
                self.asked_at = Some(self.world.now());
                self.posts.insert(post, Sent { run: place, attempt, at: now.at });
                self.later(self.world.now() + timeout, Due::Timeout(post));
            }
            Action::Tell(notice) => run.notices.push(notice),
            Action::Finish(outcome) => run.outcome = Some(outcome),
            other => unreachable!("{other:?} was seen to before"),
        }
    }

    /// Moves time on to the next thing that happens. False if nothing does before `until`.
    fn step(&mut self, until: Stamp) -> Result<bool, Error> {
        let wake = |run: &Run<J>, now: Now| run.campaign.next_wakeup(now).filter(|_| run.outcome.is_none());
        let now = self.now();
        let wakeup = self.runs.iter().flatten().filter_map(|run| wake(run, now)).min().map(|at| self.theirs(at));
        let next = sooner(wakeup, sooner(self.agenda.next_at(), self.world.next_change()));
        let Some(next) = next.filter(|next| *next <= until) else { return Ok(false) };
        let hardly = wakeup == Some(next) && next.since(self.world.now()) <= Duration::from_micros(1);
        self.restless = if hardly { self.restless + 1 } else { 0 };
        assert!(self.restless < RESTLESS, "a run asks to be woken again and again, at once");
        self.world.advance(next);
        while let Some(reply) = self.world.next_reply() {
            self.reply(reply)?;
        }
        if let Some(after) = self.messages_after {
            self.world.tell_of_ends();
            while let Some((id, _)) = self.world.next_news() {
                self.later(self.world.now() + after, Due::Message(id));
            }
        }
        while let Some(due) = self.agenda.take(next) {
            self.happen(due)?;
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
            Due::Read(place, of, query, sent) => self.read(place, of, &query, sent),
            Due::Listed(place, Page { of: Listed { read, watched }, wire, calls, full }) => {
                let wire = RequestTiming { received: self.now().at, ..wire };
                let news = News::Listed { read, wire, calls, full, unread: None, no_offset: false };
                let Some(org) = watched else { return self.tell(place, news) };
                let now = self.now();
                if let Some(run) = self.runs[place].as_mut() {
                    run.campaign.handle(now, Event::Watched(org, Box::new(news)));
                }
            }
            Due::Unread(place, Listed { read, watched }, mut failure) => {
                let now = self.now();
                failure.received = now.at;
                if let Some(run) = self.runs[place].as_mut() {
                    let failed = match watched {
                        Some(org) => Event::WatchFailed(org, read, *failure),
                        None => Event::ReadFailed(read, *failure),
                    };
                    run.campaign.handle(now, failed);
                }
            }
            Due::Timeout(post) => {
                if let Some(sent) = self.posts.remove(&post) {
                    self.world.abandon(post);
                    let wire = RequestTiming { sent: sent.at, received: self.now().at, date: None };
                    let message = "no answer in time".to_owned();
                    self.tell(sent.run, News::Failed { attempt: sent.attempt, wire, message })?;
                }
            }
            Due::Message(id) => {
                let now = self.now();
                for run in self.runs.iter_mut().flatten().filter(|run| run.outcome.is_none()) {
                    run.campaign.handle(now, Event::SaidOver(id.clone()));
                }
            }
            Due::Order(place, stop) => {
                let now = self.now();
                if let Some(run) = self.runs[place].as_mut() {
                    run.campaign.handle(now, Event::Stop(stop));
                }
            }
        }
        Ok(())
    }

    fn tell(&mut self, place: usize, news: News) -> Result<(), Error> {
        let now = self.now();
        let Some(run) = self.runs[place].as_mut() else { return Ok(()) };
        run.campaign.handle(now, Event::Came(Box::new(news)));
        let Some(Action::Record(news)) = run.campaign.next_action() else {
            unreachable!("news are recorded before anything else is done")
        };
        let heard = write_down(&mut run.journal, now, *news)?;
        run.campaign.handle(now, heard);
        Ok(())
    }

    fn later(&mut self, at: Stamp, due: Due) {
        self.agenda.put(at, due);
    }

    fn ours(&self, stamp: Stamp) -> Instant {
        Instant::from_micros(stamp.as_micros() + self.skew)
    }

    fn theirs(&self, at: Instant) -> Stamp {
        Stamp::from_micros(at.as_micros() - self.skew)
    }
}

fn note(trace: &mut String, now: Now, place: usize, action: &Action) {
    let _ = match action {
        Action::Claim(ask) => writeln!(trace, "{} {place} Claim({:?})", now.at, ask.leads),
        other => writeln!(trace, "{} {place} {other:?}", now.at),
    };
}
