//! Reminders before and after a project's dates, as the pack says: to its leader, and when it is late also to who gave it out.

use super::acts::is_running;
use super::project::{Milestone, Project};
use super::store;
use crate::platform::jobs::{self, Handler, Outcome};
use crate::platform::*;
use crate::{cases, policy};
use domain::time::{HOUR_MS, Timestamp};
use jiff::civil::Date;
use serde_json::{Value, json};

const REMIND: &str = "projects.remind";
/// When the day's reminders are given: as work begins.
const AT_MS: i64 = 8 * HOUR_MS;

/// Makes the job known; once at the start.
pub fn register(app: &App) {
    jobs::register(app, REMIND, Handler::Step(remind));
}

/// What is due: the deadline without a name, and milestones not reached.
fn dates(project: &Project, milestones: &[Milestone]) -> Vec<(Option<String>, Date)> {
    let open = milestones.iter().filter(|one| one.done.is_none());
    let mut dates: Vec<_> = open.map(|one| (Some(one.title.clone()), one.due)).collect();
    dates.push((None, project.due));
    dates
}

fn next_at(ctx: &Ctx, project: &Project, milestones: &[Milestone]) -> Result<Option<Timestamp>, Fault> {
    let current = policy::current(&ctx.app)?;
    let rules = &current.pack.projects.reminders;
    let days = dates(project, milestones).into_iter();
    let next = days.filter_map(|(_, due)| rules.after(due, project.reminded)).min();
    Ok(next.map(|day| Timestamp::start_of(day).plus_ms(AT_MS)))
}

/// Has the next reminder wait; none for a project that does not run.
pub fn plan(ctx: &Ctx, tx: &mut Tx, project: &Project, milestones: &[Milestone]) -> Result<(), Fault> {
    let key = project.id.to_string();
    match next_at(ctx, project, milestones)?.filter(|_| is_running(project)) {
        Some(at) => jobs::enqueue(ctx, tx, REMIND, &key, at, &json!({ "project": project.id })),
        None => jobs::revoke(ctx, tx, REMIND, &key),
    }
}

fn remind(ctx: &Ctx, tx: &mut Tx, payload: &Value) -> Result<Outcome, Fault> {
    let id = payload["project"].as_str().and_then(|id| id.parse().ok());
    let id: ProjectId = id.ok_or_else(|| Fault::internal("a project without its id"))?;
    let Some(mut project) = store::project(tx, id, true)?.filter(is_running) else {
        return Ok(Outcome::Done);
    };
    let milestones = store::milestones(tx, id)?;
    let today = ctx.now.date();
    let current = policy::current(&ctx.app)?;
    let mut told = 0;
    for (milestone, due) in dates(&project, &milestones) {
        // However long the server was away, each date is spoken of once.
        let said = current.pack.projects.reminders.after(due, project.reminded);
        if said.is_some_and(|day| day <= today) {
            tell(ctx, tx, &project, milestone, due)?;
            told += 1;
        }
    }
    project.reminded = today;
    store::update(tx, &project)?;
    let body = json!({ "told": told });
    tx.record(ctx, Mark::new("project.reminded", Subject::Project(id), body))?;
    Ok(match next_at(ctx, &project, &milestones)? {
        Some(at) => Outcome::Again(at),
        None => Outcome::Done,
    })
}

fn tell(ctx: &Ctx, tx: &mut Tx, project: &Project, milestone: Option<String>, due: Date) -> Result<(), Fault> {
    let left = (due - ctx.now.date()).get_days();
    let kind = match (left, milestone.is_some()) {
        (1.., false) => "project_due",
        (0, false) => "project_due_today",
        (_, false) => "project_late",
        (1.., true) => "project_milestone_due",
        (0, true) => "project_milestone_today",
        (_, true) => "project_milestone_late",
    };
    let body = json!({ "title": project.title, "milestone": milestone, "days": left.abs() });
    let above = project
        .made_worker
        .filter(|worker| left < 0 && *worker != project.leader);
    for worker in [Some(project.leader), above].into_iter().flatten() {
        cases::notify(ctx, tx, worker, &Subject::Project(project.id), kind, body.clone())?;
    }
    Ok(())
}
