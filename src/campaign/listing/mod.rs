//! Reads the account's listing: what to ask for next, and what a read that came completes.
//!
//! One read is under way at a time. Three of them walk through the listing (the search before dialing, the watch of what
//! changes, the proof of absence), a fourth asks for one call by its id. This part knows windows, waits and when each
//! call was seen last; it decides nothing about leads.

mod came;
pub(super) mod found;
mod last_seen;
mod messages;
mod search;

use std::collections::BTreeSet;
use std::time::Duration;

use super::event::{Query, ReadId};
use crate::pool::calls::CallId;
use crate::pool::offset::Offset;
use crate::time::{Instant, Stamp, sooner};
use found::{Haste, Needs, Purpose, Wanted};
use last_seen::LastSeen;
use messages::Messages;
use search::{Along, Search};

/// Polls between reads when nothing waits for them, and the most that trouble stretches the interval to.
const SLOW: u32 = 15;
/// Polls for which news are fresh enough to dial on.
const FRESH: u32 = 2;
/// Polls that each read of the watch begins before the newest change seen.
const OVERLAP: u32 = 10;
/// Polls after which a call that is up and in no listing is asked for by its id.
const UNSEEN: u32 = 60;
/// Listings that are later are not taken for late.
const LONGEST_LAG: Duration = Duration::from_mins(1);
/// A call can last that long: how far back the first read of the watch goes.
const LONGEST_CALL: Duration = Duration::from_hours(12);
/// Times in a row that a read is forbidden, after which the account is taken at its word.
const MOST_FORBIDDEN: u32 = 3;
/// Failures in a row after which a search or a proof is given up.
const TRIES: u32 = 12;
/// Polls after which a search or a proof is read again that holds a row which cannot be read.
const UNREAD: u32 = 10;
/// Rows of a page: the most that the provider gives at a time.
const PAGE: u16 = 1000;
/// Rows of a page of a search or a proof that has failed: whole calls can be large.
const SMALL_PAGE: u16 = 100;

/// The reads of one run.
#[derive(Debug)]
pub(super) struct ListingReader {
    poll: Duration,
    /// The read under way.
    reading: Option<(ReadId, Purpose)>,
    reads: u64,
    search: Option<Search>,
    proof: Option<Search>,
    watch: Option<Search>,
    /// The newest change seen.
    newest: Option<Stamp>,
    /// When the newest complete round of the watch was begun, and when it was complete.
    fresh: Option<(Instant, Instant)>,
    watch_begun: Option<Instant>,
    /// The last read was one of the watch: what else is due goes first now, however slow the listing is.
    watch_was_last: bool,
    last_seen: LastSeen,
    /// How long it took at the most until a call of ours was listed that earlier listings lacked.
    lag: Duration,
    one_at: Instant,
    /// Calls to be asked for by their ids, though listings show them.
    asked_for: BTreeSet<CallId>,
    messages: Messages,
    /// How many times longer than usual the interval is, for reads that failed.
    stretch: u32,
    not_before: Option<Instant>,
    failing: bool,
    /// The last call that was asked for by its id could not be read.
    one_failing: bool,
    /// Since when no round of the watch has shown a call that can be read and may be ours, though such calls came.
    blind: Option<Instant>,
    /// Times in a row that a read was forbidden.
    forbidden: u32,
    /// The row that could not be read and was told of last.
    unread: Option<String>,
}

impl ListingReader {
    pub(super) fn new(poll: Duration) -> Self {
        Self {
            poll,
            reading: None,
            reads: 0,
            search: None,
            proof: None,
            watch: None,
            newest: None,
            fresh: None,
            watch_begun: None,
            watch_was_last: false,
            last_seen: LastSeen::default(),
            lag: Duration::ZERO,
            one_at: Instant::from_micros(0),
            asked_for: BTreeSet::new(),
            messages: Messages::default(),
            stretch: 1,
            not_before: None,
            failing: false,
            one_failing: false,
            blind: None,
            forbidden: 0,
            unread: None,
        }
    }

    /// Begins the search before dialing.
    pub(super) fn search_between(&mut self, from: Stamp, to: Option<Stamp>) {
        self.search = Some(Search::between(Along::Created, from, to, PAGE));
    }

