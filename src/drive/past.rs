//! What the account shows of its past calls: who called in, how long calls last. Reads only, a few requests in all.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::clock::Clock;
use super::preflight::{again, told};
use crate::campaign::callers::{InboundHistory, USUAL_CALL_S, USUAL_INBOUND_S};
use crate::campaign::event::{News, Query as Listing, ReadId, ReadTrouble};
use crate::report::failure::Failure;
use crate::report::style::count;
use crate::time::Stamp;
use crate::vapi::analytics::{AnalyticsError, Query, Row, Step};
use crate::vapi::client::Client;
use crate::vapi::preflight::PreflightFailure;

/// How far back calls are looked at.
pub const DAYS: i64 = 14;
/// Fewer inbound calls than this tell nothing of each hour of the day, or of the week.
const ENOUGH_BY_HOUR: f64 = 200.0;
const ENOUGH_BY_WEEKDAY: f64 = 2_000.0;
/// An hour counts as if the usual number of calls had come in so many hours more.
const STEADY_HOURS: f64 = 1.0;
/// Ringing and what is lost around a call, which the provider's duration leaves out, in seconds.
const AROUND_S: f64 = 15.0;
/// Hours of the listing that are looked at where the analytics show nothing, and how far each lies before the next: so
/// each is another hour of another day.
const SAMPLED: i64 = 12;
const APART_HOURS: i64 = 26;
/// Rows of one such hour at most.
const MOST_ROWS: u16 = 1_000;
/// Calls looked at to tell in which unit `duration` is.
const LOOKED_AT: u16 = 20;
/// `type` of our own kind of calls.
const OUTBOUND: &str = "outboundPhoneCall";

/// Who called in, and how long calls last: sums over 14 days, in one request, since a listing of as many calls with
/// their transcripts would be gigabytes. Where those show nothing, a few hours of the listing.
pub async fn inbound(
    client: &Client,
    clock: &Clock,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<InboundHistory, Failure> {
    let from = now.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(now);
    let query = calls_of((from, now), &["type"], Step::Hour, zone);
    let rows = asked(client, clock, &[query]).await.map(|rows| rows.into_iter().flatten().collect::<Vec<_>>());
    match rows {
        Ok(rows) if rows.iter().any(|row| row.values[0] > 0.0) => {
            let unit_s = unit(client, (from, now), &rows).await;
            Ok(of_sums(&rows, now, zone, unit_s))
        }
        nothing => match of_listing(client, now).await {
            Some(history) => Ok(history),
            None => nothing.map(|_| of_sums(&[], now, zone, 1.0)),
        },
    }
}

fn calls_of<'a>(
    (from, to): (Timestamp, Timestamp),
    groups: &'a [&'a str],
    step: Step,
    zone: &'a TimeZone,
) -> Query<'a> {
    let columns = &[("count", "id", "calls"), ("sum", "duration", "duration"), ("sum", "cost", "cost")];
    Query { name: "calls", table: "call", columns, groups, from, to, step, zone }
}

/// Outbound calls of the past that ended for one reason.
#[derive(Clone, PartialEq, Debug)]
pub struct Ended {
    /// `endedReason`.
    pub reason: String,
    /// How many.
    pub calls: f64,
    /// How long they lasted from the answer on, in seconds, together.
    pub seconds: f64,
    /// What they cost, in US dollars, together.
    pub cost_usd: f64,
}

/// How the account's outbound calls of the last days ended.
pub async fn outbound(client: &Client, clock: &Clock, now: Timestamp) -> Result<Vec<Ended>, Failure> {
    let from = now.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(now);
    let utc = TimeZone::UTC;
    let query = calls_of((from, now), &["type", "endedReason"], Step::Week, &utc);
    let rows: Vec<_> = asked(client, clock, &[query]).await?.into_iter().flatten().collect();
    let unit_s = unit(client, (from, now), &rows).await;
    let mut by_reason: BTreeMap<&str, Ended> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.groups[0] == OUTBOUND && !row.groups[1].is_empty()) {
        let reason = row.groups[1].as_str();
        let none = || Ended { reason: reason.to_owned(), calls: 0.0, seconds: 0.0, cost_usd: 0.0 };
        let ended = by_reason.entry(reason).or_insert_with(none);
        ended.calls += row.values[0];
        ended.seconds += row.values[1] * unit_s;
        ended.cost_usd += row.values[2];
    }
    Ok(by_reason.into_values().collect())
}

