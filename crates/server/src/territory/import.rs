//! Bringing in areas (division codes) and boundaries (GeoJSON): a dry run says what would happen; on any problem nothing changes.

use super::features::{self, MapFile, Want};
use super::{current, load, store};
use crate::platform::{AreaId, Ctx, Fault, Mark, Subject};
use crate::policy;
use domain::geo::{Datum, LonLat, Region};
use domain::territory::{ImportPlan, ImportProblemCode, MAX_DEPTH, Row, plan_import};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use utoipa::ToSchema;

/// Most points of all boundaries of one file.
const MAX_POINTS: usize = 4_000_000;
/// Fewest points of a closed ring.
const MIN_RING: usize = 4;

/// What an import found or did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = AreaImportReport)]
pub struct ImportReport {
    /// Rows or features read.
    pub rows: usize,
    /// Areas that are (or would be) new.
    pub created: usize,
    /// Areas that get (or would get) another name.
    pub renamed: usize,
    /// Boundaries set.
    pub boundaries: usize,
    /// Rows of other jurisdictions, left out.
    pub elsewhere: usize,
    /// New areas without a name of their own yet.
    pub placeholders: usize,
    /// New areas by level.
    pub by_level: BTreeMap<String, usize>,
    /// Any problem here means that nothing was changed.
    pub problems: Vec<RowProblem>,
    /// The territory version made; none for a dry run or without change.
    pub territory_version: Option<i64>,
}

/// One problem of one row.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = AreaRowProblem)]
pub struct RowProblem {
    pub row: usize,
    pub code: String,
    pub message: String,
}

/// `code` and `name` columns of a CSV, others ignored; rows counted from 1 after the header.
pub fn read_csv(text: &str) -> Result<Vec<Row>, Fault> {
    let unreadable = |error: csv::Error| Fault::invalid("body", "csv_unreadable").with("detail", error);
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(unreadable)?.clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header.trim().eq_ignore_ascii_case(name))
    };
    let (Some(code), Some(name)) = (column("code"), column("name")) else {
        return Err(Fault::invalid("body", "csv_columns").with("columns", "code, name"));
    };
    let mut rows = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(unreadable)?;
        let cell = |index: usize| record.get(index).unwrap_or_default().to_owned();
        rows.push(Row {
            row: at + 1,
            code: cell(code),
            name: cell(name),
        });
        if rows.len() > MAX_ROWS {
            break;
        }
    }
    Ok(rows)
}

/// As many as the rules take; one more is read so that they can say so.
const MAX_ROWS: usize = 200_000;

/// Makes areas from codes and names. `names` names ancestors that the list lacks, over the pack's own table.
pub async fn import_areas(
    ctx: &Ctx,
    rows: Vec<Row>,
    names: BTreeMap<String, String>,
    dry_run: bool,
) -> Result<ImportReport, Fault> {
    let pack = policy::current(&ctx.app)?;
    let plan = plan_of(&pack, &rows, names);
    let mut report = report_of(ctx, &plan, rows.len(), &pack.pack);
    if dry_run || !report.problems.is_empty() || (report.created == 0 && report.renamed == 0) {
        return Ok(report);
    }
    let levels = levels_of(&pack);
    let version = ctx.app.write(ctx, move |ctx, tx| make(ctx, tx, &plan, &levels)).await?;
    load(&ctx.app).await?;
    report.territory_version = Some(version);
    Ok(report)
}

fn levels_of(pack: &policy::Current) -> Vec<String> {
    pack.pack.levels.iter().map(|level| level.key.clone()).collect()
}

fn plan_of(pack: &policy::Current, rows: &[Row], names: BTreeMap<String, String>) -> ImportPlan {
    let top = &pack.pack.jurisdiction;
    let mut known = pack.area_names.clone();
    known.insert(top.code.clone(), top.name.zh.clone());
    known.extend(names);
    let digits: Vec<u8> = pack.pack.levels.iter().map(|level| level.code_digits).collect();
    plan_import(&digits, &top.code, rows, &known)
}

