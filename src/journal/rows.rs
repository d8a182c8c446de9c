//! What the shared steps need of a store: rows by key, and nothing that decides.

use std::sync::Arc;

use jiff::Timestamp;

use super::Error;
use super::facts::Attempt;
use super::lead_status::{LeadStatus, Person};
use crate::campaign::attempt::State;
use crate::campaign::event::LeadId;
use crate::campaign::seen::SeenCall;
use crate::leads::lead::{Lead, Phone};
use crate::pool::attempt_id::{AttemptId, Mark};
use crate::time::{Instant, Now};

/// A lead as it stands in the journal.
#[derive(Clone, Debug)]
pub(super) struct LeadRow {
    pub(super) id: LeadId,
    pub(super) lead: Arc<Lead>,
    pub(super) listed: bool,
    pub(super) suppressed: bool,
    pub(super) added: Instant,
    pub(super) stand: LeadStatus,
}

impl LeadRow {
    pub(super) fn person(&self) -> Person<'_> {
        Person { id: self.id, zones: &self.lead.zones, suppressed: self.suppressed, added: self.added }
    }
}

/// A set of zones that leads share, as the batches need it.
#[derive(Clone, Debug)]
pub(super) struct ZoneSet {
    pub(super) id: i64,
    pub(super) zones: Vec<String>,
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

/// The rows of one campaign's run. Every method is within the transaction that the journal has opened.
pub(super) trait Rows {
    /// This campaign's number.
    fn campaign(&self) -> i64;
    /// The number of the campaign with that mark; it is made up where there is none.
    fn campaign_of(&mut self, mark: &Mark) -> Result<i64, Error>;
    /// An attempt by its id.
    fn attempt(&mut self, id: &AttemptId) -> Result<Option<Arc<Attempt>>, Error>;
    /// Whether this would add nothing to the attempt that it carries the id of, and this run knows that.
    fn knows(&mut self, id: &AttemptId, seen: &SeenCall) -> Result<bool, Error>;
    /// Writes an attempt down, a new one or what is newly known of it.
    fn put(&mut self, attempt: &Arc<Attempt>) -> Result<(), Error>;
    /// This campaign's attempts on a number, in the order of their claims.
    fn attempts_on(&mut self, phone: Phone) -> Result<Vec<Arc<Attempt>>, Error>;
    /// This campaign's calls that were found and not taken in.
    fn found(&mut self) -> Result<Vec<Attempt>, Error>;
    /// What this run was last told about an attempt that it follows.
    fn told(&mut self, id: &AttemptId) -> Option<State>;
    /// This run is told.
    fn tell(&mut self, id: &AttemptId, state: State);
    /// Whether this run hears of that call, which nobody here has claimed, for the first time.
    fn meet(&mut self, id: &AttemptId) -> bool;
    /// A lead of this campaign.
    fn lead(&mut self, id: LeadId) -> Result<Option<LeadRow>, Error>;
    /// The leads of this campaign with that number, in list order.
    fn leads_with(&mut self, phone: Phone) -> Result<Vec<LeadId>, Error>;
    /// Writes down how a lead stands, if that is new.
    fn stand(&mut self, row: &LeadRow, stand: LeadStatus, now: Now) -> Result<(), Error>;
    /// A lead of another campaign has to be looked at again when that campaign starts.
    fn look_again(&mut self, attempt: &Attempt) -> Result<(), Error>;
    /// A claim met the lead on a do-not-call list.
    fn settle_suppressed(&mut self, row: &LeadRow, now: Now) -> Result<(), Error>;
    /// Whether another lead of this campaign was answered after one instant and not after the other.
    fn another_answered(&mut self, lead: LeadId, after: Instant, until: Instant) -> Result<bool, Error>;
    /// Puts a number on the state directory's own do-not-call list.
    fn suppress(&mut self, phone: Phone, reason: &str, now: Now) -> Result<(), Error>;
    /// Whether a number is on any do-not-call list.
    fn is_suppressed(&mut self, phone: Phone) -> Result<bool, Error>;
    /// Whether a live claim holds the number, whichever campaign's.
    fn is_taken(&mut self, phone: Phone) -> Result<bool, Error>;
    /// When another campaign called the number last.
    fn called_elsewhere(&mut self, phone: Phone) -> Result<Option<Timestamp>, Error>;
    /// No POST on this pool before then.
    fn pause_posts(&mut self, until: Instant) -> Result<(), Error>;

    /// The zone sets of this campaign's leads.
    fn zone_sets(&mut self) -> Result<Vec<ZoneSet>, Error>;
    /// Leads of a zone set that wait, those due first, at most so many.
    fn waiting(&mut self, zone_set: i64, round: Round, now: Timestamp, most: usize) -> Result<Vec<Waiting>, Error>;
    /// Whether a zone set has leads for the first round, and when the first of the later ones is due.
    fn soonest(&mut self, zone_set: i64) -> Result<(bool, Option<Timestamp>), Error>;
    /// Leads that are open.
    fn open_leads(&mut self) -> Result<u64, Error>;
    /// The batch that is open, with the size that it was cut with.
    fn batch(&mut self) -> Result<Option<(u64, usize)>, Error>;
    /// Who of the open batch is open, in list order.
    fn batch_leads(&mut self, number: u64) -> Result<Vec<LeadId>, Error>;
    /// Opens a batch under the next number.
    fn cut(&mut self, leads: &[LeadId], now: Now) -> Result<u64, Error>;
    /// Closes a batch.
    fn close(&mut self, number: u64, now: Now) -> Result<(), Error>;
}
