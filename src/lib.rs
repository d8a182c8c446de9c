//! Calls a list of leads through the Vapi voice API, in batches, and keeps slots of the shared pool free for inbound
//! callers. `docs/design.md` tells the whole story; these modules are its chapters, in the order in which one lead
//! meets them.

/// The version; of a release with its commit.
pub const VERSION: &str = match option_env!("DIALER_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

pub mod exit;
pub(crate) mod host;
pub mod private_file;
pub(crate) mod steady;
pub mod text;
pub mod time;

pub mod campaign;
pub mod cli;
pub mod drive;
pub mod journal;
pub mod leads;
pub mod live;
pub mod pool;
pub mod rehearsal;
pub mod report;
pub mod run;
pub mod trace;
pub mod vapi;
