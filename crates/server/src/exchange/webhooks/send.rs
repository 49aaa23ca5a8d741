//! The job behind webhooks: what changed becomes messages, messages that are due are sent, and what became of each is kept.

use super::log;
use super::store::{self, MessageRow, WebhookRow};
use super::target::{self, PRIVATE};
use crate::cases::public;
use crate::exchange::open311::keys;
use crate::exchange::{outgoing, signed};
use crate::platform::jobs::{Effect, Handler, Outcome, Recurring};
use crate::platform::sealed::Place;
use crate::platform::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
use serde_json::json;
use std::error::Error as _;

/// How often the job looks.
const EVERY_MS: i64 = 5_000;
/// A change is told after this, when everything that happened before it has been written: as over Open311.
const SETTLED_MS: i64 = MINUTE_MS;
/// Webhooks of one server.
const WEBHOOKS: i64 = 1_000;
/// Changes that become messages of one webhook in one run.
const CHANGES: usize = 500;
/// The same where all of them happened in one millisecond.
const AT_ONCE: usize = 10_000;
/// Messages of one run, all at once.
const BATCH: i64 = 32;
/// Without news the moment told until is moved on after this.
const QUIET_MS: i64 = HOUR_MS;
/// Pauses after a failed attempt; after the last the message has failed.
const PAUSES_MS: [i64; 7] = [
    MINUTE_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    24 * HOUR_MS,
];
/// The receiver is gone for good: the webhook is stopped (Standard Webhooks).
const GONE: &str = "410";

/// Tells the platform of the job.
pub fn register(app: &App) {
    let job = Recurring::every_ms("exchange.webhooks", EVERY_MS);
    jobs::register_recurring(app, job, Handler::Long(|ctx, _| Box::pin(run(ctx))));
}

fn is_gone(message: &MessageRow) -> bool {
    message.outcome.as_deref() == Some(GONE)
}

/// A message on its way: the address and the key that signs it.
struct Ready {
    message: MessageRow,
    webhook: WebhookRow,
    key: Vec<u8>,
}

async fn run(ctx: Ctx) -> Result<Effect, Fault> {
    gather(&ctx).await?;
    let ready = ctx.app.read(&ctx, ready).await?;
    if ready.is_empty() {
        return Ok(Box::new(|_, _| Ok(Outcome::Done)));
    }
    let client = outgoing::to_partner(&ctx.app)?;
    let attempts = ready.into_iter().map(|one| attempt(&ctx, &client, one));
    let ended = futures::future::join_all(attempts).await;
    Ok(Box::new(move |ctx, tx| {
        let delivered = ended.iter().filter(|(_, m)| m.state == "delivered").count();
        for (webhook, message) in &ended {
            let running = store::webhook(tx, webhook.id)?.is_some_and(|now| now.stopped_at.is_none());
            // Stopped while this was on its way: what did not arrive stays as stopping left it, and is not tried again.
            if running || message.next_at.is_none() {
                store::note_attempt(tx, message)?;
            }
            if running && is_gone(message) {
                store::stop(tx, webhook.id, "gone", ctx.now)?;
            }
        }
        let mark = json!({ "attempts": ended.len(), "delivered": delivered });
        tx.record(ctx, Mark::new("webhook.sent", Subject::System, mark))?;
        Ok(Outcome::Done)
    }))
}

/// Makes messages of what changed since the last time, for each webhook.
async fn gather(ctx: &Ctx) -> Result<(), Fault> {
    let settled = ctx.now.plus_ms(-SETTLED_MS);
    let active = ctx.app.read(ctx, |_, tx| store::active(tx, WEBHOOKS)).await?;
    for webhook in active.into_iter().filter(|one| one.told_until < settled) {
        let (id, from) = (webhook.id, webhook.told_until);
        let (until, changes) = ctx
            .app
            .read(ctx, move |ctx, tx| news(ctx, tx, &webhook, settled))
            .await?;
        if changes.is_empty() && until.0 - from.0 < QUIET_MS {
            continue;
        }
        ctx.app
            .write(ctx, move |ctx, tx| {
                let Some(webhook) = store::webhook(tx, id)?.filter(|one| one.stopped_at.is_none()) else {
                    return Ok(());
                };
                for change in &changes {
                    store::insert_message(tx, &message(ctx, id, change))?;
                }
                store::set_told_until(tx, id, until)?;
                log::queued(ctx, tx, &webhook, changes.len())
            })
            .await?;
    }
    Ok(())
}

