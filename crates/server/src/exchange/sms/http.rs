//! What a gateway calls: a message came in, a message arrived.

use super::{kannel, signed};
use crate::exchange::dialogue::{self, Arrived};
use crate::exchange::signed::check;
use crate::platform::config::{Sms, SmsKind};
use crate::platform::contacts::Channel;
use crate::platform::http::{ClientAddress, ctx_of, parse_json};
use crate::platform::outbox::{self, Report};
use crate::platform::*;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;

/// Bytes of one message with everything around it: twenty parts of an SMS, generously.
const BODY: usize = 32 << 10;

/// The calls, outside the API of the faces: they know no session.
pub fn plain_routes() -> Router<App> {
    Router::new()
        .route("/sms/in", post(signed_in))
        .route("/sms/report", post(signed_report))
        .route("/sms/kannel/in", post(kannel_in))
        .route("/sms/kannel/report", get(kannel_report))
        .layer(DefaultBodyLimit::max(BODY))
}

/// The gateway, when it speaks this way and may call from there. Anything else does not exist.
fn gateway(app: &App, parts: &Parts, kind: SmsKind) -> Result<(Ctx, Sms), Fault> {
    let sms = app
        .config()
        .sms
        .as_ref()
        .filter(|sms| sms.kind == kind)
        .ok_or_else(Fault::not_found)?;
    let from = ClientAddress::of(parts).to_canonical();
    if !sms.from.iter().any(|allowed| allowed.to_canonical() == from) {
        return Err(Fault::new(StatusCode::FORBIDDEN, "message_gateway_elsewhere"));
    }
    let ctx = ctx_of(parts, app, Actor::System("sms"), Scope::nothing()).for_purpose(Purpose::Exchange);
    Ok((ctx, sms.clone()))
}

async fn take(ctx: Ctx, arrived: Arrived) -> Result<StatusCode, Fault> {
    ctx.app
        .write(&ctx, move |ctx, tx| dialogue::take(ctx, tx, &arrived))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn told(ctx: Ctx, id: MessageId, report: Report) -> Result<StatusCode, Fault> {
    ctx.app
        .write(&ctx, move |ctx, tx| outbox::report(ctx, tx, id, report))
        .await?;
    // A message nobody knows is answered the same: there is nothing to try again.
    Ok(StatusCode::NO_CONTENT)
}

async fn signed_in(State(app): State<App>, parts: Parts, body: String) -> Result<StatusCode, Fault> {
    let (ctx, sms) = gateway(&app, &parts, SmsKind::Signed)?;
    check(&ctx, &sms.secret, &parts.headers, &body)?;
    let message: signed::Message = parse_json(body.as_bytes())?;
    let arrived = Arrived {
        channel: Channel::Sms,
        gateway_id: message.id,
        from: message.from,
        text: message.text,
        part: message.part.map(Into::into),
        at_once: false,
    };
    take(ctx, arrived).await
}

async fn signed_report(State(app): State<App>, parts: Parts, body: String) -> Result<StatusCode, Fault> {
    let (ctx, sms) = gateway(&app, &parts, SmsKind::Signed)?;
    check(&ctx, &sms.secret, &parts.headers, &body)?;
    let report: signed::Told = parse_json(body.as_bytes())?;
    told(ctx, report.id, report.state.into()).await
}

#[derive(Deserialize)]
struct KannelIn {
    #[serde(default)]
    id: String,
}

async fn kannel_in(
    State(app): State<App>,
    parts: Parts,
    Query(query): Query<KannelIn>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Fault> {
    let (ctx, sms) = gateway(&app, &parts, SmsKind::Kannel)?;
    kannel::check(&sms, &headers)?;
    let (from, text, part) = kannel::read(&headers, &body);
    let arrived = Arrived {
        channel: Channel::Sms,
        gateway_id: query.id,
        from,
        text,
        part,
        at_once: false,
    };
    // smsbox wants 200 or 202 and sends no answer of its own when the body is empty (`omit-empty`).
    take(ctx, arrived).await.map(|_| StatusCode::OK)
}

#[derive(Deserialize)]
struct KannelReport {
    id: MessageId,
    state: u8,
}

async fn kannel_report(
    State(app): State<App>,
    parts: Parts,
    Query(query): Query<KannelReport>,
) -> Result<StatusCode, Fault> {
    let (ctx, sms) = gateway(&app, &parts, SmsKind::Kannel)?;
    kannel::check(&sms, &parts.headers)?;
    match kannel::told(query.state) {
        Some(report) => told(ctx, query.id, report).await.map(|_| StatusCode::OK),
        None => Ok(StatusCode::OK),
    }
}
