//! What there is to say about a list: every oddity has a kind, kinds are counted, and the first of each are kept with
//! their lines. It never holds more than a handful of samples, however long the list.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::shown::shown;

/// Samples kept of each kind.
pub const SAMPLES: usize = 20;

/// What is odd about a row. The order is that in which they are shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// The same phone and extension as an earlier row.
    Duplicate,
    /// Nothing in the number's cell.
    NoNumber,
    /// Something else than a number in it.
    NotANumber,
    /// `24.11.2026`, which some countries would take for a number.
    Date,
    /// `9.17045E+11`: digits are gone.
    Spreadsheet,
    /// National, and no region was given.
    NoCountry,
    /// Reads as the number of another country, but has no `+`.
    NoPlus,
    /// Two readings, both of them valid.
    Ambiguous,
    /// Too short or too long.
    Length,
    /// A country code that no country has.
    NoSuchCountry,
    /// The row's country is none that is known, and the number needs one.
    BadCountry,
    /// The row says another country than the number, or two of them.
    OtherCountry,
    /// Of the right length, in no range that is in use.
    NotValid,
    /// A short code.
    ShortCode,
    /// An emergency service.
    Emergency,
    /// Premium rate, or a personal number that is billed like it.
    Premium,
    /// Shared cost.
    SharedCost,
    /// A pager or a mailbox.
    Pager,
    /// The number's own cell says that it is not to be called, and holds no number to suppress.
    Refused,
    /// The number's own cell says that it is a fax, out of service, or somebody else's.
    NoUse,
    /// Neither yes nor no where the list says whether somebody may be called.
    Unclear,
    /// An extension that cannot be dialed.
    Extension,
    /// A required variable is empty.
    Missing,
    /// The zone's cell holds no time zone.
    BadZone,
    /// Neither a column nor the number tells the zone.
    NoZone,
    /// Its zones and the hours have no open minute in common.
    NeverOpen,
    /// More cells than columns.
    ExtraCells,
    /// A quotation mark that is never closed.
    OpenQuote,
    /// A row or cell larger than any lead.
    TooLarge,
    /// Read as a national number that has lost its leading zero, though another country would fit.
    LostZero,
    /// Read as an international number without its `+`, because that was allowed.
    AssumedPlus,
    /// Mexico's old way to write a mobile number.
    OldPrefix,
    /// Its trunk zero is not dialed behind a country code.
    TrunkZero,
    /// Nor is another prefix of its country: 1, 8, 06.
    NationalPrefix,
    /// 00, 011 or the like in place of the +.
    InternationalPrefix,
    /// Further numbers in the cell.
    SecondNumber,
    /// The number is one of a further column.
    OtherColumn,
    /// Words beside the number that say nothing known.
    Words,
    /// Several columns hold phone numbers.
    SeveralColumns,
    /// Lines above the headers.
    Title,
    /// Lines below the list that sum it up.
    Total,
    /// No headers: numbers, one a line.
    NoHeaders,
    /// Hidden in its sheet.
    HiddenRow,
    /// The name is longer than the provider takes.
    NameCut,
    /// A zone that does not exist, where none is needed.
    ZoneIgnored,
    /// UTC, where the number is of a place that never has it: what a program writes that does not know.
    UtcZone,
    /// A state that its country does not have.
    StateIgnored,
    /// Characters that could not be read.
    BadText,
    /// Fewer cells than columns.
    MissingCells,
    /// Cells in a column without a header.
    UnnamedColumn,
}

impl Kind {
    /// Every kind, in the order in which they are shown.
    pub const ALL: [Self; 50] = [
        Self::Duplicate,
        Self::NoNumber,
        Self::NotANumber,
        Self::Date,
        Self::Spreadsheet,
        Self::NoCountry,
        Self::NoPlus,
        Self::Ambiguous,
        Self::Length,
        Self::NoSuchCountry,
        Self::BadCountry,
        Self::OtherCountry,
        Self::NotValid,
        Self::ShortCode,
        Self::Emergency,
        Self::Premium,
        Self::SharedCost,
        Self::Pager,
        Self::Refused,
        Self::NoUse,
        Self::Unclear,
        Self::Extension,
        Self::Missing,
        Self::BadZone,
        Self::NoZone,
        Self::NeverOpen,
        Self::ExtraCells,
        Self::OpenQuote,
        Self::TooLarge,
        Self::LostZero,
        Self::AssumedPlus,
        Self::OldPrefix,
        Self::TrunkZero,
        Self::NationalPrefix,
        Self::InternationalPrefix,
        Self::SecondNumber,
        Self::OtherColumn,
        Self::Words,
        Self::SeveralColumns,
        Self::Title,
        Self::Total,
        Self::NoHeaders,
        Self::HiddenRow,
        Self::NameCut,
        Self::ZoneIgnored,
        Self::UtcZone,
        Self::StateIgnored,
        Self::BadText,
        Self::MissingCells,
        Self::UnnamedColumn,
    ];

