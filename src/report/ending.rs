//! How a run ended: the exit code, and the error where it was one.

use jiff::Timestamp;

use super::failure::Failure;
use super::style::{count, span};
use crate::campaign::notice::{Outcome, StopReason};
use crate::exit::Exit;
use crate::journal::Totals;

/// What the next lead waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WaitsFor {
    /// Calling hours, which open in that place next.
    Hours(String),
    /// A retry, or a number that another campaign called lately.
    Retry,
    /// The same where nobody is retried: another campaign called the number within this time.
    OtherCampaign(std::time::Duration),
    /// Proof of what became of calls.
    Doubts,
    /// An hour that reserves less.
    Reserve,
    /// A phone number of ours that may call again.
    Line,
}

impl std::fmt::Display for WaitsFor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hours(place) => write!(f, "when hours open in {place}"),
            Self::Retry => f.write_str("when a retry is due"),
            Self::OtherCampaign(within) => {
                write!(f, "when the call of another campaign is {} old: --not-if-called-within", span(*within))
            }
            Self::Doubts => f.write_str("when doubts can be proven"),
            Self::Reserve => f.write_str("when less is reserved"),
            Self::Line => f.write_str("when the phone number may call again"),
        }
    }
}

/// Why a run ended with 4, in one word for programs; none with any other code.
pub fn reason_word(exit: Exit, why: &StopReason, waits_for: Option<&WaitsFor>, open: u64) -> Option<&'static str> {
    if exit != Exit::Later {
        return None;
    }
    Some(match why {
        StopReason::Limit | StopReason::Only => "limit",
        StopReason::Cost => "cost",
        StopReason::Until => "until",
        StopReason::Paused => "paused",
        StopReason::Stopped => "stopped",
        StopReason::Kept => "reserve",
        StopReason::Lines(_) => "lines",
        StopReason::DoubtsLeft => "doubts",
        _ if open == 0 => "doubts",
        _ if matches!(waits_for, Some(WaitsFor::Hours(_))) => "hours",
        _ => "later",
    })
}

/// The exit code of a run: of all that hold, the first of 6, 5, 2, 1, 4, 3, 0. A signal's own code (`signal`, where one
/// that has its own ended the run) stands above 4, 3 and 0.
pub fn exit_of(outcome: &Outcome, totals: &Totals, signal: Option<Exit>) -> Exit {
    let trouble = trouble(&outcome.why);
    if let Some(exit) = trouble {
        return exit;
    }
    if outcome.interrupted {
        return signal.unwrap_or(Exit::Interrupted);
    }
    let later = matches!(outcome.why, StopReason::Later | StopReason::DoubtsLeft);
    if later || totals.open > 0 || totals.in_doubt > totals.parked {
        Exit::Later
    } else if totals.in_doubt > 0 || outcome.why == StopReason::ParkedLeft {
        Exit::Doubts
    } else {
        Exit::Settled
    }
}

/// The code of an end that is trouble in itself.
pub(super) fn trouble(why: &StopReason) -> Option<Exit> {
    match why {
        StopReason::Strangers(..) | StopReason::Numberless(_) | StopReason::AnotherMachine(_) => Some(Exit::Held),
        StopReason::Account(_)
        | StopReason::Key(_)
        | StopReason::Lines(_)
        | StopReason::Breaker(_)
        | StopReason::Config(_) => Some(Exit::Account),
        StopReason::Reserve(..) => Some(Exit::Usage),
        StopReason::Unreachable(_) | StopReason::SearchFailed(_) | StopReason::Unread(_) | StopReason::Clock(_) => {
            Some(Exit::Machine)
        }
        StopReason::Complete
        | StopReason::Later
        | StopReason::DoubtsLeft
        | StopReason::ParkedLeft
        | StopReason::Limit
        | StopReason::Only
        | StopReason::Cost
        | StopReason::Until
        | StopReason::Kept
        | StopReason::Paused
        | StopReason::Stopped => None,
    }
}

