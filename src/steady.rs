//! Time since the machine was started, the time in which it was suspended with it where the system counts that: news from
//! before are old then, and a wait is over.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

#[cfg(any(target_os = "linux", target_os = "android"))]
const STEADY: ClockId = ClockId::Boottime;
/// The same, where there is no other name for it.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const STEADY: ClockId = ClockId::Monotonic;

/// Time since the machine was started.
pub(crate) fn now() -> Duration {
    let since = clock_gettime(STEADY);
    Duration::new(u64::try_from(since.tv_sec).unwrap_or(0), u32::try_from(since.tv_nsec).unwrap_or(0))
}
