//! The SQL of work orders.

use crate::cases::orders::{Linked, OrderId, OrderRow, Progress, Role};
use crate::cases::record::*;
use crate::platform::*;
use db::{Row, Sql, params};
use domain::cases::StateKey;
use domain::time::Timestamp;
use std::collections::HashMap;

/// Cases read of one order.
const MAX_LINKED: i64 = 2_000;

macro_rules! order_columns {
    () => {
        "o.id, o.number, o.unit_id, o.unit_name, o.title, o.body, o.category_code, o.state, o.created_by, o.created_worker, o.created_name, \
         o.created_at, o.due_on, o.cancelled_at, o.cancelled_name, o.note, o.content_hash, o.taken_back"
    };
}

fn read(row: &Row) -> Result<OrderRow, Fault> {
    let mut c = Cursor(row, 0);
    Ok(OrderRow {
        id: c.next()?,
        number: c.next()?,
        unit: c.next()?,
        unit_name: c.next()?,
        title: c.next()?,
        body: c.next()?,
        category: c.next()?,
        cancelled: c.next::<String>()? == "cancelled",
        created_by: c.next()?,
        created_worker: c.next()?,
        created_name: c.next()?,
        created_at: Timestamp(c.next()?),
        due_on: c.next()?,
        cancelled_at: c.time()?,
        cancelled_name: c.next()?,
        note: c.next()?,
        content_hash: c.next()?,
        taken_back: c.next()?,
    })
}

pub fn order(tx: &mut Tx, id: OrderId) -> Result<Option<OrderRow>, Fault> {
    let row = tx.query_opt(
        concat!("select ", order_columns!(), " from work_order o where o.id = $1"),
        &params![id],
    )?;
    row.as_ref().map(read).transpose()
}

/// The order, held against other writers until the commit.
pub fn order_locked(tx: &mut Tx, id: OrderId) -> Result<Option<OrderRow>, Fault> {
    let sql = Sql::new(concat!("select ", order_columns!(), " from work_order o where o.id = ")).bind(id);
    let sql = sql.push(tx.backend().for_update());
    tx.fetch(&sql)?.first().map(read).transpose()
}

pub fn insert_order(tx: &mut Tx, o: &OrderRow) -> Result<(), Fault> {
    tx.execute(
        "insert into work_order (id, number, unit_id, unit_name, title, body, category_code, state, created_by, created_worker, \
         created_name, created_at, due_on, content_hash) values ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9, $10, $11, $12, $13)",
        &params![
            o.id, &o.number, o.unit, &o.unit_name, &o.title, &o.body, &o.category, o.created_by, o.created_worker, &o.created_name,
            o.created_at.0, o.due_on.as_deref(), &o.content_hash
        ],
    )?;
    Ok(())
}

/// Cancelled, or taken back.
pub fn end_order(
    tx: &mut Tx,
    id: OrderId,
    taken_back: bool,
    at: Timestamp,
    name: &str,
    note: &str,
) -> Result<(), Fault> {
    tx.execute(
        "update work_order set state = 'cancelled', taken_back = $1, cancelled_at = $2, cancelled_name = $3, note = $4 where id = $5",
        &params![taken_back, at.0, name, note, id],
    )?;
    Ok(())
}

pub fn next_order_serial(tx: &mut Tx, day: i64) -> Result<u32, Fault> {
    let row = tx.query_one(
        "insert into work_order_serial (day, last) values ($1, 1) \
         on conflict (day) do update set last = work_order_serial.last + 1 returning last",
        &params![day],
    )?;
    Ok(row.get(0)?)
}

pub fn link_order(tx: &mut Tx, case: CaseId, order: OrderId, role: Role, share: Option<CaseId>) -> Result<(), Fault> {
    tx.execute(
        "insert into work_order_case (case_id, order_id, role, share_id) values ($1, $2, $3, $4)",
        &params![case, order, role.key(), share],
    )?;
    Ok(())
}

fn role_of(key: &str) -> Result<Role, Fault> {
    Role::from_key(key).ok_or_else(|| Fault::internal(format!("unknown role {key}")))
}

/// The order of a case, and what the case is to it.
pub fn order_of(tx: &mut Tx, case: CaseId) -> Result<Option<(OrderRow, Role)>, Fault> {
    let row = tx.query_opt(
        "select order_id, role from work_order_case where case_id = $1",
        &params![case],
    )?;
    let Some(row) = row else { return Ok(None) };
    let (id, role): (OrderId, String) = (row.get(0)?, row.get(1)?);
    let role = role_of(&role)?;
    Ok(order(tx, id)?.map(|order| (order, role)))
}

