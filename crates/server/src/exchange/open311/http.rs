//! The administrator's routes: partners and their keys, and what each was used for.

use super::keys::{self, NewPartner};
use super::store::{PartnerRow, UseRow};
use crate::access::Staff;
use crate::platform::*;
use crate::territory;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(revoke))
        .routes(routes!(uses))
}

/// Another system that has a key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartnerView {
    id: PartnerId,
    name: String,
    /// What the exchange is for.
    purpose: String,
    /// Whom to call about it.
    contact: String,
    /// The key's last characters.
    key_end: String,
    /// The subtree it reaches; none: the whole place.
    area: Option<PartnerArea>,
    /// May hand in requests.
    may_report: bool,
    /// May add to its own requests.
    may_update: bool,
    /// What a request is answered with: `realtime` (its number), `batch` (a token), `blackbox` (nothing).
    answers: String,
    created_at: String,
    created_name: String,
    revoked_at: Option<String>,
    revoked_name: Option<String>,
    use_count: i64,
    last_used_at: Option<String>,
}

/// An area in a few words.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartnerArea {
    id: AreaId,
    code: String,
    name: String,
}

fn view(ctx: &Ctx, row: PartnerRow) -> PartnerView {
    let map = territory::current(&ctx.app);
    let area = row.area.map(|id| PartnerArea {
        id,
        code: map.area(id).map(|area| area.code.clone()).unwrap_or_default(),
        name: map.full_name(id),
    });
    PartnerView {
        id: row.id,
        name: row.name,
        purpose: row.purpose,
        contact: row.contact,
        key_end: row.key_end,
        area,
        may_report: row.may_report,
        may_update: row.may_update,
        answers: row.answers,
        created_at: row.created_at.to_string(),
        created_name: row.created_name,
        revoked_at: row.revoked_at.map(|at| at.to_string()),
        revoked_name: row.revoked_name,
        use_count: row.use_count,
        last_used_at: row.last_used_at.map(|at| at.to_string()),
    }
}

/// Partners of the own area, the newest first.
#[utoipa::path(get, path = "/partners", tag = "exchange", params(PageQuery), responses((status = 200, body = Page<PartnerView>)))]
async fn list(Staff(ctx): Staff, Query(paging): Query<PageQuery>) -> Result<Json<Page<PartnerView>>, Fault> {
    let (after, limit) = (paging.after()?, paging.limit());
    let rows = ctx
        .app
        .read(&ctx, move |ctx, tx| keys::list(ctx, tx, after, limit))
        .await?;
    let page = Page::cut(rows, limit, |row| (row.created_at.0, row.id.to_string()));
    Ok(Json(page.map(|row| view(&ctx, row))))
}

/// A partner to make. The id is made by the caller: the same request again is the same partner.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct PartnerBody {
    id: PartnerId,
    name: String,
    purpose: String,
    contact: String,
    /// The top of the subtree; none for the whole place.
    area_id: Option<AreaId>,
    #[serde(default)]
    may_report: bool,
    #[serde(default)]
    may_update: bool,
    /// `realtime`, `batch` or `blackbox`.
    answers: String,
}

/// A new partner.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartnerMade {
    partner: PartnerView,
    /// Told this once; none when an earlier try of the same request made the partner.
    key: Option<String>,
}

/// Makes a partner with its key.
#[utoipa::path(post, path = "/partners", tag = "exchange", request_body = PartnerBody, responses((status = 201, body = PartnerMade)))]
async fn make(Staff(ctx): Staff, Json(body): Json<PartnerBody>) -> Result<(StatusCode, Json<PartnerMade>), Fault> {
    let new = NewPartner {
        id: body.id,
        name: body.name,
        purpose: body.purpose,
        contact: body.contact,
        area: body.area_id,
        may_report: body.may_report,
        may_update: body.may_update,
        answers: body.answers,
    };
    let ctx = ctx.for_purpose(Purpose::Administration);
    let (row, key) = ctx.app.write(&ctx, move |ctx, tx| keys::make(ctx, tx, &new)).await?;
    let partner = view(&ctx, row);
    Ok((StatusCode::CREATED, Json(PartnerMade { partner, key })))
}

/// Ends a key at once.
#[utoipa::path(post, path = "/partners/{id}/revoke", tag = "exchange", params(("id" = PartnerId, Path)), responses((status = 200, body = PartnerView)))]
async fn revoke(Staff(ctx): Staff, Path(id): Path<PartnerId>) -> Result<Json<PartnerView>, Fault> {
    let ctx = ctx.for_purpose(Purpose::Administration);
    let row = ctx.app.write(&ctx, move |ctx, tx| keys::revoke(ctx, tx, id)).await?;
    Ok(Json(view(&ctx, row)))
}

/// One use of a key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartnerUseView {
    id: PartnerUseId,
    at: String,
    /// `requests_in`, `requests_out`, `updates_in`, `updates_out`, `tokens`, `facilities_out`.
    call: String,
    /// `done`, `again` (a retry), or the code of the refusal.
    outcome: String,
    /// How many requests left the house (came in).
    count: i64,
    /// Their numbers.
    numbers: Vec<String>,
}

/// What a key was used for, the newest first.
#[utoipa::path(get, path = "/partners/{id}/uses", tag = "exchange", params(("id" = PartnerId, Path), PageQuery),
    responses((status = 200, body = Page<PartnerUseView>)))]
async fn uses(
    Staff(ctx): Staff,
    Path(id): Path<PartnerId>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<PartnerUseView>>, Fault> {
    let (after, limit) = (paging.after()?, paging.limit());
    let rows = ctx
        .app
        .read(&ctx, move |ctx, tx| keys::uses(ctx, tx, id, after, limit))
        .await?;
    let page = Page::cut(rows, limit, |row: &UseRow| (row.at.0, row.id.to_string()));
    Ok(Json(page.map(|row| {
        PartnerUseView {
            id: row.id,
            at: row.at.to_string(),
            call: row.call,
            outcome: row.outcome,
            count: row.count,
            numbers: row
                .numbers
                .split(',')
                .filter(|n| !n.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    })))
}
