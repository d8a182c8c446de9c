//! Whole stories, as a person reads them.

use super::*;
use std::time::Duration;

use crate::campaign::attempt::{CallEnd, Facts};
use crate::campaign::hours::Calling;
use crate::campaign::plan::Reserve;
use crate::journal::Totals;
use crate::journal::disk::accounts::Account;
use crate::journal::disk::live::Published;
use crate::journal::disk::story::Running;
use crate::journal::disk::story::Terms;
use crate::pool::attempt_id::{AttemptId, Mark};
use crate::pool::calls::CallId;
use crate::time::{Instant, Now, Stamp};

fn at(text: &str) -> Timestamp {
    format!("2026-11-23T{text}Z").parse().unwrap()
}

fn attempt(began: &str, facts: Facts) -> Attempt {
    let began = at(began);
    let (id, claimed) = (AttemptId::mint(&Mark::of("leads"), 1), Now { at: Instant::from(began), wall: began });
    let known = Attempt::new(id, Origin::Claimed, 1, claimed, Stamp::from(began));
    Attempt { run: Some(1), line: Some("line-1".into()), facts, ..known }
}

fn row(standing: LeadState) -> StoryRow {
    let zones = vec!["America/Chicago".to_owned()];
    StoryRow { place: (0, 2), extension: None, zones, listed: true, standing, due: None, settled: None }
}

fn story(row: StoryRow, attempts: Vec<Attempt>) -> Story {
    Story { campaign: Some("leads".to_owned()), rehearsal: false, paused: false, rows: vec![row], attempts }
}

fn campaign(running: bool, status: &str) -> Campaign {
    Campaign {
        account: Account { id: 1, name: "org-1".into() },
        name: "leads".into(),
        lists: Vec::new(),
        terms: None,
        created: at("09:00:00"),
        paused: false,
        running: running.then(|| Running { pid: 4711, host: None, since: at("09:00:00") }),
        published: Some(Published { at: at("14:00:00"), status: status.to_owned() }),
        totals: Totals::default(),
        up: 0,
        due: None,
    }
}

fn told_of(stories: &[Story], campaigns: &[Campaign]) -> String {
    told_where(stories, None, campaigns)
}

fn told_where(stories: &[Story], suppressed: Option<&(String, Timestamp)>, campaigns: &[Campaign]) -> String {
    let phone = Phone::from_e164("+14155550100").unwrap();
    let zone = TimeZone::get("America/New_York").unwrap();
    text(Known { phone, stories, suppressed, campaigns }, Looking { now: at("15:00:00"), zone: &zone })
}

#[test]
fn a_story_is_told_in_sentences_each_with_its_time_and_zone() {
    let answered = Facts {
        created: true,
        rung: true,
        spoke: true,
        started: Some(Stamp::from(at("14:01:45"))),
        ended: Some(CallEnd { at: Stamp::from(at("14:02:10")), reason: "assistant-ended-call".to_owned() }),
        ..Facts::default()
    };
    let answered = Attempt { cost: Some(0.12), call: Some(CallId::new("call-1")), ..attempt("14:01:30", answered) };
    let refused = Facts { refused: Some(Cause::Pool), ..Facts::default() };
    let refused = Attempt { message: Some("Over Concurrency Limit".into()), ..attempt("14:01:00", refused) };
    let lost = Facts {
        failed: Some(Instant::from(at("13:00:30"))),
        absent: Some(Instant::from(at("13:10:00"))),
        ..Facts::default()
    };
    let settled = StoryRow { settled: Some(at("14:02:11")), ..row(LeadState::Settled(Class::Answered)) };
    let stories = [story(settled, vec![attempt("13:00:00", lost), refused, answered])];
    insta::assert_snapshot!(told_of(&stories, &[]), @r"
    +14155550100
      Campaign leads:
        It stands on line 2. It was settled on 2026-11-23 09:02:11 EST: answered.
        On 2026-11-23 08:00:00 EST a call from line line-1 was asked for, and nobody knew whether it was made. On 2026-11-23 08:10:00 EST the provider's list of calls proved that no call was made.
        On 2026-11-23 09:01:00 EST it was not called from line line-1: the pool was full (Over Concurrency Limit).
        On 2026-11-23 09:01:30 EST it was called from line line-1. The phone was answered at 2026-11-23 09:01:45 EST. The call ended at 2026-11-23 09:02:10 EST with assistant-ended-call: answered. It cost $0.12. Its call is call-1.
    ");
}

#[test]
fn why_a_lead_waits_is_told_beside_it_with_the_time_where_it_is() {
    let due = StoryRow { due: Some(at("22:00:00")), ..row(LeadState::Open) };
    let waits = [story(due, Vec::new())];
    insta::assert_snapshot!(told_of(&waits, &[campaign(false, "{}")]), @r"
    +14155550100
      Campaign leads:
        It stands on line 2. It is to be called. It waits until 2026-11-23 17:00:00 EST (16:00 in Chicago): it was put off, as another campaign called the number or its line could not call. No run of the campaign is alive: it is called when the campaign is run again.
        It was never called.
    ");
    let calling = Calling::parse("08:00-12:00", None, None, Duration::ZERO).unwrap();
    let terms = Terms { calling, reserve: Reserve::always(3) };
    let known = Campaign { terms: serde_json::to_string(&terms).ok(), ..campaign(false, "{}") };
    let told = told_of(&waits, std::slice::from_ref(&known));
    let opens = "Its calling hours of Chicago open at 2026-11-24 09:00:00 EST (08:00 in Chicago).";
    assert!(told.contains(&format!("could not call. {opens} No run")), "{told}");
    let open = [story(row(LeadState::Open), Vec::new())];
    let told = told_of(&open, std::slice::from_ref(&known));
    assert!(told.contains("It is called within the calling hours, 08:00-12:00, of Chicago (now Mon 09:00)."), "{told}");
    let terms = Terms { calling: Calling::any(), reserve: Reserve::always(3) };
    let told = told_of(&open, &[Campaign { terms: serde_json::to_string(&terms).ok(), ..known }]);
    assert!(!told.contains("calling hours"), "{told}");
    let told = told_of(&open, &[campaign(true, r#"{"held_up":"3 leads wait for their hours or a retry"}"#)]);
    assert!(told.contains("The campaign's run says: 3 leads wait for their hours or a retry.\n"), "{told}");
    let told = told_of(&open, &[campaign(true, "{}")]);
    assert!(told.contains("(now Mon 09:00). The campaign's run is alive, and calls it in its turn"), "{told}");
    let told = told_of(&open, &[Campaign { paused: true, ..campaign(true, r#"{"held_up":"paused"}"#) }]);
    assert!(told.contains("The campaign is paused: dialer resume leads lets it go on.\n"), "{told}");
    assert!(!told.contains("run says"), "{told}");
}

#[test]
fn who_is_suppressed_or_gone_from_the_list_is_not_said_to_be_called() {
    let asked = ("by hand".to_owned(), at("14:30:00"));
    let open = [story(row(LeadState::Open), Vec::new())];
    insta::assert_snapshot!(told_where(&open, Some(&asked), &[]), @r"
    +14155550100
      This number is on the do-not-call list here since 2026-11-23 09:30:00 EST (by hand): no campaign calls it.
      Campaign leads:
        It stands on line 2. The next run settles it without a call.
        It was never called.
    ");
    let gone = [story(StoryRow { listed: false, ..row(LeadState::Open) }, Vec::new())];
    let told = told_of(&gone, &[]);
    assert!(told.contains("It is gone from the list; it stood on line 2.\n"), "{told}");
}
