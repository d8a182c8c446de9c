//! Remembers: the durable record, and what any journal must do.

pub mod answer;
pub mod claim;

use crate::campaign::disposition::Class;
use crate::campaign::event::{Ask, Change, Claimed, History, News, Open, Opened, Recorded};
use crate::time::{Now, Stamp};
use claim::Claim;

/// What goes wrong with a journal. After any of these nothing more may be dialed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk, the file, the database; with what is safe and what to do.
    #[error("{0}")]
    Damage(String),
}

/// What a journal does for one run of one campaign. Every method is one transaction that is on disk when it returns.
pub trait Journal {
    /// Cuts the next batch from the leads that may be dialed now, or takes up the one that a dead run left open.
    fn open_batch(&mut self, now: Now) -> Result<Opened, Error>;
    /// Writes down that a batch is closed.
    fn close_batch(&mut self, now: Now, number: u64) -> Result<(), Error>;
    /// Grants as many of the leads as the pool still allows, after merging what other runs on it know and do.
    fn claim(&mut self, now: Now, ask: Ask) -> Result<(Claimed, Vec<Claim>), Error>;
    /// Writes down news, and says what it changed. Telling the same twice changes nothing.
    fn record(&mut self, now: Now, news: &News) -> Result<Recorded, Error>;
    /// Writes down that the account's listing is known up to there; never goes back.
    fn watermark(&mut self, now: Now, to: Stamp) -> Result<(), Error>;
    /// Takes in the calls with this campaign's mark that no attempt here has made.
    fn adopt(&mut self, now: Now) -> Result<Vec<Change>, Error>;
    /// The second search after an adoption has found nothing new.
    fn adoption_done(&mut self, now: Now) -> Result<(), Error>;
    /// Attempts of this account that are not over and whose run is dead; the claimed among them are in doubt from now.
    fn orphans(&mut self, now: Now) -> Result<Vec<Open>, Error>;
    /// What a run of this campaign goes on from.
    fn history(&mut self, now: Now) -> Result<History, Error>;
    /// How the campaign stands.
    fn totals(&mut self, now: Now) -> Result<Totals, Error>;
}

/// How a campaign stands. `total = settled + open + in_doubt`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Totals {
    /// Leads on the list.
    pub total: u64,
    /// Nothing more to do.
    pub settled: u64,
    /// To be rung, or up.
    pub open: u64,
    /// In doubt or parked.
    pub in_doubt: u64,
    /// Parked, among those in doubt.
    pub parked: u64,
    /// Settled by a do-not-call list, among the settled.
    pub suppressed: u64,
    /// Gone from the list, outside the total.
    pub removed: u64,
    /// Settled leads by what settled them.
    pub dispositions: std::collections::BTreeMap<Class, u64>,
    /// What its calls have cost, in US dollars.
    pub cost_usd: f64,
}
