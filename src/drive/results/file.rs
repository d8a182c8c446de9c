//! A results file: rows are added at its end, whole; a torn one of our own is cut, and one that was moved away is begun
//! anew.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;

use crate::journal::disk::results::ResultsPlace;
use crate::report::results::{RowId, beginning};

/// No row of ours is longer.
const LONGEST_ROW: u64 = 4 << 20;

/// The file that is written to.
#[derive(Debug)]
pub(super) struct ResultsFile {
    path: PathBuf,
    file: File,
    /// It has a length and a place on a disk, unlike a pipe or a device.
    is_regular: bool,
    identity: (u64, u64),
    /// A write broke off: what lies beyond is torn.
    cut_to: Option<u64>,
}

/// What lies beyond the part of a file that is known.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Tail {
    /// Whole rows of the campaign.
    pub(super) rows: Vec<RowId>,
    /// Where the last whole line ends.
    pub(super) whole: u64,
    /// What stands behind it: nothing, a row of ours that broke off, or something else.
    end: TailEnd,
}

#[derive(Debug, Default, PartialEq, Clone, Copy)]
enum TailEnd {
    #[default]
    Whole,
    Torn,
    Foreign,
}

impl ResultsFile {
    /// Opens it, and makes it where it is not there; only its owner may read a new one. No other run may write to it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = if is_pipe(path) {
            open_pipe(path)?
        } else {
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?
        };
        let stat = file.metadata()?;
        if stat.is_file()
            && let Err(TryLockError::WouldBlock) = file.try_lock()
        {
            return Err(io::Error::other("another run is writing to it"));
        }
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self { path, file, is_regular: stat.is_file(), identity: (stat.dev(), stat.ino()), cut_to: None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is and how long, for the journal; none of what has no length.
    pub(super) fn place(&self) -> io::Result<Option<ResultsPlace>> {
        let path = self.path.to_string_lossy().into_owned();
        let length = self.file.metadata()?.len();
        Ok(self.is_regular.then_some(ResultsPlace { path, file: self.identity, length }))
    }

    /// Reads what lies beyond the part that is known, and leaves whole lines alone behind.
    pub(super) fn take_up(&mut self, known: Option<&ResultsPlace>, campaign: &str) -> io::Result<Vec<RowId>> {
        if !self.is_regular {
            return Ok(Vec::new());
        }
        let length = self.file.metadata()?.len();
        let known = known.filter(|known| known.file == self.identity);
        let from = match known {
            Some(known) if known.length <= length => known.length,
            // It was emptied meanwhile, and whatever stands there came later.
            Some(_) => 0,
            None => last_line(&mut self.file, length)?,
        };
        let tail = Tail::read(&mut self.file, from, campaign)?;
        match tail.end {
            TailEnd::Whole => {}
            TailEnd::Torn => self.file.set_len(tail.whole)?,
            TailEnd::Foreign => self.file.write_all(b"\n")?,
        }
        Ok(tail.rows)
    }

    /// Adds rows at the end, and returns when they are on the disk.
    pub(super) fn append(&mut self, rows: &str) -> io::Result<()> {
        if !self.is_regular {
            return self.file.write_all(rows.as_bytes());
        }
        self.follow()?;
        if let Some(whole) = self.cut_to {
            self.file.set_len(whole)?;
            self.cut_to = None;
        }
        let before = self.file.metadata()?.len();
        let written = self.file.write_all(rows.as_bytes()).and_then(|()| self.file.sync_data());
        if written.is_err() && self.file.set_len(before).is_err() {
            self.cut_to = Some(before);
        }
        written
    }

    /// A file that was moved away is begun anew under its name.
    fn follow(&mut self) -> io::Result<()> {
        let there = std::fs::metadata(&self.path).ok().map(|stat| (stat.dev(), stat.ino()));
        if there != Some(self.identity) {
            *self = Self::open(&self.path)?;
        }
        Ok(())
    }
}

/// Whether rows go to somebody who reads them as they come.
pub(super) fn is_pipe(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|stat| stat.file_type().is_fifo())
}

/// Opens a pipe to be written to alone: whoever could read it as well would never be told that nobody else does.
fn open_pipe(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().write(true).custom_flags(flags).open(path).map_err(|error| {
        let nobody = error.raw_os_error() == Some(Errno::NXIO.raw_os_error());
        if nobody { io::Error::other("nobody reads this pipe; start its reader first") } else { error }
    })?;
    fcntl_setfl(&file, OFlags::WRONLY)?;
    Ok(file)
}

impl Tail {
    /// What lies in a file from there on.
    fn read(file: &mut File, from: u64, campaign: &str) -> io::Result<Self> {
        file.seek(SeekFrom::Start(from))?;
        let mut lines = BufReader::new(file);
        let mut tail = Self { whole: from, ..Self::default() };
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = lines.by_ref().take(LONGEST_ROW).read_until(b'\n', &mut line)? as u64;
            if line.last() == Some(&b'\n') {
                tail.whole += length;
                let row = serde_json::from_slice::<RowId>(&line).ok();
                tail.rows.extend(row.filter(|row| row.campaign == campaign));
            } else if length == LONGEST_ROW {
                // Nobody's row is that long: the rest of the line is passed over.
                tail.whole += length;
            } else {
                tail.end = end_of(&line, campaign);
                return Ok(tail);
            }
        }
    }

    /// What lies beyond the known part of a file that is not written to any more: its whole rows.
    pub(super) fn of(place: &ResultsPlace, campaign: &str) -> io::Result<Self> {
        // Looked at before it is opened: a pipe that stands there now would wait for somebody.
        let stat = std::fs::metadata(&place.path)?;
        if (stat.dev(), stat.ino()) != place.file || stat.len() <= place.length {
            return Ok(Self { whole: place.length, ..Self::default() });
        }
        Self::read(&mut File::open(&place.path)?, place.length, campaign)
    }
}

