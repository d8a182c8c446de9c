//! What the provider made of a call that is over: read from wherever it stands, cleaned, and never long.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::scan::{self, Raw};
use crate::campaign::seen::Analysis;
use crate::text::{clean, is_harmless};

/// Letters of a verdict that are kept.
const LONGEST_SUCCESS: usize = 500;
/// Letters of a summary that are kept.
const LONGEST_SUMMARY: usize = 8_000;
/// Bytes of structured data that are read; more of it counts as none.
const LONGEST_STRUCTURED: usize = 64 << 10;
/// Letters of one text in it that are kept.
const LONGEST_TEXT: usize = 8_000;
/// Lines of a transcript that are shown.
const MOST_LINES: usize = 5_000;
/// Bytes of an address that is kept.
const LONGEST_URL: usize = 2_048;

/// The parts of a call that say what was said.
pub(super) struct Said<'a> {
    pub(super) analysis: Raw<'a>,
    pub(super) artifact: Raw<'a>,
    /// The rest stood beside them in older calls.
    pub(super) summary: Raw<'a>,
    pub(super) transcript: Raw<'a>,
    pub(super) recording_url: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Judged<'a> {
    #[serde(borrow)]
    summary: Raw<'a>,
    success_evaluation: Raw<'a>,
    structured_data: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Artifact<'a> {
    #[serde(borrow)]
    transcript: Raw<'a>,
    recording: Raw<'a>,
    recording_url: Raw<'a>,
    stereo_recording_url: Raw<'a>,
    structured_outputs: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Recording<'a> {
    #[serde(borrow)]
    mono: Raw<'a>,
    stereo_url: Raw<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Mono<'a> {
    #[serde(borrow)]
    combined_url: Raw<'a>,
}

/// Reads it; none where nothing is there yet.
pub(super) fn read(said: &Said<'_>) -> Option<Analysis> {
    let judged: Judged<'_> = scan::object(said.analysis).unwrap_or_default();
    let artifact: Artifact<'_> = scan::object(said.artifact).unwrap_or_default();
    let read = Analysis {
        success: judged.success_evaluation.and_then(verdict),
        summary: [judged.summary, said.summary].into_iter().find_map(|raw| text(raw, LONGEST_SUMMARY)),
        structured: structured(judged.structured_data).or_else(|| outputs(artifact.structured_outputs)),
        recording_url: recording(&artifact).or_else(|| url(said.recording_url)),
        transcript_chars: [artifact.transcript, said.transcript].into_iter().find_map(letters),
    };
    (read != Analysis::default()).then_some(read)
}

/// What was said in a call, line by line; none where nothing was, or nothing is kept.
pub(super) fn transcript(call: &Value) -> Option<String> {
    let text = call.pointer("/artifact/transcript").or_else(|| call.get("transcript"))?.as_str()?;
    let lines = text.lines().map(|line| clean(line, LONGEST_TEXT)).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.take(MOST_LINES).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn text(raw: Raw<'_>, most: usize) -> Option<String> {
    let text = clean(&scan::text(raw)?, most);
    (!text.is_empty()).then_some(text)
}

/// A text, or a flag or a number as one.
fn verdict(raw: &RawValue) -> Option<String> {
    let plain = || matches!(scan::value(Some(raw)), Some(Value::Bool(_) | Value::Number(_)));
    text(Some(raw), LONGEST_SUCCESS).or_else(|| plain().then(|| clean(raw.get(), LONGEST_SUCCESS)))
}

fn structured(raw: Raw<'_>) -> Option<String> {
    let raw = raw.filter(|raw| raw.get().len() <= LONGEST_STRUCTURED);
    match scan::value(raw)? {
        Value::Object(fields) if !fields.is_empty() => Some(cleaned(Value::Object(fields)).to_string()),
        _ => None,
    }
}

/// What newer assistants have instead: `{id: {"name", "result"}}`.
fn outputs(raw: Raw<'_>) -> Option<String> {
    let raw = raw.filter(|raw| raw.get().len() <= LONGEST_STRUCTURED);
    let Value::Object(outputs) = scan::value(raw)? else { return None };
    let named = outputs.into_iter().filter_map(|(_, mut output)| {
        let name = output.get("name")?.as_str()?.to_owned();
        Some((name, output.get_mut("result")?.take()))
    });
    let named: Map<String, Value> = named.filter(|(_, result)| !result.is_null()).collect();
    (!named.is_empty()).then(|| cleaned(Value::Object(named)).to_string())
}

/// The same with every text and every name in it cleaned.
fn cleaned(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean(&text, LONGEST_TEXT)),
        Value::Array(items) => Value::Array(items.into_iter().map(cleaned).collect()),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (clean(&name, LONGEST_TEXT), cleaned(value)));
            Value::Object(fields.collect())
        }
        other => other,
    }
}

