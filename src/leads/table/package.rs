//! What a workbook says that calamine does not tell: which rows are hidden. And, on the same way through its parts, that
//! none of them is built to fill the memory.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::TableError;

/// The most that a workbook's parts besides its sheets may unpack to; they are held in memory.
const MAX_PART: u64 = 256 << 20;
/// The longest run of bytes between two marks of a part: a cell holds 32,767 characters at most.
const MAX_RUN: usize = 1 << 18;
/// The parts that name the sheets are no larger; of larger ones no row is known to be hidden.
const MAX_INDEX: usize = 1 << 20;

/// What was seen in a workbook's parts.
#[derive(Default)]
pub struct Parts {
    /// Hidden rows by the part of their sheet.
    hidden: HashMap<String, HashSet<u64>>,
    workbook: String,
    links: String,
}

impl Parts {
    /// The rows of a sheet that are hidden, by their numbers.
    pub fn hidden_rows(mut self, sheet: &str) -> HashSet<u64> {
        let part = self.part_of(sheet);
        part.and_then(|part| self.hidden.remove(&part)).unwrap_or_default()
    }

    /// The part that holds a sheet.
    fn part_of(&self, sheet: &str) -> Option<String> {
        let is_sheet = |tag: &&str| local_name(tag) == "sheet";
        let tag = tags(&self.workbook).filter(is_sheet).find(|tag| attribute(tag, "name").as_deref() == Some(sheet))?;
        let id = attribute(tag, "r:id").or_else(|| attribute(tag, "id"))?;
        let link = tags(&self.links).find(|tag| attribute(tag, "Id").as_deref() == Some(id.as_str()))?;
        let target = attribute(link, "Target")?;
        Some(target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned).to_ascii_lowercase())
    }
}

/// Unpacks every part once.
pub fn look(input: &mut (impl Read + Seek)) -> Result<Parts, TableError> {
    let mut archive = ZipArchive::new(input).map_err(|error| odd(&error))?;
    if archive.index_for_name("xl/workbook.xml").is_none() {
        return Err(TableError::Foreign(foreign(&mut archive).to_owned()));
    }
    let mut parts = Parts::default();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|error| odd(&error))?;
        let lower = part.name().map_err(|error| odd(&error))?.to_ascii_lowercase();
        if !matches!(lower.rsplit('.').next(), Some("xml" | "rels")) {
            continue;
        }
        let mut scan = Scan { is_sheet: lower.starts_with("xl/worksheets/"), ..Scan::default() };
        let is_index = matches!(lower.as_str(), "xl/workbook.xml" | "xl/_rels/workbook.xml.rels");
        let text = scan.read(&mut part, is_index)?;
        match lower.as_str() {
            "xl/workbook.xml" => parts.workbook = text,
            "xl/_rels/workbook.xml.rels" => parts.links = text,
            _ if scan.hidden.is_empty() => {}
            _ => drop(parts.hidden.insert(lower, scan.hidden)),
        }
    }
    Ok(parts)
}

/// One part on its way through.
#[derive(Default)]
struct Scan {
    is_sheet: bool,
    size: u64,
    /// Bytes since the last mark.
    run: usize,
    /// What has been seen of a tag.
    tag: Vec<u8>,
    row: u64,
    hidden: HashSet<u64>,
}

impl Scan {
    /// Reads it to its end; returns its text if that is wanted.
    fn read(&mut self, part: &mut impl Read, wanted: bool) -> Result<String, TableError> {
        let (mut block, mut kept) = (vec![0; 1 << 16], Vec::new());
        loop {
            let count = match part.read(&mut block) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) => {
                    return Err(torn());
                }
                Err(error) => return Err(error.into()),
            };
            self.size += count as u64;
            self.pass(&block[..count])?;
            if !self.is_sheet && self.size > MAX_PART {
                return Err(bomb());
            }
            if wanted && kept.len() < MAX_INDEX {
                kept.extend_from_slice(&block[..count]);
            }
        }
        Ok(String::from_utf8_lossy(&kept).into_owned())
    }

    /// The bytes since the last mark must not be too many anywhere; the tags of rows are looked at.
    fn pass(&mut self, block: &[u8]) -> Result<(), TableError> {
        for piece in block.split_inclusive(|byte| matches!(byte, b'<' | b'>')) {
            self.run += piece.len();
            if self.run > MAX_RUN {
                return Err(bomb());
            }
            if self.is_sheet {
                self.tag.extend_from_slice(piece);
            }
            if piece.ends_with(b"<") || piece.ends_with(b">") {
                self.run = 0;
                if piece.ends_with(b">") {
                    self.see_tag();
                }
                self.tag.clear();
            }
        }
        Ok(())
    }

    fn see_tag(&mut self) {
        let Ok(tag) = std::str::from_utf8(&self.tag) else { return };
        if local_name(tag) != "row" {
            return;
        }
        self.row = attribute(tag, "r").and_then(|row| row.parse().ok()).unwrap_or(self.row + 1);
        if matches!(attribute(tag, "hidden").as_deref(), Some("1" | "true")) {
            self.hidden.insert(self.row);
        }
    }
}

