//! Tables as people and attackers make them: whatever the bytes, the reader says what it found, and does not fall over.

use crate::workbook;
use dialer::leads::findings::Kind;
use dialer::leads::list::{List, ListError, Row};
use dialer::leads::options::{Allow, ListOptions};
use dialer::leads::table::{MAX_CELL, Table, TableFlaw};
use proptest::prelude::*;

fn rows(bytes: &[u8]) -> Vec<(u64, Vec<String>, Option<TableFlaw>)> {
    let mut table = Table::from_bytes(bytes.to_vec(), None).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = table.next_row().unwrap() {
        if rows.is_empty() {
            table.expect_width(row.cells.len());
        }
        rows.push((row.line, row.cells, row.flaw));
    }
    rows
}

fn list(text: &str) -> Result<List, ListError> {
    List::from_bytes("leads.csv", text.as_bytes().to_vec(), &ListOptions::default())
}

fn cells(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

#[test]
fn rows_come_with_the_lines_they_start_on() {
    let text = "\n\nphone,name\r\n\r\n+1,\"Bob\nthe \"\"Builder\"\"\"\r+2,Cy \n , \n+3,\"a\r\nb\r\nc\"\n+4,end";
    let found: Vec<_> = rows(text.as_bytes()).into_iter().map(|(line, cells, _)| (line, cells)).collect();
    assert_eq!(
        found,
        [
            (3, cells(&["phone", "name"])),
            (5, cells(&["+1", "Bob\nthe \"Builder\""])),
            (7, cells(&["+2", "Cy "])),
            (9, cells(&["+3", "a\r\nb\r\nc"])),
            (12, cells(&["+4", "end"])),
        ]
    );
}

#[test]
fn a_delimiter_may_be_named_on_the_first_line() {
    let found = rows(b"sep=;\nphone;a,b\n+1;x,y\n");
    assert_eq!(found[1], (3, cells(&["+1", "x,y"]), None));
}

#[test]
fn a_quotation_mark_that_is_never_closed_costs_one_row() {
    let tail = (0..500).map(|at| format!("+1415555{at:04},Eve\n")).collect::<Vec<_>>().concat();
    for opening in ["+14155550100,\"Bob\n", "+14155550100,\"Bob\n+14155550101,\"Cy\"\n", "\"+14155550100,Bob\n"] {
        let found = rows(format!("phone,name\n{opening}{tail}").as_bytes());
        assert_eq!(found[1].2, Some(TableFlaw::OpenQuote), "{opening}");
        assert_eq!((found[1].0, found.last().unwrap().1[0].as_str()), (2, "+14155550499"));
        assert!(found.len() >= 502, "{opening} {}", found.len());
        assert_eq!(found.iter().filter(|row| row.2.is_some()).count(), 1);
    }
}

#[test]
fn one_huge_row_costs_one_row_and_no_memory() {
    for huge in
        ["x".repeat(3 << 20), ",".repeat(3 << 20), format!("\"{}\"", "y".repeat(3 << 20)), "z".repeat(MAX_CELL + 1)]
    {
        let found = rows(format!("phone,name\n{huge}\n+14155550100,Bob\n").as_bytes());
        assert_eq!(found.len(), 3);
        assert_eq!(found[1].2, Some(TableFlaw::TooLarge));
        assert!(found[1].1.iter().map(String::len).sum::<usize>() < 1_000);
        assert_eq!(found[2], (3, cells(&["+14155550100", "Bob"]), None));
    }
}

#[test]
fn what_is_no_list_says_what_to_do() {
    for (text, expected) in [
        ("", "is empty"),
        ("\n \n", "is empty"),
        (
            "Kunde,Ort,Telefonnr\nA,B,1\n",
            "its columns are: Kunde, Ort, Telefonnr\n  say which one:   --column number=Telefonnr",
        ),
        (
            "from_number,Contact,Reach\n+14155550199,+14155550100,+14155550101\n",
            "say which one:   --column number=Contact   or   --column number=Reach",
        ),
        ("phone,city,city\n1,2,3\n", "two columns named \"city\""),
        ("+14155550100,Bob\n+14155550101,Cy\n", "put a row of headers above it"),
        ("4155552671,Bob\n4155552672,Cy\n", "has no header line\n  its first line looks like a lead: 4155552671, Bob"),
        ("Who,Where,Contact\nAda,Ulm,+14155550100\n", "--column number=Contact"),
        ("%PDF-1.7\n", "it is a PDF"),
        ("PK\u{3}\u{4}garbage", "no workbook that can be read"),
        ("\u{1b}[31mred\u{7},b\n1,2\n", "its columns are: \u{fffd}[31mred\u{fffd}, b"),
    ] {
        let error = list(text).err().unwrap_or_else(|| panic!("{text:?} is a list")).to_string();
        assert!(error.starts_with("leads.csv ") && error.contains(expected), "{error}");
    }
    let missing =
        List::open(&dialer::leads::options::Source::new("/nowhere/leads.csv".as_ref()), &ListOptions::default());
    assert!(missing.err().unwrap().to_string().starts_with("/nowhere/leads.csv cannot be read"));
    let mut nobody = list("phone\nx\n").unwrap();
    assert!(matches!(nobody.next(), Some(Ok(Row::Rejected { line: 2, .. }))));
    assert!(nobody.next().unwrap().unwrap_err().to_string().contains("nobody who can be called"));
    assert!(nobody.next().is_none());
}

#[test]
fn a_lead_has_all_that_its_row_says() {
    let text = "Telefon;Kunde;Zeitzone;Durchwahl;assistant_id;phone_number_id;Termin\n\
                +49 30 901820;Jürgen Größe;europe/vienna;12;a-1;p-1; Montag \n";
    let Some(Ok(Row::Lead { line: 2, lead })) = list(text).unwrap().next() else { panic!("no lead") };
    insta::assert_snapshot!(serde_json::to_string(&lead).unwrap(), @r#"{"phone":"+4930901820","extension":"12","name":"Jürgen Größe","variables":[["name","Jürgen Größe"],["Kunde","Jürgen Größe"],["Termin","Montag"]],"zones":["Europe/Vienna"],"assistant_id":"a-1","phone_number_id":"p-1"}"#);
}

#[test]
fn hours_and_zones_are_settled_before_the_run() {
    let text = "phone,tz\n+14155550100,\n+14155550101,Nowhere\n+80012345678,\n+12125550100,Europe/Paris\n";
    let outcome = |options: &ListOptions| -> Vec<Result<Vec<String>, Kind>> {
        let list = List::from_bytes("leads.csv", text.as_bytes().to_vec(), options).unwrap();
        list.filter_map(|row| match row {
            Ok(Row::Lead { lead, .. }) => Some(Ok(lead.zones)),
            Ok(Row::Rejected { reason, .. }) => Some(Err(reason.kind)),
            Err(_) => None,
        })
        .collect()
    };
    let zone = |name: &str| Ok(vec![name.to_owned()]);
    let (west, paris) = (zone("America/Los_Angeles"), zone("Europe/Paris"));
    let plain = ListOptions::default();
    assert_eq!(outcome(&plain), [west.clone(), Err(Kind::BadZone), Err(Kind::NoZone), paris.clone()]);
    let with_zone = ListOptions { zone: Some("UTC".parse().unwrap()), ..ListOptions::default() };
    assert_eq!(outcome(&with_zone), [west.clone(), Err(Kind::BadZone), zone("UTC"), paris.clone()]);
    let any = ListOptions { hours_any: true, ..ListOptions::default() };
    assert_eq!(outcome(&any), [west, Ok(vec![]), Ok(vec![]), paris.clone()]);
    let opens = |zones: &[String]| zones[0].starts_with("Europe");
    let never = ListOptions { opens: Some(std::sync::Arc::new(opens)), ..ListOptions::default() };
    assert_eq!(outcome(&never), [Err(Kind::NeverOpen), Err(Kind::BadZone), Err(Kind::NoZone), paris]);
}

/// A list with quotes, line breaks, delimiters and blanks in its cells, as a correct program would write it.
fn written(table: &[Vec<String>], delimiter: u8, crlf: bool) -> Vec<u8> {
    let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).terminator(terminator).from_writer(Vec::new());
    for row in table {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Reads whatever it is to the end, and checks that the rows add up.
fn survives(bytes: &[u8]) {
    let options =
        ListOptions { allow: Allow::ALL.to_vec(), region: Some("US".parse().unwrap()), ..ListOptions::default() };
    let Ok(mut list) = List::from_bytes("x", bytes.to_vec(), &options) else { return };
    let (mut leads, mut rejected, mut before) = (0, 0, 0);
    for row in &mut list {
        let line = match row {
            Ok(Row::Lead { line, lead }) => {
                assert!(lead.name.is_none_or(|name| name.chars().count() <= 40));
                leads += 1;
                line
            }
            Ok(Row::Rejected { line, .. }) => {
                rejected += 1;
                line
            }
            Err(_) => break,
        };
        assert!(line > before, "{line} after {before}");
        before = line;
    }
    assert_eq!((list.counts().leads, list.counts().rejected), (leads, rejected));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        survives(&bytes);
    }

    #[test]
    fn no_text_of_its_own_letters_makes_it_panic(text in "phone,name\n[\"\r\n,;\t|+0-9a ]{0,400}") {
        survives(text.as_bytes());
    }

    #[test]
    fn what_a_correct_program_writes_is_read_as_it_was_meant(
        table in prop::collection::vec(prop::collection::vec("[a-z0-9\",;\n| äß]{0,12}", 3), 1..12),
        crlf in any::<bool>(),
    ) {
        // The first row is of plain words, so that the delimiter can be told.
        let mut rows_in = vec![cells(&["phone", "name", "note"]), cells(&["+1", "x", "y"])];
        rows_in.extend(table.into_iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())));
        let found: Vec<_> = rows(&written(&rows_in, b',', crlf)).into_iter().map(|row| row.1).collect();
        prop_assert_eq!(found, rows_in);
    }
}

