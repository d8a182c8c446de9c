//! Whether a message comes from somebody who knows the secret: in a header, as a bearer token, or as a signature of the
//! body as it came, in the provider's own form or as Standard Webhooks have it. All comparisons take the same time
//! wherever two texts differ.

use std::time::Duration;

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Sha256, Sha512};

/// A signature is good for so long before and after its time.
const TOLERANCE: Duration = Duration::from_mins(5);
/// Numbers from here on are milliseconds: as seconds they lie after the year 5000.
const MILLISECONDS: i64 = 100_000_000_000;
/// Signatures that are looked at of a header that lists several.
const MOST_SIGNATURES: usize = 4;

/// Whether a message proves that its sender knows the secret.
pub(super) fn knows(secret: &SecretString, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
    let secret = secret.expose_secret();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let shown = header("x-vapi-secret").is_some_and(|shown| same(secret, shown));
    let bearer = header("authorization").and_then(|value| value.split_once(' '));
    let bearer =
        bearer.is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && same(secret, token.trim()));
    shown || bearer || signed(secret, &header, body, now) || standard(secret, &header, body, now)
}

/// `x-signature` over `{timestamp}.{body}`, hexadecimal or base64, SHA-256 or SHA-512, with or without `sha256=`.
fn signed<'h>(secret: &str, header: &impl Fn(&str) -> Option<&'h str>, body: &[u8], now: Timestamp) -> bool {
    let (Some(signature), Some(time)) = (header("x-signature"), header("x-timestamp")) else { return false };
    let signature = signature.split_once('=').filter(|(name, _)| name.starts_with("sha")).map_or(signature, |it| it.1);
    let parts = [time.as_bytes(), b".", body];
    is_near(time, now)
        && decoded(signature).is_some_and(|mac| {
            verifies::<Hmac<Sha256>>(secret.as_bytes(), &parts, &mac)
                || verifies::<Hmac<Sha512>>(secret.as_bytes(), &parts, &mac)
        })
}

/// Standard Webhooks: `webhook-id`, `webhook-timestamp`, and `webhook-signature` with `v1,` before each signature. A
/// secret that begins with `whsec_` is base64; else it may be that, or be taken as it stands.
fn standard<'h>(secret: &str, header: &impl Fn(&str) -> Option<&'h str>, body: &[u8], now: Timestamp) -> bool {
    let named = |name: &str| header(&format!("webhook-{name}")).or_else(|| header(&format!("svix-{name}")));
    let (Some(id), Some(time), Some(signatures)) = (named("id"), named("timestamp"), named("signature")) else {
        return false;
    };
    let plain = secret.strip_prefix("whsec_");
    let keys = [STANDARD.decode(plain.unwrap_or(secret)).ok(), plain.is_none().then(|| secret.as_bytes().to_vec())];
    let parts = [id.as_bytes(), b".", time.as_bytes(), b".", body];
    let macs = signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    let mut macs = macs.take(MOST_SIGNATURES);
    is_near(time, now) && macs.any(|mac| keys.iter().flatten().any(|key| verifies::<Hmac<Sha256>>(key, &parts, &mac)))
}

/// Whether a time is near now; seconds and milliseconds are told apart by their size.
fn is_near(time: &str, now: Timestamp) -> bool {
    let Ok(number) = time.parse::<i64>() else { return false };
    let at = if number.unsigned_abs() >= MILLISECONDS.unsigned_abs() {
        Timestamp::from_millisecond(number)
    } else {
        Timestamp::from_second(number)
    };
    at.is_ok_and(|at| at.duration_since(now).unsigned_abs() <= TOLERANCE)
}

fn decoded(signature: &str) -> Option<Vec<u8>> {
    let byte = |at: usize| u8::from_str_radix(signature.get(at..at + 2)?, 16).ok();
    let is_hex = !signature.is_empty() && signature.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hex && matches!(signature.len(), 64 | 128) {
        return (0..signature.len()).step_by(2).map(byte).collect();
    }
    STANDARD.decode(signature).ok()
}

