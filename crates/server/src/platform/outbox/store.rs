//! The SQL of the outbox.
use super::Message;
use super::gateway::Way;
use crate::platform::contacts::Channel;
use crate::platform::ids::{AreaId, CaseId, ContactId, MessageId, ReporterId};
use crate::platform::scope::{MAX_DEPTH, Permission, Scope};
use crate::platform::tx::Tx;
use db::{DbError, Row, Sql, ValueRef, params};
use serde::{Deserialize, Serialize};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// Nobody has told the resident yet.
    Waiting,
    /// Handed to a gateway.
    Sent,
    /// The resident has it: by a gateway's word, or because a person told them.
    Delivered,
    Failed,
    Cancelled,
}

impl OutboxState {
    pub fn key(self) -> &'static str {
        match self {
            OutboxState::Waiting => "waiting",
            OutboxState::Sent => "sent",
            OutboxState::Delivered => "delivered",
            OutboxState::Failed => "failed",
            OutboxState::Cancelled => "cancelled",
        }
    }
}

impl db::FromValue for OutboxState {
    fn from_value(value: ValueRef<'_>) -> Result<Self, &'static str> {
        const ALL: [OutboxState; 5] = [
            OutboxState::Waiting,
            OutboxState::Sent,
            OutboxState::Delivered,
            OutboxState::Failed,
            OutboxState::Cancelled,
        ];
        let ValueRef::Text(text) = value else {
            return Err("an outbox state");
        };
        ALL.into_iter()
            .find(|state| state.key() == text)
            .ok_or("an outbox state")
    }
}

/// A message as staff see it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct OutboxItem {
    pub id: MessageId,
    pub case_id: Option<CaseId>,
    pub reporter_id: Option<ReporterId>,
    pub template_key: String,
    pub channel: String,
    pub body: String,
    pub state: OutboxState,
    /// Milliseconds UTC.
    pub created_at: i64,
    pub finished_at: Option<i64>,
    /// Who said so: `account:ID` or a gateway.
    pub finished_by: Option<String>,
    pub note: Option<String>,
    /// When the gateway tries next; none: nothing leaves by itself.
    pub next_at: Option<i64>,
    /// What the gateway last gave: a code.
    pub outcome: Option<String>,
}

/// The kind of a direct answer; staff do not see it among what residents are still to be told.
pub const REPLY: &str = "reply";

const ITEM: &str =
    "select o.id, o.case_id, o.reporter_id, o.kind, o.channel, o.body, o.state, o.created_at, o.finished_at,
  o.finished_by, o.note, o.next_at, o.outcome, o.a1, o.a2, o.a3, o.a4, o.a5 from outbox o where ";

fn item(row: &Row) -> Result<OutboxItem, DbError> {
    Ok(OutboxItem {
        id: row.get(0)?,
        case_id: row.get(1)?,
        reporter_id: row.get(2)?,
        template_key: row.get(3)?,
        channel: row.get(4)?,
        body: row.get(5)?,
        state: row.get(6)?,
        created_at: row.get(7)?,
        finished_at: row.get(8)?,
        finished_by: row.get(9)?,
        note: row.get(10)?,
        next_at: row.get(11)?,
        outcome: row.get(12)?,
    })
}

pub fn insert(tx: &mut Tx<'_, '_>, id: MessageId, message: &Message, way: &Way, now: i64) -> Result<(), DbError> {
    let [a1, a2, a3, a4, a5] = message.areas;
    let channel = way
        .channel
        .map_or_else(|| message.channel.clone(), |channel| channel.key().to_owned());
    tx.defer_housekeeping(
        "insert into outbox (id, case_id, reporter_id, a1, a2, a3, a4, a5, kind, channel, body, state, created_at, contact_id, parts, next_at,
           outcome)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'waiting', $12, $13, $14, $15, $16)",
        &params![
            id,
            message.case_id,
            message.reporter_id,
            a1,
            a2,
            a3,
            a4,
            a5,
            &message.template_key,
            &channel,
            &message.body,
            now,
            message.contact,
            way.channel.map(|channel| channel.parts(&message.body)),
            way.next_at,
            way.outcome
        ],
    )
}

