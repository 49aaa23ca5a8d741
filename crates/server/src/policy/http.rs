//! Routes of policy.

use crate::platform::App;
use utoipa_axum::router::OpenApiRouter;

/// All routes of this part, below `/api/v1`.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}
