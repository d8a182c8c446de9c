//! Bytes to rows: whatever a spreadsheet, a database or a text editor exports, streamed, each row with the line on
//! which it starts. It knows nothing of leads, and never holds more than one row and one block of the file.

pub mod decode;
pub mod json;
pub mod package;
pub mod records;
pub mod sheet;
pub mod sniff;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::options::Source;
use super::shown::plain;
use crate::private_file::Bounded;
use decode::Decode;
use json::{Json, is_json};
use records::Records;
use sheet::Sheet;

/// The largest row, in bytes of UTF-8.
pub const MAX_ROW: usize = 1 << 20;
/// The largest cell, in bytes of UTF-8.
pub const MAX_CELL: usize = 1 << 16;
/// The most cells of a row.
pub const MAX_CELLS: usize = 4_096;

/// The most bytes of a list that comes through a pipe: a device has no end.
pub const MAX_STREAM: u64 = 1 << 30;

/// One row, as it stands in the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// The line on which it starts; of a sheet, the row's number.
    pub line: u64,
    /// Its cells, untrimmed.
    pub cells: Vec<String>,
    /// What is wrong with the row as a whole.
    pub flaw: Option<TableFlaw>,
}

/// What is wrong with a row as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableFlaw {
    /// A quotation mark that is never closed; the row is its first line, the rest of the file is read on from there.
    OpenQuote,
    /// Larger than a row, or with more cells, than this program takes; its cells are cut.
    TooLarge,
}

/// Why a file is no table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be opened or read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// Its size or time is another one at the end than at the beginning.
    #[error("changed while it was read\n  run again when it is written whole")]
    Changed,
    /// It is something else than a table; with what to do.
    #[error("cannot be used: {0}")]
    Foreign(String),
    /// `--sheet` was said of a list that has none.
    #[error("is no workbook, and has no sheet \"{}\"\n  leave --sheet out, or name the workbook", plain(.0))]
    NotAWorkbook(String),
    /// `--sheet` names none of its sheets.
    #[error("has no sheet \"{}\"\n  its sheets are: {}", plain(wanted), plain(&sheets.join(", ")))]
    NoSheet {
        /// What was asked for.
        wanted: String,
        /// What there is.
        sheets: Vec<String>,
    },
}

/// A table that is being read.
pub struct Table {
    rows: Rows,
    ahead: VecDeque<Row>,
    width: usize,
    read: Arc<AtomicU64>,
    size: Option<u64>,
    /// The file that is read, if it is one, and what it was like when it was opened.
    watched: Option<(File, Look)>,
}

/// What tells that a file is written to: its size, and when it was last.
type Look = (u64, SystemTime);

enum Rows {
    Text(Box<Records>),
    Sheet(Sheet),
    Json(Json),
}

impl Table {
    /// Opens a file or standard input and looks at its beginning. `sheet`: which one of a workbook, else the first.
    pub fn open(source: &Source, sheet: Option<&str>) -> Result<Self, TableError> {
        let read = Arc::new(AtomicU64::new(0));
        match source {
            Source::File(path) => Self::open_file(path, sheet, read),
            Source::Stdin => Self::once(Box::new(io::stdin()), sheet, read),
            Source::Copied(copied) => {
                let size = copied.file.metadata()?.len();
                let input = Counted(At { file: Arc::clone(&copied.file), at: 0 }, Arc::clone(&read));
                Self::whole(input, sheet, read, Some(size))
            }
        }
    }

    /// What can be read only once.
    fn once(input: Box<dyn Read + Send>, sheet: Option<&str>, read: Arc<AtomicU64>) -> Result<Self, TableError> {
        let mut input = Counted(Bounded::new(input, MAX_STREAM), Arc::clone(&read));
        let magic = beginning(&mut input)?;
        if is_zip(&magic) || is_json(&magic) {
            let bytes = sheet::slurp(Cursor::new(magic).chain(input))?;
            return Self::whole(Cursor::new(bytes), sheet, read, None);
        }
        Self::text(Box::new(Cursor::new(magic).chain(input)), sheet, read, None)
    }

