//! From a file to leads: whatever people export, read without changing it. Bytes become rows ([`table`]), headers become
//! fields ([`columns`]), cells become numbers ([`phone`], [`country`]) and zones ([`zone`]), and what cannot be called becomes a
//! finding and a row of the rejects file. Nothing here dials, or knows a campaign.

pub mod counts;
pub mod list;
pub mod options;
pub mod trouble;

pub mod table;

pub mod erasing;
pub mod findings;
pub mod rejects;
pub mod shown;

pub mod columns;
pub mod country;
mod head;
pub mod headers;
pub mod phone;
pub mod refusal;
pub mod zone;

pub mod suppress;

pub mod batch;
pub mod lead;
