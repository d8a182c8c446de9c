//! What one number went through, for `dialer explain`: when and why a person was called, or was not.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::style::{dollars, moment_there, rehearsed};
use super::summary::class_words;
use crate::campaign::attempt::{Cause, State};
use crate::campaign::hours;
use crate::journal::disk::story::{Story, StoryRow};
use crate::journal::facts::{Attempt, Origin};
use crate::journal::lead_status::LeadState;
use crate::leads::lead::Phone;

/// The whole story, campaign by campaign.
pub fn text(phone: Phone, stories: &[Story], suppressed: Option<&str>, now: Timestamp, zone: &TimeZone) -> String {
    let mut text = format!("{phone}\n");
    if let Some(reason) = suppressed {
        let _ = writeln!(text, "  on the do-not-call list here ({reason}): no campaign calls it");
    }
    if stories.is_empty() {
        text.push_str("  not found in any campaign\n");
    }
    for story in stories {
        let name = story.campaign.as_deref().unwrap_or("of another journal, known by its calls alone");
        let _ = writeln!(text, "  campaign {name}{}", rehearsed(story.rehearsal));
        for row in &story.rows {
            let open = matches!(row.standing, LeadState::Open);
            let words = match open {
                true if suppressed.is_some() => "not to be called".to_owned(),
                true => format!("{}{}", standing(row, zone), waits(story, row, now, zone)),
                false => standing(row, zone),
            };
            let _ = writeln!(text, "    {}: {words}", place(row));
        }
        for attempt in &story.attempts {
            let _ = writeln!(text, "    {}: {}", at(attempt.began, zone), life(attempt));
        }
        if story.attempts.is_empty() {
            text.push_str("    never called\n");
        }
    }
    text
}

fn at(wall: Timestamp, zone: &TimeZone) -> String {
    wall.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn place(row: &StoryRow) -> String {
    let (list, line) = row.place;
    let which = if list == 0 { String::new() } else { format!(" of list {}", list + 1) };
    let extension = row.extension.as_ref().map_or(String::new(), |extension| format!(", extension {extension}"));
    format!("line {line}{which}{extension}")
}

/// What an open lead waits for.
fn waits(story: &Story, row: &StoryRow, now: Timestamp, zone: &TimeZone) -> String {
    let was_called = story.attempts.iter().any(|attempt| matches!(attempt.state(), State::Ended(_)));
    let due = row.due.filter(|due| *due > now).map(|due| {
        let why = if was_called {
            "a retry is due then"
        } else {
            "put off, as another campaign called the number or its line could not call"
        };
        format!(", not before {}: {why}", moment_there(due, now, zone, &row.zones))
    });
    let there = row.zones.first().and_then(|name| Some((name, TimeZone::get(name).ok()?)));
    let in_hours = || {
        there.map(|(name, there)| {
            let time = now.to_zoned(there);
            format!(", within the calling hours of {}, where it is {}", hours::place(name), time.strftime("%a %H:%M"))
        })
    };
    let mut words = due.or_else(in_hours).unwrap_or_default();
    if story.paused {
        let name = story.campaign.as_deref().unwrap_or_default();
        let _ = write!(words, "; the campaign is paused: dialer resume {name}");
    }
    words
}

fn standing(row: &StoryRow, zone: &TimeZone) -> String {
    let words = match row.standing {
        LeadState::Open => "to be called".to_owned(),
        LeadState::Busy => "a call is on its way or up".to_owned(),
        LeadState::InDoubt => "in doubt: nobody knows whether its call was made".to_owned(),
        LeadState::Parked => "put aside for a person: dialer release gives it back".to_owned(),
        LeadState::Settled(class) => {
            let since = row.settled.map_or(String::new(), |settled| format!(" since {}", at(settled, zone)));
            format!("settled{since}: {}", class_words(class))
        }
    };
    if row.listed { words } else { format!("gone from the list; {words}") }
}

/// One attempt, in words.
fn life(attempt: &Attempt) -> String {
    let mut words = match attempt.state() {
        State::Claimed => "about to be called".to_owned(),
        State::Refused(cause) => format!("not called: {}", refused(cause)),
        State::InDoubt => "in doubt: nobody knows whether a call was made".to_owned(),
        State::Parked => "put aside: nobody knows whether a call was made".to_owned(),
        State::Placed { blocked: true } => "a call was made while the pool was full; it has not rung yet".to_owned(),
        State::Placed { blocked: false } => "called; the call is up".to_owned(),
        State::Ended(class) => format!("called: {}", class_words(class)),
    };
    if let Some(end) = &attempt.facts.ended
        && !end.reason.is_empty()
    {
        let _ = write!(words, " ({})", end.reason);
    }
    match attempt.origin {
        Origin::Claimed => {}
        Origin::Found => words.push_str(", by a run that this journal does not know"),
        Origin::Adopted => words.push_str(", by a run that this journal did not know; adopted"),
    }
    if attempt.facts.released {
        words.push_str(", released by hand");
    }
    words.extend(attempt.line.as_ref().map(|line| format!(", from line {line}")));
    words.extend(attempt.call.as_ref().map(|call| format!(", call {call}")));
    words.extend(attempt.twin.as_ref().map(|call| format!(", and a second call {call}")));
    words.extend(attempt.cost.map(|cost| format!(", {}", dollars(cost))));
    words.extend(attempt.message.as_ref().map(|message| format!("; {message}")));
    words
}

fn refused(cause: Cause) -> &'static str {
    match cause {
        Cause::Pool => "the pool was full",
        Cause::Rate => "too many requests",
        Cause::Connect => "no connection",
        Cause::Absent => "in doubt, and no call was found",
        Cause::Account => "the account refused",
        Cause::Line => "its phone number may not call now",
        Cause::Lead => "the provider does not take the number",
        Cause::Config => "the request was refused",
        Cause::Withdrawn => "taken back before it was sent",
    }
}

