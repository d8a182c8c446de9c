//! What an import takes in, and what it made of it.

use serde::{Deserialize, Serialize};

use super::Error;
use crate::leads::lead::Lead;

/// Duplicates that are told one by one.
pub(super) const DUPLICATES_SHOWN: usize = 20;

/// One row of a list that can be called.
#[derive(Clone, PartialEq, Debug)]
pub struct Listed {
    /// Which of the lists, from 0.
    pub file_index: usize,
    /// Its line in that list.
    pub line: u64,
    /// Who it is.
    pub lead: Lead,
}

/// What an import made of a list.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Imported {
    /// Rows that came.
    pub rows: u64,
    /// Leads on the list now.
    pub leads: u64,
    /// Rows that repeat an earlier one.
    pub duplicates: u64,
    /// Where the first of them stand: list and line.
    pub duplicate_lines: Vec<(usize, u64)>,
    /// Leads that were not known before.
    pub added: u64,
    /// Leads that were gone from the list and are on it again.
    pub back: u64,
    /// Leads that are not on the list any more.
    pub removed: u64,
    /// The campaign that has just called most of them, and how many of them.
    #[serde(skip)]
    pub called_by: Option<(String, u64)>,
}

impl Imported {
    /// Counts a row that repeats an earlier one.
    pub(super) fn duplicate(&mut self, file_index: usize, line: u64) {
        self.duplicates += 1;
        if self.duplicate_lines.len() < DUPLICATES_SHOWN {
            self.duplicate_lines.push((file_index, line));
        }
    }
}

/// Lines that one list may have before its places run into the next one's.
const LINES: i64 = 1 << 40;

/// Where a row stands among all rows of all lists, as one number that sorts.
pub(super) fn place(file_index: usize, line: u64) -> i64 {
    let file = i64::try_from(file_index).unwrap_or(i64::MAX).min(1 << 20);
    let line = i64::try_from(line).unwrap_or(i64::MAX).min(LINES - 1);
    file * LINES + line
}

/// The list and the line of a place.
pub(super) fn placed(place: i64) -> (usize, u64) {
    let (file, line) = (place.div_euclid(LINES), place.rem_euclid(LINES));
    (usize::try_from(file).unwrap_or(0), line.unsigned_abs())
}

/// Why a list could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError<E> {
    /// The list could not be read to its end.
    #[error("{0}")]
    List(E),
    /// The journal refused.
    #[error(transparent)]
    Journal(#[from] Error),
}
