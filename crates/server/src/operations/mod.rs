//! Running the server: health, metrics, live updates; the routes over jobs, outbox and ledger.
//!
//! Entry point: [`routes`]. Must not hold rules of any part.

mod events;
mod health;

use crate::platform::App;
use axum::Router;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(events::events))
}

/// Routes that are not part of the API: for the machines that watch the server.
pub fn plain_routes() -> Router<App> {
    health::routes()
}
