//! Where a phone may ring: the time zones that its number was given out in, after libphonenumber's own table. The table
//! knows where numbers were issued, not where people are, so a zone that the list tells wins.

use std::collections::HashMap;
use std::sync::LazyLock;

use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::country::country;
use super::options::{Region, Zone};
use super::phone::Found;

/// Names of zones that are remembered: more than there are, so that only a hostile column fills it.
const REMEMBERED: usize = 4_096;

/// Number prefix to zones.
static PREFIXES: LazyLock<HashMap<u64, Vec<&'static str>>> = LazyLock::new(|| {
    let lines = include_str!("phone-time-zones.tsv").lines().filter(|line| !line.starts_with('#'));
    let rows = lines.filter_map(|line| line.split_once('\t'));
    rows.filter_map(|(prefix, zones)| Some((prefix.parse().ok()?, zones.split('&').collect()))).collect()
});

/// The zones that a number may lie in, sorted; empty if nobody knows. Of a number that belongs to no place only the
/// country is asked, and of one in no range that is in use nothing.
pub fn of_number(found: &Found) -> &'static [&'static str] {
    if found.kind == rlibphonenumber::PhoneNumberType::Unknown {
        return &[];
    }
    let code = found.calling_code;
    if !PHONE_NUMBER_UTIL.is_number_geographical_by_country_code_and_type(found.kind, code) {
        return u64::try_from(code).ok().and_then(|code| PREFIXES.get(&code)).map_or(&[], Vec::as_slice);
    }
    let mut prefix = found.phone.digits();
    while prefix > 0 {
        if let Some(zones) = PREFIXES.get(&prefix) {
            return zones;
        }
        prefix /= 10;
    }
    &[]
}

/// What has been asked about zones before: a list asks the same few a million times.
#[derive(Default)]
pub(super) struct Asked {
    countries: HashMap<String, Option<Region>>,
    names: HashMap<String, Option<Zone>>,
    opens: HashMap<Vec<String>, bool>,
}

impl Asked {
    /// The country that a cell names.
    pub(super) fn country(&mut self, cell: &str) -> Option<Region> {
        if let Some(known) = self.countries.get(cell) {
            return *known;
        }
        let country = country(cell);
        if self.countries.len() < REMEMBERED {
            self.countries.insert(cell.to_owned(), country);
        }
        country
    }

    /// The zone of that name.
    pub(super) fn zone(&mut self, name: &str) -> Option<Zone> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let zone: Option<Zone> = name.parse().ok();
        if self.names.len() < REMEMBERED {
            self.names.insert(name.to_owned(), zone.clone());
        }
        zone
    }

    /// What `opens` says of these zones.
    pub(super) fn opens(&mut self, zones: &[String], opens: &dyn Fn(&[String]) -> bool) -> bool {
        if let Some(known) = self.opens.get(zones) {
            return *known;
        }
        let answer = opens(zones);
        self.opens.insert(zones.to_vec(), answer);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::super::phone::Reading;
    use super::*;

    fn zones(number: &str) -> &'static [&'static str] {
        of_number(&Reading::default().read(number).unwrap())
    }

    #[test]
    fn numbers_lie_where_they_were_given_out() {
        assert_eq!(zones("+1 415 555 0100"), ["America/Los_Angeles"]);
        assert_eq!(zones("+1 208 820 1234"), ["America/Boise", "America/Los_Angeles"]);
        assert_eq!(zones("+44 20 7946 0958"), ["Europe/London"]);
        assert_eq!(zones("+49 151 23456789"), ["Europe/Berlin"]);
    }

    #[test]
    fn numbers_of_no_place_lie_anywhere_in_their_country() {
        let anywhere = zones("+1 800 234 5678");
        assert!(anywhere.len() > 12, "{anywhere:?}");
        for zone in ["America/St_Johns", "America/Los_Angeles", "Pacific/Honolulu", "Pacific/Pago_Pago", "Pacific/Guam"]
        {
            assert!(anywhere.contains(&zone), "{zone}");
        }
        assert!(zones("+61 1800 123 456").len() > 4);
        assert!(zones("+61 2 5550 1234").len() == 1);
        assert_eq!(zones("+800 1234 5678"), [""; 0]);
    }

    #[test]
    fn every_zone_of_the_table_exists() {
        let mut asked = Asked::default();
        for name in PREFIXES.values().flatten() {
            assert!(asked.zone(name).is_some(), "{name}");
        }
        assert!(PREFIXES.len() > 3_000);
        assert!(PREFIXES.values().all(|zones| zones.is_sorted()));
    }
}
