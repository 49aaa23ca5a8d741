//! The SQL of homes that follow the ground.

use crate::platform::*;
use crate::registry::counts::{Care, Delta};
use crate::registry::follow::Loose;
use db::{Row, Sql, params};
use std::collections::BTreeSet;

type Chain = [Option<AreaId>; 5];

fn chain_and(row: &Row, delta: Delta) -> Result<(Chain, Delta), Fault> {
    let chain = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
    Ok((chain, delta))
}

/// Of those whose column `by` is one of these ids.
fn sums<T: Copy + Into<db::Value>>(tx: &mut Tx, by: &'static str, ids: &[T]) -> Result<Vec<(Chain, Delta)>, Fault> {
    let homes = Sql::new("select a1, a2, a3, a4, a5, count(*), cast(sum(residents) as bigint) from household where valid_to is null and ")
        .push(by)
        .push(" in (")
        .list(ids.iter().copied())
        .push(") group by a1, a2, a3, a4, a5");
    let mut found = Vec::new();
    for row in tx.fetch(&homes)? {
        let delta = Delta {
            households: row.get(5)?,
            residents: row.get(6)?,
            organisations: 0,
        };
        found.push(chain_and(&row, delta)?);
    }
    let organisations = Sql::new("select a1, a2, a3, a4, a5, count(*) from organisation where valid_to is null and ")
        .push(by)
        .push(" in (")
        .list(ids.iter().copied())
        .push(") group by a1, a2, a3, a4, a5");
    for row in tx.fetch(&organisations)? {
        let delta = Delta::organisations(row.get(5)?);
        found.push(chain_and(&row, delta)?);
    }
    Ok(found)
}

/// What lives in these dwellings now, by the areas it is counted in.
pub fn living_at(tx: &mut Tx, dwellings: &[DwellingId]) -> Result<Vec<(Chain, Delta)>, Fault> {
    sums(tx, "dwelling_id", dwellings)
}

/// As [`living_at`], of one household or organisation.
pub fn living_as(tx: &mut Tx, id: &str) -> Result<Vec<(Chain, Delta)>, Fault> {
    sums(tx, "id", &[id])
}

/// How many of those are on which care register, by the areas they are counted in.
pub fn care_at(tx: &mut Tx, dwellings: &[DwellingId]) -> Result<Vec<(Chain, String, Care)>, Fault> {
    super::care::living(tx, "dwelling_id", dwellings)
}

/// As [`care_at`], of one household.
pub fn care_as(tx: &mut Tx, id: &str) -> Result<Vec<(Chain, String, Care)>, Fault> {
    super::care::living(tx, "id", &[id])
}

pub fn move_dwellings(tx: &mut Tx, dwellings: &[DwellingId], area: AreaId, chain: &Chain) -> Result<(), Fault> {
    for table in ["update household set area_id = ", "update organisation set area_id = "] {
        let mut sql = Sql::new(table).bind(area);
        for (column, above) in [", a1 = ", ", a2 = ", ", a3 = ", ", a4 = ", ", a5 = "]
            .into_iter()
            .zip(chain)
        {
            sql = sql.push(column).bind(*above);
        }
        let sql = sql.push(" where valid_to is null and dwelling_id in (");
        let sql = sql.list(dwellings.iter().copied()).push(")");
        tx.defer(sql.text(), sql.params())?;
    }
    Ok(())
}

pub fn move_loose(tx: &mut Tx, id: &str, area: AreaId, chain: &Chain) -> Result<(), Fault> {
    let [a1, a2, a3, a4, a5] = *chain;
    for sql in [
        "update household set area_id = $1, a1 = $2, a2 = $3, a3 = $4, a4 = $5, a5 = $6 where id = $7",
        "update organisation set area_id = $1, a1 = $2, a2 = $3, a3 = $4, a4 = $5, a5 = $6 where id = $7",
    ] {
        tx.defer(sql, &params![area, a1, a2, a3, a4, a5, id])?;
    }
    Ok(())
}

pub fn loose_in(tx: &mut Tx, areas: &[AreaId]) -> Result<Vec<Loose>, Fault> {
    let mut found = Vec::new();
    if areas.is_empty() {
        return Ok(found);
    }
    for head in [
        "select t.id, t.area_id from household t left join dwelling d on d.id = t.dwelling_id and d.valid_to is null
         where d.id is null and t.valid_to is null and t.area_id in (",
        "select t.id, t.area_id from organisation t left join dwelling d on d.id = t.dwelling_id and d.valid_to is null
         where d.id is null and t.valid_to is null and t.area_id in (",
    ] {
        let sql = Sql::new(head).list(areas.iter().copied()).push(") order by t.id");
        for row in tx.fetch(&sql)? {
            found.push(Loose {
                id: row.get(0)?,
                area: row.get(1)?,
            });
        }
    }
    Ok(found)
}

/// Dwellings of these communities whose homes lie in another area than they do, with the area.
pub fn astray(tx: &mut Tx, communities: &[AreaId]) -> Result<Vec<(DwellingId, AreaId)>, Fault> {
    let mut found = BTreeSet::new();
    if communities.is_empty() {
        return Ok(Vec::new());
    }
    for head in [
        "select distinct d.id, d.area_id from dwelling d join household t on t.dwelling_id = d.id and t.valid_to is null",
        "select distinct d.id, d.area_id from dwelling d join organisation t on t.dwelling_id = d.id and t.valid_to is null",
    ] {
        let sql = Sql::new(head).push(" where t.area_id <> d.area_id and d.valid_to is null and d.community_id in (");
        for row in tx.fetch(&sql.list(communities.iter().copied()).push(")"))? {
            found.insert((row.get(0)?, row.get(1)?));
        }
    }
    Ok(found.into_iter().collect())
}
