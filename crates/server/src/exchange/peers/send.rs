//! The job that sends: messages in order, photos fetched, and a comparison at night.
//!
//! A message is tried until it is answered; only a signed answer counts. Of each handover only the first message that has not arrived is on
//! its way, so that one lost holds up only its own matter.

use super::sign::{self, Kind};
use super::store::{self, PeerRow};
use super::{PROTOCOL, figures};
use crate::cases::handover::{self, MessageRow, PhotoRow};
use crate::exchange::open311::{media, params};
use crate::exchange::outgoing;
use crate::exchange::webhooks::send::says_private;
use crate::exchange::webhooks::target;
use crate::platform::blobs::MAX_BYTES;
use crate::platform::jobs::{Effect, Handler, Outcome, Recurring};
use crate::platform::*;
use domain::cases::handover::Said;
use domain::time::{HOUR_MS, MINUTE_MS};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::Digest;

/// How often the job looks.
const EVERY_MS: i64 = 5_000;
/// Messages sent at once, and how often in one run more are looked for.
const BATCH: i64 = 16;
const ROUNDS: usize = 16;
/// Photos of one run.
const PHOTOS: i64 = 8;
/// Times a photo is tried.
const PHOTO_ATTEMPTS: i64 = 12;
/// Bytes of an answer that is not a photo.
const MAX_ANSWER: u64 = 1 << 20;
/// The first pause after a failed attempt, the longest while it is new, and the one after many.
const FIRST_PAUSE_MS: i64 = 5_000;
const LONGEST_PAUSE_MS: i64 = MINUTE_MS;
const LATER_PAUSE_MS: i64 = HOUR_MS;
/// After so many attempts the pause is the long one.
const MANY: i64 = 120;

/// Tells the platform of the jobs.
pub fn register(app: &App) {
    let often = Recurring::every_ms("exchange.peers", EVERY_MS);
    jobs::register_recurring(app, often, Handler::Long(|ctx, _| Box::pin(run(ctx))));
    let nightly = Recurring::nightly("exchange.peers.compare", 2, 40);
    jobs::register_recurring(app, nightly, Handler::Long(|ctx, _| Box::pin(nightly_run(ctx))));
}

async fn nightly_run(ctx: Ctx) -> Result<Effect, Fault> {
    figures::compare_all(&ctx).await?;
    Ok(Box::new(|_, _| Ok(Outcome::Done)))
}

async fn run(ctx: Ctx) -> Result<Effect, Fault> {
    for _ in 0..ROUNDS {
        let due = ctx.app.read(&ctx, due).await?;
        if due.is_empty() {
            break;
        }
        for (peer, message) in due {
            deliver(&ctx, peer, message).await?;
        }
    }
    let photos = ctx
        .app
        .read(&ctx, |ctx, tx| handover::due_photos(tx, ctx.now, PHOTOS))
        .await?;
    for photo in photos {
        fetch(&ctx, photo).await?;
    }
    Ok(Box::new(|_, _| Ok(Outcome::Done)))
}

