//! Nobody is called before 08:00 or after 21:00 where they are, whatever the number alone tells of it. The places are
//! those of the geocoding data, by way of `data/make-time-zones.py`, and of reports of calls at the wrong hour.

use std::time::Duration;

use dialer::campaign::hours::Calling;
use dialer::leads::lead::Phone;
use dialer::leads::list::{List, Row};
use dialer::leads::options::ListOptions;
use dialer::leads::phone::Reading;
use dialer::leads::zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Days on both sides of every change of the clock, north and south.
const DAYS: [&str; 6] = ["2027-01-15", "2027-03-20", "2027-04-10", "2027-07-15", "2027-10-20", "2027-11-15"];

/// The quarters of an hour in which a number is called though it is night where its owner is.
fn at_night(zones: &[String], place: &str) -> Vec<String> {
    let calling = Calling::parse("08:00-21:00", None, None, Duration::ZERO).unwrap();
    let there = TimeZone::get(place).unwrap();
    let mut wrong = Vec::new();
    for day in DAYS {
        let midnight: Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
        for quarter in 0..96 {
            let at = midnight + Duration::from_mins(15 * quarter);
            let hour = at.to_zoned(there.clone()).hour();
            if calling.is_open(zones, at) && !(8..21).contains(&hour) {
                wrong.push(format!("{at} is {hour}:.. in {place}"));
            }
        }
    }
    wrong
}

fn zones_of(number: &str) -> Vec<String> {
    let found = Reading::default().read(number).unwrap_or_else(|reason| panic!("{number}: {reason}"));
    zone::of_number(&found).iter().map(|zone| (*zone).to_owned()).collect()
}

#[test]
fn no_place_of_the_geocoding_data_is_called_at_night() {
    let rows = include_str!("../data/places.tsv").lines().filter(|line| !line.starts_with('#'));
    let mut seen = 0;
    for row in rows {
        let [number, place, town] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let Ok(found) = Reading::default().read(&format!("+{number}")) else { continue };
        assert!(Phone::from_e164(&format!("+{number}")) == Some(found.phone), "{row}");
        let zones: Vec<String> = zone::of_number(&found).iter().map(|zone| (*zone).to_owned()).collect();
        let wrong = at_night(&zones, place);
        assert!(!zones.is_empty() && wrong.is_empty(), "+{number}, {town}: {zones:?}: {:?}", wrong.first());
        seen += 1;
    }
    assert!(seen > 250, "{seen}");
}

#[test]
fn reported_places_are_not_called_at_night() {
    for (number, places) in [
        ("+12195550142", &["America/Chicago", "America/New_York"][..]),
        ("+12705550142", &["America/Chicago", "America/New_York"]),
        ("+18505550142", &["America/Chicago", "America/New_York"]),
        ("+14235550142", &["America/New_York"]),
        ("+14745550142", &["America/Regina"]),
        ("+16895550142", &["America/New_York"]),
        ("+19075810142", &["America/Anchorage"]),
        ("+213551234567", &["Africa/Algiers"]),
        ("+526145550142", &["America/Chihuahua"]),
        ("+50581234567", &["America/Managua"]),
        ("+61755501234", &["Australia/Brisbane"]),
        ("+218912345678", &["Africa/Tripoli"]),
        ("+74012345678", &["Europe/Kaliningrad"]),
        ("+78452345678", &["Europe/Saratov"]),
        ("+211977123456", &["Africa/Juba"]),
        ("+212520123456", &["Africa/Casablanca"]),
        ("+970599123456", &["Asia/Gaza", "Asia/Hebron"]),
        ("+529981234567", &["America/Cancun"]),
    ] {
        let zones = zones_of(number);
        for place in places {
            let wrong = at_night(&zones, place);
            assert!(!zones.is_empty() && wrong.is_empty(), "{number}: {zones:?}: {:?}", wrong.first());
        }
    }
}

fn zones_in(text: &str, options: &ListOptions) -> Vec<Result<Vec<String>, String>> {
    let rows = List::from_bytes("leads.csv", text.as_bytes().to_vec(), options).unwrap();
    rows.filter_map(Result::ok)
        .map(|row| match row {
            Row::Lead { lead, .. } => Ok(lead.zones),
            Row::Rejected { reason, .. } => Err(reason.kind.name().to_owned()),
        })
        .collect()
}

#[test]
fn where_somebody_lives_is_open_too() {
    let text = "phone,state\n+14155550142,TX\n+14155550143,\n+14155550144,Texas\n";
    let found = zones_in(text, &ListOptions::default());
    let texas = ["America/Chicago", "America/Denver", "America/Los_Angeles"].map(str::to_owned).to_vec();
    assert_eq!(found, [Ok(texas.clone()), Ok(vec!["America/Los_Angeles".to_owned()]), Ok(texas)]);
    let column = ListOptions { zone_from: "column".parse().unwrap(), ..ListOptions::default() };
    let found = zones_in(text, &column);
    let texas = ["America/Chicago", "America/Denver"].map(str::to_owned).to_vec();
    assert_eq!(found, [Ok(texas.clone()), Err("no-zone".to_owned()), Ok(texas)]);
}

#[test]
fn the_row_says_the_country_of_its_number() {
    let read = |text: &str, region: Option<&str>| {
        let region = region.map(|region| region.parse().unwrap());
        let options = ListOptions { region, hours_any: true, ..ListOptions::default() };
        let rows = List::from_bytes("leads.csv", text.as_bytes().to_vec(), &options).unwrap();
        rows.filter_map(Result::ok)
            .map(|row| match row {
                Row::Lead { lead, .. } => lead.phone.to_string(),
                Row::Rejected { reason, .. } => reason.kind.name().to_owned(),
            })
            .collect::<Vec<_>>()
    };
    let list = "Name,Phone,Country\nAnn,8125550142,India\nBob,33 2555 0142,Mexico\nCy,4155550142,United States\n\
                Di,4155550143,Atlantis\nEd,+14155550144,India\nFa,+14155550145,Atlantis\nGo,4155550146,\n";
    let with = ["+918125550142", "+523325550142", "+14155550142", "bad-country", "other-country", "+14155550145"];
    assert_eq!(read(list, Some("US"))[..6], with);
    assert_eq!(read(list, None)[..6], with);
    assert_eq!((read(list, Some("US"))[6].as_str(), read(list, None)[6].as_str()), ("+14155550146", "no-country"));
    let vicidial = "list_id,phone_code,phone_number,country_code\n101,91,7015550142,IND\n101,1,4155550142,USA\n\
                    101,91,7015550143,USA\n";
    assert_eq!(read(vicidial, Some("US")), ["+917015550142", "+14155550142", "other-country"]);
}

#[test]
fn utc_on_an_american_number_is_told_and_not_trusted() {
    let text = "phone,time_zone\n+14155550142,UTC\n+442079460958,UTC\n+14155550143,America/New_York\n";
    let found = zones_in(text, &ListOptions::default());
    let zones = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert_eq!(found, [zones(&["America/Los_Angeles", "UTC"]), zones(&["UTC"]), zones(&["America/New_York"])]);
    let mut list = List::from_bytes("leads.csv", text.as_bytes().to_vec(), &ListOptions::default()).unwrap();
    assert_eq!(list.by_ref().count(), 3);
    let told: Vec<_> = list.findings().groups().map(|(kind, group)| (kind.name(), group.count)).collect();
    assert_eq!(told, [("utc-zone", 1)]);
}
