//! Waiting for another process, with an end to it, and who that is.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::super::Error;

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// A wait that is longer is worth a word.
const WORTH_A_WORD: Duration = Duration::from_secs(2);

/// Asked again and again while another process is waited for, with [`Error::Busy`]: whether to go on waiting.
pub type KeepWaiting = Arc<dyn Fn(&Error) -> bool + Send + Sync>;

/// How another process that holds the journal is waited for.
#[derive(Clone)]
pub(super) struct Patience {
    pub(super) most: Duration,
    pub(super) keep: Option<KeepWaiting>,
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("most", &self.most).finish_non_exhaustive()
    }
}

impl Patience {
    /// Tries until something comes of it; none once it has taken too long, or nobody wants to wait any more.
    pub(super) fn wait<T>(&self, file: &Path, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        let first = patiently(self.most.min(WORTH_A_WORD), &mut attempt);
        if first.is_some() || self.most <= WORTH_A_WORD {
            return first;
        }
        let mut attempt = || match attempt() {
            Some(done) => Some(Some(done)),
            None => self.keep.as_ref().is_some_and(|keep| !keep(&Error::busy(file))).then_some(None),
        };
        patiently(self.most.saturating_sub(WORTH_A_WORD), &mut attempt).flatten()
    }
}

/// A process that holds a lock of the system on a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Holder {
    /// Its number.
    pub(super) pid: u32,
    /// Nobody else can hold one beside it.
    pub(super) alone: bool,
}

/// Tries until something comes of it; none once it has taken that long.
#[expect(clippy::disallowed_methods, reason = "another process is waited for, which no clock of a run knows of")]
pub(super) fn patiently<T>(most: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let began = std::time::Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(done) = attempt() {
            return Some(done);
        }
        if began.elapsed() >= most {
            return None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Between two of many transactions: long enough for whoever waits to try again, who would hardly get in otherwise.
#[expect(clippy::disallowed_methods, reason = "other processes are let in, which no clock of a run knows of")]
pub(super) fn let_others_in() {
    std::thread::sleep(LONGEST_PAUSE + Duration::from_millis(10));
}

/// Who holds a file; nobody where the system does not tell. The file is not opened: closing it again would let go of
/// every lock that the database has on it in this process (fcntl(2)).
pub(super) fn holders(file: &Path) -> Vec<Holder> {
    let (Ok(locks), Ok(stat)) = (std::fs::read_to_string("/proc/locks"), file.metadata()) else { return Vec::new() };
    holders_in(&locks, stat.ino())
}

/// From the text of `/proc/locks` (`proc_locks(5)`). Lines with an arrow are of those who wait. The device is not looked
/// at, as stacked file systems show another there.
fn holders_in(locks: &str, inode: u64) -> Vec<Holder> {
    let holder = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "POSIX" | "FLOCK" | "OFDLCK", _, mode, pid, file, ..] = words[..] else { return None };
        let here = file.rsplit(':').next()?.parse::<u64>() == Ok(inode);
        here.then_some(Holder { pid: pid.parse().ok()?, alone: mode == "WRITE" })
    };
    locks.lines().filter_map(holder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_who_holds_a_file() {
        let locks = "\
1: POSIX  ADVISORY  READ  4711 fd:01:131082 1073741826 1073742335
2: FLOCK  ADVISORY  WRITE 815 08:01:77 0 EOF
2: -> FLOCK  ADVISORY  WRITE 816 08:01:77 0 EOF
3: LEASE  ACTIVE    READ  9 08:01:77 0 EOF
nonsense";
        assert_eq!(holders_in(locks, 131_082), [Holder { pid: 4711, alone: false }]);
        assert_eq!(holders_in(locks, 77), [Holder { pid: 815, alone: true }]);
        assert_eq!(holders_in(locks, 1), []);
    }

    #[test]
    fn a_wait_has_an_end() {
        let mut tries = 0;
        assert_eq!(
            patiently(Duration::from_millis(20), || {
                tries += 1;
                None::<()>
            }),
            None
        );
        assert!(tries > 1, "{tries}");
        assert_eq!(patiently(Duration::ZERO, || Some(7)), Some(7));
    }
}
