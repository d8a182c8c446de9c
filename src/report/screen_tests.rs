//! What the screen looks like, drawn.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::campaign::disposition::Class;
use crate::report::happening::{Gauges, OpenBatch};
use crate::time::{Instant, Now};

fn snapshot() -> Snapshot {
    Snapshot {
        now: Now { at: Instant::from_micros(0), wall: "2026-11-23T14:05:00Z".parse().unwrap() },
        total: 1204,
        settled: 612,
        batch: Some(OpenBatch { number: 13, done: 22, size: 50 }),
        slots: Slots { ours: 4, others: 2, free: 1, kept: 3, limit: 10 },
        held_up: None,
        gauges: Gauges::default(),
    }
}

/// Seven leads a minute over ten minutes.
fn pace() -> Pace {
    let mut pace = Pace::default();
    for minute in 0..=10 {
        pace.observe(Instant::from_micros(0) + Duration::from_secs(60 * minute), 542 + 7 * minute);
    }
    pace
}

fn drawn(snapshot: &Snapshot, glyphs: Glyphs, width: usize) -> String {
    TextLayout { glyphs, ..canvas(width) }.rows(snapshot, &pace()).join("\n")
}

/// The zone of whoever looks.
static HERE: TimeZone = TimeZone::UTC;

fn canvas(width: usize) -> TextLayout<'static> {
    TextLayout { glyphs: Glyphs::UNICODE, paint: Colors(false), width, zone: &HERE }
}