/// Mutates lists for as many seconds as `DIALER_FUZZ_SECONDS` says: `cargo test --release --test lists -- --ignored
/// fuzz`.
#[test]
#[ignore = "runs for as long as it is told to"]
#[expect(clippy::disallowed_methods, reason = "a fuzzer has to know when its time is up")]
fn fuzz() {
    use rand::{Rng, RngExt, SeedableRng};
    let seconds = std::env::var("DIALER_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    let seeds: Vec<Vec<u8>> = ["clinic.csv", "messy.csv"]
        .iter()
        .map(|name| std::fs::read(format!("{}/sample-leads/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap())
        .chain([
            include_bytes!("../data/numbers.tsv").to_vec(),
            workbook::workbook(&[&["phone", "name"], &["+14155550100", "Bob"]]),
        ])
        .collect();
    let pieces: [&[u8]; 14] = [
        b"\"",
        b"\n",
        b"\r",
        b"\r\n",
        b",",
        b";",
        b"\t",
        b"\0",
        b"+",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xe4",
        b"1E+11",
        b" ",
    ];
    let (mut seed, mut runs) = (0_u64, 0_u64);
    while std::time::Instant::now() < end {
        let mut dice = rand::rngs::StdRng::seed_from_u64(seed);
        let mut bytes = seeds[dice.random_range(0..seeds.len())].clone();
        for _ in 0..dice.random_range(1..20) {
            let at = dice.random_range(0..=bytes.len());
            match dice.random_range(0..4) {
                0 if at < bytes.len() => bytes[at] = dice.next_u32().to_le_bytes()[0],
                1 => bytes.truncate(at.max(16)),
                2 if at < bytes.len() => drop(bytes.drain(at..(at + dice.random_range(1..64)).min(bytes.len()))),
                _ => drop(bytes.splice(at..at, pieces[dice.random_range(0..pieces.len())].iter().copied())),
            }
        }
        let outcome = std::panic::catch_unwind(|| survives(&bytes));
        assert!(outcome.is_ok(), "seed {seed}");
        (seed, runs) = (seed + 1, runs + 1);
    }
    println!("{runs} mutated lists, no panic");
}

#[test]
fn a_number_in_another_column_is_pointed_at() {
    let mut list = list("phone,mobile\n+14155550100,\n,+14155550101\n,\n").unwrap();
    while list.next().is_some() {}
    let (kind, group) = list.findings().groups().next().unwrap();
    assert_eq!((kind, group.count), (Kind::NoNumber, 1));
    assert_eq!(group.samples[0].text, "+14155550101 in mobile");
    assert!(kind.hint().contains("--column number="));
}

#[test]
fn a_required_column_is_named_in_any_case_but_a_variable_of_the_prompt_exactly() {
    let text = "phone,City\n+14155550100,Ulm\n";
    let open = |options: &ListOptions| List::from_bytes("leads.csv", text.as_bytes().to_vec(), options).map(drop);
    let named = |name: &str| vec![name.to_owned()];
    assert!(open(&ListOptions { require: named("city"), ..ListOptions::default() }).is_ok());
    assert!(open(&ListOptions { needed: named("City"), ..ListOptions::default() }).is_ok());
    assert!(open(&ListOptions { needed: named("city"), ..ListOptions::default() }).is_err());
}

#[test]
fn a_list_that_is_written_to_meanwhile_is_no_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leads.csv");
    std::fs::write(&path, format!("phone\n{}", "+14155550100\n".repeat(50))).unwrap();
    let source = dialer::leads::options::Source::new(&path);
    let opened = || List::open(&source, &ListOptions::default()).unwrap();
    assert!(opened().all(|row| row.is_ok()));
    let half = opened();
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, b"+14155550101\n").unwrap();
    let error = half.last().unwrap().unwrap_err().to_string();
    assert!(error.contains("changed while it was read\n  run again when it is written whole"), "{error}");
    let sheet = ListOptions { sheet: Some("People".to_owned()), ..ListOptions::default() };
    let error = List::open(&source, &sheet).err().unwrap().to_string();
    assert!(error.contains("is no workbook, and has no sheet \"People\""), "{error}");
}
