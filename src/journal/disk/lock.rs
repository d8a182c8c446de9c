//! One run per campaign: a lock that the operating system drops when its holder dies.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::super::Error;
use super::db::Fence;
use super::directory::{private_file, private_folder, refused};
#[cfg(feature = "postgres")]
use super::lease::Lease;
use super::machine::Presence;
use super::waiting::{holders, patiently};
use crate::pool::attempt_id::Mark;
use crate::private_file;
use crate::time::Now;

/// Whoever looks whether a campaign is held has its lock, shared, for an instant; longer than this only if it was
/// stopped in that instant.
const LOOK: Duration = Duration::from_secs(2);

/// Held for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    /// Kept open: closing it lets the lock go.
    _file: Option<File>,
    /// The same where the journal is on a server.
    #[cfg(feature = "postgres")]
    lease: Option<Lease>,
    /// The same for copies of the state directory, once a run has begun.
    presence: Option<Presence>,
    account: String,
    campaign: String,
}

impl Lock {
    /// Takes a campaign for this process, or says who has it.
    pub fn take(dir: &Path, account: &str, campaign: &str, pid: u32, now: Now) -> Result<Self, Error> {
        private_folder(dir, &dir.join("locks"))?;
        let path = path(dir, account, &Mark::of(campaign));
        let mut file = private_file(dir, &path)?;
        let taken = patiently(LOOK, || match file.try_lock() {
            Ok(()) => Some(Ok(())),
            Err(TryLockError::WouldBlock) => holders(&path).iter().any(|holder| holder.alone).then_some(Err(None)),
            Err(TryLockError::Error(error)) => Some(Err(Some(error))),
        });
        match taken {
            Some(Ok(())) => {
                write_holder(&mut file, pid, now).map_err(|error| refused(dir, error.to_string()))?;
                let (account, campaign) = (account.to_owned(), campaign.to_owned());
                Ok(Self {
                    _file: Some(file),
                    #[cfg(feature = "postgres")]
                    lease: None,
                    presence: None,
                    account,
                    campaign,
                })
            }
            Some(Err(Some(error))) => Err(refused(dir, format!("{}: {error}", path.display()))),
            None if !holders(&path).is_empty() => Err(Error::busy(&path)),
            None | Some(Err(None)) => {
                let (pid, since) = holder(&mut file, now);
                Err(Error::Held { campaign: campaign.to_owned(), pid, host: None, since })
            }
        }
    }

    /// Takes the campaign of this journal, and of every copy of it, on this machine.
    pub(super) fn alone_here(&mut self, journal: &[u8]) -> Result<(), Error> {
        self.presence = match Presence::of(&[journal, self.account.as_bytes(), self.campaign.as_bytes()]) {
            Ok(presence) => presence,
            Err(pid) => return Err(Error::Copied { campaign: self.campaign.clone(), pid }),
        };
        Ok(())
    }

    /// The account whose campaign it holds.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The campaign that it holds.
    pub fn campaign(&self) -> &str {
        &self.campaign
    }
}

#[cfg(feature = "postgres")]
impl Lock {
    /// A campaign that is held by a lease.
    pub(super) fn leased(lease: Lease, account: &str, campaign: &str) -> Self {
        let (account, campaign) = (account.to_owned(), campaign.to_owned());
        Self { _file: None, lease: Some(lease), presence: None, account, campaign }
    }

    /// What every transaction of its run has to find unchanged, where it is held by a lease.
    pub(super) fn fence(&self) -> Option<Fence> {
        self.lease.as_ref().map(Lease::fence)
    }

    /// For how long its run may still place calls, where that has an end.
    pub(super) fn left(&self) -> Option<Duration> {
        self.lease.as_ref().map(Lease::left)
    }

    /// Whether another run has taken the campaign over.
    pub(super) fn is_lost(&self) -> bool {
        self.lease.as_ref().is_some_and(Lease::is_lost)
    }
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_self, reason = "a lock of the system has neither term nor end")]
impl Lock {
    /// There are no leases here.
    pub(super) fn fence(&self) -> Option<Fence> {
        None
    }

    /// A lock has no end.
    pub(super) fn left(&self) -> Option<Duration> {
        None
    }

    /// Nor is it lost.
    pub(super) fn is_lost(&self) -> bool {
        false
    }
}

/// Whether some process holds a campaign. Never waits.
pub(super) fn is_held(dir: &Path, account: &str, mark: &Mark) -> Result<bool, Error> {
    let path = path(dir, account, mark);
    let Ok(file) = private_file::look(&path) else { return Ok(false) };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(refused(dir, format!("{}: {error}", path.display()))),
    }
}

fn path(dir: &Path, account: &str, mark: &Mark) -> PathBuf {
    let hash = Sha256::digest(account.as_bytes());
    let short = hash.iter().take(6).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    dir.join("locks").join(format!("{short:012x}-{}.lock", mark.as_str()))
}

fn write_holder(file: &mut File, pid: u32, now: Now) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(format!("{pid} {}\n", now.wall).as_bytes())
}

/// Who holds a lock and since when, as far as its file tells.
fn holder(file: &mut File, now: Now) -> (Option<u32>, Option<String>) {
    let mut text = String::new();
    if file.seek(SeekFrom::Start(0)).and_then(|_| file.take(100).read_to_string(&mut text)).is_err() {
        return (None, None);
    }
    let (pid, since) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let since = since.parse().ok().map(|since| told_since(since, now));
    (pid.parse().ok(), since)
}

/// Since when, for people.
pub(super) fn told_since(since: Timestamp, now: Now) -> String {
    let zone = TimeZone::system();
    let (since, now) = (since.to_zoned(zone.clone()), now.wall.to_zoned(zone));
    let today = since.date() == now.date();
    since.strftime(if today { "%H:%M:%S" } else { "%-d %b %H:%M:%S" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::suite::bench::at;

    fn take(dir: &Path) -> Result<Lock, Error> {
        Lock::take(dir, "org-1", "leads", 4711, at(0))
    }

    #[test]
    fn whoever_stands_still_while_looking_makes_nobody_wait_for_long() {
        let dir = tempfile::tempdir().unwrap();
        drop(take(dir.path()).unwrap());
        let looking = File::open(path(dir.path(), "org-1", &Mark::of("leads"))).unwrap();
        looking.lock_shared().unwrap();
        assert!(!is_held(dir.path(), "org-1", &Mark::of("leads")).unwrap());
        let busy = take(dir.path()).unwrap_err();
        assert!(matches!(&busy, Error::Busy { holder, .. } if *holder == Some(std::process::id())), "{busy}");
        drop(looking);
        let held = take(dir.path()).unwrap();
        assert!(is_held(dir.path(), "org-1", &Mark::of("leads")).unwrap());
        assert!(matches!(take(dir.path()), Err(Error::Held { pid: Some(4711), .. })));
        drop(held);
        take(dir.path()).unwrap();
    }

    #[test]
    fn a_planted_lock_file_cuts_nobodys_file() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("leads.csv");
        std::fs::write(&victim, "phone\n").unwrap();
        std::fs::create_dir(dir.path().join("locks")).unwrap();
        std::os::unix::fs::symlink(&victim, path(dir.path(), "org-1", &Mark::of("leads"))).unwrap();
        assert!(matches!(take(dir.path()), Err(Error::Directory { .. })));
        assert_eq!(std::fs::read_to_string(victim).unwrap(), "phone\n");
    }
}
