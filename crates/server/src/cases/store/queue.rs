//! The SQL of lists: one indexed walk for each reach of a scope, in the order asked for, from where the last page ended.

use crate::cases::queue::{Filter, Lead, Order, Reach};
use crate::cases::record::*;
use crate::platform::*;
use db::Sql;
use std::collections::HashMap;

/// Where a page begins: the order's key and the id.
pub type After = (i64, String);

/// Cases of one reach in an order, open ones only where it is [`Order::Due`]: along each of its walks one more than `limit` when there are
/// more; a caller sorts and cuts them.
pub fn page(
    tx: &mut Tx,
    reach: &Reach,
    filter: &Filter,
    order: Order,
    after: Option<&After>,
    limit: u32,
) -> Result<Vec<LineRow>, Fault> {
    let (from, ordered) = match order {
        Order::Due => (
            " and (c.queue_at, c.id) > (",
            " and c.open = 1 order by c.queue_at, c.id limit ",
        ),
        Order::Received => (
            " and (c.received_at, c.id) < (",
            " order by c.received_at desc, c.id desc limit ",
        ),
    };
    let mut found = Vec::new();
    for lead in filter.leads(reach, order) {
        let mut sql = filter.push_walk(Sql::new(SELECT), reach, lead);
        if let Some((key, id)) = after {
            sql = sql.push(from).bind(*key).push(", ").bind(id).push(")");
        }
        found.extend(rows(tx, &sql.push(ordered).bind(i64::from(limit) + 1))?);
    }
    Ok(found)
}

const SELECT: &str = concat!("select ", line_columns!(), " from cases c where ");

fn rows(tx: &mut Tx, sql: &Sql) -> Result<Vec<LineRow>, Fault> {
    tx.fetch(sql)?.iter().map(LineRow::read).collect()
}

/// The lines of these cases, in their order; one that is gone is left out.
pub fn lines_of(tx: &mut Tx, ids: &[CaseId]) -> Result<Vec<LineRow>, Fault> {
    const AT_ONCE: usize = 200;
    let mut lines = HashMap::new();
    for some in ids.chunks(AT_ONCE) {
        let sql = Sql::new(SELECT).push("c.id in (").list(some.iter().copied()).push(")");
        lines.extend(rows(tx, &sql)?.into_iter().map(|line| (line.id, line)));
    }
    Ok(ids.iter().filter_map(|id| lines.remove(id)).collect())
}

/// Id, state and queue moment of at most `most` cases of one reach.
pub fn sample(tx: &mut Tx, reach: &Reach, filter: &Filter, most: i64) -> Result<Vec<(CaseId, String, i64)>, Fault> {
    let mut found = Vec::new();
    for lead in filter.leads(reach, Order::Received) {
        let sql = Sql::new("select c.id, c.state, c.queue_at from cases c where ");
        let sql = filter.push_walk(sql, reach, lead).push(" limit ");
        for row in tx.fetch(&sql.bind(most - found.len() as i64))? {
            found.push((row.get(0)?, row.get(1)?, row.get(2)?));
        }
    }
    Ok(found)
}

/// Points within a box (west, south, east, north), for the map, the most pressing first.
pub fn points(
    tx: &mut Tx,
    reach: &Reach,
    filter: &Filter,
    [w, s, e, n]: [f64; 4],
    most: i64,
) -> Result<Vec<LineRow>, Fault> {
    let mut sql = filter.push_walk(Sql::new(SELECT), reach, Lead::Reach);
    sql = sql.push(" and c.lat >= ").bind(s).push(" and c.lat <= ").bind(n);
    sql = sql.push(" and c.lon >= ").bind(w).push(" and c.lon <= ").bind(e);
    rows(tx, &sql.push(" order by c.queue_at, c.id limit ").bind(most))
}
