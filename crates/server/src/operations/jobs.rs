//! Jobs over HTTP: what waits, what failed, run again, cancel.

use crate::access::Staff;
use crate::platform::jobs::{self, JobItem, JobState};
use crate::platform::{App, Fault, JobId, Json, Page, PageQuery, Path, Permission, Query};
use axum::extract::State;
use serde::Deserialize;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JobQuery {
    /// Only jobs in this state.
    state: Option<JobState>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Jobs, the newest first.
#[utoipa::path(get, path = "/jobs", tag = "operations", params(JobQuery), responses((status = 200, body = Page<JobItem>)))]
pub async fn list(
    State(app): State<App>,
    Staff(ctx): Staff,
    Query(query): Query<JobQuery>,
) -> Result<Json<Page<JobItem>>, Fault> {
    ctx.scope.require(Permission::JobManage)?;
    let page = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let (state, limit, after) = (query.state, page.limit(), page.after()?);
    let items = app
        .read(&ctx, move |_, tx| jobs::list(tx, state, after, limit + 1))
        .await?;
    Ok(Json(Page::cut(items, limit, |item| item.id)))
}

/// Runs a dead or cancelled job again.
#[utoipa::path(post, path = "/jobs/{id}/retry", tag = "operations", params(("id" = JobId, Path)),
    responses((status = 200, body = JobItem), (status = 409, body = crate::platform::fault::FaultView)))]
pub async fn retry(State(app): State<App>, Staff(ctx): Staff, Path(id): Path<JobId>) -> Result<Json<JobItem>, Fault> {
    ctx.scope.require(Permission::JobManage)?;
    Ok(Json(app.write(&ctx, move |ctx, tx| jobs::retry(ctx, tx, id)).await?))
}

/// Stops a waiting or dead job.
#[utoipa::path(post, path = "/jobs/{id}/cancel", tag = "operations", params(("id" = JobId, Path)),
    responses((status = 200, body = JobItem), (status = 409, body = crate::platform::fault::FaultView)))]
pub async fn cancel(State(app): State<App>, Staff(ctx): Staff, Path(id): Path<JobId>) -> Result<Json<JobItem>, Fault> {
    ctx.scope.require(Permission::JobManage)?;
    Ok(Json(app.write(&ctx, move |ctx, tx| jobs::cancel(ctx, tx, id)).await?))
}
