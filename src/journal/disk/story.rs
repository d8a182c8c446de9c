//! What the journal has to tell: how campaigns stand, and what one number went through.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::facts::Attempt;
use super::super::imported::placed;
use super::super::lead_status::LeadState;
use super::super::{Error, Totals, count};
use super::accounts::{Account, REHEARSAL};
use super::attempts::{self, digits, wall};
use super::db::{Db, values};
use super::leads::{Zones, standing_named, zone_sets};
use super::live::Published;
use super::{Disk, accounts};
use crate::campaign::hours::Calling;
use crate::campaign::plan::{Plan, Reserve};
use crate::leads::lead::Phone;
use crate::pool::attempt_id::Mark;
use crate::text::clean;

/// A campaign of this journal.
#[derive(Clone, PartialEq, Debug)]
pub struct Campaign {
    /// Its account.
    pub account: Account,
    /// Its name.
    pub name: String,
    /// Its lists.
    pub lists: Vec<String>,
    /// The hours and the reserve of its newest run, as they are written down.
    pub terms: Option<String>,
    /// When it was first started.
    pub created: Timestamp,
    /// A pause is kept.
    pub paused: bool,
    /// The run that is alive, if one is.
    pub running: Option<Running>,
    /// What its newest run last told of itself.
    pub published: Option<Published>,
    /// How it stands.
    pub totals: Totals,
    /// Its leads whose call is on its way or up, as far as the journal knows.
    pub up: u64,
    /// Where none of its open leads is due yet: when the first is, and in which zones that person may be.
    pub due: Option<(Timestamp, Vec<String>)>,
}

/// A run that is alive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Its machine, where that is another than this one.
    pub host: Option<String>,
    /// When it began.
    pub since: Timestamp,
}

impl Running {
    /// The process, for people.
    pub fn process(&self) -> String {
        let on = self.host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
        format!("process {}{on}", self.pid)
    }
}

/// What a run goes by, as far as others are told of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// When it calls.
    pub calling: Calling,
    /// What it reserves.
    pub reserve: Reserve,
}

impl Terms {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Self {
        Self { calling: plan.calling.clone(), reserve: plan.reserve.clone() }
    }

    /// As they are written down.
    pub(super) fn written(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

impl Campaign {
    /// What its newest run goes by; none where that was never written down, or by a version that wrote it otherwise.
    pub fn terms(&self) -> Option<Terms> {
        serde_json::from_str(self.terms.as_ref()?).ok()
    }
}

/// What a start says before it dials.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CampaignOutlook {
    /// Leads on the list.
    pub leads: u64,
    /// Those that earlier runs settled.
    pub settled: u64,
    /// When the last of them was.
    pub last_settled: Option<Timestamp>,
    /// Those to call whose number another campaign has called lately.
    pub called_elsewhere: u64,
    /// Those to call.
    pub to_call: u64,
}

/// What one number went through in one campaign.
#[derive(Clone, PartialEq, Debug)]
pub struct Story {
    /// The campaign; none where nothing is known of it but calls with its mark.
    pub campaign: Option<String>,
    /// It was a rehearsal, which called nobody.
    pub rehearsal: bool,
    /// A pause is kept.
    pub paused: bool,
    /// The rows of its list with that number.
    pub rows: Vec<StoryRow>,
    /// The attempts, in order.
    pub attempts: Vec<Attempt>,
}

/// A row of a list, as the journal has it.
#[derive(Clone, PartialEq, Debug)]
pub struct StoryRow {
    /// Which list, from 0, and its line there.
    pub place: (usize, u64),
    /// Its extension.
    pub extension: Option<String>,
    /// Still on the list.
    pub listed: bool,
    /// How it stands.
    pub standing: LeadState,
    /// Not before then.
    pub due: Option<Timestamp>,
    /// When it was settled.
    pub settled: Option<Timestamp>,
    /// Time zones in which that person may be.
    pub zones: Vec<String>,
}

impl Disk {
    /// Every campaign of the journal, the newest first.
    pub fn campaigns(&self) -> Result<Vec<Campaign>, Error> {
        let rows = self.read(|db| {
            let all = "SELECT campaigns.id, campaigns.name, lists, created, paused, accounts.id, accounts.name, \
                       (SELECT max(id) FROM runs WHERE campaign = campaigns.id), terms FROM campaigns \
                       JOIN accounts ON accounts.id = account WHERE campaigns.name IS NOT NULL \
                       ORDER BY created DESC, campaigns.id DESC";
            db.all(all, &[], |row| {
                let account = Account { id: row.get(5)?, name: row.get(6)? };
                let lists: Option<String> = row.get(2)?;
                let campaign = Campaign {
                    account,
                    name: row.get(1)?,
                    lists: lists.and_then(|lists| serde_json::from_str(&lists).ok()).unwrap_or_default(),
                    terms: row.get(8)?,
                    created: wall(row.get(3)?),
                    paused: row.get(4)?,
                    running: None,
                    published: None,
                    totals: Totals::default(),
                    up: 0,
                    due: None,
                };
                Ok((row.get::<i64>(0)?, row.get::<Option<i64>>(7)?, campaign))
            })
        })?;
        let mut campaigns = Vec::with_capacity(rows.len());
        for (id, run, mut campaign) in rows {
            campaign.totals = self.totals(id)?;
            let up = "SELECT leads FROM lead_counts WHERE campaign = ?1 AND listed = 1 AND standing = 'busy'";
            campaign.up = self.read(|db| db.maybe(up, values![id], |row| row.get(0)))?.unwrap_or(0);
            campaign.due = self.read(|db| first_due(db, id))?;
            if self.is_held(&campaign.account.name, &Mark::of(&campaign.name))? {
                campaign.running = run.map(|run| self.running(run)).transpose()?;
            }
            campaign.published = run.map_or(Ok(None), |run| self.published(id, run))?;
            campaigns.push(campaign);
        }
        Ok(campaigns)
    }