#[test]
fn narrow_terminals_lose_the_bars_first_and_the_counts_never() {
    insta::assert_snapshot!(drawn(&snapshot(), Glyphs::UNICODE, 60), @r"
    leads  612/1,204  50%  7.0 a minute  done about 15:29
    batch 13  22/50  4 active calls
    pool      4 campaign · 2 other · 1 available · 3 reserved
    ");
    insta::assert_snapshot!(drawn(&snapshot(), Glyphs::UNICODE, 40), @r"
    leads  612/1,204  50%  done about 15:29
    batch 13  22/50  4 active calls
    pool  4 camp. 2 other 1 free 3 res.
    ");
    insta::assert_snapshot!(drawn(&snapshot(), Glyphs::UNICODE, 24), @r"
    leads  612/1,204
    batch 13  22/50  4 up
    pool  4 camp. 2 othe...
    ");
}

#[test]
fn a_headline_is_cut_between_its_items() {
    let headline = Headline {
        list: "leads.csv".into(),
        campaign: "leads".into(),
        reserve: "3".into(),
        leads: 1204,
        settled_earlier: 310,
        last_settled: None,
        called_elsewhere: 0,
        reopened: 0,
        to_call: 894,
        sandbox: true,
        only: None,
    };
    let lines = headline.lines(Glyphs::ASCII, snapshot().now.wall, &TimeZone::UTC, 60);
    insta::assert_snapshot!(lines.join("\n"), @r"
    dialer - leads.csv - sandbox: nobody is called, time x60
      reserve 3 - campaign leads
      1,204 leads, 310 settled earlier, 894 to call
    ");
}

#[test]
fn three_rows_tell_of_the_list_the_batch_and_the_pool() {
    insta::assert_snapshot!(drawn(&snapshot(), Glyphs::UNICODE, 100), @r"
    leads     █████████████████░░░░░░░░░░░░░░░░░    612/1,204    50%   7.0 a minute   done about 15:29
    batch 13  ██████████████░░░░░░░░░░░░░░░░░░░░        22/50   4 active calls
    pool      ●●●●○○·▒▒▒   4 campaign · 2 other · 1 available · 3 reserved
    ");
}

#[test]
fn a_plain_terminal_gets_plain_signs() {
    insta::assert_snapshot!(drawn(&snapshot(), Glyphs::ASCII, 80), @r"
    leads     #######.......    612/1,204    50%   7.0 a minute   done about 15:29
    batch 13  ######........        22/50   4 active calls
    pool      ####oo.---   4 campaign - 2 other - 1 available - 3 reserved
    ");
}

#[test]
fn a_large_pool_is_one_bar_with_four_parts() {
    let snapshot = Snapshot {
        slots: Slots { ours: 700, others: 3, free: 247, kept: 50, limit: 1000 },
        total: 1_000_000,
        ..snapshot()
    };
    insta::assert_snapshot!(drawn(&snapshot, Glyphs::UNICODE, 100), @r"
    leads     ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  612/1,000,000     0%   7.0 a minute
    batch 13  ██████████████░░░░░░░░░░░░░░░░░░░░        22/50   700 active calls
    pool      ●●●●●●●●●●●●●●●●●●●●●○·······▒   700 campaign · 3 other · 247 available · 50 reserved
    ");
}

#[test]
fn what_holds_dialing_up_is_said_and_nothing_is_foretold() {
    let snapshot = Snapshot {
        slots: Slots { ours: 0, others: 2, free: 5, kept: 3, limit: 10 },
        batch: None,
        held_up: Some("paused".into()),
        ..snapshot()
    };
    insta::assert_snapshot!(drawn(&snapshot, Glyphs::UNICODE, 100), @r"
    leads     █████████████████░░░░░░░░░░░░░░░░░    612/1,204    50%   7.0 a minute
    no batch                                                    0 active calls
    pool      ○○·····▒▒▒   0 campaign · 2 other · 5 available · 3 reserved
    ");
    assert_eq!(canvas(100).held(&snapshot), [" paused"]);
    let over = Snapshot { settled: 1204, held_up: Some("nobody may be dialed now".into()), ..snapshot.clone() };
    assert_eq!(canvas(100).held(&over), [" all done"]);
    insta::assert_snapshot!(plain_line(&snapshot, &pace(), &TimeZone::UTC), @"14:05 612/1,204 settled, pool of 10: 0 campaign, 2 other, 5 available, 3 reserved, paused");
}

#[test]
fn without_a_terminal_one_line_says_it_all() {
    insta::assert_snapshot!(plain_line(&snapshot(), &pace(), &TimeZone::UTC), @"14:05 612/1,204 settled, batch 13 22/50, pool of 10: 4 campaign, 2 other, 1 available, 3 reserved, done about 15:29");
}

#[test]
fn the_headline_says_what_is_left_of_the_list() {
    let fresh = Headline {
        list: "leads.csv".into(),
        campaign: "leads".into(),
        reserve: "3".into(),
        leads: 1204,
        settled_earlier: 0,
        last_settled: None,
        called_elsewhere: 0,
        reopened: 0,
        to_call: 1204,
        sandbox: true,
        only: None,
    };
    let now = snapshot().now.wall;
    insta::assert_snapshot!(fresh.line(Glyphs::UNICODE, now, &TimeZone::UTC), @"dialer · leads.csv · sandbox: nobody is called, time x60 · reserve 3 · campaign leads · 1,204 leads, 1,204 to call");
    let later = Headline {
        settled_earlier: 310,
        last_settled: Some("2026-11-20T17:31:00Z".parse().unwrap()),
        called_elsewhere: 12,
        reopened: 38,
        to_call: 894,
        sandbox: false,
        only: None,
        ..fresh
    };
    insta::assert_snapshot!(later.line(Glyphs::ASCII, now, &TimeZone::UTC), @"dialer - leads.csv - reserve 3 - campaign leads - 1,204 leads, 310 settled earlier (last at 20 Nov 17:31), 38 reopened, 12 called by another campaign within 7 days, 894 to call");
}

proptest! {
    #[test]
    fn any_pool_fits_its_row(ours in any::<u32>(), others in any::<u32>(), free in any::<u32>(), kept in any::<u32>()) {
        let parts = [ours, others, free, kept];
        let cells = shares(parts, POOL_CELLS);
        if parts.iter().any(|part| *part > 0) {
            prop_assert_eq!(cells.iter().sum::<u32>(), POOL_CELLS);
        }
        for (part, cell) in parts.into_iter().zip(cells) {
            prop_assert_eq!(part > 0, cell > 0);
        }
        let slots = Slots { ours, others, free, kept, limit: u32::MAX };
        for width in [20, 40, 60, 80, 100, 200] {
            let rows = drawn(&Snapshot { slots, ..snapshot() }, Glyphs::ASCII, width);
            prop_assert_eq!(rows.lines().count(), 3);
            prop_assert!(rows.lines().all(|row| row.chars().count() <= width), "{}", rows);
        }
    }
}

#[test]
fn outcomes_and_cost_stand_below_the_bars_and_fit() {
    assert!(canvas(80).outcomes(&snapshot()).is_empty(), "nobody was reached yet");
    let mut with = snapshot();
    with.gauges.cost_usd = 31.2;
    with.gauges.totals.dispositions = [(Class::Answered, 1402), (Class::Voicemail, 310), (Class::NoAnswer, 201)].into();
    assert_eq!(canvas(80).outcomes(&with), [" ended     answered 1,402 · voicemail 310 · no answer 201 · $31.20"]);
    assert!(
        canvas(40).outcomes(&with).iter().all(|line| measure_text_width(line) <= 40 && !line.ends_with("no answer"))
    );
}

#[test]
fn a_wait_says_until_when() {
    let mut waits = snapshot();
    waits.held_up = Some("nobody may be dialed now".to_owned());
    waits.gauges.next_at = Some("2026-11-23T17:00:00Z".parse().unwrap());
    assert_eq!(canvas(80).held(&waits), [" nobody may be dialed now; next call at 17:00"]);
    assert!(plain_line(&waits, &pace(), &HERE).contains("; next call at 17:00"));
    waits.gauges.next_at = Some("2026-11-23T14:00:00Z".parse().unwrap());
    assert_eq!(canvas(80).held(&waits), [" nobody may be dialed now"], "it is past");
}
