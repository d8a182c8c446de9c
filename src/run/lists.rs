//! The lists of a run: from files to the journal, with what cannot be called on its way to the rejects file.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use super::check::{Mending, Request, check, list_failure, mending};
use super::known::{CampaignList, head, refused, with_known};
use super::plan::RunPlan;
use super::{only, spool};
use crate::drive::signals::{Pending, Signals};
use crate::drive::talk::say;
use crate::exit::Exit;
use crate::journal::Error as JournalError;
use crate::journal::disk::Disk;
use crate::journal::disk::accounts::Account;
use crate::journal::disk::import::Head;
use crate::journal::disk::lock::Lock;
use crate::journal::disk::one::OneLead;
use crate::journal::imported::{ImportError, Imported, Listed};
use crate::leads::counts::Counts;
use crate::leads::lead::{Only, Phone};
use crate::leads::list::{List, ListError, Row, Wrong};
use crate::leads::options::{ListOptions, Source};
use crate::leads::rejects::{Rejects, is_free, overwritten};
use crate::leads::shown::file;
use crate::report::failure::Failure;
use crate::report::findings::Checked;
use crate::time::Now;

/// What became of the rows of the lists.
pub(super) struct ImportedLists {
    pub(super) imported: Imported,
    pub(super) rejected: u64,
    /// Whom the lists themselves say not to call.
    pub(super) refused: HashSet<Phone>,
}

/// The lists of a run, where they can be read as often as it takes.
#[derive(Clone)]
pub(super) struct Lists<'a> {
    pub(super) planned: &'a RunPlan,
    dir: PathBuf,
    pub(super) all: Vec<CampaignList>,
    /// Those of them that are read.
    pub(super) sources: Vec<Source>,
    pub(super) rejects: PathBuf,
    pub(super) zone: jiff::tz::TimeZone,
    pending: Pending,
}

impl<'a> Lists<'a> {
    /// Looks for the lists; stdin and pipes are read to their ends. Work that takes long ends when a signal comes.
    pub(super) async fn open(
        planned: &'a RunPlan,
        dir: &Path,
        zone: jiff::tz::TimeZone,
        signals: &mut Signals,
    ) -> Result<Self, Failure> {
        let mut lists = Vec::new();
        for input in &planned.inputs {
            let once = spool::is_read_once(input);
            let source = if once { spool::copy(input, dir, signals).await? } else { input.clone() };
            lists.push(CampaignList::named(input, source));
        }
        Self::of(planned, dir, lists, zone, signals.pending())
    }

    fn of(
        planned: &'a RunPlan,
        dir: &Path,
        lists: Vec<CampaignList>,
        zone: jiff::tz::TimeZone,
        pending: Pending,
    ) -> Result<Self, Failure> {
        let sources: Vec<_> = lists.iter().filter_map(|list| list.source.clone()).collect();
        let rejects = rejects_file(planned, dir, &sources)?;
        Ok(Self { planned, dir: dir.to_owned(), all: lists, sources, rejects, zone, pending })
    }

    /// The same with those that the campaign knows from earlier runs, unless they are to be replaced.
    pub(super) fn with_known(&self, disk: &Disk, account: &Account) -> Result<Self, Failure> {
        if self.planned.replace {
            return Ok(self.clone());
        }
        let known = disk.lists(account, &self.planned.plan.campaign)?;
        let lists = with_known(self.all.clone(), known);
        Self::of(self.planned, &self.dir, lists, self.zone.clone(), self.pending.clone())
    }

    /// Mistakes in the lists are told before anybody is asked: each is read as far as its first lead.
    pub(super) fn look(&self, signals: &mut Signals) -> Result<(), Failure> {
        let options = self.options(&[]);
        for source in &self.sources {
            let list = List::open(source, &options).map_err(|error| Self::failure(&error, &[]))?;
            for row in list {
                if self.pending.is_set() {
                    return Err(interrupted(signals));
                }
                if let Row::Lead { .. } = row.map_err(|error| self.nobody(&error, &[]))? {
                    break;
                }
            }
        }
        match &self.planned.only {
            Some(only) => only::on_list(only, &self.sources, &options),
            None => Ok(()),
        }
    }

    /// Whether the one lead of `--only` may be called, given how it stands.
    pub(super) fn may_call(
        &self,
        only: &Only,
        found: Option<&OneLead>,
        is_suppressed: bool,
        now: Now,
    ) -> Result<(), Failure> {
        let inputs: Vec<_> = self.all.iter().map(|list| list.input.clone()).collect();
        only::may_be_called(only, found, is_suppressed, (now.wall, &self.zone), &inputs)
    }

