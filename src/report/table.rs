//! The columns of a report's table, and cells that are safe to open in a spreadsheet.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// The names of the further columns of a list, in the order in which they are met.
#[derive(Clone, Debug, Default)]
pub struct ListColumns {
    names: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl ListColumns {
    /// Takes in names, but for those that are known.
    pub fn add<'a>(&mut self, names: impl IntoIterator<Item = &'a String>) {
        for name in names {
            if !self.places.contains_key(name) {
                self.places.insert(name.clone(), self.names.len());
                self.names.push(name.clone());
            }
        }
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The cells of a lead under these names.
    pub fn cells<'a>(&self, variables: &'a [(String, String)]) -> Vec<&'a str> {
        let mut cells = vec![""; self.names.len()];
        for (name, value) in variables {
            if let Some(place) = self.places.get(name) {
                cells[*place] = value;
            }
        }
        cells
    }
}

/// A cell that no spreadsheet takes for a formula: an apostrophe in front makes it text.
pub fn as_text(cell: &str) -> Cow<'_, str> {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{cell}").into() } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_run() {
        for cell in ["=1+1", "+14155550100", "-3", "@x", "\t=1"] {
            assert!(as_text(cell).starts_with('\''), "{cell}");
        }
        assert_eq!(as_text("Ada"), "Ada");
    }
}
