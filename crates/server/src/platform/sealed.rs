//! Personal fields at rest: sealed with AES-256-GCM-SIV, found again by a keyed blind index, printed as `#`.
//!
//! Entry points: [`Sealer`], [`FieldCipher`] (a key of one's own) and [`Personal`]. What is sealed is bound to its place (table, id, column): a value moved to another row
//! or column does not open. Must not log what it opens.

use super::clock::Chance;
use super::keys::Keys;
use aes_gcm_siv::aead::{Aead, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// First byte of a sealed value; another algorithm (SM4) gets another number.
const AES_256_GCM_SIV: u8 = 1;
const NONCE: usize = 12;
/// Bytes a sealed value is longer than its text.
pub const OVERHEAD: usize = 1 + NONCE + 16;

/// Where a sealed value lives. It opens only there.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Table name.
    pub table: &'a str,
    /// Id of the row.
    pub id: &'a str,
    /// Column name.
    pub column: &'a str,
}

/// The value cannot be opened: other key, other place, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value cannot be opened: another key, another place, or damaged")]
pub struct CannotOpen;

/// Seals and opens with one key: the installation's, or that of one person.
pub struct FieldCipher(Aes256GcmSiv);

impl FieldCipher {
    /// Of a key that serves nothing else.
    pub fn new(key: [u8; 32]) -> FieldCipher {
        FieldCipher(Aes256GcmSiv::new_from_slice(&key).expect("32 bytes are an AES-256 key"))
    }

    /// Seals text for its place.
    pub fn seal(&self, place: Place<'_>, text: &str, chance: &Chance) -> Vec<u8> {
        self.seal_bytes(place, text.as_bytes(), chance)
    }

    /// As [`FieldCipher::seal`], for a key that is kept under another.
    pub fn seal_bytes(&self, place: Place<'_>, msg: &[u8], chance: &Chance) -> Vec<u8> {
        let nonce: [u8; NONCE] = chance.bytes();
        let aad = associated(place);
        let payload = Payload { msg, aad: &aad };
        let sealed = self
            .0
            .encrypt(&Nonce::from(nonce), payload)
            .expect("texts are far below the cipher's limit");
        let mut bytes = Vec::with_capacity(sealed.len() + 1 + NONCE);
        bytes.push(AES_256_GCM_SIV);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        bytes
    }

    /// Opens what was sealed for the same place.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Personal<String>, CannotOpen> {
        let text = self.open_bytes(place, sealed)?;
        String::from_utf8(text).map(Personal).map_err(|_| CannotOpen)
    }

    /// The inverse of [`FieldCipher::seal_bytes`].
    pub fn open_bytes(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (version, rest) = sealed.split_first().ok_or(CannotOpen)?;
        let (nonce, cipher) = rest.split_at_checked(NONCE).ok_or(CannotOpen)?;
        if *version != AES_256_GCM_SIV {
            return Err(CannotOpen);
        }
        let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| CannotOpen)?;
        let payload = Payload {
            msg: cipher,
            aad: &associated(place),
        };
        self.0.decrypt(&Nonce::from(nonce), payload).map_err(|_| CannotOpen)
    }
}

/// Seals and opens personal fields with the keys of this installation.
pub struct Sealer {
    cipher: FieldCipher,
    index_key: [u8; 32],
}

impl Sealer {
    /// With the keys of this installation.
    pub fn new(keys: &Keys) -> Sealer {
        Sealer {
            cipher: FieldCipher::new(keys.derive("seal personal fields")),
            index_key: keys.derive("blind index"),
        }
    }

    /// Seals text for its place.
    pub fn seal(&self, place: Place<'_>, text: &str, chance: &Chance) -> Vec<u8> {
        self.cipher.seal(place, text, chance)
    }

    /// Opens what was sealed for the same place.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Personal<String>, CannotOpen> {
        self.cipher.open(place, sealed)
    }

    /// A keyed fingerprint for exact match within one kind of field; equal texts give equal fingerprints.
    pub fn blind_index(&self, kind: &str, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.index_key).expect("HMAC takes a key of any length");
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        hex::encode(&mac.finalize().into_bytes()[..16])
    }

    /// The fingerprint of a phone number, however it was written.
    pub fn phone_index(&self, phone: &str) -> String {
        self.blind_index("phone", &plain_phone(phone))
    }
}