/// The tags of a text, without their first mark.
fn tags(text: &str) -> impl Iterator<Item = &str> {
    text.split('<').skip(1)
}

/// `sheet` of `x:sheet name="People"`; nothing of the end of a tag.
fn local_name(tag: &str) -> &str {
    let name = tag.split(|letter: char| letter.is_ascii_whitespace() || matches!(letter, '>' | '/')).next();
    name.map_or("", |name| name.rsplit(':').next().unwrap_or(name))
}

/// The value of an attribute.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    loop {
        let at = rest.find(name)?;
        let before = rest[..at].ends_with(|letter: char| letter.is_ascii_whitespace());
        rest = &rest[at + name.len()..];
        let Some(value) = rest.trim_start().strip_prefix('=').filter(|_| before) else { continue };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
        return value[1..].split(quote).next().map(unescaped);
    }
}

fn unescaped(text: &str) -> String {
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    plain.into_iter().fold(text.to_owned(), |text, (escaped, letter)| text.replace(escaped, letter))
}

/// What an archive is that is no workbook.
fn foreign<R: Read + Seek>(archive: &mut ZipArchive<R>) -> &'static str {
    if archive.index_for_name("content.xml").is_some() {
        return "it is an OpenDocument file (.ods): save it as .xlsx or CSV";
    }
    if archive.index_for_name("xl/workbook.bin").is_some() {
        return "it is a binary workbook (.xlsb): save it as .xlsx or CSV";
    }
    if archive.index_for_name("word/document.xml").is_some() {
        return "it is a text document (.docx): save its table as .xlsx or CSV";
    }
    "it is an archive (.zip), not a list: unpack it, and name the list in it"
}

fn odd(_error: &ZipError) -> TableError {
    torn()
}

fn torn() -> TableError {
    let what = "it is no workbook that can be read, or only a part of one: fetch it or save it again, as .xlsx or CSV";
    TableError::Foreign(what.to_owned())
}

fn bomb() -> TableError {
    TableError::Foreign("it is a workbook that unpacks to more than a list can hold: save it as CSV".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_rows_are_found_across_blocks() {
        let sheet = "<sheetData><row r=\"1\"/><x:row r='2' hidden=\"1\" ht=\"3\"><c r=\"A2\"/></x:row>\
                     <row hidden='true'></row><row r=\"9\" hidden=\"0\"/></sheetData>";
        for size in [1, 7, 1_000] {
            let mut scan = Scan { is_sheet: true, ..Scan::default() };
            sheet.as_bytes().chunks(size).for_each(|block| scan.pass(block).unwrap_or_else(|error| panic!("{error}")));
            assert_eq!(scan.hidden, HashSet::from([2, 3]), "{size}");
        }
    }

    #[test]
    fn a_sheet_is_found_by_its_name() {
        let parts = Parts {
            workbook: "<sheets><sheet name=\"A &amp; B\" sheetId=\"1\" r:id=\"rId7\"/></sheets>".to_owned(),
            links: "<Relationship Id=\"rId7\" Target=\"worksheets/Sheet1.xml\"/>".to_owned(),
            ..Parts::default()
        };
        assert_eq!(parts.part_of("A & B").as_deref(), Some("xl/worksheets/sheet1.xml"));
        assert_eq!(parts.part_of("A"), None);
    }
}
