//! Routes of patrols: the grids one patrols, what each worker patrolled on a day, and a track for a purpose.

use super::super::patrols::{self, Patrol};
use super::{PurposeQuery, day_of, rule_name};
use crate::access::Staff;
use crate::platform::*;
use crate::territory;
use domain::duties::{Pause, Quantity, Step, Track};
use domain::geo::LonLat;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(grids))
        .routes(routes!(days))
        .routes(routes!(of_worker))
        .routes(routes!(track))
}

/// Where a phone says it went, in order of time.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TrackInput {
    /// At most 3,000.
    #[schema(inline)]
    steps: Vec<StepInput>,
    #[serde(default)]
    #[schema(inline)]
    pauses: Vec<PauseInput>,
}

/// One position, WGS-84.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
struct StepInput {
    /// Seconds after the patrol began.
    s: u32,
    lon: f64,
    lat: f64,
    accuracy_m: Option<f64>,
}

/// A rest, in seconds after the patrol began.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
struct PauseInput {
    from_s: u32,
    to_s: u32,
}

impl TrackInput {
    pub fn read(self, begin: Timestamp) -> Result<Track, Fault> {
        let at = |s: u32| begin.plus_ms(i64::from(s) * 1_000);
        let step = |one: StepInput| {
            let place = LonLat::new(one.lon, one.lat).map_err(|_| Fault::invalid("track", "invalid_field"))?;
            Ok(Step {
                at: at(one.s),
                place,
                accuracy_m: one.accuracy_m.filter(|metres| metres.is_finite()),
            })
        };
        let pause = |one: &PauseInput| Pause {
            from: at(one.from_s),
            to: at(one.to_s),
        };
        Ok(Track {
            steps: self.steps.into_iter().map(step).collect::<Result<_, Fault>>()?,
            pauses: self.pauses.iter().map(pause).collect(),
        })
    }

    fn of(begin: Timestamp, track: &Track) -> TrackInput {
        let s = |at: Timestamp| u32::try_from((at.0 - begin.0) / 1_000).unwrap_or_default();
        let step = |one: &Step| StepInput {
            s: s(one.at),
            lon: one.place.lon,
            lat: one.place.lat,
            accuracy_m: one.accuracy_m,
        };
        let pause = |one: &Pause| PauseInput {
            from_s: s(one.from),
            to_s: s(one.to),
        };
        TrackInput {
            steps: track.steps.iter().map(step).collect(),
            pauses: track.pauses.iter().map(pause).collect(),
        }
    }
}

/// A grid one patrols.
#[derive(Debug, Serialize, ToSchema)]
struct PatrolGrid {
    id: AreaId,
    name: String,
}

