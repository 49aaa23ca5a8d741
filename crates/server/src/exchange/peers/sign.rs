//! Who says what: Ed25519 over the exact bytes sent, each kind of text apart from the others.
//!
//! A text names its sender and its receiver by fingerprint, so that one meant for another platform is refused.

use crate::platform::App;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use sha2::Digest;

/// The header a signature comes in, in base64.
pub const HEADER: &str = "wangge-signature";
/// Characters of a fingerprint: 128 bits in hexadecimal.
const FINGERPRINT: usize = 32;

/// What is signed; a signature of one kind is none of another.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Introduction,
    Message,
    Answer,
    Figures,
    FiguresAnswer,
    Photo,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Introduction => "introduction",
            Kind::Message => "message",
            Kind::Answer => "answer",
            Kind::Figures => "figures",
            Kind::FiguresAnswer => "figures answer",
            Kind::Photo => "photo",
        }
    }

    /// What is signed: the protocol, the kind, a line's end, then the text as it is sent.
    fn bytes(self, text: &str) -> Vec<u8> {
        format!("{} {}\n{text}", super::PROTOCOL, self.word()).into_bytes()
    }
}

/// This platform's public key in hexadecimal.
pub fn own_key(app: &App) -> String {
    hex::encode(app.keys().peer_signing().verifying_key().as_bytes())
}

/// The fingerprint people compare: the first half of the key's SHA-256.
pub fn fingerprint(key: &str) -> Option<String> {
    let bytes = hex::decode(key).ok().filter(|bytes| bytes.len() == 32)?;
    let mut text = hex::encode(sha2::Sha256::digest(bytes));
    text.truncate(FINGERPRINT);
    Some(text)
}

/// This platform's own.
pub fn own_fingerprint(app: &App) -> String {
    fingerprint(&own_key(app)).unwrap_or_default()
}

/// Signs a text.
pub fn sign(app: &App, kind: Kind, text: &str) -> String {
    STANDARD.encode(app.keys().peer_signing().sign(&kind.bytes(text)).to_bytes())
}

/// Whether the owner of the key signed the text.
pub fn is_signed(key: &str, kind: Kind, text: &str, signature: &str) -> bool {
    let key = hex::decode(key).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
    let key = key.and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let signature = STANDARD.decode(signature).ok();
    let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok());
    match (key, signature) {
        (Some(key), Some(signature)) => key.verify_strict(&kind.bytes(text), &signature).is_ok(),
        _ => false,
    }
}
