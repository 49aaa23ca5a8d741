//! Routes of plans.

use super::figures::BlockFigures;
use super::paint::TouchedGrid;
use super::store::{self, GridRow, Zone};
use super::{Change, Comment, NewPlan, Options, Origin, Phase, Plan, Stroke, draw};
use crate::access::Staff;
use crate::platform::*;
use crate::territory::dwellings::{self, DwellingView};
use crate::territory::{Area, current};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Grids drawn on one map, at most.
const MOST_ON_MAP: u32 = 3_000;
/// Reasons told with a plan, at most.
const MOST_REASONS: u32 = 100;
/// Plans compared at once.
const MOST_COMPARED: usize = 6;

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(compare))
        .routes(routes!(one, change))
        .routes(routes!(put_away))
        .routes(routes!(draw_it))
        .routes(routes!(stop))
        .routes(routes!(grids))
        .routes(routes!(change_grid))
        .routes(routes!(map))
        .routes(routes!(sheet))
        .routes(routes!(units))
        .routes(routes!(links))
        .routes(routes!(paint))
        .routes(routes!(comments, say))
}

/// A plan with its figures.
#[derive(Debug, Serialize, ToSchema)]
struct PlanView {
    id: PlanId,
    name: String,
    area_id: AreaId,
    area_name: String,
    /// `draft`, `adopted`, `undone` or `dropped`.
    state: String,
    /// `draw`, `redraw`, `today`, `copy` or `overlay`.
    origin: String,
    from_plan_id: Option<PlanId>,
    options: Options,
    /// `empty`, `waiting`, `drawing`, `ready`, `failed` or `cancelled`; only `ready` has passed the checker whole.
    phase: String,
    progress: Option<ProgressView>,
    /// Why drawing failed: a code, and in words.
    fault: Option<String>,
    fault_message: Option<String>,
    figures: FiguresView,
    check: CheckView,
    /// What cannot be met and why; the first hundred.
    reasons: Vec<ReasonView>,
    base_version: i64,
    note: String,
    created_by: String,
    created_at: i64,
    changed_at: i64,
}

/// Dwellings drawn so far, and in all.
#[derive(Debug, Serialize, ToSchema)]
struct ProgressView {
    done: usize,
    total: usize,
}

/// Figures of a plan.
#[derive(Debug, Serialize, ToSchema)]
struct FiguresView {
    dwellings: i64,
    households: i64,
    grids: i64,
    /// Grids in band, and their share (0 to 1; 0 without grids).
    in_band: i64,
    in_band_share: f64,
    /// Households of the smallest, the largest, the mean grid; standard deviation over the mean.
    least: i64,
    most: i64,
    mean: f64,
    spread: f64,
    /// Weight of the walkable links between grids.
    cut: f64,
    /// Mean compactness of the grids; 1 is round.
    compactness: f64,
    /// Mean metres from a household to the middle of its grid.
    walk_m: f64,
    /// Expected minutes of work a month, in all and per worker.
    minutes: i64,
    minutes_per_worker: f64,
    /// Workers needed by the pack's staffing rule.
    workers: i64,
    /// Households that lie in another grid today.
    moved_households: i64,
}

impl FiguresView {
    fn of(all: &BlockFigures, workers_each: u32) -> FiguresView {
        let n = all.grids.max(1) as f64;
        let mean = all.households as f64 / n;
        let variance = (all.squares / n - mean * mean).max(0.0);
        let workers = all.grids * i64::from(workers_each);
        FiguresView {
            dwellings: all.dwellings,
            households: all.households,
            grids: all.grids,
            in_band: all.in_band,
            in_band_share: all.in_band as f64 / n,
            least: all.least,
            most: all.most,
            mean,
            spread: if mean > 0.0 { variance.sqrt() / mean } else { 0.0 },
            cut: all.cut,
            compactness: all.moi_sum / n,
            walk_m: all.walk_sum / all.households.max(1) as f64,
            minutes: all.minutes,
            minutes_per_worker: all.minutes as f64 / workers.max(1) as f64,
            workers,
            moved_households: all.moved_households,
        }
    }
}

