//! What of a run is worth an alert, and the object that `--alert-exec` is given. Pure: times come in, objects go out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::ending::trouble;
use super::happening::{Happening, Snapshot};
use super::notice::words;
use crate::campaign::notice::{Notice, StopReason};
use crate::exit::Exit;
use crate::time::Instant;

/// One alert of a kind in this time, at most.
const APART: Duration = Duration::from_mins(1);

/// What an alert is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertKind {
    /// No more slots of the pool are free than `--alert-free` says.
    Free,
    /// No slot of the pool is free.
    Full,
    /// Dialing pauses, since the provider keeps failing.
    Breaker,
    /// The account refuses.
    Account,
    /// Another machine runs the campaign.
    Machine,
    /// The run is over.
    End,
}

/// An alert, as the command is given it. Names, order and meaning are a contract.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Alert {
    /// What it is about.
    pub alert: AlertKind,
    /// The campaign; none where a run ended before its name was known.
    pub campaign: Option<String>,
    /// When, by the run's clock, in UTC.
    pub at: String,
    /// The same in words; numbers of people are masked.
    pub text: String,
    /// The pool; none where a run ended before it was seen.
    pub pool: Option<PoolNow>,
    /// The exit code, at the end.
    pub exit: Option<u8>,
}

impl Alert {
    /// The object, on one line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers can be written as JSON")
    }
}

/// The pool as an alert shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct PoolNow {
    /// Slots in all.
    pub limit: u32,
    /// Slots that the campaign's calls hold.
    pub ours: u32,
    /// Slots that others hold, as far as known.
    pub others: u32,
    /// Slots that nobody holds, the reserved ones among them.
    pub free: u32,
    /// Slots that are to be kept for inbound callers.
    pub reserve: u32,
}

/// Which happenings of a run become alerts.
#[derive(Clone, Debug)]
pub struct AlertRules {
    campaign: String,
    most_free: Option<u32>,
    zone: TimeZone,
    pool: Option<PoolNow>,
    /// Conditions that hold and were told. One that ends may be told again.
    standing: BTreeSet<AlertKind>,
    sent: BTreeMap<AlertKind, Instant>,
}

impl AlertRules {
    /// Rules for a campaign, with the number of `--alert-free` and the zone of times in words.
    pub fn new(campaign: String, most_free: Option<u32>, zone: TimeZone) -> Self {
        let (standing, sent) = (BTreeSet::new(), BTreeMap::new());
        Self { campaign, most_free, zone, pool: None, standing, sent }
    }

    /// The pool as it was seen last.
    pub fn pool(&self) -> Option<PoolNow> {
        self.pool
    }

    /// Whether there was an alert of that kind.
    pub fn told(&self, kind: AlertKind) -> bool {
        self.sent.contains_key(&kind)
    }

