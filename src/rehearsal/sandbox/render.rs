//! What the sandbox shows, written as the provider writes it.

use serde_json::{Map, Value, json};

use crate::campaign::seen::Status;
use crate::pool::news::Limits;
use crate::rehearsal::world::answer::limits_json;
use crate::rehearsal::world::call::{FakeCall, Kind};
use crate::time::Stamp;

/// What a minute's cost is made of, as shares; they add up to one.
pub(super) const SHARES: [(&str, f64); 5] =
    [("transport", 0.15), ("stt", 0.11), ("llm", 0.06), ("tts", 0.13), ("vapi", 0.55)];

/// `status` as the provider writes it.
pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::Scheduled => "scheduled",
        Status::Queued => "queued",
        Status::Ringing => "ringing",
        Status::InProgress => "in-progress",
        Status::Forwarding => "forwarding",
        Status::Ended => "ended",
        Status::Other => "not-found",
    }
}

/// A time as the provider writes it.
pub(super) fn time(at: Stamp) -> Value {
    Value::String(at.to_string())
}

/// A call. `base` is where the sandbox is served, `org` its organisation's id.
pub(super) fn call(call: &FakeCall, org: &str, base: &str, limits: Option<&Limits>) -> Value {
    let mut shown = call.request.echo.clone();
    let mut put = |key: &str, value: Value| drop(shown.insert(key.to_owned(), value));
    put("id", json!(call.id.as_str()));
    put("orgId", json!(org));
    put("type", json!(call.kind.name()));
    put("status", json!(status(call.status)));
    put("createdAt", time(call.created));
    put("updatedAt", time(call.updated));
    put("cost", json!(call.cost()));
    let known = [
        ("startedAt", call.started.map(time)),
        ("endedAt", call.ended.map(time)),
        ("endedReason", call.reason.as_ref().map(|reason| json!(reason))),
        ("name", call.name.as_ref().map(|name| json!(name.as_ref()))),
        ("subscriptionLimits", limits.map(limits_json)),
    ];
    for (key, value) in known {
        if let Some(value) = value {
            put(key, value);
        }
    }
    if call.kind != Kind::Web {
        put("phoneCallProvider", json!("twilio"));
        put("phoneCallTransport", json!("pstn"));
        put("transport", json!({ "conversationType": "voice", "provider": "twilio" }));
    }
    if call.kind == Kind::Inbound {
        put("customer", json!({ "number": call.request.number }));
    }
    if call.ended.is_none() {
        put("monitor", json!({ "controlUrl": format!("{base}/{}/control", call.id) }));
    }
    if call.settled {
        settled(call, &mut put);
    }
    Value::Object(shown)
}

/// What becomes known only after a call's end.
fn settled(call: &FakeCall, put: &mut impl FnMut(&str, Value)) {
    let (cost, minutes) = (call.cost(), rounded(call.minutes()));
    let mut breakdown: Map<String, Value> =
        SHARES.iter().map(|(part, share)| ((*part).to_owned(), json!(rounded(cost * share)))).collect();
    breakdown.insert("total".into(), json!(cost));
    let parts = [("transport", 0.15), ("vapi", 0.55)];
    let costs: Vec<Value> = parts
        .iter()
        .map(|(kind, share)| json!({ "type": kind, "minutes": minutes, "cost": rounded(cost * share) }))
        .map(|mut part| {
            let (key, value) = if part["type"] == "vapi" { ("subType", "normal") } else { ("provider", "twilio") };
            part[key] = json!(value);
            part
        })
        .collect();
    put("costs", json!(costs));
    put("costBreakdown", Value::Object(breakdown));
    put("artifact", artifact(call));
    if call.started.is_some() {
        let (spoke, opted_out) = (call.spoke(), call.opted_out());
        let summary = if spoke { "They talked." } else { "Nobody spoke." };
        put(
            "analysis",
            json!({
                "summary": summary,
                "successEvaluation": if spoke { "true" } else { "false" },
                "structuredData": { "optOut": opted_out },
            }),
        );
    }
}

fn artifact(call: &FakeCall) -> Value {
    let Some(started) = call.started else { return json!({ "messages": [], "transcript": "" }) };
    let mut said = vec![("bot", "AI", "Hello, this is the sandbox speaking.")];
    if call.opted_out() {
        said.push(("user", "User", "Please do not call me again."));
    } else if call.spoke() {
        said.push(("user", "User", "Hello. Go on."));
    }
    let time = started.as_micros() / 1000;
    let messages: Vec<Value> = said
        .iter()
        .zip(0u32..)
        .map(|((role, _, text), nth)| {
            let start = 2 * nth + 1;
            json!({ "role": role, "message": text, "time": time + i64::from(start) * 1000,
                    "endTime": time + i64::from(start + 1) * 1000, "secondsFromStart": start })
        })
        .collect();
    let lines: Vec<String> = said.iter().map(|(_, who, text)| format!("{who}: {text}\n")).collect();
    json!({ "messages": messages, "transcript": lines.concat() })
}

/// Any assistant, squad or workflow.
pub(super) fn target(kind: &str, id: &str, org: &str, since: Stamp) -> Value {
    let mut shown = json!({ "id": id, "orgId": org, "createdAt": time(since), "updatedAt": time(since), "name": id });
    let more = match kind {
        "assistant" => json!({
            "firstMessage": "Hello, this is the sandbox speaking.",
            "voicemailMessage": "Please call us back.",
            "model": { "provider": "openai", "model": "gpt-4o", "messages": [] },
            "voice": { "provider": "vapi", "voiceId": "Elliot" },
        }),
        "squad" => json!({ "members": [] }),
        _ => json!({ "nodes": [], "edges": [] }),
    };
    if let (Value::Object(shown), Value::Object(more)) = (&mut shown, more) {
        shown.extend(more);
    }
    if id.starts_with("served") {
        shown["server"] = json!({ "url": "https://example.invalid/vapi" });
    }
    shown
}

/// Any line: its id says how it is.
pub(super) fn line(id: &str, org: &str, since: Stamp) -> Value {
    let status = ["blocked", "activating"].into_iter().find(|status| id.starts_with(status)).unwrap_or("active");
    let mut shown = json!({
        "id": id, "orgId": org, "createdAt": time(since), "updatedAt": time(since),
        "number": "+14155550100", "status": status, "name": id,
    });
    if id.starts_with("vapi") {
        shown["provider"] = json!("vapi");
    } else {
        shown["provider"] = json!("twilio");
        shown["twilioAccountSid"] = json!("AC00000000000000000000000000000000");
    }
    shown
}

/// Cut to a hundred-thousandth, as nobody is billed less.
pub(super) fn rounded(amount: f64) -> f64 {
    (amount * 1e5).round() / 1e5
}
