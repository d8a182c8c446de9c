//! Which character parts the cells. Only four are ever meant, so only they are tried.

use super::records::{Scan, scan};

/// The delimiters that are tried, the likelier first.
pub const DELIMITERS: [u8; 4] = *b",;\t|";

/// Rows looked at.
const ROWS: usize = 50;

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

/// Rows that are as wide as the first, of how many, and that width.
fn agreement(sample: &[u8], ended: bool, delimiter: u8) -> (usize, usize, usize) {
    let (mut alike, mut rows, mut width, mut at) = (0, 0, 0, 0);
    while rows < ROWS && at < sample.len() {
        let cells = match scan(&sample[at..], ended, delimiter, true) {
            Scan::Row { cells, used, .. } => {
                at += used;
                cells
            }
            _ => break,
        };
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        rows += 1;
        width = if rows == 1 { cells.len() } else { width };
        alike += usize::from(cells.len() == width);
    }
    (alike, rows.max(1), width)
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
            ("", b','),
        ] {
            assert_eq!(char::from(delimiter(sample.as_bytes(), true)), char::from(expected), "{sample:?}");
        }
    }
}
