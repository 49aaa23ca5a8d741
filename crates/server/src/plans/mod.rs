//! Plans 方案: named drafts that put dwellings into grids, compared and changed by hand until one is adopted.
//!
//! Entry points: [`create`], [`ask_to_draw`] (a job does it, see [`draw`]), [`paint`], [`find`]. One community is worked on at a time and whole
//! in memory ([`table::Table`]); no grid reaches beyond it. What is drawn is judged by the solver's own checker before it is shown as ready.
//! [`adopt`]: a plan comes into force on a day, and can be taken back; nothing else here changes an area. [`zonings`]: departments' own
//! zonings laid over grids.

pub mod adopt;
pub mod draw;
mod figures;
mod http;
mod labels;
mod options;
mod outline;
mod paint;
mod store;
mod table;
pub mod zonings;

pub use figures::BlockFigures;
pub use options::{BandWish, GoalWish, KeepWhole, Options, Weights};
pub use paint::{Painted, Stroke, paint};
pub use store::{GridRow, Zone, grids_page, numbers};

use crate::platform::*;
use crate::territory::dwellings::planned_area;
use crate::territory::{self, Area, Map, current};
use serde_json::json;

/// Longest name; longest note or comment.
const NAME: usize = 60;
const TEXT: usize = 2_000;

/// How far a plan has come in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Draft,
    Adopted,
    Undone,
    Dropped,
}

impl State {
    const ALL: [State; 4] = [State::Draft, State::Adopted, State::Undone, State::Dropped];

    pub fn key(self) -> &'static str {
        match self {
            State::Draft => "draft",
            State::Adopted => "adopted",
            State::Undone => "undone",
            State::Dropped => "dropped",
        }
    }

    fn from_key(key: &str) -> Option<State> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// Where its grids come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Draw,
    Redraw,
    Today,
    Copy,
    Overlay,
}

impl Origin {
    const ALL: [Origin; 5] = [
        Origin::Draw,
        Origin::Redraw,
        Origin::Today,
        Origin::Copy,
        Origin::Overlay,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Origin::Draw => "draw",
            Origin::Redraw => "redraw",
            Origin::Today => "today",
            Origin::Copy => "copy",
            Origin::Overlay => "overlay",
        }
    }

    fn from_key(key: &str) -> Option<Origin> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// How far its grids are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Empty,
    Waiting,
    Drawing,
    Ready,
    Failed,
    Cancelled,
}

impl Phase {
    const ALL: [Phase; 6] = [
        Phase::Empty,
        Phase::Waiting,
        Phase::Drawing,
        Phase::Ready,
        Phase::Failed,
        Phase::Cancelled,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Phase::Empty => "empty",
            Phase::Waiting => "waiting",
            Phase::Drawing => "drawing",
            Phase::Ready => "ready",
            Phase::Failed => "failed",
            Phase::Cancelled => "cancelled",
        }
    }

    fn from_key(key: &str) -> Option<Phase> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }
}

/// A plan as kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub id: PlanId,
    pub name: String,
    /// What it covers, and the areas that lies in.
    pub area: AreaId,
    pub areas: [Option<AreaId>; 5],
    pub state: State,
    pub origin: Origin,
    pub from: Option<PlanId>,
    pub options: Options,
    pub phase: Phase,
    pub cancel_asked: bool,
    /// Code of what went wrong in drawing.
    pub fault: Option<String>,
    pub base_version: i64,
    pub note: String,
    pub created_by: String,
    pub created_at: i64,
    pub changed_at: i64,
}

/// A plan to be made.
#[derive(Debug, Clone)]
pub struct NewPlan {
    pub name: String,
    pub area: AreaId,
    pub origin: Origin,
    pub from: Option<PlanId>,
    pub options: Options,
    pub note: String,
}

/// Makes a draft and has its grids made.
pub fn create(ctx: &Ctx, tx: &mut Tx, new: NewPlan) -> Result<Plan, Fault> {
    let plan = insert(ctx, tx, new)?;
    ask_to_draw(ctx, tx, plan.id, plan.origin)
}

