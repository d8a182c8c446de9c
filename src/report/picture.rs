//! What a page is shown of a run: how it stands, its pool over time, what happened last, and how it ended. It is made
//! of what observers are told and of nothing else.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::happening::{AttemptChange, Happening, RunEnded, Snapshot};
use super::live_status::{EndedStatus, Line, LiveStatus, PageStatus, PoolStatus};
use super::notice::{Severity, weight, words};
use super::pace::Pace;
use super::pool_history::{PoolHistory, Seen};
use super::screen::call_line;
use super::status::{add, common};
use super::style::count;
use crate::campaign::attempt::State;
use crate::journal::Totals;
use crate::journal::disk::histories::PoolPast;
use crate::time::Now;

/// Lines that are kept of what happened, and of calls that are over.
const LINES: usize = 30;

/// What is known of a run as it begins.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// The campaign.
    pub campaign: String,
    /// Its account, as the journal calls it.
    pub account: String,
    /// The list, as a person would name it.
    pub list: String,
    /// Slots reserved, as the option has them.
    pub reserve: String,
    /// It calls nobody: the stand-in answers.
    pub sandbox: bool,
    /// The process.
    pub pid: u32,
    /// Its machine.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
    /// How the campaign stands.
    pub totals: Totals,
    /// The zone of whoever looks.
    pub zone: TimeZone,
}

/// What a page is shown of a run.
#[derive(Debug)]
pub struct Picture {
    beginning: Beginning,
    last: Option<Snapshot>,
    /// Leads settled, and calls placed, a minute.
    settled: Pace,
    placing: Pace,
    placed: u64,
    history: PoolHistory,
    notices: VecDeque<Line>,
    calls: VecDeque<Line>,
    ended: Option<RunEnded>,
}

impl Picture {
    /// That of a run in which nothing has happened yet.
    pub fn new(beginning: Beginning) -> Self {
        Self {
            beginning,
            last: None,
            settled: Pace::default(),
            placing: Pace::default(),
            placed: 0,
            history: PoolHistory::default(),
            notices: VecDeque::new(),
            calls: VecDeque::new(),
            ended: None,
        }
    }

    /// Takes in what happened.
    pub fn hear(&mut self, happening: &Happening) {
        match happening {
            Happening::Stands(snapshot) => self.stands(snapshot),
            Happening::Told(now, notice, phone) => {
                let text = words(notice, *phone, *now, &self.beginning.zone);
                self.say(*now, weight(notice), text);
            }
            Happening::Said(now, severity, words) => self.say(*now, *severity, words.clone()),
            Happening::CallEnded(now, call) => {
                keep(&mut self.calls, Line { at: now.wall, trouble: false, text: call_line(call) });
            }
            Happening::AttemptsChanged(_, changed) => {
                self.placed += changed.iter().filter(|change| became_a_call(**change)).count() as u64;
            }
            Happening::Requested(..) => {}
            Happening::Ended(_, ended) => self.ended = Some(RunEnded::clone(ended)),
        }
    }

    /// So many happenings did not fit into the queue.
    pub fn lost(&mut self, lost: u64) {
        if let Some(now) = self.last.as_ref().map(|last| last.now) {
            let text = format!("{} not shown: too much happened at once", count(lost, "event was", "events were"));
            self.say(now, Severity::Trouble, text);
        }
    }

    fn stands(&mut self, snapshot: &Snapshot) {
        self.settled.observe(snapshot.now.at, snapshot.settled);
        self.placing.observe(snapshot.now.at, self.placed);
        self.history.add(snapshot.now.at, PoolStatus::of(snapshot));
        self.last = Some(snapshot.clone());
    }

    fn say(&mut self, now: Now, severity: Severity, text: String) {
        if severity > Severity::Detail {
            keep(&mut self.notices, Line { at: now.wall, trouble: severity == Severity::Trouble, text });
        }
    }

    /// What the run knew of the pool so far.
    pub fn pool_past(&self) -> PoolPast {
        let gauges = self.last.as_ref().map(|last| &last.gauges);
        PoolPast {
            lowest_free: gauges.and_then(|gauges| gauges.lowest_free),
            below_reserve: gauges.map_or(Duration::ZERO, |gauges| gauges.below_reserve),
            points: self.history.points().collect(),
        }
    }

    /// How the campaign stands, for programs.
    pub fn status(&self) -> Value {
        self.status_with(&self.live_status(0))
    }

    fn status_with(&self, live: &LiveStatus) -> Value {
        let begun = &self.beginning;
        let last = self.last.as_ref();
        let ended = self.ended.as_ref();
        let totals = ended
            .and_then(|ended| ended.totals.as_ref())
            .or(last.map(|last| &last.gauges.totals))
            .unwrap_or(&begun.totals);
        let cost = last.map_or(begun.totals.cost_usd, |last| last.gauges.cost_usd);
        let cost = ended.and_then(|ended| ended.totals.as_ref()).map_or(cost, |totals| totals.cost_usd);
        let mut status = common(&begun.campaign, totals, cost);
        let running = json!({ "pid": begun.pid, "host": begun.host, "since": begun.since.to_string() });
        let figures = json!({
            "account": begun.account,
            "running": if ended.is_some() { Value::Null } else { running },
            "paused": live.paused,
        });
        add(&mut status, figures);
        add(&mut status, live.json());
        status
    }

    /// What only the run itself knows of how it stands, with so many lines of what happened last.
    pub fn live_status(&self, lines: usize) -> LiveStatus {
        let last = self.last.as_ref();
        let mut status = last.map(LiveStatus::of).unwrap_or_default();
        status.calls_per_minute = self.placing.a_minute().map(tenth);
        status.done_at = last.and_then(|last| self.settled.done_at(last));
        status.page = self.page_status(lines);
        if let Some(ended) = &self.ended {
            let (exit, meaning) = (ended.exit.code(), ended.exit.meaning().to_owned());
            status.ended = Some(EndedStatus { exit, meaning, report: ended.report.clone() });
            status.next_at = ended.next_at;
        }
        status
    }

    fn page_status(&self, lines: usize) -> PageStatus {
        let newest = |kept: &VecDeque<Line>| kept.iter().rev().take(lines).cloned().collect();
        PageStatus {
            list: self.beginning.list.clone(),
            reserve: self.beginning.reserve.clone(),
            sandbox: self.beginning.sandbox,
            settled_per_minute: self.settled.a_minute().map(tenth),
            placed: self.placed,
            notices: newest(&self.notices),
            calls: newest(&self.calls),
        }
    }

    /// The same with all that a page shows besides; of the pool's history what that reader lacks.
    pub fn page(&self, seen: &mut Seen) -> Value {
        let live = self.live_status(LINES);
        let mut page = self.status_with(&live);
        add(&mut page, live.page_json());
        let now = self.last.as_ref().map(|last| last.now.wall.to_string());
        add(&mut page, json!({ "now": now, "history": self.history.beyond(seen) }));
        page
    }
}

fn became_a_call(change: AttemptChange) -> bool {
    let is_call = |state| matches!(state, State::Placed { .. } | State::Ended(_));
    is_call(change.now) && !change.was.is_some_and(is_call)
}

fn keep(lines: &mut VecDeque<Line>, line: Line) {
    if lines.len() == LINES {
        lines.pop_front();
    }
    lines.push_back(line);
}

fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
