//! Open cases, and those that ended on the day itself: they follow their position, else the grid they lay in.

use super::{Finding, Item, Moving, Was, id_of};
use crate::cases::follow::{Move, follow, lying_in};
use crate::platform::{AreaId, CaseId, Fault, Tx, WorkerId};
use crate::workforce;
use crate::workforce::moves::own_post;
use domain::time::{DAY_MS, Timestamp};
use jiff::civil::Date;
use serde_json::json;
use std::collections::HashMap;

/// Cases read at once.
const BATCH: i64 = 500;

/// The first moment of a day of the place.
fn begin(day: Date) -> Result<Timestamp, Fault> {
    let days = day
        .since(jiff::civil::date(1970, 1, 1))
        .map_err(Fault::internal)?
        .get_days();
    Ok(Timestamp::from_day(i64::from(days), 0))
}

pub fn find(finding: &Finding<'_>, tx: &mut Tx) -> Result<Vec<Item>, Fault> {
    let was = Was::read(finding, tx, "case")?;
    // Days to come hold nothing that ended yet.
    let since = begin(finding.day)?;
    let since = (since <= finding.ctx.now && finding.ctx.now < since.plus_ms(DAY_MS)).then_some(since);
    let mut items = Vec::new();
    for community in finding.ground.communities.keys() {
        let depth = finding.map.area(*community).map_or(0, |area| area.depth);
        let mut after: Option<CaseId> = None;
        loop {
            let rows = lying_in(tx, (depth, *community), since, after, BATCH)?;
            after = rows.last().map(|row| row.id);
            let whole = rows.len() as i64 == BATCH;
            for row in rows {
                let Some(area) = row.area else { continue };
                let Some(to) = was.goes(finding, &row.id.to_string(), area, row.at) else {
                    continue;
                };
                let own = match (row.worker, row.unit) {
                    (Some(worker), Some(unit)) => own_post(tx, worker, unit, area, finding.ctx.now)?,
                    // It was the grid's own before, and has waited for the new grid's post since.
                    (None, Some(_)) => was.noted(&row.id.to_string(), "own"),
                    _ => None,
                };
                items.push(Item {
                    id: row.id.to_string(),
                    from: Some(area),
                    to: Some(to),
                    label: row.number,
                    detail: json!({ "own": own, "open": row.open }),
                });
            }
            if !whole {
                break;
            }
        }
    }
    Ok(items)
}

pub fn carry(moving: &Moving<'_>, tx: &mut Tx, items: &mut [Item]) -> Result<(), Fault> {
    let mut moves = Vec::with_capacity(items.len());
    let mut seated: HashMap<(AreaId, String), Option<WorkerId>> = HashMap::new();
    for item in items.iter() {
        let Some(area) = moving.area(item.to) else { continue };
        let Some(chain) = moving.map.area(area).map(|area| area.chain) else {
            continue;
        };
        // Only what was in the hands of the grid's own post comes into those of the new grid's.
        let own = &item.detail["own"];
        let worker = match own.as_str().filter(|_| item.detail["open"] == true) {
            None => None,
            Some(duty) => {
                let key = (area, duty.to_owned());
                if !seated.contains_key(&key) {
                    let found = workforce::seated_in(&moving.ctx.app, tx, area, duty, moving.ctx.now)?;
                    seated.insert(key.clone(), found.into_iter().find_map(|one| one.worker));
                }
                Some(seated.get(&key).copied().flatten())
            }
        };
        moves.push(Move {
            case: id_of(item)?,
            area,
            chain,
            worker,
        });
    }
    let kind = if moving.undoing { "moved_back" } else { "moved" };
    let body = json!({ "day": moving.day.to_string() });
    follow(
        moving.ctx,
        tx,
        &moves,
        moving.day,
        moving.version,
        (kind, &body),
        moving.ledger,
    )
}
