//! A project, who may see it, and how one is given out.

use super::{remind, store};
use crate::platform::*;
use crate::{cases, policy, territory, workforce};
use domain::projects::{Act, Facts, Phase, Role, Standing};
use domain::time::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use std::collections::BTreeSet;

/// Longest title, and longest text (characters).
const MAX_TITLE: usize = 60;
pub(super) const MAX_TEXT: usize = 1_000;
/// Longest time given at once (days).
pub(super) const MAX_DAYS: i64 = 5 * 366;
const MAX_MILESTONES: usize = 30;
const MAX_CO_UNITS: usize = 20;
/// Projects that are open at the same time, and given out in a year, at most: what the board counts.
pub(super) const MOST: i64 = 1_000;
pub(super) const YEAR: i64 = 366;

/// A project as somebody wishes it.
#[derive(Debug, Clone)]
pub struct Wish {
    pub title: String,
    /// What is to be done, and what shows that it is.
    pub goal: String,
    pub area: AreaId,
    pub unit: UnitId,
    pub leader: WorkerId,
    pub co_units: Vec<UnitId>,
    pub due: Date,
    pub milestones: Vec<(String, Date)>,
}

/// A step on the way, with its own day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Milestone {
    pub id: MilestoneId,
    pub title: String,
    pub due: Date,
    pub done: Option<Date>,
}

/// A project as it is.
#[derive(Debug, Clone)]
pub struct Project {
    pub id: ProjectId,
    pub title: String,
    pub goal: String,
    pub area: AreaId,
    pub areas: [Option<AreaId>; 5],
    pub unit: UnitId,
    pub leader: WorkerId,
    pub due: Date,
    pub first_due: Date,
    pub phase: Phase,
    pub extended: u32,
    /// More time asked for: until when, and by whom.
    pub asked: Option<(Date, AccountId)>,
    pub result: Option<String>,
    /// Who said it is done, and on which day.
    pub reported: Option<(AccountId, Date)>,
    pub ended: Option<Date>,
    pub made_by: AccountId,
    pub made_worker: Option<WorkerId>,
    pub made_at: Timestamp,
    pub reminded: Date,
}

impl Project {
    pub fn standing(&self, ctx: &Ctx) -> Result<Standing, Fault> {
        let soon = policy::current(&ctx.app)?.pack.projects.soon_days;
        Ok(Standing::of(self.phase, self.due, ctx.now.date(), soon))
    }
}

/// One line of its record.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: ProjectEntryId,
    /// `made`, or the word of an act.
    pub act: String,
    pub words: String,
    pub day: Option<Date>,
    pub milestone: Option<MilestoneId>,
    pub leader: Option<WorkerId>,
    pub by_name: String,
    pub at: Timestamp,
    pub photos: Vec<String>,
}

/// Everything there is to see of one.
#[derive(Debug, Clone)]
pub struct Detail {
    pub project: Project,
    pub co_units: Vec<UnitId>,
    pub milestones: Vec<Milestone>,
    pub entries: Vec<Entry>,
    /// What the caller may do with it now.
    pub acts: Vec<Act>,
}

/// What somebody sees: areas where they may read projects, and those of their own units and of themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    pub everywhere: bool,
    /// With the depth of each.
    pub areas: Vec<(AreaId, u8)>,
    pub units: BTreeSet<UnitId>,
    pub worker: Option<WorkerId>,
}

impl Reach {
    pub fn of(ctx: &Ctx, tx: &mut Tx) -> Result<Reach, Fault> {
        let worker = ctx.worker().ok();
        let mut reach = Reach {
            worker,
            ..Reach::default()
        };
        for grant in ctx.scope.with(Permission::ProjectRead) {
            match (grant.unit, grant.area) {
                (Some(unit), _) => _ = reach.units.insert(unit),
                (None, Some(area)) => reach.areas.push((area, grant.depth)),
                (None, None) => reach.everywhere = true,
            }
        }
        if let Some(worker) = worker {
            reach.units.extend(workforce::units_of_worker(tx, worker, ctx.now)?);
        }
        Ok(reach)
    }

    fn works(&self, project: &Project, co_units: &[UnitId]) -> bool {
        self.units.contains(&project.unit) || co_units.iter().any(|unit| self.units.contains(unit))
    }

