//! The state directory: private, on a disk of this machine, and ours to write in.

use std::fs::{DirBuilder, File, create_dir_all, read_to_string};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::super::Error;

/// File systems on other machines, where neither our lock nor the database's log is safe.
const ON_THE_NETWORK: [&str; 23] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ncpfs",
    "afs",
    "ceph",
    "lustre",
    "davfs",
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.gcsfuse",
    "fuse.mountpoint-s3",
    "fuse.goofys",
    "fuse.ceph-fuse",
    "fuse.juicefs",
    "fuse.blobfuse2",
    "9p",
    "beegfs",
    "gpfs",
];

/// Makes the directory, if it is not there, and refuses one that cannot keep a journal.
pub(super) fn prepare(dir: &Path) -> Result<(), Error> {
    let trouble = |error: io::Error| refused(dir, error.to_string());
    if !dir.is_dir() {
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            create_dir_all(parent).map_err(trouble)?;
        }
        DirBuilder::new().mode(0o700).create(dir).or_else(already_there).map_err(trouble)?;
    }
    let stat = dir.metadata().map_err(trouble)?;
    check_owner(dir, (stat.uid(), stat.mode()), rustix::process::geteuid().as_raw())?;
    check_place(dir)
}

/// Refuses a directory in which somebody else can replace files.
fn check_owner(dir: &Path, (owner, mode): (u32, u32), user: u32) -> Result<(), Error> {
    let why = if owner != user {
        format!("it belongs to another user (uid {owner}):   chown {user} it")
    } else if mode & 0o022 != 0 {
        "other users can write to it:   chmod 700 it".to_owned()
    } else {
        return Ok(());
    };
    Err(refused(dir, format!("{why}, or name a directory within it, which is made for you alone")))
}

/// Refuses a directory on another machine.
pub(super) fn check_place(dir: &Path) -> Result<(), Error> {
    let Ok(mounts) = read_to_string("/proc/self/mountinfo") else { return Ok(()) };
    let full = dir.canonicalize().map_err(|error| refused(dir, error.to_string()))?;
    match file_system(&mounts, &full) {
        Some(kind) if ON_THE_NETWORK.contains(&kind.as_str()) => {
            Err(refused(dir, format!("it lies on a network file system ({kind}), where a journal is not safe")))
        }
        _ => Ok(()),
    }
}

/// Opens a file of the state directory that only its owner can read, and makes it if it is not there.
pub(super) fn private_file(dir: &Path, file: &Path) -> Result<File, Error> {
    crate::private_file::open(file).map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full(file.to_owned()),
        _ => refused(dir, format!("{}: {error}", file.display())),
    })
}

/// Makes a private directory within the state directory.
pub(super) fn private_folder(dir: &Path, folder: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().mode(0o700).create(folder).or_else(already_there);
    made.map_err(|error| refused(dir, format!("{}: {error}", folder.display())))
}

fn already_there(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

pub(super) fn refused(dir: &Path, why: String) -> Error {
    Error::Directory { dir: dir.to_owned(), why }
}

/// The kind of file system that a path lies on, from the text of `/proc/self/mountinfo` (proc(5)): of the mounts above
/// it the deepest, and of those the last.
fn file_system(mounts: &str, path: &Path) -> Option<String> {
    let above = mounts.lines().filter_map(mount).filter(|(point, _)| path.starts_with(point));
    above.max_by_key(|(point, _)| point.components().count()).map(|(_, kind)| kind)
}

fn mount(line: &str) -> Option<(PathBuf, String)> {
    let (left, right) = line.split_once(" - ")?;
    let point = left.split(' ').nth(4)?;
    let point = point.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\");
    Some((point.into(), right.split(' ').next()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /home rw - nfs4 server:/home rw
31 30 8:2 / /home/anna/my\\040disk rw master:2 - ext4 /dev/sdb1 rw
32 22 0:40 / /mnt/far rw - fuse.sshfs anna@far:/ rw
33 22 0:41 / /mnt/twice rw - ext4 /dev/sdc rw
34 22 0:42 / /mnt/twice rw - cifs //far/share rw";

    #[test]
    fn a_directory_that_others_can_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("state");
        prepare(&dir).unwrap();
        for (mode, fits) in [(0o755, true), (0o775, false), (0o1777, false), (0o702, false), (0o700, true)] {
            std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(mode)).unwrap();
            let said = prepare(&dir).map_err(|error| error.to_string());
            assert_eq!(said.is_ok(), fits, "{mode:o}: {said:?}");
            assert!(said.err().is_none_or(|said| said.contains("chmod 700")), "{mode:o}");
        }
        let said = check_owner(&dir, (7, 0o700), 8).unwrap_err().to_string();
        assert!(said.contains("chown 8") && said.contains("uid 7"), "{said}");
    }

    #[test]
    fn the_deepest_mount_counts_and_the_last_of_two() {
        let kind = |path: &str| file_system(MOUNTS, Path::new(path)).unwrap();
        assert_eq!(kind("/var/lib"), "ext4");
        assert_eq!(kind("/home/anna/state"), "nfs4");
        assert_eq!(kind("/home/anna/my disk/state"), "ext4");
        assert_eq!(kind("/homestead"), "ext4");
        assert_eq!(kind("/mnt/far/x"), "fuse.sshfs");
        assert_eq!(kind("/mnt/twice/x"), "cifs");
        assert_eq!(file_system("nonsense\n", Path::new("/")), None);
    }
}
