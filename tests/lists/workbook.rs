//! Workbooks for tests, made by hand: nothing in them that is not needed.

/// A workbook as small as can be, its cells written in place.
pub(crate) fn workbook(table: &[&[&str]]) -> Vec<u8> {
    let cell = |row: usize, column: usize, text: &str| {
        let place = format!("{}{row}", char::from(b'A' + u8::try_from(column).unwrap()));
        match text.strip_prefix('=') {
            Some(number) => format!("<c r=\"{place}\"><v>{number}</v></c>"),
            None => format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>"),
        }
    };
    let row = |(at, cells): (usize, &&[&str])| {
        let cells: Vec<String> = cells.iter().enumerate().map(|(column, text)| cell(at + 1, column, text)).collect();
        format!("<row r=\"{}\">{}</row>", at + 1, cells.concat())
    };
    let sheet = table.iter().enumerate().map(row).collect::<Vec<_>>().concat();
    packed(&sheet)
}

pub(crate) fn packed(sheet_data: &str) -> Vec<u8> {
    package(&[("People", "", sheet_data)])
}

/// A workbook of several sheets: name, `state`, rows.
pub(crate) fn package(sheets: &[(&str, &str, &str)]) -> Vec<u8> {
    use std::fmt::Write as _;
    use std::io::Write;
    let (mut links, mut index) = (String::new(), String::new());
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let package = "http://schemas.openxmlformats.org/package/2006";
    for (at, (name, state, _)) in sheets.iter().enumerate() {
        write!(links, "<Relationship Id=\"r{at}\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet{at}.xml\"/>")
            .unwrap();
        write!(index, "<sheet name=\"{name}\" {state} sheetId=\"{}\" r:id=\"r{at}\"/>", at + 1).unwrap();
    }
    let parts = [
        ("[Content_Types].xml", format!("<Types xmlns=\"{package}/content-types\"/>")),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!("<Relationships xmlns=\"{package}/relationships\">{links}</Relationships>"),
        ),
        (
            "xl/workbook.xml",
            format!("<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets>{index}</sheets></workbook>"),
        ),
    ];
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    for (at, (_, _, rows)) in sheets.iter().enumerate() {
        let name = format!("xl/worksheets/sheet{at}.xml");
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        let text = format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>");
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
