//! The values that options take: each is parsed here, once, and valid from then on.
//!
//! Whatever these refuse, clap reports with the flag's name; so the messages say only what is wrong with the value.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Time;

use crate::campaign::plan::Rate;
use crate::report::style::thousands;

/// No option takes a longer time than this: nothing overflows, and nobody means it.
const LONGEST: Duration = Duration::from_hours(366 * 24);
/// Shares of inbound callers that a reserve can be chosen for.
const LEAST_TARGET: f64 = 0.0001;
const MOST_TARGET: f64 = 0.5;
/// No pool is larger than this.
const MOST_SLOTS: u32 = 1_000_000;

/// `--in-doubt`: how long absence must hold, or never.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InDoubt(pub Option<Duration>);

/// `--reserve` as it was typed: slots by the minute of the day from which they are reserved, sorted, the first at 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slots {
    /// The timetable.
    pub table: Vec<(u16, u32)>,
    /// It is chosen by the run.
    pub auto: bool,
    /// The very words.
    pub typed: String,
}

/// `--until` as it was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// Today, in the machine's zone.
    Today(Time),
    /// So long after the start.
    After(Duration),
    /// That instant.
    Instant(Timestamp),
}

/// One part of `--assume`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Assumption {
    /// The share of calls that a person answers.
    Answered(f64),
    /// How long a person talks.
    Talk(Duration),
    /// Callers an hour.
    InboundPerHour(f64),
    /// How long they stay.
    InboundMean(Duration),
}

/// `--color`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A length of time that may be nought: `90s`, `2s`, `100ms`, `1h30m`, `0`.
pub fn span(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let span = if text == "0" { Ok(Duration::ZERO) } else { humantime::parse_duration(text) };
    match span {
        Ok(span) if span <= LONGEST => Ok(span),
        Ok(_) => Err("longer than a year".into()),
        Err(_) => Err("not a length of time; write it as 100ms, 2s, 10m or 1h30m".into()),
    }
}

/// How often the listing is read: no wait of the machine's is finer than that.
pub fn poll(text: &str) -> Result<Duration, String> {
    let poll = wait(text)?;
    if poll < Duration::from_millis(1) { Err("shorter than 1ms".into()) } else { Ok(poll) }
}

/// A length of time longer than nought.
pub fn wait(text: &str) -> Result<Duration, String> {
    match span(text)? {
        Duration::ZERO => Err("must be longer than nought".into()),
        wait => Ok(wait),
    }
}

/// A number from 1.
pub fn at_least_one(text: &str) -> Result<u64, String> {
    match text.trim().parse() {
        Ok(0) => Err("must be 1 or more".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("not a whole number from 1".into()),
    }
}

/// How often something may happen: a whole number from 1.
pub fn times(text: &str) -> Result<u32, String> {
    at_least_one(text)?.try_into().map_err(|_| "more than anybody means".to_owned())
}

/// `never`, or a length of time.
pub fn in_doubt(text: &str) -> Result<InDoubt, String> {
    if text.trim() == "never" {
        return Ok(InDoubt(None));
    }
    wait(text).map(|after| InDoubt(Some(after))).map_err(|error| format!("{error}; or never"))
}

/// `N/s` or `N/min`.
pub fn rate(text: &str) -> Result<Rate, String> {
    let wrong = || "write it as 1/s or 30/min".to_owned();
    let (count, unit) = text.trim().split_once('/').ok_or_else(wrong)?;
    let seconds = match unit.trim() {
        "s" => 1,
        "min" => 60,
        _ => return Err(wrong()),
    };
    let count: u32 = count.trim().parse().map_err(|_| wrong())?;
    let count = NonZeroU32::new(count).ok_or("at this rate nobody is ever called; write it as 1/s or 30/min")?;
    Ok(Rate { count, per: Duration::from_secs(seconds) })
}

/// A budget of requests: enough of them a minute to follow calls with.
pub fn requests(text: &str) -> Result<Rate, String> {
    const LEAST: u64 = 10;
    let rate = rate(text)?;
    let a_minute = u64::from(rate.count.get()) * 60 / rate.per.as_secs().max(1);
    if a_minute < LEAST {
        return Err(format!("fewer than {LEAST} a minute: the calls could not be followed with so few"));
    }
    Ok(rate)
}

/// A number of slots, a timetable of them, or the run's own choice: `3`, `08:00=4,18:00=2`, `auto`.
pub fn slots(text: &str) -> Result<Slots, String> {
    let text = text.trim();
    if text == "auto" {
        return Ok(Slots { table: vec![(0, 1)], auto: true, typed: text.to_owned() });
    }
    if !text.contains('=') {
        return Ok(Slots { table: vec![(0, count_of_slots(text)?)], auto: false, typed: text.to_owned() });
    }
    let mut table = text.split(',').map(timetable_entry).collect::<Result<Vec<_>, _>>()?;
    table.sort_unstable();
    if let Some(pair) = table.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(format!("{:02}:{:02} stands twice in it", pair[0].0 / 60, pair[0].0 % 60));
    }
    if let (Some(&(first, _)), Some(&(_, last))) = (table.first(), table.last())
        && first > 0
    {
        table.insert(0, (0, last));
    }
    Ok(Slots { table, auto: false, typed: text.to_owned() })
}

