//! Appending: one record, its payload and the moved chain end, in the caller's transaction.
use super::hash::Hash;
use super::record::{Record, Salt, canonical_json, payload_hash};
use super::store;
use db::{DbError, Tx};
use serde_json::Value;

/// What the caller knows about a mark. Nothing of it may be personal data in clear.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Milliseconds UTC.
    pub at: i64,
    /// `account:ID`, `resident` or `system:NAME`.
    pub actor: String,
    /// For example `case.accepted`.
    pub action: &'a str,
    /// `KIND:ID`, or the kind alone of what there is one of.
    pub subject: String,
    /// Key of the purpose.
    pub purpose: String,
    /// Version of the pack in force; empty where there is none.
    pub rule_version: String,
    /// Ids, states, numbers, hashes of texts.
    pub body: &'a Value,
    /// Fresh randomness.
    pub salt: Salt,
}

/// Where a record stands: chain and place in it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
pub struct LedgerRef {
    /// Which chain.
    pub strand: i64,
    /// Which record of it, from 1.
    pub seq: i64,
}

impl std::fmt::Display for LedgerRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.strand, self.seq)
    }
}

impl std::str::FromStr for LedgerRef {
    type Err = NotARef;
    fn from_str(text: &str) -> Result<Self, NotARef> {
        let (strand, seq) = text.split_once('/').ok_or(NotARef)?;
        Ok(Self {
            strand: strand.parse().map_err(|_| NotARef)?,
            seq: seq.parse().map_err(|_| NotARef)?,
        })
    }
}

/// The text does not name a record: `STRAND/SEQ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place in the ledger (STRAND/SEQ)")]
pub struct NotARef;

/// Where the chain of this writer ends, known to the transaction that wrote there last.
struct End(i64, Hash);

/// Appends records to the chain of this writer, in this order: nothing else writes to that chain while the transaction runs.
/// Parts call `tx.record`, which calls this.
pub fn append<'e>(tx: &mut Tx<'_>, entries: impl IntoIterator<Item = Entry<'e>>) -> Result<Vec<LedgerRef>, DbError> {
    let strand = tx.strand();
    let end = match tx.remembered() {
        Some(End(seq, hash)) => Some((*seq, *hash)),
        None => store::head_of(tx, strand)?,
    };
    let (mut seq, mut prev_hash) = end.unwrap_or((0, Hash::ZERO));
    let mut new = Vec::new();
    for entry in entries {
        let body = canonical_json(entry.body);
        seq += 1;
        let record = Record {
            strand,
            seq,
            at: entry.at,
            actor: entry.actor,
            action: entry.action.into(),
            subject: entry.subject,
            purpose: entry.purpose,
            rule_version: entry.rule_version,
            payload_hash: payload_hash(&entry.salt, &body),
            prev_hash,
        };
        prev_hash = record.hash();
        new.push(store::New {
            hash: prev_hash,
            salt: entry.salt,
            body,
            record,
        });
    }
    store::insert(tx, &new)?;
    tx.remember(End(seq, prev_hash));
    let place = |new: &store::New| LedgerRef {
        strand,
        seq: new.record.seq,
    };
    Ok(new.iter().map(place).collect())
}
