//! Workforce 队伍: units, posts with a holder and a stand-in, workers, appointments, leave.
//!
//! Entry points for the parts above: [`route`] (which unit answers), [`responsible`] (who in that unit, now), [`grid_worker_of`] (the
//! grid worker of an area); [`teams`] are the visiting teams. Nothing here is moved when a leave begins or ends: who has the work is asked anew each time (PJ-08).

mod grids;
mod http;
mod maps;
pub mod moves;
mod roster;
mod store;
pub mod teams;

/// For whoever writes the tables of this part without its functions.
pub use roster::changed;
pub use store::{
    LeaveRow, NewAppointment, NewPost, NewUnit, NewWorker, Post, Unit, Worker, add_appointment, add_leave, add_post,
    add_unit, add_worker, unit, unit_by_code, unit_names, worker, worker_names,
};

use crate::platform::{App, AreaId, Ctx, Fault, PostId, Tx, UnitId, WorkerId};
use crate::{policy, territory};
use domain::duties::{Away, falls_to};
use domain::policy::{Candidate, RouteWhy, Source};
use domain::time::Timestamp;
use domain::workforce::on_duty;
pub use domain::workforce::{Ask, OnDuty, Seat};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// All routes of this part, below `/api/v1`.
pub fn routes() -> utoipa_axum::router::OpenApiRouter<App> {
    http::routes().merge(maps::routes()).merge(teams::routes())
}

/// The unit a case goes to, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    pub unit: UnitId,
    /// The rule's body has no unit here: the area's own centre has it.
    pub by_default: bool,
    /// Where the rule comes from.
    pub source: Source,
}

/// The unit that answers for a category in an area (YC-09): one step, any level. `asset` is the kind of line or asset concerned, where
/// known. `None` when the place has no centre yet.
pub fn route(
    app: &App,
    tx: &mut Tx,
    category: &str,
    area: AreaId,
    asset: Option<&str>,
    at: Timestamp,
) -> Result<Option<Routed>, Fault> {
    let current = policy::current(app)?;
    let map = territory::current(app);
    let chain: Vec<AreaId> = map.chain(area).into_iter().map(|one| one.id).collect();
    let kind = map.chain(area).into_iter().rev().find_map(|one| one.kind.clone());
    let roster = roster::of(tx)?;
    let candidates: Vec<Candidate> = roster
        .candidates(&chain, at)
        .into_iter()
        .map(|one| Candidate {
            unit: one.id.into(),
            code: one.code.clone(),
            body: one.body.clone(),
            area: one.area.into(),
        })
        .collect();
    let chain: Vec<domain::ids::AreaId> = chain.into_iter().map(Into::into).collect();
    let choice = current
        .pack
        .route(category, &chain, kind.as_deref(), asset, &candidates);
    Ok(choice.map(|choice| Routed {
        unit: choice.unit.into(),
        by_default: choice.why == RouteWhy::Default,
        source: choice.rule.source.clone(),
    }))
}

/// The grid centre that answers for an area: its own, or the nearest one upward; `levels_up` starts so many levels above the area.
pub fn centre_of(
    app: &App,
    tx: &mut Tx,
    area: AreaId,
    levels_up: usize,
    at: Timestamp,
) -> Result<Option<UnitId>, Fault> {
    let map = territory::current(app);
    let mut chain: Vec<AreaId> = map.chain(area).into_iter().map(|one| one.id).collect();
    chain.truncate(chain.len().saturating_sub(levels_up).max(1));
    let roster = roster::of(tx)?;
    let units = roster.candidates(&chain, at);
    let here = |area: &AreaId| {
        let centres = units
            .iter()
            .filter(|one| one.area == *area && one.body == domain::policy::CENTRE_BODY);
        centres.min_by(|a, b| a.code.cmp(&b.code)).map(|one| one.id)
    };
    Ok(chain.iter().rev().find_map(here))
}

