//! What `dialer check` found, as text and as JSON. It shows what it is given and counts nothing itself.

use std::fmt::Write;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use super::style::{self, thousands};
use crate::leads::counts::Counts;
use crate::leads::findings::{Findings, Group, Kind};
use crate::leads::shown;

/// Lines shown of each kind.
const LINES: usize = 6;
/// The column in which the lines begin.
const LINES_AT: usize = 58;

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
    /// The command that goes on once the rejected rows are mended.
    pub mending: Option<String>,
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
        let mut text = String::new();
        for list in &self.lists {
            show_list(&mut text, list);
        }
        if self.lists.len() > 1 {
            let _infallible = writeln!(text, "together {}", style::count(self.counts.leads, "lead", "leads"));
        }
        if self.suppressed > 0 {
            let _infallible = writeln!(text, "  {} of them on a do-not-call list", thousands(self.suppressed));
        }
        self.do_not_call.iter().for_each(|list| text.push_str(&list.text()));
        if let Some(path) = &self.rejects {
            let _infallible =
                writeln!(text, "rejected rows: {} (same columns, with line and reason)", shown::file(path));
            if let Some(command) = &self.mending {
                let _infallible = writeln!(text, "  mend them in a copy, mended.csv, and go on:   {command}");
            }
        }
        show_hours(&mut text, &self.hours, zone);
        text
    }
}

fn show_list(text: &mut String, list: &Looked) {
    let rows = style::count(list.counts.rows, "row", "rows");
    let _infallible = writeln!(text, "{}: {}, {rows}; {}", list.name, list.format, list.columns);
    let leads = if list.counts.leads == 1 { "lead" } else { "leads" };
    let _infallible = writeln!(text, "{:>9} {leads}", thousands(list.counts.leads));
    if list.refused.count > 0 {
        let what = format!("{:>9} not called, as the list says itself", thousands(list.refused.count));
        let shown = lines(false, &list.refused);
        let _infallible = writeln!(text, "{what:<LINES_AT$} {shown}   --column do_not_call=none, if that is wrong");
    }
    show_findings(text, &list.findings);
}

fn show_findings(text: &mut String, findings: &Findings) {
    for (kind, group) in findings.groups() {
        let count = thousands(group.count);
        let what = format!("{count:>9} {}", kind.label());
        let _infallible =
            writeln!(text, "{what:<LINES_AT$} {}   {}", lines(kind == Kind::Duplicate, group), kind.hint());
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

/// Hours with as many leads as the one before are shown together.
fn show_hours(text: &mut String, hours: &[Hour], zone: &TimeZone) {
    let Some(first) = hours.first() else { return };
    let name = zone.iana_name().unwrap_or("this machine");
    let _infallible = writeln!(text, "may be called in the next {} hours (time of {name}):", hours.len());
    let clock = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%a %H:%M").to_string();
    let mut run = *first;
    for (at, hour) in hours.iter().enumerate() {
        if hour.leads != run.leads {
            let _infallible = writeln!(text, "{:>9} from {}", thousands(run.leads), clock(run.at));
            run = *hour;
        }
        if at + 1 == hours.len() {
            let _infallible = writeln!(text, "{:>9} from {}", thousands(run.leads), clock(run.at));
        }
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
            mending: Some("dialer run leads.csv mended.csv --campaign leads".to_owned()),
            error: None,
            exit: 0,
        };
        insta::assert_snapshot!(checked.text(&TimeZone::UTC), @r#"
        leads.csv: CSV, semicolons, Windows-1252, 1,240 rows; number from "Telefon", name from "Kunde"
            1,226 leads
                3 on an earlier row already                        lines 17, 88, 90   called once
               10 not a phone number                               lines 40 ("n/a"), 41, 42, 43, 44, 45, ...   write digits, beginning with + and country code
                1 at premium rate                                  line 77 ("+1 900 234 5678")   --allow premium
          2 of them on a do-not-call list
        rejected rows: leads.rejects.csv (same columns, with line and reason)
          mend them in a copy, mended.csv, and go on:   dialer run leads.csv mended.csv --campaign leads
        may be called in the next 24 hours (time of UTC):
            1,226 from Wed 11:00
                0 from Wed 20:00
        "#);
        let json = serde_json::to_value(&Checked { hours: checked.hours[..1].to_vec(), ..checked }).unwrap();
        assert_eq!(json["rows"], 1_240);
        assert_eq!(json["hours"][0]["at"], "2026-11-18T11:00:00Z");
        assert_eq!(json["lists"][0]["duplicates"], 3);
        assert_eq!(json["lists"][0]["findings"][1]["kind"], "not-a-number");
        assert_eq!(json["lists"][0]["findings"][1]["rows"][0]["line"], 40);
    }
}
