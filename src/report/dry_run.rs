//! What a dry run says of the campaign that it does not run: its batches, its first request, how long it would take.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::style::{count, dollars, moment, span, thousands};

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

/// How long the campaign would take, by rehearsal.
#[derive(Clone, PartialEq, Debug)]
pub struct Forecast {
    /// Slots of the pool.
    pub slots: u32,
    /// Slots kept.
    pub kept: u32,
    /// How long a call lasts on the average.
    pub call: Duration,
    /// The share of calls that is answered.
    pub answered: f64,
    /// How long it took in the middle rehearsal, the quickest and the slowest.
    pub took: [Duration; 3],
    /// What it would cost.
    pub cost_usd: Option<f64>,
    /// Options that end this run before the list is through.
    pub stops: Vec<String>,
    /// Leads rehearsed, where the list was too long for all.
    pub sample: Option<u64>,
}

/// The line of a forecast.
pub fn forecast(forecast: &Forecast) -> String {
    let [middle, quick, slow] = forecast.took.map(rough);
    let mut line = format!(
        "with {}, {} reserved, calls of {} answered {:.0}% of the time: done in {middle}",
        count(forecast.slots.into(), "slot", "slots"),
        forecast.kept,
        talk(forecast.call),
        forecast.answered.clamp(0.0, 1.0) * 100.0,
    );
    if quick != slow {
        let _ = write!(line, " ({quick} to {slow})");
    }
    line.extend(forecast.cost_usd.map(|cost| format!(", about {}", about(cost))));
    if !forecast.stops.is_empty() {
        let _ = write!(line, "\n  this is for all of it: {} ends this run sooner", forecast.stops.join(" or "));
    }
    line.extend(
        forecast.sample.map(|leads| format!("\n  rehearsed with {}, and scaled", count(leads, "lead", "leads"))),
    );
    line
}

/// Talks are told in seconds up to five minutes: people compare them.
fn talk(call: Duration) -> String {
    if call < Duration::from_mins(5) { format!("{} s", call.as_secs()) } else { span(call) }
}

/// A forecast to the second would be a lie.
fn rough(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    let step = match minutes {
        0..=20 => 1,
        21..=600 => 5,
        _ => 30,
    };
    span(Duration::from_secs(minutes.div_ceil(step) * step * 60))
}

fn about(cost: f64) -> String {
    if cost < 10.0 { dollars(cost) } else { dollars(cost.round()).trim_end_matches(".00").to_owned() }
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

    #[test]
    fn a_forecast_is_as_rough_as_it_is() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60 - 13);
        let told = Forecast {
            slots: 10,
            kept: 3,
            call: Duration::from_secs(95),
            answered: 0.38,
            took: [minutes(183), minutes(169), minutes(207)],
            cost_usd: Some(58.37),
            stops: Vec::new(),
            sample: Some(20_000),
        };
        insta::assert_snapshot!(forecast(&told), @r"
        with 10 slots, 3 reserved, calls of 95 s answered 38% of the time: done in 3 h 5 min (2 h 50 min to 3 h 30 min), about $58
          rehearsed with 20,000 leads, and scaled
        ");
        let stops = vec!["--limit 100".to_owned(), "--until".to_owned()];
        let stopped = Forecast { stops, sample: None, ..told.clone() };
        assert!(
            forecast(&stopped)
                .ends_with("about $58\n  this is for all of it: --limit 100 or --until ends this run sooner")
        );
        let short = Forecast { took: [minutes(2); 3], cost_usd: None, sample: None, ..told };
        insta::assert_snapshot!(forecast(&short), @"with 10 slots, 3 reserved, calls of 95 s answered 38% of the time: done in 2 min");
    }
}
