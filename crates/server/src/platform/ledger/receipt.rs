//! Receipts 回执: one JSON file by which a resident can check, without trusting the server, that what they said is in the
//! ledger as they said it. Pure: issuing reads the database elsewhere ([`super::issue`]). The portal page checks the same
//! file in the browser (`web/src/portal/receipt/verify.ts`); `vectors.json` beside it holds both to the same examples.
use super::hash::Hash;
use super::head::{PublicKey, TreeHead};
use super::record::{Record, TextHash, payload_hash};
use super::tree;
use crate::platform::i18n::{self, Lang};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The format's version.
pub const VERSION: u32 = 1;

/// What is recorded with a report and can be shown to whoever holds the receipt: no personal data, the text only as a hash.
/// A mark that a receipt is to be issued for has these keys in its body (see [`ReceiptFacts::into_body`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptFacts {
    /// Number of the case.
    pub number: String,
    pub report_id: String,
    /// RFC 3339, +08:00.
    pub received_at: String,
    /// Salted hash of the text the resident sent.
    pub text: TextHash,
}

impl ReceiptFacts {
    /// The mark's body: `more` (a JSON object) and these facts.
    pub fn into_body(self, mut more: Value) -> Value {
        let own = serde_json::to_value(self).expect("strings always serialise");
        if let (Value::Object(more), Value::Object(own)) = (&mut more, own) {
            more.extend(own);
        }
        more
    }
}

/// What was recorded, with the salt that makes its hash checkable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReceiptPayload {
    /// Hexadecimal.
    pub salt: String,
    /// The canonical JSON text, exactly as hashed.
    pub body: String,
}

/// The receipt file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Receipt {
    pub version: u32,
    /// Name of the place, for people.
    pub jurisdiction: String,
    pub number: String,
    pub report_id: String,
    pub received_at: String,
    /// `sha256(salt || text)`: check it with the text you sent.
    #[schema(value_type = String)]
    pub body_sha256: Hash,
    /// Hexadecimal.
    pub salt: String,
    pub record: Record,
    pub payload: ReceiptPayload,
    pub leaf_index: u64,
    pub tree_size: u64,
    #[schema(value_type = String)]
    pub root_hash: Hash,
    /// Siblings from the leaf up.
    #[schema(value_type = Vec<String>)]
    pub inclusion: Vec<Hash>,
    pub tree_head: TreeHead,
    /// Hexadecimal; compare it with the one the place publishes.
    pub public_key: String,
    /// What this file is, for the person who opens it.
    pub text_zh: String,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Check {
    /// Stable: `version`, `payload`, `contents`, `inclusion`, `signature`, `key`, `text`, `today`.
    pub name: &'static str,
    pub ok: bool,
    /// What that means, in words.
    pub text: String,
}

/// Everything that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Verdict {
    /// True iff every check is.
    pub ok: bool,
    pub checks: Vec<Check>,
}

impl Verdict {
    /// With one check more.
    pub fn and(mut self, name: &'static str, ok: bool, lang: Lang) -> Verdict {
        self.ok &= ok;
        let text = say(name, ok, lang);
        self.checks.push(Check { name, ok, text });
        self
    }
}

impl Receipt {
    /// Puts a receipt together; none when the mark has not the facts of a report, or its payload was erased.
    pub fn assemble(
        jurisdiction: String,
        record: Record,
        payload: ReceiptPayload,
        leaf_index: u64,
        inclusion: Vec<Hash>,
        tree_head: TreeHead,
        key: &PublicKey,
    ) -> Option<Receipt> {
        let facts: ReceiptFacts = serde_json::from_str(&payload.body).ok()?;
        let text_zh = format!(
            "这是“{jurisdiction}”于 {} 收到您的诉求（编号 {}）的回执。任何人都可以用它核对：您的原话已经存证，之后没有被改动。\
             核对方法：门户“核对回执”页面，或离线运行 wangge verify receipt 本文件。请妥善保存。",
            facts.received_at, facts.number
        );
        Some(Receipt {
            version: VERSION,
            jurisdiction,
            number: facts.number,
            report_id: facts.report_id,
            received_at: facts.received_at,
            body_sha256: facts.text.sha256,
            salt: facts.text.salt,
            record,
            payload,
            leaf_index,
            tree_size: tree_head.size,
            root_hash: tree_head.root,
            inclusion,
            tree_head,
            public_key: key.to_hex(),
            text_zh,
        })
    }

