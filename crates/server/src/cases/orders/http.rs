//! Routes of work orders: the department's, the liaison's.

use super::view::{self, Candidate, OrderBrief, OrderDetail, ShareItem};
use super::{NewOrder, OrderId, PassInput};
use crate::access::Staff;
use crate::cases::{place, store, view as cases_view, work};
use crate::platform::http::{Json, Page, PageQuery, Path, Query};
use crate::platform::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Shares of the liaison's list.
const MAX_SHARES: i64 = 200;

/// All routes of work orders, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, give))
        .routes(routes!(shares))
        .routes(routes!(page))
        .routes(routes!(cancel))
        .routes(routes!(take_back))
        .routes(routes!(workers))
        .routes(routes!(pass))
        .routes(routes!(send_back))
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct OrdersQuery {
    /// `open`, `cancelled` or `taken_back`; all when left out.
    state: Option<String>,
    /// Items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Work orders: those one's department gave, and those with a share within the scope; newest first.
#[utoipa::path(get, path = "/orders", params(OrdersQuery), responses((status = 200, body = Page<OrderBrief>)), tag = "orders")]
async fn list(Staff(ctx): Staff, Query(query): Query<OrdersQuery>) -> Result<Json<Page<OrderBrief>>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    let state = match query.state.as_deref() {
        None | Some("") => None,
        Some("open") => Some(("open", false)),
        Some("cancelled") => Some(("cancelled", false)),
        Some("taken_back") => Some(("cancelled", true)),
        Some(_) => return Err(Fault::invalid("state", "state_unknown")),
    };
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let rules = place::rules(ctx)?;
            let paging = PageQuery {
                limit: query.limit,
                after: query.after,
            };
            let units: Vec<UnitId> = work::person(ctx, tx)?.units.into_iter().map(Into::into).collect();
            let rows = store::orders(tx, &ctx.scope, &units, state, paging.after()?, paging.limit())?;
            let page = Page::cut(rows, paging.limit(), |row| (row.created_at.0, row.id.to_string()));
            Ok(Page {
                items: view::briefs(ctx, tx, &rules, &page.items)?,
                next: page.next,
            })
        })
        .await
        .map(Json)
}

/// A department gives an order: one share for each area, waiting for that area's liaison.
#[utoipa::path(post, path = "/orders", request_body = NewOrder, responses((status = 200, body = OrderDetail)), tag = "orders")]
async fn give(Staff(ctx): Staff, Json(new): Json<NewOrder>) -> Result<Json<OrderDetail>, Fault> {
    if !ctx.scope.has(Permission::CaseDispatch) {
        ctx.scope.require(Permission::CaseHandle)?;
    }
    ctx.app
        .write(&ctx, move |ctx, tx| {
            let order = super::give(ctx, tx, &new)?;
            view::detail(ctx, tx, &order)
        })
        .await
        .map(Json)
}

/// One order with its shares and problems.
#[utoipa::path(get, path = "/orders/{id}", params(("id" = String, Path)), responses((status = 200, body = OrderDetail)), tag = "orders")]
async fn page(Staff(ctx): Staff, Path(id): Path<OrderId>) -> Result<Json<OrderDetail>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let order = store::order(tx, id)?.ok_or_else(Fault::not_found)?;
            view::detail(ctx, tx, &order)
        })
        .await
        .map(Json)
}

#[derive(Debug, Deserialize, ToSchema)]
struct CancelInput {
    #[serde(default)]
    note: String,
}

/// The department cancels the order: carried out, its problems answered, fed back.
#[utoipa::path(post, path = "/orders/{id}/cancel", params(("id" = String, Path)), request_body = CancelInput,
    responses((status = 200, body = OrderDetail)), tag = "orders")]
async fn cancel(
    Staff(ctx): Staff,
    Path(id): Path<OrderId>,
    Json(input): Json<CancelInput>,
) -> Result<Json<OrderDetail>, Fault> {
    end(ctx, id, move |ctx, tx| super::cancel(ctx, tx, id, &input.note)).await
}

/// Ends an order one way or the other; answers with what it is then.
async fn end(
    ctx: Ctx,
    id: OrderId,
    how: impl FnOnce(&Ctx, &mut Tx) -> Result<(), Fault> + Send + 'static,
) -> Result<Json<OrderDetail>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    ctx.app
        .write(&ctx, move |ctx, tx| {
            how(ctx, tx)?;
            let order = store::order(tx, id)?.ok_or_else(Fault::not_found)?;
            view::detail(ctx, tx, &order)
        })
        .await
        .map(Json)
}

