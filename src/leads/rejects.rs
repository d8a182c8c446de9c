//! The rejects file: what cannot be called, in the columns of its list, with the line and the reason, to be mended and
//! given back as a list. A row that is given back as it is, is rejected again. The user's own file is never written to.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use super::columns::{REJECT_COLUMNS, Role};
use super::findings::Reason;
use super::list::List;
use super::options::{Field, Source};
use super::table::Table;
use crate::private_file::Replacement;

/// A rejects file that comes into being with its first row, and under its name when it is finished.
pub struct Rejects {
    /// Where it goes; without it the rows are only counted.
    path: Option<PathBuf>,
    writer: Option<csv::Writer<Out>>,
    header: Vec<String>,
    lists: Vec<Place>,
    /// The rows so far, as hashes, each with the first list that had it.
    seen: HashMap<u64, usize>,
}

/// What is written to: beside its place until it is finished, but a device, a pipe or the like as it is.
enum Out {
    Beside(Replacement),
    Special(File),
}

impl io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Beside(file) => file.write(bytes),
            Self::Special(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Beside(file) => file.flush(),
            Self::Special(file) => file.flush(),
        }
    }
}

/// Where the columns of one list stand in the file.
struct Place {
    name: String,
    columns: Vec<usize>,
}

impl Rejects {
    /// For these lists. Columns with the same header, or of the same field, share one. Writes nothing yet.
    pub fn new(path: Option<&Path>, lists: &[List]) -> Self {
        // What a link points to is written, not the link.
        let path = path.map(|path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
        let mut header: Vec<(String, Option<Field>)> = Vec::new();
        let lists = lists.iter().map(|list| place(list, &mut header)).collect();
        let header = header.into_iter().map(|(header, _)| header).chain(REJECT_COLUMNS.map(str::to_owned)).collect();
        Self { path, writer: None, header, lists, seen: HashMap::new() }
    }

    /// One more row of the list at that place. False where another list had the same row before: the file holds it
    /// once, since a list that was mended is given beside the one it was made from.
    pub fn add(&mut self, list: usize, line: u64, reason: &Reason, cells: &[String]) -> io::Result<bool> {
        let place = &self.lists[list];
        let own = self.header.len() - REJECT_COLUMNS.len();
        let mut row = vec![""; own];
        for (cell, at) in cells.iter().zip(&place.columns) {
            row[*at] = cell;
        }
        // Cells beyond the columns stay beyond them, so that the row is not taken as it is.
        let beyond = cells.iter().skip(place.columns.len()).map(String::as_str);
        if *self.seen.entry(hash_of(&row, beyond.clone())).or_insert(list) != list {
            return Ok(false);
        }
        let line = if self.lists.len() > 1 { format!("{}:{line}", place.name) } else { line.to_string() };
        let reason = reason.to_string();
        row.push(&line);
        row.push(&reason);
        row.extend(beyond);
        if self.writer.is_none() {
            self.writer = self.begin()?;
        }
        self.writer.as_mut().map_or(Ok(()), |writer| writer.write_record(row))?;
        Ok(true)
    }

    fn begin(&self) -> io::Result<Option<csv::Writer<Out>>> {
        let Some(path) = &self.path else { return Ok(None) };
        let is_special = fs::metadata(path).is_ok_and(|stat| !stat.is_file());
        let out = if is_special {
            Out::Special(OpenOptions::new().write(true).open(path)?)
        } else {
            Out::Beside(Replacement::begin(path)?)
        };
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(out);
        writer.write_record(&self.header)?;
        Ok(Some(writer))
    }

    /// Puts the file in its place, if there is one.
    pub fn finish(self) -> io::Result<Option<PathBuf>> {
        let Some(writer) = self.writer else { return Ok(None) };
        match writer.into_inner().map_err(csv::IntoInnerError::into_error)? {
            Out::Beside(file) => file.finish().map(Some),
            Out::Special(_) => Ok(self.path),
        }
    }
}

fn hash_of<'a>(row: &[&str], beyond: impl Iterator<Item = &'a str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.hash(&mut hasher);
    beyond.for_each(|cell| cell.hash(&mut hasher));
    hasher.finish()
}

/// Which of these files the rejects file would overwrite, if any.
pub fn overwritten<'a>(path: &Path, files: impl IntoIterator<Item = &'a Path>) -> Option<&'a Path> {
    let rejects = canonical(path);
    files.into_iter().find(|file| canonical(file) == rejects)
}

/// Whether a place that nobody named can be taken: nothing is there, or an earlier rejects file, and no link.
pub fn is_free(path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(stat) => stat.is_file() && is_rejects(path),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Whether a file can be written over by a rejects file: it is one, or empty.
pub fn is_rejects(path: &Path) -> bool {
    let header = Table::open(&Source::File(path.to_owned()), None).and_then(|mut table| table.next_row());
    match header {
        Ok(None) => true,
        Ok(Some(header)) => header.cells.ends_with(&REJECT_COLUMNS.map(str::to_owned)),
        Err(_) => false,
    }
}

/// The one path of a file, which need not exist yet.
fn canonical(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        path.file_name().map_or_else(|| path.to_owned(), |name| folder.join(name))
    })
}

fn place(list: &List, header: &mut Vec<(String, Option<Field>)>) -> Place {
    let mut columns = Vec::new();
    for (name, role) in list.header().iter().zip(list.columns().roles()) {
        let field = if let Role::Is(field) = role { Some(*field) } else { None };
        let known = |(known, of): &(String, Option<Field>)| {
            (field.is_some() && *of == field) || (!name.is_empty() && known == name)
        };
        // Two columns of one list never share one of the file.
        let at = (0..header.len()).find(|at| known(&header[*at]) && !columns.contains(at));
        columns.push(at.unwrap_or_else(|| {
            header.push((name.clone(), field));
            header.len() - 1
        }));
    }
    Place { name: list.name().to_owned(), columns }
}
