//! What `dialer check` found, as text and as JSON. It shows what it is given and counts nothing itself.

use std::fmt::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use super::style::{self, thousands};
use crate::leads::counts::Counts;
use crate::leads::findings::{Findings, Group, Kind};
use crate::leads::shown;

/// Lines shown of each kind.
const LINES: usize = 6;
/// Where the lines and what to do stand below a finding.
const BELOW: usize = 8;
/// Columns of the narrowest terminal that is thought of.
const WIDTH: usize = 80;
/// The longest bar of the hours.
const BAR: u64 = 20;

/// What one list holds.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Looked {
    /// The list, as it was typed.
    pub name: String,
    /// `CSV, semicolons, Windows-1252`.
    pub format: String,
    /// `number from "Telefon", name from "Kunde"`.
    pub columns: String,
    /// Its rows.
    #[serde(flatten)]
    pub counts: Counts,
    /// The rows that say themselves that somebody is not to be called.
    pub refused: Group,
    /// What is odd about them.
    pub findings: Findings,
}

/// A do-not-call list, as it was read.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DoNotCallList {
    /// The list, as it was typed.
    pub name: String,
    /// Numbers and prefixes in it.
    pub entries: u64,
    /// Its odd rows.
    pub findings: Findings,
}

impl DoNotCallList {
    /// Whether a person should look at it.
    pub fn is_odd(&self) -> bool {
        self.entries == 0 || !self.findings.is_empty()
    }

    /// For a person.
    pub fn text(&self) -> String {
        if self.entries == 0 {
            let hint = "an empty list suppresses nobody";
            return format!("{}: a do-not-call list without a number: {hint}\n", self.name);
        }
        let mut text = format!("{}: {} not to be called\n", self.name, style::count(self.entries, "number", "numbers"));
        show_findings(&mut text, &self.findings);
        text
    }
}

/// How many leads may be called in an hour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Hour {
    /// When the hour begins; RFC 3339, UTC.
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    /// Leads that may be called at some time in it.
    pub leads: u64,
}

/// How rejected rows are called once they are mended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct Mending {
    /// The file to mend them in, so that the rejects file can be written again.
    #[serde(skip)]
    pub copy: String,
    /// The command that goes on with it.
    pub command: String,
}

impl fmt::Display for Mending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mend them in a copy, {}, and go on:   {}", self.copy, self.command)
    }
}

/// What all lists together hold.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Checked {
    /// List by list.
    pub lists: Vec<Looked>,
    /// All rows.
    #[serde(flatten)]
    pub counts: Counts,
    /// Leads that a do-not-call list names, among the leads.
    pub suppressed: u64,
    /// The do-not-call lists.
    pub do_not_call: Vec<DoNotCallList>,
    /// Leads to be called in each of the next 24 hours.
    pub hours: Vec<Hour>,
    /// The rejects file, if there is one.
    pub rejects: Option<PathBuf>,
    /// How to go on once the rejected rows are mended.
    pub mending: Option<Mending>,
    /// What is wrong with a list as a whole, if something is.
    pub error: Option<String>,
    /// What the process exits with.
    pub exit: u8,
}

fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

impl Checked {
    /// For a person; times of day in that zone.
    pub fn text(&self, zone: &TimeZone) -> String {
        let mut text = format!("{}\n", self.headline());
        self.lists.iter().for_each(|list| show_list(&mut text, list));
        self.do_not_call.iter().for_each(|list| text.push_str(&list.text()));
        if let Some(path) = &self.rejects {
            let _infallible =
                writeln!(text, "rejected rows: {} (same columns, with line and reason)", shown::file(path));
            if let Some(mending) = &self.mending {
                let _infallible = writeln!(text, "  {mending}");
            }
        }
        show_hours(&mut text, &self.hours, zone);
        text
    }

