//! Routes of dwellings: list, what they come to, import, changes by hand.

use super::maps::{self, BARRIER_ROADS, Communities, Files, How};
use super::{Change, Dwelling, DwellingReport, Graph, Link, Total, graph, import};
use crate::access::Staff;
use crate::platform::*;
use crate::territory::current;
use crate::territory::features::{Feature, MapFile};
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::geo::Datum;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest body of an import; more comes in by the command line.
const IMPORT_BYTES: usize = 256 << 20;

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(summary))
        .routes(routes!(change))
        .routes(routes!(put_link, remove_link))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(bring_in))
                .layer(DefaultBodyLimit::max(IMPORT_BYTES)),
        )
}

/// A dwelling.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DwellingView {
    pub id: DwellingId,
    pub code: String,
    pub name: String,
    /// The lowest area it lies in: its grid, or its community.
    pub area_id: AreaId,
    pub community_id: AreaId,
    pub lon: f64,
    pub lat: f64,
    /// Square metres.
    pub land_area: f64,
    pub floor_area: f64,
    pub households: i64,
    pub people: i64,
    pub enterprises: i64,
    /// `given`, or `spread` from a total by floor area.
    pub households_source: String,
    /// Whether it has a lift, where somebody said so.
    pub lift: Option<bool>,
    pub compound: Option<String>,
    pub village: Option<String>,
    pub street: Option<String>,
}