/// Whether every rule holds, looked at independently of whoever drew.
#[derive(Debug, Serialize, ToSchema)]
struct CheckView {
    /// No breach at all: every dwelling in one grid, all connected, all in band.
    passed: bool,
    /// Dwellings that lie in exactly one grid, a grid of their own community: read back from what is stored. All of them, if it is sound.
    placed: i64,
    /// Places given across the border of a community, or to something that is no dwelling there any more.
    strayed: i64,
    /// Dwellings in no grid.
    unplaced: i64,
    /// Grids that do not hang together.
    disconnected: i64,
    out_of_band: i64,
}

/// Why a part of a community cannot be divided within the band.
#[derive(Debug, Serialize, ToSchema)]
struct ReasonView {
    community_id: AreaId,
    community_name: String,
    /// `sum`, `units`, `packing`, `contiguity`, or `unproven`: not met, and not proved impossible.
    verdict: String,
    /// In words.
    message: String,
    dwellings: i64,
    households: i64,
    grids: i64,
    /// Grids out of band.
    broken: Vec<u32>,
    /// A dwelling of that part, and those above the band on their own.
    dwelling_id: DwellingId,
    dwelling_ids: Vec<DwellingId>,
}

fn reason(ctx: &Ctx, zone: Zone) -> ReasonView {
    let code = match zone.verdict.as_str() {
        "sum" => "plan_reason_sum",
        "units" => "plan_reason_units",
        "packing" => "plan_reason_packing",
        "contiguity" => "plan_reason_contiguity",
        _ => "plan_reason_unproven",
    };
    let name = current(&ctx.app).full_name(zone.community);
    let words = [
        ("community", name.clone()),
        ("households", zone.households.to_string()),
        ("dwellings", zone.dwellings.to_string()),
        ("count", zone.units.len().to_string()),
        ("broken", zone.broken.len().to_string()),
    ];
    ReasonView {
        community_id: zone.community,
        community_name: name,
        message: i18n::sentence(ctx.lang, code, &words),
        verdict: zone.verdict,
        dwellings: zone.dwellings,
        households: zone.households,
        grids: zone.grids,
        broken: zone.broken,
        dwelling_id: zone.dwelling,
        dwelling_ids: zone.units,
    }
}

