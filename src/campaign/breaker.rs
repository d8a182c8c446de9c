//! Stops dialing while the provider is at fault, tries again with one call, and gives up if that fails too.
//!
//! It counts faults in a row: three of credentials, quota or configuration of a provider, or ten others. Only a call
//! that got through to a person's network ends a row; a number that does not exist, or an end that nobody knows, says
//! nothing either way. A refusal is no fault of a call: those have counters of their own.

use std::time::Duration;

use super::attempt::AttemptId;
use super::disposition::Class;
use crate::time::Instant;

/// Faults of credentials or configuration in a row that trip it.
pub const CONFIG_IN_A_ROW: u32 = 3;
/// Other faults in a row that trip it.
pub const FAULTS_IN_A_ROW: u32 = 10;

/// The breaker of one run.
#[derive(Clone, Debug)]
pub struct Breaker {
    probe_after: Duration,
    config: u32,
    faults: u32,
    state: State,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Closed,
    Open { since: Instant, on: String },
    HalfOpen { test: AttemptId, on: String },
    Over,
}

/// Whether a dial may be placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leave {
    /// As far as this goes, any number.
    Any,
    /// One: the test call. It is to be named with [`Breaker::testing`] once it is claimed.
    OneTest,
    /// None before then.
    NotBefore(Instant),
    /// None: the test call is on its way, or it has failed.
    None,
}

/// A turn that the breaker took; with the reason, where there is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Turn {
    /// It tripped: no more dials but one test call.
    Tripped(String),
    /// The test call went well: on as before.
    Closed,
    /// The test call failed too: the campaign is to stop.
    GiveUp(String),
}

/// What something says about the provider.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Good,
    Config,
    Fault,
    Nothing,
}

impl Breaker {
    /// Closed; tries again this long after it has tripped.
    pub fn new(probe_after: Duration) -> Self {
        Self { probe_after, config: 0, faults: 0, state: State::Closed }
    }

    /// Whether a dial may be placed now.
    pub fn leave(&self, now: Instant) -> Leave {
        match &self.state {
            State::Closed => Leave::Any,
            State::Open { since, .. } if now >= *since + self.probe_after => Leave::OneTest,
            State::Open { since, .. } => Leave::NotBefore(*since + self.probe_after),
            State::HalfOpen { .. } | State::Over => Leave::None,
        }
    }

    /// The test call has been claimed.
    pub fn testing(&mut self, test: AttemptId) {
        if let State::Open { on, .. } = &mut self.state {
            self.state = State::HalfOpen { test, on: std::mem::take(on) };
        }
    }

    /// A call has ended.
    pub fn ended(&mut self, now: Instant, attempt: &AttemptId, class: Class, reason: &str) -> Option<Turn> {
        let sign = match class {
            Class::Config => Sign::Config,
            Class::Fault => Sign::Fault,
            class if class.reached_network() => Sign::Good,
            _ => Sign::Nothing,
        };
        self.take(now, attempt, sign, reason)
    }

    /// A request failed so that nobody knows whether it created a call (5xx, a lost answer): a fault like another.
    pub fn failed(&mut self, now: Instant, attempt: &AttemptId, message: &str) -> Option<Turn> {
        self.take(now, attempt, Sign::Fault, message)
    }

    /// A request was refused or taken back. Where it was the test call, that has tested nothing: another may be made
    /// after the same wait.
    pub fn refused(&mut self, now: Instant, attempt: &AttemptId) {
        self.take(now, attempt, Sign::Nothing, "");
    }

    fn take(&mut self, now: Instant, attempt: &AttemptId, sign: Sign, reason: &str) -> Option<Turn> {
        match &mut self.state {
            State::Closed => self.count(now, sign, reason),
            State::HalfOpen { test, on } if test == attempt => {
                let on = std::mem::take(on);
                let (state, turn) = match sign {
                    Sign::Good => (State::Closed, Some(Turn::Closed)),
                    Sign::Config | Sign::Fault => (State::Over, Some(Turn::GiveUp(reason.to_owned()))),
                    Sign::Nothing => (State::Open { since: now, on }, None),
                };
                self.state = state;
                turn
            }
            // Calls that were up when it tripped say nothing about what a new one would meet.
            State::Open { .. } | State::HalfOpen { .. } | State::Over => None,
        }
    }

    fn count(&mut self, now: Instant, sign: Sign, reason: &str) -> Option<Turn> {
        match sign {
            Sign::Good => (self.config, self.faults) = (0, 0),
            Sign::Config => self.config += 1,
            Sign::Fault => self.faults += 1,
            Sign::Nothing => {}
        }
        if self.config < CONFIG_IN_A_ROW && self.faults < FAULTS_IN_A_ROW {
            return None;
        }
        (self.config, self.faults) = (0, 0);
        self.state = State::Open { since: now, on: reason.to_owned() };
        Some(Turn::Tripped(reason.to_owned()))
    }
}
