//! The hours against a clock on the wall that is read minute by minute, in zones whose clocks do odd things.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{ToSpan, Unit};
use proptest::prelude::*;

use super::*;

fn calling(hours: &str, days: Option<&str>, guard_minutes: u64) -> Calling {
    Calling::parse(hours, days, None, Duration::from_mins(guard_minutes)).unwrap()
}

fn zones(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// `2026-03-07T20:54:59[America/New_York]`, or with an offset where the clock reads that time twice.
fn at(text: &str) -> Timestamp {
    text.parse::<jiff::Zoned>().unwrap().timestamp()
}

#[test]
fn the_guard_keeps_calls_off_the_end_and_not_off_a_seam() {
    let zone = zones(&["America/New_York"]);
    for hours in ["08:00-21:00", "08:00-12:00,12:00-21:00", "11:00-21:00,08:00-13:00"] {
        let calling = calling(hours, None, 5);
        let open = |time: &str| calling.is_open(&zone, at(&format!("2026-11-23T{time}[America/New_York]")));
        assert!(!open("07:59:59.999") && open("08:00") && open("11:57") && open("20:54:59.999"));
        assert!(!open("20:55") && !open("21:00"));
    }
    for guard in [13 * 60, 14 * 60, 7 * 24 * 60] {
        assert_eq!(calling("08:00-21:00", None, guard).next_open(&zone, at("2026-11-23T12:00[UTC]")), None);
    }
    let midnight = calling("00:00-24:00", None, 60 * 24 * 7);
    assert!(midnight.is_open(&zone, at("2026-11-23T23:59:59[America/New_York]")));
}

#[test]
fn a_night_belongs_to_the_day_it_starts_on() {
    let calling = calling("22:00-02:00", Some("fri"), 0);
    let zone = zones(&["Europe/Berlin"]);
    let next = |text: &str| calling.next_open(&zone, at(text)).unwrap();
    assert_eq!(next("2026-11-26T23:00[Europe/Berlin]"), at("2026-11-27T22:00[Europe/Berlin]"));
    assert_eq!(next("2026-11-28T01:59[Europe/Berlin]"), at("2026-11-28T01:59[Europe/Berlin]"));
    assert_eq!(next("2026-11-28T02:00[Europe/Berlin]"), at("2026-12-04T22:00[Europe/Berlin]"));
}

#[test]
fn clocks_that_are_put_forward_and_back() {
    let zone = zones(&["America/New_York"]);
    let early = calling("02:00-03:00", None, 0);
    // 02:00-03:00 does not exist on 8 March 2026.
    let next = early.next_open(&zone, at("2026-03-07T03:00[America/New_York]"));
    assert_eq!(next, Some(at("2026-03-09T02:00[America/New_York]")));
    // 01:30-02:00 comes twice on 1 November 2026, with a closed half hour between.
    let late = calling("01:30-02:00", None, 0);
    let twice = at("2026-11-01T01:30:00-04:00[America/New_York]");
    assert!(late.is_open(&zone, twice));
    let again = late.next_open(&zone, twice + 30.minutes()).unwrap();
    assert_eq!(again, at("2026-11-01T01:30:00-05:00[America/New_York]"));
    // A night goes on over the change.
    let night = calling("22:00-06:00", Some("sat"), 0);
    assert!(night.is_open(&zone, at("2026-03-08T05:59[America/New_York]")));
    assert!(!night.is_open(&zone, at("2026-03-08T06:00[America/New_York]")));
    // Lord Howe Island moves its clocks by half an hour only.
    let howe = zones(&["Australia/Lord_Howe"]);
    let next = calling("02:15-02:45", None, 0).next_open(&howe, at("2026-10-04T01:00[Australia/Lord_Howe]"));
    assert_eq!(next, Some(at("2026-10-04T02:30[Australia/Lord_Howe]")));
}

#[test]
fn every_zone_has_to_be_open() {
    let calling = calling("08:00-21:00", None, 5);
    let both = zones(&["America/New_York", "America/Los_Angeles"]);
    let now = at("2026-11-23T08:00[America/New_York]");
    let opening = calling.opening(&both, now).unwrap();
    assert_eq!(opening.at, at("2026-11-23T08:00[America/Los_Angeles]"));
    assert_eq!(opening.zone.as_deref().map(place).as_deref(), Some("Los Angeles"));
    assert_eq!(calling.opening(&both, opening.at), Some(Opening { at: opening.at, zone: None }));
    let never = super::Calling::parse("09:00-12:00", None, None, Duration::ZERO).unwrap();
    assert_eq!(never.next_open(&zones(&["Pacific/Auckland", "Europe/London"]), now), None);
}

#[test]
fn without_a_zone_only_any_is_open() {
    let now = at("2026-11-22T12:00[UTC]");
    let hours = calling("00:00-24:00", None, 0);
    for bad in
        [zones(&[]), zones(&["Mars/Olympus"]), zones(&["Europe/Berlin", "Mars/Olympus"]), zones(&["Etc/Unknown"])]
    {
        assert!(hours.needs_zone() && !hours.is_open(&bad, now));
        assert_eq!(hours.next_open(&bad, now), None);
        assert_eq!(Calling::any().next_open(&bad, now), Some(now));
    }
    let any = calling("any", None, 5);
    assert!(!any.needs_zone() && any.is_open(&[], now));
}

#[test]
fn days_bind_under_any_where_a_zone_is_known() {
    let any = calling("any", Some("mon-fri"), 5);
    let sunday = at("2026-11-22T23:30[Europe/London]");
    assert!(!any.needs_zone());
    assert!(!any.is_open(&zones(&["Europe/London"]), sunday));
    assert!(any.is_open(&zones(&["Asia/Tokyo"]), sunday), "it is Monday there");
    assert!(any.is_open(&zones(&[]), sunday) && any.is_open(&zones(&["Mars/Olympus"]), sunday));
    let here = any.machine_zone(zone_named("Europe/London").unwrap());
    assert_eq!(here.next_open(&[], sunday), Some(at("2026-11-23T00:00[Europe/London]")));
}

#[test]
fn far_ends_of_the_calendar_and_odd_guards_do_no_harm() {
    let zone = zones(&["Pacific/Apia", "America/New_York"]);
    for guard in [Duration::ZERO, Duration::from_nanos(1), LONGEST_GUARD] {
        let calling = Calling::parse("00:00-24:00", Some("mon-sat"), None, guard).unwrap();
        for now in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            let _ = (calling.is_open(&zone, now), calling.opening(&zone, now));
        }
    }
    assert!(Calling::parse("any", None, None, Duration::MAX).is_err());
}