fn timetable_entry(text: &str) -> Result<(u16, u32), String> {
    let (at, slots) = text.split_once('=').ok_or_else(|| format!("{text:?} is not TIME=SLOTS, as in 08:00=4"))?;
    let at = time_of_day(at.trim()).ok_or_else(|| format!("{at:?} is not a time of day, as in 08:00"))?;
    let minute = u16::try_from(i32::from(at.hour()) * 60 + i32::from(at.minute())).unwrap_or(0);
    Ok((minute, count_of_slots(slots.trim())?))
}

/// A number of slots; none is one too.
pub fn count_of_slots(text: &str) -> Result<u32, String> {
    let slots: u32 = text.parse().map_err(|_| format!("{text:?} is not a number of slots"))?;
    if slots <= MOST_SLOTS {
        Ok(slots)
    } else {
        Err(format!("no pool has more than {} slots", thousands(MOST_SLOTS.into())))
    }
}

/// A number of slots, at least one.
pub fn some_slots(text: &str) -> Result<u32, String> {
    match count_of_slots(text)? {
        0 => Err("must be at least 1".into()),
        slots => Ok(slots),
    }
}

/// `--batch-size`: 50 to 100.
pub fn batch_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(size @ 50..=100) => Ok(size),
        _ => Err("a batch holds 50 to 100 leads".into()),
    }
}

/// An amount of US dollars, more than nothing; a leading `$` is forgiven.
pub fn dollars(text: &str) -> Result<f64, String> {
    let amount = text.trim().trim_start_matches('$').parse::<f64>();
    match amount {
        Ok(amount) if amount.is_finite() && amount > 0.0 => Ok(amount),
        _ => Err("not an amount of US dollars, as in 25 or 7.50".into()),
    }
}

/// `17:00`, `+2h`, or an instant as RFC 3339 writes it.
pub fn until(text: &str) -> Result<Until, String> {
    let text = text.trim();
    // A campaign file writes times of day with their seconds.
    let minutes = text.strip_suffix(":00").filter(|rest| rest.contains(':')).unwrap_or(text);
    if let Some(time) = time_of_day(minutes) {
        return Ok(Until::Today(time));
    }
    if let Some(after) = text.strip_prefix('+') {
        return wait(after).map(Until::After);
    }
    let wrong = |_| {
        "not a time: write 17:00 for today, +2h for two hours from now, or an instant as in 2026-12-01T17:00:00Z"
            .to_owned()
    };
    text.parse().map(Until::Instant).map_err(wrong)
}

/// A share: `1%`, `0.5%`, `0.01`.
pub fn share(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number.trim_end(), 100.0));
    let share = number.parse::<f64>().ok().map(|number| number / unit);
    share.filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "not a share; write it as 1% or 0.01".to_owned())
}

/// A share of inbound callers that may be refused: some, and not all.
pub fn target(text: &str) -> Result<f64, String> {
    let target = share(text)?;
    if (LEAST_TARGET..=MOST_TARGET).contains(&target) {
        Ok(target)
    } else {
        Err("a share from 0.01% to 50%: no reserve refuses nobody".to_owned())
    }
}

/// So many an hour, from 0.
pub fn pace(text: &str) -> Result<f64, String> {
    let pace = text.trim().parse::<f64>().ok().filter(|pace| (0.0..=1e6).contains(pace));
    pace.ok_or_else(|| "not a number from 0, as in 30 or 2.5".to_owned())
}

