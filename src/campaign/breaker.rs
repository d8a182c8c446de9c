//! Stops dialing while the provider is at fault, tries again with one call, and gives up if that fails too.
//!
//! It counts faults in a row: three of credentials, quota or configuration of a provider, or ten others. Only a call
//! that got through to a person's network ends a row; a number that does not exist, or an end that nobody knows, says
//! nothing either way. Requests whose outcome nobody knows have a row of ten of their own, which any 2xx ends. A
//! refusal is no fault of a call: those have counters of their own.

use std::time::Duration;

use super::disposition::Class;
use crate::pool::attempt_id::AttemptId;
use crate::time::Instant;

/// Faults of credentials or configuration in a row that trip it.
pub const CONFIG_IN_A_ROW: u32 = 3;
/// Other faults in a row that trip it.
pub const FAULTS_IN_A_ROW: u32 = 10;

/// Test calls in a row whose answer may be lost before that counts as a failed test.
pub const LOST_TESTS: u32 = 3;

/// The breaker of one run.
#[derive(Clone, Debug)]
pub struct Breaker {
    probe_after: Duration,
    config: u32,
    faults: u32,
    requests: u32,
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
pub enum BreakerChange {
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
    Request,
    Nothing,
}

impl Breaker {
    /// Closed; tries again this long after it has tripped.
    pub fn new(probe_after: Duration) -> Self {
        Self { probe_after, config: 0, faults: 0, requests: 0, state: State::Closed }
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
    pub fn ended(&mut self, now: Instant, attempt: &AttemptId, class: Class, reason: &str) -> Option<BreakerChange> {
        let sign = match class {
            Class::Config => Sign::Config,
            Class::Fault => Sign::Fault,
            class if class.reached_network() => Sign::Good,
            _ => Sign::Nothing,
        };
        self.take(now, attempt, sign, reason)
    }

    /// A request failed so that nobody knows whether it created a call (5xx, a lost answer).
    pub fn failed(&mut self, now: Instant, attempt: &AttemptId, message: &str) -> Option<BreakerChange> {
        self.take(now, attempt, Sign::Request, message)
    }

    /// A request was answered with a 2xx.
    pub fn answered(&mut self) {
        self.requests = 0;
    }

    /// A request was refused or taken back. Where it was the test call, that has tested nothing: another may be made
    /// after the same wait.
    pub fn refused(&mut self, now: Instant, attempt: &AttemptId) {
        self.take(now, attempt, Sign::Nothing, "");
    }

    fn take(&mut self, now: Instant, attempt: &AttemptId, sign: Sign, reason: &str) -> Option<BreakerChange> {
        match &mut self.state {
            State::Closed => self.count(now, sign, reason),
            State::HalfOpen { test, on } if test == attempt => {
                let on = std::mem::take(on);
                self.requests = if sign == Sign::Request { self.requests + 1 } else { 0 };
                let (state, turn) = match sign {
                    Sign::Good => (State::Closed, Some(BreakerChange::Closed)),
                    // One lost answer says little: the test is made again before the campaign is given up for it.
                    Sign::Request if self.requests < LOST_TESTS => (State::Open { since: now, on }, None),
                    Sign::Config | Sign::Fault | Sign::Request => {
                        (State::Over, Some(BreakerChange::GiveUp(reason.to_owned())))
                    }
                    Sign::Nothing => (State::Open { since: now, on }, None),
                };
                self.state = state;
                turn
            }
            // Calls that were up when it tripped say nothing about what a new one would meet.
            State::Open { .. } | State::HalfOpen { .. } | State::Over => None,
        }
    }

    fn count(&mut self, now: Instant, sign: Sign, reason: &str) -> Option<BreakerChange> {
        match sign {
            Sign::Good => (self.config, self.faults) = (0, 0),
            Sign::Config => self.config += 1,
            Sign::Fault => self.faults += 1,
            Sign::Request => self.requests += 1,
            Sign::Nothing => {}
        }
        if self.config < CONFIG_IN_A_ROW && self.faults.max(self.requests) < FAULTS_IN_A_ROW {
            return None;
        }
        (self.config, self.faults, self.requests) = (0, 0, 0);
        self.state = State::Open { since: now, on: reason.to_owned() };
        Some(BreakerChange::Tripped(reason.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pool::attempt_id::Mark;

    const WAIT: Duration = Duration::from_mins(1);

    fn id(number: u32) -> AttemptId {
        AttemptId::mint(&Mark::of("leads"), u128::from(number))
    }

    fn second(number: i64) -> Instant {
        Instant::from_micros(number * 1_000_000)
    }

    /// Feeds ends one a second, and says at which of them it tripped.
    fn trips_at(classes: &[Class]) -> Option<usize> {
        let mut breaker = Breaker::new(WAIT);
        (0..).zip(classes).find_map(|(at, class)| breaker.ended(second(0), &id(at), *class, "why").map(|_| at as usize))
    }

    #[test]
    fn three_of_configuration_or_ten_others_in_a_row_trip_it() {
        use Class::{Answered, Busy, Config, Fault, Invalid, Rejected, Unknown};
        assert_eq!(trips_at(&[Config; 4]), Some(2));
        assert_eq!(trips_at(&[Fault; 12]), Some(9));
        assert_eq!(trips_at(&[Config, Config, Busy, Config, Config, Answered]), None);
        assert_eq!(trips_at(&[Config, Fault, Config, Unknown, Invalid, Config]), Some(5), "none of these is a contact");
        let row: Vec<Class> = (0..40).map(|at| if at % 10 == 9 { Rejected } else { Fault }).collect();
        assert_eq!(trips_at(&row), None);
    }

    fn tripped() -> Breaker {
        let mut breaker = Breaker::new(WAIT);
        for number in 0..9 {
            assert_eq!(breaker.failed(second(0), &id(number), "503"), None);
        }
        assert_eq!(breaker.failed(second(5), &id(9), "503"), Some(BreakerChange::Tripped("503".into())));
        breaker
    }

    #[test]
    fn one_test_call_after_the_wait_decides() {
        for (class, turn, leave) in [
            (Class::NoAnswer, BreakerChange::Closed, Leave::Any),
            (Class::Fault, BreakerChange::GiveUp("why".into()), Leave::None),
            (Class::Config, BreakerChange::GiveUp("why".into()), Leave::None),
        ] {
            let mut breaker = tripped();
            assert_eq!(breaker.leave(second(64)), Leave::NotBefore(second(65)));
            assert_eq!(breaker.leave(second(65)), Leave::OneTest);
            breaker.testing(id(77));
            assert_eq!(breaker.leave(second(66)), Leave::None);
            assert_eq!(breaker.ended(second(67), &id(3), Class::Answered, "an older call"), None);
            assert_eq!(breaker.leave(second(68)), Leave::None);
            assert_eq!(breaker.ended(second(69), &id(77), class, "why"), Some(turn));
            assert_eq!(breaker.leave(second(69)), leave);
        }
    }

    #[test]
    fn a_test_call_whose_answer_is_lost_is_made_twice_more() {
        let mut breaker = tripped();
        for (turn, expected) in [(1, None), (2, None), (3, Some(BreakerChange::GiveUp("502".into())))] {
            assert_eq!(breaker.leave(second(100 * turn)), Leave::OneTest);
            breaker.testing(id(77));
            assert_eq!(breaker.failed(second(100 * turn), &id(77), "502"), expected);
        }
        assert_eq!(breaker.leave(second(1000)), Leave::None);
    }

    #[test]
    fn a_test_call_that_came_to_nothing_is_made_again_later() {
        let mut breaker = tripped();
        breaker.testing(id(77));
        breaker.refused(second(70), &id(77));
        assert_eq!(breaker.leave(second(71)), Leave::NotBefore(second(130)));
        assert_eq!(breaker.leave(second(130)), Leave::OneTest);
        breaker.testing(id(78));
        assert_eq!(breaker.ended(second(140), &id(78), Class::Invalid, "no such number"), None);
        assert_eq!(breaker.leave(second(200)), Leave::OneTest);
    }

    proptest! {
        #[test]
        fn it_trips_at_the_first_row_that_is_long_enough(ends in prop::collection::vec(0_usize..12, 0..60)) {
            let classes: Vec<Class> = ends.into_iter().map(|at| Class::ALL[at]).collect();
            let row = |upto: usize, class| {
                classes[..=upto].iter().rev().take_while(|end| !end.reached_network()).filter(|end| **end == class).count()
            };
            let long = |at: &usize| row(*at, Class::Config) >= 3 || row(*at, Class::Fault) >= 10;
            prop_assert_eq!(trips_at(&classes), (0..classes.len()).find(long));
        }
    }
}
