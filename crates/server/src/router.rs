//! All parts put together: one router, one API description.
//!
//! Entry points: [`router`] and [`openapi`]. Each part offers `routes()`; this is the only place that knows them all.

use crate::platform::{App, assets, fault, http};
use crate::{access, cases, exchange, insight, operations, policy, territory, workforce};
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

/// Routes of all parts, in the order of the parts.
fn api() -> OpenApiRouter<App> {
    let parts = [
        operations::routes(),
        access::routes(),
        policy::routes(),
        territory::routes(),
        workforce::routes(),
        cases::routes(),
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
        .layer(DefaultBodyLimit::max(http::BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            http::TIMEOUT,
        ))
        .layer(from_fn(http::same_site))
        .layer(from_fn(http::coded))
        .layer(from_fn(http::observe))
        .layer(from_fn(fault::render))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), http::guard))
        .layer(from_fn_with_state(app.clone(), http::identify))
        .with_state(app)
}