/// A phone number as digits only, without the country code 86.
pub fn plain_phone(phone: &str) -> String {
    const MOBILE: usize = 11;
    let digits: String = phone
        .chars()
        .filter_map(|c| c.to_digit(10).and_then(|d| char::from_digit(d, 10)))
        .collect();
    match digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86")) {
        Some(rest) if rest.len() == MOBILE => rest.to_owned(),
        _ => digits,
    }
}

/// Each part preceded by its length, so that no two places read the same.
fn associated(place: Place<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in [place.table, place.id, place.column] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

/// A personal value. Prints as `#`; whoever needs it says so with [`Personal::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Personal<T>(pub T);

impl<T> Personal<T> {
    /// The value itself: for sealing, or for an answer whose reading was logged.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl Personal<String> {
    /// A name with all but its first character hidden: `张**`.
    pub fn masked_name(&self) -> String {
        let mut characters = self.0.chars();
        let first: String = characters.by_ref().take(1).collect();
        format!("{first}{}", "*".repeat(characters.count().min(3)))
    }

    /// A phone number, or the name of an account, with its middle hidden: `138****5678`; short ones wholly.
    pub fn masked_phone(&self) -> String {
        const SHOWN: usize = 7;
        const STARS: usize = 4;
        let digits: Vec<char> = self.0.chars().collect();
        if digits.len() <= SHOWN {
            return "*".repeat(digits.len());
        }
        let head: String = digits[..3].iter().collect();
        let tail: String = digits[digits.len() - 4..].iter().collect();
        format!("{head}{}{tail}", "*".repeat((digits.len() - SHOWN).min(STARS)))
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("#")
    }
}

impl<T> fmt::Display for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("#")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HERE: Place<'_> = Place {
        table: "reporter",
        id: "1",
        column: "phone_sealed",
    };

    fn sealer() -> Sealer {
        Sealer::new(&Keys::from_master([7; 32]))
    }

    #[test]
    fn opens_only_in_its_place_and_with_its_key() {
        let chance = Chance::seeded(1);
        let sealed = sealer().seal(HERE, "13800001234", &chance);
        assert_eq!(sealed.len(), 11 + OVERHEAD);
        assert_eq!(sealer().open(HERE, &sealed).unwrap().reveal(), "13800001234");
        for elsewhere in [
            Place {
                table: "account",
                ..HERE
            },
            Place { id: "2", ..HERE },
            Place {
                column: "name_sealed",
                ..HERE
            },
        ] {
            assert_eq!(sealer().open(elsewhere, &sealed), Err(CannotOpen));
        }
        assert_eq!(
            Sealer::new(&Keys::from_master([8; 32])).open(HERE, &sealed),
            Err(CannotOpen)
        );
        for at in 0..sealed.len() {
            let mut torn = sealed.clone();
            torn[at] ^= 1;
            assert_eq!(sealer().open(HERE, &torn), Err(CannotOpen), "byte {at}");
            assert_eq!(sealer().open(HERE, &sealed[..at]), Err(CannotOpen), "cut at {at}");
        }
        assert_ne!(
            sealed,
            sealer().seal(HERE, "13800001234", &chance),
            "the same text seals differently each time"
        );
    }

    #[test]
    fn a_phone_is_found_however_it_was_written() {
        let index = sealer().phone_index("13800001234");
        for same in ["+86 138-0000-1234", "0086 13800001234", "138 0000 1234"] {
            assert_eq!(sealer().phone_index(same), index, "{same}");
        }
        assert_ne!(sealer().phone_index("13800001235"), index);
        assert_eq!(plain_phone("0580-8123456"), "05808123456");
    }

    #[test]
    fn personal_values_print_as_a_hash() {
        let phone = Personal("13800001234".to_owned());
        assert_eq!(format!("{phone:?} {phone}"), "# #");
        assert_eq!(phone.masked_phone(), "138****1234");
        assert_eq!(Personal("12345".to_owned()).masked_phone(), "*****");
        assert_eq!(Personal("oABC-follower_1".to_owned()).masked_phone(), "oAB****er_1");
        assert_eq!(Personal("张小明".to_owned()).masked_name(), "张**");
        assert_eq!(Personal(String::new()).masked_name(), "");
    }
}