    fn running(&self, run: i64) -> Result<Running, Error> {
        let find = "SELECT pid, host, started FROM runs WHERE id = ?1";
        let here = crate::host::name();
        self.read(|db| {
            db.one(find, values![run], |row| {
                let host = row.get::<Option<String>>(1)?.map(|host| clean(&host, 100));
                Ok(Running { pid: row.get(0)?, host: host.filter(|host| *host != here), since: wall(row.get(2)?) })
            })
        })
    }

    /// How a campaign stands.
    pub(super) fn totals(&self, campaign: i64) -> Result<Totals, Error> {
        self.read(|db| {
            let mut totals = Totals::default();
            let stands = "SELECT listed, standing, class, leads FROM lead_counts WHERE campaign = ?1";
            db.each(stands, values![campaign], |row| {
                let class = Some(row.get::<String>(2)?).filter(|class| !class.is_empty());
                let standing = standing_named(&row.get::<String>(1)?, class)?;
                match row.get(3)? {
                    0 => {}
                    leads if row.get(0)? => count(&mut totals, standing, leads),
                    leads => totals.removed += leads,
                }
                Ok(())
            })?;
            let spent = "SELECT cost, talk FROM attempt_counts WHERE campaign = ?1";
            let (cost, talk): (u64, u64) =
                db.maybe(spent, values![campaign], |row| Ok((row.get(0)?, row.get(1)?)))?.unwrap_or_default();
            (totals.cost_usd, totals.minutes) =
                (Duration::from_micros(cost).as_secs_f64(), Duration::from_micros(talk).as_secs_f64() / 60.0);
            Ok(totals)
        })
    }

    /// What a start of this campaign says; `since` is how far back other campaigns' calls are looked for.
    pub fn outlook(&self, account: &Account, campaign: &str, since: Timestamp) -> Result<CampaignOutlook, Error> {
        let id = self.campaign(account, campaign)?;
        let totals = self.totals(id)?;
        let (last_settled, called_elsewhere) = self.read(|db| {
            let last = "SELECT settled FROM leads WHERE campaign = ?1 AND settled IS NOT NULL AND listed = 1 \
                        ORDER BY settled DESC LIMIT 1";
            let last: Option<i64> = db.maybe(last, values![id], |row| row.get(0))?;
            Ok((last.map(wall), called_elsewhere(db, id, since, account.is_rehearsal())?))
        })?;
        let to_call = totals.total - totals.settled;
        Ok(CampaignOutlook { leads: totals.total, settled: totals.settled, last_settled, called_elsewhere, to_call })
    }

    /// The zones of the leads that a campaign has still to call, each set once.
    pub fn zones_waiting(&self, account: &Account, campaign: &str) -> Result<Vec<Vec<String>>, Error> {
        let id = self.campaign(account, campaign)?;
        self.read(|db| {
            let waits = |later: u8| {
                format!(
                    "EXISTS (SELECT 1 FROM leads WHERE campaign = ?1 AND zone_set = zone_sets.id AND standing = 'open' \
                     AND listed = 1 AND later = {later})"
                )
            };
            let find = &format!("SELECT zones FROM zone_sets WHERE {} OR {}", waits(0), waits(1));
            db.all(find, values![id], |row| Ok(serde_json::from_str(row.text(0)?).unwrap_or_default()))
        })
    }

    /// The numbers that a campaign has settled, and the limit that a pool was last known to have: those of any account
    /// but the built-in stand-in's, or of that alone.
    pub fn known(&self, campaign: &str, rehearsal: bool) -> Result<(Vec<Phone>, Option<u32>), Error> {
        self.read(|db| {
            let settled = "SELECT phone FROM leads WHERE standing = 'settled' AND phone > 0 AND campaign IN \
                           (SELECT campaigns.id FROM campaigns JOIN accounts ON accounts.id = campaigns.account \
                           WHERE campaigns.name = ?1 AND (accounts.name = ?2) = (?3 = 1))";
            let values = values![campaign, REHEARSAL, rehearsal];
            let phones = db.all(settled, values, |row| attempts::phone(row.get(0)?))?;
            Ok((phones, last_limit(db, rehearsal)?))
        })
    }

