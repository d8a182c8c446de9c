//! Takes a person out of the rejects files of a state directory.

use std::fs;
use std::io;
use std::path::Path;

use super::lead::Phone;
use super::rejects::is_rejects;
use crate::private_file::Replacement;

/// Digits at the end of a number that tell people apart.
const TELLING: usize = 9;
/// A cell with fewer digits names nobody.
const FEWEST: usize = 6;

/// Removes a person's rows from every rejects file of that directory, and a file whole where it cannot be read row by
/// row or has no other row. Returns how many files were changed.
pub fn erase(dir: &Path, phone: Phone) -> io::Result<u64> {
    let mut changed = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && is_named_so(&entry.file_name().to_string_lossy()) {
            changed += u64::from(erase_from(&entry.path(), &phone.digits().to_string())?);
        }
    }
    Ok(changed)
}

/// `NAME.rejects.csv`, `NAME.rejects-2.csv` and `rejects.csv`.
fn is_named_so(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".csv") else { return false };
    let stem = stem.rsplit_once('-').filter(|(_, last)| last.parse::<u64>().is_ok()).map_or(stem, |(stem, _)| stem);
    stem == "rejects" || stem.ends_with(".rejects")
}

/// Whether the file was changed.
fn erase_from(path: &Path, digits: &str) -> io::Result<bool> {
    let Some((kept, found)) = rows(path, digits) else { return fs::remove_file(path).map(|()| true) };
    if !found {
        return Ok(false);
    }
    if kept.len() <= 1 {
        return fs::remove_file(path).map(|()| true);
    }
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Replacement::begin(path)?);
    kept.iter().try_for_each(|row| writer.write_record(row))?;
    writer.into_inner().map_err(csv::IntoInnerError::into_error)?.finish()?;
    Ok(true)
}

/// The rows that may stay, and whether there are others. None where the file is no rejects file that can be read.
fn rows(path: &Path, digits: &str) -> Option<(Vec<csv::StringRecord>, bool)> {
    if !is_rejects(path) {
        return None;
    }
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_path(path).ok()?;
    let all: Vec<_> = reader.records().collect::<Result<_, _>>().ok()?;
    let before = all.len();
    let mut is_header = true;
    let stays = |row: &csv::StringRecord| std::mem::take(&mut is_header) || !row.iter().any(|cell| names(cell, digits));
    let kept: Vec<_> = all.into_iter().filter(stays).collect();
    let found = kept.len() < before;
    Some((kept, found))
}

/// Whether a cell may hold that number, however it is written.
fn names(cell: &str, digits: &str) -> bool {
    if cell.chars().any(|c| c.is_numeric() && !c.is_ascii()) {
        return true;
    }
    let held: String = cell.chars().filter(char::is_ascii_digit).collect();
    let telling = &digits[digits.len().saturating_sub(TELLING)..];
    let short = held.trim_start_matches('0');
    held.contains(telling) || (short.len() >= FEWEST && digits.ends_with(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_a_forgotten_person_leave_the_rejects_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let header = "phone,name,dialer_line,dialer_reason\n";
        let both = format!("{header}(415) 555-0100,Ada,2,no country\n415 555 0101,Eve,3,no country\n");
        let ada = format!("{header}+1 415 555 0100 / 0101,Ada,2,two numbers\n");
        let files = [("a.rejects.csv", &both), ("b-2.rejects-3.csv", &ada), ("rejects.csv", &both), ("a.csv", &both)];
        for (name, text) in files {
            fs::write(path(name), text).unwrap();
        }
        fs::write(path("torn.rejects.csv"), "Ada,\"4155550100").unwrap();
        let phone = Phone::from_digits(14_155_550_100).unwrap();
        assert_eq!(erase(dir.path(), phone).unwrap(), 4);
        for name in ["a.rejects.csv", "rejects.csv"] {
            let kept = format!("{header}415 555 0101,Eve,3,no country\n");
            assert_eq!(fs::read_to_string(path(name)).unwrap(), kept, "{name}");
        }
        assert!(!path("b-2.rejects-3.csv").exists() && !path("torn.rejects.csv").exists());
        assert_eq!(fs::read_to_string(path("a.csv")).unwrap(), both, "it is no rejects file of ours");
        assert_eq!(erase(dir.path(), phone).unwrap(), 0);
    }
}
