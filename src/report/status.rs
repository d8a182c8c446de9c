//! How campaigns stand, for `dialer status`.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::live_status::LiveStatus;
use super::style::{Glyphs, count, dollars, moment, moment_there, rehearsed, thousands};
use super::summary::dispositions;
use crate::campaign::plan::Reserve;
use crate::journal::Totals;
use crate::journal::disk::story::Campaign;
use crate::text::plain;

/// A run that has told nothing of itself for so long is not well: it does so four times a minute.
const SILENT: SignedDuration = SignedDuration::from_mins(1);

/// The campaigns, each in a few lines.
pub fn text(campaigns: &[Campaign], dir: &str, now: Timestamp, zone: &TimeZone, glyphs: Glyphs) -> String {
    if campaigns.is_empty() {
        return format!("no campaign has been run in {dir} yet; another place is named with --state DIR\n");
    }
    let mut text = String::new();
    for campaign in campaigns {
        let is_twin = |other: &&Campaign| {
            other.name == campaign.name && other.account.is_rehearsal() == campaign.account.is_rehearsal()
        };
        let of = if campaigns.iter().filter(is_twin).count() > 1 {
            format!(" (account {})", plain(&campaign.account.name))
        } else {
            String::new()
        };
        one(&mut text, campaign, &of, now, zone, glyphs);
    }
    let _ = writeln!(text, "state directory: {dir}");
    text
}

fn one(text: &mut String, campaign: &Campaign, of: &str, now: Timestamp, zone: &TimeZone, glyphs: Glyphs) {
    let doing = match (&campaign.running, campaign.paused) {
        (Some(run), false) => format!("running since {} by {}", moment(run.since, now, zone), run.process()),
        (Some(run), true) => format!("paused; {} waits for dialer resume {}", run.process(), campaign.name),
        (None, true) => format!("paused: dialer resume {}", campaign.name),
        (None, false) => format!("not running; first started {}", moment(campaign.created, now, zone)),
    };
    let totals = &campaign.totals;
    let _ = writeln!(text, "{}{}{of}: {doing}", campaign.name, rehearsed(campaign.account.is_rehearsal()));
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
    let due = campaign.due.as_ref().filter(|(due, _)| *due > now);
    if let Some((due, zones)) = due {
        let at = moment_there(*due, now, zone, zones);
        let _ = writeln!(text, "  nobody is due before {at}: retries and leads that were put off");
    }
    if let Some((at, live)) = live(campaign, now).filter(|_| campaign.running.is_some() || due.is_none()) {
        text.extend(live.line(now, zone, glyphs).map(|line| format!("  {line}\n")));
        if campaign.running.is_some() && now.duration_since(at) > SILENT {
            let _ =
                writeln!(text, "  not heard of since {}: it hangs, or cannot write its journal", moment(at, now, zone));
        }
    }
    if let Some(reserve) = reserve(campaign).filter(|_| campaign.running.is_none() && totals.open > 0) {
        let _ = writeln!(text, "  reserve {reserve}");
    }
    if !campaign.lists.is_empty() {
        let _ = writeln!(text, "  {}", plain(&campaign.lists.join(", ")));
    }
}

/// What its newest run reserves, where it does not choose that itself.
fn reserve(campaign: &Campaign) -> Option<Reserve> {
    campaign.terms().map(|terms| terms.reserve).filter(|reserve| reserve.auto.is_none())
}

/// One campaign in one line, without what changes all the time.
pub fn line(campaign: &Campaign, now: Timestamp, zone: &TimeZone, glyphs: Glyphs) -> String {
    let totals = &campaign.totals;
    let settled = format!("{}/{} settled", thousands(totals.settled), thousands(totals.total));
    let mut parts = vec![format!("{}: {settled}", campaign.name)];
    if campaign.running.is_none() {
        parts.push("not running".to_owned());
    }
    let live = live(campaign, now).map(|(_, live)| LiveStatus { calls_per_minute: None, done_at: None, ..live });
    parts.extend(live.and_then(|live| live.line(now, zone, glyphs)));
    parts.join(&format!(" {} ", glyphs.dot))
}

