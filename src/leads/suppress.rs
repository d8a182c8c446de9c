//! Do-not-call lists: numbers and prefixes that are never called. Where an entry can be read in several ways, all of them
//! are kept: a lead too few is called rather than one too many. While a run lives entries are only ever added, so that a
//! file caught half-written opens nothing.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::columns::Columns;
use super::findings::{Findings, Kind};
use super::lead::Phone;
use super::list::{ListError, Wrong};

use super::options::{Field, Region, Source};
use super::phone::{clean, verdict};
use super::table::{Row, Table, TableError};
use super::trouble::ListHead;

/// The fewest digits that name a person without a country code.
const NATIONAL: usize = 8;

/// The do-not-call lists of a run.
pub struct Suppression {
    files: Vec<Watched>,
    region: Option<Region>,
    starts: HashSet<u64>,
    ends: HashSet<u64>,
    /// The lengths that occur among `ends`, as bits.
    end_lengths: u32,
}

struct Watched {
    path: PathBuf,
    findings: Findings,
    seen: Option<Look>,
}

/// What tells that a file has changed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Suppression {
    /// Reads the files, in any format that a list may have, or with nothing but a number or prefix (`+1900*`) on each
    /// line. A file that cannot be read is an error; an empty one is not.
    pub fn open(paths: &[PathBuf], region: Option<Region>) -> Result<Self, ListError> {
        let files = paths
            .iter()
            .map(|path| Watched { path: path.clone(), findings: Findings::default(), seen: None })
            .collect();
        let (starts, ends) = (HashSet::new(), HashSet::new());
        let mut lists = Self { files, region, starts, ends, end_lengths: 0 };
        lists.reload()?;
        Ok(lists)
    }

    /// Whether the number must not be called.
    pub fn contains(&self, phone: Phone) -> bool {
        let digits = phone.digits();
        let mut start = digits;
        while start > 0 {
            if self.starts.contains(&start) {
                return true;
            }
            start /= 10;
        }
        (NATIONAL..=15)
            .filter(|length| self.end_lengths & (1 << length) != 0)
            .any(|length| self.ends.contains(&(digits % 10_u64.pow(u32::try_from(length).unwrap_or(0)))))
    }

    /// Whether any of the files has changed since it was read: one `stat` each. One that is gone is an error.
    pub fn changed(&self) -> io::Result<bool> {
        for file in &self.files {
            if stat(&file.path)? != file.seen {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads the files that have changed, and adds what is new in them.
    pub fn reload(&mut self) -> Result<(), ListError> {
        for at in 0..self.files.len() {
            let path = self.files[at].path.clone();
            let fail = |what: Wrong| ListError { name: path.display().to_string(), what: Box::new(what) };
            // Looked at before it is read: what is written meanwhile is read again next time.
            let seen = stat(&path).map_err(|error| fail(Wrong::Table(error.into())))?;
            if seen.is_none() || seen != self.files[at].seen {
                let mut findings = Findings::default();
                self.read(&path, &mut findings).map_err(fail)?;
                self.files[at].findings = findings;
                self.files[at].seen = seen;
            }
        }
        Ok(())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.starts.len() + self.ends.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows of each file that hold no number or prefix: they suppress nobody, and a person should know.
    pub fn findings(&self) -> impl Iterator<Item = (&Path, &Findings)> {
        self.files.iter().map(|file| (file.path.as_path(), &file.findings))
    }

    fn read(&mut self, path: &Path, findings: &mut Findings) -> Result<(), Wrong> {
        let mut table = Table::open(&Source::File(path.to_owned()), None)?;
        let Some(first) = row_of(&mut table)? else { return Ok(()) };
        if is_area_and_number(&first.cells) {
            self.add_area_and_number(&first.cells);
            while let Some(row) = row_of(&mut table)? {
                if is_area_and_number(&row.cells) {
                    self.add_area_and_number(&row.cells);
                } else {
                    findings.add(Kind::NotANumber, row.line, row.cells.first().map_or("", String::as_str));
                }
            }
            return Ok(());
        }
        let mut next = Some(first);
        let column = if let Some(column) = self.entry_among(next.as_ref().map_or(&[], |row| &row.cells)) {
            column
        } else {
            let headers = next.take().map(|row| row.cells).unwrap_or_default();
            next = row_of(&mut table)?;
            let cells = next.as_ref().map_or(&[][..], |row| &row.cells);
            self.column(&headers, cells)?
        };
        while let Some(row) = next {
            let cell = row.cells.get(column).map_or("", String::as_str);
            if let Err(kind) = self.add(cell) {
                findings.add(kind, row.line, cell);
            }
            next = row_of(&mut table)?;
        }
        Ok(())
    }

    /// Which column holds the entries, by its header, else by what stands in it.
    fn column(&self, headers: &[String], cells: &[String]) -> Result<usize, Wrong> {
        let found = Columns::new(headers, &[], &[]);
        let by_header = found.as_ref().ok().and_then(|columns| columns.find(Field::Number));
        let only = (headers.len() == 1).then_some(0);
        match (by_header.or(only).or_else(|| self.entry_among(cells)), found) {
            (Some(column), _) => Ok(column),
            (None, Err(error)) => {
                let beginning = ListHead { headers: headers.to_vec(), rows: vec![cells.to_vec()], lines: vec![2] };
                Err(Wrong::Columns(error, beginning))
            }
            (None, Ok(_)) => Ok(0),
        }
    }

    fn entry_among(&self, cells: &[String]) -> Option<usize> {
        cells.iter().position(|cell| self.entries(cell).is_ok_and(|entries| !entries.is_empty()))
    }

    fn add(&mut self, cell: &str) -> Result<(), Kind> {
        for entry in self.entries(cell)? {
            match entry {
                Entry::Start(digits) => {
                    self.starts.insert(digits);
                }
                Entry::End(digits) => {
                    self.end_lengths |= 1 << digits.to_string().len();
                    self.ends.insert(digits);
                }
            }
        }
        Ok(())
    }

    /// Everything that a cell may mean.
    fn entries(&self, cell: &str) -> Result<Vec<Entry>, Kind> {
        let text = clean::clean(cell);
        if clean::is_scientific(&text) {
            return Err(Kind::Spreadsheet);
        }
        let mut entries = Vec::new();
        for piece in clean::split(&text) {
            let piece = piece.trim();
            let stem = piece.trim_end_matches(['*', '.', ' ']);
            if !stem.is_empty() {
                self.meanings(&clean::written(stem)?, piece.ends_with('*'), &mut entries)?;
            }
        }
        if entries.is_empty() && !text.is_empty() { Err(Kind::NotANumber) } else { Ok(entries) }
    }

    fn meanings(&self, written: &clean::Written, is_prefix: bool, entries: &mut Vec<Entry>) -> Result<(), Kind> {
        let digits = written.digits.as_str();
        let mut start = |digits: &str| match digits.parse() {
            Ok(number) if number > 0 && digits.len() <= 15 => entries.push(Entry::Start(number)),
            _ => {}
        };
        if written.plus {
            start(digits);
            written.without_zero.iter().for_each(|digits| start(digits));
            return Ok(());
        }
        let national = digits.trim_start_matches('0');
        if !is_prefix && national.len() < NATIONAL - 1 {
            return Err(Kind::Length);
        }
        if let Some(rest) = digits.strip_prefix("00") {
            start(rest);
        } else if national.len() == digits.len() && (is_prefix || digits.len() >= NATIONAL) {
            start(digits);
        }
        match self.region {
            Some(region) if is_prefix => start(&format!("{}{national}", verdict::calling_code(region))),
            Some(region) => {
                if let Ok(number) = PHONE_NUMBER_UTIL.parse(digits, Some(region.0)) {
                    let e164 = number.format_as(rlibphonenumber::PhoneNumberFormat::E164).into_owned();
                    start(e164.trim_start_matches('+'));
                }
            }
            None if is_prefix => {}
            None if (NATIONAL..=15).contains(&national.len()) => {
                entries.extend(national.parse().map(Entry::End));
            }
            None => return Err(Kind::NoCountry),
        }
        Ok(())
    }

    /// The file of the American register: area code and number in two columns, no header.
    fn add_area_and_number(&mut self, cells: &[String]) {
        let digits = format!("1{}{}", cells[0].trim(), cells[1].trim());
        self.starts.extend(digits.parse::<u64>());
    }
}

/// The next row. Of a file that is written to meanwhile, what is there is taken: the next look reads it again.
fn row_of(table: &mut Table) -> Result<Option<Row>, TableError> {
    match table.next_row() {
        Err(TableError::Changed) => Ok(None),
        row => row,
    }
}

/// One meaning of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Entry {
    /// Every number that begins so, country code first; a whole number too.
    Start(u64),
    /// Every number that ends so: a national number of nobody knows which country.
    End(u64),
}

fn is_area_and_number(cells: &[String]) -> bool {
    let are_digits = |cell: &str, count| cell.len() == count && cell.bytes().all(|byte| byte.is_ascii_digit());
    matches!(cells, [area, number] if are_digits(area.trim(), 3) && are_digits(number.trim(), 7))
}

/// Size and time of a file; nothing of a pipe, which can only be read once.
/// Which file it is, and in which state; nothing of a pipe or the like, which is read every time.
fn stat(path: &Path) -> io::Result<Option<Look>> {
    let stat = fs::metadata(path)?;
    let look = Look { inode: stat.ino(), size: stat.len(), changed: (stat.ctime(), stat.ctime_nsec()) };
    Ok(stat.is_file().then_some(look))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(text: &str, region: &str) -> Suppression {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dnc.csv");
        fs::write(&path, text).unwrap();
        Suppression::open(&[path], region.parse().ok()).unwrap()
    }

    fn contains(lists: &Suppression, number: &str) -> bool {
        lists.contains(Phone::from_e164(number).unwrap())
    }

    #[test]
    fn any_format_will_do() {
        for (text, region) in [
            ("+14155550100\n+14155550101\n", ""),
            ("phone,reason\n(415) 555-0100,asked\n", "US"),
            ("Name;Telefon\nBob;+1 415 555 0100\n", ""),
            ("blocked\n4155550100\n", ""),
            ("4155550100", ""),
            ("14155550100", ""),
            ("415,5550100\n415,5550101\n", ""),
            ("who,where\nBob,+1 415-555-0100\n", ""),
            ("+1415*", ""),
            ("+1415", ""),
            ("1415*", ""),
            ("415*", "US"),
        ] {
            let lists = lists(text, region);
            assert!(contains(&lists, "+14155550100"), "{text:?}");
            assert!(!contains(&lists, "+14165550199"), "{text:?}");
            assert!(lists.findings().all(|(_, findings)| findings.is_empty()), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let lists = lists("number\n+14155550100\nn/a\n9.17045E+11\n123\n+\n*\n", "");
        assert_eq!(lists.len(), 1);
        assert_eq!(
            lists.findings().flat_map(|(_, findings)| findings.groups()).map(|(_, group)| group.count).sum::<u64>(),
            5
        );
    }

    #[test]
    fn an_empty_file_suppresses_nobody_and_a_missing_one_is_an_error() {
        assert!(lists("", "").is_empty());
        assert!(lists("number\n", "").is_empty());
        assert!(Suppression::open(&["/nowhere/dnc.csv".into()], None).is_err());
    }

    #[test]
    fn entries_are_only_ever_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dnc.csv");
        fs::write(&path, "+14155550100\n").unwrap();
        let mut lists = Suppression::open(std::slice::from_ref(&path), None).unwrap();
        assert!(!lists.changed().unwrap());
        fs::write(&path, "+14155550101\n+14155550102\n").unwrap();
        assert!(lists.changed().unwrap());
        lists.reload().unwrap();
        assert!(["+14155550100", "+14155550101", "+14155550102"].iter().all(|number| contains(&lists, number)));
        assert!(!lists.changed().unwrap());
        fs::remove_file(&path).unwrap();
        assert!(lists.changed().is_err());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
        #[test]
        fn a_number_is_found_however_it_was_written(area in 201_u64..989, rest in 2_000_000_u64..9_999_999) {
            let digits = format!("{area}{rest}");
            for text in [format!("+1{digits}"), digits.clone(), format!("1{digits}"), format!("001{digits}")] {
                for region in ["", "US"] {
                    proptest::prop_assert!(contains(&lists(&text, region), &format!("+1{digits}")), "{text} {region}");
                }
            }
        }
    }
}
