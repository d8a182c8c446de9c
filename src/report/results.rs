//! One row of a results file: a settled lead as one JSON object.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::campaign::disposition::Class;
use crate::campaign::seen::Analysis;
use crate::journal::disk::outcomes::AttemptOutcome;
use crate::journal::disk::results::Settlement;
use crate::leads::lead::Phone;
use crate::pool::calls::CallId;

#[derive(Serialize)]
struct Row<'a> {
    campaign: &'a str,
    number: Phone,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<&'a str>,
    name: Option<&'a str>,
    state: &'static str,
    disposition: Class,
    attempts: usize,
    call_id: Option<&'a str>,
    ended_reason: Option<&'a str>,
    minutes: f64,
    cost_usd: Option<f64>,
    settled_at: Timestamp,
    settlement: u64,
    #[serde(serialize_with = "as_object")]
    variables: &'a [(String, String)],
    analysis: Option<Analysed<'a>>,
}

#[derive(Serialize)]
struct Analysed<'a> {
    success: Option<&'a str>,
    summary: Option<&'a str>,
    structured: Option<Box<RawValue>>,
    recording_url: Option<&'a str>,
    transcript_chars: Option<u64>,
}

/// What of a row says which one it is.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct RowId {
    /// The campaign.
    pub campaign: String,
    /// The lead's number.
    pub number: Phone,
    /// Its extension, where it has one.
    #[serde(default)]
    pub extension: Option<String>,
    /// Which of its settlements.
    pub settlement: u64,
}

/// The row of a settlement, with its line break.
pub fn row(campaign: &str, settlement: &Settlement) -> String {
    let lead = &settlement.lead;
    let counted = || settlement.attempts.iter().filter(|attempt| attempt.counts());
    let last = counted().next_back();
    let costs: Vec<f64> = counted().filter_map(|attempt| attempt.cost_usd).collect();
    let row = Row {
        campaign,
        number: lead.phone,
        extension: lead.extension.as_deref(),
        name: lead.name.as_deref(),
        state: "settled",
        disposition: settlement.class,
        attempts: counted().count(),
        call_id: last.and_then(|last| last.call.as_ref()).map(CallId::as_str),
        ended_reason: last.and_then(|last: &AttemptOutcome| last.reason.as_deref()),
        minutes: places(counted().filter_map(|attempt| attempt.minutes).sum()),
        cost_usd: (last.is_none() || !costs.is_empty()).then(|| places(costs.iter().sum())),
        settled_at: settlement.at,
        settlement: settlement.number,
        variables: &lead.variables,
        analysis: settlement.analysis.as_ref().map(analysed),
    };
    let mut text = serde_json::to_string(&row).expect("a row is plain data");
    text.push('\n');
    text
}

/// What every row of a campaign begins with: by this a torn one is known.
pub fn beginning(campaign: &str) -> String {
    format!("{{\"campaign\":{},", serde_json::to_string(campaign).expect("a text is plain data"))
}

fn analysed(analysis: &Analysis) -> Analysed<'_> {
    let structured = analysis.structured.clone();
    Analysed {
        success: analysis.success.as_deref(),
        summary: analysis.summary.as_deref(),
        structured: structured.and_then(|text| RawValue::from_string(text).ok()),
        recording_url: analysis.recording_url.as_deref(),
        transcript_chars: analysis.transcript_chars,
    }
}

fn as_object<S: Serializer>(variables: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(variables.iter().map(|(name, value)| (name, value)))
}

/// To a ten-thousandth, and never less than nothing.
fn places(number: f64) -> f64 {
    (number * 10_000.0).round().max(0.0) / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::attempt::State;
    use crate::campaign::event::LeadId;
    use crate::leads::lead::Lead;
    use crate::pool::attempt_id::{AttemptId, Mark};

    fn settlement() -> Settlement {
        let phone = Phone::from_e164("+14155550100").unwrap();
        let variables = vec![("zip".to_owned(), "94\n110".to_owned()), ("age".to_owned(), "7".to_owned())];
        Settlement {
            id: LeadId(1),
            number: 1,
            lead: Lead { name: Some("Ada \"A\"".to_owned()), variables, ..Lead::of(phone) },
            class: Class::Answered,
            at: "2026-11-23T09:10:00Z".parse().unwrap(),
            attempts: vec![AttemptOutcome {
                attempt: AttemptId::mint(&Mark::of("leads"), 1),
                run: Some(1),
                began: "2026-11-23T09:08:00Z".parse().unwrap(),
                state: State::Ended(Class::Answered),
                call: Some(CallId::new("c1")),
                reason: Some("customer-ended-call".to_owned()),
                minutes: Some(1.5),
                cost_usd: Some(0.12),
                doubted: false,
            }],
            analysis: Some(Analysis {
                summary: Some("Booked.".to_owned()),
                structured: Some(r#"{"booked":true}"#.to_owned()),
                ..Analysis::default()
            }),
        }
    }

    #[test]
    fn a_row_is_one_line_with_the_keys_of_the_contract() {
        let text = row("le\"ads", &settlement());
        insta::assert_snapshot!(text.trim_end(), @r#"{"campaign":"le\"ads","number":"+14155550100","name":"Ada \"A\"","state":"settled","disposition":"answered","attempts":1,"call_id":"c1","ended_reason":"customer-ended-call","minutes":1.5,"cost_usd":0.12,"settled_at":"2026-11-23T09:10:00Z","settlement":1,"variables":{"zip":"94\n110","age":"7"},"analysis":{"success":null,"summary":"Booked.","structured":{"booked":true},"recording_url":null,"transcript_chars":null}}"#);
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.starts_with(&beginning("le\"ads")));
        let id: RowId = serde_json::from_str(&text).unwrap();
        assert_eq!((id.campaign.as_str(), id.extension, id.settlement), ("le\"ads", None, 1));
    }

    #[test]
    fn who_was_never_called_cost_nothing() {
        let suppressed = Settlement { class: Class::Suppressed, attempts: Vec::new(), analysis: None, ..settlement() };
        let row: serde_json::Value = serde_json::from_str(&row("leads", &suppressed)).unwrap();
        assert_eq!((&row["disposition"], &row["attempts"]), (&"suppressed".into(), &0.into()));
        assert_eq!((&row["cost_usd"], &row["minutes"]), (&0.0.into(), &0.0.into()));
        assert!(row["call_id"].is_null() && row["analysis"].is_null() && row["ended_reason"].is_null());
        let mut unpaid = settlement();
        unpaid.attempts[0].cost_usd = None;
        let row: serde_json::Value = serde_json::from_str(&super::row("leads", &unpaid)).unwrap();
        assert!(row["cost_usd"].is_null(), "what is not known is not nothing");
    }
}
