//! What is bound to a query, and how each database takes it.

use serde::{Serialize, Serializer as _};
use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use uuid::Uuid;

/// A value that is bound; `None` is SQL's null of that type.
#[derive(Clone, Debug)]
pub enum Value {
    /// `bigint`
    Integer(Option<i64>),
    /// `boolean`
    Boolean(bool),
    /// `text`
    Text(Option<String>),
    /// `bytea`
    Bytes(Vec<u8>),
    /// `uuid`
    Id(Option<Uuid>),
    /// A list for [`Database::ids`](super::Database::ids).
    Ids(Vec<Uuid>),
    /// `bigint[]`, or a JSON array.
    Integers(Vec<i64>),
    /// `text[]`, or a JSON array.
    Texts(Vec<String>),
    /// `bytea[]`, or a JSON array in hexadecimal.
    Blobs(Vec<Vec<u8>>),
}

macro_rules! value {
    ($($from:ty => |$value:ident| $make:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $make
            }
        }
    )*};
}

value! {
    i64 => |value| Self::Integer(Some(value));
    Option<i64> => |value| Self::Integer(value);
    bool => |value| Self::Boolean(value);
    &str => |value| Self::Text(Some(value.to_owned()));
    String => |value| Self::Text(Some(value));
    &String => |value| Self::Text(Some(value.clone()));
    Option<&str> => |value| Self::Text(value.map(str::to_owned));
    &[u8] => |value| Self::Bytes(value.to_vec());
    Vec<u8> => |value| Self::Bytes(value);
    &Vec<u8> => |value| Self::Bytes(value.clone());
    Uuid => |value| Self::Id(Some(value));
    Option<Uuid> => |value| Self::Id(value);
    &[Uuid] => |value| Self::Ids(value.to_vec());
    Vec<Uuid> => |value| Self::Ids(value);
    Vec<i64> => |value| Self::Integers(value);
    &[String] => |value| Self::Texts(value.to_vec());
    Vec<String> => |value| Self::Texts(value);
    Vec<Vec<u8>> => |value| Self::Blobs(value);
}

/// Values as SQLite takes them: of lists JSON arrays, as `json_each` reads them.
pub(super) fn sqlite(values: Vec<Value>) -> sqlx::Result<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Integer(value) => arguments.add(value),
            Value::Boolean(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
            Value::Id(value) => arguments.add(value),
            Value::Ids(value) => arguments.add(array(value.iter().map(|id| id.simple()))),
            Value::Integers(value) => arguments.add(array(value)),
            Value::Texts(value) => arguments.add(array(value)),
            Value::Blobs(value) => {
                arguments.add(array(value.iter().map(|bytes| crate::hex(bytes))))
            }
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Values as PostgreSQL takes them.
pub(super) fn postgres(values: Vec<Value>) -> sqlx::Result<PgArguments> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Integer(value) => arguments.add(value),
            Value::Boolean(value) => arguments.add(value),
            // PostgreSQL has no text with this character.
            Value::Text(value) => arguments.add(value.map(|text| text.replace('\0', "\u{fffd}"))),
            Value::Bytes(value) => arguments.add(value),
            Value::Id(value) => arguments.add(value),
            Value::Ids(value) => arguments.add(value),
            Value::Integers(value) => arguments.add(value),
            Value::Texts(value) => arguments.add(value),
            Value::Blobs(value) => arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Values as a JSON array, identifiers and bytes as hexadecimal strings for `unhex`. Of rows, which are
/// arrays themselves, `jsonb_each` gives what `->>` reads as it is; `json_each` would make a text of each,
/// to be parsed again for each of its columns.
pub fn array<T: Serialize>(values: impl IntoIterator<Item = T>) -> String {
    let mut text = Vec::new();
    // They are plain data, so neither of these can fail.
    let _ = serde_json::Serializer::new(&mut text).collect_seq(values);
    String::from_utf8(text).unwrap_or_default()
}
