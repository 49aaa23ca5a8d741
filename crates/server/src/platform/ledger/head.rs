//! Signed tree heads: what the whole ledger was at one moment, in the format of C2SP checkpoints (a "signed note"), so
//! that public tools and outside witnesses can keep and check them. Pure.
use super::hash::Hash;
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// The root over the first `size` leaves, signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TreeHead {
    /// Name of the log: see [`PublicKey::origin`].
    pub origin: String,
    /// Which life of the database: a restore from backup begins a new one.
    pub epoch: i64,
    pub size: u64,
    #[schema(value_type = String)]
    pub root: Hash,
    /// Milliseconds UTC.
    pub at: i64,
    /// Ed25519 over [`TreeHead::signed_text`], 64 bytes in hexadecimal.
    pub signature: String,
}

impl TreeHead {
    /// The text that is signed: a C2SP checkpoint body with two extension lines.
    pub fn signed_text(origin: &str, epoch: i64, size: u64, root: &Hash, at: i64) -> String {
        format!(
            "{origin}\n{size}\n{}\nepoch {epoch}\ntime {at}\n",
            STANDARD.encode(root.0)
        )
    }

    fn own_text(&self) -> String {
        Self::signed_text(&self.origin, self.epoch, self.size, &self.root, self.at)
    }

    /// True iff `key` signed exactly this.
    pub fn signed_by(&self, key: &PublicKey) -> bool {
        key.signed(&self.own_text(), &self.signature)
    }

    /// The whole signed note, for witnesses: body, empty line, signature line (`— origin base64(key id || signature)`).
    pub fn note(&self, key: &PublicKey) -> String {
        let id = Hash::of(&[self.origin.as_bytes(), b"\n\x01", key.0.as_bytes()]);
        let mut line = id.0[..4].to_vec();
        line.extend(hex::decode(&self.signature).unwrap_or_default());
        format!(
            "{}\n\u{2014} {} {}\n",
            self.own_text(),
            self.origin,
            STANDARD.encode(line)
        )
    }
}

/// The key by which anyone can check tree heads. 64 hexadecimal digits as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// True iff this key signed exactly this text; the signature in hexadecimal.
    pub fn signed(&self, text: &str, signature: &str) -> bool {
        let signature = hex::decode(signature)
            .ok()
            .and_then(|bytes| Signature::from_slice(&bytes).ok());
        signature.is_some_and(|s| self.0.verify_strict(text.as_bytes(), &s).is_ok())
    }

    /// None unless `text` is a valid Ed25519 public key in hexadecimal (spaces and line ends around it do not matter).
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Hash::from_hex(text.trim())?.0;
        VerifyingKey::from_bytes(&bytes).ok().map(Self)
    }

    pub fn to_hex(&self) -> String {
        hex::encode(self.0.as_bytes())
    }

    /// `wangge/` and the beginning of the key's hash.
    pub fn origin(&self) -> String {
        format!("wangge/{}", hex::encode(&Hash::of(&[self.0.as_bytes()]).0[..8]))
    }
}

/// The server's key for tree heads, derived from the master key file: never in the database or its backups.
#[derive(Clone)]
pub struct LedgerKey(SigningKey);

impl LedgerKey {
    pub fn new(key: SigningKey) -> Self {
        Self(key)
    }

    #[cfg(test)]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// Name of the log whose heads this key signs: unlike a place's name it is there before a pack is, and never changes.
    pub fn origin(&self) -> String {
        self.public().origin()
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a text that is not a head: its first line says what it is.
    pub fn sign_text(&self, text: &str) -> String {
        hex::encode(self.0.sign(text.as_bytes()).to_bytes())
    }

    /// Signs the root over the first `size` leaves.
    pub fn sign(&self, epoch: i64, size: u64, root: Hash, at: i64) -> TreeHead {
        let origin = self.origin();
        let text = TreeHead::signed_text(&origin, epoch, size, &root, at);
        let signature = hex::encode(self.0.sign(text.as_bytes()).to_bytes());
        TreeHead {
            origin,
            epoch,
            size,
            root,
            at,
            signature,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> (LedgerKey, TreeHead) {
        let key = LedgerKey::from_seed([7; 32]);
        let head = key.sign(1, 42, Hash::of(&[b"root"]), 1_771_030_800_000);
        (key, head)
    }

    #[test]
    fn only_the_exact_head_and_key_verify() {
        let (key, head) = head();
        assert!(head.signed_by(&key.public()));
        assert!(!head.signed_by(&LedgerKey::from_seed([8; 32]).public()));
        let changed = [
            TreeHead {
                origin: "wangge/1".into(),
                ..head.clone()
            },
            TreeHead {
                epoch: 2,
                ..head.clone()
            },
            TreeHead {
                size: 43,
                ..head.clone()
            },
            TreeHead {
                root: Hash::ZERO,
                ..head.clone()
            },
            TreeHead { at: 1, ..head.clone() },
            TreeHead {
                signature: "00".into(),
                ..head.clone()
            },
        ];
        assert!(changed.iter().all(|h| !h.signed_by(&key.public())));
    }

    #[test]
    fn the_note_is_a_c2sp_signed_note() {
        let (key, head) = head();
        let note = head.note(&key.public());
        let (body, signatures) = note.split_once("\n\n").unwrap();
        assert_eq!(body.lines().collect::<Vec<_>>()[..2], [head.origin.as_str(), "42"]);
        let encoded = signatures
            .strip_prefix(&format!("— {} ", head.origin))
            .unwrap()
            .trim_end();
        assert_eq!(STANDARD.decode(encoded).unwrap().len(), 4 + 64);
    }
}
