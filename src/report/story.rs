//! What one number went through, for `dialer explain`: when and why a person was called, or was not. Every fact is a
//! sentence with its time and the zone of that.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::style::{dollars, rehearsed};
use super::summary::class_words;
use crate::campaign::attempt::{Cause, State};
use crate::campaign::disposition::Class;
use crate::campaign::hours::place;
use crate::journal::disk::story::{Campaign, Story, StoryRow};
use crate::journal::facts::{Attempt, Origin};
use crate::journal::lead_status::LeadState;
use crate::leads::lead::Phone;
use crate::leads::shown::{plain, typed};

/// Of a number that may lie in many zones so many are enough.
const PLACES: usize = 3;

/// What is known of one person.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The number.
    pub phone: Phone,
    /// What it went through, campaign by campaign.
    pub stories: &'a [Story],
    /// Why it is on the do-not-call list here, and since when, where it is.
    pub suppressed: Option<&'a (String, Timestamp)>,
    /// The campaigns of the journal.
    pub campaigns: &'a [Campaign],
}

/// Who looks: when, and in which zone.
#[derive(Clone, Copy, Debug)]
pub struct Looking<'a> {
    /// Now.
    pub now: Timestamp,
    /// The machine's zone.
    pub zone: &'a TimeZone,
}