/// Makes a draft without grids; for whoever puts them there by [`draw::put`].
pub fn insert(ctx: &Ctx, tx: &mut Tx, new: NewPlan) -> Result<Plan, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let area = planned_area(ctx, new.area).map_err(|_| Fault::invalid("area_id", "area_unknown"))?;
    let depth = crate::territory::dwellings::community_depth(&ctx.app)?;
    if area.depth > depth {
        return Err(Fault::invalid("area_id", "plan_area_too_low"));
    }
    if let Some(from) = new.from {
        let from = find(ctx, tx, from).map_err(|_| Fault::invalid("from", "plan_unknown"))?;
        if from.area != area.id {
            return Err(Fault::invalid("from", "plan_other_area"));
        }
    } else if new.origin == Origin::Copy {
        return Err(Fault::invalid("from", "plan_unknown"));
    }
    let plan = Plan {
        id: ctx.app.new_id(),
        name: named(&new.name)?,
        area: area.id,
        areas: area.chain,
        state: State::Draft,
        origin: new.origin,
        from: new.from,
        options: new.options.complete(ctx)?,
        phase: Phase::Empty,
        cancel_asked: false,
        fault: None,
        base_version: current(&ctx.app).version,
        note: noted(&new.note)?,
        created_by: ctx.actor.key(),
        created_at: ctx.now.0,
        changed_at: ctx.now.0,
    };
    store::insert(tx, &plan)?;
    let body = json!({ "area": plan.area.to_string(), "origin": plan.origin.key(), "from": plan.from.map(|id| id.to_string()) });
    tx.record(ctx, Mark::new("plan.created", Subject::Plan(plan.id), body))?;
    Ok(plan)
}

fn named(name: &str) -> Result<String, Fault> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME {
        return Err(Fault::invalid("name", "plan_name_length").with("most", NAME));
    }
    Ok(name.to_owned())
}

fn noted(note: &str) -> Result<String, Fault> {
    if note.chars().count() > TEXT {
        return Err(Fault::invalid("note", "plan_text_length").with("most", TEXT));
    }
    Ok(note.trim().to_owned())
}

/// A plan of an area the caller plans in; absent otherwise.
pub fn find(ctx: &Ctx, tx: &mut Tx, id: PlanId) -> Result<Plan, Fault> {
    let plan = store::find(tx, id)?.ok_or_else(Fault::not_found)?;
    if !ctx.scope.covers(&plan.areas, Permission::TerritoryManage) {
        return Err(Fault::not_found());
    }
    Ok(plan)
}

/// A draft that may be changed now.
pub fn editable(ctx: &Ctx, tx: &mut Tx, id: PlanId) -> Result<Plan, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let plan = find(ctx, tx, id)?;
    if plan.state != State::Draft {
        return Err(Fault::conflict("plan_not_a_draft"));
    }
    if matches!(plan.phase, Phase::Waiting | Phase::Drawing) {
        return Err(Fault::conflict("plan_busy"));
    }
    Ok(plan)
}

/// Plans of an area and below that the caller sees, newest first, one more than `limit` when there are more; dropped ones only where asked for.
pub fn page(
    ctx: &Ctx,
    tx: &mut Tx,
    area: Option<&Area>,
    dropped: bool,
    after: Option<PlanId>,
    limit: u32,
) -> Result<Vec<Plan>, Fault> {
    store::page(tx, &ctx.scope, area, dropped, after, limit)
}

/// What is to change of a draft.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<String>,
    pub note: Option<String>,
    /// For the next drawing; the figures follow the new bands at once only by drawing.
    pub options: Option<Options>,
}

/// Changes what a draft is called and how it is drawn next.
pub fn change(ctx: &Ctx, tx: &mut Tx, id: PlanId, change: Change) -> Result<Plan, Fault> {
    let mut plan = editable(ctx, tx, id)?;
    if let Some(name) = &change.name {
        plan.name = named(name)?;
    }
    if let Some(note) = &change.note {
        plan.note = noted(note)?;
    }
    if let Some(options) = change.options {
        plan.options = options.complete(ctx)?;
    }
    save(ctx, tx, plan, "plan.changed", json!({}))
}

/// Puts a draft away; nothing of it is lost.
pub fn drop_plan(ctx: &Ctx, tx: &mut Tx, id: PlanId) -> Result<Plan, Fault> {
    let plan = Plan {
        state: State::Dropped,
        ..editable(ctx, tx, id)?
    };
    save(ctx, tx, plan, "plan.dropped", json!({}))
}

/// Has the grids of a draft made: anew, or with the fewest households that change grid. Locked grids stay.
pub fn ask_to_draw(ctx: &Ctx, tx: &mut Tx, id: PlanId, how: Origin) -> Result<Plan, Fault> {
    let plan = Plan {
        phase: Phase::Waiting,
        cancel_asked: false,
        fault: None,
        ..editable(ctx, tx, id)?
    };
    draw::enqueue(ctx, tx, id, how)?;
    save(ctx, tx, plan, "plan.draw_asked", json!({ "how": how.key() }))
}

