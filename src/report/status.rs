//! How campaigns stand, for `dialer status`.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::style::{Glyphs, count, dollars, moment, rehearsed, thousands};
use super::summary::dispositions;
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
    if !campaign.lists.is_empty() {
        let _ = writeln!(text, "  {}", plain(&campaign.lists.join(", ")));
    }
}

/// The same for programs: an array.
pub fn json(campaigns: &[Campaign]) -> String {
    let all: Vec<Value> = campaigns.iter().map(object).collect();
    format!("{}\n", Value::Array(all))
}

fn object(campaign: &Campaign) -> Value {
    let totals = &campaign.totals;
    json!({
        "campaign": campaign.name,
        "account": campaign.account.name,
        "lists": campaign.lists,
        "created": campaign.created.to_string(),
        "paused": campaign.paused,
        "running": campaign.running.map(|(pid, since)| json!({ "pid": pid, "since": since.to_string() })),
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
        "calls_up": campaign.up,
        "cost_usd": totals.cost_usd,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::disposition::Class;
    use crate::journal::Totals;
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
        insta::assert_snapshot!(json(&[campaign()]), @r#"[{"account":"org-1","calls_up":2,"campaign":"leads","cost_usd":61.2,"created":"2026-11-20T09:00:00Z","dispositions":{"answered":1100,"no-answer":66},"leads":{"in_doubt":3,"open":35,"parked":1,"removed":2,"settled":1166,"suppressed":0,"total":1204},"lists":["/home/ada/leads.csv"],"paused":false,"running":{"pid":4711,"since":"2026-11-23T09:00:02Z"}}]"#);
        assert_eq!(json(&[]), "[]\n");
    }
}
