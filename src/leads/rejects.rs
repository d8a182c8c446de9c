//! The rejects file: what cannot be called, in the columns of its list, with the line and the reason, to be mended and
//! given back as a list. A row that is given back as it is, is rejected again. The user's own file is never written to.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::columns::{REJECT_COLUMNS, Role};
use super::findings::Reason;
use super::list::List;
use super::options::{Field, Source};
use super::table::Table;

/// A rejects file that comes into being with its first row, and under its name when it is finished.
pub struct Rejects {
    path: PathBuf,
    /// Where it is written until it is finished; nowhere else if it is a device, a pipe or the like.
    part: Option<PathBuf>,
    writer: Option<csv::Writer<File>>,
    header: Vec<String>,
    lists: Vec<Place>,
}

/// Where the columns of one list stand in the file.
struct Place {
    name: String,
    columns: Vec<usize>,
}

impl Rejects {
    /// For these lists. Columns with the same header, or of the same field, share one. Writes nothing yet.
    pub fn new(path: &Path, lists: &[List]) -> Self {
        // What a link points to is written, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_special = fs::metadata(&path).is_ok_and(|stat| !stat.is_file());
        let part = (!is_special).then(|| {
            let mut part = path.as_os_str().to_owned();
            part.push(format!(".{}.part", std::process::id()));
            PathBuf::from(part)
        });
        let mut header: Vec<(String, Option<Field>)> = Vec::new();
        let lists = lists.iter().map(|list| place(list, &mut header)).collect();
        let header = header.into_iter().map(|(header, _)| header).chain(REJECT_COLUMNS.map(str::to_owned)).collect();
        Self { path, part, writer: None, header, lists }
    }

    /// One more row of the list at that place.
    pub fn add(&mut self, list: usize, line: u64, reason: &Reason, cells: &[String]) -> io::Result<()> {
        let place = &self.lists[list];
        let own = self.header.len() - REJECT_COLUMNS.len();
        let mut row = vec![""; own];
        for (cell, at) in cells.iter().zip(&place.columns) {
            row[*at] = cell;
        }
        let line = if self.lists.len() > 1 { format!("{}:{line}", place.name) } else { line.to_string() };
        let reason = reason.to_string();
        row.push(&line);
        row.push(&reason);
        // Cells beyond the columns stay beyond them, so that the row is not taken as it is.
        row.extend(cells.iter().skip(place.columns.len()).map(String::as_str));
        let writer = if let Some(writer) = &mut self.writer {
            writer
        } else {
            let file = match &self.part {
                Some(part) => File::create(part)?,
                None => OpenOptions::new().write(true).open(&self.path)?,
            };
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
            writer.write_record(&self.header)?;
            self.writer.insert(writer)
        };
        Ok(writer.write_record(row)?)
    }

    /// Puts the file in its place, if there is one.
    pub fn finish(mut self) -> io::Result<Option<PathBuf>> {
        let Some(writer) = self.writer.take() else { return Ok(None) };
        let file = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        if let Some(part) = &self.part {
            file.sync_all()?;
            fs::rename(part, &self.path)?;
        }
        Ok(Some(self.path.clone()))
    }
}

impl Drop for Rejects {
    fn drop(&mut self) {
        if let (Some(_), Some(part)) = (self.writer.take(), &self.part) {
            // Nothing can be done about a failure here, and the half of a file is no use to anybody.
            let _gone = fs::remove_file(part);
        }
    }
}

/// Which of these files the rejects file would overwrite, if any.
pub fn overwritten<'a>(path: &Path, files: impl IntoIterator<Item = &'a Path>) -> Option<&'a Path> {
    let rejects = canonical(path);
    files.into_iter().find(|file| canonical(file) == rejects)
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
