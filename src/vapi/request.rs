//! What is asked of the provider: the body of `POST /call` for one lead, and the query of a listing.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::campaign::event::Query;
use crate::leads::lead::Lead;
use crate::time::Stamp;

/// The template variable that carries our attempt id, so that prompts and `POST /analytics` can tell attempts apart.
pub const ATTEMPT_VARIABLE: &str = "dialer_attempt_id";

/// Longest `customer.name`, in characters; longer ones are refused by the provider, so they are cut.
const LONGEST_NAME: usize = 40;

/// Who talks to the lead: one saved assistant, squad or workflow.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// `assistantId`.
    Assistant(String),
    /// `squadId`: several assistants that hand over to one another.
    Squad(String),
    /// `workflowId`.
    Workflow(String),
}

impl Target {
    /// The id of the assistant, squad or workflow.
    pub fn id(&self) -> &str {
        match self {
            Self::Assistant(id) | Self::Squad(id) | Self::Workflow(id) => id,
        }
    }

    /// What it is, as people call it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Assistant(_) => "assistant",
            Self::Squad(_) => "squad",
            Self::Workflow(_) => "workflow",
        }
    }

    /// Its field in a request, and the field that holds what is said to it alone (`CreateCallDTO`).
    const fn fields(&self) -> (&'static str, &'static str) {
        match self {
            Self::Assistant(_) => ("assistantId", "assistantOverrides"),
            Self::Squad(_) => ("squadId", "squadOverrides"),
            Self::Workflow(_) => ("workflowId", "workflowOverrides"),
        }
    }
}

/// Where a call's server messages are to be sent (`assistantOverrides.server`).
#[derive(Clone, Debug)]
pub struct MessageServer {
    /// The address.
    pub url: String,
    /// What is sent along in `X-Vapi-Secret`.
    pub secret: Option<SecretString>,
    /// Also calls whose lead names an assistant of its own, of which nobody knows whether it has a server.
    pub for_all: bool,
}

impl MessageServer {
    fn json(&self, shown: bool) -> Value {
        let mut server = json!({ "url": self.url });
        if let Some(secret) = &self.secret {
            let secret = if shown { secret.expose_secret() } else { "***" };
            server["headers"] = json!({ "X-Vapi-Secret": secret });
        }
        server
    }
}

/// The body of `POST /call` that calls one lead, with the server that its messages are sent to, where one is named.
pub fn call_body(target: &Target, line: &str, attempt: &str, lead: &Lead, server: Option<&MessageServer>) -> Value {
    with_server(request_body(target, line, attempt, lead), lead, server, true)
}

/// The same to be looked at: the secret is `***`.
pub fn shown_body(target: &Target, line: &str, attempt: &str, lead: &Lead, server: Option<&MessageServer>) -> Value {
    with_server(request_body(target, line, attempt, lead), lead, server, false)
}

fn with_server(mut body: Value, lead: &Lead, server: Option<&MessageServer>, shown: bool) -> Value {
    let Some(server) = server.filter(|server| server.for_all || lead.assistant_id.is_none()) else { return body };
    let overrides = ["assistantOverrides", "squadOverrides"].into_iter().find(|field| !body[*field].is_null());
    if let Some(field) = overrides {
        body[field]["server"] = server.json(shown);
        body[field]["serverMessages"] = json!(["status-update", "end-of-call-report"]);
    }
    body
}

/// The body of `POST /call` that calls one lead.
///
/// The attempt id goes in three places, so that the call is found again whatever the provider keeps of it. A lead may
/// name its own assistant and its own line.
pub fn request_body(target: &Target, line: &str, attempt: &str, lead: &Lead) -> Value {
    let own = lead.assistant_id.clone().map(Target::Assistant);
    let target = own.as_ref().unwrap_or(target);
    let (id_field, overrides_field) = target.fields();

    let mut variables: Map<String, Value> =
        lead.variables.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    variables.insert(ATTEMPT_VARIABLE.to_owned(), attempt.into());

    json!({
        id_field: target.id(),
        "phoneNumberId": lead.phone_number_id.as_deref().unwrap_or(line),
        "name": attempt,
        "customer": customer(attempt, lead),
        overrides_field: { "variableValues": variables },
    })
}

fn customer(attempt: &str, lead: &Lead) -> Value {
    let mut customer = Map::new();
    customer.insert("number".to_owned(), lead.phone.to_string().into());
    customer.insert("externalId".to_owned(), attempt.into());
    if let Some(extension) = lead.extension.as_deref().filter(|text| !text.is_empty()) {
        customer.insert("extension".to_owned(), extension.into());
    }
    let name: String = lead.name.as_deref().unwrap_or_default().trim().chars().take(LONGEST_NAME).collect();
    if !name.is_empty() {
        customer.insert("name".to_owned(), name.into());
    }
    Value::Object(customer)
}

/// The query string of a listing, as names and values; none for one call by its id.
///
/// The API counts in milliseconds: a window is widened to whole ones, so that nothing falls between two windows.
pub(super) fn listing_query(query: &Query) -> Vec<(&'static str, String)> {
    let (from_name, to_name, from, to, limit) = match query {
        Query::Updated { from, to, limit } => ("updatedAtGe", "updatedAtLe", from, to, limit),
        Query::Created { from, to, limit } => ("createdAtGe", "createdAtLe", from, to, limit),
        Query::One(_) => return Vec::new(),
    };
    let mut pairs = vec![(from_name, milliseconds(*from))];
    if let Some(to) = to {
        pairs.push((to_name, milliseconds(Stamp::from_micros(to.as_micros().saturating_add(999)))));
    }
    pairs.push(("limit", limit.to_string()));
    pairs
}