/// What a last line is that has no line break. A machine that lost power may have left zeros.
fn end_of(line: &[u8], campaign: &str) -> TailEnd {
    let beginning = beginning(campaign);
    let written = line.iter().rposition(|byte| *byte != 0).map_or(&[][..], |last| &line[..=last]);
    match (line, written) {
        ([], _) => TailEnd::Whole,
        (_, written) if written.starts_with(beginning.as_bytes()) || beginning.as_bytes().starts_with(written) => {
            TailEnd::Torn
        }
        _ => TailEnd::Foreign,
    }
}

/// Where the last line of a file begins, as far as a row reaches back.
fn last_line(file: &mut File, length: u64) -> io::Result<u64> {
    let from = length.saturating_sub(LONGEST_ROW);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.take(LONGEST_ROW).read_to_end(&mut end)?;
    Ok(end.iter().rposition(|byte| *byte == b'\n').map_or(from, |last| from + last as u64 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(campaign: &str, n: u64) -> String {
        format!("{}\"number\":\"+1415555010{n}\",\"settlement\":1}}\n", beginning(campaign))
    }

    fn known(file: &ResultsFile, length: u64) -> ResultsPlace {
        ResultsPlace { length, ..file.place().unwrap().unwrap() }
    }

    #[test]
    fn whole_rows_count_and_a_torn_one_of_our_own_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.jsonl");
        let (first, second) = (row("a", 0), row("a", 1));
        for (torn, left) in [
            ("", ""),
            ("{\"camp", ""),
            ("{\"campaign\":\"a\",\"number\":\"+14", ""),
            ("\0\0\0", ""),
            ("{\"campaign\":\"a\",\"nu\0\0", ""),
            ("{\"campaign\":\"ab\",", "{\"campaign\":\"ab\",\n"),
            ("notes", "notes\n"),
        ] {
            std::fs::write(&path, format!("{first}{second}{}{torn}", row("b", 2))).unwrap();
            let mut file = ResultsFile::open(&path).unwrap();
            let rows = file.take_up(Some(&known(&file, first.len() as u64)), "a").unwrap();
            assert_eq!(rows.iter().map(|row| row.number.to_string()).collect::<Vec<_>>(), ["+14155550101"]);
            file.append(&row("a", 3)).unwrap();
            let after = std::fs::read_to_string(&path).unwrap();
            assert_eq!(after, format!("{first}{second}{}{left}{}", row("b", 2), row("a", 3)), "{torn:?}");
        }
    }

    #[test]
    fn a_file_that_nobody_knows_is_added_to_and_one_that_was_emptied_is_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.jsonl");
        std::fs::write(&path, row("a", 0)).unwrap();
        let mut file = ResultsFile::open(&path).unwrap();
        assert_eq!(file.take_up(None, "a").unwrap(), []);
        let place = known(&file, 10_000);
        assert_eq!(file.take_up(Some(&place), "a").unwrap().len(), 1);
        let other = ResultsPlace { file: (0, 0), length: 0, ..place };
        assert_eq!(file.take_up(Some(&other), "a").unwrap(), [], "another file under the same name");
        assert!(ResultsFile::open(&path).unwrap_err().to_string().contains("another run"));
    }

    #[test]
    fn one_that_was_moved_away_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (path, moved) = (dir.path().join("r.jsonl"), dir.path().join("r.1"));
        let mut file = ResultsFile::open(&path).unwrap();
        file.append(&row("a", 0)).unwrap();
        std::fs::rename(&path, &moved).unwrap();
        file.append(&row("a", 1)).unwrap();
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), row("a", 0));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), row("a", 1));
        std::fs::write(&path, "").unwrap();
        file.append(&row("a", 2)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), row("a", 2), "one that was copied and emptied");
        assert_eq!(file.place().unwrap().unwrap().length, row("a", 2).len() as u64);
    }

    #[test]
    fn a_pipe_has_a_reader_or_is_no_place_for_rows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert!(ResultsFile::open(&path).unwrap_err().to_string().contains("nobody reads"));
        let reader = std::thread::spawn({
            let path = path.clone();
            move || {
                let mut line = String::new();
                BufReader::new(File::open(path).unwrap()).read_line(&mut line).unwrap();
                line
            }
        });
        let mut file = loop {
            match ResultsFile::open(&path) {
                Ok(file) => break file,
                Err(_) => std::thread::yield_now(),
            }
        };
        assert_eq!((file.place().unwrap(), file.take_up(None, "a").unwrap()), (None, vec![]));
        file.append(&row("a", 0)).unwrap();
        assert_eq!(reader.join().unwrap(), row("a", 0));
        assert_eq!(file.append(&row("a", 1)).unwrap_err().kind(), io::ErrorKind::BrokenPipe, "its reader has left");
    }

    #[test]
    fn a_device_has_no_length() {
        let mut file = ResultsFile::open(Path::new("/dev/full")).unwrap();
        assert_eq!(file.place().unwrap(), None);
        assert_eq!(file.take_up(None, "a").unwrap(), []);
        assert_eq!(file.append("x").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(ResultsFile::open(Path::new("/")).is_err());
    }
}
