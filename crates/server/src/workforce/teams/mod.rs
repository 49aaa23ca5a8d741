//! Visiting teams 走访队 (LH-22): a unit sends one, a grid worker is its liaison, its members listen in its areas.
//!
//! Entry points: [`make`], [`change`], [`join`], [`leave`] (who is in a team and where it goes), [`team`] and [`Team`] (what cases ask),
//! [`liaison_now`] and [`led_by`] (who owes the answers now: asked anew each time, so leave needs no entry here).
//! Must not: know a case.

mod http;
mod store;

pub use http::routes;
pub use store::{Team, team, team_names, teams};

use super::{Ask, on_duty_of, seat_within, store as workforce};
use crate::platform::{
    Actor, App, AreaId, Ctx, Fault, Mark, MembershipId, Permission, Scope, Subject, TeamId, Tx, UnitId, WorkerId,
};
use crate::territory;
use domain::time::Timestamp;
use domain::workforce::Term;
use jiff::civil::Date;
use serde_json::json;

/// Duty of the post a liaison holds.
const GRID: &str = "grid";
/// Areas of one team.
const MAX_AREAS: usize = 50;

/// The time one worker is in a team.
#[derive(Debug, Clone, PartialEq)]
pub struct Membership {
    pub id: MembershipId,
    pub worker: WorkerId,
    pub term: Term,
}

impl Team {
    /// Whether an area is one of those the team visits, or lies in one.
    pub fn visits(&self, app: &App, area: AreaId) -> bool {
        let map = territory::current(app);
        self.areas.iter().any(|own| map.is_under(area, *own))
    }

    /// Whether a worker goes with the team on a day: its liaison or a member.
    pub fn includes(&self, worker: WorkerId, day: Date) -> bool {
        let member = |one: &Membership| one.worker == worker && one.term.covers(day);
        self.term.covers(day) && (self.liaison == worker || self.members.iter().any(member))
    }

    /// Whether the caller may file what the team heard in an area (its chain): somebody who goes with it today, or a clerk of the area.
    /// Who works in the field files under the own name only.
    pub fn files(&self, ctx: &Ctx, area: &[Option<AreaId>; 5]) -> bool {
        let own =
            matches!(&ctx.actor, Actor::Account { worker: Some(worker), .. } if self.includes(*worker, ctx.now.date()));
        let desks = ctx.scope.with(Permission::CaseIntake);
        let desks = desks.filter(|grant| !grant.permissions.has(Permission::FieldUse));
        let clerk = Scope {
            grants: desks.cloned().collect(),
        };
        own || (self.term.covers(ctx.now.date()) && clerk.covers(area, Permission::CaseIntake))
    }
}

/// A team to be made.
#[derive(Debug, Clone)]
pub struct NewTeam {
    pub id: TeamId,
    pub name: String,
    /// The unit that sends it.
    pub unit: UnitId,
    pub liaison: WorkerId,
    pub areas: Vec<AreaId>,
    /// Members from the team's first day on.
    pub members: Vec<WorkerId>,
    pub from: Date,
    pub to: Option<Date>,
}

/// What of a team can change.
#[derive(Debug, Clone, Default)]
pub struct TeamChange {
    pub name: Option<String>,
    pub unit: Option<UnitId>,
    pub liaison: Option<WorkerId>,
    pub areas: Option<Vec<AreaId>>,
    /// The last day.
    pub to: Option<Date>,
}

fn term(from: Date, to: Option<Date>) -> Result<Term, Fault> {
    Term::new(from, to).ok_or_else(|| Fault::invalid("valid_to", "team_ends_before_start"))
}

/// Makes a team with its first members.
pub fn make(ctx: &Ctx, tx: &mut Tx, new: &NewTeam) -> Result<(), Fault> {
    let team = Team {
        id: new.id,
        name: new.name.clone(),
        unit: new.unit,
        liaison: new.liaison,
        areas: new.areas.clone(),
        members: Vec::new(),
        term: term(new.from, new.to)?,
    };
    check(tx, &team)?;
    check_liaison(ctx, tx, &team)?;
    store::insert(tx, &team)?;
    let mark =
        json!({ "unit": team.unit, "liaison": team.liaison, "areas": team.areas, "from": team.term.from.to_string() });
    tx.record(ctx, Mark::new("team.made", Subject::Team(team.id), mark))?;
    for worker in &new.members {
        let membership = Membership {
            id: ctx.app.new_id(),
            worker: *worker,
            term: team.term,
        };
        join(ctx, tx, team.id, &membership)?;
    }
    Ok(())
}