#[derive(Debug, Deserialize, ToSchema)]
struct TakeBackInput {
    #[serde(default)]
    reason: String,
}

/// The department takes the order back, before any share was fed back: its shares end as withdrawn.
#[utoipa::path(post, path = "/orders/{id}/take-back", params(("id" = String, Path)), request_body = TakeBackInput,
    responses((status = 200, body = OrderDetail)), tag = "orders")]
async fn take_back(
    Staff(ctx): Staff,
    Path(id): Path<OrderId>,
    Json(input): Json<TakeBackInput>,
) -> Result<Json<OrderDetail>, Fault> {
    end(ctx, id, move |ctx, tx| super::take_back(ctx, tx, id, &input.reason)).await
}

#[derive(Debug, Serialize, ToSchema)]
struct ShareList {
    items: Vec<ShareItem>,
}

/// Shares under way within the scope, those waiting for their liaison first (at most 200).
#[utoipa::path(get, path = "/orders/shares", responses((status = 200, body = ShareList)), tag = "orders")]
async fn shares(Staff(ctx): Staff) -> Result<Json<ShareList>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    ctx.app
        .read(&ctx, move |ctx, tx| {
            let rules = place::rules(ctx)?;
            let found = store::open_shares(tx, &ctx.scope, MAX_SHARES)?;
            let rows: Vec<_> = found.iter().map(|(row, _)| row.clone()).collect();
            let mut items = Vec::new();
            for ((row, order), case) in found.iter().zip(cases_view::briefs(ctx, tx, &rules, &rows)?) {
                let Some(order) = store::order(tx, *order)? else {
                    continue;
                };
                items.push(ShareItem {
                    case,
                    order: view::mark(&order, super::Role::Share),
                    may_pass: view::may_pass(ctx, tx, row)?,
                });
            }
            Ok(ShareList { items })
        })
        .await
        .map(Json)
}

#[derive(Debug, Serialize, ToSchema)]
struct CandidateList {
    items: Vec<Candidate>,
}

/// The grid workers a share may be passed to.
#[utoipa::path(get, path = "/orders/shares/{id}/workers", params(("id" = String, Path)), responses((status = 200, body = CandidateList)), tag = "orders")]
async fn workers(Staff(ctx): Staff, Path(id): Path<CaseId>) -> Result<Json<CandidateList>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    let items = ctx
        .app
        .read(&ctx, move |ctx, tx| super::candidates(ctx, tx, id))
        .await?;
    Ok(Json(CandidateList { items }))
}

/// The liaison passes a share to workers of the area.
#[utoipa::path(post, path = "/orders/shares/{id}/pass", params(("id" = String, Path)), request_body = PassInput,
    responses((status = 200, body = OrderDetail)), tag = "orders")]
async fn pass(
    Staff(ctx): Staff,
    Path(id): Path<CaseId>,
    Json(input): Json<PassInput>,
) -> Result<Json<OrderDetail>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    let ctx = ctx.for_purpose(Purpose::HandleCase(id));
    ctx.app
        .write(&ctx, move |ctx, tx| {
            super::pass(ctx, tx, id, &input)?;
            let (order, _) = store::order_of(tx, id)?.ok_or_else(Fault::not_found)?;
            view::detail(ctx, tx, &order)
        })
        .await
        .map(Json)
}

#[derive(Debug, Deserialize, ToSchema)]
struct SendBackInput {
    #[serde(default)]
    reason: String,
}

/// The department sends a share back to be done again.
#[utoipa::path(post, path = "/orders/shares/{id}/send-back", params(("id" = String, Path)), request_body = SendBackInput,
    responses((status = 200, body = OrderDetail)), tag = "orders")]
async fn send_back(
    Staff(ctx): Staff,
    Path(id): Path<CaseId>,
    Json(input): Json<SendBackInput>,
) -> Result<Json<OrderDetail>, Fault> {
    ctx.scope.require(Permission::CaseRead)?;
    ctx.app
        .write(&ctx, move |ctx, tx| {
            let order = super::send_back(ctx, tx, id, &input.reason)?;
            view::detail(ctx, tx, &order)
        })
        .await
        .map(Json)
}
