//! The lines that leads are called from: their own, dead ones, free ones.

use dialer::campaign::disposition::Class;
use dialer::campaign::event::{AccountFact, Event};
use dialer::campaign::notice::StopReason;
use dialer::campaign::plan::Plan;
use dialer::journal::Journal;
use dialer::journal::imported::Listed;
use dialer::journal::memory::Memory;
use dialer::leads::lead::{Lead, Phone};
use dialer::rehearsal::rehearse::Simulation;
use dialer::rehearsal::world::FakeProvider;
use dialer::rehearsal::world::config::ProviderConfig;
use dialer::rehearsal::world::mix::{Ending, Shape};

use crate::rehearsal::{DAY, settled, why};
use crate::stage::{self, START, plan};

/// A list in which every third lead names a line of its own.
fn with_own_lines(count: u64, line: &'static str) -> impl Iterator<Item = Listed> {
    stage::leads(count).map(move |row| {
        let own = (row.line % 3 == 0).then(|| line.to_owned());
        Listed { lead: Lead { phone_number_id: own, ..row.lead.clone() }, ..row }
    })
}

#[test]
fn leads_that_name_a_dead_line_hold_up_nobody_and_are_left_as_they_are() {
    let plan = Plan { lines: vec!["line".to_owned(), "other".to_owned()], ..plan() };
    let mut stage = Simulation::new(FakeProvider::new(ProviderConfig::default(), 3, START), 0);
    let journal = stage::journal_of(&plan, with_own_lines(150, "other"), stage.now());
    stage::start(&mut stage, &plan, journal);
    let now = stage.now();
    let run = stage.runs[0].as_mut().unwrap();
    run.campaign.handle(now, Event::LineDown("other".to_owned(), "404".to_owned()));
    stage.play(START + DAY, None).unwrap();
    assert!(matches!(why(&stage, 0), Some(StopReason::Lines(_))), "{:?}", why(&stage, 0));
    assert_eq!(settled(&mut stage, 0), (100, 150));
    assert_eq!(stage.world.rung().len(), stage.world.rung().values().filter(|times| **times == 1).count());
}

#[test]
fn a_daily_limit_on_a_leads_own_line_settles_nobody() {
    let plan = plan();
    let mut stage = Simulation::new(FakeProvider::new(ProviderConfig::default(), 4, START), 0);
    // The provider's own lines have a limit of ten calls a day.
    let journal = stage::journal_of(&plan, with_own_lines(90, "vapi-own"), stage.now());
    stage::start(&mut stage, &plan, journal);
    stage.play(START + DAY, None).unwrap();
    let outcome = stage.runs[0].as_ref().unwrap().outcome.clone().unwrap();
    assert!(matches!(outcome.why, StopReason::Lines(_)), "{outcome:?}");
    assert_eq!(outcome.next_at.map(|at| at.to_string()).as_deref(), Some("2026-01-02T00:00:00Z"));
    assert_eq!(settled(&mut stage, 0), (70, 90));
}

/// A list in which every third lead lives abroad, called from a free line of the provider's and these.
fn abroad(lines: &[&str], down: Option<&str>) -> (Simulation<Memory>, Option<StopReason>) {
    let plan = Plan { lines: lines.iter().map(|line| (*line).to_owned()).collect(), ..plan() };
    let mix = vec![Ending::new(1, "customer-ended-call", Shape::Talk)];
    let mut stage =
        Simulation::new(FakeProvider::new(ProviderConfig { mix, ..ProviderConfig::default() }, 4, START), 0);
    let list = stage::leads(30).map(|row| {
        let digits = if row.line % 3 == 0 { 442_079_460_000 + row.line } else { row.lead.phone.digits() };
        Listed { lead: Lead { phone: Phone::from_digits(digits).unwrap(), ..row.lead.clone() }, ..row }
    });
    let journal = stage::journal_of(&plan, list, stage.now());
    stage::start(&mut stage, &plan, journal);
    let now = stage.now();
    let run = stage.runs[0].as_mut().unwrap();
    run.campaign.handle(now, Event::Account(AccountFact::FreeLine("vapi-free".to_owned())));
    if let Some(line) = down {
        run.campaign.handle(now, Event::LineDown(line.to_owned(), "404".to_owned()));
    }
    stage.play(START + DAY, None).unwrap();
    let why = why(&stage, 0);
    (stage, why)
}

fn invalid(stage: &mut Simulation<Memory>) -> u64 {
    let now = stage.now();
    let totals = stage.runs[0].as_mut().unwrap().journal.totals(now).unwrap();
    totals.dispositions.get(&Class::Invalid).copied().unwrap_or(0)
}

#[test]
fn nobody_abroad_is_called_from_a_free_line_where_another_can() {
    let (mut stage, why) = abroad(&["vapi-free", "line"], None);
    assert_eq!((why, settled(&mut stage, 0), invalid(&mut stage)), (Some(StopReason::Complete), (30, 30), 0));
    let from_free = stage.world.calls().iter().filter(|call| call.request.line.as_deref() == Some("vapi-free")).count();
    assert!((8..=10).contains(&from_free), "{from_free}: the others are called in turn, as far as its day goes");
}

#[test]
fn who_lives_abroad_is_left_as_he_is_when_only_free_lines_are_left() {
    let (mut stage, why) = abroad(&["vapi-free", "line", "third"], Some("line"));
    assert_eq!((why, settled(&mut stage, 0), invalid(&mut stage)), (Some(StopReason::Complete), (30, 30), 0));
    let (mut stage, why) = abroad(&["vapi-free", "line"], Some("line"));
    assert!(matches!(why, Some(StopReason::Lines(_))), "{why:?}");
    assert_eq!(invalid(&mut stage), 0);
    assert!((8..=20).contains(&settled(&mut stage, 0).0));
    let (mut stage, why) = abroad(&["vapi-free"], None);
    assert!(matches!(why, Some(StopReason::Lines(_))), "{why:?}");
    assert!(invalid(&mut stage) > 0, "there is no other line: it was tried");
}
