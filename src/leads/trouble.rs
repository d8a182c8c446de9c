//! The words for what is wrong with a list as a whole: what, where, and what to do now.

use super::columns::ColumnsError;
use super::phone::Reading;
use super::shown::{shown, typed};

/// The headers in a row, for people.
pub(super) fn names(headers: &[String]) -> String {
    let shown: Vec<String> =
        headers.iter().filter(|header| !header.trim().is_empty()).map(|header| shown(header.trim())).collect();
    shown.join(", ")
}

/// Headers that do not tell the columns.
pub(super) fn headers(error: &ColumnsError, headers: &[String]) -> String {
    let what = format!("{error}\n  its columns are: {}", names(headers));
    match error {
        ColumnsError::NoNumber if headers.iter().any(|header| Reading::default().read(header).is_ok()) => {
            format!("{what}\n  its first row looks like a lead: put a row of headers above it")
        }
        ColumnsError::NoNumber => {
            let likely = headers.iter().find(|header| is_like_a_number(header)).or_else(|| headers.first());
            let header = likely.map_or_else(|| "HEADER".to_owned(), |header| typed(header.trim()));
            format!("{what}\n  say which one:   --column number={header}")
        }
        ColumnsError::Ambiguous(several) => {
            let ways: Vec<String> =
                several.iter().map(|header| format!("--column number={}", typed(header))).collect();
            format!("{what}\n  say which one:   {}", ways.join("   or   "))
        }
        ColumnsError::Duplicate(_) => format!("{what}\n  rename one of the two"),
        ColumnsError::Missing(_) | ColumnsError::Twice(_) => what,
    }
}

/// A header that most likely names a number, though not surely enough to be taken for one.
fn is_like_a_number(header: &str) -> bool {
    let lower = header.to_lowercase();
    ["tel", "phone", "fon", "mobil", "handy", "cel", "numb", "num"].iter().any(|part| lower.contains(part))
}

/// A list without anybody to ring.
pub(super) fn nobody(rejected: u64) -> String {
    match rejected {
        0 => "there is no row below its headers".to_owned(),
        1 => "its one row was rejected".to_owned(),
        rejected => format!("all of its {rejected} rows were rejected"),
    }
}
