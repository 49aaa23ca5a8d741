//! Routes of the registry: counts here; households, residents, organisations, care registers and pairings in a file each.

mod care;
mod duplicates;
mod households;
mod merges;
mod organisations;
mod pairing;
pub mod residents;

use super::buildings::{self, TakenOver};
use super::counts;
use crate::access::Staff;
use crate::platform::http::{Json, Query};
use crate::platform::*;
use crate::territory::{self, Area, AreaBrief, dwellings};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All routes of this part, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(counts_of))
        .routes(routes!(into_dwellings))
        .merge(households::routes())
        .merge(residents::routes())
        .merge(organisations::routes())
        .merge(care::routes())
        .merge(pairing::routes())
        .merge(duplicates::routes())
        .merge(merges::routes())
}

/// Why somebody looks. Without it nothing personal is answered.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
struct Why {
    /// `visit`, `service`, `registry`, `intake`, or `handle` with the case.
    purpose: Option<String>,
    /// The case that is handled.
    case_id: Option<CaseId>,
}

/// The call with its purpose stated.
fn with_purpose(ctx: Ctx, purpose: Option<&str>, case: Option<CaseId>) -> Result<Ctx, Fault> {
    let key = purpose.ok_or_else(|| Fault::new(axum::http::StatusCode::FORBIDDEN, "purpose_required"))?;
    let purpose = Purpose::for_registry(key, case).ok_or_else(|| Fault::invalid("purpose", "purpose_unknown"))?;
    Ok(ctx.for_purpose(purpose))
}

/// An area where the caller has the permission; absent otherwise.
fn area_of(ctx: &Ctx, id: AreaId, permission: Permission) -> Result<Area, Fault> {
    let map = territory::current(&ctx.app);
    let area = map.area(id).filter(|area| ctx.scope.covers(&area.chain, permission));
    area.cloned().ok_or_else(Fault::not_found)
}

fn day(field: &'static str, text: &str) -> Result<Date, Fault> {
    text.trim().parse().map_err(|_| Fault::invalid(field, "date_expected"))
}

/// A day given, or today.
fn day_or_today(ctx: &Ctx, field: &'static str, text: Option<&str>) -> Result<Date, Fault> {
    text.map_or_else(|| Ok(ctx.now.date()), |text| day(field, text))
}

fn area_brief(ctx: &Ctx, id: AreaId) -> Option<AreaBrief> {
    let map = territory::current(&ctx.app);
    map.ever(id).map(|area| territory::brief(ctx, area))
}

/// What was written, without saying anything of it again.
#[derive(Debug, Serialize, ToSchema)]
struct Written {
    id: String,
    /// Give it with the next change, and a change of somebody else meanwhile is noticed.
    row_version: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AreaQuery {
    /// The area; its children are told beside it.
    area: AreaId,
}

#[derive(Debug, Deserialize, ToSchema)]
struct IntoDwellings {
    /// The area whose buildings are counted, with everything below it.
    area_id: AreaId,
    /// Only look: say what would change.
    #[serde(default)]
    dry_run: bool,
}

/// Takes the registered households and residents over as the numbers of the buildings, which plans of grids are made from. Buildings
/// without a registered household keep theirs.
#[utoipa::path(post, path = "/registry/dwellings/import", tag = "registry", request_body = IntoDwellings,
    responses((status = 200, body = TakenOver)))]
async fn into_dwellings(Staff(ctx): Staff, Json(wish): Json<IntoDwellings>) -> Result<Json<TakenOver>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let area = dwellings::planned_area(&ctx, wish.area_id)?;
    Ok(Json(buildings::into_dwellings(&ctx, area, wish.dry_run).await?))
}

/// How much lives in an area and all below it, now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HomeCounts)]
struct AreaCounts {
    area: AreaBrief,
    households: i64,
    residents: i64,
    organisations: i64,
}

#[derive(Debug, Serialize, ToSchema)]
struct CountsView {
    #[serde(flatten)]
    own: AreaCounts,
    /// The areas directly below, in order of code.
    below: Vec<AreaCounts>,
}

/// Households, residents and organisations of an area and of each area directly below it: kept with every change, never counted anew.
#[utoipa::path(get, path = "/registry/counts", tag = "registry", params(AreaQuery), responses((status = 200, body = CountsView)))]
async fn counts_of(Staff(ctx): Staff, Query(query): Query<AreaQuery>) -> Result<Json<CountsView>, Fault> {
    ctx.scope.require(Permission::RegistryRead)?;
    let area = area_of(&ctx, query.area, Permission::RegistryRead)?;
    let map = territory::current(&ctx.app);
    let below = map.children(Some(area.id)).cloned();
    let all: Vec<Area> = std::iter::once(area).chain(below).collect();
    let ids: Vec<AreaId> = all.iter().map(|area| area.id).collect();
    let found = ctx.app.read(&ctx, move |_, tx| counts::of(tx, &ids)).await?;
    let mut views = all.iter().zip(found).map(|(area, counts)| AreaCounts {
        area: territory::brief(&ctx, area),
        households: counts.households,
        residents: counts.residents,
        organisations: counts.organisations,
    });
    let own = views.next().ok_or_else(Fault::not_found)?;
    Ok(Json(CountsView {
        own,
        below: views.collect(),
    }))
}
