//! What is owed to grids, facilities and households: named here, worked out anew after the day.

use super::{Finding, Item, homes};
use crate::duties::SubjectKind;
use crate::duties::moves::{Open, open_at_homes, open_in};
use crate::platform::{AreaId, DwellingId, Fault, Tx};
use domain::time::date_of;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

fn item(open: Open, to: Option<usize>) -> Item {
    Item {
        id: open.id.to_string(),
        from: Some(open.area),
        to,
        label: open.label,
        detail: json!({ "until": date_of(open.until).to_string() }),
    }
}

/// What is owed to a facility or household goes where it goes, of households by rule and pair of grids: they are many, and the dwellings are
/// named one by one. What is owed to a grid that ends ends with it.
pub fn obligations(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Item>, Fault> {
    let moving: HashMap<String, Option<usize>> = homes::facilities(finding, tx)?
        .into_iter()
        .map(|facility| (facility.id, facility.to))
        .collect();
    let of_facilities = open_in(finding.ctx, tx, SubjectKind::Facility, &finding.ground.touched())?;
    let mut items: Vec<Item> = of_facilities
        .into_iter()
        .filter_map(|open| {
            let to = *moving.get(&open.subject.to_string())?;
            Some(item(open, to))
        })
        .collect();
    let ended: Vec<AreaId> = finding.ground.ended.keys().copied().collect();
    let of_grids = open_in(finding.ctx, tx, SubjectKind::Grid, &ended)?;
    items.extend(of_grids.into_iter().map(|open| item(open, None)));
    items.extend(of_households(finding, tx)?);
    items.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(items)
}

fn of_households(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Item>, Fault> {
    let mut ways: BTreeMap<(AreaId, usize), Vec<DwellingId>> = BTreeMap::new();
    for one in &finding.ground.moving {
        ways.entry((one.from, one.to)).or_default().push(one.dwelling);
    }
    let mut items = Vec::new();
    for ((from, to), dwellings) in ways {
        for (rule, name, count) in open_at_homes(finding.ctx, tx, &dwellings)? {
            items.push(Item {
                id: format!("{rule}:{from}:{to}"),
                from: Some(from),
                to: Some(to),
                label: format!("{name} × {count}"),
                detail: json!({ "count": count }),
            });
        }
    }
    Ok(items)
}
