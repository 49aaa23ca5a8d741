//! Values on their way in and out: the four storage types both databases share, and rows of them.
//!
//! Must not know a driver.

use crate::DbError;
use std::sync::Arc;

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
    /// The value, lent.
    pub fn lend(&self) -> ValueRef<'_> {
        match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Int(*number),
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
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

/// A [`Value`] that lies elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    Null,
    Int(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl ValueRef<'_> {
    /// What it is, in a word, for messages. Never the content, which may be personal.
    pub fn kind(self) -> &'static str {
        match self {
            ValueRef::Null => "null",
            ValueRef::Int(_) => "an integer",
            ValueRef::Real(_) => "a real number",
            ValueRef::Text(_) => "text",
            ValueRef::Blob(_) => "a blob",
        }
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Value::Null,
            ValueRef::Int(number) => Value::Int(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(text) => Value::Text(text.to_owned()),
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
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
    fn from_value(value: ValueRef<'_>) -> Result<Self, &'static str>;
}

macro_rules! read_integer {
    ($($kind:ty),*) => { $(impl FromValue for $kind {
        fn from_value(value: ValueRef<'_>) -> Result<Self, &'static str> {
            match value {
                ValueRef::Int(number) => <$kind>::try_from(number).map_err(|_| concat!("an integer within ", stringify!($kind))),
                _ => Err("an integer"),
            }
        }
    })* };
}
read_integer!(i64, i32, i16, u64, u32, u16, u8, usize);

impl FromValue for bool {
    fn from_value(value: ValueRef<'_>) -> Result<Self, &'static str> {
        match value {
            ValueRef::Int(0) => Ok(false),
            ValueRef::Int(1) => Ok(true),
            _ => Err("0 or 1"),
        }
    }
}

impl FromValue for f64 {
    fn from_value(value: ValueRef<'_>) -> Result<Self, &'static str> {
        match value {
            ValueRef::Real(number) => Ok(number),
            ValueRef::Int(number) => Ok(number as f64),
            _ => Err("a number"),
        }
    }
}

impl FromValue for String {
    fn from_value(value: ValueRef<'_>) -> Result<Self, &'static str> {
        match value {
            ValueRef::Text(text) => Ok(text.to_owned()),
            _ => Err("text"),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: ValueRef<'_>) -> Result<Self, &'static str> {
        match value {
            ValueRef::Blob(bytes) => Ok(bytes.to_vec()),
            _ => Err("a blob"),
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: ValueRef<'_>) -> Result<Self, &'static str> {
        match value {
            ValueRef::Blob(bytes) => bytes.try_into().map_err(|_| "a blob of the right length"),
            _ => Err("a blob"),
        }
    }
}

impl FromValue for Value {
    fn from_value(value: ValueRef<'_>) -> Result<Self, &'static str> {
        Ok(value.into())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: ValueRef<'_>) -> Result<Self, &'static str> {
        match value {
            ValueRef::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

/// All rows of one answer with their texts and blobs end to end, so that a page of wide rows costs a few allocations, not one a value.
#[derive(Debug)]
pub(crate) struct Answer {
    width: usize,
    cells: Vec<Cell>,
    text: String,
    bytes: Vec<u8>,
}

/// A value of an answer; texts and blobs by where they begin and end.
#[derive(Debug)]
enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(u32, u32),
    Blob(u32, u32),
}

impl Answer {
    pub(crate) fn new(width: usize) -> Answer {
        Answer {
            width,
            cells: Vec::new(),
            text: String::new(),
            bytes: Vec::new(),
        }
    }

    /// Adds the next value, row by row.
    pub(crate) fn push(&mut self, value: ValueRef<'_>) -> Result<(), DbError> {
        let place = |length: usize| u32::try_from(length).map_err(|_| DbError::Other("an answer of over 4 GiB".into()));
        self.cells.push(match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Int(number) => Cell::Int(number),
            ValueRef::Real(number) => Cell::Real(number),
            ValueRef::Text(text) => {
                let from = place(self.text.len())?;
                self.text.push_str(text);
                Cell::Text(from, place(self.text.len())?)
            }
            ValueRef::Blob(bytes) => {
                let from = place(self.bytes.len())?;
                self.bytes.extend_from_slice(bytes);
                Cell::Blob(from, place(self.bytes.len())?)
            }
        });
        Ok(())
    }

    /// Its rows.
    pub(crate) fn rows(self) -> Vec<Row> {
        let answer = Arc::new(self);
        let begins = (0..answer.cells.len()).step_by(answer.width.max(1));
        begins
            .map(|first| Row {
                answer: Arc::clone(&answer),
                first,
            })
            .collect()
    }
}

/// One row of an answer; columns count from 0. It keeps the whole answer in memory.
#[derive(Debug, Clone)]
pub struct Row {
    answer: Arc<Answer>,
    first: usize,
}

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
            ValueRef::Text(text) => Ok(text),
            other => Err(DbError::Column {
                index,
                expected: "text",
                found: other.kind(),
            }),
        }
    }

    /// The column as it came.
    fn value(&self, index: usize) -> Result<ValueRef<'_>, DbError> {
        let answer = &*self.answer;
        let cell = answer.cells.get(self.first + index).filter(|_| index < answer.width);
        Ok(match cell {
            Some(Cell::Null) => ValueRef::Null,
            Some(Cell::Int(number)) => ValueRef::Int(*number),
            Some(Cell::Real(number)) => ValueRef::Real(*number),
            Some(Cell::Text(from, to)) => ValueRef::Text(&answer.text[*from as usize..*to as usize]),
            Some(Cell::Blob(from, to)) => ValueRef::Blob(&answer.bytes[*from as usize..*to as usize]),
            None => {
                return Err(DbError::Column {
                    index,
                    expected: "a column",
                    found: "no such column",
                });
            }
        })
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.answer.width
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_keep_their_own_values() {
        let mut answer = Answer::new(3);
        let rows = [
            [ValueRef::Text("网格"), ValueRef::Blob(&[1, 2]), ValueRef::Null],
            [ValueRef::Text(""), ValueRef::Int(7), ValueRef::Real(0.5)],
            [ValueRef::Text("员"), ValueRef::Blob(&[]), ValueRef::Blob(&[3])],
        ];
        for value in rows.as_flattened() {
            answer.push(*value).unwrap();
        }
        let read = answer.rows();
        assert_eq!(read.len(), rows.len());
        for (row, values) in read.iter().zip(rows) {
            let found: Vec<ValueRef<'_>> = (0..3).map(|index| row.value(index).unwrap()).collect();
            assert_eq!(found, values);
            // The next row's first column is not this row's fourth.
            assert!(row.value(3).is_err());
        }
        assert_eq!(read[1].get::<i64>(1), Ok(7));
        assert_eq!(read[0].text(0), Ok("网格"));
        assert!(Answer::new(2).rows().is_empty());
    }
}
