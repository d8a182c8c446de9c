//! What a dry run says of the campaign that it does not run: its batches, and its first request.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::style::{moment, thousands};

/// The line about the batches, given their sizes in order. `first`: when the first lead may be called, and in whose zone.
pub fn batches(sizes: &[usize], first: Option<(Timestamp, &TimeZone)>, now: Timestamp) -> String {
    let Some(&usual) = sizes.first() else { return "no batch: nobody is to be called".to_owned() };
    let same = sizes.iter().take_while(|size| **size == usual).count();
    let rest: Vec<_> = sizes[same..].iter().map(ToString::to_string).collect();
    let mut line = match sizes.len() {
        1 => format!("1 batch of {usual}"),
        _ if same == 1 => format!("{} batches, of {usual}", thousands(sizes.len() as u64)),
        batches => format!("{} batches of {usual}", thousands(batches as u64)),
    };
    match rest.as_slice() {
        [] => {}
        several if same == 1 => {
            let _ = write!(line, " and {}", several.join(" and "));
        }
        several => {
            let _ = write!(line, ", the last of {}", several.join(" and "));
        }
    }
    match first {
        Some((at, _)) if at <= now => line.push_str(" · first now"),
        Some((at, zone)) => {
            let place = zone.iana_name().map_or(String::new(), |name| format!(" in {}", city(name)));
            let _ = write!(line, " · first at {}{place}", moment(at, now, zone));
        }
        None => {}
    }
    line
}

/// `Europe/Lisbon` as Lisbon, `America/Argentina/Buenos_Aires` as Buenos Aires.
pub fn city(zone: &str) -> String {
    zone.rsplit('/').next().unwrap_or(zone).replace('_', " ")
}

/// The first request, as it would be sent but for the key.
pub fn first_request(base_url: &str, body: &serde_json::Value) -> String {
    let body = serde_json::to_string_pretty(body).unwrap_or_default();
    format!("POST {}/call\nauthorization: Bearer ***\n{body}", base_url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_told_by_their_usual_size() {
        let now = "2026-11-23T05:05:00Z".parse().unwrap();
        let lisbon = TimeZone::get("Europe/Lisbon").unwrap();
        let first = Some(("2026-11-23T08:00:00Z".parse().unwrap(), &lisbon));
        let mut sizes = vec![50; 23];
        sizes.push(54);
        insta::assert_snapshot!(batches(&sizes, first, now), @"24 batches of 50, the last of 54 · first at 08:00 in Lisbon");
        insta::assert_snapshot!(batches(&[7], Some((now, &lisbon)), now), @"1 batch of 7 · first now");
        insta::assert_snapshot!(batches(&[90, 90, 52, 51], None, now), @"4 batches of 90, the last of 52 and 51");
        insta::assert_snapshot!(batches(&[50, 70], None, now), @"2 batches, of 50 and 70");
        insta::assert_snapshot!(batches(&[], None, now), @"no batch: nobody is to be called");
        assert_eq!(city("America/Argentina/Buenos_Aires"), "Buenos Aires");
    }

    #[test]
    fn the_first_request_hides_the_key() {
        let body = serde_json::json!({ "customer": { "number": "+14155550100" } });
        insta::assert_snapshot!(first_request("https://api.vapi.ai/", &body), @r#"
        POST https://api.vapi.ai/call
        authorization: Bearer ***
        {
          "customer": {
            "number": "+14155550100"
          }
        }
        "#);
    }
}
