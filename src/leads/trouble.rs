//! The words for what is wrong with a list as a whole: what, where, and what to do now.

use super::columns::{ColumnsError, holds_numbers, is_like_a_number};
use super::headers::{is_not_to_be_called, names_a_phone};
use super::shown::{shown, typed};
use crate::report::style::thousands;

/// The headers in a row, for people.
pub(super) fn names(headers: &[String]) -> String {
    let shown: Vec<String> =
        headers.iter().filter(|header| !header.trim().is_empty()).map(|header| shown(header.trim())).collect();
    shown.join(", ")
}

/// Letters that are needed to tell whether a list is text at all.
const LETTERS: usize = 40;

/// How a list begins whose headers do not tell the columns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListHead {
    /// The first row.
    pub headers: Vec<String>,
    /// The rows below it.
    pub rows: Vec<Vec<String>>,
}

/// Headers that do not tell the columns.
pub(super) fn headers(error: &ColumnsError, list: &ListHead) -> String {
    let what = format!("{error}\n  its columns are: {}", names(&list.headers));
    match error {
        _ if list.is_no_text() => "is no text, and so no list\n  export it as CSV".to_owned(),
        ColumnsError::NoNumber if list.headers.iter().any(|header| is_like_a_number(header)) => format!(
            "has no header line\n  its first line looks like a lead: {}\n  \
             put a row of headers above it, as in: phone,name",
            names(&list.headers)
        ),
        ColumnsError::NoNumber => {
            let ways: Vec<String> =
                list.likely().map(|header| format!("--column number={}", typed(header.trim()))).collect();
            if ways.is_empty() {
                return format!(
                    "{what}\n  none of them holds phone numbers, as it seems; else say which one:   --column number=HEADER"
                );
            }
            format!("{what}\n  say which one:   {}", ways.join("   or   "))
        }
        ColumnsError::Duplicate(_) => format!("{what}\n  rename one of the two"),
        ColumnsError::Missing(_) | ColumnsError::Twice(_) => what,
    }
}

impl ListHead {
    /// Whether more than one in ten of its letters is none.
    fn is_no_text(&self) -> bool {
        let letters = || self.headers.iter().chain(self.rows.iter().flatten()).flat_map(|cell| cell.chars());
        let odd = letters().filter(|letter| letter.is_control() && !letter.is_whitespace() || *letter == '\u{fffd}');
        letters().nth(LETTERS).is_some() && odd.count() * 10 > letters().count()
    }

    /// The columns that may hold the numbers: by what stands in them, else by their names.
    fn likely(&self) -> impl Iterator<Item = &String> {
        let named = || self.headers.iter().enumerate().filter(|(_, header)| !header.trim().is_empty());
        let by_cells = || named().filter(|(at, _)| holds_numbers(&self.rows, *at));
        let by_name = |(_, header): &(usize, &String)| by_cells().next().is_none() && names_a_phone(header);
        // One's own line is no lead, and hardly anything to call is in a column of fax numbers.
        let is_theirs = |(_, header): &(usize, &String)| !is_not_to_be_called(header);
        let all: Vec<_> = by_cells().chain(named().filter(by_name)).collect();
        let theirs: Vec<_> = all.iter().copied().filter(is_theirs).collect();
        (if theirs.is_empty() { all } else { theirs }).into_iter().map(|(_, header)| header)
    }
}

/// The ways to say which sheet is meant.
pub(super) fn sheets(names: &[String]) -> String {
    let ways: Vec<String> = names.iter().map(|name| format!("--sheet {}", typed(name))).collect();
    ways.join("   or   ")
}

/// A list without anybody to call.
pub(super) fn nobody(rejected: u64) -> String {
    match rejected {
        0 => "there is no row below its headers".to_owned(),
        1 => "its one row was rejected".to_owned(),
        rejected => format!("all of its {} rows were rejected", thousands(rejected)),
    }
}