const ODD: [&str; 16] = [
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Apia",
    "Pacific/Chatham",
    "America/Havana",
    "America/Asuncion",
    "Atlantic/Azores",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Africa/Cairo",
    "UTC",
];

/// What a person would write, and the same for the oracle.
#[derive(Clone, Debug)]
struct Setting {
    windows: Vec<(i64, i64)>,
    days: Vec<usize>,
    holidays: BTreeSet<Date>,
    guard: u64,
    zones: Vec<String>,
    now: Timestamp,
}

const DAY_NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Setting {
    fn calling(&self) -> Calling {
        let time = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        let windows: Vec<_> = self.windows.iter().map(|(from, to)| format!("{}-{}", time(*from), time(*to))).collect();
        let days: Vec<_> = self.days.iter().map(|day| DAY_NAMES[*day]).collect();
        let dates: Vec<_> = self.holidays.iter().map(Date::to_string).collect();
        let (path, dates) = (Path::new("free.txt"), dates.join("\n"));
        let holidays = (!dates.is_empty()).then_some((path, dates.as_str()));
        let guard = Duration::from_mins(self.guard);
        Calling::parse(&windows.join(","), Some(&days.join(",")), holidays, guard).unwrap()
    }

    /// Reads the clock on the wall.
    fn reads_open(&self, zone: &TimeZone, now: Timestamp) -> bool {
        let wall = zone.to_datetime(now);
        let minute = i64::from(wall.hour()) * 60 + i64::from(wall.minute());
        let calls_on = |date: Date| {
            let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap();
            self.days.contains(&weekday) && !self.holidays.contains(&date)
        };
        let inside = |minute: i64| {
            self.windows.iter().any(|&(from, to)| from <= minute && minute < if to < from { to + 1440 } else { to })
        };
        let date = wall.date();
        (calls_on(date) && inside(minute)) || (calls_on(date.yesterday().unwrap()) && inside(minute + 1440))
    }

    /// The first open time within the horizon, by looking at every minute of it.
    fn next_by_hand(&self) -> Option<Timestamp> {
        let guard = i64::try_from(self.guard).unwrap();
        let floor = self.now.as_second().div_euclid(60);
        let minute = |offset: i64| Timestamp::from_second((floor + offset) * 60).unwrap();
        let zones: Vec<TimeZone> = self.zones.iter().map(|name| TimeZone::get(name).unwrap()).collect();
        let length = 14 * 1440;
        let open: Vec<bool> = (0..=length + guard + 1)
            .map(|offset| zones.iter().all(|zone| self.reads_open(zone, minute(offset))))
            .collect();
        // A call that starts within a minute touches one minute more by the end of the guard time.
        let stays = |from: i64, to: i64| (from..=to).all(|offset| open[usize::try_from(offset).unwrap()]);
        if stays(0, guard) {
            return Some(self.now);
        }
        let next = (1..=length).find(|&offset| stays(offset, offset + guard)).map(minute)?;
        (next.as_second() - self.now.as_second() <= length * 60).then_some(next)
    }
}