/// Stops a drawing. What is drawn so far stays.
pub fn cancel(ctx: &Ctx, tx: &mut Tx, id: PlanId) -> Result<Plan, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let plan = find(ctx, tx, id)?;
    if !matches!(plan.phase, Phase::Waiting | Phase::Drawing) {
        return Err(Fault::conflict("plan_not_drawing"));
    }
    let app = ctx.app.clone();
    tx.on_commit(move || draw::stop(&app, id));
    let plan = Plan {
        cancel_asked: true,
        ..plan
    };
    save(ctx, tx, plan, "plan.cancel_asked", json!({}))
}

/// Says what became of a draft: for adoption and its undoing.
pub fn set_state(ctx: &Ctx, tx: &mut Tx, plan: Plan, state: State) -> Result<Plan, Fault> {
    save(
        ctx,
        tx,
        Plan { state, ..plan },
        "plan.state",
        json!({ "state": state.key() }),
    )
}

fn save(ctx: &Ctx, tx: &mut Tx, plan: Plan, action: &'static str, body: serde_json::Value) -> Result<Plan, Fault> {
    let plan = Plan {
        changed_at: ctx.now.0.max(plan.changed_at + 1),
        ..plan
    };
    store::update(tx, &plan)?;
    tx.record(ctx, Mark::new(action, Subject::Plan(plan.id), body))?;
    Ok(plan)
}

/// Names or locks a grid of a draft.
pub fn change_grid(
    ctx: &Ctx,
    tx: &mut Tx,
    id: PlanId,
    no: u32,
    name: Option<String>,
    lock: Option<bool>,
) -> Result<GridRow, Fault> {
    let plan = editable(ctx, tx, id)?;
    let mut grid = store::grid(tx, id, no)?.ok_or_else(Fault::not_found)?;
    if let Some(name) = &name {
        grid.name = named(name)?;
    }
    grid.locked = lock.unwrap_or(grid.locked);
    store::name_grid(tx, id, &grid)?;
    save(
        ctx,
        tx,
        plan,
        "plan.grid_changed",
        json!({ "no": no, "locked": grid.locked }),
    )?;
    Ok(grid)
}

/// A comment on a plan or on one of its grids.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    pub id: PlanCommentId,
    pub no: Option<u32>,
    pub body: String,
    pub at: i64,
    pub by: String,
}

/// Keeps a comment.
pub fn comment(ctx: &Ctx, tx: &mut Tx, id: PlanId, no: Option<u32>, body: &str) -> Result<Comment, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let plan = find(ctx, tx, id)?;
    if body.trim().is_empty() || body.chars().count() > TEXT {
        return Err(Fault::invalid("text", "plan_text_length").with("most", TEXT));
    }
    if let Some(no) = no {
        store::grid(tx, plan.id, no)?.ok_or_else(|| Fault::invalid("no", "plan_no_grid"))?;
    }
    let one = Comment {
        id: ctx.app.new_id(),
        no,
        body: body.trim().to_owned(),
        at: ctx.now.0,
        by: ctx.actor.name().to_owned(),
    };
    store::insert_comment(tx, id, &one)?;
    tx.record(
        ctx,
        Mark::new(
            "plan.commented",
            Subject::Plan(id),
            json!({ "comment": one.id.to_string(), "no": no }),
        ),
    )?;
    Ok(one)
}

/// Comments of a plan, oldest first, one more than `limit` when there are more.
pub fn comments(tx: &mut Tx, id: PlanId, after: Option<PlanCommentId>, limit: u32) -> Result<Vec<Comment>, Fault> {
    store::comments(tx, id, after, limit)
}

/// All routes of this part, below `/api/v1`.
pub fn routes() -> utoipa_axum::router::OpenApiRouter<App> {
    http::routes().merge(adopt::routes()).merge(zonings::routes())
}

/// Makes the jobs of this part known; once at the start.
pub fn register(app: &App) {
    draw::register(app);
    adopt::register(app);
}

/// Whether the caller may divide an area anew; absent otherwise.
fn may_manage(ctx: &Ctx, area: AreaId) -> Result<(), Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let map = territory::current(&ctx.app);
    let chain = map.ever(area).map(|area| area.chain).ok_or_else(Fault::not_found)?;
    if ctx.scope.covers(&chain, Permission::TerritoryManage) {
        Ok(())
    } else {
        Err(Fault::not_found())
    }
}

/// Whether one of two areas lies in the other.
fn overlap(map: &Map, a: AreaId, b: AreaId) -> bool {
    let under = |low: AreaId, top: AreaId| map.ever(low).is_some_and(|area| area.chain.contains(&Some(top)));
    under(a, b) || under(b, a)
}

/// Name of who acts; empty for the program.
fn name_of(ctx: &Ctx) -> String {
    match &ctx.actor {
        Actor::Account { name, .. } => name.clone(),
        _ => String::new(),
    }
}