    /// What can be read at any place.
    fn whole(
        mut input: impl Read + io::Seek + Send + 'static,
        sheet: Option<&str>,
        read: Arc<AtomicU64>,
        size: Option<u64>,
    ) -> Result<Self, TableError> {
        let magic = beginning(&mut input)?;
        input.rewind()?;
        read.store(0, Ordering::Relaxed);
        if is_zip(&magic) {
            let rows = Rows::Sheet(Sheet::open(io::BufReader::new(input), sheet)?);
            return Ok(Self { rows, ahead: VecDeque::new(), width: 0, read, size, watched: None });
        }
        if is_json(&magic) {
            if let Some(sheet) = sheet {
                return Err(TableError::NotAWorkbook(sheet.to_owned()));
            }
            let rows = Rows::Json(Json::open(input)?);
            read.store(0, Ordering::Relaxed);
            return Ok(Self { rows, ahead: VecDeque::new(), width: 0, read, size, watched: None });
        }
        Self::text(Box::new(input), sheet, read, size)
    }

    fn open_file(path: &Path, sheet: Option<&str>, read: Arc<AtomicU64>) -> Result<Self, TableError> {
        let file = File::open(path)?;
        let stat = file.metadata()?;
        if stat.is_dir() {
            return Err(TableError::Foreign("it is a directory".to_owned()));
        }
        if !stat.is_file() {
            return Self::once(Box::new(file), sheet, read);
        }
        let watched = Some((file.try_clone()?, (stat.len(), stat.modified()?)));
        let table = Self::whole(Counted(file, Arc::clone(&read)), sheet, read, Some(stat.len()))?;
        Ok(Self { watched, ..table })
    }

    /// A table in memory.
    pub fn from_bytes(bytes: Vec<u8>, sheet: Option<&str>) -> Result<Self, TableError> {
        let (read, size) = (Arc::new(AtomicU64::new(0)), Some(bytes.len() as u64));
        Self::whole(Counted(Cursor::new(bytes), Arc::clone(&read)), sheet, read, size)
    }

    fn text(
        mut input: Box<dyn Read + Send>,
        sheet: Option<&str>,
        read: Arc<AtomicU64>,
        size: Option<u64>,
    ) -> Result<Self, TableError> {
        let magic = beginning(&mut input)?;
        if let Some(what) = foreign(&magic) {
            return Err(TableError::Foreign(what.to_owned()));
        }
        if let Some(sheet) = sheet {
            return Err(TableError::NotAWorkbook(sheet.to_owned()));
        }
        let decode = Decode::new(Box::new(Cursor::new(magic).chain(input)));
        let rows = Rows::Text(Box::new(Records::new(decode)?));
        Ok(Self { rows, ahead: VecDeque::new(), width: 0, read, size, watched: None })
    }

    /// The rows that [`next_row`](Self::next_row) will give, as many as that or as there are.
    pub fn look_ahead(&mut self, rows: usize) -> Result<&VecDeque<Row>, TableError> {
        while self.ahead.len() < rows
            && let Some(row) = self.read_row()?
        {
            self.ahead.push_back(row);
        }
        Ok(&self.ahead)
    }

    /// The next row that is not blank; `None` at the end.
    pub fn next_row(&mut self) -> Result<Option<Row>, TableError> {
        if let Some(row) = self.ahead.pop_front() {
            return Ok(Some(row));
        }
        self.read_row()
    }

    /// Gives a row back, to be the next one again.
    pub fn put_back(&mut self, row: Row) {
        self.ahead.push_front(row);
    }

    fn read_row(&mut self) -> Result<Option<Row>, TableError> {
        loop {
            let row = match &mut self.rows {
                Rows::Text(records) => records.next_row()?,
                Rows::Sheet(sheet) => sheet.next_row()?.map(|row| padded(row, self.width)),
                Rows::Json(json) => json.next_row()?,
            };
            match row {
                None => {
                    self.is_unchanged()?;
                    return Ok(None);
                }
                Some(row) if row.flaw.is_none() && row.cells.iter().all(|cell| cell.trim().is_empty()) => {}
                row => return Ok(row),
            }
        }
    }

