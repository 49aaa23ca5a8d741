//! Routes of workforce: units, posts, appointments, workers, leave, gaps; an area with who serves it; my grid worker.

use super::store::{
    self, LeaveRow, NewAppointment, NewPost, NewUnit, NewWorker, Post, Unit, UnitChange, UnitFilter, Worker,
};
use super::{grid_worker_of, grids, on_duty_of, roster};
use crate::access::Staff;
use crate::platform::http::{Json, Path, Public, Query};
use crate::platform::{
    App, AppointmentId, AreaId, Ctx, Fault, LeaveId, Permission, PostId, Tx, UnitId, WorkerId, i18n,
};
use crate::policy;
use crate::territory::{self, AreaBrief, AreaView};
use domain::policy::UnitKind;
use domain::time::Timestamp;
use domain::workforce::{Appointment, Ask, OnDuty, Seat};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest texts of a unit, post or leave, in characters.
const MAX_TEXT: usize = 200;
/// Grids told of that have no worker of their own.
const MOST_GRIDS: usize = 200;
/// Posts looked through for gaps in one request.
const GAP_POSTS: i64 = 2_000;

/// All routes of this part, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(area))
        .routes(routes!(units, make_unit))
        .routes(routes!(unit, change_unit))
        .routes(routes!(posts, make_post))
        .routes(routes!(gaps))
        .routes(routes!(appoint))
        .routes(routes!(end_appointment))
        .routes(routes!(workers, make_worker))
        .routes(routes!(worker))
        .routes(routes!(make_leave))
        .routes(routes!(take_back_leave))
        .routes(routes!(my_worker))
        .routes(routes!(badge))
}

/// A unit.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UnitView {
    id: UnitId,
    code: String,
    name: String,
    public_name: String,
    kind: String,
    /// Key of the responsible body it belongs to.
    body: String,
    area: Option<AreaBrief>,
    parent_id: Option<UnitId>,
    phone: String,
    office: String,
    hours: String,
}

impl UnitView {
    pub(super) fn code(&self) -> &str {
        &self.code
    }
}

pub(super) fn unit_view(ctx: &Ctx, unit: Unit) -> UnitView {
    let map = territory::current(&ctx.app);
    UnitView {
        id: unit.id,
        area: map.area(unit.area).map(|area| territory::brief(ctx, area)),
        code: unit.code,
        name: unit.name,
        public_name: unit.public_name,
        kind: unit.kind,
        body: unit.body,
        parent_id: unit.parent,
        phone: unit.phone,
        office: unit.office,
        hours: unit.hours,
    }
}

/// A worker by name and number.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct WorkerBrief {
    id: WorkerId,
    name: String,
    badge_no: String,
}

pub(super) fn worker_brief(worker: Worker) -> WorkerBrief {
    WorkerBrief {
        id: worker.id,
        name: worker.name,
        badge_no: worker.badge_no,
    }
}

/// Who has the post's work now.
#[derive(Debug, Serialize, ToSchema)]
struct OnDutyView {
    /// None is a gap.
    worker: Option<WorkerBrief>,
    /// `A` or `B`.
    seat: Option<String>,
    /// Why it is not A: `vacant`, `on_leave`, `off_duty`.
    because: Option<String>,
    gap: bool,
}

/// An appointment.
#[derive(Debug, Serialize, ToSchema)]
struct AppointmentView {
    id: AppointmentId,
    post_id: PostId,
    worker: Option<WorkerBrief>,
    seat: String,
    /// ISO date.
    valid_from: String,
    valid_to: Option<String>,
}

/// A post with its seats.
#[derive(Debug, Serialize, ToSchema)]
struct PostView {
    id: PostId,
    unit_id: UnitId,
    area: Option<AreaBrief>,
    name: String,
    duty: String,
    duty_name: String,
    shift: Option<String>,
    holder: Option<WorkerBrief>,
    stand_in: Option<WorkerBrief>,
    on_duty: OnDutyView,
    appointments: Vec<AppointmentView>,
}

fn on_duty_view(tx: &mut Tx, found: OnDuty) -> Result<OnDutyView, Fault> {
    let worker = match found.worker() {
        Some(id) => store::worker(tx, id.into())?.map(worker_brief),
        None => None,
    };
    let because = match found {
        OnDuty::Holder(_) => None,
        OnDuty::StandIn { because, .. } | OnDuty::Gap { holder: because, .. } => Some(because.key().to_owned()),
    };
    Ok(OnDutyView {
        worker,
        seat: found.seat().map(|seat| seat.key().to_owned()),
        because,
        gap: found.worker().is_none(),
    })
}

