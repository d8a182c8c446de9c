//! Reads the account's listing: what to ask for next, and what a read that came completes.
//!
//! One read is under way at a time. Three of them walk through the listing (the search before dialing, the watch of what
//! changes, the proof of absence), a fourth asks for one call by its id. This part knows windows, waits and when each
//! call was seen last; it decides nothing about leads.

pub(super) mod found;
mod last_seen;
mod messages;
mod search;

use std::collections::BTreeSet;
use std::time::Duration;

use super::event::{Query, ReadFailure, ReadId, ReadTrouble, Unread};
use crate::pool::calls::CallId;
use crate::pool::offset::Offset;
use crate::time::{Instant, Stamp, sooner};
use found::{Failed, Found, Haste, Needs, Proof, Purpose, Wanted};
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

    /// A read came, and all of its rows have been taken in. `full`: there may be more than it showed.
    /// `unread`: what of it could not be read, which the watch does without.
    pub(super) fn heard(
        &mut self,
        read: ReadId,
        full: bool,
        unread: Option<&Unread>,
        now: Instant,
        provider_now: Stamp,
    ) -> Found {
        let Some((_, purpose)) = self.reading.take_if(|(id, _)| *id == read) else { return Found::Part };
        self.forbidden = 0;
        let unread = unread.filter(|unread| unread.outbound);
        let complete = matches!(purpose, Purpose::Search | Purpose::Proof);
        if let Some(unread) = unread.filter(|_| complete && !full) {
            return self.read_again(&purpose, unread, now);
        }
        if let Some(unread) = unread.filter(|_| purpose == Purpose::Watch && self.is_blind(now)) {
            return Found::Unread(unread.to_string());
        }
        match purpose {
            Purpose::One(id) => Found::One(id, std::mem::take(&mut self.one_failing)),
            _ if full => self.halve(&purpose, now, provider_now),
            Purpose::Search => match self.search.take_if(Search::is_last_part) {
                Some(search) => Found::Search(search.began()),
                None => self.more(&purpose, Found::SearchPart),
            },
            Purpose::Proof => match self.proof.take_if(Search::is_last_part) {
                Some(proof) => Found::Proof(proof.began().map(|began| Proof { from: proof.from(), began })),
                None => self.more(&purpose, Found::Part),
            },
            Purpose::Watch => match self.watch.take_if(Search::is_last_part) {
                Some(round) => {
                    self.fresh = round.began().map(|began| (began, now));
                    let late = round.began().map(|began| self.messages.looked(began));
                    self.asked_for.extend(late.into_iter().flatten());
                    self.stretch = (self.stretch / 2).max(1);
                    self.failing = false;
                    Found::Watch
                }
                None => self.more(&purpose, Found::Part),
            },
        }
    }

    /// Whether that is another row than the one that was told of last.
    pub(super) fn is_new(&mut self, unread: &Unread) -> bool {
        self.unread.replace(unread.first.clone()).is_none_or(|last| last != unread.first)
    }

    /// A row of a listing was read that may be a call of ours.
    pub(super) fn sees(&mut self) {
        if self.is_listing() {
            self.blind = None;
        }
    }

    /// Rows came that may be calls of ours, and not one of such rows could be read for as long as a search is given.
    fn is_blind(&mut self, now: Instant) -> bool {
        let since = *self.blind.get_or_insert(now);
        now.since(since) >= self.poll * UNREAD * (TRIES - 1)
    }

    /// What has to be complete holds a row that cannot be read: again after a while, and not for ever.
    fn read_again(&mut self, purpose: &Purpose, unread: &Unread, now: Instant) -> Found {
        let pause = self.poll * UNREAD;
        let tries = self.search_for(purpose).map_or(0, |search| search.failed(now, pause));
        if tries < TRIES || !self.give_up(purpose) {
            return Found::Part;
        }
        match purpose {
            Purpose::Search => Found::Unread(unread.to_string()),
            _ => Found::Unproven(unread.to_string()),
        }
    }

    fn more(&mut self, purpose: &Purpose, found: Found) -> Found {
        if let Some(search) = self.search_for(purpose) {
            search.part_done();
        }
        found
    }

    /// A read brought nothing.
    pub(super) fn failed(&mut self, read: ReadId, failure: &ReadFailure, now: Instant, provider_now: Stamp) -> Failed {
        let Some((_, purpose)) = self.reading.take_if(|(id, _)| *id == read) else { return Failed::NotAsked };
        match failure.kind {
            ReadTrouble::Key => return Failed::Refused,
            ReadTrouble::TooLarge => return Failed::Smaller(self.halve(&purpose, now, provider_now)),
            ReadTrouble::Forbidden => self.forbidden += 1,
            ReadTrouble::Rate(_) | ReadTrouble::Fault => {}
        }
        if self.forbidden >= MOST_FORBIDDEN {
            return Failed::Refused;
        }
        let wait = if let ReadTrouble::Rate(wait) = failure.kind { wait } else { None };
        let pause = self.in_trouble(now, wait);
        let complete = matches!(purpose, Purpose::Search | Purpose::Proof);
        let fewer = complete && failure.kind == ReadTrouble::Fault;
        let tries = self.search_for(&purpose).map_or(0, |search| {
            if fewer {
                search.ask_for_at_most(SMALL_PAGE);
            }
            search.failed(now, pause)
        });
        let given_up = tries >= TRIES && self.give_up(&purpose);
        let one = if let Purpose::One(id) = &purpose { Some(id.clone()) } else { None };
        let tell = match one {
            Some(_) => !std::mem::replace(&mut self.one_failing, true),
            None => tries == 1 || tries.is_multiple_of(10),
        };
        Failed::Again { one, tell, given_up: given_up.then_some(purpose) }
    }

    fn in_trouble(&mut self, now: Instant, wait: Option<Duration>) -> Duration {
        self.stretch = (self.stretch * 2).min(SLOW);
        self.failing = true;
        // A wait that is over at once is no wait; one that is longer than the interval may grow leaves calls unseen that
        // hold slots, and another read calls nobody.
        let pause = wait.unwrap_or_default().min(self.poll * SLOW).max(self.poll * self.stretch);
        self.not_before = Some(now + pause);
        pause
    }

    fn halve(&mut self, purpose: &Purpose, now: Instant, provider_now: Stamp) -> Found {
        let Some(search) = self.search_for(purpose) else { return Found::Part };
        let Err(dense) = search.halve(provider_now) else { return Found::Part };
        let message = format!("more calls than a page holds in the one millisecond at {}", dense.0);
        if self.give_up(purpose) {
            return Found::GivenUp(purpose.clone(), message);
        }
        self.watch = None;
        self.in_trouble(now, None);
        Found::WatchFailed(message)
    }

    /// Gives a search or a proof up; the watch never is.
    fn give_up(&mut self, purpose: &Purpose) -> bool {
        match purpose {
            Purpose::Search => self.search = None,
            Purpose::Proof => self.proof = None,
            Purpose::Watch | Purpose::One(_) => return false,
        }
        true
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
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_secs(1);

    fn unread() -> Unread {
        Unread { rows: 1, first: "id c1, field createdAt".to_owned(), outbound: true }
    }

    fn needs(search: bool, watch: Haste) -> Needs {
        Needs { search, watch, provider_now: Stamp::from_micros(0), may_watch: true, may_read: true }
    }

    #[test]
    fn a_search_that_holds_a_row_which_cannot_be_read_is_given_up_after_two_minutes() {
        let mut reader = ListingReader::new(POLL);
        reader.search_between(Stamp::from_micros(0), None);
        let began = Instant::from_micros(0);
        let mut now = began;
        let found = loop {
            let Wanted { read, wake, .. } = reader.want(now, &needs(true, Haste::None));
            let Some((id, _)) = read else {
                now = wake.expect("a search that goes on");
                continue;
            };
            match reader.heard(id, false, Some(&unread()), now, Stamp::from_micros(0)) {
                Found::Part => {}
                found => break found,
            }
        };
        assert_eq!(found, Found::Unread("a call in the listing cannot be read: id c1, field createdAt".to_owned()));
        assert_eq!(now.since(began), POLL * UNREAD * (TRIES - 1));
    }

    #[test]
    fn a_watch_of_which_no_row_can_be_read_that_may_be_ours_ends_after_two_minutes() {
        let mut reader = ListingReader::new(POLL);
        let mut watch = |seconds: u64, sees: bool, unread: &Unread| {
            let now = Instant::from_micros(0) + POLL * u32::try_from(seconds).unwrap();
            let (id, _) = reader.want(now, &needs(false, Haste::Eager)).read.unwrap();
            if sees {
                reader.sees();
            }
            reader.heard(id, false, Some(unread), now, Stamp::from_micros(0))
        };
        let inbound = Unread { outbound: false, ..unread() };
        assert_eq!((watch(0, false, &unread()), watch(50, true, &unread())), (Found::Watch, Found::Watch));
        assert_eq!((watch(159, false, &unread()), watch(160, false, &inbound)), (Found::Watch, Found::Watch));
        assert_eq!(watch(161, false, &unread()), Found::Unread(unread().to_string()));
    }

    #[test]
    fn a_row_that_cannot_be_one_of_ours_ends_no_search() {
        let mut reader = ListingReader::new(POLL);
        reader.search_between(Stamp::from_micros(0), None);
        let now = Instant::from_micros(0);
        let (id, _) = reader.want(now, &needs(true, Haste::None)).read.unwrap();
        let inbound = Unread { outbound: false, ..unread() };
        let found = reader.heard(id, false, Some(&inbound), now, Stamp::from_micros(0));
        assert_eq!(found, Found::Search(Some(now)));
    }

    #[test]
    fn a_call_that_cannot_be_read_by_its_id_is_told_once_until_one_can() {
        let mut reader = ListingReader::new(POLL);
        let mut ask = |seconds: u32, fails: bool| {
            let now = Instant::from_micros(0) + POLL * seconds;
            reader.ask_for(CallId::new("c1"));
            let (id, _) = reader.want(now, &needs(false, Haste::None)).read.unwrap();
            if fails {
                let (kind, message) = (ReadTrouble::Fault, "500".to_owned());
                let failure = ReadFailure { kind, sent: now, received: now, date: None, message };
                let failed = reader.failed(id, &failure, now, Stamp::from_micros(0));
                return matches!(failed, Failed::Again { tell: true, .. });
            }
            matches!(reader.heard(id, false, None, now, Stamp::from_micros(0)), Found::One(_, true))
        };
        let told = [(0, true), (100, true), (200, true), (300, false), (400, false), (500, true)];
        assert_eq!(told.map(|(at, fails)| ask(at, fails)), [true, false, false, true, false, true]);
    }

    #[test]
    fn the_watch_does_without_a_row_that_cannot_be_read_and_a_proof_does_not() {
        let mut reader = ListingReader::new(POLL);
        let now = Instant::from_micros(0);
        let watch = reader.want(now, &needs(false, Haste::Urgent)).read;
        let heard = reader.heard(watch.unwrap().0, false, Some(&unread()), now, Stamp::from_micros(0));
        assert_eq!((heard, reader.is_fresh(now, None, POLL)), (Found::Watch, true));
        reader.prove_since(Stamp::from_micros(0));
        let proof = reader.want(now, &needs(false, Haste::None)).read;
        assert_eq!(reader.heard(proof.unwrap().0, false, Some(&unread()), now, Stamp::from_micros(0)), Found::Part);
        assert!(reader.is_proving());
        assert!(reader.is_new(&unread()) && !reader.is_new(&unread()), "it is told once");
    }
}