    /// Half of a list that is being written must not be taken for the whole: whoever is missing would be dropped.
    fn is_unchanged(&self) -> Result<(), TableError> {
        let Some((file, before)) = &self.watched else { return Ok(()) };
        let stat = file.metadata()?;
        if (stat.len(), stat.modified()?) == *before { Ok(()) } else { Err(TableError::Changed) }
    }

    /// How many cells a row ought to have: helps to tell a quoted line break from a quote that was never closed.
    pub fn expect_width(&mut self, width: usize) {
        self.width = width;
        if let Rows::Text(records) = &mut self.rows {
            records.expect_width(width);
        }
    }

    /// Whether that row is hidden in its sheet.
    pub fn is_hidden(&self, line: u64) -> bool {
        matches!(&self.rows, Rows::Sheet(sheet) if sheet.is_hidden(line))
    }

    /// The sheet that is read, and the others of the workbook; nothing of a text.
    pub fn sheets(&self) -> Option<(&str, &[String])> {
        if let Rows::Sheet(sheet) = &self.rows { Some((sheet.name(), sheet.others())) } else { None }
    }

    /// How it was read, for people: `CSV, semicolons, Windows-1252`. Certain once the last row was read.
    pub fn format(&self) -> String {
        match &self.rows {
            Rows::Text(records) => format!("CSV, {}, {}", records.delimiter_name(), records.encoding_name()),
            Rows::Json(_) => "JSON".to_owned(),
            Rows::Sheet(sheet) => format!("XLSX, sheet \"{}\"", plain(sheet.name())),
        }
    }

    /// Bytes read so far, and of how many, where that is known. For a progress bar.
    pub fn progress(&self) -> (u64, Option<u64>) {
        let read = self.read.load(Ordering::Relaxed);
        (self.size.map_or(read, |size| read.min(size)), self.size)
    }
}

/// Counts what is read through it.
struct Counted<R>(R, Arc<AtomicU64>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: io::Seek> io::Seek for Counted<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// A reader of a file with a place of its own in it, whoever else reads that file.
struct At {
    file: Arc<File>,
    at: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl io::Seek for At {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            io::SeekFrom::Start(at) => (at, 0),
            io::SeekFrom::Current(by) => (self.at, by),
            io::SeekFrom::End(by) => (self.file.metadata()?.len(), by),
        };
        self.at = from.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// A sheet does not say where its rows end: cells that hold nothing are not written at all.
fn padded(mut row: Row, width: usize) -> Row {
    if row.cells.len() < width && row.cells.iter().any(|cell| !cell.trim().is_empty()) {
        row.cells.resize(width, String::new());
    }
    row
}

/// The first eight bytes, or fewer.
fn beginning(input: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut magic = Vec::with_capacity(8);
    input.take(8).read_to_end(&mut magic)?;
    Ok(magic)
}

fn is_zip(magic: &[u8]) -> bool {
    magic.starts_with(b"PK\x03\x04")
}

/// What a file is that can only be taken for a table by mistake, and what to do with it.
fn foreign(magic: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 10] = [
        (b"\xd0\xcf\x11\xe0", "it is a workbook of the old kind (.xls): save it as .xlsx or CSV"),
        (b"%PDF", "it is a PDF: export the list as CSV"),
        (b"\x1f\x8b", "it is compressed: gunzip it, or pipe it in (gunzip -c FILE | dialer .. -)"),
        (b"\x28\xb5\x2f\xfd", "it is compressed: unpack it, or pipe it in (zstd -dc FILE | dialer .. -)"),
        (b"PK", "it is an archive that cannot be read: unpack it first"),
        (b"<", "it is a web page or XML, not a list: export it as CSV"),
        (b"\x89PNG", "it is a picture, not a list: export it as CSV"),
        (b"\xff\xd8\xff", "it is a picture, not a list: export it as CSV"),
        (b"\x7fELF", "it is a program, not a list"),
        (b"SQLite f", "it is a database, not a list: export it as CSV"),
    ];
    let plain = magic.strip_prefix(b"\xef\xbb\xbf").unwrap_or(magic).trim_ascii_start();
    kinds.into_iter().find(|(start, _)| plain.starts_with(start)).map(|(_, what)| what)
}
