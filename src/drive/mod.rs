//! Acts, in real time.

pub mod clock;

pub mod progress;
