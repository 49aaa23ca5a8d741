//! Carrying out: an adoption at the start of its day, and its way back. Each in one transaction with the completion of its job, so that it
//! takes effect once and whole however often the program is killed; what is kept in memory follows in a job right after.

use super::followers::{FOLLOWERS, Item, Moving};
use super::ground::Ground;
use super::{Effect, beside, find, store};
use crate::platform::jobs::{self, Handler, Outcome};
use crate::platform::*;
use crate::territory::division::{self, Division, Made, Undone};
use crate::territory::{GeoJson, Map};
use crate::{campaigns, cases, duties, policy, territory};
use domain::geo::Region;
use domain::time::{MINUTE_MS, Timestamp};
use jiff::civil::Date;
use serde_json::{Value, json};

/// Carries out what is planned, at the start of its day.
const ADOPT: &str = "plans.adopt";
/// Takes an adoption back.
const UNDO: &str = "plans.undo";
/// Reads the new tree into memory and moves what was entered in between.
const SETTLE: &str = "plans.settle";

/// Makes the jobs known; once at the start.
pub fn register(app: &App) {
    jobs::register(app, ADOPT, Handler::Step(adopt));
    jobs::register(app, UNDO, Handler::Step(undo));
    jobs::register(
        app,
        SETTLE,
        Handler::Long(|ctx, payload| Box::pin(settle(ctx, payload))),
    );
}

/// The first moment of a day of the place.
fn start_of(day: Date) -> Result<Timestamp, Fault> {
    let days = day.since(jiff::civil::date(1970, 1, 1)).map_err(Fault::internal)?;
    Ok(Timestamp::from_day(i64::from(days.get_days()), 0))
}

/// Puts the job that carries an adoption out.
pub fn call(ctx: &Ctx, tx: &mut Tx, id: AdoptionId, day: Date) -> Result<(), Fault> {
    let payload = json!({ "adoption": id.to_string() });
    jobs::enqueue(ctx, tx, ADOPT, &id.to_string(), start_of(day)?.max(ctx.now), &payload)
}

/// Takes that job back.
pub fn call_off(ctx: &Ctx, tx: &mut Tx, id: AdoptionId) -> Result<(), Fault> {
    jobs::revoke(ctx, tx, ADOPT, &id.to_string())
}

/// Puts the job that takes an adoption back, now; `by`: who asked.
pub fn call_back(ctx: &Ctx, tx: &mut Tx, id: AdoptionId, by: &str) -> Result<(), Fault> {
    let payload = json!({ "adoption": id.to_string(), "by": by });
    jobs::enqueue(ctx, tx, UNDO, &id.to_string(), ctx.now, &payload)
}

fn id_of(payload: &Value) -> Result<AdoptionId, Fault> {
    let id = payload["adoption"].as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| Fault::internal("an adoption without its id"))
}

async fn settle(ctx: Ctx, payload: Value) -> Result<jobs::Effect, Fault> {
    territory::load(&ctx.app).await?;
    let since = Timestamp(payload["since"].as_i64().unwrap_or(ctx.now.0));
    Ok(Box::new(move |ctx, tx| {
        if cases::follow::stragglers(ctx, tx, since)? {
            return Ok(Outcome::Again(ctx.now));
        }
        duties::moves::follow(ctx, tx)?;
        campaigns::follow(ctx, tx)?;
        Ok(Outcome::Done)
    }))
}

/// What is kept in memory follows, and who looks on hears of it.
fn follow_up(ctx: &Ctx, tx: &mut Tx, map: &Map, area: AreaId, kind: &'static str) -> Result<(), Fault> {
    // A little before, for those whose clock or reading of the place is a little behind.
    let since = ctx.now.plus_ms(-5 * MINUTE_MS);
    jobs::enqueue(ctx, tx, SETTLE, "settle", ctx.now, &json!({ "since": since.0 }))?;
    tx.publish(LiveEvent {
        topic: Topic::Board,
        kind,
        id: area.to_string(),
        areas: map.area(area).map(|area| area.chain).unwrap_or_default(),
        units: Vec::new(),
    });
    Ok(())
}

