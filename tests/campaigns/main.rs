//! Whole campaigns in virtual time, against a provider that knows the truth.

#[cfg(feature = "postgres")]
mod crash_virtual;
mod dispositions;
mod feeder;
mod forecast;
mod forecast_fact;
#[path = "../stage/fresh.rs"]
mod fresh;
#[path = "../stage/head.rs"]
mod head;
mod headroom;
mod lines;
mod plot;
mod pool;
mod rehearsal;
mod reserve_auto;
#[path = "../stage/mod.rs"]
mod stage;
mod stalls;
mod stamps;
#[path = "../stage/stores.rs"]
mod stores;
mod sweep;
mod trace;