/// Asks the analytics, again where that may help.
pub async fn asked(client: &Client, clock: &Clock, queries: &[Query<'_>]) -> Result<Vec<Vec<Row>>, Failure> {
    let mut nonsense = None;
    let read = again(clock, async || match client.analytics(queries).await {
        Ok(rows) => Ok(Some(rows)),
        Err(AnalyticsError::Read(failure)) => Err(failure),
        Err(error) => {
            nonsense = Some(error.to_string());
            Ok(None)
        }
    });
    match read.await {
        Ok(Some(rows)) => Ok(rows),
        Ok(None) => Err(Failure::machine(nonsense.unwrap_or_default())
            .advise("this is not what the API describes; run it again later, or with another --step")),
        Err(failure) => Err(refused(&failure)),
    }
}

fn refused(failure: &PreflightFailure) -> Failure {
    let mut told = told(failure);
    told.advice.retain(|line| !line.starts_with("nobody was"));
    told
}

/// The seconds of one unit of `duration`: the API does not say which unit it is, so it is held against a few calls.
pub async fn unit(client: &Client, (from, to): (Timestamp, Timestamp), sums: &[Row]) -> f64 {
    let calls: f64 = sums.iter().map(|row| row.values[0]).sum();
    let duration: f64 = sums.iter().map(|row| row.values[1]).sum();
    let listing = Listing::Created { from: Stamp::from(from), to: Some(Stamp::from(to)), limit: LOOKED_AT };
    if calls == 0.0 || duration == 0.0 {
        return 1.0;
    }
    let Ok(News::Listed { calls: listed, .. }) = client.read(ReadId(0), &listing).await else { return 1.0 };
    let lengths = listed.iter().filter_map(|call| Some(call.ended?.since(call.started?).as_secs_f64()));
    let lengths: Vec<f64> = lengths.filter(|length| *length > 0.0).collect();
    unit_of(duration / calls, mean(&lengths).unwrap_or(0.0))
}

/// Which unit makes the mean duration nearest to that of calls that were looked at, in seconds.
fn unit_of(mean: f64, seconds: f64) -> f64 {
    /// Milliseconds, seconds, minutes.
    const UNITS: [f64; 3] = [0.001, 1.0, 60.0];
    if mean <= 0.0 || seconds <= 0.0 {
        return 1.0;
    }
    let off = |unit: f64| (mean * unit / seconds).ln().abs();
    UNITS.into_iter().min_by(|one, other| off(*one).total_cmp(&off(*other))).unwrap_or(1.0)
}

#[expect(clippy::cast_precision_loss, reason = "a number of calls")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn of_sums(rows: &[Row], now: Timestamp, zone: &TimeZone, unit_s: f64) -> InboundHistory {
    let is_outbound = |row: &&Row| row.groups[0] == OUTBOUND;
    let sum = |of: &dyn Fn(&&Row) -> bool| {
        let rows = rows.iter().filter(of);
        rows.fold((0.0, 0.0), |(calls, seconds), row| (calls + row.values[0], seconds + row.values[1] * unit_s))
    };
    let (inbound, inbound_s) = sum(&|row| !is_outbound(row));
    let (outbound, outbound_s) = sum(&is_outbound);
    // An account that is younger than two weeks had no callers before its first call.
    let first = rows.iter().map(|row| row.at).min().unwrap_or(now).min(now);
    let hours = Hours::since(first, now, zone);
    let came = rows.iter().filter(|row| !is_outbound(row)).map(|row| (row.at, row.values[0]));
    let (per_hour, which) = hours.rates(&came.collect::<Vec<_>>(), zone);
    let calls = count(whole(inbound), "inbound call", "inbound calls");
    let from = match hours.days() {
        DAYS.. => format!("from {calls} of the last {DAYS} days{which}"),
        days => format!("from {calls} of {}{which}", count(days.unsigned_abs(), "day", "days")),
    };
    InboundHistory {
        per_hour,
        mean_s: if inbound_s > 0.0 { inbound_s / inbound } else { USUAL_INBOUND_S },
        call_s: if outbound_s > 0.0 { outbound_s / outbound + AROUND_S } else { USUAL_CALL_S },
        callers: inbound,
        from,
    }
}

