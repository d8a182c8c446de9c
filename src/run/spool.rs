//! Lists that can be read only once, stdin and pipes: copied before anything else, since a list is read several times.
//! The copy has no name as soon as it is open, so that no numbers stay behind, however the run ends.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::drive::clock::Clock;
use crate::drive::signals::Signals;
use crate::leads::options::{Copied, Source};
use crate::leads::table::MAX_STREAM;
use crate::private_file::Bounded;
use crate::report::failure::Failure;

/// How a copy begins to be called, in the moment in which it has a name.
const NAME: &str = "list-";
/// A copy that has kept its name for so long belongs to nobody any more.
const STALE: SignedDuration = SignedDuration::from_hours(24);

/// Whether a second look at it would find nothing, or wait for ever.
pub(super) fn is_read_once(input: &Source) -> bool {
    match input {
        Source::File(path) => fs::metadata(path).is_ok_and(|stat| !stat.is_file() && !stat.is_dir()),
        Source::Stdin => true,
        Source::Copied(_) => false,
    }
}

/// Reads it to its end, unless a signal comes first: whoever writes to a pipe may never come.
pub(super) async fn copy(input: &Source, dir: &Path, signals: &mut Signals) -> Result<Source, Failure> {
    let name = input.to_string();
    clean(dir, Clock::real().now().wall);
    let cannot = |error: io::Error| Failure::machine(format!("{name} cannot be kept in {}: {error}", dir.display()));
    let copied = tokio::task::spawn_blocking({
        let (input, dir) = (input.path().map(Path::to_owned), dir.to_owned());
        move || copy_whole(input, &dir)
    });
    let file = tokio::select! {
        biased;
        order = signals.next() => {
            return Err(Failure::new(order.exit_before_dialing(), "interrupted before anybody was called"));
        }
        copied = copied => copied.map_err(io::Error::other).flatten().map_err(cannot)?,
    };
    Ok(Source::Copied(Copied { name: name.into(), file: Arc::new(file) }))
}

fn copy_whole(input: Option<PathBuf>, dir: &Path) -> io::Result<File> {
    let mut copy = tempfile::tempfile_in(dir)?;
    match input {
        Some(path) => io::copy(&mut Bounded::new(File::open(path)?, MAX_STREAM), &mut copy)?,
        None => io::copy(&mut Bounded::new(io::stdin().lock(), MAX_STREAM), &mut copy)?,
    };
    Ok(copy)
}

/// Copies that an earlier version named, or that were left in the moment in which they have a name.
fn clean(dir: &Path, now: Timestamp) {
    let Ok(files) = fs::read_dir(dir) else { return };
    for file in files.flatten() {
        let name = file.file_name();
        let name = name.to_string_lossy();
        let is_copy = (name.starts_with(NAME) && name.ends_with(".tmp")) || is_of_old(&name);
        let written = file.metadata().and_then(|stat| stat.modified()).ok().and_then(|at| Timestamp::try_from(at).ok());
        if is_copy && written.is_some_and(|written| now.duration_since(written) > STALE) {
            // Whoever cannot remove it now tries again next time.
            let _ = fs::remove_file(file.path());
        }
    }
}

/// `stdin-4711.csv`.
fn is_of_old(name: &str) -> bool {
    let pid = name.strip_prefix("stdin-").and_then(|rest| rest.strip_suffix(".csv"));
    pid.is_some_and(|pid| !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_copy_has_no_name_and_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = tempfile::tempfile_in(dir.path()).unwrap();
        file.write_all(b"phone\n").unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "phone\n");
    }

    #[test]
    fn only_old_copies_are_cleaned_away() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["stdin-1.csv", "list-ab.tmp", "stdin-list.csv", "leads.rejects.csv"];
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365);
        for name in names {
            File::create(dir.path().join(name)).unwrap().set_modified(long_ago).unwrap();
        }
        File::create(dir.path().join("stdin-2.csv")).unwrap();
        clean(dir.path(), Clock::real().now().wall);
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["leads.rejects.csv", "stdin-2.csv", "stdin-list.csv"]);
    }
}