/// ISO 8601 with milliseconds and `Z`, cut down to the millisecond, and never before 1970.
fn milliseconds(stamp: Stamp) -> String {
    stamp.max(Stamp::from_micros(0)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_a_call_are_sent_where_that_was_said_and_the_secret_is_not_shown() {
        let server = MessageServer {
            url: "https://dialer.example.com/".to_owned(),
            secret: Some("hush-hush".to_owned().into()),
            for_all: false,
        };
        let target = Target::Assistant("a1".to_owned());
        let body = call_body(&target, "p1", ATTEMPT, &lead(), Some(&server));
        assert_eq!(body["assistantOverrides"]["server"]["headers"]["X-Vapi-Secret"], "hush-hush");
        assert_eq!(body["assistantOverrides"]["server"]["url"], server.url);
        assert!(body["assistantOverrides"]["variableValues"].is_object());
        let shown = shown_body(&target, "p1", ATTEMPT, &lead(), Some(&server)).to_string();
        assert!(shown.contains("***") && !shown.contains("hush-hush"), "{shown}");
        let squad = call_body(&Target::Squad("s1".to_owned()), "p1", ATTEMPT, &lead(), Some(&server));
        assert_eq!(squad["squadOverrides"]["server"]["url"], server.url);
        let own = Lead { assistant_id: Some("a2".to_owned()), ..lead() };
        let body = call_body(&target, "p1", ATTEMPT, &own, Some(&server));
        assert!(body["assistantOverrides"]["server"].is_null(), "it may have a server of its own");
    }
    use crate::leads::lead::Phone;

    const ATTEMPT: &str = "dabcdefgh-abcdefghijklmnopqrstuv";

    fn lead() -> Lead {
        Lead {
            phone: Phone::from_e164("+14155551234").unwrap(),
            extension: None,
            name: Some("Ada".to_owned()),
            variables: vec![("name".to_owned(), "Ada".to_owned()), ("issue".to_owned(), "password".to_owned())],
            zones: vec!["America/Los_Angeles".to_owned()],
            assistant_id: None,
            phone_number_id: None,
        }
    }

    #[test]
    fn the_attempt_travels_in_three_places() {
        let body = request_body(&Target::Assistant("a1".to_owned()), "p1", ATTEMPT, &lead());
        let expected = json!({
            "assistantId": "a1",
            "phoneNumberId": "p1",
            "name": ATTEMPT,
            "customer": { "number": "+14155551234", "name": "Ada", "externalId": ATTEMPT },
            "assistantOverrides": {
                "variableValues": { "name": "Ada", "issue": "password", "dialer_attempt_id": ATTEMPT }
            },
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn each_target_has_its_own_overrides() {
        for (target, id, overrides) in [
            (Target::Assistant("x".to_owned()), "assistantId", "assistantOverrides"),
            (Target::Squad("x".to_owned()), "squadId", "squadOverrides"),
            (Target::Workflow("x".to_owned()), "workflowId", "workflowOverrides"),
        ] {
            let body = request_body(&target, "p1", ATTEMPT, &lead());
            assert_eq!(body[id], "x");
            assert_eq!(body[overrides]["variableValues"]["issue"], "password");
            let targets = ["assistantId", "squadId", "workflowId"];
            assert_eq!(targets.iter().filter(|field| body.get(**field).is_some()).count(), 1, "{body}");
        }
    }

    #[test]
    fn a_lead_may_bring_its_own_assistant_and_line() {
        let own = Lead {
            assistant_id: Some("mine".to_owned()),
            phone_number_id: Some("line".to_owned()),
            extension: Some("42".to_owned()),
            name: Some("é".repeat(60)),
            ..lead()
        };
        let body = request_body(&Target::Squad("s".to_owned()), "p1", ATTEMPT, &own);
        assert_eq!((&body["assistantId"], &body["phoneNumberId"]), (&json!("mine"), &json!("line")));
        assert_eq!(body.get("squadId").or(body.get("squadOverrides")), None);
        assert_eq!(body["assistantOverrides"]["variableValues"]["dialer_attempt_id"], ATTEMPT);
        assert_eq!(body["customer"]["extension"], "42");
        assert_eq!(body["customer"]["name"].as_str().unwrap().chars().count(), 40);
    }

    #[test]
    fn a_column_cannot_take_the_place_of_the_attempt_id() {
        let cuckoo = Lead { variables: vec![(ATTEMPT_VARIABLE.to_owned(), "other".to_owned())], name: None, ..lead() };
        let body = request_body(&Target::Assistant("a".to_owned()), "p", ATTEMPT, &cuckoo);
        assert_eq!(body["assistantOverrides"]["variableValues"], json!({ "dialer_attempt_id": ATTEMPT }));
        assert_eq!(body["customer"].get("name"), None);
    }

    #[test]
    fn windows_are_widened_to_whole_milliseconds() {
        let (from, to) = (Stamp::from_micros(1_774_539_796_145_999), Stamp::from_micros(1_774_539_796_145_001));
        let pairs = listing_query(&Query::Created { from, to: Some(to), limit: 100 });
        assert_eq!(pairs[0], ("createdAtGe", "2026-03-26T15:43:16.145Z".to_owned()));
        assert_eq!(pairs[1], ("createdAtLe", "2026-03-26T15:43:16.146Z".to_owned()));
        assert_eq!(pairs[2], ("limit", "100".to_owned()));

        let long_ago = Query::Updated { from: Stamp::from_micros(i64::MIN), to: None, limit: 1000 };
        let expected = vec![("updatedAtGe", "1970-01-01T00:00:00.000Z".to_owned()), ("limit", "1000".to_owned())];
        assert_eq!(listing_query(&long_ago), expected);
    }
}
