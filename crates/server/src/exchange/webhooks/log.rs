//! What the administrator does with webhooks: make, stop, try, look at the messages, send one again.

use super::store::{self, MessageRow, WebhookRow};
use super::target;
use crate::exchange::open311::keys;
use crate::platform::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// Webhooks of one partner, stopped ones too.
pub const MOST: i64 = 20;
/// What a secret begins with, as the specification says.
pub const PREFIX: &str = "whsec_";
/// Its bytes.
const SECRET: usize = 32;

/// Makes a webhook; the secret, which is told this once. None when an earlier try of the same request made it.
pub fn make(
    ctx: &Ctx,
    tx: &mut Tx,
    partner: PartnerId,
    id: WebhookId,
    url: &str,
) -> Result<(WebhookRow, Option<String>), Fault> {
    let of = keys::in_scope(ctx, tx, partner, &[Permission::AccountManage])?;
    let targets = &ctx.app.config().webhook_targets;
    let url = target::allowed(url, targets)?;
    if let Some(there) = store::webhook(tx, id)? {
        return if there.partner == partner && there.url == url.as_str() {
            Ok((there, None))
        } else {
            Err(Fault::conflict("id_used"))
        };
    }
    if of.revoked_at.is_some() {
        return Err(Fault::refused("open311_key_revoked"));
    }
    if store::webhooks_of(tx, partner, MOST)?.len() as i64 == MOST {
        return Err(Fault::refused("webhooks_too_many").with("most", MOST));
    }
    let secret = format!("{PREFIX}{}", STANDARD.encode(ctx.app.chance().bytes::<SECRET>()));
    let row = WebhookRow {
        id,
        partner,
        url: url.into(),
        secret: ctx.app.seal("webhook", &id.to_string(), "secret_sealed", &secret),
        told_until: ctx.now,
        created_at: ctx.now,
        created_by: ctx.account()?,
        created_name: ctx.actor.name().to_owned(),
        stopped_at: None,
        stopped_by: None,
    };
    store::insert_webhook(tx, &row)?;
    let mark = json!({ "webhook": id.to_string(), "url": row.url });
    tx.record(ctx, Mark::new("webhook.made", Subject::Partner(partner), mark))?;
    Ok((row, Some(secret)))
}

/// Stops a webhook at once; what waits is not sent. Doing it again changes nothing.
pub fn stop(ctx: &Ctx, tx: &mut Tx, id: WebhookId) -> Result<WebhookRow, Fault> {
    let row = in_scope(ctx, tx, id, &[Permission::AccountManage])?;
    if row.stopped_at.is_none() {
        store::stop(tx, id, ctx.actor.name(), ctx.now)?;
        let mark = json!({ "webhook": id.to_string() });
        tx.record(ctx, Mark::new("webhook.stopped", Subject::Partner(row.partner), mark))?;
    }
    store::webhook(tx, id)?.ok_or_else(Fault::not_found)
}

/// Stops all of a partner, when its key is revoked.
pub fn stop_of(ctx: &Ctx, tx: &mut Tx, partner: PartnerId) -> Result<(), Fault> {
    let running = store::webhooks_of(tx, partner, MOST)?;
    for row in running.into_iter().filter(|row| row.stopped_at.is_none()) {
        store::stop(tx, row.id, ctx.actor.name(), ctx.now)?;
    }
    Ok(())
}

fn in_scope(ctx: &Ctx, tx: &mut Tx, id: WebhookId, any: &[Permission]) -> Result<WebhookRow, Fault> {
    if !any.iter().any(|permission| ctx.scope.has(*permission)) {
        return Err(Fault::forbidden());
    }
    let row = store::webhook(tx, id)?.ok_or_else(Fault::not_found)?;
    keys::in_scope(ctx, tx, row.partner, any)?;
    Ok(row)
}

/// Webhooks of a partner, the newest first.
pub fn list(ctx: &Ctx, tx: &mut Tx, partner: PartnerId) -> Result<Vec<WebhookRow>, Fault> {
    keys::in_scope(ctx, tx, partner, &keys::READERS)?;
    store::webhooks_of(tx, partner, MOST)
}

/// Messages of a webhook, the newest first.
pub fn messages(
    ctx: &Ctx,
    tx: &mut Tx,
    id: WebhookId,
    after: Option<(i64, String)>,
    limit: u32,
) -> Result<Vec<MessageRow>, Fault> {
    in_scope(ctx, tx, id, &keys::READERS)?;
    store::messages(tx, id, after, limit)
}

/// A message that only shows whether the other side hears.
pub fn ping(ctx: &Ctx, tx: &mut Tx, id: WebhookId) -> Result<MessageRow, Fault> {
    let row = in_scope(ctx, tx, id, &[Permission::AccountManage])?;
    running(&row)?;
    let message = MessageRow {
        id: ctx.app.new_id(),
        webhook: id,
        at: ctx.now,
        kind: "ping".to_owned(),
        number: String::new(),
        body: json!({ "type": "ping", "timestamp": ctx.now.to_string(), "data": {} }).to_string(),
        state: "waiting".to_owned(),
        attempts: 0,
        next_at: Some(ctx.now),
        outcome: None,
        ended_at: None,
    };
    store::insert_message(tx, &message)?;
    queued(ctx, tx, &row, 1)?;
    Ok(message)
}

/// The mark of messages that were queued.
pub fn queued(ctx: &Ctx, tx: &mut Tx, row: &WebhookRow, count: usize) -> Result<(), Fault> {
    let mark = json!({ "webhook": row.id.to_string(), "count": count });
    tx.record(ctx, Mark::new("webhook.queued", Subject::Partner(row.partner), mark))?;
    Ok(())
}

/// Sends a message again, whatever became of it, under the same id.
pub fn resend(ctx: &Ctx, tx: &mut Tx, id: WebhookMessageId) -> Result<MessageRow, Fault> {
    if !ctx.scope.has(Permission::AccountManage) {
        return Err(Fault::forbidden());
    }
    let mut message = store::message(tx, id)?.ok_or_else(Fault::not_found)?;
    let row = in_scope(ctx, tx, message.webhook, &[Permission::AccountManage])?;
    running(&row)?;
    message.state = "waiting".to_owned();
    message.attempts = 0;
    message.next_at = Some(ctx.now);
    message.ended_at = None;
    store::note_attempt(tx, &message)?;
    queued(ctx, tx, &row, 1)?;
    Ok(message)
}

fn running(row: &WebhookRow) -> Result<(), Fault> {
    match row.stopped_at {
        Some(_) => Err(Fault::refused("webhook_stopped")),
        None => Ok(()),
    }
}
