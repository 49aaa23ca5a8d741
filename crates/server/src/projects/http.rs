//! Routes of projects: the list, the board, one with its record, giving one out and everything done with it.

use super::board::Board;
use super::{Asked, Counts, Deed, Detail, Project, Wish, act, board, has_photo, list, make, seen};
use crate::access::Staff;
use crate::platform::*;
use crate::{territory, workforce};
use axum::response::Response;
use domain::projects::{Act, Standing};
use domain::time::day_number;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(listed, give_out))
        .routes(routes!(standing))
        .routes(routes!(one))
        .routes(routes!(done))
        .routes(routes!(photo))
}

fn date(field: &'static str, text: &str) -> Result<Date, Fault> {
    text.parse().map_err(|_| Fault::invalid(field, "date_expected"))
}

/// Names of units and workers, read once for an answer.
struct Names {
    units: HashMap<UnitId, String>,
    workers: HashMap<WorkerId, String>,
}

impl Names {
    fn of(tx: &mut Tx, units: &[UnitId], workers: &[WorkerId]) -> Result<Names, Fault> {
        Ok(Names {
            units: workforce::unit_names(tx, units)?,
            workers: workforce::worker_names(tx, workers)?,
        })
    }

    fn unit(&self, id: UnitId) -> ProjectUnitView {
        let name = self.units.get(&id).cloned().unwrap_or_default();
        ProjectUnitView { id, name }
    }

    fn worker(&self, id: WorkerId) -> ProjectWorkerView {
        let name = self.workers.get(&id).cloned().unwrap_or_default();
        ProjectWorkerView { id, name }
    }
}

/// A unit of a project.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectUnitView {
    id: UnitId,
    name: String,
}

/// Who leads, or led.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectWorkerView {
    id: WorkerId,
    name: String,
}

/// A project in a list.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectBrief {
    id: ProjectId,
    title: String,
    area_id: AreaId,
    area_name: String,
    unit: ProjectUnitView,
    leader: ProjectWorkerView,
    /// ISO dates: the deadline now, and as it was given.
    due: String,
    first_due: String,
    /// `on_time`, `soon`, `late`, `reported`, `done` or `stopped`.
    standing: String,
    /// Days until the deadline; below nothing when it has passed.
    days_left: i64,
    /// How often it was given more time.
    extended: u32,
}

fn brief(ctx: &Ctx, names: &Names, one: &Project) -> Result<ProjectBrief, Fault> {
    Ok(ProjectBrief {
        id: one.id,
        title: one.title.clone(),
        area_id: one.area,
        area_name: territory::current(&ctx.app).full_name(one.area),
        unit: names.unit(one.unit),
        leader: names.worker(one.leader),
        due: one.due.to_string(),
        first_due: one.first_due.to_string(),
        standing: one.standing(ctx)?.key().to_owned(),
        days_left: i64::from((one.due - ctx.now.date()).get_days()),
        extended: one.extended,
    })
}

/// A step on the way.
#[derive(Debug, Serialize, ToSchema)]
struct MilestoneView {
    id: MilestoneId,
    title: String,
    due: String,
    /// ISO date on which it was reached.
    done: Option<String>,
}

/// One line of its record.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectEntryView {
    id: ProjectEntryId,
    /// `made`, `progress`, `milestone`, `ask`, `grant`, `refuse`, `report`, `accept`, `send_back`, `lead` or `stop`.
    act: String,
    words: String,
    /// The deadline given, asked for or decided on.
    day: Option<String>,
    milestone: Option<String>,
    leader: Option<ProjectWorkerView>,
    by: String,
    at: String,
    /// By content: `/projects/{id}/photos/{hash}`.
    photos: Vec<String>,
}

/// A project with everything there is to see of it.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectView {
    #[serde(flatten)]
    brief: ProjectBrief,
    goal: String,
    co_units: Vec<ProjectUnitView>,
    milestones: Vec<MilestoneView>,
    /// More time that was asked for: until when.
    asked_until: Option<String>,
    result: Option<String>,
    reported_on: Option<String>,
    ended_on: Option<String>,
    made_at: String,
    /// The newest first.
    entries: Vec<ProjectEntryView>,
    /// What the caller may do with it now.
    acts: Vec<String>,
}

