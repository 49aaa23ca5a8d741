//! The signed gateway: JSON over HTTP, each request signed as in Standard Webhooks (HMAC-SHA256 of `id.timestamp.body`), both ways.

use crate::exchange::webhooks::signature;
use crate::platform::config::Sms;
use crate::platform::outbox::{Report, Sending};
use crate::platform::*;
use axum::http::{HeaderMap, StatusCode};
use domain::message::Part;
use domain::time::MINUTE_MS;
use serde::Deserialize;
use serde_json::json;

/// A signature is good for this long, each way around its time.
const AGE_MS: i64 = 5 * MINUTE_MS;

/// A message handed in.
#[derive(Debug, Deserialize)]
pub struct Message {
    pub id: String,
    pub from: String,
    pub text: String,
    #[serde(default)]
    pub part: Option<MessagePart>,
}

/// Which part of a long text.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct MessagePart {
    pub reference: u16,
    pub total: u8,
    pub seq: u8,
}

impl From<MessagePart> for Part {
    fn from(part: MessagePart) -> Part {
        Part {
            reference: part.reference,
            total: part.total,
            seq: part.seq,
        }
    }
}

/// What became of a message.
#[derive(Debug, Deserialize)]
pub struct Told {
    /// The id it was handed over with.
    pub id: MessageId,
    pub state: ToldState,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldState {
    Delivered,
    Failed,
}

impl From<ToldState> for Report {
    fn from(state: ToldState) -> Report {
        match state {
            ToldState::Delivered => Report::Arrived,
            ToldState::Failed => Report::Failed,
        }
    }
}

/// Whether the gateway signed this body, lately.
pub fn check(ctx: &Ctx, sms: &Sms, headers: &HeaderMap, body: &str) -> Result<(), Fault> {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let seconds: i64 = header("webhook-timestamp").parse().unwrap_or_default();
    let fresh = (ctx.now.0 - seconds.saturating_mul(1_000)).abs() <= AGE_MS;
    let expected = config::Secret(signature(sms.secret.0.as_bytes(), header("webhook-id"), seconds, body));
    let good = header("webhook-signature").split(' ').any(|one| expected.is(one));
    match fresh && good {
        true => Ok(()),
        false => Err(Fault::new(StatusCode::FORBIDDEN, "message_not_signed")),
    }
}

/// The request that hands a message over.
pub fn request(ctx: &Ctx, client: &reqwest::Client, sms: &Sms, one: &Sending) -> reqwest::RequestBuilder {
    let (id, seconds) = (one.id.to_string(), ctx.now.0 / 1_000);
    let body = json!({ "id": id, "from": sms.sender, "to": one.to.reveal(), "text": one.text.reveal() }).to_string();
    client
        .post(&sms.url)
        .header("content-type", "application/json")
        .header("webhook-id", &id)
        .header("webhook-timestamp", seconds)
        .header(
            "webhook-signature",
            signature(sms.secret.0.as_bytes(), &id, seconds, &body),
        )
        .body(body)
}
