//! All parts put together: one router, one API description.
//!
//! Entry points: [`router`] and [`openapi`]. Each part offers `routes()`; this is the only place that knows them all.

use crate::platform::{App, AreaId, Fault, Lang, Tx, UnitId, assets, fault, http};
use crate::{
    access, campaigns, cases, duties, exchange, insight, operations, plans, policy, projects, registry, sync,
    territory, tiles, workforce,
};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use std::time::Duration;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
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
        registry::routes(),
        cases::routes(),
        duties::routes(),
        campaigns::routes(),
        projects::routes(),
        plans::routes(),
        tiles::routes(),
        insight::routes(),
        exchange::routes(),
        sync::routes(),
    ];
    let all = parts.into_iter().fold(OpenApiRouter::new(), OpenApiRouter::merge);
    OpenApiRouter::with_openapi(Head::openapi()).nest("/api/v1", all)
}

/// The API's description, as served and as committed for the web client.
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().1
}

/// The routes with their description.
fn described() -> (Router<App>, utoipa::openapi::OpenApi) {
    let (api, mut description) = api().split_for_parts();
    for (path, item) in &mut description.paths.paths {
        let public = path.contains("/portal/");
        for operation in item.get.iter_mut() {
            name_faults(operation, public, false);
        }
        let changes = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in changes.into_iter().flatten() {
            name_faults(operation, public, true);
        }
    }
    (api, description)
}

/// What the extractors and the layers around every route may answer by themselves, beside what the route says of its own: a fault with its code.
fn name_faults(operation: &mut Operation, public: bool, changes: bool) {
    let mut may = vec![
        (StatusCode::NOT_FOUND, "Absent, or not yours"),
        (
            StatusCode::REQUEST_TIMEOUT,
            "It took too long, the sending of the body too",
        ),
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            "A value or a rule refuses; `field` and `code` say which",
        ),
        (
            // What is public is asked with an account, too.
            StatusCode::TOO_MANY_REQUESTS,
            "Too many requests from this address, or of the whole place",
        ),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "Not now; try again after `retry_after_s`",
        ),
    ];
    if !public {
        may.push((StatusCode::UNAUTHORIZED, "Nobody is signed in"));
    }
    if changes || !public {
        may.push((
            StatusCode::FORBIDDEN,
            "Without the right, or without the header that names the client",
        ));
    }
    if changes {
        may.push((StatusCode::CONFLICT, "Somebody was faster, or the id is used"));
    }
    if operation.request_body.is_some() {
        may.extend([
            (StatusCode::BAD_REQUEST, "The body cannot be read"),
            (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is of another type"),
        ]);
    }
    for (status, words) in may {
        let known = &mut operation.responses.responses;
        known
            .entry(status.as_u16().to_string())
            .or_insert_with(|| RefOr::T(fault_answer(words)));
    }
}

fn fault_answer(words: &str) -> Response {
    let view = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("FaultView")))
        .build();
    ResponseBuilder::new()
        .description(words)
        .content("application/json", view)
        .build()
}

/// The whole server: API, pages, limits, headers.
pub fn router(app: App) -> Router {
    within(app, http::TIMEOUT)
}

/// The whole server, with another limit for the time of one request.
pub fn within(app: App, limit: Duration) -> Router {
    let (api, description) = described();
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
        .merge(exchange::account::plain_routes())
        .layer(DefaultBodyLimit::max(http::BODY_BYTES))
        .layer(from_fn_with_state(limit, http::timely))
        .layer(from_fn(http::coded))
        .layer(from_fn(http::observe))
        .layer(from_fn(fault::render))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), http::guard))
        .layer(from_fn_with_state(app.clone(), http::identify))
        .with_state(app)
}