fn view(ctx: &Ctx, tx: &mut Tx, plan: Plan) -> Result<PlanView, Fault> {
    let all = store::figures(tx, plan.id)?;
    let zones = store::zones(tx, plan.id, None, MOST_REASONS)?;
    let busy = matches!(plan.phase, Phase::Waiting | Phase::Drawing);
    let progress = draw::progress(&ctx.app, plan.id).filter(|_| busy);
    let out_of_band = all.grids - all.in_band;
    Ok(PlanView {
        area_name: current(&ctx.app).full_name(plan.area),
        figures: FiguresView::of(&all, draw::rules(&ctx.app)?.workers),
        check: CheckView {
            passed: plan.phase == Phase::Ready
                && all.grids > 0
                && all.placed == all.dwellings
                && all.strayed + all.unplaced + all.broken + out_of_band == 0,
            placed: all.placed,
            strayed: all.strayed,
            unplaced: all.unplaced,
            disconnected: all.broken,
            out_of_band,
        },
        reasons: zones.into_iter().map(|zone| reason(ctx, zone)).collect(),
        progress: progress.map(|(done, total)| ProgressView { done, total }),
        fault_message: plan.fault.as_deref().map(|code| i18n::sentence(ctx.lang, code, &[])),
        id: plan.id,
        name: plan.name,
        area_id: plan.area,
        state: plan.state.key().to_owned(),
        origin: plan.origin.key().to_owned(),
        from_plan_id: plan.from,
        options: plan.options,
        phase: plan.phase.key().to_owned(),
        fault: plan.fault,
        base_version: plan.base_version,
        note: plan.note,
        created_by: plan.created_by,
        created_at: plan.created_at,
        changed_at: plan.changed_at,
    })
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PlansQuery {
    /// Plans of this area and of those below it.
    area: Option<AreaId>,
    /// Dropped ones, too.
    #[serde(default)]
    dropped: bool,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Plans the caller may see, newest first.
#[utoipa::path(get, path = "/plans", tag = "plans", params(PlansQuery), responses((status = 200, body = Page<PlanView>)))]
async fn list(Staff(ctx): Staff, Query(query): Query<PlansQuery>) -> Result<Json<Page<PlanView>>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let paging = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let map = current(&ctx.app);
    let area = match query.area {
        Some(id) => Some(
            map.area(id)
                .cloned()
                .ok_or_else(|| Fault::invalid("area", "area_unknown"))?,
        ),
        None => None,
    };
    let (after, limit) = (paging.after()?, paging.limit());
    let page = ctx.app.read(&ctx, move |ctx, tx| {
        let plans = super::page(ctx, tx, area.as_ref(), query.dropped, after, limit)?;
        let page = Page::cut(plans, limit, |plan| plan.id);
        let items = page
            .items
            .into_iter()
            .map(|plan| view(ctx, tx, plan))
            .collect::<Result<_, _>>()?;
        Ok(Page { items, next: page.next })
    });
    Ok(Json(page.await?))
}

/// A plan to be made.
#[derive(Debug, Deserialize, ToSchema)]
struct PlanWish {
    name: String,
    area_id: AreaId,
    /// `draw`, `redraw`, `today` or `copy`.
    origin: String,
    /// The plan to copy or redraw; a redraw without one is of today's grids.
    from_plan_id: Option<PlanId>,
    #[serde(default)]
    options: Options,
    #[serde(default)]
    note: String,
}

/// Makes a draft; its grids are made by a job.
#[utoipa::path(post, path = "/plans", tag = "plans", request_body = PlanWish, responses((status = 201, body = PlanView)))]
async fn make(Staff(ctx): Staff, Json(wish): Json<PlanWish>) -> Result<(StatusCode, Json<PlanView>), Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let origin = Origin::from_key(&wish.origin).filter(|origin| *origin != Origin::Overlay);
    let new = NewPlan {
        name: wish.name,
        area: wish.area_id,
        origin: origin.ok_or_else(|| Fault::invalid("origin", "plan_bad_origin"))?,
        from: wish.from_plan_id,
        options: wish.options,
        note: wish.note,
    };
    let made = ctx.app.write(&ctx, move |ctx, tx| {
        let plan = super::create(ctx, tx, new)?;
        view(ctx, tx, plan)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CompareQuery {
    /// Ids of two to six plans, with commas between.
    ids: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct CompareView {
    items: Vec<PlanView>,
}

/// Plans side by side, in the order asked for.
#[utoipa::path(get, path = "/plans/compare", tag = "plans", params(CompareQuery), responses((status = 200, body = CompareView)))]
async fn compare(Staff(ctx): Staff, Query(query): Query<CompareQuery>) -> Result<Json<CompareView>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let ids: Result<Vec<PlanId>, _> = query.ids.split(',').map(|id| id.trim().parse()).collect();
    let ids = ids.map_err(|_| Fault::invalid("ids", "plan_unknown"))?;
    if ids.is_empty() || ids.len() > MOST_COMPARED {
        return Err(Fault::invalid("ids", "plan_compare_count").with("most", MOST_COMPARED));
    }
    let items = ctx.app.read(&ctx, move |ctx, tx| {
        let one = |id: PlanId| {
            let plan = super::find(ctx, tx, id)?;
            view(ctx, tx, plan)
        };
        ids.into_iter().map(one).collect::<Result<Vec<_>, Fault>>()
    });
    Ok(Json(CompareView { items: items.await? }))
}

/// One plan: how far it is, its figures, what cannot be met.
#[utoipa::path(get, path = "/plans/{id}", tag = "plans", params(("id" = PlanId, Path)), responses((status = 200, body = PlanView)))]
async fn one(Staff(ctx): Staff, Path(id): Path<PlanId>) -> Result<Json<PlanView>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let found = ctx.app.read(&ctx, move |ctx, tx| {
        let plan = super::find(ctx, tx, id)?;
        view(ctx, tx, plan)
    });
    Ok(Json(found.await?))
}

#[derive(Debug, Deserialize, ToSchema)]
struct ChangePlan {
    name: Option<String>,
    note: Option<String>,
    /// For the next drawing.
    options: Option<Options>,
}

/// Changes what a draft is called and how it is drawn next.
#[utoipa::path(patch, path = "/plans/{id}", tag = "plans", request_body = ChangePlan, params(("id" = PlanId, Path)),
    responses((status = 200, body = PlanView)))]