/// What the campaign's run last told of itself, and when; of one that is over, when there is more to do.
pub fn live(campaign: &Campaign, now: Timestamp) -> Option<(Timestamp, LiveStatus)> {
    let at = campaign.published.as_ref()?.at;
    let live = campaign.live_status()?;
    if campaign.running.is_some() {
        return Some((at, live));
    }
    let next_at = live.next_at.filter(|next_at| *next_at > now)?;
    Some((at, LiveStatus { next_at: Some(next_at), ..LiveStatus::default() }))
}

/// The same for programs: an array. `host` is this machine's name.
pub fn json(campaigns: &[Campaign], now: Timestamp, host: &str) -> String {
    let all: Vec<Value> = campaigns.iter().map(|campaign| object(campaign, now, host)).collect();
    format!("{}\n", Value::Array(all))
}

/// One campaign, as far as the journal knows, and what its run has told of itself.
pub fn object(campaign: &Campaign, now: Timestamp, host: &str) -> Value {
    let live = live(campaign, now).map(|(_, live)| live);
    let running = campaign.running.as_ref().map(|run| {
        let host = run.host.as_deref().unwrap_or(host);
        json!({ "pid": run.pid, "host": host, "since": run.since.to_string() })
    });
    let mut object = common(&campaign.name, &campaign.totals, campaign.totals.cost_usd);
    let more = json!({
        "account": campaign.account.name,
        "lists": campaign.lists,
        "created": campaign.created.to_string(),
        "paused": campaign.paused,
        "running": running,
        "calls_up": campaign.up,
        "reserve": reserve(campaign).map(|reserve| reserve.at(now)),
        "next_at": campaign.due.as_ref().map(|(due, _)| due.to_string()),
    });
    add(&mut object, more);
    let mut live = live.unwrap_or_default();
    live.next_at = live.next_at.or(campaign.due.as_ref().map(|(due, _)| *due));
    add(&mut object, live.json());
    object
}

/// What is known of a campaign everywhere.
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
    })
}

