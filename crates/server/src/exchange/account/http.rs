//! What the platform behind a public account calls.

use super::{Adapter, Call, CallQuery, Said, What, adapter};
use crate::exchange::dialogue::{self, Arrived};
use crate::platform::config::AccountKind;
use crate::platform::contacts::Channel;
use crate::platform::http::ctx_of;
use crate::platform::*;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

/// Bytes of one message with everything around it.
const BODY: usize = 32 << 10;

/// The calls, outside the API of the faces: they know no session.
pub fn plain_routes() -> Router<App> {
    Router::new()
        .route("/account/wechat", get(greeted).post(wechat))
        .route("/account/signed", post(signed))
        .layer(DefaultBodyLimit::max(BODY))
}

async fn greeted(State(app): State<App>, parts: Parts, Query(query): Query<CallQuery>) -> Result<String, Fault> {
    let call = Call {
        headers: &parts.headers,
        query,
        body: "",
    };
    behind(&app, AccountKind::Wechat)?.greeted(&calling(&app, &parts), &call)
}

async fn wechat(
    State(app): State<App>,
    parts: Parts,
    Query(query): Query<CallQuery>,
    body: String,
) -> Result<Response, Fault> {
    heard(&app, AccountKind::Wechat, &parts, query, &body).await
}

async fn signed(State(app): State<App>, parts: Parts, body: String) -> Result<Response, Fault> {
    heard(&app, AccountKind::Signed, &parts, CallQuery::default(), &body).await
}

fn calling(app: &App, parts: &Parts) -> Ctx {
    ctx_of(parts, app, Actor::System("account"), Scope::nothing()).for_purpose(Purpose::Exchange)
}

/// The door of an account that is not configured does not exist.
fn behind(app: &App, kind: AccountKind) -> Result<Box<dyn Adapter + '_>, Fault> {
    let account = app.config().account.as_ref().filter(|account| account.kind == kind);
    account.and_then(adapter).ok_or_else(Fault::not_found)
}

async fn heard(app: &App, kind: AccountKind, parts: &Parts, query: CallQuery, body: &str) -> Result<Response, Fault> {
    let ctx = calling(app, parts);
    let adapter = behind(app, kind)?;
    let call = Call {
        headers: &parts.headers,
        query,
        body,
    };
    let said = adapter.read(&ctx, &call)?;
    let text = answered(&ctx, &said).await?;
    let (mime, body) = adapter.reply(&ctx, &said, text.as_deref())?;
    Ok(([(CONTENT_TYPE, mime)], body).into_response())
}

/// What the follower is told at once.
async fn answered(ctx: &Ctx, said: &Said) -> Result<Option<String>, Fault> {
    let channel = Channel::PublicAccount;
    let from = said.from.clone();
    let follows = match &said.what {
        What::Text(text) => {
            let arrived = Arrived {
                channel,
                gateway_id: said.id.clone(),
                from,
                text: text.clone(),
                part: None,
                at_once: true,
            };
            return ctx
                .app
                .write(ctx, move |ctx, tx| dialogue::take(ctx, tx, &arrived))
                .await;
        }
        What::Followed => true,
        What::Left => false,
        What::Unreadable => return Ok(Some(i18n::sentence(Lang::Zh, "text_words_only", &[]))),
        What::Nothing => return Ok(None),
    };
    ctx.app
        .write(ctx, move |ctx, tx| dialogue::follows(ctx, tx, channel, &from, follows))
        .await
}
