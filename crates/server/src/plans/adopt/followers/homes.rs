//! Dwellings themselves, and what stands where they stand: addresses, facilities.

use super::{Finding, Item, Moving, Was, id_of};
use crate::plans::store::adopt as store;
use crate::platform::{AreaId, Fault, Tx};
use crate::territory::dwellings;
use serde_json::{Value, json};

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
    let mut communities = std::collections::BTreeSet::new();
    for item in items.iter() {
        if let Some(area) = moving.area(item.to) {
            let id = id_of(item)?;
            store::set_dwelling_area(tx, id, area)?;
            communities.extend(dwellings::find(tx, id)?.map(|one| one.community));
        }
    }
    communities
        .into_iter()
        .try_for_each(|community| dwellings::recount(tx, community))
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
    let moves: Vec<(String, AreaId, [Option<AreaId>; 5])> = items
        .iter()
        .filter_map(|item| {
            let area = moving.area(item.to)?;
            Some((item.id.clone(), area, moving.map.area(area)?.chain))
        })
        .collect();
    crate::territory::facilities::relocate(tx, &moves)
}