    /// The limit that the pool of any account but the built-in stand-in's was last known to have.
    pub fn last_limit(&self) -> Result<Option<u32>, Error> {
        self.read(|db| last_limit(db, false))
    }

    /// What a number went through, campaign by campaign; nothing where it is not known, or forgotten.
    pub fn explain(&self, phone: Phone) -> Result<Vec<Story>, Error> {
        self.read(|db| {
            let mut stories: BTreeMap<i64, Story> = BTreeMap::new();
            for attempt in attempts::select(db, "WHERE phone = ?1 ORDER BY claimed, attempt", values![digits(phone)])? {
                let campaign = attempt.campaign;
                story(db, &mut stories, campaign)?.attempts.push(attempt);
            }
            let rows = "SELECT campaign, place, extension, listed, standing, class, due, settled, zones FROM leads \
                        JOIN zone_sets ON zone_sets.id = zone_set WHERE campaign IN (SELECT id FROM campaigns) AND phone = ?1 ORDER BY campaign, place";
            let mut found = Vec::new();
            db.each(rows, values![digits(phone)], |row| {
                let due: i64 = row.get(6)?;
                let extension: String = row.get(2)?;
                let lead = StoryRow {
                    place: placed(row.get(1)?),
                    extension: (!extension.is_empty()).then_some(extension),
                    listed: row.get(3)?,
                    standing: standing_named(&row.get::<String>(4)?, row.get(5)?)?,
                    due: (due != 0).then(|| wall(due)),
                    settled: row.get::<Option<i64>>(7)?.map(wall),
                    zones: serde_json::from_str(row.text(8)?).unwrap_or_default(),
                };
                found.push((row.get(0)?, lead));
                Ok(())
            })?;
            for (campaign, lead) in found {
                story(db, &mut stories, campaign)?.rows.push(lead);
            }
            Ok(stories.into_values().collect())
        })
    }

    /// Every account of the journal.
    pub fn accounts(&self) -> Result<Vec<Account>, Error> {
        self.read(|db| {
            db.all("SELECT id, name FROM accounts ORDER BY id", &[], |row| {
                Ok(accounts::Account { id: row.get(0)?, name: row.get(1)? })
            })
        })
    }
}

/// When the first open lead of a campaign is due, unless one is already.
fn first_due(db: &Db, campaign: i64) -> Result<Option<(Timestamp, Vec<String>)>, Error> {
    let sets = zone_sets(db, &mut Zones::new(), campaign)?;
    if sets.iter().any(|set| set.first) {
        return Ok(None);
    }
    let due = sets.into_iter().filter_map(|set| Some((set.due?, set.zones)));
    Ok(due.min_by_key(|(due, _)| *due))
}

fn last_limit(db: &Db, rehearsal: bool) -> Result<Option<u32>, Error> {
    let limit = "SELECT last_limit FROM pools WHERE last_limit IS NOT NULL AND (name = ?1) = (?2 = 1) \
                 ORDER BY last_limit_at DESC LIMIT 1";
    db.maybe(limit, values![REHEARSAL, rehearsal], |row| row.get(0))
}

fn story<'a>(db: &Db, stories: &'a mut BTreeMap<i64, Story>, id: i64) -> Result<&'a mut Story, Error> {
    Ok(match stories.entry(id) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => {
            let name = "SELECT campaigns.name, accounts.name = ?2, paused FROM campaigns \
                        JOIN accounts ON accounts.id = account WHERE campaigns.id = ?1";
            let found = db.maybe(name, values![id, REHEARSAL], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let (campaign, rehearsal, paused) = found.unwrap_or((None, false, false));
            place.insert(Story { campaign, rehearsal, paused, rows: Vec::new(), attempts: Vec::new() })
        }
    })
}

/// Leads to call whose number another campaign has called since then.
fn called_elsewhere(db: &Db, campaign: i64, since: Timestamp, rehearsal: bool) -> Result<u64, Error> {
    let others = "SELECT 1 FROM campaigns WHERE id <> ?1";
    if !db.exists(others, values![campaign])? {
        return Ok(0);
    }
    let find = "SELECT count(DISTINCT leads.id) FROM attempts CROSS JOIN leads ON leads.campaign = ?1 \
                AND leads.phone = attempts.phone \
                WHERE attempts.campaign IN (SELECT id FROM campaigns WHERE id <> ?1) AND attempts.began >= ?2 \
                AND attempts.rehearsal = ?3 AND attempts.state IN ('placed', 'ended', 'in-doubt', 'parked') \
                AND leads.listed = 1 AND leads.standing <> 'settled'";
    db.get(find, values![campaign, since.as_microsecond(), rehearsal])
}
