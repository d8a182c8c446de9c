//! The built program: what it prints, how it ends, and what it does when it is killed, refused or lied to.

mod artefacts;
mod cli;
mod cli_journal;
mod cli_layers;
mod cli_lists;
mod cli_notify;
mod cli_plan;
mod cli_readme;
mod cli_run;
mod cli_stalled;
mod cli_watched;
mod crash;
#[path = "../stage/fresh.rs"]
mod fresh;
mod hostile;
mod manifests;
mod online;
mod results;
mod sandbox;
mod serve;
#[path = "../stage/mod.rs"]
mod stage;
mod webhook;
