//! Do-not-call lists: numbers and prefixes that are never called. They fail closed: where an entry can be read in several
//! ways, all of them are kept, every column of numbers counts, and a line that cannot be read ends the reading with an
//! error, since whoever stands on it would be called. While a run lives entries are only ever added, so that a file
//! caught half-written opens nothing.

mod entry;
mod layout;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::findings::{Findings, Kind};
use super::lead::Phone;
use super::list::{ListError, Wrong};
use super::options::{Region, Source};
use super::shown::shown;
use super::table::{Row, Table, TableError};
use entry::{Entry, NATIONAL};
use layout::Layout;

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
    told: Told,
    seen: Option<Look>,
    /// A pipe is read once: opening it again may wait for ever.
    was_read: bool,
}

/// What was read of one list: a person should know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The file.
    pub path: PathBuf,
    /// Numbers and prefixes in it.
    pub entries: u64,
    /// Rows without a number.
    pub findings: Findings,
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
    /// line. A file or a line that cannot be read is an error; an empty file is not, but is told.
    pub fn open(paths: &[PathBuf], region: Option<Region>) -> Result<Self, ListError> {
        let told = |path: &PathBuf| Told { path: path.clone(), entries: 0, findings: Findings::default() };
        let files = paths.iter().map(|path| Watched { told: told(path), seen: None, was_read: false }).collect();
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

    /// Adds numbers that a list says itself are not to be called.
    pub fn add(&mut self, phones: &HashSet<Phone>) {
        self.starts.extend(phones.iter().map(|phone| phone.digits()));
    }

    /// Whether any of the files has changed since it was read: one `stat` each. One that is gone is an error.
    pub fn changed(&self) -> io::Result<bool> {
        for file in &self.files {
            if stat(&file.told.path)? != file.seen {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads the files that have changed, and adds what is new in them.
    pub fn reload(&mut self) -> Result<(), ListError> {
        for at in 0..self.files.len() {
            let path = self.files[at].told.path.clone();
            let fail = |what: Wrong| ListError { name: super::shown::file(&path), what: Box::new(what) };
            // Looked at before it is read: what is written meanwhile is read again next time.
            let seen = stat(&path).map_err(|error| fail(Wrong::Table(error.into())))?;
            if !self.files[at].was_read || (seen.is_some() && seen != self.files[at].seen) {
                let told = self.read(&path).map_err(fail)?;
                self.files[at] = Watched { told, seen, was_read: true };
            }
        }
        Ok(())
    }

    /// How many entries there are in the files.
    pub fn len(&self) -> u64 {
        self.files.iter().map(|file| file.told.entries).sum()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was read of each file.
    pub fn told(&self) -> impl Iterator<Item = &Told> {
        self.files.iter().map(|file| &file.told)
    }

    fn read(&mut self, path: &Path) -> Result<Told, Wrong> {
        let mut table = Table::open(&Source::File(path.to_owned()), None)?;
        let mut told = Told { path: path.to_owned(), entries: 0, findings: Findings::default() };
        let Some(first) = row_of(&mut table)? else { return Ok(told) };
        let second = row_of(&mut table)?;
        let layout = Layout::of(&first.cells, second.is_some());
        let mut rows: Vec<Row> = second.into_iter().collect();
        if !layout.has_headers {
            rows.push(first);
        }
        while let Some(row) = rows.pop().map_or_else(|| row_of(&mut table), |row| Ok(Some(row)))? {
            if layout::is_comment(&row.cells) {
                continue;
            }
            let (count, entries) = layout.entries(&row.cells, self.region).map_err(|(why, cell)| {
                let cell = if cell.is_empty() { row.cells.join(" ") } else { cell };
                Wrong::DoNotCall { line: row.line, text: shown(cell.trim()), why }
            })?;
            if count == 0 {
                told.findings.add(Kind::NoNumber, row.line, row.cells.first().map_or("", String::as_str));
            }
            told.entries += count;
            for entry in entries {
                self.keep(entry);
            }
        }
        Ok(told)
    }

    fn keep(&mut self, entry: Entry) {
        match entry {
            Entry::Start(digits) => drop(self.starts.insert(digits)),
            Entry::End(digits) => {
                self.end_lengths |= 1 << digits.to_string().len();
                self.ends.insert(digits);
            }
        }
    }
}

/// The next row. Of a file that is written to meanwhile, what is there is taken: the next look reads it again.
fn row_of(table: &mut Table) -> Result<Option<Row>, TableError> {
    match table.next_row() {
        Err(TableError::Changed) => Ok(None),
        row => row,
    }
}

/// Which file it is, and in which state; nothing of a pipe or the like.
fn stat(path: &Path) -> io::Result<Option<Look>> {
    let stat = fs::metadata(path)?;
    let look = Look { inode: stat.ino(), size: stat.len(), changed: (stat.ctime(), stat.ctime_nsec()) };
    Ok(stat.is_file().then_some(look))
}

#[cfg(test)]
mod tests;
