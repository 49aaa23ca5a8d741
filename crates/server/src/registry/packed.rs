//! What a phone takes along of a grid: the households that live there and their residents, masked, with the care registers the caller may know
//! of.
//!
//! Entry points: [`packed`], which reads beside the writers because it is much, and [`packed_told`], without which nothing of it is told: the look is
//! logged for what the phone does not have yet.

use super::care;
use super::residents::{self, Masked};
use super::store::HouseholdRow;
use super::store::packed as store;
use crate::access;
use crate::platform::*;
use crate::territory::Area;
use domain::geo::LonLat;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use utoipa::ToSchema;

/// Households and residents of a grid that are taken along; a grid is some hundred households.
const MOST_HOUSEHOLDS: u32 = 3_000;
const MOST_RESIDENTS: u32 = 15_000;

/// A household, as a phone keeps it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PackedHome {
    pub id: HouseholdId,
    /// The number its source has for it.
    pub number: Option<String>,
    /// Name of the dwelling, where it is known.
    pub house: Option<String>,
    /// As people write it: `3幢2单元5层501室`.
    pub room: String,
    /// Sorts as a walk through the grid.
    pub order: String,
    /// Where the dwelling is, WGS-84.
    pub lon: Option<f64>,
    pub lat: Option<f64>,
    pub residents: Vec<PackedResident>,
    pub row_version: i64,
}

/// Somebody who lives there.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PackedResident {
    pub id: ResidentId,
    /// `张**`.
    pub name: String,
    /// To the householder, by its key.
    pub relation: String,
    /// Whole years.
    pub age: Option<i16>,
    pub sex: Option<String>,
    /// `138****5678`.
    pub phones: Vec<String>,
    /// Keys of the care registers they are on, as far as the caller may know.
    pub registers: Vec<String>,
    pub row_version: i64,
}

/// The households of a grid.
#[derive(Debug, Clone)]
pub struct Packed {
    /// In the order of a walk.
    pub homes: Vec<PackedHome>,
    /// There are more than a phone takes along.
    pub more: bool,
}

/// The households of an area itself, for who may read there; nobody else gets any.
pub fn packed(ctx: &Ctx, tx: &mut Tx, area: &Area) -> Result<Packed, Fault> {
    if !ctx.scope.covers(&area.chain, Permission::RegistryRead) {
        return Ok(Packed {
            homes: Vec::new(),
            more: false,
        });
    }
    let mut rows = store::households(tx, area.id, MOST_HOUSEHOLDS)?;
    let more = rows.len() > MOST_HOUSEHOLDS as usize;
    rows.truncate(MOST_HOUSEHOLDS as usize);
    let mut residents = residents_of(ctx, tx, area.id)?;
    let home = |(row, at): (HouseholdRow, _)| {
        let members = residents.remove(&row.id).unwrap_or_default();
        home(row, at, members)
    };
    Ok(Packed {
        homes: rows.into_iter().map(home).collect(),
        more,
    })
}

/// Logs that these are told: each household once, for all who live there. `more`: what else is told of it.
pub fn packed_told<'h>(
    ctx: &Ctx,
    tx: &mut Tx,
    homes: impl Iterator<Item = (&'h PackedHome, Option<&'static str>)>,
) -> Result<(), Fault> {
    for (home, more) in homes {
        let on_any = home.residents.iter().any(|one| !one.registers.is_empty());
        let fields = std::iter::once("masked")
            .chain(on_any.then_some("registers"))
            .chain(more);
        access::log_read(ctx, tx, Subject::Household(home.id), &fields.collect::<Vec<_>>())?;
    }
    Ok(())
}

fn home(row: HouseholdRow, at: Option<LonLat>, residents: Vec<PackedResident>) -> PackedHome {
    PackedHome {
        id: row.id,
        number: row.number,
        house: row.house,
        room: row.spot.room.text(),
        order: row.spot.key,
        lon: at.map(|at| at.lon),
        lat: at.map(|at| at.lat),
        residents,
        row_version: row.version,
    }
}

/// The residents of an area by household, the householder first.
fn residents_of(ctx: &Ctx, tx: &mut Tx, area: AreaId) -> Result<HashMap<HouseholdId, Vec<PackedResident>>, Fault> {
    let mut registers = registers_of(ctx, tx, area)?;
    let mut found: HashMap<HouseholdId, Vec<PackedResident>> = HashMap::new();
    for (row, key) in store::residents(tx, area, MOST_RESIDENTS)? {
        let on = registers.remove(&row.id).unwrap_or_default();
        let one = resident(residents::mask(ctx, &row, &key)?, on);
        let home = found.entry(row.household).or_default();
        let first = one.relation == "householder";
        home.insert(if first { 0 } else { home.len() }, one);
    }
    Ok(found)
}

fn resident(one: Masked, registers: Vec<String>) -> PackedResident {
    PackedResident {
        id: one.id,
        name: one.name,
        relation: one.relation.key().to_owned(),
        age: one.age,
        sex: one.sex,
        phones: one.phones,
        registers,
        row_version: one.version,
    }
}

/// The registers the residents of an area are on, as far as the caller may know.
fn registers_of(ctx: &Ctx, tx: &mut Tx, area: AreaId) -> Result<HashMap<ResidentId, Vec<String>>, Fault> {
    let mut may_know: BTreeMap<String, bool> = BTreeMap::new();
    let mut found: HashMap<ResidentId, Vec<String>> = HashMap::new();
    for (who, key) in store::registers(tx, area)? {
        let told = match may_know.get(&key) {
            Some(told) => *told,
            None => {
                let told = care::known_and_told(ctx, tx, &key, area)?;
                may_know.insert(key.clone(), told);
                told
            }
        };
        if told {
            found.entry(who).or_default().push(key);
        }
    }
    Ok(found)
}
