//! Routes of adopting a plan: the dry run with its pages, the act, adoptions with what they moved, the way back.

use super::followers::Item;
use super::ground::Place;
use super::store::{self, AdoptionRow, ItemRow};
use super::{Effect, Tried, act, beside, dry_run, dry_undo, need_plan};
use crate::access::Staff;
use crate::plans::{may_manage, name_of, overlap};
use crate::platform::*;
use crate::territory;
use domain::time::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Items of each kind shown with a dry run; the rest by pages.
const FIRST: usize = 20;

/// The routes of this file, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(adopt))
        .routes(routes!(tried))
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(undo))
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
struct AdoptInput {
    /// Made by the client; a retry carries the same.
    id: Option<AdoptionId>,
    /// First day in force; ISO date, today at the earliest.
    #[serde(default)]
    day: String,
    /// Only says what would happen.
    #[serde(default)]
    dry: bool,
    /// Grids outside the band are meant to be.
    #[serde(default)]
    out_of_band: bool,
}

/// How many of a kind are touched.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct KindCount {
    /// `area_made`, `area_kept`, `area_ended`, `household` (a dwelling with its households), `home` (a household or organisation whose dwelling is not known), `case`, `unit`, `post`, `worker`, `team`, `account`, `device`, `address`, `facility`, `obligation`.
    kind: String,
    count: i64,
    /// Of dwellings and grids.
    households: i64,
    /// Of those that go nowhere: posts that are no more.
    ends: i64,
    /// Of those that come from nowhere: new grids, new posts, which are vacant.
    begins: i64,
}

/// What stands in the way.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BlockView {
    code: String,
    message: String,
}

/// One end of a move: an area in force, or a grid the plan makes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EndView {
    area_id: Option<AreaId>,
    /// The grid's number in the plan.
    no: Option<u32>,
    code: String,
    name: String,
}

/// One thing that moves, or moved.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ItemView {
    kind: String,
    id: String,
    /// Name, or number of a case.
    label: String,
    /// None: it is new.
    from: Option<EndView>,
    /// None: it is no more.
    to: Option<EndView>,
    households: Option<i64>,
    /// A new post nobody sits in yet.
    vacant: bool,
}

/// What an adoption or its way back would do, or that it is under way.
#[derive(Debug, Serialize, ToSchema)]
pub struct EffectView {
    /// None for a dry run.
    adoption: Option<AdoptionView>,
    dry: bool,
    counts: Vec<KindCount>,
    /// Empty: nothing stands in the way.
    blocks: Vec<BlockView>,
    /// The first of each kind.
    items: Vec<ItemView>,
}

/// An adoption.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdoptionView {
    id: AdoptionId,
    plan_id: PlanId,
    plan_name: String,
    area_id: AreaId,
    area_name: String,
    /// The day asked for.
    day: String,
    /// The day it came into force.
    in_force_from: Option<String>,
    /// `planned`, `in_force`, `undone`, `called_off` or `blocked` (its day came, and something stood in the way).
    state: String,
    /// The last day on which it can be undone.
    undo_until: Option<String>,
    /// Whether it can be undone, or called off, today, as far as days go.
    can_undo: bool,
    undone_from: Option<String>,
    counts: Vec<KindCount>,
    blocks: Vec<BlockView>,
    created_by: String,
    created_at: String,
    done_at: Option<String>,
    undone_by: Option<String>,
    undone_at: Option<String>,
}

/// An adoption with a page of what it moved.
#[derive(Debug, Serialize, ToSchema)]
struct AdoptionDetail {
    #[serde(flatten)]
    adoption: AdoptionView,
    items: Vec<ItemView>,
    next: Option<String>,
}