    /// Its name in `--json`: stable.
    pub const fn name(self) -> &'static str {
        self.words().0
    }

    /// What a person reads, after a count.
    pub const fn label(self) -> &'static str {
        self.words().1
    }

    /// What to do about it.
    pub const fn hint(self) -> &'static str {
        self.words().2
    }

    /// Whether such a row is not called. A duplicate is: once, from its first row.
    pub fn rejects(self) -> bool {
        self >= Self::NoNumber && self <= Self::TooLarge
    }

    /// Whether it is how such numbers are written at home, which is told, and nothing that `--strict` is against.
    pub fn is_usual(self) -> bool {
        matches!(self, Self::TrunkZero | Self::NationalPrefix | Self::InternationalPrefix)
    }

    #[expect(clippy::too_many_lines, reason = "a table with a row for each kind")]
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Duplicate => ("duplicate", "on an earlier row already", "called once"),
            Self::NoNumber => {
                ("no-number", "without a number", "fill in the cell, or name a further column: --column number=HEADER")
            }
            Self::NotANumber => {
                ("not-a-number", "not a phone number", "write digits, beginning with + and country code")
            }
            Self::Date => {
                ("date", "a date, not a phone number", "see whether --column number=HEADER names the right one")
            }
            Self::Spreadsheet => ("spreadsheet", "lost to a spreadsheet", "export the column as text"),
            Self::NoCountry => {
                ("no-country", "without a country code", "--region CC, or begin them with + and country code")
            }
            Self::NoPlus => {
                ("no-plus", "of another country, it seems, but without a +", "write the +; if American: --region US")
            }
            Self::Ambiguous => ("ambiguous", "may be two different numbers", "begin it with + and country code"),
            Self::Length => {
                ("wrong-length", "too short or too long for a phone number", "look for lost or doubled digits")
            }
            Self::NoSuchCountry => {
                ("no-such-country", "with a country code that no country has", "look at the digits behind the +")
            }
            Self::BadCountry => (
                "bad-country",
                "of a country that is not known",
                "write its name in English, its code, or + and country code; or --column country=none",
            ),
            Self::OtherCountry => (
                "other-country",
                "of another country than the row says",
                "correct one of the two, or --column country=none",
            ),
            Self::NotValid => ("not-valid", "in no number range that is in use", "--allow possible"),
            Self::ShortCode => ("short-code", "a short code", "write the whole number"),
            Self::Emergency => ("emergency", "an emergency number", "never called"),
            Self::Premium => ("premium", "at premium rate", "--allow premium"),
            Self::SharedCost => ("shared-cost", "at shared cost", "--allow shared-cost"),
            Self::Pager => ("pager", "a pager or mailbox", "nobody answers there"),
            Self::Refused => ("refused", "said not to be called, without a number to suppress", "never called"),
            Self::NoUse => ("no-use", "said to be a fax, out of service or wrong", "write a number that can be called"),
            Self::Unclear => (
                "unclear-refusal",
                "neither yes nor no about being called",
                "write yes or no, or --column do_not_call=none",
            ),
            Self::Extension => ("extension", "an extension that cannot be dialed", "one of at most 10 digits, * or #"),
            Self::Missing => ("missing-variable", "without a required value", "fill in the cell"),
            Self::BadZone => ("bad-zone", "a time zone that does not exist", "write it like America/New_York"),
            Self::NoZone => ("no-zone", "time zone not known", "--zone ZONE, or a time_zone column"),
            Self::NeverOpen => (
                "never-open",
                "never within the hours in all of their time zones",
                "a time_zone column, --hours, --days, --holidays or --guard",
            ),
            Self::ExtraCells => ("extra-cells", "more cells than columns", "quote the cell that holds the delimiter"),
            Self::OpenQuote => {
                ("open-quote", "a quotation mark that is never closed", "close it, or write \"\" for one")
            }
            Self::TooLarge => {
                ("too-large", "larger than any lead", "see whether a quote or line end is missing; it may be cut here")
            }
            Self::LostZero => {
                ("lost-zero", "taken as national without the leading 0", "write the 0, or + and country code")
            }
            Self::AssumedPlus => ("assumed-plus", "taken as international without the +", "write the +"),
            Self::OldPrefix => {
                ("old-prefix", "in Mexico's old way, taken without 044, 045, 01 or 1", "write +52 and ten digits")
            }
            Self::TrunkZero => {
                ("trunk-zero", "called without the leading 0, which is not dialed from abroad", "all is well")
            }
            Self::NationalPrefix => ("national-prefix", "called without their country's own prefix", "all is well"),
            Self::InternationalPrefix => {
                ("international-prefix", "called as international, by 00, 011 or the like", "all is well")
            }
            Self::SecondNumber => ("second-number", "more numbers than the one taken", "one number a row"),
            Self::OtherColumn => {
                ("other-column", "called at the number in a further column", "the first has none that can be called")
            }
            Self::Words => ("words", "words beside the number", "it is called: see what they say"),
            Self::SeveralColumns => (
                "several-columns",
                "several columns of phone numbers, the first of these taken",
                "--column number=HEADER",
            ),
            Self::Title => ("title-lines", "above the headers, and left out", "see whether these are leads"),
            Self::Total => ("total-lines", "a sum of the list, and left out", "see whether these are leads"),
            Self::NoHeaders => ("no-headers", "numbers without a header line", "the first line is a lead, too"),
            Self::HiddenRow => {
                ("hidden-row", "hidden in the sheet, and called all the same", "delete the rows that are not meant")
            }
            Self::NameCut => ("name-cut", "a name cut to 40 characters", "the variable keeps it whole"),
            Self::ZoneIgnored => {
                ("zone-ignored", "a time zone that does not exist (not needed)", "write it like America/New_York")
            }
            Self::UtcZone => (
                "utc-zone",
                "UTC as time zone, though their place never has it",
                "write it like America/New_York; till then both are kept",
            ),
            Self::StateIgnored => {
                ("state-ignored", "a state that its country does not have", "the number alone gives the time zone")
            }
            Self::BadText => ("bad-text", "characters that could not be read", "save the list as UTF-8"),
            Self::MissingCells => ("missing-cells", "fewer cells than columns", "the rest counts as empty"),
            Self::UnnamedColumn => {
                ("unnamed-column", "cells in a column without a header", "give it a header, or it is not used")
            }
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Why a row is not called.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reason {
    /// What kind of trouble.
    pub kind: Kind,
    /// The cell, or whatever the trouble is with; may be empty.
    pub about: String,
}

