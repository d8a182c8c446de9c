//! This machine, as other machines know it.

use crate::text::clean;

/// What this machine is called.
pub(crate) fn name() -> String {
    clean(&rustix::system::uname().nodename().to_string_lossy(), 100)
}
