//! Text to rows, after RFC 4180 as people break it. The csv crate would read the rest of the file into one cell where a
//! quotation mark is never closed, and knows no largest row; here such a row costs its own line and is reported.

use std::io;

use super::decode::Decode;
use super::sniff;
use super::{MAX_CELL, MAX_CELLS, MAX_ROW, Row, TableFlaw};

/// Line breaks within one cell, beyond which its quotation mark is taken to be open.
const MAX_BREAKS: usize = 200;

/// Bytes of a row that is too large which are kept to be shown.
const KEPT: usize = 256;

/// The rows of a delimited text.
pub struct Records {
    decode: Decode,
    text: Vec<u8>,
    at: usize,
    ended: bool,
    line: u64,
    delimiter: u8,
    width: Option<usize>,
}

/// What stands at the beginning of some text.
#[derive(PartialEq, Eq, Debug)]
pub enum Scan {
    /// A whole row, how many bytes it takes, and how many line breaks lie inside its cells.
    Row {
        /// Its cells.
        cells: Vec<String>,
        /// Bytes it takes, its line end included.
        used: usize,
        /// Line breaks inside its cells.
        breaks: usize,
    },
    /// The beginning of a row.
    More,
    /// A quotation mark that is not closed where it could be.
    Open,
    /// More than a row may hold.
    TooLarge,
}

impl Records {
    /// Looks at the beginning: `sep=` and the delimiter.
    pub fn new(decode: Decode) -> io::Result<Self> {
        let mut records = Self { decode, text: Vec::new(), at: 0, ended: false, line: 1, delimiter: b',', width: None };
        records.fill()?;
        match said_delimiter(&records.text) {
            Some((delimiter, used)) => (records.delimiter, records.at, records.line) = (delimiter, used, 2),
            None => records.delimiter = sniff::delimiter(&records.text, records.ended),
        }
        Ok(records)
    }

    /// How many cells a row ought to have.
    pub fn expect_width(&mut self, width: usize) {
        self.width = Some(width);
    }

    /// The next row, blank ones too; `None` at the end.
    pub fn next_row(&mut self) -> io::Result<Option<Row>> {
        loop {
            let rest = &self.text[self.at..];
            if rest.is_empty() && self.ended {
                return Ok(None);
            }
            match scan(rest, self.ended, self.delimiter, true) {
                Scan::Row { cells, used, breaks } => {
                    if breaks > 0 && self.swallowed(cells.len()) {
                        return self.first_line(TableFlaw::OpenQuote).map(Some);
                    }
                    return Ok(Some(self.take(cells, used, breaks, None)));
                }
                Scan::More => self.fill()?,
                Scan::Open => return self.first_line(TableFlaw::OpenQuote).map(Some),
                Scan::TooLarge => return self.first_line(TableFlaw::TooLarge).map(Some),
            }
        }
    }

    /// What parts the cells, for people.
    pub fn delimiter_name(&self) -> &'static str {
        match self.delimiter {
            b',' => "commas",
            b';' => "semicolons",
            b'\t' => "tabs",
            b'|' => "pipes",
            _ => "a delimiter of its own",
        }
    }

    /// The encoding, for people.
    pub fn encoding_name(&self) -> String {
        match self.decode.encoding().name() {
            name if name.starts_with("windows-") => format!("Windows-{}", &name["windows-".len()..]),
            name => name.to_owned(),
        }
    }

    /// Whether the row at hand, of that many cells, has line breaks in it only because a quotation mark is open: it
    /// has the wrong width, and its first line alone has the right one.
    fn swallowed(&self, cells: usize) -> bool {
        let Some(width) = self.width.filter(|width| *width != cells) else { return false };
        let rest = &self.text[self.at..];
        matches!(scan(rest, self.ended, self.delimiter, false), Scan::Row { cells, .. } if cells.len() == width)
    }

    /// The first line as a row of its own, quotation marks being letters like any other.
    fn first_line(&mut self, flaw: TableFlaw) -> io::Result<Row> {
        loop {
            match scan(&self.text[self.at..], self.ended, self.delimiter, false) {
                Scan::Row { cells, used, .. } => return Ok(self.take(cells, used, 0, Some(flaw))),
                Scan::More => self.fill()?,
                Scan::Open | Scan::TooLarge => return self.skip_line(),
            }
        }
    }

    /// Drops a line, however long.
    fn skip_line(&mut self) -> io::Result<Row> {
        let rest = &self.text[self.at..];
        let cells = vec![String::from_utf8_lossy(&rest[..rest.len().min(KEPT)]).into_owned()];
        loop {
            let rest = &self.text[self.at..];
            if let Some((_, next)) = line_end(rest, self.ended) {
                return Ok(self.take(cells, next, 0, Some(TableFlaw::TooLarge)));
            }
            // A carriage return at the very end stays, to be seen together with what follows.
            self.at = self.text.len() - usize::from(rest.ends_with(b"\r"));
            self.fill()?;
        }
    }

    fn take(&mut self, cells: Vec<String>, used: usize, breaks: usize, flaw: Option<TableFlaw>) -> Row {
        let line = self.line;
        self.at += used;
        self.line += 1 + breaks as u64;
        Row { line, cells, flaw }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.text.drain(..self.at);
        self.at = 0;
        self.ended = !self.decode.fill(&mut self.text)?;
        Ok(())
    }
}