fn view(ctx: &Ctx, tx: &mut Tx, row: AdoptionRow) -> Result<AdoptionView, Fault> {
    let today = ctx.now.date().to_string();
    let until = row.undo_until.clone().unwrap_or_default();
    let can_undo = match row.state.as_str() {
        "planned" => true,
        "in_force" => today <= until,
        _ => false,
    };
    let stored: Vec<Value> = serde_json::from_str(&row.blocks).map_err(Fault::internal)?;
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
    Ok(AdoptionView {
        plan_name: store::plan(tx, row.plan)?.map(|plan| plan.name).unwrap_or_default(),
        area_name: territory::current(&ctx.app).full_name(row.area),
        counts: serde_json::from_str(&row.counts).map_err(Fault::internal)?,
        blocks: stored.iter().map(|block| stored_block(ctx, block)).collect(),
        id: row.id,
        plan_id: row.plan,
        area_id: row.area,
        day: row.day,
        in_force_from: row.in_force_from,
        state: row.state,
        undo_until: row.undo_until,
        can_undo,
        undone_from: row.undone_from,
        created_by: row.created_name,
        created_at: row.created_at.to_string(),
        done_at: text(row.done_at),
        undone_by: row.undone_name,
        undone_at: text(row.undone_at),
    })
}

/// A block as it was written down, in the reader's language.
fn stored_block(ctx: &Ctx, block: &Value) -> BlockView {
    const KEYS: [&str; 7] = ["grid", "id", "count", "name", "wanted", "free", "day"];
    let params: Vec<(&'static str, String)> = KEYS
        .iter()
        .filter_map(|key| Some((*key, block["params"][*key].as_str()?.to_owned())))
        .collect();
    let code = block["code"].as_str().unwrap_or_default();
    BlockView {
        code: code.to_owned(),
        message: i18n::sentence(ctx.lang, code, &params),
    }
}

fn of_area(map: &territory::Map, id: AreaId) -> EndView {
    let area = map.ever(id);
    EndView {
        area_id: Some(id),
        no: None,
        code: area.map(|area| area.code.clone()).unwrap_or_default(),
        name: area.map(|area| area.name.clone()).unwrap_or_default(),
    }
}

fn of_place(place: &Place) -> EndView {
    EndView {
        area_id: place.area,
        no: place.no,
        code: place.code.clone(),
        name: place.name.clone(),
    }
}

/// Names of the dwellings among some items.
fn named(tx: &mut Tx, items: &mut [ItemView]) -> Result<(), Fault> {
    let ids: Vec<String> = items
        .iter()
        .filter(|item| item.kind == "household")
        .map(|item| item.id.clone())
        .collect();
    let names: HashMap<String, String> = store::dwelling_labels(tx, &ids)?.into_iter().collect();
    for item in items.iter_mut().filter(|item| item.kind == "household") {
        item.label = names.get(&item.id).cloned().unwrap_or_default();
    }
    Ok(())
}

fn item_view(map: &territory::Map, effect: &Effect, kind: &str, item: &Item) -> ItemView {
    ItemView {
        kind: kind.to_owned(),
        id: item.id.clone(),
        label: item.label.clone(),
        from: item.from.map(|id| of_area(map, id)),
        to: item.to.and_then(|at| effect.places.get(at)).map(of_place),
        households: item.detail["households"].as_i64(),
        vacant: item.detail["made"] == true && item.from.is_none(),
    }
}

fn effect_view(ctx: &Ctx, tx: &mut Tx, effect: &Effect, adoption: Option<AdoptionView>) -> Result<EffectView, Fault> {
    let map = territory::current(&ctx.app);
    let mut items = Vec::new();
    for (kind, all) in &effect.items {
        items.extend(all.iter().take(FIRST).map(|item| item_view(&map, effect, kind, item)));
    }
    named(tx, &mut items)?;
    Ok(EffectView {
        dry: adoption.is_none(),
        adoption,
        counts: serde_json::from_value(effect.counts()).map_err(Fault::internal)?,
        blocks: effect
            .blocks
            .iter()
            .map(|block| BlockView {
                code: block.code.to_owned(),
                message: block.sentence(ctx),
            })
            .collect(),
        items,
    })
}

fn day_of(ctx: &Ctx, text: &str) -> Result<Date, Fault> {
    let day: Date = text
        .trim()
        .parse()
        .map_err(|_| Fault::invalid("day", "date_expected"))?;
    if day < ctx.now.date() {
        return Err(Fault::invalid("day", "day_in_the_past"));
    }
    Ok(day)
}

/// The dry run, kept for turning its pages as long as the territory is the same.
fn tried_effect(
    ctx: &Ctx,
    tx: &mut Tx,
    plan: PlanId,
    day: Date,
    out_of_band: bool,
    anew: bool,
) -> Result<Arc<Effect>, Fault> {
    need_plan(ctx, tx, plan)?;
    let version = territory::current(&ctx.app).version;
    let key = (plan.to_string(), day.to_string(), version, out_of_band);
    let kept = ctx.app.part::<Tried>();
    if let Some(effect) = kept.get(&key, ctx.now).filter(|_| !anew) {
        return Ok(effect);
    }
    let effect = Arc::new(dry_run(ctx, tx, plan, day, out_of_band)?);
    kept.keep(key, ctx.now, effect.clone());
    Ok(effect)
}

/// Says what adopting a plan on a day would touch (`dry`), or plans it for that day: a job carries it out at the day's beginning, for today at once.
#[utoipa::path(post, path = "/plans/{id}/adoption", tag = "plans", params(("id" = PlanId, Path)), request_body = AdoptInput,
    responses((status = 200, body = EffectView)))]
