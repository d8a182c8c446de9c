//! Many rows at once: the text form of `COPY` (<https://www.postgresql.org/docs/current/sql-copy.html>).

use std::fmt::Write;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio_postgres::CopyInSink;

use super::super::super::Error;
use super::postgres::Postgres;
use super::value::Value;

/// How much is sent at once.
const CHUNK: usize = 64 << 10;

/// Rows on their way into a table. Unless it is finished, none of them arrives.
pub(in super::super) struct Copying<'a> {
    server: &'a Postgres,
    sink: Option<Pin<Box<CopyInSink<Bytes>>>>,
    buffer: String,
}

impl Postgres {
    /// Begins to copy rows into a table.
    pub(in super::super) fn copy_into(&self, sql: &str) -> Result<Copying<'_>, Error> {
        let (client, sql) = (self.raw()?, sql.to_owned());
        let sink = self.answer(async move { Arc::clone(&client).copy_in::<_, Bytes>(&sql).await })?;
        Ok(Copying { server: self, sink: Some(Box::pin(sink)), buffer: String::with_capacity(CHUNK * 2) })
    }
}

impl Copying<'_> {
    /// One more row.
    pub(in super::super) fn row(&mut self, fields: &[Value<'_>]) -> Result<(), Error> {
        for (nth, field) in fields.iter().enumerate() {
            if nth > 0 {
                self.buffer.push('\t');
            }
            write(field, &mut self.buffer);
        }
        self.buffer.push('\n');
        if self.buffer.len() < CHUNK { Ok(()) } else { self.send() }
    }

    fn send(&mut self) -> Result<(), Error> {
        let Some(mut sink) = self.sink.take() else { return Ok(()) };
        let chunk = Bytes::copy_from_slice(self.buffer.as_bytes());
        self.buffer.clear();
        let sent = self.server.answer(async move {
            sink.as_mut().send(chunk).await?;
            Ok(sink)
        })?;
        self.sink = Some(sent);
        Ok(())
    }

    /// The rows have all come.
    pub(in super::super) fn finish(mut self) -> Result<u64, Error> {
        self.send()?;
        let Some(mut sink) = self.sink.take() else { return Ok(0) };
        self.server.answer(async move { sink.as_mut().finish().await })
    }
}

fn write(field: &Value<'_>, into: &mut String) {
    // Writing to a text cannot fail.
    let _ = match field {
        Value::Int(Some(number)) => write!(into, "{number}"),
        Value::Real(Some(number)) => write!(into, "{number}"),
        Value::Text(Some(text)) => {
            escape(text, into);
            Ok(())
        }
        Value::Blob(Some(bytes)) => {
            into.push_str("\\\\x");
            bytes.iter().try_for_each(|byte| write!(into, "{byte:02x}"))
        }
        // No table has a column of lists.
        _ => write!(into, "\\N"),
    };
}

fn escape(field: &str, into: &mut String) {
    for letter in field.chars() {
        match letter {
            '\\' => into.push_str("\\\\"),
            '\t' => into.push_str("\\t"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\0' => into.push('\u{fffd}'),
            letter => into.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_field_is_escaped() {
        let written = |value: Value<'_>| {
            let mut text = String::new();
            write(&value, &mut text);
            text
        };
        assert_eq!(written("a\tb\\n\n\0".into()), "a\\tb\\\\n\\n\u{fffd}");
        assert_eq!(written(Value::Blob(Some(&[0, 255]))), "\\\\x00ff");
        assert_eq!((written(Some(0.1).into()), written(None::<u32>.into())), ("0.1".to_owned(), "\\N".to_owned()));
    }
}