    /// `8 callable, 18 rejected, 1 duplicate`: what there are none of is left out.
    fn headline(&self) -> String {
        let duplicates = style::count(self.counts.duplicates, "duplicate", "duplicates");
        let mut line = format!("{} callable", thousands(self.counts.leads.saturating_sub(self.suppressed)));
        let parts = [
            (self.counts.rejected, format!("{} rejected", thousands(self.counts.rejected))),
            (self.counts.duplicates, duplicates),
            (self.suppressed, format!("{} not to be called", thousands(self.suppressed))),
        ];
        parts.iter().filter(|(number, _)| *number > 0).for_each(|(_, part)| {
            let _infallible = write!(line, ", {part}");
        });
        line
    }

    /// What `--strict` has against it.
    pub fn strict(&self) -> Option<String> {
        let findings = self.lists.iter().map(|list| &list.findings);
        let notes: u64 = findings
            .flat_map(Findings::groups)
            .filter(|(kind, _)| !kind.is_usual())
            .map(|(_, group)| group.count)
            .sum();
        let odd = self.do_not_call.iter().find(|list| list.is_odd());
        match (self.counts.rejected, notes, odd) {
            (0, 0, None) => None,
            (0, 0, Some(list)) => Some(format!("{}: not all of it is numbers (--strict)", list.name)),
            (0, notes, _) => Some(format!("{} (--strict)", style::count(notes, "finding", "findings"))),
            (rejected, ..) => Some(format!("{} rejected (--strict)", style::count(rejected, "row", "rows"))),
        }
    }
}

fn show_list(text: &mut String, list: &Looked) {
    let rows = style::count(list.counts.rows, "row", "rows");
    wrapped(text, &format!("{}: {}, {rows}; {}", list.name, list.format, list.columns), 0);
    if list.refused.count > 0 {
        let hint = "--column do_not_call=none, if that is wrong";
        show_group(text, "not called, as the list says itself", &lines(false, &list.refused), hint, list.refused.count);
    }
    for (title, rejects) in [("rejected", true), ("notes", false)] {
        let mut groups = list.findings.groups().filter(|(kind, _)| kind.rejects() == rejects).peekable();
        if groups.peek().is_some() {
            let _infallible = writeln!(text, " {title}");
        }
        groups.for_each(|(kind, group)| show_kind(text, kind, group));
    }
}

fn show_findings(text: &mut String, findings: &Findings) {
    findings.groups().for_each(|(kind, group)| show_kind(text, kind, group));
}

fn show_kind(text: &mut String, kind: Kind, group: &Group) {
    show_group(text, kind.label(), &lines(kind == Kind::Duplicate, group), kind.hint(), group.count);
}

/// How many and what, and below it where, and what to do.
fn show_group(text: &mut String, what: &str, lines: &str, hint: &str, count: u64) {
    wrapped(text, &format!("{:>7} {what}", thousands(count)), BELOW);
    wrapped(text, &format!("{:BELOW$}{lines}", ""), BELOW + 2);
    wrapped(text, &format!("{:BELOW$}{hint}", ""), BELOW + 2);
}

fn wrapped(text: &mut String, line: &str, indent: usize) {
    for line in style::wrap(line, WIDTH, indent) {
        let _infallible = writeln!(text, "{line}");
    }
}

/// `lines 40 ("n/a"), 51, ...`: a cell is shown once, with the first line that has it.
fn lines(are_alike: bool, group: &Group) -> String {
    let mut last = None;
    let mut parts: Vec<String> = Vec::new();
    for sample in group.samples.iter().take(LINES) {
        let is_news = last != Some(&sample.text) && !sample.text.is_empty() && !are_alike;
        parts.push(if is_news { format!("{} (\"{}\")", sample.line, sample.text) } else { sample.line.to_string() });
        last = Some(&sample.text);
    }
    if group.count > parts.len() as u64 {
        parts.push("...".to_owned());
    }
    format!("{} {}", if group.count == 1 { "line" } else { "lines" }, parts.join(", "))
}