async fn adopt(
    Staff(ctx): Staff,
    Path(id): Path<PlanId>,
    Json(input): Json<AdoptInput>,
) -> Result<Json<EffectView>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let day = day_of(&ctx, &input.day)?;
    if input.dry {
        let read = ctx.app.read(&ctx, move |ctx, tx| {
            let effect = tried_effect(ctx, tx, id, day, input.out_of_band, true)?;
            effect_view(ctx, tx, &effect, None)
        });
        return read.await.map(Json);
    }
    let adoption = input.id.ok_or_else(|| Fault::invalid("id", "id_missing"))?;
    // Outside the write, so that nobody else has to wait for it; the job looks again when it is carried out.
    let looked = ctx.app.read(&ctx, move |ctx, tx| {
        let plan = need_plan(ctx, tx, id)?;
        if store::adoption(tx, adoption)?.is_some() {
            return Ok(None);
        }
        let effect = dry_run(ctx, tx, id, day, input.out_of_band)?;
        Ok(Some((plan.changed_at, Arc::new(effect))))
    });
    let looked = looked.await?;
    ctx.app
        .write(&ctx, move |ctx, tx| {
            let plan = need_plan(ctx, tx, id)?;
            if let Some(known) = store::adoption(tx, adoption)? {
                if known.plan != id || known.day != day.to_string() {
                    return Err(Fault::conflict("id_used"));
                }
                return shown(ctx, tx, known);
            }
            let (_, effect) = looked
                .as_ref()
                .filter(|(changed_at, _)| *changed_at == plan.changed_at)
                .ok_or_else(|| Fault::conflict("plan_changed"))?;
            let beside = beside(tx, &territory::current(&ctx.app), &plan, None)?;
            if let Some(block) = effect.blocks.iter().chain(&beside).next() {
                return Err(Fault::refused("adoption_blocked").with("reason", block.sentence(ctx)));
            }
            let row = AdoptionRow {
                id: adoption,
                plan: id,
                area: plan.area,
                day: day.to_string(),
                in_force_from: None,
                state: "planned".to_owned(),
                undo_until: None,
                undone_from: None,
                blocks: "[]".to_owned(),
                counts: effect.counts().to_string(),
                digest_before: None,
                digest_after: None,
                created_at: ctx.now,
                created_by: ctx.account()?,
                created_name: name_of(ctx),
                done_at: None,
                undone_at: None,
                undone_name: None,
            };
            store::insert(tx, &row)?;
            // From here on nobody draws in it.
            store::set_plan_state(ctx, tx, id, "adopted")?;
            act::call(ctx, tx, adoption, day)?;
            let body = json!({ "adoption": adoption.to_string(), "plan": id.to_string(), "day": row.day, "counts": effect.counts() });
            tx.record(ctx, Mark::new("plan.adoption_planned", Subject::Area(row.area), body))?;
            let adoption = Some(view(ctx, tx, row)?);
            effect_view(ctx, tx, effect, adoption)
        })
        .await
        .map(Json)
}

