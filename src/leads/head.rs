//! Where a list begins and ends: its header line, below the titles of a report if there are any; numbers that have none;
//! and the sums that a report has at its end.

use super::columns::{Columns, ColumnsError, is_like_a_number};
use super::findings::{Findings, Kind};
use super::headers::bare;
use super::list::Wrong;
use super::options::ListOptions;
use super::table::{Row, Table};
use super::trouble::ListHead;

/// Rows that are looked at to tell the columns.
const AHEAD: usize = 50;
/// Rows among which the header is looked for.
const WITHIN: usize = 10;

/// Reads to the first lead: the line of the headers, and the columns.
pub(super) fn read(table: &mut Table, options: &ListOptions, findings: &mut Findings) -> Result<(u64, Columns), Wrong> {
    let Some(first) = table.next_row()? else { return Err(empty(table)) };
    table.expect_width(first.cells.len());
    let ahead: Vec<Row> = table.look_ahead(AHEAD)?.iter().cloned().collect();
    let rows: Vec<Vec<String>> = ahead.iter().map(|row| row.cells.clone()).collect();
    let error = match Columns::new(&first.cells, &rows, &options.columns) {
        Ok(columns) => return Ok((first.line, columns)),
        Err(error) => error,
    };
    if are_bare_numbers(&first, &rows) {
        let columns = Columns::new(&["number".to_owned()], &rows, &options.columns);
        let columns = columns.map_err(|error| unknown(error, &first, &ahead))?;
        findings.add(Kind::NoHeaders, first.line, &first.cells[0]);
        table.expect_width(1);
        let line = first.line;
        table.put_back(first);
        return Ok((line, columns));
    }
    let Some((at, columns)) = header_below(&rows, options) else { return Err(unknown(error, &first, &ahead)) };
    findings.add(Kind::Title, first.line, first.cells.join(" ").trim());
    for _ in 0..=at {
        let Some(row) = table.next_row()? else { break };
        if row.line < ahead[at].line {
            findings.add(Kind::Title, row.line, row.cells.join(" ").trim());
        }
    }
    table.expect_width(rows[at].len());
    Ok((ahead[at].line, columns))
}

/// Whether a row sums a list up, as the last lines of a report do, and is nobody.
pub(super) fn is_total(columns: &Columns, cells: &[String]) -> bool {
    let Some(first) = cells.iter().map(|cell| cell.trim()).find(|cell| !cell.is_empty()) else { return false };
    let word = first.split(|letter: char| !letter.is_alphabetic()).find(|word| !word.is_empty()).map(bare);
    let holds_number = |at: &usize| cells.get(*at).is_some_and(|cell| is_like_a_number(cell));
    word.is_some_and(|word| TOTALS.contains(&word.as_str())) && !columns.numbers().iter().any(holds_number)
}

/// The row further down that is the header: the numbers stand below it, and none in it.
fn header_below(rows: &[Vec<String>], options: &ListOptions) -> Option<(usize, Columns)> {
    (0..rows.len().min(WITHIN)).find_map(|at| {
        let below = &rows[at + 1..];
        let columns = Columns::new(&rows[at], below, &options.columns).ok()?;
        let is_number = |row: &Vec<String>, at: usize| row.get(at).is_some_and(|cell| is_like_a_number(cell));
        let holds = columns.numbers().iter().any(|column| below.iter().any(|row| is_number(row, *column)));
        (holds && !rows[at].iter().any(|cell| is_like_a_number(cell))).then_some((at, columns))
    })
}

/// Whether there is nothing but a number on each line.
fn are_bare_numbers(first: &Row, rows: &[Vec<String>]) -> bool {
    let is_alone = |cells: &[String]| cells.len() == 1;
    is_alone(&first.cells) && is_like_a_number(&first.cells[0]) && rows.iter().all(|row| is_alone(row))
}

fn unknown(error: ColumnsError, first: &Row, ahead: &[Row]) -> Wrong {
    let rows = ahead.iter().map(|row| row.cells.clone()).collect();
    Wrong::Columns(error, ListHead { headers: first.cells.clone(), rows })
}

fn empty(table: &Table) -> Wrong {
    match table.sheets() {
        Some((name, others)) if !others.is_empty() => Wrong::EmptySheet(name.to_owned(), others.to_vec()),
        _ => Wrong::Empty,
    }
}

/// How lines begin that sum a list up, as headers are compared.
#[rustfmt::skip]
const TOTALS: &[&str] = &[
    "total", "totals", "subtotal", "grandtotal", "summe", "gesamt", "gesamtsumme", "insgesamt", "somme", "totale", "totaal",
    "totalt", "summa", "suma", "razem", "celkem", "toplam", "итого", "всего", "合計", "総計", "合计", "总计", "합계",
];

#[cfg(test)]
mod tests {
    use super::super::list::{List, Row as ListRow};
    use super::*;

    fn numbers(text: &str) -> (Vec<String>, List) {
        let mut list = List::from_bytes("leads.csv", text.into(), &ListOptions::default()).unwrap();
        let mut numbers = Vec::new();
        while let Some(Ok(ListRow::Lead { lead, .. })) = list.next() {
            numbers.push(lead.phone.to_string());
        }
        (numbers, list)
    }

    #[test]
    fn titles_above_the_headers_and_sums_below_the_list_are_left_out_and_told() {
        for text in [
            "Leads of May,,\n\nphone,name,city\n+14155550100,Ada,Ulm\nTotal,,1\n",
            "Leads of May\nexported today\nTelefon;Name\n+14155550100;Ada\nTotal: 1\n",
        ] {
            let (found, list) = numbers(text);
            assert_eq!((found.as_slice(), list.counts().rows), (&["+14155550100".to_owned()][..], 1), "{text}");
            assert!(list.findings().count(Kind::Title) > 0 && list.findings().count(Kind::Total) == 1, "{text}");
        }
        let (found, list) = numbers("\n,,\nphone,name\n+14155550100,Total Ltd\n");
        assert_eq!((found.len(), list.findings().is_empty()), (1, true));
    }

    #[test]
    fn numbers_one_a_line_need_no_header() {
        let (found, list) = numbers("+14155550100\n+14155550101\n");
        assert_eq!(found, ["+14155550100", "+14155550101"]);
        assert_eq!((list.findings().count(Kind::NoHeaders), list.header()), (1, &["number".to_owned()][..]));
        assert!(List::from_bytes("x", "+14155550100,Bob\n".into(), &ListOptions::default()).is_err());
    }
}
