//! What no trace shows: names, extensions and variables of people, and whatever the provider or the network says in
//! words, which may repeat what was sent. Numbers are shown only where that was asked for.
//!
//! What is hidden is replaced by a hash under a key that is nowhere written down: the same stays the same within one
//! trace, and nobody can try out all numbers. A hashed number keeps whether it is North American, since lines differ by
//! that.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::leads::lead::Phone;

/// Digits in a row that may be a telephone number.
const NUMBER: usize = 7;
/// Reasons that are remembered because something in them was hidden; a provider has a few hundred in all.
const REASONS: usize = 1024;
/// Hashed numbers with +1: how many there can be, and where they begin.
const NORTH_AMERICAN: u64 = 10_000_000_000;

/// Hides what a trace does not show.
pub struct Mask {
    key: [u8; 32],
    numbers: bool,
    /// Reasons of calls that were changed, and into what: they come back in what the campaign tells.
    reasons: BTreeMap<String, String>,
}

impl Mask {
    /// Hides under that key; `numbers`: telephone numbers are shown.
    pub fn new(key: [u8; 32], numbers: bool) -> Self {
        Self { key, numbers, reasons: BTreeMap::new() }
    }

    /// Hides it all.
    pub fn hide(&mut self, value: &mut Value) {
        self.hide_in("", value);
    }

    fn hide_in(&mut self, field: &str, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for secret in ["name", "extension", "variables"] {
                    fields.remove(secret);
                }
                fields.iter_mut().for_each(|(field, value)| self.hide_in(field, value));
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.hide_in(field, value)),
            Value::String(text) => {
                if let Some(hidden) = self.instead(field, text) {
                    *text = hidden;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// What stands in the place of a text; `None`: it stays.
    fn instead(&mut self, field: &str, text: &str) -> Option<String> {
        match field {
            "campaign" | "version" => None,
            "phone" => (!self.numbers).then(|| self.pseudonym(text)),
            "reason" => self.reason(text),
            _ if is_words(text) => Some(format!("#{:016x}", self.hash(text))),
            _ => self.reasons.get(text).cloned(),
        }
    }

    fn pseudonym(&self, text: &str) -> String {
        let north_american = Phone::from_e164(text).is_some_and(Phone::is_north_american);
        format!("#{}:{:012x}", u8::from(north_american), self.hash(text) >> 16)
    }

    /// Reasons are the provider's own words, by which calls are judged: only what may be a number is hidden.
    fn reason(&mut self, text: &str) -> Option<String> {
        if self.numbers || !has_number(text) {
            return None;
        }
        if let Some(known) = self.reasons.get(text) {
            return Some(known.clone());
        }
        let digits = |letter: char| if letter.is_ascii_digit() { '#' } else { letter };
        let hidden = format!("{}#{:08x}", text.chars().map(digits).collect::<String>(), self.hash(text) >> 32);
        if self.reasons.len() < REASONS {
            self.reasons.insert(text.to_owned(), hidden.clone());
        }
        Some(hidden)
    }

    fn hash(&self, text: &str) -> u64 {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length will do");
        mac.update(text.as_bytes());
        let hash: [u8; 32] = mac.finalize().into_bytes().into();
        hash.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }
}

/// Whether a text is in words, or a number: ids, names of zones and reasons have no blanks.
fn is_words(text: &str) -> bool {
    let bare = text.trim_start_matches('+');
    let is_number = bare.len() >= NUMBER && bare.bytes().all(|byte| byte.is_ascii_digit());
    text.contains(char::is_whitespace) || is_number || (text.contains('+') && has_number(text))
}

fn has_number(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_digit()).any(|digits| digits.len() >= NUMBER)
}

/// Puts numbers in the place of their hashes, so that a campaign can be told of them.
pub(super) fn number_again(value: &mut Value) {
    let number = |fields: &mut Map<String, Value>| {
        let hashed = fields.get("phone").and_then(Value::as_str).and_then(of_pseudonym);
        if let (Some(phone), Some(field)) = (hashed, fields.get_mut("phone")) {
            *field = phone.to_string().into();
        }
    };
    match value {
        Value::Object(fields) => {
            number(fields);
            fields.values_mut().for_each(number_again);
        }
        Value::Array(values) => values.iter_mut().for_each(number_again),
        _ => {}
    }
}

fn of_pseudonym(text: &str) -> Option<Phone> {
    let (kind, hash) = text.strip_prefix('#')?.split_once(':')?;
    let hash = u64::from_str_radix(hash, 16).ok().filter(|hash| *hash < 1 << 48)?;
    let digits = if kind == "1" { NORTH_AMERICAN + hash % NORTH_AMERICAN } else { NORTH_AMERICAN * 2 + hash };
    Phone::from_digits(digits)
}

/// Takes words and what stands for them for the same: what a campaign puts together from hidden words is not what it
/// put together from the words.
pub(super) fn blank_words(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(blank_words),
        Value::Array(values) => values.iter_mut().for_each(blank_words),
        Value::String(text) if text.starts_with('#') || is_words(text) => "#".clone_into(text),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hidden(mut value: Value, numbers: bool) -> Value {
        Mask::new([7; 32], numbers).hide(&mut value);
        value
    }

    #[test]
    fn nothing_of_a_person_is_shown() {
        let lead = json!({"phone": "+14155550100", "name": "Ann", "extension": "12", "variables": [["first", "Ann"]],
            "zones": ["America/New_York"], "message": "400: Ann cannot be called", "id": "4155550100aa"});
        let shown = hidden(lead.clone(), false);
        let phone = shown["phone"].as_str().unwrap();
        assert!(phone.starts_with("#1:") && phone.len() == 15, "{phone}");
        assert!(shown["message"].as_str().unwrap().starts_with('#'));
        assert_eq!(shown["zones"], lead["zones"]);
        assert_eq!(shown["id"], lead["id"], "ids are kept: calls are told by them, in their order");
        assert_eq!(shown.as_object().unwrap().len(), 4, "{shown}");
        assert_eq!(hidden(lead.clone(), true)["phone"], lead["phone"]);
        assert_eq!(hidden(lead, true)["message"], shown["message"], "words are hidden all the same");
    }

    #[test]
    fn a_hashed_number_is_one_of_its_kind() {
        for (number, american) in [("+14155550100", true), ("+491715550100", false), ("+9991234567", false)] {
            let mut value = hidden(json!([{"phone": number}]), false);
            number_again(&mut value);
            let phone = Phone::from_e164(value[0]["phone"].as_str().unwrap()).unwrap();
            assert_eq!((phone.is_north_american(), phone.to_string() != number), (american, true), "{number}");
        }
    }

    #[test]
    fn a_reason_is_kept_but_for_a_number_in_it_and_known_again() {
        let plain = json!({"reason": "call.in-progress.error-providerfault-outbound-sip-503-service-unavailable"});
        assert_eq!(hidden(plain.clone(), false), plain);
        let mut mask = Mask::new([7; 32], false);
        let (mut event, mut told) =
            (json!({"reason": "failed-14155550100"}), json!({"UnknownReason": "failed-14155550100"}));
        mask.hide(&mut event);
        mask.hide(&mut told);
        assert_eq!(event["reason"], told["UnknownReason"]);
        assert!(event["reason"].as_str().unwrap().starts_with("failed-###########"), "{event}");
    }

    #[test]
    fn a_lone_number_is_hidden_wherever_it_stands() {
        let text =
            hidden(json!(["+14155550100", "tel:+14155550100", "4155550100", "call-4155550100"]), false).to_string();
        assert_eq!(text.matches("4155550100").count(), 1, "{text}");
    }
}
