//! Routes of tiles: for staff, for everybody.

use super::index::fresh;
use super::tile::Tile;
use super::{cases, public};
use crate::access::Staff;
use crate::cases::queue::{ListQuery, on_map};
use crate::platform::http::{ctx_of, within_budget};
use crate::platform::throttle::Budget;
use crate::platform::*;
use crate::territory::facilities::Viewer;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const MVT: &str = "application/vnd.mapbox-vector-tile";

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(staff)).routes(routes!(everybody))
}

/// What a tile can hold.
#[derive(Debug, Clone, Copy)]
enum Content {
    Areas,
    Facilities,
    Cases,
}

fn asked((layer, z, x, y): &(String, String, String, String)) -> Result<(Content, Tile), Fault> {
    let content = match layer.as_str() {
        "areas" => Content::Areas,
        "facilities" => Content::Facilities,
        "cases" => Content::Cases,
        _ => return Err(Fault::not_found()),
    };
    let outside = || Fault::invalid("z", "tile_outside");
    let number = |text: &str| text.parse::<u32>().map_err(|_| outside());
    let zoom = z.parse::<u8>().map_err(|_| outside())?;
    let tile = Tile::new(zoom, number(x)?, number(y)?).ok_or_else(outside)?;
    Ok((content, tile))
}

/// Somebody looking at the public map, within the budget of their address.
struct Onlooker(Ctx);

impl FromRequestParts<App> for Onlooker {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let limit = app.config().limits.tiles_per_minute;
        within_budget(app, parts, Budget::Tiles, limit)?;
        Ok(Onlooker(ctx_of(parts, app, Actor::Resident, Scope::nothing())))
    }
}

/// A tile of what the caller's scope holds: `areas`, `facilities` (from zoom 13; also public ones), or `cases` of a list. Never cached.
#[utoipa::path(get, path = "/tiles/{layer}/{z}/{x}/{y}", tag = "map", params(
    ("layer" = String, Path), ("z" = u8, Path), ("x" = u32, Path), ("y" = u32, Path), ListQuery
), responses((status = 200, content_type = "application/vnd.mapbox-vector-tile", body = Vec<u8>)))]
async fn staff(
    Staff(ctx): Staff,
    Path(path): Path<(String, String, String, String)>,
    Query(list): Query<ListQuery>,
) -> Result<Response, Fault> {
    let (content, tile) = asked(&path)?;
    let viewer = Viewer::Staff(ctx.scope.clone());
    let bytes = match content {
        Content::Areas => fresh(&ctx, |index| index.areas(tile, Some(&viewer))).await?,
        Content::Facilities => fresh(&ctx, |index| index.facilities(tile, &viewer)).await?,
        Content::Cases => {
            ctx.scope.require(Permission::CaseRead)?;
            let look = ctx
                .app
                .read(&ctx, move |ctx, tx| on_map(ctx, tx, &list, tile.degrees()));
            let (found, more) = look.await?;
            cases::draw(tile, &found, more)
        }
    };
    Ok(written(bytes, "no-store"))
}

/// A tile of what everybody may see: `areas`, `facilities` (from zoom 13), or `cases` counted per square, small counts left out.
#[utoipa::path(get, path = "/portal/tiles/{layer}/{z}/{x}/{y}", tag = "portal", params(
    ("layer" = String, Path), ("z" = u8, Path), ("x" = u32, Path), ("y" = u32, Path)
), responses((status = 200, content_type = "application/vnd.mapbox-vector-tile", body = Vec<u8>)))]
async fn everybody(
    Onlooker(ctx): Onlooker,
    Path(path): Path<(String, String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let (content, tile) = asked(&path)?;
    let bytes = match content {
        Content::Areas => fresh(&ctx, |index| index.areas(tile, None)).await?,
        Content::Facilities => fresh(&ctx, |index| index.facilities(tile, &Viewer::Anybody)).await?,
        Content::Cases => public::draw(tile, &*public::now(&ctx).await?),
    };
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&bytes)[..12]));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let mut response =
        if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
            let mut response = written(Vec::new(), "public, max-age=60");
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            written(bytes, "public, max-age=60")
        };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

fn written(bytes: Vec<u8>, cache: &'static str) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MVT));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}