fn setting() -> impl Strategy<Value = Setting> {
    let window = (0_i64..1440, 0_i64..=1440).prop_filter("not empty", |(from, to)| from != to);
    // Days around a change of the clock, where there is one.
    let now = (
        prop::sample::select(&ODD[..]),
        1990_i16..2036,
        0_usize..4,
        prop_oneof![-5_000_i64..5_000, -300_i64..300],
        0_i64..60,
    );
    let now = now.prop_map(|(zone, year, nth, minutes, seconds)| {
        let start = jiff::civil::date(year, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp();
        let zone = TimeZone::get(zone).unwrap();
        let change = zone.following(start).nth(nth).map(|change| change.timestamp());
        change.filter(|at| at.as_second() < 2_200_000_000).unwrap_or(start) + (minutes * 60 + seconds).seconds()
    });
    let parts = (
        prop::collection::vec(window, 1..4),
        prop::sample::subsequence((0..7).collect::<Vec<usize>>(), 1..=7),
        prop::collection::vec(-3_i64..20, 0..5),
        prop_oneof![Just(0_u64), 1_u64..90, 90_u64..1600],
        prop::sample::subsequence(&ODD[..], 1..4),
        now,
    );
    parts.prop_map(|(windows, days, holidays, guard, zones, now)| {
        let today = now.to_zoned(TimeZone::UTC).date();
        let holidays = holidays.into_iter().map(|offset| today.saturating_add(offset.days())).collect();
        let zones = zones.into_iter().map(str::to_owned).collect();
        Setting { windows, days, holidays, guard, zones, now }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_answer_is_open_and_nothing_earlier_is(setting in setting()) {
        let calling = setting.calling();
        let next = calling.next_open(&setting.zones, setting.now);
        prop_assert_eq!(next, setting.next_by_hand());
        prop_assert_eq!(calling.is_open(&setting.zones, setting.now), next == Some(setting.now));
        if let Some(next) = next {
            prop_assert!(calling.is_open(&setting.zones, next));
            prop_assert!(next == setting.now || !calling.is_open(&setting.zones, next - 1.nanosecond()));
        }
    }

    #[test]
    fn what_was_asked_before_changes_no_answer(setting in setting(), jumps in prop::collection::vec(-60_i64..60, 1..12)) {
        let used = setting.calling();
        let round = setting.now.round(Unit::Second).unwrap();
        for hours in jumps {
            let now = round + (hours * 24).hours();
            prop_assert_eq!(used.next_open(&setting.zones, now), setting.calling().next_open(&setting.zones, now));
            prop_assert_eq!(used.is_open(&setting.zones, now), setting.calling().is_open(&setting.zones, now));
        }
    }

    #[test]
    fn no_text_makes_it_panic(hours in ".{0,24}", days in "[a-z, -]{0,16}", text in ".{0,200}", ends in "txt|ics") {
        let path = format!("free.{ends}");
        let _ = Calling::parse(&hours, Some(&days), None, Duration::ZERO);
        let _ = Calling::parse("any", None, Some((Path::new(&path), &text)), Duration::ZERO);
    }
}
