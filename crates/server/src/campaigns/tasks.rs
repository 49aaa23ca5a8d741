//! The doorsteps of a campaign: found page by page at the start, listed for whoever goes and for whoever supervises.

use super::campaign::{Campaign, Phase, seen};
use super::counts::Shift;
use super::store::{self, TaskRow};
use crate::duties::{self, Known, SubjectKind};
use crate::platform::jobs::{self, Handler, Outcome};
use crate::platform::*;
use crate::registry::{self, At};
use crate::territory;
use domain::campaigns::{Question, State};
use domain::duties::{Away, Who};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const FILL: &str = "campaigns.fill";
/// Found in one transaction.
const PAGE: u32 = 2_000;

/// Makes the job known; once at the start.
pub fn register(app: &App) {
    jobs::register(app, FILL, Handler::Step(fill));
}

/// How many a question finds.
pub fn matching(ctx: &Ctx, tx: &mut Tx, question: &Question, at: At) -> Result<i64, Fault> {
    if let Question::Households(homes) = question {
        return registry::matching_count(tx, homes, at);
    }
    let (mut number, mut after) = (0, None);
    loop {
        let page = page(ctx, tx, question, at, after)?;
        number += page.found.len() as i64;
        match page.more {
            Some(more) => after = Some(more),
            None => return Ok(number),
        }
    }
}

/// Where one is, by kind and id.
type Place = (SubjectKind, DutySubjectId, AreaId, [Option<AreaId>; 5]);

struct Page {
    found: Vec<Place>,
    /// Where the next page begins.
    more: Option<DutySubjectId>,
}

/// A page of those a question finds, in order of id.
fn page(ctx: &Ctx, tx: &mut Tx, question: &Question, at: At, after: Option<DutySubjectId>) -> Result<Page, Fault> {
    let who = match question {
        Question::Households(homes) => {
            let after = after.map(|id| HouseholdId(id.0));
            let homes = registry::matching_after(tx, homes, at, after, PAGE)?;
            let more = homes.last().map(|one| DutySubjectId(one.id.0));
            let more = more.filter(|_| homes.len() as u32 == PAGE);
            let place = |one: registry::Home| (SubjectKind::Household, DutySubjectId(one.id.0), one.area, one.areas);
            let found = homes.into_iter().map(place).collect();
            return Ok(Page { found, more });
        }
        Question::Facilities(kind) => Who::Facilities(kind.clone()),
        Question::Grids => Who::Grids,
    };
    let all = duties::subjects_after(ctx, tx, &who, after, PAGE)?;
    let more = all.last().map(|one| one.id).filter(|_| all.len() as u32 == PAGE);
    let inside = |one: &Known| one.areas.contains(&Some(at.area));
    let place = |one: Known| (one.kind, one.id, one.area, one.areas);
    let found = all.into_iter().filter(inside).map(place).collect();
    Ok(Page { found, more })
}

/// Has the next page found.
pub fn fill_from(ctx: &Ctx, tx: &mut Tx, id: CampaignId, after: Option<DutySubjectId>) -> Result<(), Fault> {
    let key = format!("{id}:{}", after.map(|id| id.to_string()).unwrap_or_default());
    let payload = json!({ "campaign": id, "after": after });
    jobs::enqueue(ctx, tx, FILL, &key, ctx.now, &payload)
}

fn fill(ctx: &Ctx, tx: &mut Tx, payload: &Value) -> Result<Outcome, Fault> {
    let id = payload["campaign"].as_str().and_then(|id| id.parse().ok());
    let id: CampaignId = id.ok_or_else(|| Fault::internal("a campaign without its id"))?;
    let after = payload["after"].as_str().and_then(|id| id.parse().ok());
    let Some(campaign) = store::campaign(tx, id, true)?.filter(|one| one.phase == Phase::Filling) else {
        return Ok(Outcome::Done);
    };
    let page = page(ctx, tx, &campaign.wish.question, campaign.at(ctx.now.date()), after)?;
    let row = |(kind, subject, area, areas): Place| TaskRow {
        campaign: id,
        kind,
        subject,
        area,
        areas,
        state: State::Open,
        tried: 0,
        reason: None,
        met_at: None,
    };
    let mut rows: Vec<TaskRow> = page.found.into_iter().map(row).collect();
    // Found again, those who were found before stay as they are.
    let before = store::present(tx, id, &rows)?;
    rows.retain(|row| !before.contains(&row.subject));
    store::insert_tasks(tx, &rows)?;
    let mut shift = Shift::default();
    rows.iter().for_each(|row| shift.task(row, 1));
    shift.write(tx);
    match page.more {
        Some(more) => fill_from(ctx, tx, id, Some(more))?,
        None => store::set_phase(ctx, tx, id, Phase::Running, None)?,
    }
    let body = json!({ "tasks": rows.len(), "more": page.more.is_some() });
    tx.record(ctx, Mark::new("campaign.tasks_given", Subject::Campaign(id), body))?;
    Ok(Outcome::Done)
}