    /// Where nobody can be called, the rows are rejected all the same: a person mends them in the rejects file.
    fn nobody(&self, error: &ListError, variables: &[String]) -> Failure {
        let failure = Self::failure(error, variables);
        if !matches!(*error.what, Wrong::NoLead(rejected) if rejected > 0) {
            return failure;
        }
        let options = self.options(variables);
        let request = self.request(&options, Some(&self.rejects), jiff::Timestamp::UNIX_EPOCH);
        match check(&request, &mut |_| {}) {
            Ok(Checked { rejects: Some(path), .. }) if self.rejects_kept().is_some() => failure
                .advise(format!("rejected rows: {} (same columns, with line and reason)", file(&path)))
                .advise(self.mending().to_string()),
            Ok(_) => failure,
            Err(error) => failure.advise(error.to_string()),
        }
    }

    pub(super) fn mending(&self) -> Mending {
        // The others come with these.
        mending(&self.planned.inputs, &self.planned.plan.campaign, &self.planned.list, self.planned.sandbox)
    }

    /// Where the rejected rows are; none where that goes with the run.
    pub(super) fn rejects_kept(&self) -> Option<&Path> {
        let kept = self.planned.rejects.is_some() || self.planned.state.journal().is_some();
        kept.then_some(&*self.rejects)
    }

    fn request<'r>(&'r self, options: &'r ListOptions, rejects: Option<&'r Path>, now: jiff::Timestamp) -> Request<'r> {
        Request {
            sources: &self.sources,
            options,
            calling: &self.planned.plan.calling,
            suppression: None,
            suppressed: &|_| false,
            rejects,
            strict: self.planned.strict,
            now,
        }
    }

    /// What the journal is told of them.
    pub(super) fn head(&self, account: &Account) -> Head {
        head(self.planned, account, &self.all)
    }

    /// What the lists are called on a screen.
    pub(super) fn shown(&self) -> String {
        self.all.iter().map(CampaignList::shown).collect::<Vec<_>>().join(", ")
    }

    /// Brings the lists into the journal. `variables`: what the assistant's prompt uses.
    pub(super) fn import(
        &self,
        disk: &mut Disk,
        lock: &Lock,
        head: &Head,
        variables: &[String],
        now: Now,
        signals: &mut Signals,
    ) -> Result<ImportedLists, Failure> {
        let options = self.options(variables);
        if self.planned.strict {
            self.look_strictly(&options, now)?;
        }
        let is_read = |at: &usize| self.all[*at].source.is_some();
        let places: Vec<usize> = (0..self.all.len()).filter(is_read).collect();
        let mut since = None;
        let (lists, rejects, imported) = loop {
            let open = |source| List::open(source, &options);
            let lists = self.sources.iter().map(open).collect::<Result<Vec<_>, _>>();
            let mut lists = lists.map_err(|error| Self::failure(&error, variables))?;
            let rejects = Rejects::new(Some(&self.rejects), &lists);
            let mut rows = Rows { lists: &mut lists, places: &places, at: 0, rejects, pending: &self.pending };
            let imported = disk.import(lock, head, now, &mut rows);
            let rejects = rows.rejects;
            match imported {
                // The lists are read once more.
                Err(ImportError::Journal(error)) if disk.is_again(&error, &mut since) => {}
                imported => break (lists, rejects, imported),
            }
        };
        let mut imported = imported.map_err(|error| match error {
            ImportError::List(Trouble::List(error)) => self.nobody(&error, variables),
            ImportError::List(Trouble::Rejects(error)) => self.cannot_reject(&error),
            ImportError::List(Trouble::Interrupted) => interrupted(signals),
            ImportError::Journal(JournalError::Busy { .. } | JournalError::Away { .. }) if self.pending.is_set() => {
                interrupted(signals)
            }
            ImportError::Journal(error) => refused(self.planned, error),
        })?;
        let written = rejects.finish().map_err(|error| self.cannot_reject(&error))?;
        self.say_what_was_found(&lists, &imported, written);
        let sum = |of: fn(Counts) -> u64| lists.iter().map(|list| of(list.counts())).sum::<u64>();
        // Rejected rows that several lists have are repeats that the journal has not seen.
        let repeats = sum(|counts| counts.duplicates);
        (imported.rows, imported.duplicates) = (imported.rows + repeats, imported.duplicates + repeats);
        let refused = lists.iter().flat_map(|list| list.refused().iter().copied()).collect();
        Ok(ImportedLists { imported, rejected: sum(|counts| counts.rejected), refused })
    }

    /// The options with what the assistant's prompt needs: nobody is to hear a silence where a name belongs.
    fn options(&self, variables: &[String]) -> ListOptions {
        let mut options = self.planned.list.clone();
        options.needed = variables.to_vec();
        options
    }

    fn look_strictly(&self, options: &ListOptions, now: Now) -> Result<(), Failure> {
        let request = self.request(options, None, now.wall);
        let checked = check(&request, &mut |_| {}).map_err(|error| Failure::new(error.exit(), error.to_string()))?;
        let Some(error) = &checked.error else { return Ok(()) };
        say(checked.text(&self.zone).trim_end());
        Err(Failure::usage(error.clone()).advise("nobody was called"))
    }

    fn failure(error: &ListError, variables: &[String]) -> Failure {
        let failure = list_failure(error);
        let missing = variables.iter().find(|variable| failure.what.contains(&format!("{variable:?}")));
        match missing {
            Some(variable) => failure.advise(format!(
                "the assistant's prompt says {{{{{variable}}}}}: without it there would be a silence in somebody's ear"
            )),
            None => failure,
        }
    }

    fn cannot_reject(&self, error: &io::Error) -> Failure {
        let what = format!("the rejected rows cannot be written to {}: {error}", file(&self.rejects));
        Failure::machine(what).advise("name another file:   --rejects FILE").advise("nobody was called")
    }
}

