//! Routes of territory: the place, areas, boundaries, addresses, point to area, import.

use super::features::{self, MapFile};
use super::import::{GeoJson, ImportReport, import_areas, import_boundaries, read_csv};
use super::map::{Area, Map};
use super::{current, load, nearest_metres, store};
use crate::access::Staff;
use crate::platform::contacts::Channel;
use crate::platform::http::{Json, Path, Public, Query};
use crate::platform::{App, AreaId, Ctx, Fault, Mark, Permission, Subject};
use crate::policy;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use domain::geo::{Datum, LonLat};
use domain::territory::Rule;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest file of areas or boundaries.
const IMPORT_BYTES: usize = 64 << 20;
/// Items of one list of areas.
const MAX_AREAS: usize = 2_000;
/// Longest name given by hand, in characters.
const MAX_NAME: usize = 60;

/// All routes of this part, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(place))
        .routes(routes!(areas))
        .routes(routes!(locate))
        .routes(routes!(boundaries))
        .routes(routes!(change))
        .routes(routes!(addresses))
        .merge(super::dwellings::routes())
        .merge(super::facilities::routes())
        .merge(
            OpenApiRouter::new()
                .routes(routes!(import))
                .layer(DefaultBodyLimit::max(IMPORT_BYTES)),
        )
}

/// Staff when signed in, else a resident within the portal's budget: for what is public anyway.
pub struct Anyone(pub Ctx);

impl FromRequestParts<App> for Anyone {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        match Staff::from_request_parts(parts, app).await {
            Ok(Staff(ctx)) => Ok(Anyone(ctx)),
            Err(_) => Public::from_request_parts(parts, app)
                .await
                .map(|Public(ctx)| Anyone(ctx)),
        }
    }
}

/// An area in a few words.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AreaBrief {
    pub id: AreaId,
    pub code: String,
    pub name: String,
    /// Key of the level.
    pub level: String,
    pub level_name: String,
    pub depth: u8,
}

/// An area as listed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AreaView {
    pub id: AreaId,
    pub code: String,
    pub name: String,
    /// The name is made up from the code and waits for a real one.
    pub placeholder: bool,
    pub level: String,
    pub level_name: String,
    pub depth: u8,
    pub parent_id: Option<AreaId>,
    pub full_name: String,
    pub kind: Option<String>,
    pub child_count: usize,
    pub lon: Option<f64>,
    pub lat: Option<f64>,
}

fn level_name(ctx: &Ctx, level: &str) -> String {
    let name = policy::current(&ctx.app)
        .ok()
        .and_then(|pack| pack.pack.level(level).map(|level| level.name.clone()));
    name.map_or_else(|| level.to_owned(), |name| ctx.lang.pick(&name.zh, &name.en).to_owned())
}

pub fn brief(ctx: &Ctx, area: &Area) -> AreaBrief {
    AreaBrief {
        id: area.id,
        code: area.code.clone(),
        name: area.name.clone(),
        level: area.level.clone(),
        level_name: level_name(ctx, &area.level),
        depth: area.depth,
    }
}