async fn change(
    Staff(ctx): Staff,
    Path(id): Path<PlanId>,
    Json(wish): Json<ChangePlan>,
) -> Result<Json<PlanView>, Fault> {
    let change = Change {
        name: wish.name,
        note: wish.note,
        options: wish.options,
    };
    let done = ctx.app.write(&ctx, move |ctx, tx| {
        let plan = super::change(ctx, tx, id, change)?;
        view(ctx, tx, plan)
    });
    Ok(Json(done.await?))
}

/// Puts a draft away.
#[utoipa::path(post, path = "/plans/{id}/drop", tag = "plans", params(("id" = PlanId, Path)), responses((status = 200, body = PlanView)))]
async fn put_away(Staff(ctx): Staff, Path(id): Path<PlanId>) -> Result<Json<PlanView>, Fault> {
    let done = ctx.app.write(&ctx, move |ctx, tx| {
        let plan = super::drop_plan(ctx, tx, id)?;
        view(ctx, tx, plan)
    });
    Ok(Json(done.await?))
}

#[derive(Debug, Deserialize, ToSchema)]
struct DrawWish {
    /// `draw` (anew) or `redraw` (the fewest households change grid).
    how: String,
}

/// Draws the grids that are not locked, anew or with the least change, as a job.
#[utoipa::path(post, path = "/plans/{id}/draw", tag = "plans", request_body = DrawWish, params(("id" = PlanId, Path)),
    responses((status = 202, body = PlanView)))]
async fn draw_it(
    Staff(ctx): Staff,
    Path(id): Path<PlanId>,
    Json(wish): Json<DrawWish>,
) -> Result<(StatusCode, Json<PlanView>), Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let how = Origin::from_key(&wish.how).filter(|how| matches!(how, Origin::Draw | Origin::Redraw));
    let how = how.ok_or_else(|| Fault::invalid("how", "plan_bad_origin"))?;
    let done = ctx.app.write(&ctx, move |ctx, tx| {
        let plan = super::ask_to_draw(ctx, tx, id, how)?;
        view(ctx, tx, plan)
    });
    Ok((StatusCode::ACCEPTED, Json(done.await?)))
}

/// Stops a drawing; what is drawn so far stays.
#[utoipa::path(post, path = "/plans/{id}/cancel", tag = "plans", params(("id" = PlanId, Path)), responses((status = 202, body = PlanView)))]
async fn stop(Staff(ctx): Staff, Path(id): Path<PlanId>) -> Result<(StatusCode, Json<PlanView>), Fault> {
    let done = ctx.app.write(&ctx, move |ctx, tx| {
        let plan = super::cancel(ctx, tx, id)?;
        view(ctx, tx, plan)
    });
    Ok((StatusCode::ACCEPTED, Json(done.await?)))
}

