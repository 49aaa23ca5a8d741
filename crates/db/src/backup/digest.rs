//! A table's checksum: the sum of its rows' SHA-256 in four lanes, so that the order of the rows does not matter and they can be streamed.
//! It finds damage and loss; it is not a defence against someone who forges rows (the ledger is).

use super::TableReport;
use crate::Value;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

pub(super) struct TableDigest {
    name: String,
    rows: u64,
    lanes: [u64; 4],
}

impl TableDigest {
    /// The columns are part of it: name them in the order the rows will have.
    pub(super) fn new(name: &str, columns: &[String]) -> TableDigest {
        let mut digest = TableDigest {
            name: name.to_owned(),
            rows: 0,
            lanes: [0; 4],
        };
        digest.add(&Sha256::digest(columns.join(",")));
        digest
    }

    pub(super) fn row<'v>(&mut self, values: impl Iterator<Item = ValueRef<'v>>) {
        let mut hash = Sha256::new();
        for value in values {
            field(&mut hash, value);
        }
        self.rows += 1;
        self.add(&hash.finalize());
    }

    fn add(&mut self, hash: &[u8]) {
        for (lane, part) in self.lanes.iter_mut().zip(hash.chunks_exact(8)) {
            *lane = lane.wrapping_add(part.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        }
    }

    pub(super) fn report(self) -> TableReport {
        let checksum = self.lanes.iter().map(|lane| format!("{lane:016x}")).collect();
        TableReport {
            name: self.name,
            rows: self.rows,
            checksum,
        }
    }
}

fn field(hash: &mut Sha256, value: ValueRef<'_>) {
    let mut sized = |tag: u8, bytes: &[u8]| {
        hash.update([tag]);
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    match value {
        ValueRef::Null => sized(0, &[]),
        ValueRef::Integer(number) => sized(1, &number.to_be_bytes()),
        // SQLite keeps no sign on zero.
        ValueRef::Real(number) => sized(2, &(number + 0.0).to_be_bytes()),
        ValueRef::Text(bytes) => sized(3, bytes),
        ValueRef::Blob(bytes) => sized(4, bytes),
    }
}

/// The value as SQLite lends it.
pub(super) fn lend(value: &Value) -> ValueRef<'_> {
    match value {
        Value::Null => ValueRef::Null,
        Value::Int(number) => ValueRef::Integer(*number),
        Value::Real(number) => ValueRef::Real(*number),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Blob(bytes) => ValueRef::Blob(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checksum(rows: &[&[Value]]) -> String {
        let mut digest = TableDigest::new("t", &["a".into(), "b".into()]);
        rows.iter().for_each(|row| digest.row(row.iter().map(lend)));
        digest.report().checksum
    }

    #[test]
    fn order_does_not_matter_content_does() {
        let (one, two): ([Value; 2], [Value; 2]) = ([1.into(), "ab".into()], [2.into(), Value::Null]);
        assert_eq!(checksum(&[&one, &two]), checksum(&[&two, &one]));
        assert_ne!(checksum(&[&one, &one]), checksum(&[&two, &two]));
        assert_ne!(
            checksum(&[&["ab".into(), "c".into()]]),
            checksum(&[&["a".into(), "bc".into()]])
        );
        assert_ne!(
            checksum(&[&["1".into(), Value::Null]]),
            checksum(&[&[1.into(), Value::Null]])
        );
        assert_eq!(
            checksum(&[&[(-0.0).into(), Value::Null]]),
            checksum(&[&[0.0.into(), Value::Null]])
        );
    }
}