/// Messages to be sent, each with whom to.
fn due(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<(PeerRow, MessageRow)>, Fault> {
    let mut ready = Vec::new();
    for message in handover::due_messages(tx, ctx.now, BATCH)? {
        let h = handover::find(tx, message.handover)?.ok_or_else(Fault::not_found)?;
        let peer = store::peer(tx, h.peer)?.ok_or_else(Fault::not_found)?;
        ready.push((peer, message));
    }
    Ok(ready)
}

/// Half of the pause and by chance up to the whole.
fn pause_ms(ctx: &Ctx, attempts: i64) -> i64 {
    let whole = match attempts {
        MANY.. => LATER_PAUSE_MS,
        _ => (FIRST_PAUSE_MS << attempts.clamp(1, 8).saturating_sub(1)).min(LONGEST_PAUSE_MS),
    };
    let [a, b] = ctx.app.chance().bytes::<2>();
    whole / 2 + whole / 2 * i64::from(u16::from_be_bytes([a, b])) / i64::from(u16::MAX)
}

async fn deliver(ctx: &Ctx, peer: PeerRow, message: MessageRow) -> Result<(), Fault> {
    let said = Said {
        verb: message.verb,
        seq: message.seq,
        heard: message.heard,
    };
    let content = handover::content(
        message.id,
        message.handover,
        said,
        message.at,
        &handover::open_data(ctx, &message)?,
    );
    let called = if peer.is_active(ctx.now) {
        call(ctx, &peer, "messages", (Kind::Message, Kind::Answer), content).await
    } else {
        Called::Failed("peer_not_active")
    };
    let id = message.id.to_string();
    let called = match called {
        Called::Answered(_, answer) if answer["answers"] != id.as_str() => Called::Failed("peer_answer_wrong"),
        other => other,
    };
    ctx.app.write(ctx, move |ctx, tx| note(ctx, tx, message, called)).await
}

/// What became of an attempt.
fn note(ctx: &Ctx, tx: &mut Tx, message: MessageRow, called: Called) -> Result<(), Fault> {
    // While it was on its way it may have been queued anew; what it says has not changed.
    let Some(mut message) = handover::message(tx, message.id)?.filter(|now| now.state == "waiting") else {
        return Ok(());
    };
    message.attempts += 1;
    let (outcome, answer) = match called {
        Called::Failed(code) => {
            message.next_at = Some(ctx.now.plus_ms(pause_ms(ctx, message.attempts)));
            message.outcome = Some(code.to_owned());
            handover::note_message(tx, &message)?;
            return attempted(ctx, tx, &message, code, None);
        }
        Called::Answered(_, answer) => (answer["outcome"].as_str().unwrap_or_default().to_owned(), answer),
    };
    let digest = hex::encode(sha2::Sha256::digest(answer.to_string().as_bytes()));
    match outcome.as_str() {
        "done" => {
            message.state = "done".to_owned();
            message.next_at = None;
            message.ended_at = Some(ctx.now);
            message.outcome = Some("peer_done".to_owned());
            handover::note_message(tx, &message)?;
            attempted(ctx, tx, &message, "done", Some(&digest))
        }
        "early" => {
            let from = answer["expected"]
                .as_i64()
                .unwrap_or(1)
                .clamp(1, i64::from(message.seq));
            let waits = from == i64::from(message.seq);
            message.outcome = Some("peer_early".to_owned());
            message.next_at = Some(ctx.now.plus_ms(if waits { pause_ms(ctx, message.attempts) } else { 0 }));
            handover::note_message(tx, &message)?;
            if !waits {
                handover::requeue(tx, message.handover, from, ctx.now)?;
            }
            attempted(ctx, tx, &message, "early", Some(&digest))
        }
        _ => {
            let code = answer["code"].as_str().unwrap_or_default();
            let code = if i18n::known(code) { code } else { "peer_refused" };
            attempted(ctx, tx, &message, code, Some(&digest))?;
            handover::refused_there(ctx, tx, message, code)
        }
    }
}

/// The mark of an attempt, with the digest of the answer.
fn attempted(ctx: &Ctx, tx: &mut Tx, m: &MessageRow, outcome: &str, answer: Option<&str>) -> Result<(), Fault> {
    let body = json!({ "message": m.id.to_string(), "seq": m.seq, "attempt": m.attempts, "outcome": outcome, "answer": answer });
    tx.record(ctx, Mark::new("handover.sent", Subject::Handover(m.handover), body))?;
    Ok(())
}

/// What a call gave: an answer whose signature holds, or the code of what went wrong.
#[derive(Debug)]
pub enum Called {
    Answered(StatusCode, Value),
    Failed(&'static str),
}

/// Calls a platform: `content` with the envelope around it, signed.
pub async fn call(ctx: &Ctx, peer: &PeerRow, what: &str, (kind, answers): (Kind, Kind), content: Value) -> Called {
    let (status, signature, bytes) = match post(ctx, peer, what, kind, content, MAX_ANSWER).await {
        Ok(answered) => answered,
        Err(code) => return Called::Failed(code),
    };
    let text = String::from_utf8_lossy(&bytes);
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Called::Failed("peer_busy");
    }
    if !sign::is_signed(&peer.key, answers, &text, &signature) {
        // A platform that does not know us answers unsigned.
        let code = if status == StatusCode::FORBIDDEN {
            "peer_forbids"
        } else {
            "peer_answer_wrong"
        };
        return Called::Failed(code);
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(answer) if answer["to"] == sign::own_fingerprint(&ctx.app).as_str() => Called::Answered(status, answer),
        _ => Called::Failed("peer_answer_wrong"),
    }
}

/// Posts a signed text; the status, the signature and the body of the answer, of at most `most` bytes.
async fn post(
    ctx: &Ctx,
    peer: &PeerRow,
    what: &str,
    kind: Kind,
    mut content: Value,
    most: u64,
) -> Result<(StatusCode, String, Vec<u8>), &'static str> {
    // The operator may have taken the address off the list since.
    let url = format!("{}/peer/v1/{what}", peer.url);
    let url = target::allowed(&url, &ctx.app.config().webhook_targets).map_err(|fault| fault.code())?;
    let client = outgoing::to_partner(&ctx.app).map_err(|_| "webhook_unreachable")?;
    if let Value::Object(fields) = &mut content {
        fields.insert("protocol".into(), json!(PROTOCOL));
        fields.insert("from".into(), json!(sign::own_fingerprint(&ctx.app)));
        fields.insert("to".into(), json!(peer.fingerprint));
    }
    let text = content.to_string();
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .header(sign::HEADER, sign::sign(&ctx.app, kind, &text))
        .body(text);
    let failed = |error: reqwest::Error| match () {
        () if error.is_timeout() => "webhook_timeout",
        () if says_private(&error) => "webhook_private_address",
        () => "webhook_unreachable",
    };
    let mut answer = request.send().await.map_err(failed)?;
    let signature = answer.headers().get(sign::HEADER).and_then(|value| value.to_str().ok());
    let (status, signature) = (answer.status(), signature.unwrap_or_default().to_owned());
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if (bytes.len() + chunk.len()) as u64 > most {
            return Err("peer_answer_too_long");
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((status, signature, bytes))
}

/// Fetches a photo that was announced; its digest must be the one announced.
async fn fetch(ctx: &Ctx, mut photo: PhotoRow) -> Result<(), Fault> {
    let id = photo.handover;
    let peer = ctx
        .app
        .read(ctx, move |_, tx| {
            let h = handover::find(tx, id)?.ok_or_else(Fault::not_found)?;
            store::peer(tx, h.peer)?.ok_or_else(Fault::not_found)
        })
        .await?;
    photo.attempts += 1;
    match fetched(ctx, &peer, &photo).await {
        Ok(upload) => {
            photo.state = "done".to_owned();
            photo.next_at = None;
            photo.outcome = None;
            let done = photo.clone();
            let kept = ctx
                .app
                .write(ctx, move |ctx, tx| handover::fetched(ctx, tx, &done, &upload))
                .await;
            match kept {
                Err(fault) if fault.status().is_client_error() => given_up(ctx, photo, fault.code()).await,
                other => other,
            }
        }
        Err(code) if photo.attempts >= PHOTO_ATTEMPTS => given_up(ctx, photo, code).await,
        Err(code) => {
            photo.next_at = Some(ctx.now.plus_ms(pause_ms(ctx, photo.attempts)));
            photo.outcome = Some(code.to_owned());
            photo_noted(ctx, photo).await
        }
    }
}

async fn given_up(ctx: &Ctx, mut photo: PhotoRow, code: &str) -> Result<(), Fault> {
    photo.state = "refused".to_owned();
    photo.next_at = None;
    photo.outcome = Some(code.to_owned());
    photo_noted(ctx, photo).await
}

async fn photo_noted(ctx: &Ctx, photo: PhotoRow) -> Result<(), Fault> {
    ctx.app
        .write(ctx, move |ctx, tx| {
            handover::note_photo(tx, &photo)?;
            let body = json!({ "photo": photo.hash, "attempt": photo.attempts, "outcome": photo.outcome });
            tx.record(
                ctx,
                Mark::new("handover.photo_tried", Subject::Handover(photo.handover), body),
            )?;
            Ok(())
        })
        .await
}

async fn fetched(ctx: &Ctx, peer: &PeerRow, photo: &PhotoRow) -> Result<String, &'static str> {
    if !peer.is_active(ctx.now) {
        return Err("peer_not_active");
    }
    let question = json!({ "at": ctx.now.to_string(), "handover": photo.handover, "hash": photo.hash });
    let (status, _, bytes) = post(ctx, peer, "photos", Kind::Photo, question, MAX_BYTES).await?;
    if !status.is_success() {
        return Err("peer_photo_refused");
    }
    if hex::encode(sha2::Sha256::digest(&bytes)) != photo.hash {
        return Err("peer_photo_differs");
    }
    let file = params::File {
        name: "photo.jpg".to_owned(),
        bytes: bytes.into(),
    };
    let kept = media::keep(ctx, &[file]).await.map_err(|fault| fault.code())?;
    kept.into_iter().next().ok_or("peer_photo_refused")
}
