//! Reading calls, and changing them.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::Arc;

use super::call::{FakeCall, Shown};
use super::fault::{Fault, WrongStamps};
use super::{FakeProvider, Place};
use crate::campaign::seen::{Listing, SeenCall};
use crate::pool::calls::CallId;
use crate::time::Stamp;

/// Which calls a listing shows. The bounds are included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// `createdAt`, from and to.
    pub created: (Stamp, Stamp),
    /// `updatedAt`, from and to.
    pub updated: (Stamp, Stamp),
    /// `id`.
    pub id: Option<String>,
    /// `assistantId`.
    pub target: Option<String>,
    /// `phoneNumberId`.
    pub line: Option<String>,
    /// At most this many.
    pub limit: usize,
}

impl Default for Filter {
    fn default() -> Self {
        let always = (Stamp::from_micros(i64::MIN), Stamp::from_micros(i64::MAX));
        Self { created: always, updated: always, id: None, target: None, line: None, limit: 100 }
    }
}

/// The last listing: the same is told again as long as nothing has changed.
pub(super) struct Listed {
    org: usize,
    filter: Filter,
    changes: u64,
    rows: Listing,
}

impl FakeProvider {
    /// Whether the next read meets a fault: it is to be answered with 500.
    pub fn read_fails(&mut self) -> bool {
        self.reads.happens(self.config.faults.of(Fault::ReadError))
    }

    /// How far the times of the next read's answer are off.
    pub fn read_stamps(&mut self) -> WrongStamps {
        WrongStamps::draw(&self.config.faults, &mut self.stamps)
    }

    /// One organisation's calls, the newest first.
    pub fn list(&mut self, now: Stamp, org: usize, filter: &Filter) -> Vec<&FakeCall> {
        self.advance(now);
        let mut found = Vec::new();
        self.find_all(org, filter, &mut found);
        found.into_iter().map(|(_, place)| &self.calls[place]).collect()
    }

    /// The same, as a client sees them.
    pub fn rows(&mut self, now: Stamp, org: usize, filter: &Filter) -> Listing {
        self.advance(now);
        let same = |last: &&Listed| last.changes == self.changes && last.org == org && last.filter == *filter;
        if let Some(last) = self.listed.as_ref().filter(same) {
            return Arc::clone(&last.rows);
        }
        let mut found = std::mem::take(&mut self.found);
        self.find_all(org, filter, &mut found);
        let rows: Listing = found.iter().map(|(_, place)| self.seen(*place)).collect();
        self.found = found;
        // What is hidden until later comes to light without a change.
        self.listed = (self.hidden_until <= self.now).then(|| Listed {
            org,
            filter: filter.clone(),
            changes: self.changes,
            rows: Arc::clone(&rows),
        });
        rows
    }

    /// One call by its id, as a client sees it.
    pub fn row(&mut self, now: Stamp, org: usize, id: &str) -> Option<Arc<SeenCall>> {
        self.get(now, org, id)?;
        self.find(org, id).map(|place| self.seen(place))
    }

    fn seen(&mut self, place: Place) -> Arc<SeenCall> {
        let call = &self.calls[place];
        let seen = self.seen[place].get_or_insert_with(|| Arc::new(call.listed(&self.org_ids[call.org])));
        Arc::clone(seen)
    }

    /// What a listing shows, in a list that is used again: creation and place of each, the newest first.
    fn find_all(&self, org: usize, filter: &Filter, found: &mut Vec<(Stamp, Place)>) {
        found.clear();
        let Some(theirs) = self.shelves.get(org) else { return };
        let entry = |place: Place| (self.calls[place].created, place);
        let fits = |place: &Place| self.fits(&self.calls[*place], filter);
        if let Some(id) = &filter.id {
            found.extend(self.find(org, id).into_iter().filter(fits).map(entry));
        } else if filter.updated == Filter::default().updated {
            let newest = theirs.created(filter.created).iter().rev();
            found.extend(newest.map(|(_, place)| *place).filter(fits).take(filter.limit).map(entry));
        } else {
            let last = |(at, place): &&(Stamp, Place)| self.calls[*place].updated == *at;
            let changed = theirs.updated(filter.updated).iter().filter(last).map(|(_, place)| *place).filter(fits);
            found.extend(changed.map(entry));
            found.sort_unstable_by_key(|entry| Reverse(*entry));
        }
        found.truncate(filter.limit);
    }

    /// One call by its id.
    pub fn get(&mut self, now: Stamp, org: usize, id: &str) -> Option<&FakeCall> {
        self.advance(now);
        let place = self.find(org, id)?;
        if matches!(self.calls[place].shown, Shown::From { then, for_good: true } if then > self.now) {
            self.calls[place].shown = Shown::Never { erased: false };
        }
        Some(&self.calls[place])
    }

    /// Gives a call another name.
    pub fn rename(&mut self, now: Stamp, org: usize, id: &str, name: Option<&str>) -> Option<&FakeCall> {
        self.advance(now);
        let place = self.find(org, id)?;
        let call = &mut self.calls[place];
        call.name = name.map(Into::into);
        call.attempt = FakeCall::attempt_in(call.name.as_ref(), &call.request);
        self.touch(place);
        Some(&self.calls[place])
    }

    /// Erases a call's data: nobody can read it any more. One that is up goes on, and holds its slot.
    pub fn erase(&mut self, now: Stamp, org: usize, id: &str) -> Option<&FakeCall> {
        self.advance(now);
        let place = self.find(org, id)?;
        self.calls[place].shown = Shown::Never { erased: true };
        self.changes += 1;
        Some(&self.calls[place])
    }

    /// Hangs up a call that is up. False if there is none.
    pub fn hang_up(&mut self, now: Stamp, id: &str) -> bool {
        self.advance(now);
        let up = |place: &Place| self.calls[*place].ended.is_none() && self.calls[*place].counted.is_some();
        let Some(place) = self.by_id.get(&CallId::new(id)).copied().filter(up) else { return false };
        self.end_with(place, Cow::Borrowed("manually-canceled"));
        true
    }

    fn find(&self, org: usize, id: &str) -> Option<Place> {
        let theirs = |place: &Place| self.calls[*place].org == org && !self.calls[*place].is_erased();
        self.by_id.get(&CallId::new(id)).copied().filter(theirs)
    }

    fn fits(&self, call: &FakeCall, filter: &Filter) -> bool {
        let inside = |at: Stamp, (from, to): (Stamp, Stamp)| from <= at && at <= to;
        let same = |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
        call.is_listed(self.now)
            && inside(call.created, filter.created)
            && inside(call.updated, filter.updated)
            && same(&filter.target, &call.request.target)
            && same(&filter.line, &call.request.line)
    }
}
