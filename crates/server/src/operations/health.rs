//! `/health` and `/metrics`: for the machines that watch the server. Nothing personal in either.

use crate::access;
use crate::platform::http::ClientAddress;
use crate::platform::{App, Ctx, Fault, logs};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
}

/// 200 while the server can read and write, 503 with what is wrong otherwise.
async fn health(State(app): State<App>) -> Response {
    let ctx = Ctx::system(&app, "health");
    let reads = app.read(&ctx, |_, tx| access::roles(tx)).await;
    let database = app.db().health();
    let well = reads.is_ok() && database.refusing.is_none();
    let body = json!({
        "status": if well { "ok" } else { "failing" },
        "version": env!("CARGO_PKG_VERSION"),
        "database": {
            "backend": match database.backend { db::Backend::Sqlite => "sqlite", db::Backend::Postgres => "postgres" },
            "reads": reads.is_ok(),
            "writes": database.refusing.is_none(),
            "writes_waiting": database.writes_waiting,
            "reads_waiting": database.reads_waiting,
        },
        "live_subscribers": app.live().len(),
    });
    let status = if well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(body)).into_response()
}

/// Prometheus text, for this machine only unless the settings open it.
async fn metrics(State(app): State<App>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if !app.config().metrics_open && !ClientAddress::of(&parts).is_loopback() {
        return Fault::not_found().into_response();
    }
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        logs::metrics_text(),
    )
        .into_response()
}
