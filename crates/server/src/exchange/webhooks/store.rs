//! The SQL of webhooks and their messages.

use crate::platform::*;
use db::{Row, Sql, params};
use domain::time::Timestamp;

/// Where a partner is told of changes.
#[derive(Debug, Clone)]
pub struct WebhookRow {
    pub id: WebhookId,
    pub partner: PartnerId,
    pub url: String,
    pub secret: Vec<u8>,
    pub told_until: Timestamp,
    pub created_at: Timestamp,
    pub created_by: AccountId,
    pub created_name: String,
    pub stopped_at: Option<Timestamp>,
    pub stopped_by: Option<String>,
}

const WEBHOOKS: &str = "select w.id, w.partner_id, w.url, w.secret_sealed, w.told_until, w.created_at, w.created_by, w.created_name, w.stopped_at, \
    w.stopped_by from webhook w ";

fn webhook_row(row: &Row) -> Result<WebhookRow, Fault> {
    Ok(WebhookRow {
        id: row.get(0)?,
        partner: row.get(1)?,
        url: row.get(2)?,
        secret: row.get(3)?,
        told_until: Timestamp(row.get(4)?),
        created_at: Timestamp(row.get(5)?),
        created_by: row.get(6)?,
        created_name: row.get(7)?,
        stopped_at: row.get::<Option<i64>>(8)?.map(Timestamp),
        stopped_by: row.get(9)?,
    })
}

pub fn insert_webhook(tx: &mut Tx, w: &WebhookRow) -> Result<(), Fault> {
    tx.execute(
        "insert into webhook (id, partner_id, url, secret_sealed, told_until, created_at, created_by, created_name) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params![
            w.id,
            w.partner,
            &w.url,
            w.secret.clone(),
            w.told_until.0,
            w.created_at.0,
            w.created_by,
            &w.created_name
        ],
    )?;
    Ok(())
}

pub fn webhook(tx: &mut Tx, id: WebhookId) -> Result<Option<WebhookRow>, Fault> {
    let sql = Sql::new(WEBHOOKS).push("where w.id = ").bind(id);
    tx.fetch(&sql)?.first().map(webhook_row).transpose()
}

/// Those of a partner, the newest first; at most `limit`.
pub fn webhooks_of(tx: &mut Tx, partner: PartnerId, limit: i64) -> Result<Vec<WebhookRow>, Fault> {
    let sql = Sql::new(WEBHOOKS)
        .push("where w.partner_id = ")
        .bind(partner)
        .push(" order by w.created_at desc, w.id desc limit ")
        .bind(limit);
    tx.fetch(&sql)?.iter().map(webhook_row).collect()
}

/// Those that are told of changes.
pub fn active(tx: &mut Tx, limit: i64) -> Result<Vec<WebhookRow>, Fault> {
    let sql = Sql::new(WEBHOOKS)
        .push("where w.stopped_at is null order by w.id limit ")
        .bind(limit);
    tx.fetch(&sql)?.iter().map(webhook_row).collect()
}

pub fn set_told_until(tx: &mut Tx, id: WebhookId, until: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "update webhook set told_until = $1 where id = $2",
        &params![until.0, id],
    )?;
    Ok(())
}

/// Stops a webhook; what waits is not sent.
pub fn stop(tx: &mut Tx, id: WebhookId, by: &str, at: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "update webhook set stopped_at = $1, stopped_by = $2 where id = $3 and stopped_at is null",
        &params![at.0, by, id],
    )?;
    tx.execute(
        "update webhook_message set next_at = null, state = 'failed', outcome = 'webhook_stopped', ended_at = $1 \
         where webhook_id = $2 and next_at is not null",
        &params![at.0, id],
    )?;
    Ok(())
}

/// A message as kept.
#[derive(Debug, Clone)]
pub struct MessageRow {
    pub id: WebhookMessageId,
    pub webhook: WebhookId,
    pub at: Timestamp,
    pub kind: String,
    pub number: String,
    pub body: String,
    pub state: String,
    pub attempts: i64,
    pub next_at: Option<Timestamp>,
    pub outcome: Option<String>,
    pub ended_at: Option<Timestamp>,
}

const MESSAGES: &str = "select m.id, m.webhook_id, m.at, m.kind, m.number, m.body, m.state, m.attempts, m.next_at, m.outcome, m.ended_at \
    from webhook_message m where ";

fn message_row(row: &Row) -> Result<MessageRow, Fault> {
    Ok(MessageRow {
        id: row.get(0)?,
        webhook: row.get(1)?,
        at: Timestamp(row.get(2)?),
        kind: row.get(3)?,
        number: row.get(4)?,
        body: row.get(5)?,
        state: row.get(6)?,
        attempts: row.get(7)?,
        next_at: row.get::<Option<i64>>(8)?.map(Timestamp),
        outcome: row.get(9)?,
        ended_at: row.get::<Option<i64>>(10)?.map(Timestamp),
    })
}

pub fn insert_message(tx: &mut Tx, m: &MessageRow) -> Result<(), Fault> {
    tx.execute(
        "insert into webhook_message (id, webhook_id, at, kind, number, body, state, next_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params![m.id, m.webhook, m.at.0, &m.kind, &m.number, &m.body, &m.state, m.next_at.map(|at| at.0)],
    )?;
    Ok(())
}

pub fn message(tx: &mut Tx, id: WebhookMessageId) -> Result<Option<MessageRow>, Fault> {
    let sql = Sql::new(MESSAGES).push("m.id = ").bind(id);
    tx.fetch(&sql)?.first().map(message_row).transpose()
}

/// Those to be tried by now, the longest due first.
pub fn due(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<MessageRow>, Fault> {
    let sql = Sql::new(MESSAGES)
        .push("m.next_at is not null and m.next_at <= ")
        .bind(now.0)
        .push(" order by m.next_at, m.id limit ")
        .bind(limit);
    tx.fetch(&sql)?.iter().map(message_row).collect()
}

/// The newest first; one more than `limit` when there are more.
pub fn messages(
    tx: &mut Tx,
    webhook: WebhookId,
    after: Option<(i64, String)>,
    limit: u32,
) -> Result<Vec<MessageRow>, Fault> {
    let mut sql = Sql::new(MESSAGES).push("m.webhook_id = ").bind(webhook);
    if let Some((at, id)) = after {
        sql = sql.push(" and (m.at, m.id) < (").bind(at).push(", ").bind(id).push(")");
    }
    let sql = sql
        .push(" order by m.at desc, m.id desc limit ")
        .bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(message_row).collect()
}

/// What an attempt gave: the state, when to try again, the outcome.
pub fn note_attempt(tx: &mut Tx, m: &MessageRow) -> Result<(), Fault> {
    tx.execute(
        "update webhook_message set state = $1, attempts = $2, next_at = $3, outcome = $4, ended_at = $5 where id = $6",
        &params![
            &m.state,
            m.attempts,
            m.next_at.map(|at| at.0),
            m.outcome.as_deref(),
            m.ended_at.map(|at| at.0),
            m.id
        ],
    )?;
    Ok(())
}