    /// Begins a proof of absence, unless one is under way.
    pub(super) fn prove_since(&mut self, from: Stamp) {
        self.proof.get_or_insert_with(|| Search::since(Along::Created, from, PAGE));
    }

    /// Whether a proof of absence is under way.
    pub(super) fn is_proving(&self) -> bool {
        self.proof.is_some()
    }

    /// Whether a read is under way.
    pub(super) fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// Whether the read under way is of a listing, and not of one call.
    pub(super) fn is_listing(&self) -> bool {
        self.reading.as_ref().is_some_and(|(_, purpose)| !matches!(purpose, Purpose::One(_)))
    }

    /// Whether reads have failed since the last round of the watch that was whole.
    pub(super) fn is_failing(&self) -> bool {
        self.failing
    }

    /// How much of the search before dialing has been read, from 0 to 1.
    pub(super) fn search_progress(&self, provider_now: Stamp) -> f64 {
        self.search.as_ref().map_or(1.0, |search| search.progress(provider_now))
    }

    /// Whether what the watch has read is fresh enough to dial on, and no older than `since`. `poll`: the interval that is kept.
    pub(super) fn is_fresh(&self, now: Instant, since: Option<Instant>, poll: Duration) -> bool {
        let new = |(began, received): (Instant, Instant)| {
            now.since(received) <= poll * FRESH && since.is_none_or(|since| began >= since)
        };
        self.fresh.is_some_and(new)
    }

    /// Whether a complete round of the watch was begun after that.
    pub(super) fn is_fresh_since(&self, then: Instant) -> bool {
        self.fresh.is_some_and(|(began, _)| began > then)
    }

    /// What had begun by then, in the provider's time, a complete round of the watch has shown.
    pub(super) fn known_at(&self, offset: &Offset) -> Stamp {
        self.fresh.map_or(Stamp::from_micros(i64::MIN), |(began, _)| offset.earliest(began))
    }

    /// That call is to be asked for by its id, though listings show it.
    pub(super) fn ask_for(&mut self, id: CallId) {
        self.asked_for.insert(id);
    }

    /// A message says that a call of ours, which is up as far as known, is over.
    pub(super) fn said_over(&mut self, id: &CallId, now: Instant) {
        self.messages.said_over(id, now);
    }

    /// Whether a message of that call would bring a read forward.
    pub(super) fn heeds(&self, id: &CallId) -> bool {
        self.messages.heeds(id)
    }

    /// Whether messages come that tell of ends.
    pub(super) fn is_told(&self, now: Instant) -> bool {
        self.messages.come(now, self.poll)
    }

    /// The most urgent read, unless one is under way; and when to ask again if there is none now.
    pub(super) fn want(&mut self, now: Instant, needs: &Needs) -> Wanted {
        if self.reading.is_some() {
            return Wanted::default();
        }
        let mut wanted = Wanted::default();
        let next = self.next_search(now, needs, &mut wanted).or_else(|| {
            if self.watch_was_last {
                self.next_besides(now, needs, &mut wanted).or_else(|| self.next_watch(now, needs, &mut wanted))
            } else {
                self.next_watch(now, needs, &mut wanted).or_else(|| self.next_besides(now, needs, &mut wanted))
            }
        });
        let Some((query, purpose)) = next else { return wanted };
        self.watch_was_last = purpose == Purpose::Watch;
        self.reads += 1;
        let id = ReadId(self.reads);
        self.reading = Some((id, purpose));
        Wanted { read: Some((id, query)), watch: self.watch_was_last, ..wanted }
    }

    fn next_search(&mut self, now: Instant, needs: &Needs, wanted: &mut Wanted) -> Option<(Query, Purpose)> {
        let search = self.search.as_mut().filter(|_| needs.search)?;
        part(search, now, needs.may_read, wanted).map(|query| (query, Purpose::Search))
    }

    /// What a search before dialing and the watch leave to be read.
    fn next_besides(&mut self, now: Instant, needs: &Needs, wanted: &mut Wanted) -> Option<(Query, Purpose)> {
        let proof = self.proof.as_mut().and_then(|proof| part(proof, now, needs.may_read, wanted));
        proof.map(|query| (query, Purpose::Proof)).or_else(|| self.next_one(now, needs, wanted))
    }

