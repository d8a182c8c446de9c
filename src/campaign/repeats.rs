//! What a listing repeats of the one before it. Each read of the watch overlaps the last by ten polls, so most of its
//! rows say nothing new, and need not be looked at again.

use std::sync::Arc;

use super::seen::SeenCall;

/// The rows of the last listing.
#[derive(Debug, Default)]
pub struct Repeats {
    rows: Vec<Arc<SeenCall>>,
}

/// How a listing differs from the one before.
#[derive(Debug, Default)]
pub struct Difference {
    /// Rows that were not in it, or looked otherwise.
    pub fresh: Vec<Arc<SeenCall>>,
    /// Rows of it that are not in this one.
    pub gone: Vec<Arc<SeenCall>>,
}

impl Repeats {
    /// Takes in a listing, and says how it differs from the last. Where both are in the order of creation, the newest
    /// first, every repeated row is recognised; in any other order some are taken for fresh.
    pub fn take(&mut self, rows: &[Arc<SeenCall>]) -> Difference {
        let mut difference = Difference::default();
        if self.rows.len() == rows.len() && self.rows.iter().zip(rows).all(|(known, row)| Arc::ptr_eq(known, row)) {
            return difference;
        }
        let mut before = self.rows.drain(..).peekable();
        for row in rows {
            if before.next_if(|known| Arc::ptr_eq(known, row)).is_some() {
                continue;
            }
            while let Some(newer) = before.next_if(|known| known.created > row.created) {
                difference.gone.push(newer);
            }
            if before.next_if(|known| Arc::ptr_eq(known, row) || known == row).is_none() {
                difference.fresh.push(Arc::clone(row));
            }
        }
        difference.gone.extend(before);
        self.rows.extend_from_slice(rows);
        difference
    }

    /// The rows of the last listing.
    pub fn rows(&self) -> &[Arc<SeenCall>] {
        &self.rows
    }

    /// Keeps only those rows that are not to be looked at again if they repeat.
    pub fn keep(&mut self, known: impl FnMut(&Arc<SeenCall>) -> bool) {
        self.rows.retain(known);
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
            repeats.take(&first);
            let difference = repeats.take(&second);
            let missing = |row: &&Arc<SeenCall>, from: &[Arc<SeenCall>]| !from.contains(row);
            for row in second.iter().filter(|row| missing(row, &first)) {
                prop_assert!(difference.fresh.contains(row));
            }
            for row in first.iter().filter(|row| missing(row, &second)) {
                prop_assert!(difference.gone.contains(row));
            }
            prop_assert_eq!(repeats.rows(), second);
        }
    }

    #[test]
    fn what_repeats_in_order_is_recognised() {
        let mut repeats = Repeats::default();
        let mut rows: Vec<Arc<SeenCall>> = (0..20).rev().map(|number| row(number, 0)).collect();
        repeats.take(&rows);
        rows[3] = row(16, 1);
        rows.remove(7);
        rows.insert(0, row(30, 0));
        let difference = repeats.take(&rows);
        let ids = |rows: &[Arc<SeenCall>]| rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!((ids(&difference.fresh), ids(&difference.gone)), ("30 16".to_owned(), "16 12".to_owned()));
    }
}
