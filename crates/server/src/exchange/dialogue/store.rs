//! The SQL of messages that came in, and of the log of both ways.

use crate::platform::contacts::Channel;
use crate::platform::*;
use db::{Row, Sql, params};
use domain::message::Part;
use domain::time::Timestamp;

/// The state of a message that came in.
const RECEIVED: &str = "received";
/// Most parts of one long text.
const MAX_PARTS: i64 = 64;

/// A message that came in.
pub struct IncomingRow {
    pub id: IncomingId,
    pub contact: ContactId,
    pub channel: Channel,
    pub gateway_id: String,
    pub at: Timestamp,
    pub sealed: Vec<u8>,
    pub parts: i64,
    pub kind: &'static str,
    pub case: Option<CaseId>,
    pub outcome: Option<&'static str>,
    pub reply: MessageId,
}

pub fn insert_incoming(tx: &mut Tx, i: &IncomingRow) -> Result<(), Fault> {
    tx.execute(
        "insert into incoming (id, contact_id, channel, gateway_id, at, body_sealed, parts, kind, case_id, outcome, reply_id) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &params![
            i.id,
            i.contact,
            i.channel.key(),
            &i.gateway_id,
            i.at.0,
            i.sealed.clone(),
            i.parts,
            i.kind,
            i.case,
            i.outcome,
            i.reply
        ],
    )?;
    Ok(())
}

