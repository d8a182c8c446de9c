//! `dialer replay`: steps a recorded run again, and says where it decides otherwise.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::print;
use crate::exit::Exit;
use crate::leads::shown::file;
use crate::report::failure::Failure;
use crate::report::style::count;
use crate::trace::frames::{Decompressor, MAGIC};
use crate::trace::replay::{Error, Replayed, replay};

/// Letters of a decision that are shown: a listing has very many.
const SHOWN: usize = 2_000;

/// `dialer replay`.
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayArgs {
    /// What `dialer run --trace` wrote
    #[arg(value_name = "TRACE")]
    pub trace: PathBuf,
}

/// Steps the trace.
pub fn step(args: &ReplayArgs) -> Result<Exit, Failure> {
    let at = |error: &dyn std::fmt::Display| format!("{}: {error}", file(&args.trace));
    let trace = open(&args.trace).map_err(|error| Failure::usage(at(&error)))?;
    let Replayed { campaign, version, events, actions, whole } = replay(trace).map_err(|error| match &error {
        Error::Otherwise { then, now, .. } => {
            Failure::machine(at(&error)).advise(format!("then: {}", cut(then))).advise(format!("now:  {}", cut(now)))
        }
        Error::Fails(_) => Failure::machine(at(&error)),
        _ => Failure::usage(at(&error)),
    })?;
    let (events, actions) = (count(events, "event", "events"), count(actions, "action", "actions"));
    print(&format!("campaign {campaign}, traced by dialer {version}: {events}, {actions}, decided the same again\n"))?;
    if whole {
        return Ok(Exit::Settled);
    }
    Err(Failure::usage(at(&"the trace was cut short: the end of the run is not in it")))
}

/// The lines of a trace, decompressed where it begins as zstd does.
fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut trace = BufReader::new(File::open(path)?);
    let is_compressed = trace.fill_buf()?.starts_with(&MAGIC);
    Ok(if is_compressed { Box::new(BufReader::new(Decompressor::new(trace))) } else { Box::new(trace) })
}

fn cut(text: &str) -> String {
    let short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() { short + ".." } else { short }
}
