//! `POST /analytics`: sums over calls, and the pool's use over time.
//!
//! The API says nothing of the unit of `duration`; here it is seconds.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::{render, request};
use crate::rehearsal::world::answer::Refusal;
use crate::rehearsal::world::call::FakeCall;
use crate::rehearsal::world::{FakeProvider, Filter};
use crate::time::Stamp;

/// Queries of one request at most, and operations of one query.
const MOST_QUERIES: usize = 50;
/// Steps of one series at most.
const MOST_STEPS: i64 = 20_000;
const SECOND: i64 = 1_000_000;

/// One thing that is counted: when, what it is grouped by, and its columns.
struct Row {
    at: Stamp,
    groups: Vec<Value>,
    columns: Vec<f64>,
}

/// Answers all queries of a body.
pub(super) fn answer(body: &[u8], world: &mut FakeProvider, now: Stamp, org: usize) -> Result<Value, Refusal> {
    let body = request::object(body)?;
    let Some(Value::Array(queries)) = body.get("queries").filter(|queries| is_short(queries)) else {
        return Err(Refusal::invalid(format!("queries must be an array of no more than {MOST_QUERIES}")));
    };
    queries.iter().map(|query| one(query, world, now, org)).collect()
}

fn is_short(list: &Value) -> bool {
    list.as_array().is_some_and(|list| list.len() <= MOST_QUERIES)
}

fn one(query: &Value, world: &mut FakeProvider, now: Stamp, org: usize) -> Result<Value, Refusal> {
    let name = query["name"].as_str().ok_or_else(|| Refusal::invalid("queries.0.name must be a string"))?;
    let range = Range::read(&query["timeRange"], now)?;
    let operations = operations(query)?;
    let groups = groups(query);
    let rows = match query["table"].as_str() {
        Some("call") => of_calls(&world.list(now, org, &range.filter()), &operations, &groups)?,
        Some("subscription") => of_the_pool(world.calls(), &range, now, &operations)?,
        _ => return Err(Refusal::invalid("queries.0.table must be one of the following values: call, subscription")),
    };
    let mut cells: BTreeMap<_, (Vec<Value>, Vec<Row>)> = BTreeMap::new();
    for row in rows {
        let key = (range.step_of(row.at), format!("{:?}", row.groups));
        let cell = cells.entry(key).or_insert_with(|| (row.groups.clone(), Vec::new()));
        cell.1.push(row);
    }
    let result: Vec<Value> = cells
        .into_iter()
        .map(|((step, _), (keys, rows))| {
            let mut line: Map<String, Value> = groups.iter().map(Group::key).zip(keys).collect();
            line.extend(step.map(|step| ("date".to_owned(), render::time(step))));
            for (nth, operation) in operations.iter().enumerate() {
                line.insert(operation.alias.clone(), json!(operation.over(&rows, nth)));
            }
            Value::Object(line)
        })
        .collect();
    Ok(json!({ "name": name, "timeRange": range.shown(), "result": result }))
}

/// `timeRange`.
struct Range {
    start: Stamp,
    end: Stamp,
    step: Option<(String, i64)>,
    zone: TimeZone,
    zone_name: String,
}

impl Range {
    fn read(range: &Value, now: Stamp) -> Result<Self, Refusal> {
        let instant = |key: &str, otherwise: Stamp| match range[key].as_str() {
            None => Ok(otherwise),
            Some(text) => text
                .parse::<Timestamp>()
                .map(Stamp::from)
                .map_err(|_| Refusal::invalid(format!("timeRange.{key} must be a valid ISO 8601 date string"))),
        };
        let week = 7 * 86_400 * SECOND;
        let start = instant("start", Stamp::from_micros(now.as_micros().saturating_sub(week)))?;
        let end = instant("end", now)?;
        let step = match range["step"].as_str() {
            None => None,
            Some(name) => Some((name.to_owned(), step_length(name)?)),
        };
        let span = end.as_micros().saturating_sub(start.as_micros());
        if step.as_ref().is_some_and(|(_, length)| span / length > MOST_STEPS) {
            return Err(Refusal::new(400, format!("timeRange: more than {MOST_STEPS} steps")));
        }
        let zone_name = range["timezone"].as_str().unwrap_or("UTC").to_owned();
        let zone = TimeZone::get(&zone_name).map_err(|_| Refusal::invalid("timeRange.timezone must be a time zone"))?;
        Ok(Self { start, end, step, zone, zone_name })
    }