fn verifies<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]], mac: &[u8]) -> bool {
    let Ok(mut hash) = <M as KeyInit>::new_from_slice(key) else { return false };
    for part in parts {
        hash.update(part);
    }
    hash.verify_slice(mac).is_ok()
}

/// Compares through a keyed hash, whose comparison does not depend on where the two differ.
fn same(secret: &str, shown: &str) -> bool {
    let hash = |text: &str| {
        <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).map(|mut hash| {
            hash.update(text.as_bytes());
            hash
        })
    };
    let (Ok(ours), Ok(theirs)) = (hash(secret), hash(shown)) else { return false };
    theirs.verify_slice(&ours.finalize().into_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"message": {"type":"hang"}}"#;
    const NOW: i64 = 1_774_539_796;

    fn knows(secret: &str, headers: &[(&str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        super::knows(&secret.into(), &map, BODY, Timestamp::from_second(NOW).unwrap())
    }

    fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let mut hash = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().into_bytes().to_vec()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    #[test]
    fn the_secret_itself_is_taken_in_either_header() {
        assert!(knows("s3cret", &[("x-vapi-secret", "s3cret")]));
        assert!(knows("s3cret", &[("authorization", "Bearer s3cret")]));
        assert!(knows("s3cret", &[("authorization", "bearer s3cret")]));
        for (name, value) in [
            ("x-vapi-secret", "s3cre"),
            ("x-vapi-secret", ""),
            ("x-vapi-secret", "s3cret2"),
            ("authorization", "s3cret"),
            ("authorization", "Basic s3cret"),
            ("x-other", "s3cret"),
        ] {
            assert!(!knows("s3cret", &[(name, value)]), "{name}: {value}");
        }
        assert!(!knows("s3cret", &[]));
    }

    #[test]
    fn a_signature_holds_for_this_body_and_this_time() {
        for time in [NOW.to_string(), (NOW * 1000).to_string(), (NOW - 299).to_string()] {
            let signature = mac(b"s3cret", &[time.as_bytes(), b".", BODY]);
            for shown in [hex(&signature), format!("sha256={}", hex(&signature)), STANDARD.encode(&signature)] {
                assert!(knows("s3cret", &[("x-timestamp", &time), ("x-signature", &shown)]), "{time} {shown}");
                assert!(!knows("other", &[("x-timestamp", &time), ("x-signature", &shown)]));
            }
            let forged = mac(b"s3cret", &[time.as_bytes(), b".", b"another body"]);
            assert!(!knows("s3cret", &[("x-timestamp", &time), ("x-signature", &hex(&forged))]));
        }
        for time in
            [(NOW - 301).to_string(), (NOW + 301).to_string(), "soon".to_owned(), ((NOW - 301) * 1000).to_string()]
        {
            let signature = hex(&mac(b"s3cret", &[time.as_bytes(), b".", BODY]));
            assert!(!knows("s3cret", &[("x-timestamp", &time), ("x-signature", &signature)]), "replayed: {time}");
        }
    }

    #[test]
    fn standard_webhooks_are_taken_with_either_kind_of_secret() {
        let time = NOW.to_string();
        let key = [7_u8; 24];
        let prefixed = format!("whsec_{}", STANDARD.encode(key));
        let sign = |key: &[u8]| STANDARD.encode(mac(key, &[b"msg_1", b".", time.as_bytes(), b".", BODY]));
        let headers = |signature: String| {
            [("webhook-id", "msg_1".to_owned()), ("webhook-timestamp", time.clone()), ("webhook-signature", signature)]
        };
        let holds = |secret: &str, signature: String| {
            let headers = headers(signature);
            knows(secret, &headers.each_ref().map(|(name, value)| (*name, value.as_str())))
        };
        assert!(holds(&prefixed, format!("v1,{}", sign(&key))));
        assert!(holds(&prefixed, format!("v1,AAAA v1,{}", sign(&key))), "a secret that is being changed");
        assert!(holds("plain words", format!("v1,{}", sign(b"plain words"))));
        assert!(!holds(&prefixed, sign(&key)), "no version");
        assert!(!holds(&prefixed, format!("v1,{}", sign(prefixed.as_bytes()))));
        assert!(!holds("whsec_", format!("v1,{}", sign(b"x"))));
    }
}