/// Puts the keys of one object into another.
pub fn add(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::disposition::Class;
    use crate::journal::disk::accounts::{Account, REHEARSAL};
    use crate::journal::disk::live::Published;
    use crate::journal::disk::story::Running;

    fn campaign() -> Campaign {
        Campaign {
            account: Account { id: 1, name: "org-1".into() },
            name: "leads".into(),
            lists: vec!["/home/ada/leads.csv".into()],
            terms: None,
            created: "2026-11-20T09:00:00Z".parse().unwrap(),
            paused: false,
            running: Some(Running { pid: 4711, host: None, since: "2026-11-23T09:00:02Z".parse().unwrap() }),
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
            published: None,
            up: 2,
            due: None,
        }
    }

    #[test]
    fn a_campaign_is_told_in_a_few_lines() {
        let now = "2026-11-23T14:05:00Z".parse().unwrap();
        let paused =
            Campaign { paused: true, running: None, totals: Totals::default(), lists: vec![], up: 0, ..campaign() };
        let paused = Campaign { account: Account { id: 2, name: "org-2".into() }, ..paused };
        insta::assert_snapshot!(text(&[campaign(), paused], "~/s", now, &TimeZone::UTC, Glyphs::UNICODE), @r"
        leads (account org-1): running since 09:00 by process 4711
          1,204 leads: 1,166 settled, 35 open, 2 of them have calls that are up, 3 in doubt, 1 of those put aside: dialer release leads, 2 more gone from the list; $61.20 so far
          answered 1,100 · no answer 66
          /home/ada/leads.csv
        leads (account org-2): paused: dialer resume leads
          0 leads: 0 settled; $0.00 so far
        state directory: ~/s
        ");
        let due = Some(("2026-11-23T17:00:00Z".parse().unwrap(), vec!["America/New_York".to_owned()]));
        let waits = text(&[Campaign { due, ..campaign() }], "~/s", now, &TimeZone::UTC, Glyphs::ASCII);
        assert!(waits.contains("nobody is due before 17:00 (12:00 in New York): retries"), "{waits}");
        let left = Campaign { running: None, up: 1, ..campaign() };
        let left = text(&[left], "~/s", now, &TimeZone::UTC, Glyphs::ASCII);
        assert!(left.contains("1 of them has a call that is up (the next run picks them up)"), "{left}");
        let terms = r#"{"calling":{"rules":null},"reserve":{"table":[[0,3],[480,5]],"zone":"UTC","auto":null}}"#;
        let reserves = Campaign { running: None, terms: Some(terms.to_owned()), ..campaign() };
        let told = text(std::slice::from_ref(&reserves), "~/s", now, &TimeZone::UTC, Glyphs::ASCII);
        assert!(told.contains("\n  reserve 00:00=3,08:00=5\n"), "{told}");
        assert_eq!(object(&reserves, now, "host")["reserve"], 5);
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
    fn what_a_run_tells_of_itself_is_shown_while_it_is_alive_and_when_there_is_more_to_do_after_it() {
        let now = "2026-11-23T14:05:00Z".parse().unwrap();
        let told = |at: &str, status: &str| Some(Published { at: at.parse().unwrap(), status: status.to_owned() });
        let status = r#"{"batch":{"number":13,"done":22,"size":50},"calls_per_minute":7.4,"done_at":
            "2026-11-23T16:52:00Z","pool":{"limit":10,"ours":4,"others":2,"free":4,"reserve":3}}"#;
        let shown =
            |campaign: &Campaign| text(std::slice::from_ref(campaign), "~/s", now, &TimeZone::UTC, Glyphs::UNICODE);
        let alive = Campaign { published: told("2026-11-23T14:04:59Z", status), ..campaign() };
        let line = "  batch 13: 22 of 50 \u{b7} pool of 10: 4 campaign, 2 other, 1 available, 3 reserved \u{b7} \
                    7.4 calls a minute \u{b7} done about 16:52\n";
        assert!(shown(&alive).contains(line), "{}", shown(&alive));
        assert!(!shown(&alive).contains("not heard of"));
        let silent = Campaign { published: told("2026-11-23T14:03:00Z", status), ..campaign() };
        assert!(shown(&silent).contains("not heard of since 14:03"), "{}", shown(&silent));
        let run = Running { host: Some("far".to_owned()), ..alive.running.clone().unwrap() };
        let alive = Campaign { running: Some(run), ..alive };
        assert!(shown(&alive).starts_with("leads: running since 09:00 by process 4711 on far\n"), "{}", shown(&alive));
        let object = object(&alive, now, "here");
        assert_eq!((&object["running"]["host"], &object["pool"]["free"]), (&"far".into(), &4.into()), "{object}");
        assert_eq!((&object["batch"]["done"], &object["done_at"]), (&22.into(), &"2026-11-23T16:52:00Z".into()));

        let later = r#"{"ended":{"exit":4,"meaning":"later","report":""},"batch":{"number":13,"done":22,"size":50},"next_at":"2026-11-23T17:00:00Z"}"#;
        let over = Campaign { running: None, published: told("2026-11-23T14:00:00Z", later), ..campaign() };
        assert!(shown(&over).contains("  next call at 17:00\n"), "{}", shown(&over));
        let object = super::object(&over, now, "here");
        assert_eq!((&object["next_at"], &object["batch"]), (&"2026-11-23T17:00:00Z".into(), &Value::Null));
        let past = Campaign { published: told("2026-11-23T14:00:00Z", &later.replace("T17", "T13")), ..over };
        assert!(!shown(&past).contains("next call"), "{}", shown(&past));
        let broken = Campaign { published: told("2026-11-23T14:00:00Z", "[1"), ..campaign() };
        assert!(shown(&broken).contains("1,204 leads"));
    }

    #[test]
    fn programs_get_an_array() {
        let now = "2026-11-23T14:05:00Z".parse().unwrap();
        insta::assert_snapshot!(json(&[campaign()], now, "host"), @r#"[{"account":"org-1","batch":null,"calls_per_minute":null,"calls_up":2,"campaign":"leads","cost_usd":61.2,"created":"2026-11-20T09:00:00Z","dispositions":{"answered":1100,"no-answer":66},"done_at":null,"held_up":null,"leads":{"in_doubt":3,"open":35,"parked":1,"removed":2,"settled":1166,"suppressed":0,"total":1204},"lists":["/home/ada/leads.csv"],"next_at":null,"paused":false,"pool":null,"reserve":null,"running":{"host":"host","pid":4711,"since":"2026-11-23T09:00:02Z"}}]"#);
        assert_eq!(json(&[], now, "host"), "[]\n");
    }
}