fn post_view(ctx: &Ctx, tx: &mut Tx, post: Post) -> Result<PostView, Fault> {
    let rows = store::appointment_rows(tx, post.id)?;
    let mut appointments = Vec::with_capacity(rows.len());
    let (mut holder, mut stand_in) = (None, None);
    for row in rows {
        let who = store::worker(tx, row.appointment.worker.into())?.map(worker_brief);
        if row.appointment.covers(ctx.now.date()) {
            match row.appointment.seat {
                Seat::A => holder = who.clone(),
                Seat::B => stand_in = who.clone(),
            }
        }
        appointments.push(AppointmentView {
            id: row.id,
            post_id: row.post,
            worker: who,
            seat: row.appointment.seat.key().to_owned(),
            valid_from: row.appointment.from.to_string(),
            valid_to: row.appointment.to.map(|date| date.to_string()),
        });
    }
    let found = on_duty_of(&ctx.app, tx, &post, Ask::Own, ctx.now)?;
    let map = territory::current(&ctx.app);
    let pack = policy::current(&ctx.app)?;
    let duty_name = pack
        .pack
        .duty(&post.duty)
        .map(|duty| ctx.lang.pick(&duty.name.zh, &duty.name.en).to_owned());
    Ok(PostView {
        id: post.id,
        unit_id: post.unit,
        area: post
            .area
            .and_then(|id| map.area(id).map(|area| territory::brief(ctx, area))),
        name: post.name,
        duty_name: duty_name.unwrap_or_else(|| post.duty.clone()),
        duty: post.duty,
        shift: post.shift,
        holder,
        stand_in,
        on_duty: on_duty_view(tx, found)?,
        appointments,
    })
}

/// Whether the caller may see or change a unit; absent otherwise.
fn need_unit(ctx: &Ctx, tx: &mut Tx, id: UnitId, permission: Permission) -> Result<Unit, Fault> {
    let unit = store::unit(tx, id)?.ok_or_else(Fault::not_found)?;
    let chain = territory::current(&ctx.app)
        .area(unit.area)
        .map(|area| area.chain)
        .unwrap_or_default();
    if ctx.scope.covers_unit(unit.id, &chain, permission) {
        Ok(unit)
    } else {
        Err(Fault::not_found())
    }
}

/// Whether the caller may change things in an area; absent otherwise.
fn need_area(ctx: &Ctx, id: AreaId) -> Result<(), Fault> {
    let map = territory::current(&ctx.app);
    let area = map.area(id).ok_or_else(|| Fault::invalid("area_id", "unknown_area"))?;
    if ctx.scope.covers(&area.chain, Permission::WorkforceManage) {
        Ok(())
    } else {
        Err(Fault::not_found())
    }
}

pub(super) fn text(field: &'static str, value: &str) -> Result<String, Fault> {
    let value = value.trim();
    if value.is_empty() || value.chars().count() > MAX_TEXT {
        return Err(Fault::invalid(field, "text_length").with("most", MAX_TEXT));
    }
    Ok(value.to_owned())
}

fn optional_text(field: &'static str, value: Option<&str>) -> Result<String, Fault> {
    let value = value.unwrap_or_default().trim();
    if value.chars().count() > MAX_TEXT {
        return Err(Fault::invalid(field, "text_length").with("most", MAX_TEXT));
    }
    Ok(value.to_owned())
}

pub(super) fn day(field: &'static str, value: &str) -> Result<jiff::civil::Date, Fault> {
    value.parse().map_err(|_| Fault::invalid(field, "date_expected"))
}

/// An area with those above it and those who serve it.
#[derive(Debug, Serialize, ToSchema)]
struct AreaDetail {
    #[serde(flatten)]
    area: AreaView,
    chain: Vec<AreaBrief>,
    units: Vec<UnitView>,
    grid_worker: Option<GridWorkerView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct GridWorkerView {
    post_id: PostId,
    unit_id: UnitId,
    holder: Option<WorkerBrief>,
    stand_in: Option<WorkerBrief>,
    on_duty: OnDutyView,
}

/// One area.
#[utoipa::path(get, path = "/areas/{id}", tag = "place", params(("id" = AreaId, Path)), responses((status = 200, body = AreaDetail)))]
async fn area(Staff(ctx): Staff, Path(id): Path<AreaId>) -> Result<Json<AreaDetail>, Fault> {
    let found = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let map = territory::current(&ctx.app);
            let area = map.area(id).ok_or_else(Fault::not_found)?;
            let filter = UnitFilter {
                areas: Some(vec![id]),
                ..UnitFilter::default()
            };
            let units = store::units(tx, &filter, ctx.now)?
                .into_iter()
                .map(|unit| unit_view(ctx, unit))
                .collect();
            let grid_worker = match grid_worker_of(&ctx.app, tx, id, Ask::Own, ctx.now)? {
                Some(found) => Some(GridWorkerView {
                    post_id: found.post,
                    unit_id: found.unit,
                    holder: brief_of(tx, found.holder)?,
                    stand_in: brief_of(tx, found.stand_in)?,
                    on_duty: on_duty_view(tx, found.on_duty)?,
                }),
                None => None,
            };
            Ok(AreaDetail {
                area: territory::area_view(ctx, &map, area),
                chain: map
                    .chain(id)
                    .into_iter()
                    .map(|area| territory::brief(ctx, area))
                    .collect(),
                units,
                grid_worker,
            })
        })
        .await?;
    Ok(Json(found))
}

