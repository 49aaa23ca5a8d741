//! The second factor: time-based codes (RFC 6238, SHA-1, 6 digits, 30 s, one step of tolerance), each accepted once.

use crate::platform::Fault;
use domain::time::Timestamp;
use qrcode::QrCode;
use qrcode::render::svg;
use totp_rs::{Builder, Secret, Totp};

/// Bytes of a secret (RFC 4226: 160 bits).
pub const SECRET: usize = 20;
/// Side of the picture in pixels.
const QR_PIXELS: u32 = 220;

/// Whether a code is right now and was not used before: the step it belongs to.
pub fn check(secret: &[u8], code: &str, now: Timestamp, last_step: i64) -> Result<Option<i64>, Fault> {
    let seconds = u64::try_from(now.0 / 1000).unwrap_or_default();
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    let step = totp(secret)?
        .check(&code, seconds)
        .and_then(|step| i64::try_from(step).ok());
    Ok(step.filter(|step| *step > last_step))
}

/// The secret as people type it.
pub fn base32(secret: &[u8]) -> String {
    Secret::from(secret.to_vec()).to_base32()
}

/// What authenticator apps read from the picture.
pub fn uri(secret: &[u8], issuer: &str, login: &str) -> String {
    let (issuer, login) = (percent(issuer), percent(login));
    format!(
        "otpauth://totp/{issuer}:{login}?secret={}&issuer={issuer}",
        base32(secret)
    )
}

/// The picture.
pub fn qr_svg(uri: &str) -> Result<String, Fault> {
    let code = QrCode::new(uri.as_bytes()).map_err(Fault::internal)?;
    Ok(code.render::<svg::Color>().min_dimensions(QR_PIXELS, QR_PIXELS).build())
}

fn totp(secret: &[u8]) -> Result<Totp, Fault> {
    Builder::new()
        .with_secret(secret.to_vec())
        .build()
        .map_err(Fault::internal)
}

fn percent(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The vectors of RFC 6238 appendix B (SHA-1), their last six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (seconds, code) in [
            (59, "287082"),
            (1111111109, "081804"),
            (1234567890, "005924"),
            (2000000000, "279037"),
        ] {
            let now = Timestamp(seconds * 1000);
            assert_eq!(check(secret, code, now, 0).unwrap(), Some(seconds / 30), "{code}");
            assert_eq!(
                check(secret, code, now, seconds / 30).unwrap(),
                None,
                "a code works once"
            );
            assert_eq!(
                check(secret, code, now.plus_ms(90_000), 0).unwrap(),
                None,
                "and not later"
            );
        }
        assert_eq!(check(secret, "28708", Timestamp(59_000), 0).unwrap(), None);
    }

    #[test]
    fn the_address_is_plain_text() {
        let uri = uri(b"12345678901234567890", "网格", "zhang san");
        assert_eq!(
            uri,
            "otpauth://totp/%E7%BD%91%E6%A0%BC:zhang%20san?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=%E7%BD%91%E6%A0%BC"
        );
        assert!(qr_svg(&uri).unwrap().contains("<svg"));
    }
}
