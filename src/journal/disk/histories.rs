//! The pool over the time of a campaign's runs, as each of them knew it.

use std::time::Duration;

use jiff::Timestamp;

use super::super::Error;
use super::Disk;
use super::accounts::Account;
use super::attempts::wall;
use super::db::values;
use super::live::Publisher;
use crate::time::micros;

/// What one run knew of the pool.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PoolPast {
    /// The fewest slots that were free while it held any.
    pub lowest_free: Option<u32>,
    /// For how long fewer than the reserve were free.
    pub below_reserve: Duration,
    /// The pool at some moments: milliseconds since 1970, its own calls, other calls, the limit, the reserve.
    pub points: Vec<[i64; 5]>,
}

/// What one run expected of itself as it began.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PastForecast {
    /// The run.
    pub run: i64,
    /// When it began.
    pub began: Timestamp,
    /// When it ended, or its death was noticed.
    pub ended: Option<Timestamp>,
    /// JSON, as a dry run has it.
    pub forecast: String,
}

impl Publisher {
    /// This is what its run expects of itself.
    pub fn keep_forecast(&self, forecast: &str) -> Result<(), Error> {
        let save = "INSERT INTO pool_histories (run, campaign, below_reserve, points, forecast) VALUES (?1, ?2, 0, '[]', ?3) \
                    ON CONFLICT (run) DO UPDATE SET forecast = excluded.forecast";
        self.db.note(|db| db.execute(save, values![self.run, self.campaign, forecast]).map(drop))
    }

    /// This is what its run has known of the pool so far.
    pub fn keep_pool(&self, past: &PoolPast) -> Result<(), Error> {
        let save = "INSERT INTO pool_histories (run, campaign, lowest_free, below_reserve, points) \
                    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (run) DO UPDATE SET lowest_free = excluded.lowest_free, \
                    below_reserve = excluded.below_reserve, points = excluded.points";
        let points = serde_json::to_string(&past.points).unwrap_or_default();
        let below = micros(past.below_reserve);
        let values = values![self.run, self.campaign, past.lowest_free, below, &points];
        self.db.note(|db| db.execute(save, values).map(drop))
    }
}

impl Disk {
    /// What a campaign's runs expected of themselves, in order.
    pub fn forecasts(&self, account: &Account, campaign: &str) -> Result<Vec<PastForecast>, Error> {
        let id = self.campaign(account, campaign)?;
        self.read(|db| {
            let all = "SELECT run, started, ended, forecast FROM pool_histories JOIN runs ON runs.id = run \
                       WHERE pool_histories.campaign = ?1 AND forecast IS NOT NULL ORDER BY run";
            db.all(all, values![id], |row| {
                let ended: Option<i64> = row.get(2)?;
                let (began, ended) = (wall(row.get(1)?), ended.map(wall));
                Ok(PastForecast { run: row.get(0)?, began, ended, forecast: row.get(3)? })
            })
        })
    }

    /// What a campaign's runs knew of the pool, in order.
    pub fn pool_pasts(&self, account: &Account, campaign: &str) -> Result<Vec<PoolPast>, Error> {
        let id = self.campaign(account, campaign)?;
        self.read(|db| {
            let all = "SELECT lowest_free, below_reserve, points FROM pool_histories WHERE campaign = ?1 ORDER BY run";
            db.all(all, values![id], |row| {
                let below: u64 = row.get(1)?;
                let points = serde_json::from_str(row.text(2)?).unwrap_or_default();
                Ok(PoolPast { lowest_free: row.get(0)?, below_reserve: Duration::from_micros(below), points })
            })
        })
    }
}
