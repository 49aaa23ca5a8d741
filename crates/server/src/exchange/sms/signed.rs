//! The signed gateway: JSON over HTTP, each request signed as in Standard Webhooks (HMAC-SHA256 of `id.timestamp.body`), both ways.

use crate::exchange::signed;
use crate::platform::config::Sms;
use crate::platform::outbox::{Report, Sending};
use crate::platform::*;
use domain::message::Part;
use serde::Deserialize;
use serde_json::json;

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

/// The request that hands a message over.
pub fn request(ctx: &Ctx, client: &reqwest::Client, sms: &Sms, one: &Sending) -> reqwest::RequestBuilder {
    let id = one.id.to_string();
    let body = json!({ "id": id, "from": sms.sender, "to": one.to.reveal(), "text": one.text.reveal() }).to_string();
    signed::request(ctx, client, &sms.url, sms.secret.0.as_bytes(), &id, body)
}