/// A grid of a plan.
#[derive(Debug, Serialize, ToSchema)]
struct PlanGridView {
    no: u32,
    community_id: AreaId,
    community_name: String,
    name: String,
    code: String,
    /// The grid in force that it goes on as.
    kept_area_id: Option<AreaId>,
    locked: bool,
    dwellings: i64,
    households: i64,
    people: i64,
    enterprises: i64,
    /// Expected minutes of work a month.
    minutes: i64,
    in_band: bool,
    compactness: f64,
    walk_m: f64,
    lon: f64,
    lat: f64,
    /// Households that lie in another grid today.
    moved_households: i64,
}

fn grid_view(ctx: &Ctx, row: &GridRow) -> PlanGridView {
    PlanGridView {
        no: row.no,
        community_id: row.community,
        community_name: current(&ctx.app).full_name(row.community),
        name: row.name.clone(),
        code: row.code.clone(),
        kept_area_id: row.kept_area,
        locked: row.locked,
        dwellings: row.dwellings,
        households: row.households,
        people: row.people,
        enterprises: row.enterprises,
        minutes: row.minutes,
        in_band: row.in_band,
        compactness: row.moi,
        walk_m: row.walk_m,
        lon: row.at.lon,
        lat: row.at.lat,
        moved_households: row.moved_households,
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct GridsQuery {
    /// Only of this community.
    community: Option<AreaId>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// The grids of a plan, by number.
#[utoipa::path(get, path = "/plans/{id}/grids", tag = "plans", params(("id" = PlanId, Path), GridsQuery),
    responses((status = 200, body = Page<PlanGridView>)))]
async fn grids(
    Staff(ctx): Staff,
    Path(id): Path<PlanId>,
    Query(query): Query<GridsQuery>,
) -> Result<Json<Page<PlanGridView>>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let paging = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let (after, limit) = (paging.after::<u32>()?, paging.limit());
    let rows = ctx.app.read(&ctx, move |ctx, tx| {
        super::find(ctx, tx, id)?;
        store::grids_page(tx, id, query.community, after, limit)
    });
    let page = Page::cut(rows.await?, limit, |row| row.no);
    Ok(Json(page.map(|row| grid_view(&ctx, &row))))
}

#[derive(Debug, Deserialize, ToSchema)]
struct ChangePlanGrid {
    name: Option<String>,
    /// A locked grid stays as it is when the rest is drawn anew.
    locked: Option<bool>,
}

/// Names or locks a grid of a draft.
#[utoipa::path(patch, path = "/plans/{id}/grids/{no}", tag = "plans", request_body = ChangePlanGrid,
    params(("id" = PlanId, Path), ("no" = u32, Path)), responses((status = 200, body = PlanGridView)))]