pub fn list(
    tx: &mut Tx<'_, '_>,
    scope: &Scope,
    state: Option<OutboxState>,
    after: Option<MessageId>,
    limit: i64,
) -> Result<Vec<OutboxItem>, DbError> {
    let mut sql = scope.area_predicate(Sql::new(ITEM), Permission::OutboxManage, "o");
    sql = sql.push(" and o.kind <> ").bind(REPLY);
    if let Some(state) = state {
        sql = sql.push(" and o.state = ").bind(state.key());
    }
    if let Some(after) = after {
        sql = sql.push(" and o.id < ").bind(after);
    }
    sql = sql.push(" order by o.id desc limit ").bind(limit);
    tx.fetch(&sql)?.iter().map(item).collect()
}

/// A message and where its case lies.
pub fn find(tx: &mut Tx<'_, '_>, id: MessageId) -> Result<Option<(OutboxItem, [Option<AreaId>; MAX_DEPTH])>, DbError> {
    let sql = Sql::new(ITEM).push("o.id = ").bind(id);
    let rows = tx.fetch(&sql)?;
    let Some(row) = rows.first() else { return Ok(None) };
    let areas = [row.get(13)?, row.get(14)?, row.get(15)?, row.get(16)?, row.get(17)?];
    Ok(Some((item(row)?, areas)))
}

pub fn settle(
    tx: &mut Tx<'_, '_>,
    id: MessageId,
    state: OutboxState,
    now: i64,
    by: &str,
    note: &str,
) -> Result<(), DbError> {
    tx.execute(
        "update outbox set state = $1, finished_at = $2, finished_by = $3, note = $4, next_at = null where id = $5",
        &params![state.key(), now, by, note, id],
    )?;
    Ok(())
}

/// A direct answer: sealed, and where its case lies.
pub struct ReplyRow {
    pub id: MessageId,
    pub contact: ContactId,
    pub channel: Channel,
    pub case: Option<CaseId>,
    pub areas: [Option<AreaId>; MAX_DEPTH],
    pub sealed: Vec<u8>,
    pub parts: i64,
    /// It went out with the answer to the request that brought the resident's message.
    pub gone: bool,
    pub now: i64,
}

/// An answer stands after the message it answers, also where both are of one moment.
const AFTER_MS: i64 = 1;

pub fn insert_reply(tx: &mut Tx<'_, '_>, r: &ReplyRow) -> Result<(), DbError> {
    let [a1, a2, a3, a4, a5] = r.areas;
    tx.defer_housekeeping(
        "insert into outbox (id, case_id, a1, a2, a3, a4, a5, kind, channel, body, body_sealed, state, created_at, contact_id, parts, next_at,
           finished_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10, $11, $12, $13, $14, $15, $16)",
        &params![
            r.id,
            r.case,
            a1,
            a2,
            a3,
            a4,
            a5,
            REPLY,
            r.channel.key(),
            r.sealed.clone(),
            if r.gone { OutboxState::Sent } else { OutboxState::Waiting }.key(),
            r.now + AFTER_MS,
            r.contact,
            r.parts,
            (!r.gone).then_some(r.now),
            r.gone.then_some(r.now)
        ],
    )
}

/// Messages to a contact since a moment that are not taken back.
pub fn count_to(tx: &mut Tx<'_, '_>, contact: ContactId, since: i64) -> Result<i64, DbError> {
    tx.query_one(
        "select count(*) from outbox where contact_id = $1 and created_at >= $2 and kind <> $3",
        &params![contact, since, REPLY],
    )?
    .get(0)
}

/// A message to be handed to a gateway.
pub struct DueRow {
    pub id: MessageId,
    pub contact: ContactId,
    pub body: String,
    pub sealed: Option<Vec<u8>>,
    pub parts: i64,
    pub attempts: i64,
}

/// Those of a channel to be tried by now, the longest due first.
pub fn due(tx: &mut Tx<'_, '_>, channel: Channel, now: i64, limit: i64) -> Result<Vec<DueRow>, DbError> {
    let rows = tx.query(
        "select id, contact_id, body, body_sealed, parts, attempts from outbox
         where next_at is not null and next_at <= $1 and state = 'waiting' and channel = $2 and contact_id is not null
         order by next_at, id limit $3",
        &params![now, channel.key(), limit],
    )?;
    rows.iter()
        .map(|row| {
            Ok(DueRow {
                id: row.get(0)?,
                contact: row.get(1)?,
                body: row.get(2)?,
                sealed: row.get(3)?,
                parts: row.get::<Option<i64>>(4)?.unwrap_or(1),
                attempts: row.get(5)?,
            })
        })
        .collect()
}

