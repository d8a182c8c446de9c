//! An XLSX workbook to rows. Only ever streamed: a file of 5 KB can claim a cell in its last row and column. calamine's
//! cell reader borrows the workbook, so both live on a thread of their own, which hands over rows through a short queue.

use std::collections::HashSet;
use std::io::{Read, Seek};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Style, Xlsx};
use ssfmt::{FormatOptions, NumberFormat};

use super::package;
use super::{MAX_CELL, MAX_CELLS, Row, TableError, TableFlaw};

/// The largest workbook taken from standard input, which has to be held in memory.
const MAX_SLURP: u64 = 64 << 20;
/// Rows in the queue.
const QUEUE: usize = 256;

/// One sheet of a workbook.
pub struct Sheet {
    name: String,
    others: Vec<String>,
    hidden: HashSet<u64>,
    /// `None` behind the last row: a reader that broke off is not taken for the end.
    rows: Receiver<Result<Option<Row>, TableError>>,
    ended: bool,
}

impl Sheet {
    /// Opens a workbook, and one of its sheets, the first if none is named.
    pub fn open<R: Read + Seek + Send + 'static>(mut input: R, wanted: Option<&str>) -> Result<Self, TableError> {
        let parts = package::look(&mut input)?;
        input.rewind()?;
        let workbook = Xlsx::new(input).map_err(|error| broken(&error))?;
        let sheets: Vec<_> =
            workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet).collect();
        let chosen = match wanted {
            Some(wanted) => sheets.iter().find(|sheet| sheet.name == wanted),
            // What was hidden was not meant to be seen, let alone to be called.
            None => sheets.iter().find(|sheet| sheet.visible == SheetVisible::Visible),
        };
        let names = || sheets.iter().map(|sheet| sheet.name.clone());
        let Some(name) = chosen.map(|sheet| sheet.name.clone()) else {
            let Some(wanted) = wanted else {
                let what = "it has no sheet of rows that is not hidden: name one with --sheet, or save it as CSV";
                return Err(TableError::Foreign(what.to_owned()));
            };
            return Err(TableError::NoSheet { wanted: wanted.to_owned(), sheets: names().collect() });
        };
        let others = names().filter(|other| *other != name).collect();
        let hidden = parts.hidden_rows(&name);
        let (sender, rows) = sync_channel(QUEUE);
        let sheet = name.clone();
        thread::Builder::new().name("sheet".to_owned()).spawn(move || {
            let _gone = send_rows(workbook, &sheet, &sender);
        })?;
        Ok(Self { name, others, hidden, rows, ended: false })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The other sheets of rows in the workbook.
    pub fn others(&self) -> &[String] {
        &self.others
    }

    /// Whether that row is hidden: filtered away, or folded up.
    pub fn is_hidden(&self, line: u64) -> bool {
        self.hidden.contains(&line)
    }

    /// The next row that has a cell; `None` at the end.
    pub fn next_row(&mut self) -> Result<Option<Row>, TableError> {
        if self.ended {
            return Ok(None);
        }
        let row = self.rows.recv().unwrap_or_else(|_| Err(cut_short()))?;
        self.ended = row.is_none();
        Ok(row)
    }
}

