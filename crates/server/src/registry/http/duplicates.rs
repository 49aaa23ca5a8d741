//! Routes of people a list puts into another household than they are registered in: who waits, and the decision.

use super::households::HouseholdView;
use super::residents::ResidentView;
use super::{area_of, day, with_purpose};
use crate::access::{self, Staff};
use crate::platform::http::{Json, Path, Query};
use crate::platform::*;
use crate::registry::intake::{self, Duplicate};
use crate::registry::{residents, store};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(decide))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The grid the list's households lie in.
    area: AreaId,
    /// `visit`, `service`, `registry`, `intake`, or `handle` with the case.
    purpose: Option<String>,
    /// The case that is handled.
    case_id: Option<CaseId>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Somebody who waits for a decision.
#[derive(Debug, Serialize, ToSchema)]
struct DuplicateView {
    id: DuplicateId,
    /// Name of the list, and the row in it.
    source: String,
    row: i64,
    /// The household the list puts them into.
    household: HouseholdView,
    /// What they would be to its householder, how they would belong to it, and from when.
    relation: String,
    kind: String,
    valid_from: String,
    /// Who it is, masked, and where they are registered; none beyond the caller's area: somebody who may at both places decides.
    resident: Option<ResidentView>,
    registered: Option<HouseholdView>,
}

/// People a list puts into a grid's households who are registered elsewhere. Each look at somebody is logged.
#[utoipa::path(get, path = "/registry/duplicates", tag = "registry", params(ListQuery), responses((status = 200, body = Page<DuplicateView>)))]
async fn list(Staff(ctx): Staff, Query(query): Query<ListQuery>) -> Result<Json<Page<DuplicateView>>, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let ctx = with_purpose(ctx, query.purpose.as_deref(), query.case_id)?;
    let area = area_of(&ctx, query.area, Permission::RegistryWrite)?;
    let paging = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let (after, limit) = (paging.after()?, paging.limit());
    let page = ctx.app.write(&ctx, move |ctx, tx| {
        let rows = intake::duplicates(tx, area.id, after, limit)?;
        let page = Page::cut(rows, limit, |one| one.id);
        let items = page.items.into_iter().map(|one| view(ctx, tx, one));
        Ok(Page {
            items: items.collect::<Result<_, Fault>>()?,
            next: page.next,
        })
    });
    Ok(Json(page.await?))
}

fn view(ctx: &Ctx, tx: &mut Tx, one: Duplicate) -> Result<DuplicateView, Fault> {
    let household = store::household(tx, one.household, false)?.ok_or_else(Fault::not_found)?;
    let mut view = DuplicateView {
        id: one.id,
        source: one.source,
        row: one.row,
        household: HouseholdView::of(ctx, household, None),
        relation: one.relation.key().to_owned(),
        kind: one.kind.key().to_owned(),
        valid_from: one.from.to_string(),
        resident: None,
        registered: None,
    };
    let Some((row, key)) = store::resident(tx, one.resident)? else {
        return Ok(view);
    };
    let registered = store::household(tx, row.household, false)?;
    let registered = registered.filter(|at| ctx.scope.covers(&at.spot.chain, Permission::RegistryRead));
    if let Some(registered) = registered {
        access::log_read(ctx, tx, Subject::Resident(row.id), &["masked"])?;
        view.resident = Some(ResidentView::of(residents::mask(ctx, &row, &key)?, &[]));
        view.registered = Some(HouseholdView::of(ctx, registered, None));
    }
    Ok(view)
}

/// What is decided.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DuplicateDecision)]
struct Decision {
    /// They moved into the list's household; else they stay where they are.
    moved: bool,
    /// First day there; ISO date, the list's when left out.
    valid_from: Option<String>,
}

/// Decides on somebody who waits. To move them takes the right to write at both places.
#[utoipa::path(post, path = "/registry/duplicates/{id}/decide", tag = "registry", request_body = Decision,
    params(("id" = DuplicateId, Path)), responses((status = 204, description = "Decided")))]
async fn decide(
    Staff(ctx): Staff,
    Path(id): Path<DuplicateId>,
    Json(wish): Json<Decision>,
) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let from = wish
        .valid_from
        .as_deref()
        .map(|text| day("valid_from", text))
        .transpose()?;
    ctx.app
        .write(&ctx, move |ctx, tx| intake::decide(ctx, tx, id, wish.moved, from))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
