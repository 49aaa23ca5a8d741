//! Is it known already? Near, of the same kind, recent, with a similar title: offered while typing and on the case page; a person decides.
//!
//! Distance, days and likeness are the pack's. Must not: merge anything.

use super::place::{self, Rules, Spot};
use super::record::CaseRow;
use super::store;
use super::view::{NearbyCase, briefs, may_read};
use crate::platform::*;
use domain::time::DAY_MS;

/// Cases offered at most.
const OFFERED: usize = 5;
/// Cases looked at, the newest first.
const LOOKED_AT: i64 = 300;
/// Degrees of latitude in a metre.
const DEGREES_PER_METRE: f64 = 1.0 / 111_195.0;

/// What is compared.
pub struct Probe<'a> {
    pub title: &'a str,
    pub category: Option<&'a str>,
    pub position: Option<(f64, f64)>,
    pub spot: Option<&'a Spot>,
    pub except: Option<CaseId>,
}

/// Cases that may be the same matter, most alike first: (row, metres, likeness).
pub fn find(ctx: &Ctx, tx: &mut Tx, rules: &Rules, probe: &Probe) -> Result<Vec<(CaseRow, Option<f64>, f64)>, Fault> {
    let t = &rules.pack.thresholds;
    let since = ctx.now.plus_ms(-i64::from(t.duplicate_days.value) * DAY_MS);
    let metres = f64::from(t.duplicate_metres.value);
    let rows = match (probe.position, probe.spot) {
        (Some((lon, lat)), _) => {
            let up = metres * DEGREES_PER_METRE;
            let side = up / lat.to_radians().cos().max(0.01);
            store::near(tx, lon - side, lat - up, lon + side, lat + up, since, LOOKED_AT)?
        }
        (None, Some(spot)) => store::recent_in_area(tx, spot.area, spot.depth, since, LOOKED_AT)?,
        (None, None) => Vec::new(),
    };
    let mut found = Vec::new();
    for row in rows {
        let distance = probe
            .position
            .zip(row.lon.zip(row.lat))
            .map(|(here, there)| place::metres_between(here, there).round());
        if probe.except == Some(row.id) || distance.is_some_and(|d| d > metres) {
            continue;
        }
        let likeness = f64::from(learn::similar(probe.title, &row.title));
        let same_kind = probe.category.is_some() && probe.category == row.category_code.as_deref();
        // Of the same kind and near, half as much likeness is enough.
        let needed = if same_kind && distance.is_some() {
            t.duplicate_similarity.value / 2.0
        } else {
            t.duplicate_similarity.value
        };
        if likeness >= needed {
            found.push((row, distance, likeness));
        }
    }
    found.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.id.cmp(&b.0.id)));
    found.truncate(OFFERED);
    Ok(found)
}

/// Likely duplicates of a case, within the scope.
pub fn of_case(ctx: &Ctx, tx: &mut Tx, rules: &Rules, row: &CaseRow) -> Result<Vec<NearbyCase>, Fault> {
    let spot = row.area_id.and_then(|area| place::spot_of_area(ctx, area));
    let probe = Probe {
        title: &row.title,
        category: row.category_code.as_deref(),
        position: row.lon.zip(row.lat),
        spot: spot.as_ref(),
        except: Some(row.id),
    };
    let found = find(ctx, tx, rules, &probe)?;
    in_scope(ctx, tx, rules, found)
}

/// The found cases as lines, those outside the scope left out.
pub fn in_scope(
    ctx: &Ctx,
    tx: &mut Tx,
    rules: &Rules,
    found: Vec<(CaseRow, Option<f64>, f64)>,
) -> Result<Vec<NearbyCase>, Fault> {
    let mut rows = Vec::new();
    let mut how = Vec::new();
    for (row, metres, likeness) in found {
        if may_read(ctx, tx, &row)? {
            rows.push(row);
            how.push((metres, likeness));
        }
    }
    let lines = briefs(ctx, tx, rules, &rows)?;
    Ok(lines
        .into_iter()
        .zip(how)
        .map(|(case, (distance_m, likeness))| NearbyCase {
            case,
            distance_m,
            similarity: Some((likeness * 100.0).round() / 100.0),
        })
        .collect())
}
