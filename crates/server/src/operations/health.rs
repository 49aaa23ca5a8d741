//! `/health` and `/metrics`: for the machines that watch the server. Nothing personal in either.

use crate::access;
use crate::platform::app::CLOCK_STEPPED;
use crate::platform::http::ClientAddress;
use crate::platform::i18n::{Lang, sentence};
use crate::platform::{App, Ctx, Fault, disk, ledger, logs};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::time::MINUTE_MS;
use serde_json::json;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
}

/// 200 while the server can read and write, 503 otherwise, with what is wrong by code and sentence.
async fn health(State(app): State<App>) -> Response {
    let ctx = Ctx::system(&app, "health");
    let reads = app.read(&ctx, |_, tx| access::roles(tx)).await;
    if app.db().health().full {
        // Nobody may be sent here while this says that it fails: whether there is room again must be found out here.
        let _ = ledger::try_disk(&app).await;
    }
    let database = app.db().health();
    let full = database.full || disk::database_full(app.config());
    let back = app.clock_back_ms();
    let found = [
        (reads.is_err(), "storage_unavailable"),
        (database.refusing.is_some(), "storage_stopped"),
        (full, "disk_full"),
        (back.is_some(), CLOCK_STEPPED),
    ];
    let minutes = [("minutes", (back.unwrap_or(0) / MINUTE_MS).to_string())];
    let problem = |code| json!({ "code": code, "zh": sentence(Lang::Zh, code, &minutes), "en": sentence(Lang::En, code, &minutes) });
    let problems: Vec<_> = found
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, code)| problem(code))
        .collect();
    let well = problems.is_empty();
    let body = json!({
        "status": if well { "ok" } else { "failing" },
        "version": env!("CARGO_PKG_VERSION"),
        "database": {
            "backend": match database.backend { db::Backend::Sqlite => "sqlite", db::Backend::Postgres => "postgres" },
            "reads": reads.is_ok(),
            "writes": database.refusing.is_none() && !full && back.is_none(),
            "writes_waiting": database.writes_waiting,
            "reads_waiting": database.reads_waiting,
        },
        "problems": problems,
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