/// The grids the caller patrols.
#[utoipa::path(get, path = "/patrols/grids", tag = "duties", responses((status = 200, body = Vec<PatrolGrid>)))]
async fn grids(Staff(ctx): Staff) -> Result<Json<Vec<PatrolGrid>>, Fault> {
    let found = ctx.app.read(&ctx, patrols::grids).await?;
    let grids = found.into_iter().map(|(id, name)| PatrolGrid { id, name });
    Ok(Json(grids.collect()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DayQuery {
    area: AreaId,
    /// ISO date; today when left out.
    on: Option<String>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// What a pack wants of a day's patrols in a grid.
#[derive(Debug, Serialize, ToSchema)]
struct PatrolWish {
    name: String,
    /// Times, or minutes.
    need: u32,
    in_minutes: bool,
}

/// What one worker patrolled on a day.
#[derive(Debug, Serialize, ToSchema)]
struct PatrolDay {
    worker_id: WorkerId,
    worker_name: String,
    times: i64,
    minutes: i64,
    /// Along the tracks, but for gaps and pauses.
    metres: f64,
    /// Stretches without a position of more than three minutes.
    gaps: i64,
    /// Patrols whose phone said that the position was made up, and those without a track.
    mock: i64,
    without_track: i64,
}

/// A day's patrols by worker, and what the pack wants.
#[derive(Debug, Serialize, ToSchema)]
struct PatrolDays {
    #[schema(inline)]
    wanted: Vec<PatrolWish>,
    #[schema(inline)]
    items: Vec<PatrolDay>,
    next: Option<String>,
}

/// What each worker patrolled on a day in an area and all below it.
#[utoipa::path(get, path = "/patrols", tag = "duties", params(DayQuery), responses((status = 200, body = PatrolDays)))]
async fn days(Staff(ctx): Staff, Query(query): Query<DayQuery>) -> Result<Json<PatrolDays>, Fault> {
    let paging = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let (after, limit, on) = (paging.after()?, paging.limit(), day_of(&ctx, query.on.as_deref())?);
    let found = ctx
        .app
        .read(&ctx, move |ctx, tx| {
            patrols::days(ctx, tx, query.area, on, after, limit)
        })
        .await?;
    let wanted = patrols::wanted(&ctx.app)?.into_iter().map(|rule| {
        let (need, in_minutes) = match rule.quantity {
            Quantity::Times { least, .. } => (u32::from(least), false),
            Quantity::Minutes(minutes) => (minutes, true),
        };
        PatrolWish {
            name: rule_name(&ctx, &rule.key),
            need,
            in_minutes,
        }
    });
    let wanted = wanted.collect();
    let page = Page::cut(found, limit, |day| day.worker);
    let items = page.items.into_iter().map(|day| PatrolDay {
        worker_id: day.worker,
        worker_name: day.name,
        times: day.times,
        minutes: day.minutes,
        metres: day.metres,
        gaps: day.gaps,
        mock: day.mock,
        without_track: day.without,
    });
    Ok(Json(PatrolDays {
        wanted,
        items: items.collect(),
        next: page.next,
    }))
}

/// One patrol.
#[derive(Debug, Serialize, ToSchema)]
struct PatrolView {
    id: VisitId,
    grid_name: String,
    at: String,
    minutes: i64,
    mock: bool,
    /// None without a track.
    points: Option<i64>,
    metres: Option<f64>,
    gaps: Option<u32>,
    longest_gap_s: Option<i64>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WorkerDayQuery {
    area: AreaId,
    /// ISO date; today when left out.
    on: Option<String>,
}

/// The patrols of one worker on a day.
#[utoipa::path(get, path = "/patrols/workers/{id}", tag = "duties", params(("id" = WorkerId, Path), WorkerDayQuery),
    responses((status = 200, body = Vec<PatrolView>)))]
async fn of_worker(
    Staff(ctx): Staff,
    Path(id): Path<WorkerId>,
    Query(query): Query<WorkerDayQuery>,
) -> Result<Json<Vec<PatrolView>>, Fault> {
    let on = day_of(&ctx, query.on.as_deref())?;
    let found = ctx
        .app
        .read(&ctx, move |ctx, tx| patrols::of_worker(ctx, tx, id, query.area, on))
        .await?;
    let map = territory::current(&ctx.app);
    let view = |one: Patrol| PatrolView {
        id: one.id,
        grid_name: map.full_name(one.grid),
        at: one.at.to_string(),
        minutes: one.minutes,
        mock: one.mock,
        points: one.track.map(|(points, _)| points),
        metres: one.track.map(|(_, figures)| figures.metres),
        gaps: one.track.map(|(_, figures)| figures.gaps),
        longest_gap_s: one.track.map(|(_, figures)| figures.longest_gap_s),
    };
    Ok(Json(found.into_iter().map(view).collect()))
}

/// A patrol's track; the look is logged with its purpose.
#[utoipa::path(get, path = "/visits/{id}/track", tag = "duties", params(("id" = VisitId, Path), PurposeQuery),
    responses((status = 200, body = TrackInput)))]
async fn track(
    Staff(ctx): Staff,
    Path(id): Path<VisitId>,
    Query(query): Query<PurposeQuery>,
) -> Result<Json<TrackInput>, Fault> {
    let ctx = ctx.for_purpose(query.of());
    let (visit, track) = ctx.app.write(&ctx, move |ctx, tx| patrols::track(ctx, tx, id)).await?;
    Ok(Json(TrackInput::of(visit.at, &track)))
}