fn brief_of(tx: &mut Tx, id: Option<WorkerId>) -> Result<Option<WorkerBrief>, Fault> {
    match id {
        Some(id) => Ok(store::worker(tx, id)?.map(worker_brief)),
        None => Ok(None),
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UnitsQuery {
    q: Option<String>,
    /// The area and everything below it.
    area: Option<AreaId>,
    kind: Option<String>,
    body: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct UnitList {
    items: Vec<UnitView>,
    next: Option<String>,
}

/// Units in force (at most 500). Any staff may see them: who is responsible for what is no secret.
#[utoipa::path(get, path = "/units", tag = "place", params(UnitsQuery), responses((status = 200, body = UnitList)))]
async fn units(Staff(ctx): Staff, Query(query): Query<UnitsQuery>) -> Result<Json<UnitList>, Fault> {
    let items = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let filter = UnitFilter {
                text: query.q,
                kind: query.kind,
                body: query.body,
                areas: None,
            };
            let map = territory::current(&ctx.app);
            let inside = |unit: &Unit| query.area.is_none_or(|top| map.is_under(unit.area, top));
            let all = store::units(tx, &filter, ctx.now)?;
            Ok(all
                .into_iter()
                .filter(inside)
                .map(|unit| unit_view(ctx, unit))
                .collect())
        })
        .await?;
    Ok(Json(UnitList { items, next: None }))
}

#[derive(Debug, Deserialize, ToSchema)]
struct MakeUnit {
    id: UnitId,
    code: String,
    name: String,
    public_name: Option<String>,
    kind: String,
    body: String,
    area_id: AreaId,
    parent_id: Option<UnitId>,
    phone: Option<String>,
    office: Option<String>,
    hours: Option<String>,
}

/// Makes a unit with the posts its body starts with.
#[utoipa::path(post, path = "/units", tag = "place", request_body = MakeUnit, responses((status = 200, body = UnitDetail)))]
async fn make_unit(Staff(ctx): Staff, Json(make): Json<MakeUnit>) -> Result<Json<UnitDetail>, Fault> {
    ctx.scope.require(Permission::WorkforceManage)?;
    need_area(&ctx, make.area_id)?;
    let pack = policy::current(&ctx.app)?;
    if UnitKind::parse(&make.kind).is_none() {
        return Err(Fault::invalid("kind", "unit_kind_unknown"));
    }
    let body = pack
        .pack
        .body(&make.body)
        .ok_or_else(|| Fault::invalid("body", "unknown_body"))?
        .clone();
    let name = text("name", &make.name)?;
    let new = NewUnit {
        id: make.id,
        code: text("code", &make.code)?,
        public_name: make
            .public_name
            .as_deref()
            .map_or(Ok(name.clone()), |name| text("public_name", name))?,
        name,
        kind: make.kind,
        body: make.body,
        area: make.area_id,
        parent: make.parent_id,
        phone: optional_text("phone", make.phone.as_deref())?,
        office: optional_text("office", make.office.as_deref())?,
        hours: optional_text("hours", make.hours.as_deref())?,
    };
    let detail = ctx
        .app
        .write(&ctx, move |ctx, tx| {
            store::add_unit(ctx, tx, &new)?;
            for post in &body.posts {
                let post = NewPost {
                    id: ctx.app.new_id(),
                    unit: new.id,
                    area: None,
                    name: post.name.zh.clone(),
                    duty: post.duty.clone(),
                    shift: None,
                };
                store::add_post(ctx, tx, &post)?;
            }
            detail(ctx, tx, new.id)
        })
        .await?;
    Ok(Json(detail))
}

/// A unit with its posts.
#[derive(Debug, Serialize, ToSchema)]
struct UnitDetail {
    #[serde(flatten)]
    unit: UnitView,
    posts: Vec<PostView>,
    /// Posts nobody can fill now.
    gaps: usize,
}

fn detail(ctx: &Ctx, tx: &mut Tx, id: UnitId) -> Result<UnitDetail, Fault> {
    let unit = store::unit(tx, id)?.ok_or_else(Fault::not_found)?;
    let posts = store::posts_of_unit(tx, id, None)?;
    let posts: Result<Vec<PostView>, Fault> = posts.into_iter().map(|post| post_view(ctx, tx, post)).collect();
    let posts = posts?;
    let gaps = posts.iter().filter(|post| post.on_duty.gap).count();
    Ok(UnitDetail {
        unit: unit_view(ctx, unit),
        posts,
        gaps,
    })
}

/// A unit: its posts with A and B, who is on duty now, gaps.
#[utoipa::path(get, path = "/units/{id}", tag = "place", params(("id" = UnitId, Path)), responses((status = 200, body = UnitDetail)))]
async fn unit(Staff(ctx): Staff, Path(id): Path<UnitId>) -> Result<Json<UnitDetail>, Fault> {
    let found = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            need_unit(ctx, tx, id, Permission::WorkforceRead)?;
            detail(ctx, tx, id)
        })
        .await?;
    Ok(Json(found))
}