    /// What is to be told of a happening. `now` is real time, of which a minute lies between two alerts of a kind.
    pub fn hear(&mut self, happening: &Happening, now: Instant) -> Vec<Alert> {
        match happening {
            Happening::Stands(snapshot) => self.look_at(snapshot, now),
            Happening::Told(when, notice, phone) => {
                let kind = kind_of(notice).filter(|kind| self.may_send(*kind, now));
                let text = || words(notice, *phone, *when, &self.zone);
                kind.map(|kind| self.alert(kind, when.wall, text())).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn look_at(&mut self, snapshot: &Snapshot, now: Instant) -> Vec<Alert> {
        let (slots, wall) = (snapshot.slots, snapshot.now.wall);
        let pool = PoolNow {
            limit: slots.limit,
            ours: slots.ours,
            others: slots.others,
            free: slots.free + slots.kept,
            reserve: snapshot.gauges.reserve,
        };
        self.pool = Some(pool);
        let PoolNow { limit, ours, others, free, .. } = pool;
        let conditions = [
            (AlertKind::Free, self.most_free.is_some_and(|most| free <= most)),
            (AlertKind::Full, free == 0 && limit > 0),
        ];
        let mut alerts = Vec::new();
        for (kind, holds) in conditions {
            if !holds {
                self.standing.remove(&kind);
            } else if !self.standing.contains(&kind) && self.may_send(kind, now) {
                self.standing.insert(kind);
                let text = format!("{free} of the pool's {limit} slots free: {ours} campaign, {others} other");
                alerts.push(self.alert(kind, wall, text));
            }
        }
        alerts
    }

    /// Whether the last alert of that kind is long enough ago; if so, this one counts as sent.
    fn may_send(&mut self, kind: AlertKind, now: Instant) -> bool {
        let may = self.sent.get(&kind).is_none_or(|last| now.since(*last) >= APART);
        if may {
            self.sent.insert(kind, now);
        }
        may
    }

    fn alert(&self, kind: AlertKind, wall: Timestamp, text: String) -> Alert {
        let campaign = Some(self.campaign.clone());
        Alert { alert: kind, campaign, at: written(wall), text, pool: self.pool, exit: None }
    }
}

/// A time as objects have it.
pub fn written(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn kind_of(notice: &Notice) -> Option<AlertKind> {
    match notice {
        Notice::PoolRefused => Some(AlertKind::Full),
        Notice::BreakerTripped(_) => Some(AlertKind::Breaker),
        Notice::Stopping(StopReason::AnotherMachine(_)) => Some(AlertKind::Machine),
        Notice::Stopping(why) if trouble(why) == Some(Exit::Account) => Some(AlertKind::Account),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::headroom::Slots;
    use crate::report::happening::Gauges;
    use crate::time::Now;

    fn rules(most_free: Option<u32>) -> AlertRules {
        AlertRules::new("leads".into(), most_free, TimeZone::UTC)
    }

    fn at(seconds: u64) -> Now {
        let at = Instant::from_micros(0) + Duration::from_secs(seconds);
        Now { at, wall: at.timestamp() }
    }

    fn free(slots: u32, seconds: u64) -> Happening {
        let kept = slots.min(3);
        Happening::Stands(Snapshot {
            now: at(seconds),
            total: 9,
            settled: 0,
            batch: None,
            slots: Slots { ours: 8 - slots, others: 2, free: slots - kept, kept, limit: 10 },
            held_up: None,
            gauges: Gauges { reserve: 3, ..Gauges::default() },
        })
    }

    fn kinds(rules: &mut AlertRules, happening: &Happening, seconds: u64) -> Vec<AlertKind> {
        rules.hear(happening, at(seconds).at).into_iter().map(|alert| alert.alert).collect()
    }

    #[test]
    fn an_alert_is_an_object_that_programs_can_rely_on() {
        let mut rules = rules(Some(2));
        assert!(rules.hear(&free(3, 0), at(0).at).is_empty());
        let alerts = rules.hear(&free(2, 1), at(1).at);
        insta::assert_snapshot!(alerts[0].json(), @r#"{"alert":"free","campaign":"leads","at":"1970-01-01T00:00:01.000Z","text":"2 of the pool's 10 slots free: 6 campaign, 2 other","pool":{"limit":10,"ours":6,"others":2,"free":2,"reserve":3},"exit":null}"#);
        let refused = Happening::Told(at(2), Notice::Stopping(StopReason::Account("402: no credit".into())), None);
        let alerts = rules.hear(&refused, at(2).at);
        insta::assert_snapshot!(alerts[0].json(), @r#"{"alert":"account","campaign":"leads","at":"1970-01-01T00:00:02.000Z","text":"no more calls: the account refused (402: no credit)","pool":{"limit":10,"ours":6,"others":2,"free":2,"reserve":3},"exit":null}"#);
    }

    #[test]
    fn a_condition_is_told_once_until_it_ends_and_at_most_once_a_minute() {
        let mut rules = rules(Some(1));
        assert_eq!(kinds(&mut rules, &free(1, 0), 0), [AlertKind::Free]);
        assert_eq!(kinds(&mut rules, &free(1, 90), 90), [], "it still holds");
        assert_eq!(kinds(&mut rules, &free(2, 91), 91), []);
        assert_eq!(kinds(&mut rules, &free(1, 92), 92), [AlertKind::Free], "it holds again");
        assert_eq!(kinds(&mut rules, &free(2, 93), 93), []);
        assert_eq!(kinds(&mut rules, &free(1, 94), 94), [], "within the minute");
        assert_eq!(kinds(&mut rules, &free(1, 152), 152), [AlertKind::Free], "it still holds when the minute is over");
    }

    #[test]
    fn a_full_pool_is_one_condition_whether_seen_or_refused() {
        let mut rules = rules(None);
        let refused = Happening::Told(at(0), Notice::PoolRefused, None);
        assert_eq!(kinds(&mut rules, &refused, 0), [AlertKind::Full]);
        assert_eq!(kinds(&mut rules, &free(0, 1), 1), []);
        assert_eq!(kinds(&mut rules, &free(0, 61), 61), [AlertKind::Full]);
        assert_eq!(kinds(&mut rules, &refused, 62), []);
    }

    #[test]
    fn what_is_no_trouble_is_no_alert() {
        let mut rules = rules(None);
        for notice in [Notice::Stopping(StopReason::Complete), Notice::LimitIs(3), Notice::BreakerClosed] {
            assert_eq!(kinds(&mut rules, &Happening::Told(at(0), notice, None), 0), []);
        }
        let machine = Notice::Stopping(StopReason::AnotherMachine(crate::pool::calls::CallId::new("x")));
        assert_eq!(kinds(&mut rules, &Happening::Told(at(0), machine, None), 0), [AlertKind::Machine]);
        let breaker = Notice::BreakerTripped("500".into());
        assert_eq!(kinds(&mut rules, &Happening::Told(at(0), breaker, None), 0), [AlertKind::Breaker]);
    }
}
