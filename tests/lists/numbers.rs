//! Tricky numbers of 40 countries, compared with libphonenumber's own verdict on each (`data/make-numbers.py`).

use std::collections::BTreeSet;

use dialer::leads::findings::Kind;
use dialer::leads::options::{Allow, Region};
use dialer::leads::phone::{Found, Reading};
use dialer::leads::zone;

fn read(cell: &str, region: &str, allow: &[Allow]) -> Result<Found, Kind> {
    let region: Option<Region> = region.parse().ok();
    Reading { region, allow }.read(cell).map_err(|reason| reason.kind)
}

#[test]
fn libphonenumber_agrees_on_every_number() {
    let rows = include_str!("../data/numbers.tsv").lines().filter(|line| !line.starts_with('#'));
    let (mut seen, mut countries) = (0, BTreeSet::new());
    for row in rows {
        let cells: Vec<&str> = row.split('\t').collect();
        let &[cell, region, verdict, e164, kind, zones] = cells.as_slice() else { panic!("{row}") };
        let costly = [Allow::Premium, Allow::SharedCost];
        match verdict {
            // libphonenumber knows numbers of 16 digits; E.164, and so the provider, does not.
            "valid" if e164.len() > 16 => {
                assert_eq!(read(cell, region, &Allow::ALL).err(), Some(Kind::Length), "{row}");
            }
            "valid" => {
                let found = read(cell, region, &costly).unwrap_or_else(|refused| panic!("{row}: {refused}"));
                assert_eq!(found.phone.to_string(), e164, "{row}");
                let expected: Vec<&str> = zones.split('&').filter(|zone| *zone != "-").collect();
                assert_eq!(zone::of_number(&found), expected, "{row}");
                let refused = match kind {
                    "PREMIUM_RATE" => Some(Kind::Premium),
                    "SHARED_COST" => Some(Kind::SharedCost),
                    _ => None,
                };
                assert_eq!(read(cell, region, &[]).err(), refused, "{row}");
                countries.insert(found.calling_code);
            }
            "possible" => {
                let refused = read(cell, region, &costly).map(|found| found.phone);
                assert!(matches!(refused, Err(Kind::NotValid | Kind::Emergency)), "{row}: {refused:?}");
                if refused == Err(Kind::NotValid) {
                    let allowed = read(cell, region, &[Allow::Possible]);
                    assert!(
                        matches!(allowed, Err(Kind::Emergency))
                            || allowed.is_ok_and(|found| found.phone.to_string() == e164),
                        "{row}"
                    );
                }
            }
            _ => {
                assert_eq!(read(cell, region, &Allow::ALL).map(|found| found.phone).err(), Some(Kind::Length), "{row}");
            }
        }
        seen += 1;
    }
    assert!(seen >= 300 && countries.len() >= 38, "{seen} numbers, {} calling codes", countries.len());
}