/// An adoption with the beginning of what it moved.
fn shown(ctx: &Ctx, tx: &mut Tx, row: AdoptionRow) -> Result<EffectView, Fault> {
    let adoption = view(ctx, tx, row)?;
    Ok(EffectView {
        counts: adoption.counts.clone(),
        blocks: adoption.blocks.clone(),
        adoption: Some(adoption),
        dry: false,
        items: Vec::new(),
    })
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct TriedQuery {
    /// The day of the dry run.
    day: String,
    /// As in the dry run.
    out_of_band: bool,
    /// Kind of the items, as in the counts.
    kind: String,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// What a dry run names, kind by kind and page by page.
#[utoipa::path(get, path = "/plans/{id}/adoption", tag = "plans", params(("id" = PlanId, Path), TriedQuery),
    responses((status = 200, body = Page<ItemView>)))]
async fn tried(
    Staff(ctx): Staff,
    Path(id): Path<PlanId>,
    Query(query): Query<TriedQuery>,
) -> Result<Json<Page<ItemView>>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let day = day_of(&ctx, &query.day)?;
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let effect = tried_effect(ctx, tx, id, day, query.out_of_band, false)?;
            let map = territory::current(&ctx.app);
            let paging = PageQuery {
                limit: query.limit,
                after: query.after,
            };
            let from: usize = paging.after()?.unwrap_or(0);
            let all = effect.items.iter().find(|(kind, _)| *kind == query.kind);
            let all = all.map(|(_, items)| items.as_slice()).unwrap_or_default();
            let items = all.iter().enumerate().skip(from).take(paging.limit() as usize + 1);
            let items: Vec<(usize, &Item)> = items.collect();
            let page = Page::cut(items, paging.limit(), |(at, _)| at + 1);
            let mut page = page.map(|(_, item)| item_view(&map, &effect, &query.kind, item));
            named(tx, &mut page.items)?;
            Ok(page)
        })
        .await
        .map(Json)
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ListQuery {
    /// Only those that touch this area.
    area: Option<AreaId>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Adoptions within the caller's areas, the newest first.
#[utoipa::path(get, path = "/adoptions", tag = "plans", params(ListQuery), responses((status = 200, body = Page<AdoptionView>)))]
async fn list(Staff(ctx): Staff, Query(query): Query<ListQuery>) -> Result<Json<Page<AdoptionView>>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let paging = PageQuery {
                limit: query.limit,
                after: query.after,
            };
            let rows = store::adoptions(tx, paging.after()?, paging.limit())?;
            let page = Page::cut(rows, paging.limit(), |row| (row.created_at.0, row.id.to_string()));
            let map = territory::current(&ctx.app);
            let fits = |row: &AdoptionRow| {
                may_manage(ctx, row.area).is_ok() && query.area.is_none_or(|area| overlap(&map, row.area, area))
            };
            let mut items = Vec::new();
            for row in page.items.into_iter().filter(fits) {
                items.push(view(ctx, tx, row)?);
            }
            Ok(Page { items, next: page.next })
        })
        .await
        .map(Json)
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct ItemsQuery {
    /// Kind of the items, as in the counts; `household` when left out.
    kind: Option<String>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

fn need(ctx: &Ctx, tx: &mut Tx, id: AdoptionId) -> Result<AdoptionRow, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let row = store::adoption(tx, id)?.ok_or_else(Fault::not_found)?;
    may_manage(ctx, row.area)?;
    Ok(row)
}

