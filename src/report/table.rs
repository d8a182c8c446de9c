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
    /// Takes in the names of the variables of a lead.
    pub fn add<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for (nth, name) in names.enumerate() {
            if self.place(nth, name).is_none() {
                self.places.insert(name.to_owned(), self.names.len());
                self.names.push(name.to_owned());
            }
        }
    }

    /// Where a name stands; most leads have all of them, in the same order.
    fn place(&self, nth: usize, name: &str) -> Option<usize> {
        if self.names.get(nth).is_some_and(|known| known == name) { Some(nth) } else { self.places.get(name).copied() }
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The cells of a lead under these names.
    pub fn cells<'a>(&self, variables: &'a [(String, String)]) -> Vec<&'a str> {
        let mut cells = vec![""; self.names.len()];
        for (nth, (name, value)) in variables.iter().enumerate() {
            if let Some(place) = self.place(nth, name) {
                cells[place] = value;
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
