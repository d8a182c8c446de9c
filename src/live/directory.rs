//! The campaigns of a state directory as they are shown (`dialer status --serve`): what their journal knows and what
//! their runs tell of themselves there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Shown;
use crate::journal::disk::story::Campaign;
use crate::report::metrics::{CampaignMetrics, joined, text};
use crate::report::pool_history::{PoolHistory, Seen};
use crate::report::status::{add, live, object};
use crate::time::Instant;

/// Campaigns that are shown at most, the newest first.
const MOST: usize = 50;

/// What is shown of a state directory.
pub struct ShownDirectory {
    host: String,
    kept: Mutex<Kept>,
}

/// A campaign, by its account and its name.
type Key = (String, String);

#[derive(Default)]
struct Kept {
    campaigns: Vec<Campaign>,
    /// Of those that are shown, the pool since they are.
    histories: BTreeMap<Key, PoolHistory>,
    now: Timestamp,
    version: u64,
}

impl ShownDirectory {
    /// That of a directory that was not looked at yet. `host` is this machine's name.
    pub fn new(host: String) -> Arc<Self> {
        Arc::new(Self { host, kept: Mutex::default() })
    }

    /// Shows these from now on: those that are alive, those with something left to do, and those that were shown before.
    pub fn show(&self, campaigns: Vec<Campaign>, now: Timestamp) {
        let mut kept = self.kept();
        let is_shown = |campaign: &Campaign| {
            let is_open = campaign.totals.open + campaign.totals.in_doubt > 0;
            campaign.running.is_some() || is_open || kept.histories.contains_key(&key(campaign))
        };
        let shown: Vec<_> = campaigns.into_iter().filter(is_shown).take(MOST).collect();
        if shown == kept.campaigns {
            return;
        }
        let mut histories = std::mem::take(&mut kept.histories);
        for campaign in &shown {
            let mut history = histories.remove(&key(campaign)).unwrap_or_default();
            if let Some((at, pool)) = live(campaign, now).and_then(|(at, live)| Some((at, live.pool?))) {
                history.add(Instant::from(at), pool);
            }
            kept.histories.insert(key(campaign), history);
        }
        (kept.campaigns, kept.now) = (shown, now);
        kept.version += 1;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Plain counts and texts: whatever panicked, they can be shown.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(campaign: &Campaign) -> Key {
    (campaign.account.name.clone(), campaign.name.clone())
}

impl Shown for ShownDirectory {
    fn status(&self) -> Value {
        let kept = self.kept();
        kept.campaigns.iter().map(|campaign| object(campaign, kept.now, &self.host)).collect()
    }

    fn page(&self, seen: &mut Vec<Seen>) -> Value {
        let kept = self.kept();
        seen.resize(kept.campaigns.len(), Seen::default());
        let page = |(campaign, seen): (&Campaign, &mut Seen)| {
            let mut page = object(campaign, kept.now, &self.host);
            add(&mut page, campaign.live_status().unwrap_or_default().page_json());
            let history = kept.histories.get(&key(campaign)).map(|history| history.beyond(seen));
            // The page goes on to be served when all of them are over.
            add(&mut page, json!({ "now": kept.now.to_string(), "goes_on": true, "history": history }));
            page
        };
        kept.campaigns.iter().zip(seen).map(page).collect()
    }

    fn metrics(&self) -> String {
        let kept = self.kept();
        let of_campaign = |campaign: &Campaign| {
            // What a run that is alive counts it tells itself.
            let told = campaign.live_status().filter(|_| campaign.running.is_some()).map(|live| live.metrics);
            told.filter(|told| !told.is_empty()).unwrap_or_else(|| {
                let metrics = CampaignMetrics::new(&campaign.name, &campaign.account.name);
                metrics.set(&campaign.totals, campaign.totals.cost_usd, campaign.paused, campaign.running.is_some());
                text(metrics.gather())
            })
        };
        joined(&kept.campaigns.iter().map(of_campaign).collect::<Vec<_>>())
    }

    fn version(&self) -> u64 {
        self.kept().version
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Totals;
    use crate::journal::disk::accounts::Account;
    use crate::journal::disk::live::Published;
    use crate::journal::disk::story::Running;

    fn campaign(name: &str, open: u64, ours: Option<u32>) -> Campaign {
        let published = ours.map(|ours| Published {
            at: "2026-11-23T14:05:00Z".parse().unwrap(),
            status: json!({
                "pool": { "limit": 10, "ours": ours, "others": 2, "free": 8 - ours, "reserve": 3 },
                "metrics": "# HELP dialer_running x\n# TYPE dialer_running gauge\ndialer_running{account=\"org-1\",campaign=\"new\"} 1\n\
                            # HELP dialer_dials_total x\n# TYPE dialer_dials_total counter\ndialer_dials_total{account=\"org-1\",campaign=\"new\"} 7\n",
                "page": { "list": "leads.csv", "notices": [{ "at": "2026-11-23T14:00:00Z", "trouble": true, "text": "so" }] },
            })
            .to_string(),
        });
        Campaign {
            account: Account { id: 1, name: "org-1".into() },
            name: name.into(),
            lists: Vec::new(),
            terms: None,
            created: "2026-11-20T09:00:00Z".parse().unwrap(),
            paused: false,
            running: ours.map(|_| Running { pid: 4711, host: None, since: "2026-11-23T09:00:02Z".parse().unwrap() }),
            published,
            totals: Totals { total: 3, settled: 3 - open, open, ..Totals::default() },
            up: 0,
            due: None,
        }
    }

    #[test]
    fn campaigns_are_shown_that_are_alive_or_have_something_to_do_or_were_shown_before() {
        let shown = ShownDirectory::new("host".to_owned());
        let now = "2026-11-23T14:05:01Z".parse().unwrap();
        let old = campaign("old", 0, None);
        shown.show(vec![campaign("new", 1, Some(4)), campaign("waits", 2, None), old.clone()], now);
        let status = shown.status();
        assert_eq!((&status[0]["campaign"], &status[1]["campaign"]), (&"new".into(), &"waits".into()), "{status}");
        assert!(status[0]["pool"]["ours"] == 4 && status[1]["pool"].is_null() && status[2].is_null(), "{status}");
        let version = shown.version();
        shown.show(vec![campaign("new", 1, Some(4)), campaign("waits", 2, None)], now);
        assert_eq!(shown.version(), version, "nothing has changed");
        shown.show(vec![campaign("new", 0, None), campaign("waits", 0, None), old], now);
        assert!(shown.version() > version && shown.status()[1]["campaign"] == "waits", "{}", shown.status());
        assert!(shown.status()[2].is_null());
    }

    #[test]
    fn the_page_has_the_pool_and_what_a_run_tells_and_the_metrics_have_every_campaign() {
        let shown = ShownDirectory::new("host".to_owned());
        let now = "2026-11-23T14:05:01Z".parse().unwrap();
        shown.show(vec![campaign("new", 1, Some(4)), campaign("waits", 2, None)], now);
        let page = shown.page(&mut Vec::new());
        assert_eq!((&page[0]["list"], &page[0]["notices"][0]["text"]), (&"leads.csv".into(), &"so".into()), "{page}");
        assert_eq!(page[0]["history"]["points"][0], json!([1_795_442_700_000_u64, 4, 2, 10, 3]), "{page}");
        assert!(page[0]["ended"].is_null() && page[1]["history"]["points"] == json!([]), "{page}");
        let metrics = shown.metrics();
        for line in [
            r#"dialer_dials_total{account="org-1",campaign="new"} 7"#,
            r#"dialer_running{account="org-1",campaign="new"} 1"#,
            r#"dialer_running{account="org-1",campaign="waits"} 0"#,
            r#"dialer_leads{account="org-1",campaign="waits",state="open"} 2"#,
        ] {
            assert!(metrics.contains(line), "{line}: {metrics}");
        }
        assert_eq!(metrics.matches("# TYPE dialer_running gauge").count(), 1, "{metrics}");
    }
}
