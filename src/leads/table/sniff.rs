//! Which character parts the cells. Only four are ever meant, so only they are tried.

use super::records::{Scan, scan};

/// The delimiters that are tried, the likelier first.
pub const DELIMITERS: [u8; 4] = *b",;\t|";

/// Rows looked at.
const ROWS: usize = 50;
/// Digits of a phone number: headers have fewer.
const DIGITS: usize = 7;

/// The delimiter with which most of the first rows have as many cells as the first one has; the comma if none parts
/// anything.
pub fn delimiter(sample: &[u8], ended: bool) -> u8 {
    let mut best = (b',', 0, 1);
    for candidate in DELIMITERS {
        let (alike, rows, width) = agreement(sample, ended, candidate);
        // Shares are compared as fractions; at the same share the one with more columns parts more.
        let better = (alike * best.2).cmp(&(best.1 * rows));
        if width > 1 && (better.is_gt() || (better.is_eq() && best.1 == 0)) {
            best = (candidate, alike, rows);
        }
    }
    best.0
}

/// Rows that are as wide as the first, of how many, and that width. Where the first is one cell, it may be a title above
/// the headers: then it is the width of half of the rows below at least, the first of which looks like headers.
fn agreement(sample: &[u8], ended: bool, delimiter: u8) -> (usize, usize, usize) {
    let (mut widths, mut at): (Vec<(usize, usize)>, usize) = (Vec::new(), 0);
    while widths.len() < ROWS && at < sample.len() {
        let Scan::Row { cells, used, .. } = scan(&sample[at..], ended, delimiter, true) else { break };
        at += used;
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            let digits = cells.iter().flat_map(|cell| cell.bytes()).filter(u8::is_ascii_digit).count();
            widths.push((cells.len(), digits));
        }
    }
    let rows = widths.len().max(1);
    let alike = |width: usize| widths.iter().filter(|(other, _)| *other == width).count();
    match widths.first() {
        Some((1, _)) => {
            let titles = widths.iter().take_while(|(width, _)| *width == 1).count();
            let below = rows - titles.min(rows);
            let is_header =
                |(width, digits): &&(usize, usize)| below > 1 && *digits < DIGITS && alike(*width) * 2 >= below;
            match widths.get(titles).filter(is_header) {
                Some((width, _)) => (alike(*width), below, *width),
                None => (alike(1), rows, 1),
            }
        }
        first => first.map_or((0, rows, 0), |(width, _)| (alike(*width), rows, *width)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_that_parts_the_rows_alike_is_taken() {
        for (sample, expected) in [
            ("number,name\n+1,Bob\n+2,\"Smith; John\"\n", b','),
            ("number;name\n+1;Smith, John\n+2;a,b,c\n", b';'),
            ("number\tname\n+1\tSmith, John; Jr\n", b'\t'),
            ("number|name\n+1|x\n", b'|'),
            ("number\n+1 415 555 0100\n", b','),
            ("name;note\n\"a, b;\nc\";x\ny;z\n", b';'),
            ("Leads of May, all\nTelefon;Name\n+1;Ada\n+2;Bob\n", b';'),
            ("", b','),
        ] {
            assert_eq!(char::from(delimiter(sample.as_bytes(), true)), char::from(expected), "{sample:?}");
        }
    }
}
