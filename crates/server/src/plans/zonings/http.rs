//! Routes of departments' zonings: import with a check first, versions, zones on the map, the mapping onto grids.

use super::{NewZoning, dwellings_of, keep, over, read, store};
use crate::access::Staff;
use crate::plans::{Options, may_manage};
use crate::platform::*;
use crate::territory::features::{self, MapFile, Want};
use crate::territory::{self, AreaBrief, RowProblem};
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use domain::geo::Datum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use store::ZoningRow;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest file of zones.
const IMPORT_BYTES: usize = 32 << 20;
/// Longest name and purpose, in characters.
const MAX_NAME: usize = 60;
const MAX_PURPOSE: usize = 200;

/// The routes of this file, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(shares))
        .routes(routes!(map))
        .routes(routes!(refresh))
        .routes(routes!(propose))
        .routes(routes!(verdicts))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(import))
                .layer(DefaultBodyLimit::max(IMPORT_BYTES)),
        )
}

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// The area the zones are laid over.
    area: AreaId,
    /// Whose zoning, and what kind: police beats, school areas. The same name again in the same area is the next version.
    name: String,
    /// What it is for.
    #[serde(default)]
    purpose: String,
    /// Datum of the positions in the file: `wgs84`, `cgcs2000` or `gcj02`.
    #[serde(default)]
    datum: Option<String>,
    /// Only says what would happen.
    #[serde(default)]
    dry_run: bool,
    /// Which layer of a GeoPackage or of a zip with several shapefiles.
    layer: Option<String>,
    /// Made by the client; needed unless `dry_run`.
    id: Option<ZoningId>,
}

/// What an import found or did.
#[derive(Debug, Serialize, ToSchema)]
struct ZoningReport {
    /// Features that are sound zones.
    zones: usize,
    /// Households of the area in some zone, in none, and in more than one (counted in the first).
    inside: i64,
    outside: i64,
    double: i64,
    /// Any problem here means that nothing was kept; the first hundred.
    problems: Vec<RowProblem>,
    /// What was kept; none for a dry run or with problems.
    zoning: Option<ZoningView>,
}

/// A zoning, one version of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ZoningView {
    id: ZoningId,
    name: String,
    purpose: String,
    area_id: AreaId,
    area_name: String,
    version: i64,
    /// The version it took the place of.
    replaces: Option<ZoningId>,
    /// A newer version took its place.
    replaced_at: Option<String>,
    /// The territory its mapping was made over, and whether that is still the one in force.
    territory_version: i64,
    current: bool,
    zones: i64,
    /// Households in its zones.
    households: i64,
    created_at: String,
    created_by: String,
}

fn view(ctx: &Ctx, row: ZoningRow) -> ZoningView {
    let map = territory::current(&ctx.app);
    ZoningView {
        area_name: map.full_name(row.area),
        current: row.territory_version == map.version,
        id: row.id,
        name: row.name,
        purpose: row.purpose,
        area_id: row.area,
        version: row.version,
        replaces: row.replaces,
        replaced_at: row.replaced_at.map(|at| at.to_string()),
        territory_version: row.territory_version,
        zones: row.zones,
        households: row.households,
        created_at: row.created_at.to_string(),
        created_by: row.created_name,
    }
}

/// One zone.
#[derive(Debug, Serialize, ToSchema)]
struct ZoneView {
    no: i64,
    code: String,
    name: String,
    /// Who answers for it, as the department said.
    unit: String,
    households: i64,
}

/// A zoning with its zones.
#[derive(Debug, Serialize, ToSchema)]
struct ZoningDetail {
    #[serde(flatten)]
    zoning: ZoningView,
    items: Vec<ZoneView>,
}

/// What of a grid lies in a zone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ZoneShareView)]
struct ShareView {
    /// 0: in no zone.
    zone_no: i64,
    zone_name: String,
    grid: Option<AreaBrief>,
    dwellings: i64,
    households: i64,
    /// Share of the zone's households, and of the grid's, that this is (0 to 1).
    of_zone: f64,
    of_grid: f64,
}

fn need(ctx: &Ctx, tx: &mut Tx, id: ZoningId) -> Result<ZoningRow, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let row = store::zoning(tx, id)?.ok_or_else(Fault::not_found)?;
    may_manage(ctx, row.area)?;
    Ok(row)
}