/// An adoption with what it moved, kind by kind and page by page.
#[utoipa::path(get, path = "/adoptions/{id}", tag = "plans", params(("id" = AdoptionId, Path), ItemsQuery),
    responses((status = 200, body = AdoptionDetail)))]
async fn one(
    Staff(ctx): Staff,
    Path(id): Path<AdoptionId>,
    Query(query): Query<ItemsQuery>,
) -> Result<Json<AdoptionDetail>, Fault> {
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let row = need(ctx, tx, id)?;
            let kind = query.kind.unwrap_or_else(|| "household".to_owned());
            let paging = PageQuery {
                limit: query.limit,
                after: query.after,
            };
            let after: Option<String> = paging.after()?;
            let limit = i64::from(paging.limit()) + 1;
            let rows = store::items_after(tx, id, &kind, after.as_deref().unwrap_or_default(), limit)?;
            let page = Page::cut(rows, paging.limit(), |item| item.id.clone());
            let map = territory::current(&ctx.app);
            let mut page = page.map(|item: ItemRow| ItemView {
                kind: kind.clone(),
                label: item.label(),
                from: item.from.map(|area| of_area(&map, area)),
                to: item.to.map(|area| of_area(&map, area)),
                households: item.detail["households"].as_i64(),
                vacant: item.detail["made"] == true,
                id: item.id,
            });
            named(tx, &mut page.items)?;
            Ok(AdoptionDetail {
                adoption: view(ctx, tx, row)?,
                items: page.items,
                next: page.next,
            })
        })
        .await
        .map(Json)
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
struct UndoInput {
    /// Only says what would happen.
    #[serde(default)]
    dry: bool,
}

/// Says what taking an adoption back would do (`dry`), or does it: what is still to come is called off, what is in force is taken back by
/// a job at once, within the pack's number of days.
#[utoipa::path(post, path = "/adoptions/{id}/undo", tag = "plans", params(("id" = AdoptionId, Path)), request_body = UndoInput,
    responses((status = 200, body = EffectView)))]
async fn undo(
    Staff(ctx): Staff,
    Path(id): Path<AdoptionId>,
    Json(input): Json<UndoInput>,
) -> Result<Json<EffectView>, Fault> {
    if input.dry {
        let read = ctx.app.read(&ctx, move |ctx, tx| {
            let row = need(ctx, tx, id)?;
            let effect = dry_undo(ctx, tx, &row)?;
            effect_view(ctx, tx, &effect, None)
        });
        return read.await.map(Json);
    }
    ctx.app
        .write(&ctx, move |ctx, tx| {
            need(ctx, tx, id)?;
            let mut row = store::adoption_locked(tx, id)?.ok_or_else(Fault::not_found)?;
            match row.state.as_str() {
                "planned" => {
                    row.state = "called_off".to_owned();
                    row.undone_at = Some(ctx.now);
                    row.undone_name = Some(name_of(ctx));
                    store::update(tx, &row)?;
                    store::set_plan_state(ctx, tx, row.plan, "draft")?;
                    act::call_off(ctx, tx, id)?;
                    let body = json!({ "adoption": id.to_string(), "day": row.day });
                    tx.record(ctx, Mark::new("plan.called_off", Subject::Area(row.area), body))?;
                    shown(ctx, tx, row)
                }
                "in_force" => {
                    let effect = dry_undo(ctx, tx, &row)?;
                    if let Some(block) = effect.blocks.first() {
                        return Err(Fault::refused("undo_blocked").with("reason", block.sentence(ctx)));
                    }
                    act::call_back(ctx, tx, id, &name_of(ctx))?;
                    let body = json!({ "adoption": id.to_string(), "counts": effect.counts() });
                    tx.record(ctx, Mark::new("plan.undo_asked", Subject::Area(row.area), body))?;
                    let adoption = Some(view(ctx, tx, row)?);
                    effect_view(ctx, tx, &effect, adoption)
                }
                _ => Err(Fault::refused("adoption_over")),
            }
        })
        .await
        .map(Json)
}
