//! Files that hold people's numbers: only their owner may read them, and no link is followed on the way to them, since
//! a link may have been put there by somebody else. Files that the user named are the user's: see [`append`].

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tempfile::NamedTempFile;

/// Opens a file to read and to write, and makes it (mode 0600) if it is not there. Refuses a link, a pipe, a device.
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    regular(without_links(&mut options).open(path).map_err(|error| plainly(path, error))?)
}

/// Opens a file only to read. Refuses a link, a pipe, a device.
pub fn look(path: &Path) -> io::Result<File> {
    regular(without_links(OpenOptions::new().read(true)).open(path).map_err(|error| plainly(path, error))?)
}

/// Opens a file that the user named, to be written to at its end; a new one can be read by its owner alone. Links are
/// followed: `/dev/stderr` is one.
pub fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// A file that is written under a name nobody can guess, beside the one that it replaces when it is whole.
#[derive(Debug)]
pub struct Replacement {
    target: PathBuf,
    part: NamedTempFile,
}

impl Replacement {
    /// Begins one. Dropped before [`Replacement::finish`], it leaves nothing behind.
    pub fn begin(target: &Path) -> io::Result<Self> {
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let part = tempfile::Builder::new().prefix(".dialer-").suffix(".part").tempfile_in(folder)?;
        Ok(Self { target: target.to_owned(), part })
    }

    /// Puts it in its place, on the disk. A link that stands there is replaced, what it points to stays.
    pub fn finish(self) -> io::Result<PathBuf> {
        self.part.as_file().sync_all()?;
        self.part.persist(&self.target).map_err(|error| error.error)?;
        Ok(self.target)
    }
}

impl io::Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.part.flush()
    }
}

/// Reads a file whole, or says that it is larger than it may be. A device without an end has one here.
pub fn read_whole(path: &Path, most: u64) -> io::Result<String> {
    let mut text = String::new();
    Bounded::new(File::open(path)?, most).read_to_string(&mut text)?;
    Ok(text)
}

/// What is read of something whose size nobody knows: more than that is an error, since a part is not the whole.
pub struct Bounded<R> {
    input: R,
    left: u64,
    most: u64,
}

impl<R> Bounded<R> {
    /// So many bytes of it at most.
    pub fn new(input: R, most: u64) -> Self {
        Self { input, left: most, most }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        let most = self.most;
        let larger = || io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {most} bytes"));
        self.left = self.left.checked_sub(count as u64).ok_or_else(larger)?;
        Ok(count)
    }
}

/// Whether two paths lead to one file, or would, if it were made.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| std::fs::metadata(path).ok().map(|stat| (stat.dev(), stat.ino()));
    match (identity(one), identity(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => canonical(one) == canonical(other),
        _ => false,
    }
}

/// The one path of a file, which need not exist yet.
fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        path.file_name().map_or_else(|| path.to_owned(), |name| folder.join(name))
    })
}

/// `O_NONBLOCK`: opening a pipe that nobody reads must not wait for a reader.
fn without_links(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
}

fn plainly(path: &Path, error: io::Error) -> io::Error {
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|stat| stat.is_symlink());
    if is_link { io::Error::other("it is a symbolic link, which is not followed here: remove it") } else { error }
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no plain file: remove it")) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_planted_link_is_neither_followed_nor_cut() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, link) = (dir.path().join("leads.csv"), dir.path().join("x.lock"));
        std::fs::write(&victim, "phone\n").unwrap();
        symlink(&victim, &link).unwrap();
        for refused in [open(&link), look(&link)] {
            assert!(refused.unwrap_err().to_string().contains("symbolic link"));
        }
        let mut whole = Replacement::begin(&link).unwrap();
        whole.write_all(b"rejects\n").unwrap();
        whole.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "phone\n");
        assert_eq!(std::fs::read_to_string(&link).unwrap(), "rejects\n");
        assert!(open(dir.path()).is_err() && look(Path::new("/dev/null")).is_err());
    }

    #[test]
    fn what_is_made_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        open(&path("a")).unwrap();
        append(&path("b")).unwrap();
        Replacement::begin(&path("c")).unwrap().finish().unwrap();
        for name in ["a", "b", "c"] {
            assert_eq!(mode(&path(name)), 0o600, "{name}");
        }
        drop(Replacement::begin(&path("d")).unwrap());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3, "the half of a file is left");
    }

    #[test]
    fn a_file_without_an_end_is_not_read_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read_whole(&path, 5).unwrap(), "12345");
        for (path, most) in [(path.as_path(), 4), (Path::new("/dev/zero"), 100)] {
            assert_eq!(read_whole(path, most).unwrap_err().kind(), io::ErrorKind::FileTooLarge, "{path:?}");
        }
    }

    #[test]
    fn one_file_is_known_under_all_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("a"), "").unwrap();
        std::fs::write(path("other"), "").unwrap();
        std::fs::hard_link(path("a"), path("hard")).unwrap();
        symlink(path("a"), path("soft")).unwrap();
        for name in ["a", "./a", "hard", "soft"] {
            assert!(is_same(&path("a"), &path(name)), "{name}");
        }
        assert!(!is_same(&path("a"), &path("other")) && !is_same(&path("a"), &path("new")));
        assert!(is_same(&path("new"), &path("./new")) && !is_same(&path("new"), &path("newer")));
    }
}
