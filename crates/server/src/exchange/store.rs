//! The SQL of exchange.

use crate::platform::*;
use db::{Row, Sql, params};
use domain::time::Timestamp;

/// A list somebody takes out.
#[derive(Debug, Clone)]
pub struct ExportRow {
    pub id: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub asked_by: AccountId,
    pub asked_worker: Option<WorkerId>,
    pub asked_name: String,
    pub reason: String,
    pub filter: String,
    pub format: String,
    pub rows: i64,
    pub areas: [Option<AreaId>; 5],
    pub state: String,
    pub decided_name: Option<String>,
    pub decided_at: Option<Timestamp>,
}

const COLUMNS: &str = "select e.id, e.created_at, e.expires_at, e.asked_by, e.asked_worker, e.asked_name, e.reason, e.filter, e.format, \
    e.row_count, e.a1, e.a2, e.a3, e.a4, e.a5, e.state, e.decided_name, e.decided_at from export_request e where ";

fn read(row: &Row) -> Result<ExportRow, Fault> {
    Ok(ExportRow {
        id: row.get(0)?,
        created_at: Timestamp(row.get(1)?),
        expires_at: Timestamp(row.get(2)?),
        asked_by: row.get(3)?,
        asked_worker: row.get(4)?,
        asked_name: row.get(5)?,
        reason: row.get(6)?,
        filter: row.get(7)?,
        format: row.get(8)?,
        rows: row.get(9)?,
        areas: [row.get(10)?, row.get(11)?, row.get(12)?, row.get(13)?, row.get(14)?],
        state: row.get(15)?,
        decided_name: row.get(16)?,
        decided_at: row.get::<Option<i64>>(17)?.map(Timestamp),
    })
}

pub fn insert(tx: &mut Tx, e: &ExportRow) -> Result<(), Fault> {
    let [a1, a2, a3, a4, a5] = e.areas;
    tx.execute(
        "insert into export_request (id, created_at, expires_at, asked_by, asked_worker, asked_name, reason, filter, format, row_count, \
         a1, a2, a3, a4, a5, state) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        &params![
            &e.id, e.created_at.0, e.expires_at.0, e.asked_by, e.asked_worker, &e.asked_name, &e.reason, &e.filter, &e.format, e.rows,
            a1, a2, a3, a4, a5, &e.state
        ],
    )?;
    Ok(())
}

/// One, whoever asked.
pub fn by_id(tx: &mut Tx, id: &str) -> Result<Option<ExportRow>, Fault> {
    let sql = Sql::new(COLUMNS)
        .push("e.id = ")
        .bind(id)
        .push(tx.backend().for_update());
    tx.fetch(&sql)?.first().map(read).transpose()
}

/// One's own, and those one may approve; the newest first.
pub fn list(
    ctx: &Ctx,
    tx: &mut Tx,
    account: AccountId,
    after: Option<(i64, String)>,
    limit: u32,
) -> Result<Vec<ExportRow>, Fault> {
    let sql = Sql::new(COLUMNS)
        .push("(e.asked_by = ")
        .bind(account)
        .push(" or (e.state <> 'small' and ");
    let mut sql = ctx.scope.area_predicate(sql, Permission::ExportApprove, "e").push("))");
    if let Some((at, id)) = after {
        sql = sql
            .push(" and (e.created_at, e.id) < (")
            .bind(at)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let sql = sql
        .push(" order by e.created_at desc, e.id desc limit ")
        .bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(read).collect()
}

pub fn decide(ctx: &Ctx, tx: &mut Tx, id: &str, state: &str) -> Result<bool, Fault> {
    let changed = tx.execute(
        "update export_request set state = $1, decided_by = $2, decided_name = $3, decided_at = $4 where id = $5 and state = 'waiting'",
        &params![state, ctx.actor.account(), ctx.actor.name(), ctx.now.0, id],
    )?;
    Ok(changed == 1)
}

pub fn fetched(tx: &mut Tx, id: &str) -> Result<(), Fault> {
    tx.execute(
        "update export_request set fetched_count = fetched_count + 1 where id = $1",
        &params![id],
    )?;
    Ok(())
}

/// What the public is told in numbers, since a moment: reads of personal data, of them single fields shown in full, exports, declined cases.
pub fn public_counts(tx: &mut Tx, since: Timestamp) -> Result<[i64; 4], Fault> {
    let one = |tx: &mut Tx, sql: &str| -> Result<i64, Fault> { Ok(tx.query_one(sql, &params![since.0])?.get(0)?) };
    Ok([
        one(
            tx,
            "select count(*) from access_log where at >= $1 and account_id is not null",
        )?,
        one(
            tx,
            "select count(*) from access_log where at >= $1 and account_id is not null and fields in ('phone', 'name')",
        )?,
        one(
            tx,
            "select count(*) from export_request where created_at >= $1 and state in ('small', 'approved')",
        )?,
        one(
            tx,
            "select count(*) from cases where state = 'declined' and ended_at >= $1",
        )?,
    ])
}
