//! Routes of access.

mod accounts;
mod log;
mod session;

use crate::platform::App;
use utoipa_axum::router::OpenApiRouter;

/// All routes of this part, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(session::routes())
        .merge(accounts::routes())
        .merge(log::routes())
}
