//! Routes of visiting teams: list, make, change or end, members.

use super::{Membership, NewTeam, Team, TeamChange, store};
use crate::access::Staff;
use crate::platform::http::{Json, Path, Query};
use crate::platform::{App, AreaId, Ctx, Fault, MembershipId, Permission, TeamId, Tx, UnitId, WorkerId};
use crate::territory::{self, AreaBrief};
use crate::workforce::http::{WorkerBrief, day, text, worker_brief};
use crate::workforce::store as workforce;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All routes of visiting teams, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(change))
        .routes(routes!(join))
        .routes(routes!(leave))
}

/// A visiting team.
#[derive(Debug, Serialize, ToSchema)]
struct TeamView {
    id: TeamId,
    name: String,
    /// The unit that sends it.
    unit: TeamUnit,
    liaison: Option<WorkerBrief>,
    areas: Vec<AreaBrief>,
    members: Vec<MemberView>,
    /// ISO date.
    valid_from: String,
    valid_to: Option<String>,
    /// It visits today.
    in_force: bool,
    /// The caller may change it.
    may_change: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct TeamUnit {
    id: UnitId,
    name: String,
}

/// The time one worker is in the team.
#[derive(Debug, Serialize, ToSchema)]
struct MemberView {
    id: MembershipId,
    worker: Option<WorkerBrief>,
    /// ISO date.
    valid_from: String,
    valid_to: Option<String>,
    /// In the team today.
    present: bool,
}

fn views(ctx: &Ctx, tx: &mut Tx, teams: &[Team]) -> Result<Vec<TeamView>, Fault> {
    let map = territory::current(&ctx.app);
    let units: Vec<UnitId> = teams.iter().map(|team| team.unit).collect();
    let units = workforce::unit_names(tx, &units)?;
    let members = teams.iter().flat_map(|team| &team.members).map(|one| one.worker);
    let people: Vec<WorkerId> = teams.iter().map(|team| team.liaison).chain(members).collect();
    let people: HashMap<WorkerId, WorkerBrief> = workforce::workers_of(tx, &people)?
        .into_iter()
        .map(|worker| (worker.id, worker_brief(worker)))
        .collect();
    let today = ctx.now.date();
    let view = |team: &Team| TeamView {
        id: team.id,
        name: team.name.clone(),
        unit: TeamUnit {
            id: team.unit,
            name: units.get(&team.unit).cloned().unwrap_or_default(),
        },
        liaison: people.get(&team.liaison).cloned(),
        areas: team
            .areas
            .iter()
            .filter_map(|id| map.area(*id))
            .map(|area| territory::brief(ctx, area))
            .collect(),
        members: team
            .members
            .iter()
            .map(|one| MemberView {
                id: one.id,
                worker: people.get(&one.worker).cloned(),
                valid_from: one.term.from.to_string(),
                valid_to: one.term.to.map(|day| day.to_string()),
                present: one.term.covers(today),
            })
            .collect(),
        valid_from: team.term.from.to_string(),
        valid_to: team.term.to.map(|day| day.to_string()),
        in_force: team.term.covers(today),
        may_change: may_change(ctx, team),
    };
    Ok(teams.iter().map(view).collect())
}

fn one(ctx: &Ctx, tx: &mut Tx, id: TeamId) -> Result<TeamView, Fault> {
    let team = store::team(tx, id)?.ok_or_else(Fault::not_found)?;
    let view = views(ctx, tx, std::slice::from_ref(&team))?.pop();
    view.ok_or_else(Fault::not_found)
}

/// Whether an area of the team lies in a part of the caller's scope, or around it.
fn meets_scope(ctx: &Ctx, team: &Team) -> bool {
    let map = territory::current(&ctx.app);
    ctx.scope.with(Permission::WorkforceRead).any(|grant| {
        let meets = |own: AreaId| {
            team.areas
                .iter()
                .any(|area| map.is_under(*area, own) || map.is_under(own, *area))
        };
        grant.area.is_none_or(meets)
    })
}

fn covers_all(ctx: &Ctx, areas: &[AreaId]) -> bool {
    let map = territory::current(&ctx.app);
    let covered = |id: &AreaId| {
        let area = map.area(*id);
        area.is_some_and(|area| ctx.scope.covers(&area.chain, Permission::WorkforceManage))
    };
    areas.iter().all(covered)
}

/// A team is changed by whoever manages all of its areas.
fn may_change(ctx: &Ctx, team: &Team) -> bool {
    covers_all(ctx, &team.areas)
}

/// The team, for a change; absent where it may not even be seen.
fn need_team(ctx: &Ctx, team: Option<Team>) -> Result<Team, Fault> {
    let team = team
        .filter(|team| meets_scope(ctx, team))
        .ok_or_else(Fault::not_found)?;
    if may_change(ctx, &team) {
        Ok(team)
    } else {
        Err(Fault::not_found())
    }
}

/// Areas somebody sends: known, and all within what they manage.
fn need_areas(ctx: &Ctx, areas: &[AreaId]) -> Result<(), Fault> {
    let map = territory::current(&ctx.app);
    if areas.iter().any(|id| map.area(*id).is_none()) {
        return Err(Fault::invalid("area_ids", "unknown_area"));
    }
    if covers_all(ctx, areas) {
        Ok(())
    } else {
        Err(Fault::invalid("area_ids", "area_not_managed"))
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TeamsQuery {
    /// Only those the caller may file something for today.
    filing: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
struct TeamList {
    items: Vec<TeamView>,
    next: Option<String>,
}

/// Visiting teams in the caller's areas (at most 500), those in force first.
#[utoipa::path(get, path = "/teams", tag = "place", params(TeamsQuery), responses((status = 200, body = TeamList)))]
async fn list(Staff(ctx): Staff, Query(query): Query<TeamsQuery>) -> Result<Json<TeamList>, Fault> {
    ctx.scope.require(Permission::WorkforceRead)?;
    let items = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let map = territory::current(&ctx.app);
            let files = |team: &Team| {
                let mut areas = team.areas.iter().filter_map(|id| map.area(*id));
                areas.any(|area| team.files(ctx, &area.chain))
            };
            let mut teams = store::teams(tx, ctx.now)?;
            teams.retain(|team| match query.filing {
                Some(true) => files(team),
                _ => meets_scope(ctx, team),
            });
            views(ctx, tx, &teams)
        })
        .await?;
    Ok(Json(TeamList { items, next: None }))
}

#[derive(Debug, Deserialize, ToSchema)]
struct MakeTeam {
    id: TeamId,
    name: String,
    /// The unit that sends it.
    unit_id: UnitId,
    /// A worker who holds a grid post in one of the areas.
    liaison_id: WorkerId,
    area_ids: Vec<AreaId>,
    /// Members from the first day on.
    #[serde(default)]
    member_ids: Vec<WorkerId>,
    valid_from: String,
    valid_to: Option<String>,
}

/// Makes a visiting team.
#[utoipa::path(post, path = "/teams", tag = "place", request_body = MakeTeam, responses((status = 200, body = TeamView)))]
async fn make(Staff(ctx): Staff, Json(make): Json<MakeTeam>) -> Result<Json<TeamView>, Fault> {
    ctx.scope.require(Permission::WorkforceManage)?;
    need_areas(&ctx, &make.area_ids)?;
    let new = NewTeam {
        id: make.id,
        name: text("name", &make.name)?,
        unit: make.unit_id,
        liaison: make.liaison_id,
        areas: make.area_ids,
        members: make.member_ids,
        from: day("valid_from", &make.valid_from)?,
        to: make.valid_to.as_deref().map(|date| day("valid_to", date)).transpose()?,
    };
    let view = ctx
        .app
        .write(&ctx, move |ctx, tx| {
            super::make(ctx, tx, &new)?;
            one(ctx, tx, new.id)
        })
        .await?;
    Ok(Json(view))
}

#[derive(Debug, Deserialize, ToSchema)]
struct ChangeTeam {
    name: Option<String>,
    unit_id: Option<UnitId>,
    liaison_id: Option<WorkerId>,
    area_ids: Option<Vec<AreaId>>,
    /// The last day it visits.
    valid_to: Option<String>,
}

/// Changes a visiting team or ends it.
#[utoipa::path(patch, path = "/teams/{id}", tag = "place", request_body = ChangeTeam, params(("id" = TeamId, Path)),
    responses((status = 200, body = TeamView)))]
