//! What a person said about the list: valid by the time it stands here, and nothing of the list itself.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use jiff::tz::TimeZone;
use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::shown::file;

/// Where a list comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// What can be read only once, kept in a file that has no name any more.
    Copied(Copied),
}

/// A list that came through a pipe, to be read as often as it takes.
#[derive(Clone, Debug)]
pub struct Copied {
    /// What the list is called.
    pub name: Arc<str>,
    /// What came through; never read at its own position, which all its readers would share.
    pub file: Arc<File>,
}

impl PartialEq for Copied {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
    }
}

impl Eq for Copied {}

impl Source {
    /// `-` is standard input, anything else a file.
    pub fn new(argument: &Path) -> Self {
        if argument.as_os_str() == "-" { Self::Stdin } else { Self::File(argument.to_owned()) }
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Stdin | Self::Copied(_) => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(&file(path)),
            Self::Stdin => f.write_str("standard input"),
            Self::Copied(copied) => f.write_str(&copied.name),
        }
    }
}

/// What a column may be, besides a variable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// The phone number.
    Number,
    /// The customer's name.
    Name,
    /// The time zone.
    TimeZone,
    /// The country of the number.
    Country,
    /// The state or province in which somebody lives.
    State,
    /// Whether they are not to be called.
    DoNotCall,
    /// What is dialed after the answer.
    Extension,
    /// The assistant of this lead alone.
    AssistantId,
    /// The line of this lead alone.
    PhoneNumberId,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 9] = [
        Self::Number,
        Self::Name,
        Self::TimeZone,
        Self::Country,
        Self::State,
        Self::DoNotCall,
        Self::Extension,
        Self::AssistantId,
        Self::PhoneNumberId,
    ];

    /// As `--column` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Name => "name",
            Self::TimeZone => "time_zone",
            Self::Country => "country",
            Self::State => "state",
            Self::DoNotCall => "do_not_call",
            Self::Extension => "extension",
            Self::AssistantId => "assistant_id",
            Self::PhoneNumberId => "phone_number_id",
        }
    }
}

/// One `--column FIELD=HEADER`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// What it is.
    pub field: Field,
    /// Its header in the list, or [`NO_COLUMN`].
    pub header: String,
}

/// What is said in place of a header to have no column for a field, whatever the list has.
pub const NO_COLUMN: &str = "none";

impl FromStr for Column {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Field::ALL.map(Field::name).join(", ");
        let (field, header) =
            text.split_once('=').ok_or_else(|| format!("say FIELD=HEADER, where FIELD is one of {}", names()))?;
        let wanted = field.trim();
        let field = Field::ALL.into_iter().find(|field| field.name() == wanted);
        let field = field.ok_or_else(|| format!("{wanted:?} is no field; there are {}", names()))?;
        match header.trim() {
            "" => Err(format!("name the column: {}=HEADER", field.name())),
            header => Ok(Self { field, header: header.to_owned() }),
        }
    }
}

/// What is called although it is refused by default.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Allow {
    /// Premium-rate numbers.
    Premium,
    /// Shared-cost numbers.
    SharedCost,
    /// Numbers of a possible length in no range that is known to be in use.
    Possible,
    /// Digits without a `+` that can only be a number of another country, or may be both.
    International,
}

impl Allow {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Premium, Self::SharedCost, Self::Possible, Self::International];

    /// As `--allow` names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Premium => "premium",
            Self::SharedCost => "shared-cost",
            Self::Possible => "possible",
            Self::International => "international",
        }
    }
}

impl FromStr for Allow {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| format!("{text:?} is no such kind; there are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// A country or region whose numbering plan reads numbers without a country code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Region(pub(super) rlibphonenumber::Region);

impl FromStr for Region {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.trim().to_ascii_uppercase();
        let upper = if upper == "UK" { "GB" } else { &upper };
        upper
            .parse()
            .ok()
            .filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some_and(|code| code > 0))
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no region; say two letters, such as US, GB or DE"))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_region_str().as_ref())
    }
}