/// The hours that were looked at, by hour of the week of a zone.
struct Hours {
    of_week: [f64; 168],
    all: f64,
}

impl Hours {
    fn since(first: Timestamp, now: Timestamp, zone: &TimeZone) -> Self {
        let mut hours = Self { of_week: [0.0; 168], all: 0.0 };
        let mut at = first;
        while at < now && hours.all < 24.0 * 15.0 {
            hours.of_week[hour_of_week(at, zone)] += 1.0;
            hours.all += 1.0;
            at = at.checked_add(SignedDuration::from_hours(1)).unwrap_or(now);
        }
        hours.all = hours.all.max(1.0);
        hours
    }

    fn days(&self) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "at most 15")]
        let days = (self.all / 24.0).round() as i64;
        days.max(1)
    }

    /// Callers an hour: by hour of the week, of the day, or on the average, as there are enough; and which, in words.
    fn rates(&self, came: &[(Timestamp, f64)], zone: &TimeZone) -> (Vec<f64>, &'static str) {
        let all: f64 = came.iter().map(|(_, calls)| calls).sum();
        let usual = vec![all / self.all];
        if all < ENOUGH_BY_HOUR {
            return (usual, "");
        }
        let by_hour = self.by(24, came, zone, &usual);
        if all < ENOUGH_BY_WEEKDAY || self.days() < DAYS {
            return (by_hour, ", by hour of the day");
        }
        (self.by(168, came, zone, &by_hour), ", by weekday and hour")
    }

    /// By each of so many hours; an hour that was seen seldom is believed to be near to `usual`.
    fn by(&self, buckets: usize, came: &[(Timestamp, f64)], zone: &TimeZone, usual: &[f64]) -> Vec<f64> {
        let (mut calls, mut hours) = (vec![0.0; buckets], vec![0.0; buckets]);
        for (at, callers) in came {
            calls[hour_of_week(*at, zone) % buckets] += callers;
        }
        for (hour, seen) in self.of_week.iter().enumerate() {
            hours[hour % buckets] += seen;
        }
        let rate = |(hour, (calls, hours)): (usize, (f64, f64))| {
            (calls + usual[hour % usual.len()] * STEADY_HOURS) / (hours + STEADY_HOURS)
        };
        calls.into_iter().zip(hours).enumerate().map(rate).collect()
    }
}

fn hour_of_week(at: Timestamp, zone: &TimeZone) -> usize {
    let zoned = at.to_zoned(zone.clone());
    let hour = i32::from(zoned.weekday().to_monday_zero_offset()) * 24 + i32::from(zoned.hour());
    usize::try_from(hour).unwrap_or(0)
}

