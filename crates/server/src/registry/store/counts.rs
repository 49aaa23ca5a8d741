//! The SQL of the counts.

use crate::platform::*;
use crate::registry::counts::Delta;
use db::Sql;
use std::collections::HashMap;

/// Adds to the counts, in the order of the areas, in this writer's own part.
pub fn add(tx: &mut Tx, changes: Vec<(String, Delta)>) -> Result<(), Fault> {
    let strand = tx.strand();
    let rows = changes.into_iter().map(|(area, delta)| {
        [
            area.into(),
            strand.into(),
            delta.households.into(),
            delta.residents.into(),
            delta.organisations.into(),
        ]
    });
    tx.insert_rows(
        "insert into registry_count (area_id, strand, households, residents, organisations) values ",
        rows,
        " on conflict (area_id, strand) do update set households = registry_count.households + excluded.households,
            residents = registry_count.residents + excluded.residents, organisations = registry_count.organisations + excluded.organisations",
    )?;
    Ok(())
}

/// The counts of these areas, by id.
pub fn of(tx: &mut Tx, areas: &[AreaId]) -> Result<HashMap<String, Delta>, Fault> {
    if areas.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = Sql::new(
        "select area_id, cast(sum(households) as bigint), cast(sum(residents) as bigint), cast(sum(organisations) as bigint)
         from registry_count where area_id in (",
    );
    let rows = tx.fetch(&sql.list(areas.iter().copied()).push(") group by area_id"))?;
    rows.iter()
        .map(|row| {
            let counts = Delta {
                households: row.get(1)?,
                residents: row.get(2)?,
                organisations: row.get(3)?,
            };
            Ok((row.get(0)?, counts))
        })
        .collect()
}