    fn sees(&self, ctx: &Ctx, project: &Project, co_units: &[UnitId]) -> bool {
        ctx.scope.covers(&project.areas, Permission::ProjectRead)
            || self.worker == Some(project.leader)
            || self.works(project, co_units)
    }
}

/// The project with what belongs to it, for the caller; absent where it is none of their business.
pub(super) fn load(ctx: &Ctx, tx: &mut Tx, id: ProjectId, locked: bool) -> Result<(Project, Vec<UnitId>, Role), Fault> {
    let project = store::project(tx, id, locked)?.ok_or_else(Fault::not_found)?;
    let co_units = store::co_units(tx, id)?;
    let reach = Reach::of(ctx, tx)?;
    if !reach.sees(ctx, &project, &co_units) {
        return Err(Fault::not_found());
    }
    let account = ctx.account()?;
    let role = Role {
        leads: reach.worker == Some(project.leader),
        works: reach.works(&project, &co_units),
        manages: ctx.scope.covers(&project.areas, Permission::ProjectManage),
        asked: project.asked.is_some_and(|(_, by)| by == account),
        reported: project.reported.is_some_and(|(by, _)| by == account),
    };
    Ok((project, co_units, role))
}

/// What the rules need to know of it.
pub(super) fn facts(ctx: &Ctx, project: &Project, milestones: &[Milestone]) -> Result<Facts, Fault> {
    Ok(Facts {
        phase: project.phase,
        asked: project.asked.is_some(),
        open_milestones: milestones.iter().filter(|one| one.done.is_none()).count(),
        extended: project.extended,
        extensions: policy::current(&ctx.app)?.pack.projects.extensions,
    })
}

/// One project, as far as the caller may know of it.
pub fn seen(ctx: &Ctx, tx: &mut Tx, id: ProjectId) -> Result<Detail, Fault> {
    let (project, co_units, role) = load(ctx, tx, id, false)?;
    let milestones = store::milestones(tx, id)?;
    let facts = facts(ctx, &project, &milestones)?;
    let acts = Act::ALL.into_iter();
    let acts = acts.filter(|act| domain::projects::next(&facts, &role, *act).is_ok());
    // There is nothing to reach where nothing is open.
    let acts = acts.filter(|act| *act != Act::Milestone || facts.open_milestones > 0);
    Ok(Detail {
        acts: acts.collect(),
        entries: store::entries(tx, id)?,
        project,
        co_units,
        milestones,
    })
}

/// Whether a photo belongs to a project the caller sees.
pub fn has_photo(ctx: &Ctx, tx: &mut Tx, id: ProjectId, hash: &str) -> Result<bool, Fault> {
    load(ctx, tx, id, false)?;
    store::has_photo(tx, id, hash)
}

/// Which projects are asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub standing: Option<Standing>,
    pub unit: Option<UnitId>,
    pub leader: Option<WorkerId>,
    /// Deadline and id of the last one seen.
    pub after: Option<(i64, ProjectId)>,
    pub limit: u32,
}

/// Projects the caller sees, by deadline; one more than `limit` when there are more.
pub fn list(ctx: &Ctx, tx: &mut Tx, asked: &Asked) -> Result<Vec<Project>, Fault> {
    let reach = Reach::of(ctx, tx)?;
    let soon = policy::current(&ctx.app)?.pack.projects.soon_days;
    store::list(tx, &reach, asked, ctx.now.date(), soon)
}

fn check(ctx: &Ctx, tx: &mut Tx, wish: &Wish) -> Result<[Option<AreaId>; 5], Fault> {
    let length = |text: &str, most: usize| (1..=most).contains(&text.trim().chars().count());
    if !length(&wish.title, MAX_TITLE) {
        return Err(Fault::invalid("title", "project_title").with("most", MAX_TITLE));
    }
    if !length(&wish.goal, MAX_TEXT) {
        return Err(Fault::invalid("goal", "project_words").with("most", MAX_TEXT));
    }
    let map = territory::current(&ctx.app);
    let chain = map.area(wish.area).map(|area| area.chain);
    let chain = chain
        .filter(|chain| ctx.scope.covers(chain, Permission::ProjectManage))
        .ok_or_else(|| Fault::invalid("area_id", "unknown_area"))?;
    days(ctx, wish)?;
    people(tx, wish)?;
    Ok(chain)
}

