//! The end of an area: here, because it may not leave open cases, households, units or posts without a place.
//!
//! Entry point: [`routes`]. Must not: change an area in any other way; that is territory's.

use super::{place, store};
use crate::access::Staff;
use crate::platform::http::{Json, Path};
use crate::platform::*;
use crate::registry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this file, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(end))
}

#[derive(Debug, Deserialize, ToSchema)]
struct EndInput {
    /// Last day in force; ISO date, today at the latest.
    #[serde(default)]
    valid_to: String,
}

/// What was made of it.
#[derive(Debug, Serialize, ToSchema)]
struct Ended {
    territory_version: i64,
}

/// Ends an area. Refused while areas lie below it, cases in it are open, households or organisations live in it, or units or posts belong to it.
#[utoipa::path(post, path = "/areas/{id}/end", tag = "place", request_body = EndInput, params(("id" = AreaId, Path)),
    responses((status = 200, body = Ended)))]
async fn end(Staff(ctx): Staff, Path(id): Path<AreaId>, Json(input): Json<EndInput>) -> Result<Json<Ended>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let (chain, _) = place::chain_of(&ctx, id).ok_or_else(Fault::not_found)?;
    if !ctx.scope.covers(&chain, Permission::TerritoryManage) {
        return Err(Fault::not_found());
    }
    let territory_version = ctx
        .app
        .write(&ctx, move |ctx, tx| {
            let version = place::end_area(ctx, tx, id, &input.valid_to)?;
            let open: i64 = store::cells_of(tx, id, "open", "all", None)?
                .iter()
                .map(|(_, n)| n)
                .sum();
            if open > 0 {
                return Err(Fault::refused("area_has_open_cases").with("count", open));
            }
            let living = registry::living_in(tx, id)?;
            if living > 0 {
                return Err(Fault::refused("area_has_households").with("count", living));
            }
            let seated = place::seated_at(ctx, tx, id)?;
            if seated > 0 {
                return Err(Fault::refused("area_has_units").with("count", seated));
            }
            Ok(version)
        })
        .await?;
    place::load(&ctx.app).await?;
    Ok(Json(Ended { territory_version }))
}
