//! Running the server: health, metrics, live updates; the routes over jobs, outbox, ledger, examination, uploads and
//! photos.
//!
//! Entry points: [`routes`], and [`run_beside`] for what runs beside the requests. Must not hold rules of any part.

pub mod backup;
pub mod doctor;
mod events;
mod examine;
mod health;
mod jobs;
mod ledger;
mod outbox;
mod store;
mod uploads;

use crate::platform::{App, Ctx, Fault, Mark, Subject, blobs};
use axum::Router;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(events::events))
        .routes(routes!(examine::examine))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::retry))
        .routes(routes!(jobs::cancel))
        .routes(routes!(outbox::list))
        .routes(routes!(outbox::cancel))
        .routes(routes!(outbox::mark_told))
        .routes(routes!(ledger::list))
        .routes(routes!(ledger::heads))
        .routes(routes!(ledger::verify))
        .routes(routes!(ledger::verification))
        .routes(routes!(ledger::tree_head))
        .routes(routes!(ledger::consistency))
        .routes(routes!(ledger::verify_receipt))
        .routes(routes!(uploads::photo))
        .merge(uploads::tus_routes().into())
}

/// Routes that are not part of the API: for the machines that watch the server.
pub fn plain_routes() -> Router<App> {
    health::routes()
}

/// Tells the platform which jobs there are; once, when the program is put together.
pub fn register(app: &App) {
    blobs::register(app);
    ledger::register(app);
}

/// Notes that the ledger was read through and found whole; `witnessed`: also held against a head kept elsewhere.
pub async fn ledger_verified(app: &App, witnessed: bool) -> Result<(), Fault> {
    app.write(&Ctx::system(app, "verify"), move |ctx, tx| {
        store::remember_verified(ctx, tx, witnessed)?;
        let body = serde_json::json!({ "findings": [], "witnessed": witnessed });
        tx.record(ctx, Mark::new("ledger.verified", Subject::Ledger, body))
    })
    .await
    .map(drop)
}

/// What runs beside the requests: jobs as they become due, the ledger's sequencer, and a look at what other
/// processes changed of the territory. Ends when dropped.
pub async fn run_beside(app: App) {
    futures::future::join3(
        crate::platform::jobs::keep_running(app.clone()),
        crate::platform::ledger::keep_up(app.clone()),
        crate::territory::division::keep_fresh(app),
    )
    .await;
}