fn view(ctx: &Ctx, tx: &mut Tx, detail: Detail) -> Result<ProjectView, Fault> {
    let one = &detail.project;
    let units: Vec<UnitId> = detail.co_units.iter().copied().chain([one.unit]).collect();
    let named = detail.entries.iter().filter_map(|entry| entry.leader);
    let workers: Vec<WorkerId> = named.chain([one.leader]).collect();
    let names = Names::of(tx, &units, &workers)?;
    let title = |id: MilestoneId| {
        let found = detail.milestones.iter().find(|one| one.id == id);
        found.map(|one| one.title.clone())
    };
    let entries = detail.entries.iter().map(|entry| ProjectEntryView {
        id: entry.id,
        act: entry.act.clone(),
        words: entry.words.clone(),
        day: entry.day.map(|day| day.to_string()),
        milestone: entry.milestone.and_then(title),
        leader: entry.leader.map(|leader| names.worker(leader)),
        by: entry.by_name.clone(),
        at: entry.at.to_string(),
        photos: entry.photos.clone(),
    });
    let milestones = detail.milestones.iter().map(|one| MilestoneView {
        id: one.id,
        title: one.title.clone(),
        due: one.due.to_string(),
        done: one.done.map(|day| day.to_string()),
    });
    Ok(ProjectView {
        brief: brief(ctx, &names, one)?,
        goal: one.goal.clone(),
        co_units: detail.co_units.iter().map(|unit| names.unit(*unit)).collect(),
        milestones: milestones.collect(),
        asked_until: one.asked.map(|(day, _)| day.to_string()),
        result: one.result.clone(),
        reported_on: one.reported.map(|(_, day)| day.to_string()),
        ended_on: one.ended.map(|day| day.to_string()),
        made_at: one.made_at.to_string(),
        entries: entries.collect(),
        acts: detail.acts.iter().map(|act| act.key().to_owned()).collect(),
    })
}

/// `?standing=&unit=&leader=`
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ProjectsQuery {
    /// `on_time`, `soon`, `late`, `reported`, `done` or `stopped`.
    standing: Option<String>,
    unit: Option<UnitId>,
    leader: Option<WorkerId>,
}

/// Projects the caller sees, by deadline.
#[utoipa::path(get, path = "/projects", tag = "projects", params(ProjectsQuery, PageQuery), responses((status = 200, body = Page<ProjectBrief>)))]
async fn listed(
    Staff(ctx): Staff,
    Query(query): Query<ProjectsQuery>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<ProjectBrief>>, Fault> {
    let standing = query.standing.as_deref().map(|key| {
        let found = Standing::parse(key);
        found.ok_or_else(|| Fault::invalid("standing", "invalid_field"))
    });
    let asked = Asked {
        standing: standing.transpose()?,
        unit: query.unit,
        leader: query.leader,
        after: paging.after()?,
        limit: paging.limit(),
    };
    let limit = asked.limit;
    let page = ctx.app.read(&ctx, move |ctx, tx| {
        let rows = list(ctx, tx, &asked)?;
        let units: Vec<UnitId> = rows.iter().map(|one| one.unit).collect();
        let leaders: Vec<WorkerId> = rows.iter().map(|one| one.leader).collect();
        let names = Names::of(tx, &units, &leaders)?;
        let page = Page::cut(rows, limit, |one| (day_number(one.due), one.id));
        let next = page.next;
        let items: Result<Vec<_>, Fault> = page.items.iter().map(|one| brief(ctx, &names, one)).collect();
        Ok(Page { items: items?, next })
    });
    Ok(Json(page.await?))
}

/// A step as somebody wishes it.
#[derive(Debug, Deserialize, ToSchema)]
struct MilestoneInput {
    title: String,
    /// ISO date, not after the deadline.
    due: String,
}

/// A project as somebody wishes it.
#[derive(Debug, Deserialize, ToSchema)]
struct ProjectInput {
    /// Made on the client; sent again it is the same.
    id: ProjectId,
    title: String,
    /// What is to be done, and what shows that it is.
    goal: String,
    area_id: AreaId,
    unit_id: UnitId,
    leader_id: WorkerId,
    #[serde(default)]
    co_units: Vec<UnitId>,
    /// ISO date.
    due: String,
    #[serde(default)]
    milestones: Vec<MilestoneInput>,
}

/// Gives a project out; its leader is told.
#[utoipa::path(post, path = "/projects", tag = "projects", request_body = ProjectInput, responses((status = 200, body = ProjectView)))]
async fn give_out(Staff(ctx): Staff, Json(input): Json<ProjectInput>) -> Result<Json<ProjectView>, Fault> {
    ctx.scope.require(Permission::ProjectManage)?;
    let milestones = input.milestones.into_iter();
    let milestones: Result<Vec<_>, Fault> = milestones
        .map(|one| Ok((one.title, date("milestones", &one.due)?)))
        .collect();
    let wish = Wish {
        title: input.title,
        goal: input.goal,
        area: input.area_id,
        unit: input.unit_id,
        leader: input.leader_id,
        co_units: input.co_units,
        due: date("due", &input.due)?,
        milestones: milestones?,
    };
    let made = ctx.app.write(&ctx, move |ctx, tx| {
        let detail = make(ctx, tx, input.id, wish)?;
        view(ctx, tx, detail)
    });
    Ok(Json(made.await?))
}

/// How many stand how.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectCounts {
    on_time: i64,
    soon: i64,
    late: i64,
    reported: i64,
    /// Accepted within a year; of these, done after the deadline.
    done: i64,
    done_late: i64,
}

