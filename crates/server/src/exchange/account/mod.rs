//! The public account 公众号: a resident writes to it and is answered there, and hears there how it goes on (LH-23, PJ-11).
//!
//! Entry points: [`Adapter`] (what every kind of account is to this server: text in, status out), [`plain_routes`] (what its platform calls),
//! [`send`] (the job's side). Two adapters, each in its own module: [`wechat`] (XML, answered in the answer) and [`signed`] (JSON, for a bridge
//! to any other platform); the demo plays an account itself. What a message means is the dialogue's matter. Must not: keep anything of a
//! follower but the account's own name for them, sealed.

mod http;
mod signed;
mod wechat;

pub use http::plain_routes;

use crate::platform::config::{AccountKind, PublicAccount};
use crate::platform::outbox::{Refusal, Sending, Taken};
use crate::platform::*;
use axum::http::HeaderMap;
use futures::future::BoxFuture;
use serde::Deserialize;

/// A call of the platform behind the account.
pub struct Call<'c> {
    pub headers: &'c HeaderMap,
    pub query: CallQuery,
    pub body: &'c str,
}

/// What stands in the address of a call, by WeChat's names: proof and challenge, nothing personal.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CallQuery {
    pub signature: String,
    pub msg_signature: String,
    pub timestamp: String,
    pub nonce: String,
    pub echostr: String,
}

/// What a call says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The platform's own id; the same again is the same message.
    pub id: String,
    /// The account's name for its follower.
    pub from: String,
    /// The account itself.
    pub to: String,
    pub what: What,
}

/// What a follower did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Wrote, or chose what stands for a text.
    Text(String),
    /// Begins to follow: is told how it works.
    Followed,
    /// Follows no longer: nothing may be sent.
    Left,
    /// Sent a picture, a voice, a place: is asked for words.
    Unreadable,
    /// Nothing that is answered (a menu was opened, a position reported by the phone): not looked at.
    Nothing,
}

/// An answer to a call: the kind of body, and the body.
pub type Body = (&'static str, String);

/// What a kind of account is to this server. An adapter holds nothing of residents, opens no case and decides nothing.
pub trait Adapter: Send + Sync {
    /// The platform asks whether this is the account's server: what it wants to hear, or the refusal.
    fn greeted(&self, ctx: &Ctx, call: &Call) -> Result<String, Fault>;

    /// Text in: checks the proof, then reads. A call without good proof is refused (403 `message_not_signed`) before anything of it is read.
    fn read(&self, ctx: &Ctx, call: &Call) -> Result<Said, Fault>;

    /// The answer that leaves with the answer to the call; none: the platform is told that it was heard.
    fn reply(&self, ctx: &Ctx, said: &Said, text: Option<&str>) -> Result<Body, Fault>;

    /// Status out: a message that no call brought about.
    fn send<'s>(
        &'s self,
        ctx: &'s Ctx,
        client: &'s reqwest::Client,
        one: &'s Sending,
    ) -> BoxFuture<'s, Result<Taken, Refusal>>;
}

/// The adapter of the account, as the operator configured it; none where the demo plays one.
fn adapter(account: &PublicAccount) -> Option<Box<dyn Adapter + '_>> {
    match account.kind {
        AccountKind::Wechat => Some(Box::new(wechat::Wechat { account })),
        AccountKind::Signed => Some(Box::new(signed::SignedJson { account })),
        AccountKind::StandIn => None,
    }
}

/// Hands a message over to the account's platform.
pub async fn send(ctx: &Ctx, client: &reqwest::Client, one: &Sending) -> Result<Taken, Refusal> {
    let Some(account) = &ctx.app.config().account else {
        return Err(Refusal::ForNow("message_no_gateway"));
    };
    match adapter(account) {
        Some(adapter) => adapter.send(ctx, client, one).await,
        None => Ok(Taken::Arrived),
    }
}