#[derive(Debug, Deserialize, ToSchema)]
struct ChangeUnit {
    name: Option<String>,
    public_name: Option<String>,
    phone: Option<String>,
    office: Option<String>,
    hours: Option<String>,
    /// Last day in force.
    valid_to: Option<String>,
}

/// Changes a unit or ends it.
#[utoipa::path(patch, path = "/units/{id}", tag = "place", request_body = ChangeUnit, params(("id" = UnitId, Path)),
    responses((status = 200, body = UnitDetail)))]
async fn change_unit(
    Staff(ctx): Staff,
    Path(id): Path<UnitId>,
    Json(change): Json<ChangeUnit>,
) -> Result<Json<UnitDetail>, Fault> {
    let some = |field, value: Option<&str>| value.map(|value| text(field, value)).transpose();
    let change = UnitChange {
        name: some("name", change.name.as_deref())?,
        public_name: some("public_name", change.public_name.as_deref())?,
        phone: some("phone", change.phone.as_deref())?,
        office: some("office", change.office.as_deref())?,
        hours: some("hours", change.hours.as_deref())?,
        valid_to: change
            .valid_to
            .as_deref()
            .map(|date| day("valid_to", date))
            .transpose()?,
    };
    let found = ctx
        .app
        .write(&ctx, move |ctx, tx| {
            need_unit(ctx, tx, id, Permission::WorkforceManage)?;
            store::change_unit(ctx, tx, id, &change)?;
            detail(ctx, tx, id)
        })
        .await?;
    Ok(Json(found))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PostsQuery {
    unit: Option<UnitId>,
    area: Option<AreaId>,
}

#[derive(Debug, Serialize, ToSchema)]
struct PostList {
    items: Vec<PostView>,
    next: Option<String>,
}

/// Posts of a unit, or the grid posts of an area.
#[utoipa::path(get, path = "/posts", tag = "place", params(PostsQuery), responses((status = 200, body = PostList)))]
async fn posts(Staff(ctx): Staff, Query(query): Query<PostsQuery>) -> Result<Json<PostList>, Fault> {
    ctx.scope.require(Permission::WorkforceRead)?;
    let items = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let posts = match (query.unit, query.area) {
                (Some(unit), _) => {
                    need_unit(ctx, tx, unit, Permission::WorkforceRead)?;
                    store::posts_of_unit(tx, unit, None)?
                }
                (None, Some(area)) => store::posts_of_area(tx, area, "grid")?,
                (None, None) => return Err(Fault::invalid("unit", "missing_field")),
            };
            let mut seen = Vec::new();
            for post in posts {
                if need_unit(ctx, tx, post.unit, Permission::WorkforceRead).is_ok() {
                    seen.push(post_view(ctx, tx, post)?);
                }
            }
            Ok(seen)
        })
        .await?;
    Ok(Json(PostList { items, next: None }))
}

#[derive(Debug, Deserialize, ToSchema)]
struct MakePost {
    id: PostId,
    unit_id: UnitId,
    area_id: Option<AreaId>,
    name: String,
    duty: String,
    shift: Option<String>,
}

/// Makes a post.
#[utoipa::path(post, path = "/posts", tag = "place", request_body = MakePost, responses((status = 200, body = PostView)))]
async fn make_post(Staff(ctx): Staff, Json(make): Json<MakePost>) -> Result<Json<PostView>, Fault> {
    let pack = policy::current(&ctx.app)?;
    if pack.pack.duty(&make.duty).is_none() {
        return Err(Fault::invalid("duty", "unknown_duty"));
    }
    if make
        .shift
        .as_ref()
        .is_some_and(|shift| pack.pack.calendar.shifts.iter().all(|one| one.name != *shift))
    {
        return Err(Fault::invalid("shift", "unknown_shift"));
    }
    if make
        .area_id
        .is_some_and(|area| territory::current(&ctx.app).area(area).is_none())
    {
        return Err(Fault::invalid("area_id", "unknown_area"));
    }
    let new = NewPost {
        id: make.id,
        unit: make.unit_id,
        area: make.area_id,
        name: text("name", &make.name)?,
        duty: make.duty,
        shift: make.shift,
    };
    let view = ctx
        .app
        .write(&ctx, move |ctx, tx| {
            need_unit(ctx, tx, new.unit, Permission::WorkforceManage)?;
            // One worker a grid (YC-01).
            if new.duty == super::moves::GRID
                && let Some(area) = new.area
                && !store::posts_of_area(tx, area, &new.duty)?.is_empty()
            {
                return Err(Fault::conflict("grid_has_post").field("area_id"));
            }
            store::add_post(ctx, tx, &new)?;
            let post = store::post(tx, new.id)?.ok_or_else(Fault::not_found)?;
            post_view(ctx, tx, post)
        })
        .await?;
    Ok(Json(view))
}