/// What a webhook is to be told next, and until when that is.
fn news(
    ctx: &Ctx,
    tx: &mut Tx,
    webhook: &WebhookRow,
    settled: Timestamp,
) -> Result<(Timestamp, Vec<public::PublicChange>), Fault> {
    let partner = keys::by_id(tx, webhook.partner)?.ok_or_else(Fault::not_found)?;
    let depth = partner.areas.iter().flatten().count();
    let area = partner
        .area
        .zip(u8::try_from(depth).ok())
        .map(|(area, depth)| (depth, area));
    let mut until = settled;
    loop {
        let span = until.0 - webhook.told_until.0;
        let most = if span <= 1 { AT_ONCE } else { CHANGES };
        let changes = public::changes(ctx, tx, area, None, (webhook.told_until, until), most)?;
        // What is too much for one run is cut by time, so that nothing falls between two.
        if changes.len() <= most || span <= 1 {
            return Ok((until, changes));
        }
        until = webhook.told_until.plus_ms(span / 2);
    }
}

fn message(ctx: &Ctx, webhook: WebhookId, change: &public::PublicChange) -> MessageRow {
    let kind = format!("case.{}", change.step);
    let data = json!({ "number": change.number, "seq": change.seq, "step": change.step, "text": change.text, "over": change.closes() });
    MessageRow {
        id: ctx.app.new_id(),
        webhook,
        at: ctx.now,
        body: json!({ "type": kind, "timestamp": change.at.to_string(), "data": data }).to_string(),
        kind,
        number: change.number.clone(),
        state: "waiting".to_owned(),
        attempts: 0,
        next_at: Some(ctx.now),
        outcome: None,
        ended_at: None,
    }
}

/// Messages that are due, with what is needed to send them.
fn ready(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<Ready>, Fault> {
    let mut ready = Vec::new();
    for message in store::due(tx, ctx.now, BATCH)? {
        let Some(webhook) = store::webhook(tx, message.webhook)? else {
            continue;
        };
        let id = webhook.id.to_string();
        let place = Place {
            table: "webhook",
            id: &id,
            column: "secret_sealed",
        };
        let secret = ctx.app.sealer().open(place, &webhook.secret).map_err(Fault::internal)?;
        let key = STANDARD
            .decode(secret.reveal().trim_start_matches(log::PREFIX))
            .map_err(Fault::internal)?;
        ready.push(Ready { message, webhook, key });
    }
    Ok(ready)
}

async fn attempt(ctx: &Ctx, client: &reqwest::Client, one: Ready) -> (WebhookRow, MessageRow) {
    let Ready {
        mut message,
        webhook,
        key,
    } = one;
    let outcome = match sent(ctx, client, &webhook, &message, &key).await {
        Ok(status) => status.to_string(),
        Err(code) => code.to_owned(),
    };
    message.attempts += 1;
    let delivered = outcome.starts_with('2') && outcome.len() == 3;
    let again = PAUSES_MS
        .get(usize::try_from(message.attempts - 1).unwrap_or(usize::MAX))
        .filter(|_| outcome != GONE);
    message.next_at = again.filter(|_| !delivered).map(|pause| ctx.now.plus_ms(*pause));
    message.state = match (delivered, message.next_at) {
        (true, _) => "delivered",
        (false, Some(_)) => "waiting",
        (false, None) => "failed",
    }
    .to_owned();
    message.ended_at = message.next_at.is_none().then_some(ctx.now);
    message.outcome = Some(outcome);
    (webhook, message)
}

/// The status of the answer, or the code of what went wrong.
async fn sent(
    ctx: &Ctx,
    client: &reqwest::Client,
    webhook: &WebhookRow,
    message: &MessageRow,
    key: &[u8],
) -> Result<u16, &'static str> {
    // The operator may have taken the address off the list since.
    let url = target::allowed(&webhook.url, &ctx.app.config().webhook_targets).map_err(|fault| fault.code())?;
    let request = signed::request(ctx, client, url, key, &message.id.to_string(), message.body.clone());
    match request.send().await {
        Ok(answer) => Ok(answer.status().as_u16()),
        Err(error) if error.is_timeout() => Err("webhook_timeout"),
        Err(error) if says_private(&error) => Err("webhook_private_address"),
        Err(_) => Err("webhook_unreachable"),
    }
}

/// Whether the name was refused because it leads into the house.
pub(in crate::exchange) fn says_private(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(one) = cause {
        if one.to_string().contains(PRIVATE) {
            return true;
        }
        cause = one.source();
    }
    false
}
