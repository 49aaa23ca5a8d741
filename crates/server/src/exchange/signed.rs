//! JSON over HTTP, each request signed as in Standard Webhooks: what webhooks, signed gateways and bridges to an account speak.
//!
//! Entry points: [`signature`], [`check`] (what comes in), [`request`] (what goes out).

use crate::platform::config::Secret;
use crate::platform::{Ctx, Fault};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::time::MINUTE_MS;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, IntoUrl, RequestBuilder};
use sha2::Sha256;

/// A signature is good for this long, each way around its time.
const AGE_MS: i64 = 5 * MINUTE_MS;

/// `v1,` and HMAC-SHA256 of `id.timestamp.body` in base64.
pub fn signature(key: &[u8], id: &str, seconds: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Whether a moment in seconds is now, give or take what a signature is good for.
pub fn is_fresh(ctx: &Ctx, seconds: i64) -> bool {
    ctx.now.0.abs_diff(seconds.saturating_mul(1_000)) <= AGE_MS.unsigned_abs()
}

/// Whether who shares the secret signed this body, lately.
pub fn check(ctx: &Ctx, secret: &Secret, headers: &HeaderMap, body: &str) -> Result<(), Fault> {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let seconds: i64 = header("webhook-timestamp").parse().unwrap_or_default();
    let expected = Secret(signature(secret.0.as_bytes(), header("webhook-id"), seconds, body));
    let good = header("webhook-signature").split(' ').any(|one| expected.is(one));
    match is_fresh(ctx, seconds) && good && !secret.0.is_empty() {
        true => Ok(()),
        false => Err(Fault::new(StatusCode::FORBIDDEN, "message_not_signed")),
    }
}

/// A signed request.
pub fn request(ctx: &Ctx, client: &Client, url: impl IntoUrl, key: &[u8], id: &str, body: String) -> RequestBuilder {
    let seconds = ctx.now.0 / 1_000;
    client
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signature(key, id, seconds, &body))
        .body(body)
}
