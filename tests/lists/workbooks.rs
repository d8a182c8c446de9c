//! Workbooks as spreadsheets write them, and what is no table at all.

use crate::workbook::{package, packed, workbook};
use dialer::leads::findings::Kind;
use dialer::leads::list::{List, Row};
use dialer::leads::options::ListOptions;

#[test]
fn a_workbook_is_a_list_too() {
    let bytes = workbook(&[
        &["phone", "name", "age"],
        &["=14155550100", "Bob", "=41.5"],
        &[],
        &["=9.17045123456789E15", "Cy", ""],
        &["=14155550101"],
    ]);
    let options = ListOptions { region: Some("US".parse().unwrap()), ..ListOptions::default() };
    let mut list = List::from_bytes("leads.xlsx", bytes.clone(), &options).unwrap();
    assert_eq!(list.format(), "XLSX, sheet \"People\"");
    let found: Vec<Row> = list.by_ref().map(Result::unwrap).collect();
    let Row::Lead { line: 2, lead } = &found[0] else { panic!("{found:?}") };
    assert_eq!((lead.phone.to_string().as_str(), lead.name.as_deref()), ("+14155550100", Some("Bob")));
    assert_eq!(lead.variables[1], ("age".to_owned(), "41.5".to_owned()));
    assert!(matches!(&found[1], Row::Rejected { line: 4, reason, .. } if reason.kind == Kind::Spreadsheet));
    // A workbook leaves out the empty cells at the end of a row: nothing is missing there.
    assert_eq!(list.findings().count(Kind::MissingCells), 0);
    let options = ListOptions { sheet: Some("Orders".to_owned()), ..options };
    let error = List::from_bytes("leads.xlsx", bytes, &options).err().unwrap().to_string();
    assert_eq!(error, "leads.xlsx has no sheet \"Orders\"\n  its sheets are: People");
}

#[test]
fn a_workbook_built_to_fill_the_memory_is_refused() {
    let far = packed(
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>phone</t></is></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>",
    );
    let mut list = List::from_bytes("far.xlsx", far, &ListOptions::default()).unwrap();
    assert!(
        matches!(list.next(), Some(Ok(Row::Rejected { line: 1_048_576, reason, .. })) if reason.kind == Kind::TooLarge)
    );
    let long = format!("<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>{}</t></is></c></row>", "x".repeat(20 << 20));
    let error = List::from_bytes("bomb.xlsx", packed(&long), &ListOptions::default()).err().unwrap().to_string();
    assert!(error.contains("unpacks to more than a list can hold"), "{error}");
}

#[test]
fn what_is_hidden_in_a_workbook_is_not_taken_unseen() {
    let row = |number: u32, hidden: &str, text: &str| {
        format!("<row r=\"{number}\"{hidden}><c r=\"A{number}\" t=\"inlineStr\"><is><t>{text}</t></is></c></row>")
    };
    let old = row(1, "", "phone") + &row(2, "", "+14155550199");
    let new = row(1, "", "phone") + &row(2, " hidden=\"1\"", "+14155550100") + &row(3, "", "+14155550101");
    let open = |bytes: Vec<u8>| List::from_bytes("leads.xlsx", bytes, &ListOptions::default());
    let mut list = open(package(&[("Old", "state=\"hidden\"", &old), ("New", "", &new)])).unwrap();
    assert_eq!(list.format(), "XLSX, sheet \"New\"");
    assert!(list.by_ref().all(|row| matches!(row, Ok(Row::Lead { .. }))));
    assert_eq!((list.counts().leads, list.findings().count(Kind::HiddenRow)), (2, 1));
    let empty = open(package(&[("First", "", ""), ("My leads", "", &new)])).err().unwrap().to_string();
    assert!(empty.contains("nothing in its sheet \"First\"") && empty.contains("--sheet 'My leads'"), "{empty}");
}

#[test]
fn what_is_no_table_at_all_is_called_by_its_name() {
    let error = |bytes: &[u8]| {
        let list = List::from_bytes("x", bytes.to_vec(), &ListOptions::default());
        list.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let archive = |name: &str| {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.finish().unwrap().into_inner()
    };
    assert!(error(&archive("content.xml")).contains(".ods"));
    assert!(error(&archive("leads.csv")).contains("archive (.zip)"));
    let whole = workbook(&[&["phone"], &["+14155550100"]]);
    assert!(error(&whole[..whole.len() / 2]).contains("only a part of one"));
    assert!(error(b" \n<!DOCTYPE html><p>").contains("web page"));
    assert!(error(b"[{\"phone\": 1}").contains("JSON"));
    assert!(error(b"\x89PNG\r\n\x1a\n").contains("picture"));
    assert!(error(&[1, 5, 200, 7, 6, 3, 9, 255].repeat(50)).contains("no text"));
}

#[test]
fn what_a_sheet_shows_is_what_is_said() {
    let bytes = include_bytes!("../data/shown.xlsx").to_vec();
    let mut list = List::from_bytes("list.xlsx", bytes, &ListOptions::default()).unwrap();
    let Some(Ok(Row::Lead { lead, .. })) = list.next() else { panic!("no lead") };
    let shown: Vec<&str> = lead.variables[1..].iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(shown, ["15%", "$1,234.50", "02138", "1:30", "12345678901234570", "2026-12-01 09:30"]);
}