    /// Checks everything that can be checked without the server. `published` is the place's key from another source (its page,
    /// a notice); `text` is what the resident sent. Without them those two checks are left out.
    pub fn verify(&self, published: Option<&PublicKey>, text: Option<&str>, lang: Lang) -> Verdict {
        let own_key = PublicKey::parse(&self.public_key);
        let mut checks = vec![
            ("version", self.version == VERSION),
            ("payload", self.payload_is_the_recorded_one()),
            ("contents", self.says_what_was_recorded()),
            ("inclusion", self.is_in_the_tree()),
            (
                "signature",
                own_key.as_ref().is_some_and(|key| self.tree_head.signed_by(key)),
            ),
        ];
        if let Some(published) = published {
            checks.push(("key", own_key.as_ref() == Some(published)));
        }
        if let Some(text) = text {
            let hash = TextHash {
                salt: self.salt.clone(),
                sha256: self.body_sha256,
            };
            checks.push(("text", hash.matches(text)));
        }
        let ok = checks.iter().all(|(_, ok)| *ok);
        let checks = checks
            .into_iter()
            .map(|(name, ok)| Check {
                name,
                ok,
                text: say(name, ok, lang),
            })
            .collect();
        Verdict { ok, checks }
    }

    fn payload_is_the_recorded_one(&self) -> bool {
        hex::decode(&self.payload.salt)
            .is_ok_and(|salt| payload_hash(&salt, &self.payload.body) == self.record.payload_hash)
    }

    fn says_what_was_recorded(&self) -> bool {
        serde_json::from_str::<ReceiptFacts>(&self.payload.body).is_ok_and(|facts| {
            facts.number == self.number
                && facts.report_id == self.report_id
                && facts.received_at == self.received_at
                && facts.text
                    == TextHash {
                        salt: self.salt.clone(),
                        sha256: self.body_sha256,
                    }
        })
    }

    fn is_in_the_tree(&self) -> bool {
        let leaf = tree::leaf(&self.record.hash());
        self.tree_size == self.tree_head.size
            && self.root_hash == self.tree_head.root
            && tree::check_inclusion(&leaf, self.leaf_index, self.tree_size, &self.inclusion, &self.root_hash)
    }
}

fn say(name: &str, ok: bool, lang: Lang) -> String {
    let code = format!("receipt_{name}_{}", if ok { "ok" } else { "bad" });
    i18n::sentence(lang, &code, &[])
}

#[cfg(test)]
pub mod tests {
    use super::super::head::LedgerKey;
    use super::super::record::tests::example;
    use super::*;
    use serde_json::json;

    pub const TEXT: &str = "东河路12号门前路灯不亮，晚上老人出门不便。";

    /// A receipt over a small made-up ledger of `size` records of which it is number `index`.
    pub fn sample(index: u64, size: u64) -> (Receipt, PublicKey) {
        let key = LedgerKey::from_seed([7; 32]);
        let facts = ReceiptFacts {
            number: "ZS20260214-00042".into(),
            report_id: "0197a0c0-0000-7000-8000-000000000001".into(),
            received_at: "2026-02-14T09:00:00+08:00".into(),
            text: TextHash::new([3; 16], TEXT),
        };
        let body = super::super::canonical_json(&facts.into_body(json!({"channel": "portal", "urgent": false})));
        let payload = ReceiptPayload {
            salt: hex::encode([5u8; 16]),
            body,
        };
        let record = Record {
            payload_hash: payload_hash(&[5; 16], &payload.body),
            ..example()
        };
        let leaves: Vec<Hash> = (0..size)
            .map(|i| {
                if i == index {
                    record.hash()
                } else {
                    Hash::of(&[&i.to_be_bytes()])
                }
            })
            .collect();
        let (mut frontier, mut nodes) = (tree::Frontier::default(), std::collections::HashMap::new());
        for hash in &leaves {
            frontier.push(tree::leaf(hash), |level, index, hash| {
                nodes.insert((level, index), hash);
            });
        }
        let mut get = |level: u32, index: u64| Ok::<_, std::convert::Infallible>(nodes[&(level, index)]);
        let inclusion = tree::inclusion(&mut get, index, size).unwrap();
        let head = key.sign(1, size, frontier.root(), 1_771_030_801_000);
        let receipt =
            Receipt::assemble("示例市".into(), record, payload, index, inclusion, head, &key.public()).unwrap();
        (receipt, key.public())
    }