    fn filter(&self) -> Filter {
        Filter { created: (self.start, self.end), limit: usize::MAX, ..Filter::default() }
    }

    /// The beginning of the step that a time lies in.
    fn step_of(&self, at: Stamp) -> Option<Stamp> {
        let (_, length) = self.step.as_ref()?;
        let offset = i64::from(self.zone.to_offset(at.timestamp()).seconds()) * SECOND;
        let local = at.as_micros().saturating_add(offset);
        Some(Stamp::from_micros(local.div_euclid(*length).saturating_mul(*length).saturating_sub(offset)))
    }

    fn shown(&self) -> Value {
        let (start, end) = (render::time(self.start), render::time(self.end));
        let mut shown = json!({ "start": start, "end": end, "timezone": self.zone_name });
        if let Some((name, _)) = &self.step {
            shown["step"] = json!(name);
        }
        shown
    }
}

fn step_length(name: &str) -> Result<i64, Refusal> {
    let seconds = match name {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        "week" => 7 * 86_400,
        _ => return Err(Refusal::new(400, "timeRange.step: this sandbox keeps second, minute, hour, day and week")),
    };
    Ok(seconds * SECOND)
}

/// One of `operations`.
struct Operation {
    name: String,
    column: String,
    alias: String,
}

impl Operation {
    #[expect(clippy::cast_precision_loss, reason = "a count of calls is far below 2^52")]
    fn over(&self, rows: &[Row], nth: usize) -> f64 {
        let values = rows.iter().map(|row| row.columns[nth]);
        let count = rows.len() as f64;
        let value = match self.name.as_str() {
            "count" => count,
            "avg" => values.sum::<f64>() / count,
            "min" => values.fold(f64::INFINITY, f64::min),
            "max" => values.fold(f64::NEG_INFINITY, f64::max),
            _ => values.sum(),
        };
        render::rounded(value)
    }
}

fn operations(query: &Value) -> Result<Vec<Operation>, Refusal> {
    let listed = query["operations"].as_array().filter(|_| is_short(&query["operations"]));
    let wrong = || Refusal::invalid(format!("operations must be an array of no more than {MOST_QUERIES}"));
    let listed = listed.ok_or_else(wrong)?;
    let text = |operation: &Value, key: &str| operation[key].as_str().map(str::to_owned);
    let read = |operation: &Value| {
        let (name, column) = (text(operation, "operation")?, text(operation, "column")?);
        let known = ["sum", "avg", "count", "min", "max"].contains(&name.as_str());
        let alias = text(operation, "alias").unwrap_or_else(|| format!("{name}{}", capitals(&column)));
        known.then_some(Operation { name, column, alias })
    };
    let unknown = || Refusal::new(400, "operations: this sandbox does sum, avg, count, min and max of a column");
    listed.iter().map(|operation| read(operation).ok_or_else(unknown)).collect()
}

/// `costBreakdown.llm` becomes `CostBreakdownLlm`.
fn capitals(column: &str) -> String {
    let capital = |part: &str| part[..1].to_uppercase() + &part[1..];
    column.split('.').filter(|part| part.is_ascii() && !part.is_empty()).map(capital).collect()
}

/// One of `groupBy` or `groupByVariableValue`.
enum Group {
    Field(String),
    Variable(String),
}

