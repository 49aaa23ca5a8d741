//! WeChat's public account 微信公众号. The server is verified by `sha1` of the sorted token, timestamp and nonce; messages come as XML (plain, or
//! encrypted where an EncodingAESKey is configured: 安全模式) and are answered in the answer to the call; what is told later goes as a message
//! of customer service, which WeChat takes within 48 hours of the follower's last message.

mod crypt;
mod xml;

use super::{Adapter, Body, Call, Said, What};
use crate::exchange::signed::is_fresh;
use crate::platform::config::{PublicAccount, Secret};
use crate::platform::outbox::{Refusal, Sending, Taken};
use crate::platform::*;
use axum::http::StatusCode;
use crypt::Cipher;
use domain::time::MINUTE_MS;
use futures::future::BoxFuture;
use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use std::sync::{Arc, Mutex, PoisonError};

/// An access token is asked for anew this long before its end.
const EARLY_MS: i64 = 5 * MINUTE_MS;
/// Bytes of a text WeChat takes.
const MAX_TEXT: usize = 2_048;
/// WeChat's codes: the token is none, or too old.
const TOKEN_BAD: [i64; 3] = [40001, 40014, 42001];
/// The follower wrote too long ago, or was told too much since.
const TOO_LATE: [i64; 2] = [45015, 45047];
/// Nobody by this name follows any more.
const NOT_FOLLOWING: [i64; 2] = [40003, 43004];

pub struct Wechat<'a> {
    pub account: &'a PublicAccount,
}

/// The access token and until when it is good.
#[derive(Default)]
struct Kept(Mutex<Option<(Secret, i64)>>);

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    access_token: String,
    #[serde(default)]
    expires_in: i64,
}

#[derive(Deserialize)]
struct SendAnswer {
    #[serde(default)]
    errcode: i64,
}

/// `sha1` of the parts in order of their bytes, as lower-case hexadecimal.
fn proof(mut parts: Vec<&str>) -> String {
    parts.sort_unstable();
    hex::encode(Sha1::digest(parts.concat()))
}

fn not_signed() -> Fault {
    Fault::new(StatusCode::FORBIDDEN, "message_not_signed")
}

impl Wechat<'_> {
    /// Whether `shown` proves the token, with the text it covers, lately.
    fn check(&self, ctx: &Ctx, call: &Call, shown: &str, covered: Option<&str>) -> Result<(), Fault> {
        let (token, query) = (&self.account.token.0, &call.query);
        let mut parts = vec![token.as_str(), &query.timestamp, &query.nonce];
        parts.extend(covered);
        let fresh = is_fresh(ctx, query.timestamp.parse().unwrap_or_default());
        match fresh && !token.is_empty() && Secret(proof(parts)).is(shown) {
            true => Ok(()),
            false => Err(not_signed()),
        }
    }

    fn cipher(&self) -> Result<Option<Cipher>, Fault> {
        let key = &self.account.aes_key.0;
        match key.is_empty() {
            true => Ok(None),
            false => Cipher::new(key, &self.account.app_id).map(Some),
        }
    }

    /// The message of a call. Where there is a key, only what it encrypted is taken.
    fn opened(&self, ctx: &Ctx, call: &Call) -> Result<xml::Elements, Fault> {
        let Some(cipher) = self.cipher()? else {
            self.check(ctx, call, &call.query.signature, None)?;
            return xml::elements(call.body);
        };
        let sealed = xml::elements(call.body)?.remove("Encrypt").ok_or_else(not_signed)?;
        self.check(ctx, call, &call.query.msg_signature, Some(&sealed))?;
        xml::elements(&cipher.open(&sealed)?)
    }

    async fn token(&self, ctx: &Ctx, client: &Client) -> Result<Secret, Refusal> {
        let kept: Arc<Kept> = ctx.app.part();
        let have = kept.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((token, _)) = have.filter(|(_, until)| *until > ctx.now.0 + EARLY_MS) {
            return Ok(token);
        }
        let ask = json!({
            "grant_type": "client_credential", "appid": self.account.app_id, "secret": self.account.app_secret.0
        });
        let answer: TokenAnswer = self.asked(client, "stable_token", &ask).await?;
        if answer.access_token.is_empty() {
            return Err(Refusal::ForNow("message_gateway_refused"));
        }
        let token = Secret(answer.access_token);
        let until = ctx.now.0 + answer.expires_in.saturating_mul(1_000);
        *kept.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((token.clone(), until));
        Ok(token)
    }

    async fn hand_over(&self, ctx: &Ctx, client: &Client, one: &Sending) -> Result<Taken, Refusal> {
        let token = self.token(ctx, client).await?;
        let path = format!("message/custom/send?access_token={}", token.0);
        let text = json!({ "content": cut(one.text.reveal()) });
        let message = json!({ "touser": one.to.reveal(), "msgtype": "text", "text": text });
        let answer: SendAnswer = self.asked(client, &path, &message).await?;
        match answer.errcode {
            0 => Ok(Taken::Handed),
            code if TOO_LATE.contains(&code) => Err(Refusal::ForGood("message_account_too_late")),
            code if NOT_FOLLOWING.contains(&code) => Err(Refusal::ForGood("message_account_left")),
            code => {
                if TOKEN_BAD.contains(&code) {
                    let kept: Arc<Kept> = ctx.app.part();
                    *kept.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
                }
                Err(Refusal::ForNow("message_gateway_refused"))
            }
        }
    }

    /// JSON to WeChat's API and back.
    async fn asked<T: DeserializeOwned>(&self, client: &Client, path: &str, body: &Value) -> Result<T, Refusal> {
        let url = format!("{}/cgi-bin/{path}", self.account.url.trim_end_matches('/'));
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .body(body.to_string());
        let failed = |error: reqwest::Error| match error.is_timeout() {
            true => Refusal::ForNow("message_gateway_timeout"),
            false => Refusal::ForNow("message_gateway_unreachable"),
        };
        let answer = request.send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(Refusal::ForNow("message_gateway_failed"));
        }
        let text = answer.text().await.map_err(failed)?;
        serde_json::from_str(&text).map_err(|_| Refusal::ForNow("message_gateway_failed"))
    }
}