fn recording(artifact: &Artifact<'_>) -> Option<String> {
    let recording: Recording<'_> = scan::object(artifact.recording).unwrap_or_default();
    let mono: Mono<'_> = scan::object(recording.mono).unwrap_or_default();
    let places = [mono.combined_url, artifact.recording_url, recording.stereo_url, artifact.stereo_recording_url];
    places.into_iter().find_map(url)
}

fn url(raw: Raw<'_>) -> Option<String> {
    let url = scan::text(raw).filter(|url| url.len() <= LONGEST_URL)?;
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_plain = url.chars().all(|letter| is_harmless(letter) && !letter.is_whitespace());
    (is_web && is_plain).then(|| url.into_owned())
}

fn letters(raw: Raw<'_>) -> Option<u64> {
    scan::text(raw).filter(|text| !text.is_empty()).map(|text| text.chars().count() as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vapi::call::read_call;

    fn of(fields: Value) -> Option<Analysis> {
        let mut row = json!({ "id": "c1", "createdAt": "2026-03-26T15:43:16.145Z", "status": "ended" });
        if let (Some(row), Value::Object(fields)) = (row.as_object_mut(), fields) {
            row.extend(fields);
        }
        read_call(&row.to_string(), None).unwrap().analysis.map(|analysis| Analysis::clone(&analysis))
    }

    #[test]
    fn it_is_read_from_wherever_it_stands() {
        let new = of(json!({
            "analysis": { "summary": "Booked\u{1b}[2J for Monday.", "successEvaluation": true,
                          "structuredData": { "booked": true, "slot": "Mon\n9:00" } },
            "artifact": { "transcript": "AI: Hello\nUser: Hi", "recording": { "mono": { "combinedUrl": "https://x/m.wav" } },
                          "recordingUrl": "https://x/r.wav" },
        }));
        let new = new.unwrap();
        assert_eq!(new.summary.as_deref(), Some("Booked [2J for Monday."));
        assert_eq!(new.success.as_deref(), Some("true"));
        assert_eq!(new.structured.as_deref(), Some(r#"{"booked":true,"slot":"Mon 9:00"}"#));
        assert_eq!(new.recording_url.as_deref(), Some("https://x/m.wav"));
        assert_eq!(new.transcript_chars, Some(18));
        let old =
            of(json!({ "summary": "They talked.", "transcript": "Hi", "recordingUrl": "https://x/o.wav" })).unwrap();
        assert_eq!((old.summary.as_deref(), old.transcript_chars), (Some("They talked."), Some(2)));
        assert_eq!(old.recording_url.as_deref(), Some("https://x/o.wav"));
        let outputs = json!({ "u-1": { "name": "booked", "result": false }, "u-2": { "name": "why", "result": null } });
        let newer = of(json!({ "artifact": { "structuredOutputs": outputs } })).unwrap();
        assert_eq!(newer.structured.as_deref(), Some(r#"{"booked":false}"#));
    }

    #[test]
    fn a_transcript_is_read_line_by_line() {
        let call = json!({ "artifact": { "transcript": "AI: Hello\u{1b}[2J\n\nUser: =1+1\n" } });
        assert_eq!(transcript(&call).as_deref(), Some("AI: Hello [2J\nUser: =1+1"));
        assert_eq!(transcript(&json!({ "transcript": "Hi" })).as_deref(), Some("Hi"));
        for call in [json!({}), json!({ "artifact": { "transcript": " \n" } }), json!({ "transcript": 7 })] {
            assert_eq!(transcript(&call), None, "{call}");
        }
    }

    #[test]
    fn what_nobody_promised_is_no_analysis() {
        for fields in [
            json!({}),
            json!({ "analysis": {} }),
            json!({ "analysis": { "summary": "", "successEvaluation": null, "structuredData": {} } }),
            json!({ "analysis": "x", "artifact": 7, "recordingUrl": "file:///etc/passwd" }),
            json!({ "analysis": { "structuredData": { "x": "y".repeat(70_000) } } }),
            json!({ "analysis": { "structuredData": [1] }, "artifact": { "structuredOutputs": { "u": 1 } } }),
            json!({ "status": "in-progress", "analysis": { "summary": "Not yet." } }),
        ] {
            assert_eq!(of(fields.clone()), None, "{fields}");
        }
        let long = of(json!({ "analysis": { "summary": "x".repeat(50_000) } })).unwrap();
        assert_eq!(long.summary.unwrap().len(), LONGEST_SUMMARY + 3);
    }
}
