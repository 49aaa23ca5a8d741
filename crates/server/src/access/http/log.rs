//! The access log, for the audit administrator.

use crate::access::Staff;
use crate::access::store::{self, AccessFilter, AccessRow};
use crate::platform::fault::FaultView;
use crate::platform::{AccessId, AccountId, App, Fault, Json, Page, PageQuery, Permission, Query};
use axum::extract::State;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LogQuery {
    /// Id of the thing read, or of a case.
    subject: Option<String>,
    /// Who read.
    account: Option<AccountId>,
    /// Number of items, at most 200.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// One read of personal data.
#[derive(Serialize, ToSchema)]
pub struct AccessView {
    id: AccessId,
    /// RFC 3339.
    at: String,
    account_id: Option<AccountId>,
    account_name: Option<String>,
    /// `account:<id>`, `resident` or `system:<name>`.
    actor: String,
    purpose: String,
    /// The written reason of an emergency.
    reason: Option<String>,
    subject_kind: String,
    subject_id: Option<String>,
    fields: Vec<String>,
    case_id: Option<String>,
}

/// Who read what, newest first; entries of accounts in the own area.
#[utoipa::path(get, path = "/access-log", tag = "access", params(LogQuery), responses(
    (status = 200, body = Page<AccessView>), (status = 401, body = FaultView), (status = 403, body = FaultView),
))]
async fn list(
    State(app): State<App>,
    Staff(ctx): Staff,
    Query(query): Query<LogQuery>,
) -> Result<Json<Page<AccessView>>, Fault> {
    ctx.scope.require(Permission::AuditRead)?;
    let page = PageQuery {
        limit: query.limit,
        after: query.after,
    };
    let (limit, after) = (page.limit(), page.after::<AccessId>()?);
    let filter = AccessFilter {
        subject: query.subject,
        account: query.account,
        after,
        limit,
    };
    let rows = app
        .read(&ctx, move |ctx, tx| store::accesses(tx, &ctx.scope, &filter))
        .await?;
    Ok(Json(Page::cut(rows, limit, |row| row.id).map(view)))
}

fn view(row: AccessRow) -> AccessView {
    AccessView {
        id: row.id,
        at: Timestamp(row.at).to_string(),
        account_id: row.account,
        account_name: row.account_name,
        actor: row.actor,
        purpose: row.purpose,
        reason: row.reason,
        subject_kind: row.subject_kind,
        subject_id: row.subject_id,
        fields: row
            .fields
            .split(',')
            .filter(|field| !field.is_empty())
            .map(str::to_owned)
            .collect(),
        case_id: row.case_id,
    }
}