/// What WeChat takes of a text: whole characters.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

impl Adapter for Wechat<'_> {
    fn greeted(&self, ctx: &Ctx, call: &Call) -> Result<String, Fault> {
        self.check(ctx, call, &call.query.signature, None)?;
        Ok(call.query.echostr.clone())
    }

    fn read(&self, ctx: &Ctx, call: &Call) -> Result<Said, Fault> {
        let mut all = self.opened(ctx, call)?;
        let mut take = |name: &str| all.remove(name).unwrap_or_default();
        let (from, to, kind, event) = (take("FromUserName"), take("ToUserName"), take("MsgType"), take("Event"));
        let (id, made) = (take("MsgId"), take("CreateTime"));
        let what = match (kind.as_str(), event.as_str()) {
            ("text", _) => What::Text(take("Content")),
            ("event", "subscribe") => What::Followed,
            ("event", "unsubscribe") => What::Left,
            // A button of the account's menu stands for the words that are its key: 进度, 帮助.
            ("event", "CLICK") => What::Text(take("EventKey")),
            ("event", _) => What::Nothing,
            _ => What::Unreadable,
        };
        // Events have no id: who and when, as WeChat says.
        let id = if id.is_empty() { format!("{from}-{made}") } else { id };
        Ok(Said { id, from, to, what })
    }

    fn reply(&self, ctx: &Ctx, said: &Said, text: Option<&str>) -> Result<Body, Fault> {
        let Some(text) = text else {
            return Ok(("text/plain; charset=utf-8", "success".to_owned()));
        };
        let seconds = (ctx.now.0 / 1_000).to_string();
        let plain = xml::document(&[
            ("ToUserName", &said.from),
            ("FromUserName", &said.to),
            ("CreateTime", &seconds),
            ("MsgType", "text"),
            ("Content", cut(text)),
        ]);
        let body = match self.cipher()? {
            None => plain,
            Some(cipher) => {
                let sealed = cipher.seal(&plain, ctx.app.chance().bytes());
                let nonce = hex::encode(ctx.app.chance().bytes::<8>());
                let signed = proof(vec![&self.account.token.0, &seconds, &nonce, &sealed]);
                xml::document(&[
                    ("Encrypt", &sealed),
                    ("MsgSignature", &signed),
                    ("TimeStamp", &seconds),
                    ("Nonce", &nonce),
                ])
            }
        };
        Ok(("application/xml; charset=utf-8", body))
    }

    fn send<'s>(&'s self, ctx: &'s Ctx, client: &'s Client, one: &'s Sending) -> BoxFuture<'s, Result<Taken, Refusal>> {
        Box::pin(self.hand_over(ctx, client, one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '%s' 1771034400noncetoken | sha1sum`: the three in order of their bytes.
    #[test]
    fn the_proof_is_what_wechat_computes() {
        let shown = proof(vec!["token", "1771034400", "nonce"]);
        assert_eq!(shown, "b2379d87ecf19818660557566da8893a9e058c08");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("网格"), "网格");
        let long = "网".repeat(700);
        assert_eq!(cut(&long).chars().count(), MAX_TEXT / 3);
    }
}