impl Group {
    fn key(&self) -> String {
        let (Self::Field(key) | Self::Variable(key)) = self;
        key.clone()
    }

    fn of(&self, call: &FakeCall) -> Value {
        match self {
            Self::Variable(key) => {
                let overrides = call.request.echo.get("assistantOverrides").unwrap_or(&Value::Null);
                overrides["variableValues"][key].clone()
            }
            Self::Field(field) => match field.as_str() {
                "type" => json!(call.kind.name()),
                "status" => json!(render::status(call.status)),
                "assistantId" => json!(call.request.target),
                "endedReason" => json!(call.reason),
                _ if call.settled && call.started.is_some() => json!(if call.spoke() { "true" } else { "false" }),
                _ => Value::Null,
            },
        }
    }
}

fn groups(query: &Value) -> Vec<Group> {
    let list = |key: &str| query[key].as_array().cloned().unwrap_or_default();
    let fields = list("groupBy").into_iter().filter_map(|field| Some(Group::Field(field.as_str()?.to_owned())));
    let variables = list("groupByVariableValue");
    let variables = variables.iter().filter_map(|value| Some(Group::Variable(value["key"].as_str()?.to_owned())));
    fields.chain(variables).collect()
}

fn of_calls(calls: &[&FakeCall], operations: &[Operation], groups: &[Group]) -> Result<Vec<Row>, Refusal> {
    let row = |call: &&FakeCall| {
        let columns = operations.iter().map(|operation| column(call, &operation.column)).collect::<Result<_, _>>()?;
        Ok(Row { at: call.created, groups: groups.iter().map(|group| group.of(call)).collect(), columns })
    };
    calls.iter().map(row).collect()
}

fn column(call: &FakeCall, name: &str) -> Result<f64, Refusal> {
    let part = |part: &str| render::SHARES.iter().find(|share| share.0 == part).map(|share| share.1);
    match name {
        "id" => Ok(1.0),
        "cost" => Ok(call.cost()),
        "duration" => Ok(call.minutes() * 60.0),
        _ => match name.strip_prefix("costBreakdown.").map(|name| part(name).unwrap_or(0.0)) {
            Some(share) => Ok(call.cost() * share),
            None => Err(Refusal::new(400, format!("operations: a call has no column {name}"))),
        },
    }
}

/// The pool's use: a row wherever it changed, and one at the beginning of every step in which it was in use.
fn of_the_pool(calls: &[FakeCall], range: &Range, now: Stamp, operations: &[Operation]) -> Result<Vec<Row>, Refusal> {
    let column = |operation: &Operation, up: f64, minutes: f64| match operation.column.as_str() {
        "concurrency" => Ok(up),
        "minutesUsed" => Ok(minutes),
        name => Err(Refusal::new(400, format!("operations: a subscription has no column {name}"))),
    };
    let mut changes: BTreeMap<Stamp, (i32, f64)> = BTreeMap::new();
    for call in calls {
        let Some(counted) = call.counted else { continue };
        changes.entry(counted).or_default().0 += 1;
        if let Some(released) = call.released {
            let change = changes.entry(released).or_default();
            *change = (change.0 - 1, change.1 + call.minutes());
        }
    }
    if let Some((_, length)) = &range.step {
        let last = range.end.min(now);
        let mut step = range.step_of(range.start).unwrap_or(range.start);
        while step <= last {
            changes.entry(step).or_default();
            step = Stamp::from_micros(step.as_micros().saturating_add(*length));
        }
    }
    let (mut up, mut rows) = (0, Vec::new());
    for (at, (change, minutes)) in changes {
        up += change;
        let used = up > 0 || change != 0;
        if used && range.start <= at && at <= range.end {
            let columns = operations.iter().map(|operation| column(operation, f64::from(up), minutes));
            rows.push(Row { at, groups: Vec::new(), columns: columns.collect::<Result<_, _>>()? });
        }
    }
    Ok(rows)
}
