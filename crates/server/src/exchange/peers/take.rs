//! What the other platform calls: messages, questions about figures, photos. Every call is signed by a platform with a confirmed agreement.
//!
//! A message and what it does commit together, and the answer leaves after the commit; the same message again gets the same answer.

use super::sign::{self, Kind};
use super::store::{self, PeerRow, RefusalRow};
use super::{PROTOCOL, figures};
use crate::cases::handover::{self, HandoverRow, Heard, Incoming};
use crate::platform::blobs::{self, Size};
use crate::platform::http::{ctx_of, holds_nul, within_budget};
use crate::platform::throttle::Budget;
use crate::platform::*;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::cases::handover::{Said, Verb};
use domain::time::{MINUTE_MS, Timestamp};
use serde_json::{Value, json};
use sha2::Digest;

/// Bytes of a call.
const MAX_CALL: usize = 256 << 10;
/// Calls of one address in a minute.
const PER_MINUTE: u32 = 1_200;
/// A question (figures, a photo) is good this long: its time and ours may differ.
const FRESH_MS: i64 = 10 * MINUTE_MS;

/// The calls, outside the API of the faces: they know no session.
pub fn plain_routes() -> Router<App> {
    Router::new()
        .route("/peer/v1/messages", post(messages))
        .route("/peer/v1/figures", post(asked_figures))
        .route("/peer/v1/photos", post(photo))
        .layer(DefaultBodyLimit::max(MAX_CALL))
}

/// Who calls, and what they signed.
struct Call {
    ctx: Ctx,
    peer: PeerRow,
    text: String,
    value: Value,
}

fn forbidden(code: &'static str) -> Fault {
    Fault::new(StatusCode::FORBIDDEN, code)
}

/// Finds out who calls. Until the signature holds, nothing is believed and nothing kept.
async fn known(app: &App, parts: &Parts, body: Bytes, kind: Kind) -> Result<Call, Fault> {
    within_budget(app, parts, Budget::Peer, PER_MINUTE)?;
    let unreadable = || Fault::refused("peer_message_unreadable");
    let text = String::from_utf8(body.to_vec()).map_err(|_| unreadable())?;
    if holds_nul(text.as_bytes()) {
        return Err(unreadable());
    }
    let value: Value = serde_json::from_str(&text).map_err(|_| unreadable())?;
    let from = value["from"].as_str().unwrap_or_default().to_owned();
    let ctx = ctx_of(parts, app, Actor::Resident, Scope::nothing()).for_purpose(Purpose::Exchange);
    let peer = app.read(&ctx, move |_, tx| store::peer_of(tx, &from)).await?;
    let peer = peer
        .filter(|peer| peer.is_active(ctx.now))
        .ok_or_else(|| forbidden("peer_unknown"))?;
    let signature = parts.headers.get(sign::HEADER).and_then(|value| value.to_str().ok());
    if !sign::is_signed(&peer.key, kind, &text, signature.unwrap_or_default()) {
        return Err(forbidden("peer_signature_wrong"));
    }
    if value["to"] != sign::own_fingerprint(app).as_str() || value["protocol"] != PROTOCOL {
        return Err(forbidden("peer_not_for_us"));
    }
    // A peer acts as any other system that has a key; ids are never used twice.
    let actor = Actor::Partner {
        id: PartnerId(peer.id.0),
        name: peer.name.clone(),
    };
    Ok(Call {
        ctx: Ctx { actor, ..ctx },
        peer,
        text,
        value,
    })
}

/// A question must be recent: one that was overheard is worth nothing later.
fn fresh(call: &Call) -> Result<(), Fault> {
    let at = call.value["at"].as_str().and_then(|at| Timestamp::parse(at).ok());
    match at {
        Some(at) if (at.0 - call.ctx.now.0).abs() <= FRESH_MS => Ok(()),
        _ => Err(forbidden("peer_call_too_old")),
    }
}

/// A signed answer.
fn signed(app: &App, status: StatusCode, kind: Kind, text: String) -> Response {
    let signature = sign::sign(app, kind, &text);
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(value) = HeaderValue::from_str(&signature) {
        headers.insert(sign::HEADER, value);
    }
    response
}