/// A few hours of the listing, each at another time of another day; none where nothing is listed there.
async fn of_listing(client: &Client, now: Timestamp) -> Option<InboundHistory> {
    let (mut stays, mut lasts, mut callers, mut hours) = (Vec::new(), Vec::new(), 0.0, 0.0);
    for nth in 0..SAMPLED {
        let to = now.checked_sub(SignedDuration::from_hours(nth * APART_HOURS)).ok()?;
        let from = to.checked_sub(SignedDuration::from_hours(1)).ok()?;
        let query = Listing::Created { from: Stamp::from(from), to: Some(Stamp::from(to)), limit: MOST_ROWS };
        let calls = match client.read(ReadId(0), &query).await {
            Ok(News::Listed { calls, .. }) => calls,
            Err(failure) if !matches!(failure.kind, ReadTrouble::TooLarge) => return None,
            _ => continue,
        };
        hours += 1.0;
        for call in &*calls {
            let length = call.end().map(|end| end.since(call.created).as_secs_f64());
            callers += if call.outbound { 0.0 } else { 1.0 };
            if call.outbound { &mut lasts } else { &mut stays }.extend(length);
        }
    }
    if stays.is_empty() && lasts.is_empty() {
        return None;
    }
    let calls = count(whole(callers), "inbound call", "inbound calls");
    Some(InboundHistory {
        per_hour: vec![callers / hours],
        mean_s: mean(&stays).unwrap_or(USUAL_INBOUND_S).max(1.0),
        call_s: mean(&lasts).unwrap_or(USUAL_CALL_S).max(1.0),
        callers,
        from: format!("from {calls} in {hours:.0} sampled hours of the last {DAYS} days"),
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of calls")]
fn whole(calls: f64) -> u64 {
    calls.round().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-23T10:00:00Z";

    fn rows(days: i64, per_hour: impl Fn(i64) -> f64) -> Vec<Row> {
        let now: Timestamp = NOW.parse().unwrap();
        let hours = (1..=24 * days).map(|ago| now.checked_sub(SignedDuration::from_hours(ago)).unwrap());
        let row = |at: Timestamp, kind: &str, calls: f64| Row {
            at,
            groups: vec![kind.to_owned()],
            values: vec![calls, calls * 2.0, 0.0],
        };
        hours
            .flat_map(|at| {
                let hour = at.as_second().div_euclid(3600).rem_euclid(24);
                [row(at, "inboundPhoneCall", per_hour(hour)), row(at, OUTBOUND, 10.0)]
            })
            .collect()
    }

    fn learnt(rows: &[Row]) -> InboundHistory {
        of_sums(rows, NOW.parse().unwrap(), &TimeZone::UTC, 60.0)
    }

    #[test]
    fn hours_are_told_apart_where_there_are_enough_calls() {
        let peak = |busy: f64| move |hour| if hour == 9 { busy } else { 0.5 };
        let few = learnt(&rows(2, peak(1.0)));
        assert_eq!((few.per_hour.len(), few.from.as_str()), (1, "from 25 inbound calls of 2 days"));
        let some = learnt(&rows(14, peak(10.0)));
        assert_eq!(
            (some.per_hour.len(), some.from.as_str()),
            (24, "from 301 inbound calls of the last 14 days, by hour of the day")
        );
        assert!((some.per_hour[9] - 10.0).abs() < 1.0 && some.per_hour[3] < 1.0, "{:?}", some.per_hour);
        let many = learnt(&rows(14, peak(200.0)));
        assert_eq!(many.per_hour.len(), 168);
        assert!(many.from.ends_with("by weekday and hour"), "{}", many.from);
        assert!((many.mean_s - 120.0).abs() < 1e-6 && (many.call_s - 135.0).abs() < 1e-6, "minutes, and the ringing");
    }

    #[test]
    fn a_young_account_had_no_callers_before_its_first_call() {
        let young = learnt(&rows(2, |_| 6.0));
        assert!((young.at(NOW.parse().unwrap(), &TimeZone::UTC) - 6.0).abs() < 0.5, "{:?}", young.per_hour);
        assert_eq!(learnt(&[]).callers.total_cmp(&0.0), std::cmp::Ordering::Equal);
    }

    #[test]
    fn the_unit_of_durations_is_told_by_calls_that_were_looked_at() {
        for (mean, unit) in [(95.0, 1.0), (1.6, 60.0), (90_000.0, 0.001), (20.0, 1.0), (300.0, 1.0)] {
            assert!((unit_of(mean, 88.0) - unit).abs() < 1e-9, "{mean}");
        }
        assert!((unit_of(95.0, 0.0) - 1.0).abs() < 1e-9);
    }
}
