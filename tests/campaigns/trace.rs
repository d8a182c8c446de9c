//! Traces: what a run heard and decided is stepped again, and decides the same; a trace that is not whole says so.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use crate::stage::{START, journal_of, leads, plan, start, steady};
use dialer::campaign::event::{Event, Stop};
use dialer::campaign::hours::Calling;
use dialer::campaign::plan::{Plan, Reserve};
use dialer::campaign::reply::ResumeState;
use dialer::campaign::retry::Retries;
use dialer::journal::imported::Listed;
use dialer::leads::lead::Lead;
use dialer::rehearsal::rehearse::Simulation;
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::config::ProviderConfig;
use dialer::rehearsal::world::fault::{Fault, Faults};
use dialer::time::{Instant, Now};
use dialer::trace::frames::{Compressor, Decompressor};
use dialer::trace::mask::Mask;
use dialer::trace::replay::{Error, replay};
use dialer::trace::{Kept, Line, Sink, Traced, Writer};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A plan that uses whatever a plan can hold.
fn busy() -> Plan {
    let holidays = (Path::new("free.txt"), "2026-01-02");
    let zone = TimeZone::get("America/New_York").unwrap();
    let calling = Calling::parse("08:00-12:00,13:00-21:00", Some("mon-sat"), Some(holidays), Duration::from_mins(5));
    let retry = ["no-answer=10m,1h", "busy=5m"].map(str::to_owned);
    Plan {
        calling: calling.unwrap(),
        retries: Retries::parse(3, &retry, 3, 5, zone.clone()).unwrap(),
        reserve: Reserve { table: vec![(0, 2), (600, 4)], zone, auto: None },
        max_cost: Some(1234.1),
        wait: true,
        seed: u64::MAX - 3,
        ..plan()
    }
}

/// Somebody of whom all is known.
fn person(listed: Listed) -> Listed {
    let n = listed.line;
    let lead = Lead {
        name: Some(format!("Ann Person{n}")),
        extension: Some("771".to_owned()),
        variables: vec![("favourite".to_owned(), format!("colour{n}"))],
        zones: vec!["America/Chicago".to_owned()],
        ..listed.lead
    };
    Listed { lead, ..listed }
}

/// The trace of a campaign under every fault, made once.
fn trace() -> &'static str {
    static TRACE: OnceLock<String> = OnceLock::new();
    TRACE.get_or_init(|| run(&busy(), 12))
}

fn run(plan: &Plan, people: u64) -> String {
    let faults = Fault::ALL.into_iter().fold(Faults::default(), |faults, fault| faults.with(fault, 0.03));
    let config = ProviderConfig { faults, ..steady() };
    let mut stage = Simulation::new(FakeProvider::new(config, 11, START), 3_000_000);
    stage.traces = Some(Vec::new());
    let journal = journal_of(plan, leads(people).map(person), stage.now());
    start(&mut stage, plan, journal);
    stage.play(START + Duration::from_hours(24 * 30), None).unwrap();
    String::from_utf8(stage.traces.unwrap()[0].bytes()).unwrap()
}

fn fails(trace: &str) -> Error {
    replay(trace.as_bytes()).unwrap_err()
}

#[test]
fn a_run_decides_the_same_again_and_shows_nothing_of_the_people() {
    let trace = trace();
    let replayed = replay(trace.as_bytes()).unwrap();
    assert!(replayed.whole && replayed.actions > 100 && replayed.events > 100, "{replayed:?}");
    assert!(trace.starts_with("{\"trace\":1,"));
    for hidden in ["Person", "colour", "favourite", "+1415", "\"771\""] {
        let line = trace.lines().find(|line| line.contains(hidden));
        assert!(line.is_none(), "{hidden} in {line:?}");
    }
}

#[test]
fn the_first_line_that_decides_otherwise_is_told() {
    let trace = trace();
    let lines: Vec<&str> = trace.lines().collect();
    let place = lines.iter().position(|line| line.contains("\"Place\"")).unwrap();
    let changed = trace.replacen(lines[place], &lines[place].replacen("\"Place\":[\"d", "\"Place\":[\"e", 1), 1);
    let Error::Otherwise { line, then, now } = fails(&changed) else { panic!("{:?}", fails(&changed)) };
    assert_eq!(line, place as u64 + 1);
    assert!(then.contains("[\"e") && now.contains("[\"d"), "{then} {now}");
    // What it was told is part of why.
    let stop = trace.replacen("\"event\":{\"Wake\":null}", "\"event\":{\"Stop\":\"Drain\"}", 1);
    assert!(matches!(fails(&stop), Error::Otherwise { .. }));
}

