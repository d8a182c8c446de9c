//! What a listing repeats of the one before it. Each read of the watch overlaps the last by ten polls, so most of its
//! rows say nothing new, and need not be looked at again.

use std::sync::Arc;

use super::seen::{Listing, SeenCall};

/// The last listing.
#[derive(Debug, Default)]
pub struct Repeats {
    last: Listing,
    /// Those of its rows that are to be looked at again if they repeat.
    again: Vec<Arc<SeenCall>>,
}

impl Repeats {
    /// Takes in a listing. Returns its rows that were not in the last one, or looked otherwise; those of the last that
    /// are not in this one are `gone`. Where both are in the order of creation, the newest first, every repeated row is
    /// recognised; in any other order some are taken for fresh.
    pub fn take(&mut self, rows: &Listing, mut gone: impl FnMut(&SeenCall)) -> Vec<Arc<SeenCall>> {
        let mut fresh = Vec::new();
        if Arc::ptr_eq(&self.last, rows) && self.again.is_empty() {
            return fresh;
        }
        let mut before = self.rows().peekable();
        for row in &**rows {
            if before.next_if(|known| Arc::ptr_eq(known, row)).is_some() {
                continue;
            }
            while let Some(newer) = before.next_if(|known| known.created > row.created) {
                gone(newer);
            }
            if before.next_if(|known| Arc::ptr_eq(known, row) || *known == row).is_none() {
                fresh.push(Arc::clone(row));
            }
        }
        before.for_each(|left| gone(left));
        self.last = Arc::clone(rows);
        self.again.clear();
        fresh
    }

    /// The rows of the last listing, but for those that are to be looked at again.
    pub fn rows(&self) -> impl Iterator<Item = &Arc<SeenCall>> {
        self.last.iter().filter(|row| !self.is_again(row))
    }

    /// Rows that are to be looked at again if they repeat.
    pub fn look_again(&mut self, mut which: impl FnMut(&SeenCall) -> bool) {
        let more: Vec<_> = self.rows().filter(|row| which(row)).cloned().collect();
        self.again.extend(more);
    }

    fn is_again(&self, row: &Arc<SeenCall>) -> bool {
        self.again.iter().any(|known| Arc::ptr_eq(known, row))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::campaign::seen::Status;
    use crate::pool::calls::CallId;
    use crate::time::Stamp;

    fn row(number: u8, look: u8) -> Arc<SeenCall> {
        let created = Stamp::from_micros(i64::from(number / 2));
        Arc::new(SeenCall {
            id: CallId::new(&number.to_string()),
            org: None,
            status: Status::Queued,
            created,
            updated: created,
            started: None,
            ended: None,
            reason: None,
            attempt: None,
            phone: None,
            cost: Some(look.into()),
            spoke: false,
            opt_out: false,
        })
    }

    fn rows() -> impl Strategy<Value = Vec<Arc<SeenCall>>> {
        prop::collection::btree_map(0_u8..20, 0_u8..3, 0..20)
            .prop_map(|rows| rows.into_iter().rev().map(|(number, look)| row(number, look)).collect())
    }

    proptest! {
        #[test]
        fn nothing_that_changed_is_missed(first in rows(), mut second in rows(), shuffled: bool) {
            if shuffled {
                second.sort_by_key(|row| row.id.as_str().len());
            }
            let mut repeats = Repeats::default();
            repeats.take(&first.as_slice().into(), |_| {});
            let mut gone = Vec::new();
            let fresh = repeats.take(&second.as_slice().into(), |row| gone.push(row.clone()));
            let missing = |row: &&Arc<SeenCall>, from: &[Arc<SeenCall>]| !from.contains(row);
            for row in second.iter().filter(|row| missing(row, &first)) {
                prop_assert!(fresh.contains(row));
            }
            for row in first.iter().filter(|row| missing(row, &second)) {
                prop_assert!(gone.contains(row));
            }
            prop_assert!(repeats.rows().eq(&second));
        }
    }

    #[test]
    fn the_same_listing_says_nothing_new_but_what_is_to_be_looked_at_again() {
        let mut repeats = Repeats::default();
        let listing: Listing = (0..4).rev().map(|number| row(number, 0)).collect();
        let take = |repeats: &mut Repeats| repeats.take(&listing, |row| panic!("{row:?} is not gone"));
        assert_eq!([take(&mut repeats).len(), take(&mut repeats).len()], [4, 0]);
        repeats.look_again(|row| row.id.as_str() == "2");
        assert_eq!(repeats.rows().count(), 3);
        assert_eq!((take(&mut repeats), take(&mut repeats)), (vec![row(2, 0)], vec![]));
    }

    #[test]
    fn what_repeats_in_order_is_recognised() {
        let mut repeats = Repeats::default();
        let mut rows: Vec<Arc<SeenCall>> = (0..20).rev().map(|number| row(number, 0)).collect();
        repeats.take(&rows.as_slice().into(), |_| {});
        rows[3] = row(16, 1);
        rows.remove(7);
        rows.insert(0, row(30, 0));
        let mut gone = Vec::new();
        let fresh = repeats.take(&rows.as_slice().into(), |row| gone.push(row.id.to_string()));
        let fresh: Vec<&str> = fresh.iter().map(|row| row.id.as_str()).collect();
        assert_eq!((fresh.join(" "), gone.join(" ")), ("30 16".to_owned(), "16 12".to_owned()));
    }
}