/// Hours with as many leads as the one before are one range, with a bar as long as they are many.
fn show_hours(text: &mut String, hours: &[Hour], zone: &TimeZone) {
    if hours.is_empty() {
        return;
    }
    let most = hours.iter().map(|hour| hour.leads).max().unwrap_or(0);
    if most > 0 && hours.iter().all(|hour| hour.leads == most) {
        let _infallible = writeln!(text, "callable at any time in the next {} hours: {}", hours.len(), thousands(most));
        return;
    }
    let name = zone.iana_name().unwrap_or("this machine");
    let _infallible = writeln!(text, "callable in the next {} hours (time of {name}):", hours.len());
    for range in hours.chunk_by(|one, next| one.leads == next.leads) {
        let (first, last) = (range[0], range[range.len() - 1]);
        let end = last.at.saturating_add(Duration::from_hours(1)).unwrap_or(last.at);
        let from = first.at.to_zoned(zone.clone()).strftime("%a %H:%M").to_string();
        let to = end.to_zoned(zone.clone()).strftime("%H:%M").to_string();
        let length = usize::try_from((first.leads * BAR).div_ceil(most.max(1))).unwrap_or(0);
        let line = format!("  {from}-{to} {:>9} callable  {}", thousands(first.leads), "#".repeat(length));
        let _infallible = writeln!(text, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked() -> Looked {
        let mut findings = Findings::default();
        for line in [17, 88, 90] {
            findings.add(Kind::Duplicate, line, "+14155550100");
        }
        for line in 40..50 {
            findings.add(Kind::NotANumber, line, "n/a");
        }
        findings.add(Kind::Premium, 77, "+1 900 234 5678");
        Looked {
            name: "leads.csv".to_owned(),
            format: "CSV, semicolons, Windows-1252".to_owned(),
            columns: "number from \"Telefon\", name from \"Kunde\"".to_owned(),
            counts: Counts { rows: 1_240, leads: 1_226, rejected: 11, duplicates: 3 },
            refused: Group::default(),
            findings,
        }
    }

    #[test]
    fn a_person_reads_what_how_many_where_and_what_to_do() {
        let at = |hour: i64| Timestamp::from_second(1_795_000_000 / 3_600 * 3_600 + hour * 3_600).unwrap();
        let hours = (0..24).map(|hour| Hour { at: at(hour), leads: if hour < 9 { 1_226 } else { 0 } }).collect();
        let looked = looked();
        let checked = Checked {
            counts: looked.counts,
            lists: vec![looked],
            suppressed: 2,
            do_not_call: Vec::new(),
            hours,
            rejects: Some("leads.rejects.csv".into()),
            mending: Some(Mending {
                copy: "mended.csv".to_owned(),
                command: "dialer run leads.csv mended.csv --campaign leads".to_owned(),
            }),
            error: None,
            exit: 0,
        };
        insta::assert_snapshot!(checked.text(&TimeZone::UTC), @r#"
        1,224 callable, 11 rejected, 3 duplicates, 2 not to be called
        leads.csv: CSV, semicolons, Windows-1252, 1,240 rows; number from "Telefon",
        name from "Kunde"
         rejected
             10 not a phone number
                lines 40 ("n/a"), 41, 42, 43, 44, 45, ...
                write digits, beginning with + and country code
              1 at premium rate
                line 77 ("+1 900 234 5678")
                --allow premium
         notes
              3 on an earlier row already
                lines 17, 88, 90
                called once
        rejected rows: leads.rejects.csv (same columns, with line and reason)
          mend them in a copy, mended.csv, and go on:   dialer run leads.csv mended.csv --campaign leads
        callable in the next 24 hours (time of UTC):
          Wed 11:00-20:00     1,226 callable  ####################
          Wed 20:00-11:00         0 callable
        "#);
        let json = serde_json::to_value(&Checked { hours: checked.hours[..1].to_vec(), ..checked }).unwrap();
        assert_eq!(json["rows"], 1_240);
        assert_eq!(json["hours"][0]["at"], "2026-11-18T11:00:00Z");
        assert_eq!(json["lists"][0]["duplicates"], 3);
        assert_eq!(json["lists"][0]["findings"][1]["kind"], "not-a-number");
        assert_eq!(json["lists"][0]["findings"][1]["rows"][0]["line"], 40);
    }
}
