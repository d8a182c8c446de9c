//! From a file to leads: whatever people export, read without changing it.
pub mod batch;
pub mod lead;