/// The whole story, campaign by campaign.
pub fn text(known: Known<'_>, looking: Looking<'_>) -> String {
    let mut lines = vec![known.phone.to_string()];
    if let Some((reason, since)) = known.suppressed {
        let since = looking.at(*since);
        lines.push(format!(
            "  This number is on the do-not-call list here since {since} ({reason}): no campaign calls it."
        ));
    }
    if known.stories.is_empty() {
        lines.push("  This number was not found in any campaign.".to_owned());
    }
    for story in known.stories {
        lines.extend(told(story, known, looking).into_iter().map(|line| format!("  {line}")));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// What it went through in one campaign.
fn told(story: &Story, known: Known<'_>, looking: Looking<'_>) -> Vec<String> {
    let name = story.campaign.as_deref();
    let mut lines = vec![match name {
        Some(name) => format!("Campaign {name}{}:", rehearsed(story.rehearsal)),
        None => "A campaign of another journal, known by its calls alone:".to_owned(),
    }];
    let of_story = |campaign: &&Campaign| {
        Some(campaign.name.as_str()) == name && campaign.account.is_rehearsal() == story.rehearsal
    };
    let campaign = known.campaigns.iter().find(of_story);
    for row in &story.rows {
        let mut sentences = vec![placed(row)];
        sentences.extend(standing(row, name, known.suppressed.is_some(), looking));
        if row.listed && row.standing == LeadState::Open && known.suppressed.is_none() {
            sentences.extend(waits(story, row, campaign, looking));
        }
        lines.push(format!("  {}", sentences.join(" ")));
    }
    lines.extend(story.attempts.iter().map(|attempt| format!("  {}", life(attempt, looking))));
    if story.attempts.is_empty() {
        lines.push("  It was never called.".to_owned());
    }
    lines
}

fn placed(row: &StoryRow) -> String {
    let (list, line) = row.place;
    let which = if list == 0 { String::new() } else { format!(" of list {}", list + 1) };
    let extension = row.extension.as_ref().map_or(String::new(), |extension| format!(", with extension {extension}"));
    let verb = if row.listed { "It stands" } else { "It is gone from the list; it stood" };
    format!("{verb} on line {line}{which}{extension}.")
}

/// How it stands; nothing where it is gone from the list, and that says it all.
fn standing(row: &StoryRow, campaign: Option<&str>, suppressed: bool, looking: Looking<'_>) -> Option<String> {
    Some(match row.standing {
        LeadState::Open if !row.listed => return None,
        LeadState::Open if suppressed => "The next run settles it without a call.".to_owned(),
        LeadState::Open => "It is to be called.".to_owned(),
        LeadState::Busy => "Its call is on its way or up.".to_owned(),
        LeadState::InDoubt => {
            "It is in doubt: nobody knows whether its call was made, and a run is to find out.".to_owned()
        }
        LeadState::Parked => {
            let name = typed(campaign.unwrap_or("CAMPAIGN"));
            format!("It is put aside for a person: dialer release {name} gives it back.")
        }
        LeadState::Settled(Class::Suppressed) => settled(row, "a do-not-call list has it", looking),
        LeadState::Settled(class) => settled(row, class_words(class), looking),
    })
}

fn settled(row: &StoryRow, why: &str, looking: Looking<'_>) -> String {
    let at = row.settled.map_or(String::new(), |settled| format!(" on {}", looking.at(settled)));
    format!("It was settled{at}: {why}.")
}

/// Why a lead that is to be called is not called now.
fn waits(story: &Story, row: &StoryRow, campaign: Option<&Campaign>, looking: Looking<'_>) -> Vec<String> {
    let mut why = Vec::new();
    let from = row.due.map_or(looking.now, |due| due.max(looking.now));
    let terms = campaign.and_then(Campaign::terms);
    let opening = terms.as_ref().and_then(|terms| terms.calling.opening(&row.zones, from));
    let any_hours = terms.as_ref().is_some_and(|terms| !terms.calling.needs_zone());
    let opening = opening.filter(|opening| opening.at > from);
    if let Some(due) = row.due.filter(|due| *due > looking.now) {
        let was_called = story.attempts.iter().any(|attempt| matches!(attempt.state(), State::Ended(_)));
        let reason = if was_called {
            "a retry is due then"
        } else {
            "it was put off, as another campaign called the number or its line could not call"
        };
        why.push(format!("It waits until {}: {reason}.", looking.at_there(due, &row.zones)));
    } else if let Some(zone) = row.zones.first().filter(|_| opening.is_none() && !any_hours) {
        let there =
            looking.now.in_tz(zone).map_or(String::new(), |there| there.strftime(" (now %a %H:%M)").to_string());
        let hours = terms.and_then(|terms| terms.calling.hours()).map_or(String::new(), |hours| format!(", {hours},"));
        why.push(format!("It is called within the calling hours{hours} of {}{there}.", place(zone)));
    }
    why.extend(opening.map(|opening| {
        let of = opening.zone.as_deref().map_or(String::new(), |zone| format!(" of {}", place(zone)));
        format!("Its calling hours{of} open at {}.", looking.at_there(opening.at, &row.zones))
    }));
    let Some(campaign) = campaign else { return why };
    let name = typed(&campaign.name);
    if campaign.paused {
        why.push(format!("The campaign is paused: dialer resume {name} lets it go on."));
    }
    if campaign.running.is_none() {
        why.push("No run of the campaign is alive: it is called when the campaign is run again.".to_owned());
    } else if let Some(held_up) = campaign.live_status().and_then(|live| live.held_up).filter(|_| !campaign.paused) {
        why.push(format!("The campaign's run says: {}.", plain(&held_up)));
    } else if row.due.is_none_or(|due| due <= looking.now) && !campaign.paused {
        why.push("The campaign's run is alive, and calls it in its turn, when the pool has room.".to_owned());
    }
    why
}

/// One attempt, fact by fact.
fn life(attempt: &Attempt, looking: Looking<'_>) -> String {
    let mut sentences = vec![began(attempt, looking)];
    let facts = &attempt.facts;
    let theirs = |at| looking.at(attempt.on_our_wall(at));
    sentences.extend(facts.started.map(|at| format!("The phone was answered at {}.", theirs(at))));
    if let Some(end) = &facts.ended {
        let reason = if end.reason.is_empty() { String::new() } else { format!(" with {}", end.reason) };
        let meaning = match attempt.state() {
            State::Ended(class) => format!(": {}", class_words(class)),
            State::Refused(cause) => format!(": it does not count, as {}", refused(cause)),
            _ => String::new(),
        };
        sentences.push(format!("The call ended at {}{reason}{meaning}.", theirs(end.at)));
    } else if facts.given_up {
        sentences.push("It was followed for longer than a call can last, and given up; its end is unknown.".to_owned());
    }
    sentences.extend(facts.absent.map(|at| {
        format!("On {} the provider's list of calls proved that no call was made.", looking.at(at.timestamp()))
    }));
    sentences.extend(facts.parked.map(|at| format!("It was put aside on {}.", looking.at(at.timestamp()))));
    if facts.released {
        sentences.push("A person released it.".to_owned());
    }
    sentences.extend(attempt.cost.map(|cost| format!("It cost {}.", dollars(cost))));
    sentences.extend(attempt.call.as_ref().map(|call| format!("Its call is {call}.")));
    sentences.extend(attempt.twin.as_ref().map(|call| format!("There was a second call, {call}.")));
    if attempt.opt_out {
        sentences.push("The person asked not to be called again.".to_owned());
    }
    sentences.join(" ")
}

/// How it began, and what the answer was.
fn began(attempt: &Attempt, looking: Looking<'_>) -> String {
    let from = attempt.line.as_ref().map_or(String::new(), |line| format!(" from line {line}"));
    let by = match attempt.origin {
        Origin::Claimed => "",
        Origin::Found => " by a run that this journal does not know",
        Origin::Adopted => " by a run that this journal did not know, which was adopted",
    };
    let facts = &attempt.facts;
    let what = if facts.blocked && !facts.rung {
        format!("it was called{from}{by}, but the pool was full, and the call has not reached the phone")
    } else if matches!(attempt.state(), State::Placed { .. }) {
        format!("it was called{from}{by}, and the call is up")
    } else if facts.created {
        format!("it was called{from}{by}")
    } else if let Some(cause) = facts.refused {
        format!("it was not called{from}: {}", refused(cause))
    } else if facts.failed.is_some() || facts.parked.is_some() {
        let knows = if facts.absent.is_some() { "knew" } else { "knows" };
        format!("a call{from} was asked for, and nobody {knows} whether it was made")
    } else {
        format!("a call{from} is asked for")
    };
    let words = attempt.message.as_ref().map_or(String::new(), |message| format!(" ({message})"));
    format!("On {} {what}{words}.", looking.at(attempt.began))
}

fn refused(cause: Cause) -> &'static str {
    match cause {
        Cause::Pool => "the pool was full",
        Cause::Rate => "there were too many requests",
        Cause::Connect => "there was no connection",
        Cause::Absent => "no call was found",
        Cause::Account => "the account refused",
        Cause::Line => "its phone number may not call now",
        Cause::Lead => "the provider does not take the number",
        Cause::Config => "the provider refused the request",
        Cause::Withdrawn => "it was taken back before it was sent",
    }
}

impl Looking<'_> {
    /// A time with its zone.
    fn at(self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    /// The same, and what time that is where the lead may be, where that is another.
    fn at_there(self, at: Timestamp, zones: &[String]) -> String {
        let ours = at.to_zoned(self.zone.clone());
        let there = zones.iter().filter_map(|zone| {
            let theirs = at.in_tz(zone).ok()?;
            let format = if theirs.date() == ours.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
            let differs = theirs.datetime() != ours.datetime();
            differs.then(|| format!("{} in {}", theirs.strftime(format), place(zone)))
        });
        let there: Vec<_> = there.take(PLACES).collect();
        let there = if there.is_empty() { String::new() } else { format!(" ({})", there.join(", ")) };
        format!("{}{there}", self.at(at))
    }
}

/// The same for programs.
pub fn json(phone: Phone, stories: &[Story], suppressed: Option<&(String, Timestamp)>) -> String {
    let stories: Vec<Value> = stories.iter().map(story).collect();
    let (reason, since) = suppressed.map(|(reason, since)| (reason, since.to_string())).unzip();
    let object = json!({
        "phone": phone.to_string(),
        "suppressed": reason,
        "suppressed_at": since,
        "campaigns": stories,
    });
    format!("{object}\n")
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

#[cfg(test)]
#[path = "story_tests.rs"]
mod tests;
