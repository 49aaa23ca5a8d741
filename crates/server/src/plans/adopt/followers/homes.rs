//! Dwellings themselves with those who live there, and what stands where they stand: addresses, facilities, homes without a dwelling.

use super::{Finding, Item, Moving, Was, id_of};
use crate::plans::store::adopt as store;
use crate::platform::{AreaId, DwellingId, Fault, Tx};
use crate::registry;
use crate::territory::dwellings;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub fn households(finding: &Finding<'_>, _: &mut Tx) -> Result<Vec<Item>, Fault> {
    let one = |moving: &super::super::ground::Moving| Item {
        id: moving.dwelling.to_string(),
        from: Some(moving.from),
        to: Some(moving.to),
        label: String::new(),
        detail: json!({ "households": moving.households }),
    };
    Ok(finding.ground.moving.iter().map(one).collect())
}

pub fn move_households(moving: &Moving<'_>, tx: &mut Tx, items: &mut [Item]) -> Result<(), Fault> {
    let mut by_area: BTreeMap<AreaId, Vec<DwellingId>> = BTreeMap::new();
    let mut homes = Vec::new();
    let mut communities = BTreeSet::new();
    for item in items.iter() {
        let Some(place) = item.to.and_then(|at| moving.places.get(at)) else {
            continue;
        };
        if let Some(area) = place.area {
            let id = id_of(item)?;
            by_area.entry(area).or_default().push(id);
            let chain = moving.map.area(area).map(|area| area.chain);
            homes.extend(chain.map(|chain| (id, area, chain)));
            communities.insert(place.community);
        }
    }
    for (area, dwellings) in by_area {
        store::set_dwellings_area(tx, &dwellings, area)?;
    }
    registry::follow_dwellings(tx, &homes)?;
    communities
        .into_iter()
        .try_for_each(|community| dwellings::recount(tx, community))
}

/// Households and organisations whose dwelling is not known: they go with the grid they lie in.
pub fn loose(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Item>, Fault> {
    let was = Was::read(finding, tx, "home")?;
    let goes = |home: registry::Loose| {
        Some(Item {
            to: Some(was.goes(finding, &home.id, home.area, None)?),
            id: home.id,
            from: Some(home.area),
            label: String::new(),
            detail: Value::Null,
        })
    };
    let homes = registry::loose_in(tx, &finding.ground.touched())?;
    Ok(homes.into_iter().filter_map(goes).collect())
}

pub fn move_loose(moving: &Moving<'_>, tx: &mut Tx, items: &mut [Item]) -> Result<(), Fault> {
    registry::move_loose(tx, &chained(moving, items))
}

/// Where each thing goes, with the areas around.
fn chained(moving: &Moving<'_>, items: &[Item]) -> Vec<(String, AreaId, [Option<AreaId>; 5])> {
    let one = |item: &Item| {
        let area = moving.area(item.to)?;
        Some((item.id.clone(), area, moving.map.area(area)?.chain))
    };
    items.iter().filter_map(one).collect()
}

fn located(finding: &Finding<'_>, was: &Was, rows: Vec<store::Located>) -> Vec<Item> {
    let goes = |row: store::Located| {
        Some(Item {
            to: Some(was.goes(finding, &row.id, row.area, row.at)?),
            id: row.id,
            from: Some(row.area),
            label: row.label,
            detail: Value::Null,
        })
    };
    rows.into_iter().filter_map(goes).collect()
}

pub fn addresses(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Item>, Fault> {
    let was = Was::read(finding, tx, "address")?;
    Ok(located(
        finding,
        &was,
        store::addresses_in(tx, &finding.ground.touched())?,
    ))
}

pub fn move_addresses(moving: &Moving<'_>, tx: &mut Tx, items: &mut [Item]) -> Result<(), Fault> {
    for item in items.iter() {
        if let Some(area) = moving.area(item.to) {
            store::set_address_area(tx, &item.id, area)?;
        }
    }
    Ok(())
}

pub fn facilities(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Item>, Fault> {
    let was = Was::read(finding, tx, "facility")?;
    Ok(located(
        finding,
        &was,
        store::facilities_in(tx, &finding.ground.touched())?,
    ))
}

pub fn move_facilities(moving: &Moving<'_>, tx: &mut Tx, items: &mut [Item]) -> Result<(), Fault> {
    crate::territory::facilities::relocate(tx, &chained(moving, items))
}
