//! Calls as the provider shows them: one row of a listing, or the answer to `POST /call`.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::scan::{self, Raw};
use super::{analysis, limits};
use crate::campaign::event::Unread;
use crate::campaign::seen::{Analysis, SeenCall, Status};
use crate::leads::lead::Phone;
use crate::pool::attempt_id::AttemptId;
use crate::pool::calls::CallId;
use crate::pool::news::Limits;
use crate::time::Stamp;

/// Longest id of a call or an organisation that is believed; real ones are UUIDs.
const LONGEST_ID: usize = 128;
/// Longest `endedReason` that is kept; the longest known has 118 characters.
const LONGEST_REASON: usize = 256;
/// Rows that were read last and are known again, at least.
const ROWS_KEPT: usize = 2_000;

/// The fields of a call that are looked at; everything else is skipped where it stands.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    org_id: Raw<'a>,
    #[serde(rename = "type")]
    kind: Raw<'a>,
    status: Raw<'a>,
    created_at: Raw<'a>,
    updated_at: Raw<'a>,
    started_at: Raw<'a>,
    ended_at: Raw<'a>,
    ended_reason: Raw<'a>,
    name: Raw<'a>,
    customer: Raw<'a>,
    assistant_overrides: Raw<'a>,
    squad_overrides: Raw<'a>,
    workflow_overrides: Raw<'a>,
    cost: Raw<'a>,
    analysis: Raw<'a>,
    artifact: Raw<'a>,
    messages: Raw<'a>,
    transcript: Raw<'a>,
    summary: Raw<'a>,
    recording_url: Raw<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer<'a> {
    #[serde(borrow)]
    number: Raw<'a>,
    external_id: Raw<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Overrides<'a> {
    #[serde(borrow)]
    variable_values: Raw<'a>,
}

#[derive(Deserialize)]
struct Variables<'a> {
    #[serde(borrow)]
    dialer_attempt_id: Raw<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Structured<'a> {
    #[serde(borrow)]
    structured_data: Raw<'a>,
}

#[derive(Deserialize)]
struct Artifact<'a> {
    #[serde(borrow)]
    messages: Raw<'a>,
    transcript: Raw<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Raw<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreatedCall<'a> {
    #[serde(borrow)]
    subscription_limits: Raw<'a>,
    results: Raw<'a>,
}

impl<'a> Row<'a> {
    /// What it says of what was said.
    fn said(&self) -> analysis::Said<'a> {
        analysis::Said {
            analysis: self.analysis,
            artifact: self.artifact,
            summary: self.summary,
            transcript: self.transcript,
            recording_url: self.recording_url,
        }
    }
}

/// The rows of a listing.
#[derive(Debug, Default)]
pub struct Page {
    /// The calls that could be read.
    pub calls: Vec<Arc<SeenCall>>,
    /// Rows that came, readable or not.
    pub rows: usize,
    /// Rows without a usable id or creation time: a page that holds one that may be ours is no proof that a call is absent.
    pub unread: Option<Unread>,
    /// The first row's time of creation has no offset.
    pub no_offset: bool,
}

impl Page {
    /// Of several rows the first that may be ours is named.
    fn cannot_read(&mut self, outbound: bool, first: String) {
        let known = self.unread.take();
        let rows = known.as_ref().map_or(0, |unread| unread.rows) + 1;
        let named = known.filter(|known| known.outbound || !outbound);
        self.unread = Some(named.map_or(Unread { rows, first, outbound }, |known| Unread { rows, ..known }));
    }
}

/// Rows that were read lately, by the SHA-256 of their text: what stands there again is not read again.
#[derive(Debug, Default)]
pub struct ReadRows {
    lately: HashMap<[u8; 32], Arc<SeenCall>>,
    before: HashMap<[u8; 32], Arc<SeenCall>>,
}

impl ReadRows {
    /// Begins a page. Half of the rows are forgotten once there are too many.
    fn begin_page(&mut self) {
        if self.lately.len() > ROWS_KEPT {
            self.before = std::mem::take(&mut self.lately);
        }
    }

