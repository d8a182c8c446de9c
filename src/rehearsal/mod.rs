//! Pretends: a provider that does not exist, stepped in virtual time or served over HTTP on loopback.

pub mod blocking;
pub mod forecast;
pub mod rehearse;
pub mod sandbox;
pub mod world;
