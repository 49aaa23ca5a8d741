//! Painting by hand: dwellings of one community put into another grid. While a finger drags nothing is stored and the answer must come at once:
//! the table of the community is held in memory until the plan or its dwellings change.

use super::draw::{Loaded, finish, put, rules, table};
use super::figures::{self, GridFigures};
use super::store;
use super::table::Table;
use super::{Plan, editable, save};
use crate::platform::*;
use crate::territory::dwellings;
use serde_json::json;
use solver::partition::NONE;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Dwellings painted at once.
pub const MOST_PAINTED: usize = 5_000;
/// Pieces told as impossible in one community, at most.
const MOST_ZONES: u32 = 1_000;
/// Communities held in memory.
const HELD: usize = 8;

/// What a stroke puts where.
#[derive(Debug, Clone)]
pub struct Stroke {
    pub dwellings: Vec<DwellingId>,
    /// The number of a grid of the same community; none: a new grid.
    pub to: Option<u32>,
}

/// A grid that a stroke touches, as it is afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct TouchedGrid {
    pub no: u32,
    /// None for a grid that is gone.
    pub figures: Option<GridFigures>,
    /// The stroke breaks it into more pieces than it was in.
    pub breaks: bool,
}

/// What a stroke does.
#[derive(Debug, Clone, PartialEq)]
pub struct Painted {
    pub grids: Vec<TouchedGrid>,
    /// Number of the new grid, if one was made.
    pub made: Option<u32>,
}

/// A community of a plan in memory, and what it was made from.
struct Held {
    plan: PlanId,
    community: AreaId,
    /// Of the plan, and of the dwellings.
    change: (i64, i64),
    table: Table,
    grid: Vec<u32>,
    locked: BTreeSet<u32>,
    next: u32,
}

#[derive(Default)]
struct Holding(Mutex<Vec<Arc<Held>>>);

/// Paints, or says what painting would do. Refused: over the border of the community, out of or into a locked grid, and what breaks a grid apart.
pub fn paint(ctx: &Ctx, tx: &mut Tx, id: PlanId, stroke: &Stroke, dry: bool) -> Result<Painted, Fault> {
    let plan = editable(ctx, tx, id)?;
    if stroke.dwellings.is_empty() || stroke.dwellings.len() > MOST_PAINTED {
        return Err(Fault::invalid("dwellings", "plan_paint_count").with("most", MOST_PAINTED));
    }
    let absent = || Fault::invalid("dwellings", "plan_paint_apart");
    let first = dwellings::find(tx, stroke.dwellings[0])?.ok_or_else(absent)?;
    let held = held(ctx, tx, &plan, first.community)?;
    let places: Option<Vec<u32>> = stroke
        .dwellings
        .iter()
        .map(|id| held.table.place.get(id).copied())
        .collect();
    let places = places.ok_or_else(absent)?;
    let to = stroke.to.unwrap_or(held.next);
    if stroke.to.is_some() && !held.grid.contains(&to) {
        return Err(Fault::invalid("to", "plan_no_grid"));
    }
    let (after, touched) = stroked(&held, &places, to)?;
    let before = figures::members(&held.grid);
    let now = figures::members(&after);
    let rules = rules(&ctx.app)?;
    let grids: Vec<TouchedGrid> = touched
        .iter()
        .map(|no| {
            let figures = now
                .get(no)
                .map(|members| figures::of_grid(&held.table, &rules, members));
            let pieces = before.get(no).map_or(1, |members| held.table.pieces(members).max(1));
            let breaks = figures.as_ref().is_some_and(|figures| figures.pieces > pieces);
            TouchedGrid {
                no: *no,
                figures,
                breaks,
            }
        })
        .collect();
    let painted = Painted {
        made: stroke.to.is_none().then_some(to),
        grids,
    };
    if dry {
        return Ok(painted);
    }
    if painted.grids.iter().any(|grid| grid.breaks) {
        return Err(Fault::refused("plan_paint_breaks"));
    }
    keep(ctx, tx, plan, first.community, after, &touched)?;
    Ok(painted)
}

/// The grid of each dwelling after the stroke, and the numbers it touches.
fn stroked(held: &Held, places: &[u32], to: u32) -> Result<(Vec<u32>, Vec<u32>), Fault> {
    let mut after = held.grid.clone();
    let mut touched = BTreeSet::from([to]);
    for place in places {
        let no = std::mem::replace(&mut after[*place as usize], to);
        if no != NONE && no != to {
            touched.insert(no);
        }
    }
    if touched.iter().any(|no| held.locked.contains(no)) {
        return Err(Fault::refused("plan_paint_locked"));
    }
    Ok((after, touched.into_iter().collect()))
}

fn held(ctx: &Ctx, tx: &mut Tx, plan: &Plan, community: AreaId) -> Result<Arc<Held>, Fault> {
    let map = crate::territory::current(&ctx.app);
    let inside = map.is_under(community, plan.area);
    if !inside {
        return Err(Fault::invalid("dwellings", "plan_paint_apart"));
    }
    let change = (plan.changed_at, dwellings::last_change(tx, community)?);
    let holding = ctx.app.part::<Holding>();
    let lock = || holding.0.lock().unwrap_or_else(PoisonError::into_inner);
    let known = |held: &&Arc<Held>| held.plan == plan.id && held.community == community;
    if let Some(held) = lock().iter().find(known).filter(|held| held.change == change) {
        return Ok(held.clone());
    }
    let table = table(ctx, plan, community, dwellings::block(tx, community, false)?);
    let numbers = store::numbers(tx, plan.id, community)?;
    let number = |one: &dwellings::Dwelling| numbers.get(&one.id).copied().unwrap_or(NONE);
    let grid = table.block.dwellings.iter().map(number).collect();
    let rows = store::grids(tx, plan.id, community)?;
    let held = Arc::new(Held {
        plan: plan.id,
        community,
        change,
        table,
        grid,
        locked: rows.iter().filter(|row| row.locked).map(|row| row.no).collect(),
        next: store::last_number(tx, plan.id)? + 1,
    });
    let mut all = lock();
    all.retain(|other| !known(&other));
    if all.len() >= HELD {
        all.remove(0);
    }
    all.push(held.clone());
    Ok(held)
}

/// Stores the grids as they are now.
fn keep(ctx: &Ctx, tx: &mut Tx, plan: Plan, community: AreaId, after: Vec<u32>, touched: &[u32]) -> Result<(), Fault> {
    let id = plan.id;
    let table = table(ctx, &plan, community, dwellings::block(tx, community, true)?);
    let rows: BTreeMap<u32, store::GridRow> = store::grids(tx, id, community)?
        .into_iter()
        .map(|row| (row.no, row))
        .collect();
    let loaded = Loaded {
        community,
        next: NONE,
        table,
        grid: after,
        rows,
    };
    let broken = store::zones(tx, id, Some(community), MOST_ZONES)?;
    let made = finish(&ctx.app, loaded, Vec::new(), false, Some(touched))?;
    let out: BTreeSet<u32> = made.rows.iter().filter(|row| !row.in_band).map(|row| row.no).collect();
    // What was impossible and is no longer broken is told no more.
    let zones = broken
        .into_iter()
        .filter(|zone| zone.broken.iter().any(|no| out.contains(no)))
        .collect();
    put(tx, id, &super::draw::Made { zones, ..made })?;
    save(
        ctx,
        tx,
        plan,
        "plan.painted",
        json!({ "community": community.to_string(), "grids": touched }),
    )?;
    Ok(())
}
