//! Statements on SQLite.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, ToSql};

use super::super::super::Error;
use super::value::{Row, Value};

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let borrowed = match self {
            Self::Int(None) | Self::Real(None) | Self::Text(None) | Self::Blob(None) => ValueRef::Null,
            Self::Int(Some(number)) => ValueRef::Integer(*number),
            Self::Real(Some(number)) => ValueRef::Real(*number),
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Blob(Some(bytes)) => ValueRef::Blob(bytes),
            // A list goes in as JSON, for `json_each`.
            Self::Ints(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                return Ok(format!("[{}]", numbers.join(",")).into());
            }
            Self::Texts(texts) => return Ok(serde_json::to_string(texts).unwrap_or_default().into()),
        };
        Ok(ToSqlOutput::Borrowed(borrowed))
    }
}

fn bound<'a>(db: &'a Connection, sql: &str, params: &[Value<'_>]) -> rusqlite::Result<CachedStatement<'a>> {
    let mut statement = db.prepare_cached(sql)?;
    for (nth, value) in params.iter().enumerate() {
        statement.raw_bind_parameter(nth + 1, value)?;
    }
    Ok(statement)
}

pub(super) fn execute(db: &Connection, sql: &str, params: &[Value<'_>]) -> Result<u64, Error> {
    Ok(bound(db, sql, params)?.raw_execute()? as u64)
}

/// Hands over each row until it says no.
pub(super) fn each(
    db: &Connection,
    sql: &str,
    params: &[Value<'_>],
    each: &mut dyn FnMut(&Row<'_>) -> Result<bool, Error>,
) -> Result<(), Error> {
    let mut statement = bound(db, sql, params)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if !each(&Row::Sqlite(row))? {
            break;
        }
    }
    Ok(())
}

/// Begins a transaction that is the only one to write from its beginning; false where somebody else writes.
pub(super) fn begin(db: &Connection) -> rusqlite::Result<bool> {
    match db.execute_batch("BEGIN IMMEDIATE") {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
        begun => begun.map(|()| true),
    }
}

/// Ends the transaction that was begun: what was done in it stays if that went well.
pub(super) fn end<T>(db: &Connection, done: Result<T, Error>) -> Result<T, Error> {
    let done = done.and_then(|done| Ok(db.execute_batch("COMMIT").map(|()| done)?));
    // Some errors take everything back themselves.
    if done.is_err() && !db.is_autocommit() {
        db.execute_batch("ROLLBACK")?;
    }
    done
}
