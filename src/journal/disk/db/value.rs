//! What goes into a statement, and what comes out of a row.

use rusqlite::types::FromSql;

use super::super::super::Error;

/// What a statement is given.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Value<'a> {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<&'a str>),
    Blob(Option<&'a [u8]>),
    /// A list of numbers, for `IN (SELECT value FROM json_each(?))`.
    Ints(&'a [i64]),
    /// A list of texts, for the same.
    Texts(&'a [&'a str]),
}

/// The values of a statement, from whatever makes one.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::journal::disk::db::Value::from($value)),*] };
}
pub(in super::super) use values;

macro_rules! integers {
    ($($kind:ty)*) => {
        $(
            impl From<$kind> for Value<'_> {
                fn from(number: $kind) -> Self {
                    Self::Int(Some(i64::try_from(number).unwrap_or(i64::MAX)))
                }
            }
            impl From<Option<$kind>> for Value<'_> {
                fn from(number: Option<$kind>) -> Self {
                    Self::Int(number.map(|number| i64::try_from(number).unwrap_or(i64::MAX)))
                }
            }
        )*
    };
}
integers!(i64 u64 u32 usize bool);

impl From<Option<f64>> for Value<'_> {
    fn from(number: Option<f64>) -> Self {
        Self::Real(number)
    }
}

macro_rules! borrowed {
    ($($kind:ty => $variant:ident)*) => {
        $(
            impl<'a> From<&'a $kind> for Value<'a> {
                fn from(it: &'a $kind) -> Self {
                    Self::$variant(Some(it))
                }
            }
            impl<'a> From<Option<&'a $kind>> for Value<'a> {
                fn from(it: Option<&'a $kind>) -> Self {
                    Self::$variant(it.map(AsRef::as_ref))
                }
            }
        )*
    };
}
borrowed!(str => Text String => Text [u8] => Blob Vec<u8> => Blob);

/// A row that was found.
pub(in super::super) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    #[cfg(feature = "postgres")]
    Postgres(&'a tokio_postgres::Row),
}

/// What a column can be read as.
pub(in super::super) trait FromRow: FromSql {
    /// From what PostgreSQL has there, if it is that.
    #[cfg(feature = "postgres")]
    fn from_field(field: Field<'_>) -> Option<Self>;
}

/// What PostgreSQL has in a column.
#[cfg(feature = "postgres")]
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) enum Field<'a> {
    Null,
    Int(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

macro_rules! columns {
    ($($kind:ty: $field:pat => $read:expr;)*) => {
        $(
            impl FromRow for $kind {
                #[cfg(feature = "postgres")]
                fn from_field(field: Field<'_>) -> Option<Self> {
                    match field {
                        $field => $read,
                        _ => None,
                    }
                }
            }
            impl FromRow for Option<$kind> {
                #[cfg(feature = "postgres")]
                fn from_field(field: Field<'_>) -> Option<Self> {
                    if field == Field::Null { Some(None) } else { <$kind>::from_field(field).map(Some) }
                }
            }
        )*
    };
}
columns! {
    i64: Field::Int(number) => Some(number);
    u64: Field::Int(number) => number.try_into().ok();
    u32: Field::Int(number) => number.try_into().ok();
    usize: Field::Int(number) => number.try_into().ok();
    bool: Field::Int(number) => Some(number != 0);
    f64: Field::Real(number) => Some(number);
    String: Field::Text(text) => Some(text.to_owned());
    Vec<u8>: Field::Blob(bytes) => Some(bytes.to_vec());
}

#[cfg(feature = "postgres")]
impl<'a> tokio_postgres::types::FromSql<'a> for Field<'a> {
    fn from_sql(
        kind: &tokio_postgres::types::Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        use tokio_postgres::types::Type;

        Ok(match *kind {
            Type::INT8 => Self::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(kind, raw)?.into()),
            Type::BOOL => Self::Int(bool::from_sql(kind, raw)?.into()),
            Type::FLOAT8 => Self::Real(f64::from_sql(kind, raw)?),
            Type::BYTEA => Self::Blob(raw),
            _ => Self::Text(<&str>::from_sql(kind, raw)?),
        })
    }

    fn from_sql_null(_: &tokio_postgres::types::Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(kind: &tokio_postgres::types::Type) -> bool {
        use tokio_postgres::types::Type;

        let known = [Type::INT8, Type::INT4, Type::BOOL, Type::FLOAT8, Type::BYTEA, Type::TEXT, Type::VARCHAR];
        known.contains(kind)
    }
}

impl Row<'_> {
    /// A column, which has to be what it is read as.
    pub(in super::super) fn get<T: FromRow>(&self, column: usize) -> Result<T, Error> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => field(row, column).and_then(|field| {
                T::from_field(field).ok_or_else(|| Error::damaged(format!("column {column} holds {field:?}")))
            }),
        }
    }

    /// A column, whatever it is, as it lies in the row.
    pub(in super::super) fn value(&self, column: usize) -> Result<Value<'_>, Error> {
        use rusqlite::types::ValueRef;

        match self {
            Self::Sqlite(row) => Ok(match row.get_ref(column)? {
                ValueRef::Null => Value::Int(None),
                ValueRef::Integer(number) => Value::Int(Some(number)),
                ValueRef::Real(number) => Value::Real(Some(number)),
                ValueRef::Blob(bytes) => Value::Blob(Some(bytes)),
                text @ ValueRef::Text(_) => {
                    Value::Text(Some(text.as_str().map_err(|error| Error::damaged(error.to_string()))?))
                }
            }),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => field(row, column).map(|field| match field {
                Field::Null => Value::Int(None),
                Field::Int(number) => Value::Int(Some(number)),
                Field::Real(number) => Value::Real(Some(number)),
                Field::Text(text) => Value::Text(Some(text)),
                Field::Blob(bytes) => Value::Blob(Some(bytes)),
            }),
        }
    }

    /// A column's text, as it lies in the row.
    pub(in super::super) fn text(&self, column: usize) -> Result<&str, Error> {
        match self {
            Self::Sqlite(row) => row.get_ref(column)?.as_str().map_err(|error| Error::damaged(error.to_string())),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => match field(row, column)? {
                Field::Text(text) => Ok(text),
                field => Err(Error::damaged(format!("column {column} holds {field:?}"))),
            },
        }
    }
}

#[cfg(feature = "postgres")]
fn field(row: &tokio_postgres::Row, column: usize) -> Result<Field<'_>, Error> {
    row.try_get(column).map_err(|error| Error::damaged(error.to_string()))
}
