//! Bringing in facilities from CSV or a map. On any problem nothing changes; the same code again replaces what was there.

use super::{Audience, Facility, store};
use crate::platform::*;
use crate::territory::features::{self, Feature, MapFile, Want};
use crate::territory::import::{RowProblem, is_sound};
use crate::territory::{Map, current, nearest_metres};
use domain::geo::{Datum, LonLat, Region};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use utoipa::ToSchema;

/// Facilities of one file at most.
const MAX_ROWS: usize = 50_000;
/// Points of one outline at most.
const MAX_POINTS: usize = 2_000;
/// Longest code, kind, telephone number; longest name, address, opening hours (characters).
const SHORT: usize = 40;
const LONG: usize = 120;
/// Codes looked up in one statement.
const AT_ONCE: usize = 500;
/// Problems told at most.
const MAX_PROBLEMS: usize = 100;

/// A facility to be kept; its area follows from its position.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewFacility {
    /// Row or feature of the file, from 1.
    pub row: usize,
    pub code: String,
    pub name: String,
    pub kind: String,
    /// WGS-84; of an outline alone, its middle.
    pub at: Option<LonLat>,
    pub outline: Option<Region>,
    pub address: String,
    pub hours: String,
    pub phone: String,
    /// `public`, `partner` or `staff`, which is meant when nothing is said.
    pub audience: String,
}

/// What an import found or did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct FacilityReport {
    /// Rows or features read.
    pub rows: usize,
    /// Facilities that are (or would be) new.
    pub created: usize,
    /// Facilities that are (or would be) replaced.
    pub replaced: usize,
    /// Any problem here means that nothing was changed; the first hundred.
    pub problems: Vec<RowProblem>,
}

/// Columns `code`, `name`, `kind`, `lon`, `lat` and, where present, `address`, `hours`, `phone`, `audience`.
pub fn read_csv(text: &str, datum: Datum) -> Result<Vec<NewFacility>, Fault> {
    let unreadable = |error: csv::Error| Fault::invalid("body", "csv_unreadable").with("detail", error);
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(unreadable)?.clone();
    let column = |name: &str| headers.iter().position(|h| h.trim().eq_ignore_ascii_case(name));
    let columns: HashMap<&str, usize> = [
        "code", "name", "kind", "lon", "lat", "address", "hours", "phone", "audience",
    ]
    .into_iter()
    .filter_map(|name| Some((name, column(name)?)))
    .collect();
    if ["code", "name", "kind", "lon", "lat"]
        .iter()
        .any(|name| !columns.contains_key(name))
    {
        return Err(Fault::invalid("body", "csv_columns").with("columns", "code, name, kind, lon, lat"));
    }
    let mut rows = Vec::new();
    for (nth, record) in reader.records().enumerate() {
        let record = record.map_err(unreadable)?;
        let cell = |name: &str| {
            let found = columns.get(name).and_then(|at| record.get(*at));
            found.unwrap_or_default().trim().to_owned()
        };
        let number = |name: &str| cell(name).parse::<f64>().ok();
        let at = number("lon").zip(number("lat"));
        rows.push(NewFacility {
            row: nth + 1,
            code: cell("code"),
            name: cell("name"),
            kind: cell("kind"),
            at: at
                .and_then(|(lon, lat)| LonLat::new(lon, lat).ok())
                .map(|at| datum.to_wgs84(at)),
            outline: None,
            address: cell("address"),
            hours: cell("hours"),
            phone: cell("phone"),
            audience: cell("audience"),
        });
        if rows.len() > MAX_ROWS {
            return Err(too_many());
        }
    }
    Ok(rows)
}

fn too_many() -> Fault {
    Fault::invalid("body", "facility_too_many_rows").with("most", MAX_ROWS)
}

/// The points or outlines of a map; properties as the columns of [`read_csv`].
pub async fn read_map(file: MapFile, datum: Datum) -> Result<Vec<NewFacility>, Fault> {
    let features = features::open(file, Want::POINTS_OR_AREAS)
        .await
        .map_err(|bad| bad.field("body"))?;
    if features.len() > MAX_ROWS {
        return Err(too_many());
    }
    let read = |feature: Feature| {
        let point = feature.points.first().and_then(|at| LonLat::new(at[0], at[1]).ok());
        let sound = |region: &Region| is_sound(region) && region.points().count() <= MAX_POINTS;
        let outline = feature.region().filter(sound).map(|region| region.converted(datum));
        NewFacility {
            row: feature.row,
            code: feature.text("code"),
            name: feature.text("name"),
            kind: feature.text("kind"),
            at: point
                .map(|at| datum.to_wgs84(at))
                .or_else(|| outline.as_ref().and_then(Region::center)),
            outline,
            address: feature.text("address"),
            hours: feature.text("hours"),
            phone: feature.text("phone"),
            audience: feature.text("audience"),
        }
    };
    Ok(features.into_iter().map(read).collect())
}

