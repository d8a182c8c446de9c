//! The lists of a run: from files to the journal, with what cannot be rung on its way to the rejects file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::place::Input;
use super::super::plan::Planned;
use super::super::say;
use super::journal;
use crate::exit::Exit;
use crate::journal::disk::Disk;
use crate::journal::disk::import::Head;
use crate::journal::disk::lock::Lock;
use crate::journal::{Dnc, ImportError, Imported, Listed};
use crate::leads::list::{List, ListError, Row};
use crate::leads::options::{ListOptions, Source};
use crate::leads::rejects::Rejects;
use crate::leads::suppress::Suppress;
use crate::report::failure::Failure;
use crate::time::Now;

/// The lists of a run, where they can be read as often as it takes.
pub(super) struct Lists {
    sources: Vec<Source>,
    options: ListOptions,
    rejects: PathBuf,
    strict: bool,
    quiet: bool,
    shown: String,
    /// What came from stdin, for as long as it may be read again.
    _spool: Option<tempfile::NamedTempFile>,
}

impl Lists {
    /// Looks for the lists; stdin is read to its end.
    pub(super) fn open(options: &ListOptions, planned: &Planned, dir: &Path) -> Result<Self, Failure> {
        let mut spool = None;
        let mut sources = Vec::new();
        for input in &planned.inputs {
            sources.push(match input {
                Input::File(path) => Source::File(path.clone()),
                Input::Stdin => {
                    let file = spool_stdin(dir)?;
                    let source = Source::File(file.path().to_owned());
                    spool = Some(file);
                    source
                }
            });
        }
        let rejects = planned.rejects.clone().unwrap_or_else(|| dir.join(format!("{}.rejects.csv", planned.plan.campaign)));
        let shown = planned.inputs.iter().map(|input| match input {
            Input::Stdin => "stdin".to_owned(),
            Input::File(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        });
        Ok(Self {
            sources,
            options: options.clone(),
            rejects,
            strict: planned.strict,
            quiet: planned.quiet,
            shown: shown.collect::<Vec<_>>().join(", "),
            _spool: spool,
        })
    }
}