/// How many shares an order has.
pub fn order_size(tx: &mut Tx, id: OrderId) -> Result<i64, Fault> {
    Ok(tx
        .query_one(
            "select count(*) from work_order_case where order_id = $1 and role = 'share'",
            &params![id],
        )?
        .get(0)?)
}

/// The cases of an order, in the order in which they came.
pub fn linked(tx: &mut Tx, id: OrderId) -> Result<Vec<Linked>, Fault> {
    let rows = tx.query(
        concat!(
            "select ",
            case_columns!(),
            ", w.role, w.share_id from work_order_case w join cases c on c.id = w.case_id where w.order_id = $1 \
             order by c.received_at, c.id limit $2"
        ),
        &params![id, MAX_LINKED],
    )?;
    let read = |row: &Row| -> Result<Linked, Fault> {
        Ok(Linked {
            row: CaseRow::read(row)?,
            role: role_of(&row.get::<String>(CASE_COLUMNS)?)?,
            share: row.get(CASE_COLUMNS + 1)?,
        })
    };
    rows.iter().map(read).collect()
}

/// How far these orders are.
pub fn progress(tx: &mut Tx, ids: &[OrderId]) -> Result<HashMap<OrderId, Progress>, Fault> {
    let mut all: HashMap<OrderId, Progress> = HashMap::new();
    if ids.is_empty() {
        return Ok(all);
    }
    let sql = Sql::new(
        "select w.order_id, w.role, c.state, c.late, count(*) from work_order_case w join cases c on c.id = w.case_id \
         where w.order_id in (",
    );
    let sql = sql
        .list(ids.iter().copied())
        .push(") group by w.order_id, w.role, c.state, c.late");
    for row in tx.fetch(&sql)? {
        let (role, state): (String, String) = (row.get(1)?, row.get(2)?);
        let state = StateKey::from_key(&state).ok_or_else(|| Fault::internal(format!("unknown state {state}")))?;
        let one = all.entry(row.get(0)?).or_default();
        one.count(role_of(&role)?, state, row.get(3)?, row.get(4)?);
    }
    Ok(all)
}

/// Orders one of these units gave, or with a case in the scope, newest first; one more than `limit` when there are more.
pub fn orders(
    tx: &mut Tx,
    scope: &Scope,
    units: &[UnitId],
    state: Option<(&'static str, bool)>,
    after: Option<(i64, String)>,
    limit: u32,
) -> Result<Vec<OrderRow>, Fault> {
    let mut sql = Sql::new(concat!("select ", order_columns!(), " from work_order o where ("));
    if !units.is_empty() {
        sql = sql.push("o.unit_id in (").list(units.iter().copied()).push(") or ");
    }
    sql = sql
        .push("exists (select 1 from work_order_case w join cases c on c.id = w.case_id where w.order_id = o.id and ");
    sql = scope.case_predicate(sql, Permission::CaseRead, "c").push("))");
    if let Some((state, taken_back)) = state {
        sql = sql.push(" and o.state = ").bind(state);
        sql = sql.push(" and o.taken_back = ").bind(taken_back);
    }
    if let Some((at, id)) = after {
        sql = sql
            .push(" and (o.created_at, o.id) < (")
            .bind(at)
            .push(", ")
            .bind(id)
            .push(")");
    }
    let sql = sql
        .push(" order by o.created_at desc, o.id desc limit ")
        .bind(i64::from(limit) + 1);
    tx.fetch(&sql)?.iter().map(read).collect()
}

/// Open shares in the scope, those waiting for their liaison first.
pub fn open_shares(tx: &mut Tx, scope: &Scope, most: i64) -> Result<Vec<(CaseRow, OrderId)>, Fault> {
    let sql = Sql::new(concat!(
        "select ",
        case_columns!(),
        ", w.order_id from work_order_case w join cases c on c.id = w.case_id where w.role = 'share' and c.open = 1 and "
    ));
    let sql = scope.case_predicate(sql, Permission::CaseRead, "c");
    let sql = sql
        .push(" order by case when c.state = 'accepted' then 0 else 1 end, c.queue_at, c.id limit ")
        .bind(most);
    tx.fetch(&sql)?
        .iter()
        .map(|row| Ok((CaseRow::read(row)?, row.get(CASE_COLUMNS)?)))
        .collect()
}