async fn change(
    Staff(ctx): Staff,
    Path(id): Path<TeamId>,
    Json(change): Json<ChangeTeam>,
) -> Result<Json<TeamView>, Fault> {
    ctx.scope.require(Permission::WorkforceManage)?;
    let wanted = TeamChange {
        name: change.name.as_deref().map(|name| text("name", name)).transpose()?,
        unit: change.unit_id,
        liaison: change.liaison_id,
        areas: change.area_ids,
        to: change
            .valid_to
            .as_deref()
            .map(|date| day("valid_to", date))
            .transpose()?,
    };
    let view = ctx
        .app
        .write(&ctx, move |ctx, tx| {
            let found = store::team(tx, id)?;
            let team = need_team(ctx, found)?;
            if let Some(areas) = &wanted.areas {
                need_areas(ctx, areas)?;
            }
            super::change(ctx, tx, team, wanted)?;
            one(ctx, tx, id)
        })
        .await?;
    Ok(Json(view))
}

#[derive(Debug, Deserialize, ToSchema)]
struct Join {
    id: MembershipId,
    worker_id: WorkerId,
    valid_from: String,
    valid_to: Option<String>,
}

/// A worker joins a team.
#[utoipa::path(post, path = "/teams/{id}/members", tag = "place", request_body = Join, params(("id" = TeamId, Path)),
    responses((status = 200, body = TeamView)))]