/// Whether anything is due.
pub fn has_due(tx: &mut Tx<'_, '_>, channel: Channel, now: i64) -> Result<bool, DbError> {
    Ok(!due(tx, channel, now, 1)?.is_empty())
}

/// What is due waits until then.
pub fn hold_back(
    tx: &mut Tx<'_, '_>,
    channel: Channel,
    now: i64,
    until: i64,
    outcome: &'static str,
) -> Result<u64, DbError> {
    tx.housekeeping(
        "update outbox set next_at = $1, outcome = $2 where next_at is not null and next_at <= $3 and state = 'waiting' and channel = $4",
        &params![until, outcome, now, channel.key()],
    )
}

/// What an attempt gave. A message taken back meanwhile stays so.
pub fn note_attempt(
    tx: &mut Tx<'_, '_>,
    id: MessageId,
    state: OutboxState,
    next_at: Option<i64>,
    outcome: Option<&str>,
    finished_at: Option<i64>,
) -> Result<u64, DbError> {
    let by = finished_at.map(|_| GATEWAY);
    tx.housekeeping(
        "update outbox set state = $1, attempts = attempts + 1, next_at = $2, outcome = $3, finished_at = $4, finished_by = $5
         where id = $6 and state = 'waiting'",
        &params![state.key(), next_at, outcome, finished_at, by, id],
    )
}

/// Who says so when nobody of the staff does.
const GATEWAY: &str = "gateway";

/// What the gateway reports later about a message it took.
pub fn note_report(
    tx: &mut Tx<'_, '_>,
    id: MessageId,
    state: OutboxState,
    outcome: Option<&str>,
    now: i64,
) -> Result<u64, DbError> {
    // The network's last word counts; that it arrived is never taken back. The word may overtake the gateway's own answer, so that the attempt
    // is not noted yet; what was never due was never handed over.
    tx.housekeeping(
        "update outbox set state = $1, outcome = $2, finished_at = $3, finished_by = $4, next_at = null
         where id = $5 and state in ('sent', 'failed', 'waiting') and contact_id is not null and (attempts > 0 or next_at is not null)",
        &params![state.key(), outcome, now, GATEWAY, id],
    )
}

/// Tried again from the beginning, at once.
pub fn set_due(tx: &mut Tx<'_, '_>, id: MessageId, now: i64) -> Result<u64, DbError> {
    tx.housekeeping(
        "update outbox set state = 'waiting', next_at = $1, attempts = 0, outcome = null, finished_at = null, finished_by = null
         where id = $2 and state in ('failed', 'waiting', 'sent') and contact_id is not null",
        &params![now, id],
    )
}

/// The contact of a message, whether it is a direct answer, and its state.
pub fn contact_of(tx: &mut Tx<'_, '_>, id: MessageId) -> Result<Option<(Option<ContactId>, bool)>, DbError> {
    let row = tx.query_opt("select contact_id, kind from outbox where id = $1", &params![id])?;
    row.map(|row| Ok((row.get(0)?, row.get::<String>(1)? == REPLY)))
        .transpose()
}

/// Messages in and parts out of a channel on a day.
pub fn counts(tx: &mut Tx<'_, '_>, channel: Channel, day: i64) -> Result<(i64, i64), DbError> {
    let row = tx.query_opt(
        "select messages_in, parts_out from message_day where channel = $1 and day = $2",
        &params![channel.key(), day],
    )?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// One more message in.
pub fn count_in(tx: &mut Tx<'_, '_>, channel: Channel, day: i64) -> Result<(), DbError> {
    count(tx, channel, day, 1, 0)
}

/// More parts out.
pub fn count(tx: &mut Tx<'_, '_>, channel: Channel, day: i64, came: i64, left: i64) -> Result<(), DbError> {
    tx.execute(
        "insert into message_day (channel, day, messages_in, parts_out) values ($1, $2, $3, $4) on conflict (channel, day) do update set          messages_in = message_day.messages_in + excluded.messages_in, parts_out = message_day.parts_out + excluded.parts_out",
        &params![channel.key(), day, came, left],
    )?;
    Ok(())
}
