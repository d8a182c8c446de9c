//! What a run says of its lists before anybody is called.

use std::path::PathBuf;

use super::check::{how_read, looked};
use super::known::CampaignList;
use super::lists::Lists;
use crate::drive::talk::{say, say_unless};
use crate::journal::LATELY;
use crate::journal::imported::Imported;
use crate::leads::findings::Kind;
use crate::leads::list::List;
use crate::leads::shown::{file, typed};
use crate::report::findings::Checked;
use crate::report::style::count;

impl Lists<'_> {
    /// Lists that nobody named in this run are told.
    pub(super) fn say_known(&self) {
        let names = |is_gone: bool| {
            let earlier = self.all.iter().filter(|list| list.is_earlier && list.source.is_none() == is_gone);
            earlier.map(CampaignList::shown).collect::<Vec<_>>()
        };
        let campaign = &self.planned.plan.campaign;
        let (read, gone) = (names(false), names(true));
        if !read.is_empty() {
            let read = read.join(", ");
            say_unless(
                self.planned.quiet,
                &format!("campaign {campaign} has another list, too: {read} (--replace leaves it out)"),
            );
        }
        if !gone.is_empty() {
            let gone = gone.join(", ");
            let text =
                format!("{gone} cannot be read again; its leads stay in campaign {campaign} (--replace drops them)");
            say_unless(self.planned.quiet, &text);
        }
    }

    /// What is odd about the lists, and what the import made of them.
    pub(super) fn say_what_was_found(&self, lists: &[List], imported: &Imported, written: Option<PathBuf>) {
        if self.planned.quiet {
            let rejected: u64 = lists.iter().map(|list| list.counts().rejected).sum();
            if rejected > 0 && imported.added + imported.back + imported.removed > 0 {
                let shown = written.clone().unwrap_or_else(|| self.rejects.clone());
                let rows = count(rejected, "row cannot be called", "rows cannot be called");
                say(&format!("warning: {rows}: {}", file(&shown)));
            }
        }
        let say = |text: &str| say_unless(self.planned.quiet, text);
        if imported.added + imported.back + imported.removed == 0 {
            self.as_before(lists, imported).iter().for_each(|line| say(line));
            return;
        }
        if lists.iter().any(|list| !list.findings().is_empty() || list.refusals().count > 0) {
            let mut checked = Checked {
                lists: lists.iter().map(looked).collect(),
                counts: lists[0].counts(),
                suppressed: 0,
                do_not_call: Vec::new(),
                hours: Vec::new(),
                rejects: written.filter(|_| self.rejects_kept().is_some()),
                mending: Some(self.mending()),
                error: None,
                exit: 0,
            };
            lists[1..].iter().for_each(|list| checked.counts += list.counts());
            say(checked.text(&self.zone).trim_end());
        }
        if imported.duplicates > 0 {
            let shown = |(list, line): &(usize, u64)| match self.all.get(*list) {
                Some(list) if self.all.len() > 1 => format!("{}:{line}", list.shown()),
                _ => line.to_string(),
            };
            let lines: Vec<String> = imported.duplicate_lines.iter().take(6).map(shown).collect();
            let more = if imported.duplicates > 6 { ", ..." } else { "" };
            let rows = count(imported.duplicates, "row repeats an earlier one", "rows repeat an earlier one");
            say(&format!("{rows}, and is called once: lines {}{more}", lines.join(", ")));
        }
        if let Some((other, called)) = &imported.called_by {
            let leads = count(*called, "lead was", "leads were");
            let hours = LATELY.as_secs() / 3600;
            say(&format!(
                "warning: {leads} called by campaign {other} within the last {hours} hours, and may be called again"
            ));
        }
        if imported.removed > 0 {
            say(&format!(
                "{} gone from the list: not called any more",
                count(imported.removed, "lead is", "leads are")
            ));
        }
    }

    /// What was told at length when the leads came in, in a line.
    fn as_before(&self, lists: &[List], imported: &Imported) -> Option<String> {
        let sum = |of: &dyn Fn(&List) -> u64| lists.iter().map(of).sum::<u64>();
        let rejected = sum(&|list| list.counts().rejected);
        let is_note = |kind: Kind| !kind.rejects() && kind != Kind::Duplicate;
        let notes = sum(&|list| {
            list.findings().groups().filter(|(kind, _)| is_note(*kind)).map(|(_, group)| group.count).sum()
        });
        let refusals = sum(&|list| list.refusals().count);
        let duplicates = imported.duplicates + sum(&|list| list.counts().duplicates);
        let parts = [
            (rejected, count(rejected, "row rejected", "rows rejected")),
            (refusals, count(refusals, "row says not to call", "rows say not to call")),
            (duplicates, count(duplicates, "duplicate", "duplicates")),
            (notes, count(notes, "note", "notes")),
        ];
        let parts: Vec<_> = parts.into_iter().filter(|(rows, _)| *rows > 0).map(|(_, part)| part).collect();
        let paths: Vec<_> = self.sources.iter().map(|source| Some(typed(&source.path()?.to_string_lossy()))).collect();
        let paths: Option<Vec<_>> = paths.into_iter().collect();
        let how = how_read(&self.planned.list);
        let command =
            paths.map_or(String::new(), |paths| format!("; see them:   dialer check {}{how}", paths.join(" ")));
        (!parts.is_empty()).then(|| format!("as before: {}{command}", parts.join(", ")))
    }
}