    fn read(
        &mut self,
        row: &RawValue,
        read: impl FnOnce() -> Result<SeenCall, (bool, String)>,
    ) -> Result<Arc<SeenCall>, (bool, String)> {
        let digest = Sha256::digest(row.get()).into();
        let known = self.lately.get(&digest).cloned().or_else(|| self.before.remove(&digest));
        let call = known.map_or_else(|| read().map(Arc::new), Ok)?;
        self.lately.insert(digest, Arc::clone(&call));
        Ok(call)
    }
}

/// Reads the body of `GET /call`, a bare array; `None` where it is anything else or was cut short.
///
/// `opt_out_field` names the field of `analysis.structuredData` that says that a person wants no further calls; it is the
/// same for every page with the same `before`.
pub fn read_page(body: &str, opt_out_field: Option<&str>, before: &mut ReadRows) -> Option<Page> {
    let rows: Vec<&RawValue> = serde_json::from_str(body).ok()?;
    let no_offset = rows.first().is_some_and(|row| lacks_offset(row));
    let mut page = Page { rows: rows.len(), no_offset, ..Page::default() };
    before.begin_page();
    for row in rows {
        match before.read(row, || read_row(row, opt_out_field)) {
            Ok(call) => page.calls.push(call),
            Err((outbound, first)) => page.cannot_read(outbound, first),
        }
    }
    Some(page)
}

/// Reads the body of `GET /call/{id}`; `None` where it is not one call.
pub fn read_call(body: &str, opt_out_field: Option<&str>) -> Option<SeenCall> {
    read_row(serde_json::from_str(body).ok()?, opt_out_field).ok()
}

/// Reads the body of a 2xx to `POST /call`: a call with the limits beside its own fields, or the answer to a batch,
/// of which the first call is ours. `None` where no call can be read.
pub fn read_answer(body: &str, opt_out_field: Option<&str>) -> Option<(SeenCall, Option<Limits>)> {
    let raw: &RawValue = serde_json::from_str(body).ok()?;
    let answer: CreatedCall<'_> = scan::object(Some(raw))?;
    let first = scan::array(answer.results).first().copied();
    let call = read_row(raw, opt_out_field).ok().or_else(|| read_row(first?, opt_out_field).ok())?;
    let limits = scan::value(answer.subscription_limits).and_then(|object| limits::read(&object));
    Some((call, limits))
}

/// Whether an id is one that can stand in an address.
pub fn is_plain_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:~".contains(&byte);
    id.starts_with(|first: char| first.is_ascii_alphanumeric()) && id.len() <= LONGEST_ID && id.bytes().all(plain)
}

fn lacks_offset(row: &RawValue) -> bool {
    scan::object::<Row<'_>>(Some(row)).is_some_and(|row| scan::lacks_offset(row.created_at))
}

/// Whether a call of that `type` may be one that somebody placed.
fn is_outbound(row: &Row<'_>) -> bool {
    scan::text(row.kind).is_none_or(|kind| kind == "outboundPhoneCall")
}

/// Reads one row, or says which field of it cannot be read, and whether it may be one of ours.
fn read_row(row: &RawValue, opt_out_field: Option<&str>) -> Result<SeenCall, (bool, String)> {
    let row: Row<'_> = scan::object(Some(row)).ok_or_else(|| (true, "it is not an object".to_owned()))?;
    let id = scan::text(row.id).filter(|id| is_plain_id(id));
    let (id, created) = match (id, scan::stamp(row.created_at)) {
        (Some(id), Some(created)) => (id, created),
        (id, created) => return Err((is_outbound(&row), unread(&row, id.as_deref(), created))),
    };
    let customer: Option<Customer<'_>> = scan::object(row.customer);
    let number = customer.as_ref().and_then(|customer| scan::text(customer.number));
    let status = scan::text(row.status).map_or(Status::Other, |status| read_status(&status));
    let ended = scan::stamp(row.ended_at);
    let is_over = status == Status::Ended || ended.is_some();
    let analysis = is_over.then(|| analysis::read(&row.said())).flatten();
    Ok(SeenCall {
        id: CallId::new(&id),
        org: scan::short_text(row.org_id, LONGEST_ID).map(Into::into),
        status,
        created,
        updated: scan::stamp(row.updated_at).unwrap_or(created),
        started: scan::stamp(row.started_at),
        ended,
        reason: scan::short_text(row.ended_reason, LONGEST_REASON),
        attempt: attempt(&row, customer.as_ref()),
        phone: number.and_then(|number| Phone::from_e164(&number)),
        cost: scan::value(row.cost).and_then(|cost| scan::number(&cost)).filter(|cost| *cost >= 0.0),
        spoke: has_spoken(&row),
        opt_out: opt_out_field.is_some_and(|field| opts_out(&row, field)),
        unmarked: false,
        bare: is_bare(&row, customer.as_ref()),
        analysed: analysis.as_ref().is_some_and(Analysis::is_complete),
        analysis: analysis.map(Arc::new),
        outbound: is_outbound(&row),
    })
}