fn adopt(ctx: &Ctx, tx: &mut Tx, payload: &Value) -> Result<Outcome, Fault> {
    let id = id_of(payload)?;
    let Some(mut row) = store::adoption_locked(tx, id)?.filter(|row| row.state == "planned") else {
        return Ok(Outcome::Done);
    };
    let plan = store::plan(tx, row.plan)?.ok_or_else(Fault::not_found)?;
    let planned: Date = row.day.parse().map_err(Fault::internal)?;
    // After standing still it comes into force on the day it really does.
    let day = planned.max(ctx.now.date());
    let map = division::map(tx)?;
    let ground = Ground::of_plan(ctx, tx, &map, row.plan, true)?;
    let mut effect = find(ctx, tx, &map, &ground, day, None)?;
    effect.blocks.extend(beside(tx, &map, &plan, Some(id))?);
    if !effect.blocks.is_empty() {
        row.state = "blocked".to_owned();
        row.blocks = blocks_text(&effect);
        store::update(tx, &row)?;
        store::set_plan_state(ctx, tx, row.plan, "draft")?;
        let body = json!({ "adoption": id.to_string(), "day": row.day, "blocks": row.blocks });
        tx.record(ctx, Mark::new("plan.blocked", Subject::Area(row.area), body))?;
        return Ok(Outcome::Done);
    }
    let (division, areas) = divide(ctx, &map, &ground, &mut effect)?;
    let (version, were) = division::divide(ctx, tx, &division, day, &id.to_string())?;
    let after = division::map(tx)?;
    let (before_digest, after_digest) = (division::digest(&map, row.area), division::digest(&after, row.area));
    let body = json!({
        "adoption": id.to_string(), "plan": row.plan.to_string(), "day": day.to_string(), "by": row.created_name,
        "version": version, "before": before_digest, "after": after_digest,
    });
    let ledger = tx.record(ctx, Mark::new("plan.adopted", Subject::Area(row.area), body))?;
    keep_areas(tx, id, &effect, &areas, &were)?;
    let moving = Moving {
        ctx,
        places: &effect.places,
        map: &after,
        day,
        version,
        adoption: id,
        undoing: false,
        ledger,
    };
    row.counts = effect.counts().to_string();
    for follower in &FOLLOWERS {
        let Some((_, items)) = effect.items.iter_mut().find(|(kind, _)| *kind == follower.kind) else {
            continue;
        };
        (follower.carry)(&moving, tx, items)?;
        let rows = items.iter().map(|item| row_of(&moving, follower.kind, item));
        store::insert_items(tx, id, follower.kind, rows)?;
    }
    for place in &effect.places {
        if let Some(no) = place.no {
            store::set_grid_code(tx, row.plan, no, &place.code)?;
        }
    }
    let undo_days = i64::from(policy::current(&ctx.app)?.pack.thresholds.plan_undo_days.value);
    let until = day
        .checked_add(jiff::Span::new().days(undo_days))
        .map_err(Fault::internal)?;
    row.state = "in_force".to_owned();
    row.in_force_from = Some(day.to_string());
    row.undo_until = Some(until.to_string());
    (row.digest_before, row.digest_after) = (Some(before_digest), Some(after_digest));
    row.done_at = Some(ctx.now);
    store::update(tx, &row)?;
    follow_up(ctx, tx, &after, row.area, "plan.adopted")?;
    Ok(Outcome::Done)
}

fn blocks_text(effect: &Effect) -> String {
    let all = effect.blocks.iter().map(|block| {
        let params: serde_json::Map<String, Value> = block
            .params
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        json!({ "code": block.code, "params": params })
    });
    Value::Array(all.collect()).to_string()
}

/// What territory is told, with the ids of the new grids, which the places have from here on. The second: the areas made, by place.
fn divide(
    ctx: &Ctx,
    map: &Map,
    ground: &Ground,
    effect: &mut Effect,
) -> Result<(Division, Vec<(usize, AreaId)>), Fault> {
    let mut division = Division::default();
    let mut made = Vec::new();
    for (at, place) in effect.places.iter_mut().enumerate() {
        let region = place.outline.as_deref().map(region).transpose()?;
        match place.area {
            // A grid that goes on keeps its boundary where the plan draws none, or the same.
            Some(area) => {
                let new = region.filter(|region| !same(map.region(area), region));
                division.kept.extend(new.map(|region| (area, Some(region))));
            }
            None => {
                let id: AreaId = ctx.app.new_id();
                place.area = Some(id);
                made.push((at, id));
                let depth = map.ever(place.community).map_or(0, |area| area.depth);
                let level = super::level_below(ctx, depth)?.map(|(key, _)| key).unwrap_or_default();
                division.made.push(Made {
                    id,
                    code: place.code.clone(),
                    name: place.name.clone(),
                    level,
                    parent: place.community,
                    region,
                });
            }
        }
    }
    let area = |at: usize| effect.places.get(at).and_then(|place| place.area);
    for (ended, heirs) in &ground.ended {
        let heirs = heirs
            .iter()
            .filter_map(|(at, households)| Some((area(*at)?, *households)));
        division.ended.push((*ended, heirs.collect()));
    }
    Ok((division, made))
}

fn same(old: Option<&Region>, new: &Region) -> bool {
    old.is_some_and(|old| json!(GeoJson::of(old)) == json!(GeoJson::of(new)))
}

fn region(text: &str) -> Result<Region, Fault> {
    let shape: GeoJson = serde_json::from_str(text).map_err(Fault::internal)?;
    Ok(shape.into_region())
}