fn text(field: &'static str, text: &str, least: usize, most: usize) -> Result<String, Fault> {
    let text = text.trim();
    let length = text.chars().count();
    if length < least || length > most {
        return Err(Fault::invalid(field, "text_length").with("most", most));
    }
    Ok(text.to_owned())
}

/// Brings in a department's zones from the polygons of GeoJSON, a GeoPackage or a zipped shapefile (properties name, code, unit) and lays them over dwellings and grids. With
/// `dry_run`, or on any problem, nothing is kept.
#[utoipa::path(post, path = "/zonings", tag = "plans", params(ImportQuery), request_body(content = String, content_type = "application/geo+json"),
    responses((status = 200, body = ZoningReport)))]
async fn import(Staff(ctx): Staff, Query(query): Query<ImportQuery>, body: Bytes) -> Result<Json<ZoningReport>, Fault> {
    may_manage(&ctx, query.area)?;
    let file = MapFile::new("body", body).layer(query.layer.clone());
    let datum = query.datum.as_deref().and_then(Datum::parse);
    let datum = datum.ok_or_else(|| Fault::invalid("datum", "unknown_datum"))?;
    let (name, purpose) = (
        text("name", &query.name, 1, MAX_NAME)?,
        text("purpose", &query.purpose, 0, MAX_PURPOSE)?,
    );
    let features = features::open(file, Want::AREAS)
        .await
        .map_err(|bad| bad.field("body"))?;
    let (zones, problems) = read(&ctx, &features, datum)?;
    let regions: Vec<_> = zones.iter().map(|zone| zone.region.clone()).collect();
    let area = query.area;
    let count = zones.len();
    let found = ctx
        .app
        .read(&ctx, move |ctx, tx| Ok(over(&regions, &dwellings_of(ctx, tx, area)?)))
        .await?;
    let mut report = ZoningReport {
        zones: count,
        inside: found.inside,
        outside: found.outside,
        double: found.double,
        problems,
        zoning: None,
    };
    if query.dry_run || !report.problems.is_empty() {
        return Ok(Json(report));
    }
    let id = query.id.ok_or_else(|| Fault::invalid("id", "id_missing"))?;
    let new = NewZoning {
        id,
        name,
        purpose,
        area,
        zones,
    };
    let kept = ctx.app.write(&ctx, move |ctx, tx| match store::zoning(tx, id)? {
        Some(known) if known.name == new.name && known.area == area => Ok(view(ctx, known)),
        Some(_) => Err(Fault::conflict("id_used")),
        None => Ok(view(ctx, keep(ctx, tx, &new)?)),
    });
    report.zoning = Some(kept.await?);
    Ok(Json(report))
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ListQuery {
    /// Only those laid over this area, an area around it or in it.
    area: Option<AreaId>,
    /// Versions that were replaced too.
    all: bool,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Zonings within the caller's areas, the newest first.
#[utoipa::path(get, path = "/zonings", tag = "plans", params(ListQuery), responses((status = 200, body = Page<ZoningView>)))]
async fn list(Staff(ctx): Staff, Query(query): Query<ListQuery>) -> Result<Json<Page<ZoningView>>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let paging = PageQuery {
                limit: query.limit,
                after: query.after,
            };
            let rows = store::zonings(tx, query.all, paging.after()?, paging.limit())?;
            let page = Page::cut(rows, paging.limit(), |row| (row.created_at.0, row.id.to_string()));
            let map = territory::current(&ctx.app);
            let near = |row: &ZoningRow| {
                query
                    .area
                    .is_none_or(|area| crate::plans::overlap(&map, row.area, area))
            };
            let mine = page
                .items
                .into_iter()
                .filter(|row| may_manage(ctx, row.area).is_ok() && near(row));
            Ok(Page {
                items: mine.map(|row| view(ctx, row)).collect(),
                next: page.next,
            })
        })
        .await
        .map(Json)
}