async fn change_grid(
    Staff(ctx): Staff,
    Path((id, no)): Path<(PlanId, u32)>,
    Json(wish): Json<ChangePlanGrid>,
) -> Result<Json<PlanGridView>, Fault> {
    let done = ctx.app.write(&ctx, move |ctx, tx| {
        super::change_grid(ctx, tx, id, no, wish.name, wish.locked)
    });
    Ok(Json(grid_view(&ctx, &done.await?)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MapQuery {
    /// Only below this area; the plan's own where not said.
    area: Option<AreaId>,
}

fn area_within(ctx: &Ctx, plan: &Plan, area: Option<AreaId>) -> Result<Area, Fault> {
    let map = current(&ctx.app);
    let id = area.unwrap_or(plan.area);
    let found = map.ever(id).filter(|area| area.chain.contains(&Some(plan.area)));
    found.cloned().ok_or_else(|| Fault::invalid("area", "area_unknown"))
}

fn shape(text: Option<&str>) -> Result<Option<Box<RawValue>>, Fault> {
    text.map(|text| RawValue::from_string(text.to_owned()))
        .transpose()
        .map_err(Fault::internal)
}

/// The outlines of a plan's grids as a GeoJSON FeatureCollection (properties as of a grid; `truncated` when there are more than 3,000).
#[utoipa::path(get, path = "/plans/{id}/map", tag = "plans", params(("id" = PlanId, Path), MapQuery), responses((status = 200, body = Object)))]
async fn map(Staff(ctx): Staff, Path(id): Path<PlanId>, Query(query): Query<MapQuery>) -> Result<Json<Value>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let rows = ctx.app.read(&ctx, move |ctx, tx| {
        let plan = super::find(ctx, tx, id)?;
        let area = area_within(ctx, &plan, query.area)?;
        store::grids_below(tx, id, &area, MOST_ON_MAP + 1)
    });
    let mut rows = rows.await?;
    let truncated = rows.len() > MOST_ON_MAP as usize;
    rows.truncate(MOST_ON_MAP as usize);
    let mut features = Vec::with_capacity(rows.len());
    for row in &rows {
        let geometry: Option<Value> = row
            .outline
            .as_deref()
            .map(serde_json::from_str)
            .transpose()
            .map_err(Fault::internal)?;
        features
            .push(json!({ "type": "Feature", "id": row.no, "properties": grid_view(&ctx, row), "geometry": geometry }));
    }
    Ok(Json(
        json!({ "type": "FeatureCollection", "features": features, "truncated": truncated }),
    ))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CommunityQuery {
    /// The community.
    community: AreaId,
}

/// What the printed area map of one community (village) shows.
#[derive(Debug, Serialize, ToSchema)]
struct SheetView {
    plan_name: String,
    place_name: String,
    community_id: AreaId,
    community_name: String,
    /// GeoJSON geometry of the community's border, where known.
    #[schema(value_type = Option<Object>)]
    border: Option<Value>,
    grids: Vec<SheetGridView>,
    households: i64,
    people: i64,
    /// Milliseconds UTC: as of when.
    at: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct SheetGridView {
    #[serde(flatten)]
    grid: PlanGridView,
    /// GeoJSON geometry.
    #[schema(value_type = Option<Object>)]
    outline: Option<Box<RawValue>>,
}

/// The area map of one community, to be printed: its border, its grids with names, codes and households.
#[utoipa::path(get, path = "/plans/{id}/sheet", tag = "plans", params(("id" = PlanId, Path), CommunityQuery),
    responses((status = 200, body = SheetView)))]
async fn sheet(
    Staff(ctx): Staff,
    Path(id): Path<PlanId>,
    Query(query): Query<CommunityQuery>,
) -> Result<Json<SheetView>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let found = ctx.app.read(&ctx, move |ctx, tx| {
        let plan = super::find(ctx, tx, id)?;
        let area = area_within(ctx, &plan, Some(query.community))?;
        let rows = store::grids(tx, id, area.id)?;
        Ok((plan, area, rows))
    });
    let (plan, area, mut rows) = found.await?;
    rows.sort_by(|a, b| a.code.cmp(&b.code));
    let map = current(&ctx.app);
    let border = map.region(area.id).map(crate::territory::geojson);
    let grid = |row: &GridRow| {
        Ok(SheetGridView {
            grid: grid_view(&ctx, row),
            outline: shape(row.outline.as_deref())?,
        })
    };
    Ok(Json(SheetView {
        plan_name: plan.name,
        place_name: map.full_name(plan.area),
        community_id: area.id,
        community_name: map.full_name(area.id),
        border: border.transpose()?,
        households: rows.iter().map(|row| row.households).sum(),
        people: rows.iter().map(|row| row.people).sum(),
        grids: rows.iter().map(grid).collect::<Result<_, Fault>>()?,
        at: ctx.now.0,
    }))
}

/// A dwelling with its grid in a plan.
#[derive(Debug, Serialize, ToSchema)]
struct PlanUnitView {
    #[serde(flatten)]
    dwelling: DwellingView,
    /// Number of its grid; none for a dwelling in no grid.
    no: Option<u32>,
    /// GeoJSON geometries: the ground nearest to it, and the building.
    #[schema(value_type = Option<Object>)]
    cell: Option<Box<RawValue>>,
    #[schema(value_type = Option<Object>)]
    outline: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize, ToSchema)]