/// The same for programs.
pub fn json(phone: Phone, stories: &[Story], suppressed: Option<&str>) -> String {
    let stories: Vec<Value> = stories.iter().map(story).collect();
    format!("{}\n", json!({ "phone": phone.to_string(), "suppressed": suppressed, "campaigns": stories }))
}

fn story(story: &Story) -> Value {
    let rows: Vec<Value> = story.rows.iter().map(row).collect();
    let attempts: Vec<Value> = story.attempts.iter().map(attempt).collect();
    json!({ "campaign": story.campaign, "rehearsal": story.rehearsal, "paused": story.paused, "rows": rows, "attempts": attempts })
}

fn row(row: &StoryRow) -> Value {
    let (standing, class) = match row.standing {
        LeadState::Open => ("open", None),
        LeadState::Busy => ("busy", None),
        LeadState::InDoubt => ("in-doubt", None),
        LeadState::Parked => ("parked", None),
        LeadState::Settled(class) => ("settled", Some(class)),
    };
    json!({
        "list": row.place.0,
        "line": row.place.1,
        "extension": row.extension,
        "listed": row.listed,
        "standing": standing,
        "class": class,
        "due": row.due.map(|due| due.to_string()),
        "time_zones": row.zones,
        "settled": row.settled.map(|settled| settled.to_string()),
    })
}

fn attempt(attempt: &Attempt) -> Value {
    let (state, class, cause) = match attempt.state() {
        State::Claimed => ("claimed", None, None),
        State::Refused(cause) => ("refused", None, Some(cause)),
        State::InDoubt => ("in-doubt", None, None),
        State::Parked => ("parked", None, None),
        State::Placed { .. } => ("placed", None, None),
        State::Ended(class) => ("ended", Some(class), None),
    };
    json!({
        "attempt": attempt.id,
        "began": attempt.began.to_string(),
        "state": state,
        "class": class,
        "cause": cause,
        "reason": attempt.facts.ended.as_ref().map(|end| &end.reason),
        "call": attempt.call,
        "line": attempt.line,
        "cost_usd": attempt.cost,
        "message": attempt.message,
    })
}