/// The unit of a body at the area of a level around (or at) `area`; none where the place has none.
pub fn unit_of_body(
    app: &App,
    tx: &mut Tx,
    body: &str,
    level: &str,
    area: AreaId,
    at: Timestamp,
) -> Result<Option<UnitId>, Fault> {
    let map = territory::current(app);
    let chain: Vec<AreaId> = map
        .chain(area)
        .into_iter()
        .filter(|one| one.level == level)
        .map(|one| one.id)
        .collect();
    if chain.is_empty() {
        return Ok(None);
    }
    let roster = roster::of(tx)?;
    let units = roster.candidates(&chain, at);
    Ok(units.into_iter().find(|one| one.body == body).map(|one| one.id))
}

/// Who has a duty of a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Responsible {
    pub unit: UnitId,
    pub post: PostId,
    pub on_duty: OnDuty,
    pub worker: Option<WorkerId>,
    pub seat: Option<Seat>,
}

/// Who in `unit` has `duty` for a case in `area` at `at`: the post that serves the deepest area around the case, else one without an
/// area. A post nobody can fill is given back with its gap when no other post of that duty has somebody. `None` without such a post.
pub fn responsible(
    app: &App,
    tx: &mut Tx,
    unit: UnitId,
    duty: &str,
    area: Option<AreaId>,
    ask: Ask,
    at: Timestamp,
) -> Result<Option<Responsible>, Fault> {
    let map = territory::current(app);
    let chain: Vec<AreaId> = area
        .map(|area| map.chain(area))
        .unwrap_or_default()
        .into_iter()
        .map(|one| one.id)
        .collect();
    let mut posts: Vec<Post> = roster::of(tx)?.posts_of_unit(unit, duty).cloned().collect();
    let nearness = |post: &store::Post| match post.area {
        None => Some(0),
        Some(own) => chain.iter().position(|one| *one == own).map(|at| at + 1),
    };
    posts.retain(|post| nearness(post).is_some());
    posts.sort_by(|a, b| nearness(b).cmp(&nearness(a)).then_with(|| a.id.cmp(&b.id)));
    first_present(app, tx, posts, ask, at)
}

/// The post of a duty nearest to an area, at the area or above it, whose holder or stand-in is there; else one with its gap.
pub fn nearest_with_duty(
    app: &App,
    tx: &mut Tx,
    area: AreaId,
    duty: &str,
    ask: Ask,
    at: Timestamp,
) -> Result<Option<Responsible>, Fault> {
    let posts = posts_around(app, tx, area, duty, at)?;
    first_present(app, tx, posts, ask, at)
}

/// Of the posts in this order the first whose holder or stand-in is there; else the first with its gap.
fn first_present(
    app: &App,
    tx: &mut Tx,
    posts: Vec<store::Post>,
    ask: Ask,
    at: Timestamp,
) -> Result<Option<Responsible>, Fault> {
    let mut gap = None;
    for post in posts {
        let found = on_duty_of(app, tx, &post, ask, at)?;
        let one = Responsible {
            unit: post.unit,
            post: post.id,
            on_duty: found,
            worker: found.worker().map(Into::into),
            seat: found.seat(),
        };
        if one.worker.is_some() {
            return Ok(Some(one));
        }
        gap.get_or_insert(one);
    }
    Ok(gap)
}

/// How many people sit in a post today, by area: each once in every area that holds a post of theirs.
pub fn serving(ctx: &Ctx, tx: &mut Tx) -> Result<Arc<HashMap<AreaId, i64>>, Fault> {
    let map = territory::current(&ctx.app);
    Ok(roster::of(tx)?.serving(&map, ctx.now))
}

/// Posts of a duty whose unit is at an area or above it, the nearest first.
fn posts_around(app: &App, tx: &mut Tx, area: AreaId, duty: &str, at: Timestamp) -> Result<Vec<store::Post>, Fault> {
    let chain: Vec<AreaId> = territory::current(app)
        .chain(area)
        .into_iter()
        .map(|one| one.id)
        .collect();
    let roster = roster::of(tx)?;
    let mut posts = roster.posts_of_duty(&chain, duty, at);
    posts.sort_by_key(|(post, area)| (std::cmp::Reverse(chain.iter().position(|one| one == area)), post.id));
    Ok(posts.into_iter().map(|(post, _)| post.clone()).collect())
}

