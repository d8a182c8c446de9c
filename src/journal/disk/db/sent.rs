//! Statements and values on their way to a server.

use std::future::poll_fn;
use std::task::Poll;

use futures_util::future::maybe_done;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use super::dialect::translated;
use super::value::Value;

/// A value and its kind, so that nothing has to be asked before.
type Given = (Box<dyn ToSql + Sync + Send>, Type);

fn given(values: &[Value<'_>]) -> Vec<Given> {
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

fn borrowed(given: &[Given]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    given.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect()
}

/// A statement with its values.
pub(super) struct Statement {
    sql: String,
    values: Vec<Given>,
    /// What was given, to be compared.
    shown: String,
}

impl PartialEq for Statement {
    fn eq(&self, other: &Self) -> bool {
        (&self.sql, &self.shown) == (&other.sql, &other.shown)
    }
}

impl Statement {
    pub(super) fn new(sql: &str, values: &[Value<'_>]) -> Self {
        Self { sql: translated(sql), values: given(values), shown: format!("{values:?}") }
    }

    pub(super) async fn execute(&self, client: &Client) -> Result<u64, Error> {
        client.execute_typed(&self.sql, &borrowed(&self.values)).await
    }

    pub(super) async fn query(&self, client: &Client) -> Result<Vec<Row>, Error> {
        client.query_typed(&self.sql, &borrowed(&self.values)).await
    }
}

/// Several statements in one round trip.
pub(super) async fn read_all(client: &Client, statements: Vec<Statement>) -> Result<Vec<(Statement, Vec<Row>)>, Error> {
    let rows = in_order(statements.iter().map(|statement| statement.query(client))).await;
    let rows = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(statements.into_iter().zip(rows).collect())
}

/// Waits for all of these, each of which is first polled after those before it: a request is sent when it is first
/// polled, and a connection carries requests out in the order in which they were sent.
pub(super) async fn in_order<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = futures.map(|one| Box::pin(maybe_done(one))).collect();
    poll_fn(|context| {
        let polls = all.iter_mut().map(|one| one.as_mut().poll(context).is_pending());
        if polls.fold(false, |one, other| one | other) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    all.iter_mut().filter_map(|one| one.as_mut().take_output()).collect()
}
