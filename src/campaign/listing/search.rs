//! A complete reading of a stretch of the listing: windows are halved until each one returns fewer rows than were
//! asked for, so nothing rests on the order of rows.

use std::time::Duration;

use super::super::event::Query;
use crate::time::{Instant, Stamp};

/// Which stamp the windows are cut along.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Along {
    /// `createdAt`: what exists.
    Created,
    /// `updatedAt`: what has changed.
    Updated,
}

/// One reading, part by part, the earliest part first.
#[derive(Clone, Debug)]
pub(super) struct Search {
    along: Along,
    limit: u16,
    from: Stamp,
    /// The part to read next, and those after it, the next one last.
    part: Option<Part>,
    parts: Vec<Part>,
    began: Option<Instant>,
    failures: u32,
    not_before: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    from: Stamp,
    /// None: up to now.
    to: Option<Stamp>,
}

/// A part that fills its page although it cannot be halved any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TooDense(pub(super) Stamp);

const MILLISECOND: i64 = 1_000;
/// The most rows that the provider gives at a time.
const LARGEST_PAGE: u16 = 1_000;

impl Search {
    /// From a time to now.
    pub(super) fn since(along: Along, from: Stamp, limit: u16) -> Self {
        Self::between(along, from, None, limit)
    }

    /// From a time to another; none is now.
    pub(super) fn between(along: Along, from: Stamp, to: Option<Stamp>, limit: u16) -> Self {
        let from = Stamp::from_micros(from.as_micros().max(0) / MILLISECOND * MILLISECOND);
        let part = Some(Part { from, to });
        Self { along, limit, from, part, parts: Vec::new(), began: None, failures: 0, not_before: None }
    }

    /// Whether there is something to read, and its wait is over.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.part.is_some() && self.not_before.is_none_or(|at| now >= at)
    }

    /// What to read next, once its wait is over; `None` when it is complete or has to wait.
    pub(super) fn next(&mut self, now: Instant) -> Option<Query> {
        let part = self.part.filter(|_| self.is_due(now))?;
        self.began.get_or_insert(now);
        let Part { from, to } = part;
        let limit = self.limit;
        Some(match self.along {
            Along::Created => Query::Created { from, to, limit },
            Along::Updated => Query::Updated { from, to, limit },
        })
    }

    /// The part that was asked for came, and was complete.
    pub(super) fn part_done(&mut self) {
        self.part = self.parts.pop();
        self.failures = 0;
    }

    /// The part that was asked for has more rows than were asked for: read its earlier half first.
    pub(super) fn halve(&mut self, provider_now: Stamp) -> Result<(), TooDense> {
        self.failures = 0;
        let Some(part) = self.part else { return Ok(()) };
        let end = part.to.unwrap_or(provider_now).max(part.from);
        let middle = (part.from.as_micros() / 2 + end.as_micros() / 2) / MILLISECOND * MILLISECOND;
        let middle = Stamp::from_micros(middle.max(part.from.as_micros()));
        if end.as_micros() - part.from.as_micros() <= MILLISECOND {
            if self.limit >= LARGEST_PAGE {
                return Err(TooDense(part.from));
            }
            // Shorter it cannot be: so a larger page.
            self.limit = LARGEST_PAGE;
            return Ok(());
        }
        // The halves share their middle: a stamp finer than a millisecond must not fall between them.
        self.parts.push(Part { from: middle, to: part.to });
        self.part = Some(Part { from: part.from, to: Some(middle) });
        Ok(())
    }

    /// From now on asks for no more rows at a time, where a part can still be halved.
    pub(super) fn ask_for_at_most(&mut self, rows: u16) {
        let can_be_halved = |part: &Part| part.to.is_none_or(|to| to.since(part.from) > Duration::from_millis(1));
        if self.part.as_ref().is_some_and(can_be_halved) {
            self.limit = self.limit.min(rows);
        }
    }

    /// The part that was asked for could not be read: again after a while. Returns how often that has happened in a row.
    pub(super) fn failed(&mut self, now: Instant, pause: Duration) -> u32 {
        self.failures += 1;
        self.not_before = Some(now + pause);
        self.failures
    }

    /// When it goes on after a failure.
    pub(super) fn waits_until(&self) -> Option<Instant> {
        self.not_before
    }

    /// Whether the part that was asked for is the last one.
    pub(super) fn is_last_part(&mut self) -> bool {
        self.parts.is_empty()
    }

    /// When its first request was sent: what it does not show did not exist then.
    pub(super) fn began(&self) -> Option<Instant> {
        self.began
    }

    /// From where on it reads.
    pub(super) fn from(&self) -> Stamp {
        self.from
    }

    /// How much of the stretch has been read, from 0 to 1.
    pub(super) fn progress(&self, provider_now: Stamp) -> f64 {
        let whole = provider_now.since(self.from).as_secs_f64();
        let read = self.part.map_or(whole, |part| part.from.since(self.from).as_secs_f64());
        if whole > 0.0 { (read / whole).clamp(0.0, 1.0) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(milliseconds: i64) -> Stamp {
        Stamp::from_micros(milliseconds * MILLISECOND)
    }

    /// Reads rows created at these milliseconds, and says which were seen.
    fn read(rows: &[i64], from: i64, now: i64, limit: u16) -> Result<Vec<i64>, TooDense> {
        let mut search = Search::since(Along::Created, at(from), limit);
        let mut seen = Vec::new();
        while let Some(Query::Created { from, to, limit }) = search.next(Instant::from_micros(0)) {
            let inside = |row: &&i64| at(**row) >= from && to.is_none_or(|to| at(**row) <= to);
            let page: Vec<i64> = rows.iter().filter(inside).take(limit.into()).copied().collect();
            if page.len() == usize::from(limit) {
                search.halve(at(now))?;
            } else {
                seen.extend(page);
                search.part_done();
            }
        }
        assert!(search.part.is_none());
        seen.sort_unstable();
        seen.dedup();
        Ok(seen)
    }

    proptest! {
        #[test]
        fn every_row_is_seen(mut rows in prop::collection::btree_set(0..5_000_i64, 0..300), limit in 3..20_u16) {
            rows.retain(|row| *row >= 10);
            let rows: Vec<i64> = rows.into_iter().collect();
            prop_assert_eq!(read(&rows, 10, 5_000, limit), Ok(rows));
        }
    }

    #[test]
    fn a_millisecond_that_fills_a_page_is_not_complete() {
        assert_eq!(read(&[7; 300], 0, 100, 100), Ok(vec![7]), "a larger page may hold it");
        assert!(read(&[7; 1_000], 0, 100, 100).is_err());
    }

    #[test]
    fn after_a_failure_fewer_rows_are_asked_for_where_the_part_can_be_halved() {
        let limit = |from: i64, to: i64| {
            let mut search = Search::between(Along::Created, at(from), Some(at(to)), 1_000);
            search.ask_for_at_most(100);
            let Some(Query::Created { limit, .. }) = search.next(Instant::from_micros(0)) else { return 0 };
            limit
        };
        assert_eq!((limit(0, 5_000), limit(7, 8)), (100, 1_000));
    }

    #[test]
    fn rows_newer_than_we_think_are_seen() {
        assert_eq!(read(&[5, 500], 0, 100, 10), Ok(vec![5, 500]));
    }
}
