//! All parts put together: one router, one API description.
//!
//! Entry points: [`router`] and [`openapi`]. Each part offers `routes()`; this is the only place that knows them all.

use crate::platform::{App, AreaId, Fault, Lang, Tx, UnitId, assets, fault, http};
use crate::{access, cases, exchange, insight, operations, policy, territory, tiles, workforce};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(
    info(title = "wangge", description = "网格化服务管理平台 · grid service platform"),
    components(schemas(fault::FaultView))
)]
struct Head;

/// Introduces the parts to each other: access learns from territory and workforce what an area and a unit are. Once, before anybody
/// signs in.
pub fn connect(app: &App) {
    app.set_part(access::Directory::with(area_facts, unit_name));
}

fn area_facts(app: &App, _: &mut Tx, id: AreaId, lang: Lang) -> Result<Option<access::AreaFacts>, Fault> {
    let map = territory::current(app);
    let facts = map.area(id).map(|area| access::AreaFacts {
        chain: area.chain,
        depth: area.depth,
        name: area.name.clone(),
        level_name: level_name(app, &area.level, lang),
    });
    Ok(facts)
}

/// As the pack says; the bare key before there is a pack.
fn level_name(app: &App, level: &str, lang: Lang) -> String {
    let pack = policy::current(app).ok();
    let named = pack.as_ref().and_then(|pack| pack.pack.level(level));
    named
        .map_or(level, |level| lang.pick(&level.name.zh, &level.name.en))
        .to_owned()
}

fn unit_name(_: &App, tx: &mut Tx, id: UnitId) -> Result<Option<String>, Fault> {
    Ok(workforce::unit(tx, id)?.map(|unit| unit.name))
}

/// Routes of all parts, in the order of the parts.
fn api() -> OpenApiRouter<App> {
    let parts = [
        operations::routes(),
        access::routes(),
        policy::routes(),
        territory::routes(),
        workforce::routes(),
        cases::routes(),
        tiles::routes(),
        insight::routes(),
        exchange::routes(),
    ];
    let all = parts.into_iter().fold(OpenApiRouter::new(), OpenApiRouter::merge);
    OpenApiRouter::with_openapi(Head::openapi()).nest("/api/v1", all)
}

/// The API's description, as served and as committed for the web client.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api().split_for_parts().1
}

/// The whole server: API, pages, limits, headers.
pub fn router(app: App) -> Router {
    let (api, description) = api().split_for_parts();
    let description = axum::Json(description);
    Router::new()
        .merge(api)
        .route(
            "/api/v1/openapi.json",
            get(move || std::future::ready(description.clone())),
        )
        .merge(operations::plain_routes())
        .fallback(assets::serve)
        .layer(from_fn(http::same_site))
        // Other systems send no cookie and no name of a face; they come with their own key.
        .merge(exchange::open311::plain_routes())
        .merge(exchange::ogc::plain_routes())
        .merge(exchange::sms::plain_routes())
        .merge(exchange::peers::plain_routes())
        .layer(DefaultBodyLimit::max(http::BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            http::TIMEOUT,
        ))
        .layer(from_fn(http::coded))
        .layer(from_fn(http::observe))
        .layer(from_fn(fault::render))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), http::guard))
        .layer(from_fn_with_state(app.clone(), http::identify))
        .with_state(app)
}