impl Reason {
    /// A reason about this cell.
    pub fn new(kind: Kind, about: &str) -> Self {
        Self { kind, about: shown(about) }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.about.is_empty() {
            write!(f, "{}: {}", self.kind.label(), self.kind.hint())
        } else {
            write!(f, "{} ({}): {}", self.kind.label(), self.about, self.kind.hint())
        }
    }
}

/// One row that shows what is meant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Sample {
    /// The line in the file where the row starts.
    pub line: u64,
    /// The cell, shortened; may be empty.
    pub text: String,
}

/// All rows of one kind.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Group {
    /// How many.
    pub count: u64,
    /// The first of them.
    #[serde(rename = "rows")]
    pub samples: Vec<Sample>,
}

impl Group {
    /// One more row.
    pub fn add(&mut self, line: u64, text: &str) {
        self.count += 1;
        if self.samples.len() < SAMPLES {
            self.samples.push(Sample { line, text: shown(text) });
        }
    }
}

/// What was found in one list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Findings {
    groups: BTreeMap<Kind, Group>,
}

impl Findings {
    /// One more row of that kind.
    pub fn add(&mut self, kind: Kind, line: u64, text: &str) {
        self.groups.entry(kind).or_default().add(line, text);
    }

    /// Takes back the row that was added last of that kind.
    pub fn take_back(&mut self, kind: Kind, line: u64) {
        let Some(group) = self.groups.get_mut(&kind) else { return };
        group.count -= 1;
        group.samples.pop_if(|sample| sample.line == line);
        self.groups.retain(|_, group| group.count > 0);
    }

    /// The kinds that occurred, in the order in which they are shown.
    pub fn groups(&self) -> impl Iterator<Item = (Kind, &Group)> {
        self.groups.iter().map(|(kind, group)| (*kind, group))
    }

    /// How many rows of that kind there were.
    pub fn count(&self, kind: Kind) -> u64 {
        self.groups.get(&kind).map_or(0, |group| group.count)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Shown<'a>(Kind, &'a Group);
        impl Serialize for Shown<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut object = serializer.serialize_struct("Finding", 6)?;
                object.serialize_field("kind", self.0.name())?;
                object.serialize_field("count", &self.1.count)?;
                object.serialize_field("rejected", &self.0.rejects())?;
                object.serialize_field("text", self.0.label())?;
                object.serialize_field("hint", self.0.hint())?;
                object.serialize_field("rows", &self.1.samples)?;
                object.end()
            }
        }
        serializer.collect_seq(self.groups().map(|(kind, group)| Shown(kind, group)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown::SHOWN;
    use super::*;

    #[test]
    fn kinds_have_names_of_their_own_and_stand_in_order() {
        let mut names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
        assert!(Kind::ALL.is_sorted());
    }

    #[test]
    fn samples_are_few_short_and_harmless() {
        let mut findings = Findings::default();
        for line in 0..1_000 {
            findings.add(Kind::NotANumber, line, &"\u{1b}[31mx".repeat(100));
        }
        let (kind, group) = findings.groups().next().unwrap();
        assert_eq!((kind, group.count, group.samples.len()), (Kind::NotANumber, 1_000, SAMPLES));
        assert!(group.samples.iter().all(|sample| sample.text.chars().count() <= SHOWN + 2));
        assert!(group.samples.iter().all(|sample| !sample.text.contains('\u{1b}')));
    }
}