/// A doorstep, with where it is; of one to be followed up, what was said last.
#[derive(Debug, Clone)]
pub struct Task {
    pub row: TaskRow,
    /// None where it is gone meanwhile.
    pub known: Option<Known>,
    pub note: Option<Personal<String>>,
}

/// Where today's list goes on: last day, campaign, subject.
pub type After = (i64, CampaignId, DutySubjectId);

/// What falls to the caller, by the last day of the campaign; one more than `limit` when there is more.
pub fn today(ctx: &Ctx, tx: &mut Tx, after: Option<After>, limit: u32) -> Result<Vec<(Campaign, Task)>, Fault> {
    ctx.scope.require(Permission::DutyRecord)?;
    let worker = ctx.worker()?;
    let running = store::running(tx, ctx.now.day_and_ms().0)?;
    let duties: BTreeSet<&str> = running.iter().map(|one| one.wish.duty.as_str()).collect();
    let mut mine = Vec::new();
    for duty in duties {
        let areas = duties::areas_served(ctx, tx, worker, duty, Away::StandIn)?;
        let campaigns = running.iter().filter(|one| one.wish.duty == duty);
        mine.push((campaigns.map(|one| one.id).collect::<Vec<_>>(), areas));
    }
    mine.retain(|(_, areas)| !areas.is_empty());
    if mine.is_empty() {
        return Ok(Vec::new());
    }
    let rows = store::today(tx, &mine, after, limit)?;
    let tasks = named(ctx, tx, rows)?;
    let of = |task: Task| {
        let campaign = running.iter().find(|one| one.id == task.row.campaign)?;
        Some((campaign.clone(), task))
    };
    Ok(tasks.into_iter().filter_map(of).collect())
}

/// With names, places and what is to be followed up. Where people live, and what they said, is personal: the look is logged.
fn named(ctx: &Ctx, tx: &mut Tx, rows: Vec<TaskRow>) -> Result<Vec<Task>, Fault> {
    let subjects: Vec<_> = rows.iter().map(|row| (row.kind, row.subject)).collect();
    let found = duties::named(ctx, tx, &subjects)?;
    let mut tasks = Vec::new();
    for row in rows {
        // To know how far it has come is one thing, to read what people said at the door another.
        let told = row.state == State::Follow && ctx.scope.covers(&row.areas, Permission::CaseRead);
        let note = match told {
            true => super::results::note(ctx, tx, &row)?,
            false => None,
        };
        let known = found.get(&row.subject).cloned();
        tasks.push(Task { row, known, note });
    }
    Ok(tasks)
}

/// Which doorsteps are asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    pub campaign: CampaignId,
    pub area: AreaId,
    pub state: Option<State>,
    pub after: Option<DutySubjectId>,
    pub limit: u32,
}

/// The doorsteps of an area and all below it; one more than `limit` when there are more.
pub fn list(ctx: &Ctx, tx: &mut Tx, asked: &Asked) -> Result<Vec<Task>, Fault> {
    seen(ctx, tx, asked.campaign)?;
    let map = territory::current(&ctx.app);
    let area = map
        .area(asked.area)
        .filter(|area| ctx.scope.covers(&area.chain, Permission::DutyRead))
        .ok_or_else(Fault::not_found)?;
    let rows = store::tasks(tx, asked, area.depth)?;
    named(ctx, tx, rows)
}
