//! Acts, in real time.

pub mod progress;