/// Where the rejected rows go. Where the file of an earlier run is a list by now, or something else lies in its place,
/// the next name is taken.
fn rejects_file(planned: &RunPlan, dir: &Path, sources: &[Source]) -> Result<PathBuf, Failure> {
    let would_overwrite = |path: &Path| overwritten(path, sources.iter().filter_map(Source::path)).is_some();
    if let Some(named) = &planned.rejects {
        if would_overwrite(named) {
            let what = format!("--rejects names {}, which is one of the lists", file(named));
            return Err(Failure::usage(what).advise("a list is never written to: name another file"));
        }
        return Ok(named.clone());
    }
    let campaign = &planned.plan.campaign;
    let numbered = (2..).map(|number| format!("{campaign}.rejects-{number}.csv"));
    let mut names = std::iter::once(format!("{campaign}.rejects.csv")).chain(numbered).map(|name| dir.join(name));
    // There are fewer files than names.
    let is_ours = |path: &PathBuf| !would_overwrite(path) && is_free(path);
    Ok(names.find(is_ours).unwrap_or_else(|| dir.join("rejects.csv")))
}

/// Whether something is needed that was not looked for.
pub(super) fn lacks(known: &[String], needed: &[String]) -> bool {
    needed.iter().any(|variable| !known.contains(variable))
}

/// All rows of all lists that can be called; the others go to the rejects file as they pass.
struct Rows<'a> {
    lists: &'a mut Vec<List>,
    /// Which of the campaign's lists each of them is.
    places: &'a [usize],
    at: usize,
    rejects: Rejects,
    pending: &'a Pending,
}

enum Trouble {
    List(ListError),
    Rejects(io::Error),
    Interrupted,
}

/// A signal came before anybody was called.
pub(super) fn interrupted(signals: &mut Signals) -> Failure {
    let exit = signals.waiting().map_or(Exit::Later, |order| order.exit_before_dialing());
    Failure::new(exit, "interrupted before anybody was called").advise("the same command begins again")
}

impl Iterator for Rows<'_> {
    type Item = Result<Listed, Trouble>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.pending.is_set() {
            return Some(Err(Trouble::Interrupted));
        }
        loop {
            let at = self.at;
            match self.lists.get_mut(at)?.next() {
                None => self.at += 1,
                Some(Ok(Row::Lead { line, lead })) => {
                    return Some(Ok(Listed { file_index: self.places[at], line, lead }));
                }
                Some(Ok(Row::Rejected { line, reason, cells })) => match self.rejects.add(at, line, &reason, &cells) {
                    Ok(true) => {}
                    Ok(false) => self.lists[at].repeat(line, &reason),
                    Err(error) => return Some(Err(Trouble::Rejects(error))),
                },
                Some(Err(error)) => return Some(Err(Trouble::List(error))),
            }
        }
    }
}
