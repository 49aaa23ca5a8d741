//! The SQL of the outbox.
use super::Message;
use crate::platform::ids::{AreaId, CaseId, MessageId, ReporterId};
use crate::platform::scope::{MAX_DEPTH, Permission, Scope};
use crate::platform::tx::Tx;
use db::{DbError, Row, Sql, Value, params};
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
    fn from_value(value: &Value) -> Result<Self, &'static str> {
        const ALL: [OutboxState; 5] = [
            OutboxState::Waiting,
            OutboxState::Sent,
            OutboxState::Delivered,
            OutboxState::Failed,
            OutboxState::Cancelled,
        ];
        let Value::Text(text) = value else {
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
}

const ITEM: &str =
    "select o.id, o.case_id, o.reporter_id, o.kind, o.channel, o.body, o.state, o.created_at, o.finished_at,
  o.finished_by, o.note, o.a1, o.a2, o.a3, o.a4, o.a5 from outbox o where ";

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
    })
}

pub fn insert(tx: &mut Tx<'_, '_>, id: MessageId, message: &Message, now: i64) -> Result<(), DbError> {
    let [a1, a2, a3, a4, a5] = message.areas;
    tx.defer_housekeeping(
        "insert into outbox (id, case_id, reporter_id, a1, a2, a3, a4, a5, kind, channel, body, state, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'waiting', $12)",
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
            &message.channel,
            &message.body,
            now
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
    let areas = [row.get(11)?, row.get(12)?, row.get(13)?, row.get(14)?, row.get(15)?];
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
        "update outbox set state = $1, finished_at = $2, finished_by = $3, note = $4 where id = $5",
        &params![state.key(), now, by, note, id],
    )?;
    Ok(())
}