/// A row that cannot be read, by what of it can be.
fn unread(row: &Row<'_>, id: Option<&str>, created: Option<Stamp>) -> String {
    let kind = scan::short_text(row.kind, LONGEST_ID).map(|kind| format!("type {kind}"));
    let known = [kind, id.map(|id| format!("id {id}")), created.map(|at| format!("created {at}"))];
    let fields = match (id, created) {
        (Some(_), _) => "field createdAt",
        (None, Some(_)) => "field id",
        (None, None) => "fields id and createdAt",
    };
    let known: Vec<String> = known.into_iter().flatten().chain([fields.to_owned()]).collect();
    known.join(", ")
}

fn read_status(status: &str) -> Status {
    match status {
        "scheduled" => Status::Scheduled,
        "queued" => Status::Queued,
        "ringing" => Status::Ringing,
        "in-progress" => Status::InProgress,
        "forwarding" => Status::Forwarding,
        "ended" => Status::Ended,
        _ => Status::Other,
    }
}

/// Our attempt id, in the first of its places that holds one.
fn attempt(row: &Row<'_>, customer: Option<&Customer<'_>>) -> Option<AttemptId> {
    let read = |raw| scan::text(raw).and_then(|text| AttemptId::parse(&text));
    let variable = |overrides| {
        let overrides: Overrides<'_> = scan::object(overrides)?;
        read(scan::object::<Variables<'_>>(overrides.variable_values)?.dialer_attempt_id)
    };
    read(row.name).or_else(|| read(customer?.external_id)).or_else(|| {
        [row.assistant_overrides, row.squad_overrides, row.workflow_overrides].into_iter().find_map(variable)
    })
}

/// Whether none of the places for a mark holds anything: whoever made the call, or the listing shows no marks.
fn is_bare(row: &Row<'_>, customer: Option<&Customer<'_>>) -> bool {
    let holds = |raw| scan::text(raw).is_some_and(|text| !text.is_empty());
    let has_variables = |raw| {
        let values = scan::object::<Overrides<'_>>(raw).and_then(|overrides| scan::value(overrides.variable_values));
        values.is_some_and(|values| values.as_object().is_some_and(|values| !values.is_empty()))
    };
    let overrides = [row.assistant_overrides, row.squad_overrides, row.workflow_overrides];
    !holds(row.name)
        && !holds(customer.and_then(|customer| customer.external_id))
        && !overrides.into_iter().any(has_variables)
}

/// Whether somebody was heard: in the artifact, or where older calls have it. The transcript is asked first, as it is
/// the shorter to read.
fn has_spoken(row: &Row<'_>) -> bool {
    let artifact: Option<Artifact<'_>> = scan::object(row.artifact);
    let (messages, transcript) = artifact.map_or((None, None), |artifact| (artifact.messages, artifact.transcript));
    scan::says_something(transcript)
        || scan::says_something(row.transcript)
        || [messages, row.messages].into_iter().flat_map(scan::array).any(is_from_the_person)
}

fn is_from_the_person(message: &RawValue) -> bool {
    let message: Option<Message<'_>> = scan::object(Some(message));
    message.is_some_and(|message| scan::text(message.role).is_some_and(|role| role == "user"))
}

fn opts_out(row: &Row<'_>, field: &str) -> bool {
    let analysis: Option<Structured<'_>> = scan::object(row.analysis);
    let data = analysis.and_then(|analysis| scan::value(analysis.structured_data));
    data.as_ref().and_then(|data| data.get(field)).is_some_and(scan::flag)
}

#[cfg(test)]
mod tests;
