//! The clocks of this machine, read here and nowhere else.

use jiff::Timestamp;

/// The wall clock, once.
#[expect(clippy::disallowed_methods, reason = "this is where the wall clock is read")]
pub fn wall() -> Timestamp {
    Timestamp::now()
}
