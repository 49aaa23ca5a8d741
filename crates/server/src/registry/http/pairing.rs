//! Routes of pairings: made, ended, somebody's, and those on a register whom nobody is paired with.

use super::care::{OnRegisterView, PeopleQuery, page_of};
use super::{Why, with_purpose};
use crate::access::Staff;
use crate::platform::http::{Json, Path, Query};
use crate::platform::*;
use crate::registry::pairing;
use crate::{policy, workforce};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(pair))
        .routes(routes!(end))
        .routes(routes!(of))
        .routes(routes!(unpaired))
}

/// Who is to keep in touch with whom.
#[derive(Debug, Deserialize, ToSchema)]
struct PairWish {
    resident_id: ResidentId,
    worker_id: WorkerId,
}

/// A pairing that was made.
#[derive(Debug, Serialize, ToSchema)]
struct Paired {
    id: PairingId,
}

/// Pairs a worker with somebody on a register that wants a named person for each.
#[utoipa::path(post, path = "/registry/registers/{key}/pairings", tag = "registry", request_body = PairWish, params(("key" = String, Path)),
    responses((status = 200, body = Paired)))]
async fn pair(Staff(ctx): Staff, Path(key): Path<String>, Json(wish): Json<PairWish>) -> Result<Json<Paired>, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let made = ctx.app.write(&ctx, move |ctx, tx| {
        pairing::pair(ctx, tx, &key, wish.resident_id, wish.worker_id)
    });
    Ok(Json(Paired { id: made.await? }))
}

/// A pairing to be ended.
#[derive(Debug, Deserialize, ToSchema)]
struct EndPairing {
    /// `handed_on`, `no_need`, `own_wish` or `mistake`.
    how: String,
    /// What came of it; only a mistake goes without.
    result: Option<String>,
}

/// Ends a pairing with its reason and what came of it.
#[utoipa::path(post, path = "/registry/pairings/{id}/end", tag = "registry", request_body = EndPairing, params(("id" = PairingId, Path)),
    responses((status = 204, description = "Ended")))]
async fn end(Staff(ctx): Staff, Path(id): Path<PairingId>, Json(wish): Json<EndPairing>) -> Result<StatusCode, Fault> {
    ctx.scope.require(Permission::RegistryWrite)?;
    let result = wish.result.map(Personal);
    ctx.app
        .write(&ctx, move |ctx, tx| pairing::end(ctx, tx, id, &wish.how, result))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who keeps, or kept, in touch with somebody.
#[derive(Debug, Serialize, ToSchema)]
struct PairingView {
    id: PairingId,
    register: String,
    register_name: String,
    worker_id: WorkerId,
    worker_name: String,
    /// ISO dates; no last day while they are paired.
    from: String,
    ended: Option<String>,
    /// `handed_on`, `no_need`, `own_wish`, `mistake`, `left`, `off_register`, `worker_left` or `merged`.
    how: Option<String>,
    /// What came of it.
    result: Option<String>,
}

/// Somebody's pairings, the newest first. The look is logged.
#[utoipa::path(get, path = "/registry/residents/{id}/pairings", tag = "registry", params(("id" = ResidentId, Path), Why),
    responses((status = 200, body = Vec<PairingView>)))]
async fn of(
    Staff(ctx): Staff,
    Path(id): Path<ResidentId>,
    Query(why): Query<Why>,
) -> Result<Json<Vec<PairingView>>, Fault> {
    ctx.scope.require(Permission::RegistryRead)?;
    let ctx = with_purpose(ctx, why.purpose.as_deref(), why.case_id)?;
    let views = ctx.app.write(&ctx, move |ctx, tx| {
        let mut views = Vec::new();
        for (one, result) in pairing::of(ctx, tx, id)? {
            let worker = workforce::worker(tx, one.worker)?;
            views.push(PairingView {
                id: one.id,
                register_name: register_name(ctx, &one.register)?,
                register: one.register,
                worker_id: one.worker,
                worker_name: worker.map(|worker| worker.name).unwrap_or_default(),
                from: one.from.to_string(),
                ended: one.ended.map(|day| day.to_string()),
                how: one.how,
                result: result.map(|text| text.reveal().clone()),
            });
        }
        Ok(views)
    });
    Ok(Json(views.await?))
}

fn register_name(ctx: &Ctx, key: &str) -> Result<String, Fault> {
    let current = policy::current(&ctx.app)?;
    let found = current.pack.registers.iter().find(|one| one.key == key);
    let name = found.map(|one| ctx.lang.pick(&one.name.zh, &one.name.en).to_owned());
    Ok(name.unwrap_or_else(|| key.to_owned()))
}

/// Those of a grid who are on a register and whom nobody is paired with, masked. Each look is logged with the person looked at.
#[utoipa::path(get, path = "/registry/registers/{key}/unpaired", tag = "registry", params(("key" = String, Path), PeopleQuery),
    responses((status = 200, body = Page<OnRegisterView>)))]
async fn unpaired(
    Staff(ctx): Staff,
    Path(key): Path<String>,
    Query(query): Query<PeopleQuery>,
) -> Result<Json<Page<OnRegisterView>>, Fault> {
    page_of(ctx, key, query, true).await
}