async fn messages(State(app): State<App>, parts: Parts, body: Bytes) -> Result<Response, Fault> {
    let call = known(&app, &parts, body, Kind::Message).await?;
    let Some(incoming) = incoming(&call) else {
        return refused(&app, &call, "peer_message_unreadable").await;
    };
    let (from, to) = (sign::own_fingerprint(&app), call.peer.fingerprint.clone());
    let id = incoming.id;
    let said = move |outcome: &str, more: Value| {
        let mut answer = json!({ "protocol": PROTOCOL, "from": from, "to": to, "answers": id, "outcome": outcome });
        if let (Value::Object(answer), Value::Object(more)) = (&mut answer, more) {
            answer.extend(more);
        }
        answer.to_string()
    };
    let early = said.clone();
    let done = move |h: &HandoverRow| {
        let stands = json!({ "handover": h.id, "heard": h.side.heard, "phase": h.side.phase.key() });
        said("done", stands)
    };
    let heard = app
        .write(&call.ctx, move |ctx, tx| handover::hear(ctx, tx, &incoming, done))
        .await;
    match heard {
        Ok(Heard::Done(answer)) => Ok(signed(&app, StatusCode::OK, Kind::Answer, answer)),
        Ok(Heard::Early(expected)) => {
            let answer = early("early", json!({ "expected": expected }));
            Ok(signed(&app, StatusCode::CONFLICT, Kind::Answer, answer))
        }
        Ok(Heard::Refused(code)) => refused(&app, &call, code).await,
        Err(fault) if fault.status().is_client_error() => refused(&app, &call, fault.code()).await,
        Err(fault) => Err(fault),
    }
}

/// The message, if it is one.
fn incoming(call: &Call) -> Option<Incoming> {
    let value = &call.value;
    let number = |key: &str| value[key].as_u64().and_then(|number| u32::try_from(number).ok());
    Some(Incoming {
        id: value["id"].as_str()?.parse().ok()?,
        handover: value["handover"].as_str()?.parse().ok()?,
        said: Said {
            verb: Verb::from_key(value["verb"].as_str()?)?,
            seq: number("seq").filter(|seq| *seq > 0)?,
            heard: number("heard")?,
        },
        at: Timestamp::parse(value["at"].as_str()?).ok()?,
        data: value["data"].clone(),
        peer: call.peer.id,
        peer_name: call.peer.name.clone(),
        takes: call.peer.takes,
    })
}

/// Refuses a message of a platform we know, and keeps that it was refused.
async fn refused(app: &App, call: &Call, code: &'static str) -> Result<Response, Fault> {
    let text = |key: &str| {
        call.value[key]
            .as_str()
            .map(|text| text.chars().take(60).collect::<String>())
    };
    let row = RefusalRow {
        id: app.new_id(),
        peer: call.peer.id,
        at: call.ctx.now,
        code: code.to_owned(),
        verb: text("verb").unwrap_or_default(),
        handover: text("handover"),
        message: text("id"),
        hash: hex::encode(sha2::Sha256::digest(call.text.as_bytes())),
    };
    let answer = json!({
        "protocol": PROTOCOL, "from": sign::own_fingerprint(app), "to": call.peer.fingerprint, "answers": row.message, "outcome": "refused",
        "code": code, "text": i18n::sentence(call.ctx.lang, code, &[]),
    });
    app.write(&call.ctx, move |ctx, tx| {
        store::insert_refusal(tx, &row)?;
        let mark = json!({ "code": row.code, "verb": row.verb, "hash": row.hash });
        tx.record(ctx, Mark::new("peer.refused", Subject::Peer(row.peer), mark))
    })
    .await?;
    Ok(signed(
        app,
        StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Answer,
        answer.to_string(),
    ))
}

async fn asked_figures(State(app): State<App>, parts: Parts, body: Bytes) -> Result<Response, Fault> {
    let call = known(&app, &parts, body, Kind::Figures).await?;
    fresh(&call)?;
    let (peer, after) = (
        call.peer.id,
        call.value["after"].as_str().unwrap_or_default().to_owned(),
    );
    let mut answer = app
        .read(&call.ctx, move |ctx, tx| figures::own(ctx, tx, peer, &after))
        .await?;
    if let Value::Object(fields) = &mut answer {
        fields.insert("protocol".into(), json!(PROTOCOL));
        fields.insert("from".into(), json!(sign::own_fingerprint(&app)));
        fields.insert("to".into(), json!(call.peer.fingerprint));
        fields.insert("nonce".into(), call.value["nonce"].clone());
    }
    Ok(signed(&app, StatusCode::OK, Kind::FiguresAnswer, answer.to_string()))
}

async fn photo(State(app): State<App>, parts: Parts, body: Bytes) -> Result<Response, Fault> {
    let call = known(&app, &parts, body, Kind::Photo).await?;
    fresh(&call)?;
    let handover: Option<HandoverId> = call.value["handover"].as_str().and_then(|id| id.parse().ok());
    let (Some(handover), Some(hash)) = (handover, call.value["hash"].as_str()) else {
        return Err(Fault::not_found());
    };
    let (peer, named) = (call.peer.id, hash.to_owned());
    let shared = app
        .read(&call.ctx, move |_, tx| handover::is_shared(tx, peer, handover, &named))
        .await?;
    if !shared {
        return Err(Fault::not_found());
    }
    let mut response = blobs::read(&app, hash, Size::Full).await?.into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    Ok(response)
}
