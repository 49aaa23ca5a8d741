//! The SQL of the counts.

use crate::platform::*;
use crate::registry::counts::{Care, Delta};
use db::Sql;
use std::collections::{BTreeMap, HashMap};

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

/// As [`add`], of people on care registers.
pub fn add_care(tx: &mut Tx, changes: Vec<((String, String), Care)>) -> Result<(), Fault> {
    if changes.is_empty() {
        return Ok(());
    }
    let strand = tx.strand();
    let rows = changes.into_iter().map(|((area, register), by)| {
        [
            area.into(),
            register.into(),
            strand.into(),
            by.people.into(),
            by.paired.into(),
        ]
    });
    tx.insert_rows(
        "insert into care_count (area_id, register, strand, people, paired) values ",
        rows,
        " on conflict (area_id, register, strand) do update set people = care_count.people + excluded.people,
            paired = care_count.paired + excluded.paired",
    )?;
    Ok(())
}

/// How many are on which register in these areas.
pub fn care_of(tx: &mut Tx, areas: &[AreaId]) -> Result<HashMap<AreaId, BTreeMap<String, Care>>, Fault> {
    let mut found: HashMap<AreaId, BTreeMap<String, Care>> = HashMap::new();
    if areas.is_empty() {
        return Ok(found);
    }
    let sql = Sql::new(
        "select area_id, register, cast(sum(people) as bigint), cast(sum(paired) as bigint)
         from care_count where area_id in (",
    );
    for row in tx.fetch(&sql.list(areas.iter().copied()).push(") group by area_id, register"))? {
        let care = Care {
            people: row.get(2)?,
            paired: row.get(3)?,
        };
        found.entry(row.get(0)?).or_default().insert(row.get(1)?, care);
    }
    Ok(found)
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