#[test]
fn a_trace_that_is_not_whole_says_so() {
    let trace = trace();
    let lines: Vec<&str> = trace.lines().collect();
    let cut = |end: usize| replay(&trace.as_bytes()[..end]).unwrap();
    assert!(!cut(trace.len() - 5).whole && cut(trace.len()).whole);
    let missing = trace.replacen(&format!("{}\n", lines[20]), "", 1);
    assert!(matches!(fails(&missing), Error::Unreadable { line: 21, .. }), "{:?}", fails(&missing));
    let lost = trace.replacen(lines[20], "{\"n\":20,\"at\":\"2026-01-01T00:00:00Z\",\"lost\":1}", 1);
    assert!(matches!(fails(&lost), Error::Lost { line: 21, lost: 1 }), "{:?}", fails(&lost));
    let torn = trace.replacen(lines[20], &lines[20][..9], 1);
    assert!(matches!(fails(&torn), Error::Unreadable { line: 21, .. }), "{:?}", fails(&torn));
    for text in ["", "phone\n+14155550100\n", "{}", "{\"trace\":\"1\"}", "[1]", "\0\0"] {
        assert!(matches!(fails(text), Error::Unreadable { line: 1, .. }), "{text}: {:?}", fails(text));
    }
    assert!(matches!(fails("{\"trace\":2}"), Error::Newer(2)));
}

/// Where something is meant to be decided otherwise now, it is made anew: `DIALER_TRACE_ANEW=1 cargo test --test campaigns
/// trace::`.
#[test]
fn the_trace_of_an_older_version_decides_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/older.trace.zst");
    if std::env::var_os("DIALER_TRACE_ANEW").is_some() {
        let plan = Plan { calling: Calling::any(), wait: false, ..busy() };
        let mut file = Compressor::new(File::create(&path).unwrap());
        file.write_all(run(&plan, 4).as_bytes()).unwrap();
        file.flush().unwrap();
    }
    let file = BufReader::new(Decompressor::new(BufReader::new(File::open(&path).unwrap())));
    let replayed = replay(file).unwrap_or_else(|error| panic!("{}: {error}: {error:?}", path.display()));
    assert!(replayed.whole, "{replayed:?}");
}

/// The line of a file that never ends is not read for ever.
#[test]
fn a_line_has_an_end() {
    let endless = std::io::BufReader::new(std::io::repeat(b' '));
    assert!(matches!(replay(endless).unwrap_err(), Error::Unreadable { line: 1, .. }));
}

/// Has room only now and then.
struct Narrow(Writer<Kept>, Vec<bool>);

impl Sink for Narrow {
    fn put(&mut self, line: Line) -> bool {
        self.1.pop().unwrap_or(true) && self.0.put(line)
    }
}

#[test]
fn lines_that_do_not_fit_are_counted_where_they_are_missing() {
    let kept = Kept::default();
    let writer = Writer::new(kept.clone(), Mask::new([0; 32], false));
    // From the end: the header and two lines fit, the third does not, nor the word of that before the fourth.
    let room = vec![false, false, true, true, true];
    let now = Now { at: Instant::from_micros(0), wall: Timestamp::UNIX_EPOCH };
    let mut traced = Traced::new(plan(), ResumeState::default(), now, Some(Box::new(Narrow(writer, room))));
    for _ in 0..6 {
        traced.handle(now, Event::Stop(Stop::Pause));
    }
    let trace = String::from_utf8(kept.bytes()).unwrap();
    let numbers: Vec<&str> = trace.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(numbers, ["{\"n\":1", "{\"n\":2", "{\"n\":4", "{\"n\":5", "{\"n\":6"]);
    assert!(trace.contains("{\"n\":4,\"at\":\"1970-01-01T00:00:00Z\",\"lost\":2}"), "{trace}");
    assert!(matches!(fails(&trace), Error::Lost { line: 4, lost: 2 }), "{:?}", fails(&trace));
}
