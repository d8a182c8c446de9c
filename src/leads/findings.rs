//! What there is to say about a list: every oddity has a kind, kinds are counted, and the first of each are kept with
//! their lines. It never holds more than a handful of samples, however long the list.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::shown::shown;

/// Samples kept of each kind.
pub const SAMPLES: usize = 20;

/// The kinds, each with its name in `--json`, what a person reads after a count, and what to do about it.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident: $name:literal, $label:literal, $hint:literal;)+) => {
        /// What is odd about a row. The order is that in which they are shown.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Kind {
            $($(#[$doc])+ $kind,)+
        }

        impl Kind {
            /// Every kind, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            const fn words(self) -> (&'static str, &'static str, &'static str) {
                match self {
                    $(Self::$kind => ($name, $label, $hint),)+
                }
            }
        }
    };
}

kinds! {
    /// The same phone and extension as an earlier row.
    Duplicate: "duplicate", "on an earlier row already", "called once";
    /// Nothing in the number's cell.
    NoNumber: "no-number", "without a number", "fill in the cell, or name a further column: --column number=HEADER";
    /// Something else than a number in it.
    NotANumber: "not-a-number", "not a phone number", "write digits, beginning with + and country code";
    /// `24.11.2026`, which some countries would take for a number.
    Date: "date", "a date, not a phone number", "see whether --column number=HEADER names the right one";
    /// `9.17045E+11`: digits are gone.
    Spreadsheet: "spreadsheet", "lost to a spreadsheet", "export the column as text";
    /// National, and no region was given.
    NoCountry: "no-country", "without a country code", "--region CC, or begin them with + and country code";
    /// Reads as the number of another country, but has no `+`.
    NoPlus: "no-plus", "of another country, it seems, but without a +", "write the +; if American: --region US";
    /// Two readings, both of them valid.
    Ambiguous: "ambiguous", "may be two different numbers", "begin it with + and country code";
    /// Too short or too long.
    Length: "wrong-length", "too short or too long for a phone number", "look for lost or doubled digits";
    /// A country code that no country has.
    NoSuchCountry: "no-such-country", "with a country code that no country has", "look at the digits behind the +";
    /// The row's country is none that is known, and the number needs one.
    BadCountry: "bad-country", "of a country that is not known",
        "write its name in English, its code, or + and country code; or --column country=none";
    /// The row says another country than the number, or two of them.
    OtherCountry: "other-country", "of another country than the row says",
        "correct one of the two, or --column country=none";
    /// Of the right length, in no range that is in use.
    NotValid: "not-valid", "in no number range that is in use", "--allow possible";
    /// A short code.
    ShortCode: "short-code", "a short code", "write the whole number";
    /// An emergency service.
    Emergency: "emergency", "an emergency number", "never called";
    /// Premium rate, or a personal number that is billed like it.
    Premium: "premium", "at premium rate", "--allow premium";
    /// Shared cost.
    SharedCost: "shared-cost", "at shared cost", "--allow shared-cost";
    /// A pager or a mailbox.
    Pager: "pager", "a pager or mailbox", "nobody answers there";
    /// The number's own cell says that it is not to be called, and holds no number to suppress.
    Refused: "refused", "said not to be called, without a number to suppress", "never called";
    /// The number's own cell says that it is a fax, out of service, or somebody else's.
    NoUse: "no-use", "said to be a fax, out of service or wrong", "write a number that can be called";
    /// Neither yes nor no where the list says whether somebody may be called.
    Unclear: "unclear-refusal", "neither yes nor no about being called",
        "write yes or no, or --column do_not_call=none";
    /// An extension that cannot be dialed.
    Extension: "extension", "an extension that cannot be dialed", "one of at most 10 digits, * or #";
    /// A required variable is empty.
    Missing: "missing-variable", "without a required value", "fill in the cell";
    /// The zone's cell holds no time zone.
    BadZone: "bad-zone", "a time zone that does not exist", "write it like America/New_York";
    /// Neither a column nor the number tells the zone.
    NoZone: "no-zone", "time zone not known", "--zone ZONE, or a time_zone column";
    /// Its zones and the hours have no open minute in common.
    NeverOpen: "never-open", "never within the hours in all of their time zones",
        "a time_zone column, --hours, --days, --holidays or --guard";
    /// More cells than columns.
    ExtraCells: "extra-cells", "more cells than columns", "quote the cell that holds the delimiter";
    /// A quotation mark that is never closed.
    OpenQuote: "open-quote", "a quotation mark that is never closed", "close it, or write \"\" for one";
    /// A row or cell larger than any lead.
    TooLarge: "too-large", "larger than any lead", "see whether a quote or line end is missing; it may be cut here";
    /// Read as a national number that has lost its leading zero, though another country would fit.
    LostZero: "lost-zero", "taken as national without the leading 0", "write the 0, or + and country code";
    /// Read as an international number without its `+`, because that was allowed.
    AssumedPlus: "assumed-plus", "taken as international without the +", "write the +";
    /// Mexico's old way to write a mobile number.
    OldPrefix: "old-prefix", "in Mexico's old way, taken without 044, 045, 01 or 1", "write +52 and ten digits";
    /// Its trunk zero is not dialed behind a country code.
    TrunkZero: "trunk-zero", "called without the leading 0, which is not dialed from abroad", "all is well";
    /// Nor is another prefix of its country: 1, 8, 06.
    NationalPrefix: "national-prefix", "called without their country's own prefix", "all is well";
    /// 00, 011 or the like in place of the +.
    InternationalPrefix: "international-prefix", "called as international, by 00, 011 or the like", "all is well";
    /// Further numbers in the cell.
    SecondNumber: "second-number", "more numbers than the one taken", "one number a row";
    /// The number is one of a further column.
    OtherColumn: "other-column", "called at the number in a further column", "the first has none that can be called";
    /// Words beside the number that say nothing known.
    Words: "words", "words beside the number", "it is called: see what they say";
    /// Several columns hold phone numbers.
    SeveralColumns: "several-columns", "several columns of phone numbers, the first of these taken",
        "--column number=HEADER";
    /// Lines above the headers.
    Title: "title-lines", "above the headers, and left out", "see whether these are leads";
    /// Lines below the list that sum it up.
    Total: "total-lines", "a sum of the list, and left out", "see whether these are leads";
    /// No headers: numbers, one a line.
    NoHeaders: "no-headers", "numbers without a header line", "the first line is a lead, too";
    /// Hidden in its sheet.
    HiddenRow: "hidden-row", "hidden in the sheet, and called all the same", "delete the rows that are not meant";
    /// The name is longer than the provider takes.
    NameCut: "name-cut", "a name cut to 40 characters", "the variable keeps it whole";
    /// A zone that does not exist, where none is needed.
    ZoneIgnored: "zone-ignored", "a time zone that does not exist (not needed)", "write it like America/New_York";
    /// UTC, where the number is of a place that never has it: what a program writes that does not know.
    UtcZone: "utc-zone", "UTC as time zone, though their place never has it",
        "write it like America/New_York; till then both are kept";
    /// A state that its country does not have.
    StateIgnored: "state-ignored", "a state that its country does not have", "the number alone gives the time zone";
    /// Characters that could not be read.
    BadText: "bad-text", "characters that could not be read", "save the list as UTF-8";
    /// Fewer cells than columns.
    MissingCells: "missing-cells", "fewer cells than columns", "the rest counts as empty";
    /// Cells in a column without a header.
    UnnamedColumn: "unnamed-column", "cells in a column without a header", "give it a header, or it is not used";
}

impl Kind {
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
