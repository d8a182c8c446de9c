//! One run per campaign: a lock that the operating system drops when its holder dies.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::super::Error;
use super::directory::{private_file, private_folder, refused};
use crate::pool::attempt_id::Mark;
use crate::time::Now;

/// Held for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    /// Kept open: closing it lets the lock go.
    _file: File,
    account: String,
    campaign: String,
}

impl Lock {
    /// Takes a campaign for this process, or says who has it.
    pub fn take(dir: &Path, account: &str, campaign: &str, pid: u32, now: Now) -> Result<Self, Error> {
        private_folder(dir, &dir.join("locks"))?;
        let path = path(dir, account, &Mark::of(campaign));
        let mut file = private_file(dir, &path)?;
        let taken = {
            let _turn = Turn::wait(dir)?;
            file.try_lock()
        };
        match taken {
            Ok(()) => {
                write_holder(&mut file, pid, now).map_err(|error| refused(dir, error.to_string()))?;
                Ok(Self { _file: file, account: account.to_owned(), campaign: campaign.to_owned() })
            }
            Err(TryLockError::WouldBlock) => {
                let (pid, since) = holder(&mut file, now);
                Err(Error::Held { campaign: campaign.to_owned(), pid, since })
            }
            Err(TryLockError::Error(error)) => Err(refused(dir, format!("{}: {error}", path.display()))),
        }
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

/// Whether some process holds a campaign.
pub(super) fn is_held(dir: &Path, account: &str, mark: &Mark) -> Result<bool, Error> {
    let path = path(dir, account, mark);
    // Dropped last: the turn outlasts the look. Where only reading is allowed, nobody starts a run either.
    let _turn = Turn::wait(dir).ok();
    let Ok(file) = File::open(&path) else { return Ok(false) };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(refused(dir, format!("{}: {error}", path.display()))),
    }
}

/// Whoever only looks holds a campaign's lock for a moment, too: so looking and taking take turns.
struct Turn {
    _file: File,
}

impl Turn {
    fn wait(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("locks").join("turn");
        let file = private_file(dir, &path)?;
        file.lock().map_err(|error| refused(dir, format!("{}: {error}", path.display())))?;
        Ok(Self { _file: file })
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
    let since = since.parse::<jiff::Timestamp>().ok().map(|since| {
        let zone = TimeZone::system();
        let (since, now) = (since.to_zoned(zone.clone()), now.wall.to_zoned(zone));
        let today = since.date() == now.date();
        since.strftime(if today { "%H:%M:%S" } else { "%-d %b %H:%M:%S" }).to_string()
    });
    (pid.parse().ok(), since)
}
