//! What a row says of where somebody is: the country that reads the number, and the zones in which it must be open.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::country::{has_states, state_zones};
use super::super::findings::{Kind, Reason};
use super::super::options::{Field, ListOptions, Region, ZoneFrom};
use super::super::phone::verdict::calling_code;
use super::super::phone::{Found, Reading};
use super::super::zone::of_number;
use super::List;

/// What the columns of a row say of its number's country.
pub(super) enum RowCountry {
    /// Nothing.
    NotSaid,
    /// This one.
    Said(Region),
    /// A name that is no country's.
    Unknown(String),
}

impl RowCountry {
    /// The number in a cell. The row's country reads a national one, whatever `--region` says; a number of another
    /// country than the row's is refused, since one of the two is wrong. A country that is not known does no harm to a
    /// number that has its country code.
    pub(super) fn read(&self, cell: &str, options: &ListOptions) -> Result<Found, Reason> {
        let region = match self {
            Self::NotSaid => options.region,
            Self::Said(region) => Some(*region),
            Self::Unknown(_) => None,
        };
        let found = Reading { region, allow: &options.allow }.read(cell);
        match (self, found) {
            (Self::Said(region), Ok(found)) if calling_code(*region) != found.calling_code => {
                Err(Reason::new(Kind::OtherCountry, &format!("{} and {region}", found.phone)))
            }
            (Self::Unknown(name), Err(reason)) if matches!(reason.kind, Kind::NoCountry | Kind::NoPlus) => {
                Err(Reason::new(Kind::BadCountry, name))
            }
            (_, found) => found,
        }
    }
}

impl List {
    /// The country that the row says; two of them are refused.
    pub(super) fn country(&mut self, cells: &[String]) -> Result<RowCountry, Reason> {
        let mut said: Option<Region> = None;
        let mut unknown = None;
        for at in self.columns.countries() {
            let cell = cells[at].as_str();
            match (self.asked.country(cell), said) {
                _ if cell.is_empty() => {}
                (Some(country), Some(other)) if calling_code(country) != calling_code(other) => {
                    return Err(Reason::new(Kind::OtherCountry, &format!("{other} and {cell}")));
                }
                (Some(country), None) => said = Some(country),
                (Some(_), Some(_)) => {}
                (None, _) => unknown = Some(cell.to_owned()),
            }
        }
        Ok(match (said, unknown) {
            (_, Some(name)) => RowCountry::Unknown(name),
            (Some(country), None) => RowCountry::Said(country),
            (None, None) => RowCountry::NotSaid,
        })
    }

    /// The zones: the column's, else the state's and the number's, else `--zone`.
    pub(super) fn zones(&mut self, line: u64, cells: &[String], found: &Found) -> Result<Vec<String>, Reason> {
        let said = self.cell(cells, Field::TimeZone);
        let zones = if said.is_empty() {
            self.zones_of_place(line, cells, found)
        } else {
            match self.asked.zone(said) {
                Some(zone) if is_utc(zone.as_str()) && never_utc(of_number(found)) => {
                    self.findings.add(Kind::UtcZone, line, &found.phone.to_string());
                    let mut zones = vec![zone.as_str().to_owned()];
                    if self.options.zone_from == ZoneFrom::Both {
                        zones.extend(of_number(found).iter().map(|zone| (*zone).to_owned()));
                    }
                    zones.sort_unstable();
                    zones
                }
                Some(zone) => vec![zone.as_str().to_owned()],
                None if self.options.hours_any => {
                    self.findings.add(Kind::ZoneIgnored, line, said);
                    Vec::new()
                }
                None => return Err(Reason::new(Kind::BadZone, said)),
            }
        };
        if self.options.hours_any {
            return Ok(zones);
        }
        if zones.is_empty() {
            return Err(Reason::new(Kind::NoZone, &found.phone.to_string()));
        }
        match &self.options.opens {
            Some(opens) if !self.asked.opens(&zones, opens.as_ref()) => {
                Err(Reason::new(Kind::NeverOpen, &zones.join(" ")))
            }
            _ => Ok(zones),
        }
    }

    /// Where the number was given out and where the row says that somebody lives: all of it must be open, since mobile
    /// numbers move with their owners.
    fn zones_of_place(&mut self, line: u64, cells: &[String], found: &Found) -> Vec<String> {
        let mut zones = match self.options.zone_from {
            ZoneFrom::Both => of_number(found).to_vec(),
            ZoneFrom::Column => Vec::new(),
        };
        let state = self.cell(cells, Field::State).to_owned();
        let country = match self.country(cells) {
            Ok(RowCountry::Said(country)) => Some(country),
            _ => None,
        };
        let lived_in = state_zones(&state, country, found.calling_code);
        if !state.is_empty() && lived_in.is_empty() && has_states(found.calling_code) {
            self.findings.add(Kind::StateIgnored, line, &state);
        }
        zones.extend(lived_in);
        zones.sort_unstable();
        zones.dedup();
        match &self.options.zone {
            Some(zone) if zones.is_empty() => vec![zone.as_str().to_owned()],
            _ => zones.into_iter().map(str::to_owned).collect(),
        }
    }
}

fn is_utc(zone: &str) -> bool {
    let name = zone.strip_prefix("Etc/").unwrap_or(zone);
    matches!(name, "UTC" | "UCT" | "GMT" | "Zulu" | "Universal" | "Greenwich" | "GMT0" | "GMT+0" | "GMT-0")
}

/// Whether the clocks of all these zones differ from UTC, in winter and in summer; not of none.
fn never_utc(zones: &[&str]) -> bool {
    let at = |zone: &TimeZone, second| Timestamp::from_second(second).map_or(0, |at| zone.to_offset(at).seconds());
    let differs = |zone: &&str| {
        TimeZone::get(zone).is_ok_and(|zone| at(&zone, 1_800_000_000) != 0 && at(&zone, 1_815_000_000) != 0)
    };
    !zones.is_empty() && zones.iter().all(differs)
}