/// Notes which areas were made, went on (with the boundary of before) and ended.
fn keep_areas(
    tx: &mut Tx,
    id: AdoptionId,
    effect: &Effect,
    made: &[(usize, AreaId)],
    were: &[(AreaId, Option<String>)],
) -> Result<(), Fault> {
    let area = |to: Option<usize>| to.and_then(|at| effect.places.get(at)?.area);
    for (kind, items) in &effect.items {
        let rows: Vec<store::ItemRow> = match *kind {
            "area_made" => made
                .iter()
                .map(|(at, area)| store::ItemRow {
                    id: area.to_string(),
                    from: None,
                    to: Some(*area),
                    detail: json!({ "label": effect.places[*at].name, "households": effect.places[*at].households }),
                })
                .collect(),
            "area_kept" | "area_ended" => items
                .iter()
                .map(|item| {
                    let was = were.iter().find(|(area, _)| Some(*area) == item.from);
                    store::ItemRow {
                        id: item.id.clone(),
                        from: item.from,
                        to: area(item.to),
                        detail: json!({
                            "label": item.label, "households": item.detail["households"],
                            "redrawn": was.is_some(), "boundary": was.and_then(|(_, shape)| shape.clone()),
                        }),
                    }
                })
                .collect(),
            _ => continue,
        };
        store::insert_items(tx, id, kind, rows)?;
    }
    Ok(())
}

fn row_of(moving: &Moving<'_>, kind: &str, item: &Item) -> store::ItemRow {
    let mut detail = item.detail.clone();
    // Of dwellings there are many, and they say themselves what they are called.
    if kind != "household" {
        if detail.is_null() {
            detail = json!({});
        }
        if let Value::Object(fields) = &mut detail {
            fields.insert("label".into(), json!(item.label));
        }
    }
    store::ItemRow {
        id: item.id.clone(),
        from: item.from,
        to: item.to.and_then(|at| moving.places.get(at)?.area),
        detail,
    }
}

fn undo(ctx: &Ctx, tx: &mut Tx, payload: &Value) -> Result<Outcome, Fault> {
    let id = id_of(payload)?;
    let Some(mut row) = store::adoption_locked(tx, id)?.filter(|row| row.state == "in_force") else {
        return Ok(Outcome::Done);
    };
    let map = division::map(tx)?;
    let mut effect = super::undo_of(ctx, tx, &map, &row)?;
    if !effect.blocks.is_empty() {
        let body = json!({ "adoption": id.to_string(), "blocks": blocks_text(&effect) });
        tx.record(ctx, Mark::new("plan.undo_blocked", Subject::Area(row.area), body))?;
        return Ok(Outcome::Done);
    }
    let day = ctx.now.date();
    let since: Date = row
        .in_force_from
        .clone()
        .unwrap_or_default()
        .parse()
        .map_err(Fault::internal)?;
    let ground = Ground::back(tx, &map, id)?;
    let place = |at: usize| ground.places.get(at).and_then(|place| place.area);
    let kept = store::items(tx, id, "area_kept")?;
    let redrawn = kept.iter().filter(|item| item.detail["redrawn"] == true);
    let undone = Undone {
        made: store::areas_of(tx, id, "area_made")?,
        kept: redrawn
            .filter_map(|item| {
                Some((
                    item.id.parse().ok()?,
                    item.detail["boundary"].as_str().map(str::to_owned),
                ))
            })
            .collect(),
        ended: store::areas_of(tx, id, "area_ended")?,
        back: ground
            .ended
            .iter()
            .map(|(area, heirs)| {
                (
                    *area,
                    heirs.iter().filter_map(|(at, n)| Some((place(*at)?, *n))).collect(),
                )
            })
            .collect(),
    };
    let version = division::rejoin(ctx, tx, &undone, since, day, &id.to_string())?;
    let after = division::map(tx)?;
    let by = payload["by"].as_str().unwrap_or_default();
    let body = json!({
        "adoption": id.to_string(), "plan": row.plan.to_string(), "day": day.to_string(), "by": by, "version": version,
        "tree": division::digest(&after, row.area), "tree_before": row.digest_before,
    });
    let ledger = tx.record(ctx, Mark::new("plan.undone", Subject::Area(row.area), body))?;
    let moving = Moving {
        ctx,
        places: &effect.places,
        map: &after,
        day,
        version,
        adoption: id,
        undoing: true,
        ledger,
    };
    for follower in &FOLLOWERS {
        if let Some((_, items)) = effect.items.iter_mut().find(|(kind, _)| *kind == follower.kind) {
            (follower.carry)(&moving, tx, items)?;
        }
    }
    row.state = "undone".to_owned();
    row.undone_from = Some(day.to_string());
    row.undone_at = Some(ctx.now);
    row.undone_name = Some(by.to_owned());
    store::update(tx, &row)?;
    store::set_plan_state(ctx, tx, row.plan, "undone")?;
    follow_up(ctx, tx, &after, row.area, "plan.undone")?;
    Ok(Outcome::Done)
}
