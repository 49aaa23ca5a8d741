//! The outbox over HTTP: what residents are still to be told, and who told them.

use crate::access::Staff;
use crate::platform::outbox::{self, OutboxItem, OutboxState};
use crate::platform::{App, Fault, Json, MessageId, Page, PageQuery, Path, Query};
use axum::extract::State;
use serde::Deserialize;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OutboxQuery {
    /// Only messages in this state.
    state: Option<OutboxState>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct Note {
    /// Why it is taken back; or how the resident was told and what they said.
    note: String,
}

/// Messages within the caller's area, the newest first.
#[utoipa::path(get, path = "/outbox", tag = "operations", params(OutboxQuery), responses((status = 200, body = Page<OutboxItem>)))]
pub async fn list(
    State(app): State<App>,
    Staff(ctx): Staff,
    Query(query): Query<OutboxQuery>,
) -> Result<Json<Page<OutboxItem>>, Fault> {
    let page = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let (state, limit, after) = (query.state, page.limit(), page.after()?);
    let items = app
        .read(&ctx, move |ctx, tx| outbox::list(ctx, tx, state, after, limit + 1))
        .await?;
    Ok(Json(Page::cut(items, limit, |item| item.id)))
}

/// Takes a waiting message back.
#[utoipa::path(post, path = "/outbox/{id}/cancel", tag = "operations", params(("id" = MessageId, Path)), request_body = Note,
    responses((status = 200, body = OutboxItem), (status = 409, body = crate::platform::fault::FaultView)))]
pub async fn cancel(
    State(app): State<App>,
    Staff(ctx): Staff,
    Path(id): Path<MessageId>,
    Json(body): Json<Note>,
) -> Result<Json<OutboxItem>, Fault> {
    Ok(Json(
        app.write(&ctx, move |ctx, tx| outbox::cancel(ctx, tx, id, &body.note))
            .await?,
    ))
}

/// Says that the resident was told in person or by phone.
#[utoipa::path(post, path = "/outbox/{id}/mark-told", tag = "operations", params(("id" = MessageId, Path)), request_body = Note,
    responses((status = 200, body = OutboxItem), (status = 409, body = crate::platform::fault::FaultView)))]
pub async fn mark_told(
    State(app): State<App>,
    Staff(ctx): Staff,
    Path(id): Path<MessageId>,
    Json(body): Json<Note>,
) -> Result<Json<OutboxItem>, Fault> {
    Ok(Json(
        app.write(&ctx, move |ctx, tx| outbox::mark_told(ctx, tx, id, &body.note))
            .await?,
    ))
}
