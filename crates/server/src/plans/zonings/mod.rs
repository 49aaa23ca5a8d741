//! Departments' own zonings 部门分区 (PJ-12): police beats, school areas, sanitation sections, laid over dwellings and base grids.
//!
//! Entry points: [`read`] (a file, row by row), [`over`] (which dwelling lies in which zone), [`keep`] (a version with its mapping), [`again`]
//! (the same zones over today's grids), [`propose::propose`] (a draft plan that follows them). A zoning of the same name in the same area is the next version; the former stays readable. Must not:
//! change a grid; a proposal is a draft plan like any other.

mod http;
mod propose;

pub use http::routes;

use crate::plans::store::zonings::{self as store, Dwelling, ShareRow, ZoneRow, ZoningRow};
use crate::platform::{AreaId, Ctx, Fault, Mark, Subject, Tx, ZoningId, i18n};
use crate::territory::features::Feature;
use crate::territory::{self, GeoJson, RowProblem};
use domain::geo::{Datum, LonLat, Region, Side};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Zones of one file at most, and points of all of them.
pub const MAX_ZONES: usize = 5_000;
const MAX_POINTS: usize = 1_000_000;
/// Longest name, code and unit of a zone, in characters.
const MAX_TEXT: usize = 80;
/// Problems told at most.
const MAX_PROBLEMS: usize = 100;

/// A zone as its file says it.
#[derive(Debug, Clone)]
pub struct Zone {
    pub code: String,
    pub name: String,
    pub unit: String,
    pub region: Region,
}

/// The zones of a map given in `datum`, with what is wrong, row by row. Properties `name`, `code` and `unit` (who
/// answers for it); a name or a code there must be.
pub fn read(ctx: &Ctx, features: &[Feature], datum: Datum) -> Result<(Vec<Zone>, Vec<RowProblem>), Fault> {
    if features.len() > MAX_ZONES {
        return Err(Fault::invalid("body", "zones_too_many").with("most", MAX_ZONES));
    }
    let (mut zones, mut problems, mut points) = (Vec::new(), Vec::new(), 0usize);
    let mut codes: BTreeSet<String> = BTreeSet::new();
    for feature in features {
        let mut problem = |code: &'static str, found: &str| {
            if problems.len() < MAX_PROBLEMS {
                problems.push(RowProblem {
                    row: feature.row,
                    code: code.to_owned(),
                    message: i18n::sentence(ctx.lang, code, &[("found", found.to_owned())]),
                });
            }
        };
        let text = |key: &str| -> String { feature.text(key).chars().take(MAX_TEXT).collect() };
        let (name, code, unit) = (text("name"), text("code"), text("unit"));
        if name.is_empty() && code.is_empty() {
            problem("zone_no_name", "");
            continue;
        }
        let label = if name.is_empty() { code.clone() } else { name };
        if !code.is_empty() && !codes.insert(code.clone()) {
            problem("import_duplicate_code", &code);
            continue;
        }
        let Some(region) = feature.region() else {
            problem("import_no_shape", &label);
            continue;
        };
        let region = region.converted(datum);
        points += region.points().count();
        if points > MAX_POINTS {
            return Err(Fault::invalid("body", "import_too_many_points").with("most", MAX_POINTS));
        }
        if !territory::is_sound(&region) {
            problem("import_bad_shape", &label);
            continue;
        }
        zones.push(Zone {
            code,
            name: label,
            unit,
            region,
        });
    }
    if zones.is_empty() && problems.is_empty() {
        return Err(Fault::invalid("body", "zones_missing"));
    }
    Ok((zones, problems))
}

/// How zones lie over dwellings.
#[derive(Debug, Clone, Default)]
pub struct Over {
    /// The zone of each dwelling, by its place; of several the first.
    pub zone_of: Vec<Option<usize>>,
    /// Households in some zone, in none, in more than one.
    pub inside: i64,
    pub outside: i64,
    pub double: i64,
}

/// Lays zones over dwellings.
pub fn over(regions: &[Region], dwellings: &[Dwelling]) -> Over {
    let boxes = regions.iter().enumerate().filter_map(|(at, region)| {
        let [west, south, east, north] = region.bounds()?;
        Some(GeomWithData::new(
            Rectangle::from_corners([west, south], [east, north]),
            at,
        ))
    });
    let boxes = RTree::bulk_load(boxes.collect());
    let mut over = Over::default();
    for one in dwellings {
        let at = LonLat {
            lon: one.at.0,
            lat: one.at.1,
        };
        let near = boxes.locate_in_envelope_intersecting(AABB::from_point([at.lon, at.lat]));
        let mut hits: Vec<usize> = near
            .map(|hit| hit.data)
            .filter(|zone| regions[*zone].side(at) != Side::Outside)
            .collect();
        hits.sort_unstable();
        match hits.len() {
            0 => over.outside += one.households,
            _ => over.inside += one.households,
        }
        if hits.len() > 1 {
            over.double += one.households;
        }
        over.zone_of.push(hits.first().copied());
    }
    over
}