/// `answered=0.45`, `talk=110s`, `inbound-per-hour=30` or `inbound-mean=4m`.
pub fn assumption(text: &str) -> Result<Assumption, String> {
    let known = "answered=0.45, talk=110s, inbound-per-hour=30 and inbound-mean=4m";
    let (key, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is not KEY=VALUE, as in {known}"))?;
    let within = |error: String| format!("{}: {error}", key.trim());
    match key.trim() {
        "answered" => share(value).map(Assumption::Answered),
        "talk" => wait(value).map(Assumption::Talk),
        "inbound-per-hour" => pace(value).map(Assumption::InboundPerHour),
        "inbound-mean" => wait(value).map(Assumption::InboundMean),
        other => return Err(format!("{other:?} is nothing that is assumed; known are {known}")),
    }
    .map_err(within)
}

/// `--runs`: enough to tell a spread, and no more than anybody waits for.
pub fn rehearsals(text: &str) -> Result<u32, String> {
    text.trim().parse().ok().filter(|runs| (1..=10_000).contains(runs)).ok_or_else(|| "not 1 to 10000".to_owned())
}

/// `HH:MM`, nothing else.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let plain = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(hour) || !plain(minute) || minute.len() != 2 {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_take_effect_as_given() {
        assert_eq!(span("100ms"), Ok(Duration::from_millis(100)));
        assert_eq!(span("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(span("0"), Ok(Duration::ZERO));
        for text in ["", "5", "-3s", "1 fortnight", "2y", "99999999999999999999d"] {
            assert!(span(text).is_err(), "{text}");
        }
        assert!(wait("0s").is_err());
    }

    #[test]
    fn doubts_end_after_a_time_or_never() {
        assert_eq!(in_doubt("never"), Ok(InDoubt(None)));
        assert_eq!(in_doubt("10m"), Ok(InDoubt(Some(Duration::from_mins(10)))));
        assert!(in_doubt("0s").unwrap_err().contains("never"));
    }

    #[test]
    fn rates_are_by_the_second_or_the_minute() {
        assert_eq!(rate("30/min").map(|rate| (rate.count.get(), rate.per.as_secs())), Ok((30, 60)));
        assert_eq!(rate(" 5 / s").map(|rate| (rate.count.get(), rate.per.as_secs())), Ok((5, 1)));
        for text in ["0/s", "1", "1/h", "-1/s", "1.5/s", "99999999999/s", "/s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_reserve_is_a_number_or_a_timetable_that_covers_the_day() {
        let table = |text: &str| slots(text).unwrap().table;
        assert_eq!(table("3"), [(0, 3)]);
        assert_eq!(table("18:00=2,08:00=4"), [(0, 2), (480, 4), (1080, 2)]);
        assert_eq!(table("00:00=1, 9:30=5"), [(0, 1), (570, 5)]);
        assert_eq!(slots("18:00=2,08:00=4").unwrap().typed, "18:00=2,08:00=4");
        for text in ["", "-1", "three", "08:00=4,08:00=5", "25:00=1", "08:00", "08:00=x", "8=4", "4294967295"] {
            assert!(slots(text).is_err(), "{text}");
        }
        assert!(slots("auto").unwrap().auto && !slots("3").unwrap().auto);
    }

    #[test]
    fn a_target_is_some_and_not_all() {
        assert_eq!((target("1%"), target("0.005")), (Ok(0.01), Ok(0.005)));
        for text in ["0", "0%", "51%", "100%", "2", "-1%", "x", ""] {
            assert!(target(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_end_is_today_or_an_instant() {
        assert_eq!(until("17:00"), Ok(Until::Today(Time::constant(17, 0, 0, 0))));
        assert_eq!(until("17:00:00"), until("17:00"));
        assert_eq!(until("+2h"), Ok(Until::After(Duration::from_hours(2))));
        assert!(until("+0s").is_err() && until("+soon").is_err());
        assert!(matches!(until("2026-12-01T17:00:00+01:00"), Ok(Until::Instant(_))));
        for text in ["", "tomorrow", "24:00", "17:60", "17", "2026-12-01", "2026-12-01T17:00:00"] {
            assert!(until(text).is_err(), "{text}");
        }
    }

    #[test]
    fn assumptions_are_named() {
        assert_eq!(assumption("answered=45%"), Ok(Assumption::Answered(0.45)));
        assert_eq!(assumption(" talk = 110s"), Ok(Assumption::Talk(Duration::from_secs(110))));
        assert_eq!(assumption("inbound-per-hour=0"), Ok(Assumption::InboundPerHour(0.0)));
        assert!(assumption("answered=2").unwrap_err().starts_with("answered: "));
        for text in ["talk", "talk=0", "answer=0.3", "inbound-mean=x"] {
            assert!(assumption(text).is_err(), "{text}");
        }
        assert!(rehearsals("0").is_err() && rehearsals("200") == Ok(200));
    }

    #[test]
    fn sizes_and_amounts_have_bounds() {
        assert_eq!(batch_size("50"), Ok(50));
        assert!(["49", "101", "", "x", "-50"].iter().all(|text| batch_size(text).is_err()));
        assert_eq!(dollars("$7.50"), Ok(7.5));
        assert!(["0", "-1", "inf", "NaN", ""].iter().all(|text| dollars(text).is_err()));
    }
}