fn days(ctx: &Ctx, wish: &Wish) -> Result<(), Fault> {
    let today = ctx.now.date();
    let within = |day: Date| (0..=MAX_DAYS).contains(&i64::from((day - today).get_days()));
    if !within(wish.due) {
        return Err(Fault::invalid("due", "project_due").with("days", MAX_DAYS));
    }
    if wish.milestones.len() > MAX_MILESTONES {
        return Err(Fault::invalid("milestones", "project_too_many").with("most", MAX_MILESTONES));
    }
    for (title, day) in &wish.milestones {
        if !(1..=MAX_TITLE).contains(&title.trim().chars().count()) {
            return Err(Fault::invalid("milestones", "project_title").with("most", MAX_TITLE));
        }
        if !within(*day) || *day > wish.due {
            return Err(Fault::invalid("milestones", "project_milestone_day"));
        }
    }
    Ok(())
}

fn people(tx: &mut Tx, wish: &Wish) -> Result<(), Fault> {
    leader(tx, wish.leader)?;
    if workforce::unit(tx, wish.unit)?.is_none() {
        return Err(Fault::invalid("unit_id", "unknown_unit"));
    }
    if wish.co_units.len() > MAX_CO_UNITS {
        return Err(Fault::invalid("co_units", "project_too_many").with("most", MAX_CO_UNITS));
    }
    let mut known = BTreeSet::from([wish.unit]);
    for unit in &wish.co_units {
        if workforce::unit(tx, *unit)?.is_none() || !known.insert(*unit) {
            return Err(Fault::invalid("co_units", "unknown_unit"));
        }
    }
    Ok(())
}

/// Somebody who works here now.
pub(super) fn leader(tx: &mut Tx, worker: WorkerId) -> Result<(), Fault> {
    let found = workforce::worker(tx, worker)?.filter(|one| one.active);
    found
        .map(|_| ())
        .ok_or_else(|| Fault::invalid("leader_id", "unknown_worker"))
}

/// Gives a project out; its leader is told. Made again with the same id it is the same.
pub fn make(ctx: &Ctx, tx: &mut Tx, id: ProjectId, wish: Wish) -> Result<Detail, Fault> {
    ctx.scope.require(Permission::ProjectManage)?;
    let areas = check(ctx, tx, &wish)?;
    let (account, today) = (ctx.account()?, ctx.now.date());
    if let Some(before) = store::project(tx, id, true)? {
        return match before.made_by == account && before.title == wish.title.trim() {
            true => seen(ctx, tx, id),
            false => Err(Fault::conflict("already_exists")),
        };
    }
    if store::too_many(tx, today)? {
        return Err(Fault::conflict("project_limit").with("most", MOST));
    }
    let project = Project {
        id,
        title: wish.title.trim().to_owned(),
        goal: wish.goal.trim().to_owned(),
        area: wish.area,
        areas,
        unit: wish.unit,
        leader: wish.leader,
        due: wish.due,
        first_due: wish.due,
        phase: Phase::Running,
        extended: 0,
        asked: None,
        result: None,
        reported: None,
        ended: None,
        made_by: account,
        made_worker: ctx.worker().ok(),
        made_at: ctx.now,
        reminded: today,
    };
    store::insert(tx, &project, &wish.co_units)?;
    let mut milestones = Vec::new();
    for (title, due) in &wish.milestones {
        milestones.push(Milestone {
            id: ctx.app.new_id(),
            title: title.trim().to_owned(),
            due: *due,
            done: None,
        });
    }
    milestones.sort_by_key(|one| one.due);
    store::insert_milestones(tx, id, &milestones)?;
    let entry = Entry {
        id: ctx.app.new_id(),
        act: "made".to_owned(),
        words: String::new(),
        day: Some(wish.due),
        milestone: None,
        leader: Some(wish.leader),
        by_name: ctx.actor.name().to_owned(),
        at: ctx.now,
        photos: Vec::new(),
    };
    store::insert_entry(ctx, tx, id, &entry)?;
    remind::plan(ctx, tx, &project, &milestones)?;
    let body = json!({ "unit": wish.unit, "leader": wish.leader, "due": wish.due.to_string(), "milestones": milestones.len() });
    tx.record(ctx, Mark::new("project.made", Subject::Project(id), body))?;
    let told = json!({ "title": project.title });
    cases::notify(ctx, tx, wish.leader, &Subject::Project(id), "project_given", told)?;
    seen(ctx, tx, id)
}
