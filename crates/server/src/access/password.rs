//! Passwords: argon2id with the cost of the settings, a rule for new ones, one-time passwords.
//!
//! Hashing takes tens of milliseconds by design: it runs on its own threads, few at a time, never inside a transaction.

use crate::platform::clock::Chance;
use crate::platform::config::Argon2Cost;
use crate::platform::{App, Fault};
use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use std::sync::LazyLock;
use tokio::sync::Semaphore;

/// Characters a new password has at least.
pub const SHORTEST: usize = 10;
/// Bytes a password has at most; longer ones are refused before they are hashed.
pub const LONGEST: usize = 128;
/// Passwords hashed at the same time; each takes the memory of the settings.
const AT_ONCE: usize = 2;
/// Characters of a one-time password, from an alphabet of 32: 80 bits.
const ONE_TIME: usize = 16;

static HASHING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(AT_ONCE));

/// Why a password is not accepted as a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    #[error("too short")]
    Short,
    #[error("too long")]
    Long,
    #[error("easy to guess")]
    Common,
}

impl From<BadPassword> for Fault {
    fn from(bad: BadPassword) -> Fault {
        match bad {
            BadPassword::Short => Fault::invalid("new", "password_short").with("shortest", SHORTEST),
            BadPassword::Long => Fault::invalid("new", "password_long").with("longest", LONGEST),
            BadPassword::Common => Fault::invalid("new", "password_common"),
        }
    }
}

/// The rule for a new password: long enough, not one that everybody tries first, not made from the login. No rules about kinds of
/// characters: they make passwords worse (NIST SP 800-63B, OWASP ASVS 5.0 6.2).
pub fn acceptable(password: &str, login: &str) -> Result<(), BadPassword> {
    const COMMON: &[&str] = &[
        "password",
        "passw0rd",
        "p@ssw0rd",
        "qwerty",
        "1q2w3e",
        "1qaz2wsx",
        "iloveyou",
        "woaini",
        "admin",
        "wangge",
        "abc123",
        "abcdef",
        "123456",
        "1234567890",
        "0987654321",
        "5201314",
        "88888888",
        "asdfgh",
        "zxcvbn",
        "letmein",
        "welcome",
        "changeme",
    ];
    if password.chars().count() < SHORTEST {
        return Err(BadPassword::Short);
    }
    if password.len() > LONGEST {
        return Err(BadPassword::Long);
    }
    let lower = password.to_lowercase();
    // What is left beside the well-known part must itself be worth something.
    let rest = COMMON
        .iter()
        .chain([&login])
        .filter(|part| part.len() >= 3)
        .fold(lower.clone(), |rest, part| rest.replace(*part, ""));
    let different: std::collections::HashSet<char> = lower.chars().collect();
    if rest.chars().count() < 6 || different.len() < 4 || lower.chars().all(|c| c.is_ascii_digit()) {
        return Err(BadPassword::Common);
    }
    Ok(())
}

/// A password to be told once and changed at first use.
pub fn one_time(chance: &Chance) -> String {
    let code = chance.readable(ONE_TIME);
    [&code[..4], &code[4..8], &code[8..12], &code[12..]].join("-")
}

/// Hashes a password for storing.
pub async fn hash(app: &App, password: String) -> Result<String, Fault> {
    let (cost, salt) = (app.config().argon2, app.chance().bytes::<16>());
    off_thread(move || hash_now(&password, cost, salt)).await
}

/// Whether the password is the stored one. Without a stored one it takes as long and answers no.
pub async fn verify(app: &App, password: String, stored: Option<String>) -> Result<bool, Fault> {
    let cost = app.config().argon2;
    if password.len() > LONGEST {
        return Ok(false);
    }
    off_thread(move || match stored {
        Some(stored) => {
            let stored = PasswordHash::new(&stored).map_err(Fault::internal)?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &stored).is_ok())
        }
        None => hash_now(&password, cost, [0; 16]).map(|_| false),
    })
    .await
}

fn hash_now(password: &str, cost: Argon2Cost, salt: [u8; 16]) -> Result<String, Fault> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None).map_err(Fault::internal)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(Fault::internal)?;
    Ok(hash.to_string())
}

async fn off_thread<T: Send + 'static>(f: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    let permit = HASHING.acquire().await.map_err(Fault::internal)?;
    let done = tokio::task::spawn_blocking(f).await.map_err(Fault::internal)?;
    drop(permit);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easy_passwords_are_refused() {
        for (password, expected) in [
            ("short", Err(BadPassword::Short)),
            ("1234567890123", Err(BadPassword::Common)),
            ("Password123", Err(BadPassword::Common)),
            ("aaaaaaaaaaaaa", Err(BadPassword::Common)),
            ("zhangsan2026", Err(BadPassword::Common)),
            ("网格员今天去走访了好几户", Ok(())),
            ("correct horse battery", Ok(())),
        ] {
            assert_eq!(acceptable(password, "zhangsan"), expected, "{password}");
        }
        assert_eq!(acceptable(&"长".repeat(60), "x"), Err(BadPassword::Long));
    }

    #[test]
    fn one_time_passwords_pass_the_rule() {
        let one = one_time(&Chance::seeded(1));
        assert_eq!(one.len(), 19);
        assert_eq!(acceptable(&one, "zhangsan"), Ok(()));
    }
}
