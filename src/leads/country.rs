//! What a row says of the country and the state of its number: names in many languages, ISO codes, calling codes.

use std::collections::HashMap;
use std::sync::LazyLock;

use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::headers::bare;
use super::options::Region;

/// The region of the number's country that a cell names, if it names one.
pub fn country(cell: &str) -> Option<Region> {
    let name = bare(cell);
    if name.is_empty() {
        return None;
    }
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        return by_calling_code(&name);
    }
    cell.trim().parse().ok().or_else(|| NAMES.get(&name).copied())
}

/// `91`, `0091`, `1`, and `1809`, which is how calling codes of the Caribbean are often written.
fn by_calling_code(digits: &str) -> Option<Region> {
    let code = digits.strip_prefix("00").unwrap_or(digits);
    let code = if code.len() == 4 && code.starts_with('1') { "1" } else { code };
    let region = PHONE_NUMBER_UTIL.get_region_for_country_code(code.parse().ok()?)?;
    region.as_region_str().as_ref().parse().ok()
}

/// The zones that are kept somewhere in a state; none for a state that is not known.
///
/// `country` is the row's, if it names one. A state of another country than the number's is none of ours.
pub fn state_zones(cell: &str, country: Option<Region>, calling_code: i32) -> &'static [&'static str] {
    let name = bare(cell);
    let of = |region: &str| STATES.get(&(region.to_owned(), name.clone())).map(Vec::as_slice);
    let regions: &[&str] = match (country.map(|region| region.to_string()).as_deref(), calling_code) {
        (Some("US"), 1) => &["US"],
        (Some("CA"), 1) => &["CA"],
        (_, 1) => &["US", "CA"],
        (_, 61) => &["AU"],
        (_, 55) => &["BR"],
        (_, 52) => &["MX"],
        _ => &[],
    };
    regions.iter().find_map(|region| of(region)).unwrap_or_default()
}

/// Whether the states of a calling code's countries are known.
pub fn has_states(calling_code: i32) -> bool {
    matches!(calling_code, 1 | 52 | 55 | 61)
}

/// Whether a cell names a state of any of the countries whose states are known.
pub fn is_state(cell: &str) -> bool {
    let name = bare(cell);
    ["US", "CA", "AU", "BR", "MX"].iter().any(|region| STATES.contains_key(&((*region).to_owned(), name.clone())))
}

static NAMES: LazyLock<HashMap<String, Region>> = LazyLock::new(|| {
    let lines = include_str!("countries.tsv").lines().filter(|line| !line.starts_with('#'));
    let rows = lines.filter_map(|line| line.split_once('\t'));
    let rows = rows.filter_map(|(region, names)| Some((region.parse::<Region>().ok()?, names)));
    rows.flat_map(|(region, names)| names.split('&').map(move |name| (bare(name), region))).collect()
});

/// Country and state to zones.
static STATES: LazyLock<HashMap<(String, String), Vec<&'static str>>> = LazyLock::new(|| {
    let mut states = HashMap::new();
    for line in include_str!("states.tsv").lines().filter(|line| !line.starts_with('#')) {
        if let [country, names, zones] = line.split('\t').collect::<Vec<_>>()[..] {
            for name in names.split('&') {
                states.insert((country.to_owned(), bare(name)), zones.split('&').collect());
            }
        }
    }
    states
});

#[cfg(test)]
mod tests {
    use super::super::options::Zone;
    use super::*;

    #[test]
    fn countries_go_by_name_and_code() {
        for (cell, region) in [
            ("India", "IN"),
            ("IND", "IN"),
            ("in", "IN"),
            ("91", "IN"),
            ("+91", "IN"),
            ("0091", "IN"),
            ("USA", "US"),
            ("U.S.A.", "US"),
            ("United States", "US"),
            ("1", "US"),
            ("+1", "US"),
            ("1-809", "US"),
            ("Deutschland", "DE"),
            ("México", "MX"),
            ("UK", "GB"),
            ("England", "GB"),
            ("Россия", "RU"),
            ("日本", "JP"),
        ] {
            assert_eq!(country(cell).map(|region| region.to_string()).as_deref(), Some(region), "{cell}");
        }
        for cell in ["", "Atlantis", "999", "0", "-", "n/a"] {
            assert_eq!(country(cell), None, "{cell}");
        }
    }

    #[test]
    fn a_name_is_one_countrys() {
        let mut seen = HashMap::new();
        for line in include_str!("countries.tsv").lines().filter(|line| !line.starts_with('#')) {
            let (region, names) = line.split_once('\t').unwrap();
            assert!(region.parse::<Region>().is_ok(), "{region}");
            for name in names.split('&') {
                assert!(!bare(name).is_empty(), "{line}");
                let other = seen.insert(bare(name), region);
                assert!(other.is_none_or(|other| other == region), "{name} is {region} and {other:?}");
            }
        }
        assert!(seen.len() > 2_000);
    }

    #[test]
    fn states_have_the_zones_of_their_country() {
        assert_eq!(state_zones("TX", None, 1), ["America/Chicago", "America/Denver"]);
        assert_eq!(state_zones("british columbia", None, 1).len(), 5);
        assert_eq!(state_zones("WA", None, 1), ["America/Los_Angeles"]);
        assert_eq!(state_zones("W.A.", None, 61), ["Australia/Eucla", "Australia/Perth"]);
        assert_eq!(state_zones("Amazonas", None, 55), ["America/Eirunepe", "America/Manaus"]);
        assert_eq!(state_zones("Quebec", Some("US".parse().unwrap()), 1), [""; 0]);
        assert_eq!(state_zones("TX", None, 49), [""; 0]);
        for zone in STATES.values().flatten() {
            assert_eq!(zone.parse::<Zone>().unwrap().as_str(), *zone);
        }
        assert!(STATES.len() > 250);
    }
}
