//! The body of `POST /call`: what it asks for, or what the provider has against it.

use serde_json::{Map, Value};

use crate::leads::lead::Phone;
use crate::rehearsal::world::answer::{NOT_E164, Refusal};
use crate::rehearsal::world::call::NewCall;

/// Customers of one batch at most: a bound, the real one is not documented.
const MOST_CUSTOMERS: usize = 1000;
const LONGEST_NAME: usize = 40;
const LONGEST_EXTENSION: usize = 10;

/// Parts of a request that its call gives back as they came.
const ECHOED: [&str; 17] = [
    "assistant",
    "assistantId",
    "assistantOverrides",
    "assistantVersion",
    "customer",
    "customerId",
    "metadata",
    "phoneNumber",
    "phoneNumberId",
    "squad",
    "squadId",
    "squadOverrides",
    "squadVersion",
    "transport",
    "workflow",
    "workflowId",
    "workflowOverrides",
];

/// What one request asks for.
pub(super) enum Asked {
    /// One call.
    One(Box<NewCall>),
    /// One for each customer, with the customer as it came; or what is wrong with that one.
    Batch(Vec<(Value, Result<NewCall, Refusal>)>),
}

/// Reads the body of `POST /call`. Unknown properties are let through, as it is not documented that they are not.
pub(super) fn asked(body: &[u8]) -> Result<Asked, Refusal> {
    let body = object(body)?;
    text(&body, "name", "name", LONGEST_NAME)?;
    exactly_one(
        &body,
        &["assistantId", "assistant", "squadId", "squad", "workflowId", "workflow"],
        "Couldn't Get Assistant. Need Either `assistantId`, `assistant`, `squadId`, `squad`, `workflowId` Or `workflow`.",
    )?;
    let line = "Couldn't Get Phone Number. Need Either `phoneNumberId` Or `phoneNumber`.";
    exactly_one(&body, &["phoneNumberId", "phoneNumber"], line)?;
    let whom = "Couldn't Get Customer. Need Either `customer`, `customers` Or `customerId`.";
    exactly_one(&body, &["customer", "customers", "customerId"], whom)?;
    for (property, kept) in [("schedulePlan", "calls for later"), ("customerId", "customers")] {
        if body.get(property).is_some_and(|value| !value.is_null()) {
            return Err(Refusal::new(400, format!("{property}: this sandbox keeps no {kept}")));
        }
    }
    match body.get("customers") {
        Some(Value::Array(customers)) if customers.len() > MOST_CUSTOMERS => {
            Err(Refusal::invalid(format!("customers must contain no more than {MOST_CUSTOMERS} elements")))
        }
        Some(Value::Array(customers)) => {
            Ok(Asked::Batch(customers.iter().map(|one| (one.clone(), call(&body, one))).collect()))
        }
        Some(Value::Null) | None => {
            Ok(Asked::One(Box::new(call(&body, body.get("customer").unwrap_or(&Value::Null))?)))
        }
        Some(_) => Err(Refusal::invalid("customers must be an array")),
    }
}

/// Reads the body of `PATCH /call/:id`: the name, and nothing else.
pub(super) fn renamed(body: &[u8]) -> Result<Option<String>, Refusal> {
    let body = object(body)?;
    if let Some(other) = body.keys().find(|key| *key != "name") {
        return Err(Refusal::invalid(format!("property {other} should not exist")));
    }
    text(&body, "name", "name", LONGEST_NAME)
}

/// A body that is one JSON object.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Refusal::new(400, "the body must be an object")),
        Err(error) => Err(Refusal::new(400, format!("the body is not JSON: {error}"))),
    }
}

fn call(body: &Map<String, Value>, customer: &Value) -> Result<NewCall, Refusal> {
    let customer = customer.as_object().ok_or_else(|| Refusal::invalid("customer must be an object"))?;
    let number = number(customer)?;
    text(customer, "name", "customer.name", LONGEST_NAME)?;
    text(customer, "email", "customer.email", LONGEST_NAME)?;
    text(customer, "extension", "customer.extension", LONGEST_EXTENSION)?;
    let external_id = text(customer, "externalId", "customer.externalId", LONGEST_NAME)?;
    let string = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut echo: Map<String, Value> = body
        .iter()
        .filter(|(key, _)| ECHOED.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    echo.insert("customer".into(), Value::Object(customer.clone()));
    if let Some(overrides) = customer.get("assistantOverrides") {
        echo.insert("assistantOverrides".into(), overrides.clone());
    }
    let target = string("assistantId").or_else(|| string("squadId")).or_else(|| string("workflowId"));
    let (name, line) = (string("name").map(Into::into), string("phoneNumberId"));
    Ok(NewCall { number, name, external_id: external_id.map(Into::into), target, line, echo })
}

fn number(customer: &Map<String, Value>) -> Result<String, Refusal> {
    if let Some(uri) = text(customer, "sipUri", "customer.sipUri", 256)? {
        return Ok(uri);
    }
    let number = text(customer, "number", "customer.number", LONGEST_NAME)?.unwrap_or_default();
    let lax = customer.get("numberE164CheckEnabled") == Some(&Value::Bool(false));
    let plain = |text: &str| text.len() >= 3 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let right = Phone::from_e164(&number).is_some() || (lax && plain(number.strip_prefix('+').unwrap_or(&number)));
    if right { Ok(number) } else { Err(Refusal::invalid(NOT_E164)) }
}

fn text(of: &Map<String, Value>, key: &str, path: &str, longest: usize) -> Result<Option<String>, Refusal> {
    match of.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= longest => Ok(Some(text.clone())),
        Some(Value::String(_)) => {
            Err(Refusal::invalid(format!("{path} must be shorter than or equal to {longest} characters")))
        }
        Some(_) => Err(Refusal::invalid(format!("{path} must be a string"))),
    }
}

fn exactly_one(body: &Map<String, Value>, of: &[&str], otherwise: &str) -> Result<(), Refusal> {
    let given = of.iter().filter(|key| body.get(**key).is_some_and(|value| !value.is_null())).count();
    if given == 1 { Ok(()) } else { Err(Refusal::new(400, otherwise)) }
}
