//! What a server says when something goes wrong, and whether the same may go well in a moment.

use std::path::PathBuf;

use super::super::super::Error;
use super::postgres::Postgres;

/// Cut off, shut down, starting, full, waited too long, read-only after a failover, or one of two at the same row: the
/// same may go well in a moment.
const PASSING: [&str; 13] = [
    "57P01", "57P02", "57P03", "57P05", "53300", "55P03", "57014", "25P03", "25P04", "25006", "40001", "40P01", "23505",
];

impl Postgres {
    pub(super) fn wrong(&self, error: &tokio_postgres::Error) -> Error {
        let file = PathBuf::new();
        let Some(said) = error.as_db_error() else { return self.away(innermost(error)) };
        let what = crate::text::clean(said.message(), 300);
        let code = said.code().code();
        if PASSING.contains(&code) || code.starts_with("08") {
            self.away(what)
        } else if code == "53100" {
            Error::Full(file)
        } else if code.starts_with("XX0") {
            Error::Damage { file, what }
        } else if code.starts_with("28") || code == "3D000" || code == "42501" {
            Error::Database { place: self.target().shown().to_owned(), why: what }
        } else {
            Error::Trouble { file, what }
        }
    }
}

/// What lies at the bottom of an error.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    crate::text::clean(&error.to_string(), 300)
}