struct PlanUnitList {
    items: Vec<PlanUnitView>,
}

/// All dwellings of one community (at most 20,000) with their grids in a plan.
#[utoipa::path(get, path = "/plans/{id}/dwellings", tag = "plans", params(("id" = PlanId, Path), CommunityQuery),
    responses((status = 200, body = PlanUnitList)))]
async fn units(
    Staff(ctx): Staff,
    Path(id): Path<PlanId>,
    Query(query): Query<CommunityQuery>,
) -> Result<Json<PlanUnitList>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let found = ctx.app.read(&ctx, move |ctx, tx| {
        let plan = super::find(ctx, tx, id)?;
        let area = area_within(ctx, &plan, Some(query.community))?;
        Ok((dwellings::block(tx, area.id, true)?, store::numbers(tx, id, area.id)?))
    });
    let (block, numbers) = found.await?;
    let unit = |mut one: dwellings::Dwelling| {
        Ok(PlanUnitView {
            no: numbers.get(&one.id).copied(),
            cell: shape(one.cell.take().as_deref())?,
            outline: shape(one.outline.take().as_deref())?,
            dwelling: DwellingView::of(one),
        })
    };
    let items = block.dwellings.into_iter().map(unit).collect::<Result<_, Fault>>()?;
    Ok(Json(PlanUnitList { items }))
}

/// Two dwellings next to each other.
#[derive(Debug, Serialize, ToSchema)]
struct LinkView {
    u: DwellingId,
    v: DwellingId,
    shared_m: f64,
    weight: f64,
    /// A river or main road lies between.
    barrier: bool,
    /// A person said so.
    by_hand: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct LinkList {
    items: Vec<LinkView>,
}

/// Who is next to whom in one community.
#[utoipa::path(get, path = "/plans/{id}/links", tag = "plans", params(("id" = PlanId, Path), CommunityQuery),
    responses((status = 200, body = LinkList)))]
async fn links(
    Staff(ctx): Staff,
    Path(id): Path<PlanId>,
    Query(query): Query<CommunityQuery>,
) -> Result<Json<LinkList>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let found = ctx.app.read(&ctx, move |ctx, tx| {
        let plan = super::find(ctx, tx, id)?;
        let area = area_within(ctx, &plan, Some(query.community))?;
        dwellings::block(tx, area.id, false)
    });
    let link = |one: dwellings::Link| LinkView {
        u: one.u,
        v: one.v,
        shared_m: one.shared_m,
        weight: one.weight,
        barrier: one.barrier,
        by_hand: one.by_hand,
    };
    let items = found.await?.links.into_iter().map(link).collect();
    Ok(Json(LinkList { items }))
}

/// What to paint where.
#[derive(Debug, Deserialize, ToSchema)]
struct PaintWish {
    /// Dwellings of one community, at most 5,000.
    dwellings: Vec<DwellingId>,
    /// Number of the grid they go to; none for a new grid.
    to: Option<u32>,
    /// Only say what would happen.
    #[serde(default)]
    dry: bool,
}

