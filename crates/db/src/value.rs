//! Values on their way in and out: the four storage types both databases share, and rows of them.
//!
//! Must not know a driver.

use crate::DbError;

/// One value, as both databases store it. Truth is `Int(0)` or `Int(1)`, time is text or an integer, JSON is text.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Value {
    /// What it is, in a word, for messages. Never the content, which may be personal.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Int(_) => "an integer",
            Value::Real(_) => "a real number",
            Value::Text(_) => "text",
            Value::Blob(_) => "a blob",
        }
    }

    /// Refuses what only one of the two databases could keep: NUL in text (PostgreSQL has none) and NaN (SQLite has none).
    pub(crate) fn portable(&self) -> Result<(), &'static str> {
        match self {
            Value::Text(text) if text.as_bytes().contains(&0) => Err("text with a NUL character cannot be stored"),
            Value::Real(number) if number.is_nan() => Err("a number that is not a number (NaN) cannot be stored"),
            _ => Ok(()),
        }
    }
}

/// The parameters of one statement: `tx.execute("update t set a = $1 where id = $2", &params![a, id])`.
#[macro_export]
macro_rules! params {
    () => { [] as [$crate::Value; 0] };
    ($($value:expr),+ $(,)?) => { [$($crate::Value::from($value)),+] };
}

macro_rules! from_integer {
    ($($kind:ty),*) => { $(impl From<$kind> for Value {
        fn from(value: $kind) -> Self {
            Value::Int(i64::from(value))
        }
    })* };
}
from_integer!(i64, i32, i16, i8, u32, u16, u8, bool);

impl From<usize> for Value {
    /// Lengths and counts in memory: never above `i64::MAX`.
    fn from(value: usize) -> Self {
        Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Value::Text(value.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Value::Blob(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Value::Blob(value.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Value::Blob(value.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(value: &[u8; N]) -> Self {
        Value::Blob(value.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// A type a column can be read as.
pub trait FromValue: Sized {
    /// The value, or what was expected instead.
    fn from_value(value: &Value) -> Result<Self, &'static str>;
}

macro_rules! read_integer {
    ($($kind:ty),*) => { $(impl FromValue for $kind {
        fn from_value(value: &Value) -> Result<Self, &'static str> {
            match value {
                Value::Int(number) => <$kind>::try_from(*number).map_err(|_| concat!("an integer within ", stringify!($kind))),
                _ => Err("an integer"),
            }
        }
    })* };
}
read_integer!(i64, i32, i16, u64, u32, u16, u8, usize);

impl FromValue for bool {
    fn from_value(value: &Value) -> Result<Self, &'static str> {
        match value {
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            _ => Err("0 or 1"),
        }
    }
}

impl FromValue for f64 {
    fn from_value(value: &Value) -> Result<Self, &'static str> {
        match value {
            Value::Real(number) => Ok(*number),
            Value::Int(number) => Ok(*number as f64),
            _ => Err("a number"),
        }
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Result<Self, &'static str> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err("text"),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Result<Self, &'static str> {
        match value {
            Value::Blob(bytes) => Ok(bytes.clone()),
            _ => Err("a blob"),
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: &Value) -> Result<Self, &'static str> {
        match value {
            Value::Blob(bytes) => bytes.as_slice().try_into().map_err(|_| "a blob of the right length"),
            _ => Err("a blob"),
        }
    }
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Result<Self, &'static str> {
        Ok(value.clone())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Result<Self, &'static str> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

/// One row of an answer; columns count from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub(crate) Vec<Value>);

impl Row {
    /// The column as the type asked for.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, DbError> {
        let value = self.value(index)?;
        T::from_value(value).map_err(|expected| DbError::Column {
            index,
            expected,
            found: value.kind(),
        })
    }

    /// The column's text without copying it.
    pub fn text(&self, index: usize) -> Result<&str, DbError> {
        match self.value(index)? {
            Value::Text(text) => Ok(text),
            other => Err(DbError::Column {
                index,
                expected: "text",
                found: other.kind(),
            }),
        }
    }

    /// The column as it came.
    pub fn value(&self, index: usize) -> Result<&Value, DbError> {
        self.0.get(index).ok_or(DbError::Column {
            index,
            expected: "a column",
            found: "no such column",
        })
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.0.len()
    }

    pub fn into_values(self) -> Vec<Value> {
        self.0
    }
}
