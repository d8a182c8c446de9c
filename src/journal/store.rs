//! What the shared steps need of a store: sets to load and to store, and nothing that decides.

use jiff::Timestamp;

use super::Error;
use super::people::{People, Told, Wanted};
use crate::campaign::event::LeadId;
use crate::time::{Instant, Now};

/// Leads that share a set of zones, as the batches need it.
#[derive(Clone, Debug)]
pub(super) struct ZoneSet {
    pub(super) id: i64,
    pub(super) zones: Vec<String>,
    /// It has leads that were not called yet.
    pub(super) first: bool,
    /// When the first of those is due that belong to a later round.
    pub(super) due: Option<Timestamp>,
}

/// Which leads of a zone set wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Round {
    /// Those who have not been called yet.
    First,
    /// Those of later rounds who are due.
    Later,
}

/// A lead that waits: its place on the list, and its number.
pub(super) type Waiting = (i64, LeadId);

/// A batch that is open.
pub(super) struct OpenBatch {
    pub(super) number: u64,
    /// Leads that it was cut with.
    pub(super) size: usize,
    /// Who of them is open, in list order.
    pub(super) leads: Vec<LeadId>,
}

/// One campaign's run in a store. Every method is within the transaction that the journal has opened.
pub(super) trait Store {
    /// Everything that is known of the people who are wanted.
    fn load(&mut self, wanted: Wanted<'_>) -> Result<People, Error>;
    /// Stores what a step has changed.
    fn save(&mut self, people: People, now: Now) -> Result<(), Error>;
    /// What this run was told.
    fn told(&mut self) -> &mut Told;
    /// Whether another lead of this campaign was answered after one instant and not after the other.
    fn another_answered(&mut self, lead: LeadId, after: Instant, until: Instant) -> Result<bool, Error>;

    /// The zone sets of this campaign's leads that are open.
    fn zone_sets(&mut self) -> Result<Vec<ZoneSet>, Error>;
    /// Leads of a zone set that wait, those due first, at most so many.
    fn waiting(&mut self, zone_set: i64, round: Round, now: Timestamp, most: usize) -> Result<Vec<Waiting>, Error>;
    /// Leads that are open.
    fn open_leads(&mut self) -> Result<u64, Error>;
    /// The batch that is open.
    fn batch(&mut self) -> Result<Option<OpenBatch>, Error>;
    /// Opens a batch under the next number.
    fn cut(&mut self, leads: &[LeadId], now: Now) -> Result<u64, Error>;
    /// Closes a batch.
    fn close(&mut self, number: u64, now: Now) -> Result<(), Error>;
}