/// What painting does.
#[derive(Debug, Serialize, ToSchema)]
struct PaintView {
    /// The grids it touches, as they are afterwards.
    grids: Vec<PaintedGridView>,
    /// Number of the new grid, if one is made.
    made: Option<u32>,
    /// Whether it may be done: no grid is broken apart.
    allowed: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct PaintedGridView {
    no: u32,
    /// Nothing is left of it.
    gone: bool,
    dwellings: i64,
    households: i64,
    people: i64,
    enterprises: i64,
    minutes: i64,
    in_band: bool,
    connected: bool,
    /// Painting would break it apart.
    breaks: bool,
}

fn painted(grid: &TouchedGrid) -> PaintedGridView {
    let of = |value: fn(&super::figures::GridFigures) -> i64| grid.figures.as_ref().map_or(0, value);
    PaintedGridView {
        no: grid.no,
        gone: grid.figures.is_none(),
        dwellings: of(|one| one.dwellings),
        households: of(|one| one.households),
        people: of(|one| one.people),
        enterprises: of(|one| one.enterprises),
        minutes: of(|one| one.minutes),
        in_band: grid.figures.as_ref().is_none_or(|one| one.in_band),
        connected: grid.figures.as_ref().is_none_or(|one| one.pieces == 1),
        breaks: grid.breaks,
    }
}

/// Puts dwellings into another grid by hand; `dry` while dragging.
#[utoipa::path(post, path = "/plans/{id}/paint", tag = "plans", request_body = PaintWish, params(("id" = PlanId, Path)),
    responses((status = 200, body = PaintView)))]
async fn paint(
    Staff(ctx): Staff,
    Path(id): Path<PlanId>,
    Json(wish): Json<PaintWish>,
) -> Result<Json<PaintView>, Fault> {
    let stroke = Stroke {
        dwellings: wish.dwellings,
        to: wish.to,
    };
    let done = if wish.dry {
        ctx.app
            .read(&ctx, move |ctx, tx| super::paint(ctx, tx, id, &stroke, true))
            .await?
    } else {
        ctx.app
            .write(&ctx, move |ctx, tx| super::paint(ctx, tx, id, &stroke, false))
            .await?
    };
    Ok(Json(PaintView {
        grids: done.grids.iter().map(painted).collect(),
        made: done.made,
        allowed: !done.grids.iter().any(|grid| grid.breaks),
    }))
}

/// A comment.
#[derive(Debug, Serialize, ToSchema)]
struct PlanCommentView {
    id: PlanCommentId,
    /// The grid it speaks of, if one.
    no: Option<u32>,
    text: String,
    /// Milliseconds UTC.
    at: i64,
    by: String,
}

fn comment_view(one: Comment) -> PlanCommentView {
    PlanCommentView {
        id: one.id,
        no: one.no,
        text: one.body,
        at: one.at,
        by: one.by,
    }
}

/// Comments on a plan, oldest first.
#[utoipa::path(get, path = "/plans/{id}/comments", tag = "plans", params(("id" = PlanId, Path), PageQuery),
    responses((status = 200, body = Page<PlanCommentView>)))]
async fn comments(
    Staff(ctx): Staff,
    Path(id): Path<PlanId>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<PlanCommentView>>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let (after, limit) = (paging.after()?, paging.limit());
    let rows = ctx.app.read(&ctx, move |ctx, tx| {
        super::find(ctx, tx, id)?;
        super::comments(tx, id, after, limit)
    });
    Ok(Json(Page::cut(rows.await?, limit, |one| one.id).map(comment_view)))
}

#[derive(Debug, Deserialize, ToSchema)]
struct CommentWish {
    text: String,
    no: Option<u32>,
}

/// Comments on a plan, or on one of its grids.
#[utoipa::path(post, path = "/plans/{id}/comments", tag = "plans", request_body = CommentWish, params(("id" = PlanId, Path)),
    responses((status = 201, body = PlanCommentView)))]
async fn say(
    Staff(ctx): Staff,
    Path(id): Path<PlanId>,
    Json(wish): Json<CommentWish>,
) -> Result<(StatusCode, Json<PlanCommentView>), Fault> {
    let done = ctx
        .app
        .write(&ctx, move |ctx, tx| super::comment(ctx, tx, id, wish.no, &wish.text));
    Ok((StatusCode::CREATED, Json(comment_view(done.await?))))
}
