//! How many rows of a list became what.

use serde::Serialize;

/// Rows of a list: `rows = leads + rejected + duplicates`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counts {
    /// All rows but the headers and the blank ones.
    pub rows: u64,
    /// Leads, each once.
    pub leads: u64,
    /// Rows that cannot be called.
    pub rejected: u64,
    /// Leads that were on an earlier row.
    pub duplicates: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.leads += other.leads;
        self.rejected += other.rejected;
        self.duplicates += other.duplicates;
    }
}
