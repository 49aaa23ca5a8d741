//! SQL of cases that follow their households.

use crate::cases::record::{CaseRow, Stay};
use crate::platform::*;
use db::{Row, Sql, params};
use domain::time::Timestamp;

/// A case as a new division of the place looks at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lying {
    pub id: CaseId,
    pub number: String,
    pub area: Option<AreaId>,
    /// Position (longitude, latitude), where known.
    pub at: Option<(f64, f64)>,
    pub unit: Option<UnitId>,
    pub worker: Option<WorkerId>,
    pub open: bool,
}

/// Cases at or below an area that are open, or ended at a moment or later; after one, in order of id.
pub fn lying_in(
    tx: &mut Tx,
    (depth, area): (u8, AreaId),
    since: Option<Timestamp>,
    after: Option<CaseId>,
    limit: i64,
) -> Result<Vec<Lying>, Fault> {
    const COLUMNS: [&str; 5] = ["c.a1 = ", "c.a2 = ", "c.a3 = ", "c.a4 = ", "c.a5 = "];
    let Some(column) = COLUMNS.get(usize::from(depth).wrapping_sub(1)) else {
        return Ok(Vec::new());
    };
    let mut sql =
        Sql::new("select c.id, c.number, c.area_id, c.lon, c.lat, c.unit_id, c.worker_id, c.open from cases c where ")
            .push(column)
            .bind(area)
            .push(" and (c.open = 1");
    if let Some(since) = since {
        sql = sql.push(" or c.ended_at >= ").bind(since.0);
    }
    sql = sql.push(")");
    if let Some(after) = after {
        sql = sql.push(" and c.id > ").bind(after);
    }
    let sql = sql.push(" order by c.id limit ").bind(limit);
    tx.fetch(&sql)?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Lying, Fault> {
    let (lon, lat): (Option<f64>, Option<f64>) = (row.get(3)?, row.get(4)?);
    Ok(Lying {
        id: row.get(0)?,
        number: row.get(1)?,
        area: row.get(2)?,
        at: lon.zip(lat),
        unit: row.get(5)?,
        worker: row.get(6)?,
        open: row.get::<i64>(7)? == 1,
    })
}

/// Saves where a case lies and who has it there, and nothing else: its version stays, so that what was made from it still fits.
pub fn update_place(tx: &mut Tx, row: &CaseRow) -> Result<(), Fault> {
    let [a1, a2, a3, a4, a5] = row.areas;
    tx.defer(
        "update cases set area_id = $1, territory_version = $2, a1 = $3, a2 = $4, a3 = $5, a4 = $6, a5 = $7, areas_past = $8, \
         worker_id = $9 where id = $10",
        &params![
            row.area_id,
            row.territory_version,
            a1,
            a2,
            a3,
            a4,
            a5,
            Stay::write(&row.past),
            row.worker_id,
            row.id
        ],
    )?;
    Ok(())
}

/// Open cases that lie in areas no longer in force and have a successor.
pub fn lying_in_ended(tx: &mut Tx, limit: i64) -> Result<Vec<Lying>, Fault> {
    let rows = tx.query(
        "select c.id, c.number, c.area_id, c.lon, c.lat, c.unit_id, c.worker_id, c.open from cases c \
         where c.open = 1 and exists (select 1 from area a where a.id = c.area_id and a.valid_to is not null \
            and exists (select 1 from area_successor s where s.area_id = a.id)) order by c.id limit $1",
        &params![limit],
    )?;
    rows.iter().map(read).collect()
}

/// Open cases with a position received since a moment under an older version of the territory.
pub fn received_beside(tx: &mut Tx, since: Timestamp, version: i64, limit: i64) -> Result<Vec<Lying>, Fault> {
    let rows = tx.query(
        "select c.id, c.number, c.area_id, c.lon, c.lat, c.unit_id, c.worker_id, c.open from cases c \
         where c.received_at >= $1 and c.open = 1 and c.lon is not null and c.territory_version < $2 order by c.received_at, c.id limit $3",
        &params![since.0, version, limit],
    )?;
    rows.iter().map(read).collect()
}
