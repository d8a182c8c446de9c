//! Values on their way to a server.

use tokio_postgres::types::{ToSql, Type};

use super::value::Value;

/// A value and its kind, so that nothing has to be asked before.
pub(super) type Given = (Box<dyn ToSql + Sync + Send>, Type);

pub(super) fn given(values: &[Value<'_>]) -> Vec<Given> {
    let owned = |value: &Value<'_>| -> Given {
        match *value {
            Value::Int(number) => (Box::new(number), Type::INT8),
            Value::Real(number) => (Box::new(number), Type::FLOAT8),
            // A text of theirs cannot hold a zero byte.
            Value::Text(text) => (Box::new(text.map(|text| text.replace('\0', "\u{fffd}"))), Type::TEXT),
            Value::Blob(bytes) => (Box::new(bytes.map(<[u8]>::to_vec)), Type::BYTEA),
            Value::Ints(numbers) => (Box::new(numbers.to_vec()), Type::INT8_ARRAY),
            Value::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
                (Box::new(texts), Type::TEXT_ARRAY)
            }
        }
    };
    values.iter().map(owned).collect()
}

pub(super) fn borrowed(given: &[Given]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    given.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect()
}