async fn join(Staff(ctx): Staff, Path(id): Path<TeamId>, Json(join): Json<Join>) -> Result<Json<TeamView>, Fault> {
    ctx.scope.require(Permission::WorkforceManage)?;
    let to = join.valid_to.as_deref().map(|date| day("valid_to", date)).transpose()?;
    let new = Membership {
        id: join.id,
        worker: join.worker_id,
        term: super::term(day("valid_from", &join.valid_from)?, to)?,
    };
    let view = ctx
        .app
        .write(&ctx, move |ctx, tx| {
            let found = store::team(tx, id)?;
            need_team(ctx, found)?;
            super::join(ctx, tx, id, &new)?;
            one(ctx, tx, id)
        })
        .await?;
    Ok(Json(view))
}

#[derive(Debug, Deserialize, ToSchema)]
struct Leave {
    /// The last day.
    valid_to: String,
}

/// A worker leaves a team.
#[utoipa::path(patch, path = "/team-members/{id}", tag = "place", request_body = Leave, params(("id" = MembershipId, Path)),
    responses((status = 200, body = TeamView)))]
async fn leave(
    Staff(ctx): Staff,
    Path(id): Path<MembershipId>,
    Json(change): Json<Leave>,
) -> Result<Json<TeamView>, Fault> {
    ctx.scope.require(Permission::WorkforceManage)?;
    let to = day("valid_to", &change.valid_to)?;
    let view = ctx
        .app
        .write(&ctx, move |ctx, tx| {
            let found = store::of_membership(tx, id)?;
            let team = need_team(ctx, found)?;
            let membership = team.members.iter().find(|one| one.id == id);
            let membership = membership.ok_or_else(Fault::not_found)?;
            super::leave(ctx, tx, &team, membership, to)?;
            one(ctx, tx, team.id)
        })
        .await?;
    Ok(Json(view))
}
