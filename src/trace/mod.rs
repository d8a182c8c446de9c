//! A run, recorded: every event that its campaign heard and every action that it decided on, a line each, so that it can
//! be stepped again ([`replay`]).
//!
//! A trace is JSON Lines. Its first line is the [`Header`]: the plan and what the run went on from. Each line after it is
//! numbered by `n`, without a gap unless lines were lost. [`mask`] says what no trace shows.

pub mod frames;
pub mod mask;
pub mod replay;

use std::io::{self, Write};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::campaign::Campaign;
use crate::campaign::event::{Action, Event};
use crate::campaign::plan::Plan;
use crate::campaign::reply::ResumeState;
use crate::time::{Instant, Now};
use mask::Mask;

/// The format that is written, and the newest that can be read.
pub const FORMAT: u32 = 1;

/// What a run began with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    /// The format of the trace: [`FORMAT`].
    pub trace: u32,
    /// The version of the program that wrote it.
    pub version: String,
    /// The seed of the plan.
    pub seed: u64,
    /// When it began.
    pub at: Timestamp,
    /// The wall clock then.
    pub wall: Timestamp,
    /// What it was told to do.
    pub plan: Plan,
    /// What it went on from.
    pub history: ResumeState,
}

/// One line of a trace.
#[derive(Debug)]
pub enum Line {
    /// The first one.
    Begin(Box<Header>),
    /// What happened, with its number and its time.
    Step(u64, Now, Step),
}

/// What a line tells.
#[derive(Clone, Debug)]
pub enum Step {
    /// The campaign heard this.
    Event(Box<Event>),
    /// It decided on this.
    Action(Box<Action>),
    /// It decided on this, shown without the picture of the pool that goes with it.
    Shown(Value),
    /// So many lines before this one did not fit, itself included.
    Lost(u64),
}

/// Takes the lines of a trace. Never waits.
pub trait Sink: Send {
    /// Takes one; false where there is no room for it.
    fn put(&mut self, line: Line) -> bool;
}

/// A campaign whose events and actions are recorded, if that is asked for.
pub struct Traced {
    campaign: Campaign,
    sink: Option<Box<dyn Sink>>,
    last: Now,
    lines: u64,
    lost: u64,
}

impl Traced {
    /// A run that goes on from a history.
    pub fn new(plan: Plan, history: ResumeState, now: Now, mut sink: Option<Box<dyn Sink>>) -> Self {
        if let Some(sink) = &mut sink {
            let header = Header {
                trace: FORMAT,
                version: crate::VERSION.to_owned(),
                seed: plan.seed,
                at: now.at.timestamp(),
                wall: now.wall,
                plan: plan.clone(),
                history: history.clone(),
            };
            sink.put(Line::Begin(Box::new(header)));
        }
        Self { campaign: Campaign::new(plan, history, now), sink, last: now, lines: 0, lost: 0 }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Now, event: Event) {
        self.last = now;
        self.record(|| Step::Event(Box::new(event.clone())));
        self.campaign.handle(now, event);
    }

    /// What to do next, in order.
    pub fn next_action(&mut self) -> Option<Action> {
        let action = self.campaign.next_action()?;
        self.record(|| shown(&action).map_or_else(|| Step::Action(Box::new(action.clone())), Step::Shown));
        Some(action)
    }

    fn record(&mut self, step: impl FnOnce() -> Step) {
        let Some(sink) = &mut self.sink else { return };
        if self.lost > 0 && sink.put(Line::Step(self.lines, self.last, Step::Lost(self.lost))) {
            self.lost = 0;
        }
        self.lines += 1;
        if self.lost > 0 || !sink.put(Line::Step(self.lines, self.last, step())) {
            self.lost += 1;
        }
    }
}

/// What can be asked of it without steering it.
impl Deref for Traced {
    type Target = Campaign;
    fn deref(&self) -> &Campaign {
        &self.campaign
    }
}

/// An action that carries the whole picture of the pool, with the slots that it comes to in its place.
fn shown(action: &Action) -> Option<Value> {
    match action {
        Action::Claim(ask) => {
            let (slots, reserve, margin) = (ask.pool.slots(ask.reserve), ask.reserve, ask.margin);
            let leads = &ask.leads;
            Some(json!({ "Claim": {
                "leads": leads, "slots": slots, "reserve": reserve, "margin": margin, "provider_time": ask.provider_time,
            } }))
        }
        Action::Share(pool, reserve) => Some(json!({ "Share": { "slots": pool.slots(*reserve), "reserve": reserve } })),
        _ => None,
    }
}

/// The action as a trace has it.
fn as_json(action: &Action) -> serde_json::Result<Value> {
    shown(action).map_or_else(|| serde_json::to_value(action).map(as_object), Ok)
}

/// An event or action that carries nothing is an object, too, as all are.
fn as_object(told: Value) -> Value {
    if let Value::String(kind) = told { json!({ kind: null }) } else { told }
}

/// Writes the lines of a trace, masked.
pub struct Writer<W> {
    out: W,
    mask: Mask,
}

impl<W: Write> Writer<W> {
    /// Writes there.
    pub fn new(out: W, mask: Mask) -> Self {
        Self { out, mask }
    }

    /// Writes a line.
    pub fn write(&mut self, line: Line) -> io::Result<()> {
        let (n, now, step) = match line {
            Line::Begin(header) => {
                let mut rest = serde_json::to_value(&header)?;
                self.mask.hide(&mut rest);
                rest.as_object_mut().and_then(|fields| fields.remove("trace"));
                // What a file is stands first.
                let rest = rest.to_string();
                return writeln!(self.out, "{{\"trace\":{},{}", header.trace, &rest[1..]);
            }
            Line::Step(n, now, step) => (n, now, step),
        };
        let (kind, mut told) = match step {
            Step::Event(event) => ("event", as_object(serde_json::to_value(event)?)),
            Step::Action(action) => ("action", as_object(serde_json::to_value(action)?)),
            Step::Shown(action) => ("action", action),
            Step::Lost(lines) => ("lost", lines.into()),
        };
        self.mask.hide(&mut told);
        let at = now.at.timestamp();
        write!(self.out, "{{\"n\":{n},\"at\":\"{at}\"")?;
        if now.wall != at {
            write!(self.out, ",\"wall\":\"{}\"", now.wall)?;
        }
        writeln!(self.out, ",\"{kind}\":{told}}}")
    }

    /// What it writes to.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }
}

impl<W: Write + Send> Sink for Writer<W> {
    fn put(&mut self, line: Line) -> bool {
        self.write(line).is_ok()
    }
}

/// A trace that is kept in memory: its copies share it.
#[derive(Clone, Debug, Default)]
pub struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    /// What has been written so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The time that a line tells.
fn now_of(at: Timestamp, wall: Option<Timestamp>) -> Now {
    Now { at: Instant::from(at), wall: wall.unwrap_or(at) }
}
