//! The lists of a run: from files to the journal, with what cannot be rung on its way to the rejects file.

use std::path::Path;

use super::super::place::Input;
use super::super::plan::Planned;
use crate::journal::disk::Disk;
use crate::journal::disk::import::Head;
use crate::journal::disk::lock::Lock;
use crate::journal::{Dnc, ImportError, Imported, Listed};
use crate::leads::list::{List, ListError, Row};
use crate::leads::options::{ListOptions, Source};
use crate::report::failure::Failure;
use crate::time::Now;

/// The lists of a run, where they can be read as often as it takes.
pub(super) struct Lists {
    sources: Vec<Source>,
    options: ListOptions,
    shown: String,
}

impl Lists {
    pub(super) fn open(options: &ListOptions, planned: &Planned, _dir: &Path) -> Result<Self, Failure> {
        let sources = planned.inputs.iter().map(|input| match input {
            Input::File(path) => Source::File(path.clone()),
            Input::Stdin => Source::Stdin,
        });
        let shown = planned.inputs.iter().map(|input| match input {
            Input::Stdin => "stdin".to_owned(),
            Input::File(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        });
        Ok(Self { sources: sources.collect(), options: options.clone(), shown: shown.collect::<Vec<_>>().join(", ") })
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.sources.iter().map(|s| std::fs::canonicalize(s.path().unwrap()).unwrap().display().to_string()).collect()
    }

    pub(super) fn shown(&self) -> String {
        self.shown.clone()
    }

    pub(super) fn import(
        &self,
        disk: &mut Disk,
        lock: &Lock,
        head: &Head,
        _variables: &[String],
        now: Now,
    ) -> Result<(Imported, u64), Failure> {
        let mut rejected = 0;
        let mut all: Vec<Result<Listed, ListError>> = Vec::new();
        for (file_index, source) in self.sources.iter().enumerate() {
            for row in List::open(source, &self.options).map_err(|e| Failure::usage(e.to_string()))? {
                match row {
                    Ok(Row::Lead { line, lead }) => all.push(Ok(Listed { file_index, line, lead })),
                    Ok(Row::Rejected { .. }) => rejected += 1,
                    Err(e) => all.push(Err(e)),
                }
            }
        }
        let imported = disk.import(lock, head, now, &mut all.into_iter()).map_err(|e| match e {
            ImportError::List(e) => Failure::usage(e.to_string()),
            ImportError::Journal(e) => super::journal(e),
        })?;
        Ok((imported, rejected))
    }
}

pub(super) fn lacks(known: &[String], needed: &[String]) -> bool {
    needed.iter().any(|variable| !known.contains(variable))
}

pub(super) struct DoNotCall {}

impl DoNotCall {
    pub(super) fn open(_files: &[std::path::PathBuf]) -> Result<Self, Failure> {
        Ok(Self {})
    }
    pub(super) fn check(&self) -> Dnc {
        Box::new(|_| false)
    }
    pub(super) fn look_again(&self) -> Result<(), String> {
        Ok(())
    }
}
