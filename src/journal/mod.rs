//! Remembers: the durable record, and what any journal must do.
//!
//! Only facts are stored; what they mean is worked out by pure functions that every journal shares ([`facts`],
//! [`lead_status`], and the steps in `recording`, `granting` and `opening`). A journal decides nothing of its own.

pub mod answer;
mod booking;
pub mod claim;
pub mod disk;
pub mod facts;
mod granting;
pub mod imported;
pub mod lead_status;
pub mod memory;
mod opening;
mod people;
mod recording;
mod store;
#[cfg(test)]
mod suite;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::campaign::disposition::Class;
use crate::campaign::event::{Ask, Booking, LeadId, News};
use crate::campaign::reply::{Booked, Change, Claimed, Open, Opened, Recorded, ResumeState};
use crate::leads::lead::Phone;
use crate::pool::Pool;
use crate::time::{Now, Stamp};
use claim::Claim;
use lead_status::LeadState;

/// Whether a number stands on a do-not-call list outside the journal; asked at every claim.
pub type Dnc = Box<dyn Fn(Phone) -> bool + Send>;

/// Where the randomness of attempt ids comes from: the operating system, or a seed in a rehearsal.
pub type Chance = Box<dyn FnMut() -> u128 + Send>;

/// What goes wrong with a journal. After any of these nothing more may be dialed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not what was written: cut short, overwritten, flipped bits.
    #[error(
        "the journal {file} is damaged: {what}\n  the provider's own listing knows the calls: move the file away, with \
         its -wal and -shm, and start with --adopt"
    )]
    Damage {
        /// The database.
        file: PathBuf,
        /// What was found.
        what: String,
    },
    /// The disk, or a quota, is full.
    #[error("no space left for the journal {0}: nothing more is dialed; free some and run the same command again")]
    Full(PathBuf),
    /// The directory or the file cannot be used.
    #[error("the state directory {dir} cannot be used: {why}\n  choose another:   --state DIR")]
    Directory {
        /// The state directory.
        dir: PathBuf,
        /// Why not.
        why: String,
    },
    /// Written by another version of this program.
    #[error(
        "the journal {file} has schema version {found}, and this program knows version {known}\n  use the version of \
         dialer that wrote it, or another --state DIR"
    )]
    Version {
        /// The database.
        file: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Another process holds the file. Nothing is wrong with it: the same may go well a moment later.
    #[error(
        "the journal {file} is held by {}\n  it was waited for in vain; nothing is damaged: run the same command again \
         when that is done",
        holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    Busy {
        /// The file.
        file: PathBuf,
        /// The process that holds it, where the system tells.
        holder: Option<u32>,
    },
    /// The server does not answer, or could not do it now. The same may go well a moment later.
    #[error(
        "the journal {place} cannot be reached: {what}\n  nothing is lost: run the same command again when the database is \
         back"
    )]
    Away {
        /// The database, without the password.
        place: String,
        /// What was heard last.
        what: String,
    },
    /// A database that cannot keep a journal as it is.
    #[error(
        "the journal {place} cannot be used: {why}\n  mend that, or name another:   --state postgres://ROLE@HOST/DATABASE"
    )]
    Database {
        /// The database, without the password.
        place: String,
        /// Why not.
        why: String,
    },
    /// Another run has taken this campaign over.
    #[error(
        "campaign {campaign} was taken over{}{}: this run writes and dials nothing more\n  its calls that are up go on, \
         and are followed there; look: dialer status {campaign}",
        pid.map(|pid| format!(" by process {pid}")).unwrap_or_default(),
        host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default()
    )]
    TakenOver {
        /// The campaign.
        campaign: String,
        /// The process that has it.
        pid: Option<u32>,
        /// Its machine.
        host: Option<String>,
    },
    /// The file was deleted or replaced while it was open.
    #[error(
        "the journal {0} was deleted or replaced while it was in use: nothing more is dialed\n  put it back before the \
         campaign is run again; if it is lost, start with --adopt: the provider's own listing knows the calls"
    )]
    Gone(PathBuf),
    /// It was moved to another place, and goes on there.
    #[error(
        "the journal {file} was moved to {to}: nothing is done here any more\n  go on there, with --state or DIALER_STATE"
    )]
    Moved {
        /// The old place.
        file: PathBuf,
        /// The new one.
        to: String,
    },
    /// A journal that another would be moved over.
    #[error(
        "the journal {0} is not empty: it has campaigns or suppressed numbers, and none of them is written over\n  move to \
         another place"
    )]
    NotEmpty(PathBuf),
    /// The disk or the system refused.
    #[error(
        "the journal {file} cannot be written or read: {what}\n  nothing more is dialed; run the same command again"
    )]
    Trouble {
        /// The database.
        file: PathBuf,
        /// What the database said.
        what: String,
    },
    /// Two campaigns of one account whose calls could not be told apart.
    #[error("the calls of campaign {campaign} would look like those of {other}: give it another name, --campaign NAME")]
    SameMark {
        /// The new one.
        campaign: String,
        /// The one that is there.
        other: String,
    },
    /// Another run has this campaign.
    #[error(
        "campaign {campaign} is being run{}{}{}\n  wait for it, or look: dialer status {campaign}",
        since.as_ref().map(|at| format!(" since {at}")).unwrap_or_default(),
        pid.map(|pid| format!(" by process {pid}")).unwrap_or_default(),
        host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default()
    )]
    Held {
        /// The campaign.
        campaign: String,
        /// The process that has it, where it could be read.
        pid: Option<u32>,
        /// Its machine, where that may be another.
        host: Option<String>,
        /// Since when, for people.
        since: Option<String>,
    },
    /// A run from a copy of the same state directory has this campaign.
    #[error(
        "campaign {campaign} is being run from a copy of this state directory{}\n  two copies do not know of each \
         other's calls: use one of them, and delete the other",
        pid.map(|pid| format!(", by process {pid}")).unwrap_or_default()
    )]
    Copied {
        /// The campaign.
        campaign: String,
        /// The process that has it, where it could be told.
        pid: Option<u32>,
    },
    /// The same name with another list, and the name was not given explicitly.
    #[error(
        "campaign {campaign} was started with another list: {known}\n  the same campaign with this list:   --campaign \
         {campaign}\n  another campaign:                   --campaign another-name"
    )]
    OtherList {
        /// The campaign.
        campaign: String,
        /// The lists that it was started with.
        known: String,
    },
    /// The same name with another assistant, squad or workflow, and the name was not given explicitly.
    #[error(
        "campaign {campaign} was started with {known}\n  the same campaign with another:   --campaign {campaign}\n  \
         another campaign:                 --campaign another-name"
    )]
    OtherTarget {
        /// The campaign.
        campaign: String,
        /// The target that it was started with.
        known: String,
    },
    /// Another campaign has just called most of these people, and the name was not given explicitly.
    #[error(
        "{leads} of the {of} leads were called by campaign {by} within the last {} hours: is this its list under another \
         name?",
        LATELY.as_secs() / 3600
    )]
    CalledLately {
        /// The campaign that called them.
        by: String,
        /// How many it called.
        leads: u64,
        /// Of how many.
        of: u64,
    },
    /// The list lacks more than half of the leads that are still open.
    #[error(
        "the list lacks {dropped} of the {open} leads of campaign {campaign} that are still open\n  a further list goes \
         in beside the first: run leads.csv mended.csv --campaign {campaign}\n  if they are to be dropped: --replace"
    )]
    Drops {
        /// The campaign.
        campaign: String,
        /// Leads that would be dropped.
        dropped: u64,
        /// Leads that are open.
        open: u64,
    },
    /// The list has no lead.
    #[error("the list has no lead that can be called")]
    Empty,
    /// No such campaign in this journal.
    #[error("this journal has no campaign {0}\n  see which there are: dialer status")]
    NoCampaign(String),
}

