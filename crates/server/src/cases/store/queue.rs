//! The SQL of lists: one indexed walk for each reach of a scope, in the order asked for, from where the last page ended.

use crate::cases::queue::{Filter, Order, Reach};
use crate::cases::record::*;
use crate::platform::*;
use db::Sql;

/// Where a page begins: the order's key and the id.
pub type After = (i64, String);

/// Rows of one reach, one more than `limit` when there are more.
pub fn page(
    tx: &mut Tx,
    reach: &Reach,
    filter: &Filter,
    order: Order,
    after: Option<&After>,
    limit: u32,
) -> Result<Vec<CaseRow>, Fault> {
    let mut sql = reach.push(Sql::new(concat!("select ", case_columns!(), " from cases c where ")));
    sql = filter.push(sql);
    if let Some((key, id)) = after {
        sql = match order {
            Order::Due => sql
                .push(" and (c.queue_at, c.id) > (")
                .bind(*key)
                .push(", ")
                .bind(id)
                .push(")"),
            Order::Received => sql
                .push(" and (c.received_at, c.id) < (")
                .bind(*key)
                .push(", ")
                .bind(id)
                .push(")"),
        };
    }
    sql = match order {
        Order::Due => sql.push(" and c.open = 1 order by c.queue_at, c.id limit "),
        Order::Received => sql.push(" order by c.received_at desc, c.id desc limit "),
    };
    tx.fetch(&sql.bind(i64::from(limit) + 1))?
        .iter()
        .map(CaseRow::read)
        .collect()
}

/// Id, state and queue moment of at most `most` cases of one reach.
pub fn sample(tx: &mut Tx, reach: &Reach, filter: &Filter, most: i64) -> Result<Vec<(CaseId, String, i64)>, Fault> {
    let sql = filter.push(reach.push(Sql::new("select c.id, c.state, c.queue_at from cases c where ")));
    let rows = tx.fetch(&sql.push(" limit ").bind(most))?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .collect()
}

/// Points within a box (west, south, east, north), for the map, the most pressing first.
pub fn points(
    tx: &mut Tx,
    reach: &Reach,
    filter: &Filter,
    [w, s, e, n]: [f64; 4],
    most: i64,
) -> Result<Vec<CaseRow>, Fault> {
    let mut sql = filter.push(reach.push(Sql::new(concat!("select ", case_columns!(), " from cases c where "))));
    sql = sql.push(" and c.lat >= ").bind(s).push(" and c.lat <= ").bind(n);
    sql = sql.push(" and c.lon >= ").bind(w).push(" and c.lon <= ").bind(e);
    tx.fetch(&sql.push(" order by c.queue_at, c.id limit ").bind(most))?
        .iter()
        .map(CaseRow::read)
        .collect()
}