    fn next_watch(&mut self, now: Instant, needs: &Needs, wanted: &mut Wanted) -> Option<(Query, Purpose)> {
        if self.watch.is_none() {
            let polls = match needs.watch {
                Haste::None => return None,
                Haste::Slow => SLOW,
                Haste::Eager => self.stretch,
                Haste::Urgent => 0,
            };
            let usual = self.poll * polls;
            let pause = if self.messages.any_open() { usual.min(self.poll / 2) } else { usual };
            let due = self.watch_begun.map_or(now, |begun| begun + pause);
            let due = self.not_before.map_or(due, |at| at.max(due));
            if now < due {
                wanted.wake = sooner(wanted.wake, Some(due));
                return None;
            }
            if !needs.may_watch {
                wanted.short = true;
                return None;
            }
            let from = self.newest.map_or(needs.provider_now - LONGEST_CALL, |newest| newest - self.poll * OVERLAP);
            self.watch = Some(Search::since(Along::Updated, from, PAGE));
            self.watch_begun = Some(now);
        }
        part(self.watch.as_mut()?, now, needs.may_watch, wanted).map(|query| (query, Purpose::Watch))
    }

    fn next_one(&mut self, now: Instant, needs: &Needs, wanted: &mut Wanted) -> Option<(Query, Purpose)> {
        if now < self.one_at || self.not_before.is_some_and(|at| now < at) {
            return None;
        }
        let unseen = self.last_seen.unseen(now, self.poll * UNSEEN);
        let id = unseen.or_else(|| self.asked_for.first().cloned())?;
        if !needs.may_read {
            wanted.short = true;
            return None;
        }
        self.asked_for.remove(&id);
        self.one_at = now + self.poll;
        Some((Query::One(id.clone()), Purpose::One(id)))
    }

    /// The newest change that a round of the watch shows, no later than the provider's clock can be.
    pub(super) fn changed(&mut self, updated: Stamp, latest: Stamp) {
        if matches!(self.reading, Some((_, Purpose::Watch))) {
            self.newest = self.newest.max(Some(updated.min(latest)));
        }
    }

    fn search_for(&mut self, purpose: &Purpose) -> Option<&mut Search> {
        match purpose {
            Purpose::Search => self.search.as_mut(),
            Purpose::Watch => self.watch.as_mut(),
            Purpose::Proof => self.proof.as_mut(),
            Purpose::One(_) => None,
        }
    }

    /// A call that is up was seen in a listing or an answer.
    pub(super) fn saw(&mut self, id: &CallId, now: Instant) {
        self.last_seen.saw(id, now);
    }

    /// A call of ours came back from its request, and is to be listed.
    pub(super) fn answered(&mut self, id: &CallId, now: Instant) {
        self.last_seen.answered(id, now);
    }

    /// A call of ours is listed. Where a whole round of the watch that was begun after its answer lacked it, listings are
    /// late; a call that was left out for longer than that is another matter.
    pub(super) fn listed(&mut self, id: &CallId, received: Instant) {
        let Some(answered) = self.last_seen.listed(id) else { return };
        let lag = received.since(answered);
        if self.is_fresh_since(answered) && lag <= LONGEST_LAG {
            self.lag = self.lag.max(lag);
        }
    }

    /// How late listings have been at the most.
    pub(super) fn lag(&self) -> Duration {
        self.lag
    }

    /// The calls that are up and that nothing has shown since then.
    pub(super) fn unseen_since(&self, then: Instant) -> impl Iterator<Item = &CallId> {
        self.last_seen.before(then)
    }

    /// A call is over: no listing needs to show it.
    pub(super) fn over(&mut self, id: &CallId) {
        self.last_seen.over(id);
        self.messages.over(id);
        self.asked_for.remove(id);
    }
}

/// What to read next of a search, or when to ask again.
fn part(search: &mut Search, now: Instant, may: bool, wanted: &mut Wanted) -> Option<Query> {
    if !search.is_due(now) {
        wanted.wake = sooner(wanted.wake, search.waits_until());
        return None;
    }
    if !may {
        wanted.short = true;
        return None;
    }
    search.next(now)
}

#[cfg(test)]
mod tests;
