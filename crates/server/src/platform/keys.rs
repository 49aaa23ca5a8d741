//! The installation's master key: one file beside the data, readable by its owner only, never in the repository.
//!
//! Entry point: [`Keys::load_or_create`]. Everything else (sealing, blind index, signing) uses a key derived from it under a label,
//! so that one key never serves two purposes. Losing the file loses the sealed fields: `docs/operations` says how to keep it.

use super::clock::Chance;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

const HEAD: &str = "wangge-key-1:";

/// The master key.
#[derive(Clone)]
pub struct Keys {
    master: [u8; 32],
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the key file {path}: {error}")]
    File { path: String, error: std::io::Error },
    /// Others than the owner may read it.
    #[error("the key file {path} can be read by others (mode {mode:o}): chmod 600 it")]
    Open { path: String, mode: u32 },
    /// It is not a key file.
    #[error("the key file {path} is not a wangge key file")]
    Content { path: String },
}

impl Keys {
    /// Keys from bytes: for tests and for `load_or_create`.
    pub fn from_master(master: [u8; 32]) -> Keys {
        Keys { master }
    }

    /// Reads the key file, or makes it (mode 0600) when there is none.
    pub fn load_or_create(path: &Path, chance: &Chance) -> Result<Keys, KeyError> {
        let shown = path.display().to_string();
        match fs::metadata(path) {
            Ok(found) => {
                let mode = found.permissions().mode() & 0o777;
                if mode & 0o077 != 0 {
                    return Err(KeyError::Open { path: shown, mode });
                }
                let text = fs::read_to_string(path).map_err(|error| KeyError::File {
                    path: shown.clone(),
                    error,
                })?;
                let bytes = text.trim().strip_prefix(HEAD).and_then(|text| BASE64.decode(text).ok());
                let master = bytes
                    .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
                    .ok_or(KeyError::Content { path: shown })?;
                Ok(Keys { master })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let keys = Keys { master: chance.bytes() };
                keys.write(path)
                    .map_err(|error| KeyError::File { path: shown, error })?;
                Ok(keys)
            }
            Err(error) => Err(KeyError::File { path: shown, error }),
        }
    }

    /// A key for one use; the label names the use.
    pub fn derive(&self, label: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.master).expect("HMAC takes a key of any length");
        mac.update(label.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The key that signs tree heads and receipts (Ed25519).
    pub fn signing(&self) -> ed25519_dalek::SigningKey {
        ed25519_dalek::SigningKey::from_bytes(&self.derive("sign ledger heads"))
    }

    /// The key that signs what other platforms are told (Ed25519).
    pub fn peer_signing(&self) -> ed25519_dalek::SigningKey {
        ed25519_dalek::SigningKey::from_bytes(&self.derive("sign messages to peers"))
    }

    /// Under another name first, and durable before it has its own: whoever is stopped in between leaves no half key. Never over a key.
    fn write(&self, path: &Path) -> std::io::Result<()> {
        let part = path.with_extension(format!("part{}", std::process::id()));
        let _ = fs::remove_file(&part);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)?;
        writeln!(file, "{HEAD}{}", BASE64.encode(self.master))?;
        file.sync_all()?;
        let linked = fs::hard_link(&part, path);
        fs::remove_file(&part)?;
        linked?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// Prints nothing of the key.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(#)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_key_file_is_made_once_and_only_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wangge.key");
        let made = Keys::load_or_create(&path, &Chance::seeded(1)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = Keys::load_or_create(&path, &Chance::seeded(2)).unwrap();
        assert_eq!(made.derive("a"), read.derive("a"));
        assert_ne!(made.derive("a"), made.derive("b"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            Keys::load_or_create(&path, &Chance::seeded(2)),
            Err(KeyError::Open { .. })
        ));
        assert_eq!(format!("{made:?}"), "Keys(#)");
    }
}
