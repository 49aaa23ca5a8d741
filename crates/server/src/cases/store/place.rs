//! Names of units and workers for lists, all of a page at once.

use crate::platform::*;
use db::Sql;
use std::collections::HashMap;

pub fn unit_names(tx: &mut Tx, ids: &[UnitId]) -> Result<HashMap<UnitId, String>, Fault> {
    let sql = Sql::new("select id, name from unit where id in (")
        .list(ids.iter().copied())
        .push(")");
    tx.fetch(&sql)?
        .iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}

pub fn worker_names(tx: &mut Tx, ids: &[WorkerId]) -> Result<HashMap<WorkerId, String>, Fault> {
    let sql = Sql::new("select id, name from worker where id in (")
        .list(ids.iter().copied())
        .push(")");
    tx.fetch(&sql)?
        .iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?)))
        .collect()
}