/// A zoning with its zones.
#[utoipa::path(get, path = "/zonings/{id}", tag = "plans", params(("id" = ZoningId, Path)), responses((status = 200, body = ZoningDetail)))]
async fn one(Staff(ctx): Staff, Path(id): Path<ZoningId>) -> Result<Json<ZoningDetail>, Fault> {
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let row = need(ctx, tx, id)?;
            let zone = |zone: store::ZoneRow| ZoneView {
                no: zone.no,
                code: zone.code,
                name: zone.name,
                unit: zone.unit,
                households: zone.households,
            };
            Ok(ZoningDetail {
                zoning: view(ctx, row),
                items: store::zones(tx, id)?.into_iter().map(zone).collect(),
            })
        })
        .await
        .map(Json)
}

/// The mapping: what of each grid lies in each zone, zone by zone (0: in none).
#[utoipa::path(get, path = "/zonings/{id}/shares", tag = "plans", params(("id" = ZoningId, Path), PageQuery),
    responses((status = 200, body = Page<ShareView>)))]
async fn shares(
    Staff(ctx): Staff,
    Path(id): Path<ZoningId>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<ShareView>>, Fault> {
    ctx.app
        .read(&ctx, move |ctx, tx| {
            need(ctx, tx, id)?;
            let after: Option<(i64, String)> = paging.after()?;
            let rows = store::shares(
                tx,
                id,
                after.unwrap_or((-1, String::new())),
                i64::from(paging.limit()) + 1,
            )?;
            let page = Page::cut(rows, paging.limit(), |row| (row.zone, row.area.to_string()));
            let zones: HashMap<i64, (String, i64)> = store::zones(tx, id)?
                .into_iter()
                .map(|zone| (zone.no, (zone.name, zone.households)))
                .collect();
            let areas: Vec<AreaId> = page.items.iter().map(|row| row.area).collect();
            let grids: HashMap<AreaId, i64> = store::households_of(tx, id, &areas)?.into_iter().collect();
            let map = territory::current(&ctx.app);
            let share = |part: i64, whole: i64| if whole > 0 { part as f64 / whole as f64 } else { 0.0 };
            Ok(page.map(|row| {
                let (name, households) = zones.get(&row.zone).cloned().unwrap_or_default();
                ShareView {
                    zone_no: row.zone,
                    zone_name: name,
                    grid: map.ever(row.area).map(|area| territory::brief(ctx, area)),
                    dwellings: row.dwellings,
                    households: row.households,
                    of_zone: share(row.households, households),
                    of_grid: share(row.households, grids.get(&row.area).copied().unwrap_or_default()),
                }
            }))
        })
        .await
        .map(Json)
}

/// The zones as a GeoJSON FeatureCollection (properties no, code, name, unit, households).
#[utoipa::path(get, path = "/zonings/{id}/map", tag = "plans", params(("id" = ZoningId, Path)), responses((status = 200, body = Object)))]
async fn map(Staff(ctx): Staff, Path(id): Path<ZoningId>) -> Result<Json<Value>, Fault> {
    ctx.app
        .read(&ctx, move |ctx, tx| {
            need(ctx, tx, id)?;
            let feature = |zone: store::ZoneRow| {
                let geometry: Value = serde_json::from_str(&zone.geojson).map_err(Fault::internal)?;
                Ok(json!({
                    "type": "Feature", "id": zone.no, "geometry": geometry,
                    "properties": {
                        "no": zone.no, "code": zone.code, "name": zone.name, "unit": zone.unit, "households": zone.households,
                    },
                }))
            };
            let features = store::zones(tx, id)?.into_iter().map(feature);
            let features = features.collect::<Result<Vec<Value>, Fault>>()?;
            Ok(json!({ "type": "FeatureCollection", "features": features }))
        })
        .await
        .map(Json)
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
struct RefreshInput {
    /// Of the new version, made by the client.
    id: ZoningId,
}

/// Lays the same zones over today's dwellings and grids: the next version.
#[utoipa::path(post, path = "/zonings/{id}/refresh", tag = "plans", params(("id" = ZoningId, Path)), request_body = RefreshInput,
    responses((status = 200, body = ZoningView)))]
