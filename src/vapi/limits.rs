//! `subscriptionLimits`, wherever a body carries them.

use serde_json::Value;

use super::scan;
use crate::pool::news::Limits;

/// The limits in an object of their own; `None` where it says nothing of them.
pub(super) fn read(object: &Value) -> Option<Limits> {
    let fields = object.as_object()?;
    let names = ["concurrencyBlocked", "concurrencyLimit", "remainingConcurrentCalls"];
    let [blocked, limit, remaining] = names.map(|name| fields.get(name));
    blocked.or(limit).or(remaining)?;
    Some(Limits {
        blocked: blocked.is_some_and(scan::flag),
        limit: limit.and_then(scan::whole),
        remaining: remaining.and_then(scan::whole),
    })
}

/// The limits anywhere in a body, the outermost first.
pub(super) fn find(body: &Value) -> Option<Limits> {
    read(body).or_else(|| match body {
        Value::Object(fields) => fields.values().find_map(find),
        Value::Array(items) => items.iter().find_map(find),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_are_found_at_any_depth() {
        let limits = json!({ "concurrencyBlocked": true, "concurrencyLimit": "10", "remainingConcurrentCalls": -1.0 });
        let expected = Some(Limits { blocked: true, limit: Some(10), remaining: Some(-1) });
        assert_eq!(find(&limits), expected);
        assert_eq!(find(&json!({ "statusCode": 400, "subscriptionLimits": limits })), expected);
        assert_eq!(find(&json!([{ "error": { "error": { "subscriptionLimits": limits } } }])), expected);
    }

    #[test]
    fn what_is_absent_or_odd_stays_unknown() {
        for body in
            [json!({}), json!(null), json!([]), json!("concurrencyLimit"), json!({ "subscriptionLimits": null })]
        {
            assert_eq!(find(&body), None, "{body}");
        }
        let odd = json!({ "concurrencyBlocked": "no", "concurrencyLimit": {}, "remainingConcurrentCalls": 1e99 });
        assert_eq!(find(&odd), Some(Limits::default()));
    }
}
