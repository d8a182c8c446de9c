//! The object that `run --json` ends with. Names, order and meaning are a contract.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ending::reason_word;
use super::summary::End;
use crate::campaign::counts::RunCounts;
use crate::campaign::disposition::Class;
use crate::exit::Exit;

/// What the reader made of the list's rows. `rows = leads + rejected + duplicates`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Rows {
    /// Rows, the header and blank ones apart.
    pub rows: u64,
    /// Leads they gave.
    pub leads: u64,
    /// Rows that cannot be called.
    pub rejected: u64,
    /// Rows that repeat an earlier one.
    pub duplicates: u64,
}

#[derive(Serialize)]
struct Object<'a> {
    campaign: &'a str,
    exit: u8,
    list: Rows,
    leads: Leads,
    dispositions: BTreeMap<Class, u64>,
    calls: Calls,
    pool: Pool,
    next_at: Option<String>,
    reason: Option<&'static str>,
    seconds: f64,
    cost_usd: f64,
}

#[derive(Serialize)]
struct Leads {
    total: u64,
    settled: u64,
    open: u64,
    in_doubt: u64,
    suppressed: u64,
    removed: u64,
}

#[derive(Serialize)]
struct Calls {
    placed: u64,
    refused: u64,
    blocked: u64,
    in_doubt_resolved: u64,
}

#[derive(Serialize)]
struct Pool {
    limit: u32,
    reserve: u32,
    /// What was reserved from when on, where it changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reserves: Vec<Reserved>,
    peak_ours: u32,
    lowest_free: Option<u32>,
    below_reserve_s: f64,
}

#[derive(Serialize)]
struct Reserved {
    at: String,
    reserve: u32,
}

#[derive(Serialize)]
struct Nothing<'a> {
    campaign: Option<&'a str>,
    exit: u8,
    error: &'a str,
}

/// The object of a run, as one line.
pub fn run(campaign: &str, rows: Rows, end: &End<'_>) -> String {
    let (totals, tally) = (end.totals, end.tally);
    let object = Object {
        campaign,
        exit: end.exit.code(),
        list: rows,
        leads: Leads {
            total: totals.total,
            settled: totals.settled,
            open: totals.open,
            in_doubt: totals.in_doubt,
            suppressed: totals.suppressed,
            removed: totals.removed,
        },
        dispositions: totals.dispositions.iter().filter(|(_, leads)| **leads > 0).map(|(c, n)| (*c, *n)).collect(),
        calls: Calls {
            placed: tally.placed,
            refused: tally.refused,
            blocked: tally.blocked,
            in_doubt_resolved: tally.in_doubt_resolved,
        },
        pool: Pool {
            limit: tally.limit,
            reserve: tally.reserve,
            reserves: reserves(tally),
            peak_ours: tally.peak_ours,
            lowest_free: tally.lowest_free,
            below_reserve_s: milli(tally.below_reserve.as_secs_f64()),
        },
        next_at: end.outcome.next_at.map(|at| format!("{:.0}", not_before(at))),
        reason: reason_word(end.exit, &end.outcome.why, end.waits_for, totals.open),
        seconds: milli(end.took.as_secs_f64()),
        cost_usd: (totals.cost_usd * 10_000.0).round() / 10_000.0,
    };
    line(&object)
}

fn reserves(tally: &RunCounts) -> Vec<Reserved> {
    let changes = tally.reserves.iter().filter(|_| tally.reserves.len() > 1);
    changes.map(|(at, reserve)| Reserved { at: format!("{:.0}", at.timestamp()), reserve: *reserve }).collect()
}

/// The object where nothing was dialed because of an error. The campaign is null where its name is not known yet.
pub fn nothing(campaign: Option<&str>, exit: Exit, error: &str) -> String {
    line(&Nothing { campaign, exit: exit.code(), error })
}

fn line(object: &impl Serialize) -> String {
    let mut text = serde_json::to_string(object).expect("plain data with text for keys");
    text.push('\n');
    text
}

/// The first whole second that is not before it: who comes back then does not come too early.
fn not_before(at: jiff::Timestamp) -> jiff::Timestamp {
    let second = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    jiff::Timestamp::from_second(second).unwrap_or(at)
}

/// Cut to what is worth reading: three places.
fn milli(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::notice::{Outcome, StopReason};
    use crate::journal::Totals;
    use std::time::Duration;

    #[test]
    fn the_object_of_a_run_is_a_contract() {
        let totals = Totals {
            total: 1204,
            settled: 1166,
            open: 35,
            in_doubt: 3,
            parked: 1,
            suppressed: 2,
            removed: 4,
            dispositions: [(Class::NoAnswer, 201), (Class::HungUp, 963), (Class::Suppressed, 2)].into(),
            cost_usd: 61.2,
            minutes: 0.0,
        };
        let mut tally = RunCounts::default();
        (tally.placed, tally.refused, tally.blocked, tally.in_doubt_resolved) = (1302, 5, 3, 1);
        (tally.limit, tally.reserve, tally.peak_ours, tally.lowest_free) = (10, 3, 7, Some(2));
        tally.below_reserve = Duration::from_micros(4_000_100);
        let rows = Rows { rows: 1240, leads: 1204, rejected: 15, duplicates: 21 };
        let next_at = "2026-11-23T17:00:00Z".parse().ok();
        let outcome = Outcome { why: StopReason::Later, next_at, interrupted: false };
        let end = End {
            campaign: "leads",
            outcome: &outcome,
            exit: Exit::Later,
            totals: &totals,
            tally: &tally,
            took: Duration::from_mins(130),
            now: jiff::Timestamp::UNIX_EPOCH,
            waits_for: None,
            kept: true,
            command: None,
        };
        insta::assert_snapshot!(run("leads", rows, &end), @r#"{"campaign":"leads","exit":4,"list":{"rows":1240,"leads":1204,"rejected":15,"duplicates":21},"leads":{"total":1204,"settled":1166,"open":35,"in_doubt":3,"suppressed":2,"removed":4},"dispositions":{"hung-up":963,"no-answer":201,"suppressed":2},"calls":{"placed":1302,"refused":5,"blocked":3,"in_doubt_resolved":1},"pool":{"limit":10,"reserve":3,"peak_ours":7,"lowest_free":2,"below_reserve_s":4.0},"next_at":"2026-11-23T17:00:00Z","reason":"later","seconds":7800.0,"cost_usd":61.2}"#);
    }

    #[test]
    fn where_nothing_was_dialed_the_object_says_why() {
        insta::assert_snapshot!(nothing(Some("leads"), Exit::Held, "campaign leads is being run"), @r#"{"campaign":"leads","exit":6,"error":"campaign leads is being run"}"#);
        insta::assert_snapshot!(nothing(None, Exit::Usage, "no \"quotes\" harm it"), @r#"{"campaign":null,"exit":2,"error":"no \"quotes\" harm it"}"#);
    }
}
