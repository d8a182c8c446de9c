//! cli
pub mod sandbox;