/// Keeps these facilities, or says what is wrong with them and changes nothing. The caller needs to manage the area of each, and of what it
/// replaces.
pub async fn import(ctx: &Ctx, rows: Vec<NewFacility>, dry_run: bool) -> Result<FacilityReport, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    if rows.len() > MAX_ROWS {
        return Err(too_many());
    }
    if dry_run {
        let look = ctx.app.read(ctx, move |ctx, tx| planned(ctx, tx, &rows));
        return Ok(look.await?.0);
    }
    ctx.app
        .write(ctx, move |ctx, tx| {
            let (report, mut plan) = planned(ctx, tx, &rows)?;
            if !report.problems.is_empty() || plan.is_empty() {
                return Ok(report);
            }
            let change = store::next_change(tx)?;
            plan.iter_mut().for_each(|one| one.change = change);
            store::put_all(ctx, tx, &plan)?;
            let body = json!({ "change": change, "created": report.created, "replaced": report.replaced });
            tx.record(ctx, Mark::new("facility.imported", Subject::Territory, body))?;
            Ok(report)
        })
        .await
}

fn planned(ctx: &Ctx, tx: &mut Tx, rows: &[NewFacility]) -> Result<(FacilityReport, Vec<Facility>), Fault> {
    let map = current(&ctx.app);
    let metres = nearest_metres(&ctx.app);
    let mut there = HashMap::new();
    let codes: Vec<String> = rows.iter().map(|row| row.code.clone()).collect();
    for part in codes.chunks(AT_ONCE) {
        for (code, id, areas) in store::by_codes(tx, part)? {
            there.insert(code, (id, areas));
        }
    }
    let mut report = FacilityReport {
        rows: rows.len(),
        ..FacilityReport::default()
    };
    let (mut plan, mut seen) = (Vec::with_capacity(rows.len()), BTreeSet::new());
    for row in rows {
        let old = there.get(&row.code);
        let manages = |areas: &[Option<AreaId>; 5]| ctx.scope.covers(areas, Permission::TerritoryManage);
        let checked = checked(&map, metres, row).and_then(|found| {
            if !seen.insert(row.code.as_str()) {
                return Err("import_duplicate_code");
            }
            if !manages(&found.areas) || old.is_some_and(|(_, areas)| !manages(areas)) {
                return Err("facility_elsewhere");
            }
            Ok(found)
        });
        match checked {
            Ok(mut found) => {
                match old {
                    Some((id, _)) => (found.id, report.replaced) = (*id, report.replaced + 1),
                    None => (found.id, report.created) = (ctx.app.new_id(), report.created + 1),
                }
                plan.push(found);
            }
            Err(code) if report.problems.len() < MAX_PROBLEMS => report.problems.push(RowProblem {
                row: row.row,
                code: code.to_owned(),
                message: i18n::sentence(ctx.lang, code, &[("found", row.code.clone())]),
            }),
            Err(_) => {}
        }
    }
    Ok((report, plan))
}

/// The facility with its area; its id and change are still to come. The error is the code of what is wrong.
fn checked(map: &Map, metres: f64, row: &NewFacility) -> Result<Facility, &'static str> {
    let fits = |text: &str, most: usize| !text.is_empty() && text.chars().count() <= most;
    let short = |text: &str, most: usize| text.chars().count() <= most;
    if !fits(&row.code, SHORT) {
        return Err("facility_bad_code");
    }
    if !fits(&row.name, LONG) || !fits(&row.kind, SHORT) {
        return Err("facility_bad_name");
    }
    if !short(&row.address, LONG) || !short(&row.hours, LONG) || !short(&row.phone, SHORT) {
        return Err("facility_bad_text");
    }
    let audience = match row.audience.as_str() {
        "" => Some(Audience::Staff),
        key => Audience::from_key(key),
    };
    let audience = audience.ok_or("facility_bad_audience")?;
    let at = row.at.ok_or("facility_no_position")?;
    let area = map.locate(at, metres).and_then(|found| map.area(found.area));
    let area = area.ok_or("facility_outside")?;
    Ok(Facility {
        id: FacilityId(uuid::Uuid::nil()),
        code: row.code.clone(),
        name: row.name.clone(),
        kind: row.kind.clone(),
        area: area.id,
        areas: area.chain,
        at,
        outline: row.outline.clone(),
        address: row.address.clone(),
        hours: row.hours.clone(),
        phone: row.phone.clone(),
        audience,
        change: 0,
        removed: false,
    })
}
