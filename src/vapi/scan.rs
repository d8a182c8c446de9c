//! Reads JSON whose shape nobody promises: a value of the wrong type counts as absent, and what nobody needs is
//! skipped where it stands.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::text::clean;
use crate::time::Stamp;

/// A value as it stands in the body, not yet looked at.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// Beyond this no count of slots, and no price of a call, is believed.
const MOST: f64 = 1_000_000.0;
/// Longest date that is read.
const LONGEST_DATE: usize = 64;

/// A string.
pub(super) fn text(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    let json = raw?.get();
    match serde_json::from_str::<&str>(json) {
        Ok(plain) => Some(Cow::Borrowed(plain)),
        Err(_) => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
    }
}

/// A string of at most `most` bytes, fit to be kept and shown; none where nothing is left of it.
pub(super) fn short_text(raw: Raw<'_>, most: usize) -> Option<String> {
    let short = text(raw).filter(|text| text.len() <= most)?;
    Some(clean(&short, most)).filter(|text| !text.is_empty())
}

/// An instant in ISO 8601; one without an offset is in UTC.
pub(super) fn stamp(raw: Raw<'_>) -> Option<Stamp> {
    let text = text(raw).filter(|text| text.len() <= LONGEST_DATE)?;
    let read = text.parse::<jiff::Timestamp>().or_else(|_| format!("{text}Z").parse());
    read.ok().map(Stamp::from)
}

/// Whether it is an instant that says no offset.
pub(super) fn lacks_offset(raw: Raw<'_>) -> bool {
    stamp(raw).is_some() && text(raw).is_some_and(|text| text.parse::<jiff::Timestamp>().is_err())
}

/// Any value.
pub(super) fn value(raw: Raw<'_>) -> Option<Value> {
    serde_json::from_str(raw?.get()).ok()
}

/// A number, or a string that is one, that is not absurd.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (number.abs() <= MOST).then_some(number)
}

/// A number without what stands behind its point.
#[expect(clippy::cast_possible_truncation, reason = "a number is at most a million either way")]
pub(super) fn whole(value: &Value) -> Option<i64> {
    number(value).map(|number| number.floor() as i64)
}

/// Whether it is `true`, or a string that says so.
pub(super) fn flag(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true")))
}

/// An object with the fields of `T`.
pub(super) fn object<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Option<T> {
    let json = raw?.get();
    if json.starts_with('{') { serde_json::from_str(json).ok() } else { None }
}

/// The elements of an array; none where it is not one.
pub(super) fn array(raw: Raw<'_>) -> Vec<&RawValue> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// Whether it is a string in which something stands, whatever that is.
pub(super) fn says_something(raw: Raw<'_>) -> bool {
    raw.map(RawValue::get).is_some_and(|json| {
        let inside = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
        inside.split("\\n").any(|line| !line.trim().is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn numbers_are_never_trusted() {
        for (json, expected) in [
            ("7", Some(7)),
            ("-1", Some(-1)),
            ("7.9", Some(7)),
            ("-0.5", Some(-1)),
            ("\"10\"", Some(10)),
            ("\" 10.0 \"", Some(10)),
            ("1e300", None),
            ("-99999999999999999999", None),
            ("\"NaN\"", None),
            ("\"inf\"", None),
            ("\"\"", None),
            ("null", None),
            ("true", None),
            ("[1]", None),
            ("{}", None),
        ] {
            assert_eq!(whole(&serde_json::from_str(json).unwrap()), expected, "{json}");
        }
    }

    #[test]
    fn dates_come_with_and_without_milliseconds() {
        let expected = Stamp::from_micros(1_774_539_796_000_000);
        for json in ["\"2026-03-26T15:43:16.000Z\"", "\"2026-03-26T15:43:16Z\"", "\"2026-03-26T16:43:16+01:00\""] {
            assert_eq!(stamp(Some(&raw(json))), Some(expected), "{json}");
        }
        for json in ["\"2026-03-26T15:43:16.000\"", "\"2026-03-26T15:43:16\"", "\"2026-03-26 15:43:16\""] {
            assert_eq!(stamp(Some(&raw(json))), Some(expected), "{json}");
            assert!(lacks_offset(Some(&raw(json))), "{json}");
        }
        assert!(!lacks_offset(Some(&raw("\"2026-03-26T16:43:16+01:00\""))) && !lacks_offset(Some(&raw("\"soon\""))));
        for json in [
            "\"yesterday\"",
            "\"\"",
            "1774539796",
            "null",
            "{}",
            "\"2026-03-26\"",
            "\"2026-03-26T15:43:16+99:00\"",
            "\"2026-03-26T15:43:16[America/New_York]\"",
        ] {
            assert_eq!(stamp(Some(&raw(json))), None, "{json}");
        }
    }

    #[test]
    fn a_broken_surrogate_spoils_one_field_only() {
        let lone = raw(r#""cut \ud83d""#);
        assert_eq!(text(Some(&lone)), None);
        assert!(says_something(Some(&lone)));
        for json in ["\"\"", "\" \\n \"", "null", "7", "[]"] {
            assert!(!says_something(Some(&raw(json))), "{json}");
        }
    }
}