impl From<Counts> for ProjectCounts {
    fn from(counts: Counts) -> ProjectCounts {
        ProjectCounts {
            on_time: counts.on_time,
            soon: counts.soon,
            late: counts.late,
            reported: counts.reported,
            done: counts.done,
            done_late: counts.done_late,
        }
    }
}

/// How the projects of one unit or one leader stand.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectsOfView {
    /// Of the unit or the worker.
    id: String,
    name: String,
    counts: ProjectCounts,
}

/// How projects stand.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectBoardView {
    all: ProjectCounts,
    units: Vec<ProjectsOfView>,
    leaders: Vec<ProjectsOfView>,
}

fn board_view(tx: &mut Tx, board: Board) -> Result<ProjectBoardView, Fault> {
    let units: Vec<UnitId> = board.units.keys().copied().collect();
    let leaders: Vec<WorkerId> = board.leaders.keys().copied().collect();
    let names = Names::of(tx, &units, &leaders)?;
    let of = |id: String, name: String, counts: Counts| ProjectsOfView {
        id,
        name,
        counts: counts.into(),
    };
    let units = board.units.into_iter();
    let leaders = board.leaders.into_iter();
    Ok(ProjectBoardView {
        all: board.all.into(),
        units: units
            .map(|(id, counts)| of(id.to_string(), names.unit(id).name, counts))
            .collect(),
        leaders: leaders
            .map(|(id, counts)| of(id.to_string(), names.worker(id).name, counts))
            .collect(),
    })
}

/// How the projects the caller sees stand: all, by unit, by leader.
#[utoipa::path(get, path = "/projects/board", tag = "projects", responses((status = 200, body = ProjectBoardView)))]
async fn standing(Staff(ctx): Staff) -> Result<Json<ProjectBoardView>, Fault> {
    let found = ctx.app.read(&ctx, |ctx, tx| {
        let board = board(ctx, tx)?;
        board_view(tx, board)
    });
    Ok(Json(found.await?))
}

/// One project with its record.
#[utoipa::path(get, path = "/projects/{id}", tag = "projects", params(("id" = ProjectId, Path)), responses((status = 200, body = ProjectView)))]
async fn one(Staff(ctx): Staff, Path(id): Path<ProjectId>) -> Result<Json<ProjectView>, Fault> {
    let found = ctx.app.read(&ctx, move |ctx, tx| {
        let detail = seen(ctx, tx, id)?;
        view(ctx, tx, detail)
    });
    Ok(Json(found.await?))
}

/// What somebody does with a project.
#[derive(Debug, Deserialize, ToSchema)]
struct DeedInput {
    /// Made on the client; sent again it is the same.
    id: ProjectEntryId,
    /// One of `acts`.
    act: String,
    #[serde(default)]
    words: String,
    /// For `ask`: the later deadline, an ISO date.
    day: Option<String>,
    /// For `milestone`.
    milestone_id: Option<MilestoneId>,
    /// For `lead`.
    leader_id: Option<WorkerId>,
    /// Finished uploads.
    #[serde(default)]
    photos: Vec<UploadId>,
}

/// Progress, a milestone, more time and the decision on it, the result and its acceptance.
#[utoipa::path(post, path = "/projects/{id}/acts", tag = "projects", params(("id" = ProjectId, Path)), request_body = DeedInput,
    responses((status = 200, body = ProjectView)))]
async fn done(
    Staff(ctx): Staff,
    Path(id): Path<ProjectId>,
    Json(input): Json<DeedInput>,
) -> Result<Json<ProjectView>, Fault> {
    let deed = Deed {
        id: input.id,
        act: Act::parse(&input.act).ok_or_else(|| Fault::invalid("act", "invalid_field"))?,
        words: input.words,
        day: input.day.as_deref().map(|day| date("day", day)).transpose()?,
        milestone: input.milestone_id,
        leader: input.leader_id,
        photos: input.photos,
    };
    let after = ctx.app.write(&ctx, move |ctx, tx| {
        let detail = act(ctx, tx, id, deed)?;
        view(ctx, tx, detail)
    });
    Ok(Json(after.await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ProjectPhotoQuery {
    /// `thumb` (320 pixels) or `full` (at most 2048).
    #[param(inline)]
    size: Option<blobs::Size>,
}

/// A photo of a project's record.
#[utoipa::path(get, path = "/projects/{id}/photos/{hash}", tag = "projects",
    params(("id" = ProjectId, Path), ("hash" = String, Path), ProjectPhotoQuery),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>)))]
async fn photo(
    Staff(ctx): Staff,
    Path((id, hash)): Path<(ProjectId, String)>,
    Query(query): Query<ProjectPhotoQuery>,
) -> Result<Response, Fault> {
    let named = hash.clone();
    let known = ctx.app.read(&ctx, move |ctx, tx| has_photo(ctx, tx, id, &named));
    if !known.await? {
        return Err(Fault::not_found());
    }
    blobs::answer(&ctx.app, &hash, query.size.unwrap_or(blobs::Size::Thumb)).await
}