/// How long ago a call by another campaign is too soon for the same list under another name.
pub const LATELY: Duration = Duration::from_hours(20);

/// What a journal does for one run of one campaign. Every method is one transaction that is on disk when it returns.
pub trait Journal: Sized {
    /// Does several things in one transaction: all of them are on disk when it returns, or none is.
    fn together<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        work(self)
    }
    /// What a run of this campaign goes on from: asked for once, first.
    fn history(&mut self, now: Now) -> Result<ResumeState, Error>;
    /// Cuts the next batch from the leads that may be dialed now, or takes up the one that a dead run left open.
    fn open_batch(&mut self, now: Now) -> Result<Opened, Error>;
    /// Writes down that a batch is closed.
    fn close_batch(&mut self, now: Now, number: u64) -> Result<(), Error>;
    /// Puts leads off until then that cannot be called for now, for a reason that is not theirs.
    fn put_off(&mut self, now: Now, leads: &[LeadId], until: Timestamp) -> Result<(), Error>;
    /// Grants as many of the leads as the pool still allows, after merging what other runs on it know and do.
    fn claim(&mut self, now: Now, ask: Ask) -> Result<(Claimed, Vec<Claim>), Error>;
    /// Books requests of the organisation's budget.
    fn book(&mut self, now: Now, booking: Booking) -> Result<Booked, Error>;
    /// Writes down news, and says what it changed. Telling the same twice changes nothing.
    fn record(&mut self, now: Now, news: &News) -> Result<Recorded, Error>;
    /// What this run has seen of the pool and how many slots it reserves, for other runs on it and for later ones.
    fn share(&mut self, now: Now, pool: &Pool, reserve: u32) -> Result<(), Error>;
    /// Writes down that the account's listing is known from the first to the second; what is known up to never goes
    /// back. Where there is a gap to what was known before, what lies before the gap counts as unknown again.
    fn watermark(&mut self, now: Now, from: Stamp, to: Stamp) -> Result<(), Error>;
    /// Takes in the calls with this campaign's mark that no attempt here has made.
    fn adopt(&mut self, now: Now) -> Result<Vec<Change>, Error>;
    /// The second search after an adoption has found nothing new.
    fn adoption_done(&mut self, now: Now) -> Result<(), Error>;
    /// Attempts of this account that are not over and whose run is dead; the claimed among them are in doubt from now.
    fn orphans(&mut self, now: Now) -> Result<Vec<Open>, Error>;
    /// What another shell has asked of this run; cheap enough to be asked at every poll.
    fn control(&mut self, now: Now) -> Result<Control, Error>;
    /// How the campaign stands.
    fn totals(&mut self, now: Now) -> Result<Totals, Error>;
}

/// What another shell has asked of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Control {
    /// `dialer pause`, until `dialer resume`.
    pub paused: bool,
    /// `dialer stop`: this run is to end.
    pub stop: bool,
}

/// How a campaign stands. `total = settled + open + in_doubt`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Totals {
    /// Leads on the list.
    pub total: u64,
    /// Nothing more to do.
    pub settled: u64,
    /// To be called, or up.
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
    pub dispositions: BTreeMap<Class, u64>,
    /// What its calls have cost, in US dollars.
    pub cost_usd: f64,
    /// Minutes for which phones were answered, of calls that are over.
    pub minutes: f64,
}

/// Counts leads that stand like this.
fn count(totals: &mut Totals, standing: LeadState, leads: u64) {
    totals.total += leads;
    match standing {
        LeadState::Open | LeadState::Busy => totals.open += leads,
        LeadState::InDoubt => totals.in_doubt += leads,
        LeadState::Parked => {
            totals.in_doubt += leads;
            totals.parked += leads;
        }
        LeadState::Settled(class) => {
            totals.settled += leads;
            *totals.dispositions.entry(class).or_default() += leads;
            if class == Class::Suppressed {
                totals.suppressed += leads;
            }
        }
    }
}