/// `sep=;` on the first line, as Excel writes and reads it: the delimiter, and the bytes that the line takes.
fn said_delimiter(text: &[u8]) -> Option<(u8, usize)> {
    let rest = text.strip_prefix(b"sep=").or_else(|| text.strip_prefix(b"SEP="))?;
    let (end, next) = line_end(rest, true)?;
    match rest[..end] {
        [delimiter] if delimiter.is_ascii() && delimiter != b'"' => Some((delimiter, 4 + next)),
        _ => None,
    }
}

/// Where the line ends, and where the next one begins; `None` if that cannot be told yet.
fn line_end(text: &[u8], ended: bool) -> Option<(usize, usize)> {
    match text.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        Some(at) => break_at(text, at, ended).map(|length| (at, at + length)),
        None => ended.then_some((text.len(), text.len())),
    }
}

/// How long the line break is that stands there: `\n`, `\r\n` or a lone `\r`; `None` if that cannot be told yet.
fn break_at(text: &[u8], at: usize, ended: bool) -> Option<usize> {
    match (text[at], text.get(at + 1)) {
        (b'\r', Some(b'\n')) => Some(2),
        (b'\r', None) if !ended => None,
        _ => Some(1),
    }
}

/// One cell, where it ends, and the line breaks in it.
struct Cell {
    text: String,
    end: usize,
    breaks: usize,
}

/// The row at the beginning of some text. Without `quotes`, quotation marks are letters like any other.
pub fn scan(text: &[u8], ended: bool, delimiter: u8, quotes: bool) -> Scan {
    let (mut cells, mut breaks, mut at) = (Vec::new(), 0, 0);
    loop {
        let cell = match cell(text, at, ended, delimiter, quotes) {
            Ok(cell) => cell,
            Err(other) => return other,
        };
        breaks += cell.breaks;
        if cell.text.len() > MAX_CELL || cell.end > MAX_ROW || cells.len() == MAX_CELLS {
            return if cell.breaks > 0 { Scan::Open } else { Scan::TooLarge };
        }
        cells.push(cell.text);
        at = cell.end;
        match text.get(at) {
            Some(byte) if *byte == delimiter => at += 1,
            Some(_) => {
                let Some(length) = break_at(text, at, ended) else { return Scan::More };
                return Scan::Row { cells, used: at + length, breaks };
            }
            None => return Scan::Row { cells, used: at, breaks },
        }
    }
}

fn cell(text: &[u8], start: usize, ended: bool, delimiter: u8, quotes: bool) -> Result<Cell, Scan> {
    if quotes {
        let spaces = text[start..].iter().take_while(|byte| **byte == b' ').count();
        match text.get(start + spaces) {
            Some(b'"') => return quoted(text, start + spaces + 1, ended, delimiter),
            None if !ended => return Err(more(text)),
            _ => {}
        }
    }
    let end = plain_end(text, start, ended, delimiter)?;
    Ok(Cell { text: String::from_utf8_lossy(&text[start..end]).into_owned(), end, breaks: 0 })
}

/// Where a cell without quotation marks ends.
fn plain_end(text: &[u8], start: usize, ended: bool, delimiter: u8) -> Result<usize, Scan> {
    let length = text[start..].iter().position(|byte| matches!(byte, b'\n' | b'\r') || *byte == delimiter);
    match length {
        Some(length) => Ok(start + length),
        None if ended => Ok(text.len()),
        None => Err(more(text)),
    }
}

/// More is needed, unless there is too much already.
fn more(text: &[u8]) -> Scan {
    if text.len() > MAX_ROW { Scan::TooLarge } else { Scan::More }
}

/// A cell in quotation marks, from behind the first of them.
fn quoted(text: &[u8], start: usize, ended: bool, delimiter: u8) -> Result<Cell, Scan> {
    let (mut value, mut breaks, mut at) = (Vec::new(), 0, start);
    loop {
        let Some(length) = text[at..].iter().position(|byte| matches!(byte, b'"' | b'\n' | b'\r')) else {
            return Err(if ended || text.len() > MAX_ROW { Scan::Open } else { Scan::More });
        };
        value.extend_from_slice(&text[at..at + length]);
        at += length;
        if text[at] != b'"' {
            let length = break_at(text, at, ended).ok_or(Scan::More)?;
            value.extend_from_slice(&text[at..at + length]);
            (at, breaks) = (at + length, breaks + 1);
            if breaks > MAX_BREAKS || value.len() > MAX_CELL {
                return Err(Scan::Open);
            }
            continue;
        }
        match text.get(at + 1) {
            Some(b'"') => {
                value.push(b'"');
                at += 2;
            }
            None if !ended => return Err(more(text)),
            _ => break,
        }
    }
    // Behind the closing mark comes the delimiter or the line's end. Letters there belong to the cell, as in the csv
    // crate, but in a cell of several lines they show that the mark was meant to open one.
    let end = plain_end(text, at + 1, ended, delimiter)?;
    let tail = &text[at + 1..end];
    if tail.iter().any(|byte| *byte != b' ') {
        if breaks > 0 {
            return Err(Scan::Open);
        }
        value.extend_from_slice(tail);
    }
    Ok(Cell { text: String::from_utf8_lossy(&value).into_owned(), end, breaks })
}