/// All that can be read, as long as it is no larger than this program takes from a pipe.
pub fn slurp(input: impl Read) -> Result<Vec<u8>, TableError> {
    let mut bytes = Vec::new();
    input.take(MAX_SLURP + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SLURP {
        return Err(TableError::Foreign("it is a large workbook, or JSON: give it as a file, or as CSV".to_owned()));
    }
    Ok(bytes)
}

/// Nobody listens any more.
struct MissingSheet;

fn send_rows<R: Read + Seek>(
    mut workbook: Xlsx<R>,
    sheet: &str,
    to: &SyncSender<Result<Option<Row>, TableError>>,
) -> Result<(), MissingSheet> {
    let fail = |error| to.send(Err(broken(&error))).map_err(|_| MissingSheet);
    let mut cells = match workbook.worksheet_cells_reader(sheet) {
        Ok(cells) => cells,
        Err(error) => return fail(error),
    };
    let formats: Vec<Option<NumberFormat>> = cells.styles().iter().map(number_format).collect();
    let code = |style: &Style| Some(names_the_month(&style.number_format.as_ref()?.format_code));
    let in_words: Vec<bool> = cells.styles().iter().map(|style| code(style).unwrap_or(false)).collect();
    let mut row = Row::default();
    loop {
        let (cell, style) = match cells.next_cell_with_style_id() {
            Ok(Some(cell)) => cell,
            Ok(None) => break,
            Err(error) => return fail(error),
        };
        let (number, column) = cell.get_position();
        let line = u64::from(number) + 1;
        if line != row.line && holds_anything(&row) {
            to.send(Ok(Some(std::mem::take(&mut row)))).map_err(|_| MissingSheet)?;
        }
        row.line = line;
        let format = formats.get(style).and_then(Option::as_ref);
        let in_words = in_words.get(style).is_some_and(|names| *names);
        put(&mut row, column as usize, as_shown(cell.get_value(), format, in_words));
    }
    if holds_anything(&row) {
        to.send(Ok(Some(row))).map_err(|_| MissingSheet)?;
    }
    to.send(Ok(None)).map_err(|_| MissingSheet)
}

fn holds_anything(row: &Row) -> bool {
    !row.cells.is_empty() || row.flaw.is_some()
}

fn put(row: &mut Row, column: usize, text: String) {
    if text.is_empty() {
        return;
    }
    if column >= MAX_CELLS || text.len() > MAX_CELL {
        row.flaw = Some(TableFlaw::TooLarge);
        return;
    }
    if row.cells.len() <= column {
        row.cells.resize(column + 1, String::new());
    }
    row.cells[column] = text;
}

/// How numbers of a style are shown, where that is not as they are.
fn number_format(style: &Style) -> Option<NumberFormat> {
    let code = style.number_format.as_ref()?.format_code.as_str();
    if code.eq_ignore_ascii_case("general") || code == "@" { None } else { NumberFormat::parse(code).ok() }
}

/// Whether a date of this style is shown with its month in English letters. 12/1/2026 would be said as another day
/// in half of the world, so dates in digits are handed on as 2026-12-01, which is one day everywhere.
fn names_the_month(code: &str) -> bool {
    let code = code.to_ascii_lowercase();
    let is_english = code.match_indices("[$-").all(|(at, _)| {
        let locale = &code[at + 3..];
        ["409]", "809]", "en-us]", "en-gb]"].iter().any(|english| locale.starts_with(english))
    });
    is_english && code.split('"').step_by(2).any(|part| part.contains("mmm"))
}

/// A cell as the sheet shows it: 15%, 02138, 1:30, $1,234.50, 1 December 2026, and all digits of a long number.
fn as_shown(value: &DataRef<'_>, format: Option<&NumberFormat>, in_words: bool) -> String {
    let number = match value {
        DataRef::Int(number) => i32::try_from(*number).ok().map(f64::from),
        DataRef::Float(number) => Some(*number),
        DataRef::DateTime(when) if !when.is_datetime() => Some(when.as_f64()),
        DataRef::DateTime(when) if in_words => serial(when),
        _ => None,
    };
    let shown =
        number.zip(format).and_then(|(number, format)| format.try_format(number, &FormatOptions::default()).ok());
    match (number, shown) {
        // A phone number that is shown as an amount, or in scientific notation, is still one.
        (Some(number), Some(shown)) if is_long(number) && shown.chars().all(is_of_an_amount) => format!("{number}"),
        (_, Some(shown)) if !shown.trim().is_empty() => shown.trim().to_owned(),
        _ => text(value),
    }
}

/// A date as days since the last of 1899, whichever year its workbook counts from.
fn serial(when: &ExcelDateTime) -> Option<f64> {
    let (year, month, day, ..) = when.to_ymd_hms_milli();
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let date = jiff::civil::Date::new(i16::try_from(year).ok()?, month, day).ok()?;
    let days = (date - jiff::civil::date(1899, 12, 30)).get_days();
    Some(f64::from(days) + when.as_f64().fract())
}

/// Whether it is a whole number as long as phone numbers are.
fn is_long(number: f64) -> bool {
    number.fract() == 0.0 && (1e9..1e15).contains(&number)
}

fn is_of_an_amount(letter: char) -> bool {
    letter.is_ascii_digit() || matches!(letter, ',' | '.' | ' ' | '\'' | 'E' | '+')
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

fn cut_short() -> TableError {
    TableError::Foreign("it is a workbook that cannot be read to its end: save it as CSV".to_owned())
}

fn broken(error: &calamine::XlsxError) -> TableError {
    let what = match error {
        calamine::XlsxError::Password => "it is protected by a password: save it without one",
        _ => "it is no workbook that can be read, or only a part of one: save it again as .xlsx, or as CSV",
    };
    TableError::Foreign(what.to_owned())
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn a_date_is_said_as_it_is_shown_where_that_is_one_day_everywhere() {
        let shown = |code: &str, days: f64, from_1904: bool| {
            let when = DataRef::DateTime(ExcelDateTime::new(days, ExcelDateTimeType::DateTime, from_1904));
            as_shown(&when, NumberFormat::parse(code).ok().as_ref(), names_the_month(code))
        };
        assert_eq!(shown("d mmmm yyyy", 46_357.0, false), "1 December 2026");
        assert_eq!(shown("d mmmm yyyy", 46_357.0 - 1_462.0, true), "1 December 2026");
        assert_eq!(shown("[$-409]mmm d, yyyy;@", 46_357.0, false), "Dec 1, 2026");
        for code in ["mm-dd-yy", "d/m/yyyy", "[$-407]d. mmmm yyyy", "yyyy\\ \"mmm\""] {
            assert_eq!(shown(code, 46_357.0, false), "2026-12-01", "{code}");
        }
    }
}
