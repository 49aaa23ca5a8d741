//! Routes of the visits of pairings: whom the caller is paired with, and what was done for one pairing.

use crate::access::Staff;
use crate::duties::pairs;
use crate::platform::http::{Json, Path, Query};
use crate::platform::*;
use crate::{policy, territory};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(mine)).routes(routes!(visits))
}

/// `?purpose=`
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WhyQuery {
    /// `visit`, `service` or `registry`.
    purpose: Option<String>,
}

impl WhyQuery {
    fn of(&self, ctx: Ctx) -> Result<Ctx, Fault> {
        let key = self
            .purpose
            .as_deref()
            .ok_or_else(|| Fault::new(axum::http::StatusCode::FORBIDDEN, "purpose_required"))?;
        let purpose = Purpose::for_registry(key, None).ok_or_else(|| Fault::invalid("purpose", "purpose_unknown"))?;
        Ok(ctx.for_purpose(purpose))
    }
}

/// Somebody the caller is paired with.
#[derive(Debug, Serialize, ToSchema)]
struct PairView {
    id: PairingId,
    register_name: String,
    resident_id: ResidentId,
    /// Masked.
    name: String,
    address: String,
    area_id: AreaId,
    area_name: String,
    /// ISO date.
    from: String,
    /// Visits at which they met since then, and the last.
    met: i64,
    last: Option<String>,
}

/// Whom the caller is paired with, wherever they live, masked. Each look is logged.
#[utoipa::path(get, path = "/pairings/mine", tag = "duties", params(WhyQuery), responses((status = 200, body = Vec<PairView>)))]
async fn mine(Staff(ctx): Staff, Query(why): Query<WhyQuery>) -> Result<Json<Vec<PairView>>, Fault> {
    ctx.scope.require(Permission::DutyRecord)?;
    let ctx = why.of(ctx)?;
    let views = ctx.app.write(&ctx, |ctx, tx| {
        let (current, map) = (policy::current(&ctx.app)?, territory::current(&ctx.app));
        let view = |one: pairs::Pair| {
            let register = current.pack.registers.iter().find(|r| r.key == one.pairing.register);
            let area = one.home.home.area;
            PairView {
                id: one.pairing.id,
                register_name: register
                    .map(|r| ctx.lang.pick(&r.name.zh, &r.name.en).to_owned())
                    .unwrap_or_default(),
                resident_id: one.pairing.resident,
                name: one.resident.name,
                address: one.home.address,
                area_id: area,
                area_name: map.full_name(area),
                from: one.pairing.from.to_string(),
                met: one.met,
                last: one.last.map(|at| at.to_string()),
            }
        };
        Ok(pairs::mine(ctx, tx)?.into_iter().map(view).collect())
    });
    Ok(Json(views.await?))
}

/// A visit of a pairing.
#[derive(Debug, Serialize, ToSchema)]
struct PairVisitView {
    /// `/visits/{id}` tells what was said.
    id: VisitId,
    at: String,
    minutes: i64,
    /// `met`, `nobody_home`, `refused` or `moved_away`.
    outcome: String,
}

/// What the paired worker did from the first day of a pairing to its last: visits to the person or their home, the newest first.
#[utoipa::path(get, path = "/pairings/{id}/visits", tag = "duties", params(("id" = PairingId, Path), WhyQuery),
    responses((status = 200, body = Vec<PairVisitView>)))]
async fn visits(
    Staff(ctx): Staff,
    Path(id): Path<PairingId>,
    Query(why): Query<WhyQuery>,
) -> Result<Json<Vec<PairVisitView>>, Fault> {
    if !ctx.scope.has(Permission::RegistryRead) {
        ctx.scope.require(Permission::DutyRecord)?;
    }
    let ctx = why.of(ctx)?;
    let found = ctx.app.write(&ctx, move |ctx, tx| pairs::visits(ctx, tx, id)).await?;
    let view = |one: pairs::PairVisit| PairVisitView {
        id: one.id,
        at: one.at.to_string(),
        minutes: one.minutes,
        outcome: one.outcome.key().to_owned(),
    };
    Ok(Json(found.into_iter().map(view).collect()))
}
