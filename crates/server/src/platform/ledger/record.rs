//! What one record of the ledger is, and how it is hashed. Pure; the format is written down in `docs/operations/ledger.md`
//! and is for ever: a change of it is a new version beside the old one.
use super::hash::Hash;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// First element of what is hashed: keeps a record's hash from ever meaning something else.
const RECORD_VERSION: &str = "wangge-record-v1";

/// One mark: who did what to what, when, for what purpose, under which rules. No personal data: the payload is only hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = LedgerRecord)]
pub struct Record {
    /// Which chain: the number of the writer that appended it; 0 on SQLite.
    pub strand: i64,
    /// Place in the chain, from 1, without gaps.
    pub seq: i64,
    /// Milliseconds UTC, as the server believed.
    pub at: i64,
    /// `account:ID`, `resident` or `system:NAME`.
    pub actor: String,
    /// For example `case.accepted`.
    pub action: String,
    /// `KIND:ID`, for example `case:0197...`.
    pub subject: String,
    pub purpose: String,
    /// Version of the pack that was in force; empty before a pack is installed.
    pub rule_version: String,
    /// `sha256(salt || canonical JSON of the body)`.
    #[schema(value_type = String)]
    pub payload_hash: Hash,
    /// Hash of the record before it in the same chain; zeros for the first.
    #[schema(value_type = String)]
    pub prev_hash: Hash,
}

impl Record {
    /// `sha256` of the compact JSON array of all fields in their order.
    pub fn hash(&self) -> Hash {
        Hash::of(&[self.canonical().as_bytes()])
    }

    /// The text that is hashed; `JSON.stringify` of the same array gives the same bytes.
    pub fn canonical(&self) -> String {
        serde_json::json!([
            RECORD_VERSION,
            self.strand,
            self.seq,
            self.at,
            self.actor,
            self.action,
            self.subject,
            self.purpose,
            self.rule_version,
            self.payload_hash,
            self.prev_hash,
        ])
        .to_string()
    }
}

/// Salt of one payload: without it the hash of a short text could be guessed; erased together with the body.
pub type Salt = [u8; 16];

/// Hash of a payload.
pub fn payload_hash(salt: &[u8], canonical_body: &str) -> Hash {
    Hash::of(&[salt, canonical_body.as_bytes()])
}

/// JSON with the keys of every object in byte order and no spaces: one value, one text.
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        simple => out.push_str(&simple.to_string()),
    }
}

/// A free text as it may stand in a mark: hashed with its own salt, so that the resident who has the text can show that
/// it is the one, and nobody can guess it from the ledger. Put it into the mark's body under the key `text`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextHash {
    /// Hexadecimal, 16 bytes.
    pub salt: String,
    /// `sha256(salt bytes || UTF-8 text)`.
    pub sha256: Hash,
}

impl TextHash {
    pub fn new(salt: Salt, text: &str) -> Self {
        Self {
            salt: hex::encode(salt),
            sha256: Hash::of(&[&salt, text.as_bytes()]),
        }
    }

    /// True iff this is the hash of `text`.
    pub fn matches(&self, text: &str) -> bool {
        hex::decode(&self.salt).is_ok_and(|salt| Hash::of(&[&salt, text.as_bytes()]) == self.sha256)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::json;

    pub fn example() -> Record {
        Record {
            strand: 0,
            seq: 7,
            at: 1_771_030_800_000,
            actor: "resident".into(),
            action: "case.received".into(),
            subject: "case:0197a".into(),
            purpose: "intake".into(),
            rule_version: "zhoushan-1".into(),
            payload_hash: Hash::of(&[b"payload"]),
            prev_hash: Hash::ZERO,
        }
    }

    #[test]
    fn the_hashed_text_is_the_documented_one() {
        let record = Record {
            actor: "引号\"与\n换行".into(),
            ..example()
        };
        insta::assert_snapshot!(record.canonical(), @r#"["wangge-record-v1",0,7,1771030800000,"引号\"与\n换行","case.received","case:0197a","intake","zhoushan-1","239f59ed55e737c77147cf55ad0c1b030b6d7ee748a7426952f9b852d5a935e5","0000000000000000000000000000000000000000000000000000000000000000"]"#);
    }

    #[test]
    fn every_field_counts() {
        let whole = example();
        let hash = whole.hash();
        let other = [
            Record {
                strand: 1,
                ..whole.clone()
            },
            Record {
                seq: 8,
                ..whole.clone()
            },
            Record { at: 1, ..whole.clone() },
            Record {
                actor: "account:1".into(),
                ..whole.clone()
            },
            Record {
                action: "x".into(),
                ..whole.clone()
            },
            Record {
                subject: "x".into(),
                ..whole.clone()
            },
            Record {
                purpose: "x".into(),
                ..whole.clone()
            },
            Record {
                rule_version: "x".into(),
                ..whole.clone()
            },
            Record {
                payload_hash: Hash::ZERO,
                ..whole.clone()
            },
            Record {
                prev_hash: Hash::of(&[]),
                ..whole.clone()
            },
        ];
        assert!(other.iter().all(|r| r.hash() != hash));
    }

    #[test]
    fn canonical_json_sorts_keys_at_every_depth() {
        let value = json!({"b": [1, {"z": null, "a": "引"}], "a": 1.5});
        assert_eq!(canonical_json(&value), r#"{"a":1.5,"b":[1,{"a":"引","z":null}]}"#);
    }

    #[test]
    fn a_text_matches_only_itself() {
        let hash = TextHash::new([3; 16], "路灯不亮");
        assert!(hash.matches("路灯不亮"));
        assert!(!hash.matches("路灯不亮。"));
    }
}
