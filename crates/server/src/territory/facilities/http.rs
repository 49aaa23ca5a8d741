//! Routes of facilities: list, import, removal.

use super::import::{FacilityReport, import, read_csv, read_map};
use super::{Ask, Facility, Viewer, page, remove};
use crate::access::Staff;
use crate::platform::*;
use crate::territory::current;
use crate::territory::http::{ImportQuery, Sent, file};
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest file.
const IMPORT_BYTES: usize = 64 << 20;

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(take_away))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(bring_in))
                .layer(DefaultBodyLimit::max(IMPORT_BYTES)),
        )
}

/// A facility as staff see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FacilityView {
    id: FacilityId,
    code: String,
    name: String,
    kind: String,
    area_id: AreaId,
    area_name: String,
    lon: f64,
    lat: f64,
    /// Whether its outline is known.
    outlined: bool,
    address: String,
    hours: String,
    phone: String,
    /// `public`, `partner` or `staff`.
    audience: String,
}

fn view(ctx: &Ctx, one: Facility) -> FacilityView {
    FacilityView {
        area_name: current(&ctx.app).full_name(one.area),
        id: one.id,
        code: one.code,
        name: one.name,
        kind: one.kind,
        area_id: one.area,
        lon: one.at.lon,
        lat: one.at.lat,
        outlined: one.outline.is_some(),
        address: one.address,
        hours: one.hours,
        phone: one.phone,
        audience: one.audience.key().to_owned(),
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FacilityQuery {
    /// Its source's number.
    code: Option<String>,
    /// What it is.
    kind: Option<String>,
    /// Area, with everything below it.
    area: Option<AreaId>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Facilities in scope, and public ones.
#[utoipa::path(get, path = "/facilities", tag = "place", params(FacilityQuery), responses((status = 200, body = Page<FacilityView>)))]
async fn list(Staff(ctx): Staff, Query(query): Query<FacilityQuery>) -> Result<Json<Page<FacilityView>>, Fault> {
    let paging = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let map = current(&ctx.app);
    let area = match query.area {
        Some(id) => Some(map.area(id).ok_or_else(|| Fault::invalid("area", "area_unknown"))?),
        None => None,
    };
    let ask = Ask {
        kind: query.kind,
        code: query.code,
        area: area.map(|area| (area.depth, area.id)),
        after: paging.after()?,
        limit: paging.limit(),
        ..Ask::default()
    };
    let viewer = Viewer::Staff(ctx.scope.clone());
    let rows = ctx.app.read(&ctx, move |_, tx| page(tx, &viewer, &ask)).await?;
    let page = Page::cut(rows, paging.limit(), |one| one.id);
    Ok(Json(page.map(|one| view(&ctx, one))))
}

/// Facilities from CSV (`text/csv`) or a map (`application/geo+json`, a GeoPackage, a zipped shapefile); the same code again replaces what was there.
#[utoipa::path(post, path = "/facilities/import", tag = "place", params(ImportQuery),
    request_body(content = String, content_type = "text/csv"), responses((status = 200, body = FacilityReport)))]
async fn bring_in(
    Staff(ctx): Staff,
    Query(query): Query<ImportQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<FacilityReport>, Fault> {
    ctx.scope.require(Permission::TerritoryManage)?;
    let rows = match file(&headers, &body, &query.layer)? {
        Sent::Map(map) => read_map(map, query.datum()?).await?,
        Sent::Table(text) => read_csv(text, query.datum()?)?,
    };
    Ok(Json(import(&ctx, rows, query.dry_run).await?))
}

/// Takes a facility away.
#[utoipa::path(delete, path = "/facilities/{id}", tag = "place", params(("id" = FacilityId, Path)), responses((status = 204)))]
async fn take_away(Staff(ctx): Staff, Path(id): Path<FacilityId>) -> Result<StatusCode, Fault> {
    ctx.app.write(&ctx, move |ctx, tx| remove(ctx, tx, id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