/// The name of a time zone that exists, as the time zone database writes it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Zone(Arc<str>);

impl Zone {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Zone {
    type Err = String;
    /// `EST`, `MST` and `HST` are refused: they are in the database as offsets that know no summer time, which is not
    /// what people mean by them, and an hour off is a call at ten in the evening.
    fn from_str(text: &str) -> Result<Self, String> {
        let trap = ["EST", "MST", "HST", "Factory", "Etc/Unknown"].iter().any(|name| text.eq_ignore_ascii_case(name));
        let zone = if trap { None } else { TimeZone::get(text).ok() };
        let name = zone.as_ref().and_then(TimeZone::iana_name);
        name.map(|name| Self(name.into()))
            .ok_or_else(|| format!("{text:?} is no time zone; say one such as America/New_York or Europe/Berlin"))
    }
}

/// Where the zone of a lead may come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ZoneFrom {
    /// The list's columns, and the number.
    #[default]
    Both,
    /// The list's columns alone: a mobile phone may be anywhere.
    Column,
}

impl FromStr for ZoneFrom {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "both" => Ok(Self::Both),
            "column" => Ok(Self::Column),
            other => Err(format!("{other:?} is neither both nor column")),
        }
    }
}

/// Whether these zones have an open minute in common in the next 14 days.
pub type Opens = Arc<dyn Fn(&[String]) -> bool + Send + Sync>;

/// Everything that was said about lists.
#[derive(Clone, Default)]
pub struct ListOptions {
    /// `--column`.
    pub columns: Vec<Column>,
    /// `--region`.
    pub region: Option<Region>,
    /// `--sheet`.
    pub sheet: Option<String>,
    /// `--require`.
    pub require: Vec<String>,
    /// What the assistant's prompt needs, by the very header.
    pub needed: Vec<String>,
    /// `--allow`.
    pub allow: Vec<Allow>,
    /// `--zone`.
    pub zone: Option<Zone>,
    /// `--zone-from`.
    pub zone_from: ZoneFrom,
    /// `--hours any`: no zone is needed.
    pub hours_any: bool,
    /// Whether zones are ever open together; not asked under `hours_any`. `None` takes them to be.
    pub opens: Option<Opens>,
}

impl fmt::Debug for ListOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListOptions")
            .field("columns", &self.columns)
            .field("region", &self.region)
            .field("sheet", &self.sheet)
            .field("require", &self.require)
            .field("needed", &self.needed)
            .field("allow", &self.allow)
            .field("zone", &self.zone)
            .field("zone_from", &self.zone_from)
            .field("hours_any", &self.hours_any)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_becomes_what_is_meant() {
        let column: Column = "number=Telefon (privat)".parse().unwrap();
        assert_eq!((column.field, column.header.as_str()), (Field::Number, "Telefon (privat)"));
        assert!("phone=Telefon".parse::<Column>().unwrap_err().contains("number, name"));
        assert!("number".parse::<Column>().is_err());
        assert_eq!("shared-cost".parse(), Ok(Allow::SharedCost));
        assert!("emergency".parse::<Allow>().is_err());
        assert_eq!("uk".parse::<Region>().unwrap().to_string(), "GB");
        for wrong in ["XX", "USA", "1", "", "001"] {
            assert!(wrong.parse::<Region>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_zone_is_one_that_keeps_summer_time_where_people_do() {
        assert_eq!("america/new_york".parse::<Zone>().unwrap().as_str(), "America/New_York");
        assert_eq!("UTC".parse::<Zone>().unwrap().as_str(), "UTC");
        for wrong in ["EST", "Etc/Unknown", "Eastern", "", "America/Gotham", "../../etc/passwd", "+02:00"] {
            assert!(wrong.parse::<Zone>().is_err(), "{wrong}");
        }
    }
}
