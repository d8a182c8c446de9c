//! What a refusal says in words, whatever shape its body has: a string, an array, nested objects, HTML, nothing.

use serde_json::Value;

use super::limits;
use crate::pool::news::Limits;
use crate::text;

/// Longest text that is searched for the provider's phrases.
const LONGEST_SEARCHED: usize = 10_000;
/// Longest message that is shown, in characters.
const LONGEST_SHOWN: usize = 300;
/// What stands in the place of a secret.
const MASK: &str = "***";
/// No key is shorter; real ones have 36 characters.
const SHORTEST_KEY: usize = 8;

/// The words of a refusal.
#[derive(Debug, Default)]
pub(super) struct ErrorBody {
    /// The strings under `message` and `error`, in lower case: all that is searched for phrases, since the rest of a
    /// body may hold keys and data that read like them.
    pub(super) words: String,
    /// The same for people, or what else the body says; not bounded, not cleaned: see [`tidy`].
    pub(super) shown: String,
    /// `subscriptionLimits`, at any depth.
    pub(super) limits: Option<Limits>,
}

impl ErrorBody {
    pub(super) fn in_body(body: &str) -> Self {
        let body = body.trim_start_matches('\u{feff}').trim();
        match serde_json::from_str::<Value>(body) {
            Ok(json) => Self::in_json(&json),
            Err(_) if body.starts_with('<') => Self { shown: without_tags(body), ..Self::default() },
            Err(_) => Self::from_words(start_of(body, LONGEST_SEARCHED).to_owned(), None),
        }
    }

    fn in_json(json: &Value) -> Self {
        let mut strings = Vec::new();
        collect(json, &mut strings);
        let mut known = Vec::new();
        strings.retain(|text| {
            let plain = text.trim().to_lowercase();
            let new = !known.contains(&plain);
            known.push(plain);
            new
        });
        let said = Self::from_words(strings.join("; "), limits::find(json));
        if said.words.is_empty() { Self { shown: json.to_string(), ..said } } else { said }
    }

    fn from_words(shown: String, limits: Option<Limits>) -> Self {
        Self { words: start_of(&shown, LONGEST_SEARCHED).to_lowercase(), shown, limits }
    }

    /// Whether any of these phrases, in lower case, stands in it.
    pub(super) fn has(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.words.contains(phrase))
    }
}

/// Strings at the top, in arrays, and under `message` or `error`.
fn collect<'a>(json: &'a Value, strings: &mut Vec<&'a str>) {
    match json {
        Value::String(text) => strings.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, strings)),
        Value::Object(fields) => {
            ["message", "error"].iter().filter_map(|name| fields.get(*name)).for_each(|value| collect(value, strings));
        }
        _ => {}
    }
}

/// A text for people: one line, at most 300 characters, without the secret.
pub(super) fn tidy(text: &str, secret: &str) -> String {
    if secret.is_empty() {
        return text::clean(text, LONGEST_SHOWN);
    }
    // Once more when it is clean: a mark that nobody sees, in the middle of the key, hides it from the first look.
    text::clean(&text::clean(&text.replace(secret, MASK), usize::MAX).replace(secret, MASK), LONGEST_SHOWN)
}

/// A whole answer without the key, wherever somebody put it: in an id, a reason, a name. A key as short as a word is
/// none, and would take the word out of everything.
pub(super) fn without_key(body: String, key: &str) -> String {
    let escaped = key.replace('/', "\\/");
    if key.len() < SHORTEST_KEY || !(body.contains(key) || body.contains(&escaped)) {
        return body;
    }
    body.replace(key, MASK).replace(&escaped, MASK)
}

fn start_of(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// What a page of HTML says, roughly: its text without scripts and tags.
fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut rest = start_of(html, LONGEST_SEARCHED);
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        text.push(' ');
        rest = &rest[start..];
        let silent = ["script", "style"].into_iter().find(|tag| starts_with_tag(rest, tag));
        let behind = silent.and_then(|tag| rest.find(&format!("</{tag}"))).unwrap_or_default();
        match rest[behind..].find('>') {
            Some(end) => rest = &rest[behind + end + 1..],
            None => return text,
        }
    }
    text.push_str(rest);
    text
}

fn starts_with_tag(html: &str, tag: &str) -> bool {
    html[1..].get(..tag.len()).is_some_and(|name| name.eq_ignore_ascii_case(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_every_shape() {
        for body in [
            r#"{"message":"Over It","error":"Bad Request","statusCode":400}"#,
            r#"{"message":["Over It"]}"#,
            r#"{"error":"Over It"}"#,
            r#"{"error":{"message":"Over It"}}"#,
            r#"{"message":{"message":["Over It","more"]}}"#,
            r#"["Over It"]"#,
            r#"[{"message":"Over It"}]"#,
            r#""Over It""#,
            "Over It\r\n",
            "\u{feff}Over It",
        ] {
            assert!(ErrorBody::in_body(body).has(&["over it"]), "{body}");
        }
    }

    #[test]
    fn other_fields_are_shown_but_not_searched() {
        let said = ErrorBody::in_body(r#"{"subscriptionLimits":{"concurrencyLimit":10},"detail":"credit"}"#);
        assert!(!said.has(&["subscription", "credit"]), "{said:?}");
        assert!(said.shown.contains("detail"), "{said:?}");
        assert_eq!(said.limits.unwrap().limit, Some(10));
        for body in ["", "{}", "null", "[]", "{\"message\":null}", "{\"message\":7}"] {
            assert_eq!(ErrorBody::in_body(body).words, "", "{body}");
        }
    }

    #[test]
    fn the_same_words_are_shown_once() {
        let said = ErrorBody::in_body(r#"{"message":"Internal server error","error":"Internal Server Error"}"#);
        assert_eq!(said.shown, "Internal server error");
    }

    #[test]
    fn html_is_cut_down_to_its_text() {
        let html =
            "<!DOCTYPE html><head><title>522</title><style>a{credit}</style></head><h1>Connection timed out</h1>";
        let said = ErrorBody::in_body(html);
        assert_eq!(tidy(&said.shown, ""), "522 Connection timed out");
        assert!(!said.has(&["connection"]), "{said:?}");
        for odd in ["<", "<a", "<script>", "<é>x", "<scripté"] {
            ErrorBody::in_body(odd);
        }
    }

    #[test]
    fn a_shown_text_is_one_short_line_without_the_secret() {
        let text = format!("bad\u{1b}[31m key\nsk-1234 {}", "é".repeat(1000));
        let shown = tidy(&text, "sk-1234");
        assert!(shown.starts_with("bad [31m key *** é"), "{shown}");
        assert_eq!(shown.chars().count(), LONGEST_SHOWN + 3);
        assert_eq!(tidy("plain", ""), "plain");
        assert_eq!(tidy("key sk-\u{200b}1234\u{202e}", "sk-1234"), "key ***");
    }

    #[test]
    fn an_answer_is_read_without_the_key() {
        let masked = |body: &str| without_key(body.to_owned(), "sk-a/b-1234");
        let body = r#"{"id":"sk-a/b-1234","endedReason":"x sk-a\/b-1234"}"#;
        assert_eq!(masked(body), r#"{"id":"***","endedReason":"x ***"}"#);
        assert_eq!(masked("{}"), "{}");
        assert_eq!(without_key("sandbox".to_owned(), "sandbox"), "sandbox", "too short to be a key");
    }
}
