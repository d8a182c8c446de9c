//! What is read once before the first dial: who is to talk, and the lines to call from.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::error_body::ErrorBody;
use super::failure;
use super::request::ATTEMPT_VARIABLE;
use super::transport::{Reply, TransportError};
use crate::pool::news::RequestTiming;
use crate::text::clean;

/// `maxDurationSeconds` of an assistant that says none, and the least and the most that it can be
/// (`AssistantOverrides` in the API's description).
const USUAL_TALK: Duration = Duration::from_mins(10);
const SHORTEST_TALK: Duration = Duration::from_secs(10);
const LONGEST_TALK: Duration = Duration::from_hours(12);
/// The longest that a phone may be let ring (`transportConfigurations`).
const LONGEST_RING: Duration = Duration::from_mins(10);

/// Longest name of anything that is shown.
const LONGEST_NAME: usize = 200;
/// Most template variables that are looked for.
const MOST_VARIABLES: usize = 200;
/// Longest name of one.
const LONGEST_VARIABLE: usize = 100;
/// What the provider fills in by itself.
const GIVEN: &[&str] =
    &["now", "date", "time", "month", "day", "year", "customer", "phoneNumber", "call", "transport", "assistant"];
/// Parts of an assistant that do not speak to the lead: what stands there is filled from elsewhere.
const SILENT: &[&str] = &[
    "tools",
    "tools:append",
    "server",
    "headers",
    "hooks",
    "analysisPlan",
    "artifactPlan",
    "metadata",
    "credentials",
    "knowledgeBase",
];

/// The assistant, squad or workflow as the provider shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetInfo {
    /// When it was read, and what time the provider said it was.
    pub wire: RequestTiming,
    /// The organisation that it belongs to: the account.
    pub org: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Template variables that its messages use and nothing fills by itself, sorted.
    pub variables: Vec<String>,
    /// How long one of its calls can last, ringing included, where that is known.
    pub longest_call: Option<Duration>,
    /// Whether its messages go to a server of its own; so it is taken to be where that cannot be told.
    pub has_server: bool,
}

/// A line as the provider shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineInfo {
    /// When it was read, and what time the provider said it was.
    pub wire: RequestTiming,
    /// The organisation that it belongs to: the account.
    pub org: Option<String>,
    /// `provider`; `vapi` for the free numbers, which have a daily limit and call no other countries.
    pub provider: Option<String>,
    /// `status`.
    pub status: LineStatus,
    /// `number`, as people know it.
    pub number: Option<String>,
    /// Whether messages of its calls go to a server that it names.
    pub has_server: bool,
}

/// `status` of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineStatus {
    /// `active`.
    Active,
    /// `activating`: for a few minutes after it was bought.
    Activating,
    /// `blocked`.
    Blocked,
    /// None, or another.
    Unknown,
}

/// Why something could not be read before the first dial.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("cannot read {what}{}{id}: {message}", if id.is_empty() { "" } else { " " })]
pub struct PreflightFailure {
    /// What kind of trouble.
    pub trouble: PreflightTrouble,
    /// What was to be read, such as `assistant` or `phone-number`.
    pub what: String,
    /// Its id.
    pub id: String,
    /// What went wrong, for people.
    pub message: String,
    /// When, and what time the provider said it was.
    pub wire: RequestTiming,
}

/// Kinds of trouble before the first dial.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PreflightTrouble {
    /// 401: the key was refused.
    Key,
    /// 402, 403, a redirect: the account or the base URL.
    Refused,
    /// 404, or an id that the provider does not take for one: there is no such thing.
    Missing,
    /// No connection came about.
    Unreachable,
    /// 429, and how long the provider asks us to wait.
    Rate(Option<Duration>),
    /// No answer in time, 5xx, an unreadable body.
    Fault,
}

impl PreflightTrouble {
    /// Whether the same read may go well a moment later.
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::Unreachable | Self::Rate(_) | Self::Fault)
    }
}

impl TargetInfo {
    pub(super) fn read(wire: RequestTiming, json: &Value) -> Self {
        Self {
            wire,
            org: text(json, "orgId"),
            name: text(json, "name"),
            variables: variables(json),
            longest_call: None,
            // Members of a squad have servers of their own, which it does not show.
            has_server: true,
        }
    }

    /// An assistant: its calls are cut after `maxDurationSeconds`, or the provider's default.
    pub(super) fn read_assistant(wire: RequestTiming, json: &Value) -> Self {
        let longest = json["maxDurationSeconds"].as_f64().map_or(USUAL_TALK, |seconds| {
            Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_TALK).clamp(SHORTEST_TALK, LONGEST_TALK)
        });
        Self { longest_call: Some(longest + LONGEST_RING), has_server: has_server(json), ..Self::read(wire, json) }
    }

    pub(super) fn unknown(wire: RequestTiming) -> Self {
        Self { wire, org: None, name: None, variables: Vec::new(), longest_call: None, has_server: true }
    }
}

impl LineInfo {
    pub(super) fn read(wire: RequestTiming, json: &Value) -> Self {
        let status = match json["status"].as_str() {
            Some("active") => LineStatus::Active,
            Some("activating") => LineStatus::Activating,
            Some("blocked") => LineStatus::Blocked,
            _ => LineStatus::Unknown,
        };
        Self {
            wire,
            org: text(json, "orgId"),
            provider: text(json, "provider"),
            status,
            number: text(json, "number"),
            has_server: has_server(json),
        }
    }
}

