//! Speaks to the provider: one request for one claim, listings, and what to read before the first dial.
//!
//! A [`Claim`](crate::journal::claim::Claim) goes in, [`News`](crate::campaign::event::News) comes out. The client
//! sends each request once: it follows no redirect, repeats nothing, and has no opinion about when to dial or what to
//! do next. Whatever the provider sends is bounded in size and never trusted: a body may be HTML, an array, cut short
//! or huge, a row may hold the wrong types, a number may be negative. The key goes into one header and nowhere else.

pub mod base;
pub mod request;

mod analysis;
pub mod call;
mod limits;
mod scan;

mod error_body;
pub mod failure;

pub mod analytics;
pub mod client;
mod last_word;
pub mod preflight;
mod proxy;
pub(crate) mod tls;
pub(crate) mod transport;