async fn refresh(
    Staff(ctx): Staff,
    Path(id): Path<ZoningId>,
    Json(input): Json<RefreshInput>,
) -> Result<Json<ZoningView>, Fault> {
    ctx.app
        .write(&ctx, move |ctx, tx| {
            let old = need(ctx, tx, id)?;
            if let Some(known) = store::zoning(tx, input.id)? {
                return match known.replaces == Some(id) {
                    true => Ok(view(ctx, known)),
                    false => Err(Fault::conflict("id_used")),
                };
            }
            if old.replaced_at.is_some() {
                return Err(Fault::refused("zoning_replaced"));
            }
            Ok(view(ctx, super::again(ctx, tx, &old, input.id)?))
        })
        .await
        .map(Json)
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
struct ProposeInput {
    /// Name of the draft.
    #[serde(default)]
    name: String,
    /// Bands, weights and goals, as of any plan; the pack's where left out.
    #[serde(default)]
    options: Options,
}

/// What became of a zone's ground in a community.
#[derive(Debug, Serialize, ToSchema)]
struct VerdictView {
    zone_no: i64,
    zone_name: String,
    community: Option<AreaBrief>,
    households: i64,
    /// `followed`, `too_small`, `too_large` (against the band) or `apart` (does not hang together on foot).
    verdict: String,
    /// The grid of the plan that began as this zone's ground.
    grid_no: Option<u32>,
}

/// A draft plan made from a zoning.
#[derive(Debug, Serialize, ToSchema)]
struct ProposalView {
    plan_id: PlanId,
    /// Pieces of zones that became grids, with their households, and those that could not.
    followed: usize,
    households_followed: i64,
    others: usize,
    households_others: i64,
}

/// Proposes to merge a zoning into the base grids: a draft plan whose grids are its zones where those can be grids, and today's elsewhere;
/// then all of it is drawn into the band with the fewest households that change.
#[utoipa::path(post, path = "/zonings/{id}/propose", tag = "plans", params(("id" = ZoningId, Path)), request_body = ProposeInput,
    responses((status = 200, body = ProposalView)))]
async fn propose(
    Staff(ctx): Staff,
    Path(id): Path<ZoningId>,
    Json(input): Json<ProposeInput>,
) -> Result<Json<ProposalView>, Fault> {
    ctx.app
        .write(&ctx, move |ctx, tx| {
            let row = need(ctx, tx, id)?;
            let made = super::propose::propose(ctx, tx, &row, &input.name, input.options)?;
            let (followed, others): (Vec<_>, Vec<_>) = made.verdicts.iter().partition(|one| one.verdict == "followed");
            let sum = |all: &[&store::VerdictRow]| all.iter().map(|one| one.households).sum();
            Ok(ProposalView {
                plan_id: made.plan.id,
                followed: followed.len(),
                households_followed: sum(&followed),
                others: others.len(),
                households_others: sum(&others),
            })
        })
        .await
        .map(Json)
}

/// Of a plan made from a zoning, what became of each zone.
#[utoipa::path(get, path = "/plans/{id}/zones", tag = "plans", params(("id" = PlanId, Path), PageQuery),
    responses((status = 200, body = Page<VerdictView>)))]
async fn verdicts(
    Staff(ctx): Staff,
    Path(id): Path<PlanId>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<VerdictView>>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    ctx.app
        .read(&ctx, move |ctx, tx| {
            crate::plans::find(ctx, tx, id)?;
            let after: Option<(i64, String)> = paging.after()?;
            let rows = store::verdicts(
                tx,
                id,
                after.unwrap_or((-1, String::new())),
                i64::from(paging.limit()) + 1,
            )?;
            let page = Page::cut(rows, paging.limit(), |row| (row.zone, row.community.to_string()));
            let mut names: HashMap<(ZoningId, i64), String> = HashMap::new();
            if let Some(row) = page.items.first() {
                let zones = store::zones(tx, row.zoning)?.into_iter();
                names.extend(zones.map(|zone| ((row.zoning, zone.no), zone.name)));
            }
            let map = territory::current(&ctx.app);
            Ok(page.map(|row| VerdictView {
                zone_no: row.zone,
                zone_name: names.get(&(row.zoning, row.zone)).cloned().unwrap_or_default(),
                community: map.ever(row.community).map(|area| territory::brief(ctx, area)),
                households: row.households,
                verdict: row.verdict,
                grid_no: row.grid,
            }))
        })
        .await
        .map(Json)
}
