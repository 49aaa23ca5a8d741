//! The administrator's routes: webhooks of a partner and their messages.

use super::log;
use super::store::{MessageRow, WebhookRow};
use crate::access::Staff;
use crate::platform::*;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(stop))
        .routes(routes!(ping))
        .routes(routes!(messages))
        .routes(routes!(resend))
}

/// Where a partner is told of public changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookView {
    id: WebhookId,
    partner_id: PartnerId,
    url: String,
    /// Changes before this moment have become messages.
    told_until: String,
    created_at: String,
    created_name: String,
    stopped_at: Option<String>,
    /// Who stopped it; `gone` when the receiver answered 410.
    stopped_by: Option<String>,
}

fn view(row: WebhookRow) -> WebhookView {
    WebhookView {
        id: row.id,
        partner_id: row.partner,
        url: row.url,
        told_until: row.told_until.to_string(),
        created_at: row.created_at.to_string(),
        created_name: row.created_name,
        stopped_at: row.stopped_at.map(|at| at.to_string()),
        stopped_by: row.stopped_by,
    }
}

/// Webhooks of a partner, the newest first; at most 20.
#[utoipa::path(get, path = "/partners/{id}/webhooks", tag = "exchange", params(("id" = PartnerId, Path)),
    responses((status = 200, body = Vec<WebhookView>)))]
async fn list(Staff(ctx): Staff, Path(id): Path<PartnerId>) -> Result<Json<Vec<WebhookView>>, Fault> {
    let rows = ctx.app.read(&ctx, move |ctx, tx| log::list(ctx, tx, id)).await?;
    Ok(Json(rows.into_iter().map(view).collect()))
}

/// A webhook to make. The id is made by the caller: the same request again is the same webhook.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct WebhookBody {
    id: WebhookId,
    /// Where to; one of the operator's list.
    url: String,
}

/// A new webhook.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookMade {
    webhook: WebhookView,
    /// `whsec_…`, told this once; none when an earlier try of the same request made the webhook.
    secret: Option<String>,
}

/// Makes a webhook with its secret.
#[utoipa::path(post, path = "/partners/{id}/webhooks", tag = "exchange", params(("id" = PartnerId, Path)), request_body = WebhookBody,
    responses((status = 201, body = WebhookMade)))]
async fn make(
    Staff(ctx): Staff,
    Path(id): Path<PartnerId>,
    Json(body): Json<WebhookBody>,
) -> Result<(StatusCode, Json<WebhookMade>), Fault> {
    let ctx = ctx.for_purpose(Purpose::Administration);
    let made = move |ctx: &Ctx, tx: &mut Tx| log::make(ctx, tx, id, body.id, &body.url);
    let (row, secret) = ctx.app.write(&ctx, made).await?;
    let webhook = view(row);
    Ok((StatusCode::CREATED, Json(WebhookMade { webhook, secret })))
}

/// Stops a webhook at once.
#[utoipa::path(post, path = "/webhooks/{id}/stop", tag = "exchange", params(("id" = WebhookId, Path)), responses((status = 200, body = WebhookView)))]
async fn stop(Staff(ctx): Staff, Path(id): Path<WebhookId>) -> Result<Json<WebhookView>, Fault> {
    let ctx = ctx.for_purpose(Purpose::Administration);
    let row = ctx.app.write(&ctx, move |ctx, tx| log::stop(ctx, tx, id)).await?;
    Ok(Json(view(row)))
}

/// One message.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookMessageView {
    /// The `webhook-id` it is sent with, at each attempt.
    id: WebhookMessageId,
    at: String,
    /// `case.assigned`, `case.closed`, `ping`, ...
    kind: String,
    /// The number of the case; empty for a trial.
    number: String,
    /// As it is sent.
    body: String,
    /// `waiting`, `delivered`, `failed`.
    state: String,
    attempts: i64,
    next_at: Option<String>,
    /// What the last attempt gave: a status of HTTP, or a code.
    outcome: Option<String>,
    /// The same in a sentence.
    outcome_text: Option<String>,
    ended_at: Option<String>,
}

fn message_view(lang: Lang, row: MessageRow) -> WebhookMessageView {
    let said = row.outcome.as_deref().map(|outcome| match outcome.parse::<u16>() {
        Ok(status) => i18n::sentence(lang, "webhook_answered", &[("status", status.to_string())]),
        Err(_) => i18n::sentence(lang, outcome, &[]),
    });
    WebhookMessageView {
        id: row.id,
        at: row.at.to_string(),
        kind: row.kind,
        number: row.number,
        body: row.body,
        state: row.state,
        attempts: row.attempts,
        next_at: row.next_at.map(|at| at.to_string()),
        outcome: row.outcome,
        outcome_text: said,
        ended_at: row.ended_at.map(|at| at.to_string()),
    }
}

/// Sends a message that only shows whether the other side hears.
#[utoipa::path(post, path = "/webhooks/{id}/ping", tag = "exchange", params(("id" = WebhookId, Path)),
    responses((status = 202, body = WebhookMessageView)))]
async fn ping(Staff(ctx): Staff, Path(id): Path<WebhookId>) -> Result<(StatusCode, Json<WebhookMessageView>), Fault> {
    let ctx = ctx.for_purpose(Purpose::Administration);
    let row = ctx.app.write(&ctx, move |ctx, tx| log::ping(ctx, tx, id)).await?;
    Ok((StatusCode::ACCEPTED, Json(message_view(ctx.lang, row))))
}

/// Messages of a webhook and what became of each, the newest first.
#[utoipa::path(get, path = "/webhooks/{id}/messages", tag = "exchange", params(("id" = WebhookId, Path), PageQuery),
    responses((status = 200, body = Page<WebhookMessageView>)))]
async fn messages(
    Staff(ctx): Staff,
    Path(id): Path<WebhookId>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<WebhookMessageView>>, Fault> {
    let (after, limit) = (paging.after()?, paging.limit());
    let rows = ctx
        .app
        .read(&ctx, move |ctx, tx| log::messages(ctx, tx, id, after, limit))
        .await?;
    let page = Page::cut(rows, limit, |row: &MessageRow| (row.at.0, row.id.to_string()));
    let lang = ctx.lang;
    Ok(Json(page.map(|row| message_view(lang, row))))
}

/// Sends a message again under the same id, whatever became of it.
#[utoipa::path(post, path = "/webhook-messages/{id}/resend", tag = "exchange", params(("id" = WebhookMessageId, Path)),
    responses((status = 202, body = WebhookMessageView)))]
async fn resend(
    Staff(ctx): Staff,
    Path(id): Path<WebhookMessageId>,
) -> Result<(StatusCode, Json<WebhookMessageView>), Fault> {
    let ctx = ctx.for_purpose(Purpose::Administration);
    let row = ctx.app.write(&ctx, move |ctx, tx| log::resend(ctx, tx, id)).await?;
    Ok((StatusCode::ACCEPTED, Json(message_view(ctx.lang, row))))
}
