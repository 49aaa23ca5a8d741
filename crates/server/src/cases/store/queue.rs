//! The SQL of lists: one indexed walk for each reach of a scope, in the order asked for, from where the last page ended.

use crate::cases::queue::{Filter, Lead, Order, Reach};
use crate::cases::record::*;
use crate::platform::*;
use db::Sql;

/// Where a page begins: the order's key and the id.
pub type After = (i64, String);

/// Open cases of one reach, what will be late first, along each of its walks one more than `limit` when there are more: a caller sorts
/// and cuts them.
pub fn page_by_due(
    tx: &mut Tx,
    reach: &Reach,
    filter: &Filter,
    after: Option<&After>,
    limit: u32,
) -> Result<Vec<CaseRow>, Fault> {
    let mut found = Vec::new();
    for lead in filter.leads(reach, Order::Due) {
        let mut sql = filter.push_walk(Sql::new(SELECT), reach, lead);
        if let Some((key, id)) = after {
            let from = sql.push(" and (c.queue_at, c.id) > (").bind(*key);
            sql = from.push(", ").bind(id).push(")");
        }
        let sql = sql.push(" and c.open = 1 order by c.queue_at, c.id limit ");
        found.extend(rows(tx, &sql.bind(i64::from(limit) + 1))?);
    }
    Ok(found)
}

/// Cases of one reach, newest first, as many along each of its walks as [`page_by_due`] gives: a caller sorts and cuts them.
pub fn page_by_received(
    tx: &mut Tx,
    reach: &Reach,
    filter: &Filter,
    after: Option<&After>,
    limit: u32,
) -> Result<Vec<CaseRow>, Fault> {
    let mut found = Vec::new();
    for lead in filter.leads(reach, Order::Received) {
        let mut sql = filter.push_walk(Sql::new(SELECT), reach, lead);
        if let Some((key, id)) = after {
            let from = sql.push(" and (c.received_at, c.id) < (").bind(*key);
            sql = from.push(", ").bind(id).push(")");
        }
        let sql = sql.push(" order by c.received_at desc, c.id desc limit ");
        found.extend(rows(tx, &sql.bind(i64::from(limit) + 1))?);
    }
    Ok(found)
}

const SELECT: &str = concat!("select ", case_columns!(), " from cases c where ");

fn rows(tx: &mut Tx, sql: &Sql) -> Result<Vec<CaseRow>, Fault> {
    tx.fetch(sql)?.iter().map(CaseRow::read).collect()
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
) -> Result<Vec<CaseRow>, Fault> {
    let mut sql = filter.push_walk(Sql::new(SELECT), reach, Lead::Reach);
    sql = sql.push(" and c.lat >= ").bind(s).push(" and c.lat <= ").bind(n);
    sql = sql.push(" and c.lon >= ").bind(w).push(" and c.lon <= ").bind(e);
    rows(tx, &sql.push(" order by c.queue_at, c.id limit ").bind(most))
}
