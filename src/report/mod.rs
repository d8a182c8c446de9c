//! report
pub mod findings;