/// A message the gateway already handed in, and its answer.
pub fn incoming(
    tx: &mut Tx,
    channel: Channel,
    gateway_id: &str,
) -> Result<Option<(IncomingId, Option<MessageId>)>, Fault> {
    let row = tx.query_opt(
        "select id, reply_id from incoming where channel = $1 and gateway_id = $2",
        &params![channel.key(), gateway_id],
    )?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// A direct answer to this contact, sealed.
pub fn reply(tx: &mut Tx, contact: ContactId, id: MessageId) -> Result<Option<Vec<u8>>, Fault> {
    let row = tx.query_opt(
        "select body_sealed from outbox where id = $1 and contact_id = $2 and body_sealed is not null",
        &params![id, contact],
    )?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// Messages of a contact since a moment.
pub fn count_from(tx: &mut Tx, contact: ContactId, since: Timestamp) -> Result<i64, Fault> {
    let row = tx.query_one(
        "select count(*) from incoming where contact_id = $1 and at >= $2",
        &params![contact, since.0],
    )?;
    Ok(row.get(0)?)
}

/// One part of a long text.
pub struct PartRow {
    pub gateway_id: String,
    pub part: Part,
    pub at: Timestamp,
    pub sealed: Vec<u8>,
}

/// Whether it is new.
pub fn insert_part(tx: &mut Tx, channel: Channel, contact: ContactId, p: &PartRow) -> Result<bool, Fault> {
    let part = p.part;
    let count = tx.execute(
        "insert into incoming_part (channel, gateway_id, contact_id, reference, total, seq, at, body_sealed) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (channel, gateway_id) do nothing",
        &params![
            channel.key(),
            &p.gateway_id,
            contact,
            i64::from(part.reference),
            i64::from(part.total),
            i64::from(part.seq),
            p.at.0,
            p.sealed.clone()
        ],
    )?;
    Ok(count > 0)
}

/// Parts of a text that wait, in their order.
pub fn parts(tx: &mut Tx, contact: ContactId, reference: u16) -> Result<Vec<PartRow>, Fault> {
    let rows = tx.query(
        "select gateway_id, reference, total, seq, at, body_sealed from incoming_part \
         where contact_id = $1 and reference = $2 and joined_at is null order by seq, gateway_id limit $3",
        &params![contact, i64::from(reference), MAX_PARTS],
    )?;
    let part = |row: &Row| {
        let small = |at: usize| -> Result<u8, Fault> { u8::try_from(row.get::<i64>(at)?).map_err(Fault::internal) };
        Ok(PartRow {
            gateway_id: row.get(0)?,
            part: Part {
                reference,
                total: small(2)?,
                seq: small(3)?,
            },
            at: Timestamp(row.get(4)?),
            sealed: row.get(5)?,
        })
    };
    rows.iter().map(part).collect()
}

pub fn set_joined(tx: &mut Tx, channel: Channel, gateway_id: &str, at: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "update incoming_part set joined_at = $1 where channel = $2 and gateway_id = $3",
        &params![at.0, channel.key(), gateway_id],
    )?;
    Ok(())
}

/// Texts with a part that has waited since before a moment.
pub fn late(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<(Channel, ContactId, u16)>, Fault> {
    let rows = tx.query(
        "select distinct channel, contact_id, reference from incoming_part where joined_at is null and at < $1 order by contact_id, reference \
         limit $2",
        &params![before.0, limit],
    )?;
    let text = |row: &Row| {
        let reference = u16::try_from(row.get::<i64>(2)?).map_err(Fault::internal)?;
        Ok((row.get(0)?, row.get(1)?, reference))
    };
    rows.iter().map(text).collect()
}

/// Whether there are parts put together before a moment.
pub fn has_old_parts(tx: &mut Tx, before: Timestamp) -> Result<bool, Fault> {
    let row = tx.query_opt(
        "select 1 from incoming_part where joined_at is not null and joined_at < $1 limit 1",
        &params![before.0],
    )?;
    Ok(row.is_some())
}

/// Parts put together before a moment are known no longer.
pub fn forget_parts(tx: &mut Tx, before: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "delete from incoming_part where joined_at is not null and joined_at < $1",
        &params![before.0],
    )?;
    Ok(())
}

/// A message of either way, as the log shows it.
pub struct LogRow {
    pub id: String,
    pub incoming: bool,
    pub contact: ContactId,
    pub at: Timestamp,
    /// What it was taken as, or is about.
    pub kind: String,
    pub parts: i64,
    pub state: String,
    pub outcome: Option<String>,
    pub attempts: i64,
    pub next_at: Option<Timestamp>,
    /// What went out, where it holds nothing personal.
    pub body: String,
    pub sealed: Option<Vec<u8>>,
    pub number: Option<String>,
}

/// One way of the log: what is read, and how it is narrowed and ordered.
struct Branch {
    read: &'static str,
    channel: &'static str,
    contact: &'static str,
    before: &'static str,
    order: &'static str,
}

const OUT: Branch = Branch {
    read: "select o.id as id, o.channel as channel, o.contact_id as contact_id, o.created_at as at, o.kind as kind, o.case_id as case_id, \
        o.parts as parts, o.state as state, o.outcome as outcome, o.attempts as attempts, o.next_at as next_at, o.body as body, \
        o.body_sealed as sealed from outbox o where o.contact_id is not null",
    channel: " and o.channel = ",
    contact: " and o.contact_id = ",
    before: " and (o.created_at, o.id) < (",
    order: " order by o.created_at desc, o.id desc limit ",
};
const IN: Branch = Branch {
    read: "select i.id, i.channel, i.contact_id, i.at, i.kind, i.case_id, i.parts, 'received', i.outcome, i.parts - i.parts, \
        case when i.at < 0 then i.at end, '', i.body_sealed from incoming i where i.at >= 0",
    channel: " and i.channel = ",
    contact: " and i.contact_id = ",
    before: " and (i.at, i.id) < (",
    order: " order by i.at desc, i.id desc limit ",
};

/// The newest first; one more than `limit` when there are more. Of a channel, of one contact where it is given.
pub fn log(
    tx: &mut Tx,
    channel: Channel,
    contact: Option<ContactId>,
    after: Option<&(i64, String)>,
    limit: u32,
) -> Result<Vec<LogRow>, Fault> {
    let limit = i64::from(limit) + 1;
    let narrowed = |sql: Sql, of: &Branch| {
        let mut sql = sql.push(of.read).push(of.channel).bind(channel.key());
        if let Some(contact) = contact {
            sql = sql.push(of.contact).bind(contact);
        }
        if let Some((at, id)) = after {
            sql = sql.push(of.before).bind(*at).push(", ").bind(id.as_str()).push(")");
        }
        sql.push(of.order).bind(limit)
    };
    let sql = Sql::new(
        "select m.id, m.contact_id, m.at, m.kind, m.parts, m.state, m.outcome, m.attempts, m.next_at, m.body, m.sealed, c.number \
         from (select * from (",
    );
    let sql = narrowed(sql, &OUT).push(") went union all select * from (");
    let sql =
        narrowed(sql, &IN).push(") came) m left join cases c on c.id = m.case_id order by m.at desc, m.id desc limit ");
    tx.fetch(&sql.bind(limit))?.iter().map(log_row).collect()
}

fn log_row(row: &Row) -> Result<LogRow, Fault> {
    let state: String = row.get(5)?;
    Ok(LogRow {
        id: row.get(0)?,
        incoming: state == RECEIVED,
        contact: row.get(1)?,
        at: Timestamp(row.get(2)?),
        kind: row.get(3)?,
        parts: row.get::<Option<i64>>(4)?.unwrap_or(1),
        state,
        outcome: row.get(6)?,
        attempts: row.get(7)?,
        next_at: row.get::<Option<i64>>(8)?.map(Timestamp),
        body: row.get(9)?,
        sealed: row.get(10)?,
        number: row.get(11)?,
    })
}
