//! The SQL of households by building.

use crate::platform::*;
use crate::registry::buildings::Registered;
use crate::territory::dwellings::Living;
use db::params;

/// The dwellings of a community in which households are registered now, in order of id.
pub fn registered(tx: &mut Tx, community: AreaId) -> Result<Vec<Registered>, Fault> {
    let rows = tx.query(
        "select d.id, d.households, d.people, d.households_source, count(*), cast(sum(h.residents) as bigint)
         from dwelling d join household h on h.dwelling_id = d.id and h.valid_to is null
         where d.community_id = $1 and d.valid_to is null group by d.id, d.households, d.people, d.households_source order by d.id",
        &params![community],
    )?;
    let one = |row: &db::Row| {
        Ok(Registered {
            households_before: row.get(1)?,
            people_before: row.get(2)?,
            spread: row.text(3)? == "spread",
            living: Living {
                dwelling: row.get(0)?,
                households: row.get(4)?,
                people: row.get(5)?,
            },
        })
    };
    rows.iter().map(one).collect()
}