fn report_of(ctx: &Ctx, plan: &ImportPlan, rows: usize, pack: &domain::policy::Pack) -> ImportReport {
    let map = current(&ctx.app);
    let mut report = ImportReport {
        rows,
        elsewhere: plan.elsewhere,
        ..ImportReport::default()
    };
    for area in &plan.areas {
        match map.by_code(&area.code) {
            None => {
                report.created += 1;
                report.placeholders += usize::from(area.placeholder);
                let level = pack
                    .level_at(area.depth)
                    .map(|level| level.key.clone())
                    .unwrap_or_default();
                *report.by_level.entry(level).or_default() += 1;
            }
            Some(old) if !area.placeholder && old.name != area.name => report.renamed += 1,
            Some(_) => {}
        }
    }
    // A code names one area for ever: what ended does not begin again under it.
    for area in plan.areas.iter().filter(|area| map.has_ended(&area.code)) {
        report.problems.push(RowProblem {
            row: 0,
            code: "import_ended_area".to_owned(),
            message: crate::platform::i18n::sentence(ctx.lang, "import_ended_area", &[("found", area.code.clone())]),
        });
    }
    for problem in &plan.problems {
        let key = problem_key(problem.code);
        let found = problem.found.clone();
        report.problems.push(RowProblem {
            row: problem.row,
            code: problem.code.key().to_owned(),
            message: crate::platform::i18n::sentence(ctx.lang, key, &[("found", found)]),
        });
    }
    report
}

fn problem_key(code: ImportProblemCode) -> &'static str {
    match code {
        ImportProblemCode::BadCode => "import_bad_code",
        ImportProblemCode::NoLevel => "import_no_level",
        ImportProblemCode::Elsewhere => "import_elsewhere",
        ImportProblemCode::Duplicate => "import_duplicate_code",
        ImportProblemCode::BadName => "import_bad_name",
        ImportProblemCode::TooManyRows => "import_too_many_rows",
    }
}

fn make(ctx: &Ctx, tx: &mut crate::platform::Tx, plan: &ImportPlan, levels: &[String]) -> Result<i64, Fault> {
    let version = store::new_version(ctx, tx, "import")?;
    let mut chains: HashMap<String, (AreaId, [Option<AreaId>; MAX_DEPTH as usize])> = HashMap::new();
    let map = store::map(tx)?;
    for area in map.areas() {
        chains.insert(area.code.clone(), (area.id, area.chain));
    }
    let (mut created, mut renamed) = (0usize, 0usize);
    for area in &plan.areas {
        if let Some(old) = map.by_code(&area.code) {
            if !area.placeholder && old.name != area.name {
                store::rename(tx, old.id, &area.name)?;
                renamed += 1;
            }
            continue;
        }
        let parent = area.parent.as_ref().and_then(|code| chains.get(code)).copied();
        let id: AreaId = ctx.app.new_id();
        let mut chain = parent.map(|(_, chain)| chain).unwrap_or_default();
        let at = usize::from(area.depth) - 1;
        chain[at] = Some(id);
        let level = levels.get(at).map(String::as_str).unwrap_or_default();
        store::insert_area(ctx, tx, id, area, level, parent.map(|(id, _)| id), &chain, version)?;
        chains.insert(area.code.clone(), (id, chain));
        created += 1;
    }
    let body = serde_json::json!({ "version": version, "created": created, "renamed": renamed });
    tx.record(ctx, Mark::new("territory.imported", Subject::Territory, body))?;
    Ok(version)
}

/// The geometries an area can have.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum GeoJson {
    Polygon { coordinates: Vec<Vec<Vec<f64>>> },
    MultiPolygon { coordinates: Vec<Vec<Vec<Vec<f64>>>> },
}

impl GeoJson {
    /// Further coordinates (height) are dropped.
    pub fn into_region(self) -> Region {
        let polygons = match self {
            GeoJson::Polygon { coordinates } => vec![coordinates],
            GeoJson::MultiPolygon { coordinates } => coordinates,
        };
        let point = |pair: Vec<f64>| LonLat {
            lon: pair.first().copied().unwrap_or(f64::NAN),
            lat: pair.get(1).copied().unwrap_or(f64::NAN),
        };
        let ring = |ring: Vec<Vec<f64>>| ring.into_iter().map(point).collect();
        Region {
            polygons: polygons
                .into_iter()
                .map(|rings| rings.into_iter().map(ring).collect())
                .collect(),
        }
    }