/// Changes a team, or ends it: its liaison still owes the answers of what it heard.
pub fn change(ctx: &Ctx, tx: &mut Tx, team: Team, change: TeamChange) -> Result<(), Fault> {
    let anew = change.liaison.is_some() || change.areas.is_some();
    let changed = Team {
        name: change.name.unwrap_or(team.name),
        unit: change.unit.unwrap_or(team.unit),
        liaison: change.liaison.unwrap_or(team.liaison),
        areas: change.areas.unwrap_or(team.areas),
        term: term(team.term.from, change.to.or(team.term.to))?,
        ..team
    };
    check(tx, &changed)?;
    // A team whose liaison has left the post meanwhile can still be renamed or ended.
    if anew {
        check_liaison(ctx, tx, &changed)?;
    }
    store::update(tx, &changed)?;
    let to = changed.term.to.map(|day| day.to_string());
    let mark = json!({ "unit": changed.unit, "liaison": changed.liaison, "areas": changed.areas, "to": to });
    tx.record(ctx, Mark::new("team.changed", Subject::Team(changed.id), mark))?;
    Ok(())
}

/// What must hold of a team whatever becomes of it.
fn check(tx: &mut Tx, team: &Team) -> Result<(), Fault> {
    if store::by_name(tx, &team.name)?.is_some_and(|other| other != team.id) {
        return Err(Fault::conflict("team_name_taken").field("name"));
    }
    workforce::unit(tx, team.unit)?.ok_or_else(|| Fault::invalid("unit_id", "unit_unknown"))?;
    if team.areas.is_empty() {
        return Err(Fault::invalid("area_ids", "team_without_area"));
    }
    if team.areas.len() > MAX_AREAS {
        return Err(Fault::invalid("area_ids", "team_areas_too_many").with("most", MAX_AREAS));
    }
    Ok(())
}

/// The liaison holds, or stands in for, a grid post in one of the areas.
fn check_liaison(ctx: &Ctx, tx: &mut Tx, team: &Team) -> Result<(), Fault> {
    workforce::worker(tx, team.liaison)?.ok_or_else(|| Fault::invalid("liaison_id", "unknown_worker"))?;
    for area in &team.areas {
        if seat_within(&ctx.app, tx, team.liaison, GRID, *area, ctx.now)?.is_some() {
            return Ok(());
        }
    }
    Err(Fault::invalid("liaison_id", "liaison_without_grid"))
}

/// A worker joins a team for a time.
pub fn join(ctx: &Ctx, tx: &mut Tx, id: TeamId, new: &Membership) -> Result<(), Fault> {
    let team = team(tx, id)?.ok_or_else(Fault::not_found)?;
    workforce::worker(tx, new.worker)?.ok_or_else(|| Fault::invalid("worker_id", "unknown_worker"))?;
    let twice = |one: &Membership| one.worker == new.worker && one.term.overlaps(&new.term);
    if team.members.iter().any(twice) {
        return Err(Fault::conflict("team_member_already").field("worker_id"));
    }
    store::insert_member(tx, id, new)?;
    let mark = json!({ "worker": new.worker, "from": new.term.from.to_string(), "to": new.term.to.map(|day| day.to_string()) });
    tx.record(ctx, Mark::new("team.joined", Subject::Team(id), mark))?;
    Ok(())
}

/// A membership ends on a day.
pub fn leave(ctx: &Ctx, tx: &mut Tx, team: &Team, membership: &Membership, to: Date) -> Result<(), Fault> {
    term(membership.term.from, Some(to))?;
    store::end_member(tx, membership.id, to)?;
    let mark = json!({ "worker": membership.worker, "to": to.to_string() });
    tx.record(ctx, Mark::new("team.left", Subject::Team(team.id), mark))?;
    Ok(())
}

/// Who stands for the team in the grid now: its liaison or, while the liaison is on leave, whoever has the liaison's grid post.
pub fn liaison_now(app: &App, tx: &mut Tx, team: &Team, at: Timestamp) -> Result<WorkerId, Fault> {
    if workforce::leaves_of(tx, &[team.liaison], at)?.is_empty() {
        return Ok(team.liaison);
    }
    for row in workforce::appointments_of_worker(tx, team.liaison)? {
        let post = workforce::post(tx, row.post)?.filter(|post| post.duty == GRID);
        let Some(post) = post.filter(|_| row.appointment.covers(at.date())) else {
            continue;
        };
        if let Some(worker) = on_duty_of(app, tx, &post, Ask::Own, at)?.worker() {
            return Ok(worker.into());
        }
    }
    Ok(team.liaison)
}

/// The teams, ended ones too, for which somebody stands in the grid now.
pub fn led_by(app: &App, tx: &mut Tx, worker: WorkerId, at: Timestamp) -> Result<Vec<TeamId>, Fault> {
    let mut led = Vec::new();
    for team in store::around_worker(tx, worker, at)? {
        if liaison_now(app, tx, &team, at)? == worker {
            led.push(team.id);
        }
    }
    Ok(led)
}