pub fn area_view(ctx: &Ctx, map: &Map, area: &Area) -> AreaView {
    AreaView {
        id: area.id,
        code: area.code.clone(),
        name: area.name.clone(),
        placeholder: area.placeholder,
        level: area.level.clone(),
        level_name: level_name(ctx, &area.level),
        depth: area.depth,
        parent_id: area.parent,
        full_name: map.full_name(area.id),
        kind: area.kind.clone(),
        child_count: area.child_count,
        lon: area.center.map(|at| at.lon),
        lat: area.center.map(|at| at.lat),
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct PlaceView {
    jurisdiction: CodeName,
    pack: PackBrief,
    levels: Vec<LevelView>,
    center: PointView,
    /// West, south, east, north; absent before any boundary is known.
    bounds: Option<[f64; 4]>,
    base_map: Option<BaseMapView>,
    channels: Vec<ChannelView>,
    /// Whether messages to residents leave by themselves.
    outbox_gateway: bool,
    /// A fictional place.
    demo: bool,
    territory_version: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct CodeName {
    code: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct PackBrief {
    key: String,
    name: String,
    version: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct LevelView {
    key: String,
    name: String,
    name_en: String,
    depth: u8,
}

#[derive(Debug, Serialize, ToSchema)]
struct PointView {
    lon: f64,
    lat: f64,
}

#[derive(Debug, Serialize, ToSchema)]
struct BaseMapView {
    style_url: Option<String>,
    tiles: Option<String>,
    attribution: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct ChannelView {
    key: String,
    name: String,
    name_en: String,
}

/// What every face needs to know of the place before anything else.
#[utoipa::path(get, path = "/place", tag = "place", responses((status = 200, body = PlaceView)))]
async fn place(Anyone(ctx): Anyone) -> Result<Json<PlaceView>, Fault> {
    let current_pack = policy::current(&ctx.app)?;
    let (pack, config, map) = (&current_pack.pack, ctx.app.config(), current(&ctx.app));
    let own = |name: &domain::policy::Name| ctx.lang.pick(&name.zh, &name.en).to_owned();
    let (bounds, at) = (map.bounds(), pack.jurisdiction.center);
    let center = bounds.map_or(PointView { lon: at.0, lat: at.1 }, |[w, s, e, n]| PointView {
        lon: (w + e) / 2.0,
        lat: (s + n) / 2.0,
    });
    Ok(Json(PlaceView {
        jurisdiction: CodeName {
            code: pack.jurisdiction.code.clone(),
            name: own(&pack.jurisdiction.name),
        },
        pack: PackBrief {
            key: pack.key.clone(),
            name: own(&pack.name),
            version: pack.version.clone(),
        },
        levels: (1u8..)
            .zip(&pack.levels)
            .map(|(depth, level)| LevelView {
                key: level.key.clone(),
                name: level.name.zh.clone(),
                name_en: level.name.en.clone(),
                depth,
            })
            .collect(),
        center,
        bounds,
        base_map: config.base_map.as_ref().map(|map| BaseMapView {
            style_url: map.style_url.clone(),
            tiles: map.tiles.clone(),
            attribution: map.attribution.clone(),
        }),
        channels: pack
            .channels
            .iter()
            .map(|one| ChannelView {
                key: one.key.clone(),
                name: one.name.zh.clone(),
                name_en: one.name.en.clone(),
            })
            .collect(),
        outbox_gateway: Channel::Sms.is_open(&ctx.app),
        demo: config.demo,
        territory_version: map.version,
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AreasQuery {
    /// An id, or `root`.
    parent: Option<String>,
    /// Key of a level.
    level: Option<String>,
    /// Name, pinyin, initials or code.
    q: Option<String>,
    /// At most 2,000.
    limit: Option<usize>,
    /// The tree of that day (ISO date) instead of today's.
    as_of: Option<String>,
}

/// The tree and boundaries of a day, or those in force.
async fn tree(ctx: &Ctx, as_of: Option<&str>) -> Result<Arc<Map>, Fault> {
    match as_of {
        None => Ok(current(&ctx.app)),
        Some(day) => {
            let day: jiff::civil::Date = day.parse().map_err(|_| Fault::invalid("as_of", "date_expected"))?;
            if day > ctx.now.date() {
                return Err(Fault::invalid("as_of", "day_in_the_future"));
            }
            super::division::on(&ctx.app, day).await
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct AreaList {
    items: Vec<AreaView>,
    next: Option<String>,
}

/// Areas by parent, by level, or by text.
#[utoipa::path(get, path = "/areas", tag = "place", params(AreasQuery), responses((status = 200, body = AreaList)))]
async fn areas(Anyone(ctx): Anyone, Query(query): Query<AreasQuery>) -> Result<Json<AreaList>, Fault> {
    let map = tree(&ctx, query.as_of.as_deref()).await?;
    let limit = query.limit.unwrap_or(MAX_AREAS).min(MAX_AREAS);
    let fits = |area: &&Area| query.level.as_deref().is_none_or(|level| area.level == level);
    let found: Vec<&Area> = match (&query.q, query.parent.as_deref()) {
        (Some(text), _) => map.search(text, limit).into_iter().filter(fits).collect(),
        (None, Some("root")) => map.children(None).filter(fits).take(limit).collect(),
        (None, Some(parent)) => {
            let parent: AreaId = parent.parse().map_err(|_| Fault::not_found())?;
            if query.level.is_some() {
                map.areas()
                    .iter()
                    .filter(|area| map.is_under(area.id, parent))
                    .filter(fits)
                    .take(limit)
                    .collect()
            } else {
                map.children(Some(parent)).take(limit).collect()
            }
        }
        (None, None) => map.areas().iter().filter(fits).take(limit).collect(),
    };
    Ok(Json(AreaList {
        items: found.into_iter().map(|area| area_view(&ctx, &map, area)).collect(),
        next: None,
    }))
}

/// A position with its datum.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LocateQuery {
    lon: f64,
    lat: f64,
    /// `wgs84` (the default), `cgcs2000` or `gcj02`.
    datum: Option<String>,
    /// By the boundaries of that day (ISO date) instead of today's.
    as_of: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct LocateView {
    area: Option<AreaView>,
    chain: Vec<AreaBrief>,
    /// `inside`, `boundary` (the smallest code has it) or `nearest`; none when the point lies nowhere.
    rule: Option<String>,
    territory_version: i64,
    /// The position in WGS-84.
    lon: f64,
    lat: f64,
}

/// A position in WGS-84 from what a caller sent.
pub fn position(lon: f64, lat: f64, datum: Option<&str>) -> Result<LonLat, Fault> {
    let datum = Datum::parse(datum.unwrap_or("wgs84")).ok_or_else(|| Fault::invalid("datum", "unknown_datum"))?;
    let at = LonLat::new(lon, lat).map_err(|_| Fault::invalid("lon", "position_out_of_range"))?;
    Ok(datum.to_wgs84(at))
}

/// The one area of a position.
#[utoipa::path(get, path = "/areas/locate", tag = "place", params(LocateQuery), responses((status = 200, body = LocateView)))]
async fn locate(Anyone(ctx): Anyone, Query(query): Query<LocateQuery>) -> Result<Json<LocateView>, Fault> {
    let at = position(query.lon, query.lat, query.datum.as_deref())?;
    let map = tree(&ctx, query.as_of.as_deref()).await?;
    let found = map.locate(at, nearest_metres(&ctx.app));
    let area = found.and_then(|found| map.area(found.area));
    Ok(Json(LocateView {
        area: area.map(|area| area_view(&ctx, &map, area)),
        chain: area
            .map(|area| map.chain(area.id))
            .unwrap_or_default()
            .into_iter()
            .map(|area| brief(&ctx, area))
            .collect(),
        rule: found.map(|found| Rule::key(found.rule).to_owned()),
        territory_version: map.version,
        lon: at.lon,
        lat: at.lat,
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct BoundariesQuery {
    /// Key of a level.
    level: Option<String>,
    /// Only below this area.
    under: Option<AreaId>,
    /// Those of that day (ISO date) instead of today's.
    as_of: Option<String>,
}

/// Boundaries as a GeoJSON FeatureCollection (properties id, code, name, level, depth, parent_id).
#[utoipa::path(get, path = "/areas/boundaries", tag = "place", params(BoundariesQuery), responses((status = 200, body = Object)))]
async fn boundaries(
    Anyone(ctx): Anyone,
    Query(query): Query<BoundariesQuery>,
) -> Result<Json<serde_json::Value>, Fault> {
    let map = tree(&ctx, query.as_of.as_deref()).await?;
    let wanted = map.areas().iter().filter(|area| {
        query.level.as_deref().is_none_or(|level| area.level == level)
            && query.under.is_none_or(|top| map.is_under(area.id, top))
    });
    let features: Vec<serde_json::Value> = wanted
        .filter_map(|area| {
            let region = map.region(area.id)?;
            Some(serde_json::json!({
                "type": "Feature",
                "id": area.id,
                "properties": {
                    "id": area.id, "code": area.code, "name": area.name, "level": area.level, "depth": area.depth,
                    "parent_id": area.parent,
                },
                "geometry": GeoJson::of(region),
            }))
        })
        .take(MAX_AREAS)
        .collect();
    Ok(Json(
        serde_json::json!({ "type": "FeatureCollection", "features": features }),
    ))
}

#[derive(Debug, Deserialize, ToSchema)]
struct ChangeArea {
    name: Option<String>,
    /// `urban` or `rural`.
    kind: Option<String>,
}

/// Gives an area its name or kind.
#[utoipa::path(patch, path = "/areas/{id}", tag = "place", request_body = ChangeArea, params(("id" = AreaId, Path)),
    responses((status = 200, body = AreaView)))]
async fn change(
    Staff(ctx): Staff,
    Path(id): Path<AreaId>,
    Json(change): Json<ChangeArea>,
) -> Result<Json<AreaView>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let map = current(&ctx.app);
    let area = map.area(id).ok_or_else(Fault::not_found)?;
    if !ctx.scope.covers(&area.chain, Permission::TerritoryManage) {
        return Err(Fault::not_found());
    }
    let name = change.name.as_deref().map(str::trim).map(str::to_owned);
    if name
        .as_ref()
        .is_some_and(|name| name.is_empty() || name.chars().count() > MAX_NAME)
    {
        return Err(Fault::invalid("name", "area_name_length").with("most", MAX_NAME));
    }
    if change
        .kind
        .as_deref()
        .is_some_and(|kind| !["urban", "rural"].contains(&kind))
    {
        return Err(Fault::invalid("kind", "area_kind_unknown"));
    }
    ctx.app
        .write(&ctx, move |ctx, tx| {
            let version = store::new_version(ctx, tx, "change")?;
            if let Some(name) = &name {
                store::rename(tx, id, name)?;
            }
            if let Some(kind) = &change.kind {
                store::set_kind(tx, id, Some(kind))?;
            }
            let body = serde_json::json!({ "version": version, "name": name, "kind": change.kind });
            tx.record(ctx, Mark::new("area.changed", Subject::Area(id), body))?;
            Ok(())
        })
        .await?;
    load(&ctx.app).await?;
    let map = current(&ctx.app);
    let area = map.area(id).ok_or_else(Fault::not_found)?;
    Ok(Json(area_view(&ctx, &map, area)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AddressQuery {
    q: String,
    /// At most 50.
    limit: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
struct AddressView {
    text: String,
    area_id: AreaId,
    area_name: String,
    lon: Option<f64>,
    lat: Option<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
struct AddressList {
    items: Vec<AddressView>,
    next: Option<String>,
}

/// Addresses by text or initials; then areas of such a name.
#[utoipa::path(get, path = "/addresses", tag = "place", params(AddressQuery), responses((status = 200, body = AddressList)))]
async fn addresses(Anyone(ctx): Anyone, Query(query): Query<AddressQuery>) -> Result<Json<AddressList>, Fault> {
    const MOST: u32 = 50;
    let limit = query.limit.unwrap_or(10).clamp(1, MOST);
    let text = query.q.clone();
    let found = ctx
        .app
        .read(&ctx, move |_, tx| store::addresses(tx, &text, limit))
        .await?;
    let map = current(&ctx.app);
    let mut items: Vec<AddressView> = found
        .into_iter()
        .map(|one| AddressView {
            text: one.text,
            area_id: one.area,
            area_name: map.full_name(one.area),
            lon: one.at.map(|at| at.lon),
            lat: one.at.map(|at| at.lat),
        })
        .collect();
    let room = (limit as usize).saturating_sub(items.len());
    items.extend(map.search(&query.q, room).into_iter().map(|area| AddressView {
        text: area.name.clone(),
        area_id: area.id,
        area_name: map.full_name(area.id),
        lon: area.center.map(|at| at.lon),
        lat: area.center.map(|at| at.lat),
    }));
    Ok(Json(AddressList { items, next: None }))
}

/// How a file is brought in.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    #[serde(default)]
    pub dry_run: bool,
    /// Datum of the positions in the file; must be said where it holds any.
    datum: Option<String>,
    /// Which layer of a GeoPackage or of a zip with several shapefiles.
    pub layer: Option<String>,
}

impl ImportQuery {
    /// The datum, which is never guessed.
    pub fn datum(&self) -> Result<Datum, Fault> {
        let said = self.datum.as_deref().and_then(Datum::parse);
        said.ok_or_else(|| Fault::invalid("datum", "unknown_datum"))
    }
}

/// A file that was sent.
pub enum Sent<'b> {
    Table(&'b str),
    Map(MapFile),
}

/// A map where its type says GeoJSON, or its bytes that it is a GeoPackage or a zip; else the text of a table.
pub fn file<'b>(headers: &HeaderMap, body: &'b Bytes, layer: &Option<String>) -> Result<Sent<'b>, Fault> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let packed = features::is_packed(body);
    let text = || std::str::from_utf8(body).map_err(|_| Fault::invalid("body", "not_utf8"));
    if packed || kind.is_some_and(|kind| kind.contains("json")) {
        if !packed {
            text()?;
        }
        return Ok(Sent::Map(MapFile::new("body", body.to_vec()).layer(layer.clone())));
    }
    text().map(Sent::Table)
}

/// Areas from CSV (`text/csv`, columns code and name) or boundaries from GeoJSON (`application/geo+json`, `datum` required).
#[utoipa::path(post, path = "/areas/import", tag = "place", params(ImportQuery), request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = ImportReport)))]
async fn import(
    Staff(ctx): Staff,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<ImportReport>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let report = match file(&headers, &body, &query.layer)? {
        Sent::Map(map) => import_boundaries(&ctx, map, query.datum()?, query.dry_run).await?,
        Sent::Table(text) => import_areas(&ctx, read_csv(text)?, BTreeMap::new(), query.dry_run).await?,
    };
    Ok(Json(report))
}
