//! The query of a listing.

use std::time::Duration;

use jiff::Timestamp;

use crate::rehearsal::world::Filter;
use crate::rehearsal::world::answer::Refusal;
use crate::time::Stamp;

/// Rows that one listing shows at most.
const MOST_ROWS: usize = 1000;
/// The shortest time there is.
const TICK: Duration = Duration::from_micros(1);

/// Reads the query of `GET /call`; what is wrong with it, in the words of the provider's validator.
pub(super) fn filter(query: &str) -> Result<Filter, Refusal> {
    let mut filter = Filter::default();
    let pairs = reqwest::Url::parse(&format!("http://sandbox/?{query}"))
        .map_err(|_| Refusal::invalid("the query cannot be read"))?;
    for (name, value) in pairs.query_pairs() {
        match name.as_ref() {
            "id" => filter.id = Some(value.into_owned()),
            "assistantId" => filter.target = Some(value.into_owned()),
            "phoneNumberId" => filter.line = Some(value.into_owned()),
            "limit" => filter.limit = limit(&value)?,
            _ => bound(&mut filter, &name, &value)?,
        }
    }
    Ok(filter)
}

fn limit(value: &str) -> Result<usize, Refusal> {
    let number: f64 = value
        .parse()
        .map_err(|_| Refusal::invalid("limit must be a number conforming to the specified constraints"))?;
    match value.parse() {
        Ok(rows @ 0..=MOST_ROWS) => Ok(rows),
        _ if number < 0.0 => Err(Refusal::invalid("limit must not be less than 0")),
        _ => Err(Refusal::invalid("limit must not be greater than 1000")),
    }
}

fn bound(filter: &mut Filter, name: &str, value: &str) -> Result<(), Refusal> {
    let unknown = || Refusal::invalid(format!("property {name} should not exist"));
    let (field, side) = name.split_at_checked(name.len().saturating_sub(2)).ok_or_else(unknown)?;
    let range = match field {
        "createdAt" => &mut filter.created,
        "updatedAt" => &mut filter.updated,
        _ => return Err(unknown()),
    };
    let read = |text: &str| text.parse::<Timestamp>().map(Stamp::from);
    let at = read(value).map_err(|_| Refusal::invalid(format!("{name} must be a valid ISO 8601 date string")));
    match side {
        "Ge" => range.0 = range.0.max(at?),
        "Gt" => range.0 = range.0.max(at? + TICK),
        "Le" => range.1 = range.1.min(at?),
        "Lt" => range.1 = range.1.min(at? - TICK),
        _ => return Err(unknown()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(text: &str) -> Stamp {
        Stamp::from(text.parse::<Timestamp>().unwrap())
    }

    #[test]
    fn bounds_come_encoded_and_in_four_kinds() {
        let query = "createdAtGt=2026-01-01T00%3A00%3A00Z&createdAtLe=2026-01-02T00:00:00.000Z&limit=7\
                     &updatedAtGe=2026-01-01T01%3A00%3A00%2B01%3A00&updatedAtLt=2026-01-03T00:00:00Z&assistantId=ada";
        let read = filter(query).unwrap();
        assert_eq!(read.created, (stamp("2026-01-01T00:00:00.000001Z"), stamp("2026-01-02T00:00:00Z")));
        assert_eq!(read.updated, (stamp("2026-01-01T00:00:00Z"), stamp("2026-01-02T23:59:59.999999Z")));
        assert_eq!((read.limit, read.target.as_deref()), (7, Some("ada")));
        assert_eq!(filter("").unwrap(), Filter::default());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let says = |query| filter(query).unwrap_err().message;
        assert_eq!(says("limit=1001"), "limit must not be greater than 1000");
        assert_eq!(says("limit=-1"), "limit must not be less than 0");
        assert!(says("limit=many").contains("must be a number"));
        assert_eq!(says("status=ended"), "property status should not exist");
        assert_eq!(says("createdAtXx=2026-01-01T00:00:00Z"), "property createdAtXx should not exist");
        assert_eq!(says("createdAtGe=noon"), "createdAtGe must be a valid ISO 8601 date string");
        assert_eq!(says("ä=1"), "property ä should not exist");
    }
}
