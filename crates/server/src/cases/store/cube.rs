//! The SQL of the counters.

use crate::cases::cube::Cell;
use crate::platform::*;
use db::params;
use std::collections::BTreeMap;

/// Adds to the counters, in the order of the key, so that two writers never wait for each other crosswise.
pub fn add_to_cells(tx: &mut db::Tx<'_>, changes: BTreeMap<(AreaId, Cell), i64>) -> Result<(), db::DbError> {
    let strand = tx.strand();
    let rows = changes.into_iter().map(|((area, (measure, dim, key, day)), n)| {
        [
            area.into(),
            measure.into(),
            dim.into(),
            key.into(),
            day.into(),
            strand.into(),
            n.into(),
        ]
    });
    tx.insert_rows(
        "insert into cube_case (area_id, measure, dim, key, day, strand, n) values ",
        rows,
        " on conflict (area_id, measure, dim, day, key, strand) do update set n = cube_case.n + excluded.n",
    )
}

/// Sums of one measure by one dimension in an area: of what is now (`days` none) or over days, both ends included.
pub fn cells_of(
    tx: &mut Tx,
    area: AreaId,
    measure: &str,
    dim: &str,
    days: Option<(i64, i64)>,
) -> Result<Vec<(String, i64)>, Fault> {
    let (from, to) = days.unwrap_or((0, 0));
    let rows = tx.query(
        "select key, cast(sum(n) as bigint) from cube_case where area_id = $1 and measure = $2 and dim = $3 and day >= $4 and day <= $5 \
         group by key having sum(n) <> 0 order by key",
        &params![area, measure, dim, from, to],
    )?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Every counter of an area, for a recount.
pub fn all_cells(tx: &mut Tx, area: AreaId) -> Result<Vec<(String, String, String, i64, i64)>, Fault> {
    let rows = tx.query(
        "select measure, dim, key, day, cast(sum(n) as bigint) from cube_case where area_id = $1 group by measure, dim, key, day \
         having sum(n) <> 0 order by measure, dim, key, day",
        &params![area],
    )?;
    rows.iter()
        .map(|r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)))
        .collect()
}