    /// Always a MultiPolygon, with seven decimals (a centimetre).
    pub fn of(region: &Region) -> GeoJson {
        let round = |value: f64| (value * 1e7).round() / 1e7;
        let ring = |ring: &Vec<LonLat>| ring.iter().map(|at| vec![round(at.lon), round(at.lat)]).collect();
        let polygon = |rings: &Vec<Vec<LonLat>>| rings.iter().map(ring).collect();
        GeoJson::MultiPolygon {
            coordinates: region.polygons.iter().map(polygon).collect(),
        }
    }
}

/// Sets boundaries from the areas of a map given in `datum`. A feature names its area by the property `code`; one with a code not
/// known yet and a `name` makes the area.
pub async fn import_boundaries(ctx: &Ctx, file: MapFile, datum: Datum, dry_run: bool) -> Result<ImportReport, Fault> {
    let features = features::open(file, Want::AREAS)
        .await
        .map_err(|bad| bad.field("body"))?;
    let mut problems = Vec::new();
    let mut problem = |row: usize, code: &'static str, found: &str| {
        problems.push(RowProblem {
            row,
            code: code.to_owned(),
            message: crate::platform::i18n::sentence(ctx.lang, code, &[("found", found.to_owned())]),
        });
    };
    let (mut rows, mut shapes, mut points) = (Vec::new(), Vec::new(), 0usize);
    for feature in features {
        let row = feature.row;
        let (code, name) = (feature.text("code"), feature.text("name"));
        if code.is_empty() {
            problem(row, "import_no_code", "");
            continue;
        }
        let Some(region) = feature.region() else {
            problem(row, "import_no_shape", &code);
            continue;
        };
        let region = region.converted(datum);
        points += region.points().count();
        if points > MAX_POINTS {
            return Err(Fault::invalid("body", "import_too_many_points").with("most", MAX_POINTS));
        }
        if !is_sound(&region) {
            problem(row, "import_bad_shape", &code);
            continue;
        }
        if !name.is_empty() {
            rows.push(Row {
                row,
                code: code.clone(),
                name,
            });
        }
        shapes.push((row, code, region));
    }
    let map = current(&ctx.app);
    rows.retain(|row| map.by_code(&row.code).is_none());
    let coming: BTreeSet<String> = rows.iter().map(|row| row.code.clone()).collect();
    for (row, code, _) in &shapes {
        if map.by_code(code).is_none() && !coming.contains(code) {
            problem(*row, "import_unknown_area", code);
        }
    }
    let pack = policy::current(&ctx.app)?;
    let plan = plan_of(&pack, &rows, BTreeMap::new());
    let mut report = report_of(ctx, &plan, rows.len(), &pack.pack);
    report.rows = shapes.len();
    report.problems.extend(problems);
    report.boundaries = shapes.len();
    if dry_run || !report.problems.is_empty() {
        return Ok(report);
    }
    let (levels, new) = (levels_of(&pack), report.created > 0);
    let version = ctx
        .app
        .write(ctx, move |ctx, tx| {
            if new {
                make(ctx, tx, &plan, &levels)?;
            }
            set_boundaries(ctx, tx, &shapes)
        })
        .await?;
    load(&ctx.app).await?;
    report.territory_version = Some(version);
    Ok(report)
}

/// Rings that are closed, long enough and on this planet.
pub fn is_sound(region: &Region) -> bool {
    let in_range = |at: &LonLat| LonLat::new(at.lon, at.lat).is_ok();
    let closed =
        |ring: &Vec<LonLat>| ring.len() >= MIN_RING && ring.first() == ring.last() && ring.iter().all(in_range);
    !region.polygons.is_empty()
        && region
            .polygons
            .iter()
            .all(|rings| !rings.is_empty() && rings.iter().all(closed))
}

fn set_boundaries(ctx: &Ctx, tx: &mut crate::platform::Tx, shapes: &[(usize, String, Region)]) -> Result<i64, Fault> {
    let map = store::map(tx)?;
    let version = store::new_version(ctx, tx, "boundaries")?;
    for (_, code, region) in shapes {
        let area = map
            .by_code(code)
            .ok_or_else(|| Fault::invalid("code", "import_unknown_area").with("found", code))?;
        let text = serde_json::to_string(&GeoJson::of(region)).map_err(Fault::internal)?;
        store::put_boundary(tx, area.id, &text, region)?;
    }
    let body = serde_json::json!({ "version": version, "boundaries": shapes.len() });
    tx.record(ctx, Mark::new("territory.boundaries", Subject::Territory, body))?;
    Ok(version)
}