/// Sorts one answer: JSON of the kind that was asked for, or what kind of trouble.
pub(super) fn sort(
    reply: Result<Reply, TransportError>,
    wire: RequestTiming,
    is_it: fn(&Value) -> bool,
) -> Result<Value, (PreflightTrouble, String)> {
    let reply = match reply {
        Ok(reply) => reply,
        Err(TransportError::NotSent(message)) => return Err((PreflightTrouble::Unreachable, message)),
        Err(TransportError::Lost(message)) => return Err((PreflightTrouble::Fault, message)),
    };
    let trouble = match reply.status {
        200..=299 => {
            let json = serde_json::from_str(&reply.body).ok().filter(is_it);
            return json.ok_or_else(|| {
                let came = ErrorBody::in_body(&reply.body).shown;
                let came = if came.trim().is_empty() { "nothing".to_owned() } else { came };
                (PreflightTrouble::Fault, format!("the answer is not what was asked for, but: {came}"))
            });
        }
        401 => PreflightTrouble::Key,
        300..=399 | 402 | 403 => PreflightTrouble::Refused,
        429 => PreflightTrouble::Rate(reply.wait(wire)),
        408 | 409 | 425 => PreflightTrouble::Fault,
        400..=499 => PreflightTrouble::Missing,
        _ => PreflightTrouble::Fault,
    };
    Err((trouble, failure::message(reply.status, &ErrorBody::in_body(&reply.body))))
}

/// `server.url`, or `serverUrl`, as it was called before.
fn has_server(json: &Value) -> bool {
    let named = |url: &Value| url.as_str().is_some_and(|url| !url.trim().is_empty());
    named(&json["server"]["url"]) || named(&json["serverUrl"])
}

fn text(json: &Value, field: &str) -> Option<String> {
    json[field].as_str().map(|text| clean(text, LONGEST_NAME))
}

/// The names in `{{ }}` of every text that is spoken to the lead.
fn variables(json: &Value) -> Vec<String> {
    let (mut used, mut given) = (BTreeSet::new(), BTreeSet::new());
    walk(json, &mut used, &mut given);
    let needed = |name: &&str| !given.contains(name) && !GIVEN.contains(name) && *name != ATTEMPT_VARIABLE;
    used.into_iter().filter(needed).map(str::to_owned).collect()
}

fn walk<'a>(json: &'a Value, used: &mut BTreeSet<&'a str>, given: &mut BTreeSet<&'a str>) {
    match json {
        Value::String(text) => {
            for name in unguarded_names(text) {
                if used.len() < MOST_VARIABLES {
                    used.insert(name);
                }
            }
            given.extend(blocks(text, "{%", "%}").filter_map(assigned_name));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, used, given)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "variableValues" {
                    given.extend(value.as_object().into_iter().flat_map(|values| values.keys().map(String::as_str)));
                } else if !SILENT.contains(&name.as_str()) {
                    walk(value, used, given);
                }
            }
        }
        _ => {}
    }
}

/// The names that a text says outside of an `{% if %}` that asks for them: where one is empty, something is missing.
fn unguarded_names(text: &str) -> Vec<&str> {
    let (mut names, mut guards, mut rest): (Vec<&str>, Vec<&str>, &str) = (Vec::new(), Vec::new(), text);
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let is_value = rest[at..].starts_with("{{");
        let behind = &rest[at + 2..];
        let Some((inside, after)) = behind.split_once(if is_value { "}}" } else { "%}" }) else {
            rest = behind;
            continue;
        };
        rest = after;
        let inside = inside.trim_matches('-').trim();
        if is_value {
            let is_guarded = |name: &&str| guards.iter().any(|condition| mentions(condition, name));
            names.extend(plain_name(inside).filter(|name| !is_guarded(name)));
            continue;
        }
        let (word, condition) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        match word {
            "if" | "unless" | "case" => guards.push(condition),
            "endif" | "endunless" | "endcase" => drop(guards.pop()),
            _ => {}
        }
    }
    names
}

/// Whether a condition asks for that name.
fn mentions(condition: &str, name: &str) -> bool {
    condition.split(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '-'))).any(|word| word == name)
}

/// What stands between each pair of marks, without the dashes that eat the space around them.
fn blocks<'a>(text: &'a str, open: &'static str, close: &'static str) -> impl Iterator<Item = &'a str> {
    text.split(open)
        .skip(1)
        .filter_map(move |rest| rest.split_once(close))
        .map(|(inside, _)| inside.trim_matches('-').trim())
}

/// The name in `name` and `name | filter`; none for properties, literals, and what has a default.
fn plain_name(inside: &str) -> Option<&str> {
    let (name, filters) = inside.split_once('|').unwrap_or((inside, ""));
    let name = name.trim();
    let starts = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let plain = starts && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    (plain && name.len() <= LONGEST_VARIABLE && !filters.contains("default")).then_some(name)
}

/// The name that a template gives a value itself.
fn assigned_name(inside: &str) -> Option<&str> {
    let mut words = inside.split_whitespace();
    matches!(words.next()?, "assign" | "capture" | "for").then(|| words.next()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_the_prompt_asks_for_before_it_says_it_is_not_required() {
        let of = |text: &str| variables(&serde_json::json!({ "firstMessage": text }));
        assert_eq!(of("Hi {{name}}{% if city %} in {{city}}{% endif %}"), ["name"]);
        assert_eq!(of("{%- if city != blank and name -%}{{ city }}, {{name}}{%- endif -%} {{name}}"), ["name"]);
        assert_eq!(of("{% if vip %}{{name}}{% endif %}{% unless city %}x{% else %}{{city}}{% endunless %}"), ["name"]);
        assert_eq!(of("{% if name {{name}} {{ open"), ["name"]);
    }
}
