//! How campaigns stand, for `dialer status`.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::style::{Glyphs, count, dollars, moment, moment_there, rehearsed, thousands};
use super::summary::dispositions;
use crate::journal::Totals;
use crate::journal::disk::story::Campaign;
use crate::text::plain;

/// The campaigns, each in a few lines.
pub fn text(campaigns: &[Campaign], dir: &str, now: Timestamp, zone: &TimeZone, glyphs: Glyphs) -> String {
    if campaigns.is_empty() {
        return format!("no campaign has been run in {dir} yet; another place is named with --state DIR\n");
    }
    let mut text = String::new();
    for campaign in campaigns {
        one(&mut text, campaign, now, zone, glyphs);
    }
    let _ = writeln!(text, "state directory: {dir}");
    text
}

fn one(text: &mut String, campaign: &Campaign, now: Timestamp, zone: &TimeZone, glyphs: Glyphs) {
    let doing = match (campaign.running, campaign.paused) {
        (Some((pid, since)), false) => format!("running since {} by process {pid}", moment(since, now, zone)),
        (Some((pid, _)), true) => format!("paused; process {pid} waits for dialer resume {}", campaign.name),
        (None, true) => format!("paused: dialer resume {}", campaign.name),
        (None, false) => format!("not running; first started {}", moment(campaign.created, now, zone)),
    };
    let totals = &campaign.totals;
    let _ = writeln!(text, "{}{}: {doing}", campaign.name, rehearsed(campaign.account.is_rehearsal()));
    let mut parts = vec![format!("{} settled", thousands(totals.settled))];
    if totals.open > 0 {
        parts.push(format!("{} open", thousands(totals.open)));
        if campaign.up > 0 {
            let up = count(campaign.up, "of them has a call that is up", "of them have calls that are up");
            parts.push(if campaign.running.is_some() { up } else { format!("{up} (the next run picks them up)") });
        }
    }
    if totals.in_doubt > 0 {
        parts.push(format!("{} in doubt", thousands(totals.in_doubt)));
    }
    if totals.parked > 0 {
        parts.push(format!("{} of those put aside: dialer release {}", thousands(totals.parked), campaign.name));
    }
    if totals.removed > 0 {
        parts.push(format!("{} more gone from the list", thousands(totals.removed)));
    }
    let leads = count(totals.total, "lead", "leads");
    let _ = writeln!(text, "  {leads}: {}; {} so far", parts.join(", "), dollars(totals.cost_usd));
    if let Some(seen) = dispositions(totals, glyphs) {
        let _ = writeln!(text, "{seen}");
    }
    if let Some((due, zones)) = campaign.due.as_ref().filter(|(due, _)| *due > now) {
        let at = moment_there(*due, now, zone, zones);
        let _ = writeln!(text, "  nobody is due before {at}: retries and leads that were put off");
    }
    if !campaign.lists.is_empty() {
        let _ = writeln!(text, "  {}", plain(&campaign.lists.join(", ")));
    }
}

/// The same for programs: an array. `host` is this machine's name.
pub fn json(campaigns: &[Campaign], host: &str) -> String {
    let all: Vec<Value> = campaigns.iter().map(|campaign| object(campaign, host)).collect();
    format!("{}\n", Value::Array(all))
}

/// One campaign, as far as the journal knows.
pub fn object(campaign: &Campaign, host: &str) -> Value {
    let running = campaign.running.map(|(pid, since)| json!({ "pid": pid, "host": host, "since": since.to_string() }));
    let mut object = common(&campaign.name, &campaign.totals, campaign.totals.cost_usd);
    let more = json!({
        "account": campaign.account.name,
        "lists": campaign.lists,
        "created": campaign.created.to_string(),
        "paused": campaign.paused,
        "running": running,
        "calls_up": campaign.up,
        "next_at": campaign.due.as_ref().map(|(due, _)| due.to_string()),
    });
    add(&mut object, more);
    object
}

/// What is known of a campaign everywhere; what only a live run knows is null.
pub(super) fn common(campaign: &str, totals: &Totals, cost_usd: f64) -> Value {
    json!({
        "campaign": campaign,
        "leads": {
            "total": totals.total,
            "settled": totals.settled,
            "open": totals.open,
            "in_doubt": totals.in_doubt,
            "parked": totals.parked,
            "suppressed": totals.suppressed,
            "removed": totals.removed,
        },
        "dispositions": totals.dispositions,
        "cost_usd": (cost_usd * 10_000.0).round() / 10_000.0,
        "batch": null,
        "pool": null,
        "calls_per_minute": null,
        "done_at": null,
        "next_at": null,
    })
}

