//! `POST /analytics`: the pool's peaks, and sums over calls, step by step. Reads only; it never tells the limit.
//!
//! The series are sparse and the default names of columns are not promised, so every column is given a name here. The
//! API does not say in which unit `duration` is.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::client::Client;
use super::preflight::PreflightFailure;
use crate::text::clean;

/// Longest value of a field that is grouped by.
const LONGEST_GROUP: usize = 200;

/// The length of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Step {
    /// An hour.
    Hour,
    /// A day of the zone: 23 to 25 hours.
    Day,
    /// A week, from Monday.
    Week,
}

impl Step {
    /// Its name in the API and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

/// What is asked of one table over a stretch of time.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// The name that its answer comes under; 40 characters at most.
    pub name: &'a str,
    /// `subscription` or `call`.
    pub table: &'a str,
    /// The operation, the column and the name of the result.
    pub columns: &'a [(&'a str, &'a str, &'a str)],
    /// Grouped by these fields, if by any.
    pub groups: &'a [&'a str],
    /// From here on.
    pub from: Timestamp,
    /// Up to here.
    pub to: Timestamp,
    /// By this step.
    pub step: Step,
    /// Whose days they are.
    pub zone: &'a TimeZone,
}

/// One row of an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The step that it is of.
    pub at: Timestamp,
    /// The values of the fields that were grouped by, in that order; an absent one is empty.
    pub groups: Vec<String>,
    /// The columns, in the order in which they were asked for; an absent one is 0.
    pub values: Vec<f64>,
}

/// Why there is no answer to go by.
#[derive(Debug, thiserror::Error)]
pub enum AnalyticsError {
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] PreflightFailure),
    /// What came makes no sense.
    #[error("POST /analytics: {0}")]
    Nonsense(String),
}

impl Client {
    /// Asks all of these at once; the rows of each, in its order.
    pub async fn analytics(&self, queries: &[Query<'_>]) -> Result<Vec<Vec<Row>>, AnalyticsError> {
        let body = json!({ "queries": queries.iter().map(Query::json).collect::<Vec<_>>() });
        let answer = self.ask(&["analytics"], &body).await?;
        queries.iter().map(|query| query.rows(&answer)).collect()
    }
}

impl Query<'_> {
    fn json(&self) -> Value {
        let operations = self
            .columns
            .iter()
            .map(|(operation, column, alias)| json!({ "operation": operation, "column": column, "alias": alias }));
        let mut query = json!({
            "name": self.name,
            "table": self.table,
            "operations": operations.collect::<Vec<_>>(),
            "timeRange": {
                "start": self.from.to_string(),
                "end": self.to.to_string(),
                "step": self.step.name(),
                "timezone": self.zone.iana_name().unwrap_or("UTC"),
            },
        });
        if !self.groups.is_empty() {
            query["groupBy"] = json!(self.groups);
        }
        query
    }

    fn rows(&self, answer: &Value) -> Result<Vec<Row>, AnalyticsError> {
        let results =
            answer.as_array().ok_or_else(|| nonsense("an array of results was expected, and came", answer))?;
        let result = results.iter().find(|result| result["name"] == self.name);
        let Some(result) = result else {
            return Err(nonsense(&format!("no result is named {}, and this came", self.name), answer));
        };
        let rows = result["result"].as_array();
        let rows = rows.ok_or_else(|| nonsense(&format!("the result of {} is no array:", self.name), result))?;
        let is_asked_for = |row: &Value| self.columns.iter().any(|(_, _, alias)| row.get(alias).is_some());
        if let Some(row) = rows.first().filter(|_| !rows.iter().any(is_asked_for)) {
            return Err(nonsense(&format!("the result of {} has rows without what was asked for:", self.name), row));
        }
        rows.iter().map(|row| self.row(row)).collect()
    }

    fn row(&self, row: &Value) -> Result<Row, AnalyticsError> {
        let at = instant(&row["date"], self.zone).ok_or_else(|| nonsense("a row whose date cannot be read:", row))?;
        let number = |&(_, _, alias): &(&str, &str, &str)| {
            number(&row[alias]).ok_or_else(|| nonsense(&format!("a row whose {alias} is no number from 0:"), row))
        };
        let values = self.columns.iter().map(number).collect::<Result<_, _>>()?;
        let groups = self.groups.iter().map(|group| clean(row[group].as_str().unwrap_or_default(), LONGEST_GROUP));
        Ok(Row { at, groups: groups.collect(), values })
    }
}

/// A date as it comes: an instant, a day of the zone, or a time without an offset, which is the zone's.
fn instant(date: &Value, zone: &TimeZone) -> Option<Timestamp> {
    let text = date.as_str()?;
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let local = text.replace(' ', "T").parse::<DateTime>();
    let local = local.or_else(|_| text.parse::<Date>().map(|day| day.at(0, 0, 0, 0))).ok()?;
    local.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

/// A number, or a text that is one, from 0; absent and null are 0.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Null => 0.0,
        Value::String(text) => text.trim().parse().ok()?,
        value => value.as_f64()?,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}

fn nonsense(what: &str, came: &Value) -> AnalyticsError {
    const SHOWN: usize = 160;
    let text = came.to_string();
    let short: String = text.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    let rest = if text.chars().nth(SHOWN).is_some() { ".." } else { "" };
    AnalyticsError::Nonsense(format!("{what} {short}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(zone: &TimeZone) -> Query<'_> {
        Query {
            name: "peaks",
            table: "subscription",
            columns: &[("max", "concurrency", "peak")],
            groups: &[],
            from: "2026-11-01T00:00:00Z".parse().unwrap(),
            to: "2026-11-03T00:00:00Z".parse().unwrap(),
            step: Step::Day,
            zone,
        }
    }

    #[test]
    fn dates_come_in_several_shapes() {
        let lisbon = TimeZone::get("America/New_York").unwrap();
        let answer = json!([{ "name": "peaks", "result": [
            { "date": "2026-11-01T04:00:00.000Z", "peak": 3 },
            { "date": "2026-11-01", "peak": "4" },
            { "date": "2026-11-02T00:00:00", "peak": null },
        ] }]);
        let rows = query(&lisbon).rows(&answer).unwrap();
        let seen: Vec<_> = rows.iter().map(|row| (row.at.to_string(), row.values[0])).collect();
        let day = |text: &str, peak: f64| (text.to_owned(), peak);
        let wanted =
            [day("2026-11-01T04:00:00Z", 3.0), day("2026-11-01T04:00:00Z", 4.0), day("2026-11-02T05:00:00Z", 0.0)];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_told_with_what_came() {
        for (answer, told) in [
            (json!({ "results": [] }), "an array of results was expected, and came {\"results\":[]}"),
            (json!([]), "no result is named peaks, and this came []"),
            (json!([{ "name": "peaks", "result": 7 }]), "the result of peaks is no array:"),
            (
                json!([{ "name": "peaks", "result": [{ "date": "2026-11-01", "maxConcurrency": 5 }] }]),
                "the result of peaks has rows without what was asked for: {\"date\":\"2026-11-01\",\"maxConcurrency\":5}",
            ),
            (
                json!([{ "name": "peaks", "result": [{ "date": "soon", "peak": 1 }] }]),
                "a row whose date cannot be read:",
            ),
            (
                json!([{ "name": "peaks", "result": [{ "date": "2026-11-01", "peak": -1 }] }]),
                "a row whose peak is no number from 0:",
            ),
        ] {
            let error = query(&TimeZone::UTC).rows(&answer).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
