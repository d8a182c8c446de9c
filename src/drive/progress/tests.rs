//! What a terminal and a log are told.

use std::io;
use std::sync::{Arc, Mutex};

use super::*;
use crate::campaign::disposition::Class;
use crate::campaign::event::LeadId;
use crate::pool::calls::CallId;
use crate::pool::headroom::Slots;
use crate::report::happening::{EndedCall, Gauges, OpenBatch};

/// A terminal that remembers what was written to it.
#[derive(Clone, Debug, Default)]
struct Paper(Arc<Mutex<String>>);

impl indicatif::TermLike for Paper {
    fn width(&self) -> u16 {
        100
    }
    fn height(&self) -> u16 {
        40
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.write_str("\n")
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().push_str(text);
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn headline() -> Headline {
    Headline {
        list: "leads.csv".into(),
        campaign: "leads".into(),
        reserve: "3".into(),
        leads: 1204,
        settled_earlier: 0,
        last_settled: None,
        called_elsewhere: 0,
        reopened: 0,
        to_call: 1204,
        only: None,
        sandbox: false,
    }
}

fn at(seconds: u64) -> Now {
    let at = Instant::from_micros(0) + Duration::from_secs(seconds);
    Now { at, wall: at.timestamp() }
}

fn snapshot(seconds: u64) -> Snapshot {
    Snapshot {
        now: at(seconds),
        total: 1204,
        settled: 612,
        batch: Some(OpenBatch { number: 13, done: 22, size: 50 }),
        slots: Slots { ours: 4, others: 2, free: 1, kept: 3, limit: 10 },
        held_up: None,
        gauges: Gauges::default(),
    }
}

fn ended() -> EndedCall {
    EndedCall {
        phone: Phone::from_e164("+14155550100"),
        call: Some(CallId::new("7f")),
        line: Some("p1".into()),
        class: Class::Answered,
        reason: Some("customer-ended-call".into()),
        cost_usd: Some(0.12),
    }
}

fn looks(terminal: bool) -> DisplayOptions {
    DisplayOptions { terminal, quiet: false, glyphs: Glyphs::UNICODE, paint: Colors(false), zone: TimeZone::UTC }
}

#[test]
fn a_terminal_shows_the_bars_and_what_happened_last() {
    let paper = Paper::default();
    let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
    let mut face = ProgressUi::on(looks(true), &headline(), at(0), target);
    face.show(&snapshot(1));
    for minute in 0..7 {
        face.hear(&Happening::Told(at(60 * minute), Notice::LimitIs(10 + u32::try_from(minute).unwrap()), None));
    }
    let phone = Phone::from_e164("+14155550100");
    let doubt = Notice::InDoubt(Some(LeadId(1)), "no answer for 30 s".into());
    face.hear(&Happening::Told(at(500), doubt, phone));
    face.finish();
    let seen = paper.0.lock().unwrap().clone();
    let last: String = seen[seen.rfind(" leads ").unwrap()..].to_owned();
    for part in ["612/1,204", "batch 13", "●●●●○○·▒▒▒", "limit is 16", "+141555501.. in doubt"] {
        assert!(last.contains(part), "{part}: {last}");
    }
    assert!(!last.contains("limit is 11"), "only the last few stay: {last}");
    assert!(!seen.contains("0100"), "{seen}");
}

#[test]
fn a_stop_says_what_becomes_of_calls_only_where_some_are_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log = Log::open(File::create(&path).unwrap(), &looks(false), &headline(), at(0));
    let idle = Snapshot { slots: Slots { ours: 0, ..snapshot(1).slots }, ..snapshot(1) };
    for standing in [idle, snapshot(2)] {
        let now = standing.now;
        log.hear(&Happening::Stands(standing));
        log.hear(&Happening::Told(now, Notice::Stopping(StopReason::Stopped), None));
    }
    let log = std::fs::read_to_string(path).unwrap();
    let told: Vec<_> = log.lines().filter(|line| line.contains("it was stopped")).collect();
    assert!(told[0].ends_with("it was stopped") && told[1].contains("followed to their end"), "{log}");
}

#[test]
fn a_log_has_every_event_and_a_line_a_minute() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut log = Log::open(File::create(&path).unwrap(), &looks(false), &headline(), at(0));
    for second in 0..=130 {
        log.hear(&Happening::Stands(snapshot(second)));
    }
    log.hear(&Happening::Told(at(131), Notice::Batch(13, 50), None));
    log.hear(&Happening::CallEnded(at(132), ended()));
    log.finish();
    insta::assert_snapshot!(std::fs::read_to_string(path).unwrap(), @r"
    1970-01-01T00:00:00.000Z dialer · leads.csv · reserve 3 · campaign leads · 1,204 leads, 1,204 to call
    1970-01-01T00:01:00.000Z 612/1,204 settled, batch 13 22/50, pool of 10: 4 campaign, 2 other, 1 available, 3 reserved
    1970-01-01T00:02:00.000Z 612/1,204 settled, batch 13 22/50, pool of 10: 4 campaign, 2 other, 1 available, 3 reserved
    1970-01-01T00:02:11.000Z batch 13, 50 leads
    1970-01-01T00:02:12.000Z +141555501.. call 7f from p1: answered (customer-ended-call), $0.12
    ");
}