/// The error that a run ended with, if it was one. `placed`: calls that this run placed.
pub fn failure_of(outcome: &Outcome, campaign: &str, placed: u64, now: Timestamp) -> Option<Failure> {
    let exit = trouble(&outcome.why)?;
    let failure = |what: String| Failure::new(exit, what);
    let nobody = if placed == 0 { "nobody was called" } else { "the leads left are as they were; run it again then" };
    Some(match &outcome.why {
        StopReason::Strangers(calls, newest) => {
            let age = span(std::time::Duration::try_from(now.duration_since(newest.timestamp())).unwrap_or_default());
            let calls = count(*calls, "call", "calls");
            failure(format!(
                "the account shows {calls} of campaign {campaign}, the newest {age} ago, but this journal has never run it"
            ))
            .advise("go on where they left off:  --adopt")
            .advise("call everybody afresh:      --campaign another-name")
        }
        StopReason::Numberless(calls) => {
            let calls = count(*calls, "call", "calls");
            failure(format!(
                "the account shows {calls} of campaign {campaign} without a number, so whom they called cannot be told"
            ))
            .advise(format!("look at them in the dashboard, and take whom they called off the list; {nobody}"))
            .advise("call those left:             --campaign another-name")
        }
        StopReason::AnotherMachine(call) => {
            failure(format!("campaign {campaign} is being run from another machine or journal (call {call})"))
                .advise("stop one of the two; then go on with the other, or here with --adopt")
        }
        StopReason::Key(words) => failure(format!("the account refused the key ({words})"))
            .advise(format!("VAPI_API_KEY must be the private key of the organisation; {nobody}")),
        StopReason::Account(words) => failure(format!("the account refused ({words})"))
            .advise(format!("credit, a frozen subscription and credentials are mended in the dashboard; {nobody}")),
        StopReason::Lines(words) => failure(format!("no phone number is left to call from ({words})"))
            .advise(format!("give another with --phone-number-id, or come back when they may call again; {nobody}")),
        StopReason::Breaker(words) => failure(format!("the provider keeps failing ({words})"))
            .advise("the leads are as they were; run the same command when the provider is well again"),
        StopReason::Config(words) => failure(format!("the account refused request after request ({words})"))
            .advise("three in a row are no coincidence, so their leads are open again: look at the assistant and the phone number")
            .advise("the request as it is sent:   --dry-run"),
        StopReason::Reserve(kept, limit) => {
            let what = format!("--reserve and --margin, {kept} in all, leave no slot of the pool's {limit} to dial with");
            failure(what)
                .advise(format!("reserve {} or fewer with the two together", limit.saturating_sub(1)))
                .advise("--slots N says how many there are where the account does not show it")
        }
        StopReason::Unreachable(words) => failure(format!("the API cannot be reached ({words})"))
            .advise("nothing is lost: run the same command when the network is back"),
        StopReason::SearchFailed(words) => failure(format!("the account's calls could not be searched ({words})"))
            .advise("nobody is called before that, so that nobody is called twice; run the same command again"),
        StopReason::Unread(words) => failure(words.clone())
            .advise(format!("it may be a call of this campaign: look at it in the dashboard; {nobody}"))
            .advise("where it is none, and old:   a shorter --look-back"),
        StopReason::Clock(off) => failure(format!("this machine's clock is {} off the provider's", span(*off)))
            .advise("people would be called at the wrong hours: set the clock (NTP), then run the same command"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::calls::CallId;
    use crate::time::Stamp;

    fn end(why: StopReason) -> Outcome {
        Outcome { why, next_at: None, interrupted: false }
    }

    fn totals(open: u64, in_doubt: u64, parked: u64) -> Totals {
        Totals { total: 10, settled: 10 - open - in_doubt, open, in_doubt, parked, ..Totals::default() }
    }

    #[test]
    fn exit_4_has_a_reason_in_one_word() {
        let hours = WaitsFor::Hours("Lisbon".into());
        let word = |why: StopReason, waits: Option<&WaitsFor>, open| reason_word(Exit::Later, &why, waits, open);
        assert_eq!(word(StopReason::Later, Some(&hours), 3), Some("hours"));
        assert_eq!(word(StopReason::Later, Some(&WaitsFor::Retry), 3), Some("later"));
        assert_eq!(word(StopReason::Complete, None, 0), Some("doubts"), "only doubts are left");
        assert_eq!(word(StopReason::Complete, None, 1), Some("later"));
        let words = [StopReason::Limit, StopReason::Cost, StopReason::Until, StopReason::Paused, StopReason::Stopped]
            .map(|why| word(why, Some(&hours), 0).unwrap());
        assert_eq!(words, ["limit", "cost", "until", "paused", "stopped"]);
        assert_eq!(word(StopReason::Kept, Some(&WaitsFor::Reserve), 9), Some("reserve"));
        assert_eq!(reason_word(Exit::Settled, &StopReason::Limit, None, 0), None);
    }

    #[test]
    fn the_exit_code_is_the_first_that_holds() {
        let words = || "words".to_owned();
        let table = [
            (StopReason::Complete, totals(0, 0, 0), Exit::Settled),
            (StopReason::Complete, totals(0, 2, 2), Exit::Doubts),
            (StopReason::Complete, totals(0, 2, 1), Exit::Later),
            (StopReason::ParkedLeft, totals(0, 2, 2), Exit::Doubts),
            (StopReason::DoubtsLeft, totals(0, 1, 0), Exit::Later),
            (StopReason::Later, totals(4, 1, 1), Exit::Later),
            (StopReason::Limit, totals(4, 0, 0), Exit::Later),
            (StopReason::Limit, totals(0, 0, 0), Exit::Settled),
            (StopReason::Cost, totals(1, 0, 0), Exit::Later),
            (StopReason::Until, totals(9, 0, 0), Exit::Later),
            (StopReason::Kept, totals(9, 0, 0), Exit::Later),
            (StopReason::Paused, totals(9, 0, 0), Exit::Later),
            (StopReason::Stopped, totals(0, 0, 0), Exit::Settled),
            (StopReason::Stopped, totals(0, 1, 1), Exit::Doubts),
            (StopReason::Stopped, totals(3, 1, 1), Exit::Later),
            (StopReason::Account(words()), totals(3, 0, 0), Exit::Account),
            (StopReason::Key(words()), totals(3, 1, 1), Exit::Account),
            (StopReason::Lines(words()), totals(3, 0, 0), Exit::Account),
            (StopReason::Breaker(words()), totals(3, 0, 0), Exit::Account),
            (StopReason::Config(words()), totals(3, 0, 0), Exit::Account),
            (StopReason::Reserve(10, 10), totals(3, 0, 0), Exit::Usage),
            (StopReason::Strangers(3, Stamp::from_micros(0)), totals(3, 0, 0), Exit::Held),
            (StopReason::Numberless(3), totals(3, 0, 0), Exit::Held),
            (StopReason::AnotherMachine(CallId::new("x")), totals(3, 0, 0), Exit::Held),
            (StopReason::Unreachable(words()), totals(3, 0, 0), Exit::Machine),
            (StopReason::Unread(words()), totals(3, 0, 0), Exit::Machine),
            (StopReason::SearchFailed(words()), totals(3, 0, 0), Exit::Machine),
            (StopReason::Clock(std::time::Duration::from_secs(200)), totals(3, 0, 0), Exit::Machine),
        ];
        for (why, totals, exit) in table {
            let outcome = end(why);
            assert_eq!(exit_of(&outcome, &totals, None), exit, "{outcome:?} with {totals:?}");
            let trouble = !matches!(exit, Exit::Settled | Exit::Doubts | Exit::Later);
            assert_eq!(failure_of(&outcome, "leads", 0, Timestamp::UNIX_EPOCH).is_some(), trouble, "{outcome:?}");
            let signalled = Outcome { interrupted: true, ..outcome };
            let expected = if trouble { exit } else { Exit::Terminated };
            assert_eq!(exit_of(&signalled, &totals, Some(Exit::Terminated)), expected, "{signalled:?}");
        }
    }

    #[test]
    fn errors_say_what_where_and_what_now() {
        let now = "2026-11-23T14:05:00Z".parse().unwrap();
        let newest = Stamp::from("2026-11-23T13:51:00Z".parse::<Timestamp>().unwrap());
        let told = [
            StopReason::Strangers(412, newest),
            StopReason::Key("401: Invalid Key".into()),
            StopReason::Reserve(10, 8),
            StopReason::Clock(std::time::Duration::from_secs(725)),
        ]
        .map(|why| failure_of(&end(why), "leads", 0, now).unwrap().to_string())
        .join("\n");
        insta::assert_snapshot!(told, @r"
        error: the account shows 412 calls of campaign leads, the newest 14 min ago, but this journal has never run it
          go on where they left off:  --adopt
          call everybody afresh:      --campaign another-name
        error: the account refused the key (401: Invalid Key)
          VAPI_API_KEY must be the private key of the organisation; nobody was called
        error: --reserve and --margin, 10 in all, leave no slot of the pool's 8 to dial with
          reserve 7 or fewer with the two together
          --slots N says how many there are where the account does not show it
        error: this machine's clock is 12 min 5 s off the provider's
          people would be called at the wrong hours: set the clock (NTP), then run the same command
        ");
    }
}
