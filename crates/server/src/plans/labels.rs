//! What grids are called: which of today's grids each goes on as, names from the largest compound or village, codes by the pack's layout.

use super::store::GridRow;
use super::table::Table;
use crate::platform::{AreaId, Fault};
use crate::territory::Map;
use domain::territory::adopt::{Uncoded, codes};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Says for each grid which of today's grids it goes on as (most households in common, and more than half of the old one's), and how many
/// households of it lie in another grid today.
pub fn match_today(
    table: &Table,
    members: &BTreeMap<u32, Vec<u32>>,
    community: AreaId,
    rows: &mut BTreeMap<u32, GridRow>,
) {
    let today = |v: u32| Some(table.block.dwellings[v as usize].area).filter(|area| *area != community);
    let mut shared: HashMap<(u32, AreaId), i64> = HashMap::new();
    let mut whole: HashMap<AreaId, i64> = HashMap::new();
    for (no, members) in members {
        for v in members {
            if let Some(area) = today(*v) {
                // A dwelling without households counts a little, so that an empty grid is known again, too.
                let weight = 1_000 * table.households(*v as usize) + 1;
                *shared.entry((*no, area)).or_default() += weight;
                *whole.entry(area).or_default() += weight;
            }
        }
    }
    let mut pairs: Vec<((u32, AreaId), i64)> = shared.into_iter().collect();
    pairs.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let (mut of, mut taken): (BTreeMap<u32, AreaId>, HashSet<AreaId>) = (BTreeMap::new(), HashSet::new());
    for ((no, area), weight) in pairs {
        if 2 * weight > whole[&area] && !of.contains_key(&no) && taken.insert(area) {
            of.insert(no, area);
        }
    }
    for (no, row) in rows {
        let kept = of.get(no).copied();
        if row.kept_area != kept {
            // Name and code go with the grid in force.
            (row.name, row.code) = (String::new(), String::new());
        }
        row.kept_area = kept;
        let moved = |v: &&u32| today(**v).is_some_and(|area| Some(area) != kept);
        row.moved_households = members[no]
            .iter()
            .filter(moved)
            .map(|v| table.households(*v as usize))
            .sum();
    }
}

/// Names and codes for those that have none. `digits`: of the running number behind the community's code.
pub fn name_and_number(
    table: &Table,
    members: &BTreeMap<u32, Vec<u32>>,
    community: AreaId,
    map: &Map,
    digits: usize,
    rows: &mut BTreeMap<u32, GridRow>,
) -> Result<(), Fault> {
    for row in rows.values_mut() {
        if let Some(area) = row
            .kept_area
            .and_then(|id| map.area(id))
            .filter(|_| row.code.is_empty())
        {
            (row.name, row.code) = (area.name.clone(), area.code.clone());
        }
    }
    let mut taken = map.codes_below(community);
    taken.extend(rows.values().map(|row| row.code.clone()));
    let mut names: HashSet<String> = rows.values().map(|row| row.name.clone()).collect();
    let prefix = map.area(community).map(|area| area.code.clone()).unwrap_or_default();
    let uncoded: Vec<Uncoded> = rows
        .values()
        .filter(|row| row.code.is_empty())
        .map(|row| Uncoded {
            no: row.no,
            lon: row.at.lon,
            lat: row.at.lat,
        })
        .collect();
    let full = |_| Fault::refused("plan_codes_full").with("community", map.full_name(community));
    for (no, code) in codes(&prefix, digits, &taken, &uncoded).map_err(full)? {
        if let Some(row) = rows.get_mut(&no) {
            row.code = code;
        }
    }
    let mut order: Vec<(String, u32)> = rows.values().map(|row| (row.code.clone(), row.no)).collect();
    order.sort();
    for (_, no) in order {
        let Some(row) = rows.get_mut(&no) else { continue };
        if row.name.is_empty() {
            let base = proposed(table, &members[&no]);
            let mut name = match &base {
                Some(base) => format!("{base}网格"),
                None => format!("第{}网格", row.code.trim_start_matches(&prefix).trim_start_matches('0')),
            };
            let mut nth = 2;
            while names.contains(&name) {
                name = format!("{}第{nth}网格", base.as_deref().unwrap_or_default());
                nth += 1;
            }
            names.insert(name.clone());
            row.name = name;
        }
    }
    Ok(())
}

/// The compound, village or street of most of its households.
fn proposed(table: &Table, members: &[u32]) -> Option<String> {
    let most = |of: fn(&crate::territory::dwellings::Dwelling) -> &Option<String>| {
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for v in members {
            if let Some(name) = of(&table.block.dwellings[*v as usize]) {
                *sums.entry(name).or_default() += table.households(*v as usize) + 1;
            }
        }
        sums.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)))
    };
    let (compound, village) = (most(|one| &one.compound), most(|one| &one.village));
    let larger = match (compound, village) {
        (Some(a), Some(b)) => Some(if b.1 > a.1 { b } else { a }),
        (a, b) => a.or(b),
    };
    larger
        .or_else(|| most(|one| &one.street))
        .map(|(name, _)| name.chars().take(super::NAME / 2).collect())
}
