//! WeChat's safe mode 安全模式: AES-256-CBC with the first half of the key as its start, PKCS#7 to blocks of 32 bytes, around 16 bytes of chance,
//! the length of the message, the message and the AppID. The signature outside is what proves it; see the parent.

use crate::platform::Fault;
use aes::Aes256;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use cbc::cipher::array::Array;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};

/// What a message is padded to.
const BLOCK: usize = 32;
/// Chance before the message.
const CHANCE: usize = 16;
/// WeChat's key of 43 characters is base64 without its padding, and its last bits may be any.
const KEY: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The key of an account.
pub struct Cipher {
    key: [u8; 32],
    app_id: String,
}

fn refused() -> Fault {
    Fault::new(StatusCode::FORBIDDEN, "message_not_signed")
}

impl Cipher {
    /// From the EncodingAESKey.
    pub fn new(key: &str, app_id: &str) -> Result<Cipher, Fault> {
        let key = KEY.decode(key).map_err(Fault::internal)?;
        let key = key
            .try_into()
            .map_err(|_| Fault::internal("an EncodingAESKey has 43 characters"))?;
        Ok(Cipher {
            key,
            app_id: app_id.to_owned(),
        })
    }

    fn start(&self) -> [u8; CHANCE] {
        let mut start = [0; CHANCE];
        start.copy_from_slice(&self.key[..CHANCE]);
        start
    }

    /// The message inside, when it is for this account.
    pub fn open(&self, sealed: &str) -> Result<String, Fault> {
        let mut bytes = STANDARD.decode(sealed).map_err(|_| refused())?;
        let (blocks, rest) = Array::slice_as_chunks_mut(&mut bytes);
        if blocks.is_empty() || !rest.is_empty() {
            return Err(refused());
        }
        cbc::Decryptor::<Aes256>::new(&self.key.into(), &self.start().into()).decrypt_blocks(blocks);
        self.message(&bytes).ok_or_else(refused)
    }

    fn message(&self, padded: &[u8]) -> Option<String> {
        let padding = usize::from(*padded.last()?);
        let whole = padded.get(..padded.len().checked_sub(padding)?)?;
        let (length, rest) = whole.get(CHANCE..)?.split_first_chunk::<4>()?;
        let (message, app_id) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let ours = (1..=BLOCK).contains(&padding) && app_id == self.app_id.as_bytes();
        ours.then(|| String::from_utf8(message.to_vec()).ok()).flatten()
    }

    /// The message as WeChat opens it.
    pub fn seal(&self, message: &str, chance: [u8; CHANCE]) -> String {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let mut bytes = [
            &chance[..],
            &length.to_be_bytes(),
            message.as_bytes(),
            self.app_id.as_bytes(),
        ]
        .concat();
        let padding = BLOCK - bytes.len() % BLOCK;
        bytes.resize(bytes.len() + padding, u8::try_from(padding).unwrap_or_default());
        let (blocks, _) = Array::slice_as_chunks_mut(&mut bytes);
        cbc::Encryptor::<Aes256>::new(&self.key.into(), &self.start().into()).encrypt_blocks(blocks);
        STANDARD.encode(bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    const INSIDE: &str = "<xml><Content>进度</Content></xml>";
    /// Made by `openssl enc -aes-256-cbc -nopad` of the padded bytes for the account `wx1`.
    const SEALED: &str = "Q3stYC6hdFzMh9T8HCvyDMqYq+3LWRBafgYE/6+E3kahKXJgpcdWa5Hpj+MSqiAQNOggsJQUgEuzfyNVP8fLsw==";

    #[test]
    fn it_opens_and_seals_as_openssl_does() {
        let cipher = Cipher::new(KEY, "wx1").unwrap();
        assert_eq!(cipher.open(SEALED).unwrap(), INSIDE);
        assert_eq!(cipher.seal(INSIDE, *b"0123456789abcdef"), SEALED);
    }

    #[test]
    fn what_is_not_for_this_account_or_damaged_is_refused() {
        let cipher = Cipher::new(KEY, "wx1").unwrap();
        for bad in ["", "AAAA", "no base64", &SEALED[..64], &SEALED[4..]] {
            assert!(cipher.open(bad).is_err(), "{bad}");
        }
        assert!(Cipher::new(KEY, "wx2").unwrap().open(SEALED).is_err());
        assert!(Cipher::new("short", "wx1").is_err());
    }
}
