//! An XLSX workbook to rows. Only ever streamed: a file of 5 KB can claim a cell in its last row and column. calamine's
//! cell reader borrows the workbook, so both live on a thread of their own, which hands over rows through a short queue.

use std::io::{self, Read, Seek};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use calamine::{DataRef, Reader, Xlsx};

use super::{Flaw, MAX_CELL, MAX_CELLS, Row, TableError};

/// The largest workbook taken from standard input, which has to be held in memory.
const MAX_SLURP: u64 = 64 << 20;
/// The most that a workbook's parts besides its sheets may unpack to; they are held in memory.
const MAX_PART: u64 = 256 << 20;
/// The longest run of bytes between two marks of a part: a cell holds 32,767 characters at most.
const MAX_RUN: usize = 1 << 18;
/// Rows in the queue.
const QUEUE: usize = 256;

/// One sheet of a workbook.
pub struct Sheet {
    name: String,
    rows: Receiver<Result<Row, TableError>>,
}

impl Sheet {
    /// Opens a workbook, and one of its sheets, the first if none is named.
    pub fn open<R: Read + Seek + Send + 'static>(mut input: R, wanted: Option<&str>) -> Result<Self, TableError> {
        refuse_bombs(&mut input)?;
        input.rewind()?;
        let workbook = Xlsx::new(input).map_err(|error| broken(&error))?;
        let sheets = workbook.sheet_names();
        let name = match wanted {
            Some(wanted) => sheets.iter().find(|name| *name == wanted),
            None => sheets.first(),
        };
        let Some(name) = name.cloned() else {
            return Err(TableError::NoSheet { wanted: wanted.unwrap_or_default().to_owned(), sheets });
        };
        let (sender, rows) = sync_channel(QUEUE);
        let sheet = name.clone();
        thread::Builder::new().name("sheet".to_owned()).spawn(move || {
            let _gone = send_rows(workbook, &sheet, &sender);
        })?;
        Ok(Self { name, rows })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next row that has a cell; `None` at the end.
    pub fn next_row(&mut self) -> Result<Option<Row>, TableError> {
        self.rows.recv().map_or(Ok(None), |row| row.map(Some))
    }
}

/// All that can be read, as long as it is no larger than this program takes from a pipe.
pub fn slurp(input: impl Read) -> Result<Vec<u8>, TableError> {
    let mut bytes = Vec::new();
    input.take(MAX_SLURP + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SLURP {
        return Err(TableError::Foreign("it is a large workbook: give it as a file, or as CSV".to_owned()));
    }
    Ok(bytes)
}

/// Nobody listens any more.
struct Gone;

fn send_rows<R: Read + Seek>(
    mut workbook: Xlsx<R>,
    sheet: &str,
    to: &SyncSender<Result<Row, TableError>>,
) -> Result<(), Gone> {
    let fail = |error| to.send(Err(broken(&error))).map_err(|_| Gone);
    let mut cells = match workbook.worksheet_cells_reader(sheet) {
        Ok(cells) => cells,
        Err(error) => return fail(error),
    };
    let mut row = Row::default();
    loop {
        let cell = match cells.next_cell() {
            Ok(Some(cell)) => cell,
            Ok(None) => break,
            Err(error) => return fail(error),
        };
        let (number, column) = cell.get_position();
        let line = u64::from(number) + 1;
        if line != row.line && holds_anything(&row) {
            to.send(Ok(std::mem::take(&mut row))).map_err(|_| Gone)?;
        }
        row.line = line;
        put(&mut row, column as usize, text(cell.get_value()));
    }
    if holds_anything(&row) { to.send(Ok(row)).map_err(|_| Gone) } else { Ok(()) }
}

fn holds_anything(row: &Row) -> bool {
    !row.cells.is_empty() || row.flaw.is_some()
}

fn put(row: &mut Row, column: usize, text: String) {
    if text.is_empty() {
        return;
    }
    if column >= MAX_CELLS || text.len() > MAX_CELL {
        row.flaw = Some(Flaw::TooLarge);
        return;
    }
    if row.cells.len() <= column {
        row.cells.resize(column + 1, String::new());
    }
    row.cells[column] = text;
}

/// A cell as text. Numbers of up to 15 digits are exact, and are printed so; longer ones have lost digits, and are
/// printed so that this shows.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) if number.abs() < 1e15 => format!("{number}"),
        DataRef::Float(number) => format!("{number:E}").replace('E', "E+"),
        DataRef::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(when) if when.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = when.to_ymd_hms_milli();
            match (when.as_f64() < 1.0, hour, minute, second) {
                (true, ..) => format!("{hour:02}:{minute:02}"),
                (false, 0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"),
            }
        }
        DataRef::DateTime(when) => format!("{}", when.as_f64()),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

fn broken(error: &calamine::XlsxError) -> TableError {
    TableError::Foreign(format!("it is no workbook that can be read ({error}): save it again as .xlsx, or as CSV"))
}

/// Unpacks every part once, keeping nothing, to see that none is built to fill the memory.
fn refuse_bombs(input: &mut (impl Read + Seek)) -> Result<(), TableError> {
    let odd = |error: zip::result::ZipError| {
        TableError::Foreign(format!("it is no workbook that can be read ({error}): save it again as .xlsx, or as CSV"))
    };
    let mut archive = zip::ZipArchive::new(input).map_err(odd)?;
    let mut block = vec![0; 1 << 16];
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(odd)?;
        let lower = part.name().map_err(odd)?.to_ascii_lowercase();
        if !matches!(lower.rsplit('.').next(), Some("xml" | "rels")) {
            continue;
        }
        let is_sheet = lower.starts_with("xl/worksheets/");
        let (mut size, mut run) = (0_u64, 0_usize);
        loop {
            let count = match part.read(&mut block) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            size += count as u64;
            run = longest_run(&block[..count], run).map_err(|()| bomb())?;
            if !is_sheet && size > MAX_PART {
                return Err(bomb());
            }
        }
    }
    Ok(())
}

/// The bytes since the last mark, `run` of them before this block; an error if there are too many anywhere.
fn longest_run(block: &[u8], mut run: usize) -> Result<usize, ()> {
    for piece in block.split_inclusive(|byte| matches!(byte, b'<' | b'>')) {
        run += piece.len();
        if run > MAX_RUN {
            return Err(());
        }
        if piece.ends_with(b"<") || piece.ends_with(b">") {
            run = 0;
        }
    }
    Ok(run)
}

fn bomb() -> TableError {
    TableError::Foreign("it is a workbook that unpacks to more than a list can hold: save it as CSV".to_owned())
}
