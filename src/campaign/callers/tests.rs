use super::*;
use crate::campaign::seen::Status;

fn now(minutes: i64) -> Now {
    let at = Instant::from_micros(minutes * 60_000_000);
    Now { at, wall: at.timestamp() }
}

fn auto(per_hour: Option<Vec<f64>>) -> AutoReserve {
    let history = |per_hour| InboundHistory {
        per_hour,
        mean_s: 240.0,
        call_s: 60.0,
        callers: 400.0,
        from: "from 400 calls".to_owned(),
    };
    AutoReserve { target: 0.01, history: per_hour.map(history) }
}

fn caller(nth: i64, minute: i64) -> SeenCall {
    let created = Stamp::from_micros(minute * 60_000_000);
    SeenCall {
        id: CallId::new(&format!("call-{nth}")),
        org: None,
        status: Status::Ended,
        created,
        updated: created,
        started: Some(created),
        ended: Some(created + Duration::from_mins(4)),
        reason: None,
        attempt: None,
        phone: None,
        cost: None,
        spoke: true,
        unmarked: false,
        bare: false,
        outbound: false,
        opt_out: false,
        analysed: false,
        analysis: None,
    }
}

/// So many callers an hour come for that long, each listed twice: the reserve afterwards.
fn after(callers: &mut Callers, per_hour: i64, minutes: std::ops::Range<i64>, limit: u32) -> u32 {
    for minute in minutes {
        callers.looked(now(minute).at, now(minute).wall);
        for nth in (minute * per_hour / 60)..((minute + 1) * per_hour / 60) {
            callers.saw(&caller(nth, minute), false);
            callers.saw(&caller(nth, minute), false);
        }
        callers.choose(now(minute), limit);
    }
    callers.reserve()
}

#[test]
fn the_hours_of_the_past_are_the_first_timetable() {
    let mut by_hour = vec![4.0; 24];
    by_hour[9..12].fill(60.0);
    let auto = auto(Some(by_hour));
    let history = auto.history.clone().unwrap();
    let day = Date::constant(2026, 1, 5);
    let table = history.timetable(day, &TimeZone::UTC, 10, 0, 0.01);
    assert_eq!(table.table.iter().map(|(at, _)| at / 60).collect::<Vec<_>>(), [0, 9, 12], "{table}");
    let mut callers = Callers::new(&auto, &TimeZone::UTC, 0, 10, now(8 * 60));
    assert_eq!(callers.reserve(), table.at(now(8 * 60).wall));
    // Nobody comes before the peak, and the peak is not believed any less than it was.
    let chosen = callers.choose(now(8 * 60 + 56), 10).unwrap();
    assert_eq!(chosen.reserve, table.at(now(9 * 60).wall));
}

#[test]
fn without_any_history_it_begins_with_three_and_learns() {
    let begin = || Callers::new(&auto(None), &TimeZone::UTC, 0, 10, now(0));
    assert_eq!((begin().reserve(), begin().known_from()), (3, None));
    assert_eq!(begin().choose(now(2), 10), None, "nothing was learnt");
    assert_eq!(after(&mut begin(), 0, 0..59, 10), 3, "an hour is watched before fewer are reserved");
    let busy = after(&mut begin(), 60, 0..120, 10);
    let quiet = after(&mut begin(), 2, 0..240, 10);
    assert!(busy > 3 && quiet < 3, "{busy} {quiet}");
}

#[test]
fn a_busy_day_raises_it_and_fades() {
    let mut callers = Callers::new(&auto(Some(vec![20.0])), &TimeZone::UTC, 0, 10, now(0));
    let usual = callers.reserve();
    let busy = after(&mut callers, 60, 0..180, 10);
    assert!(busy > usual, "{busy} {usual}");
    assert_eq!(after(&mut callers, 20, 180..1_200, 10), usual);
}

#[test]
fn it_is_never_under_one_and_leaves_the_campaign_a_slot() {
    for (per_hour, slots, margin, wanted) in [(0.0, 10, 0, 1), (500.0, 10, 0, 9), (500.0, 10, 2, 7), (500.0, 2, 0, 1)] {
        let callers = Callers::new(&auto(Some(vec![per_hour])), &TimeZone::UTC, margin, slots, now(0));
        assert_eq!(callers.reserve(), wanted, "{per_hour} {slots} {margin}");
    }
    let mut callers = Callers::new(&auto(Some(vec![500.0])), &TimeZone::UTC, 0, 10, now(0));
    assert_eq!(callers.choose(now(0), 4).map(|chosen| chosen.reserve), Some(3), "the limit fell");
}

#[test]
fn memory_is_bounded() {
    let mut callers = Callers::new(&auto(None), &TimeZone::UTC, 0, 10, now(0));
    for nth in 0..25_000 {
        callers.saw(&caller(nth, nth), false);
    }
    assert_eq!(callers.counted.len(), MOST_COUNTED);
    let seen = callers.seen;
    callers.saw(&caller(3, 3), false);
    assert!((callers.seen - seen).abs() < 1e-9, "one that was forgotten is not counted again");
}