/// Puts the keys of one object into another.
pub(super) fn add(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::disposition::Class;
    use crate::journal::disk::accounts::{Account, REHEARSAL};

    fn campaign() -> Campaign {
        Campaign {
            account: Account { id: 1, name: "org-1".into() },
            name: "leads".into(),
            lists: vec!["/home/ada/leads.csv".into()],
            created: "2026-11-20T09:00:00Z".parse().unwrap(),
            paused: false,
            running: Some((4711, "2026-11-23T09:00:02Z".parse().unwrap())),
            totals: Totals {
                total: 1204,
                settled: 1166,
                open: 35,
                in_doubt: 3,
                parked: 1,
                removed: 2,
                dispositions: [(Class::Answered, 1100), (Class::NoAnswer, 66)].into(),
                cost_usd: 61.2,
                ..Totals::default()
            },
            up: 2,
            due: None,
        }
    }

    #[test]
    fn a_campaign_is_told_in_a_few_lines() {
        let now = "2026-11-23T14:05:00Z".parse().unwrap();
        let paused =
            Campaign { paused: true, running: None, totals: Totals::default(), lists: vec![], up: 0, ..campaign() };
        insta::assert_snapshot!(text(&[campaign(), paused], "~/s", now, &TimeZone::UTC, Glyphs::UNICODE), @r"
        leads: running since 09:00 by process 4711
          1,204 leads: 1,166 settled, 35 open, 2 of them have calls that are up, 3 in doubt, 1 of those put aside: dialer release leads, 2 more gone from the list; $61.20 so far
          answered 1,100 · no answer 66
          /home/ada/leads.csv
        leads: paused: dialer resume leads
          0 leads: 0 settled; $0.00 so far
        state directory: ~/s
        ");
        let due = Some(("2026-11-23T17:00:00Z".parse().unwrap(), vec!["America/New_York".to_owned()]));
        let waits = text(&[Campaign { due, ..campaign() }], "~/s", now, &TimeZone::UTC, Glyphs::ASCII);
        assert!(waits.contains("nobody is due before 17:00 (12:00 in New York): retries"), "{waits}");
        let left = Campaign { running: None, up: 1, ..campaign() };
        let left = text(&[left], "~/s", now, &TimeZone::UTC, Glyphs::ASCII);
        assert!(left.contains("1 of them has a call that is up (the next run picks them up)"), "{left}");
        let plain = text(&[campaign()], "~/s", now, &TimeZone::UTC, Glyphs::ASCII);
        assert!(plain.contains("answered 1,100 - no answer 66") && plain.is_ascii(), "{plain}");
        let stand_in = Account { id: 2, name: REHEARSAL.to_owned() };
        let rehearsed =
            text(&[Campaign { account: stand_in, ..campaign() }], "~/s", now, &TimeZone::UTC, Glyphs::ASCII);
        assert!(rehearsed.starts_with("leads (rehearsal: nobody was called): running since"), "{rehearsed}");
        assert_eq!(
            text(&[], "~/s", now, &TimeZone::UTC, Glyphs::ASCII),
            "no campaign has been run in ~/s yet; another place is named with --state DIR\n"
        );
    }

    #[test]
    fn programs_get_an_array() {
        insta::assert_snapshot!(json(&[campaign()], "host"), @r#"[{"account":"org-1","batch":null,"calls_per_minute":null,"calls_up":2,"campaign":"leads","cost_usd":61.2,"created":"2026-11-20T09:00:00Z","dispositions":{"answered":1100,"no-answer":66},"done_at":null,"leads":{"in_doubt":3,"open":35,"parked":1,"removed":2,"settled":1166,"suppressed":0,"total":1204},"lists":["/home/ada/leads.csv"],"next_at":null,"paused":false,"pool":null,"running":{"host":"host","pid":4711,"since":"2026-11-23T09:00:02Z"}}]"#);
        assert_eq!(json(&[], "host"), "[]\n");
    }
}