/// Whether a worker holds, or stands in for, a post of a duty at an area or above it.
pub fn has_duty_around(
    app: &App,
    tx: &mut Tx,
    area: AreaId,
    duty: &str,
    worker: WorkerId,
    at: Timestamp,
) -> Result<bool, Fault> {
    for post in posts_around(app, tx, area, duty, at)? {
        let roster = roster::of(tx)?;
        let seats = roster.seats(post.id);
        if seats
            .iter()
            .any(|seat| seat.worker == worker.into() && seat.covers(at.date()))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The seat of a worker in a post of a duty that serves an area in `area`, or around it: its unit and the area served.
pub fn seat_within(
    app: &App,
    tx: &mut Tx,
    worker: WorkerId,
    duty: &str,
    area: AreaId,
    at: Timestamp,
) -> Result<Option<(UnitId, AreaId)>, Fault> {
    let map = territory::current(app);
    for row in store::appointments_of_worker(tx, worker)? {
        if !row.appointment.covers(at.date()) {
            continue;
        }
        let Some(post) = store::post(tx, row.post)?.filter(|post| post.duty == duty) else {
            continue;
        };
        let Some(own) = post.area else { continue };
        if map.is_under(own, area) || map.is_under(area, own) {
            return Ok(Some((post.unit, own)));
        }
    }
    Ok(None)
}

/// Who has a duty in an area now, one for each post that serves just this area.
pub fn seated_in(app: &App, tx: &mut Tx, area: AreaId, duty: &str, at: Timestamp) -> Result<Vec<Responsible>, Fault> {
    let mut found = Vec::new();
    for post in store::posts_of_area(tx, area, duty)? {
        let on_duty = on_duty_of(app, tx, &post, Ask::Own, at)?;
        found.push(Responsible {
            unit: post.unit,
            post: post.id,
            on_duty,
            worker: on_duty.worker().map(Into::into),
            seat: on_duty.seat(),
        });
    }
    Ok(found)
}

/// The rule [`on_duty`] for one post.
pub fn on_duty_of(app: &App, tx: &mut Tx, post: &store::Post, ask: Ask, at: Timestamp) -> Result<OnDuty, Fault> {
    let roster = roster::of(tx)?;
    let appointments = roster.seats(post.id);
    let workers: Vec<WorkerId> = appointments.iter().map(|one| one.worker.into()).collect();
    let leaves = store::leaves_of(tx, &workers, at)?;
    let in_duty = match ask {
        Ask::Own => true,
        Ask::Reach => policy::current(app)?
            .duty(post.shift.as_deref())
            .is_on(at)
            .unwrap_or(true),
    };
    Ok(on_duty(appointments, &leaves, in_duty, ask, at))
}

/// The grid worker of an area, for residents and for alerts.
#[derive(Debug, Clone)]
pub struct GridWorker {
    pub post: PostId,
    pub unit: UnitId,
    /// The area the post serves.
    pub area: AreaId,
    pub on_duty: OnDuty,
    /// A, whether present or not.
    pub holder: Option<WorkerId>,
    /// B, whether needed or not.
    pub stand_in: Option<WorkerId>,
}

/// The grid worker of an area or of the nearest area upward that has one (MG-13). `None` where no such post exists.
pub fn grid_worker_of(
    app: &App,
    tx: &mut Tx,
    area: AreaId,
    ask: Ask,
    at: Timestamp,
) -> Result<Option<GridWorker>, Fault> {
    let map = territory::current(app);
    for area in map.chain(area).into_iter().rev() {
        let Some(post) = store::posts_of_area(tx, area.id, "grid")?.into_iter().next() else {
            continue;
        };
        let roster = roster::of(tx)?;
        let appointments = roster.seats(post.id);
        let seated = |seat| domain::workforce::seated(appointments, seat, at).map(Into::into);
        let found = on_duty_of(app, tx, &post, ask, at)?;
        return Ok(Some(GridWorker {
            post: post.id,
            unit: post.unit,
            area: area.id,
            on_duty: found,
            holder: seated(Seat::A),
            stand_in: seated(Seat::B),
        }));
    }
    Ok(None)
}

/// Every worker seated in the unit on that day, each once.
pub fn workers_of_unit(tx: &mut Tx, unit: UnitId, at: Timestamp) -> Result<Vec<WorkerId>, Fault> {
    store::workers_of_unit(tx, unit, at)
}

/// The grids whose worker somebody is at this moment, holding the post or standing in for who is away.
pub fn grids_of(app: &App, tx: &mut Tx, worker: WorkerId, at: Timestamp) -> Result<Vec<AreaId>, Fault> {
    let mut mine = Vec::new();
    let roster = roster::of(tx)?;
    let posts = roster.posts_of_worker(worker, at).filter(|post| post.duty == "grid");
    let areas: BTreeSet<AreaId> = posts.filter_map(|post| post.area).collect();
    for area in areas {
        let found = grid_worker_of(app, tx, area, Ask::Own, at)?;
        let on_duty = found
            .filter(|found| found.area == area)
            .and_then(|found| found.on_duty.worker());
        if on_duty.map(WorkerId::from) == Some(worker) {
            mine.push(area);
        }
    }
    Ok(mine)
}

/// The areas of the posts of a duty that fall to somebody at this moment: those the worker holds and, unless their work waits for the
/// holder, those the worker stands in for.
pub fn areas_falling_to(
    tx: &mut Tx,
    worker: WorkerId,
    duty: &str,
    away: Away,
    at: Timestamp,
) -> Result<BTreeSet<AreaId>, Fault> {
    let roster = roster::of(tx)?;
    let mut areas = BTreeSet::new();
    for post in roster.posts_of_worker(worker, at).filter(|post| post.duty == duty) {
        let seats = roster.seats(post.id);
        let workers: Vec<WorkerId> = seats.iter().map(|one| one.worker.into()).collect();
        let leaves = store::leaves_of(tx, &workers, at)?;
        if falls_to(away, seats, &leaves, at).map(WorkerId::from) == Some(worker) {
            areas.extend(post.area);
        }
    }
    Ok(areas)
}

/// Whether the work of a duty in an area (`chain` from the top) falls to somebody at this moment, by a post of the area or of one around it.
pub fn somebody_answers(
    tx: &mut Tx,
    chain: &[Option<AreaId>; 5],
    duty: &str,
    away: Away,
    at: Timestamp,
) -> Result<bool, Fault> {
    let roster = roster::of(tx)?;
    for post in chain
        .iter()
        .flatten()
        .flat_map(|area| roster.posts_of_area(*area, duty))
    {
        let seats = roster.seats(post.id);
        let workers: Vec<WorkerId> = seats.iter().map(|one| one.worker.into()).collect();
        let leaves = store::leaves_of(tx, &workers, at)?;
        if falls_to(away, seats, &leaves, at).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Duties of the posts in which somebody sits on that day and which serve an area, or one around it, or no area of their own.
pub fn duties_around(
    app: &App,
    tx: &mut Tx,
    worker: WorkerId,
    area: AreaId,
    at: Timestamp,
) -> Result<Vec<String>, Fault> {
    let map = territory::current(app);
    let serves = |post: &&Post| post.area.is_none_or(|own| map.is_under(area, own));
    let duties: BTreeSet<String> = roster::of(tx)?
        .posts_of_worker(worker, at)
        .filter(serves)
        .map(|post| post.duty.clone())
        .collect();
    Ok(duties.into_iter().collect())
}

/// Units in which a worker sits on that day.
pub fn units_of_worker(tx: &mut Tx, worker: WorkerId, at: Timestamp) -> Result<Vec<UnitId>, Fault> {
    let units: BTreeSet<UnitId> = roster::of(tx)?
        .posts_of_worker(worker, at)
        .map(|post| post.unit)
        .collect();
    Ok(units.into_iter().collect())
}

/// Units, posts and visiting teams in force that belong to an area itself.
pub fn seated_at(tx: &mut Tx, area: AreaId, on: &str) -> Result<i64, Fault> {
    store::seated_at(tx, area, on)
}