impl DwellingView {
    pub fn of(one: Dwelling) -> DwellingView {
        DwellingView {
            id: one.id,
            code: one.code,
            name: one.name,
            area_id: one.area,
            community_id: one.community,
            lon: one.at.lon,
            lat: one.at.lat,
            land_area: one.land_area,
            floor_area: one.floor_area,
            households: one.households,
            people: one.people,
            enterprises: one.enterprises,
            households_source: if one.spread { "spread" } else { "given" }.to_owned(),
            lift: one.lift,
            compound: one.compound,
            village: one.village,
            street: one.street,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AreaPageQuery {
    /// Area, with everything below it.
    area: AreaId,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Dwellings of an area the caller plans in.
#[utoipa::path(get, path = "/dwellings", tag = "place", params(AreaPageQuery), responses((status = 200, body = Page<DwellingView>)))]
async fn list(Staff(ctx): Staff, Query(query): Query<AreaPageQuery>) -> Result<Json<Page<DwellingView>>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let paging = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let area = super::planned_area(&ctx, query.area)?;
    let (after, limit) = (paging.after()?, paging.limit());
    let rows = ctx
        .app
        .read(&ctx, move |_, tx| super::page(tx, &area, after, limit))
        .await?;
    let page = Page::cut(rows, limit, |one| one.id);
    Ok(Json(page.map(DwellingView::of)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AreaQuery {
    /// Area, with everything below it.
    area: AreaId,
}

/// What the dwellings of an area come to.
#[derive(Debug, Serialize, ToSchema)]
struct DwellingSummary {
    #[serde(flatten)]
    total: TotalView,
    /// By community, those with dwellings, in order of code.
    communities: Vec<CommunityTotalView>,
}

#[derive(Debug, Clone, Default, Serialize, ToSchema)]
struct TotalView {
    dwellings: i64,
    households: i64,
    people: i64,
    enterprises: i64,
    /// Dwellings that lie in no grid today.
    without_grid: i64,
    /// Dwellings whose households were shared out from a total.
    spread: i64,
    links: i64,
    /// Links over a river or main road.
    barriers: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct CommunityTotalView {
    area_id: AreaId,
    name: String,
    #[serde(flatten)]
    total: TotalView,
}

impl TotalView {
    fn of(total: &Total) -> TotalView {
        TotalView {
            dwellings: total.dwellings,
            households: total.households,
            people: total.people,
            enterprises: total.enterprises,
            without_grid: total.without_grid,
            spread: total.spread,
            links: total.links,
            barriers: total.barriers,
        }
    }

    fn add(&mut self, other: &Total) {
        self.dwellings += other.dwellings;
        self.households += other.households;
        self.people += other.people;
        self.enterprises += other.enterprises;
        self.without_grid += other.without_grid;
        self.spread += other.spread;
        self.links += other.links;
        self.barriers += other.barriers;
    }
}

/// How many dwellings, households and links there are, in all and by community.
#[utoipa::path(get, path = "/dwellings/summary", tag = "place", params(AreaQuery), responses((status = 200, body = DwellingSummary)))]
async fn summary(Staff(ctx): Staff, Query(query): Query<AreaQuery>) -> Result<Json<DwellingSummary>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let area = super::planned_area(&ctx, query.area)?;
    let found = ctx.app.read(&ctx, move |_, tx| super::communities(tx, &area)).await?;
    let map = current(&ctx.app);
    let mut total = TotalView::default();
    found.iter().for_each(|(_, one)| total.add(one));
    let mut communities: Vec<_> = found
        .iter()
        .filter_map(|(id, one)| Some((map.area(*id)?, one)))
        .collect();
    communities.sort_by(|a, b| a.0.code.cmp(&b.0.code));
    let communities = communities.into_iter().map(|(area, one)| CommunityTotalView {
        area_id: area.id,
        name: map.full_name(area.id),
        total: TotalView::of(one),
    });
    Ok(Json(DwellingSummary {
        total,
        communities: communities.collect(),
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
struct ChangeDwelling {
    name: Option<String>,
    households: Option<i64>,
    people: Option<i64>,
    enterprises: Option<i64>,
    /// The community it counts to; its links end.
    community_id: Option<AreaId>,
}

/// Changes the name, the numbers or the community of a dwelling.
#[utoipa::path(patch, path = "/dwellings/{id}", tag = "place", request_body = ChangeDwelling, params(("id" = DwellingId, Path)),
    responses((status = 200, body = DwellingView)))]
async fn change(
    Staff(ctx): Staff,
    Path(id): Path<DwellingId>,
    Json(wish): Json<ChangeDwelling>,
) -> Result<Json<DwellingView>, Fault> {
    let change = Change {
        name: wish.name,
        households: wish.households,
        people: wish.people,
        enterprises: wish.enterprises,
        community: wish.community_id,
    };
    let done = ctx
        .app
        .write(&ctx, move |ctx, tx| super::change(ctx, tx, id, change))
        .await?;
    Ok(Json(DwellingView::of(done)))
}

#[derive(Debug, Deserialize, ToSchema)]
struct LinkWish {
    v: DwellingId,
    /// Metres of border; 1 where not said.
    shared_m: Option<f64>,
    /// How much the two belong together; 1 where not said.
    weight: Option<f64>,
    /// A river or main road lies between.
    #[serde(default)]
    barrier: bool,
}

/// Says that two dwellings of one community are next to each other.
#[utoipa::path(put, path = "/dwellings/{id}/links", tag = "place", request_body = LinkWish, params(("id" = DwellingId, Path)),
    responses((status = 204)))]
async fn put_link(
    Staff(ctx): Staff,
    Path(id): Path<DwellingId>,
    Json(wish): Json<LinkWish>,
) -> Result<StatusCode, Fault> {
    let link = Link {
        u: id,
        v: wish.v,
        shared_m: wish.shared_m.unwrap_or(1.0),
        weight: wish.weight.unwrap_or(1.0),
        barrier: wish.barrier,
        by_hand: true,
    };
    ctx.app
        .write(&ctx, move |ctx, tx| super::put_link(ctx, tx, link))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OtherQuery {
    /// The other dwelling.
    v: DwellingId,
}

/// Says that two dwellings are not next to each other.
#[utoipa::path(delete, path = "/dwellings/{id}/links", tag = "place", params(("id" = DwellingId, Path), OtherQuery),
    responses((status = 204)))]
async fn remove_link(
    Staff(ctx): Staff,
    Path(id): Path<DwellingId>,
    Query(query): Query<OtherQuery>,
) -> Result<StatusCode, Fault> {
    let v = query.v;
    ctx.app
        .write(&ctx, move |ctx, tx| super::remove_link(ctx, tx, id, v))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DryQuery {
    /// Only look: say what would happen and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// The texts of the files: either `buildings` (with what goes with it), or `nodes` and `edges`. Of a GeoPackage or a zipped shapefile, a data URL
/// (`data:;base64,..`).
#[derive(Debug, Deserialize, ToSchema)]
struct DwellingFiles {
    /// GeoJSON of buildings, or CSV of addresses with lon, lat.
    buildings: Option<String>,
    /// GeoJSON of communities, each named by `code` or `name`; without it, the borders of the territory.
    communities: Option<String>,
    roads: Option<String>,
    water: Option<String>,
    compounds: Option<String>,
    /// Which layer of a file that holds several, by the name of the file here (`buildings`, ..).
    #[serde(default)]
    layers: BTreeMap<String, String>,
    /// CSV: id, lon, lat, region, households and more.
    nodes: Option<String>,
    /// CSV: u, v, shared_perim, w, barrier.
    edges: Option<String>,
    /// `wgs84`, `cgcs2000` or `gcj02`, of the buildings or nodes; never guessed.
    datum: String,
    /// Of the other files; as `datum` where not said.
    map_datum: Option<String>,
    /// Households in all, shared out by floor area.
    households_total: Option<u64>,
    /// Footbridges and underpasses join both sides of a main road.
    #[serde(default)]
    footbridges: bool,
}

/// Dwellings and who is next to whom, from maps, from a list of addresses, or from two tables. The communities in the files are replaced.
#[utoipa::path(post, path = "/dwellings/import", tag = "place", params(DryQuery), request_body = DwellingFiles,
    responses((status = 200, body = DwellingReport)))]
async fn bring_in(
    Staff(ctx): Staff,
    Query(query): Query<DryQuery>,
    Json(files): Json<DwellingFiles>,
) -> Result<Json<DwellingReport>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let known = known_communities(&ctx)?;
    let made = tokio::task::spawn_blocking(move || read(files, known)).await;
    let graph = made.map_err(Fault::internal)??;
    Ok(Json(import(&ctx, graph, query.dry_run).await?))
}

/// The communities with a border that the caller plans in.
pub fn known_communities(ctx: &Ctx) -> Result<Vec<Feature>, Fault> {
    let depth = super::community_depth(&ctx.app)?;
    let map = current(&ctx.app);
    let here = map
        .areas()
        .iter()
        .filter(|area| area.depth == depth && super::plans_in(ctx, area));
    let shaped = here.filter_map(|area| Some((area, map.region(area.id)?)));
    Ok((1..)
        .zip(shaped)
        .map(|(row, (area, region))| maps::community(row, &area.code, region))
        .collect())
}

fn read(files: DwellingFiles, known: Vec<Feature>) -> Result<Graph, Fault> {
    let datum = |text: &str| Datum::parse(text).ok_or_else(|| Fault::invalid("datum", "unknown_datum"));
    let own = datum(&files.datum)?;
    let buildings = match (files.buildings, &files.nodes, &files.edges) {
        (None, Some(nodes), Some(edges)) => return graph::read(nodes, edges, own),
        (Some(buildings), None, None) => buildings,
        _ => return Err(Fault::invalid("buildings", "dwelling_no_files")),
    };
    let layer = |name: &str, text: String| {
        let file = MapFile::new(name, unpacked(name, text)?);
        Ok::<_, Fault>(file.layer(files.layers.get(name).cloned()))
    };
    let communities = match files.communities {
        Some(text) => Communities::File(Some(layer("communities", text)?)),
        None if known.is_empty() => return Err(Fault::invalid("communities", "dwelling_no_borders")),
        None => Communities::Known(known),
    };
    let how = How {
        own,
        others: files.map_datum.as_deref().map_or(Ok(own), datum)?,
        id_column: None,
        households_column: None,
        households_total: files.households_total,
        barrier_roads: BARRIER_ROADS.map(str::to_owned).into(),
        footbridges: files.footbridges,
        cells: true,
    };
    let read = Files {
        buildings: layer("buildings", buildings)?,
        communities,
        roads: files.roads.map(|text| layer("roads", text)).transpose()?,
        water: files.water.map(|text| layer("water", text)).transpose()?,
        compounds: files.compounds.map(|text| layer("compounds", text)).transpose()?,
    };
    Ok(maps::graph(&read, &how)?)
}

/// The bytes of a file: of a data URL what it holds, else the text itself.
fn unpacked(name: &str, text: String) -> Result<Vec<u8>, Fault> {
    let Some(url) = text.strip_prefix("data:") else {
        return Ok(text.into_bytes());
    };
    let held = url.split_once(";base64,").map(|(_, held)| STANDARD.decode(held));
    let bad = || Fault::invalid(name.to_owned(), "map_bad_data_url");
    held.ok_or_else(bad)?.map_err(|_| bad())
}