    fn failed(receipt: &Receipt, key: Option<&PublicKey>, text: Option<&str>) -> Vec<&'static str> {
        let verdict = receipt.verify(key, text, Lang::Zh);
        assert_eq!(verdict.ok, verdict.checks.iter().all(|c| c.ok));
        verdict.checks.iter().filter(|c| !c.ok).map(|c| c.name).collect()
    }

    #[test]
    fn a_true_receipt_passes_every_check() {
        for (index, size) in [(0, 1), (0, 2), (6, 7), (99, 100), (17, 1000)] {
            let (receipt, key) = sample(index, size);
            assert_eq!(failed(&receipt, Some(&key), Some(TEXT)), Vec::<&str>::new());
        }
    }

    #[test]
    fn each_change_fails_the_check_that_names_it() {
        let (good, key) = sample(5, 20);
        let change = |f: &dyn Fn(&mut Receipt)| {
            let mut receipt = good.clone();
            f(&mut receipt);
            failed(&receipt, Some(&key), Some(TEXT))
        };
        assert_eq!(change(&|r| r.version = 2), ["version"]);
        assert_eq!(change(&|r| r.number = "ZS20260214-00043".into()), ["contents"]);
        assert_eq!(
            change(&|r| r.received_at = "2026-02-15T09:00:00+08:00".into()),
            ["contents"]
        );
        assert_eq!(
            change(&|r| r.payload.body = r.payload.body.replace("00042", "00043")),
            ["payload", "contents"]
        );
        assert_eq!(change(&|r| r.record.at += 1), ["inclusion"]);
        assert_eq!(change(&|r| r.leaf_index += 1), ["inclusion"]);
        assert_eq!(change(&|r| r.inclusion[0] = Hash::ZERO), ["inclusion"]);
        assert_eq!(change(&|r| r.root_hash = Hash::ZERO), ["inclusion"]);
        assert_eq!(change(&|r| r.tree_head.at += 1), ["signature"]);
        assert_eq!(change(&|r| r.body_sha256 = Hash::ZERO), ["contents", "text"]);
        assert_eq!(failed(&good, Some(&key), Some("另一句话")), ["text"]);
        let other = LedgerKey::from_seed([9; 32]).public();
        assert_eq!(failed(&good, Some(&other), None), ["key"]);
    }

    #[test]
    fn a_forger_with_another_key_is_found_by_the_published_key() {
        let (mut receipt, key) = sample(5, 20);
        let forger = LedgerKey::from_seed([9; 32]);
        let head = &receipt.tree_head;
        receipt.tree_head = forger.sign(head.epoch, head.size, head.root, head.at);
        receipt.public_key = forger.public().to_hex();
        assert_eq!(failed(&receipt, None, Some(TEXT)), Vec::<&str>::new());
        assert_eq!(failed(&receipt, Some(&key), Some(TEXT)), ["key"]);
    }

    /// The examples that the browser's verifier is held to as well; `INSTA_UPDATE=always` writes them anew.
    #[test]
    fn the_browser_has_the_same_examples() {
        let mut examples = Vec::new();
        let mut example = |name: &str, receipt: &Receipt, key: &PublicKey, text: &str| {
            examples.push(json!({
                "name": name,
                "receipt": receipt,
                "key": key.to_hex(),
                "text": text,
                "failed": failed(receipt, Some(key), Some(text)),
            }));
        };
        for (index, size) in [(0, 1), (1, 2), (2, 3), (6, 7), (5, 20), (63, 64), (64, 65), (700, 1000)] {
            let (receipt, key) = sample(index, size);
            example(&format!("leaf {index} of {size}"), &receipt, &key, TEXT);
        }
        let (good, key) = sample(5, 20);
        let mut changed = |name: &str, f: &dyn Fn(&mut Receipt)| {
            let mut receipt = good.clone();
            f(&mut receipt);
            example(name, &receipt, &key, TEXT);
        };
        changed("another number", &|r| r.number = "ZS20260214-00043".into());
        changed("another payload", &|r| {
            r.payload.body = r.payload.body.replace("00042", "00043")
        });
        changed("another actor", &|r| r.record.actor = "引号\"与\n换行\u{1f}".into());
        changed("another leaf", &|r| r.leaf_index += 1);
        changed("a changed sibling", &|r| r.inclusion[1].0[31] ^= 1);
        changed("a sibling too many", &|r| r.inclusion.push(Hash::ZERO));
        changed("another root", &|r| {
            r.root_hash = Hash::ZERO;
            r.tree_head.root = Hash::ZERO;
        });
        changed("another time of the head", &|r| r.tree_head.at += 1);
        changed("another epoch", &|r| r.tree_head.epoch += 1);
        changed("no signature", &|r| r.tree_head.signature = String::new());
        changed("a key that is none", &|r| r.public_key = "00".into());
        changed("a later version", &|r| r.version = 2);
        example("another text", &good, &key, "另一句话");
        example(
            "another published key",
            &good,
            &LedgerKey::from_seed([9; 32]).public(),
            TEXT,
        );

        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/src/portal/receipt/vectors.json");
        let made = format!("{}\n", serde_json::to_string_pretty(&examples).unwrap());
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap();
        assert!(
            kept == made,
            "the examples changed: run this test with INSTA_UPDATE=always and read the difference"
        );
    }

    #[test]
    fn every_check_has_its_sentences() {
        for name in [
            "version",
            "payload",
            "contents",
            "inclusion",
            "signature",
            "key",
            "text",
        ] {
            for outcome in ["ok", "bad"] {
                assert!(i18n::known(&format!("receipt_{name}_{outcome}")), "{name} {outcome}");
            }
        }
    }
}
