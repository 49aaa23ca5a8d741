//! JSON for a bridge to any platform, each call signed as in Standard Webhooks: in `{id, from, text}` or `{id, from, event}`, answered
//! `{reply}`; out `{id, to, text}`.

use super::{Adapter, Body, Call, Said, What};
use crate::exchange::{signed, sms};
use crate::platform::config::PublicAccount;
use crate::platform::http::parse_json;
use crate::platform::outbox::{Refusal, Sending, Taken};
use crate::platform::*;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;

pub struct SignedJson<'a> {
    pub account: &'a PublicAccount,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    from: String,
    /// None: they sent something that is no text.
    #[serde(default)]
    text: Option<String>,
    /// Instead of a text.
    #[serde(default)]
    event: Option<Event>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Followed,
    Left,
}

impl Adapter for SignedJson<'_> {
    fn greeted(&self, _: &Ctx, _: &Call) -> Result<String, Fault> {
        Err(Fault::not_found())
    }

    fn read(&self, ctx: &Ctx, call: &Call) -> Result<Said, Fault> {
        signed::check(ctx, &self.account.token, call.headers, call.body)?;
        let message: Message = parse_json(call.body.as_bytes())?;
        let what = match (message.event, message.text) {
            (Some(Event::Followed), _) => What::Followed,
            (Some(Event::Left), _) => What::Left,
            (None, Some(text)) => What::Text(text),
            (None, None) => What::Unreadable,
        };
        Ok(Said {
            id: message.id,
            from: message.from,
            to: String::new(),
            what,
        })
    }

    fn reply(&self, _: &Ctx, _: &Said, text: Option<&str>) -> Result<Body, Fault> {
        Ok(("application/json", json!({ "reply": text }).to_string()))
    }

    fn send<'s>(
        &'s self,
        ctx: &'s Ctx,
        client: &'s reqwest::Client,
        one: &'s Sending,
    ) -> BoxFuture<'s, Result<Taken, Refusal>> {
        let id = one.id.to_string();
        let body = json!({ "id": id, "to": one.to.reveal(), "text": one.text.reveal() }).to_string();
        let key = self.account.token.0.as_bytes();
        Box::pin(sms::handed(signed::request(
            ctx,
            client,
            &self.account.url,
            key,
            &id,
            body,
        )))
    }
}