/// A post nobody can fill now.
#[derive(Debug, Serialize, ToSchema)]
struct GapView {
    post: PostView,
    unit: UnitView,
}

/// A grid that has not just one worker of its own (YC-01).
#[derive(Debug, Serialize, ToSchema)]
struct GridGapView {
    area: AreaBrief,
    /// `grid_no_post`, `grid_many_posts`, `grid_no_worker` or `grid_shared_worker`.
    code: String,
    /// In words.
    message: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct GapList {
    items: Vec<GapView>,
    next: Option<String>,
    /// With the first page: grids without just one worker, at most 200, and how many there are.
    grids: Vec<GridGapView>,
    grid_count: usize,
}

/// The grids the caller reads that have not just one worker of their own.
fn grid_gaps(ctx: &Ctx, tx: &mut Tx) -> Result<(Vec<GridGapView>, usize), Fault> {
    let (map, roster) = (territory::current(&ctx.app), roster::of(tx)?);
    let depth = policy::current(&ctx.app)?.pack.levels.len();
    let mine = |area: &territory::Area| ctx.scope.covers(&area.chain, Permission::WorkforceRead);
    let found = grids::findings(&roster, &map, depth, mine, ctx.now);
    let view = |one: &grids::Finding| {
        let area = map.area(one.area)?;
        let worker = one
            .worker
            .and_then(|id| roster.worker(id))
            .map(|worker| worker.name.clone());
        Some(GridGapView {
            area: territory::brief(ctx, area),
            code: one.code.to_owned(),
            message: i18n::sentence(ctx.lang, one.code, &[("worker", worker.unwrap_or_default())]),
        })
    };
    Ok((found.iter().take(MOST_GRIDS).filter_map(view).collect(), found.len()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct GapsQuery {
    /// `next` of the page before.
    after: Option<String>,
}

/// Posts whose holder and stand-in are both missing (PJ-08), a page looks through 2,000 posts; and grids that have not just one worker.
#[utoipa::path(get, path = "/posts/gaps", tag = "place", params(GapsQuery), responses((status = 200, body = GapList)))]
async fn gaps(Staff(ctx): Staff, Query(query): Query<GapsQuery>) -> Result<Json<GapList>, Fault> {
    ctx.scope.require(Permission::WorkforceRead)?;
    let list = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let posts = store::posts_after(tx, query.after.as_deref().unwrap_or_default(), GAP_POSTS)?;
            let next = (posts.len() as i64 == GAP_POSTS)
                .then(|| posts.last().map(|post| post.id.to_string()))
                .flatten();
            let mut items = Vec::new();
            for post in posts {
                if on_duty_of(&ctx.app, tx, &post, Ask::Own, ctx.now)?.worker().is_some() {
                    continue;
                }
                if let Ok(unit) = need_unit(ctx, tx, post.unit, Permission::WorkforceRead) {
                    items.push(GapView {
                        post: post_view(ctx, tx, post)?,
                        unit: unit_view(ctx, unit),
                    });
                }
            }
            let (grids, grid_count) = match query.after {
                None => grid_gaps(ctx, tx)?,
                Some(_) => (Vec::new(), 0),
            };
            Ok(GapList {
                items,
                next,
                grids,
                grid_count,
            })
        })
        .await?;
    Ok(Json(list))
}

#[derive(Debug, Deserialize, ToSchema)]
struct Appoint {
    id: AppointmentId,
    post_id: PostId,
    worker_id: WorkerId,
    /// `A` or `B`.
    seat: String,
    valid_from: String,
    valid_to: Option<String>,
}

/// Seats a worker.
#[utoipa::path(post, path = "/appointments", tag = "place", request_body = Appoint, responses((status = 200, body = PostView)))]
async fn appoint(Staff(ctx): Staff, Json(make): Json<Appoint>) -> Result<Json<PostView>, Fault> {
    let new = NewAppointment {
        id: make.id,
        post: make.post_id,
        worker: make.worker_id,
        seat: Seat::parse(&make.seat).ok_or_else(|| Fault::invalid("seat", "seat_unknown"))?,
        from: day("valid_from", &make.valid_from)?,
        to: make.valid_to.as_deref().map(|date| day("valid_to", date)).transpose()?,
    };
    let view = ctx
        .app
        .write(&ctx, move |ctx, tx| {
            let post = store::post(tx, new.post)?.ok_or_else(Fault::not_found)?;
            need_unit(ctx, tx, post.unit, Permission::WorkforceManage)?;
            store::worker(tx, new.worker)?.ok_or_else(|| Fault::invalid("worker_id", "unknown_worker"))?;
            if post.duty == super::moves::GRID && new.seat == Seat::A {
                own_grid_only(ctx, tx, &new)?;
            }
            store::add_appointment(ctx, tx, &new)?;
            post_view(ctx, tx, post)
        })
        .await?;
    Ok(Json(view))
}

/// A grid has a worker of its own (YC-01); who stands in elsewhere takes the second seat there.
fn own_grid_only(ctx: &Ctx, tx: &mut Tx, new: &NewAppointment) -> Result<(), Fault> {
    let seat = Appointment {
        worker: new.worker.into(),
        seat: new.seat,
        from: new.from,
        to: new.to,
    };
    let roster = roster::of(tx)?;
    match grids::other_grid(&roster, new.post, &seat) {
        None => Ok(()),
        Some(area) => {
            let name = territory::current(&ctx.app).full_name(area);
            Err(Fault::conflict("worker_has_grid").field("worker_id").with("grid", name))
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
struct EndAppointment {
    /// The last day.
    valid_to: String,
}

/// Ends an appointment.
#[utoipa::path(patch, path = "/appointments/{id}", tag = "place", request_body = EndAppointment, params(("id" = AppointmentId, Path)),
    responses((status = 200, body = PostView)))]
async fn end_appointment(
    Staff(ctx): Staff,
    Path(id): Path<AppointmentId>,
    Json(change): Json<EndAppointment>,
) -> Result<Json<PostView>, Fault> {
    let to = day("valid_to", &change.valid_to)?;
    let view = ctx
        .app
        .write(&ctx, move |ctx, tx| {
            let post = store::post_of_appointment(tx, id)?.ok_or_else(Fault::not_found)?;
            need_unit(ctx, tx, post.unit, Permission::WorkforceManage)?;
            store::end_appointment(ctx, tx, id, to)?;
            post_view(ctx, tx, post)
        })
        .await?;
    Ok(Json(view))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WorkersQuery {
    /// Name, pinyin, initials or badge number.
    q: Option<String>,
    unit: Option<UnitId>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
struct WorkerList {
    items: Vec<WorkerBrief>,
    next: Option<String>,
}

/// Workers by text, or those of a unit.
#[utoipa::path(get, path = "/workers", tag = "place", params(WorkersQuery), responses((status = 200, body = WorkerList)))]
async fn workers(Staff(ctx): Staff, Query(query): Query<WorkersQuery>) -> Result<Json<WorkerList>, Fault> {
    ctx.scope.require(Permission::WorkforceRead)?;
    let items = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let found = match query.unit {
                Some(unit) => {
                    let mut all = Vec::new();
                    for id in store::workers_of_unit(tx, unit, ctx.now)? {
                        all.extend(store::worker(tx, id)?);
                    }
                    all
                }
                None => store::workers(
                    tx,
                    query.q.as_deref().unwrap_or_default(),
                    query.limit.unwrap_or(50).clamp(1, 200),
                )?,
            };
            Ok(found.into_iter().map(worker_brief).collect())
        })
        .await?;
    Ok(Json(WorkerList { items, next: None }))
}

#[derive(Debug, Deserialize, ToSchema)]
struct MakeWorker {
    id: WorkerId,
    name: String,
    badge_no: String,
    phone: Option<String>,
}

/// Adds a worker.
#[utoipa::path(post, path = "/workers", tag = "place", request_body = MakeWorker, responses((status = 200, body = WorkerBrief)))]
async fn make_worker(Staff(ctx): Staff, Json(make): Json<MakeWorker>) -> Result<Json<WorkerBrief>, Fault> {
    ctx.scope.require(Permission::WorkforceManage)?;
    let new = NewWorker {
        id: make.id,
        name: text("name", &make.name)?,
        badge_no: text("badge_no", &make.badge_no)?.to_uppercase(),
        phone: optional_text("phone", make.phone.as_deref())?,
    };
    let brief = WorkerBrief {
        id: new.id,
        name: new.name.clone(),
        badge_no: new.badge_no.clone(),
    };
    ctx.app
        .write(&ctx, move |ctx, tx| store::add_worker(ctx, tx, &new))
        .await?;
    Ok(Json(brief))
}

/// A leave.
#[derive(Debug, Serialize, ToSchema)]
struct LeaveView {
    id: LeaveId,
    worker_id: WorkerId,
    /// RFC 3339.
    from: String,
    to: String,
    reason: String,
}

fn leave_view(leave: LeaveRow) -> LeaveView {
    LeaveView {
        id: leave.id,
        worker_id: leave.worker,
        from: leave.from.to_string(),
        to: leave.to.to_string(),
        reason: leave.reason,
    }
}

/// A worker's own seat: the appointment with the names of its post and unit.
#[derive(Debug, Serialize, ToSchema)]
struct SeatView {
    #[serde(flatten)]
    appointment: AppointmentView,
    post_name: String,
    unit_id: UnitId,
    unit_name: String,
}

fn seat_view(tx: &mut Tx, worker: &WorkerBrief, row: store::AppointmentRow) -> Result<SeatView, Fault> {
    let post = store::post(tx, row.post)?.ok_or_else(Fault::not_found)?;
    let unit = store::unit(tx, post.unit)?.ok_or_else(Fault::not_found)?;
    let appointment = AppointmentView {
        id: row.id,
        post_id: row.post,
        worker: Some(worker.clone()),
        seat: row.appointment.seat.key().to_owned(),
        valid_from: row.appointment.from.to_string(),
        valid_to: row.appointment.to.map(|date| date.to_string()),
    };
    Ok(SeatView {
        appointment,
        post_name: post.name,
        unit_id: unit.id,
        unit_name: unit.name,
    })
}

/// A worker with posts and leave.
#[derive(Debug, Serialize, ToSchema)]
struct WorkerDetail {
    #[serde(flatten)]
    worker: WorkerBrief,
    phone: String,
    active: bool,
    appointments: Vec<SeatView>,
    /// Under way or to come.
    leaves: Vec<LeaveView>,
}

/// One worker.
#[utoipa::path(get, path = "/workers/{id}", tag = "place", params(("id" = WorkerId, Path)), responses((status = 200, body = WorkerDetail)))]
async fn worker(Staff(ctx): Staff, Path(id): Path<WorkerId>) -> Result<Json<WorkerDetail>, Fault> {
    ctx.scope.require(Permission::WorkforceRead)?;
    let found = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            need_worker(ctx, tx, id, Permission::WorkforceRead)?;
            let worker = store::worker(tx, id)?.ok_or_else(Fault::not_found)?;
            let brief = worker_brief(worker.clone());
            let rows = store::appointments_of_worker(tx, id)?;
            let seats: Result<Vec<SeatView>, Fault> = rows.into_iter().map(|row| seat_view(tx, &brief, row)).collect();
            Ok(WorkerDetail {
                appointments: seats?,
                leaves: store::leave_rows(tx, id, ctx.now)?
                    .into_iter()
                    .map(leave_view)
                    .collect(),
                phone: worker.phone,
                active: worker.active,
                worker: brief,
            })
        })
        .await?;
    Ok(Json(found))
}

#[derive(Debug, Deserialize, ToSchema)]
struct MakeLeave {
    id: LeaveId,
    worker_id: WorkerId,
    /// RFC 3339.
    from: String,
    to: String,
    reason: String,
}

/// Whether the caller may see or change a worker: through a unit the worker sits in, or one who sits nowhere. Absent otherwise.
fn need_worker(ctx: &Ctx, tx: &mut Tx, worker: WorkerId, permission: Permission) -> Result<(), Fault> {
    store::worker(tx, worker)?.ok_or_else(Fault::not_found)?;
    let units = super::units_of_worker(tx, worker, ctx.now)?;
    let mut may = units.is_empty() && ctx.scope.has(permission);
    for unit in units {
        may |= need_unit(ctx, tx, unit, permission).is_ok();
    }
    if may { Ok(()) } else { Err(Fault::not_found()) }
}

/// Enters a leave: the work falls to the stand-in from its beginning and returns at its end.
#[utoipa::path(post, path = "/leaves", tag = "place", request_body = MakeLeave, responses((status = 200, body = LeaveView)))]
async fn make_leave(Staff(ctx): Staff, Json(make): Json<MakeLeave>) -> Result<Json<LeaveView>, Fault> {
    let at = |field, value: &str| Timestamp::parse(value).map_err(|_| Fault::invalid(field, "time_expected"));
    let new = LeaveRow {
        id: make.id,
        worker: make.worker_id,
        from: at("from", &make.from)?,
        to: at("to", &make.to)?,
        reason: text("reason", &make.reason)?,
    };
    let view = leave_view(new.clone());
    ctx.app
        .write(&ctx, move |ctx, tx| {
            need_worker(ctx, tx, new.worker, Permission::WorkforceManage)?;
            store::add_leave(ctx, tx, &new)
        })
        .await?;
    Ok(Json(view))
}

/// Takes a leave back, or ends it now.
#[utoipa::path(delete, path = "/leaves/{id}", tag = "place", params(("id" = LeaveId, Path)), responses((status = 200, body = Object)))]
async fn take_back_leave(Staff(ctx): Staff, Path(id): Path<LeaveId>) -> Result<Json<serde_json::Value>, Fault> {
    ctx.app
        .write(&ctx, move |ctx, tx| {
            let leave = store::leave(tx, id)?.ok_or_else(Fault::not_found)?;
            need_worker(ctx, tx, leave.worker, Permission::WorkforceManage)?;
            store::end_leave(ctx, tx, &leave)
        })
        .await?;
    Ok(Json(serde_json::json!({})))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MyWorkerQuery {
    lon: Option<f64>,
    lat: Option<f64>,
    datum: Option<String>,
    area_id: Option<AreaId>,
    /// An address in words.
    address: Option<String>,
}

/// A worker as residents see one: name and number, nothing private.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PublicGridWorker)]
struct PublicWorker {
    name: String,
    badge_no: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct OfficeView {
    place: String,
    hours: String,
    phone: String,
}

/// Who serves here (MG-13).
#[derive(Debug, Serialize, ToSchema)]
struct MyWorkerView {
    /// From the top down; empty when nobody knows where this is.
    chain: Vec<AreaBrief>,
    worker: Option<PublicWorker>,
    /// Who stands in, when the worker is away.
    stand_in: Option<PublicWorker>,
    office: Option<OfficeView>,
    /// Where the badge can be checked; the QR code on the badge holds the same.
    badge_url: Option<String>,
}

/// Who is my grid worker: by position, area or address.
#[utoipa::path(get, path = "/portal/my-worker", tag = "portal", params(MyWorkerQuery), responses((status = 200, body = MyWorkerView)))]
async fn my_worker(Public(ctx): Public, Query(query): Query<MyWorkerQuery>) -> Result<Json<MyWorkerView>, Fault> {
    let at = match (query.lon, query.lat) {
        (Some(lon), Some(lat)) => Some(territory::position(lon, lat, query.datum.as_deref())?),
        _ => None,
    };
    let view = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let map = territory::current(&ctx.app);
            let area = match query.area_id.filter(|id| map.area(*id).is_some()) {
                Some(id) => Some(id),
                None => territory::find(&ctx.app, tx, at, query.address.as_deref().unwrap_or_default())?,
            };
            let nobody = MyWorkerView {
                chain: Vec::new(),
                worker: None,
                stand_in: None,
                office: None,
                badge_url: None,
            };
            let Some(area) = area else { return Ok(nobody) };
            let chain = map
                .chain(area)
                .into_iter()
                .map(|area| territory::brief(ctx, area))
                .collect();
            let Some(found) = grid_worker_of(&ctx.app, tx, area, Ask::Own, ctx.now)? else {
                return Ok(MyWorkerView { chain, ..nobody });
            };
            let public = |worker: Worker| PublicWorker {
                name: worker.name,
                badge_no: worker.badge_no,
            };
            let holder = found
                .holder
                .map(|id| store::worker(tx, id))
                .transpose()?
                .flatten()
                .map(public);
            let away = found.on_duty.seat() == Some(Seat::B);
            let stand_in = found
                .stand_in
                .filter(|_| away)
                .map(|id| store::worker(tx, id))
                .transpose()?
                .flatten()
                .map(public);
            let office = store::unit(tx, found.unit)?.map(|unit| OfficeView {
                place: unit.office,
                hours: unit.hours,
                phone: unit.phone,
            });
            let shown = stand_in
                .as_ref()
                .or(holder.as_ref())
                .map(|worker| worker.badge_no.clone());
            let badge_url =
                shown.map(|badge| format!("{}/#/badge/{badge}", ctx.app.config().public_url.trim_end_matches('/')));
            Ok(MyWorkerView {
                chain,
                worker: holder,
                stand_in,
                office,
                badge_url,
            })
        })
        .await?;
    Ok(Json(view))
}

/// What a badge says.
#[derive(Debug, Serialize, ToSchema)]
struct BadgeView {
    /// A worker of this number is in service today.
    valid: bool,
    name: Option<String>,
    area: Option<String>,
    unit: Option<String>,
}

/// Checks a badge number.
#[utoipa::path(get, path = "/portal/badge/{badge_no}", tag = "portal", params(("badge_no" = String, Path)),
    responses((status = 200, body = BadgeView)))]
async fn badge(Public(ctx): Public, Path(badge_no): Path<String>) -> Result<Json<BadgeView>, Fault> {
    let unknown = || BadgeView {
        valid: false,
        name: None,
        area: None,
        unit: None,
    };
    let view = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            let Some(worker) = store::worker_by_badge(tx, &badge_no.trim().to_uppercase())? else {
                return Ok(unknown());
            };
            let rows = store::appointments_of_worker(tx, worker.id)?;
            let now = rows.into_iter().find(|row| row.appointment.covers(ctx.now.date()));
            let Some(row) = now.filter(|_| worker.active) else {
                return Ok(unknown());
            };
            let map = territory::current(&ctx.app);
            let post = store::post(tx, row.post)?;
            let unit = post
                .as_ref()
                .map(|post| store::unit(tx, post.unit))
                .transpose()?
                .flatten();
            let area = post.and_then(|post| post.area).or(unit.as_ref().map(|unit| unit.area));
            Ok(BadgeView {
                valid: true,
                name: Some(worker.name),
                area: area.map(|area| map.full_name(area)),
                unit: unit.map(|unit| unit.public_name),
            })
        })
        .await?;
    Ok(Json(view))
}