/// What of each grid lies in each zone, zone 0 standing for none; zones count from 1.
pub fn shares(over: &Over, dwellings: &[Dwelling]) -> Vec<ShareRow> {
    let mut all: BTreeMap<(i64, AreaId), (i64, i64)> = BTreeMap::new();
    for (one, zone) in dwellings.iter().zip(&over.zone_of) {
        let no = zone.map_or(0, |zone| zone as i64 + 1);
        let (dwellings, households) = all.entry((no, one.area)).or_default();
        *dwellings += 1;
        *households += one.households;
    }
    let row = |((zone, area), (dwellings, households))| ShareRow {
        zone,
        area,
        dwellings,
        households,
    };
    all.into_iter().map(row).collect()
}

/// A version to be kept.
pub struct NewZoning {
    pub id: ZoningId,
    pub name: String,
    pub purpose: String,
    pub area: AreaId,
    pub zones: Vec<Zone>,
}

/// Dwellings of the area of a zoning.
pub fn dwellings_of(ctx: &Ctx, tx: &mut Tx, area: AreaId) -> Result<Vec<Dwelling>, Fault> {
    let map = territory::current(&ctx.app);
    let depth = map.area(area).map(|area| area.depth).ok_or_else(Fault::not_found)?;
    store::dwellings(tx, (depth, area))
}

/// Keeps zones with their mapping, as the next version of their name in their area.
pub fn keep(ctx: &Ctx, tx: &mut Tx, new: &NewZoning) -> Result<ZoningRow, Fault> {
    let dwellings = dwellings_of(ctx, tx, new.area)?;
    let regions: Vec<Region> = new.zones.iter().map(|zone| zone.region.clone()).collect();
    let over = over(&regions, &dwellings);
    let shares = shares(&over, &dwellings);
    let before = store::newest(tx, new.area, &new.name)?;
    let row = ZoningRow {
        id: new.id,
        name: new.name.clone(),
        purpose: new.purpose.clone(),
        area: new.area,
        version: before.as_ref().map_or(1, |before| before.version + 1),
        replaces: before.as_ref().map(|before| before.id),
        replaced_at: None,
        territory_version: territory::current(&ctx.app).version,
        zones: new.zones.len() as i64,
        households: over.inside,
        created_at: ctx.now,
        created_by: ctx.account()?,
        created_name: super::name_of(ctx),
    };
    store::insert(tx, &row)?;
    let households = |no: i64| {
        shares
            .iter()
            .filter(|share| share.zone == no)
            .map(|share| share.households)
            .sum()
    };
    let zones = (1i64..).zip(&new.zones).map(|(no, zone)| {
        Ok(ZoneRow {
            no,
            code: zone.code.clone(),
            name: zone.name.clone(),
            unit: zone.unit.clone(),
            geojson: serde_json::to_string(&GeoJson::of(&zone.region)).map_err(Fault::internal)?,
            households: households(no),
        })
    });
    let zones = zones.collect::<Result<Vec<_>, Fault>>()?;
    store::insert_zones(tx, new.id, &zones)?;
    store::insert_shares(tx, new.id, &shares)?;
    let body = json!({
        "zoning": new.id.to_string(), "version": row.version, "zones": row.zones, "territory_version": row.territory_version,
    });
    tx.record(ctx, Mark::new("zoning.imported", Subject::Area(new.area), body))?;
    Ok(row)
}

/// The zones as they are kept.
pub fn zones_of(tx: &mut Tx, id: ZoningId) -> Result<Vec<Zone>, Fault> {
    let zone = |row: ZoneRow| {
        let shape: GeoJson = serde_json::from_str(&row.geojson).map_err(Fault::internal)?;
        Ok(Zone {
            code: row.code,
            name: row.name,
            unit: row.unit,
            region: shape.into_region(),
        })
    };
    store::zones(tx, id)?.into_iter().map(zone).collect()
}

/// The same zones over the dwellings and grids of today: the next version.
pub fn again(ctx: &Ctx, tx: &mut Tx, old: &ZoningRow, id: ZoningId) -> Result<ZoningRow, Fault> {
    let new = NewZoning {
        id,
        name: old.name.clone(),
        purpose: old.purpose.clone(),
        area: old.area,
        zones: zones_of(tx, old.id)?,
    };
    keep(ctx, tx, &new)
}
